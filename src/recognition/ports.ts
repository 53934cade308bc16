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
 * or none.
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
