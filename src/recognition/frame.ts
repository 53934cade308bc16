// Reads the bank's part of a label: its head (verb, date, card mask) decides the kind, its tail
// (date, mask, amount, country) is cut off, and what is left is the merchant field. Knows shapes,
// never banks' or brands' names: an aggregator does not always say which bank it is. Shapes: public
// parsers and shared real labels of some twenty French banks, listed with their certainty in the
// fixtures' source notes; each has a line in test/unit/recognition-formats.test.ts.

import type { AggregatorHint, RowKind } from "./ports.ts";
import { COUNTRY, HEAD, TAIL } from "./lexicon.ts";
import {
  ABROAD,
  ACH,
  ACH_FR_CB,
  ACHAT,
  ACHATS_FACTURES,
  AFTER_RET,
  AT_TIME,
  AT_WITHDRAWAL_ADVANCE,
  BANCAIRE,
  BANCAIRE_BLEUE,
  CANCELLED,
  CANCELLED_WHAT,
  CARD_WORDS,
  CARTE,
  CARTE_CARTES,
  CARTE_CB,
  CASH_ALONE,
  CASH_HEADS,
  CB,
  CB_PSC_MOB,
  CHEQUE_CHQ,
  COMMERCE,
  CONTACT,
  CREDIT,
  CURRENCIES,
  CUT_CARTE,
  DAB_GAB,
  DEBIT,
  DEPENSES_COTISATION,
  DIRECT_DEBIT,
  DU,
  DU_LE,
  E_INST,
  ELECTRONIQUE,
  ER,
  ETRANG,
  FAC,
  FACT,
  FACTURE,
  FACTURETTES_DEBIT_DIFFERE,
  HOUR,
  INST_TRANSFER,
  INTERNET,
  INTERNET_MOBILE,
  LE,
  NOT_A_CARD_ROW,
  NUMBERED,
  NUMERO_NO_N,
  OPENS_AGAIN,
  OPERATION,
  ORDINALS,
  OTHER_ALONE,
  OTHER_PAIRS,
  PAIEMENT,
  PAIEMENT_PAIEMENTS,
  PAR,
  PAR_DE,
  PAYWEB,
  PE,
  PRLV_PRELEVEMENT,
  PSC_MOB_SC,
  PURCHASE_HEADS,
  REFUND_HEADS,
  REFUND_MARKS,
  REFUNDED_WHAT,
  REFUSED,
  REMISE,
  REPAID,
  REPAID_BY_OTHERS,
  RET,
  RETRAIT_RETRAITS,
  RETURNED,
  SANS,
  SEPA,
  SUR,
  TIERS_QUART_PAIEMENT,
  TIP,
  TOP,
  TRANSFER,
  VIR_VIREMENT,
  VIREMENT_VIR,
  VISA_MASTERCARD,
  WALLET_OR_CARD,
  WERO_PAYLIB,
} from "./frame-words.ts";
import {
  DIGITS,
  GAP_COMMA,
  GAP_DASH,
  GAP_DOT,
  GAP_PIPE,
  GAP_SLASH,
  GAP_SPACE,
  GAP_STAR,
  LETTERS,
  wordAt,
} from "./scan.ts";
import type { Scan, WordSet } from "./scan.ts";

/**
 * The result of reading a head and a tail: token indexes [from, to) of the merchant field. Reused
 * between labels.
 */
export type Frame = {
  kind: RowKind;
  /** The label itself says what it is; the aggregator's hint does not count. */
  spoken: boolean;
  from: number;
  to: number;
  /** Town before the merchant: "PAIEMENT CB 1412 PARIS CEDEX 0 SNCF INTERNET". */
  townFirst: boolean;
  /** The head carried the purchase date, so six digits at the end are no date. */
  dated: boolean;
  contactless: boolean;
  remote: boolean;
  abroad: boolean;
  /** The head whose whole label some exports cut at 54 characters. */
  cutAt54: boolean;
};

export function newFrame(): Frame {
  return {
    kind: "card",
    spoken: false,
    from: 0,
    to: 0,
    townFirst: false,
    dated: false,
    contactless: false,
    remote: false,
    abroad: false,
    cutAt54: false,
  };
}

function size(scan: Scan, i: number): number {
  return (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0);
}

function isDigits(scan: Scan, i: number, length: number): boolean {
  return i < scan.count && scan.kinds[i] === DIGITS && size(scan, i) === length;
}

function number(scan: Scan, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i += 1) value = value * 10 + scan.text.charCodeAt(i) - 48;
  return value;
}

function isDayMonth(scan: Scan, start: number): boolean {
  const day = number(scan, start, start + 2);
  const month = number(scan, start + 2, start + 4);
  return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

/** ddmm, ddmmyy or ddmmyyyy in one run of digits. */
function isDateRun(scan: Scan, i: number): boolean {
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
function dateTokens(scan: Scan, i: number): number {
  if (i + 1 >= scan.count || !isDigits(scan, i, 2) || !isDigits(scan, i + 1, 2)) return 0;
  const gap = scan.gaps[i + 1];
  if (gap !== GAP_SLASH && gap !== GAP_DOT && gap !== GAP_DASH) return 0;
  const day = number(scan, scan.starts[i] ?? 0, scan.ends[i] ?? 0);
  const month = number(scan, scan.starts[i + 1] ?? 0, scan.ends[i + 1] ?? 0);
  if (day < 1 || day > 31 || month < 1 || month > 12) return 0;
  if (scan.gaps[i + 2] === gap && (isDigits(scan, i + 2, 2) || isDigits(scan, i + 2, 4))) return 3;
  return gap === GAP_SLASH ? 2 : 0;
}

function is(scan: Scan, i: number, words: WordSet): boolean {
  return words[scan.ids[i] ?? 0] === 1;
}

/** X1234, XXXX1234, *1234, 4974XXXXXXXX1234, 12345678: tokens of a card mask at `i`. */
function maskTokens(scan: Scan, i: number): number {
  let n = 0;
  while (
    i + n < scan.count && (n === 0 || scan.gaps[i + n] === 0 || scan.gaps[i + n] === GAP_STAR)
  ) {
    if (scan.kinds[i + n] === LETTERS) {
      const start = scan.starts[i + n] ?? 0;
      const end = scan.ends[i + n] ?? 0;
      for (let at = start; at < end; at += 1) if (scan.text.charCodeAt(at) !== 88) return 0;
    }
    n += 1;
  }
  // A lone X or XX is no mask unless digits follow it; digits alone are judged by the caller.
  return n > 0 && scan.kinds[i] === LETTERS && n === 1 && size(scan, i) < 4 ? 0 : n;
}

/** Skips what a card head carries before the merchant: mask, date, département or country. */
function skipCardDetails(scan: Scan, i: number, frame: Frame): number {
  let at = i;
  if (is(scan, at, VISA_MASTERCARD) && (isDateRun(scan, at + 1) || dateTokens(scan, at + 1) > 0)) {
    at += 1;
  }
  if (at < scan.count && scan.kinds[at] === LETTERS) {
    const mask = maskTokens(scan, at);
    if (mask > 1) at += mask;
  } else if (
    at < scan.count && scan.gaps[at] !== undefined && ((scan.gaps[at] ?? 0) & GAP_STAR) !== 0
  ) at += maskTokens(scan, at);
  at = skipRefundOrCash(scan, at, frame);
  if (frame.kind === "withdrawal") return at;
  if (is(scan, at, DU_LE) && (isDateRun(scan, at + 1) || dateTokens(scan, at + 1) > 0)) at += 1;
  const written = dateTokens(scan, at);
  if (written > 0) {
    at += written;
    frame.dated = true;
  } else if (isDateRun(scan, at) && size(scan, at) > 4 && scan.gaps[at + 1] !== 0) {
    at += 1;
    frame.dated = true;
    if (is(scan, at, ABROAD) && (scan.kinds[at + 1] ?? 0) === LETTERS) at += 1;
  }
  // "CARTE X1234 12/11/24 A 11H39 RETRAIT DAB ..."
  if (is(scan, at, AT_TIME) && isDigits(scan, at + 1, 2) && is(scan, at + 2, HOUR)) {
    frame.kind = "withdrawal";
    return at;
  }
  return skipRefundOrCash(scan, at, frame);
}

function skipRefundOrCash(scan: Scan, i: number, frame: Frame): number {
  if (is(scan, i, RETRAIT_RETRAITS) || (is(scan, i, RET) && is(scan, i + 1, DAB_GAB))) {
    frame.kind = "withdrawal";
    return i;
  }
  if (is(scan, i, REFUND_MARKS)) {
    frame.kind = "refund";
    return i + 1;
  }
  return i;
}

function card(scan: Scan, i: number, frame: Frame, kind: "card" | "refund" = "card"): number {
  frame.kind = kind;
  frame.spoken = true;
  return skipCardDetails(scan, i, frame);
}

function townFirst(scan: Scan, i: number, frame: Frame): number {
  frame.kind = "card";
  frame.spoken = true;
  if (isDateRun(scan, i) && size(scan, i) === 4) {
    frame.townFirst = true;
    frame.dated = true;
    return i + 1;
  }
  const next = skipCardDetails(scan, i, frame);
  frame.townFirst = next === i;
  return next;
}

function spoken(frame: Frame, kind: RowKind): number {
  frame.kind = kind;
  frame.spoken = true;
  return -1;
}

function paymentHead(scan: Scan, i: number, frame: Frame): number {
  let at = i + 1;
  if (is(scan, at, PAR)) at += 1;
  if (is(scan, at, CARTE_CARTES)) return card(scan, at + 1, frame);
  if (is(scan, at, WALLET_OR_CARD)) {
    frame.contactless = is(scan, at, PSC_MOB_SC);
    return townFirst(scan, at + 1, frame);
  }
  if (is(scan, at, SANS) && is(scan, at + 1, CONTACT)) {
    frame.contactless = true;
    return card(scan, at + 2, frame);
  }
  if (is(scan, at, INTERNET_MOBILE) && at + 1 < scan.count) {
    frame.remote = is(scan, at, INTERNET);
    return card(scan, at + 1, frame);
  }
  if (is(scan, at, CHEQUE_CHQ)) return spoken(frame, "other");
  if (is(scan, at, PRLV_PRELEVEMENT)) return spoken(frame, "debit");
  return -2;
}

function purchaseHead(scan: Scan, i: number, frame: Frame): number {
  let at = i + 1;
  if (is(scan, i, ACHATS_FACTURES)) {
    return is(scan, at, CARD_WORDS) || (is(scan, at, PAR_DE) && is(scan, at + 1, CARD_WORDS))
      ? spoken(frame, "other")
      : -2;
  }
  if (is(scan, i, FAC) && is(scan, at, ACH)) {
    at += 1;
    while (is(scan, at, ACH_FR_CB)) at += 1;
    return card(scan, at, frame);
  }
  if (is(scan, at, PAR)) at += 1;
  if (is(scan, at, CARTE_CB)) {
    frame.cutAt54 = is(scan, i, FACTURE);
    at += 1;
    if (is(scan, at, BANCAIRE_BLEUE)) at += 1;
    return card(scan, at, frame);
  }
  if (is(scan, i, ACHAT) && is(scan, at, DU) && dateTokens(scan, at + 1) > 0) {
    return card(scan, at, frame);
  }
  if (is(scan, i, ACHAT) && is(scan, at, INTERNET)) {
    frame.remote = true;
    return card(scan, at + 1, frame);
  }
  return -2;
}

/**
 * "CARTE ..." and "CB ...": a purchase, unless the next words say that it is a total, a fee or
 * cash.
 */
function cardHead(scan: Scan, i: number, frame: Frame): number {
  const at = i + 1;
  if (is(scan, i, CARTE)) {
    if (is(scan, at, FACTURETTES_DEBIT_DIFFERE) || (is(scan, at, DEPENSES_COTISATION))) {
      return spoken(frame, "other");
    }
    if (
      is(scan, at, VISA_MASTERCARD) && dateTokens(scan, at + 1) > 0 &&
      is(scan, at + 1 + dateTokens(scan, at + 1), AT_TIME)
    ) return spoken(frame, "withdrawal");
  }
  if (is(scan, i, CB) && is(scan, at, ER) && dateTokens(scan, at + 1) > 0) {
    frame.abroad = true;
    return card(scan, at + 1, frame);
  }
  if (is(scan, at, BANCAIRE) && (dateTokens(scan, at + 1) > 0 || isDateRun(scan, at + 1))) {
    return card(scan, at + 1, frame);
  }
  return card(scan, at, frame);
}

function refundHead(scan: Scan, i: number, frame: Frame): number {
  let at = i + 1;
  if (is(scan, i, CREDIT)) {
    if (!is(scan, at, CARTE_CB)) return is(scan, at, VIREMENT_VIR) ? spoken(frame, "transfer") : -2;
    at += 1;
    if (is(scan, at, BANCAIRE)) at += 1;
    return card(scan, at, frame, "refund");
  }
  if (is(scan, i, CANCELLED)) {
    while (is(scan, at, CANCELLED_WHAT)) at += 1;
    if (is(scan, at, NOT_A_CARD_ROW)) return spoken(frame, "other");
  }
  if (is(scan, i, REMISE)) return -2;
  while (is(scan, at, REFUNDED_WHAT)) at += 1;
  const named = is(scan, at, CARTE_CB);
  if (named) at += 1;
  if (!named && is(scan, i, REPAID) && is(scan, at, REPAID_BY_OTHERS)) {
    return spoken(frame, "other");
  }
  if (is(scan, at, BANCAIRE)) at += 1;
  // "REMBT CB 1203 LESQUIN BOULANGER": the banks that write the town first do so in refunds too.
  if (named && isDateRun(scan, at) && size(scan, at) === 4) {
    const next = townFirst(scan, at, frame);
    frame.kind = "refund";
    return next;
  }
  return card(scan, at, frame, "refund");
}

function cashHead(scan: Scan, i: number, frame: Frame): number {
  if (is(scan, i, CASH_ALONE)) return spoken(frame, "withdrawal");
  if (is(scan, i, RET)) return is(scan, i + 1, AFTER_RET) ? spoken(frame, "withdrawal") : -2;
  return is(scan, i + 1, AT_WITHDRAWAL_ADVANCE) ? spoken(frame, "withdrawal") : -2;
}

function accountHead(scan: Scan, i: number, frame: Frame): number {
  if (is(scan, i, TRANSFER)) return spoken(frame, "transfer");
  if (is(scan, i, DEBIT)) return spoken(frame, "debit");
  if (is(scan, i, E_INST)) return is(scan, i + 1, VIR_VIREMENT) ? spoken(frame, "transfer") : -2;
  if (is(scan, i, WERO_PAYLIB)) {
    return (scan.gaps[i + 1] ?? 0) & GAP_STAR ? -2 : spoken(frame, "transfer");
  }
  if (is(scan, i, PE)) return is(scan, i + 1, SEPA) ? spoken(frame, "debit") : -2;
  // A shop may be called TIP TOP.
  if (is(scan, i, TIP)) {
    return i + 1 < scan.count && !is(scan, i + 1, TOP) ? spoken(frame, "debit") : -2;
  }
  if (is(scan, i, SEPA)) {
    return is(scan, i + 1, INST_TRANSFER)
      ? spoken(frame, "transfer")
      : is(scan, i + 1, DIRECT_DEBIT)
      ? spoken(frame, "debit")
      : -2;
  }
  if (is(scan, i, REFUSED)) return refusedHead(scan, i, frame);
  if (is(scan, i, OPERATION)) return spoken(frame, "debit");
  return -2;
}

/**
 * "REJET PRLV", "AVIS DE PRELEVEMENT", "RETOUR VIR": the movement itself, announced or sent back;
 * "RETOUR CB" is a refund.
 */
function refusedHead(scan: Scan, i: number, frame: Frame): number {
  const at = is(scan, i + 1, PAR_DE) ? i + 2 : i + 1;
  if (is(scan, at, DEBIT)) return spoken(frame, "debit");
  if (is(scan, at, TRANSFER)) return spoken(frame, "transfer");
  if (is(scan, i, RETURNED) && is(scan, at, CARTE_CB)) return card(scan, at + 1, frame, "refund");
  return -2;
}

function otherHead(scan: Scan, i: number, frame: Frame): number {
  if (is(scan, i, OTHER_ALONE)) return spoken(frame, "other");
  const pairs = OTHER_PAIRS[wordAt(scan, i)];
  if (pairs === undefined) return -2;
  if (is(scan, i + 1, pairs)) return spoken(frame, "other");
  const numbered = is(scan, i, NUMBERED);
  return numbered &&
      (i + 1 >= scan.count || (scan.kinds[i + 1] === DIGITS && size(scan, i + 1) >= 3))
    ? spoken(frame, "other")
    : -2;
}

/**
 * One head at `i`: the index after it, -1 when the label is no card row, -2 when there is no head
 * here.
 */
function headAt(scan: Scan, i: number, frame: Frame): number {
  if (scan.kinds[i] === DIGITS) return numericHead(scan, i, frame);
  if (((scan.flags[i] ?? 0) & HEAD) === 0) return -2;
  if (is(scan, i, CARTE_CB)) return cardHead(scan, i, frame);
  if (is(scan, i, PAIEMENT_PAIEMENTS)) return paymentHead(scan, i, frame);
  if (is(scan, i, PURCHASE_HEADS)) return purchaseHead(scan, i, frame);
  if (is(scan, i, PAYWEB) && scan.kinds[i + 1] === DIGITS) {
    frame.remote = true;
    return card(scan, i + 2, frame);
  }
  if (is(scan, i, REFUND_HEADS)) return refundHead(scan, i, frame);
  if (is(scan, i, CASH_HEADS)) return cashHead(scan, i, frame);
  const account = accountHead(scan, i, frame);
  return account === -2 ? otherHead(scan, i, frame) : account;
}

/** "170724 CB****8871 NETTO", "3EME TIERS SUR FACTURE DE 535,59 EUR DU 230424 STATION BP". */
function numericHead(scan: Scan, i: number, frame: Frame): number {
  if (
    isDateRun(scan, i) && size(scan, i) === 6 && is(scan, i + 1, CB) &&
    ((scan.gaps[i + 2] ?? 0) & GAP_STAR) !== 0
  ) {
    frame.kind = "card";
    frame.spoken = true;
    frame.dated = true;
    return skipRefundOrCash(scan, i + 2 + maskTokens(scan, i + 2), frame);
  }
  if (
    is(scan, i + 1, ORDINALS) && scan.gaps[i + 1] === 0 && is(scan, i + 2, TIERS_QUART_PAIEMENT) &&
    is(scan, i + 3, SUR)
  ) {
    const limit = Math.min(scan.count, i + 16);
    for (let at = i + 4; at < limit; at += 1) {
      if (is(scan, at, DU) && isDateRun(scan, at + 1)) return card(scan, at, frame);
    }
  }
  // "000001 VIR EUROPEEN EMIS": the bank's own number before the head.
  if (size(scan, i) >= 6 && is(scan, i + 1, TRANSFER)) return spoken(frame, "transfer");
  if (size(scan, i) >= 6 && is(scan, i + 1, DEBIT)) return spoken(frame, "debit");
  return -2;
}

/**
 * Inside a card head only these decide again: a merchant may be called FRAIS or OPERATION, but not
 * RETRAIT DAB.
 */
function opensAgain(scan: Scan, i: number): boolean {
  return is(scan, i, OPENS_AGAIN);
}

const trial = newFrame();

/**
 * Whether a bank's head begins at `i`: a merchant's text must not begin there, or it would be read
 * again.
 */
export function isHeadAt(scan: Scan, i: number): boolean {
  return (scan.kinds[i] === DIGITS || ((scan.flags[i] ?? 0) & HEAD) !== 0) &&
    headAt(scan, i, trial) !== -2;
}

/** Reads head and tail of the scanned label into `frame`. Linear in the number of tokens. */
export function readFrame(scan: Scan, frame: Frame, hint: AggregatorHint): void {
  frame.kind = "card";
  frame.spoken = false;
  frame.townFirst = false;
  frame.dated = false;
  frame.contactless = false;
  frame.remote = false;
  frame.abroad = false;
  frame.cutAt54 = false;
  frame.from = 0;
  frame.to = scan.count;
  if (scan.hasPipe) afterPipe(scan, frame);
  const piped = frame.from;
  let next = scan.count === 0 ? -2 : headAt(scan, frame.from, frame);
  // "Clean name | CARTE 12/11/23 MERCHANT": the right side only counts when it is a bank's text.
  if (next === -2 && piped > 0) {
    frame.from = 0;
    frame.to = firstPipe(scan);
    next = headAt(scan, 0, frame);
  }
  while (next >= 0 && isCardRow(frame.kind)) {
    frame.from = next;
    if (next >= scan.count || !opensAgain(scan, next)) break;
    const again = headAt(scan, next, frame);
    if (again === -2 || again === next) break;
    next = again;
  }
  if (!frame.spoken && hint !== "unknown") frame.kind = hint;
  if (isCardRow(frame.kind)) readTail(scan, frame);
}

/** Whether a row of this kind may carry a brand. */
export function isCardRow(kind: RowKind): boolean {
  return kind === "card" || kind === "refund";
}

function afterPipe(scan: Scan, frame: Frame): void {
  for (let i = scan.count - 1; i > 0; i -= 1) {
    if (((scan.gaps[i] ?? 0) & GAP_PIPE) !== 0) {
      frame.from = i;
      return;
    }
  }
}

function firstPipe(scan: Scan): number {
  let i = 1;
  while (i < scan.count && ((scan.gaps[i] ?? 0) & GAP_PIPE) === 0) i += 1;
  return i;
}

/** The tail starts at its first mark; everything after it belongs to the bank. */
function readTail(scan: Scan, frame: Frame): void {
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

/**
 * The country and amount that some banks add to purchases without a town: a sign of distant
 * selling.
 */
export function hasForeignTail(scan: Scan, frame: Frame): boolean {
  if (!frame.cutAt54) return false;
  for (let i = frame.to + 1; i + 1 < scan.count; i += 1) {
    if (
      ((scan.flags[i] ?? 0) & COUNTRY) !== 0 && scan.kinds[i + 1] === DIGITS &&
      ((scan.gaps[i] ?? 0) & GAP_SPACE) !== 0
    ) return true;
  }
  return false;
}
