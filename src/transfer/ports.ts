// What a line of an archive is, for the service, the routes and the command line.

export type LineKind = "header" | "table" | "budget" | "ledger" | "end";

/**
 * Where a line belongs. It is bound into the ciphertext, so that a line cannot be moved, repeated
 * or dropped.
 */
export type LinePlace = {
  readonly archive: string;
  /** From 0, without gaps. */
  readonly line: number;
  readonly kind: LineKind;
  /** The table, offer or user; empty for the header and the end. */
  readonly name: string;
  /** The page within `name`, from 0. */
  readonly page: number;
};
export type SealedLine = LinePlace & { readonly sealed: string };
export type ImportState = {
  readonly archive: string;
  /** The next line that is expected. */
  readonly next: number;
  readonly state: "loading" | "opening" | "done";
  /** The last ledger whose alarm was set. */
  readonly after: string;
};
