// Gives a purchase its verdict and moves the points that follow from it. Every path ends in one
// stored verdict; a purchase that already has its verdict for these facts keeps it, points and all.
import { mulDivFloor } from "../../kernel/money.ts";
import { DAY_MS } from "../../kernel/time.ts";
import {
  askToRestore,
  budgetOpen,
  dropBudget,
  exhaustedCheck,
  plainShare,
  stopRestoring,
  wantBudget,
} from "./reservations.ts";
import { dayOf, startOfLaterDayMs } from "../book/paris-days.ts";
import type { Decision, Terms } from "../earning/types.ts";
import { decideEarning } from "../earning/rules.ts";
import type { Findings } from "./findings.ts";
import { expiryMs } from "../points/lots.ts";
import type { Programme, ReasonCode } from "../ports.ts";
import { activePoints, NO_FINDINGS } from "./purchase-rows.ts";
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
import { nextRank, noteUsage, usageFor } from "./user-history.ts";
import type { Call } from "../book/call.ts";

/** A pending row that nothing took over is closed this many days after its date. */
export const PENDING_DAYS_MAX = 14;
/** A refund waits this long for its purchase. */
export const REFUND_WAIT_MS = 90 * DAY_MS;

/**
 * Brings the verdict in line with the row as it now is. The caller writes the row. `decided` says
 * whether the facts that rules look at are the ones its present verdict was made for.
 */
export function settleVerdict(
  call: Call,
  purchase: PurchaseRow,
  held: boolean,
  decided: boolean,
  terms: Terms,
): void {
  if (purchase.sameAs !== null) {
    return withoutPoints(call, purchase, "not_earned", null, ["duplicate"]);
  }
  if (purchase.state === "deleted") return withdraw(call, purchase);
  if (purchase.review === "refused") {
    return withoutPoints(call, purchase, "not_earned", null, ["held_for_review"]);
  }
  // What may never be booked needs nobody's eyes yet.
  const holds = held && purchase.state === "booked";
  if (purchase.review === "weak_account" && !holds) purchase.review = null;
  if (holds && purchase.review === null) purchase.review = "weak_account";
  const waits = purchase.review !== null && purchase.review !== "cleared";
  if (purchase.state === "pending") {
    withoutPoints(call, purchase, "waiting", waits ? "review" : "booking", [
      waits ? "held_for_review" : "not_booked_yet",
    ]);
    const endsMs = waitEndsMs(purchase) ?? 0;
    if (endsMs <= call.nowMs) close(purchase);
    else if (!budgetOpen(purchase)) purchase.dueMs = endsMs;
    return;
  }
  if (waits) return withoutPoints(call, purchase, "waiting", "review", ["held_for_review"]);
  // A row that was held and is no longer has lost its verdict to that, though its facts are the
  // same.
  const stands = decided && purchase.waitsFor !== "review";
  if (purchase.kind === "refund") return expectPurchase(call, purchase, stands);
  if (stands && purchase.decidedRank !== null) return;
  earn(call, purchase, terms);
}

/** When the row's waiting for its booking or its purchase ends; null when it waits for neither. */
export function waitEndsMs(purchase: PurchaseRow): number | null {
  if (purchase.waitsFor === "purchase") return purchase.recordedAtMs + REFUND_WAIT_MS;
  if (purchase.state !== "pending" || purchase.waitsFor === null) return null;
  // A day that cannot be true says nothing of how long the row has waited, and a person must have
  // the time to see it.
  const since = purchase.review === "date_absurd"
    ? dayOf(purchase.recordedAtMs)
    : purchase.purchasedOn;
  return startOfLaterDayMs(since, PENDING_DAYS_MAX + 1);
}

/**
 * What a row waited for did not come in time. A closed pending row is shown as deleted and yet
 * stays what the bank calls it: should its booking come after all, it is taken over like one that
 * was not closed, so the day on which we close decides nothing.
 */
export function close(purchase: PurchaseRow): void {
  if (!budgetOpen(purchase)) purchase.dueMs = null;
  purchase.waitsFor = null;
  purchase.outcome = "not_earned";
}

/** The bank took the row back. What it earned goes with it. */
function withdraw(call: Call, purchase: PurchaseRow): void {
  if (purchase.granted > 0) return withoutPoints(call, purchase, "reversed", null, ["refunded"]);
  // What waited for its budget has no reason of its own against it, be its points capped.
  const reasons = purchase.waitsFor === "budget"
    ? []
    : purchase.findings.reasons.filter((code) => code !== "duplicate");
  withoutPoints(
    call,
    purchase,
    "not_earned",
    null,
    reasons.length === 0 ? ["not_booked_yet"] : reasons,
  );
}

function withoutPoints(
  call: Call,
  purchase: PurchaseRow,
  outcome: PurchaseRow["outcome"],
  waitsFor: PurchaseRow["waitsFor"],
  reasons: readonly ReasonCode[],
): void {
  takeBack(call, purchase, 0);
  if (outcome !== "reversed") forgetLot(call, purchase);
  purchase.outcome = outcome;
  purchase.waitsFor = waitsFor;
  // Its refunds look for another purchase, see refunds.ts.
  purchase.refundedCents = 0;
  // A reversal of every point shows what it reversed; otherwise nothing was ever calculated.
  purchase.findings = purchase.granted > 0
    ? { ...purchase.findings, reasons }
    : { ...NO_FINDINGS, reasons };
  if (purchase.granted === 0) purchase.offer = null;
  purchase.refundOf = null;
  stopRestoring(purchase);
  purchase.dueMs = budgetOpen(purchase) ? call.nowMs : null;
  noteUsage(call, purchase);
}

function expectPurchase(call: Call, purchase: PurchaseRow, decided: boolean): void {
  if (
    decided &&
    (purchase.refundOf !== null || purchase.waitsFor === "purchase" ||
      purchase.findings.reasons.length > 0)
  ) return;
  purchase.decidedRank ??= nextRank(call);
  // It has waited under another row of the same refund already.
  const dueMs = purchase.waitsFor === "purchase" && purchase.dueMs !== null
    ? purchase.dueMs
    : purchase.recordedAtMs + REFUND_WAIT_MS;
  // A row may turn into a refund by a newer version of it: what it had earned goes first.
  withoutPoints(call, purchase, "waiting", null, ["refund_without_purchase"]);
  purchase.outcome = purchase.brand === null ? "not_earned" : "waiting";
  purchase.waitsFor = purchase.brand === null ? null : "purchase";
  if (purchase.brand !== null && !budgetOpen(purchase)) purchase.dueMs = dueMs;
}

function decide(call: Call, purchase: PurchaseRow, terms: Terms): Decision {
  const facts = {
    baseCents: purchase.amountCents,
    currency: purchase.currency,
    purchasedOn: purchase.purchasedOn,
    brandId: purchase.brand?.id ?? null,
    channel: purchase.channel,
  };
  return decideEarning(facts, terms.offers, usageFor(call, purchase), terms.programme);
}

function earn(call: Call, purchase: PurchaseRow, terms: Terms): void {
  const { brand, purchasedOn: on } = purchase;
  const covered = brand === null || terms.covers === null ||
    terms.covers.some((cover) => cover.brandId === brand.id && cover.from <= on && on <= cover.to);
  if (!covered) call.offersNeeded.push({ brandId: brand.id, from: on, to: on });
  applyDecision(call, purchase, decide(call, purchase, terms), terms);
}

type Grants = Extract<Decision, { readonly outcome: "earned" | "waiting" }>;

function applyDecision(call: Call, purchase: PurchaseRow, decision: Decision, terms: Terms): void {
  purchase.decidedRank ??= nextRank(call);
  const findings = findingsOf(purchase, decision, terms.programme);
  const standing = activePoints(purchase);
  const kept = decision.outcome !== "not_earned" && keepsLot(purchase, decision, findings);
  if (!kept) {
    takeBack(call, purchase, 0);
    forgetLot(call, purchase);
  }
  const before = rewardOf(purchase);
  purchase.refundedCents = 0;
  purchase.refundOf = null;
  purchase.findings = findings;
  purchase.offer = decision.terms === null
    ? null
    : { id: decision.terms.offerId, version: decision.terms.version };
  purchase.outcome = decision.outcome;
  purchase.waitsFor = null;
  if (decision.outcome === "not_earned") dropBudget(purchase);
  else grantDecided(call, purchase, decision, terms, kept ? { standing, before } : null);
  purchase.dueMs = budgetOpen(purchase) ? call.nowMs : null;
  noteUsage(call, purchase);
}

/**
 * Grants what was decided, now or once the budget holds it. `kept` tells what stood of the lot that
 * the purchase keeps.
 */
function grantDecided(
  call: Call,
  purchase: PurchaseRow,
  { outcome, points, terms }: Grants,
  all: Terms,
  kept: { readonly standing: number; readonly before: Reward } | null,
): void {
  if (kept !== null) regrant(call, purchase, points, kept.before);
  if (outcome === "earned") {
    dropBudget(purchase);
    if (kept === null) grantTo(call, purchase, points);
    return;
  }
  wantBudget(purchase, terms, points, all);
  if (kept === null) purchase.waitsFor = "budget";
  else earnUnderBudget(call, purchase, points, kept.standing);
}

/**
 * A purchase that proves to be worth more or less keeps its lot, dates and holds, and only the
 * difference is posted. Another day or another offer is another lot; so is one under a budget of
 * which nothing stands, since that must be reserved first.
 */
function keepsLot(purchase: PurchaseRow, decision: Grants, findings: Findings): boolean {
  return purchase.lotNo !== null && purchase.offer?.id === decision.terms.offerId &&
    purchase.findings.confirmAtMs === findings.confirmAtMs &&
    purchase.findings.expiresAtMs === findings.expiresAtMs &&
    (decision.outcome === "earned" || activePoints(purchase) > 0);
}

/**
 * What stood stays, since the budget holds it; what is more stands once the budget holds that too.
 */
function earnUnderBudget(
  call: Call,
  purchase: PurchaseRow,
  points: number,
  standing: number,
): void {
  purchase.outcome = "earned";
  purchase.findings = {
    ...purchase.findings,
    reasons: purchase.findings.reasons.map((
      code,
    ) => (code === "budget_reserving" ? "offer_applied" : code)),
  };
  if (points <= standing) return;
  takeBack(call, purchase, standing);
  askToRestore(purchase, points);
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

/**
 * Brings the points in line with what was given back: keep = floor(points after caps x cents left /
 * base cents). What stands above that is reversed, what an earlier match reversed too much is given
 * back. Repeating it changes nothing.
 */
export function applyRefunds(call: Call, purchase: PurchaseRow, refundedCents: number): void {
  if (purchase.granted === 0) {
    purchase.refundedCents = refundedCents;
    return;
  }
  const due = purchase.amountCents === 0
    ? 0
    : mulDivFloor(purchase.granted, purchase.amountCents - refundedCents, purchase.amountCents);
  const standing = activePoints(purchase);
  // Other purchases may have used the room that the refund had given back: caps hold in every
  // order.
  const keep = due > standing ? Math.min(due, standing + capRoom(call, purchase)) : due;
  stopRestoring(purchase);
  if (standing > keep) takeBack(call, purchase, keep, refundedCents);
  if (standing < keep && !askToRestore(purchase, keep)) {
    giveBack(call, purchase, keep, refundedCents);
  }
  purchase.refundedCents = refundedCents;
  const gone = activePoints(purchase) === 0 || refundedCents === purchase.amountCents;
  const reasons = purchase.findings.reasons.filter((code) => code !== "refunded");
  purchase.outcome = gone ? "reversed" : "earned";
  purchase.findings = {
    ...purchase.findings,
    reasons: refundedCents === 0
      ? reasons
      : gone
      ? ["refunded", ...reasons]
      : [...reasons, "refunded"],
  };
  if (budgetOpen(purchase)) purchase.dueMs = call.nowMs;
  noteUsage(call, purchase);
}

/**
 * The budget holds what is to stand again. Caps are asked once more: their room may have gone while
 * it waited.
 */
export function restoreReserved(call: Call, purchase: PurchaseRow): void {
  const points = purchase.budget.at(-1)?.restore ?? 0;
  stopRestoring(purchase);
  const standing = activePoints(purchase);
  const keep = Math.min(points, standing + capRoom(call, purchase));
  if (keep > standing) giveBack(call, purchase, keep);
  purchase.outcome = activePoints(purchase) === 0 ? "reversed" : "earned";
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
  // What it may hold from before its facts changed is given back.
  purchase.budget = purchase.budget.map((share) => ({ ...plainShare(share), current: false }));
  purchase.waitsFor = null;
  const decision = terms.offers.length === 0 ? null : decide(call, purchase, terms);
  const exhausted = exhaustedCheck(purchase, denied?.offerId ?? null, denied?.wanted ?? null, left);
  const anew = (decision?.checks ?? []).filter((check) => check.offerId !== null);
  // Everything that was ever looked at, each version as it was found last.
  const looked = [
    ...checks.filter((check) =>
      !anew.some((each) => each.offerId === check.offerId && each.version === check.version)
    ),
    exhausted,
    ...anew,
  ];
  if (decision === null || decision.outcome === "not_earned") {
    purchase.outcome = "not_earned";
    purchase.findings = {
      reasons: ["budget_exhausted"],
      checks: looked,
      calculation: calculation === null ? null : { ...calculation, capped: 0 },
      confirmAtMs: null,
      expiresAtMs: null,
    };
    return;
  }
  const refundedCents = purchase.refundedCents;
  applyDecision(call, purchase, { ...decision, checks: looked }, terms);
  if (refundedCents > 0) applyRefunds(call, purchase, refundedCents);
}
