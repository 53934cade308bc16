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
import { nameOf, nameWithin } from "./merchant-name.ts";
import type {
  AggregatorHint,
  BrandEntry,
  Channel,
  Correction,
  Recogniser,
  Recognition,
} from "./ports.ts";
import { GAP_DASH, GAP_DOT, GAP_STAR, newScan, scan, textBetween } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { isContactless, isWord } from "./tokens.ts";
import { NONE } from "./trie.ts";
import type { Trie } from "./trie.ts";

/** A shorter text than this is no legal name by itself. */
const SHORTEST_NAME = 5;

type Corrected = { readonly brandId: string | null; readonly label: string };

type Compiled = {
  readonly trie: Trie;
  readonly corrections: ReadonlyMap<string, Corrected>;
  /** Corrections whose text is nothing but a name: they hold before any number or town. */
  readonly names: ReadonlyMap<string, Corrected>;
};

type RuleFacts = { readonly confidence: number; readonly step: string };

function rule(confidence: number, name: Rule): RuleFacts {
  return { confidence, step: `rule:${name}` };
}

/** Confidence by rule, and how the evidence names it; an operator's correction is certain. */
const RULES: Readonly<Record<Rule, RuleFacts>> = {
  exact: rule(0.99, "exact"),
  ordinary_word_alone: rule(0.95, "ordinary_word_alone"),
  glued: rule(0.9, "glued"),
  truncated: rule(0.85, "truncated"),
  descriptor: rule(0.93, "descriptor"),
  no_alias: rule(0, "no_alias"),
  ordinary_word_in_context: rule(0, "ordinary_word_in_context"),
  other_company: rule(0, "other_company"),
  small_trader: rule(0, "small_trader"),
  ambiguous: rule(0, "ambiguous"),
  excluded: rule(0, "excluded"),
  too_little_left: rule(0, "too_little_left"),
  unknown_town: rule(0, "unknown_town"),
};

/** The merchant's text: the tokens' part of the label, blanks collapsed. */
function merchantText(tokens: Scan, from: number, to: number): string {
  if (from >= to) return "";
  let end = tokens.ends[to - 1] ?? 0;
  // A closing mark belongs to the name: CANAL+.
  if (tokens.chars[end] === 43) end += 1;
  const text = textBetween(tokens, tokens.starts[from] ?? 0, end);
  if (!tokens.hasOtherBlanks) return text;
  for (let i = from + 1; i < to; i += 1) {
    const at = tokens.ends[i - 1] ?? 0;
    const width = (tokens.starts[i] ?? 0) - at;
    if (width > 1 || (width === 1 && isLineSpace(tokens.chars[at] ?? 0))) {
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
  const mayBeOnline = tokens.hasStar || (tokens.seenFlags & ONLINE) !== 0;
  for (let i = mayBeOnline ? match.merchantFrom : frame.to; i < frame.to; i += 1) {
    const gap = tokens.gaps[i] ?? 0;
    const flags = tokens.flags[i] ?? 0;
    if (
      i > match.merchantFrom && (flags & ONLINE) !== 0 &&
      (gap & (GAP_DOT | GAP_DASH) || (flags & COUNTRY) === 0)
    ) return "online";
    if ((gap & GAP_STAR) !== 0 && isWord(tokens, i - 1, "PAYPAL")) return "online";
  }
  if (match.merchantFrom > frame.from && frame.townFirst) return "in_store";
  return match.merchantFrom > frame.from && isContactless(tokens, match.merchantFrom - 1)
    ? "in_store"
    : "unknown";
}

const REFUSED = {
  head: new Map<string, readonly string[]>(),
  hint: new Map<string, readonly string[]>(),
};
for (const name of [...Object.keys(RULES), "correction"]) {
  REFUSED.head.set(name, Object.freeze(["kind:head", `rule:${name}`]));
  REFUSED.hint.set(name, Object.freeze(["kind:hint", `rule:${name}`]));
}

function steps(frame: Frame, rule: string, matched: string | null): readonly string[] {
  if (matched === null) return (frame.spoken ? REFUSED.head : REFUSED.hint).get(rule) ?? [];
  return [
    frame.spoken ? "kind:head" : "kind:hint",
    `rule:${rule}`,
    `alias:${matched}`,
  ];
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

/** The correction of this merchant, or of its name where no brand was found. */
function correctionOf(
  compiled: Compiled,
  { tokens, frame, context: { match } }: Scratch,
  merchant: string,
): Corrected | undefined {
  if (compiled.corrections.size === 0) return undefined;
  const exact = compiled.corrections.get(merchant);
  if (exact !== undefined || match.brand !== NONE || compiled.names.size === 0) return exact;
  return compiled.names.get(nameWithin(tokens, match.merchantFrom, frame.to));
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
  const correction = correctionOf(compiled, scratch, merchant);
  if (correction !== undefined) {
    const { brandId, label: corrected } = correction;
    return {
      kind: frame.kind,
      brandId,
      matched: brandId === null ? null : corrected,
      confidence: brandId === null ? 0 : 1,
      merchant,
      channel,
      evidence: steps(frame, "correction", brandId === null ? null : corrected),
    };
  }
  const entry = match.brand === NONE ? undefined : compiled.trie.entries[match.entry];
  if (entry === undefined) {
    return {
      kind: frame.kind,
      brandId: null,
      matched: null,
      confidence: 0,
      merchant,
      channel,
      evidence: steps(frame, match.rule, null),
    };
  }
  entry.step ??= `alias:${entry.alias}`;
  const { confidence, step } = RULES[match.rule];
  return {
    kind: frame.kind,
    brandId: entry.id,
    matched: entry.alias,
    confidence,
    merchant,
    channel,
    evidence: [frame.spoken ? "kind:head" : "kind:hint", step, entry.step],
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
  ): string =>
    from >= to ? "" : textBetween(tokens, tokens.starts[from] ?? 0, tokens.ends[to - 1] ?? 0);
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
    ["merchant_column", frame.merchantWidth === 0 ? "" : String(frame.merchantWidth)],
    ["town_column_first", frame.townFirst ? "yes" : ""],
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
  const trie = compileTrie(brands);
  const tokens = newScan();
  const context = newMatchContext(tokens, trie);
  const scratch: Scratch = { tokens, frame: newFrame(), context };
  const known = new Set(brands.map((brand) => brand.id));
  const corrections = new Map<string, Corrected>();
  const names = new Map<string, Corrected>();
  const compiled: Compiled = { trie, corrections, names };
  const bare: Compiled = { trie, corrections: new Map(), names: new Map() };
  for (const { label, brandId } of options.corrections ?? []) {
    // A correction to a brand that is gone says nothing any more.
    if (brandId !== null && !known.has(brandId)) continue;
    const { merchant } = answer(bare, scratch, label, "unknown");
    if (merchant === "") continue;
    corrections.set(merchant, { brandId, label: merchant });
    const isName = merchant.length >= SHORTEST_NAME && nameOf(merchant) === merchant;
    if (brandId !== null && isName) names.set(merchant, { brandId, label: merchant });
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
