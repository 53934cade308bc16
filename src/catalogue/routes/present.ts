// The catalogue in API.md's words: snake_case, instants as RFC 3339, points and cents as they are.
// Pure.
import { toInstant } from "../../kernel/time.ts";
import type { OfferTerms } from "../../ledger/ports.ts";
import type {
  AliasChange,
  BrandRecord,
  CorrectionRecord,
  OfferEntry,
  OfferRecord,
  VersionRecord,
} from "../catalogue.ts";
import type { NormalisedVersion } from "../terms/version-input.ts";

/** A brand as everybody sees it. */
export function publicBrand(brand: BrandRecord) {
  return {
    id: brand.id,
    name: brand.name,
    category: brand.category,
    logo_url: brand.logoUrl,
    website: brand.website,
  };
}

export function presentAliasChange(change: AliasChange) {
  return {
    id: change.id,
    name: change.name,
    aliases: [...change.aliases],
    excluded: [...change.excluded],
    created_by: change.createdBy,
    created_at: toInstant(change.createdAtMs),
  };
}

/** A brand as operators see it. */
export function presentBrand(brand: BrandRecord, waiting: AliasChange | null) {
  return {
    ...publicBrand(brand),
    aliases: [...brand.aliases],
    excluded: [...brand.excluded],
    wikidata: brand.wikidata,
    waiting_change: waiting === null ? null : presentAliasChange(waiting),
    created_at: toInstant(brand.createdAtMs),
    updated_at: toInstant(brand.updatedAtMs),
  };
}

function presentTerms(terms: NormalisedVersion) {
  return {
    kind: terms.kind,
    rate_bp: terms.rateBp,
    points: terms.points,
    tiers: terms.tiers?.map((tier) => ({ from_cents: tier.fromCents, rate_bp: tier.rateBp })) ??
      null,
    min_cents: terms.minCents,
    max_cents: terms.maxCents,
    cap_points_per_purchase: terms.capPointsPerPurchase,
    cap_points_per_user: terms.capPointsPerUser,
    cap_purchases_per_user: terms.capPurchasesPerUser,
    period: terms.period,
    first_purchase_only: terms.firstPurchaseOnly,
    activation: terms.activation,
    activation_days: terms.activationDays,
    channel: terms.channel,
    starts_at: toInstant(terms.startsAtMs),
    ends_at: terms.endsAtMs === null ? null : toInstant(terms.endsAtMs),
    confirmation_days: terms.confirmationDays,
  };
}

/**
 * Terms in force as everybody sees them, with the window that really applies. Budget and priority
 * are the operator's own.
 */
export function publicTerms(terms: OfferTerms) {
  return { number: terms.version, ...presentTerms(terms) };
}

/**
 * A version as operators see it: the window that was asked for, and in `in_force` the one that
 * applies, if any.
 */
export function presentVersion(version: VersionRecord, inForce: OfferTerms | null) {
  return {
    number: version.number,
    ...presentTerms(version.terms),
    budget_points: version.terms.budgetPoints,
    priority: version.terms.priority,
    state: version.state,
    second_person: version.secondPerson,
    created_by: version.createdBy,
    created_at: toInstant(version.createdAtMs),
    approved_by: version.approvedBy,
    approved_at: version.approvedAtMs === null ? null : toInstant(version.approvedAtMs),
    in_force: inForce === null ? null : {
      from: toInstant(inForce.startsAtMs),
      to: inForce.endsAtMs === null ? null : toInstant(inForce.endsAtMs),
    },
  };
}

/** An offer with one of its versions, as operators see it. */
export function presentOffer(
  offer: OfferRecord,
  version: VersionRecord,
  terms: readonly OfferTerms[],
) {
  return {
    id: offer.id,
    brand_id: offer.brandId,
    title: { fr: offer.titleFr, en: offer.titleEn },
    created_by: offer.createdBy,
    created_at: toInstant(offer.createdAtMs),
    version: presentVersion(version, terms.find((item) => item.version === version.number) ?? null),
  };
}

/** An offer with all its versions; `version` is the newest. */
export function presentOfferEntry(offer: OfferEntry) {
  const newest = offer.versions.at(-1);
  if (newest === undefined) throw new Error("offer without a version");
  return {
    ...presentOffer(offer, newest, offer.terms),
    versions: offer.versions.map((version) =>
      presentVersion(version, offer.terms.find((item) => item.version === version.number) ?? null)
    ),
  };
}

export function presentCorrection(correction: CorrectionRecord) {
  return {
    merchant: correction.merchant,
    brand_id: correction.brandId,
    created_by: correction.createdBy,
    created_at: toInstant(correction.createdAtMs),
    updated_at: toInstant(correction.updatedAtMs),
  };
}
