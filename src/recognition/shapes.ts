// What single pieces of a bank's text look like, whatever bank wrote it: dates, card masks, words
// of a set. Each looks at tokens alone.

import { DIGITS, GAP_DASH, GAP_DOT, GAP_SLASH, GAP_STAR, LETTERS } from "./scan.ts";
import type { Scan, WordSet } from "./scan.ts";

export function size(scan: Scan, i: number): number {
  return (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0);
}

export function isDigits(scan: Scan, i: number, length: number): boolean {
  return i < scan.count && scan.kinds[i] === DIGITS && size(scan, i) === length;
}

export function is(scan: Scan, i: number, words: WordSet): boolean {
  return words[scan.ids[i] ?? 0] === 1;
}

function number(scan: Scan, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i += 1) value = value * 10 + (scan.chars[i] ?? 0) - 48;
  return value;
}

function isDayMonth(scan: Scan, start: number): boolean {
  const day = number(scan, start, start + 2);
  const month = number(scan, start + 2, start + 4);
  return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

/** ddmm, ddmmyy or ddmmyyyy in one run of digits. */
export function isDateRun(scan: Scan, i: number): boolean {
  if (i >= scan.count || scan.kinds[i] !== DIGITS) return false;
  const length = size(scan, i);
  if (length !== 4 && length !== 6 && length !== 8) return false;
  const start = scan.starts[i] ?? 0;
  if (!isDayMonth(scan, start)) return false;
  if (length === 8) {
    const year = number(scan, start + 4, start + 8);
    return year >= 1990 && year < 2100;
  }
  return true;
}

/**
 * Tokens of a written date (dd/mm, dd/mm/yy, dd/mm/yyyy, dd.mm.yy) at `i`, 0 when there is none.
 */
export function dateTokens(scan: Scan, i: number): number {
  if (i + 1 >= scan.count || !isDigits(scan, i, 2) || !isDigits(scan, i + 1, 2)) return 0;
  const gap = scan.gaps[i + 1];
  if (gap !== GAP_SLASH && gap !== GAP_DOT && gap !== GAP_DASH) return 0;
  const day = number(scan, scan.starts[i] ?? 0, scan.ends[i] ?? 0);
  const month = number(scan, scan.starts[i + 1] ?? 0, scan.ends[i + 1] ?? 0);
  if (day < 1 || day > 31 || month < 1 || month > 12) return 0;
  if (scan.gaps[i + 2] === gap && (isDigits(scan, i + 2, 2) || isDigits(scan, i + 2, 4))) return 3;
  return gap === GAP_SLASH ? 2 : 0;
}

/** X1234, XXXX1234, *1234, 4974XXXXXXXX1234, 12345678: tokens of a card mask at `i`. */
export function maskTokens(scan: Scan, i: number): number {
  let n = 0;
  while (
    i + n < scan.count && (n === 0 || scan.gaps[i + n] === 0 || scan.gaps[i + n] === GAP_STAR)
  ) {
    if (scan.kinds[i + n] === LETTERS) {
      const start = scan.starts[i + n] ?? 0;
      const end = scan.ends[i + n] ?? 0;
      for (let at = start; at < end; at += 1) if (scan.chars[at] !== 88) return 0;
    }
    n += 1;
  }
  // A lone X or XX is no mask unless digits follow it; digits alone are judged by the caller.
  return n > 0 && scan.kinds[i] === LETTERS && n === 1 && size(scan, i) < 4 ? 0 : n;
}

/** A card number has twelve digits or more. */
const WHOLE_MASK = 12;

/** The mask in a head: X1234, 4974XXXXXXXX1234 or one behind a star; never digits alone. */
export function headMaskTokens(scan: Scan, i: number): number {
  if (i >= scan.count) return 0;
  if (((scan.gaps[i] ?? 0) & GAP_STAR) !== 0) return maskTokens(scan, i);
  const tokens = maskTokens(scan, i);
  // XXXXXXXXXXXXXXXX: masked as a whole. A shorter run of X without digits may be a name.
  if (tokens === 1 && scan.kinds[i] === LETTERS && size(scan, i) >= WHOLE_MASK) return 1;
  if (tokens <= 1) return 0;
  if (scan.kinds[i] === LETTERS) return tokens;
  // 4974XXXXXXXX1234: sixteen characters with an X among them.
  const width = (scan.ends[i + tokens - 1] ?? 0) - (scan.starts[i] ?? 0);
  return isDigits(scan, i, 4) && scan.kinds[i + 1] === LETTERS && width >= 12 ? tokens : 0;
}
