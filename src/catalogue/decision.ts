// The outcome of an operator's act, decided on one version of the catalogue: the change to write,
// or why there is none.
import type { Id, IdPrefix } from "../kernel/ids.ts";
import type { Result } from "../kernel/result.ts";
import type { CatalogueError } from "./errors.ts";
import type {
  AliasChange,
  BrandRecord,
  CorrectionChange,
  CorrectionRecord,
  OfferRecord,
  StopRecord,
  VersionRecord,
} from "./catalogue.ts";

/** Who acts, when, and the key under which a repeat of the same request finds what it made. */
export type Act = {
  readonly operator: string;
  readonly listedPerson: boolean;
  readonly nowMs: number;
  readonly requestKey: string | null;
  readonly newId: <P extends IdPrefix>(prefix: P) => Id<P>;
};

/** What one act of an operator writes. */
export type CatalogueChange = {
  /** Inserted, or replaced when the id is there. */
  readonly brands?: readonly BrandRecord[];
  /** Each supersedes a change of the same brand that still waits. */
  readonly aliasChanges?: readonly AliasChange[];
  readonly approvedAliasChange?: { readonly id: string; readonly approvedBy: string };
  /** Inserted, or their words replaced when the id is there. */
  readonly offers?: readonly OfferRecord[];
  /** Inserted, or approved when they wait. */
  readonly stops?: readonly StopRecord[];
  readonly versions?: readonly VersionRecord[];
  /** As it is after the approval. */
  readonly approvedVersion?: VersionRecord;
  /** Each supersedes a change of the same merchant that still waits. */
  readonly corrections?: readonly CorrectionRecord[];
  readonly correctionChanges?: readonly CorrectionChange[];
  readonly approvedCorrection?: { readonly id: string; readonly approvedBy: string };
};

type Decided<T> = {
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
type LineStatus = "created" | "updated" | "unchanged" | "waiting";

export type ImportLine = {
  readonly line: number;
  readonly status: LineStatus;
  readonly id: string;
  /** Members that apply at once. */
  readonly changed: readonly string[];
  /** Members that wait for a second person. */
  readonly waiting: readonly string[];
};
