// Finds the brand in a merchant field, with or without the town that some banks write before it.
// When in doubt it finds nothing: a false match is a reward paid for nothing.

import {
  ARTICLE,
  CONNECTIVE,
  FIRST_NAME,
  HARD_TRADE,
  OPENER,
  TERMINAL,
  TRADE,
  WALLET,
} from "./data/lexicon.ts";
import { isHeadAt } from "./frame.ts";
import type { Frame } from "./frame-reading.ts";
import { NO_COLUMN, refuse } from "./match-context.ts";
import type { MatchContext, Rule } from "./match-context.ts";
import { brokenTownTokens, townTokens } from "./place.ts";
import { DIGITS, GAP_PLUS } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { domainInside, matchFrom } from "./starts.ts";
import { isWord } from "./tokens.ts";
import { NONE } from "./trie.ts";

const UNKNOWN_TOWN_MAX = 14;

/** Rules that say too little against an internet name further on. */
const OPEN_RULES: ReadonlySet<Rule> = new Set<Rule>([
  "no_alias",
  "ordinary_word_in_context",
  "ambiguous",
  "too_little_left",
]);

/**
 * Looks for a brand in the merchant field of a frame. `match.merchantFrom` says where the
 * merchant's own text begins.
 */
export function matchField(
  context: MatchContext,
  { from, to, townFirst, merchantWidth }: Frame,
): void {
  const { scan, match, field } = context;
  field.columnEnd = merchantWidth === 0 ? NO_COLUMN : (scan.starts[from] ?? 0) + merchantWidth;
  matchStarts(context, from, to, townFirst);
  const { rule } = match;
  if (match.brand !== NONE || !OPEN_RULES.has(rule)) return;
  field.from = match.merchantFrom;
  if (!domainInside(context)) refuse(match, rule);
}

function matchStarts(context: MatchContext, from: number, to: number, townFirst: boolean): void {
  const { match, field, before } = context;
  match.brand = NONE;
  match.entry = NONE;
  match.rule = "no_alias";
  match.work = 0;
  before.townUnknown = false;
  field.to = to;
  field.from = from;
  if (townFirst && matchAfterTown(context, from, to)) return;
  const found = matchFrom(context);
  match.merchantFrom = field.from;
  if (found || !townFirst || match.rule !== "no_alias") return;
  if (matchAfterUnknownTown(context, from, to)) match.merchantFrom = field.from;
  else match.brand = NONE;
}

/**
 * The town that Crédit Mutuel and CIC write before the merchant. Its end is not always plain (cut
 * names, CEDEX 0, LYON 3 against "8 A HUIT"), so each end is tried, the longest first. False when
 * the field does not begin with a town.
 */
function matchAfterTown(context: MatchContext, from: number, to: number): boolean {
  const { scan, match, field, before } = context;
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
  const broken = from + brokenTownTokens(scan, from, to);
  for (
    const end of [
      broken > longest ? broken : longest,
      from + cut,
      from + withDistrict(scan, from, whole),
      from + whole,
    ]
  ) {
    if (end <= from || end >= to || isHeadAt(scan, end)) continue;
    field.from = end;
    match.rule = "no_alias";
    // "ST ETIENNE LE" may be a cut name or a town and an article: an ordinary word proves nothing
    // there.
    before.townDoubtful = whole > 0 && end !== broken &&
      end > from + withDistrict(scan, from, whole);
    const doubtful = before.townDoubtful;
    const found = matchFrom(context);
    before.townDoubtful = false;
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
function matchAfterUnknownTown(context: MatchContext, from: number, to: number): boolean {
  const { scan, field, before } = context;
  const limit = (scan.starts[from] ?? 0) + UNKNOWN_TOWN_MAX;
  for (let i = from + 1; i < to && (scan.starts[i] ?? 0) <= limit + 2; i += 1) {
    const flags = scan.flags[i - 1] ?? 0;
    if ((flags & (TRADE | HARD_TRADE | OPENER | WALLET | TERMINAL | FIRST_NAME)) !== 0) {
      return false;
    }
    if (scan.gaps[i] === 0 || ((scan.gaps[i] ?? 0) & GAP_PLUS) !== 0) continue;
    if ((flags & (CONNECTIVE | ARTICLE)) !== 0 || isHeadAt(scan, i)) continue;
    before.townUnknown = true;
    field.from = i;
    const found = matchFrom(context);
    before.townUnknown = false;
    if (found) return true;
  }
  return false;
}
