// What the rest of Cagnotte knows about recognition: types only. Recognition depends on no other
// domain and keeps no state but a compiled catalogue; it must never see more of a bank row than its
// label and the aggregator's type.

/** What a bank row is. Only `card` and `refund` rows may carry a brand. */
export type RowKind = "card" | "refund" | "withdrawal" | "transfer" | "debit" | "other";

/**
 * The aggregator's own idea of the kind. It decides only where the label has no head of its own
 * (N26, card accounts).
 */
export type AggregatorHint = RowKind | "unknown";

/**
 * A brand as an operator enters it. `excluded` phrases refuse the brand wherever they are in the
 * merchant text.
 */
export type BrandEntry = {
  readonly id: string;
  readonly name: string;
  readonly category?: string;
  readonly aliases: readonly string[];
  readonly excluded?: readonly string[];
  readonly wikidata?: string;
};

/**
 * An operator's decision about one merchant text: every label with that merchant gets this brand,
 * or none. A text that is nothing but a name (a shop's legal name) also holds before any number or
 * town, for labels in which no brand is found.
 */
export type Correction = { readonly label: string; readonly brandId: string | null };

/** Where the purchase was made, as far as the label says. */
export type Channel = "in_store" | "online" | "unknown";

/** The answer for one label. */
export type Recognition = {
  readonly kind: RowKind;
  readonly brandId: string | null;
  /** The alias that matched, as the operator typed it, or the descriptor of the curated list. */
  readonly matched: string | null;
  /** 0 to 1: how plain the match is. 0 without a brand. */
  readonly confidence: number;
  /** The merchant's text without the bank's head and tail; empty when the row is no card row. */
  readonly merchant: string;
  readonly channel: Channel;
  /**
   * `step:detail` codes in the order of the decision. `recognise` gives the steps alone, `explain`
   * what they removed too.
   */
  readonly evidence: readonly string[];
};

/** A compiled catalogue. Immutable, synchronous, safe to share by every request of an isolate. */
export type Recogniser = {
  readonly recognise: (label: string, hint?: AggregatorHint) => Recognition;
  readonly explain: (label: string, hint?: AggregatorHint) => Recognition;
  readonly kindOf: (label: string, hint?: AggregatorHint) => RowKind;
};

/** Something an operator should look at before saving an alias. Nothing here is a refusal. */
export type AliasWarning = {
  readonly code: "alias_too_short" | "alias_ordinary_word" | "alias_collides";
  readonly alias: string;
  /** The other brand's id, for `alias_collides`. */
  readonly with?: string;
};

/** What a person decided about one merchant text: a correction, or a claim that was accepted. */
export type Decided = { readonly merchant: string; readonly brandId: string | null };

/** A label or merchant text with its right answer. */
export type KnownLabel = { readonly label: string; readonly brandId: string | null };

/**
 * A change that decisions suggest. `alias`: another spelling of the brand's own name. `descriptor`:
 * an abbreviation or legal name. `exclusion`: a phrase that is not the brand. `frame`: words that a
 * bank puts before several brands, for the recogniser's own data.
 */
export type Proposal = {
  readonly kind: "alias" | "descriptor" | "exclusion" | "frame";
  /** Null for a frame, which belongs to no brand. */
  readonly brandId: string | null;
  readonly text: string;
  /** How many decisions suggest it. */
  readonly decisions: number;
};

/** What a proposal would change on the labels whose answer is known. */
export type ProposalEffect = {
  readonly labels: number;
  /** Labels that would become right, and right ones that would become wrong. */
  readonly gained: number;
  readonly lost: number;
  readonly changes: readonly {
    readonly label: string;
    readonly before: string | null;
    readonly after: string | null;
  }[];
};

/** How proposals are made and judged. */
export type Proposals = {
  readonly proposalsOf: (
    brands: readonly BrandEntry[],
    decisions: readonly Decided[],
  ) => readonly Proposal[];
  readonly knownLabels: (
    brands: readonly BrandEntry[],
    decisions: readonly Decided[],
  ) => readonly KnownLabel[];
  readonly effectOf: (
    brands: readonly BrandEntry[],
    known: readonly KnownLabel[],
    proposal: Proposal,
  ) => ProposalEffect;
};
