// What recognition gives to others: from a raw label, what kind of row it is and which brand it names.

export type RowKind = "card" | "refund" | "withdrawal" | "transfer" | "debit" | "other";

/** What the aggregator says the row is; wins only where the label is silent. */
export type AggregatorHint = RowKind | "unknown";

export type BrandEntry = {
  readonly id: string;
  readonly name: string;
  readonly category?: string;
  readonly aliases: readonly string[];
  readonly excluded?: readonly string[];
  readonly wikidata?: string;
};

export type Correction = { readonly label: string; readonly brandId: string | null };

export type Recognition = {
  readonly kind: RowKind;
  readonly brandId: string | null;
  readonly matched: string | null;
  /** 0 to 1. */
  readonly confidence: number;
  readonly merchant: string;
  readonly channel: "in_store" | "online" | "unknown";
  readonly evidence: readonly string[];
};

export type Recogniser = {
  readonly recognise: (label: string, hint?: AggregatorHint) => Recognition;
  readonly explain: (label: string, hint?: AggregatorHint) => Recognition;
  readonly kindOf: (label: string, hint?: AggregatorHint) => RowKind;
};
