// Turns a label into tokens in one pass: runs of letters and runs of digits, what is between
// them, and what the lexicon knows about each. Every later step works on these numbers, never on
// the label again, which keeps recognition linear and fast. Folding (accents, case) happens here
// and nowhere else.

import {
  CATEGORY,
  DOMINANT,
  DOMINANT_WORDS,
  FIRST_NAME,
  FIRST_NAMES,
  ORDINARY,
  ORDINARY_WORDS,
  SURNAME,
  SURNAMES,
  WORDS,
} from "./data/lexicon.ts";

export const LETTERS = 1;
export const DIGITS = 2;

/** What is before a token, as bits; 0 = glued to the one before. */
export const GAP_SPACE = 1;
export const GAP_STAR = 2;
export const GAP_DOT = 4;
export const GAP_SLASH = 8;
export const GAP_COMMA = 16;
export const GAP_DASH = 32;
const GAP_APOSTROPHE = 64;
export const GAP_AMPERSAND = 128;
export const GAP_PIPE = 256;
const GAP_OTHER = 512;
export const GAP_PLUS = 1024;

/**
 * The tokens of one label. Reused from label to label: valid until the next `scan` of the same
 * object.
 */
export type Scan = {
  text: string;
  count: number;
  starts: Int32Array;
  ends: Int32Array;
  kinds: Uint8Array;
  gaps: Int32Array;
  flags: Int32Array;
  fields: Int32Array;
  /** Number of the word in the lexicon plus one, 0 when unknown. */
  ids: Int32Array;
  hasPipe: boolean;
  hasUnknown: boolean;
};

const PLAIN: Readonly<Record<string, string>> = {
  "\u0152": "OE",
  "\u00c6": "AE",
  "\u1e9e": "SS",
  "\u00d8": "O",
  "\u0141": "L",
  "\u0110": "D",
  "\u2019": "'",
  "\u2018": "'",
  "\u00b4": "'",
  "\u0060": "'",
  "\u02bc": "'",
  "\ufffd": "?",
  "\u2013": "-",
  "\u2014": "-",
  "\u2010": "-",
  "\u2011": "-",
  "\u2022": ".",
  "\u20ac": "EUR",
};

/**
 * Upper case without accents, one spelling of apostrophes and dashes. The length may change (OE,
 * SS).
 */
export function fold(text: string): string {
  const upper = text.toUpperCase();
  for (let i = 0; i < upper.length; i += 1) {
    if (upper.charCodeAt(i) > 127) return foldAccents(upper);
  }
  return upper;
}

/** "NocibÃ©": UTF-8 read as Latin-1 by an exporter. */
const TWICE_ENCODED = /\u00c3([\u0080-\u00bf])/g;

function foldAccents(upper: string): string {
  let out = "";
  const text = upper.includes("\u00c3")
    ? upper.replace(
      TWICE_ENCODED,
      (_, second: string) => String.fromCharCode(0xc0 | (second.charCodeAt(0) & 0x3f)),
    )
    : upper;
  for (const char of text.normalize("NFD")) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 128) out += char;
    else if (code < 0x300 || code > 0x36f) out += PLAIN[char] ?? " ";
  }
  return out.toUpperCase();
}

type Vocabulary = {
  readonly mask: number;
  readonly slots: Int32Array;
  readonly words: string[];
  readonly hashes: Int32Array;
  readonly offsets: Int32Array;
  readonly chars: Uint8Array;
  readonly flags: Int32Array;
  readonly fields: Int32Array;
};

const HASH_SEED = 5381;

function hashOf(word: string): number {
  let hash = HASH_SEED;
  for (let i = 0; i < word.length; i += 1) hash = (Math.imul(hash, 33) + word.charCodeAt(i)) | 0;
  return hash;
}

function buildVocabulary(): Vocabulary {
  const known = new Map<string, { flags: number; fields: number }>();
  const add = (words: string, flags: number, fields: number): void => {
    for (const word of words.split(/\s+/)) {
      if (word === "") continue;
      const entry = known.get(word);
      if (entry === undefined) known.set(word, { flags, fields });
      else {
        entry.flags |= flags;
        entry.fields |= fields;
      }
    }
  };
  for (const [flags, fields, words] of WORDS) {
    add(
      words,
      flags,
      fields.reduce((bits, field) => bits | CATEGORY[field], 0),
    );
  }
  add(FIRST_NAMES, FIRST_NAME | ORDINARY, 0);
  add(SURNAMES, SURNAME | ORDINARY, 0);
  add(ORDINARY_WORDS, ORDINARY, 0);
  add(DOMINANT_WORDS, DOMINANT | ORDINARY, 0);
  const size = 8192;
  const slots = new Int32Array(size);
  const words = [...known.keys()];
  const flags = new Int32Array(words.length);
  const fields = new Int32Array(words.length);
  for (const [index, word] of words.entries()) {
    const entry = known.get(word);
    flags[index] = entry?.flags ?? 0;
    fields[index] = entry?.fields ?? 0;
    let slot = hashOf(word) & (size - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
    slots[slot] = index + 1;
  }
  const hashes = new Int32Array(words.length);
  const offsets = new Int32Array(words.length + 1);
  const text = words.join("");
  const chars = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) chars[i] = text.charCodeAt(i);
  for (const [index, word] of words.entries()) {
    hashes[index] = hashOf(word);
    offsets[index + 1] = (offsets[index] ?? 0) + word.length;
  }
  return { mask: size - 1, slots, words, hashes, offsets, chars, flags, fields };
}

const vocabulary = buildVocabulary();

const {
  mask: slotMask,
  slots,
  hashes,
  offsets,
  chars,
  flags: vocabularyFlags,
  fields: vocabularyFields,
} = vocabulary;

function find(text: string, start: number, end: number, hash: number): number {
  let slot = hash & slotMask;
  for (;;) {
    const index = (slots[slot] ?? 0) - 1;
    if (index < 0) return -1;
    if (hashes[index] === hash && isSame(text, start, end, index)) return index;
    slot = (slot + 1) & slotMask;
  }
}

function isSame(text: string, start: number, end: number, index: number): boolean {
  const offset = offsets[index] ?? 0;
  if ((offsets[index + 1] ?? 0) - offset !== end - start) return false;
  for (let i = start; i < end; i += 1) {
    if (text.charCodeAt(i) !== chars[offset + i - start]) return false;
  }
  return true;
}

/** The lexicon's bits for a folded word, 0 when unknown. */
export function wordFlags(word: string): number {
  const index = find(word, 0, word.length, hashOf(word));
  return index < 0 ? 0 : (vocabulary.flags[index] ?? 0);
}

/** The lexicon's fields of trade for a folded word, 0 when unknown. */
export function wordFields(word: string): number {
  const index = find(word, 0, word.length, hashOf(word));
  return index < 0 ? 0 : (vocabulary.fields[index] ?? 0);
}

/** The number of a lexicon word (never 0), as tokens carry it in `ids`. */
export function wordNumber(word: string): number {
  const index = find(word, 0, word.length, hashOf(word));
  if (index < 0) throw new Error(`not in the lexicon: ${word}`);
  return index + 1;
}

/** A set of lexicon words by number. */
export type WordSet = Uint8Array;

/** The set of these words (separated by blanks); every one must be in the lexicon. */
export function wordSet(words: string): WordSet {
  const set = new Uint8Array(vocabulary.words.length + 1);
  for (const word of words.split(" ")) {
    const index = find(word, 0, word.length, hashOf(word));
    if (index < 0) throw new Error(`not in the lexicon: ${word}`);
    set[index + 1] = 1;
  }
  return set;
}

export function newScan(): Scan {
  return {
    text: "",
    count: 0,
    starts: new Int32Array(64),
    ends: new Int32Array(64),
    kinds: new Uint8Array(64),
    gaps: new Int32Array(64),
    flags: new Int32Array(64),
    fields: new Int32Array(64),
    ids: new Int32Array(64),
    hasPipe: false,
    hasUnknown: false,
  };
}

function grow(into: Scan): void {
  const size = into.starts.length * 2;
  const copy = (from: Int32Array): Int32Array => {
    const to = new Int32Array(size);
    to.set(from);
    return to;
  };
  into.starts = copy(into.starts);
  into.ends = copy(into.ends);
  into.gaps = copy(into.gaps);
  into.flags = copy(into.flags);
  into.fields = copy(into.fields);
  into.ids = copy(into.ids);
  const kinds = new Uint8Array(size);
  kinds.set(into.kinds);
  into.kinds = kinds;
}

/** 0 other, 1 letter, 2 digit, else the gap bit shifted by two. */
const CLASS = new Int32Array(128).fill(GAP_OTHER << 2);
for (let code = 65; code <= 90; code += 1) CLASS[code] = LETTERS;
for (let code = 48; code <= 57; code += 1) CLASS[code] = DIGITS;
for (
  const [char, gap] of [
    [" ", GAP_SPACE],
    ["\t", GAP_SPACE],
    ["\n", GAP_SPACE],
    ["\r", GAP_SPACE],
    ["*", GAP_STAR],
    [".", GAP_DOT],
    ["/", GAP_SLASH],
    [",", GAP_COMMA],
    ["-", GAP_DASH],
    ["'", GAP_APOSTROPHE],
    ["`", GAP_APOSTROPHE],
    ["&", GAP_AMPERSAND],
    ["|", GAP_PIPE],
    ["+", GAP_PLUS],
  ] as const
) CLASS[char.charCodeAt(0)] = gap << 2;

/** Reads `label` into `into`. One pass over the characters; accents cost a second one. */
export function scan(label: string, into: Scan): void {
  const upper = label.toUpperCase();
  if (!scanAscii(upper, into)) scanAscii(foldAccents(upper), into);
}

function scanAscii(text: string, into: Scan): boolean {
  into.text = text;
  into.hasPipe = false;
  into.hasUnknown = false;
  let count = 0;
  let gap = GAP_SPACE;
  let i = 0;
  const length = text.length;
  // Arrays as locals: the loop below is the hottest of recognition.
  let { starts, ends, kinds, gaps, flags, fields, ids } = into;
  while (i < length) {
    const code = text.charCodeAt(i);
    if (code > 127) return false;
    const kind = CLASS[code] ?? 0;
    if (kind > DIGITS) {
      const bit = kind >> 2;
      gap |= bit;
      if (bit === GAP_PIPE) into.hasPipe = true;
      else if (code === 63) into.hasUnknown = true;
      i += 1;
      continue;
    }
    if (count + 5 > starts.length) {
      grow(into);
      ({ starts, ends, kinds, gaps, flags, fields, ids } = into);
    }
    const start = i;
    let hash = HASH_SEED;
    let next = code;
    do {
      hash = (Math.imul(hash, 33) + next) | 0;
      i += 1;
      if (i === length) break;
      next = text.charCodeAt(i);
      if (next > 127) return false;
    } while (CLASS[next] === kind);
    starts[count] = start;
    ends[count] = i;
    kinds[count] = kind;
    gaps[count] = gap;
    const known = kind === LETTERS ? find(text, start, i, hash) : -1;
    ids[count] = known + 1;
    flags[count] = known < 0 ? 0 : (vocabularyFlags[known] ?? 0);
    fields[count] = known < 0 ? 0 : (vocabularyFields[known] ?? 0);
    count += 1;
    gap = 0;
  }
  into.count = count;
  // Sentinels: rules look a few tokens ahead, and must not meet what the last label left there.
  for (let ahead = count; ahead < count + 4; ahead += 1) {
    into.starts[ahead] = length;
    into.ends[ahead] = length;
    into.kinds[ahead] = 0;
    into.gaps[ahead] = GAP_SPACE;
    into.flags[ahead] = 0;
    into.fields[ahead] = 0;
    into.ids[ahead] = 0;
  }
  return true;
}

export function wordAt(scan: Scan, index: number): string {
  return index < 0 || index >= scan.count
    ? ""
    : scan.text.slice(scan.starts[index], scan.ends[index]);
}
