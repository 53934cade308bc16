// The catalogue in API.md's words: snake_case, instants as RFC 3339, points and cents as they are.
// Pure.
import { toInstant } from "../../kernel/time.ts";
import type { OfferTerms } from "../../ledger/ports.ts";
import { inForce, runsUntilMs } from "../catalogue.ts";
import type {
  AliasChange,
  BrandRecord,
  CorrectionChange,
  CorrectionRecord,
  OfferEntry,
  OfferRecord,
  StopRecord,
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

function presentAliasChange(change: AliasChange) {
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
    archived_at: brand.archivedAtMs === null ? null : toInstant(brand.archivedAtMs),
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
function presentVersion(version: VersionRecord, inForce: OfferTerms | null) {
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

/** What is said of an offer, in both languages. */
function presentWords({ titleFr, titleEn, descriptionFr, descriptionEn, imageUrl }: OfferRecord) {
  return {
    title: { fr: titleFr, en: titleEn },
    description: descriptionFr === null || descriptionEn === null
      ? null
      : { fr: descriptionFr, en: descriptionEn },
    image_url: imageUrl,
  };
}

function presentStop(stop: StopRecord) {
  return {
    kind: stop.kind,
    state: stop.state,
    reason: stop.reason,
    created_by: stop.createdBy,
    created_at: toInstant(stop.createdAtMs),
    approved_by: stop.approvedBy,
    stops_at: stop.stopsAtMs === null ? null : toInstant(stop.stopsAtMs),
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
    ...presentWords(offer),
    created_by: offer.createdBy,
    created_at: toInstant(offer.createdAtMs),
    version: presentVersion(version, terms.find((item) => item.version === version.number) ?? null),
  };
}

/** How much of a budget is reserved. */
function presentBudget(budgetPoints: number, reservedPoints: number) {
  return {
    points: budgetPoints,
    reserved: reservedPoints,
    left: Math.max(0, budgetPoints - reservedPoints),
    percent: Math.floor(reservedPoints * 100 / budgetPoints),
  };
}

/**
 * An offer with all its versions; `version` is the newest. Beside it the one in force now and the
 * next one to be, which may be neither.
 */
export function presentOfferEntry(
  offer: OfferEntry,
  { nowMs, reservedPoints }: { readonly nowMs: number; readonly reservedPoints: number },
) {
  const newest = offer.versions.at(-1);
  if (newest === undefined) throw new Error("offer without a version");
  const shown = (version: VersionRecord) =>
    presentVersion(version, offer.terms.find((item) => item.version === version.number) ?? null);
  const numbered = (terms: OfferTerms | null | undefined) =>
    offer.versions.find((version) => version.number === terms?.version);
  const now = inForce(offer, nowMs);
  const [current, next] = [
    numbered(now),
    numbered(
      offer.terms.find((terms) =>
        terms.startsAtMs > nowMs && terms.startsAtMs < runsUntilMs(terms)
      ),
    ),
  ];
  const budgetPoints = now?.budgetPoints ?? null;
  return {
    ...presentOffer(offer, newest, offer.terms),
    version_in_force: current === undefined ? null : shown(current),
    next_version: next === undefined ? null : shown(next),
    budget: budgetPoints === null ? null : presentBudget(budgetPoints, reservedPoints),
    stops: offer.stops.map(presentStop),
    versions: offer.versions.map(shown),
  };
}

export function presentCorrection(correction: CorrectionRecord) {
  return {
    id: null,
    state: "in_force" as const,
    merchant: correction.merchant,
    brand_id: correction.brandId,
    created_by: correction.createdBy,
    created_at: toInstant(correction.createdAtMs),
    updated_at: toInstant(correction.updatedAtMs),
  };
}

/** A correction that a second person must approve before it holds. */
export function presentWaitingCorrection(change: CorrectionChange) {
  return {
    id: change.id,
    state: "waiting" as const,
    merchant: change.merchant,
    brand_id: change.brandId,
    created_by: change.createdBy,
    created_at: toInstant(change.createdAtMs),
    updated_at: toInstant(change.createdAtMs),
  };
}
