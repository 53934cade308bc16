// The oracle's earning rules: what one purchase earns, from API.md ("Offer version") alone. Big integers throughout and no
// shared helper, so that a rounding or overflow mistake in the real rules has nothing here to agree with.
import { addDays, parisToMs } from "../../src/kernel/time.ts";
import type { BankRow, OfferTerms } from "../../src/ledger/ports.ts";

export type Activation = { readonly offerId: string; readonly activatedAtMs: number; readonly expiresAtMs: number | null };

/** What the user's other purchases took from an offer's caps, asked of the model's own grants. */
export type Past = {
  readonly points: (offerId: string, inPeriod: (date: string) => boolean) => number;
  readonly purchases: (offerId: string, inPeriod: (date: string) => boolean) => number;
  readonly earlierAtBrand: (brandId: string) => boolean;
  readonly activations: readonly Activation[];
};

export type Expected = { readonly points: number; readonly terms: OfferTerms | null; readonly reason: string | null };

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
  return startsAtMs < parisToMs(addDays(date, 1)) && (endsAtMs === null || (endsAtMs > parisToMs(date) && endsAtMs > startsAtMs));
}

/** Points before any cap. */
export function rawPoints(terms: OfferTerms, cents: number, pointsPerEuro: number): number {
  const percent = (rateBp: number): number => Number((BigInt(cents) * BigInt(rateBp) * BigInt(pointsPerEuro)) / 1_000_000n);
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

function grantOf(terms: OfferTerms, row: BankRow, past: Past, pointsPerEuro: number): number {
  const { amountCents: cents, purchasedOn } = row;
  if (terms.channel !== "any" && row.channel !== terms.channel) return 0;
  if ((terms.minCents !== null && cents < terms.minCents) || (terms.maxCents !== null && cents > terms.maxCents)) return 0;
  if (terms.firstPurchaseOnly && past.earlierAtBrand(terms.brandId)) return 0;
  if (terms.activation === "required"
    && !past.activations.some((each) => each.offerId === terms.offerId && touches(each.activatedAtMs, each.expiresAtMs, purchasedOn))) return 0;
  const inPeriod = samePeriod(terms.period, purchasedOn);
  if (terms.capPurchasesPerUser !== null && past.purchases(terms.offerId, inPeriod) >= terms.capPurchasesPerUser) return 0;
  let points = Math.min(rawPoints(terms, cents, pointsPerEuro), terms.capPointsPerPurchase ?? Infinity);
  if (terms.capPointsPerUser !== null) points = Math.min(points, Math.max(0, terms.capPointsPerUser - past.points(terms.offerId, inPeriod)));
  return points;
}

/** What a live, booked purchase earns: the version that gives most, then the lowest priority number, then the oldest offer. */
export function expectedGrant(row: BankRow, catalogue: readonly OfferTerms[], past: Past, pointsPerEuro: number): Expected {
  const nothing = (reason: string | null): Expected => ({ points: 0, terms: null, reason });
  if (row.currency !== "EUR") return nothing("currency_unsupported");
  if (row.brand === null) return nothing("brand_unknown");
  const ofBrand = catalogue.filter((terms) => terms.brandId === row.brand?.id);
  if (ofBrand.length === 0) return nothing("brand_without_offer");
  const inForce = ofBrand.filter((terms) => touches(terms.startsAtMs, terms.endsAtMs, row.purchasedOn));
  if (inForce.length === 0) return nothing("offer_not_in_force");
  let best = nothing(null);
  for (const terms of inForce) {
    const points = grantOf(terms, row, past, pointsPerEuro);
    if (points === 0) continue;
    const better = points - best.points || (best.terms?.priority ?? 0) - terms.priority || (best.terms?.offerCreatedAtMs ?? 0) - terms.offerCreatedAtMs
      || (terms.offerId < (best.terms?.offerId ?? "") ? 1 : -1);
    if (better > 0) best = { points, terms, reason: "offer_applied" };
  }
  return best;
}
