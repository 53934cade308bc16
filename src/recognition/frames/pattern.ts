// The little language in which heads are written, and the tree that all heads are read with.
//
//   CARTE|CB        one of these words        [DU|LE <date>]  optional, may nest
//   <date>          dd/mm, dd/mm/yy, dd.mm.yy, ddmmyy, ddmmyyyy
//   <run>           ddmmyy or ddmmyyyy in one run of digits     <ddmm>  four digits of a date
//   <mask>          a card mask: X1234, 4974XXXXXXXX1234, *1234
//   <hour>          11H39                <number>  3 digits or more    <digits>  any digits
//   <country>       the country of a purchase abroad, before a word
//   <until-date>    anything up to "DU" and a date      <until-by>  anything up to "BY"
//   <until-card>    anything up to "CARTE" and a grouped mask, <grouped-mask>  XXXX XXXX XXXX 1234
//   <rate>          2,80 NZD / 1 euro = 1,818181818
//   <end>  <more>  <not-top>  <not-star>   what follows; these read nothing
//
// The frame that reads the most tokens wins; of two that read the same, the first in the list.

import { DIGITS, GAP_COMMA, GAP_STAR, goesOn, LETTERS, wordNumber } from "../scan.ts";
import type { Scan } from "../scan.ts";
import { dateTokens, headMaskTokens, is, isDateRun, isDigits, size } from "../shapes.ts";
import { ABROAD, BY, CARTE, DATE_PLACEHOLDER, DU, EURO, HOUR, TOP } from "../frame-words.ts";

/** Tokens that a piece reads at `i`; -1 when it does not fit. */
type Piece = (scan: Scan, i: number) => number;

const FARTHEST = 14;

function dateLength(scan: Scan, i: number): number {
  const written = dateTokens(scan, i);
  if (written > 0) return written;
  if (is(scan, i, DATE_PLACEHOLDER)) return 1;
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

const PIECES: ReadonlyMap<string, Piece> = new Map<string, Piece>([
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
]);

/** A node of the tree: what may come next, and the frame whose head ends here (-1 for none). */
type Node = {
  readonly words: Map<number, Node>;
  readonly pieces: { readonly name: string; readonly piece: Piece; readonly next: Node }[];
  frame: number;
};

export type HeadTree = { readonly root: Node };

function newNode(): Node {
  return { words: new Map(), pieces: [], frame: -1 };
}

/** Index after the group that opens at `open`. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i += 1) {
    if (text[i] === "[") depth += 1;
    if (text[i] === "]" && --depth === 0) return i;
  }
  throw new Error(`head pattern without a closing bracket: ${text}`);
}

/** The pattern with every choice of its optional groups made: plain lists of words and pieces. */
export function variantsOf(pattern: string): readonly string[] {
  const open = pattern.indexOf("[");
  if (open < 0) {
    if (pattern.includes("]")) throw new Error(`head pattern with a stray bracket: ${pattern}`);
    return [pattern.trim().replace(/\s+/g, " ")];
  }
  const close = closing(pattern, open);
  const before = pattern.slice(0, open);
  const rest = pattern.slice(close + 1);
  return [
    ...variantsOf(`${before} ${pattern.slice(open + 1, close)} ${rest}`),
    ...variantsOf(`${before} ${rest}`),
  ];
}

function insert(root: Node, elements: readonly string[], frame: number): void {
  const [first, ...rest] = elements;
  if (first === undefined) {
    if (root.frame < 0) root.frame = frame;
    return;
  }
  if (first.startsWith("<")) {
    const piece = PIECES.get(first);
    if (piece === undefined) throw new Error(`unknown piece of a head pattern: ${first}`);
    let edge = root.pieces.find(({ name }) => name === first);
    if (edge === undefined) {
      edge = { name: first, piece, next: newNode() };
      root.pieces.push(edge);
    }
    insert(edge.next, rest, frame);
    return;
  }
  for (const word of first.split("|")) {
    const id = wordNumber(word);
    let next = root.words.get(id);
    if (next === undefined) {
      next = newNode();
      root.words.set(id, next);
    }
    insert(next, rest, frame);
  }
}

/**
 * Builds the tree of all heads; `patterns[i]` are the heads of frame `i`. Throws on a bad pattern.
 */
export function compileHeads(patterns: readonly (readonly string[])[]): HeadTree {
  const root = newNode();
  for (const [frame, heads] of patterns.entries()) {
    for (const head of heads) {
      for (const variant of variantsOf(head)) {
        if (variant === "") throw new Error(`a head that reads nothing: ${head}`);
        insert(root, variant.split(" "), frame);
      }
    }
  }
  return { root };
}

/** Where the best head ended and which frame it is; -1 for none. Reused between labels. */
export type HeadMatch = { frame: number; end: number };

function follow(scan: Scan, node: Node, i: number, best: HeadMatch): void {
  if (
    node.frame >= 0 &&
    (best.frame < 0 || i > best.end || (i === best.end && node.frame < best.frame))
  ) {
    best.frame = node.frame;
    best.end = i;
  }
  if (i < scan.count) {
    const next = node.words.get(scan.ids[i] ?? 0);
    if (next !== undefined) follow(scan, next, i + 1, best);
  }
  for (const edge of node.pieces) {
    const read = edge.piece(scan, i);
    if (read >= 0) follow(scan, edge.next, i + read, best);
  }
}

/** Reads the head at token `i`. The work is bounded by the longest pattern. */
export function matchHead(scan: Scan, tree: HeadTree, i: number, best: HeadMatch): void {
  best.frame = -1;
  best.end = i;
  if (i >= scan.count) return;
  if (scan.kinds[i] !== DIGITS) {
    const next = tree.root.words.get(scan.ids[i] ?? 0);
    if (next !== undefined) follow(scan, next, i + 1, best);
    return;
  }
  follow(scan, tree.root, i, best);
}
