// Reads the bank's part of a label: its head (verb, date, card mask) decides the kind, its tail
// (date, mask, amount, country) is cut off, and what is left is the merchant field. Knows shapes,
// never brands: the shapes are the data of frames/, and an aggregator does not always say which
// bank it is.

import { OPENS_AGAIN } from "./frame-words.ts";
import { HEADS, READINGS } from "./frames/index.ts";
import { matchHead } from "./frames/pattern.ts";
import type { HeadMatch } from "./frames/pattern.ts";
import type { Frame } from "./frame-reading.ts";
import { COUNTRY } from "./data/lexicon.ts";
import type { AggregatorHint, RowKind } from "./ports.ts";
import { DIGITS, GAP_PIPE, GAP_SPACE } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { is } from "./shapes.ts";
import { readTail } from "./tail.ts";

export function newFrame(): Frame {
  return {
    kind: "card",
    spoken: false,
    from: 0,
    to: 0,
    merchantWidth: 0,
    townFirst: false,
    dated: false,
    contactless: false,
    remote: false,
    abroad: false,
    cutAt54: false,
    id: "",
  };
}

const head: HeadMatch = { frame: -1, end: 0 };

/** The bank's head at `i`: the index after it, -1 when the label is no card row, -2 for none. */
function headAt(scan: Scan, i: number, frame: Frame): number {
  matchHead(scan, HEADS, i, head);
  const reading = READINGS[head.frame];
  if (reading === undefined) return -2;
  const { frame: found, kind, dated } = reading;
  frame.id = found.id;
  frame.kind = kind;
  frame.spoken = true;
  if (!isCardRow(kind)) return -1;
  if (dated) frame.dated = true;
  frame.merchantWidth = found.columns?.merchant ?? 0;
  frame.townFirst = found.columns?.townFirst !== undefined &&
    (dated ? head.end < scan.count : true);
  if (found.contactless === true) frame.contactless = true;
  if (found.remote === true) frame.remote = true;
  if (found.cutAt54 === true) frame.cutAt54 = true;
  return head.end;
}

/**
 * Whether a bank's head begins at `i`: a merchant's text must not begin there, or it would be read
 * again.
 */
export function isHeadAt(scan: Scan, i: number): boolean {
  matchHead(scan, HEADS, i, head);
  return head.frame >= 0;
}

/** Reads head and tail of the scanned label into `frame`. Linear in the number of tokens. */
export function readFrame(scan: Scan, frame: Frame, hint: AggregatorHint): void {
  frame.kind = "card";
  frame.spoken = false;
  frame.merchantWidth = 0;
  frame.townFirst = false;
  frame.dated = false;
  frame.contactless = false;
  frame.remote = false;
  frame.abroad = false;
  frame.cutAt54 = false;
  frame.id = "";
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
    if (next >= scan.count || !is(scan, next, OPENS_AGAIN)) break;
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
