// Finds the brand in a merchant field: which token may begin it, how far the catalogue's spellings
// reach, and whether what stands around allows it. Works on tokens and the trie alone. When in
// doubt it finds nothing: a false match is a reward paid for nothing.

import { PHRASE, STRONG, WEAK } from "./alias.ts";
import {
  ARTICLE,
  COMPANY,
  CONNECTIVE,
  COUNTRY,
  DOMAIN_END,
  FIRST_NAME,
  GLUE,
  HARD_TRADE,
  INTRO,
  NEUTRAL,
  OPENER,
  PLACE,
  SISTER,
  SURNAME,
  TERMINAL,
  TRADE,
  WALLET,
} from "./lexicon.ts";
import { isHeadAt } from "./frame.ts";
import { townTokens } from "./place.ts";
import {
  DIGITS,
  GAP_AMPERSAND,
  GAP_DASH,
  GAP_DOT,
  GAP_PLUS,
  GAP_SPACE,
  GAP_STAR,
  LETTERS,
  wordFlags,
} from "./scan.ts";
import type { Scan } from "./scan.ts";
import {
  initialsBefore,
  isCode,
  isContactless,
  isCutNeutral,
  isCutTrade,
  isDepartment,
  isTownNext,
  isWord,
  junkTokens,
  LONGEST_CUT,
  looksLikeTown,
  SHORTEST_CUT,
  terminalCode,
} from "./tokens.ts";
import { child, NONE, SEVERAL } from "./trie.ts";
import type { Trie } from "./trie.ts";

/** Why a brand was found or refused: stable codes, shown to operators and in a customer's claim. */
export type Rule =
  | "exact"
  | "ordinary_word_alone"
  | "glued"
  | "truncated"
  | "descriptor"
  | "no_alias"
  | "ordinary_word_in_context"
  | "other_company"
  | "small_trader"
  | "ambiguous"
  | "excluded"
  | "too_little_left"
  | "unknown_town";

/**
 * The outcome for one field. Reused between labels. `work` counts steps, for the test that they
 * grow with the label only.
 */
export type Match = {
  brand: number;
  entry: number;
  start: number;
  end: number;
  rule: Rule;
  merchantFrom: number;
  work: number;
};

/** What the matcher needs to know of the brands, by index. */
export type BrandFacts = {
  readonly fields: Int32Array;
  readonly excluded: readonly (readonly string[] | null)[];
};

export function newMatch(): Match {
  return { brand: NONE, entry: NONE, start: 0, end: 0, rule: "no_alias", merchantFrom: 0, work: 0 };
}

/**
 * Cuts in the middle of a field, before a town: 15 to 17 and 20, or 12 to 14 behind a contactless
 * mark.
 */
const LONGEST_INNER_CUT = 17;
const INNER_CUT = 20;
const SHORTEST_STEM = 6;
const SHORTEST_PHRASE_STEM = 9;
const UNKNOWN_TOWN_MAX = 14;
const LONG_PHRASE = 12;
const LONGEST_GLUED = 12;
/** The merchant column of most acquirers. */
const COLUMN = 15;

type Walk = {
  entry: number;
  end: number;
  cutNode: number;
  cutEnd: number;
  cutDepth: number;
  cutBlanks: number;
  glueEntry: number;
  glueAt: number;
  glueToken: number;
};

const walked: Walk = {
  entry: NONE,
  end: 0,
  cutNode: 0,
  cutEnd: 0,
  cutDepth: 0,
  cutBlanks: 0,
  glueEntry: NONE,
  glueAt: 0,
  glueToken: 0,
};

/**
 * Blanks where the alias has none: only in a long word, and not after an article ("LE BON COIN" is
 * no LEBONCOIN).
 */
function gapsFit(
  scan: Scan,
  trie: Trie,
  entryIndex: number,
  from: number,
  blanks: number,
): boolean {
  const entry = trie.entries[entryIndex];
  if (entry === undefined) return false;
  const strange = blanks & ~entry.boundaries;
  if (strange === 0) return true;
  return entry.strength === STRONG && entry.compact.length >= 9 &&
    ((scan.flags[from] ?? 0) & ARTICLE) === 0 && (strange & (strange - 1)) === 0 &&
    (strange & 0b110) === 0;
}

/** Follows the catalogue's spellings from token `i` as far as they go. */
function walk(
  scan: Scan,
  trie: Trie,
  i: number,
  to: number,
  fieldStart: number,
  offset: number,
  match: Match,
): void {
  walked.entry = NONE;
  walked.cutNode = 0;
  walked.glueEntry = NONE;
  let node = 0;
  let depth = 0;
  let blanks = 0;
  for (let t = i; t < to; t += 1) {
    const start = (scan.starts[t] ?? 0) + (t === i ? offset : 0);
    const end = scan.ends[t] ?? 0;
    if (t > i && scan.gaps[t] !== 0 && depth < 31) blanks |= 1 << depth;
    for (let at = start; at < end; at += 1) {
      match.work += 1;
      node = child(trie, node, scan.text.charCodeAt(at));
      if (node === 0) return;
      depth += 1;
      if (at + 1 < end && trie.terms[node] !== NONE && scan.kinds[t] === LETTERS) {
        walked.glueEntry = trie.terms[node] ?? NONE;
        walked.glueAt = at + 1;
        walked.glueToken = t;
      }
    }
    // "CANAL+", and "CANAL +" where the bank puts a blank.
    if (
      scan.text.charCodeAt(end) === 43 ||
      (scan.text.charCodeAt(end) === 32 && scan.text.charCodeAt(end + 1) === 43)
    ) {
      const plus = child(trie, node, 43);
      if (plus !== 0) {
        node = plus;
        depth += 1;
      }
    }
    const term = trie.terms[node] ?? NONE;
    if (term !== NONE && gapsFit(scan, trie, term, i, blanks)) {
      walked.entry = term;
      walked.end = t + 1;
    }
    const width = end - fieldStart;
    if (
      width >= SHORTEST_CUT && width <= LONGEST_CUT &&
      (t + 1 === to || (width > SHORTEST_CUT && width <= LONGEST_INNER_CUT) || width === INNER_CUT)
    ) {
      walked.cutNode = node;
      walked.cutEnd = t + 1;
      walked.cutDepth = depth;
      walked.cutBlanks = blanks;
    }
  }
}

/**
 * Whether everything from `n` on says nothing about who it is: numbers, towns, legal forms, the
 * brand's own trade.
 */
function restIsNeutral(
  scan: Scan,
  trie: Trie,
  n: number,
  to: number,
  fields: number,
  fieldStart: number,
  match: Match,
): boolean {
  let i = n;
  while (i < to) {
    match.work += 1;
    const gap = scan.gaps[i] ?? 0;
    if ((gap & GAP_AMPERSAND) !== 0) return false;
    if (scan.kinds[i] === DIGITS) {
      const size = (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0);
      if (isDepartment(scan, i, to)) return true;
      const gluedNext = i + 1 < to && scan.gaps[i + 1] === 0;
      // "FREE2MOVE" is a name.
      if (gluedNext && (scan.ends[i + 1] ?? 0) - (scan.starts[i + 1] ?? 0) > 2) return false;
      if (size >= 3) return true;
      i += gluedNext ? 2 : 1;
      continue;
    }
    const town = townTokens(scan, i, to);
    if (town > 0) {
      i += town;
      continue;
    }
    const flags = scan.flags[i] ?? 0;
    if ((flags & INTRO) !== 0) return true;
    // A6, L75622: a motorway, a terminal.
    if (isCode(scan, i, to)) {
      i += 2;
      continue;
    }
    // "CASINO DE PARIS"; DE as a country stands at the end.
    if ((flags & CONNECTIVE) !== 0 && i + 1 < to) return false;
    if ((flags & ARTICLE) !== 0 && i + 1 < to) {
      i += 1;
      continue;
    }
    if (
      (flags & (NEUTRAL | PLACE | COUNTRY | DOMAIN_END)) !== 0 || isContactless(scan, i) ||
      ((flags & (TRADE | SISTER)) !== 0 && ((scan.fields[i] ?? 0) & fields) !== 0)
    ) {
      i += 1;
      continue;
    }
    return looksLikeTown(scan, i) ||
      ((i + 1 === to || isTownNext(scan, i + 1, to)) &&
        isCutNeutral(scan, i, fieldStart, fields)) ||
      isOtherBrand(scan, trie, i, to, match);
  }
  return true;
}

/**
 * Another distinctive brand to the end of the field ("RELAY SNCF"): the first of two wins, whatever
 * word it is.
 */
function isOtherBrand(scan: Scan, trie: Trie, i: number, to: number, match: Match): boolean {
  // "JULES MICHELIN" is a person, whatever else Michelin is.
  if (((scan.flags[match.start] ?? 0) & (FIRST_NAME | SURNAME)) !== 0) return false;
  let node = 0;
  for (let t = i; t < to; t += 1) {
    for (let at = scan.starts[t] ?? 0; at < (scan.ends[t] ?? 0); at += 1) {
      match.work += 1;
      node = child(trie, node, scan.text.charCodeAt(at));
      if (node === 0) return false;
    }
    const entry = trie.entries[trie.terms[node] ?? NONE];
    if (
      entry !== undefined && entry.strength !== WEAK && entry.compact.length >= 3 &&
      (t + 1 === to || scan.kinds[t + 1] === DIGITS)
    ) return true;
  }
  return false;
}

/** Whether the word after a strong or phrase alias makes it another company. */
function isOtherCompany(
  scan: Scan,
  n: number,
  to: number,
  fields: number,
  strength: number,
  fieldStart: number,
): boolean {
  if (n >= to || scan.kinds[n] === DIGITS) return false;
  const flags = scan.flags[n] ?? 0;
  const own = ((scan.fields[n] ?? 0) & fields) !== 0;
  if ((flags & (HARD_TRADE | SISTER)) !== 0) return !own;
  // "X ET FILS", "X & FRERES", "X AUTO ECOLE"
  if (
    ((scan.gaps[n] ?? 0) & GAP_AMPERSAND) !== 0 || isWord(scan, n, "ET") ||
    (isWord(scan, n, "AUTO") && isWord(scan, n + 1, "ECOLE"))
  ) return true;
  if (flags === 0 && n + 1 === to && isCutTrade(scan, n, fieldStart)) return true;
  if (strength !== PHRASE || townTokens(scan, n, to) > 0 || (flags & (PLACE | NEUTRAL)) !== 0) {
    return false;
  }
  if ((flags & TRADE) !== 0) return !own;
  return (flags & (FIRST_NAME | SURNAME)) !== 0 || (n + 1 < to && (flags & CONNECTIVE) !== 0);
}

/**
 * The tokens of `phrase` in a row at `i`, as compact text; its last one may be cut where the field
 * ends ("AMAZON WEB SERVIC").
 */
function phraseEnds(
  scan: Scan,
  i: number,
  to: number,
  compact: string,
  fieldStart: number,
  matched: number,
): number {
  let at = 0;
  for (let t = i; t < to; t += 1) {
    const start = scan.starts[t] ?? 0;
    const size = (scan.ends[t] ?? 0) - start;
    if (!compact.startsWith(scan.text.slice(start, start + size), at)) return 0;
    at += size;
    if (at === compact.length) return t + 1;
  }
  // More than the alias itself must be there: "HYPER CARREFOUR" is not cut from "CARREFOUR BANQUE".
  return at >= matched + 3 && at * 5 >= compact.length * 3 &&
      (scan.ends[to - 1] ?? 0) - fieldStart >= SHORTEST_CUT
    ? to
    : 0;
}

/**
 * An operator's excluded phrase anywhere in the field refuses the brand, unless the alias that
 * matched contains it.
 */
function isExcluded(
  scan: Scan,
  from: number,
  to: number,
  phrases: readonly string[],
  match: Match,
  matched: string,
): boolean {
  for (const phrase of phrases) {
    const inside = matched.length > phrase.length && matched.includes(phrase);
    for (let i = from; i < to; i += 1) {
      match.work += 1;
      const end = phraseEnds(scan, i, to, phrase, scan.starts[from] ?? 0, matched.length);
      if (end > 0 && !(inside && i >= match.start && end <= match.end)) return true;
    }
  }
  return false;
}

/** Where a candidate stands: what came before it decides how much it must prove. */
type Place = {
  opened: number;
  afterWallet: boolean;
  townUnknown: boolean;
  townDoubtful: boolean;
  afterArticle: boolean;
  strict: boolean;
};

const place: Place = {
  opened: 0,
  afterWallet: false,
  townUnknown: false,
  townDoubtful: false,
  afterArticle: false,
  strict: false,
};

function refuse(match: Match, rule: Rule): boolean {
  match.brand = NONE;
  match.rule = rule;
  return false;
}

function take(
  scan: Scan,
  trie: Trie,
  brands: BrandFacts,
  match: Match,
  field: { from: number; to: number },
  entryIndex: number,
  end: number,
  rule: Rule,
): boolean {
  const entry = trie.entries[entryIndex];
  if (entry === undefined) return false;
  match.end = end;
  if (entry.brand === NONE) return refuse(match, "ambiguous");
  const fields = brands.fields[entry.brand] ?? 0;
  const fieldStart = scan.starts[field.from] ?? 0;
  const { strength } = entry;
  if (strength === WEAK) {
    // A brand whose trade nobody entered may stand behind any opener.
    const opened = place.opened === 0 || fields === 0 || (place.opened & fields) !== 0;
    if (
      place.townUnknown || place.townDoubtful || place.afterArticle || place.strict || !opened ||
      !restIsNeutral(scan, trie, end, field.to, fields, fieldStart, match)
    ) return refuse(match, "ordinary_word_in_context");
  } else {
    if (place.strict && strength !== STRONG) return refuse(match, "ordinary_word_in_context");
    if (place.opened !== 0 && fields !== 0 && (place.opened & fields) === 0) {
      return refuse(match, "ordinary_word_in_context");
    }
    if (place.afterArticle && entry.compact.length < LONG_PHRASE) {
      return refuse(match, "ordinary_word_in_context");
    }
    if (
      place.townUnknown && strength !== STRONG &&
      !restIsNeutral(scan, trie, end, field.to, fields, fieldStart, match)
    ) return refuse(match, "unknown_town");
    if (isOtherCompany(scan, end, field.to, fields, strength, fieldStart)) {
      return refuse(match, "other_company");
    }
  }
  const excluded = brands.excluded[entry.brand];
  if (excluded && isExcluded(scan, field.from, field.to, excluded, match, entry.compact)) {
    return refuse(match, "excluded");
  }
  match.brand = entry.brand;
  match.entry = entryIndex;
  match.rule = entry.curated
    ? "descriptor"
    : rule === "exact" && strength === WEAK
    ? "ordinary_word_alone"
    : rule;
  return true;
}

/** A cut alias counts when what is left is long enough and can only be one brand. */
function takeCut(
  scan: Scan,
  trie: Trie,
  brands: BrandFacts,
  match: Match,
  field: { from: number; to: number },
): boolean {
  const node = walked.cutNode;
  const brand = trie.below[node] ?? NONE;
  match.end = walked.cutEnd;
  if (brand === SEVERAL || brand === NONE) return refuse(match, "ambiguous");
  if (walked.cutDepth < SHORTEST_STEM || walked.cutDepth * 2 < (trie.shortest[node] ?? 255)) {
    return refuse(match, "too_little_left");
  }
  // Any entry below will do, since all are of one brand.
  const entryIndex = trie.first[node] ?? NONE;
  const entry = trie.entries[entryIndex];
  if (
    entry === undefined || entry.strength === WEAK || (walked.cutBlanks & ~entry.boundaries) !== 0
  ) return refuse(match, "too_little_left");
  if (walked.cutDepth < entry.least) return refuse(match, "too_little_left");
  // Cut between two words: nothing of the next one vouches for it, so more of the alias must be
  // there.
  if (
    ((entry.boundaries >> walked.cutDepth) & 1) !== 0 &&
    (walked.cutDepth < SHORTEST_PHRASE_STEM || walked.cutDepth * 5 < entry.compact.length * 3)
  ) return refuse(match, "too_little_left");
  // In the middle of the field only a town may follow a cut word.
  if (walked.cutEnd < field.to && !isTownNext(scan, walked.cutEnd, field.to)) {
    return refuse(match, "too_little_left");
  }
  return take(scan, trie, brands, match, field, entryIndex, walked.cutEnd, "truncated");
}

/** CASINOSHOP, CARREFSTATION: an alias with a retail word glued to it. */
function glueFits(scan: Scan, trie: Trie): boolean {
  const entry = trie.entries[walked.glueEntry];
  if (entry === undefined || entry.compact.length < 4) return false;
  const rest = scan.text.slice(walked.glueAt, scan.ends[walked.glueToken]);
  if (rest.length >= 2 && (wordFlags(rest) & GLUE) !== 0) return true;
  // A contactless mark: CARREFMARKETSCO, RELAYSC.
  if (rest.startsWith("SC") && rest.length <= 3 && entry.compact.length >= 5) return true;
  // BIOCBONIDFJAURE: a long name glued to whatever fills the acquirer's column.
  const width = (scan.ends[walked.glueToken] ?? 0) - (scan.starts[walked.glueToken] ?? 0);
  if (entry.strength === STRONG && entry.compact.length >= 7 && width >= COLUMN) return true;
  for (let size = Math.min(rest.length - 1, LONGEST_GLUED); size >= 5; size -= 1) {
    if ((wordFlags(rest.slice(0, size)) & GLUE) !== 0) return true;
  }
  return false;
}

/** Tries one start. True when it settles the field, with or without a brand. */
function tryAt(
  scan: Scan,
  trie: Trie,
  brands: BrandFacts,
  match: Match,
  field: { from: number; to: number },
  i: number,
  offset: number,
): boolean {
  walk(scan, trie, i, field.to, scan.starts[field.from] ?? 0, offset, match);
  match.start = i;
  const { entry, end } = walked;
  if (walked.cutNode !== 0 && (entry === NONE || walked.cutEnd > end)) {
    const whole = trie.entries[entry];
    const cutBrand = trie.below[walked.cutNode];
    if (whole === undefined) {
      if (takeCut(scan, trie, brands, match, field)) return true;
    } else if (
      cutBrand !== whole.brand && cutBrand !== SEVERAL &&
      walked.cutDepth >= whole.compact.length + 2 && takeCut(scan, trie, brands, match, field)
    ) return true;
  }
  if (entry !== NONE) {
    take(scan, trie, brands, match, field, entry, end, "exact");
    return true;
  }
  if (walked.glueEntry !== NONE && glueFits(scan, trie)) {
    take(scan, trie, brands, match, field, walked.glueEntry, walked.glueToken + 1, "glued");
    return true;
  }
  return false;
}

/**
 * Tokens at `i` that may stand before a brand and stay in the merchant's text: PAYPAL *, DAC,
 * STATION.
 */
function openerTokens(scan: Scan, i: number, to: number): number {
  if (i + 1 >= to) return 0;
  const flags = scan.flags[i] ?? 0;
  const starred = ((scan.gaps[i + 1] ?? 0) & GAP_STAR) !== 0;
  if (starred && ((flags & WALLET) !== 0 || (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0) <= 4)) {
    place.afterWallet = true;
    return 1;
  }
  if (
    (flags & WALLET) !== 0 &&
    (isWord(scan, i, "LW") || isWord(scan, i, "PAYPAL") || isWord(scan, i, "MANGOPAY"))
  ) {
    place.afterWallet = true;
    return 1;
  }
  if (scan.gaps[i + 1] === GAP_DOT && isWord(scan, i, "WWW")) return 1;
  if ((flags & OPENER) !== 0 && place.opened === 0) {
    place.opened = scan.fields[i] ?? 0;
    return 1;
  }
  // "LES CINEMAS PATHE", "BOULANGERIE FEUILLETTE", "STE INTERMARCHE": before a distinctive name
  // only.
  if (
    (flags & TRADE) !== 0 && (flags & HARD_TRADE) === 0 && (scan.fields[i] ?? 0) !== 0 &&
    place.opened === 0
  ) {
    place.opened = scan.fields[i] ?? 0;
    place.strict = true;
    return 1;
  }
  const article = place.opened === 0 && ((scan.flags[i + 1] ?? 0) & OPENER) !== 0 &&
    (isWord(scan, i, "LA") || isWord(scan, i, "LE") || isWord(scan, i, "LES"));
  if (article || (flags & COMPANY) !== 0) {
    // "ETS NICOLAS" is the chain's own till; "SARL NICOLAS" may be anybody of that name.
    place.strict = !isWord(scan, i, "ETS");
    return 1;
  }
  return 0;
}

function isSmallTrader(scan: Scan, i: number, to: number): boolean {
  if (((scan.flags[i] ?? 0) & TERMINAL) === 0 || i + 1 >= to) return false;
  const gap = scan.gaps[i + 1] ?? 0;
  return (gap & (GAP_STAR | GAP_DASH | GAP_DOT)) !== 0 ||
    scan.text.charCodeAt(scan.ends[i] ?? 0) === 95 ||
    (gap & GAP_SPACE) !== 0 && isWord(scan, i, "SUMUP");
}

/**
 * Tries the starts that a field allows: its first word, and what follows codes, facilitators and
 * openers.
 */
function matchFrom(
  scan: Scan,
  trie: Trie,
  brands: BrandFacts,
  match: Match,
  field: { from: number; to: number },
): boolean {
  place.opened = 0;
  place.afterWallet = false;
  place.afterArticle = false;
  place.strict = false;
  let i = field.from;
  for (let steps = 0; steps < 6 && i < field.to; steps += 1) {
    if (isSmallTrader(scan, i, field.to)) return refuse(match, "small_trader");
    // "LYDIA*APP": what follows names nobody, so the facilitator is the merchant itself.
    const wallet = i + 1 < field.to && ((scan.flags[i] ?? 0) & WALLET) !== 0 &&
      ((scan.gaps[i + 1] ?? 0) & GAP_STAR) !== 0 &&
      !(i + 2 === field.to && ((scan.flags[i + 1] ?? 0) & NEUTRAL) !== 0);
    if (!wallet && tryAt(scan, trie, brands, match, field, i, 0)) {
      // "UBR* UBER EATS": the company's name as a facilitator of the one that its brand excludes.
      if (
        match.rule !== "excluded" || i !== match.end - 1 ||
        ((scan.gaps[i + 1] ?? 0) & GAP_STAR) === 0
      ) return match.brand !== NONE;
      match.rule = "no_alias";
      i += 1;
      continue;
    }
    if (initialsBefore(scan, i, field.to) && tryAt(scan, trie, brands, match, field, i + 1, 0)) {
      return match.brand !== NONE;
    }
    const code = terminalCode(scan, i, field.to);
    if (
      code > 0 && (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0) > code &&
      tryAt(scan, trie, brands, match, field, i, code)
    ) return match.brand !== NONE;
    const junk = junkTokens(scan, i, field.to);
    if (junk > 0) {
      i += junk;
      // What was junk is no part of the merchant, unless a facilitator's name already stands before
      // it.
      if (!place.afterWallet && place.opened === 0 && !isHeadAt(scan, i)) field.from = i;
      continue;
    }
    const opener = openerTokens(scan, i, field.to);
    if (opener === 0) break;
    i += opener;
  }
  return articleThenBrand(scan, trie, brands, match, field, i);
}

/**
 * "HOTEL AT BOOKING.COM", "SHOP.MANGO.COM": a brand's internet name counts wherever it stands,
 * whole or cut at the end.
 */
function domainInside(
  scan: Scan,
  trie: Trie,
  brands: BrandFacts,
  match: Match,
  field: { from: number; to: number },
): boolean {
  const limit = Math.min(field.to, field.from + 8);
  for (let i = field.from + 1; i + 1 < limit; i += 1) {
    if (scan.gaps[i + 1] !== GAP_DOT || scan.gaps[i] === 0) continue;
    const cut = i + 2 === field.to && (scan.ends[i + 1] ?? 0) - (scan.starts[i + 1] ?? 0) < 3;
    if (!cut && ((scan.flags[i + 1] ?? 0) & DOMAIN_END) === 0) continue;
    walk(scan, trie, i, field.to, scan.starts[field.from] ?? 0, 0, match);
    const whole = walked.entry !== NONE && walked.end > i + 1;
    if (
      !whole &&
      (!cut || walked.cutNode === 0 || walked.cutEnd < field.to ||
        (trie.below[walked.cutNode] ?? NONE) < 0)
    ) continue;
    const index = whole ? walked.entry : (trie.first[walked.cutNode] ?? NONE);
    if (trie.entries[index]?.strength !== STRONG) continue;
    place.opened = 0;
    place.strict = false;
    match.start = i;
    return take(
      scan,
      trie,
      brands,
      match,
      field,
      index,
      whole ? walked.end : walked.cutEnd,
      whole ? "exact" : "truncated",
    );
  }
  return false;
}

/**
 * "LA BRIOCHE DOREE": an article before a long phrase is the shop's sign, before a short word
 * another shop.
 */
function articleThenBrand(
  scan: Scan,
  trie: Trie,
  brands: BrandFacts,
  match: Match,
  field: { from: number; to: number },
  i: number,
): boolean {
  if (
    i !== field.from || i + 2 >= field.to ||
    !(isWord(scan, i, "LA") || isWord(scan, i, "LE") || isWord(scan, i, "LES"))
  ) return false;
  place.afterArticle = true;
  const found = tryAt(scan, trie, brands, match, field, i + 1, 0) && match.brand !== NONE;
  place.afterArticle = false;
  return found;
}

const field = { from: 0, to: 0 };

/** Rules that say too little against an internet name further on. */
const OPEN_RULES: ReadonlySet<Rule> = new Set<Rule>([
  "no_alias",
  "ordinary_word_in_context",
  "ambiguous",
  "too_little_left",
]);

/**
 * Looks for a brand in the tokens [from, to). `match.merchantFrom` says where the merchant's own
 * text begins.
 */
export function matchField(
  scan: Scan,
  trie: Trie,
  brands: BrandFacts,
  from: number,
  to: number,
  townFirst: boolean,
  match: Match,
): void {
  matchStarts(scan, trie, brands, from, to, townFirst, match);
  const { rule } = match;
  if (match.brand !== NONE || !OPEN_RULES.has(rule)) return;
  field.from = match.merchantFrom;
  if (!domainInside(scan, trie, brands, match, field)) refuse(match, rule);
}

function matchStarts(
  scan: Scan,
  trie: Trie,
  brands: BrandFacts,
  from: number,
  to: number,
  townFirst: boolean,
  match: Match,
): void {
  match.brand = NONE;
  match.entry = NONE;
  match.rule = "no_alias";
  match.work = 0;
  place.townUnknown = false;
  field.to = to;
  field.from = from;
  if (townFirst && matchAfterTown(scan, trie, brands, match, from, to)) return;
  const found = matchFrom(scan, trie, brands, match, field);
  match.merchantFrom = field.from;
  if (found || !townFirst || match.rule !== "no_alias") return;
  if (matchAfterUnknownTown(scan, trie, brands, match, from, to)) match.merchantFrom = field.from;
  else match.brand = NONE;
}

/**
 * The town that Crédit Mutuel and CIC write before the merchant. Its end is not always plain (cut
 * names, CEDEX 0, LYON 3 against "8 A HUIT"), so each end is tried, the longest first. False when
 * the field does not begin with a town.
 */
function matchAfterTown(
  scan: Scan,
  trie: Trie,
  brands: BrandFacts,
  match: Match,
  from: number,
  to: number,
): boolean {
  const cut = townTokens(scan, from, to);
  if (cut === 0) return false;
  const whole = townTokens(scan, from, to, false);
  const longest = from + withDistrict(scan, from, cut);
  // A town and a number, or a town alone: that is the merchant.
  if (
    from + cut >= to || (longest >= to && scan.kinds[from + cut] === DIGITS) ||
    (from + cut + 1 === to && scan.kinds[from + cut] === DIGITS)
  ) return false;
  match.merchantFrom = isHeadAt(scan, longest) ? from : Math.min(longest, to);
  for (const end of [longest, from + cut, from + withDistrict(scan, from, whole), from + whole]) {
    if (end <= from || end >= to || isHeadAt(scan, end)) continue;
    field.from = end;
    match.rule = "no_alias";
    // "ST ETIENNE LE" may be a cut name or a town and an article: an ordinary word proves nothing
    // there.
    place.townDoubtful = whole > 0 && end > from + withDistrict(scan, from, whole);
    const doubtful = place.townDoubtful;
    const found = matchFrom(scan, trie, brands, match, field);
    place.townDoubtful = false;
    if (found || match.rule !== "no_alias") {
      // What was refused only because of the town before it keeps that town.
      match.merchantFrom = doubtful && !found ? from : field.from;
      return true;
    }
    if (end === longest) match.merchantFrom = field.from;
  }
  return true;
}

/** A town's tokens with the CEDEX and the arrondissement behind it. */
function withDistrict(scan: Scan, from: number, town: number): number {
  let tokens = town;
  if (tokens === 0) return 0;
  if (isWord(scan, from + tokens, "CEDEX") || isWord(scan, from + tokens, "CDX")) tokens += 1;
  if (
    scan.kinds[from + tokens] === DIGITS &&
    (scan.ends[from + tokens] ?? 0) - (scan.starts[from + tokens] ?? 0) <= 2
  ) tokens += 1;
  return tokens;
}

/**
 * A town that the list does not know: a brand that proves itself may follow within the town's 13
 * characters.
 */
function matchAfterUnknownTown(
  scan: Scan,
  trie: Trie,
  brands: BrandFacts,
  match: Match,
  from: number,
  to: number,
): boolean {
  const limit = (scan.starts[from] ?? 0) + UNKNOWN_TOWN_MAX;
  for (let i = from + 1; i < to && (scan.starts[i] ?? 0) <= limit + 2; i += 1) {
    const before = scan.flags[i - 1] ?? 0;
    if ((before & (TRADE | HARD_TRADE | OPENER | WALLET | TERMINAL | FIRST_NAME)) !== 0) {
      return false;
    }
    if (scan.gaps[i] === 0 || ((scan.gaps[i] ?? 0) & GAP_PLUS) !== 0) continue;
    if ((before & (CONNECTIVE | ARTICLE)) !== 0 || isHeadAt(scan, i)) continue;
    place.townUnknown = true;
    field.from = i;
    const found = matchFrom(scan, trie, brands, match, field);
    place.townUnknown = false;
    if (found) return true;
  }
  return false;
}
