// The little language in which heads are written, and the table that all heads are read with.
//
//   CARTE|CB        one of these words        [DU|LE <date>]  optional, may nest
//   <date>          dd/mm, dd/mm/yy, dd.mm.yy, ddmmyy, ddmmyyyy
//   <run>           ddmmyy or ddmmyyyy in one run of digits     <ddmm>  four digits of a date
//   <mask>          a card mask: X1234, 4974XXXXXXXX1234, *1234
//   <hour>          11H39                <number>  3 digits or more    <digits>  any digits
//   <country>       the country of a purchase abroad, before a word
//   <until-date>    anything up to "DU" and a date      <until-by>  anything up to "BY"
//   <until-card>    anything up to "CARTE" and a grouped mask, <grouped-mask>  XXXX XXXX XXXX 1234
//   <rate>          2,80 NZD / 1 euro = 1,818181818
//   <end>  <more>  <not-top>  <not-star>   what follows; these read nothing
//
// The frame that reads the most tokens wins; of two that read the same, the first in the list.

import { DIGITS, wordNumber } from "../scan.ts";
import type { Scan } from "../scan.ts";
import { pieceCode, pieceLength } from "./pieces.ts";

/** Index after the group that opens at `open`. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i += 1) {
    if (text[i] === "[") depth += 1;
    if (text[i] === "]" && --depth === 0) return i;
  }
  throw new Error(`head pattern without a closing bracket: ${text}`);
}

/**
 * A place in the patterns: what must be read there, and the places that may come next. Places that
 * read the same and go on alike are one, so that twelve words for "refund" share what follows them.
 */
type Place = {
  /** Lexicon numbers of the words that fit; empty for a piece or an end. */
  readonly words: readonly number[];
  /** The number of a piece, or -1. */
  readonly piece: number;
  readonly next: readonly number[];
  /** The frame whose head ends here, or -1. */
  readonly frame: number;
};

type Places = { readonly all: Place[]; readonly known: Map<string, number> };

function placeOf(places: Places, place: Place): number {
  const key = [place.words.join(","), place.piece, place.next.join(","), place.frame].join(";");
  const known = places.known.get(key);
  if (known !== undefined) return known;
  places.all.push(place);
  places.known.set(key, places.all.length - 1);
  return places.all.length - 1;
}

function union(sets: readonly (readonly number[])[]): readonly number[] {
  return [...new Set(sets.flat())].sort((a, b) => a - b);
}

/** One word or piece of a pattern, before the places that follow it. */
function elementBefore(places: Places, element: string, next: readonly number[]): number {
  if (element.startsWith("<")) {
    return placeOf(places, { words: [], piece: pieceCode(element), next, frame: -1 });
  }
  const words = element.split("|").map(wordNumber).sort((a, b) => a - b);
  return placeOf(places, { words, piece: -1, next, frame: -1 });
}

/** The places at which `pattern` may begin, when `after` are those that follow it. */
function placesBefore(
  places: Places,
  pattern: string,
  after: readonly number[],
): readonly number[] {
  const open = pattern.indexOf("[");
  const plain = (text: string, next: readonly number[]): readonly number[] =>
    text.split(/\s+/).filter((element) => element !== "").reduceRight(
      (following, element) => [elementBefore(places, element, following)],
      next,
    );
  if (open < 0) {
    if (pattern.includes("]")) throw new Error(`head pattern with a stray bracket: ${pattern}`);
    return plain(pattern, after);
  }
  const close = closing(pattern, open);
  const rest = placesBefore(places, pattern.slice(close + 1), after);
  const inside = placesBefore(places, pattern.slice(open + 1, close), rest);
  return plain(pattern.slice(0, open), union([inside, rest]));
}

/**
 * All heads as one table of numbers. A state is the set of places that a label may have reached;
 * state 0 is the beginning. Words choose the next state, and each piece that fits another one.
 */
export type HeadTable = {
  /** By state: the first frame whose head ends there, or -1. */
  readonly frames: Int16Array;
  /** By state: every frame whose head ends there. */
  readonly ends: readonly (readonly number[])[];
  /** Open addressing: state and word in one number, then the next state; 0 for a free slot. */
  readonly edges: Int32Array;
  readonly mask: number;
  /** By state: where its pieces begin in the two lists below; one entry more than states. */
  readonly firstPieces: Int32Array;
  readonly pieces: Uint8Array;
  readonly nexts: Int32Array;
};

/** A state with its way on: the next state by word, and by piece. */
type State = {
  readonly words: ReadonlyMap<number, number>;
  readonly pieces: ReadonlyMap<number, number>;
  readonly ends: readonly number[];
};

function add(sets: Map<number, readonly number[]>, key: number, more: readonly number[]): void {
  sets.set(key, union([sets.get(key) ?? [], more]));
}

/** Every state that labels can reach from the places at which heads begin. */
function statesFrom(places: readonly Place[], begin: readonly number[]): readonly State[] {
  const states: State[] = [];
  const sets: (readonly number[])[] = [begin];
  const known = new Map([[begin.join(","), 0]]);
  const stateOf = (set: readonly number[]): number => {
    const key = set.join(",");
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, sets.length);
    sets.push(set);
    return sets.length - 1;
  };
  for (let state = 0; state < sets.length; state += 1) {
    const words = new Map<number, readonly number[]>();
    const pieces = new Map<number, readonly number[]>();
    const ends: number[] = [];
    for (const index of sets[state] ?? []) {
      const place = places[index];
      if (place === undefined) continue;
      if (place.frame >= 0) ends.push(place.frame);
      for (const word of place.words) add(words, word, place.next);
      if (place.piece >= 0) add(pieces, place.piece, place.next);
    }
    states.push({
      words: new Map([...words].map(([word, set]) => [word, stateOf(set)])),
      pieces: new Map([...pieces].map(([piece, set]) => [piece, stateOf(set)])),
      ends: ends.sort((a, b) => a - b),
    });
  }
  return states;
}

/** Room for every lexicon number beside the state. */
const WORD_BITS = 13;

function slotOf(key: number, mask: number): number {
  return (Math.imul(key, 0x9e3779b1) >>> 12) & mask;
}

function tableOf(states: readonly State[]): HeadTable {
  const wordCount = states.reduce((count, { words }) => count + words.size, 0);
  const pieceCount = states.reduce((count, { pieces }) => count + pieces.size, 0);
  let size = 64;
  while (size < wordCount * 2) size *= 2;
  const mask = size - 1;
  const edges = new Int32Array(size * 2);
  const firstPieces = new Int32Array(states.length + 1);
  const pieces = new Uint8Array(pieceCount);
  const nexts = new Int32Array(pieceCount);
  let used = 0;
  for (const [state, { words, pieces: own }] of states.entries()) {
    for (const [word, next] of words) {
      const key = (state << WORD_BITS) | word;
      let slot = slotOf(key, mask);
      while (edges[slot * 2] !== 0) slot = (slot + 1) & mask;
      edges[slot * 2] = key;
      edges[slot * 2 + 1] = next;
    }
    firstPieces[state] = used;
    for (const [piece, next] of own) {
      pieces[used] = piece;
      nexts[used] = next;
      used += 1;
    }
  }
  firstPieces[states.length] = used;
  return {
    frames: Int16Array.from(states, ({ ends }) => ends[0] ?? -1),
    ends: states.map(({ ends }) => ends),
    edges,
    mask,
    firstPieces,
    pieces,
    nexts,
  };
}

/**
 * Builds the table of all heads; `patterns[i]` are the heads of frame `i`. Throws on a bad pattern.
 */
export function compileHeads(patterns: readonly (readonly string[])[]): HeadTable {
  const places: Places = { all: [], known: new Map() };
  const begin: (readonly number[])[] = [];
  for (const [frame, heads] of patterns.entries()) {
    const end = placeOf(places, { words: [], piece: -1, next: [], frame });
    for (const head of heads) {
      const first = placesBefore(places, head, [end]);
      if (first.includes(end)) throw new Error(`a head that reads nothing: ${head}`);
      begin.push(first);
    }
  }
  return tableOf(statesFrom(places.all, union(begin)));
}

/** Where the best head ended and which frame it is; -1 for none. Reused between labels. */
export type HeadMatch = { frame: number; end: number };

/** The state after `word` in `state`, 0 when no head goes on so (0 is the beginning). */
function afterWord(table: HeadTable, state: number, word: number): number {
  const key = (state << WORD_BITS) | word;
  let slot = slotOf(key, table.mask);
  for (;;) {
    const found = table.edges[slot * 2];
    if (found === key) return table.edges[slot * 2 + 1] ?? 0;
    if (found === 0) return 0;
    slot = (slot + 1) & table.mask;
  }
}

function follow(scan: Scan, table: HeadTable, state: number, i: number, best: HeadMatch): void {
  const frame = table.frames[state] ?? -1;
  if (
    frame >= 0 && (best.frame < 0 || i > best.end || (i === best.end && frame < best.frame))
  ) {
    best.frame = frame;
    best.end = i;
  }
  const word = scan.ids[i] ?? 0;
  if (word !== 0 && i < scan.count) {
    const next = afterWord(table, state, word);
    if (next !== 0) follow(scan, table, next, i + 1, best);
  }
  const last = table.firstPieces[state + 1] ?? 0;
  for (let at = table.firstPieces[state] ?? 0; at < last; at += 1) {
    const read = pieceLength(table.pieces[at] ?? 0, scan, i);
    if (read >= 0) follow(scan, table, table.nexts[at] ?? 0, i + read, best);
  }
}

/** Reads the head at token `i`. The work is bounded by the longest pattern. */
export function matchHead(scan: Scan, table: HeadTable, i: number, best: HeadMatch): void {
  best.frame = -1;
  best.end = i;
  if (i >= scan.count) return;
  if (scan.kinds[i] !== DIGITS) {
    const word = scan.ids[i] ?? 0;
    const next = word === 0 ? 0 : afterWord(table, 0, word);
    if (next !== 0) follow(scan, table, next, i + 1, best);
    return;
  }
  follow(scan, table, 0, i, best);
}
