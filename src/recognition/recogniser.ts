// Compiles a catalogue and answers for labels: kind, brand, merchant, and why. The only entry to recognition. Pure and
// synchronous: no clock, no I/O, no shared state but scratch space that never outlives a call.

import { compactOf, fieldsOf, formsOf, PHRASE, WEAK } from "./alias.ts";
import type { Strength } from "./alias.ts";
import { DESCRIPTORS } from "./descriptors.ts";
import type { Descriptor } from "./descriptors.ts";
import { hasForeignTail, isCardRow, newFrame, readFrame } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { COUNTRY, ONLINE } from "./lexicon.ts";
import { matchField, newMatch } from "./matcher.ts";
import type { BrandFacts, Match, Rule } from "./matcher.ts";
import type { AggregatorHint, BrandEntry, Channel, Correction, Recogniser, Recognition } from "./ports.ts";
import { GAP_DASH, GAP_DOT, GAP_STAR, newScan, scan, wordAt } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { buildTrie, NONE } from "./trie.ts";
import type { Entry, Trie } from "./trie.ts";

type Compiled = {
  readonly trie: Trie;
  readonly facts: BrandFacts;
  readonly ids: readonly string[];
  readonly corrections: ReadonlyMap<string, { readonly brandId: string | null; readonly label: string }>;
};

/** Confidence by rule; an operator's correction is certain. */
const CONFIDENCE: Readonly<Record<Rule, number>> = {
  exact: 0.99, ordinary_word_alone: 0.95, glued: 0.9, truncated: 0.85, descriptor: 0.93,
  no_alias: 0, ordinary_word_in_context: 0, other_company: 0, small_trader: 0, ambiguous: 0, excluded: 0, too_little_left: 0, unknown_town: 0,
};

const EMPTY: readonly string[] = Object.freeze([]);

function compactNames(brand: BrandEntry): string[] {
  return [brand.name, ...brand.aliases].map(compactOf);
}

function entriesOf(brand: BrandEntry, index: number): Entry[] {
  const entries: Entry[] = [];
  for (const alias of new Set([brand.name, ...brand.aliases])) {
    for (const form of formsOf(alias)) entries.push({ ...form, brand: index, alias, curated: false });
  }
  return entries;
}

/** The curator vouches for an abbreviation; it still gives way to a trade ("ITM TRANSPORTS"). */
function curatedStrength(strength: Strength, compact: string): Strength {
  return compact.length <= 4 || strength === WEAK ? PHRASE : strength;
}

function curatedEntries(descriptor: Descriptor, index: number): Entry[] {
  return (descriptor.include ?? []).flatMap((alias) =>
    formsOf(alias).map((form) => ({ ...form, strength: curatedStrength(form.strength, form.compact), brand: index, alias, curated: true })));
}

/** Descriptors by the compact name or Wikidata id of their brand, so that compiling stays linear. */
function descriptorIndex(): Map<string, Descriptor[]> {
  const index = new Map<string, Descriptor[]>();
  const add = (key: string, descriptor: Descriptor): void => {
    const list = index.get(key);
    if (list === undefined) index.set(key, [descriptor]);
    else list.push(descriptor);
  };
  for (const descriptor of DESCRIPTORS) for (const key of descriptor.brand) add(key, descriptor);
  return index;
}

const descriptorsByName = descriptorIndex();

function descriptorsOf(brand: BrandEntry): Set<Descriptor> {
  const found = new Set<Descriptor>();
  for (const name of compactNames(brand)) for (const descriptor of descriptorsByName.get(name) ?? []) found.add(descriptor);
  return found;
}

function compileTrie(brands: readonly BrandEntry[]): { trie: Trie; facts: BrandFacts } {
  const entries: Entry[] = [];
  const fields = new Int32Array(brands.length);
  const excluded: (readonly string[] | null)[] = [];
  for (const [index, brand] of brands.entries()) {
    for (const entry of entriesOf(brand, index)) entries.push(entry);
    fields[index] = fieldsOf(brand.category);
    const refused = (brand.excluded ?? []).map(compactOf);
    const own = new Set(compactNames(brand));
    for (const descriptor of descriptorsOf(brand)) {
      for (const entry of curatedEntries(descriptor, index)) entries.push(entry);
      // An operator who types "Orange Bank" as an alias of Orange has decided.
      for (const phrase of descriptor.exclude ?? []) if (!own.has(compactOf(phrase))) refused.push(compactOf(phrase));
    }
    const phrases = refused.filter((phrase) => phrase !== "");
    excluded.push(phrases.length === 0 ? null : phrases);
  }
  return { trie: buildTrie(entries), facts: { fields, excluded } };
}

/** The merchant's text: the tokens' part of the label, blanks collapsed. */
function merchantText(tokens: Scan, from: number, to: number): string {
  if (from >= to) return "";
  let end = tokens.ends[to - 1] ?? 0;
  // A closing mark belongs to the name: CANAL+.
  if (tokens.text.charCodeAt(end) === 43) end += 1;
  const text = tokens.text.slice(tokens.starts[from], end);
  return text.includes("  ") || text.includes("\t") || text.includes("\n") ? text.replace(/\s+/g, " ") : text;
}

function channelOf(tokens: Scan, frame: Frame, match: Match): Channel {
  if (frame.contactless) return "in_store";
  if (frame.remote || hasForeignTail(tokens, frame)) return "online";
  for (let i = match.merchantFrom; i < frame.to; i += 1) {
    const gap = tokens.gaps[i] ?? 0;
    const flags = tokens.flags[i] ?? 0;
    if (i > match.merchantFrom && (flags & ONLINE) !== 0 && (gap & (GAP_DOT | GAP_DASH) || (flags & COUNTRY) === 0)) return "online";
    if ((gap & GAP_STAR) !== 0 && wordAt(tokens, i - 1) === "PAYPAL") return "online";
  }
  if (match.merchantFrom > frame.from && frame.townFirst) return "in_store";
  return match.merchantFrom > frame.from && wordAt(tokens, match.merchantFrom - 1) === "SC" ? "in_store" : "unknown";
}

function steps(frame: Frame, rule: string, matched: string | null): readonly string[] {
  return [frame.spoken ? "kind:head" : "kind:hint", `rule:${rule}`, ...(matched === null ? EMPTY : [`alias:${matched}`])];
}

function unmatched(frame: Frame): Recognition {
  return { kind: frame.kind, brandId: null, matched: null, confidence: 0, merchant: "", channel: "unknown", evidence: [frame.spoken ? "kind:head" : "kind:hint", "rule:not_a_card_row"] };
}

/** Scratch of one recogniser: calls are synchronous, so one set is enough. */
type Scratch = { readonly tokens: Scan; readonly frame: Frame; readonly match: Match };

function answer(compiled: Compiled, scratch: Scratch, label: string, hint: AggregatorHint): Recognition {
  const { tokens, frame, match } = scratch;
  scan(label, tokens);
  readFrame(tokens, frame, hint);
  if (!isCardRow(frame.kind)) return unmatched(frame);
  matchField(tokens, compiled.trie, compiled.facts, frame.from, frame.to, frame.townFirst, match);
  const merchant = merchantText(tokens, match.merchantFrom, frame.to);
  const channel = channelOf(tokens, frame, match);
  if (compiled.corrections.size > 0) {
    const correction = compiled.corrections.get(merchant);
    if (correction !== undefined) {
      const { brandId } = correction;
      return { kind: frame.kind, brandId, matched: brandId === null ? null : correction.label, confidence: brandId === null ? 0 : 1, merchant, channel, evidence: steps(frame, "correction", brandId === null ? null : correction.label) };
    }
  }
  const entry = match.brand === NONE ? undefined : compiled.trie.entries[match.entry];
  const matched = entry === undefined ? null : entry.alias;
  return {
    kind: frame.kind, brandId: entry === undefined ? null : (compiled.ids[match.brand] ?? null), matched,
    confidence: CONFIDENCE[match.rule], merchant, channel, evidence: steps(frame, match.rule, matched),
  };
}

function explained(compiled: Compiled, scratch: Scratch, label: string, hint: AggregatorHint): Recognition {
  const result = answer(compiled, scratch, label, hint);
  const { tokens, frame, match } = scratch;
  if (!isCardRow(result.kind)) return { ...result, evidence: [`kind:${result.kind}`, ...result.evidence] };
  const cut = (from: number, to: number): string => (from >= to ? "" : tokens.text.slice(tokens.starts[from], tokens.ends[to - 1]));
  const head = cut(0, frame.from);
  const before = cut(frame.from, match.merchantFrom);
  const tail = cut(frame.to, tokens.count);
  const strength = match.brand === NONE ? undefined : compiled.trie.entries[match.entry]?.strength;
  const proof = strength === undefined ? "" : strength === WEAK ? "ordinary_word" : strength === PHRASE ? "phrase" : "distinctive";
  const details: readonly (readonly [string, string])[] = [
    ["removed_head", head], ["removed_before_merchant", before], ["removed_tail", tail], ["merchant", result.merchant],
    ["text_that_matched", match.brand === NONE ? "" : cut(match.start, match.end)], ["alias_is", proof],
  ];
  return { ...result, evidence: [`kind:${result.kind}`, ...result.evidence, ...details.filter(([, text]) => text !== "").map(([step, text]) => `${step}:${text}`)] };
}

/**
 * Compiles brands (and operators' corrections) into a recogniser. Takes some 10 ms per 1,000 aliases; keep the result and
 * swap it when the catalogue's version changes. The order of brands and aliases does not matter. A spelling that two
 * brands share matches neither (`aliasWarnings` tells the operator).
 */
export function compileCatalogue(brands: readonly BrandEntry[], options: { readonly corrections?: readonly Correction[] } = {}): Recogniser {
  const { trie, facts } = compileTrie(brands);
  const ids = brands.map((brand) => brand.id);
  const scratch: Scratch = { tokens: newScan(), frame: newFrame(), match: newMatch() };
  const known = new Set(ids);
  const corrections = new Map<string, { brandId: string | null; label: string }>();
  const compiled: Compiled = { trie, facts, ids, corrections };
  const bare: Compiled = { trie, facts, ids, corrections: new Map() };
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
      return scratch.frame.kind;
    },
  };
}
