// Whole objects as raw rows, to move them between runtimes (object/transfer.ts).
import type { Result } from "../../kernel/result.ts";

export type TransferKind = "ledger" | "budget";
export type BookPart = {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
};
/**
 * What an object was when its copy ended: the last sequence and head (a budget: points reserved and
 * nothing) and a hash of all rows.
 */
export type BookSeal = {
  readonly sequence: number;
  readonly head: string;
  readonly digest: string;
};
export type DumpedPage = {
  readonly parts: readonly BookPart[];
  readonly next: string | null;
  readonly seal: BookSeal | null;
};
export type StagedPage = {
  readonly archive: string;
  readonly number: number;
  readonly parts: readonly BookPart[];
};
export type ExpectedBook = {
  readonly archive: string;
  readonly pages: number;
  readonly seal: BookSeal;
};
export type TransferFailure = {
  readonly code:
    | "changed"
    | "incomplete"
    | "not_empty"
    | "mismatch"
    | "ledger_refused"
    | "unavailable";
};

/** Whole objects as raw rows, for the operator who moves the system. Never throws. */
export type LedgerTransfer = {
  readonly dump: (
    kind: TransferKind,
    id: string,
    cursor: string | null,
  ) => Promise<Result<DumpedPage, TransferFailure>>;
  readonly stage: (
    kind: TransferKind,
    id: string,
    page: StagedPage,
  ) => Promise<Result<null, TransferFailure>>;
  readonly close: (
    kind: TransferKind,
    id: string,
    expected: ExpectedBook,
  ) => Promise<Result<null, TransferFailure>>;
  /** Sets the alarm of a loaded ledger. */
  readonly arm: (userId: string) => Promise<Result<null, TransferFailure>>;
};
