// Rules of offers: an offer is a brand, a title and immutable versions of its terms. What the terms
// must be is terms/check-version.ts.
import { refusesApproval } from "../../http/second-person.ts";
import type { BrandId, OfferId } from "../../kernel/ids.ts";
import { isId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { Catalogue, OfferEntry, OfferRecord, VersionRecord } from "../catalogue.ts";
import type { Act, Decision } from "../decision.ts";
import { fieldError } from "../errors.ts";
import type { CatalogueError, CatalogueFieldError } from "../errors.ts";
import { checkOfferVersion } from "../terms/check-version.ts";
import { needsSecondPerson } from "../terms/second-person.ts";
import { offerVersionDetail } from "../terms/version-problems.ts";
import type { NormalisedVersion, OfferVersionInput } from "../terms/version-input.ts";
import type { OfferEdit, OfferInput } from "./offer-input.ts";
import { isStopped } from "./stop.ts";

/** Who acts, and the programme's rate that decides how much an offer gives. */
export type OfferAct = Act & { readonly pointsPerEuro: number };

export function checkedTerms(
  input: OfferVersionInput,
  pointer: string,
  act: OfferAct,
): Result<NormalisedVersion, readonly CatalogueFieldError[]> {
  const terms = checkOfferVersion(input, { pointsPerEuro: act.pointsPerEuro });
  if (terms.ok) return terms;
  return err(terms.error.map((item) => ({
    pointer: `${pointer}${item.pointer}`,
    code: item.code,
    detail: offerVersionDetail(item.code),
  })));
}

/** The next version of an offer, which one person puts in force where that is enough. */
export function newVersion(
  { id: offerId, versions }: Pick<OfferEntry, "id" | "versions">,
  terms: NormalisedVersion,
  act: OfferAct,
  requestKey: string | null,
): VersionRecord {
  const replaced = versions.findLast((version) => version.state === "approved");
  const secondPerson = needsSecondPerson(terms, {
    pointsPerEuro: act.pointsPerEuro,
    replacedBudget: replaced?.terms.budgetPoints,
  });
  return {
    offerId,
    number: versions.length + 1,
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
  const terms = checkedTerms(input.version, "/version", act);
  const brandId = isId("brd", input.brand_id) && catalogue.brands.has(input.brand_id)
    ? input.brand_id
    : null;
  const archived = brandId !== null && isArchived(catalogue, brandId);
  const errors = [
    ...(brandId === null ? [fieldError("/brand_id", "brand_unknown")] : []),
    ...(archived ? [fieldError("/brand_id", "brand_archived")] : []),
    ...(terms.ok ? [] : terms.error),
  ];
  if (brandId === null || archived || !terms.ok) return err({ code: "invalid", errors });
  const made = newOffer(brandId, input, terms.value, act, act.requestKey);
  return ok({
    value: made,
    change: { offers: [made.offer], versions: [made.version] },
    audit: auditOf("offer.create", made),
  });
}

export function newOffer(
  brandId: BrandId,
  words: Pick<OfferInput, "title" | "description" | "image_url">,
  terms: NormalisedVersion,
  act: OfferAct,
  requestKey: string | null,
): OfferOutcome {
  const offer: OfferRecord = {
    id: act.newId("off"),
    brandId,
    titleFr: words.title.fr,
    titleEn: words.title.en,
    descriptionFr: words.description?.fr ?? null,
    descriptionEn: words.description?.en ?? null,
    imageUrl: words.image_url ?? null,
    updatedAtMs: null,
    requestKey,
    createdBy: act.operator,
    createdAtMs: act.nowMs,
  };
  return { offer, version: newVersion({ id: offer.id, versions: [] }, terms, act, null) };
}

function isArchived(catalogue: Catalogue, brandId: BrandId): boolean {
  return (catalogue.brands.get(brandId)?.archivedAtMs ?? null) !== null;
}

/** Why the offer takes no version any more, or null. */
function refusesVersions(catalogue: Catalogue, offer: OfferEntry): CatalogueError | null {
  if (isStopped(offer)) return { code: "offer_stopped" };
  return isArchived(catalogue, offer.brandId)
    ? { code: "invalid", errors: [fieldError("", "brand_archived")] }
    : null;
}

/** The offer with other words, or the same object when nothing differs. */
export function withWords(offer: OfferRecord, edit: OfferEdit, nowMs: number): OfferRecord {
  const words = {
    titleFr: edit.title?.fr ?? offer.titleFr,
    titleEn: edit.title?.en ?? offer.titleEn,
    descriptionFr: edit.description === undefined
      ? offer.descriptionFr
      : edit.description?.fr ?? null,
    descriptionEn: edit.description === undefined
      ? offer.descriptionEn
      : edit.description?.en ?? null,
    imageUrl: edit.image_url === undefined ? offer.imageUrl : edit.image_url,
  };
  const same = words.titleFr === offer.titleFr && words.titleEn === offer.titleEn &&
    words.descriptionFr === offer.descriptionFr && words.descriptionEn === offer.descriptionEn &&
    words.imageUrl === offer.imageUrl;
  return same ? offer : { ...offer, ...words, updatedAtMs: nowMs };
}

/** Changes what is said of an offer. Its terms are versions and never change. */
export function editOffer(
  catalogue: Catalogue,
  offerId: OfferId,
  edit: OfferEdit,
  act: Act,
): Decision<OfferRecord> {
  const offer = catalogue.offers.get(offerId);
  if (offer === undefined) return err({ code: "not_found" });
  const edited = withWords(offer, edit, act.nowMs);
  return ok({
    value: edited,
    change: edited === offer ? null : { offers: [edited] },
    audit: { action: "offer.edit", target: offerId, details: { fields: Object.keys(edit).length } },
  });
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
  const refusal = refusesVersions(catalogue, offer);
  if (refusal !== null) return err(refusal);
  const terms = checkedTerms(input, "", act);
  if (!terms.ok) return err({ code: "invalid", errors: terms.error });
  const version = newVersion(offer, terms.value, act, act.requestKey);
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
  const refusal = refusesApproval(version.createdBy, act) ?? refusesVersions(catalogue, offer);
  if (refusal !== null) return err(refusal);
  const approved: VersionRecord = {
    ...version,
    state: "approved",
    approvedBy: act.operator,
    approvedAtMs: act.nowMs,
  };
  return ok({
    value: { offer, version: approved },
    change: { approvedVersion: approved },
    audit: auditOf("offer.approve_version", { offer, version: approved }),
  });
}
