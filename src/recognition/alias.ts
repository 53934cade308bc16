// How an alias that a brand manager typed is understood: which spellings an acquirer may write for
// it, where blanks may be, and how much it proves by itself. Pure; knows nothing of labels.

import {
  ARTICLE,
  CATEGORY,
  CATEGORY_HINTS,
  DOMAIN_END,
  DOMINANT,
  FIRST_NAME,
  LINK,
  NEUTRAL,
  OPENER,
  ORDINARY,
  PLACE,
  SISTER,
  TRADE,
} from "./data/lexicon.ts";
import { isTown } from "./place.ts";
import { fold, wordFields, wordFlags } from "./scan.ts";

/**
 * What an alias proves: STRONG by itself, PHRASE unless another name follows, WEAK only with
 * nothing strange around it.
 */
export const WEAK = 0;
export const PHRASE = 1;
export const STRONG = 2;
export type Strength = typeof WEAK | typeof PHRASE | typeof STRONG;

/** One spelling: letters and digits only, and where the words begin. */
export type Form = {
  readonly compact: string;
  readonly boundaries: number;
  readonly strength: Strength;
  /** How many letters a cut must keep, so that something of the name itself is left. */
  readonly least: number;
};

const BITS = 31;
const DOMAIN =
  /^(?:https?:\/\/)?(?:www\.)?([a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*)\.([a-z]{2,5})(?:\/.*)?$/i;
/** McDonald's, ManoMano: a capital inside a word begins a word. */
const MAY_BE_CAMEL = /[^A-Z\s'’.&+-][A-Z\u00c0-\u00de]/;
const CAMEL = /(\p{Ll})(?=\p{Lu})/gu;

function tokensOf(text: string): string[] {
  return fold(MAY_BE_CAMEL.test(text) ? text.replace(CAMEL, "$1 ") : text).match(
    /[A-Z]+\+?|[0-9]+\+?/g,
  ) ?? [];
}

/** Letters and digits of a name, folded: the key under which spellings are compared. */
export function compactOf(text: string): string {
  return tokensOf(text).join("").replaceAll("+", "");
}

function boundariesOf(tokens: readonly string[]): number {
  let at = 0;
  let bits = 0;
  for (const token of tokens) {
    at += token.length;
    if (at < BITS) bits |= 1 << at;
  }
  return bits;
}

function isOrdinary(token: string): boolean {
  return token.length === 1 ||
    (wordFlags(token) & (ORDINARY | LINK | TRADE | PLACE | NEUTRAL | OPENER | SISTER)) !== 0 ||
    isTown(token);
}

function singleWord(word: string): Strength {
  if (word.length <= 2) return WEAK;
  const flags = wordFlags(word);
  if ((flags & DOMINANT) !== 0) return PHRASE;
  if (isOrdinary(word)) return WEAK;
  // BUT, ADA, NOZ could be words; KFC, UGC, SFR could not.
  if (word.length === 3) {
    return /^(?:[^AEIOUY][AEIOUY].|[AEIOUY][^AEIOUY][AEIOUY])$/.test(word) ? WEAK : PHRASE;
  }
  return STRONG;
}

/** What the words of an alias prove. */
function strengthOf(tokens: readonly string[]): Strength {
  const named = tokens.filter((token, i) => i > 0 || (wordFlags(token) & ARTICLE) === 0);
  const words = named.length === 0 ? tokens : named;
  const compact = tokens.join("");
  if (compact.length <= 2) return WEAK;
  const [only] = words;
  if (words.length === 1 && only !== undefined) return singleWord(only.replace("+", ""));
  if (words.every((word) => isOrdinary(word) || /^\d/.test(word))) {
    return compact.length <= 3 ? WEAK : PHRASE;
  }
  return STRONG;
}

const GENERIC = TRADE | ARTICLE | LINK | OPENER | NEUTRAL | PLACE;
const LEAST_OF_NAME = 3;

/**
 * "LA BOULANGERIE NANTES" has nothing of Boulangerie Paul: three letters of the first word that is
 * no trade and no article must be there, or all of it when it is shorter.
 */
function leastLetters(tokens: readonly string[]): number {
  let at = 0;
  for (const token of tokens) {
    if ((wordFlags(token) & GENERIC) === 0) return at + Math.min(LEAST_OF_NAME, token.length);
    at += token.length;
  }
  return at;
}

function form(tokens: readonly string[], strength: Strength = strengthOf(tokens)): Form {
  return {
    compact: tokens.join(""),
    boundaries: boundariesOf(tokens),
    strength,
    least: leastLetters(tokens),
  };
}

function isDistinctive(word: string): boolean {
  return word.length >= 6 && !isOrdinary(word);
}

function domainForms(name: string, end: string): Form[] {
  const base = tokensOf(name);
  const tld = fold(end);
  const forms = [form([...base, tld], STRONG)];
  const [only] = base;
  // "free.fr" alone says nothing about FREE; "marionnaud.fr" does about MARIONNAUD.
  if (base.length > 1 || (only !== undefined && (isDistinctive(only) || only.length >= 10))) {
    forms.push(form(base));
  }
  return forms;
}

/** H&M, NATURE & DECOUVERTES: the ampersand is kept, dropped or written ET. */
function conjunctions(text: string): string[] {
  if (!/[&+]|\set\s/i.test(text)) return [text];
  if (/&|\+/.test(text) && /[&+]\s*\p{L}/u.test(text)) {
    return [text.replace(/[&+]/g, " "), text.replace(/\s*[&+]\s*/g, " et ")];
  }
  const without = text.replace(/(\p{L}{3,})\s+et\s+(\p{L}{3,})/iu, "$1 $2");
  return without === text ? [text] : [text, without];
}

function possessives(tokens: readonly string[]): string[] | null {
  const last = tokens.indexOf("S");
  if (last <= 0) return null;
  const rest = tokens.filter((_, i) => i !== last);
  return rest.join("").length >= 8 ? rest : null;
}

function saints(tokens: readonly string[]): string[] | null {
  if (!tokens.some((token) => token === "SAINT" || token === "SAINTE")) return null;
  return tokens.map((token) => (token === "SAINT" ? "ST" : token === "SAINTE" ? "STE" : token));
}

/** Most aliases are plain words: one spelling, no pattern to try. */
const PLAIN_WORDS = /^(?:[A-Z ]+|[A-Z]?[a-z]+(?: [A-Z]?[a-z]+)*)$/;

function plainForms(text: string): Form[] | null {
  if (!PLAIN_WORDS.test(text)) return null;
  const tokens = text.toUpperCase().split(/ +/);
  if (
    tokens.length > 1 &&
    ((wordFlags(tokens[0] ?? "") & (ARTICLE | FIRST_NAME)) !== 0 ||
      tokens.some((token) =>
        token === "ET" || token === "S" || token === "SAINT" || token === "SAINTE"
      ))
  ) return null;
  return [form(tokens)];
}

const SHORTEST_SURNAME = 5;

/**
 * "A AFFLELOU" for "Alain Afflelou": a first name as its initial, before a name that is no trade.
 */
function withInitial(tokens: readonly string[]): Form | null {
  const [first = "", ...rest] = tokens;
  const last = rest.at(-1) ?? "";
  if (
    (wordFlags(first) & FIRST_NAME) === 0 || rest.join("").length < SHORTEST_SURNAME ||
    (wordFlags(last) & GENERIC) !== 0
  ) return null;
  return form([first.slice(0, 1), ...rest], isDistinctive(last) ? STRONG : PHRASE);
}

const LEADING_ARTICLE = /^L(?:A|E|ES)$/;

/**
 * Every spelling of an alias, without repeats. Empty when nothing of it is left (emoji,
 * punctuation).
 */
export function formsOf(alias: string): Form[] {
  const trimmed = alias.trim();
  const plain = plainForms(trimmed);
  if (plain !== null) return plain;
  const domain = trimmed.includes(".") ? DOMAIN.exec(trimmed) : null;
  if (domain !== null && (wordFlags(fold(domain[2] ?? "")) & DOMAIN_END) !== 0) {
    return domainForms(domain[1] ?? "", domain[2] ?? "");
  }
  const forms: Form[] = [];
  // A label's own "(France)" or "(Aldi Nord group)" is an index's remark, not a part of the name.
  for (
    const spelling of conjunctions(
      trimmed.endsWith(")") ? trimmed.replace(/\s*\([^()]*\)$/, "") : trimmed,
    )
  ) {
    const tokens = tokensOf(spelling);
    if (tokens.length === 0) continue;
    forms.push(form(tokens));
    const last = tokens.at(-1) ?? "";
    if (last.endsWith("+")) {
      forms.push(form([...tokens.slice(0, -1), last.slice(0, -1), "PLUS"], strengthOf(tokens)));
    }
    const bare = possessives(tokens);
    if (bare !== null) forms.push(form(bare));
    const short = saints(tokens);
    if (short !== null) forms.push(form(short));
    const elided = tokens.length > 2 && tokens.join("").length >= 10
      ? tokens.filter((token, i) => i === 0 || token !== "D")
      : tokens;
    if (elided.length < tokens.length) forms.push(form(elided, strengthOf(tokens)));
    const initial = withInitial(tokens);
    if (initial !== null) forms.push(initial);
    const [first, second] = tokens;
    // "GRANDE RECRE" for "La Grande Récré".
    if (
      tokens.length > 2 && first !== undefined && (wordFlags(first) & ARTICLE) !== 0 &&
      LEADING_ARTICLE.test(first)
    ) forms.push(form(tokens.slice(1), WEAK));
    if (
      tokens.length === 2 && first !== undefined && second !== undefined &&
      (wordFlags(first) & ARTICLE) !== 0 && isDistinctive(second)
    ) forms.push(form([second], WEAK));
  }
  return forms.length === 1
    ? forms
    : forms.filter((one, i) =>
      one.compact !== "" && forms.findIndex((other) => other.compact === one.compact) === i
    );
}

const knownFields = new Map<string, number>();

/**
 * The fields of trade that a brand's category text names, as bits of lexicon.ts. Categories repeat,
 * so they are kept.
 */
export function fieldsOf(category: string | undefined): number {
  if (category === undefined) return 0;
  const known = knownFields.get(category);
  if (known !== undefined) return known;
  const fields = readFields(category);
  if (knownFields.size < 1_000) knownFields.set(category, fields);
  return fields;
}

/** Short hints are whole words, longer ones may be inside another. */
const PADDED_HINTS = CATEGORY_HINTS.map(([hint, field]) => ({
  text: hint.length <= 4 ? ` ${hint} ` : hint,
  bit: CATEGORY[field],
  whole: hint.length <= 4,
}));

function readFields(category: string): number {
  const text = fold(category).toLowerCase();
  const words = ` ${text.replace(/[^a-z]+/g, " ")} `;
  let bits = 0;
  for (const hint of PADDED_HINTS) {
    if ((hint.whole ? words : text).includes(hint.text)) bits |= hint.bit;
  }
  for (const word of words.trim().split(" ")) bits |= wordFields(word.toUpperCase());
  return bits;
}
