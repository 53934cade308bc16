// A row as far as matching looks at it, and how the closest of several pairs is found.
import type { RowVersion } from "./row-versions.ts";

/** `n` is the recording number. */
export type SameRow = {
  readonly n: number;
  readonly accountNo: number;
  /** Breaks what ties are left, the same in every order of arrival. */
  readonly externalId: string;
  readonly kind: "purchase" | "refund";
  readonly cents: number;
  /** Other amounts under which the bank had booked this row before. */
  readonly earlierCents: readonly number[];
  readonly date: string;
  readonly state: "pending" | "booked" | "deleted";
  /** The bank had booked it, whatever it says now. */
  readonly wasBooked: boolean;
  readonly brandId: string | null;
  readonly labelTag: string;
  readonly lastUpdateMs: number;
  readonly lastUpdateKind: RowVersion["lastUpdateKind"];
  /** A booked row that was once pending under its own id does not take over another pending row. */
  readonly wasPending: boolean;
  /**
   * What was found before: the row this one repeats, or null. Not looked at here; the caller
   * compares.
   */
  readonly sameAs: number | null;
  /** A read gave what it says; else only a webhook did. */
  readonly isShown: boolean;
  /** Points that rest on it are confirmed. */
  readonly isConfirmed: boolean;
  /**
   * Whether rule (c) asked for a review before; null when another rule or a person decides that.
   * Not looked at here; the caller compares.
   */
  readonly needsReview: boolean | null;
};

/** Rows that show one purchase, oldest listing first. */
export type Slot = SameRow[];

type Rank = readonly (number | string)[];

export type Pair<A, B> = { readonly left: A; readonly right: B; readonly rank: Rank };

/** Takes pairs in the order of their rank, each side at most once. */
export function closestFirst<A extends object, B extends object>(
  pairs: readonly Pair<A, B>[],
): Pair<A, B>[] {
  const taken = new Set<object>();
  return [...pairs].sort((a, b) => compareRanks(a.rank, b.rank)).filter((pair) => {
    if (taken.has(pair.left) || taken.has(pair.right)) return false;
    taken.add(pair.left).add(pair.right);
    return true;
  });
}

/** Orders ranks member by member. */
export function compareRanks(a: Rank, b: Rank): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

/**
 * Rows of no known brand are distinguished by their label: two strangers' purchases are not one
 * because both are unknown.
 */
export function haveOneMerchant(a: SameRow, b: SameRow): boolean {
  return a.brandId === null && b.brandId === null
    ? a.labelTag === b.labelTag
    : a.brandId === b.brandId;
}

/** Rows by direction and amount. */
export function byAmount(rows: readonly SameRow[]): SameRow[][] {
  const groups = new Map<string, SameRow[]>();
  for (const row of rows) {
    const key = `${row.kind}:${row.cents}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
