// Rules of brands: what a brand may look like, what a change of it comes to, and when a second
// person must agree. Pure.
import { z } from "zod";
import type { BrandId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { refusesApproval } from "../../http/second-person.ts";
import { saying } from "../../http/validation.ts";
import { OFFERS } from "../../texts/texts.ts";
import { hasCurrentOrFutureOffer, nameKey } from "../catalogue.ts";
import type { AliasChange, BrandRecord, Catalogue } from "../catalogue.ts";
import type { Act, Decision, ImportLine } from "../decision.ts";
import { lineError } from "../errors.ts";
import type { CatalogueError } from "../errors.ts";
import { inLineOrder } from "../import/import-file.ts";
import type { CheckedFile } from "../import/import-file.ts";

const shortText = (max: number) => z.string().trim().min(1).max(max).regex(/^[^\p{Cc}]*$/u);
const alias = shortText(60);
// Clients put these into links and images: only a web address is allowed.
const webAddress = z.url({ protocol: /^https?$/ }).max(300);

/** A brand as API.md takes it. */
export const brandInput = z.strictObject({
  // A name of nothing but accents and blanks would leave an empty key.
  name: shortText(80).refine(
    (name) => name === "" || nameKey(name) !== "",
    saying("name_unreadable", OFFERS.both("name_unreadable")),
  ),
  category: shortText(60),
  aliases: z.array(alias).min(1).max(200),
  excluded: z.array(alias).max(200).optional(),
  website: webAddress.nullable().optional(),
  logo_url: webAddress.nullable().optional(),
  wikidata: z.string().regex(/^Q[1-9]\d{0,11}$/).nullable().optional(),
});

/** What may be changed of a brand; what is absent stays. */
export const brandEdit = brandInput.partial();

/** A brand in a file. The `id` of a foreign catalogue is accepted and not kept. */
export const brandImportItem = brandInput.extend({ id: z.string().max(100).optional() });

type BrandInput = z.output<typeof brandInput>;
type BrandEdit = z.output<typeof brandEdit>;

/** Aliases that differ only in case and blanks are one. */
function distinct(aliases: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const text of aliases) {
    const key = text.toLowerCase().replace(/\s+/gu, " ");
    if (!seen.has(key)) seen.set(key, text);
  }
  return [...seen.values()];
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

function newBrand(input: BrandInput, act: Act, requestKey: string | null): BrandRecord {
  return {
    id: act.newId("brd"),
    name: input.name,
    nameKey: nameKey(input.name),
    category: input.category,
    aliases: distinct(input.aliases),
    excluded: distinct(input.excluded ?? []),
    website: input.website ?? null,
    logoUrl: input.logo_url ?? null,
    wikidata: input.wikidata ?? null,
    archivedAtMs: null,
    requestKey,
    createdAtMs: act.nowMs,
    updatedAtMs: act.nowMs,
  };
}

/** Creates a brand. A repeat under the same request key gives the brand that the first one made. */
export function createBrand(
  catalogue: Catalogue,
  input: BrandInput,
  act: Act,
): Decision<BrandRecord> {
  const mine = act.requestKey === null
    ? undefined
    : [...catalogue.brands.values()].find((brand) => brand.requestKey === act.requestKey);
  if (mine !== undefined) {
    return ok({
      value: mine,
      change: null,
      audit: { action: "brand.create", target: mine.id, details: { repeated: true } },
    });
  }
  const brand = newBrand(input, act, act.requestKey);
  if (catalogue.brandsByName.has(brand.nameKey)) return err({ code: "name_taken" });
  return ok({
    value: brand,
    change: { brands: [brand] },
    audit: { action: "brand.create", target: brand.id, details: { aliases: brand.aliases.length } },
  });
}

type Edited = {
  readonly brand: BrandRecord;
  /** Members that apply at once, and those that wait for a second person. */
  readonly changed: readonly string[];
  readonly waiting: readonly string[];
  readonly aliasChange: AliasChange | null;
  readonly status: ImportLine["status"];
};

/** What an edit of a brand comes to, without writing anything. */
function editOf(
  catalogue: Catalogue,
  brand: BrandRecord,
  edit: BrandEdit,
  act: Act,
): Result<Edited, CatalogueError> {
  const wanted = {
    name: edit.name ?? brand.name,
    aliases: edit.aliases === undefined ? brand.aliases : distinct(edit.aliases),
    excluded: edit.excluded === undefined ? brand.excluded : distinct(edit.excluded),
  };
  const key = nameKey(wanted.name);
  const holder = catalogue.brandsByName.get(key);
  if (holder !== undefined && holder.id !== brand.id) return err({ code: "name_taken" });
  const details = {
    category: edit.category ?? brand.category,
    website: edit.website === undefined ? brand.website : edit.website,
    logoUrl: edit.logo_url === undefined ? brand.logoUrl : edit.logo_url,
    wikidata: edit.wikidata === undefined ? brand.wikidata : edit.wikidata,
  };
  const recognisedBy = [
    ...(wanted.name === brand.name ? [] : ["name"]),
    ...(sameTexts(wanted.aliases, brand.aliases) ? [] : ["aliases"]),
    ...(sameTexts(wanted.excluded, brand.excluded) ? [] : ["excluded"]),
  ];
  const describedBy = [
    ...(details.category === brand.category ? [] : ["category"]),
    ...(details.website === brand.website ? [] : ["website"]),
    ...(details.logoUrl === brand.logoUrl ? [] : ["logo_url"]),
    ...(details.wikidata === brand.wikidata ? [] : ["wikidata"]),
  ];
  const recognised = recognisedBy.length > 0;
  const described = describedBy.length > 0;
  const waits = recognised && hasCurrentOrFutureOffer(catalogue, brand.id, act.nowMs);
  if (!recognised && !described) {
    return ok({ brand, changed: [], waiting: [], aliasChange: null, status: "unchanged" });
  }
  const updated = {
    ...brand,
    ...details,
    ...(waits ? {} : { ...wanted, nameKey: key }),
    updatedAtMs: described || !waits ? act.nowMs : brand.updatedAtMs,
  };
  if (!waits) {
    const changed = [...recognisedBy, ...describedBy];
    return ok({ brand: updated, changed, waiting: [], aliasChange: null, status: "updated" });
  }
  const waiting = catalogue.waiting.get(brand.id);
  const asked = waiting !== undefined && waiting.name === wanted.name &&
    sameTexts(waiting.aliases, wanted.aliases) && sameTexts(waiting.excluded, wanted.excluded);
  const aliasChange = asked ? null : {
    id: act.newId("chg"),
    brandId: brand.id,
    ...wanted,
    createdBy: act.operator,
    createdAtMs: act.nowMs,
    approvedBy: null,
  };
  return ok({
    brand: described ? updated : brand,
    changed: describedBy,
    waiting: recognisedBy,
    aliasChange,
    status: "waiting",
  });
}

/** The brand and the change of it that waits, if one does. */
export type BrandOutcome = {
  readonly brand: BrandRecord;
  readonly waiting: AliasChange | null;
  readonly status: ImportLine["status"];
};

/**
 * Changes a brand. Name and aliases of a brand that an offer pays for wait for a second person; the
 * rest applies at once.
 */
export function editBrand(
  catalogue: Catalogue,
  brandId: BrandId,
  edit: BrandEdit,
  act: Act,
): Decision<BrandOutcome> {
  const brand = catalogue.brands.get(brandId);
  if (brand === undefined) return err({ code: "not_found" });
  const edited = editOf(catalogue, brand, edit, act);
  if (!edited.ok) return edited;
  const { aliasChange, status } = edited.value;
  const written = edited.value.brand !== brand;
  return ok({
    value: {
      brand: edited.value.brand,
      waiting: aliasChange ?? catalogue.waiting.get(brandId) ?? null,
      status,
    },
    change: !written && aliasChange === null ? null : {
      ...(written ? { brands: [edited.value.brand] } : {}),
      ...(aliasChange === null ? {} : { aliasChanges: [aliasChange] }),
    },
    audit: {
      action: "brand.edit",
      target: brandId,
      details: { status, change: aliasChange?.id ?? null },
    },
  });
}

/** Puts a waiting change of name or aliases in force. Not by the one who asked for it. */
export function approveAliasChange(
  catalogue: Catalogue,
  brandId: BrandId,
  changeId: string,
  act: Act,
): Decision<BrandOutcome> {
  const brand = catalogue.brands.get(brandId);
  const asked = catalogue.aliasChanges.get(changeId);
  if (brand === undefined || asked === undefined || asked.brandId !== brandId) {
    return err({ code: "not_found" });
  }
  const audit = { action: "brand.approve_aliases", target: brandId, details: { change: changeId } };
  if (asked.approvedBy === act.operator) {
    return ok({ value: { brand, waiting: null, status: "unchanged" }, change: null, audit });
  }
  if (asked.approvedBy !== null) return err({ code: "not_waiting" });
  const refusal = refusesApproval(asked.createdBy, act);
  if (refusal !== null) return err(refusal);
  const key = nameKey(asked.name);
  const holder = catalogue.brandsByName.get(key);
  if (holder !== undefined && holder.id !== brandId) return err({ code: "name_taken" });
  const updated = {
    ...brand,
    name: asked.name,
    nameKey: key,
    aliases: asked.aliases,
    excluded: asked.excluded,
    updatedAtMs: act.nowMs,
  };
  return ok({
    value: { brand: updated, waiting: null, status: "updated" },
    change: { brands: [updated], approvedAliasChange: { id: changeId, approvedBy: act.operator } },
    audit,
  });
}

/**
 * Takes a brand out of the lists: it gets no offers any more. It stays recognised, because
 * purchases of its past offers may still arrive.
 */
export function archiveBrand(
  catalogue: Catalogue,
  brandId: BrandId,
  act: Act,
): Decision<BrandOutcome> {
  const brand = catalogue.brands.get(brandId);
  if (brand === undefined) return err({ code: "not_found" });
  const audit = { action: "brand.archive", target: brandId, details: {} };
  const waiting = catalogue.waiting.get(brandId) ?? null;
  if (brand.archivedAtMs !== null) {
    return ok({ value: { brand, waiting, status: "unchanged" }, change: null, audit });
  }
  const waits = (catalogue.offersByBrand.get(brandId) ?? []).some((offer) =>
    offer.versions.some((version) => version.state === "waiting")
  );
  if (waits || hasCurrentOrFutureOffer(catalogue, brandId, act.nowMs)) {
    return err({ code: "brand_has_offer" });
  }
  const archived = { ...brand, archivedAtMs: act.nowMs, updatedAtMs: act.nowMs };
  return ok({
    value: { brand: archived, waiting, status: "updated" },
    change: { brands: [archived] },
    audit,
  });
}

export type BrandImport = {
  readonly lines: readonly (ImportLine & { readonly brand: BrandRecord })[];
};

/**
 * Imports brands, found again by name: new ones are created, others changed where they differ (an
 * absent field stays). All or nothing: one bad line refuses the whole file, and every bad line is
 * reported with all that is wrong with it.
 */
export function importBrands(
  catalogue: Catalogue,
  file: CheckedFile<BrandInput>,
  act: Act,
): Decision<BrandImport> {
  const errors = [...file.errors];
  const seen = new Set<string>();
  const report: (ImportLine & { readonly brand: BrandRecord })[] = [];
  const written: BrandRecord[] = [];
  const changes: AliasChange[] = [];
  for (const at of file.lines) {
    const { line, item: input } = at;
    const key = at.sound.name === undefined ? null : nameKey(at.sound.name);
    if (key !== null && seen.has(key)) {
      errors.push(lineError(at, "/name", "duplicate_in_file"));
      continue;
    }
    if (key !== null) seen.add(key);
    if (key === null || input === null) continue;
    const existing = catalogue.brandsByName.get(key);
    if (existing === undefined) {
      const brand = newBrand(input, act, null);
      written.push(brand);
      const changed = Object.keys(input).filter((name) => name !== "id");
      report.push({ line, status: "created", id: brand.id, changed, waiting: [], brand });
      continue;
    }
    if (existing.archivedAtMs !== null) {
      errors.push(lineError(at, "/name", "brand_archived"));
      continue;
    }
    const edited = editOf(catalogue, existing, input, act);
    if (!edited.ok) {
      errors.push(lineError(at, "/name", "name_taken"));
      continue;
    }
    if (edited.value.brand !== existing) written.push(edited.value.brand);
    if (edited.value.aliasChange !== null) changes.push(edited.value.aliasChange);
    const { status, changed, waiting } = edited.value;
    report.push({ line, status, id: existing.id, changed, waiting, brand: edited.value.brand });
  }
  if (errors.length > 0) return err({ code: "invalid", errors: inLineOrder(errors) });
  const change = written.length === 0 && changes.length === 0 ? null : {
    ...(written.length === 0 ? {} : { brands: written }),
    ...(changes.length === 0 ? {} : { aliasChanges: changes }),
  };
  const count = (status: ImportLine["status"]): number =>
    report.filter((item) => item.status === status).length;
  return ok({
    value: { lines: report },
    change,
    audit: {
      action: "brand.import",
      target: "brands",
      details: {
        created: count("created"),
        updated: count("updated"),
        unchanged: count("unchanged"),
        waiting: count("waiting"),
      },
    },
  });
}
