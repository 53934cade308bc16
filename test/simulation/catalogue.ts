// Brands and offers of one simulated world: every kind, cap, window and budget of API.md, with
// versions that replace each other while the world runs. Fixed when the world starts; what changes
// with time is which version is in force.
import type { BrandId, OfferId } from "../../src/kernel/ids.ts";
import { DAY_MS, parisToMs } from "../../src/kernel/time.ts";
import type { OfferTerms } from "../../src/ledger/ports.ts";
import type { Rng } from "./random.ts";

export type Catalogue = {
  readonly brands: readonly BrandId[];
  readonly terms: readonly OfferTerms[];
};

/**
 * What makes a version's grant depend on other purchases or on a moment, and so on the order of
 * arrival.
 */
export function dependsOnPast(terms: OfferTerms): boolean {
  return terms.capPointsPerUser !== null || terms.capPurchasesPerUser !== null ||
    terms.firstPurchaseOnly ||
    terms.activation === "required" || terms.budgetPoints !== null;
}

type Plain = Pick<OfferTerms, "kind" | "rateBp" | "points" | "tiers">;

function makeKind(rng: Rng): Plain {
  const none = { rateBp: null, points: null, tiers: null };
  switch (rng.weighted({ percent: 5, fixed: 2, points_per_euro: 2, tiered: 2 })) {
    case "percent":
      return { ...none, kind: "percent", rateBp: rng.pick([1, 50, 300, 333, 1500, 10_000]) };
    case "fixed":
      return { ...none, kind: "fixed", points: rng.pick([1, 50, 500]) };
    case "points_per_euro":
      return { ...none, kind: "points_per_euro", points: rng.int(1, 12) };
    case "tiered":
      return {
        ...none,
        kind: "tiered",
        tiers: [{ fromCents: 0, rateBp: 100 }, { fromCents: 2000, rateBp: 350 }, {
          fromCents: 10_000,
          rateBp: 777,
        }],
      };
  }
}

function makeVersion(
  rng: Rng,
  about: {
    brandId: BrandId;
    offerId: OfferId;
    version: number;
    startsAtMs: number;
    endsAtMs: number | null;
    createdAtMs: number;
  },
): OfferTerms {
  const simple = rng.chance(0.35);
  const capped = !simple && rng.chance(0.7);
  const activation = !simple && rng.chance(0.2) ? "required" : "automatic";
  return {
    ...makeKind(rng),
    offerId: about.offerId,
    version: about.version,
    brandId: about.brandId,
    minCents: rng.chance(0.2) ? rng.int(1, 2000) : null,
    maxCents: rng.chance(0.1) ? rng.int(5000, 20_000) : null,
    capPointsPerPurchase: rng.chance(0.3) ? rng.int(50, 400) : null,
    capPointsPerUser: capped && rng.chance(0.6) ? rng.int(60, 700) : null,
    capPurchasesPerUser: capped && rng.chance(0.6) ? rng.int(1, 2) : null,
    period: rng.pick(["day", "week", "month", "offer"]),
    firstPurchaseOnly: !simple && rng.chance(0.25),
    activation,
    activationDays: activation === "required" && rng.chance(0.6) ? rng.int(1, 20) : null,
    channel: rng.chance(0.15) ? rng.pick(["in_store", "online"]) : "any",
    startsAtMs: about.startsAtMs,
    endsAtMs: about.endsAtMs,
    confirmationDays: rng.pick([0, 1, 14, 30]),
    budgetPoints: !simple && rng.chance(0.25) ? rng.int(100, 2500) : null,
    priority: rng.int(1, 3),
    offerCreatedAtMs: about.createdAtMs,
  };
}

/** A catalogue whose versions change around the days that the world will live through. */
export function makeCatalogue(rng: Rng, startMs: number): Catalogue {
  const brands: BrandId[] = [];
  const terms: OfferTerms[] = [];
  for (let brandNo = 0; brandNo < rng.int(2, 4); brandNo++) {
    const brandId = `brd_${brandNo}` as BrandId;
    brands.push(brandId);
    for (let offerNo = 0; offerNo < rng.pick([0, 1, 1, 2, 3]); offerNo++) {
      const offerId = `off_${brandNo}_${offerNo}` as OfferId;
      const versions = rng.int(1, 3);
      const bounds = Array.from(
        { length: versions },
        () => startMs + rng.int(-90, 200) * DAY_MS + rng.pick([0, 0, 9 * 3_600_000]),
      ).sort((a, b) => a - b);
      bounds[0] = Math.min(bounds[0] ?? startMs, startMs - rng.int(0, 200) * DAY_MS);
      // The first offer of a world's first brand always runs, so that no world is without a point.
      const openEnd = rng.chance(0.7) || terms.length === 0 ? null : parisToMs("2027-01-01");
      for (const [index, startsAtMs] of bounds.entries()) {
        const endsAtMs = bounds[index + 1] ?? openEnd;
        if (endsAtMs !== null && endsAtMs <= startsAtMs) continue;
        terms.push(
          makeVersion(rng, {
            brandId,
            offerId,
            version: index + 1,
            startsAtMs,
            endsAtMs,
            createdAtMs: startMs - rng.int(200, 400) * DAY_MS,
          }),
        );
      }
    }
  }
  return { brands, terms };
}
