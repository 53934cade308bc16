// Follows the catalogue's spellings through the tokens of a label.

import { STRONG } from "./alias.ts";
import { ARTICLE } from "./data/lexicon.ts";
import { child, endsAt } from "./char-tree.ts";
import type { MatchContext } from "./match-context.ts";
import { LETTERS } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { LONGEST_CUT, SHORTEST_CUT } from "./tokens.ts";
import { boundariesOf, lengthOf, NONE, strengthOf, topOf } from "./trie.ts";
import type { Trie } from "./trie.ts";

/**
 * Cuts in the middle of a field, before a town: 15 to 17 and 20, or 12 to 14 behind a contactless
 * mark.
 */
const LONGEST_INNER_CUT = 17;
const INNER_CUT = 20;

/** A.R.E.A., A R E A: a name spelled letter by letter. Two letters are anybody's initials. */
const SHORTEST_SPELLED = 3;
/** A word of this length that lacks its last letter (often an accented one) is still the word. */
const LONG_WORD = 9;

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
  if (blanks === 0) return true;
  const strange = blanks & ~boundariesOf(trie, entryIndex);
  if (strange === 0) return true;
  return strengthOf(trie, entryIndex) === STRONG && lengthOf(trie, entryIndex) >= 9 &&
    ((scan.flags[from] ?? 0) & ARTICLE) === 0 && (strange & (strange - 1)) === 0 &&
    (strange & 0b110) === 0;
}

/**
 * Whether acquirers or banks cut fields where token `t` ends, so that more letters may be missing.
 */
function isCutAt(context: MatchContext, t: number, node: number, depth: number): boolean {
  const { scan, trie, field } = context;
  const isLast = t + 1 === field.to;
  if (isLast && depth >= LONG_WORD && trie.shortest[node] === depth + 1) return true;
  const width = (scan.ends[t] ?? 0) - (scan.starts[field.from] ?? 0);
  return width >= SHORTEST_CUT && width <= LONGEST_CUT &&
    (isLast || (width > SHORTEST_CUT && width <= LONGEST_INNER_CUT) || width === INNER_CUT);
}

/** Follows the catalogue's spellings from token `i` as far as they go. */
export function walk(context: MatchContext, i: number, offset: number): void {
  const { scan, trie, match, walked } = context;
  const { chars } = scan;
  const { to } = context.field;
  walked.entry = NONE;
  walked.cutNode = 0;
  walked.restNode = 0;
  walked.glueEntry = NONE;
  let node = 0;
  let depth = 0;
  let blanks = 0;
  let spelled = true;
  for (let t = i; t < to; t += 1) {
    const start = (scan.starts[t] ?? 0) + (t === i ? offset : 0);
    const end = scan.ends[t] ?? 0;
    spelled &&= end - start === 1;
    if (t > i && scan.gaps[t] !== 0 && depth < 31) blanks |= 1 << depth;
    let at = start;
    if (t === i && end - start > 1) {
      node = topOf(trie, chars[at] ?? 0, chars[at + 1] ?? 0);
      depth = 2;
      at += 2;
    }
    match.work += end - start;
    if (depth > 0 && node === 0) return;
    const glues = scan.kinds[t] === LETTERS;
    for (; at < end; at += 1) {
      node = child(trie, node, chars[at] ?? 0);
      if (node === 0) return;
      depth += 1;
      if (glues && at + 1 < end && endsAt(trie, node)) {
        walked.glueEntry = trie.terms[node] ?? NONE;
        walked.glueAt = at + 1;
        walked.glueToken = t;
      }
    }
    // "CANAL+", and "CANAL +" where the bank puts a blank.
    if (
      chars[end] === 43 ||
      (chars[end] === 32 && chars[end + 1] === 43)
    ) {
      const plus = child(trie, node, 43);
      if (plus !== 0) {
        node = plus;
        depth += 1;
      }
    }
    const term = endsAt(trie, node) ? (trie.terms[node] ?? NONE) : NONE;
    if (
      term !== NONE &&
      ((spelled && depth >= SHORTEST_SPELLED) || gapsFit(scan, trie, term, i, blanks))
    ) {
      walked.entry = term;
      walked.end = t + 1;
    }
    if (t + 1 === to) {
      walked.restNode = node;
      walked.restDepth = depth;
    }
    if (isCutAt(context, t, node, depth)) {
      walked.cutNode = node;
      walked.cutEnd = t + 1;
      walked.cutDepth = depth;
      walked.cutBlanks = blanks;
    }
  }
}
