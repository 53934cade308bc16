// Makes a brands file from the public brand index of OpenStreetMap (npm "name-suggestion-index",
// BSD-3-Clause): names, categories and Wikidata ids of the chains that France has. Pure: the caller
// reads the file. Logos are not taken: they are trademarks, which the index's licence does not
// cover.

import { compactOf, fieldsOf } from "./alias.ts";
import { NEUTRAL } from "./data/lexicon.ts";
import type { BrandEntry } from "./ports.ts";
import { fold, wordFields, wordFlags } from "./scan.ts";

type Item = {
  readonly names: readonly string[];
  readonly wikidata: string | undefined;
  readonly include: readonly unknown[];
  readonly exclude: readonly unknown[];
};

/**
 * Codes of regions that hold metropolitan France: the country, Western Europe, Europe, the European
 * Union, the world.
 */
const HOLDS_FRANCE = new Set(["fr", "fx", "155", "150", "eu", "001"]);
const FRANCE_ITSELF = new Set(["fr", "fx"]);
const FRENCH_REGION =
  /^(?:fr-.*|.*france.*|corse|alsace|bretagne|normandie|occitanie|provence.*)\.geojson$/;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textsOf(value: unknown): string[] {
  return listOf(value).filter((one): one is string => typeof one === "string" && one !== "");
}

/** [longitude, latitude, radius?] inside a box around metropolitan France. */
function isFrenchPoint(place: unknown): boolean {
  if (!Array.isArray(place) || typeof place[0] !== "number" || typeof place[1] !== "number") {
    return false;
  }
  return place[0] > -5 && place[0] < 8.3 && place[1] > 42.3 && place[1] < 51.1;
}

function isExplicit(places: readonly unknown[]): boolean {
  return places.some((
    place,
  ) => (typeof place === "string"
    ? FRANCE_ITSELF.has(place) || FRENCH_REGION.test(place)
    : isFrenchPoint(place))
  );
}

function reachesFrance(item: Item, explicitOnly: boolean): boolean {
  if (item.exclude.some((place) => typeof place === "string" && FRANCE_ITSELF.has(place))) {
    return false;
  }
  if (isExplicit(item.include)) return true;
  return !explicitOnly &&
    item.include.some((place) => typeof place === "string" && HOLDS_FRANCE.has(place));
}

function itemOf(value: unknown): Item | null {
  if (!isObject(value)) return null;
  const tags = isObject(value["tags"]) ? value["tags"] : {};
  const places = isObject(value["locationSet"]) ? value["locationSet"] : {};
  const name = typeof tags["brand"] === "string" ? tags["brand"] : value["displayName"];
  if (typeof name !== "string") return null;
  const wikidata = typeof tags["brand:wikidata"] === "string" ? tags["brand:wikidata"] : undefined;
  const names = [
    name,
    ...textsOf([tags["name"], tags["short_name"]]),
    ...textsOf(value["matchNames"]),
  ];
  return {
    names,
    wikidata,
    include: listOf(places["include"]),
    exclude: listOf(places["exclude"]),
  };
}

function slugOf(name: string): string {
  return name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "") || "brand";
}

/** "Monoprix (France)", "Aldi (Aldi Nord group)": the index's remark is no part of the name. */
function withoutRemark(name: string): string {
  return name.replace(/\s*\([^)]*\)\s*$/, "");
}

type Draft = { name: string; category: string; wikidata: string | undefined; aliases: Set<string> };

function collect(
  nsi: Readonly<Record<string, unknown>>,
  explicitOnly: boolean,
): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  for (const path of Object.keys(nsi).toSorted()) {
    const [tree, , value] = path.split("/");
    const rows = nsi[path];
    if (tree !== "brands" || !isObject(rows)) continue;
    for (const raw of listOf(rows["items"])) {
      const item = itemOf(raw);
      const name = item?.names[0];
      if (
        item === null || name === undefined || !reachesFrance(item, explicitOnly) ||
        compactOf(name) === ""
      ) continue;
      const key = item.wikidata ?? `name:${compactOf(withoutRemark(name))}`;
      const draft = drafts.get(key) ??
        {
          name: withoutRemark(name),
          category: (value ?? "").replaceAll("_", " "),
          wikidata: item.wikidata,
          aliases: new Set<string>(),
        };
      for (const alias of item.names) draft.aliases.add(withoutRemark(alias));
      drafts.set(key, draft);
    }
  }
  return drafts;
}

/**
 * Two rows of one name ("La Halle" for clothes and for shoes) would match neither: they become one.
 */
function oneByName(drafts: readonly Draft[]): Draft[] {
  const byName = new Map<string, Draft>();
  for (const draft of drafts) {
    const key = compactOf(draft.name);
    const first = byName.get(key);
    if (first === undefined) byName.set(key, draft);
    else for (const alias of draft.aliases) first.aliases.add(alias);
  }
  return [...byName.values()];
}

/**
 * The brands of the parsed `nsi.json` that reach metropolitan France, one per Wikidata id (or per
 * name where there is none), sorted by name. `explicitOnly` leaves out those that are listed for
 * Europe or the world as a whole, many of which have no shop in France. An input of another shape
 * gives an empty list.
 */
export function brandsFromIndex(
  parsed: unknown,
  options: { readonly explicitOnly?: boolean } = {},
): readonly BrandEntry[] {
  if (!isObject(parsed)) return [];
  const nsi = isObject(parsed["nsi"]) ? parsed["nsi"] : parsed;
  const drafts = [...collect(nsi, options.explicitOnly === true).values()].sort((
    a,
    b,
  ) => (a.name < b.name
    ? -1
    : a.name > b.name
    ? 1
    : (a.wikidata ?? "") < (b.wikidata ?? "")
    ? -1
    : 1)
  );
  const taken = new Set<string>();
  return oneByName(drafts).map(({ name, category, wikidata, aliases }) => {
    const slug = slugOf(name);
    const id = taken.has(slug) ? `${slug}-${(wikidata ?? String(taken.size)).toLowerCase()}` : slug;
    taken.add(id);
    return {
      id,
      name,
      category,
      aliases: [...aliases],
      ...(wikidata === undefined ? {} : { wikidata }),
    };
  });
}

function keysOf(brand: BrandEntry): string[] {
  const texts = [brand.name, ...brand.aliases];
  // "Le Petit Casino" is the index's "Petit Casino".
  const bare = texts.filter((text) => /^l[ea]s?\s+\S+\s+\S/i.test(text)).map((text) =>
    text.replace(/^\S+\s+/, "")
  );
  // "Disney+" is not the index's "Disney Store".
  return [...texts, ...bare].map((text) => compactOf(text.replaceAll("+", " plus"))).filter((key) =>
    key !== ""
  );
}

/** "Carrefour Express" beside "Carrefour": the partner's name, then words that name no one else. */
function parentOf(
  row: BrandEntry,
  partners: readonly BrandEntry[],
  byKey: ReadonlyMap<string, number>,
): number | undefined {
  const words = fold(row.name).match(/[A-Z0-9]+/g) ?? [];
  for (let size = words.length - 1; size > 0; size -= 1) {
    const i = byKey.get(words.slice(0, size).join(""));
    const partner = i === undefined ? undefined : partners[i];
    if (partner === undefined) continue;
    const fields = fieldsOf(partner.category);
    return words.slice(size).every((word) =>
        (wordFlags(word) & NEUTRAL) !== 0 || (wordFields(word) & fields) !== 0
      )
      ? i
      : undefined;
  }
  return undefined;
}

/**
 * Partners and an index side by side: rows of the index that are a partner (same Wikidata id, a
 * name in common, or its name with a word of its trade: "Carrefour Express", "Ibis Budget") are
 * merged into it, the others stay beside it and keep lookalikes from being taken for a partner.
 */
export function mergeCatalogues(
  partners: readonly BrandEntry[],
  index: readonly BrandEntry[],
): readonly BrandEntry[] {
  const byKey = new Map<string, number>();
  for (const [i, partner] of partners.entries()) {
    if (partner.wikidata !== undefined) byKey.set(partner.wikidata, i);
    for (const key of keysOf(partner)) byKey.set(key, i);
  }
  const aliases = partners.map((partner) => new Set(partner.aliases));
  const rest: BrandEntry[] = [];
  for (const row of index) {
    const i = [row.wikidata ?? "", ...keysOf(row)].map((key) =>
      byKey.get(key)
    ).find((found) => found !== undefined) ?? parentOf(row, partners, byKey);
    if (i === undefined) {
      rest.push(row);
    } else {for (const alias of [row.name, ...row.aliases]) {
        if ((byKey.get(keysOf({ id: "", name: alias, aliases: [] })[0] ?? "") ?? i) === i) {
          aliases[i]?.add(alias);
        }
      }}
  }
  const ids = new Set(partners.map((partner) => partner.id));
  return [
    ...partners.map((partner, i) => ({ ...partner, aliases: [...(aliases[i] ?? [])] })),
    ...rest.map((row) => (ids.has(row.id) ? { ...row, id: `index-${row.id}` } : row)),
  ];
}
