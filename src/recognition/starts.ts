// Where in a merchant field a brand may begin: its first word, behind codes, facilitators and
// openers, or as an internet name anywhere.

import { STRONG } from "./alias.ts";
import {
  COMPANY,
  DOMAIN_END,
  HARD_TRADE,
  OPENER,
  TERMINAL,
  TRADE,
  WALLET,
} from "./data/lexicon.ts";
import { isHeadAt } from "./frame.ts";
import { refuse } from "./match-context.ts";
import type { MatchContext } from "./match-context.ts";
import { GAP_DASH, GAP_DOT, GAP_SPACE, GAP_STAR } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { firstName } from "./surroundings.ts";
import { take, tryAt } from "./take.ts";
import { initialsBefore, isWord, junkTokens, terminalCode } from "./tokens.ts";
import { NONE } from "./trie.ts";
import { walk } from "./walk.ts";

/** Facilitators that some acquirers write without their star. */
const SPACED_WALLETS = ["LW", "PAYPAL", "MANGOPAY", "MP", "MGP"] as const;

/**
 * Tokens at `i` that may come before a brand and stay in the merchant's text: PAYPAL *, DAC,
 * STATION.
 */
function openerTokens(context: MatchContext, i: number): number {
  const { scan, before } = context;
  const { to } = context.field;
  if (i + 1 >= to) return 0;
  const flags = scan.flags[i] ?? 0;
  const starred = ((scan.gaps[i + 1] ?? 0) & GAP_STAR) !== 0;
  if (starred && ((flags & WALLET) !== 0 || (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0) <= 4)) {
    before.afterWallet = true;
    return 1;
  }
  if (
    (flags & WALLET) !== 0 &&
    SPACED_WALLETS.some((word) => isWord(scan, i, word))
  ) {
    before.afterWallet = true;
    return 1;
  }
  if (isWord(scan, i, "WWW")) return 1;
  if ((flags & OPENER) !== 0 && before.opened === 0) {
    before.opened = scan.fields[i] ?? 0;
    return 1;
  }
  // "LES CINEMAS PATHE", "BOULANGERIE FEUILLETTE", "STE INTERMARCHE": before a distinctive name
  // only.
  if (
    (flags & TRADE) !== 0 && (flags & HARD_TRADE) === 0 && (scan.fields[i] ?? 0) !== 0 &&
    before.opened === 0
  ) {
    before.opened = scan.fields[i] ?? 0;
    before.strict = true;
    return 1;
  }
  const article = before.opened === 0 && ((scan.flags[i + 1] ?? 0) & OPENER) !== 0 &&
    (isWord(scan, i, "LA") || isWord(scan, i, "LE") || isWord(scan, i, "LES"));
  if (article || (flags & COMPANY) !== 0) {
    // "ETS NICOLAS" is the chain's own till; "SARL NICOLAS" may be anybody of that name.
    before.strict = !isWord(scan, i, "ETS");
    return 1;
  }
  return 0;
}

function isSmallTrader(scan: Scan, i: number, to: number): boolean {
  if (((scan.flags[i] ?? 0) & TERMINAL) === 0 || i + 1 >= to) return false;
  const gap = scan.gaps[i + 1] ?? 0;
  return (gap & (GAP_STAR | GAP_DASH | GAP_DOT)) !== 0 ||
    scan.chars[scan.ends[i] ?? 0] === 95 ||
    (gap & GAP_SPACE) !== 0 && isWord(scan, i, "SUMUP");
}

/**
 * Tries the starts that a field allows: its first word, and what follows codes, facilitators and
 * openers.
 */
export function matchFrom(context: MatchContext): boolean {
  const { scan, match, field, before } = context;
  before.opened = 0;
  before.afterWallet = false;
  before.afterArticle = false;
  before.strict = false;
  let i = field.from;
  for (let steps = 0; steps < 6 && i < field.to; steps += 1) {
    if (isSmallTrader(scan, i, field.to)) return refuse(match, "small_trader");
    // "LYDIA*APP": what follows names nobody, so the facilitator is the merchant itself.
    const wallet = i + 1 < field.to && ((scan.flags[i] ?? 0) & WALLET) !== 0 &&
      ((scan.gaps[i + 1] ?? 0) & GAP_STAR) !== 0 && firstName(context, i + 1, 0) !== NONE;
    if (!wallet && tryAt(context, i, 0)) {
      // "UBR* UBER EATS": the company's name as a facilitator of the one that its brand excludes.
      if (
        match.rule !== "excluded" || i !== match.end - 1 ||
        ((scan.gaps[i + 1] ?? 0) & GAP_STAR) === 0
      ) return match.brand !== NONE;
      match.rule = "no_alias";
      i += 1;
      continue;
    }
    if (initialsBefore(scan, i, field.to) && tryAt(context, i + 1, 0)) {
      return match.brand !== NONE;
    }
    const code = terminalCode(scan, i, field.to);
    if (
      code > 0 && (scan.ends[i] ?? 0) - (scan.starts[i] ?? 0) > code &&
      tryAt(context, i, code)
    ) return match.brand !== NONE;
    const junk = junkTokens(scan, i, field.to);
    if (junk > 0) {
      i += junk;
      // What was junk is no part of the merchant, unless a facilitator's name is already before
      // it.
      if (!before.afterWallet && before.opened === 0 && !isHeadAt(scan, i)) field.from = i;
      continue;
    }
    const opener = openerTokens(context, i);
    if (opener === 0) break;
    i += opener;
  }
  return articleThenBrand(context, i);
}

/**
 * "HOTEL AT BOOKING.COM", "SHOP.MANGO.COM": a brand's internet name counts wherever it is,
 * whole or cut at the end.
 */
export function domainInside(context: MatchContext): boolean {
  const { scan, trie, match, field, walked, before } = context;
  const limit = Math.min(field.to, field.from + 8);
  for (let i = field.from + 1; i + 1 < limit; i += 1) {
    if (scan.gaps[i + 1] !== GAP_DOT || scan.gaps[i] === 0) continue;
    const cut = i + 2 === field.to && (scan.ends[i + 1] ?? 0) - (scan.starts[i + 1] ?? 0) < 3;
    if (!cut && ((scan.flags[i + 1] ?? 0) & DOMAIN_END) === 0) continue;
    walk(context, i, 0);
    const whole = walked.entry !== NONE && walked.end > i + 1;
    if (
      !whole &&
      (!cut || walked.cutNode === 0 || walked.cutEnd < field.to ||
        (trie.below[walked.cutNode] ?? NONE) < 0)
    ) continue;
    const index = whole ? walked.entry : (trie.first[walked.cutNode] ?? NONE);
    if (trie.entries[index]?.strength !== STRONG) continue;
    before.opened = 0;
    before.strict = false;
    match.start = i;
    return take(context, index, whole ? walked.end : walked.cutEnd, whole ? "exact" : "truncated");
  }
  return false;
}

/**
 * "LA BRIOCHE DOREE": an article before a long phrase is the shop's sign, before a short word
 * another shop.
 */
function articleThenBrand(context: MatchContext, i: number): boolean {
  const { scan, match, field, before } = context;
  if (
    i !== field.from || i + 2 >= field.to ||
    !(isWord(scan, i, "LA") || isWord(scan, i, "LE") || isWord(scan, i, "LES"))
  ) return false;
  before.afterArticle = true;
  const found = tryAt(context, i + 1, 0) && match.brand !== NONE;
  before.afterArticle = false;
  return found;
}
