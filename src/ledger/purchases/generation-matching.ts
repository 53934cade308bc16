// Which rows of one listing repeat rows of an older one (DESIGN.md section 4, rules (b) to (d)). A
// slot is what several listings show of one purchase: at most one row of each, and none of two
// listings that are different accounts.
import { daysBetween, parisDate } from "../../kernel/time.ts";
import type { Listings } from "./account-identity.ts";
import { byAmount, closestFirst, compareRanks } from "./compared-row.ts";
import type { Pair, SameRow, Slot } from "./compared-row.ts";

/** Between two generations the booking date of one purchase may differ by this much. */
const GENERATION_DAYS_MAX = 5;
/** Rule (c) looks at older rows dated so close to the first sight of the newer generation. */
const DOUBT_DAYS_MAX = 10;

/** The slots of all rows: a newer listing's row joins the slot that it repeats, or begins one. */
export function slotsOf(rows: readonly SameRow[], listings: Listings): Slot[] {
  return byAmount(rows).flatMap((group) => slotsOfOneAmount(group, listings));
}

function slotsOfOneAmount(rows: readonly SameRow[], listings: Listings): Slot[] {
  const slots: Slot[] = [];
  for (const { accountNo } of listings.ordered) {
    const newer = rows.filter((row) => row.accountNo === accountNo);
    const matched = closestFirst(
      slots.flatMap((left) => newer.flatMap((right) => repeatOf(left, right, listings))),
    );
    const found = new Set(matched.map(({ right }) => right.n));
    for (const { left, right } of matched) left.push(right);
    for (const row of newer) if (!found.has(row.n)) slots.push([row]);
  }
  return slots;
}

/**
 * The slot and the row of a newer listing as a pair, if the row may repeat it: within five days
 * where an IBAN says that the account is the same, with the same day and label where only the
 * family is. Closest to the slot's newest row: the older ones are matched already, and a day that
 * one listing showed late stays so in the next.
 */
function repeatOf(left: Slot, right: SameRow, listings: Listings): Pair<Slot, SameRow>[] {
  if (!mayHold(left, right, listings) || haveTwoBrands(left, right)) return [];
  const days = daysApart(left, right);
  if (Math.min(...days) > GENERATION_DAYS_MAX) return [];
  const certain = isOneIban(left, right, listings);
  const exact = left.some((row) => row.date === right.date && row.labelTag === right.labelTag);
  if (!certain && !exact) return [];
  const rank = [Number(!certain), days.at(-1) ?? 0, ...tieBreakers(left, right, listings)];
  return [{ left, right, rank }];
}

/** Every row of the slot may be of the account that the row is of, and none is of its listing. */
function mayHold(slot: Slot, row: SameRow, listings: Listings): boolean {
  return slot.every(({ accountNo }) => {
    const relation = listings.relation(accountNo, row.accountNo);
    return accountNo !== row.accountNo && (relation === "same" || relation === "family");
  });
}

function isOneIban(slot: Slot, row: SameRow, listings: Listings): boolean {
  return slot.some(({ accountNo }) => listings.relation(accountNo, row.accountNo) === "same");
}

function haveTwoBrands(slot: Slot, { brandId }: SameRow): boolean {
  return brandId !== null &&
    slot.some((other) => other.brandId !== null && other.brandId !== brandId);
}

const daysApart = (slot: Slot, row: SameRow): number[] =>
  slot.map(({ date }) => Math.abs(daysBetween(date, row.date)));

function tieBreakers(left: Slot, right: SameRow, { ordered, ageOf }: Listings) {
  const nameOf = (row: SameRow): string | null => ordered[ageOf(row.accountNo)]?.nameTag ?? null;
  const first = left[0];
  return [
    Number(!left.some((row) => row.labelTag === right.labelTag)),
    Number(!left.some((row) => row.brandId === right.brandId)),
    Number(!left.some((row) => nameOf(row) === nameOf(right))),
    first?.date ?? "",
    right.date,
    first?.externalId ?? "",
    right.externalId,
  ];
}

/**
 * A booked row whose amount the bank corrected is no longer equal to what other listings show of
 * it. The earlier amounts that it was seen with show which row that is.
 */
export function joinAmended(slots: readonly Slot[], listings: Listings): Slot[] {
  const pairs = slots.filter((left) => left.some((row) => row.earlierCents.length > 0)).flatMap((
    left,
  ) =>
    slots.flatMap((right) => {
      const [first] = right;
      const apart = first !== undefined && first.kind === left[0]?.kind &&
        right.every((row) => mayHold(left, row, listings));
      return apart && left.some((row) => row.earlierCents.includes(first.cents))
        ? repeatOf(left, first, listings).map(({ rank }) => ({ left, right, rank }))
        : [];
    })
  );
  const joined = new Set<Slot>();
  const together = pairs.sort((a, b) => compareRanks(a.rank, b.rank)).flatMap(({ left, right }) => {
    if (joined.has(left) || joined.has(right)) return [];
    joined.add(left).add(right);
    return [inAgeOrder([...left, ...right], listings)];
  });
  return [...slots.filter((slot) => !joined.has(slot)), ...together];
}

/** Rows, those of the oldest listing first. */
export function inAgeOrder(rows: readonly SameRow[], { ageOf }: Listings): Slot {
  return [...rows].sort((a, b) => ageOf(a.accountNo) - ageOf(b.accountNo));
}

/**
 * Adds a deleted row to the slot that it repeats, where no listing as new shows the purchase any
 * more.
 */
export function addWithdrawals(
  slots: readonly Slot[],
  deleted: readonly SameRow[],
  listings: Listings,
): void {
  const { ordered, ageOf } = listings;
  for (const [age, { accountNo }] of [...ordered.entries()].reverse()) {
    const gone = deleted.filter((row) => row.accountNo === accountNo);
    const older = gone.length === 0
      ? []
      : slots.filter((slot) => slot.every((row) => ageOf(row.accountNo) < age));
    const repeats = (slot: Slot, row: SameRow): boolean =>
      slot.some((each) =>
        each.kind === row.kind && [row.cents, ...row.earlierCents].includes(each.cents)
      );
    const pairs = older.flatMap((slot) =>
      gone.flatMap((row) => (repeats(slot, row) ? repeatOf(slot, row, listings) : []))
    );
    for (const { left, right } of closestFirst(pairs)) left.push(right);
  }
}

/**
 * Rule (c): slots that may repeat an older one which nothing repeats, where only the family says
 * that the accounts are one: equal cents within five days, with another day or label. Only rows
 * from around the first sight of the newer listing are in doubt, and each older one casts it once.
 */
export function slotsInDoubt(slots: readonly Slot[], listings: Listings): ReadonlySet<Slot> {
  const firstRows = new Map(slots.flatMap((slot) => slot.slice(0, 1).map((row) => [row, slot])));
  const byFirst = byAmount([...firstRows.keys()]);
  const pairs = byFirst.flatMap((rows) =>
    rows.flatMap((right) => {
      const slot = firstRows.get(right);
      const older = rows.map((row) => firstRows.get(row) ?? []).filter((left) =>
        left.every((row) => listings.ageOf(row.accountNo) < listings.ageOf(right.accountNo))
      );
      return slot === undefined
        ? []
        : older.flatMap((left) =>
          doubtOf(left, right, listings).map(({ rank }) => ({ left, right: slot, rank }))
        );
    })
  );
  return new Set(closestPerSide(pairs).map(({ right }) => right));
}

function doubtOf(left: Slot, right: SameRow, listings: Listings): Pair<Slot, SameRow>[] {
  if (!mayHold(left, right, listings) || haveTwoBrands(left, right)) return [];
  if (isOneIban(left, right, listings)) return [];
  const days = daysApart(left, right);
  const seenOn = parisDate(
    listings.ordered[listings.ageOf(right.accountNo)]?.createdAtMs ?? 0,
  );
  const isRecent = left.some(({ date }) => Math.abs(daysBetween(date, seenOn)) <= DOUBT_DAYS_MAX);
  return Math.min(...days) <= GENERATION_DAYS_MAX && isRecent
    ? [{ left, right, rank: [days.at(-1) ?? 0, ...tieBreakers(left, right, listings)] }]
    : [];
}

/** A slot may be in doubt itself and cast doubt on a newer one. */
function closestPerSide(pairs: readonly Pair<Slot, Slot>[]): Pair<Slot, Slot>[] {
  const left = new Set<Slot>();
  const right = new Set<Slot>();
  return [...pairs].sort((a, b) => compareRanks(a.rank, b.rank)).filter((pair) => {
    if (left.has(pair.left) || right.has(pair.right)) return false;
    left.add(pair.left);
    right.add(pair.right);
    return true;
  });
}
