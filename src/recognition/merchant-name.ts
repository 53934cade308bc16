// The name within a merchant's text: its words before numbers, towns and words that name nobody.
// The same shop is written with another number or town from label to label.

import { COUNTRY, INTRO, NEUTRAL, PLACE } from "./data/lexicon.ts";
import { townTokens } from "./place.ts";
import { DIGITS, newScan, scan, textBetween } from "./scan.ts";
import type { Scan } from "./scan.ts";

const SAYS_WHERE = NEUTRAL | PLACE | COUNTRY | INTRO;

/**
 * The name in the tokens from `from` to `to`, blanks collapsed; its first word always belongs to
 * it.
 */
export function nameWithin(tokens: Scan, from: number, to: number): string {
  let end = from + 1;
  while (
    end < to && tokens.kinds[end] !== DIGITS && ((tokens.flags[end] ?? 0) & SAYS_WHERE) === 0 &&
    townTokens(tokens, end, to) === 0
  ) end += 1;
  if (end > to) return "";
  return textBetween(tokens, tokens.starts[from] ?? 0, tokens.ends[end - 1] ?? 0)
    .replace(/\s+/g, " ");
}

/** The name in a merchant's text. */
export function nameOf(merchant: string): string {
  const tokens = newScan();
  scan(merchant, tokens);
  return nameWithin(tokens, 0, tokens.count);
}
