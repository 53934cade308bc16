// The compiled catalogue: a trie over compact spellings in typed arrays. A walk costs one probe per
// character whatever the number of aliases, which is why 10,000 aliases cost what 100 do. Built
// from sorted spellings, so it does not depend on the order in which brands or aliases came.

import type { Strength } from "./alias.ts";
import { addChild, CODE, ENDS, newCharTree, sharedLengths } from "./char-tree.ts";
import type { CharTree } from "./char-tree.ts";

/** What matching must know of a brand; one object for all its spellings. */
export type BrandFacts = {
  readonly id: string;
  /** Fields of trade, as bits of lexicon.ts. */
  readonly fields: number;
  /** Compact phrases that refuse the brand; null for none. */
  excluded: readonly string[] | null;
};

/**
 * One spelling of one brand. `brand` is the brand's index; -1 where two brands share the spelling.
 */
export type Entry = {
  readonly compact: string;
  readonly brand: number;
  readonly boundaries: number;
  readonly strength: Strength;
  readonly least: number;
  readonly alias: string;
  /** The brand's id: of the facts, but at hand when the entry is. */
  readonly id: string;
  readonly curated: boolean;
  readonly facts: BrandFacts;
  /** "alias:" and the alias, made when the entry is first found: few of all ever are. */
  step: string | null;
};

/** Longer spellings are left out: no merchant field is as long. */
export const LONGEST = 120;

export const NONE = -1;
/** Two brands share it: no answer. */
export const SEVERAL = -2;

/** The spellings' characters, and what is known at each node. */
export type Trie = CharTree & {
  /** The node behind the first two characters, by their codes: the widest branches of the tree. */
  readonly tops: Int32Array;
  /** Index of the entry that ends at a node, or NONE. */
  readonly terms: Int32Array;
  /** The only brand below a node, or SEVERAL. */
  readonly below: Int32Array;
  /** Length of the shortest spelling at or below a node. */
  readonly shortest: Uint8Array;
  /** Index of the first entry at or below a node. */
  readonly first: Int32Array;
  readonly entries: readonly Entry[];
  /** What matching asks of an entry first, four numbers each, so that it seldom meets the object. */
  readonly facts: Int32Array;
};

const FACTS = 4;
const STRENGTH = 3;
const CURATED = 4;
const EXCLUDES = 8;
const LENGTH_SHIFT = 8;

function factsOf(entries: readonly Entry[]): Int32Array {
  const numbers = new Int32Array(entries.length * FACTS);
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index];
    if (entry === undefined) continue;
    const { brand, strength, curated, compact, boundaries, facts } = entry;
    numbers[index * FACTS] = brand;
    numbers[index * FACTS + 1] = strength | (curated ? CURATED : 0) |
      (facts.excluded === null ? 0 : EXCLUDES) | (compact.length << LENGTH_SHIFT);
    numbers[index * FACTS + 2] = boundaries;
    numbers[index * FACTS + 3] = facts.fields;
  }
  return numbers;
}

/** The brand of an entry; NONE where several brands share it, or for no entry. */
export function brandOf(trie: Trie, entry: number): number {
  return trie.facts[entry * FACTS] ?? NONE;
}

/** What an entry proves: one of the strengths of alias.ts. */
export function strengthOf(trie: Trie, entry: number): number {
  return (trie.facts[entry * FACTS + 1] ?? 0) & STRENGTH;
}

/** Letters and digits of an entry. */
export function lengthOf(trie: Trie, entry: number): number {
  return (trie.facts[entry * FACTS + 1] ?? 0) >> LENGTH_SHIFT;
}

/** Whether a descriptor gave the entry, not the brand itself. */
export function isCurated(trie: Trie, entry: number): boolean {
  return ((trie.facts[entry * FACTS + 1] ?? 0) & CURATED) !== 0;
}

/** Whether phrases refuse the entry's brand. */
export function hasExclusions(trie: Trie, entry: number): boolean {
  return ((trie.facts[entry * FACTS + 1] ?? 0) & EXCLUDES) !== 0;
}

/** Where the words of an entry begin, as bits. */
export function boundariesOf(trie: Trie, entry: number): number {
  return trie.facts[entry * FACTS + 2] ?? 0;
}

/** The fields of trade of the entry's brand. */
export function fieldsOf(trie: Trie, entry: number): number {
  return trie.facts[entry * FACTS + 3] ?? 0;
}

/** The node behind two folded characters, 0 when no spelling begins with them. */
export function topOf(trie: Trie, first: number, second: number): number {
  return trie.tops[((CODE[first] ?? 0) << 6) | (CODE[second] ?? 0)] ?? 0;
}

/**
 * One entry per spelling: of one brand the strictest reading, of two brands none (`brand` NONE),
 * unless one was curated.
 */
function mergeSame(sorted: readonly Entry[]): Entry[] {
  const merged: Entry[] = [];
  for (const entry of sorted) {
    const last = merged.at(-1);
    if (last === undefined || last.compact !== entry.compact) merged.push(entry);
    else if (last.curated !== entry.curated) {
      merged[merged.length - 1] = last.curated ? entry : last;
    } else if (last.brand !== entry.brand) merged[merged.length - 1] = { ...last, brand: NONE };
    else {merged[merged.length - 1] = {
        ...last,
        boundaries: last.boundaries | entry.boundaries,
        strength: last.strength < entry.strength ? last.strength : entry.strength,
      };}
  }
  return merged;
}

function compareEntries(a: Entry, b: Entry): number {
  if (a.compact !== b.compact) return a.compact < b.compact ? -1 : 1;
  if (a.brand !== b.brand) return a.brand - b.brand;
  return a.alias < b.alias ? -1 : a.alias > b.alias ? 1 : 0;
}

/** Sorted spellings share their beginnings with the one before: only the rest needs new edges. */
function insertSorted(trie: Trie, entries: readonly Entry[], sharedBefore: Uint8Array): void {
  const path = new Int32Array(LONGEST + 1);
  let next = 1;
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index];
    if (entry === undefined) continue;
    const { compact, brand } = entry;
    const { length } = compact;
    const shared = sharedBefore[index] ?? 0;
    for (let depth = 1; depth <= length; depth += 1) {
      const known = path[depth] ?? 0;
      if (depth <= shared) {
        if (trie.below[known] !== brand) trie.below[known] = SEVERAL;
        if (length < (trie.shortest[known] ?? 255)) trie.shortest[known] = length;
        continue;
      }
      const parent = path[depth - 1] ?? 0;
      const code = CODE[compact.charCodeAt(depth - 1)] ?? 0;
      addChild(trie, parent, code, next);
      if (depth === 2) trie.tops[((CODE[compact.charCodeAt(0)] ?? 0) << 6) | code] = next;
      trie.below[next] = brand === NONE ? SEVERAL : brand;
      trie.shortest[next] = length;
      trie.first[next] = index;
      path[depth] = next;
      next += 1;
    }
    const last = path[length] ?? 0;
    trie.terms[last] = index;
    trie.lead[last] = (trie.lead[last] ?? 0) | ENDS;
  }
}

export function buildTrie(all: Entry[]): Trie {
  const entries = mergeSame(all.sort(compareEntries));
  const shared = sharedLengths(entries.map(({ compact }) => compact));
  let nodes = 1;
  for (const [index, { compact }] of entries.entries()) {
    nodes += compact.length - (shared[index] ?? 0);
  }
  const trie = {
    ...newCharTree(nodes, entries.length),
    tops: new Int32Array(64 * 64),
    terms: new Int32Array(nodes).fill(NONE),
    below: new Int32Array(nodes).fill(NONE),
    shortest: new Uint8Array(nodes).fill(255),
    first: new Int32Array(nodes),
    entries,
    facts: factsOf(entries),
  };
  insertSorted(trie, entries, shared);
  return trie;
}
