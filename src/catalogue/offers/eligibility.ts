// Whether an offer would reward its reader's next purchase. Pure: it is given what the user has
// used and what the budget has reserved. What only the purchase itself shows (amount, channel) is
// not judged.
import type { OfferTerms, ReasonCode } from "../../ledger/ports.ts";

/** What a user has used of an offer in the present period. */
export type Use = {
  readonly points: number;
  readonly purchases: number;
  /** The first day on which the caps start again; null when they never do. */
  readonly resetsOn: string | null;
  /** A booked purchase at the brand is recorded. */
  readonly bought: boolean;
};

type Situation = {
  readonly inForce: boolean;
  readonly activated: boolean;
  readonly use: Use;
  readonly reservedPoints: number;
};

type Hindrance = Extract<
  ReasonCode,
  | "offer_not_in_force"
  | "not_first_purchase"
  | "activation_missing"
  | "cap_reached"
  | "budget_exhausted"
>;

/** True when the budget has no room for the smallest reward that the terms can give. */
export function isBudgetSpent(
  { kind, points, budgetPoints }: Pick<OfferTerms, "kind" | "points" | "budgetPoints">,
  reservedPoints: number,
): boolean {
  const leastGrant = kind === "fixed" ? points ?? 1 : 1;
  return budgetPoints !== null && budgetPoints - reservedPoints < leastGrant;
}

/** Everything that keeps the next purchase from earning, the deciding one first. */
export function hindrances(
  terms: OfferTerms,
  { inForce, activated, use, reservedPoints }: Situation,
): readonly Hindrance[] {
  const { capPointsPerUser, capPurchasesPerUser } = terms;
  const capped = (capPointsPerUser !== null && use.points >= capPointsPerUser) ||
    (capPurchasesPerUser !== null && use.purchases >= capPurchasesPerUser);
  return [
    ...(inForce ? [] : ["offer_not_in_force" as const]),
    ...(terms.firstPurchaseOnly && use.bought ? ["not_first_purchase" as const] : []),
    ...(isBudgetSpent(terms, reservedPoints) ? ["budget_exhausted" as const] : []),
    ...(capped ? ["cap_reached" as const] : []),
    ...(terms.activation === "required" && !activated ? ["activation_missing" as const] : []),
  ];
}
