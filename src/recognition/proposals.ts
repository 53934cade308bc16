// What decisions of people say about the catalogue: a correction or an accepted claim that the
// recogniser would not have made itself becomes a proposal, with its effect on every label whose
// answer is known before anybody approves it. Pure; it changes nothing.

import { compactOf, formsOf } from "./alias.ts";
import { nameOf } from "./merchant-name.ts";
import type {
  BrandEntry,
  Decided,
  KnownLabel,
  Proposal,
  ProposalEffect,
  Recogniser,
} from "./ports.ts";
import { compileCatalogue } from "./recogniser.ts";
import { newScan, scan, textBetween } from "./scan.ts";

/** Words of an unknown head that are tried before a known brand. */
const LONGEST_HEAD = 4;
/** Brands that must be read behind the same words before these are taken for a bank's head. */
const BRANDS_OF_HEAD = 2;
const SHORTEST_ALIAS = 3;
const SHARED_LETTERS = 3;
const SHOWN_CHANGES = 20;

function answerOf(recogniser: Recogniser, text: string): string | null {
  return recogniser.recognise(text, "card").brandId;
}

/** The words before a brand that is recognised once they are gone; null when there are none. */
function headBefore(recogniser: Recogniser, merchant: string, brandId: string): string | null {
  const tokens = newScan();
  scan(merchant, tokens);
  const last = Math.min(tokens.count - 1, LONGEST_HEAD);
  for (let i = 1; i <= last; i += 1) {
    const rest = textBetween(tokens, tokens.starts[i] ?? 0, merchant.length);
    if (answerOf(recogniser, rest) === brandId) {
      return textBetween(tokens, 0, tokens.ends[i - 1] ?? 0).trim();
    }
  }
  return null;
}

/** Whether the name is another spelling of the brand's own, and no legal name or abbreviation. */
function isSpelling(brand: BrandEntry, name: string): boolean {
  const compact = compactOf(name).slice(0, SHARED_LETTERS);
  return [brand.name, ...brand.aliases].some((alias) => compactOf(alias).startsWith(compact));
}

function proposalOf(
  recogniser: Recogniser,
  brands: ReadonlyMap<string, BrandEntry>,
  { merchant, brandId }: Decided,
): Proposal | null {
  const found = answerOf(recogniser, merchant);
  if (found === brandId) return null;
  const text = nameOf(merchant);
  if (brandId === null) {
    const brand = found === null ? undefined : brands.get(found);
    // Excluding a brand's own name would end the brand.
    const own = brand !== undefined &&
      [brand.name, ...brand.aliases].some((alias) =>
        formsOf(alias).some(({ compact }) => compact === compactOf(merchant))
      );
    return brand === undefined || own
      ? null
      : { kind: "exclusion", brandId: brand.id, text: merchant, decisions: 1 };
  }
  const brand = brands.get(brandId);
  if (brand === undefined || compactOf(text).length < SHORTEST_ALIAS) return null;
  const kind = isSpelling(brand, text) ? "alias" : "descriptor";
  return { kind, brandId, text, decisions: 1 };
}

/**
 * The proposals that follow from people's decisions, most decisions first. What the catalogue
 * already answers as decided proposes nothing.
 */
export function proposalsOf(
  brands: readonly BrandEntry[],
  decisions: readonly Decided[],
): readonly Proposal[] {
  const recogniser = compileCatalogue(brands);
  const byId = new Map(brands.map((brand) => [brand.id, brand]));
  const heads = new Map<string, Set<string>>();
  const found: { proposal: Proposal; head: string | null }[] = [];
  for (const decision of decisions) {
    const proposal = proposalOf(recogniser, byId, decision);
    if (proposal === null) continue;
    const { brandId } = decision;
    const head = brandId === null ? null : headBefore(recogniser, decision.merchant, brandId);
    if (head !== null && brandId !== null) {
      heads.set(head, (heads.get(head) ?? new Set()).add(brandId));
    }
    found.push({ proposal, head });
  }
  const merged = new Map<string, Proposal>();
  for (const { proposal, head } of found) {
    const isHead = head !== null && (heads.get(head)?.size ?? 0) >= BRANDS_OF_HEAD;
    const one: Proposal = isHead
      ? { kind: "frame", brandId: null, text: head, decisions: 1 }
      : proposal;
    const key = `${one.kind}|${one.brandId ?? ""}|${one.text}`;
    merged.set(key, { ...one, decisions: (merged.get(key)?.decisions ?? 0) + 1 });
  }
  return [...merged].sort(([a, x], [b, y]) => y.decisions - x.decisions || (a < b ? -1 : 1))
    .map(([, proposal]) => proposal);
}

/**
 * The labels whose answer is known: what people decided, and every brand's own name and aliases as
 * far as they are recognised today.
 */
export function knownLabels(
  brands: readonly BrandEntry[],
  decisions: readonly Decided[],
): readonly KnownLabel[] {
  const recogniser = compileCatalogue(brands);
  const decided = new Set(decisions.map(({ merchant }) => merchant));
  const own = brands.flatMap(({ id, name, aliases }) =>
    [...new Set([name, ...aliases])].filter((label) =>
      !decided.has(label) && answerOf(recogniser, label) === id
    ).map((label) => ({ label, brandId: id }))
  );
  return [
    ...decisions.map(({ merchant, brandId }) => ({ label: merchant, brandId })),
    ...own,
  ];
}

function changed(brands: readonly BrandEntry[], proposal: Proposal): readonly BrandEntry[] {
  return brands.map((brand) => {
    if (brand.id !== proposal.brandId) return brand;
    return proposal.kind === "exclusion"
      ? { ...brand, excluded: [...(brand.excluded ?? []), proposal.text] }
      : { ...brand, aliases: [...brand.aliases, proposal.text] };
  });
}

/** What the proposal would change on the labels whose answer is known. */
export function effectOf(
  brands: readonly BrandEntry[],
  known: readonly KnownLabel[],
  proposal: Proposal,
): ProposalEffect {
  const before = compileCatalogue(brands);
  const after = proposal.kind === "frame" ? before : compileCatalogue(changed(brands, proposal));
  const head = `${proposal.text} `;
  const read = (label: string): string =>
    proposal.kind === "frame" && label.startsWith(head) ? label.slice(head.length) : label;
  let [gained, lost] = [0, 0];
  const changes: { label: string; before: string | null; after: string | null }[] = [];
  for (const { label, brandId } of known) {
    const was = answerOf(before, label);
    const is = answerOf(after, read(label));
    if (was === is) continue;
    if (is === brandId) gained += 1;
    if (was === brandId) lost += 1;
    if (changes.length < SHOWN_CHANGES) changes.push({ label, before: was, after: is });
  }
  return { labels: known.length, gained, lost, changes };
}
