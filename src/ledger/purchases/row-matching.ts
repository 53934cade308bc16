// Which rows are the same purchase (DESIGN.md section 4, rules (b) to (e)). A pure function of the
// set of rows: it never asks in which order they came, so every order of deliveries ends with the
// same purchases.
import { assert } from "../../kernel/assert.ts";
import { addDays, daysBetween, parisDate } from "../../kernel/time.ts";
import { isSurelyOlder } from "./row-versions.ts";
import type { RowVersion } from "./row-versions.ts";

/**
 * A row of one fingerprinted account, as far as sameness looks at it. `n` is the recording number.
 */
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
  /** What was found before: the row this one repeats, or null. Not looked at here; the caller compares. */
  readonly sameAs: number | null;
  /**
   * Whether rule (c) asked for a review before; null when another rule or a person decides that.
   * Not looked at here; the caller compares.
   */
  readonly needsReview: boolean | null;
};

/** One aggregator account id of the fingerprinted account. */
type Generation = { readonly accountNo: number; readonly createdAtMs: number };

/**
 * What a row was matched with: `keeper` is the row that counts for its purchase, `idOf` the row
 * whose public id the purchase has, and `needsReview` whether a person must look at it, rule (c).
 */
export type RowMatch = {
  readonly keeper: number;
  readonly idOf: number;
  readonly needsReview: boolean;
};

/** Between two generations the booking date of one purchase may differ by this much. */
const GENERATION_DAYS_MAX = 5;
/** A pending row is booked under a new id within this many days. */
const TAKEOVER_DAYS_MAX = 10;

type Pair<A, B> = {
  readonly left: A;
  readonly right: B;
  readonly rank: readonly (number | string)[];
};

/**
 * Matches every live row, and each deleted one that takes a purchase with it: the newest
 * generation that shows a purchase decides, also when it deletes it. Other deleted rows are not in
 * the answer.
 */
export function matchRows(
  rows: readonly SameRow[],
  generations: readonly Generation[],
  weak: boolean,
): Map<number, RowMatch> {
  const live = rows.filter((row) => row.state !== "deleted");
  const ordered = [...generations].sort((a, b) =>
    a.createdAtMs - b.createdAtMs || a.accountNo - b.accountNo
  );
  const takenOver = new Map<number, number>();
  for (const { accountNo } of ordered) {
    for (const [pending, booked] of takeovers(live.filter((row) => row.accountNo === accountNo))) {
      takenOver.set(pending, booked);
    }
  }
  const slots = joinAmended(slotsOf(live.filter((row) => !takenOver.has(row.n)), ordered), ordered);
  addWithdrawals(slots, rows.filter((row) => row.state === "deleted" && row.wasBooked), ordered);
  const matches = new Map<number, RowMatch>();
  for (const slot of slots) {
    const keeper = keeperOf(slot);
    const members = [
      ...slot.map((row) => row.n),
      ...[...takenOver].filter(([, booked]) => slot.some((row) => row.n === booked)).map((
        [pending],
      ) => pending),
    ];
    const idOf = Math.min(...members);
    // Asked of the oldest generation's row: that a newer one repeats it does not show what the oldest
    // itself repeats.
    const needsReview = weak && repeatsTooEarly(slot[0] ?? keeper, ordered);
    for (const n of members) {
      matches.set(n, {
        keeper: keeper.n,
        idOf,
        needsReview: needsReview && n === keeper.n && keeper.state === "booked",
      });
    }
  }
  return matches;
}

/** Rule (e): pending rows and the booked rows that took them over, closest pairs first. */
function takeovers(rows: readonly SameRow[]): Map<number, number> {
  const pendings = rows.filter((row) => row.state === "pending");
  if (pendings.length === 0) return new Map();
  const pairs: Pair<SameRow, SameRow>[] = [];
  for (const left of pendings) {
    for (const right of rows) {
      if (
        right.state !== "booked" || right.wasPending || right.kind !== left.kind ||
        isSurelyOlder(right, left)
      ) continue;
      const days = Math.abs(daysBetween(left.date, right.date));
      if (days > TAKEOVER_DAYS_MAX || !sameMerchant(left, right)) continue;
      pairs.push({
        left,
        right,
        rank: [
          Number(left.cents !== right.cents),
          days,
          Number(left.labelTag !== right.labelTag),
          left.date,
          right.date,
          left.externalId,
          right.externalId,
        ],
      });
    }
  }
  return new Map(closestFirst(pairs).map(({ left, right }) => [left.n, right.n]));
}

/**
 * Rows of no known brand are distinguished by their label: two strangers' purchases are not one
 * because both are unknown.
 */
function sameMerchant(a: SameRow, b: SameRow): boolean {
  return a.brandId === null && b.brandId === null
    ? a.labelTag === b.labelTag
    : a.brandId === b.brandId;
}

/**
 * Rules (b) and (d): a slot takes at most one row of each generation, with the same signed cents,
 * the closest date first. Closest to the slot's newest row: the older ones are matched already, and
 * a day that one generation showed late stays so in the next.
 */
function slotsOf(rows: readonly SameRow[], generations: readonly Generation[]): SameRow[][] {
  const byCents = new Map<string, SameRow[]>();
  for (const row of rows) {
    const key = `${row.kind}:${row.cents}`;
    const group = byCents.get(key);
    if (group === undefined) byCents.set(key, [row]);
    else group.push(row);
  }
  return [...byCents.values()].flatMap((group) => slotsOfOneAmount(group, generations));
}

function slotsOfOneAmount(
  rows: readonly SameRow[],
  generations: readonly Generation[],
): SameRow[][] {
  const slots: SameRow[][] = [];
  for (const { accountNo } of generations) {
    const newer = rows.filter((row) => row.accountNo === accountNo);
    const matched = closestFirst(
      slots.flatMap((left) => newer.flatMap((right) => pairOf(left, right))),
    );
    const found = new Set(matched.map(({ right }) => right.n));
    for (const { left, right } of matched) left.push(right);
    for (const row of newer) if (!found.has(row.n)) slots.push([row]);
  }
  return slots;
}

/** A slot and a row of a newer generation, if their days allow it. */
function pairOf(left: SameRow[], right: SameRow): Pair<SameRow[], SameRow>[] {
  const days = left.map((row) => Math.abs(daysBetween(row.date, right.date)));
  if (Math.min(...days) > GENERATION_DAYS_MAX) return [];
  const first = left[0];
  const otherLabel = Number(!left.some((row) => row.labelTag === right.labelTag));
  const otherBrand = Number(!left.some((row) => row.brandId === right.brandId));
  return [{
    left,
    right,
    rank: [
      days.at(-1) ?? 0,
      otherLabel,
      otherBrand,
      first?.date ?? "",
      right.date,
      first?.externalId ?? "",
      right.externalId,
    ],
  }];
}

const ageOf = (row: SameRow, generations: readonly Generation[]): number =>
  generations.findIndex(({ accountNo }) => accountNo === row.accountNo);

/**
 * A booked row whose amount the bank corrected is no longer equal to what other generations show of
 * it. The earlier amounts that it was seen with show which row that is.
 */
function joinAmended(slots: readonly SameRow[][], generations: readonly Generation[]): SameRow[][] {
  const pairs = slots.filter((left) => left.some((row) => row.earlierCents.length > 0)).flatMap((
    left,
  ) =>
    slots.flatMap((right) => {
      const [first] = right;
      const apart = first !== undefined && first.kind === left[0]?.kind &&
        !right.some((row) => left.some((other) => other.accountNo === row.accountNo));
      return apart && left.some((row) => row.earlierCents.includes(first.cents))
        ? pairOf(left, first).map(({ rank }) => ({ left, right, rank }))
        : [];
    })
  );
  const joined = new Set<SameRow[]>();
  const together = pairs.sort((a, b) => compareRanks(a.rank, b.rank)).flatMap(({ left, right }) => {
    if (joined.has(left) || joined.has(right)) return [];
    joined.add(left).add(right);
    return [[...left, ...right].sort((a, b) => ageOf(a, generations) - ageOf(b, generations))];
  });
  return [...slots.filter((slot) => !joined.has(slot)), ...together];
}

/**
 * Adds a deleted row to the slot that it repeats, where no generation as new shows the purchase any
 * more.
 */
function addWithdrawals(
  slots: readonly SameRow[][],
  deleted: readonly SameRow[],
  generations: readonly Generation[],
): void {
  for (const [age, { accountNo }] of [...generations.entries()].reverse()) {
    const gone = deleted.filter((row) => row.accountNo === accountNo);
    const older = gone.length === 0
      ? []
      : slots.filter((slot) => slot.every((row) => ageOf(row, generations) < age));
    const repeats = (slot: SameRow[], row: SameRow): boolean =>
      slot.some((each) =>
        each.kind === row.kind && [row.cents, ...row.earlierCents].includes(each.cents)
      );
    const pairs = older.flatMap((slot) =>
      gone.flatMap((row) => (repeats(slot, row) ? pairOf(slot, row) : []))
    );
    for (const { left, right } of closestFirst(pairs)) left.push(right);
  }
}

/** Takes pairs in the order of their rank, each side at most once. */
function closestFirst<A extends object, B extends object>(
  pairs: readonly Pair<A, B>[],
): Pair<A, B>[] {
  const left = new Set<A>();
  const right = new Set<B>();
  return [...pairs].sort((a, b) => compareRanks(a.rank, b.rank)).filter((pair) => {
    if (left.has(pair.left) || right.has(pair.right)) return false;
    left.add(pair.left);
    right.add(pair.right);
    return true;
  });
}

function compareRanks(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

/**
 * A deleted row, since it is only there when it has the last word; a booked one before a pending
 * one, the corrected amount before the one that it corrects, one whose brand is known before one
 * without, then the one of the oldest generation.
 */
function keeperOf(slot: readonly SameRow[]): SameRow {
  const corrected = (row: SameRow): boolean =>
    slot.some((other) => other.cents !== row.cents && other.earlierCents.includes(row.cents));
  const rank = (
    row: SameRow,
  ): number[] => [
    Number(row.state !== "deleted"),
    Number(row.state !== "booked"),
    Number(corrected(row)),
    Number(row.brandId === null),
    slot.indexOf(row),
  ];
  const best = [...slot].sort((a, b) => compareRanks(rank(a), rank(b)))[0];
  assert(best !== undefined, "slot_empty", "a slot of rows is empty");
  return best;
}

/**
 * Rule (c): the row of a weakly fingerprinted account that repeats nothing, though it is dated
 * within the time of an older generation plus five days. That time ends when the newer generation
 * appeared, which every order of deliveries agrees on.
 */
function repeatsTooEarly(row: SameRow, generations: readonly Generation[]): boolean {
  const position = ageOf(row, generations);
  const own = generations[position];
  return position > 0 && own !== undefined &&
    row.date <= addDays(parisDate(own.createdAtMs), GENERATION_DAYS_MAX);
}
