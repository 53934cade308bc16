// Gives a purchase its verdict and moves the points that follow from it. Every path ends in one stored verdict; a purchase that
// already has its verdict for these facts keeps it, points and all.
import { assert } from "../kernel/assert.ts";
import { mulDivFloor } from "../kernel/money.ts";
import { addDays, DAY_MS } from "../kernel/time.ts";
import { startOfDayMs } from "./days.ts";
import type { Decision } from "./earning-types.ts";
import { decideEarning } from "./earning.ts";
import { releaseUntilCovered } from "./holds.ts";
import { expiryMs, grant, readLot, restoreLot, reverseLot } from "./lots.ts";
import type { OfferTerms, Programme, ReasonCode } from "./ports.ts";
import { NO_FINDINGS, standingOf } from "./purchases.ts";
import type { Findings, PurchaseRecord } from "./purchases.ts";
import { nextRank, noteUsage, usageFor } from "./usage.ts";
import type { Work } from "./work.ts";

/** A pending row that nothing took over is closed this many days after its date. */
export const PENDING_DAYS_MAX = 14;
/** A refund waits this long for its purchase. */
export const REFUND_WAIT_MS = 90 * DAY_MS;

/** What a decision needs beside the row: the terms that may apply and the programme. */
export type Terms = { readonly offers: readonly OfferTerms[]; readonly programme: Programme };

/**
 * Brings the verdict in line with the row as it now is. The caller writes the row. `decided` says whether the facts that rules
 * look at are the ones its present verdict was made for.
 */
export function settleVerdict(work: Work, record: PurchaseRecord, held: boolean, decided: boolean, terms: Terms): void {
  if (record.sameAs !== null) return withoutPoints(work, record, "not_earned", null, ["duplicate"]);
  if (record.state === "deleted") return withdraw(work, record);
  if (record.review === "refused") return withoutPoints(work, record, "not_earned", null, ["held_for_review"]);
  // What may never be booked needs nobody's eyes yet.
  const holds = held && record.state === "booked";
  if (record.review === "weak_account" && !holds) record.review = null;
  if (holds && record.review === null) record.review = "weak_account";
  const waits = record.review !== null && record.review !== "cleared";
  if (record.state === "pending") {
    withoutPoints(work, record, "waiting", waits ? "review" : "booking", [waits ? "held_for_review" : "not_booked_yet"]);
    record.dueMs = startOfDayMs(addDays(record.purchasedOn, PENDING_DAYS_MAX + 1));
    return;
  }
  if (waits) return withoutPoints(work, record, "waiting", "review", ["held_for_review"]);
  if (record.kind === "refund") return expectPurchase(work, record, decided);
  if (decided && record.decidedRank !== null) return;
  earn(work, record, terms);
}

/** The bank took the row back. What it earned goes with it. */
function withdraw(work: Work, record: PurchaseRecord): void {
  if (record.granted > 0) withoutPoints(work, record, "reversed", null, ["refunded"]);
  else withoutPoints(work, record, "not_earned", null, record.findings.reasons.length === 0 ? ["not_booked_yet"] : record.findings.reasons.filter((code) => code !== "budget_reserving"));
}

function withoutPoints(work: Work, record: PurchaseRecord, outcome: PurchaseRecord["outcome"], waitsFor: PurchaseRecord["waitsFor"], reasons: readonly ReasonCode[]): void {
  reverseStanding(work, record, standingOf(record));
  if (outcome !== "reversed") forgetLot(work, record);
  record.outcome = outcome;
  record.waitsFor = waitsFor;
  // Its refunds look for another purchase, see refunds.ts.
  record.refundedCents = 0;
  // A reversal of every point shows what it reversed; otherwise nothing was ever calculated.
  record.findings = record.granted > 0 ? { ...record.findings, reasons } : { ...NO_FINDINGS, reasons };
  if (record.granted === 0) record.offer = null;
  record.refundOf = null;
  record.dueMs = budgetOpen(record) ? work.nowMs : null;
  noteUsage(work, record);
}

/** After all points of a lot are gone, the purchase starts afresh. */
function forgetLot(work: Work, record: PurchaseRecord): void {
  if (record.lotNo === null) return;
  const lot = readLot(work, record.lotNo);
  assert(lot.granted === lot.reversed + lot.expired, "a lot is left only when nothing of it stands");
  record.granted = 0;
  record.reversed = 0;
  record.lotNo = null;
}

function expectPurchase(work: Work, record: PurchaseRecord, decided: boolean): void {
  if (decided && (record.refundOf !== null || record.waitsFor === "purchase" || record.findings.reasons.length > 0)) return;
  record.decidedRank ??= nextRank(work);
  // A row may turn into a refund by a newer version of it: what it had earned goes first.
  withoutPoints(work, record, "waiting", null, ["refund_without_purchase"]);
  record.outcome = record.brand === null ? "not_earned" : "waiting";
  record.waitsFor = record.brand === null ? null : "purchase";
  if (record.brand !== null) record.dueMs = record.recordedAtMs + REFUND_WAIT_MS;
}

function earn(work: Work, record: PurchaseRecord, terms: Terms): void {
  const facts = { baseCents: record.amountCents, currency: record.currency, purchasedOn: record.purchasedOn, brandId: record.brand?.id ?? null, channel: record.channel };
  const decision = decideEarning(facts, terms.offers, usageFor(work, record), terms.programme);
  record.decidedRank ??= nextRank(work);
  const wasRefunded = record.refundedCents > 0;
  record.refundedCents = 0;
  record.refundOf = null;
  const findings = findingsOf(record, decision, terms.programme);
  // Another date is another lot: it matures and expires on other days.
  const same = decision.outcome === "earned" && record.outcome === "earned" && record.offer?.id === decision.terms.offerId
    && record.offer.version === decision.terms.version && record.granted === decision.points && !wasRefunded
    && record.findings.confirmAtMs === findings.confirmAtMs && record.findings.expiresAtMs === findings.expiresAtMs;
  if (!same) {
    reverseStanding(work, record, standingOf(record));
    forgetLot(work, record);
  }
  record.findings = findings;
  record.offer = decision.terms === null ? null : { id: decision.terms.offerId, version: decision.terms.version };
  record.outcome = decision.outcome;
  record.waitsFor = decision.outcome === "waiting" ? "budget" : null;
  if (decision.outcome === "waiting") wantBudget(record, decision.terms, decision.points);
  else if (!same) dropBudget(record);
  if (decision.outcome === "earned" && !same) grantTo(work, record, decision.points);
  record.dueMs = budgetOpen(record) ? work.nowMs : null;
  noteUsage(work, record);
}

function findingsOf(record: PurchaseRecord, decision: Decision, programme: Programme): Findings {
  const { reasons, checks, calculation } = decision;
  if (decision.outcome === "not_earned") return { reasons, checks, calculation, confirmAtMs: null, expiresAtMs: null };
  const confirmAtMs = startOfDayMs(addDays(record.purchasedOn, decision.terms.confirmationDays));
  return { reasons, checks, calculation, confirmAtMs, expiresAtMs: expiryMs(confirmAtMs, programme.pointsExpireMonths) };
}

/** Posts the points that the verdict grants. */
export function grantTo(work: Work, record: PurchaseRecord, points: number): void {
  const { confirmAtMs, expiresAtMs } = record.findings;
  assert(confirmAtMs !== null && expiresAtMs !== null && record.lotNo === null && points > 0, "a grant has its dates and no other lot");
  record.lotNo = grant(work, {
    kind: "earn", key: `earn:${record.id}:${work.head.sequence + 1}`, points, effectiveOn: record.purchasedOn, confirmAtMs, expiresAtMs,
    input: { purchase: record.id, cents: record.amountCents, on: record.purchasedOn, brand: record.brand?.id ?? null, offer: record.offer, points },
    purchase: { n: record.n, id: record.id }, brandId: record.brand?.id ?? null, offerId: record.offer?.id ?? null, cents: record.amountCents,
  });
  record.granted = points;
  record.reversed = 0;
}

/** Takes back up to `points` of what stands, and releases holds should `available` have gone below zero. */
function reverseStanding(work: Work, record: PurchaseRecord, points: number, cents: number | null = null): void {
  if (points <= 0 || record.lotNo === null) return;
  const lot = readLot(work, record.lotNo);
  reverseLot(work, lot, points, { key: `reverse:${record.id}`, purchaseId: record.id, cents });
  // What has expired cannot be taken a second time, yet it stands no longer.
  record.reversed += points;
  releaseUntilCovered(work);
}

/**
 * Brings the points in line with what was given back: keep = floor(points after caps x cents left / base cents). What stands
 * above that is reversed, what an earlier match reversed too much is given back. Repeating it changes nothing.
 */
export function applyRefunds(work: Work, record: PurchaseRecord, refundedCents: number): void {
  const step = refundedCents - record.refundedCents;
  record.refundedCents = refundedCents;
  if (record.granted === 0) return;
  const due = record.amountCents === 0 ? 0 : mulDivFloor(record.granted, record.amountCents - refundedCents, record.amountCents);
  const standing = standingOf(record);
  // Other purchases may have used the room that the refund had given back: caps hold in every order.
  const keep = due > standing ? Math.min(due, standing + capRoom(work, record)) : due;
  if (standing > keep) reverseStanding(work, record, standing - keep, Math.abs(step));
  if (standing < keep && record.lotNo !== null) {
    const lot = readLot(work, record.lotNo);
    const back = lot.reversed - Math.min(record.granted - keep, lot.granted - lot.expired);
    if (back > 0) restoreLot(work, lot, back, { key: `restore:${record.id}`, purchaseId: record.id, cents: Math.abs(step) });
    record.reversed -= keep - standing;
  }
  const whole = refundedCents === record.amountCents && refundedCents > 0;
  const reasons = record.findings.reasons.filter((code) => code !== "refunded");
  record.outcome = whole || (keep === 0 && due > 0) ? "reversed" : "earned";
  record.findings = { ...record.findings, reasons: refundedCents === 0 ? reasons : whole ? ["refunded", ...reasons] : [...reasons, "refunded"] };
  if (budgetOpen(record)) record.dueMs = work.nowMs;
  noteUsage(work, record);
}

/** Points that the caps of its own offer still allow this purchase, beyond what stands of it. */
function capRoom(work: Work, record: PurchaseRecord): number {
  const usage = usageFor(work, record);
  let room = Infinity;
  for (const { rule, offerId, version, needed, measure, period } of record.findings.checks) {
    if (rule !== "cap_reached" || offerId === null || offerId !== record.offer?.id || version !== record.offer.version || typeof needed !== "number" || period === undefined) continue;
    if (measure === "points_per_period") room = Math.min(room, needed - usage.pointsInPeriod(offerId, period) - standingOf(record));
    else if (usage.purchasesInPeriod(offerId, period) >= needed) room = 0;
  }
  return Math.max(0, room);
}

// ---- budgets: what the OfferBudget object knows is brought in line with what stands, by the alarm ----------------------

/** The points that this purchase should hold in an offer's budget. */
export function budgetWish(record: PurchaseRecord, index: number): number {
  const share = record.budget[index];
  if (share === undefined || !share.current) return 0;
  return record.waitsFor === "budget" ? share.wanted : standingOf(record);
}

/** True while some budget object may not yet know what it should. */
export function budgetOpen(record: PurchaseRecord): boolean {
  return record.budget.some((share, index) => share.held !== budgetWish(record, index));
}

function wantBudget(record: PurchaseRecord, terms: OfferTerms, points: number): void {
  const others = record.budget.filter((share) => share.offerId !== terms.offerId && share.held !== 0).map((share) => ({ ...share, current: false }));
  // Unknown from the first moment: the answer of a reservation that is under way may be lost with this isolate.
  record.budget = [...others, { offerId: terms.offerId, limit: terms.budgetPoints ?? 0, wanted: points, held: null, current: true }];
}

function dropBudget(record: PurchaseRecord): void {
  record.budget = record.budget.filter((share) => share.held !== 0).map((share) => ({ ...share, current: false }));
}
