// The minimiser (promise P2): from a Powens transaction to the little that may go on, or to
// nothing. Pure. Whatever is not listed here (counterparty, card number, balance, editable wording,
// categories ...) is never read.
import { AMOUNT_CENTS_MAX, decimalToCents } from "../../../kernel/money.ts";
import { cutText, plainText } from "../../../kernel/plain-text.ts";
import { addDays, parisDate } from "../../../kernel/time.ts";
import type { ReviewCode } from "../../../ledger/ports.ts";
import type { AggregatorHint } from "../../../recognition/ports.ts";
import { asObject, asText } from "./exact-json.ts";
import type { Json, JsonObject } from "./exact-json.ts";
import type { AccountWindow, CardRow, MinimisedRows, RowPolicy } from "../../ports.ts";
import { currencyOf, dateOf, flagOf, idOf, parisDateTime, parisDateTimeMs } from "./types.ts";

/** Longer than any label that a French bank prints; what comes behind is cut. */
export const LABEL_MAX = 160;
/** Labels are cut here before anything looks at them, so that no input makes recognition slow. */
const RAW_LABEL_MAX = 512;
/** What is looked at of a text to make it plain: entities are longer than what they mean. */
const WIRE_LABEL_MAX = 4096;
/** A booking day before this one, or further ahead than that, is none. */
const FIRST_BOOKING_DAY = "2015-01-01";
const BOOKING_DAYS_AHEAD_MAX = 70;
/** A purchase is booked at most so many days later; deferred cards take a month, hotels two. */
const BOOKING_DELAY_DAYS_MAX = 60;
/** Without a booking day, the day of purchase is believed when it is no older than this. */
const PURCHASE_AGE_DAYS_MAX = 120;

type Dropped = keyof MinimisedRows["dropped"];

/**
 * Keeps the card purchases and refunds of the accounts that earn, dated inside the account's
 * window. With `accountId`, rows that name another account are dropped: the list came under this
 * one.
 */
export function minimise(
  transactions: readonly Json[],
  policy: RowPolicy,
  accountId: string | null = null,
): MinimisedRows {
  const rows: CardRow[] = [];
  const dropped = { beforeLink: 0, otherKind: 0, otherAccount: 0, unreadable: 0 };
  for (const value of transactions) {
    const outcome = minimiseOne(asObject(value), policy, accountId);
    if (typeof outcome === "string") dropped[outcome] += 1;
    else rows.push(outcome);
  }
  return { rows, dropped };
}

function minimiseOne(
  body: JsonObject | null,
  policy: RowPolicy,
  listedUnder: string | null,
): CardRow | Dropped {
  const externalId = idOf(body?.["id"]);
  if (body === null || externalId === null) return "unreadable";
  const named = idOf(body["id_account"]);
  const remoteAccountId = named ?? listedUnder;
  if (remoteAccountId === null || (listedUnder !== null && remoteAccountId !== listedUnder)) {
    return "otherAccount";
  }
  const window = policy.accounts.get(remoteAccountId);
  if (window === undefined) return "otherAccount";

  const raw = wordingOf(body["original_wording"]) ?? wordingOf(body["simplified_wording"]) ?? "";
  const sign = signOf(body["value"]);
  const decided = kindOf(typeOf(body), sign, raw, policy);
  if (decided === null) return "otherKind";

  const amount = amountOf(body["value"]);
  const dates = datesOf(body, window, policy.nowMs);
  if (dates === "beforeLink") return "beforeLink";
  return {
    remoteAccountId,
    externalId,
    kind: decided.kind,
    hint: decided.hint,
    amountCents: amount.cents,
    currency: window.currency ?? "XXX",
    original: originalOf(body),
    purchasedOn: dates.purchasedOn,
    bookedOn: dates.bookedOn,
    announcedOn: dates.announcedOn,
    state: stateOf(body),
    updatedAt: parisDateTime(body["last_update"]),
    firstSeenAt: parisDateTime(body["date_scraped"]),
    label: cutText(policy.maskLabel(raw), LABEL_MAX),
    review: dates.review ?? amount.review ??
      (window.currency === null || isUnknownAbroad(body) ? "currency_unknown" : null),
  };
}

/**
 * A text as a label, or null where nothing is left to read. Entities are undone before anything
 * looks at it: a card number written in them would pass the mask.
 */
function wordingOf(value: Json | undefined): string | null {
  const text = cutText(plainText((asText(value) ?? "").slice(0, WIRE_LABEL_MAX)), RAW_LABEL_MAX);
  return text.trim() === "" ? null : text;
}

function typeOf(body: JsonObject): string {
  return (asText(body["type"]) ?? "unknown").toLowerCase();
}

// What the aggregator is sure of. `other` lets a label speak and keeps a silent one out: an unsure
// hint would make it a card row.
const HINTS: ReadonlyMap<string, AggregatorHint> = new Map([["transfer", "transfer"], [
  "order",
  "debit",
], ["withdrawal", "withdrawal"]]);
/**
 * Types under which a card row or a merchant's refund may hide. `refund` is documented as negative,
 * the opposite of `payback`.
 */
const VAGUE = new Set(["unknown", "payment", "payback", "refund"]);
const SURE = new Set([
  ...HINTS.keys(),
  "check",
  "deposit",
  "loan_repayment",
  "loan_payment",
  "bank",
  "fee",
  "market_order",
  "market_fee",
  "arbitrage",
  "profit",
  "payout",
]);

/**
 * Purchase, refund, or null for what must not go on. The label decides and the type helps where the
 * label is silent; then the sign gives the direction, because merchants' refunds come as `card`
 * rows with a positive value.
 */
function kindOf(
  type: string,
  sign: -1 | 0 | 1,
  label: string,
  policy: RowPolicy,
): { readonly kind: CardRow["kind"]; readonly hint: AggregatorHint } | null {
  // The monthly total of deferred_card rows: counting it would count each of them twice.
  if (type === "summary_card" || type === "card_summary") return null;
  // Nothing was bought (the bank only asked whether the card lives).
  if (sign === 0) return null;
  const direction = sign > 0 ? "refund" : "purchase";
  const isCard = type === "card" || type === "deferred_card";
  const hint: AggregatorHint = isCard
    ? (sign > 0 ? "refund" : "card")
    : (HINTS.get(type) ?? "other");
  const kind = policy.kindOf(label, hint);
  if (kind === "card" || (kind === "refund" && (isCard || sign > 0))) {
    return { kind: direction, hint: sign > 0 ? "refund" : "card" };
  }
  // A `payback` is a merchant's refund or a health insurer's, an `unknown` may be anything. Where
  // the label is silent, only one that names a partner goes on: the others are nobody's business.
  const vague = VAGUE.has(type)
    ? (type !== "payback" && type !== "refund") || sign > 0
    : !SURE.has(type);
  if (isCard || kind !== "other" || !vague || !policy.namesBrand(label)) return null;
  return { kind: direction, hint: sign > 0 ? "refund" : "card" };
}

/**
 * The sign of an amount; 1 for an unreadable positive one, -1 for what is missing: a purchase that
 * a person must look at.
 */
function signOf(value: Json | undefined): -1 | 0 | 1 {
  const text = (asText(value) ?? "").trim();
  if (text === "") return -1;
  const mantissa = text.split(/[eE]/)[0] ?? "";
  if (/^[+-]?[0.]*$/.test(mantissa)) return 0;
  return text.startsWith("-") ? -1 : 1;
}

function amountOf(
  value: Json | undefined,
): { readonly cents: number; readonly review: ReviewCode | null } {
  const text = asText(value);
  if (text === null || text.trim() === "") return { cents: 0, review: "amount_missing" };
  const cents = decimalToCents(text);
  if (cents.ok) return { cents: Math.abs(cents.value), review: null };
  switch (cents.error) {
    case "too_many_decimals":
      return { cents: truncatedCents(text), review: "amount_precision" };
    case "amount_out_of_bounds":
      return { cents: AMOUNT_CENTS_MAX, review: "amount_out_of_bounds" };
    case "not_a_decimal":
      // A float's tail (0.29999999999999998) or a number beyond all bounds are still amounts, only
      // not ones to act on.
      if (/^[+-]?\d{1,15}\.\d+$/.test(text.trim())) {
        return { cents: truncatedCents(text), review: "amount_precision" };
      }
      if (/^[+-]?\d{16,}(\.\d+)?$/.test(text.trim())) {
        return { cents: AMOUNT_CENTS_MAX, review: "amount_out_of_bounds" };
      }
      return { cents: 0, review: "amount_missing" };
  }
}

/**
 * What a person sees of an amount with too many decimals: its whole cents. It earns nothing as it
 * is.
 */
function truncatedCents(text: string): number {
  const plain = /^[+-]?(\d+)\.(\d{2})/.exec(text.trim());
  const cents = plain === null ? null : decimalToCents(`${plain[1] ?? "0"}.${plain[2] ?? "00"}`);
  return cents !== null && cents.ok ? cents.value : 0;
}

function originalOf(body: JsonObject): CardRow["original"] {
  const currency = currencyOf(body["original_currency"]);
  const cents = decimalToCents(asText(body["original_value"]) ?? "");
  return currency !== null && cents.ok && cents.value !== 0
    ? { amountCents: Math.abs(cents.value), currency }
    : null;
}

/**
 * A currency abroad that nobody knows: the row is not what it says, and the euros beside it are not
 * to be believed either.
 */
function isUnknownAbroad(body: JsonObject): boolean {
  return asText(asObject(body["original_currency"])?.["id"]) !== null &&
    currencyOf(body["original_currency"]) === null;
}

function stateOf(body: JsonObject): CardRow["state"] {
  const deleted = body["deleted"];
  if (deleted !== null && deleted !== undefined && deleted !== false) return "deleted";
  return flagOf(body["coming"]) ? "pending" : "booked";
}

type Dates = {
  readonly purchasedOn: string;
  readonly bookedOn: string | null;
  readonly announcedOn: string | null;
  readonly review: ReviewCode | null;
};

/**
 * `rdate` is the day of the purchase, `date` that of the booking, or of the debit that a pending
 * row announces. `application_date` is the user's to edit and never read.
 */
function datesOf(body: JsonObject, window: AccountWindow, nowMs: number): Dates | "beforeLink" {
  const today = parisDate(nowMs);
  const stated = dateOf(body["rdate"]);
  const debit = dateOf(body["date"]);
  const debitedOn = debit !== null && isBookingDay(debit, today) ? debit : null;
  const isPending = flagOf(body["coming"]);
  const bookedOn = isPending ? null : debitedOn;
  const purchasedOn = purchaseDayOf(stated, debitedOn, today);
  if (purchasedOn === null) {
    // Kept for a person, with the day that the bank gave, or that on which the row came.
    const shown = stated ?? debit ?? today;
    return { purchasedOn: shown, bookedOn, announcedOn: null, review: "date_absurd" };
  }
  if (purchasedOn < window.firstDay) return "beforeLink";
  const seenMs = parisDateTimeMs(body["date_scraped"]);
  if (window.seenFromMs !== null && seenMs !== null && seenMs < window.seenFromMs) {
    return "beforeLink";
  }
  const announcedOn = isPending && debitedOn !== null && debitedOn > purchasedOn ? debitedOn : null;
  return { purchasedOn, bookedOn, announcedOn, review: null };
}

function isBookingDay(day: string, today: string): boolean {
  return day >= FIRST_BOOKING_DAY && day <= addDays(today, BOOKING_DAYS_AHEAD_MAX);
}

/**
 * The stated day where it is plausible beside the booking day, else the booking day. Without one,
 * a stated day of the last months. Null: nobody can tell.
 */
function purchaseDayOf(
  stated: string | null,
  debitedOn: string | null,
  today: string,
): string | null {
  if (debitedOn === null) {
    const isRecent = stated !== null && stated <= today &&
      stated >= addDays(today, -PURCHASE_AGE_DAYS_MAX);
    return isRecent ? stated : null;
  }
  const isPlausible = stated !== null && stated <= debitedOn &&
    stated >= addDays(debitedOn, -BOOKING_DELAY_DAYS_MAX);
  return isPlausible ? stated : debitedOn;
}
