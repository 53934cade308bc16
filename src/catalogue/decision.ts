// What an operator's act on the catalogue comes to, decided on one version of the book: either what
// to write, or why not.
import type { Id, IdPrefix } from "../kernel/ids.ts";
import type { Result } from "../kernel/result.ts";
import type { CatalogueError } from "./errors.ts";
import type { CatalogueChange } from "./store.ts";

/** Who acts, when, and the key under which a repeat of the same request finds what it made. */
export type Act = {
  readonly operator: string;
  readonly nowMs: number;
  readonly requestKey: string | null;
  readonly newId: <P extends IdPrefix>(prefix: P) => Id<P>;
};

export type Decided<T> = {
  readonly value: T;
  /** Null when the catalogue is already as asked. */
  readonly change: CatalogueChange | null;
  readonly audit: {
    readonly action: string;
    readonly target: string;
    readonly details: Readonly<Record<string, string | number | boolean | null>>;
  };
};

export type Decision<T> = Result<Decided<T>, CatalogueError>;

/** What happened to one line of an import. `waiting`: for a second person. */
export type LineStatus = "created" | "updated" | "unchanged" | "waiting";

export type ImportLine = {
  readonly line: number;
  readonly status: LineStatus;
  readonly id: string;
};
