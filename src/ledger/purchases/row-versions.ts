// Which of two versions of one row is the newer. Pure.
import { HOUR_MS } from "../../kernel/time.ts";
import type { BankRow } from "../ports.ts";

export type RowVersion = {
  readonly state: BankRow["state"];
  readonly lastUpdateMs: number;
  /** Null: `lastUpdateMs` is exact. See `BankRow`. */
  readonly lastUpdateKind: NonNullable<BankRow["lastUpdateKind"]> | null;
};
type VersionTime = Pick<RowVersion, "lastUpdateMs" | "lastUpdateKind">;

const STATE_RANK = { pending: 0, booked: 1, deleted: 2 } as const;

function latestMs({ lastUpdateMs, lastUpdateKind }: VersionTime): number {
  return lastUpdateKind === "repeated_hour" ? lastUpdateMs + HOUR_MS : lastUpdateMs;
}

/** Whatever passes the clocks may have shown, the first of the two is the older. */
export function isSurelyOlder(a: VersionTime, b: VersionTime): boolean {
  if (a.lastUpdateKind === "unstated" || b.lastUpdateKind === "unstated") return false;
  return latestMs(a) < b.lastUpdateMs;
}

/**
 * Whether `row`, which arrives, overwrites `known`. Their times decide where they can; at one time
 * a later state is the newer one. Of two in the repeated hour that have the same state, the one
 * that arrives is; `isDifferent` keeps a repeat of what is known from being taken for a change.
 */
export function isNewerVersion(
  row: RowVersion,
  known: RowVersion,
  isDifferent: () => boolean,
): boolean {
  if (row.lastUpdateKind === "unstated") return false;
  if (known.lastUpdateKind === "unstated" || isSurelyOlder(known, row)) return true;
  if (isSurelyOlder(row, known)) return false;
  if (row.state !== known.state) return STATE_RANK[row.state] > STATE_RANK[known.state];
  const isExact = row.lastUpdateKind === null && known.lastUpdateKind === null;
  return !isExact && isDifferent();
}
