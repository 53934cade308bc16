// Finds French towns in a label: whole, cut by the acquirer (to 13 characters, or by the end of the
// field), with SAINT as ST. Must stay exact otherwise: a town is what lets an ordinary word count
// as a brand.

import { ORDINARY, TRADE } from "./data/lexicon.ts";
import { DIGITS, wordAt } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { COMMUNES_FRONT_CODED } from "./data/communes.ts";
import { TOWNS } from "./data/towns.ts";

const MAX_TOWN_TOKENS = 7;
/** Where acquirers cut a town. A blank in the last place is trimmed, hence one less. */
const TOWN_CUT = 13;
const SHORTEST_CUT = 4;
const SHORTEST_NAME = 3;

/** A small commune's name says less: more of it must be there when it is cut. */
const SHORTEST_CUT_COMMUNE = 7;

function lowerBound(key: string, names: readonly string[] = TOWNS): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((names[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function decodeCommunes(): readonly string[] {
  let before = "";
  return COMMUNES_FRONT_CODED.split("|").map((coded) => {
    before = before.slice(0, coded.charCodeAt(0) - 65) + coded.slice(1);
    return before;
  });
}

/** Decoded when a label first needs them, which keeps them out of an isolate's start. */
let decoded: readonly string[] | null = null;
function communes(): readonly string[] {
  decoded ??= decodeCommunes();
  return decoded;
}

/**
 * Tokens from `i` that name a small commune: whole, cut where acquirers cut a town, or cut by the
 * field's end. Its first word alone says nothing.
 */
function communeTokens(scan: Scan, i: number, to: number, cuts: boolean): number {
  const names = communes();
  let key = "";
  let best = 0;
  const limit = Math.min(to, i + MAX_TOWN_TOKENS);
  for (let at = i; at < limit; at += 1) {
    if (scan.kinds[at] === DIGITS) break;
    const word = shortSaint(wordAt(scan, at));
    key = at === i ? word : `${key} ${word}`;
    const found = names[lowerBound(key, names)];
    if (found === undefined || !found.startsWith(key)) break;
    const isDistinct = at > i || ((scan.flags[at] ?? 0) & (ORDINARY | TRADE)) === 0;
    const isCut = key.length >= TOWN_CUT - 1 ||
      (at + 1 === to && key.length >= SHORTEST_CUT_COMMUNE);
    if (found.length === key.length || (cuts && isDistinct && isCut)) best = at + 1 - i;
  }
  return best;
}

function shortSaint(word: string): string {
  return word === "SAINT" ? "ST" : word === "SAINTE" ? "STE" : word;
}

const WHOLE_NAMES: ReadonlySet<string> = new Set(TOWNS);

/** Whether a folded word is a town's whole name. */
export function isTown(word: string): boolean {
  return WHOLE_NAMES.has(word);
}

/**
 * The first three letters that town names have (a blank counts as one): most words fail here,
 * without a text made.
 */
const BEGINNINGS = new Uint8Array(27 * 27 * 27);

function beginning(a: number, b: number, c: number): number {
  const letter = (code: number): number => (code >= 65 && code <= 90 ? code - 64 : 0);
  return (letter(a) * 27 + letter(b)) * 27 + letter(c);
}

for (const town of TOWNS) {
  BEGINNINGS[beginning(town.charCodeAt(0), town.charCodeAt(1), town.charCodeAt(2))] = 1;
}

function mayBeTown(scan: Scan, i: number): boolean {
  const start = scan.starts[i] ?? 0;
  const size = (scan.ends[i] ?? 0) - start;
  // SAINT is written ST in the list.
  if (size < 3 || scan.text.startsWith("SAINT", start)) return true;
  return BEGINNINGS[
    beginning(
      scan.text.charCodeAt(start),
      scan.text.charCodeAt(start + 1),
      scan.text.charCodeAt(start + 2),
    )
  ] === 1;
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
  const word = wordAt(scan, i);
  const found = word.length < SHORTEST_CUT ? undefined : TOWNS[lowerBound(word)];
  return found !== undefined && found.length > word.length && found.startsWith(word);
}

const INSIDE_NAMES: ReadonlySet<string> = new Set(["LES", "LEZ", "SUR", "SOUS", "EN"]);

/** Tokens from `i` of a town's name that was cut behind a word within it: "ISSY LES". */
export function brokenTownTokens(scan: Scan, i: number, to: number): number {
  let key = "";
  let best = 0;
  const limit = Math.min(to, i + MAX_TOWN_TOKENS);
  for (let at = i; at < limit && scan.kinds[at] !== DIGITS; at += 1) {
    const word = shortSaint(wordAt(scan, at));
    key = at === i ? word : `${key} ${word}`;
    if (!(TOWNS[lowerBound(`${key} `)] ?? "").startsWith(`${key} `)) break;
    if (at > i && INSIDE_NAMES.has(word)) best = at + 1 - i;
  }
  return best;
}

/** The same among the towns that most purchases are made in. */
function knownTownTokens(scan: Scan, i: number, to: number, cuts: boolean): number {
  if (!mayBeTown(scan, i)) return 0;
  let key = "";
  let best = 0;
  const limit = Math.min(to, i + MAX_TOWN_TOKENS);
  for (let at = i; at < limit; at += 1) {
    if (scan.kinds[at] === DIGITS) break;
    const word = shortSaint(wordAt(scan, at));
    key = at === i ? word : `${key} ${word}`;
    const found = TOWNS[lowerBound(key)];
    if (found === undefined || !found.startsWith(key)) break;
    if (found.length === key.length) best = at + 1 - i;
    // A cut name is no ordinary word: "LECLERC ANNE" is no Annecy.
    else if (
      cuts && key.length >= SHORTEST_CUT &&
      (at > i || ((scan.flags[at] ?? 0) & (ORDINARY | TRADE)) === 0) &&
      (at + 1 === to || key.length === TOWN_CUT || key.length === TOWN_CUT - 1)
    ) best = at + 1 - i;
    // LEVALLOIS, CLERMONT, AIX: the first word of a longer name, unless it is an ordinary word or a
    // trade itself ("SUBWAY BAR" is not in Bar-le-Duc).
    else if (
      at === i && key.length >= SHORTEST_NAME &&
      ((scan.flags[at] ?? 0) & (ORDINARY | TRADE)) === 0 &&
      (TOWNS[lowerBound(`${key} `)] ?? "").startsWith(`${key} `)
    ) best = 1;
  }
  return best;
}
