// A tree of characters in typed arrays: names in sorted order, read one character at a time. Nodes
// are numbered in the order of the names, so a node's first child is the next number: long words
// are read from neighbouring bytes, and only branches need the table of edges. A probe touches one
// cache line.

/** A to Z, 0 to 9, + and the blank in six bits; 0 for everything else. */
export const CODE = new Uint8Array(128);
for (let i = 0; i < 26; i += 1) CODE[65 + i] = i + 1;
for (let i = 0; i < 10; i += 1) CODE[48 + i] = i + 27;
CODE[43] = 37;
CODE[32] = 38;

const CODE_MASK = 63;
/** In `lead`: a name ends at this node. */
export const ENDS = 64;
/** In `lead`: the node has more children than the first, which the table of edges knows. */
const BRANCHES = 128;
const NO_EDGE = -1;

export type CharTree = {
  /** The code of a node's first child, 0 when it has none, and the bits ENDS and BRANCHES. */
  readonly lead: Uint8Array;
  readonly mask: number;
  /** Open addressing: parent and code in one number, then the child. */
  readonly edges: Int32Array;
};

/** An empty tree with room for so many nodes (the root included) and branches. */
export function newCharTree(nodes: number, branches: number): CharTree {
  let size = 64;
  while (size < branches * 2) size *= 2;
  return {
    lead: new Uint8Array(nodes),
    mask: size - 1,
    edges: new Int32Array(size * 2).fill(NO_EDGE),
  };
}

function slotOf(key: number, mask: number): number {
  return (Math.imul(key, 0x9e3779b1) >>> 7) & mask;
}

/** Adds `node` below `parent`. Children must come in the order of their numbers. */
export function addChild(tree: CharTree, parent: number, code: number, node: number): void {
  const lead = tree.lead[parent] ?? 0;
  if ((lead & CODE_MASK) === 0) {
    tree.lead[parent] = lead | code;
    return;
  }
  tree.lead[parent] = lead | BRANCHES;
  const key = (parent << 6) | code;
  let slot = slotOf(key, tree.mask);
  while (tree.edges[slot * 2] !== NO_EDGE) slot = (slot + 1) & tree.mask;
  tree.edges[slot * 2] = key;
  tree.edges[slot * 2 + 1] = node;
}

/**
 * The child of `node` by a folded character, 0 when there is none (0 is the root, never a child).
 */
export function child(tree: CharTree, node: number, char: number): number {
  const code = CODE[char] ?? 0;
  if (code === 0) return 0;
  const lead = tree.lead[node] ?? 0;
  if ((lead & CODE_MASK) === code) return node + 1;
  if ((lead & BRANCHES) === 0) return 0;
  const key = (node << 6) | code;
  let slot = slotOf(key, tree.mask);
  for (;;) {
    const found = tree.edges[slot * 2];
    if (found === key) return tree.edges[slot * 2 + 1] ?? 0;
    if (found === NO_EDGE) return 0;
    slot = (slot + 1) & tree.mask;
  }
}

/** Whether a name ends at the node. */
export function endsAt(tree: CharTree, node: number): boolean {
  return ((tree.lead[node] ?? 0) & ENDS) !== 0;
}

function sharedLength(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < limit && a.charCodeAt(shared) === b.charCodeAt(shared)) shared += 1;
  return shared;
}

/** How many characters each of the sorted names shares with the one before. */
export function sharedLengths(names: readonly string[]): Uint8Array {
  const shared = new Uint8Array(names.length);
  let before = "";
  for (const [index, name] of names.entries()) {
    shared[index] = sharedLength(before, name);
    before = name;
  }
  return shared;
}

/** The tree of sorted names of at most 255 characters. */
export function treeOf(names: readonly string[]): CharTree {
  const shared = sharedLengths(names);
  return treeOfSuffixes(names.map((name, index) => name.slice(shared[index])), shared);
}

/** The tree of sorted names, each given as what follows the characters it shares with the last. */
export function treeOfSuffixes(suffixes: readonly string[], shared: Uint8Array): CharTree {
  const nodes = suffixes.reduce((count, suffix) => count + suffix.length, 1);
  const tree = newCharTree(nodes, suffixes.length);
  const path = new Int32Array(256);
  let next = 1;
  for (const [index, suffix] of suffixes.entries()) {
    let depth = shared[index] ?? 0;
    for (let at = 0; at < suffix.length; at += 1) {
      addChild(tree, path[depth] ?? 0, CODE[suffix.charCodeAt(at)] ?? 0, next);
      depth += 1;
      path[depth] = next;
      next += 1;
    }
    const last = path[depth] ?? 0;
    tree.lead[last] = (tree.lead[last] ?? 0) | ENDS;
  }
  return tree;
}
