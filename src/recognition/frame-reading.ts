// What was read of one label: the head that fits best, and where the merchant field lies.
import type { RowKind } from "./ports.ts";

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
  /** Characters of the merchant's column, 0 when the head says nothing of one. */
  merchantWidth: number;
  /** Town before the merchant: "PAIEMENT CB 1412 PARIS CEDEX 0 SNCF INTERNET". */
  townFirst: boolean;
  /** The head carried the purchase date, so six digits at the end are no date. */
  dated: boolean;
  contactless: boolean;
  remote: boolean;
  abroad: boolean;
  /** The head whose whole label some exports cut at 54 characters. */
  cutAt54: boolean;
  /** The name of the frame that read the head; empty when none did. */
  id: string;
};
