// The oracle's view of bank rows: from the set of rows known, whatever the order they came in,
// which are one purchase and which purchase a refund belongs to. Written from DESIGN.md section 4,
// "Which rows are the same"; it shares no code with the engine and recomputes everything each time.
import { daysBetween } from "../../src/kernel/time.ts";
import type { AccountGeneration, BankRow } from "../../src/ledger/ports.ts";
import { familyOf, isCardOf } from "./model-accounts.ts";
import { counted, dayGap, purchasesOf, withViews } from "./model-repeats.ts";

export type KnownRow = {
  readonly key: string;
  row: BankRow;
  generation: AccountGeneration;
  /** What a person decided about it. */
  decision: "count" | "refuse" | null;
  /** Place in recording order. */
  readonly recorded: number;
  everPending: boolean;
  /** Amounts under which it was ever reported as booked. */
  readonly bookedCents: Set<number>;
  readonly recordedAtMs: number;
  /**
   * A refund that waited in vain is out of the game; a pending row that nothing took over only
   * shows as gone.
   */
  closed: boolean;
  /** Since when it waits for a person because it may repeat another; and that nobody came. */
  heldSinceMs: number | null;
  lapsed: boolean;
  /** Booked for a day that had not come when it was last looked at. */
  awaitsDay: boolean;
  /** The day that a person gave it, where the bank's cannot be true. */
  givenOn: string | null;
};

const HOUR_MS = 3_600_000;
const STATES = ["pending", "booked", "deleted"];

/** The first and the last instant at which the bank may have changed the row. */
function spanOf({ lastUpdateMs, lastUpdateKind }: BankRow): readonly [number, number] {
  return [lastUpdateMs, lastUpdateMs + (lastUpdateKind === "repeated_hour" ? HOUR_MS : 0)];
}

/**
 * Rows move by `last_update`; where the clocks showed a time twice, by state and arrival. One
 * without any time moves nothing.
 */
export function overwrites(row: BankRow, known: BankRow): boolean {
  if (row.lastUpdateKind === "unstated") return false;
  if (known.lastUpdateKind === "unstated") return true;
  const [from, to] = spanOf(row);
  const [knownFrom, knownTo] = spanOf(known);
  if (from > knownTo) return true;
  if (to < knownFrom) return false;
  const later = STATES.indexOf(row.state) - STATES.indexOf(known.state);
  if (later !== 0) return later > 0;
  return (to !== from || knownTo !== knownFrom) && row.amountCents !== known.amountCents;
}

export type Status =
  | { readonly is: "live" }
  | { readonly is: "duplicate"; readonly of: string }
  | { readonly is: "taken_over"; readonly by: string }
  | { readonly is: "pending" }
  /** `lapses`: it counts after 30 days in which nobody decided. */
  | { readonly is: "review"; readonly lapses: boolean }
  | { readonly is: "refused" }
  | { readonly is: "deleted" };

export type RefundTaken = { readonly of: string; readonly cents: number };

export type Resolution = {
  readonly status: ReadonlyMap<string, Status>;
  /** Refund row to what it takes of which purchase rows, nothing while it has none. */
  readonly refundOf: ReadonlyMap<string, readonly RefundTaken[]>;
  /** Cents that refunds took from a purchase row. */
  readonly refundedCents: ReadonlyMap<string, number>;
};

/** An aggregator gives an id once per user, and a row keeps it on whichever account it is. */
export const keyOf = ({ externalId }: Pick<BankRow, "externalId">): string => externalId;

const TAKE_OVER_DAYS = 10;
const REFUND_DAYS = 90;

/**
 * (e) A booked row under a new id takes over a pending row of the same account and brand within 10
 * days.
 */
function takeOvers(rows: readonly KnownRow[]): Map<string, string> {
  const taken = new Map<string, string>();
  const takers = new Set<string>();
  const pairs: { readonly pending: KnownRow; readonly booked: KnownRow; readonly rank: number }[] =
    [];
  for (const pending of rows) {
    if (pending.row.state !== "pending" || !counted(pending) || pending.row.kind !== "purchase") {
      continue;
    }
    for (const booked of rows) {
      if (
        booked.row.state !== "booked" || booked.everPending || !counted(booked) ||
        booked.row.kind !== "purchase"
      ) continue;
      if (
        booked.row.accountId !== pending.row.accountId ||
        booked.row.brand?.id !== pending.row.brand?.id
      ) continue;
      // What was booked before the authorisation appeared is not its booking.
      if (
        booked.row.lastUpdateKind !== "unstated" && pending.row.lastUpdateKind !== "unstated" &&
        spanOf(booked.row)[1] < spanOf(pending.row)[0]
      ) continue;
      const gap = dayGap(pending, booked);
      if (gap > TAKE_OVER_DAYS) continue;
      pairs.push({
        pending,
        booked,
        rank: Number(booked.row.amountCents !== pending.row.amountCents) * 1000 + gap * 2 +
          Number(booked.row.labelTag !== pending.row.labelTag),
      });
    }
  }
  // Between equals any choice is right, but which one is made decides what is left for the others:
  // the earlier days, then the names.
  const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const ties = (a: (typeof pairs)[number], b: (typeof pairs)[number]): number =>
    inOrder(a.pending.row.purchasedOn, b.pending.row.purchasedOn) ||
    inOrder(a.booked.row.purchasedOn, b.booked.row.purchasedOn) ||
    inOrder(a.pending.row.externalId, b.pending.row.externalId) ||
    inOrder(a.booked.row.externalId, b.booked.row.externalId);
  for (const { pending, booked } of pairs.sort((a, b) => a.rank - b.rank || ties(a, b))) {
    if (taken.has(pending.key) || takers.has(booked.key)) continue;
    taken.set(pending.key, booked.key);
    takers.add(booked.key);
  }
  return taken;
}

/**
 * `shown` are the rows that the ledger shows as purchases of their own. Which of several rows of
 * one purchase carries it is the ledger's choice among the booked ones; that exactly one does is
 * not.
 */
function resolveGroup(
  group: readonly KnownRow[],
  shown: ReadonlySet<string>,
  status: Map<string, Status>,
): void {
  const taken = takeOvers(group);
  for (const known of group) {
    const by = taken.get(known.key);
    if (known.row.state === "deleted") status.set(known.key, { is: "deleted" });
    else if (by !== undefined) status.set(known.key, { is: "taken_over", by });
  }
  const { purchases, doubtful, gone } = purchasesOf(group.filter((known) => !taken.has(known.key)));
  for (const { members, parts } of withViews(purchases, gone)) {
    const by = gone.get(members);
    if (by !== undefined) {
      for (const known of members) status.set(known.key, { is: "duplicate", of: by });
      continue;
    }
    // Of two amounts the corrected one counts, of two views the card account's.
    const outdated = (known: KnownRow): boolean =>
      members.some((other) =>
        other.row.amountCents !== known.row.amountCents &&
        other.bookedCents.has(known.row.amountCents)
      );
    const isParents = (known: KnownRow): boolean =>
      members.some((other) => isCardOf(other.generation, known.generation));
    const ordered = [...members].sort((a, b) =>
      Number(outdated(a)) - Number(outdated(b)) ||
      Number(isParents(a)) - Number(isParents(b)) ||
      Number(shown.has(b.key)) - Number(shown.has(a.key)) ||
      a.generation.createdAtMs - b.generation.createdAtMs || a.recorded - b.recorded
    );
    const first = ordered.find((known) => known.row.state === "booked") ?? ordered[0];
    for (const known of members) {
      if (known !== first) status.set(known.key, { is: "duplicate", of: first?.key ?? "" });
      else if (known.decision === "refuse") status.set(known.key, { is: "refused" });
      else if (known.row.review !== null && known.decision === null) {
        status.set(known.key, { is: "review", lapses: false });
      } else if (
        known.row.state === "booked" && known.decision === null && !known.lapsed &&
        parts.every((part) => doubtful.has(part))
      ) status.set(known.key, { is: "review", lapses: true });
      else status.set(known.key, { is: known.row.state === "booked" ? "live" : "pending" });
    }
  }
}

type Choice = { readonly known: KnownRow; readonly room: number };

/** By label, then by the bank's id. */
const named = ({ row: a }: KnownRow, { row: b }: KnownRow): number =>
  a.labelTag === b.labelTag
    ? (a.externalId < b.externalId ? -1 : 1)
    : (a.labelTag < b.labelTag ? -1 : 1);
/** Listings of one IBAN are one account; without one each is its own. */
const accountOf = ({ generation }: KnownRow): string => generation.ownIban ?? generation.accountId;
const ofOneDay = (a: KnownRow, b: KnownRow | undefined): boolean =>
  a.row.purchasedOn === b?.row.purchasedOn &&
  accountOf(a) === accountOf(b);

/** `choices` come nearest first; the first sentence of the design that applies decides. */
function takenBy(refund: BankRow, choices: readonly Choice[]): RefundTaken[] {
  const { amountCents: cents, original } = refund;
  const whole = choices.find(({ room }) => room === cents) ??
    choices.find(({ known: { row } }) =>
      original !== null && row.original?.currency === original.currency &&
      row.original.amountCents === original.amountCents
    );
  if (whole !== undefined) return [{ of: whole.known.key, cents: whole.room }];
  const larger = choices.filter(({ room }) => room > cents);
  const closest = larger.filter(({ known }) => ofOneDay(known, larger[0]?.known))
    .sort((a, b) => a.room - b.room || named(a.known, b.known))[0];
  if (closest !== undefined) return [{ of: closest.known.key, cents }];
  const all = choices.reduce((sum, { room }) => sum + room, 0);
  // At most ten euros or fifteen hundredths of the refund, whichever is more, may be missing.
  if (all === 0 || (cents - all > 1000 && BigInt(cents - all) * 100n > BigInt(cents) * 15n)) {
    return [];
  }
  let missing = cents;
  return choices.flatMap(({ known, room }) => {
    const part = Math.min(room, missing);
    missing -= part;
    return part === 0 ? [] : [{ of: known.key, cents: part }];
  });
}

/**
 * A refund belongs to purchases of the same brand in the account's family, at most 90 days back:
 * its own account before the others, then the newest.
 */
function assignRefunds(
  rows: readonly KnownRow[],
  accounts: readonly AccountGeneration[],
  status: ReadonlyMap<string, Status>,
): Pick<Resolution, "refundOf" | "refundedCents"> {
  const refundOf = new Map<string, readonly RefundTaken[]>();
  const refundedCents = new Map<string, number>();
  const live = rows.filter((known) => status.get(known.key)?.is === "live");
  const purchases = live.filter((known) => known.row.kind === "purchase");
  // It is the refund that waited, under whichever of its rows.
  const waitedInVain = (refund: KnownRow): boolean =>
    refund.closed || rows.some((known) => {
      const is = status.get(known.key);
      return known.closed && known.row.kind === "refund" && is?.is === "duplicate" &&
        is.of === refund.key;
    });
  const refunds = live.filter((known) => known.row.kind === "refund" && !waitedInVain(known))
    .sort((
      a,
      b,
    ) => (a.row.purchasedOn < b.row.purchasedOn
      ? -1
      : a.row.purchasedOn > b.row.purchasedOn
      ? 1
      : b.row.amountCents - a.row.amountCents || named(a, b))
    );
  for (const refund of refunds) {
    const family = familyOf(refund.generation, accounts);
    const elsewhere = (known: KnownRow): number => Number(accountOf(known) !== accountOf(refund));
    const choices = purchases
      .filter((known) => {
        const age = daysBetween(known.row.purchasedOn, refund.row.purchasedOn);
        return family.has(known.row.accountId) &&
          known.row.brand !== null && known.row.brand.id === refund.row.brand?.id &&
          known.row.currency === refund.row.currency && age >= 0 && age <= REFUND_DAYS;
      })
      .sort((a, b) =>
        elsewhere(a) - elsewhere(b) || daysBetween(a.row.purchasedOn, b.row.purchasedOn) ||
        named(a, b)
      )
      .map((known) => ({
        known,
        room: known.row.amountCents - (refundedCents.get(known.key) ?? 0),
      }))
      .filter(({ room }) => room > 0);
    const taken = takenBy(refund.row, choices);
    refundOf.set(refund.key, taken);
    for (const { of, cents } of taken) {
      refundedCents.set(of, (refundedCents.get(of) ?? 0) + cents);
    }
  }
  return { refundOf, refundedCents };
}

/** What all rows known mean together. */
export function resolveRows(
  rows: readonly KnownRow[],
  accounts: readonly AccountGeneration[],
  shown: ReadonlySet<string>,
): Resolution {
  const status = new Map<string, Status>();
  resolveGroup(rows, shown, status);
  return { status, ...assignRefunds(rows, accounts, status) };
}
