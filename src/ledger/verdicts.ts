// Gives a purchase its verdict and moves the points that follow from it. Every path ends in one stored verdict; a purchase that
// already has its verdict for these facts keeps it, points and all.
import { assert } from "../kernel/assert.ts";
import { mulDivFloor } from "../kernel/money.ts";
import { DAY_MS } from "../kernel/time.ts";
import { dayOf, startOfLaterDayMs } from "./days.ts";
import type { Decision } from "./earning-types.ts";
import { decideEarning, termsInForce } from "./earning.ts";
import type { Findings } from "./findings.ts";
import { expiryMs, grant, readLot, restoreLot, reverseLot } from "./lots.ts";
import { numberOf } from "./numbered-id.ts";
import type { OfferCover, OfferTerms, Programme, ReasonCode } from "./ports.ts";
import { NO_FINDINGS, standingOf } from "./purchases.ts";
import type { BudgetShare, Fallback, PurchaseRecord } from "./purchases.ts";
import { nextRank, noteUsage, usageFor } from "./usage.ts";
import type { Work } from "./work.ts";

/** A pending row that nothing took over is closed this many days after its date. */
export const PENDING_DAYS_MAX = 14;
/** A refund waits this long for its purchase. */
export const REFUND_WAIT_MS = 90 * DAY_MS;

/** What a decision needs beside the row: the terms that may apply, for which brands and days they are complete, and the programme. */
export type Terms = { readonly offers: readonly OfferTerms[]; readonly covers: readonly OfferCover[] | null; readonly programme: Programme };

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
    // A day that cannot be true says nothing of how long the row has waited, and a person must have the time to see it.
    const since = record.review === "date_absurd" ? dayOf(record.recordedAtMs) : record.purchasedOn;
    record.dueMs = startOfLaterDayMs(since, PENDING_DAYS_MAX + 1);
    if (record.dueMs <= work.nowMs) close(record);
    return;
  }
  if (waits) return withoutPoints(work, record, "waiting", "review", ["held_for_review"]);
  // A row that was held and is no longer has lost its verdict to that, though its facts are the same.
  const stands = decided && record.waitsFor !== "review";
  if (record.kind === "refund") return expectPurchase(work, record, stands);
  if (stands && record.decidedRank !== null) return;
  earn(work, record, terms);
}

/**
 * What a row waited for did not come in time. A closed pending row is shown as deleted and yet stays what the bank calls it: should
 * its booking come after all, it is taken over like one that was not closed, so the day on which we close decides nothing.
 */
export function close(record: PurchaseRecord): void {
  record.dueMs = null;
  record.waitsFor = null;
  record.outcome = "not_earned";
}

/** The bank took the row back. What it earned goes with it. */
function withdraw(work: Work, record: PurchaseRecord): void {
  if (record.granted > 0) return withoutPoints(work, record, "reversed", null, ["refunded"]);
  const reasons = record.findings.reasons.filter((code) => code !== "budget_reserving" && code !== "duplicate");
  withoutPoints(work, record, "not_earned", null, reasons.length === 0 ? ["not_booked_yet"] : reasons);
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
  stopRestoring(record);
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

function decide(work: Work, record: PurchaseRecord, terms: Terms): Decision {
  const facts = { baseCents: record.amountCents, currency: record.currency, purchasedOn: record.purchasedOn, brandId: record.brand?.id ?? null, channel: record.channel };
  return decideEarning(facts, terms.offers, usageFor(work, record), terms.programme);
}

function earn(work: Work, record: PurchaseRecord, terms: Terms): void {
  const { brand, purchasedOn: on } = record;
  const covered = brand === null || terms.covers === null || terms.covers.some((cover) => cover.brandId === brand.id && cover.from <= on && on <= cover.to);
  if (!covered) work.offersNeeded.push({ brandId: brand.id, from: on, to: on });
  applyDecision(work, record, decide(work, record, terms), terms);
}

function applyDecision(work: Work, record: PurchaseRecord, decision: Decision, terms: Terms): void {
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
  if (decision.outcome === "waiting") wantBudget(record, decision.terms, decision.points, terms);
  else if (!same) dropBudget(record);
  if (decision.outcome === "earned" && !same) grantTo(work, record, decision.points);
  record.dueMs = budgetOpen(record) ? work.nowMs : null;
  noteUsage(work, record);
}

function findingsOf(record: PurchaseRecord, decision: Decision, programme: Programme): Findings {
  const { reasons, checks, calculation } = decision;
  if (decision.outcome === "not_earned") return { reasons, checks, calculation, confirmAtMs: null, expiresAtMs: null };
  const confirmAtMs = startOfLaterDayMs(record.purchasedOn, decision.terms.confirmationDays);
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

/**
 * Takes back up to `points` of what stands. Whether `available` is below zero then, and holds must give way, is asked at the end of
 * the call (`releaseUntilCovered`): what is taken back here may be granted again a moment later, and must not cost a redemption.
 */
function reverseStanding(work: Work, record: PurchaseRecord, points: number, cents: number | null = null): void {
  if (points <= 0 || record.lotNo === null) return;
  const lot = readLot(work, record.lotNo);
  reverseLot(work, lot, points, { key: `reverse:${record.id}`, purchaseId: record.id, cents });
  // What has expired cannot be taken a second time, yet it stands no longer.
  record.reversed += points;
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
  stopRestoring(record);
  if (standing > keep) reverseStanding(work, record, standing - keep, Math.abs(step));
  if (standing < keep && !askToRestore(record, keep)) giveBack(work, record, keep, Math.abs(step));
  const whole = refundedCents === record.amountCents && refundedCents > 0;
  const reasons = record.findings.reasons.filter((code) => code !== "refunded");
  record.outcome = whole || (standingOf(record) === 0 && due > 0) ? "reversed" : "earned";
  record.findings = { ...record.findings, reasons: refundedCents === 0 ? reasons : whole ? ["refunded", ...reasons] : [...reasons, "refunded"] };
  if (budgetOpen(record)) record.dueMs = work.nowMs;
  noteUsage(work, record);
}

/** Lets `keep` points stand of those that an earlier match reversed too much. */
function giveBack(work: Work, record: PurchaseRecord, keep: number, cents: number | null): void {
  assert(record.lotNo !== null, "what was granted has its lot");
  const lot = readLot(work, record.lotNo);
  const back = lot.reversed - Math.min(record.granted - keep, lot.granted - lot.expired);
  if (back > 0) restoreLot(work, lot, back, { key: `restore:${record.id}`, purchaseId: record.id, cents });
  record.reversed -= keep - standingOf(record);
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
  return record.waitsFor === "budget" ? share.wanted : share.restore ?? standingOf(record);
}

/** True while some budget object may not yet know what it should. */
export function budgetOpen(record: PurchaseRecord): boolean {
  return record.budget.some((share, index) => share.held !== budgetWish(record, index));
}

const BUDGET_REASONS: ReadonlySet<ReasonCode> = new Set(["budget_reserving", "budget_exhausted"]);

function withReason(record: PurchaseRecord, reason: ReasonCode | null): void {
  const reasons = record.findings.reasons.filter((code) => !BUDGET_REASONS.has(code));
  record.findings = { ...record.findings, reasons: reason === null ? reasons : [...reasons, reason] };
}

/** Under an offer with a budget, points stand again only once the budget holds them: others may have taken their room. */
function askToRestore(record: PurchaseRecord, points: number): boolean {
  const share = record.budget.at(-1);
  if (share === undefined || !share.current) return false;
  // Unknown: a giving back may be under way, whose answer was lost.
  record.budget = [...record.budget.slice(0, -1), { ...share, held: null, restore: points }];
  withReason(record, "budget_reserving");
  return true;
}

/** Without what it waits for. */
export function plainShare({ offerId, key, limit, wanted, held, current }: BudgetShare): BudgetShare {
  return { offerId, key, limit, wanted, held, current };
}

function stopRestoring(record: PurchaseRecord): void {
  if (record.budget.every((share) => share.restore === undefined)) return;
  record.budget = record.budget.map(plainShare);
  withReason(record, null);
}

/** The budget holds what is to stand again. Caps are asked once more: their room may have gone while it waited. */
export function restoreReserved(work: Work, record: PurchaseRecord): void {
  const points = record.budget.at(-1)?.restore ?? 0;
  stopRestoring(record);
  const standing = standingOf(record);
  const keep = Math.min(points, standing + capRoom(work, record));
  if (keep > standing) giveBack(work, record, keep, null);
  record.outcome = standingOf(record) === 0 ? "reversed" : "earned";
}

/** Others have used the room that the refund had left in the budget: what was reversed stays so. */
export function giveUpRestoring(record: PurchaseRecord): void {
  if (record.budget.at(-1)?.restore === undefined) return;
  stopRestoring(record);
  withReason(record, "budget_exhausted");
}

/** The budget of the best offer is used up: decides again among the brand's other offers. */
export function earnElsewhere(work: Work, record: PurchaseRecord): void {
  const denied = record.budget.at(-1);
  const { checks, calculation } = record.findings;
  const { offers, programme } = denied?.fallback ?? { offers: [], programme: { pointsPerEuro: 1, pointsExpireMonths: 1 } };
  const terms: Terms = { offers, covers: null, programme };
  // What it may hold from before its facts changed is given back.
  record.budget = record.budget.map((share) => ({ ...plainShare(share), current: false }));
  record.waitsFor = null;
  const decision = terms.offers.length === 0 ? null : decide(work, record, terms);
  const exhausted = { rule: "budget_exhausted", offerId: denied?.offerId ?? null, version: record.offer?.version ?? null, passed: false, needed: denied?.wanted ?? null, found: null } as const;
  if (decision === null || decision.outcome === "not_earned") {
    record.outcome = "not_earned";
    record.findings = { reasons: ["budget_exhausted"], checks: [...checks, exhausted], calculation: calculation === null ? null : { ...calculation, capped: 0 }, confirmAtMs: null, expiresAtMs: null };
    return;
  }
  const refundedCents = record.refundedCents;
  applyDecision(work, record, { ...decision, checks: [...checks.filter((check) => check.offerId === null || check.offerId === denied?.offerId), exhausted, ...decision.checks.filter((check) => check.offerId !== null)] }, terms);
  if (refundedCents > 0) applyRefunds(work, record, refundedCents);
}

function fallbackOf(record: PurchaseRecord, taken: OfferTerms, { offers, programme }: Terms): Fallback | null {
  const others = offers.filter((each) => each.brandId === taken.brandId && each.offerId !== taken.offerId);
  const inForce = termsInForce(others, record.purchasedOn);
  return inForce.length === 0 ? null : { offers: inForce, programme };
}

function wantBudget(record: PurchaseRecord, terms: OfferTerms, points: number, all: Terms): void {
  const fallback = fallbackOf(record, terms, all);
  const others = record.budget.filter((share) => share.offerId !== terms.offerId && share.held !== 0).map((share) => ({ ...share, current: false }));
  const before = record.budget.find((share) => share.offerId === terms.offerId);
  // A row that goes by another row's id must not be given back with that row's share.
  const key = before?.key ?? (numberOf(record.id) === record.n ? record.id : `${record.id}:${record.n}`);
  // Unknown from the first moment: the answer of a reservation that is under way may be lost with this isolate.
  record.budget = [...others, { offerId: terms.offerId, key, limit: terms.budgetPoints ?? 0, wanted: points, held: null, current: true, ...(fallback === null ? {} : { fallback }) }];
}

function dropBudget(record: PurchaseRecord): void {
  record.budget = record.budget.filter((share) => share.held !== 0).map((share) => ({ ...share, current: false }));
}
