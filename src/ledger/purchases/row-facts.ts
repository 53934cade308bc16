// What the bank says of a stored row, and how a newer version changes it.
import type { BankRow } from "../ports.ts";
import { isSettled } from "./purchase-rows.ts";
import type { PurchaseRow, ShownFacts } from "./purchase-rows.ts";

/**
 * Notes an amount under which the bank had booked the row, in time or late. Returns false when
 * that is known.
 */
export function noteEarlierAmount(purchase: PurchaseRow, cents: number): boolean {
  if (
    (cents === purchase.amountCents && purchase.state === "booked") ||
    purchase.earlierCents.includes(cents)
  ) return false;
  purchase.earlierCents = [...purchase.earlierCents, cents];
  return true;
}

/**
 * A version whose day still cannot be true keeps the day that a person gave, as long as it is of
 * the purchase that they saw.
 */
export function withGivenDay(purchase: PurchaseRow, row: BankRow): BankRow {
  const { givenOn } = purchase;
  const isAsSeen = row.kind === purchase.kind && row.amountCents === purchase.amountCents &&
    row.currency === purchase.currency && (row.brand?.id ?? null) === (purchase.brand?.id ?? null);
  return givenOn !== null && row.review === "date_absurd" && isAsSeen
    ? { ...row, purchasedOn: givenOn, review: null }
    : row;
}

/**
 * Overwrites what the bank says with a newer version of the same row. `wasShown`: a read had given
 * the version before. An amount that only a webhook said must not make other rows the same.
 */
export function overwriteFacts(
  purchase: PurchaseRow,
  row: Omit<BankRow, "accountId" | "externalId" | "lastUpdateKind"> & {
    readonly lastUpdateKind?: PurchaseRow["lastUpdateKind"];
  },
  wasShown: boolean,
): void {
  const before = purchase.state === "booked" && wasShown ? purchase.amountCents : null;
  purchase.kind = row.kind;
  purchase.amountCents = row.amountCents;
  purchase.currency = row.currency;
  purchase.original = row.original;
  if (purchase.givenOn !== row.purchasedOn || row.review !== null) purchase.givenOn = null;
  purchase.purchasedOn = row.purchasedOn;
  purchase.bookedOn = row.bookedOn;
  purchase.announcedOn = row.announcedOn ?? null;
  purchase.wasPending ||= row.state === "pending";
  purchase.state = row.state;
  if (before !== null) noteEarlierAmount(purchase, before);
  purchase.lastUpdateMs = row.lastUpdateMs;
  purchase.lastUpdateKind = row.lastUpdateKind ?? null;
  purchase.labelCipher = row.labelCipher;
  purchase.labelTag = row.labelTag;
  purchase.brand = row.brand;
  purchase.channel = row.channel;
  if (row.review !== null) purchase.review = row.review;
  else if (!isSettled(purchase) && purchase.review !== "refused") purchase.review = null;
}

/** What rules look at. A new label text or booking date alone does not reopen a verdict. */
export function decisiveFactsDiffer(
  known: PurchaseRow,
  row: Pick<
    BankRow,
    "kind" | "amountCents" | "currency" | "purchasedOn" | "state" | "channel" | "brand"
  >,
): boolean {
  return known.kind !== row.kind || known.amountCents !== row.amountCents ||
    known.currency !== row.currency || known.purchasedOn !== row.purchasedOn ||
    known.state !== row.state || known.channel !== row.channel ||
    (known.brand?.id ?? null) !== (row.brand?.id ?? null);
}

/** What the row says now, to be kept while a webhook says otherwise. */
export function shownFactsOf(row: PurchaseRow): ShownFacts {
  return {
    kind: row.kind,
    amountCents: row.amountCents,
    currency: row.currency,
    original: row.original,
    purchasedOn: row.purchasedOn,
    bookedOn: row.bookedOn,
    announcedOn: row.announcedOn,
    state: row.state,
    lastUpdateMs: row.lastUpdateMs,
    lastUpdateKind: row.lastUpdateKind,
    labelCipher: row.labelCipher,
    labelTag: row.labelTag,
    brand: row.brand,
    channel: row.channel,
  };
}
