// Rules of offers: an offer is a brand, a title and immutable versions of its terms. What the terms
// must be is offer-version.ts.
import { z } from "zod";
import type { BrandId, OfferId } from "../../kernel/ids.ts";
import { canonicalJson } from "../../kernel/hash.ts";
import { isId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { nameKey } from "../catalogue.ts";
import type { Catalogue, OfferEntry, OfferRecord, VersionRecord } from "../catalogue.ts";
import type { Act, Decision, ImportLine } from "../decision.ts";
import { duplicateOffer, fieldError, lineError } from "../errors.ts";
import type { CatalogueFieldError } from "../errors.ts";
import { inLineOrder } from "../import/import-file.ts";
import type { CheckedFile, CheckedLine } from "../import/import-file.ts";
import { checkOfferVersion } from "../terms/check-version.ts";
import { needsSecondPerson } from "../terms/second-person.ts";
import { offerVersionDetail } from "../terms/version-problems.ts";
import type { NormalisedVersion, OfferVersionInput } from "../terms/version-input.ts";

const whole = z.number().int();
const title = z.string().trim().min(1).max(120).regex(/^[^\p{Cc}]*$/u);

/**
 * Terms as API.md takes them: names and JSON types. Whether they make sense is
 * `checkOfferVersion`'s.
 */
export const versionInput = z.strictObject({
  kind: z.enum(["percent", "fixed", "points_per_euro", "tiered"]),
  rate_bp: whole.nullable().optional(),
  points: whole.nullable().optional(),
  tiers: z.array(z.strictObject({ from_cents: whole, rate_bp: whole })).max(100).nullable()
    .optional(),
  min_cents: whole.nullable().optional(),
  max_cents: whole.nullable().optional(),
  cap_points_per_purchase: whole.nullable().optional(),
  cap_points_per_user: whole.nullable().optional(),
  cap_purchases_per_user: whole.nullable().optional(),
  period: z.enum(["day", "week", "month", "offer"]).nullable().optional(),
  first_purchase_only: z.boolean().nullable().optional(),
  activation: z.enum(["automatic", "required"]),
  activation_days: whole.nullable().optional(),
  channel: z.enum(["any", "in_store", "online"]),
  starts_at: z.string().max(40),
  ends_at: z.string().max(40).nullable().optional(),
  confirmation_days: whole,
  budget_points: whole.nullable().optional(),
  priority: whole,
});

export const titleInput = z.strictObject({ fr: title, en: title });

export const offerInput = z.strictObject({
  brand_id: z.string().max(60),
  title: titleInput,
  version: versionInput,
});

/** An offer in a file names its brand by id or by name. */
export const offerImportItem = z.strictObject({
  brand_id: z.string().max(60).optional(),
  brand: z.string().max(80).optional(),
  title: titleInput,
  version: versionInput,
});

type OfferInput = z.output<typeof offerInput>;
type OfferImportItem = z.output<typeof offerImportItem>;

/** Who acts, and the programme's rate that decides how much an offer gives. */
type OfferAct = Act & { readonly pointsPerEuro: number };

function checked(
  input: OfferVersionInput,
  pointer: string,
  act: OfferAct,
): Result<NormalisedVersion, readonly CatalogueFieldError[]> {
  const terms = checkOfferVersion(input, { pointsPerEuro: act.pointsPerEuro });
  if (terms.ok) return terms;
  return err(terms.error.map((item) => ({
    pointer: `${pointer}${item.pointer}`,
    code: item.code,
    detail: {
      fr: offerVersionDetail(item.detail_key, "fr"),
      en: offerVersionDetail(item.detail_key, "en"),
    },
  })));
}

function newVersion(
  offerId: OfferId,
  number: number,
  terms: NormalisedVersion,
  act: OfferAct,
  requestKey: string | null,
): VersionRecord {
  const secondPerson = needsSecondPerson(terms, { pointsPerEuro: act.pointsPerEuro });
  return {
    offerId,
    number,
    terms,
    secondPerson,
    state: secondPerson ? "waiting" : "approved",
    requestKey,
    createdBy: act.operator,
    createdAtMs: act.nowMs,
    approvedBy: null,
    approvedAtMs: secondPerson ? null : act.nowMs,
  };
}

/** An offer with its newest version. */
export type OfferOutcome = { readonly offer: OfferRecord; readonly version: VersionRecord };

function auditOf(action: string, { offer, version }: OfferOutcome) {
  return {
    action,
    target: offer.id,
    details: { brand: offer.brandId, number: version.number, state: version.state },
  };
}

/** Creates an offer with its first version. Above the limits it waits for a second person. */
export function createOffer(
  catalogue: Catalogue,
  input: OfferInput,
  act: OfferAct,
): Decision<OfferOutcome> {
  const mine = act.requestKey === null
    ? undefined
    : [...catalogue.offers.values()].find((offer) => offer.requestKey === act.requestKey);
  const first = mine?.versions[0];
  if (mine !== undefined && first !== undefined) {
    return ok({
      value: { offer: mine, version: first },
      change: null,
      audit: auditOf("offer.create", { offer: mine, version: first }),
    });
  }
  const terms = checked(input.version, "/version", act);
  const brandId = isId("brd", input.brand_id) && catalogue.brands.has(input.brand_id)
    ? input.brand_id
    : null;
  const errors = [
    ...(brandId === null ? [fieldError("/brand_id", "brand_unknown")] : []),
    ...(terms.ok ? [] : terms.error),
  ];
  if (brandId === null || !terms.ok) return err({ code: "invalid", errors });
  const made = newOffer(brandId, input.title, terms.value, act, act.requestKey);
  return ok({
    value: made,
    change: { offers: [made.offer], versions: [made.version] },
    audit: auditOf("offer.create", made),
  });
}

function newOffer(
  brandId: BrandId,
  titles: OfferInput["title"],
  terms: NormalisedVersion,
  act: OfferAct,
  requestKey: string | null,
): OfferOutcome {
  const offer: OfferRecord = {
    id: act.newId("off"),
    brandId,
    titleFr: titles.fr,
    titleEn: titles.en,
    requestKey,
    createdBy: act.operator,
    createdAtMs: act.nowMs,
  };
  return { offer, version: newVersion(offer.id, 1, terms, act, null) };
}

/** Adds a version, which replaces the one before from its start on. */
export function addVersion(
  catalogue: Catalogue,
  offerId: OfferId,
  input: OfferVersionInput,
  act: OfferAct,
): Decision<OfferOutcome> {
  const offer = catalogue.offers.get(offerId);
  if (offer === undefined) return err({ code: "not_found" });
  const mine = act.requestKey === null
    ? undefined
    : offer.versions.find((version) => version.requestKey === act.requestKey);
  if (mine !== undefined) {
    return ok({
      value: { offer, version: mine },
      change: null,
      audit: auditOf("offer.add_version", { offer, version: mine }),
    });
  }
  const terms = checked(input, "", act);
  if (!terms.ok) return err({ code: "invalid", errors: terms.error });
  const version = newVersion(offerId, offer.versions.length + 1, terms.value, act, act.requestKey);
  return ok({
    value: { offer, version },
    change: { versions: [version] },
    audit: auditOf("offer.add_version", { offer, version }),
  });
}

/** Puts a waiting version in force. Not by the one who made it. */
export function approveVersion(
  catalogue: Catalogue,
  offerId: OfferId,
  number: number,
  act: Act,
): Decision<OfferOutcome> {
  const offer = catalogue.offers.get(offerId);
  const version = offer?.versions.find((item) => item.number === number);
  if (offer === undefined || version === undefined) return err({ code: "not_found" });
  if (version.state === "approved" && version.approvedBy === act.operator) {
    return ok({
      value: { offer, version },
      change: null,
      audit: auditOf("offer.approve_version", { offer, version }),
    });
  }
  if (version.state === "approved") return err({ code: "not_waiting" });
  if (version.createdBy === act.operator) return err({ code: "second_person_required" });
  const approved: VersionRecord = {
    ...version,
    state: "approved",
    approvedBy: act.operator,
    approvedAtMs: act.nowMs,
  };
  return ok({
    value: { offer, version: approved },
    change: { approvedVersion: { offerId, number, approvedBy: act.operator } },
    audit: auditOf("offer.approve_version", { offer, version: approved }),
  });
}

type OfferImport = { readonly lines: readonly ImportLine[] };

/** The brand that a line of a file means, as far as the line can be read. */
function brandOfLine(
  catalogue: Catalogue,
  { sound, refused, ...at }: CheckedLine<OfferImportItem>,
): Result<BrandId | null, CatalogueFieldError> {
  if (sound.brand_id !== undefined) {
    return isId("brd", sound.brand_id) && catalogue.brands.has(sound.brand_id)
      ? ok(sound.brand_id)
      : err(lineError(at, "/brand_id", "brand_unknown"));
  }
  if (refused.has("brand_id") || refused.has("brand")) return ok(null);
  if (sound.brand === undefined) return err(lineError(at, "/brand_id", "brand_missing"));
  const brand = catalogue.brandsByName.get(nameKey(sound.brand));
  return brand === undefined ? err(lineError(at, "/brand", "brand_unknown")) : ok(brand.id);
}

function hasTerms(offer: OfferEntry, terms: NormalisedVersion): boolean {
  const newest = offer.versions.at(-1);
  return newest !== undefined && canonicalJson(newest.terms) === canonicalJson(terms);
}

/**
 * What one line says by itself: its brand and its terms; null where it says neither.
 */
function readLine(
  catalogue: Catalogue,
  at: CheckedLine<OfferImportItem>,
  act: OfferAct,
  errors: CatalogueFieldError[],
): { readonly brandId: BrandId | null; readonly terms: NormalisedVersion | null } {
  const brand = brandOfLine(catalogue, at);
  if (!brand.ok) errors.push(brand.error);
  const terms = at.sound.version === undefined
    ? null
    : checked(at.sound.version, `${at.pointer}/version`, act);
  if (terms !== null && !terms.ok) {
    errors.push(...terms.error.map((error) => ({ ...error, line: at.line })));
  }
  return { brandId: brand.ok ? brand.value : null, terms: terms?.ok === true ? terms.value : null };
}

/**
 * Imports offers, all or nothing with all that is wrong with every line reported. An offer of the
 * same brand with the same French title is the same one: it stays when its newest version has these
 * terms, else it gets a new version.
 */
export function importOffers(
  catalogue: Catalogue,
  file: CheckedFile<OfferImportItem>,
  act: OfferAct,
): Decision<OfferImport> {
  const errors = [...file.errors];
  const report: ImportLine[] = [];
  const offers: OfferRecord[] = [];
  const versions: VersionRecord[] = [];
  const seen = new Set<string>();
  for (const at of file.lines) {
    const { brandId, terms } = readLine(catalogue, at, act, errors);
    const titleFr = at.sound.title?.fr;
    const key = brandId === null || titleFr === undefined
      ? null
      : JSON.stringify([brandId, titleFr]);
    if (key !== null && seen.has(key)) errors.push(duplicateOffer(at));
    if (key !== null) seen.add(key);
    const { line, item } = at;
    if (brandId === null || terms === null || item === null) continue;
    const existing = (catalogue.offersByBrand.get(brandId) ?? []).find((offer) =>
      offer.titleFr === item.title.fr
    );
    if (existing !== undefined && hasTerms(existing, terms)) {
      report.push({ line, status: "unchanged", id: existing.id });
      continue;
    }
    const made = existing === undefined ? newOffer(brandId, item.title, terms, act, null) : {
      offer: existing,
      version: newVersion(existing.id, existing.versions.length + 1, terms, act, null),
    };
    if (existing === undefined) offers.push(made.offer);
    versions.push(made.version);
    report.push({
      line,
      status: made.version.state === "waiting"
        ? "waiting"
        : existing === undefined
        ? "created"
        : "updated",
      id: made.offer.id,
    });
  }
  if (errors.length > 0) return err({ code: "invalid", errors: inLineOrder(errors) });
  return ok({
    value: { lines: report },
    change: versions.length === 0 ? null : { ...(offers.length === 0 ? {} : { offers }), versions },
    audit: {
      action: "offer.import",
      target: "offers",
      details: { lines: file.lines.length, written: versions.length },
    },
  });
}
