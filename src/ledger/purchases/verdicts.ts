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
import { NO_FINDINGS, standingOf } from "./purchase-rows.ts";
import type { PurchaseRecord } from "./purchase-rows.ts";
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
import type { Work } from "../book/call.ts";

/** A pending row that nothing took over is closed this many days after its date. */
export const PENDING_DAYS_MAX = 14;
/** A refund waits this long for its purchase. */
export const REFUND_WAIT_MS = 90 * DAY_MS;

/**
 * Brings the verdict in line with the row as it now is. The caller writes the row. `decided` says
 * whether the facts that rules look at are the ones its present verdict was made for.
 */
export function settleVerdict(
  work: Work,
  record: PurchaseRecord,
  held: boolean,
  decided: boolean,
  terms: Terms,
): void {
  if (record.sameAs !== null) return withoutPoints(work, record, "not_earned", null, ["duplicate"]);
  if (record.state === "deleted") return withdraw(work, record);
  if (record.review === "refused") {
    return withoutPoints(work, record, "not_earned", null, ["held_for_review"]);
  }
  // What may never be booked needs nobody's eyes yet.
  const holds = held && record.state === "booked";
  if (record.review === "weak_account" && !holds) record.review = null;
  if (holds && record.review === null) record.review = "weak_account";
  const waits = record.review !== null && record.review !== "cleared";
  if (record.state === "pending") {
    withoutPoints(work, record, "waiting", waits ? "review" : "booking", [
      waits ? "held_for_review" : "not_booked_yet",
    ]);
    const endsMs = waitEndsMs(record) ?? 0;
    if (endsMs <= work.nowMs) close(record);
    else if (!budgetOpen(record)) record.dueMs = endsMs;
    return;
  }
  if (waits) return withoutPoints(work, record, "waiting", "review", ["held_for_review"]);
  // A row that was held and is no longer has lost its verdict to that, though its facts are the
  // same.
  const stands = decided && record.waitsFor !== "review";
  if (record.kind === "refund") return expectPurchase(work, record, stands);
  if (stands && record.decidedRank !== null) return;
  earn(work, record, terms);
}

/** When the row's waiting for its booking or its purchase ends; null when it waits for neither. */
export function waitEndsMs(record: PurchaseRecord): number | null {
  if (record.waitsFor === "purchase") return record.recordedAtMs + REFUND_WAIT_MS;
  if (record.state !== "pending" || record.waitsFor === null) return null;
  // A day that cannot be true says nothing of how long the row has waited, and a person must have
  // the time to see it.
  const since = record.review === "date_absurd" ? dayOf(record.recordedAtMs) : record.purchasedOn;
  return startOfLaterDayMs(since, PENDING_DAYS_MAX + 1);
}

/**
 * What a row waited for did not come in time. A closed pending row is shown as deleted and yet
 * stays what the bank calls it: should its booking come after all, it is taken over like one that
 * was not closed, so the day on which we close decides nothing.
 */
export function close(record: PurchaseRecord): void {
  if (!budgetOpen(record)) record.dueMs = null;
  record.waitsFor = null;
  record.outcome = "not_earned";
}

/** The bank took the row back. What it earned goes with it. */
function withdraw(work: Work, record: PurchaseRecord): void {
  if (record.granted > 0) return withoutPoints(work, record, "reversed", null, ["refunded"]);
  // What waited for its budget has no reason of its own against it, be its points capped.
  const reasons = record.waitsFor === "budget"
    ? []
    : record.findings.reasons.filter((code) => code !== "duplicate");
  withoutPoints(
    work,
    record,
    "not_earned",
    null,
    reasons.length === 0 ? ["not_booked_yet"] : reasons,
  );
}

function withoutPoints(
  work: Work,
  record: PurchaseRecord,
  outcome: PurchaseRecord["outcome"],
  waitsFor: PurchaseRecord["waitsFor"],
  reasons: readonly ReasonCode[],
): void {
  takeBack(work, record, 0);
  if (outcome !== "reversed") forgetLot(work, record);
  record.outcome = outcome;
  record.waitsFor = waitsFor;
  // Its refunds look for another purchase, see refunds.ts.
  record.refundedCents = 0;
  // A reversal of every point shows what it reversed; otherwise nothing was ever calculated.
  record.findings = record.granted > 0
    ? { ...record.findings, reasons }
    : { ...NO_FINDINGS, reasons };
  if (record.granted === 0) record.offer = null;
  record.refundOf = null;
  stopRestoring(record);
  record.dueMs = budgetOpen(record) ? work.nowMs : null;
  noteUsage(work, record);
}

function expectPurchase(work: Work, record: PurchaseRecord, decided: boolean): void {
  if (
    decided &&
    (record.refundOf !== null || record.waitsFor === "purchase" ||
      record.findings.reasons.length > 0)
  ) return;
  record.decidedRank ??= nextRank(work);
  // It has waited under another row of the same refund already.
  const dueMs = record.waitsFor === "purchase" && record.dueMs !== null
    ? record.dueMs
    : record.recordedAtMs + REFUND_WAIT_MS;
  // A row may turn into a refund by a newer version of it: what it had earned goes first.
  withoutPoints(work, record, "waiting", null, ["refund_without_purchase"]);
  record.outcome = record.brand === null ? "not_earned" : "waiting";
  record.waitsFor = record.brand === null ? null : "purchase";
  if (record.brand !== null && !budgetOpen(record)) record.dueMs = dueMs;
}

function decide(work: Work, record: PurchaseRecord, terms: Terms): Decision {
  const facts = {
    baseCents: record.amountCents,
    currency: record.currency,
    purchasedOn: record.purchasedOn,
    brandId: record.brand?.id ?? null,
    channel: record.channel,
  };
  return decideEarning(facts, terms.offers, usageFor(work, record), terms.programme);
}

function earn(work: Work, record: PurchaseRecord, terms: Terms): void {
  const { brand, purchasedOn: on } = record;
  const covered = brand === null || terms.covers === null ||
    terms.covers.some((cover) => cover.brandId === brand.id && cover.from <= on && on <= cover.to);
  if (!covered) work.offersNeeded.push({ brandId: brand.id, from: on, to: on });
  applyDecision(work, record, decide(work, record, terms), terms);
}

type Grants = Extract<Decision, { readonly outcome: "earned" | "waiting" }>;

function applyDecision(work: Work, record: PurchaseRecord, decision: Decision, terms: Terms): void {
  record.decidedRank ??= nextRank(work);
  const findings = findingsOf(record, decision, terms.programme);
  const standing = standingOf(record);
  const kept = decision.outcome !== "not_earned" && keepsLot(record, decision, findings);
  if (!kept) {
    takeBack(work, record, 0);
    forgetLot(work, record);
  }
  const before = rewardOf(record);
  record.refundedCents = 0;
  record.refundOf = null;
  record.findings = findings;
  record.offer = decision.terms === null
    ? null
    : { id: decision.terms.offerId, version: decision.terms.version };
  record.outcome = decision.outcome;
  record.waitsFor = null;
  if (decision.outcome === "not_earned") dropBudget(record);
  else grantDecided(work, record, decision, terms, kept ? { standing, before } : null);
  record.dueMs = budgetOpen(record) ? work.nowMs : null;
  noteUsage(work, record);
}

/**
 * Grants what was decided, now or once the budget holds it. `kept` tells what stood of the lot that
 * the purchase keeps.
 */
function grantDecided(
  work: Work,
  record: PurchaseRecord,
  { outcome, points, terms }: Grants,
  all: Terms,
  kept: { readonly standing: number; readonly before: Reward } | null,
): void {
  if (kept !== null) regrant(work, record, points, kept.before);
  if (outcome === "earned") {
    dropBudget(record);
    if (kept === null) grantTo(work, record, points);
    return;
  }
  wantBudget(record, terms, points, all);
  if (kept === null) record.waitsFor = "budget";
  else earnUnderBudget(work, record, points, kept.standing);
}

/**
 * A purchase that proves to be worth more or less keeps its lot, dates and holds, and only the
 * difference is posted. Another day or another offer is another lot; so is one under a budget of
 * which nothing stands, since that must be reserved first.
 */
function keepsLot(record: PurchaseRecord, decision: Grants, findings: Findings): boolean {
  return record.lotNo !== null && record.offer?.id === decision.terms.offerId &&
    record.findings.confirmAtMs === findings.confirmAtMs &&
    record.findings.expiresAtMs === findings.expiresAtMs &&
    (decision.outcome === "earned" || standingOf(record) > 0);
}

/**
 * What stood stays, since the budget holds it; what is more stands once the budget holds that too.
 */
function earnUnderBudget(
  work: Work,
  record: PurchaseRecord,
  points: number,
  standing: number,
): void {
  record.outcome = "earned";
  record.findings = {
    ...record.findings,
    reasons: record.findings.reasons.map((
      code,
    ) => (code === "budget_reserving" ? "offer_applied" : code)),
  };
  if (points <= standing) return;
  takeBack(work, record, standing);
  askToRestore(record, points);
}

function findingsOf(record: PurchaseRecord, decision: Decision, programme: Programme): Findings {
  const { reasons, checks, calculation } = decision;
  if (decision.outcome === "not_earned") {
    return { reasons, checks, calculation, confirmAtMs: null, expiresAtMs: null };
  }
  const confirmAtMs = startOfLaterDayMs(record.purchasedOn, decision.terms.confirmationDays);
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
export function applyRefunds(work: Work, record: PurchaseRecord, refundedCents: number): void {
  if (record.granted === 0) {
    record.refundedCents = refundedCents;
    return;
  }
  const due = record.amountCents === 0
    ? 0
    : mulDivFloor(record.granted, record.amountCents - refundedCents, record.amountCents);
  const standing = standingOf(record);
  // Other purchases may have used the room that the refund had given back: caps hold in every
  // order.
  const keep = due > standing ? Math.min(due, standing + capRoom(work, record)) : due;
  stopRestoring(record);
  if (standing > keep) takeBack(work, record, keep, refundedCents);
  if (standing < keep && !askToRestore(record, keep)) giveBack(work, record, keep, refundedCents);
  record.refundedCents = refundedCents;
  const gone = standingOf(record) === 0 || refundedCents === record.amountCents;
  const reasons = record.findings.reasons.filter((code) => code !== "refunded");
  record.outcome = gone ? "reversed" : "earned";
  record.findings = {
    ...record.findings,
    reasons: refundedCents === 0
      ? reasons
      : gone
      ? ["refunded", ...reasons]
      : [...reasons, "refunded"],
  };
  if (budgetOpen(record)) record.dueMs = work.nowMs;
  noteUsage(work, record);
}

/**
 * The budget holds what is to stand again. Caps are asked once more: their room may have gone while
 * it waited.
 */
export function restoreReserved(work: Work, record: PurchaseRecord): void {
  const points = record.budget.at(-1)?.restore ?? 0;
  stopRestoring(record);
  const standing = standingOf(record);
  const keep = Math.min(points, standing + capRoom(work, record));
  if (keep > standing) giveBack(work, record, keep);
  record.outcome = standingOf(record) === 0 ? "reversed" : "earned";
}

/**
 * The budget of the best offer has only `left` points (null: unknown) for the purchase: decides
 * again among the brand's other offers.
 */
export function earnElsewhere(work: Work, record: PurchaseRecord, left: number | null): void {
  const denied = record.budget.at(-1);
  const { checks, calculation } = record.findings;
  const { offers, programme } = denied?.fallback ??
    { offers: [], programme: { pointsPerEuro: 1, pointsExpireMonths: 1 } };
  const terms: Terms = { offers, covers: null, programme };
  // What it may hold from before its facts changed is given back.
  record.budget = record.budget.map((share) => ({ ...plainShare(share), current: false }));
  record.waitsFor = null;
  const decision = terms.offers.length === 0 ? null : decide(work, record, terms);
  const exhausted = exhaustedCheck(record, denied?.offerId ?? null, denied?.wanted ?? null, left);
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
    record.outcome = "not_earned";
    record.findings = {
      reasons: ["budget_exhausted"],
      checks: looked,
      calculation: calculation === null ? null : { ...calculation, capped: 0 },
      confirmAtMs: null,
      expiresAtMs: null,
    };
    return;
  }
  const refundedCents = record.refundedCents;
  applyDecision(work, record, { ...decision, checks: looked }, terms);
  if (refundedCents > 0) applyRefunds(work, record, refundedCents);
}
