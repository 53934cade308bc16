// Compiles a catalogue and answers for labels: kind, brand, merchant, and why. The only entry to
// recognition. Pure and synchronous: no clock, no I/O, no shared state but scratch space that never
// outlives a call.

import { PHRASE, WEAK } from "./alias.ts";
import { compileTrie } from "./compile.ts";
import { hasForeignTail, isCardRow, newFrame, readFrame } from "./frame.ts";
import type { Frame } from "./frame-reading.ts";
import { COUNTRY, ONLINE } from "./data/lexicon.ts";
import { newMatchContext } from "./match-context.ts";
import type { Match, MatchContext, Rule } from "./match-context.ts";
import { matchField } from "./matcher.ts";
import type {
  AggregatorHint,
  BrandEntry,
  Channel,
  Correction,
  Recogniser,
  Recognition,
} from "./ports.ts";
import { GAP_DASH, GAP_DOT, GAP_STAR, newScan, scan, wordAt } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { NONE } from "./trie.ts";
import type { Trie } from "./trie.ts";

type Compiled = {
  readonly trie: Trie;
  readonly ids: readonly string[];
  /**
   * Evidence lists already made, by entry, rule and head: the same few come back label after label.
   */
  readonly proofs: Map<number, readonly string[]>;
  readonly corrections: ReadonlyMap<
    string,
    { readonly brandId: string | null; readonly label: string }
  >;
};

/** Confidence by rule; an operator's correction is certain. */
const CONFIDENCE: Readonly<Record<Rule, number>> = {
  exact: 0.99,
  ordinary_word_alone: 0.95,
  glued: 0.9,
  truncated: 0.85,
  descriptor: 0.93,
  no_alias: 0,
  ordinary_word_in_context: 0,
  other_company: 0,
  small_trader: 0,
  ambiguous: 0,
  excluded: 0,
  too_little_left: 0,
  unknown_town: 0,
};

/** The merchant's text: the tokens' part of the label, blanks collapsed. */
function merchantText(tokens: Scan, from: number, to: number): string {
  if (from >= to) return "";
  let end = tokens.ends[to - 1] ?? 0;
  // A closing mark belongs to the name: CANAL+.
  if (tokens.text.charCodeAt(end) === 43) end += 1;
  const text = tokens.text.slice(tokens.starts[from], end);
  for (let i = from + 1; i < to; i += 1) {
    const at = tokens.ends[i - 1] ?? 0;
    const width = (tokens.starts[i] ?? 0) - at;
    if (width > 1 || (width === 1 && isLineSpace(tokens.text.charCodeAt(at)))) {
      return text.replace(/\s+/g, " ");
    }
  }
  return text;
}

/** Tab, line feed, carriage return. */
function isLineSpace(code: number): boolean {
  return code === 9 || code === 10 || code === 13;
}

function channelOf(tokens: Scan, frame: Frame, match: Match): Channel {
  if (frame.contactless) return "in_store";
  if (frame.remote || hasForeignTail(tokens, frame)) return "online";
  for (let i = match.merchantFrom; i < frame.to; i += 1) {
    const gap = tokens.gaps[i] ?? 0;
    const flags = tokens.flags[i] ?? 0;
    if (
      i > match.merchantFrom && (flags & ONLINE) !== 0 &&
      (gap & (GAP_DOT | GAP_DASH) || (flags & COUNTRY) === 0)
    ) return "online";
    if ((gap & GAP_STAR) !== 0 && wordAt(tokens, i - 1) === "PAYPAL") return "online";
  }
  if (match.merchantFrom > frame.from && frame.townFirst) return "in_store";
  return match.merchantFrom > frame.from && wordAt(tokens, match.merchantFrom - 1) === "SC"
    ? "in_store"
    : "unknown";
}

const RULE_STEPS = new Map<string, string>();
for (const rule of [...Object.keys(CONFIDENCE), "correction"]) RULE_STEPS.set(rule, `rule:${rule}`);

const REFUSED = {
  head: new Map<string, readonly string[]>(),
  hint: new Map<string, readonly string[]>(),
};
for (const [rule, step] of RULE_STEPS) {
  REFUSED.head.set(rule, Object.freeze(["kind:head", step]));
  REFUSED.hint.set(rule, Object.freeze(["kind:hint", step]));
}

function steps(frame: Frame, rule: string, matched: string | null): readonly string[] {
  if (matched === null) return (frame.spoken ? REFUSED.head : REFUSED.hint).get(rule) ?? [];
  return [
    frame.spoken ? "kind:head" : "kind:hint",
    RULE_STEPS.get(rule) ?? rule,
    `alias:${matched}`,
  ];
}

const RULE_NUMBERS = new Map<Rule, number>(
  (Object.keys(CONFIDENCE) as Rule[]).map((rule, number) => [rule, number]),
);

function proofOf(compiled: Compiled, frame: Frame, match: Match, alias: string): readonly string[] {
  const key = (match.entry * RULE_NUMBERS.size + (RULE_NUMBERS.get(match.rule) ?? 0)) * 2 +
    (frame.spoken ? 1 : 0);
  const known = compiled.proofs.get(key);
  if (known !== undefined) return known;
  const made = Object.freeze([
    frame.spoken ? "kind:head" : "kind:hint",
    RULE_STEPS.get(match.rule) ?? match.rule,
    `alias:${alias}`,
  ]);
  compiled.proofs.set(key, made);
  return made;
}

function unmatched(frame: Frame): Recognition {
  return {
    kind: frame.kind,
    brandId: null,
    matched: null,
    confidence: 0,
    merchant: "",
    channel: "unknown",
    evidence: [frame.spoken ? "kind:head" : "kind:hint", "rule:not_a_card_row"],
  };
}

/** Scratch of one recogniser: calls are synchronous, so one set is enough. */
type Scratch = { readonly tokens: Scan; readonly frame: Frame; readonly context: MatchContext };

/** A question mark that touches a letter is what an exporter made of an accented one. */
const BROKEN_ACCENT = /(?<=[A-Z])\?|\?(?=[A-Z])/gi;
/** The accented letters of French, the most frequent first. */
const ACCENTED = ["E", "I", "A", "O", "U", "C"] as const;

/**
 * NOCIB?, OKA?DI: where the text as it is says nothing, it is read once for each letter that may be
 * missing.
 */
function answer(
  compiled: Compiled,
  scratch: Scratch,
  label: string,
  hint: AggregatorHint,
): Recognition {
  const plain = answerText(compiled, scratch, label, hint);
  if (
    !scratch.tokens.hasUnknown || plain.brandId !== null || !isCardRow(plain.kind) ||
    plain.evidence.includes("rule:correction")
  ) return plain;
  const text = label.replaceAll("\ufffd", "?");
  for (const letter of ACCENTED) {
    const guess = text.replace(BROKEN_ACCENT, letter);
    if (guess === text) break;
    const read = answerText(compiled, scratch, guess, hint);
    if (read.brandId !== null || !isCardRow(read.kind)) return read;
  }
  return answerText(compiled, scratch, label, hint);
}

function answerText(
  compiled: Compiled,
  scratch: Scratch,
  label: string,
  hint: AggregatorHint,
): Recognition {
  const { tokens, frame, context } = scratch;
  const { match } = context;
  scan(label, tokens);
  readFrame(tokens, frame, hint);
  if (!isCardRow(frame.kind)) return unmatched(frame);
  matchField(context, frame);
  const merchant = merchantText(tokens, match.merchantFrom, frame.to);
  const channel = channelOf(tokens, frame, match);
  if (compiled.corrections.size > 0) {
    const correction = compiled.corrections.get(merchant);
    if (correction !== undefined) {
      const { brandId } = correction;
      return {
        kind: frame.kind,
        brandId,
        matched: brandId === null ? null : correction.label,
        confidence: brandId === null ? 0 : 1,
        merchant,
        channel,
        evidence: steps(frame, "correction", brandId === null ? null : correction.label),
      };
    }
  }
  const entry = match.brand === NONE ? undefined : compiled.trie.entries[match.entry];
  const matched = entry === undefined ? null : entry.alias;
  return {
    kind: frame.kind,
    brandId: entry === undefined ? null : (compiled.ids[match.brand] ?? null),
    matched,
    confidence: CONFIDENCE[match.rule],
    merchant,
    channel,
    evidence: matched === null
      ? steps(frame, match.rule, null)
      : proofOf(compiled, frame, match, matched),
  };
}

function explained(
  compiled: Compiled,
  scratch: Scratch,
  label: string,
  hint: AggregatorHint,
): Recognition {
  const result = answer(compiled, scratch, label, hint);
  const { tokens, frame, context: { match } } = scratch;
  if (!isCardRow(result.kind)) {
    return { ...result, evidence: [`kind:${result.kind}`, ...result.evidence] };
  }
  const cut = (
    from: number,
    to: number,
  ): string => (from >= to ? "" : tokens.text.slice(tokens.starts[from], tokens.ends[to - 1]));
  const head = cut(0, frame.from);
  const before = cut(frame.from, match.merchantFrom);
  const tail = cut(frame.to, tokens.count);
  const strength = match.brand === NONE ? undefined : compiled.trie.entries[match.entry]?.strength;
  const proof = strength === undefined
    ? ""
    : strength === WEAK
    ? "ordinary_word"
    : strength === PHRASE
    ? "phrase"
    : "distinctive";
  const details: readonly (readonly [string, string])[] = [
    ["frame", frame.id],
    ["removed_head", head],
    ["removed_before_merchant", before],
    ["removed_tail", tail],
    ["merchant", result.merchant],
    ["text_that_matched", match.brand === NONE ? "" : cut(match.start, match.end)],
    ["alias_is", proof],
  ];
  return {
    ...result,
    evidence: [
      `kind:${result.kind}`,
      ...result.evidence,
      ...details.filter(([, text]) => text !== "").map(([step, text]) => `${step}:${text}`),
    ],
  };
}

/**
 * Compiles brands (and operators' corrections) into a recogniser. Takes some 10 ms per 1,000
 * aliases; keep the result and swap it when the catalogue's version changes. The order of brands
 * and aliases does not matter. A spelling that two brands share matches neither (`aliasWarnings`
 * warns the operator).
 */
export function compileCatalogue(
  brands: readonly BrandEntry[],
  options: { readonly corrections?: readonly Correction[] } = {},
): Recogniser {
  const { trie, facts } = compileTrie(brands);
  const ids = brands.map((brand) => brand.id);
  const tokens = newScan();
  const context = newMatchContext(tokens, trie, facts);
  const scratch: Scratch = { tokens, frame: newFrame(), context };
  const known = new Set(ids);
  const corrections = new Map<string, { brandId: string | null; label: string }>();
  const compiled: Compiled = { trie, ids, proofs: new Map(), corrections };
  const bare: Compiled = { trie, ids, proofs: compiled.proofs, corrections: new Map() };
  for (const { label, brandId } of options.corrections ?? []) {
    // A correction to a brand that is gone says nothing any more.
    if (brandId !== null && !known.has(brandId)) continue;
    const { merchant } = answer(bare, scratch, label, "unknown");
    if (merchant !== "") corrections.set(merchant, { brandId, label: merchant });
  }
  return {
    recognise: (label, hint = "unknown") => answer(compiled, scratch, label, hint),
    explain: (label, hint = "unknown") => explained(compiled, scratch, label, hint),
    kindOf: (label, hint = "unknown") => {
      scan(label, scratch.tokens);
      readFrame(scratch.tokens, scratch.frame, hint);
      // The same reading as `recognise`, broken accents included.
      return scratch.tokens.hasUnknown
        ? answer(compiled, scratch, label, hint).kind
        : scratch.frame.kind;
    },
  };
}
