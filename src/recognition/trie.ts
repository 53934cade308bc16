// The compiled catalogue: a trie over compact spellings in typed arrays. A walk costs one probe per
// character whatever the number of aliases, which is why 10,000 aliases cost what 100 do. Built
// from sorted spellings, so it does not depend on the order in which brands or aliases came.

import type { Strength } from "./alias.ts";

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
  readonly curated: boolean;
};

/** Longer spellings are left out: no merchant field is as long. */
export const LONGEST = 120;

export const NONE = -1;
/** Two brands share it: no answer. */
export const SEVERAL = -2;

/**
 * Nodes are numbered in the order of the sorted spellings, so a node's first child is the next
 * number: long words are read from neighbouring bytes, and only branches need the hash table of
 * edges.
 */
export type Trie = {
  /** The character of a node's first child, 0 when it has none. */
  readonly lead: Uint8Array;
  readonly mask: number;
  readonly keys: Int32Array;
  readonly children: Int32Array;
  /** Index of the entry that ends at a node, or NONE. */
  readonly terms: Int32Array;
  /** The only brand below a node, or SEVERAL. */
  readonly below: Int32Array;
  /** Length of the shortest spelling at or below a node. */
  readonly shortest: Uint8Array;
  /** Index of the first entry at or below a node. */
  readonly first: Int32Array;
  readonly entries: readonly Entry[];
};

/** A to Z, 0 to 9 and + in six bits. */
const CODE = new Uint8Array(128);
for (let i = 0; i < 26; i += 1) CODE[65 + i] = i + 1;
for (let i = 0; i < 10; i += 1) CODE[48 + i] = i + 27;
CODE[43] = 37;

function slotOf(key: number, mask: number): number {
  return (Math.imul(key, 0x9e3779b1) >>> 7) & mask;
}

/**
 * The child of `node` by a folded character, 0 when there is none (0 is the root, never a child).
 */
export function child(trie: Trie, node: number, char: number): number {
  const code = CODE[char] ?? 0;
  if (code === 0) return 0;
  if (trie.lead[node] === code) return node + 1;
  const key = (node << 6) | code;
  let slot = slotOf(key, trie.mask);
  for (;;) {
    const found = trie.keys[slot];
    if (found === key) return trie.children[slot] ?? 0;
    if (found === NONE) return 0;
    slot = (slot + 1) & trie.mask;
  }
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

/** How many characters each spelling shares with the one before. */
function sharedLengths(entries: readonly Entry[]): Uint8Array {
  const shared = new Uint8Array(entries.length);
  let before = "";
  for (const [index, { compact }] of entries.entries()) {
    shared[index] = sharedLength(before, compact);
    before = compact;
  }
  return shared;
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
      if (trie.lead[parent] === 0) trie.lead[parent] = code;
      else addEdge(trie, (parent << 6) | code, next);
      trie.below[next] = brand === NONE ? SEVERAL : brand;
      trie.shortest[next] = length;
      trie.first[next] = index;
      path[depth] = next;
      next += 1;
    }
    trie.terms[path[length] ?? 0] = index;
  }
}

function addEdge(trie: Trie, key: number, node: number): void {
  let slot = slotOf(key, trie.mask);
  while (trie.keys[slot] !== NONE) slot = (slot + 1) & trie.mask;
  trie.keys[slot] = key;
  trie.children[slot] = node;
}

function sharedLength(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < limit && a.charCodeAt(shared) === b.charCodeAt(shared)) shared += 1;
  return shared;
}

export function buildTrie(all: Entry[]): Trie {
  const entries = mergeSame(all.sort(compareEntries));
  const shared = sharedLengths(entries);
  let nodes = 1;
  for (const [index, { compact }] of entries.entries()) {
    nodes += compact.length - (shared[index] ?? 0);
  }
  let size = 64;
  while (size < entries.length * 2) size *= 2;
  const trie = {
    lead: new Uint8Array(nodes),
    mask: size - 1,
    keys: new Int32Array(size).fill(NONE),
    children: new Int32Array(size),
    terms: new Int32Array(nodes).fill(NONE),
    below: new Int32Array(nodes).fill(NONE),
    shortest: new Uint8Array(nodes).fill(255),
    first: new Int32Array(nodes),
    entries,
  };
  insertSorted(trie, entries, shared);
  return trie;
}
