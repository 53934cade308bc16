// What the oracle remembers of a decision, and what it predicts from it.
import type { BankRow, OfferTerms, Programme, PurchaseView } from "../../src/ledger/ports.ts";
import type { Expected } from "./model-earning.ts";
import { rawPoints } from "./model-earning.ts";
import { keyOf } from "./model-rows.ts";

/** A decision in force: what a live row was granted, on which facts. */
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

export type Prediction = {
  readonly outcomes: readonly PurchaseView["verdict"]["outcome"][];
  readonly points: number;
  readonly firstReason: string | null;
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

/** The day of purchase, or that of the debit which the bank has announced. */
export const lastDayOf = ({ purchasedOn, announcedOn }: BankRow): string =>
  announcedOn !== undefined && announcedOn !== null && announcedOn > purchasedOn
    ? announcedOn
    : purchasedOn;

/**
 * The ledger's own decision where several are right; it must still be within what some offer
 * could give.
 */
export function believed(
  row: BankRow,
  seen: PurchaseView,
  catalogue: readonly OfferTerms[],
  programme: Programme,
): Expected {
  const { verdict } = seen;
  const terms =
    catalogue.find((each) =>
      each.offerId === verdict.offer?.id && each.version === verdict.offer.version
    ) ?? null;
  const points = verdict.outcome === "not_earned" ? 0 : verdict.calculation?.capped ?? 0;
  if (points === 0 || terms === null) return { points: 0, terms: null, reason: null };
  const most = Math.min(
    rawPoints(terms, row.amountCents, programme.pointsPerEuro),
    terms.capPointsPerPurchase ?? Infinity,
    terms.capPointsPerUser ?? Infinity,
  );
  if (points > most || terms.brandId !== row.brand?.id) {
    throw new Error(`${keyOf(row)} was granted ${points}, its offer gives at most ${most}`);
  }
  return { points, terms, reason: null };
}

/** The ledger shows that more was granted; less would be found out by the points that it shows. */
export function isGain(grant: Grant, { verdict }: PurchaseView): boolean {
  return verdict.outcome !== "not_earned" && (verdict.calculation?.capped ?? 0) > grant.points;
}
