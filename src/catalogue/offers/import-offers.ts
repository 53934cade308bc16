// Offers from a file: found again by brand and French title, checked line by line. Pure.
import { canonicalJson } from "../../kernel/hash.ts";
import type { BrandId } from "../../kernel/ids.ts";
import { isId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { nameKey } from "../catalogue.ts";
import type { Catalogue, OfferEntry, OfferRecord, VersionRecord } from "../catalogue.ts";
import type { Decision, ImportLine } from "../decision.ts";
import { duplicateOffer, lineError } from "../errors.ts";
import type { CatalogueFieldError } from "../errors.ts";
import { inLineOrder } from "../import/import-file.ts";
import type { CheckedFile, CheckedLine } from "../import/import-file.ts";
import { offerVersionDetail } from "../terms/version-problems.ts";
import type { NormalisedVersion } from "../terms/version-input.ts";
import type { OfferImportItem } from "./offer-input.ts";
import { checkedTerms, newOffer, newVersion, withWords } from "./offer.ts";
import type { OfferAct } from "./offer.ts";
import { partialVersionProblems } from "./partial-version.ts";
import { isStopped } from "./stop.ts";

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
 * What can be said of one line by itself: its brand and its terms; null where the line does not
 * tell.
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
    : checkedTerms(at.sound.version, `${at.pointer}/version`, act);
  if (terms !== null && !terms.ok) {
    errors.push(...terms.error.map((error) => ({ ...error, line: at.line })));
  }
  if (at.refused.has("version")) {
    const written = (at.value as { readonly version?: unknown } | null)?.version;
    errors.push(
      ...partialVersionProblems(written, act.pointsPerEuro).map(({ pointer, code }) => ({
        pointer: `${at.pointer}/version${pointer}`,
        code,
        detail: offerVersionDetail(code),
        line: at.line,
      })),
    );
  }
  return { brandId: brand.ok ? brand.value : null, terms: terms?.ok === true ? terms.value : null };
}

type Imported = {
  readonly report: ImportLine;
  readonly offer: OfferRecord | null;
  readonly version: VersionRecord | null;
};

/** What one sound line comes to: which of its parts apply at once, and which wait. */
function importedLine(
  line: number,
  item: OfferImportItem,
  { brandId, existing, terms }: {
    readonly brandId: BrandId;
    readonly existing: OfferEntry | undefined;
    readonly terms: NormalisedVersion;
  },
  act: OfferAct,
): Imported {
  const words = ["title", "description", "image_url"].filter((name) => Object.hasOwn(item, name));
  if (existing === undefined) {
    const { offer, version } = newOffer(brandId, item, terms, act, null);
    const waits = version.state === "waiting";
    const report = {
      line,
      status: waits ? "waiting" as const : "created" as const,
      id: offer.id,
      changed: waits ? words : [...words, "version"],
      waiting: waits ? ["version"] : [],
    };
    return { report, offer, version };
  }
  const edited = withWords(existing, item, act.nowMs);
  const version = hasTerms(existing, terms) ? null : newVersion(existing, terms, act, null);
  const waits = version?.state === "waiting";
  const changed = [
    ...(edited === existing ? [] : words),
    ...(version === null || waits ? [] : ["version"]),
  ];
  const status = waits
    ? "waiting" as const
    : changed.length === 0
    ? "unchanged" as const
    : "updated" as const;
  return {
    report: { line, status, id: existing.id, changed, waiting: waits ? ["version"] : [] },
    offer: edited === existing ? null : edited,
    version,
  };
}

/** A brand or an offer that takes nothing new. */
function refusedLine(
  catalogue: Catalogue,
  at: CheckedLine<OfferImportItem>,
  brandId: BrandId,
  existing: OfferEntry | undefined,
): CatalogueFieldError | null {
  if ((catalogue.brands.get(brandId)?.archivedAtMs ?? null) !== null) {
    return lineError(at, "/brand", "brand_archived");
  }
  return existing !== undefined && isStopped(existing)
    ? lineError(at, "/title", "offer_is_stopped")
    : null;
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
    const refused = refusedLine(catalogue, at, brandId, existing);
    if (refused !== null) errors.push(refused);
    const imported = importedLine(line, item, { brandId, existing, terms }, act);
    if (imported.offer !== null) offers.push(imported.offer);
    if (imported.version !== null) versions.push(imported.version);
    report.push(imported.report);
  }
  if (errors.length > 0) return err({ code: "invalid", errors: inLineOrder(errors) });
  return ok({
    value: { lines: report },
    change: versions.length === 0 && offers.length === 0 ? null : {
      ...(offers.length === 0 ? {} : { offers }),
      ...(versions.length === 0 ? {} : { versions }),
    },
    audit: {
      action: "offer.import",
      target: "offers",
      details: { lines: file.lines.length, written: versions.length },
    },
  });
}
