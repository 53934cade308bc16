// Gives a purchase its verdict and moves the points that follow from it. Every path ends in one
// stored verdict; a purchase that already has its verdict for these facts keeps it, points and all.
import { mulDivFloor } from "../../kernel/money.ts";
import { plainShare } from "./budget-shares.ts";
import {
  askToRestore,
  dropBudget,
  exhaustedCheck,
  reserveBudget,
  stopRestoring,
} from "./reservations.ts";
import { HALT_RETRY_MS } from "../book/halts.ts";
import { dayOf, startOfLaterDayMs } from "../book/paris-days.ts";
import type { Decision, Terms } from "../earning/types.ts";
import { decideEarning, termsInForce } from "../earning/rules.ts";
import type { Findings } from "./findings.ts";
import { firstRecordedMs } from "./first-recorded.ts";
import { expiryMs, readLot } from "../points/lot-rows.ts";
import type { Programme, ReasonCode, RuleCheck } from "../ports.ts";
import { activePoints, isInDoubt } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import {
  capRoom,
  forgetLot,
  giveBack,
  grantTo,
  regrant,
  rewardOf,
  takeBack,
} from "./purchase-points.ts";
import type { Reward } from "./purchase-points.ts";
import { reviewIsOver } from "./review-deadlines.ts";
import { nextRank, noteFreed, noteUsage, usageFor } from "./user-history.ts";
import {
  awaitBooking,
  awaitBudget,
  awaitDay,
  awaitHalt,
  awaitPurchase,
  awaitReview,
  awaitReviewUntil,
  awaitsDay,
  close,
  DOUBT_WAIT_MS,
  dueUnlessBudgetOpen,
  earned,
  holdUntil,
  LARGE_REVIEW_MS,
  notEarned,
  reasonsOnly,
  REFUND_WAIT_MS,
  refunded,
  restored,
  reversed,
  UNSHOWN_HELD_MS,
  waitEndsMs,
} from "./verdict-state.ts";
import type { Call } from "../book/call.ts";

/**
 * Brings the verdict in line with the row as it now is. The caller writes the row. `weakAccount`:
 * rule (c) holds it for review once booked. `decided`: the facts that rules look at are the ones
 * its present verdict was made for.
 */
export function settleVerdict(
  call: Call,
  purchase: PurchaseRow,
  weakAccount: boolean,
  decided: boolean,
  terms: Terms,
): void {
  // Whether the reward is large follows from what the row is now.
  if (purchase.review === "large_reward") purchase.review = null;
  if (purchase.sameAs !== null) {
    return earnNothing(call, purchase, "duplicate");
  }
  if (purchase.state === "deleted") return withdraw(call, purchase);
  if (purchase.review === "refused") {
    return earnNothing(call, purchase, "held_for_review");
  }
  // A row that may never be booked needs no review yet.
  const needsReview = weakAccount && purchase.state === "booked";
  if (purchase.review === "weak_account" && !needsReview) purchase.review = null;
  if (needsReview && purchase.review === null) purchase.review = "weak_account";
  const waits = isInDoubt(purchase);
  if (purchase.state === "pending") {
    withoutPoints(call, purchase, () => (waits ? awaitReview : awaitBooking)(purchase));
    const endsMs = waitEndsMs(purchase) ?? 0;
    if (endsMs <= call.nowMs) close(purchase);
    else dueUnlessBudgetOpen(purchase, endsMs, call.nowMs);
    return;
  }
  if (waits) return hold(call, purchase, terms);
  // A row that was held for review, or waited for its day, had no verdict meanwhile, though its
  // facts are the same.
  const unchanged = decided && purchase.waitsFor !== "review" && !awaitsDay(purchase);
  if (purchase.kind === "refund") return expectPurchase(call, purchase, unchanged);
  if (purchase.purchasedOn > dayOf(call.nowMs)) return expectDay(call, purchase);
  if (unchanged && purchase.decidedRank !== null) return;
  // A halt may have begun after a person let it count.
  const reviewed = (purchase.waitsFor === "review" || awaitsDay(purchase)) &&
    (purchase.review === "cleared" || purchase.review === "lapsed");
  const endsAtMs = decided ? purchase.findings.reviewEndsAtMs : undefined;
  earn(call, purchase, terms, { reviewed, endsAtMs: endsAtMs ?? call.nowMs + LARGE_REVIEW_MS });
}

/**
 * Holds the row for a person. One that only may repeat another counts in the end: its terms are
 * kept, because nobody hands over offers when the deadline passes.
 */
function hold(call: Call, purchase: PurchaseRow, terms: Terms): void {
  if (purchase.review === "not_shown") {
    const endsAtMs = purchase.findings.reviewEndsAtMs ?? call.nowMs + UNSHOWN_HELD_MS;
    return holdUnshown(call, purchase, endsAtMs);
  }
  const countsAtMs = purchase.heldTerms?.countsAtMs ?? call.nowMs + DOUBT_WAIT_MS;
  withoutPoints(call, purchase, () => awaitReview(purchase));
  if (purchase.review !== "weak_account") return;
  const { brand, purchasedOn } = purchase;
  needOffers(call, purchase, terms);
  const offers = termsInForce(
    terms.offers.filter(({ brandId }) => brandId === brand?.id),
    purchasedOn,
  );
  holdUntil(purchase, { countsAtMs, offers, programme: terms.programme }, call.nowMs);
}

/**
 * Reads should have shown the row and did not: it earns nothing unless a person lets it count by
 * then, or a read shows it after all.
 */
export function holdUnshown(call: Call, purchase: PurchaseRow, endsAtMs: number): void {
  purchase.review = "not_shown";
  withoutPoints(call, purchase, () => awaitReviewUntil(purchase, endsAtMs));
  if (reviewIsOver(call, purchase)) close(purchase);
  else dueUnlessBudgetOpen(purchase, endsAtMs, call.nowMs);
}

/** The bank took the row back. Its points are reversed. */
function withdraw(call: Call, purchase: PurchaseRow): void {
  call.withdrawn.push(purchase.n);
  if (purchase.granted > 0) {
    takeBack(call, purchase, 0);
    return finishWithoutPoints(call, purchase, () => reversed(purchase));
  }
  // Nothing speaks against a purchase that waited for its budget, even if its points were capped.
  const reasons = purchase.waitsFor === "budget"
    ? []
    : purchase.findings.reasons.filter((code) => code !== "duplicate");
  earnNothing(call, purchase, ...reasons.length === 0 ? ["not_booked_yet" as const] : reasons);
}

function earnNothing(call: Call, purchase: PurchaseRow, ...reasons: readonly ReasonCode[]): void {
  withoutPoints(call, purchase, () => notEarned(purchase, reasonsOnly(...reasons)));
}

/** Reverses what the row had earned and makes `transition`. */
function withoutPoints(call: Call, purchase: PurchaseRow, transition: () => void): void {
  takeBack(call, purchase, 0);
  forgetLot(call, purchase);
  finishWithoutPoints(call, purchase, transition);
}

function finishWithoutPoints(call: Call, purchase: PurchaseRow, transition: () => void): void {
  transition();
  if (purchase.kind === "purchase" && purchase.decidedRank !== null) noteFreed(call, purchase);
  // Its refunds are matched with another purchase, see refund-matching.ts.
  purchase.refundedCents = 0;
  stopRestoring(purchase);
  dueUnlessBudgetOpen(purchase, null, call.nowMs);
  noteUsage(call, purchase);
}

/** Which offers are in force on a day, and what caps leave, is known once the day has come. */
function expectDay(call: Call, purchase: PurchaseRow): void {
  withoutPoints(call, purchase, () => awaitDay(purchase));
  dueUnlessBudgetOpen(purchase, waitEndsMs(purchase), call.nowMs);
}

/** What has points already is judged on: nothing new is in force during a halt. */
function expectEndOfHalt(call: Call, purchase: PurchaseRow): void {
  withoutPoints(call, purchase, () => awaitHalt(purchase));
  dueUnlessBudgetOpen(purchase, call.nowMs + HALT_RETRY_MS, call.nowMs);
}

function expectPurchase(call: Call, purchase: PurchaseRow, decided: boolean): void {
  if (
    decided &&
    (purchase.refundParts.length > 0 || purchase.waitsFor === "purchase" ||
      purchase.findings.reasons.length > 0)
  ) return;
  purchase.decidedRank ??= nextRank(call);
  // A newer version may have turned a purchase into a refund: what it had earned is reversed.
  if (purchase.brand === null) return earnNothing(call, purchase, "refund_without_purchase");
  // It has waited under another row of the same refund already.
  const dueMs = purchase.waitsFor === "purchase" && purchase.dueMs !== null
    ? purchase.dueMs
    : purchase.recordedAtMs + REFUND_WAIT_MS;
  withoutPoints(call, purchase, () => awaitPurchase(purchase));
  dueUnlessBudgetOpen(purchase, dueMs, call.nowMs);
}

function decide(call: Call, purchase: PurchaseRow, terms: Terms): Decision {
  const facts = {
    baseCents: purchase.amountCents,
    currency: purchase.currency,
    purchasedOn: purchase.purchasedOn,
    brandId: purchase.brand?.id ?? null,
    channel: purchase.channel,
    // Asked only where a stop needs it: it is a read in the ledger.
    ...(terms.offers.some((each) => each.stoppedAtMs !== undefined)
      ? { recordedAtMs: firstRecordedMs(call, purchase) }
      : {}),
  };
  return decideEarning(facts, terms.offers, usageFor(call, purchase), terms.programme);
}

/** `reviewed`: its review has just ended; `endsAtMs`: when one would end. */
type LargeReview = { readonly reviewed: boolean; readonly endsAtMs: number };

function earn(call: Call, purchase: PurchaseRow, terms: Terms, review: LargeReview): void {
  if (terms.paused === true && purchase.brand !== null && activePoints(purchase) === 0) {
    return expectEndOfHalt(call, purchase);
  }
  needOffers(call, purchase, terms);
  const decision = decide(call, purchase, terms);
  if (!review.reviewed && isLargeReward(purchase, decision, terms)) {
    return holdForReview(call, purchase, review.endsAtMs);
  }
  applyDecision(call, purchase, decision, terms);
}

/**
 * More than the programme lets count unseen, and more than the purchase has already: whoever forges
 * rows or enters an offer wrongly must not be paid before anybody could look.
 */
function isLargeReward(
  purchase: PurchaseRow,
  decision: Decision,
  { programme: { reviewPoints = Infinity } }: Terms,
): boolean {
  return decision.outcome !== "not_earned" &&
    decision.points > Math.max(reviewPoints, purchase.granted);
}

function holdForReview(call: Call, purchase: PurchaseRow, endsAtMs: number): void {
  purchase.review = "large_reward";
  withoutPoints(call, purchase, () => awaitReviewUntil(purchase, endsAtMs));
  dueUnlessBudgetOpen(purchase, endsAtMs, call.nowMs);
}

/** Asks for the offers of the purchase's brand and day where they were not handed over. */
export function needOffers(
  call: Call,
  { brand, purchasedOn: on }: PurchaseRow,
  { covers }: Terms,
): void {
  const covered = brand === null || covers === null ||
    covers.some((cover) => cover.brandId === brand.id && cover.from <= on && on <= cover.to);
  if (!covered) call.offersNeeded.push({ brandId: brand.id, from: on, to: on });
}

type Grants = Extract<Decision, { readonly outcome: "earned" | "waiting" }>;

function applyDecision(call: Call, purchase: PurchaseRow, decision: Decision, terms: Terms): void {
  purchase.decidedRank ??= nextRank(call);
  if (purchase.waitsFor === "budget") noteFreed(call, purchase);
  const findings = findingsOf(purchase, decision, terms.programme);
  const activeBefore = activePoints(purchase);
  const kept = decision.outcome !== "not_earned" && keepsLot(purchase, decision, findings);
  if (!kept) {
    takeBack(call, purchase, 0);
    forgetLot(call, purchase);
  }
  const before = rewardOf(purchase);
  purchase.refundedCents = 0;
  const offer = decision.terms === null
    ? null
    : { id: decision.terms.offerId, version: decision.terms.version };
  if (decision.outcome === "not_earned") {
    notEarned(purchase, findings, offer);
    dropBudget(purchase);
  } else {
    const waits = decision.outcome === "waiting" && !kept;
    (waits ? awaitBudget : earned)(purchase, findings, offer);
    grantDecided(call, purchase, decision, terms, kept ? { activeBefore, before } : null);
  }
  dueUnlessBudgetOpen(purchase, null, call.nowMs);
  noteUsage(call, purchase);
}

/**
 * Grants what was decided, now or once the budget has reserved it. `kept`: the purchase keeps its
 * lot, which had so many active points and rewarded that.
 */
function grantDecided(
  call: Call,
  purchase: PurchaseRow,
  { outcome, points, terms }: Grants,
  all: Terms,
  kept: { readonly activeBefore: number; readonly before: Reward } | null,
): void {
  if (kept !== null) regrant(call, purchase, points, kept.before);
  if (outcome === "earned") {
    dropBudget(purchase);
    if (kept === null) grantTo(call, purchase, points);
    return;
  }
  reserveBudget(purchase, terms, points, all);
  if (kept === null || points <= kept.activeBefore) return;
  // The budget has reserved what was active before. What the purchase is worth beyond that is
  // active once the budget has reserved it too.
  takeBack(call, purchase, kept.activeBefore);
  askToRestore(purchase, points);
}

/**
 * A purchase that proves to be worth more or less keeps its lot, dates and holds, and only the
 * difference is posted. Another day or another offer is another lot; so is one under a budget
 * without active points, since they must be reserved first.
 */
function keepsLot(purchase: PurchaseRow, decision: Grants, findings: Findings): boolean {
  return purchase.lotNo !== null && purchase.offer?.id === decision.terms.offerId &&
    purchase.findings.confirmAtMs === findings.confirmAtMs &&
    purchase.findings.expiresAtMs === findings.expiresAtMs &&
    (decision.outcome === "earned" || activePoints(purchase) > 0);
}

function findingsOf(purchase: PurchaseRow, decision: Decision, programme: Programme): Findings {
  const { reasons, checks, calculation } = decision;
  if (decision.outcome === "not_earned") {
    return { reasons, checks, calculation, confirmAtMs: null, expiresAtMs: null };
  }
  const confirmAtMs = startOfLaterDayMs(purchase.purchasedOn, decision.terms.confirmationDays);
  return {
    reasons,
    checks,
    calculation,
    confirmAtMs,
    expiresAtMs: expiryMs(confirmAtMs, programme.pointsExpireMonths),
  };
}

/** floor(points after caps x cents left / base cents) */
function pointsDue({ granted, amountCents }: PurchaseRow, refundedCents: number): number {
  return amountCents === 0 ? 0 : mulDivFloor(granted, amountCents - refundedCents, amountCents);
}

/**
 * Brings the points in line with what was refunded: keeps `pointsDue`. Active points above that are
 * reversed, what an earlier match reversed too much is restored. Repeating it changes nothing.
 */
export function applyRefunds(call: Call, purchase: PurchaseRow, refundedCents: number): void {
  if (refundedCents > purchase.refundedCents) noteFreed(call, purchase);
  if (purchase.granted === 0) {
    purchase.refundedCents = refundedCents;
    noteUsage(call, purchase);
    return;
  }
  const due = pointsDue(purchase, refundedCents);
  const active = activePoints(purchase);
  // Other purchases may have used the room under the caps that the refund had freed: caps are kept
  // in every order.
  const keep = due > active ? Math.min(due, active + capRoom(call, purchase)) : due;
  stopRestoring(purchase);
  if (active > keep) takeBack(call, purchase, keep, refundedCents);
  if (active < keep && !askToRestore(purchase, keep)) {
    giveBack(call, purchase, keep, refundedCents);
  }
  purchase.refundedCents = refundedCents;
  refunded(purchase, refundedCents);
  dueUnlessBudgetOpen(purchase, purchase.dueMs, call.nowMs);
  noteUsage(call, purchase);
}

/**
 * The budget has reserved what is to be restored. Caps are asked once more: other purchases may
 * have used their room meanwhile.
 */
export function restoreReserved(call: Call, purchase: PurchaseRow): void {
  const points = purchase.budget.at(-1)?.restore ?? 0;
  stopRestoring(purchase);
  const active = activePoints(purchase);
  const keep = Math.min(points, active + capRoom(call, purchase));
  if (keep > active) giveBack(call, purchase, keep);
  restored(purchase);
}

/**
 * The budget of the best offer has only `left` points (null: unknown) for the purchase: decides
 * again among the brand's other offers.
 */
export function earnElsewhere(call: Call, purchase: PurchaseRow, left: number | null): void {
  const denied = purchase.budget.at(-1);
  const { checks, calculation } = purchase.findings;
  const { offers, programme } = denied?.fallback ??
    { offers: [], programme: { pointsPerEuro: 1, pointsExpireMonths: 1 } };
  const terms: Terms = { offers, covers: null, programme };
  noteFreed(call, purchase);
  // Reservations from before its facts changed are released.
  purchase.budget = purchase.budget.map((share) => ({ ...plainShare(share), current: false }));
  const decision = terms.offers.length === 0 ? null : decide(call, purchase, terms);
  const exhausted = exhaustedCheck(purchase, denied?.offerId ?? null, denied?.wanted ?? null, left);
  const looked = checksTogether([...checks, exhausted], decision?.checks ?? []);
  if (decision === null || decision.outcome === "not_earned") {
    const findings: Findings = {
      ...reasonsOnly("budget_exhausted"),
      checks: looked,
      calculation: calculation === null ? null : { ...calculation, capped: 0 },
    };
    return notEarned(purchase, findings, purchase.offer);
  }
  const refundedCents = purchase.refundedCents;
  applyDecision(call, purchase, { ...decision, checks: looked }, terms);
  if (refundedCents > 0) applyRefunds(call, purchase, refundedCents);
}

/** Everything that was ever looked at, each version as it was found last. */
function checksTogether(
  before: readonly RuleCheck[],
  decided: readonly RuleCheck[],
): readonly RuleCheck[] {
  const anew = decided.filter((check) => check.offerId !== null);
  return [
    ...before.filter((check) =>
      !anew.some((each) => each.offerId === check.offerId && each.version === check.version)
    ),
    ...anew,
  ];
}

/**
 * Judges a purchase again that a cap or an earlier purchase had refused or cut, now that its cause
 * may be gone. It never has less than before. `terms` without the versions whose budget denied it.
 * Returns whether its verdict changed.
 */
export function judgeAgain(call: Call, purchase: PurchaseRow, terms: Terms): boolean {
  const { findings, refundedCents } = purchase;
  const decision = decide(call, purchase, terms);
  if (!isBetter(call, purchase, decision, findingsOf(purchase, decision, terms.programme))) {
    return restoreRoom(call, purchase);
  }
  if (isLargeReward(purchase, decision, terms)) {
    // What the purchase has, or waits for at a budget, is not risked for more.
    if (purchase.granted > 0 || purchase.waitsFor !== null) return restoreRoom(call, purchase);
    holdForReview(call, purchase, call.nowMs + LARGE_REVIEW_MS);
    return true;
  }
  const checks = checksTogether(findings.checks, decision.checks);
  applyDecision(call, purchase, { ...decision, checks }, terms);
  if (refundedCents > 0) applyRefunds(call, purchase, refundedCents);
  return true;
}

function isBetter(
  call: Call,
  purchase: PurchaseRow,
  decision: Decision,
  findings: Findings,
): boolean {
  if (decision.outcome === "not_earned") {
    // Nothing is earned still, but for another reason.
    return purchase.outcome === "not_earned" && !wasDenied(purchase) &&
      decision.reasons.join() !== purchase.findings.reasons.join();
  }
  const waits = purchase.waitsFor === "budget";
  const before = waits ? (purchase.budget.at(-1)?.wanted ?? 0) : purchase.granted;
  if (decision.points <= before) return false;
  if (waits || purchase.lotNo === null || keepsLot(purchase, decision, findings)) return true;
  // Points of another offer that are confirmed may be spent, and those under a budget may be
  // denied: what the user has is not risked for them.
  return decision.outcome === "earned" && readLot(call, purchase.lotNo).state === "pending";
}

/** Reversed points of which a cap kept back more than the refunds did. */
function restoreRoom(call: Call, purchase: PurchaseRow): boolean {
  const active = activePoints(purchase);
  if (
    pointsDue(purchase, purchase.refundedCents) <= active ||
    purchase.findings.reasons.some((code) =>
      code === "budget_reserving" || code === "budget_exhausted"
    ) ||
    capRoom(call, purchase) === 0
  ) return false;
  applyRefunds(call, purchase, purchase.refundedCents);
  return true;
}

/** Whether an offer's budget had too little for the purchase. */
export function wasDenied({ findings }: PurchaseRow): boolean {
  return findings.checks.some(({ rule }) => rule === "budget_exhausted");
}
