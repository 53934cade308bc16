// The whole catalogue of one version in memory: brands, offers with all their versions, what waits
// for approval. Pure data and look-ups; at ten thousand brands it is a few megabytes, and every
// decision about the catalogue is made from it.
import type { BrandId, Id, OfferId } from "../kernel/ids.ts";
import type { OfferTerms } from "../ledger/ports.ts";
import { effectiveTerms } from "./terms/effective-terms.ts";
import type { NormalisedVersion } from "./terms/version-input.ts";

export type BrandRecord = {
  readonly id: BrandId;
  readonly name: string;
  readonly nameKey: string;
  readonly category: string;
  readonly aliases: readonly string[];
  readonly excluded: readonly string[];
  readonly website: string | null;
  readonly logoUrl: string | null;
  readonly wikidata: string | null;
  /**
   * Since when it gets no offers and is not listed; still recognised, for purchases that come late.
   */
  readonly archivedAtMs: number | null;
  readonly requestKey: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};

/** A change of name or aliases that waits, or waited, for a second person. */
export type AliasChange = {
  readonly id: Id<"chg">;
  readonly brandId: BrandId;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly excluded: readonly string[];
  readonly createdBy: string;
  readonly createdAtMs: number;
  /** Null while it waits. */
  readonly approvedBy: string | null;
};

export type VersionRecord = {
  readonly offerId: OfferId;
  readonly number: number;
  readonly terms: NormalisedVersion;
  readonly secondPerson: boolean;
  readonly state: "approved" | "waiting";
  readonly requestKey: string | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly approvedBy: string | null;
  readonly approvedAtMs: number | null;
};

export type OfferRecord = {
  readonly id: OfferId;
  readonly brandId: BrandId;
  readonly titleFr: string;
  readonly titleEn: string;
  readonly descriptionFr: string | null;
  readonly descriptionEn: string | null;
  readonly imageUrl: string | null;
  readonly requestKey: string | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  /** When its words last changed; null if they never did. */
  readonly updatedAtMs: number | null;
};

/** An end of an offer that was not planned. */
export type StopRecord = {
  readonly offerId: OfferId;
  readonly kind: "end_of_day" | "immediate";
  readonly state: "waiting" | "in_force";
  readonly reason: string | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly approvedBy: string | null;
  /** Null while it waits. */
  readonly stopsAtMs: number | null;
};

/** What an operator said about a merchant text (the recogniser's cleaned text, never a label). */
export type CorrectionRecord = {
  readonly merchant: string;
  readonly brandId: BrandId | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};

/** A correction to a brand that an offer pays for: it waits, or waited, for a second person. */
export type CorrectionChange = {
  readonly id: Id<"chg">;
  readonly merchant: string;
  readonly brandId: BrandId;
  readonly createdBy: string;
  readonly createdAtMs: number;
  /** Null while it waits. */
  readonly approvedBy: string | null;
};

/**
 * An offer with its versions by ascending number and the windows in which they are really in force.
 */
export type OfferEntry = OfferRecord & {
  readonly versions: readonly VersionRecord[];
  readonly stops: readonly StopRecord[];
  readonly terms: readonly OfferTerms[];
};

export type Catalogue = {
  readonly version: number;
  readonly paused: boolean;
  readonly brandsVersion: number;
  /** By id, ascending. */
  readonly brands: ReadonlyMap<BrandId, BrandRecord>;
  readonly brandsByName: ReadonlyMap<string, BrandRecord>;
  /** By id, ascending. */
  readonly offers: ReadonlyMap<OfferId, OfferEntry>;
  readonly offersByBrand: ReadonlyMap<BrandId, readonly OfferEntry[]>;
  readonly waiting: ReadonlyMap<BrandId, AliasChange>;
  /** By id: waiting and approved ones. */
  readonly aliasChanges: ReadonlyMap<string, AliasChange>;
  readonly corrections: ReadonlyMap<string, CorrectionRecord>;
  /** By merchant text. */
  readonly waitingCorrections: ReadonlyMap<string, CorrectionChange>;
  /** By id: waiting and approved ones. */
  readonly correctionChanges: ReadonlyMap<string, CorrectionChange>;
};

/**
 * The rows of one version as the store reads them. `brands` and `corrections` are null when the
 * reader has them already.
 */
export type CatalogueRows = {
  readonly version: number;
  /** Offers are halted. */
  readonly paused: boolean;
  readonly brandsVersion: number;
  readonly brands: readonly BrandRecord[] | null;
  readonly corrections: readonly CorrectionRecord[] | null;
  readonly offers: readonly OfferRecord[];
  readonly versions: readonly VersionRecord[];
  readonly stops: readonly StopRecord[];
  readonly aliasChanges: readonly AliasChange[];
  readonly correctionChanges: readonly CorrectionChange[];
};

function byId<T extends { readonly id: string }>(a: T, b: T): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function grouped<K, T>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/**
 * Arranges the rows of one version. Takes brands and corrections from `previous` when they were not
 * read again.
 */
export function arrangeCatalogue(rows: CatalogueRows, previous: Catalogue | null): Catalogue {
  const fresh = rows.brands === null ? null : [...rows.brands].sort(byId);
  const brands = fresh === null
    ? previous?.brands
    : new Map(fresh.map((brand) => [brand.id, brand]));
  const brandsByName = fresh === null
    ? previous?.brandsByName
    : new Map(fresh.map((brand) => [brand.nameKey, brand]));
  const corrections = rows.corrections === null
    ? previous?.corrections
    : new Map(rows.corrections.map((item) => [item.merchant, item]));
  if (brands === undefined || brandsByName === undefined || corrections === undefined) {
    throw new Error("catalogue rows without brands");
  }
  const versions = grouped(rows.versions, (version) => version.offerId);
  const stopsOf = grouped(rows.stops, (stop) => stop.offerId);
  const offers = [...rows.offers].sort(byId).map((offer): OfferEntry => {
    const own = (versions.get(offer.id) ?? []).sort((a, b) => a.number - b.number);
    const stored = own.map((item) => ({
      ...item.terms,
      number: item.number,
      approvedAtMs: item.approvedAtMs,
    }));
    const stops = stopsOf.get(offer.id) ?? [];
    return { ...offer, versions: own, stops, terms: effectiveTerms(offer, stored, stops) };
  });
  return {
    version: rows.version,
    paused: rows.paused,
    brandsVersion: rows.brandsVersion,
    brands,
    brandsByName,
    corrections,
    offers: new Map(offers.map((offer) => [offer.id, offer])),
    offersByBrand: grouped(offers, (offer) => offer.brandId),
    waiting: new Map(
      rows.aliasChanges.filter((change) => change.approvedBy === null).map((
        change,
      ) => [change.brandId, change]),
    ),
    aliasChanges: new Map(rows.aliasChanges.map((change) => [change.id, change])),
    waitingCorrections: new Map(
      rows.correctionChanges.filter((change) => change.approvedBy === null).map((
        change,
      ) => [change.merchant, change]),
    ),
    correctionChanges: new Map(rows.correctionChanges.map((change) => [change.id, change])),
  };
}

/** When terms end for a purchase that is made then: their end, or the stop before it. */
export function runsUntilMs({ endsAtMs, stoppedAtMs }: OfferTerms): number {
  return Math.min(endsAtMs ?? Infinity, stoppedAtMs ?? Infinity);
}

/** The terms of an offer that are in force at that instant, or null. */
export function inForce(offer: OfferEntry, nowMs: number): OfferTerms | null {
  return offer.terms.find((terms) => terms.startsAtMs <= nowMs && nowMs < runsUntilMs(terms)) ??
    null;
}

/**
 * True when money hangs on how the brand is recognised: an approved version is in force or will be.
 * Counting those to come closes the way round, which is to change the aliases the day before the
 * offer starts.
 */
export function hasCurrentOrFutureOffer(
  catalogue: Catalogue,
  brandId: BrandId,
  nowMs: number,
): boolean {
  return (catalogue.offersByBrand.get(brandId) ?? []).some((offer) =>
    offer.terms.some((terms) => nowMs < runsUntilMs(terms))
  );
}

/**
 * A name as people see it: without case, accents, and doubled blanks. Two brands may not share one.
 */
export function nameKey(name: string): string {
  return name.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase().replace(/\s+/gu, " ").trim();
}
