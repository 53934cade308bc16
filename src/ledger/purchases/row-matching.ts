// Which rows are the same purchase (DESIGN.md section 4, rules (b) to (f)). A pure function of the
// set of rows and listings: it never asks in which order they came, so every order of deliveries
// ends with the same purchases.
import { assert } from "../../kernel/assert.ts";
import { daysBetween } from "../../kernel/time.ts";
import { listingsOf } from "./account-identity.ts";
import type { Account, Listings } from "./account-identity.ts";
import { isParentView, joinViews } from "./card-views.ts";
import { closestFirst, compareRanks, haveOneMerchant } from "./compared-row.ts";
import type { Pair, SameRow, Slot } from "./compared-row.ts";
import { addWithdrawals, joinAmended, slotsInDoubt, slotsOf } from "./generation-matching.ts";
import { isSurelyOlder } from "./row-versions.ts";

/**
 * What a row was matched with: `keeper` is the row that counts for its purchase, `idOf` the row
 * whose public id the purchase has, and `needsReview` whether a person must look at it, rule (c).
 */
export type RowMatch = {
  readonly keeper: number;
  readonly idOf: number;
  readonly needsReview: boolean;
};

/** A pending row is booked under a new id within this many days. */
const TAKEOVER_DAYS_MAX = 10;

/**
 * Matches every live row of a family of accounts, and each deleted one that takes a purchase with
 * it: the newest listing that shows a purchase decides, also when it deletes it. Other deleted rows
 * are not in the answer.
 */
export function matchRows(
  rows: readonly SameRow[],
  family: readonly Account[],
): Map<number, RowMatch> {
  const listings = listingsOf(family);
  const live = rows.filter((row) => row.state !== "deleted");
  const takenOver = new Map<number, number>();
  for (const { accountNo } of listings.ordered) {
    for (const [pending, booked] of takeovers(live.filter((row) => row.accountNo === accountNo))) {
      takenOver.set(pending, booked);
    }
  }
  const slots = joinAmended(
    slotsOf(live.filter((row) => !takenOver.has(row.n)), listings),
    listings,
  );
  const inDoubt = slotsInDoubt(slots, listings);
  addWithdrawals(slots, rows.filter((row) => row.state === "deleted" && row.wasBooked), listings);
  const matches = new Map<number, RowMatch>();
  for (const { rows: slot, parts } of joinViews(slots, listings)) {
    const keeper = keeperOf(slot, listings);
    const members = [
      ...slot.map((row) => row.n),
      ...[...takenOver].filter(([, booked]) => slot.some((row) => row.n === booked)).map((
        [pending],
      ) => pending),
    ];
    const idOf = Math.min(...members);
    // What the parent account shows beside the card cannot repeat an older purchase as well.
    const needsReview = keeper.state === "booked" && parts.every((part) => inDoubt.has(part));
    for (const n of members) {
      matches.set(n, {
        keeper: keeper.n,
        idOf,
        needsReview: needsReview && n === keeper.n,
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
      if (days > TAKEOVER_DAYS_MAX || !haveOneMerchant(left, right)) continue;
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
 * A deleted row, since it is only there when it has the last word; a booked one before a pending
 * one, the corrected amount before the one that it corrects, the card account's before its
 * parent's, one whose brand is known before one without, then the one of the oldest listing. A row
 * that no read has shown is behind one with confirmed points.
 */
function keeperOf(slot: Slot, listings: Listings): SameRow {
  const corrected = (row: SameRow): boolean =>
    slot.some((other) => other.cents !== row.cents && other.earlierCents.includes(row.cents));
  const rank = (
    row: SameRow,
  ): number[] => [
    Number(row.state !== "deleted"),
    Number(row.state !== "booked"),
    Number(corrected(row)),
    Number(isParentView(row, slot, listings)),
    Number(row.brandId === null),
    slot.indexOf(row),
  ];
  const [best, ...others] = [...slot].sort((a, b) => compareRanks(rank(a), rank(b)));
  assert(best !== undefined, "slot_empty", "a slot of rows is empty");
  // What only a webhook says takes no confirmed points from the row that has them.
  return best.isShown ? best : others.find(({ isConfirmed }) => isConfirmed) ?? best;
}
