// The state of a verdict: outcome, what the purchase waits for, findings, offer, matched purchase
// and due time. Only this file writes these fields, each change under a name; for all other code
// they are read-only. Which change is right is decided in verdicts.ts, and points move in
// purchase-points.ts.
import { DAY_MS } from "../../kernel/time.ts";
import { dayOf, startOfDayMs, startOfLaterDayMs } from "../book/paris-days.ts";
import type { ReasonCode, RuleCheck } from "../ports.ts";
import { budgetOpen } from "./budget-shares.ts";
import type { Findings } from "./findings.ts";
import { activePoints, NO_FINDINGS, NO_VERDICT } from "./purchase-rows.ts";
import type { HeldTerms, PurchaseRow, Verdict } from "./purchase-rows.ts";
import type { RefundPart } from "./refund-allocation.ts";

/** A pending row that nothing took over is closed this many days after its date, or its debit's. */
export const PENDING_DAYS_MAX = 14;
/** A large reward waits this long for a person. */
export const LARGE_REVIEW_MS = 2 * DAY_MS;
/** What no read has shown is held for a person no longer than this. */
export const UNSHOWN_HELD_MS = 60 * DAY_MS;
/** A refund waits this long for its purchase. */
export const REFUND_WAIT_MS = 90 * DAY_MS;
/** A row that may repeat another waits for a person this long; then it counts. */
export const DOUBT_WAIT_MS = 30 * DAY_MS;

type State = Pick<
  PurchaseRow,
  "outcome" | "waitsFor" | "findings" | "dueMs" | "refundParts" | "offer" | "heldTerms"
>;

function write(purchase: PurchaseRow, state: Partial<State>): void {
  // Who waits for something else, or for nothing, is not held for review any more.
  Object.assign(purchase, "waitsFor" in state ? { heldTerms: null, ...state } : state);
}

/** Findings of a verdict for which nothing was calculated. */
export function reasonsOnly(...reasons: readonly ReasonCode[]): Findings {
  return { ...NO_FINDINGS, reasons };
}

/** The row earns nothing until the bank books it. */
export function awaitBooking(purchase: PurchaseRow): void {
  write(purchase, {
    outcome: "waiting",
    waitsFor: "booking",
    findings: reasonsOnly("not_booked_yet"),
    offer: null,
    refundParts: [],
  });
}

/**
 * The bank has booked the purchase for a day that has not come; it earns nothing before. Stored as
 * what waits for its booking: the table of older books knows no other word.
 */
export function awaitDay(purchase: PurchaseRow): void {
  awaitBooking(purchase);
}

/**
 * Offers are halted: the purchase is judged at the end of the halt. Stored as what waits for its
 * day, for the same reason.
 */
export function awaitHalt(purchase: PurchaseRow): void {
  awaitBooking(purchase);
  write(purchase, { findings: reasonsOnly("programme_paused") });
}

/** Whether a booked purchase is still to be judged: on its day, or at the end of a halt. */
export function awaitsDay({ state, waitsFor }: PurchaseRow): boolean {
  return state === "booked" && waitsFor === "booking";
}

/** The row earns nothing until a person has decided about it. */
export function awaitReview(purchase: PurchaseRow): void {
  write(purchase, {
    outcome: "waiting",
    waitsFor: "review",
    findings: reasonsOnly("held_for_review"),
    offer: null,
    refundParts: [],
  });
}

/** A person may look at the purchase until then; what follows is decided by its review. */
export function awaitReviewUntil(purchase: PurchaseRow, endsAtMs: number): void {
  awaitReview(purchase);
  write(purchase, { findings: { ...purchase.findings, reviewEndsAtMs: endsAtMs } });
}

/** The review has a deadline: after it the row counts by these terms. */
export function holdUntil(purchase: PurchaseRow, heldTerms: HeldTerms, nowMs: number): void {
  write(purchase, { heldTerms });
  dueUnlessBudgetOpen(purchase, heldTerms.countsAtMs, nowMs);
}

/** The refund waits for the purchase that it gives money back of. */
export function awaitPurchase(refund: PurchaseRow): void {
  write(refund, {
    outcome: "waiting",
    waitsFor: "purchase",
    findings: reasonsOnly("refund_without_purchase"),
    offer: null,
    refundParts: [],
  });
}

/** The purchase earns once its offer's budget has reserved the points. */
export function awaitBudget(
  purchase: PurchaseRow,
  findings: Findings,
  offer: PurchaseRow["offer"],
): void {
  write(purchase, { outcome: "waiting", waitsFor: "budget", findings, offer, refundParts: [] });
}

/** The purchase earns what was decided; a budget, where the offer has one, has reserved it. */
export function earned(
  purchase: PurchaseRow,
  findings: Findings,
  offer: PurchaseRow["offer"],
): void {
  write(purchase, {
    outcome: "earned",
    waitsFor: null,
    findings: {
      ...findings,
      reasons: findings.reasons.map((code) => code === "budget_reserving" ? "offer_applied" : code),
    },
    offer,
    refundParts: [],
  });
}

/** The row earns nothing, for good as far as is known now. */
export function notEarned(
  purchase: PurchaseRow,
  findings: Findings,
  offer: PurchaseRow["offer"] = null,
): void {
  write(purchase, { outcome: "not_earned", waitsFor: null, findings, offer, refundParts: [] });
}

/** All points were reversed, since the bank took the row back; shows what they were. */
export function reversed(purchase: PurchaseRow): void {
  write(purchase, {
    outcome: "reversed",
    waitsFor: null,
    findings: { ...purchase.findings, reasons: ["refunded"] },
    refundParts: [],
  });
}

/** Outcome and reasons of a purchase of which `refundedCents` were refunded. */
export function refunded(purchase: PurchaseRow, refundedCents: number): void {
  const gone = activePoints(purchase) === 0 || refundedCents === purchase.amountCents;
  const others = purchase.findings.reasons.filter((code) => code !== "refunded");
  const reasons: readonly ReasonCode[] = gone ? ["refunded", ...others] : [...others, "refunded"];
  write(purchase, {
    outcome: gone ? "reversed" : "earned",
    findings: { ...purchase.findings, reasons: refundedCents === 0 ? others : reasons },
  });
}

/** Points were restored after a refund was taken back, as far as caps allowed. */
export function restored(purchase: PurchaseRow): void {
  write(purchase, { outcome: activePoints(purchase) === 0 ? "reversed" : "earned" });
}

/** The refund gives back so much of these purchases; of none, while it is not known of which. */
export function refundMatched(refund: PurchaseRow, parts: readonly RefundPart[]): void {
  if (parts.length === 0) awaitPurchase(refund);
  else notEarned(refund, reasonsOnly("refund_applied"));
  write(refund, { refundParts: parts });
  if (!budgetOpen(refund)) write(refund, { dueMs: waitEndsMs(refund) });
}

const BUDGET_REASONS: ReadonlySet<ReasonCode> = new Set(["budget_reserving", "budget_exhausted"]);

/**
 * What the offer's budget has to do with the verdict now; null: nothing. A denial is shown with its
 * check.
 */
export function setBudgetReason(
  purchase: PurchaseRow,
  reason: "budget_reserving" | "budget_exhausted" | null,
  denial?: RuleCheck,
): void {
  const { findings, offer } = purchase;
  const reasons = findings.reasons.filter((code) => !BUDGET_REASONS.has(code));
  // An earlier denial by the offer that granted was one of points to restore, and is over; denials
  // by other offers remain.
  const checks = findings.checks.filter((check) =>
    check.rule !== "budget_exhausted" || check.offerId !== offer?.id ||
    check.version !== offer.version
  );
  write(purchase, {
    findings: {
      ...findings,
      checks: denial === undefined ? checks : [...checks, denial],
      reasons: reason === null ? reasons : [...reasons, reason],
    },
  });
}

/**
 * What a row waited for did not come in time. A closed pending row is shown as deleted and yet
 * stays what the bank calls it: should its booking come after all, it is taken over like one that
 * was not closed, so the day on which we close decides nothing.
 */
export function close(purchase: PurchaseRow): void {
  if (!budgetOpen(purchase)) write(purchase, { dueMs: null });
  write(purchase, { outcome: "not_earned", waitsFor: null });
}

/**
 * When the row's waiting for its booking, its day, its purchase or a review ends; null when time
 * does not end it.
 */
export function waitEndsMs(purchase: PurchaseRow): number | null {
  if (purchase.heldTerms !== null) return purchase.heldTerms.countsAtMs;
  if (purchase.waitsFor === "purchase") return purchase.recordedAtMs + REFUND_WAIT_MS;
  if (awaitsDay(purchase)) return startOfDayMs(purchase.purchasedOn);
  if (purchase.waitsFor === "review" && purchase.findings.reviewEndsAtMs !== undefined) {
    return purchase.findings.reviewEndsAtMs;
  }
  if (purchase.state !== "pending" || purchase.waitsFor === null) return null;
  // A day that cannot be true says nothing of how long the row has waited, and a person must have
  // the time to see it.
  const { review, purchasedOn, announcedOn } = purchase;
  const since = review === "date_absurd" ? dayOf(purchase.recordedAtMs) : purchasedOn;
  // A deferred debit is announced for the end of its month, and cannot be booked before.
  const latest = announcedOn !== null && announcedOn > since ? announcedOn : since;
  return startOfLaterDayMs(latest, PENDING_DAYS_MAX + 1);
}

/** The row is due at `dueMs`, or at once while a budget has to be asked for it. */
export function dueUnlessBudgetOpen(
  purchase: PurchaseRow,
  dueMs: number | null,
  nowMs: number,
): void {
  write(purchase, { dueMs: budgetOpen(purchase) ? nowMs : dueMs });
}

/**
 * Moves verdict and points from one row to another; the first is left as one that was never
 * decided.
 */
export function moveVerdict(from: PurchaseRow, to: PurchaseRow, nowMs: number): void {
  // What `to` itself still has to give back to a budget, it gives back under its own key.
  const toGiveBack = to.budget.filter((share) => share.held !== 0).map((share) => ({
    ...share,
    current: false,
  }));
  Object.assign(to, verdictPart(from), { budget: [...toGiveBack, ...from.budget] });
  Object.assign(from, NO_VERDICT);
  dueUnlessBudgetOpen(to, to.dueMs, nowMs);
}

function verdictPart(purchase: PurchaseRow): Verdict {
  return {
    decidedRank: purchase.decidedRank,
    outcome: purchase.outcome,
    waitsFor: purchase.waitsFor,
    offer: purchase.offer,
    granted: purchase.granted,
    reversed: purchase.reversed,
    lotNo: purchase.lotNo,
    refundedCents: purchase.refundedCents,
    refundParts: purchase.refundParts,
    budget: purchase.budget,
    findings: purchase.findings,
    dueMs: purchase.dueMs,
    heldTerms: purchase.heldTerms,
  };
}
