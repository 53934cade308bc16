// Finds French towns in a label: whole, cut by the acquirer (to 13 characters, or by the end of the
// field), with SAINT as ST. Must stay exact otherwise: a town is what lets an ordinary word count
// as a brand.

import { ORDINARY, TRADE } from "./data/lexicon.ts";
import { child, endsAt, treeOf, treeOfSuffixes } from "./char-tree.ts";
import type { CharTree } from "./char-tree.ts";
import { DIGITS, goesOn, wordAt } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { COMMUNES_FRONT_CODED } from "./data/communes.ts";
import { TOWNS } from "./data/towns.ts";

const MAX_TOWN_TOKENS = 7;
/** Where acquirers cut a town. A blank in the last place is trimmed, hence one less. */
const TOWN_CUT = 13;
const SHORTEST_CUT = 4;
const SHORTEST_NAME = 3;
const BLANK = 32;

/** A small commune's name says less: more of it must be there when it is cut. */
const SHORTEST_CUT_COMMUNE = 7;

/** Each name of the front-coded list says how many characters it shares with the one before. */
const FRONT_CODE_ZERO = 65;

/** Made when a label first needs them, which keeps them out of an isolate's start. */
let communeTree: CharTree | null = null;
function communes(): CharTree {
  if (communeTree === null) {
    const coded = COMMUNES_FRONT_CODED.split("|");
    communeTree = treeOfSuffixes(
      coded.map((name) => name.slice(1)),
      Uint8Array.from(coded, (name) => name.charCodeAt(0) - FRONT_CODE_ZERO),
    );
  }
  return communeTree;
}

/**
 * The most tokens from `i` whose words, one after the other, are in the tree and named a town when
 * the last of them was read. `isNamed` gets its node, its token and the length so far.
 */
function namedTokens(
  scan: Scan,
  tree: CharTree,
  { i, to }: { readonly i: number; readonly to: number },
  isNamed: (node: number, at: number, length: number) => boolean,
): number {
  let node = 0;
  let length = 0;
  let best = 0;
  const limit = Math.min(to, i + MAX_TOWN_TOKENS);
  for (let at = i; at < limit; at += 1) {
    if (scan.kinds[at] === DIGITS) break;
    if (at > i) {
      node = child(tree, node, BLANK);
      if (node === 0) break;
      length += 1;
    }
    node = followWord(scan, tree, node, at);
    if (node === 0) break;
    length += wordSize(scan, at);
    if (isNamed(node, at, length)) best = at + 1 - i;
  }
  return best;
}

const isOrdinaryWord = (scan: Scan, at: number): boolean =>
  ((scan.flags[at] ?? 0) & (ORDINARY | TRADE)) !== 0;

/**
 * Tokens from `i` that name a small commune: whole, cut where acquirers cut a town, or cut by the
 * field's end. Its first word alone says nothing.
 */
function communeTokens(scan: Scan, i: number, to: number, cuts: boolean): number {
  const tree = communes();
  return namedTokens(scan, tree, { i, to }, (node, at, length) =>
    endsAt(tree, node) ||
    (cuts && (at > i || !isOrdinaryWord(scan, at)) &&
      (length >= TOWN_CUT - 1 || (at + 1 === to && length >= SHORTEST_CUT_COMMUNE))));
}

/** The tree of the larger towns, built when a label or an alias first needs it. */
let built: CharTree | null = null;
function towns(): CharTree {
  built ??= treeOf(TOWNS);
  return built;
}

/** Whether a folded word is a town's whole name. */
export function isTown(word: string): boolean {
  const tree = towns();
  let node = 0;
  for (let i = 0; i < word.length; i += 1) {
    node = child(tree, node, word.charCodeAt(i));
    if (node === 0) return false;
  }
  return endsAt(tree, node);
}

/** The letters of SAINT and SAINTE that the list leaves out. */
const SHORTENED = 3;

/** Follows the word at `i` from `node`, SAINT as ST; 0 when no town goes on so. */
function followWord(scan: Scan, tree: CharTree, node: number, i: number): number {
  const end = scan.ends[i] ?? 0;
  const size = wordSize(scan, i);
  const shortened = size < end - (scan.starts[i] ?? 0);
  let at = scan.starts[i] ?? 0;
  let reached = node;
  for (; at < end; at += 1) {
    if (shortened && at === (scan.starts[i] ?? 0) + 1) at += SHORTENED;
    reached = child(tree, reached, scan.chars[at] ?? 0);
    if (reached === 0) return 0;
  }
  return reached;
}

/** Letters of the word as the list writes it: two or three for a saint. */
function wordSize(scan: Scan, i: number): number {
  const size = (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0);
  return isWordOf(scan, i, size, "SAINT") || isWordOf(scan, i, size, "SAINTE")
    ? size - SHORTENED
    : size;
}

function isWordOf(scan: Scan, i: number, size: number, word: string): boolean {
  return size === word.length && goesOn(scan, scan.starts[i] ?? 0, word);
}

/**
 * How many tokens from `i` (before `to`) name a town, whole or cut; 0 when none do. The longest
 * name wins.
 */
export function townTokens(scan: Scan, i: number, to: number, cuts = true): number {
  const known = knownTownTokens(scan, i, to, cuts);
  return known > 0 ? known : communeTokens(scan, i, to, cuts);
}

/** Whether the word at `i` begins the name of a town, and is not all of it. */
export function isTownBeginning(scan: Scan, i: number): boolean {
  const tree = towns();
  if (wordSize(scan, i) < SHORTEST_CUT) return false;
  const node = followWord(scan, tree, 0, i);
  return node !== 0 && !endsAt(tree, node);
}

const INSIDE_NAMES: ReadonlySet<string> = new Set(["LES", "LEZ", "SUR", "SOUS", "EN"]);

/** Tokens from `i` of a town's name that was cut behind a word within it: "ISSY LES". */
export function brokenTownTokens(scan: Scan, i: number, to: number): number {
  const tree = towns();
  let node = 0;
  let best = 0;
  const limit = Math.min(to, i + MAX_TOWN_TOKENS);
  for (let at = i; at < limit && scan.kinds[at] !== DIGITS; at += 1) {
    node = followWord(scan, tree, node, at);
    if (node === 0) break;
    node = child(tree, node, BLANK);
    if (node === 0) break;
    if (at > i && INSIDE_NAMES.has(wordAt(scan, at))) best = at + 1 - i;
  }
  return best;
}

/** The same among the towns that most purchases are made in. */
function knownTownTokens(scan: Scan, i: number, to: number, cuts: boolean): number {
  const tree = towns();
  return namedTokens(scan, tree, { i, to }, (node, at, length) => {
    if (endsAt(tree, node)) return true;
    // A cut name is no ordinary word ("LECLERC ANNE" is no Annecy), nor is the first word of a
    // longer one ("SUBWAY BAR" is not in Bar-le-Duc).
    if (at === i && isOrdinaryWord(scan, at)) return false;
    const isCut = cuts && length >= SHORTEST_CUT &&
      (at + 1 === to || length === TOWN_CUT || length === TOWN_CUT - 1);
    // LEVALLOIS, CLERMONT, AIX.
    return isCut || (at === i && length >= SHORTEST_NAME && child(tree, node, BLANK) !== 0);
  });
}
