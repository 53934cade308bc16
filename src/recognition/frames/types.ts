// A frame: how a bank writes one kind of row around the merchant's own text.

import type { RowKind } from "../ports.ts";

/**
 * How sure the frame is: read on real labels, from public parsers' patterns, one label, reasoned.
 */
type Certainty = "data" | "parser" | "one" | "reasoned";

export type HeadFrame = {
  /** Stable name, shown by `explain`. */
  readonly id: string;
  readonly kind: RowKind;
  /** Patterns of pattern.ts; the one that reads the most tokens of a label decides. */
  readonly heads: readonly string[];
  /** A card's mask and date may follow, and words that make it a refund or a withdrawal. */
  readonly cardDetails?: true;
  /** The merchant field: where acquirer or bank cut it, and whether a town column comes first. */
  readonly columns?: { readonly merchant?: number; readonly townFirst?: number };
  readonly contactless?: true;
  /** Bought at a distance. */
  readonly remote?: true;
  /** Old exports cut the whole label at 54 characters. */
  readonly cutAt54?: true;
  /** Earlier frames that read some of the same heads otherwise, and win there. */
  readonly yieldsTo?: readonly string[];
  readonly source: string;
  readonly certainty: Certainty;
  /** An invented label in this shape, and the merchant that must be read from it ("" for none). */
  readonly example: string;
  readonly merchant: string;
};
