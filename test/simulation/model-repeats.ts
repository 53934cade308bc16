// The oracle's view of repeats: which rows of several listings are one purchase, by DESIGN.md
// section 4, rules (b), (c), (d) and (f). Over all rows of a user at once: no grouping of accounts
// is needed, since every pair of rows is asked what their accounts are to each other.
import { daysBetween, parisDate } from "../../src/kernel/time.ts";
import { haveOneIban, isCardOf, mayBeOne } from "./model-accounts.ts";
import type { KnownRow } from "./model-rows.ts";

type Rows = readonly KnownRow[];

const REPEAT_DAYS = 5;
const DOUBT_DAYS = 10;

export const counted = (known: KnownRow): boolean => known.row.state !== "deleted";
export const dayGap = (a: KnownRow, b: KnownRow): number =>
  Math.abs(daysBetween(a.row.purchasedOn, b.row.purchasedOn));

const age = ({ generation }: KnownRow): string =>
  `${String(generation.createdAtMs).padStart(16, "0")} ${generation.accountId}`;
const byAge = (rows: Rows): KnownRow[] => [...rows].sort((a, b) => (age(a) < age(b) ? -1 : 1));

/** The accounts allow that the row is one more sight of that purchase, and so do the brands. */
function allows(purchase: Rows, row: KnownRow): boolean {
  return purchase.every((known) =>
    mayBeOne(known.generation, row.generation) &&
    (known.row.brand === null || row.row.brand === null ||
      known.row.brand.id === row.row.brand.id)
  );
}

const certainly = (purchase: Rows, row: KnownRow): boolean =>
  purchase.some((known) => haveOneIban(known.generation, row.generation));
const gapOf = (purchase: Rows, row: KnownRow): number =>
  Math.min(...purchase.map((known) => dayGap(known, row)));

/** Null when the row does not repeat the purchase; else how well it does, least first. */
function fit(purchase: Rows, row: KnownRow): string | null {
  if (!allows(purchase, row) || gapOf(purchase, row) > REPEAT_DAYS) return null;
  const certain = certainly(purchase, row);
  const exact = purchase.some((known) =>
    dayGap(known, row) === 0 && known.row.labelTag === row.row.labelTag
  );
  return certain || exact ? `${certain ? 0 : 1} ${closeness(purchase, row)}` : null;
}

function closeness(purchase: Rows, row: KnownRow): string {
  const last = purchase.at(-1);
  const first = purchase[0];
  const none = (holds: (known: KnownRow) => boolean): number => Number(!purchase.some(holds));
  return [
    last === undefined ? 0 : dayGap(last, row),
    none((known) => known.row.labelTag === row.row.labelTag),
    none((known) => known.row.brand?.id === row.row.brand?.id),
    none((known) => known.generation.nameTag === row.generation.nameTag),
    first?.row.purchasedOn,
    row.row.purchasedOn,
    first?.row.externalId,
    row.row.externalId,
  ].map((part) => (typeof part === "number" ? String(part).padStart(6, "0") : part)).join(" ");
}

type Couple<L, R> = { readonly left: L; readonly right: R; readonly rank: string };

/** The best couples, each side once. */
function couple<L, R>(couples: readonly Couple<L, R>[]): Couple<L, R>[] {
  const [lefts, rights] = [new Set<L>(), new Set<R>()];
  return [...couples].sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0)).filter(
    ({ left, right }) => {
      if (lefts.has(left) || rights.has(right)) return false;
      lefts.add(left);
      rights.add(right);
      return true;
    },
  );
}

const sameSum = (a: KnownRow, b: KnownRow): boolean =>
  a.row.kind === b.row.kind && a.row.amountCents === b.row.amountCents;

function repeats(rows: Rows): KnownRow[][] {
  const purchases: KnownRow[][] = [];
  const listings = new Set(byAge(rows.filter(counted)).map(({ row }) => row.accountId));
  for (const accountId of listings) {
    const mine = rows.filter((known) => counted(known) && known.row.accountId === accountId);
    const couples = mine.flatMap((right) =>
      purchases.filter(([first]) => first !== undefined && sameSum(first, right)).flatMap(
        (left) => {
          const rank = fit(left, right);
          return rank === null ? [] : [{ left, right, rank }];
        },
      )
    );
    const found = new Map(couple(couples).map(({ left, right }) => [right, left]));
    for (const row of mine) {
      const left = found.get(row);
      if (left === undefined) purchases.push([row]);
      else left.push(row);
    }
  }
  return purchases;
}

/** What only a correction of the amount keeps apart is put together. */
function withCorrections(purchases: readonly KnownRow[][]): KnownRow[][] {
  const couples = purchases.flatMap((left) =>
    purchases.flatMap((right) => {
      const [first] = right;
      const corrects = first !== undefined && left !== right &&
        first.row.kind === left[0]?.row.kind && right.every((row) => allows(left, row)) &&
        left.some((known) =>
          known.row.amountCents !== first.row.amountCents &&
          known.bookedCents.has(first.row.amountCents)
        );
      const rank = corrects ? fit(left, first) : null;
      return rank === null ? [] : [{ left, right, rank }];
    })
  );
  const done = new Set<KnownRow[]>();
  const joined: KnownRow[][] = [];
  for (const { left, right } of couples.sort((a, b) => (a.rank < b.rank ? -1 : 1))) {
    if (done.has(left) || done.has(right)) continue;
    done.add(left).add(right);
    joined.push(byAge([...left, ...right]));
  }
  return [...purchases.filter((members) => !done.has(members)), ...joined];
}

/** (c) Newer purchases that may repeat an older one, but on another day or under another label. */
function doubts(purchases: readonly KnownRow[][]): Set<KnownRow[]> {
  const couples = purchases.flatMap((right) => {
    const [row] = right;
    if (row === undefined) return [];
    const seenOn = parisDate(row.generation.createdAtMs);
    return purchases.filter((left) =>
      left[0] !== undefined && sameSum(left[0], row) && left.every((known) =>
        age(known) < age(row)
      ) &&
      allows(left, row) && !certainly(left, row) && gapOf(left, row) <= REPEAT_DAYS &&
      left.some((known) => Math.abs(daysBetween(known.row.purchasedOn, seenOn)) <= DOUBT_DAYS)
    ).map((left) => ({ left, right, rank: closeness(left, row) }));
  });
  return new Set(couple(couples).map(({ right }) => right));
}

/**
 * What the newest listing says of a purchase holds: a booked row of it that is gone takes the
 * purchase along. Purchase to that row.
 */
function withdrawals(rows: Rows, purchases: readonly KnownRow[][]): Map<KnownRow[], string> {
  const gone = new Map<KnownRow[], string>();
  const deleted = rows.filter(({ row }) => row.state === "deleted" && row.bookedOn !== null);
  const listings = [...new Set(byAge(deleted).map(({ row }) => row.accountId))].reverse();
  for (const accountId of listings) {
    const couples = deleted.filter(({ row }) => row.accountId === accountId).flatMap((right) =>
      purchases.filter((left) =>
        !gone.has(left) && left.every((known) => age(known) < age(right)) &&
        left.some((known) =>
          known.row.kind === right.row.kind &&
          (known.row.amountCents === right.row.amountCents ||
            right.bookedCents.has(known.row.amountCents))
        )
      ).flatMap((left) => {
        const rank = fit(left, right);
        return rank === null ? [] : [{ left, right, rank }];
      })
    );
    for (const { left, right } of couple(couples)) gone.set(left, right.key);
  }
  return gone;
}

/** The rows of each purchase, oldest listing first, and what is to be said of them. */
export function purchasesOf(rows: Rows): {
  readonly purchases: readonly KnownRow[][];
  readonly doubtful: ReadonlySet<KnownRow[]>;
  readonly gone: ReadonlyMap<KnownRow[], string>;
} {
  const purchases = withCorrections(repeats(rows));
  return { purchases, doubtful: doubts(purchases), gone: withdrawals(rows, purchases) };
}

/** (f) What a card account and its parent both show is one purchase. */
export function withViews(
  purchases: readonly KnownRow[][],
  gone: ReadonlyMap<KnownRow[], string>,
): { readonly members: KnownRow[]; readonly parts: readonly KnownRow[][] }[] {
  const there = purchases.filter((members) => !gone.has(members));
  const couples = there.flatMap((left) =>
    there.flatMap((right) =>
      left.flatMap((card) =>
        right.filter((parent) =>
          left !== right && isCardOf(card.generation, parent.generation) &&
          sameSum(card, parent) && dayGap(card, parent) === 0 &&
          (card.row.brand === null && parent.row.brand === null
            ? card.row.labelTag === parent.row.labelTag
            : card.row.brand?.id === parent.row.brand?.id)
        ).map((parent) => ({
          left,
          right,
          rank: [
            Number(card.row.labelTag !== parent.row.labelTag),
            card.row.purchasedOn,
            card.row.externalId,
            parent.row.externalId,
          ].join(" "),
        }))
      )
    )
  );
  const once = new Set<KnownRow[]>();
  const joined = couples.sort((a, b) => (a.rank < b.rank ? -1 : 1)).filter(({ left, right }) => {
    if (once.has(left) || once.has(right)) return false;
    once.add(left).add(right);
    return true;
  });
  return [
    ...purchases.filter((members) => !once.has(members)).map((members) => ({
      members,
      parts: [members],
    })),
    ...joined.map(({ left, right }) => ({
      members: byAge([...left, ...right]),
      parts: [left, right],
    })),
  ];
}
