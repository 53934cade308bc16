// The oracle's earning rules: what one purchase earns, from API.md ("Offer version") alone. Big
// integers throughout and no shared helper, so that a rounding or overflow mistake in the real
// rules has nothing here to agree with.
import { addDays, parisToMs } from "../../src/kernel/time.ts";
import type { BankRow, OfferTerms } from "../../src/ledger/ports.ts";

export type Activation = {
  readonly offerId: string;
  readonly activatedAtMs: number;
  readonly expiresAtMs: number | null;
};

/** What the user's other purchases took from an offer's caps, asked of the model's own grants. */
export type Past = {
  readonly points: (offerId: string, inPeriod: (date: string) => boolean) => number;
  readonly purchases: (offerId: string, inPeriod: (date: string) => boolean) => number;
  readonly earlierAtBrand: (brandId: string) => boolean;
  readonly activations: readonly Activation[];
};

export type Expected = {
  readonly points: number;
  readonly terms: OfferTerms | null;
  readonly reason: string | null;
};

/** Monday of the date's week, by counting days from a known Monday (5 January 1970). */
function mondayNo(date: string): number {
  return Math.floor((Date.parse(`${date}T12:00:00Z`) / 86_400_000 - 4) / 7);
}

/** The dates that share a cap's period with `date`. */
export function samePeriod(period: OfferTerms["period"], date: string): (other: string) => boolean {
  if (period === "day") return (other) => other === date;
  if (period === "week") return (other) => mondayNo(other) === mondayNo(date);
  if (period === "month") return (other) => other.slice(0, 7) === date.slice(0, 7);
  return () => true;
}

/** Any moment of the Paris day counts: banks give a date and no hour. */
export function touches(startsAtMs: number, endsAtMs: number | null, date: string): boolean {
  return startsAtMs < parisToMs(addDays(date, 1)) &&
    (endsAtMs === null || (endsAtMs > parisToMs(date) && endsAtMs > startsAtMs));
}

/** Points before any cap. */
export function rawPoints(terms: OfferTerms, cents: number, pointsPerEuro: number): number {
  const percent = (rateBp: number): number =>
    Number((BigInt(cents) * BigInt(rateBp) * BigInt(pointsPerEuro)) / 1_000_000n);
  switch (terms.kind) {
    case "percent":
      return percent(terms.rateBp ?? 0);
    case "tiered":
      return percent((terms.tiers ?? []).findLast((tier) => tier.fromCents <= cents)?.rateBp ?? 0);
    case "fixed":
      return terms.points ?? 0;
    case "points_per_euro":
      return Number((BigInt(cents) * BigInt(terms.points ?? 0)) / 100n);
  }
}

/**
 * Refusals from the one furthest from earning to the nearest: what the purchase is, what the user
 * could have done, what is used up.
 */
const CLOSENESS = [
  "wrong_channel",
  "not_first_purchase",
  "above_maximum",
  "below_minimum",
  "activation_missing",
  "cap_reached",
];

type Granted = {
  readonly points: number; /** In the order of `CLOSENESS`. */
  readonly refusals: readonly string[];
  readonly uncapped: number;
};

function grantOf(terms: OfferTerms, row: BankRow, past: Past, pointsPerEuro: number): Granted {
  const { amountCents: cents, purchasedOn } = row;
  const refusals = new Set<string>();
  if (terms.channel !== "any" && row.channel !== terms.channel) refusals.add("wrong_channel");
  if (terms.minCents !== null && cents < terms.minCents) refusals.add("below_minimum");
  if (terms.maxCents !== null && cents > terms.maxCents) refusals.add("above_maximum");
  // One offer has one first purchase, also when an earlier one comes back.
  const another = past.purchases(terms.offerId, () => true) > 0;
  if (terms.firstPurchaseOnly && (another || past.earlierAtBrand(terms.brandId))) {
    refusals.add("not_first_purchase");
  }
  if (
    terms.activation === "required" &&
    !past.activations.some((each) =>
      each.offerId === terms.offerId && touches(each.activatedAtMs, each.expiresAtMs, purchasedOn)
    )
  ) refusals.add("activation_missing");
  const uncapped = rawPoints(terms, cents, pointsPerEuro);
  // Less than a point: the purchase is too small for this offer.
  if (uncapped === 0) refusals.add("below_minimum");
  const inPeriod = samePeriod(terms.period, purchasedOn);
  let points = Math.min(uncapped, terms.capPointsPerPurchase ?? Infinity);
  if (terms.capPointsPerUser !== null) {
    points = Math.min(
      points,
      Math.max(0, terms.capPointsPerUser - past.points(terms.offerId, inPeriod)),
    );
  }
  if (
    terms.capPurchasesPerUser !== null &&
    past.purchases(terms.offerId, inPeriod) >= terms.capPurchasesPerUser
  ) points = 0;
  if (uncapped > 0 && points === 0) refusals.add("cap_reached");
  return {
    points: refusals.size === 0 ? points : 0,
    refusals: CLOSENESS.filter((each) => refusals.has(each)),
    uncapped,
  };
}

const byRank = (a: OfferTerms, b: OfferTerms): number =>
  a.priority - b.priority || a.offerCreatedAtMs - b.offerCreatedAtMs ||
  (a.offerId < b.offerId ? -1 : 1);

/**
 * Why the version that came closest refused: the fewest refusals, the nearest of them, the most
 * points it would have given.
 */
function closestRefusal(
  refused: readonly { readonly terms: OfferTerms; readonly granted: Granted }[],
): string | null {
  const nearest = (granted: Granted): number => CLOSENESS.indexOf(granted.refusals[0] ?? "");
  const [closest] = [...refused].sort((a, b) =>
    a.granted.refusals.length - b.granted.refusals.length ||
    nearest(b.granted) - nearest(a.granted) || b.granted.uncapped - a.granted.uncapped ||
    byRank(a.terms, b.terms)
  );
  return closest?.granted.refusals[0] ?? null;
}

/**
 * What a live, booked purchase earns: the version that gives most, then the lowest priority number,
 * then the oldest offer.
 */
export function expectedGrant(
  row: BankRow,
  catalogue: readonly OfferTerms[],
  past: Past,
  pointsPerEuro: number,
): Expected {
  const nothing = (reason: string | null): Expected => ({ points: 0, terms: null, reason });
  if (row.currency !== "EUR") return nothing("currency_unsupported");
  if (row.brand === null) return nothing("brand_unknown");
  const ofBrand = catalogue.filter((terms) => terms.brandId === row.brand?.id);
  if (ofBrand.length === 0) return nothing("brand_without_offer");
  const inForce = ofBrand.filter((terms) =>
    touches(terms.startsAtMs, terms.endsAtMs, row.purchasedOn)
  );
  if (inForce.length === 0) return nothing("offer_not_in_force");
  const assessed = inForce.map((terms) => ({
    terms,
    granted: grantOf(terms, row, past, pointsPerEuro),
  }));
  let best = nothing(closestRefusal(assessed));
  for (const { terms, granted: { points } } of assessed) {
    if (points === 0) continue;
    const better = points - best.points || (best.terms?.priority ?? 0) - terms.priority ||
      (best.terms?.offerCreatedAtMs ?? 0) - terms.offerCreatedAtMs ||
      (terms.offerId < (best.terms?.offerId ?? "") ? 1 : -1);
    if (better > 0) best = { points, terms, reason: "offer_applied" };
  }
  return best;
}
