// What the oracle remembers of a decision, and how it tells one from another.
import type { BankRow, OfferTerms, PurchaseView } from "../../src/ledger/ports.ts";

/** A decision that stands: what a live row was granted, on which facts. */
export type Grant = {
  readonly facts: string;
  points: number;
  readonly terms: OfferTerms | null;
  readonly on: string;
  state: "earned" | "not_earned" | "waiting";
  active: number;
  reversed: boolean;
  readonly lotKey: string; /** Offers whose budget was used up for this purchase. */
  readonly denied: ReadonlySet<string>; /** Why nothing, where the design says it. */
  readonly reason: string | null; /** Order of first decisions at that brand. */
  readonly rank: number;
  readonly brandId: string | null;
};

export const versionOf = (terms: OfferTerms): string => `${terms.offerId} ${terms.version}`;
export const factsOf = (row: BankRow): string =>
  JSON.stringify([
    row.amountCents,
    row.currency,
    row.purchasedOn,
    row.brand?.id ?? null,
    row.channel,
  ]);

/** The ledger shows that more was granted; less would be found out by the points that it shows. */
export function isGain(grant: Grant, { verdict }: PurchaseView): boolean {
  return verdict.outcome !== "not_earned" && (verdict.calculation?.capped ?? 0) > grant.points;
}
