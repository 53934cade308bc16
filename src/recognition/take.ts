// Decides whether the alias that was found at one token counts: whole, cut by the acquirer, or
// glued to another word.

import { STRONG, WEAK } from "./alias.ts";
import { GLUE } from "./data/lexicon.ts";
import { isBehindColumn, refuse } from "./match-context.ts";
import type { MatchContext, Rule } from "./match-context.ts";
import { DIGITS, GAP_STAR, textBetween, wordFlags } from "./scan.ts";
import { isExcluded, isOtherCompany, restIsNeutral } from "./surroundings.ts";
import { isTownNext, SHORTEST_CUT } from "./tokens.ts";
import {
  brandOf,
  fieldsOf,
  hasExclusions,
  isCurated,
  lengthOf,
  NONE,
  SEVERAL,
  strengthOf,
} from "./trie.ts";
import type { Entry } from "./trie.ts";
import { walk } from "./walk.ts";

const SHORTEST_STEM = 6;
const SHORTEST_PHRASE_STEM = 9;
const LONG_PHRASE = 12;
const LONGEST_GLUED = 12;
/** The merchant column of most acquirers. */
const COLUMN = 15;

/** Takes the alias, or says in `match` which rule refused it. */
export function take(context: MatchContext, entryIndex: number, end: number, rule: Rule): boolean {
  const { trie, match, before } = context;
  if (entryIndex === NONE) return false;
  match.end = end;
  const brand = brandOf(trie, entryIndex);
  if (brand === NONE) return refuse(match, "ambiguous");
  const fields = fieldsOf(trie, entryIndex);
  const strength = strengthOf(trie, entryIndex);
  if (strength === WEAK) {
    // A brand whose trade nobody entered may come behind any opener.
    const opened = before.opened === 0 || fields === 0 || (before.opened & fields) !== 0;
    if (
      before.townUnknown || before.townDoubtful || before.afterArticle || before.strict ||
      !opened || !(isStarred(context, end) || restIsNeutral(context, end, fields))
    ) return refuse(match, "ordinary_word_in_context");
  } else {
    if (before.strict && strength !== STRONG) return refuse(match, "ordinary_word_in_context");
    if (before.opened !== 0 && fields !== 0 && (before.opened & fields) === 0) {
      return refuse(match, "ordinary_word_in_context");
    }
    if (before.afterArticle && lengthOf(trie, entryIndex) < LONG_PHRASE) {
      return refuse(match, "ordinary_word_in_context");
    }
    if (
      before.townUnknown && strength !== STRONG &&
      !restIsNeutral(context, end, fields)
    ) return refuse(match, "unknown_town");
    if (isOtherCompany(context, end, fields, strength)) {
      return refuse(match, "other_company");
    }
  }
  if (isRefusedByPhrase(context, entryIndex)) return refuse(match, "excluded");
  match.brand = brand;
  match.entry = entryIndex;
  match.rule = isCurated(trie, entryIndex)
    ? "descriptor"
    : rule === "exact" && strength === WEAK
    ? "ordinary_word_alone"
    : rule;
  return true;
}

function isRefusedByPhrase(context: MatchContext, entryIndex: number): boolean {
  const { trie } = context;
  if (!hasExclusions(trie, entryIndex)) return false;
  const entry = trie.entries[entryIndex];
  const excluded = entry?.facts.excluded ?? null;
  return entry !== undefined && excluded !== null &&
    isExcluded(context, excluded, entry.compact);
}

/** "EA *ORIGIN": what is before the star is the company that charges. */
function isStarred(context: MatchContext, end: number): boolean {
  return end < context.field.to && ((context.scan.gaps[end] ?? 0) & GAP_STAR) !== 0;
}

/** A cut alias counts when what is left is long enough and can only be one brand. */
function takeCut(context: MatchContext): boolean {
  const { scan, trie, match, walked, field } = context;
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
  if (
    walked.cutEnd < field.to && !isBehindColumn(context, walked.cutEnd) &&
    !isTownNext(scan, walked.cutEnd, field.to)
  ) {
    return refuse(match, "too_little_left");
  }
  return take(context, entryIndex, walked.cutEnd, "truncated");
}

const LONG_NAME = 7;
/** Letters of a sibling's further name that are no chance, wherever the field ends. */
const LEAST_OF_SIBLING = 2;

/**
 * ECG17284MONOPPN, "PAYPAL *JETBRAINSSR": the letter or two behind the name are what the column's
 * end left of the next word.
 */
function fillsColumn(context: MatchContext): boolean {
  const { scan, trie, walked, field } = context;
  const end = scan.ends[walked.glueToken] ?? 0;
  let first = walked.glueToken;
  while (first > 0 && scan.gaps[first] === 0) first -= 1;
  if (end - (scan.starts[first] ?? 0) >= COLUMN) return true;
  const length = trie.entries[walked.glueEntry]?.compact.length ?? 0;
  return walked.glueToken + 1 === field.to && length >= LONG_NAME &&
    end - (scan.starts[field.from] ?? 0) >= COLUMN;
}

/** A name of its own, or several words in a row: LECLERCJE is a person, BIOCBONIDF a shop. */
function namesByItself(entry: Entry): boolean {
  return entry.strength === STRONG ||
    (entry.strength !== WEAK && (entry.boundaries & (entry.boundaries - 1)) !== 0);
}

/** CASINOSHOP, CARREFSTATION: an alias with a retail word glued to it. */
function glueFits(context: MatchContext): boolean {
  const { scan, trie, walked } = context;
  const entry = trie.entries[walked.glueEntry];
  if (entry === undefined || entry.compact.length < 3) return false;
  const rest = textBetween(scan, walked.glueAt, scan.ends[walked.glueToken] ?? 0);
  const isRetail = rest.length >= 2 && (wordFlags(rest) & GLUE) !== 0;
  const next = walked.glueToken + 1;
  const numbered = scan.kinds[next] === DIGITS && scan.gaps[next] === 0;
  // ENIDAC9543: of a name so short more must be there than the word.
  if (entry.compact.length === 3) return isRetail && numbered;
  if (isRetail) return true;
  if (entry.strength === STRONG && rest.length === 1 && numbered) return true;
  if (namesByItself(entry) && rest.length <= 2 && fillsColumn(context)) return true;
  // A contactless mark: CARREFMARKETSCO, RELAYSC.
  if (rest.startsWith("SC") && rest.length <= 3 && entry.compact.length >= 5) return true;
  // BIOCBONIDFJAURE: a long name glued to whatever fills the acquirer's column.
  const width = (scan.ends[walked.glueToken] ?? 0) - (scan.starts[walked.glueToken] ?? 0);
  if (namesByItself(entry) && entry.compact.length >= LONG_NAME && width >= COLUMN) return true;
  for (let size = Math.min(rest.length - 1, LONGEST_GLUED); size >= 5; size -= 1) {
    if ((wordFlags(rest.slice(0, size)) & GLUE) !== 0) return true;
  }
  return false;
}

/**
 * "UBER EA": what follows the alias to the field's end is the beginning of another brand's longer
 * name, so the alias alone proves nothing.
 */
function isCutSibling(context: MatchContext): boolean {
  const { scan, trie, walked, field } = context;
  if (walked.restNode === 0 || walked.end >= field.to) return false;
  const brand = trie.below[walked.restNode];
  if (brand === brandOf(trie, walked.entry) || brand === SEVERAL || brand === NONE) return false;
  const letters = walked.restDepth - lengthOf(trie, walked.entry);
  return letters >= LEAST_OF_SIBLING ||
    (scan.ends[field.to - 1] ?? 0) - (scan.starts[field.from] ?? 0) >= SHORTEST_CUT;
}

/** Tries one start. True when it settles the field, with or without a brand. */
export function tryAt(context: MatchContext, i: number, offset: number): boolean {
  const { trie, match, walked } = context;
  walk(context, i, offset);
  match.start = i;
  const { entry, end } = walked;
  if (walked.cutNode !== 0 && (entry === NONE || walked.cutEnd > end)) {
    const cutBrand = trie.below[walked.cutNode];
    if (entry === NONE) {
      if (takeCut(context)) return true;
    } else if (
      cutBrand !== brandOf(trie, entry) && cutBrand !== SEVERAL &&
      walked.cutDepth >= lengthOf(trie, entry) + 2 && takeCut(context)
    ) return true;
  }
  if (entry !== NONE) {
    if (isCutSibling(context)) refuse(match, "ambiguous");
    else take(context, entry, end, "exact");
    return true;
  }
  if (walked.glueEntry !== NONE && glueFits(context)) {
    take(context, walked.glueEntry, walked.glueToken + 1, "glued");
    return true;
  }
  return false;
}
