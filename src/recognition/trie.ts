// The compiled catalogue: a trie over compact spellings in typed arrays. A walk costs one probe per character whatever the
// number of aliases, which is why 10,000 aliases cost what 100 do. Built from sorted spellings, so it does not depend on
// the order in which brands or aliases came.

import type { Strength } from "./alias.ts";

/** One spelling of one brand. `brand` is the brand's index; -1 where two brands share the spelling. */
export type Entry = { readonly compact: string; readonly brand: number; readonly boundaries: number; readonly strength: Strength; readonly alias: string; readonly curated: boolean };

export const NONE = -1;
/** Two brands share it: no answer. */
export const SEVERAL = -2;

export type Trie = {
  readonly mask: number;
  readonly keys: Int32Array;
  readonly children: Int32Array;
  /** Index of the entry that ends at a node, or NONE. */
  readonly terms: Int32Array;
  /** The only brand below a node, or SEVERAL. */
  readonly below: Int32Array;
  /** Length of the shortest spelling at or below a node. */
  readonly shortest: Uint8Array;
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

/** The child of `node` by a folded character, 0 when there is none (0 is the root, never a child). */
export function child(trie: Trie, node: number, char: number): number {
  const key = (node << 6) | (CODE[char] ?? 0);
  let slot = slotOf(key, trie.mask);
  for (;;) {
    const found = trie.keys[slot];
    if (found === key) return trie.children[slot] ?? 0;
    if (found === NONE) return 0;
    slot = (slot + 1) & trie.mask;
  }
}

/** One entry per spelling: of one brand the strictest reading, of two brands none (`brand` NONE), unless one was curated. */
function mergeSame(sorted: readonly Entry[]): Entry[] {
  const merged: Entry[] = [];
  for (const entry of sorted) {
    const last = merged.at(-1);
    if (last === undefined || last.compact !== entry.compact) merged.push(entry);
    else if (last.curated !== entry.curated) merged[merged.length - 1] = last.curated ? entry : last;
    else if (last.brand !== entry.brand) merged[merged.length - 1] = { ...last, brand: NONE };
    else merged[merged.length - 1] = { ...last, boundaries: last.boundaries | entry.boundaries, strength: last.strength < entry.strength ? last.strength : entry.strength };
  }
  return merged;
}

function compareEntries(a: Entry, b: Entry): number {
  if (a.compact !== b.compact) return a.compact < b.compact ? -1 : 1;
  if (a.brand !== b.brand) return a.brand - b.brand;
  return a.alias < b.alias ? -1 : a.alias > b.alias ? 1 : 0;
}

function countNodes(entries: readonly Entry[]): number {
  let nodes = 1;
  let before = "";
  for (const { compact } of entries) {
    let shared = 0;
    while (shared < before.length && before.charCodeAt(shared) === compact.charCodeAt(shared)) shared += 1;
    nodes += compact.length - shared;
    before = compact;
  }
  return nodes;
}

export function buildTrie(all: Entry[]): Trie {
  const entries = mergeSame(all.sort(compareEntries));
  const nodes = countNodes(entries);
  let size = 64;
  while (size < nodes * 2) size *= 2;
  const trie = {
    mask: size - 1, keys: new Int32Array(size).fill(NONE), children: new Int32Array(size), terms: new Int32Array(nodes).fill(NONE),
    below: new Int32Array(nodes).fill(NONE), shortest: new Uint8Array(nodes).fill(255), entries,
  };
  let next = 1;
  for (const [index, entry] of entries.entries()) {
    let node = 0;
    for (let i = 0; i < entry.compact.length; i += 1) {
      const key = (node << 6) | (CODE[entry.compact.charCodeAt(i)] ?? 0);
      let slot = slotOf(key, trie.mask);
      while (trie.keys[slot] !== key && trie.keys[slot] !== NONE) slot = (slot + 1) & trie.mask;
      if (trie.keys[slot] === NONE) {
        trie.keys[slot] = key;
        trie.children[slot] = next;
        next += 1;
      }
      node = trie.children[slot] ?? 0;
      const seen = trie.below[node];
      trie.below[node] = seen === NONE ? (entry.brand === NONE ? SEVERAL : entry.brand) : seen === entry.brand ? seen : SEVERAL;
      if (entry.compact.length < (trie.shortest[node] ?? 255)) trie.shortest[node] = entry.compact.length;
    }
    trie.terms[node] = index;
  }
  return trie;
}
