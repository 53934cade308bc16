// Whether what is around an alias allows it: words that say nothing, another company's, an
// operator's excluded phrases.

import { PHRASE, WEAK } from "./alias.ts";
import { child } from "./char-tree.ts";
import {
  ARTICLE,
  CONNECTIVE,
  COUNTRY,
  DOMAIN_END,
  FIRST_NAME,
  HARD_TRADE,
  INTRO,
  NEUTRAL,
  PLACE,
  SISTER,
  SURNAME,
  TRADE,
} from "./data/lexicon.ts";
import { isBehindColumn } from "./match-context.ts";
import type { MatchContext } from "./match-context.ts";
import { isTownBeginning, townTokens } from "./place.ts";
import { DIGITS, GAP_AMPERSAND, goesOn, textBetween, wordAt } from "./scan.ts";
import type { Scan } from "./scan.ts";
import {
  isCode,
  isContactless,
  isCutNeutral,
  isCutTrade,
  isDepartment,
  isTownNext,
  isWord,
  looksLikeTown,
} from "./tokens.ts";
import { NONE } from "./trie.ts";

/**
 * Whether everything from `n` on says nothing about who it is: numbers, towns, legal forms, the
 * brand's own trade.
 */
export function restIsNeutral(context: MatchContext, n: number, fields: number): boolean {
  const i = firstName(context, n, fields);
  return i === NONE || isOtherBrand(context, i);
}

/** The first token from `n` on that may name somebody, NONE when none does. */
export function firstName(context: MatchContext, n: number, fields: number): number {
  const { scan } = context;
  const { to } = context.field;
  const fieldStart = scan.starts[context.field.from] ?? 0;
  let i = n;
  while (i < to) {
    context.match.work += 1;
    if (isBehindColumn(context, i)) return NONE;
    const gap = scan.gaps[i] ?? 0;
    if ((gap & GAP_AMPERSAND) !== 0) return i;
    if (scan.kinds[i] === DIGITS) {
      const size = (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0);
      if (isDepartment(scan, i, to)) return NONE;
      const gluedNext = i + 1 < to && scan.gaps[i + 1] === 0;
      // "FREE2MOVE" is a name.
      if (gluedNext && (scan.ends[i + 1] ?? 0) - (scan.starts[i + 1] ?? 0) > 2) return i;
      if (size >= 3) return NONE;
      i += gluedNext ? 2 : 1;
      continue;
    }
    const flags = scan.flags[i] ?? 0;
    // Before the towns: "RUE NEUVE" is no shop in the commune of Rue.
    if ((flags & INTRO) !== 0) return NONE;
    const town = townTokens(scan, i, to);
    if (town > 0) {
      i += town;
      continue;
    }
    // A6, L75622: a motorway, a terminal.
    if (isCode(scan, i, to)) {
      i += 2;
      continue;
    }
    // "CASINO DE PARIS"; DE as a country is at the end.
    if ((flags & CONNECTIVE) !== 0 && i + 1 < to) return i;
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
    return looksLikeTown(scan, i) || isCutTown(context, i) || isRepeat(context, i) ||
        ((i + 1 === to || isPlaceNext(scan, i + 1, to)) &&
          isCutNeutral(scan, i, fieldStart, fields))
      ? NONE
      : i;
  }
  return NONE;
}

/** Where acquirers and banks cut merchant and town together. */
const COMMON_COLUMNS: ReadonlySet<number> = new Set([15, 16, 17, 20]);

/**
 * "CASINO ANNE" may be Annemasse: a word at the very end of a usual column is a cut town before it
 * is a first name.
 */
function isCutTown(context: MatchContext, i: number): boolean {
  const { scan, field } = context;
  const width = (scan.ends[i] ?? 0) - (scan.starts[field.from] ?? 0);
  return i + 1 === field.to && COMMON_COLUMNS.has(width) && isTownBeginning(scan, i);
}

/** "PAYPAL *BOOKING BOOK": behind a facilitator the cut field begins to say the name again. */
function isRepeat(context: MatchContext, i: number): boolean {
  const { scan, match, field, before } = context;
  return before.afterWallet && i + 1 === field.to &&
    goesOn(scan, scan.starts[match.start] ?? 0, wordAt(scan, i));
}

function isPlaceNext(scan: Scan, i: number, to: number): boolean {
  return ((scan.flags[i] ?? 0) & COUNTRY) !== 0 || isTownNext(scan, i, to);
}

/**
 * Another distinctive brand to the end of the field ("RELAY SNCF"): the first of two wins, whatever
 * word it is.
 */
function isOtherBrand(context: MatchContext, i: number): boolean {
  const { scan, trie, match } = context;
  const { to } = context.field;
  // "JULES MICHELIN" is a person, whatever else Michelin is.
  if (((scan.flags[match.start] ?? 0) & (FIRST_NAME | SURNAME)) !== 0) return false;
  let node = 0;
  for (let t = i; t < to; t += 1) {
    for (let at = scan.starts[t] ?? 0; at < (scan.ends[t] ?? 0); at += 1) {
      match.work += 1;
      node = child(trie, node, scan.chars[at] ?? 0);
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
export function isOtherCompany(
  context: MatchContext,
  n: number,
  fields: number,
  strength: number,
): boolean {
  const { scan } = context;
  const { to } = context.field;
  const fieldStart = scan.starts[context.field.from] ?? 0;
  if (n >= to || scan.kinds[n] === DIGITS || isBehindColumn(context, n)) return false;
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
  if (isCutTown(context, n)) return false;
  return (flags & (FIRST_NAME | SURNAME)) !== 0 || (n + 1 < to && (flags & CONNECTIVE) !== 0);
}

/** Letters of an excluded phrase that must be there beyond the alias that matched. */
const LEAST_OF_PHRASE = 2;

/**
 * The tokens of `phrase` in a row at `i`, as compact text; its last one may be cut where the field
 * ends ("AMAZON WEB SERVIC").
 */
function phraseEnds(
  scan: Scan,
  i: number,
  to: number,
  compact: string,
  matched: number,
): number {
  let at = 0;
  for (let t = i; t < to; t += 1) {
    const start = scan.starts[t] ?? 0;
    const size = (scan.ends[t] ?? 0) - start;
    if (!compact.startsWith(textBetween(scan, start, start + size), at)) return 0;
    at += size;
    if (at === compact.length) return t + 1;
  }
  // More than the alias itself must be there: "HYPER CARREFOUR" is not cut from "CARREFOUR BANQUE".
  // Cut anywhere: "UBER EAT" is not Uber, however short the field.
  return at >= matched + LEAST_OF_PHRASE && at * 5 >= compact.length * 3 ? to : 0;
}

/**
 * An operator's excluded phrase anywhere in the field refuses the brand, unless the alias that
 * matched contains it.
 */
export function isExcluded(
  context: MatchContext,
  phrases: readonly string[],
  matched: string,
): boolean {
  const { scan, match } = context;
  const { from, to } = context.field;
  for (const phrase of phrases) {
    const inside = matched.length > phrase.length && matched.includes(phrase);
    for (let i = from; i < to; i += 1) {
      match.work += 1;
      const end = phraseEnds(scan, i, to, phrase, matched.length);
      if (end > 0 && !(inside && i >= match.start && end <= match.end)) return true;
    }
  }
  return false;
}
