// Where the bank's tail begins: a date, a card mask, an amount, "COMMERCE ELECTRONIQUE". Everything
// from there on belongs to the bank.

import type { Frame } from "./frame-reading.ts";
import {
  ACHAT,
  CARTE,
  CB,
  CB_PSC_MOB,
  COMMERCE,
  CURRENCIES,
  CUT_CARTE,
  DU,
  ELECTRONIQUE,
  ETRANG,
  FACT,
  LE,
  NUMERO_NO_N,
  PAIEMENT,
  PAYWEB,
} from "./frame-words.ts";
import { COUNTRY, TAIL } from "./data/lexicon.ts";
import { DIGITS, GAP_COMMA, GAP_DOT, GAP_STAR, LETTERS, wordAt } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { dateTokens, is, isDateRun, isDigits, maskTokens, size } from "./shapes.ts";

/** The tail starts at its first mark; everything after it belongs to the bank. */
export function readTail(scan: Scan, frame: Frame): void {
  const limit = frame.to;
  for (let i = frame.from; i < limit; i += 1) {
    if (!isTailAt(scan, i, frame)) continue;
    // A field of nothing but a tail ("CARTE 12/11") has no merchant at all.
    frame.to = i;
    trimEnd(scan, frame);
    return;
  }
}

/**
 * "MONOPRIX CARTE 08.01.19 CARTE NUMERO 520": what was no mark in the middle may be one at the new
 * end.
 */
function trimEnd(scan: Scan, frame: Frame): void {
  while (frame.to > frame.from + 1) {
    if (isTailAt(scan, frame.to - 1, frame)) frame.to -= 1;
    else if (frame.to > frame.from + 2 && isTailAt(scan, frame.to - 2, frame)) frame.to -= 2;
    else return;
  }
}

function isTailAt(scan: Scan, i: number, frame: Frame): boolean {
  return scan.kinds[i] === DIGITS
    ? digitTail(scan, i, frame)
    : ((scan.flags[i] ?? 0) & TAIL) !== 0 && wordTail(scan, i, frame);
}

function digitTail(scan: Scan, i: number, frame: Frame): boolean {
  const length = size(scan, i);
  if (length >= 13) return true;
  if (length === 2 && dateTokens(scan, i) > 0) return i > frame.from || frame.spoken;
  if (i === frame.from) return false;
  // "CAILLES250308": a padded field with its date glued or not, only where the head had none.
  if (length === 6 && i === frame.to - 1 && frame.spoken && !frame.dated) return isDateRun(scan, i);
  if (
    length >= 9 && scan.kinds[i + 1] === LETTERS && scan.gaps[i + 1] === 0 &&
    size(scan, i + 1) === 4
  ) return true;
  // "21,92EUR"
  return scan.gaps[i + 1] === GAP_COMMA && isDigits(scan, i + 1, 2) && is(scan, i + 2, CURRENCIES);
}

function wordTail(scan: Scan, i: number, frame: Frame): boolean {
  if (i === frame.from) return false;
  const last = i === frame.to - 1;
  if (is(scan, i, CARTE)) {
    if (last || is(scan, i + 1, NUMERO_NO_N)) return true;
    // "CARTE … FRA 21,92EUR": a label whose mask was cut before storage.
    if (
      ((scan.flags[i + 1] ?? 0) & COUNTRY) !== 0 && scan.kinds[i + 2] === DIGITS &&
      scan.gaps[i + 3] === GAP_COMMA
    ) return true;
    return scan.kinds[i + 1] === DIGITS
      ? size(scan, i + 1) >= 3 || (frame.cutAt54 && i + 2 === frame.to)
      : maskTokens(scan, i + 1) > 0;
  }
  if (is(scan, i, CB)) {
    return (last && frame.dated) || ((scan.gaps[i + 1] ?? 0) & GAP_STAR) !== 0 ||
      (scan.gaps[i + 1] === GAP_DOT && maskTokens(scan, i + 1) > 0);
  }
  if (is(scan, i, FACT)) return last || scan.kinds[i + 1] === DIGITS;
  if (is(scan, i, LE)) {
    return dateTokens(scan, i + 1) > 0 || dayMonthAfter(scan, i + 1) ||
      (isDateRun(scan, i + 1) && i + 2 === frame.to);
  }
  if (is(scan, i, COMMERCE)) {
    const electronic = is(scan, i + 1, ELECTRONIQUE) ||
      (i + 1 === frame.to - 1 && size(scan, i + 1) >= 3 &&
        "ELECTRONIQUE".startsWith(wordAt(scan, i + 1)));
    if (electronic) frame.remote = true;
    return electronic;
  }
  if (is(scan, i, PAYWEB)) {
    frame.remote = true;
    return last || scan.kinds[i + 1] === DIGITS;
  }
  if (is(scan, i, ETRANG)) {
    frame.abroad = true;
    return last;
  }
  if (is(scan, i, ACHAT)) return is(scan, i + 1, DU) && dateTokens(scan, i + 2) > 0;
  if (is(scan, i, PAIEMENT)) return is(scan, i + 1, CB_PSC_MOB) && isDateRun(scan, i + 2);
  if (is(scan, i, CURRENCIES)) {
    return scan.kinds[i + 1] === DIGITS && scan.gaps[i + 2] === GAP_COMMA;
  }
  return is(scan, i, CUT_CARTE) && last && frame.cutAt54 && scan.text.length >= 52 &&
    scan.text.length <= 54;
}

/** "LE 24.07" at the end. */
function dayMonthAfter(scan: Scan, i: number): boolean {
  return isDigits(scan, i, 2) && isDigits(scan, i + 1, 2) && scan.gaps[i + 1] === GAP_DOT &&
    i + 2 === scan.count;
}
