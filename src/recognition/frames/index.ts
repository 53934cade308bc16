// All frames, compiled into one table. A frame whose card details allow it is read in three ways:
// the purchase itself, its refund and a withdrawal behind the same head.

import type { RowKind } from "../ports.ts";
import { ACCOUNT_FRAMES } from "./accounts.ts";
import { CARD_FRAMES } from "./cards.ts";
import { compileHeads } from "./pattern.ts";
import type { HeadTable } from "./pattern.ts";
import type { HeadFrame } from "./types.ts";

/** What reading needs of a frame. */
type ReadFrame = {
  readonly frame: HeadFrame;
  readonly kind: RowKind;
  /** The head holds the purchase's date. */
  readonly dated: boolean;
};

const MASK = "[<mask>]";
const REFUND_MARK = "REMBT|REMB|REMBOURSEMENT|REMBOURST|RBT|RMBT";
const CASH = "RETRAIT|RETRAITS";

/** The heads of one frame by kind and date; longer readings win over shorter ones. */
export function readingsOf(
  frame: HeadFrame,
): { kind: RowKind; dated: boolean; heads: string[] }[] {
  const { heads, kind } = frame;
  if (frame.cardDetails !== true) {
    const dated = heads.some((head) => /<date>|<ddmm|<run>/.test(head));
    return [{ kind, dated, heads: [...heads] }];
  }
  const refund = kind === "card" || kind === "refund" ? "refund" : kind;
  const on = (rest: readonly string[]): string[] =>
    heads.flatMap((head) => rest.map((one) => `${head} ${one}`));
  return [
    {
      kind: "withdrawal",
      dated: true,
      heads: on([
        `${MASK} [[DU|LE] <date>] ${CASH}`,
        `${MASK} [[DU|LE] <date>] RET DAB|GAB`,
        `${MASK} [DU|LE] <date> A <hour>`,
      ]),
    },
    {
      kind: refund,
      dated: true,
      heads: on([
        `${MASK} ${REFUND_MARK} [DU|LE] <date>`,
        `${MASK} [DU|LE] <date> ${REFUND_MARK}`,
      ]),
    },
    { kind: refund, dated: false, heads: on([`${MASK} ${REFUND_MARK}`]) },
    {
      kind,
      dated: true,
      heads: on([
        `${MASK} [DU|LE] <date>`,
        `${MASK} [DU|LE] <run> <country>`,
        "VISA|MASTERCARD <date>",
      ]),
    },
    { kind, dated: false, heads: on([MASK]) },
  ];
}

export const FRAMES: readonly HeadFrame[] = [...ACCOUNT_FRAMES, ...CARD_FRAMES];

const readings = FRAMES.flatMap((frame) =>
  readingsOf(frame).map(({ kind, dated, heads }) => ({ read: { frame, kind, dated }, heads }))
);

export const READINGS: readonly ReadFrame[] = readings.map(({ read }) => read);
export const HEADS: HeadTable = compileHeads(readings.map(({ heads }) => heads));
