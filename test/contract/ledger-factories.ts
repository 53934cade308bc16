// Arranges ledgers for tests: small factories over the real engine, no fixtures that two tests
// share.
import type { AccountId, BrandId, ConnectionId, PurchaseId } from "../../src/kernel/ids.ts";
import type { RandomBytes } from "../../src/kernel/random.ts";
import { parisToMs } from "../../src/kernel/time.ts";
import type {
  AccountGeneration,
  BankRow,
  OfferTerms,
  Programme,
  PurchaseView,
  RecordBatch,
} from "../../src/ledger/ports.ts";

export const PROGRAMME: Programme = { pointsPerEuro: 100, pointsExpireMonths: 24 };
export const CONNECTION = "con_1" as ConnectionId;
export const MONOPRIX = "brd_monoprix" as BrandId;
export const FNAC = "brd_fnac" as BrandId;
export const USER = "usr_0197d000-0000-7000-8000-0000000000aa";

/** Noon in Paris on a day: the usual time of a test's call. */
export function at(date: string): number {
  return parisToMs(date, "12:00:00");
}

/** Random bytes that a seed repeats. */
export function seededRandom(seed = 1): RandomBytes {
  let state = seed;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      bytes[index] = state >>> 24;
    }
    return bytes;
  };
}

/** What a test says of an account in short: whose it is, and how surely that is known. */
type AccountInShort = Partial<AccountGeneration> & {
  readonly fingerprint?: string;
  /** By its own IBAN; by its parent's; by its bank alone. */
  readonly strength?: "iban" | "parent" | "weak";
};

export function account(id = "acc_1", more: AccountInShort = {}): AccountGeneration {
  const { fingerprint = "fp_1", strength = "iban", ...rest } = more;
  return {
    accountId: id as AccountId,
    connectionId: CONNECTION,
    linkId: "lnk_1",
    ownIban: strength === "iban" ? fingerprint : null,
    unitIban: strength === "weak" ? null : fingerprint,
    bankKey: strength === "weak" ? fingerprint : "bank",
    nameTag: "name",
    parentAccountId: null,
    earlierKeys: [fingerprint],
    createdAtMs: at("2026-01-01"),
    goneAtMs: null,
    ...rest,
  };
}

/** Three percent of every purchase at Monoprix, confirmed after 30 days, no caps. */
export function offer(more: Partial<OfferTerms> = {}): OfferTerms {
  return {
    offerId: "off_1",
    version: 1,
    brandId: MONOPRIX,
    kind: "percent",
    rateBp: 300,
    points: null,
    tiers: null,
    minCents: null,
    maxCents: null,
    capPointsPerPurchase: null,
    capPointsPerUser: null,
    capPurchasesPerUser: null,
    period: "offer",
    firstPurchaseOnly: false,
    activation: "automatic",
    activationDays: null,
    channel: "any",
    startsAtMs: at("2026-01-01"),
    endsAtMs: null,
    confirmationDays: 30,
    budgetPoints: null,
    priority: 100,
    offerCreatedAtMs: 0,
    ...more,
  };
}

/** A booked purchase of 34.90 euros at Monoprix, 104 points under `offer()`. */
export function row(externalId: string, more: Partial<BankRow> = {}): BankRow {
  return {
    accountId: "acc_1",
    externalId,
    kind: "purchase",
    amountCents: 3490,
    currency: "EUR",
    original: null,
    purchasedOn: "2026-11-12",
    bookedOn: "2026-11-13",
    state: "booked",
    lastUpdateMs: 1000,
    labelCipher: `cipher ${externalId}`,
    labelTag: "monoprix",
    brand: { id: MONOPRIX, matched: "MONOPRIX" },
    channel: "in_store",
    review: null,
    ...more,
  };
}

/** A page of a read: what it gives is shown. Without it, a webhook says so. */
export const READ = { startedAtMs: 1, knownOnly: false, complete: null } as const;

export function batch(rows: readonly BankRow[], more: Partial<RecordBatch> = {}): RecordBatch {
  return {
    connectionId: CONNECTION,
    read: READ,
    syncedAtMs: null,
    accounts: [account()],
    rows,
    offers: [offer()],
    covers: null,
    programme: PROGRAMME,
    ...more,
  };
}

export const ALL = {
  from: null,
  to: null,
  brandId: null,
  outcome: null,
  limit: 1000,
  before: null,
} as const;

/**
 * What two ledgers must agree on when they recorded the same in another order. Ids and texts of
 * one row are left out, and so are rows that the bank took back: one that had earned says so, one
 * that was never seen booked cannot.
 */
export function essence(purchases: readonly PurchaseView[]): string[] {
  return purchases.filter(({ state }) => state !== "deleted").map((
    { purchasedOn, amountCents, kind, state, brand, verdict },
  ) =>
    [
      purchasedOn,
      kind,
      amountCents,
      state,
      brand?.id ?? "-",
      verdict.outcome,
      verdict.points,
      verdict.reasons.join("+"),
    ].join(" ")
  ).sort();
}

export const purchaseId = (text: string): PurchaseId => text as PurchaseId;
