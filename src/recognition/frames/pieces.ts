// The pieces of head patterns that are no words: dates, masks, amounts, looks ahead. Each says how
// many tokens it reads. Named in the language of pattern.ts.

import { ABROAD, BY, CARTE, DATE_PLACEHOLDER, DU, EURO, HOUR, TOP } from "../frame-words.ts";
import { DIGITS, GAP_COMMA, GAP_STAR, goesOn, LETTERS } from "../scan.ts";
import type { Scan } from "../scan.ts";
import { dateTokens, headMaskTokens, is, isDateRun, isDigits, size } from "../shapes.ts";

/** Tokens that a piece reads at `i`; -1 when it does not fit. */
type Piece = (scan: Scan, i: number) => number;

const FARTHEST = 14;

function dateLength(scan: Scan, i: number): number {
  if (scan.kinds[i] !== DIGITS) return is(scan, i, DATE_PLACEHOLDER) ? 1 : -1;
  const written = dateTokens(scan, i);
  if (written > 0) return written;
  return isDateRun(scan, i) && size(scan, i) > 4 && (i + 1 === scan.count || scan.gaps[i + 1] !== 0)
    ? 1
    : -1;
}

function until(scan: Scan, i: number, fits: (at: number) => boolean): number {
  const limit = Math.min(scan.count, i + FARTHEST);
  for (let at = i; at < limit; at += 1) if (fits(at)) return at - i;
  return -1;
}

/** "2,80 NZD / 1 euro = 1,81": an amount, then what one euro was worth. */
function rateLength(scan: Scan, i: number): number {
  if (scan.kinds[i] !== DIGITS) return -1;
  const upToEuro = until(scan, i, (at) => is(scan, at, EURO) && scan.kinds[at + 1] === DIGITS);
  if (upToEuro < 0) return -1;
  const decimals = scan.gaps[i + upToEuro + 2] === GAP_COMMA ? 1 : 0;
  return upToEuro + 2 + decimals;
}

const GROUPS = 4;

/** Tokens of a card number in four groups of four, at least the first masked; -1 for none. */
function groupedMaskLength(scan: Scan, i: number): number {
  if (!goesOn(scan, scan.starts[i] ?? 0, "XXXX")) return -1;
  for (let at = i; at < i + GROUPS; at += 1) {
    if (at >= scan.count || size(scan, at) !== 4) return -1;
    if (scan.kinds[at] !== DIGITS && !goesOn(scan, scan.starts[at] ?? 0, "XXXX")) return -1;
  }
  return GROUPS;
}

const oneIf = (fits: boolean): number => (fits ? 1 : -1);

const PIECES: readonly (readonly [string, Piece])[] = [
  ["<date>", dateLength],
  ["<run>", (scan, i) => oneIf(isDateRun(scan, i) && size(scan, i) > 4 && scan.gaps[i + 1] !== 0)],
  ["<ddmm>", (scan, i) => oneIf(isDateRun(scan, i) && size(scan, i) === 4)],
  ["<ddmmyy>", (scan, i) => oneIf(isDateRun(scan, i) && size(scan, i) === 6)],
  ["<digits>", (scan, i) => oneIf(scan.kinds[i] === DIGITS)],
  ["<number>", (scan, i) => oneIf(scan.kinds[i] === DIGITS && size(scan, i) >= 3)],
  ["<reference>", (scan, i) => oneIf(scan.kinds[i] === DIGITS && size(scan, i) >= 6)],
  ["<mask>", (scan, i) => headMaskTokens(scan, i) || -1],
  ["<hour>", (scan, i) => (isDigits(scan, i, 2) && is(scan, i + 1, HOUR) ? 2 : -1)],
  ["<country>", (scan, i) => oneIf(is(scan, i, ABROAD) && scan.kinds[i + 1] === LETTERS)],
  [
    "<until-date>",
    (scan, i) => until(scan, i, (at) => is(scan, at, DU) && isDateRun(scan, at + 1)),
  ],
  ["<until-by>", (scan, i) => until(scan, i, (at) => is(scan, at, BY))],
  [
    "<until-card>",
    (scan, i) => until(scan, i, (at) => is(scan, at, CARTE) && groupedMaskLength(scan, at + 1) > 0),
  ],
  ["<grouped-mask>", groupedMaskLength],
  ["<rate>", rateLength],
  ["<end>", (scan, i) => (i >= scan.count ? 0 : -1)],
  ["<more>", (scan, i) => (i < scan.count ? 0 : -1)],
  // A shop may be called TIP TOP.
  ["<not-top>", (scan, i) => (i < scan.count && !is(scan, i, TOP) ? 0 : -1)],
  ["<not-star>", (scan, i) => (((scan.gaps[i] ?? 0) & GAP_STAR) === 0 ? 0 : -1)],
];

const CODES: ReadonlyMap<string, number> = new Map(PIECES.map(([name], code) => [name, code]));
const READERS: readonly Piece[] = PIECES.map(([, piece]) => piece);

/** Pieces that read digits only: at any other token they need no call. */
const DIGITS_ONLY: ReadonlySet<string> = new Set([
  "<run>",
  "<ddmm>",
  "<ddmmyy>",
  "<digits>",
  "<number>",
  "<reference>",
  "<hour>",
  "<rate>",
]);
const NEEDS_DIGITS = Uint8Array.from(PIECES, ([name]) => (DIGITS_ONLY.has(name) ? 1 : 0));

/** The number of a piece; throws when there is none of that name. */
export function pieceCode(name: string): number {
  const code = CODES.get(name);
  if (code === undefined) throw new Error(`unknown piece of a head pattern: ${name}`);
  return code;
}

/** Tokens that the piece of this number reads at `i`; -1 when it does not fit. */
export function pieceLength(code: number, scan: Scan, i: number): number {
  if (NEEDS_DIGITS[code] === 1 && scan.kinds[i] !== DIGITS) return -1;
  return READERS[code]?.(scan, i) ?? -1;
}
