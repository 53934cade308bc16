// The rules around the earning rules: is the row new, booked, cleared of doubt, held by its offer's
// budget, refunded? They are read off the row whenever it is shown, so that rows of any age have
// them. Pure: nothing here is stored, and nothing decides by it.
import type { PurchaseId } from "../../kernel/ids.ts";
import { desiredHold } from "../purchases/budget-shares.ts";
import type { ReasonCode, RuleCheck, RuleMeasure } from "../ports.ts";
import { activePoints, isInDoubt, shownState } from "../purchases/purchase-rows.ts";
import type { PurchaseRow } from "../purchases/purchase-rows.ts";
import { awaitsDay } from "../purchases/verdict-state.ts";

/** A purchase that a refund gives back so many `cents` of. */
export type RefundedPurchase = {
  readonly id: PurchaseId;
  /** Null while that is not decided. */
  readonly granted: number | null;
  readonly takenBack: number;
  readonly refundedCents: number;
  readonly cents: number;
};

/** What the row's lot and the rows it belongs with say of it. */
export type Surroundings = {
  /**
   * The purchase that the row only repeats. It is of the same user's book, so its id is no secret
   * to whoever reads this one.
   */
  readonly sameAs: PurchaseId | null;
  /**
   * Points that were really taken back from the row's own lot: those that had expired cannot be.
   */
  readonly takenBack: number;
  /** Of a refund: the purchases that it gives back. */
  readonly refunded: readonly RefundedPurchase[];
};

/** Checks to be shown before those of the earning rules, and after them. */
type StageChecks = {
  readonly before: readonly RuleCheck[];
  readonly after: readonly RuleCheck[];
};

type Value = RuleCheck["needed"];

function check(
  rule: ReasonCode,
  passed: boolean,
  needed: Value,
  found: Value,
  measure?: RuleMeasure,
): RuleCheck {
  return {
    rule,
    offerId: null,
    version: null,
    passed,
    needed,
    found,
    ...(measure === undefined ? {} : { measure }),
  };
}

/**
 * `lapsed`: never booked, and closed by us. A deleted row is one that the bank took back itself.
 */
function bankStateOf(record: PurchaseRow): "pending" | "booked" | "deleted" | "lapsed" {
  return record.state === "pending" && shownState(record) === "deleted" ? "lapsed" : record.state;
}

/**
 * Every stage that was looked at; one that an earlier stage keeps from being reached is not among
 * them.
 */
export function stageChecks(record: PurchaseRow, around: Surroundings): StageChecks {
  const isNew = record.sameAs === null;
  // Rows of an account that does not earn are dropped before any ledger sees them
  // (banking/rows/record-rows.ts).
  const before = [
    check("account_not_earning", true, "earning", "earning"),
    check("duplicate", isNew, null, around.sameAs, "purchase_id"),
  ];
  if (!isNew) return { before, after: [] };
  const state = bankStateOf(record);
  const isPaused = record.findings.reasons.includes("programme_paused");
  const isAhead = awaitsDay(record) && !isPaused;
  before.push(
    isAhead
      ? check("not_booked_yet", false, record.purchasedOn, null, "purchase_day")
      : check("not_booked_yet", state === "booked", "booked", state, "bank_state"),
    check(
      "held_for_review",
      !isInDoubt(record),
      "ordinary",
      record.review ?? "ordinary",
      "review_result",
    ),
    ...(isPaused ? [check("programme_paused", false, null, null)] : []),
  );
  if (state === "deleted" && record.granted > 0) {
    return {
      before,
      after: [check("refunded", false, record.granted, around.takenBack, "taken_back_points")],
    };
  }
  if (state !== "booked" || isAhead || isPaused || isInDoubt(record)) return { before, after: [] };
  return record.kind === "refund"
    ? { before: [...before, ...refundChecks(record, around)], after: [] }
    : { before, after: [...budgetChecks(record), ...keptChecks(record)] };
}

function refundChecks(record: PurchaseRow, { refunded }: Surroundings): RuleCheck[] {
  const brand = check("brand_unknown", record.brand !== null, null, record.brand?.id ?? null);
  if (record.brand === null) return [brand];
  const found = (id: PurchaseId | null): RuleCheck =>
    check("refund_without_purchase", id !== null, null, id, "purchase_id");
  if (refunded.length === 0) return [brand, found(null)];
  const alone = refunded.every(({ refundedCents, cents }) => refundedCents === cents);
  const undecided = refunded.some(({ granted }) => granted === null);
  const cents = sumOf(refunded.map((each) => each.cents));
  return [
    brand,
    ...refunded.map(({ id }) => found(id)),
    ...(cents === record.amountCents
      ? []
      : [check("refund_applied", true, record.amountCents, cents, "refund_cents")]),
    check(
      "refund_applied",
      true,
      undecided ? null : sumOf(refunded.map(({ granted }) => granted ?? 0)),
      sumOf(refunded.map(({ takenBack }) => takenBack)),
      alone ? "taken_back_points" : "taken_back_points_together",
    ),
  ];
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);

/** What the offer's budget should hold for the purchase and what it is known to hold. */
function budgetChecks(record: PurchaseRow): RuleCheck[] {
  const share = record.budget.at(-1);
  const desired = desiredHold(record, record.budget.length - 1);
  if (share === undefined || desired === 0) return [];
  const reserved = check(
    "budget_reserving",
    share.held !== null && share.held >= desired,
    desired,
    share.held,
    "budget_points",
  );
  return [{
    ...reserved,
    offerId: share.offerId,
    version: record.offer?.id === share.offerId ? record.offer.version : null,
  }];
}

/** What of the amount, and of the points granted for it, refunds have left. */
function keptChecks(record: PurchaseRow): RuleCheck[] {
  const { amountCents, refundedCents, granted } = record;
  const cents = check(
    "refunded",
    refundedCents === 0,
    amountCents,
    amountCents - refundedCents,
    "kept_cents",
  );
  const active = activePoints(record);
  // A cap may keep points taken although the refund is gone; where it is a budget, the budget's own
  // check says so.
  const byBudget = record.findings.reasons.some((code) =>
    code === "budget_reserving" || code === "budget_exhausted"
  );
  const whole = granted === 0 || (refundedCents === 0 && (active === granted || byBudget));
  return whole
    ? [cents]
    : [cents, check("refunded", active === granted, granted, active, "kept_points")];
}

/**
 * The reasons of a row, with the one that the engine leaves to its reader: a refund of no known
 * brand is not looked for at all.
 */
export function shownReasons(record: PurchaseRow): readonly ReasonCode[] {
  const { reasons } = record.findings;
  return record.kind === "refund" && record.brand === null &&
      reasons.includes("refund_without_purchase")
    ? [...reasons, "brand_unknown"]
    : reasons;
}
