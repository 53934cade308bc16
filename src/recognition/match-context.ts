// What matching works on, and its outcome for one merchant field.

import type { Scan } from "./scan.ts";
import { NONE } from "./trie.ts";
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

/** The column's end where no column is known. */
export const NO_COLUMN = Number.MAX_SAFE_INTEGER;

/** Whether token `i` begins behind the merchant's column. */
export function isBehindColumn(context: MatchContext, i: number): boolean {
  return (context.scan.starts[i] ?? 0) >= context.field.columnEnd;
}

function newMatch(): Match {
  return { brand: NONE, entry: NONE, start: 0, end: 0, rule: "no_alias", merchantFrom: 0, work: 0 };
}

/** How far the catalogue's spellings reached from one token: whole, cut, or glued to a word. */
type Walked = {
  entry: number;
  end: number;
  cutNode: number;
  cutEnd: number;
  cutDepth: number;
  cutBlanks: number;
  /** The node that was reached when the field ended, 0 when they had ended before. */
  restNode: number;
  restDepth: number;
  glueEntry: number;
  glueAt: number;
  glueToken: number;
};

/** What came before the token that is tried: it decides how much an alias there must prove. */
type Before = {
  opened: number;
  afterWallet: boolean;
  townUnknown: boolean;
  townDoubtful: boolean;
  afterArticle: boolean;
  strict: boolean;
};

/**
 * All that matching reads and writes. One per recogniser, used again for every label, so that a
 * label makes no garbage; calls are synchronous, hence never two at once.
 */
export type MatchContext = {
  readonly scan: Scan;
  readonly trie: Trie;
  readonly match: Match;
  readonly walked: Walked;
  readonly before: Before;
  /**
   * The tokens of the merchant field that are still to be read, and the character from which on the
   * town's column begins: what a token there says is a place, whatever it says.
   */
  readonly field: { from: number; to: number; columnEnd: number };
};

export function newMatchContext(scan: Scan, trie: Trie): MatchContext {
  return {
    scan,
    trie,
    match: newMatch(),
    walked: {
      entry: NONE,
      end: 0,
      cutNode: 0,
      cutEnd: 0,
      cutDepth: 0,
      cutBlanks: 0,
      restNode: 0,
      restDepth: 0,
      glueEntry: NONE,
      glueAt: 0,
      glueToken: 0,
    },
    before: {
      opened: 0,
      afterWallet: false,
      townUnknown: false,
      townDoubtful: false,
      afterArticle: false,
      strict: false,
    },
    field: { from: 0, to: 0, columnEnd: NO_COLUMN },
  };
}

/** Ends the matching of a start without a brand. */
export function refuse(match: Match, rule: Rule): boolean {
  match.brand = NONE;
  match.rule = rule;
  return false;
}
