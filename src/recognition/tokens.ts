// What single tokens of a merchant field look like: codes, marks, towns, words that the acquirer
// cut. Each looks at tokens alone and knows no brand.

import { CATEGORY } from "./data/lexicon.ts";
import { townTokens } from "./place.ts";
import { DIGITS, GAP_SPACE, goesOn, LETTERS, wordAt } from "./scan.ts";
import type { Scan } from "./scan.ts";

/**
 * Acquirers cut merchants to 12 to 24 characters, a contactless mark included; a shorter field is
 * not cut.
 */
export const SHORTEST_CUT = 11;
export const LONGEST_CUT = 24;

export function isContactless(scan: Scan, i: number): boolean {
  const start = scan.starts[i] ?? 0;
  return (scan.ends[i] ?? 0) - start === 2 && goesOn(scan, start, "SC");
}

/** L75622: a letter glued to a store number. */
export function isCode(scan: Scan, i: number, to: number): boolean {
  return i + 1 < to && (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0) <= 2 &&
    scan.kinds[i + 1] === DIGITS && scan.gaps[i + 1] === 0;
}

const TOWN_ENDINGS = [
  "VILLE",
  "VILLERS",
  "VILLIERS",
  "COURT",
  "BOURG",
  "HEIM",
  "WILLER",
  "IEUX",
  "IERES",
  "IGNY",
  "OUX",
] as const;

export function looksLikeTown(scan: Scan, i: number): boolean {
  const word = wordAt(scan, i);
  return word.length >= 7 && TOWN_ENDINGS.some((ending) => word.endsWith(ending));
}

const CUT_WORDS = [
  "NATION",
  "INTERNATIONAL",
  "HAUSSMANN",
  "EXPRESS",
  "SUPERMARCHE",
  "HYPERMARCHE",
  "MONTPARNASSE",
  "REPUBLIQUE",
  "BOUTIQUE",
  "DISTRIBUTION",
  "MARKETPLACE",
  "INTERNET",
  "PROXIMITE",
  "AEROPORT",
  "COMMERCIAL",
  "BEAUGRENELLE",
  "PAIEMENT",
  "PAYMENTS",
  "BOULEVARD",
  "CHAMPS",
  "FRANCE",
] as const;
const CUT_OWN_TRADES: readonly (readonly [string, number])[] = [
  ["RESTAURANT", CATEGORY.food],
  ["CARBURANT", CATEGORY.fuel | CATEGORY.grocery],
  ["STATION", CATEGORY.fuel | CATEGORY.grocery],
  ["TELECOM", CATEGORY.telecom],
  ["VOYAGES", CATEGORY.travel],
  ["VOYAGEURS", CATEGORY.travel],
  ["SURGELES", CATEGORY.grocery],
  ["ELECTROMENAGER", CATEGORY.electronics],
  ["PARFUMERIE", CATEGORY.beauty],
  ["CHAUSSURES", CATEGORY.fashion],
];

export function isCutNeutral(scan: Scan, i: number, fieldStart: number, fields: number): boolean {
  const word = wordAt(scan, i);
  const width = (scan.ends[i] ?? 0) - fieldStart;
  if (width < SHORTEST_CUT || width > LONGEST_CUT) return false;
  if (word.length === 1) return true;
  return word.length >= 3 &&
    (CUT_WORDS.some((whole) => whole.startsWith(word)) ||
      CUT_OWN_TRADES.some(([whole, field]) => (field & fields) !== 0 && whole.startsWith(word)));
}

const CUT_TRADES = [
  "COIFFURE",
  "IMMOBILIER",
  "PLOMBERIE",
  "ASSURANCES",
  "PHARMACIE",
  "PRESSING",
  "NOTAIRES",
  "CARROSSERIE",
  "CORDONNERIE",
  "RENOVATION",
  "TRANSPORTS",
  "BOUCHERIE",
  "TATTOO",
  "CHAUFFAGE",
] as const;

/** "MONOPRIX COIFFU": a trade that the acquirer cut. */
export function isCutTrade(scan: Scan, i: number, fieldStart: number): boolean {
  const word = wordAt(scan, i);
  return word.length >= 4 && (scan.ends[i] ?? 0) - fieldStart >= SHORTEST_CUT &&
    CUT_TRADES.some((whole) => whole.startsWith(word));
}

export function isWord(scan: Scan, i: number, word: string): boolean {
  const start = scan.starts[i] ?? 0;
  return (scan.ends[i] ?? 0) - start === word.length && goesOn(scan, start, word);
}

/** A town, or a département with a town glued to it (39LONS). */
export function isTownNext(scan: Scan, i: number, to: number): boolean {
  return isDepartment(scan, i, to) || townTokens(scan, i, to) > 0;
}

export function isDepartment(scan: Scan, i: number, to: number): boolean {
  const sizeOf = (at: number): number => (scan.ends[at] ?? 0) - (scan.starts[at] ?? 0);
  return i + 1 < to && scan.kinds[i] === DIGITS && sizeOf(i) === 2 &&
    (scan.gaps[i] !== 0 || townTokens(scan, i + 1, to) > 0) &&
    scan.kinds[i + 1] === LETTERS && scan.gaps[i + 1] === 0 && sizeOf(i + 1) > 1;
}

/** "BK BURGER KING", "MDM MAISONS DU MONDE": the initials of the words behind them. */
export function initialsBefore(scan: Scan, i: number, to: number): boolean {
  const start = scan.starts[i] ?? 0;
  const length = (scan.ends[i] ?? 0) - start;
  if (length < 2 || length > 4 || scan.kinds[i] !== LETTERS || i + length >= to) return false;
  for (let at = 0; at < length; at += 1) {
    if (scan.chars[start + at] !== scan.chars[scan.starts[i + 1 + at] ?? 0]) {
      return false;
    }
  }
  return true;
}

/**
 * ECGPAUL3017500, ECP00000CARREF: terminal codes of concessions glued in front; the letters to
 * skip, or 0.
 */
export function terminalCode(scan: Scan, i: number, to: number): number {
  const start = scan.starts[i] ?? 0;
  const size = (scan.ends[i] ?? 0) - start;
  if (!goesOn(scan, start, "EC") || size < 3) return 0;
  const third = scan.chars[start + 2];
  if (third !== 71 && third !== 80) return 0;
  // ECGPAUL: the field ends before the terminal's number.
  if (i + 1 >= to) return size > 6 ? 3 : 0;
  return scan.kinds[i + 1] === DIGITS && scan.gaps[i + 1] === 0 &&
      (scan.ends[i + 1] ?? 0) - (scan.starts[i + 1] ?? 0) >= 4
    ? 3
    : 0;
}

/** Tokens at `i` that never belong to a name: SC-, a store or terminal code. */
export function junkTokens(scan: Scan, i: number, to: number): number {
  if (i + 1 >= to) return 0;
  if (isContactless(scan, i)) return 1;
  // "RN 83 SUPER U": the shop's road before its sign.
  if (
    (isWord(scan, i, "RN") || isWord(scan, i, "RD")) && scan.kinds[i + 1] === DIGITS && i + 2 < to
  ) {
    return 2;
  }
  const size = (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0);
  if (scan.kinds[i] === DIGITS) {
    const gluedCode = scan.gaps[i + 1] === 0 &&
      (scan.ends[i + 1] ?? 0) - (scan.starts[i + 1] ?? 0) <= 2 && i + 2 < to;
    return gluedCode ? 2 : size >= 2 || ((scan.gaps[i + 1] ?? 0) & GAP_SPACE) !== 0 ? 1 : 0;
  }
  return size <= 3 && scan.kinds[i + 1] === DIGITS && scan.gaps[i + 1] === 0 && i + 2 < to &&
      (size === 1 || terminalCode(scan, i, to) > 0)
    ? 2
    : 0;
}
