// Compiles brands into the trie: every spelling of every alias,
// the curated descriptors of the brands that are there, excluded phrases, fields of trade. Pure;
// the order of brands and aliases does not matter.

import { compactOf, fieldsOf, formsOf, PHRASE, WEAK } from "./alias.ts";
import type { Form, Strength } from "./alias.ts";
import { DESCRIPTORS } from "./data/descriptors.ts";
import type { Descriptor } from "./data/descriptors.ts";
import type { BrandEntry } from "./ports.ts";
import { buildTrie, LONGEST } from "./trie.ts";
import type { BrandFacts, Entry, Trie } from "./trie.ts";

/**
 * Spellings of an alias are computed once per isolate: a catalogue that changes in one brand
 * compiles again in a fraction of the first time. Bounded, since operators may type anything.
 */
const knownForms = new Map<string, readonly Form[]>();
const MAX_KNOWN_FORMS = 20_000;

function spellingsOf(alias: string): readonly Form[] {
  const known = knownForms.get(alias);
  if (known !== undefined) return known;
  const forms = formsOf(alias);
  if (knownForms.size >= MAX_KNOWN_FORMS) knownForms.clear();
  knownForms.set(alias, forms);
  return forms;
}

/**
 * Adds the brand's own entries to `entries`. Whether a descriptor may know one of its spellings is
 * the answer.
 */
function addEntries(
  entries: Entry[],
  brand: BrandEntry,
  index: number,
  facts: BrandFacts,
): boolean {
  let described = brand.wikidata !== undefined && descriptorsByName.has(brand.wikidata);
  const add = (alias: string): void => {
    for (const { compact, boundaries, strength, least } of spellingsOf(alias)) {
      if (!described && descriptorsByName.has(compact)) described = true;
      if (compact.length <= LONGEST) {
        entries.push({
          compact,
          boundaries,
          strength,
          least,
          brand: index,
          alias,
          id: brand.id,
          curated: false,
          facts,
          step: null,
        });
      }
    }
  };
  if (!brand.aliases.includes(brand.name)) add(brand.name);
  for (const alias of brand.aliases) add(alias);
  return described;
}

/**
 * The compact spellings of a brand. Only the few brands that a descriptor may know need them as a
 * set.
 */
function ownSpellings(brand: BrandEntry): Set<string> {
  return new Set(
    [brand.name, ...brand.aliases].flatMap((alias) => spellingsOf(alias).map((one) => one.compact)),
  );
}

/** The curator vouches for an abbreviation; it still gives way to a trade ("ITM TRANSPORTS"). */
function curatedStrength(strength: Strength, compact: string): Strength {
  return compact.length <= 4 || strength === WEAK ? PHRASE : strength;
}

function curatedEntries(descriptor: Descriptor, index: number, facts: BrandFacts): Entry[] {
  return (descriptor.include ?? []).flatMap((alias) =>
    spellingsOf(alias).map(({ compact, boundaries, strength, least }) => ({
      compact,
      boundaries,
      strength: curatedStrength(strength, compact),
      least,
      brand: index,
      alias,
      id: facts.id,
      curated: true,
      facts,
      step: null,
    }))
  );
}

/**
 * Descriptors by the compact name or Wikidata id of their brand, so that compiling stays linear.
 */
function descriptorIndex(): Map<string, Descriptor[]> {
  const index = new Map<string, Descriptor[]>();
  const add = (key: string, descriptor: Descriptor): void => {
    const list = index.get(key);
    if (list === undefined) index.set(key, [descriptor]);
    else list.push(descriptor);
  };
  for (const descriptor of DESCRIPTORS) for (const key of keysOf(descriptor)) add(key, descriptor);
  return index;
}

const descriptorsByName = descriptorIndex();

function keysOf(descriptor: Descriptor): readonly string[] {
  return descriptor.wikidata === undefined
    ? descriptor.brand
    : [...descriptor.brand, descriptor.wikidata];
}

function descriptorsOf(brand: BrandEntry, spellings: ReadonlySet<string>): Set<Descriptor> {
  const found = new Set<Descriptor>();
  for (const key of spellings) {
    for (const descriptor of descriptorsByName.get(key) ?? []) found.add(descriptor);
  }
  if (brand.wikidata !== undefined) {
    for (const descriptor of descriptorsByName.get(brand.wikidata) ?? []) {
      found.add(descriptor);
    }
  }
  return found;
}

/**
 * A descriptor names its brand by several keys, the most specific first: beside SNCF, "SNCF
 * Connect" gets none of SNCF's.
 */
function rankOf(descriptor: Descriptor, brand: BrandEntry, spellings: ReadonlySet<string>): number {
  return keysOf(descriptor).findIndex((key) => spellings.has(key) || key === brand.wikidata);
}

/** The trie over all spellings, each with what matching must know of its brand. */
export function compileTrie(brands: readonly BrandEntry[]): Trie {
  const entries: Entry[] = [];
  const described: {
    readonly descriptor: Descriptor;
    readonly index: number;
    readonly facts: BrandFacts;
    readonly rank: number;
  }[] = [];
  const best = new Map<Descriptor, number>();
  for (const [index, brand] of brands.entries()) {
    const facts: BrandFacts = { id: brand.id, fields: fieldsOf(brand.category), excluded: null };
    const known = addEntries(entries, brand, index, facts);
    if (!known && (brand.excluded === undefined || brand.excluded.length === 0)) continue;
    const own = ownSpellings(brand);
    const refused = (brand.excluded ?? []).map(compactOf);
    for (const descriptor of descriptorsOf(brand, own)) {
      const rank = rankOf(descriptor, brand, own);
      described.push({ descriptor, index, facts, rank });
      best.set(descriptor, Math.min(rank, best.get(descriptor) ?? rank));
      // An operator who types "Orange Bank" as an alias of Orange has decided.
      for (const phrase of descriptor.exclude ?? []) {
        if (!own.has(compactOf(phrase))) refused.push(compactOf(phrase));
      }
    }
    const phrases = refused.filter((phrase) => phrase !== "");
    if (phrases.length > 0) facts.excluded = phrases;
  }
  for (const { descriptor, index, facts, rank } of described) {
    if (rank === best.get(descriptor)) {
      for (const entry of curatedEntries(descriptor, index, facts)) entries.push(entry);
    }
  }
  return buildTrie(entries);
}
