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
const GAP_BITS = 2047;

/**
 * The tokens of one label. Reused from label to label: valid until the next `scan` of the same
 * object.
 */
export type Scan = {
  /** The label, or its folded form where it has more than ASCII letters; see `textBetween`. */
  text: string;
  /** The folded characters, then two zeros. */
  chars: Uint8Array;
  hasLower: boolean;
  count: number;
  starts: Int32Array;
  ends: Int32Array;
  kinds: Uint8Array;
  gaps: Int32Array;
  flags: Int32Array;
  fields: Int32Array;
  /** Number of the word in the lexicon plus one, 0 when unknown. */
  ids: Int32Array;
  /** The flags of all tokens together. */
  seenFlags: number;
  hasPipe: boolean;
  hasStar: boolean;
  /** Between tokens there is more than one blank in a row, or another than the plain one. */
  hasOtherBlanks: boolean;
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
  /** Number of the word plus one in the low bits, the rest of its hash above; 0 for a free slot. */
  readonly slots: Int32Array;
  readonly words: string[];
  /** Four numbers a word: offset in `chars`, length, flags, fields. */
  readonly facts: Int32Array;
  readonly chars: Uint8Array;
};

/** More than twice the words; the bits above are the rest of the hash. */
const SLOTS = 8192;
const SLOT_MASK = SLOTS - 1;

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
  const words = [...known.keys()];
  if (words.length > SLOTS / 2) throw new Error("the lexicon outgrew its table");
  const text = words.join("");
  const chars = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) chars[i] = text.charCodeAt(i);
  const slots = new Int32Array(SLOTS);
  const facts = new Int32Array(words.length * 4);
  let offset = 0;
  for (const [index, word] of words.entries()) {
    const entry = known.get(word);
    facts.set([offset, word.length, entry?.flags ?? 0, entry?.fields ?? 0], index * 4);
    offset += word.length;
    const hash = hashOf(word);
    let slot = hash & SLOT_MASK;
    while (slots[slot] !== 0) slot = (slot + 1) & SLOT_MASK;
    slots[slot] = (hash & ~SLOT_MASK) | (index + 1);
  }
  return { slots, words, facts, chars };
}

const vocabulary = buildVocabulary();
const { slots: wordSlots, facts: wordFacts, chars: wordChars } = vocabulary;

/** The index of the word in `chars` from `start` to `end`, -1 when the lexicon lacks it. */
function find(chars: Uint8Array, start: number, end: number, hash: number): number {
  let slot = hash & SLOT_MASK;
  for (;;) {
    const found = wordSlots[slot] ?? 0;
    if (found === 0) return -1;
    if (((found ^ hash) & ~SLOT_MASK) === 0) {
      const index = (found & SLOT_MASK) - 1;
      if (isSame(chars, start, end, index)) return index;
    }
    slot = (slot + 1) & SLOT_MASK;
  }
}

function isSame(chars: Uint8Array, start: number, end: number, index: number): boolean {
  if (wordFacts[index * 4 + 1] !== end - start) return false;
  const offset = (wordFacts[index * 4] ?? 0) - start;
  for (let i = start; i < end; i += 1) if (chars[i] !== wordChars[offset + i]) return false;
  return true;
}

const lookUp = { chars: new Uint8Array(64) };

function indexOf(word: string): number {
  if (word.length > lookUp.chars.length) return -1;
  for (let i = 0; i < word.length; i += 1) lookUp.chars[i] = word.charCodeAt(i);
  return find(lookUp.chars, 0, word.length, hashOf(word));
}

/** The lexicon's bits for a folded word, 0 when unknown. */
export function wordFlags(word: string): number {
  const index = indexOf(word);
  return index < 0 ? 0 : (wordFacts[index * 4 + 2] ?? 0);
}

/** The lexicon's fields of trade for a folded word, 0 when unknown. */
export function wordFields(word: string): number {
  const index = indexOf(word);
  return index < 0 ? 0 : (wordFacts[index * 4 + 3] ?? 0);
}

/** The number of a lexicon word (never 0), as tokens carry it in `ids`. */
export function wordNumber(word: string): number {
  const index = indexOf(word);
  if (index < 0) throw new Error(`not in the lexicon: ${word}`);
  return index + 1;
}

/** A set of lexicon words by number. */
export type WordSet = Uint8Array;

/** The set of these words (separated by blanks); every one must be in the lexicon. */
export function wordSet(words: string): WordSet {
  const set = new Uint8Array(vocabulary.words.length + 1);
  for (const word of words.split(" ")) {
    const index = indexOf(word);
    if (index < 0) throw new Error(`not in the lexicon: ${word}`);
    set[index + 1] = 1;
  }
  return set;
}

const NO_BYTES = new Uint8Array(0);
const NO_NUMBERS = new Int32Array(0);
/** Sentinels behind the last token. */
const AHEAD = 4;
/** Characters of nearly every label: longer ones make more room. */
const USUAL_LENGTH = 252;

export function newScan(): Scan {
  const into: Scan = {
    text: "",
    chars: NO_BYTES,
    hasLower: false,
    count: 0,
    starts: NO_NUMBERS,
    ends: NO_NUMBERS,
    kinds: NO_BYTES,
    gaps: NO_NUMBERS,
    flags: NO_NUMBERS,
    fields: NO_NUMBERS,
    ids: NO_NUMBERS,
    seenFlags: 0,
    hasPipe: false,
    hasStar: false,
    hasOtherBlanks: false,
    hasUnknown: false,
  };
  makeRoom(into, USUAL_LENGTH);
  return into;
}

/** Room for a label of so many characters: at most a token each, and those that rules look ahead. */
function makeRoom(into: Scan, length: number): void {
  if (into.chars.length >= length + 2 && into.starts.length >= length + AHEAD) return;
  const size = (length + AHEAD) * 2;
  into.chars = new Uint8Array(size);
  into.starts = new Int32Array(size);
  into.ends = new Int32Array(size);
  into.kinds = new Uint8Array(size);
  into.gaps = new Int32Array(size);
  into.flags = new Int32Array(size);
  into.fields = new Int32Array(size);
  into.ids = new Int32Array(size);
}

/**
 * What a character of ASCII is, in one number: its upper case in the low seven bits, then LETTERS or
 * DIGITS in two bits, or else the gap bit above them.
 */
const READ = new Int32Array(128);
const FOLDED = 127;
const KIND_SHIFT = 7;
const KIND = 3 << KIND_SHIFT;
const GAP_SHIFT = 9;
/**
 * Above the gap bits that tokens keep: a blank that a merchant's text shows as a plain one, or that
 * follows another; and a question mark.
 */
const OTHER_BLANK = 1 << 12;
const QUESTION = 1 << 13;

const GAPS: ReadonlyMap<string, number> = new Map([
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
]);

for (let code = 0; code < 128; code += 1) {
  const char = String.fromCharCode(code);
  const upper = code >= 97 && code <= 122 ? code - 32 : code;
  const kind = upper >= 65 && upper <= 90 ? LETTERS : upper >= 48 && upper <= 57 ? DIGITS : 0;
  const gap = kind === 0 ? GAPS.get(char) ?? GAP_OTHER : 0;
  const blank = char !== " " && char.trim() === "" ? OTHER_BLANK : 0;
  const question = char === "?" ? QUESTION : 0;
  READ[code] = upper | (kind << KIND_SHIFT) | ((gap | blank | question) << GAP_SHIFT);
}

/** Reads `label` into `into`. One pass over the characters; accents cost a second one. */
export function scan(label: string, into: Scan): void {
  if (!scanAscii(label, into)) scanAscii(foldAccents(label.toUpperCase()), into);
}

function scanAscii(text: string, into: Scan): boolean {
  const { length } = text;
  makeRoom(into, length);
  into.text = text;
  let lower = 0;
  let count = 0;
  let gap = GAP_SPACE;
  let seenGaps = 0;
  let seenFlags = 0;
  let i = 0;
  // Arrays as locals: the loop below is the hottest of recognition.
  const { chars, starts, ends, kinds, gaps, flags, fields, ids } = into;
  while (i < length) {
    let code = text.charCodeAt(i);
    if (code > 127) return false;
    let read = READ[code] ?? 0;
    const kind = read & KIND;
    if (kind === 0) {
      const bits = read >> GAP_SHIFT;
      gap |= bits | ((gap & bits & GAP_SPACE) * OTHER_BLANK);
      chars[i] = code;
      i += 1;
      continue;
    }
    starts[count] = i;
    let hash = HASH_SEED;
    const start = i;
    do {
      const char = read & FOLDED;
      chars[i] = char;
      lower |= code ^ char;
      hash = (Math.imul(hash, 33) + char) | 0;
      i += 1;
      if (i === length) break;
      code = text.charCodeAt(i);
      if (code > 127) return false;
      read = READ[code] ?? 0;
    } while ((read & KIND) === kind);
    ends[count] = i;
    kinds[count] = kind >> KIND_SHIFT;
    seenGaps |= gap;
    gaps[count] = gap & GAP_BITS;
    const known = kind === LETTERS << KIND_SHIFT ? find(chars, start, i, hash) : -1;
    ids[count] = known + 1;
    if (known < 0) {
      flags[count] = 0;
      fields[count] = 0;
    } else {
      const wordFlags = wordFacts[known * 4 + 2] ?? 0;
      flags[count] = wordFlags;
      seenFlags |= wordFlags;
      fields[count] = wordFacts[known * 4 + 3] ?? 0;
    }
    count += 1;
    gap = 0;
  }
  into.count = count;
  into.hasLower = lower !== 0;
  into.seenFlags = seenFlags;
  endScan(into, length, seenGaps | gap);
  return true;
}

/** Sentinels: rules look a few tokens ahead, and must not meet what the last label left there. */
function endScan(into: Scan, length: number, seenGaps: number): void {
  const { count } = into;
  into.hasPipe = (seenGaps & GAP_PIPE) !== 0;
  into.hasStar = (seenGaps & GAP_STAR) !== 0;
  into.hasOtherBlanks = (seenGaps & OTHER_BLANK) !== 0;
  into.hasUnknown = (seenGaps & QUESTION) !== 0;
  into.chars[length] = 0;
  into.chars[length + 1] = 0;
  for (let ahead = count; ahead < count + AHEAD; ahead += 1) {
    into.starts[ahead] = length;
    into.ends[ahead] = length;
    into.kinds[ahead] = 0;
    into.gaps[ahead] = GAP_SPACE;
    into.flags[ahead] = 0;
    into.fields[ahead] = 0;
    into.ids[ahead] = 0;
  }
}

/** The folded text from one character to another. */
export function textBetween(scan: Scan, start: number, end: number): string {
  const text = scan.text.slice(start, end);
  return scan.hasLower ? text.toUpperCase() : text;
}

/** The folded text of a token, empty when there is none. */
export function wordAt(scan: Scan, index: number): string {
  return index < 0 || index >= scan.count
    ? ""
    : textBetween(scan, scan.starts[index] ?? 0, scan.ends[index] ?? 0);
}

/** Whether the folded text goes on with `word` at a character. */
export function goesOn(scan: Scan, start: number, word: string): boolean {
  for (let i = 0; i < word.length; i += 1) {
    if (scan.chars[start + i] !== word.charCodeAt(i)) return false;
  }
  return true;
}
