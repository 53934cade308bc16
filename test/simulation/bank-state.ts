// What the banks of one simulated user hold, and the means of changing it: accounts, what truly
// happened, and the rows that show it.
import type { AccountId, BrandId, ConnectionId } from "../../src/kernel/ids.ts";
import { addDays, HOUR_MS, parisDate } from "../../src/kernel/time.ts";
import type { AccountGeneration, BankRow } from "../../src/ledger/ports.ts";
import type { Rng } from "./random.ts";

/** A purchase or refund that truly happened, whatever the banks say of it and how often. */
export type Truth = {
  readonly no: number;
  accountNo: number;
  readonly kind: "purchase" | "refund";
  cents: number;
  on: string;
  brandId: BrandId | null;
  /** Rows that show it, by generation. */
  readonly rows: Map<AccountId, BankRow>;
  deleted: boolean;
  /**
   * The bank changed its amount after booking it: who was not shown the first amount may take it
   * for another purchase.
   */
  corrected: boolean;
};

export type Plan = {
  readonly truth: Truth;
  readonly account: AccountId;
  readonly dueMs: number;
  readonly life: "same_id" | "new_id" | "same_id_amended" | "new_id_amended";
};

export type RealAccount = {
  readonly no: number;
  /** What it is known by: its own IBAN, its parent's, or the bank alone. */
  readonly kind: "iban" | "card" | "bare";
  readonly generations: AccountGeneration[];
  /** Generations that the aggregator still feeds. */
  live: AccountGeneration[];
};

const LABEL_KEY = "cipher";

/** The accounts and rows of one user with what changes them, before anything has happened. */
export function makeBankState(
  userNo: number,
  rng: Rng,
  brands: readonly BrandId[],
  startMs: number,
) {
  const accounts: RealAccount[] = [];
  const truths: Truth[] = [];
  const rows = new Map<AccountId, Map<string, BankRow>>();
  const usedCents = new Set<number>();
  const plans: Plan[] = [];
  /** The second account is a card of the first: a refund may come on either. */
  const related = rng.chance(0.5);
  let serial = 0;
  let lastUpdateMs = 0;
  // Every change has its own `last_update`, as a clock that never stops would give.
  const stamp = (nowMs: number): number => (lastUpdateMs = Math.max(lastUpdateMs + 1, nowMs));

  /** When each version was really made, whatever it says of that. */
  const made = new Map<BankRow, number>();
  const put = (account: AccountId, row: BankRow): BankRow => {
    made.set(row, lastUpdateMs);
    const known = rows.get(account) ?? new Map<string, BankRow>();
    rows.set(account, known.set(row.externalId, row));
    return row;
  };
  const home = `con_u${userNo}`;
  const ibanOf = (no: number): string => `iban_u${userNo}a${no}`;
  /** Cards hang on the first account; its IBAN is known also where the account itself is not. */
  const identityOf = ({ no, kind }: Pick<RealAccount, "no" | "kind">) => ({
    ownIban: kind === "iban" ? ibanOf(no) : null,
    unitIban: kind === "bare" ? null : kind === "iban" ? ibanOf(no) : ibanOf(0),
    bankKey: `bank_u${userNo}`,
  });
  /** A new listing in the place of an old one, or under another connection. */
  const newGeneration = (
    real: RealAccount,
    nowMs: number,
    connectionId: string = home,
  ): AccountGeneration => {
    const index = real.generations.length;
    const generation: AccountGeneration = {
      accountId: `acc_u${userNo}a${real.no}g${index}` as AccountId,
      connectionId: connectionId as ConnectionId,
      linkId: `lnk_u${userNo}`,
      ...identityOf(real),
      // Two accounts may have one name, and a new card another.
      nameTag: rng.pick(["card", "card", "gold"]),
      parentAccountId: null,
      earlierKeys: [],
      createdAtMs: nowMs + index,
      goneAtMs: null,
    };
    real.generations.push(generation);
    return generation;
  };
  const replaceGeneration = (
    real: RealAccount,
    before: AccountGeneration,
    after: AccountGeneration,
  ): void => {
    real.generations[real.generations.indexOf(before)] = after;
    real.live = real.live.map((each) => (each === before ? after : each));
  };
  const isStranger = (real: RealAccount, { bankKey }: AccountGeneration): boolean =>
    bankKey !== identityOf(real).bankKey;
  const identify = (real: RealAccount, stranger: AccountGeneration): void =>
    replaceGeneration(real, stranger, { ...stranger, ...identityOf(real) });
  const count = rng.int(1, 3);
  for (let no = 0; no < count; no++) {
    const real: RealAccount = {
      no,
      kind: rng.weighted({ iban: 3, card: 2, bare: 2 }),
      generations: [],
      live: [],
    };
    real.live = [newGeneration(real, startMs)];
    accounts.push(real);
  }
  /** Another day, but none that is so far ahead that no aggregator's row would be believed. */
  const shifted = (
    on: string,
    days: number,
    nowMs: number,
  ): string => (addDays(on, days) > addDays(parisDate(nowMs), 2) ? on : addDays(on, days));
  const freshCents = (): number => {
    for (;;) {
      const cents = rng.weighted({ small: 2, middle: 6, large: 1 }) === "middle"
        ? rng.int(300, 20_000)
        : rng.chance(0.7)
        ? rng.int(1, 300)
        : rng.int(20_000, 400_000);
      if (usedCents.has(cents)) continue;
      usedCents.add(cents);
      return cents;
    }
  };
  const rowOf = (
    account: AccountId,
    truth: Truth,
    facts: Partial<BankRow>,
    nowMs: number,
  ): BankRow => {
    const externalId = `x${serial++}`;
    return {
      accountId: account,
      externalId,
      kind: truth.kind,
      amountCents: truth.cents,
      currency: "EUR",
      original: null,
      purchasedOn: truth.on,
      bookedOn: addDays(truth.on, 1),
      state: "booked",
      lastUpdateMs: stamp(nowMs),
      labelCipher: `${LABEL_KEY}:${account}:${externalId}`,
      labelTag: `tag_${truth.brandId ?? "none"}`,
      brand: truth.brandId === null ? null : { id: truth.brandId, matched: "MATCHED" },
      channel: truth.no % 3 === 0 ? "online" : truth.no % 3 === 1 ? "in_store" : "unknown",
      review: null,
      ...facts,
    };
  };
  const happen = (
    real: RealAccount,
    kind: Truth["kind"],
    cents: number,
    on: string,
    brandId: BrandId | null,
  ): Truth => {
    const truth: Truth = {
      no: truths.length,
      accountNo: real.no,
      kind,
      cents,
      on,
      brandId,
      rows: new Map(),
      deleted: false,
      corrected: false,
    };
    truths.push(truth);
    return truth;
  };
  const show = (truth: Truth, facts: Partial<BankRow>, nowMs: number): void => {
    for (const generation of accounts[truth.accountNo]?.live ?? []) {
      truth.rows.set(
        generation.accountId,
        put(generation.accountId, rowOf(generation.accountId, truth, facts, nowMs)),
      );
    }
  };
  const amend = (row: BankRow, facts: Partial<BankRow>, nowMs: number): BankRow => {
    const { lastUpdateKind: _, ...before } = row;
    return put(row.accountId, { ...before, lastUpdateMs: stamp(nowMs), ...facts });
  };
  /** The second pass of an hour that the clocks repeat: the time may be an hour earlier. */
  const inRepeatedHour = (
    nowMs: number,
  ): Pick<BankRow, "lastUpdateMs" | "lastUpdateKind"> => ({
    lastUpdateMs: stamp(nowMs) - HOUR_MS,
    lastUpdateKind: "repeated_hour",
  });
  /** The rows that show it in listings that are still fed, on the parent of a card too. */
  const fedRows = (truth: Truth): BankRow[] =>
    accounts.flatMap(({ live }) => live).flatMap(({ accountId }) =>
      truth.rows.get(accountId) ?? []
    );
  /** Some banks show what a card account shows on its parent once more. */
  const showOnParent = (truth: Truth, nowMs: number): boolean => {
    const [parent, real] = [accounts[0], accounts[truth.accountNo]];
    const [listing] = parent?.live ?? [];
    const [row] = truth.rows.values();
    if (
      parent?.kind !== "iban" || real?.kind !== "card" || listing === undefined ||
      row === undefined || isStranger(parent, listing) || parent.live.length > 1
    ) return false;
    const view = rowOf(listing.accountId, truth, {
      channel: row.channel,
      bookedOn: row.bookedOn,
      currency: row.currency,
      original: row.original,
      labelTag: truth.brandId === null ? row.labelTag : `parent ${row.labelTag}`,
    }, nowMs);
    truth.rows.set(listing.accountId, put(listing.accountId, view));
    return true;
  };
  /**
   * The newest generation that shows it is still fed: what the bank says of it now comes from
   * there.
   */
  const speaks = (truth: Truth): boolean => {
    const newest = accounts[truth.accountNo]?.generations.findLast(({ accountId }) =>
      truth.rows.has(accountId)
    );
    return newest !== undefined && (accounts[truth.accountNo]?.live ?? []).includes(newest);
  };
  const someBrand = (): BrandId | null => (rng.chance(0.12) ? null : rng.pick(brands));
  const booked = (): Truth[] =>
    truths.filter((truth) =>
      truth.kind === "purchase" && !truth.deleted &&
      [...truth.rows.values()].some((row) => row.state === "booked" && row.review === null)
    );
  return {
    related,
    /** Authorisations that are still to be booked. */
    plans,
    newExternalId: (): string => `y${serial++}`,
    accounts,
    truths,
    rows,
    stamp,
    put,
    newGeneration,
    replaceGeneration,
    isStranger,
    identify,
    fedRows,
    showOnParent,
    shifted,
    freshCents,
    rowOf,
    happen,
    show,
    amend,
    inRepeatedHour,
    changedAtMs: (row: BankRow): number => made.get(row) ?? row.lastUpdateMs,
    speaks,
    someBrand,
    booked,
  };
}
