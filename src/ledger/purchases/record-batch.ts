// Records what a delivery brings: finds the rows we already have, decides which are the same
// purchase, and gives each purchase its verdict in recording order. One transaction, so a delivery
// counts wholly or not at all.
import { assert } from "../../kernel/assert.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { Call } from "../book/call.ts";
import type { Terms } from "../earning/types.ts";
import { coverDebt } from "../points/holds.ts";
import type { OffersNeeded, RecordBatch, RecordSummary } from "../ports.ts";
import { RECORD_ROWS_MAX } from "../ports.ts";
import { saveAccounts, saveSync, storedAccounts } from "./batch-accounts.ts";
import type { BatchAccounts } from "./batch-accounts.ts";
import { emptyPlan, isOwnPurchase, planBatch, plannedStored, savePlanned } from "./batch-plan.ts";
import type { BatchPlan, PlannedRow } from "./batch-plan.ts";
import { readByMs, settleReads } from "./complete-reads.ts";
import { planDueDays } from "./due-days.ts";
import { matchPlannedRows } from "./group-matching.ts";
import { partIds, takeId } from "./public-ids.ts";
import { activePoints } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { rematchRefunds } from "./refund-rematching.ts";
import { judgeRefusalsAgain } from "./refusals.ts";
import { restsConfirmed } from "./sight.ts";
import { transferVerdict } from "./verdict-transfer.ts";
import { settleVerdict } from "./verdicts.ts";

/**
 * Records one batch. Repeating it, whole or in parts, changes nothing more. Answers `offers_needed`
 * when a row of an earlier delivery must be judged again and the caller did not pass its brand's
 * offers: a verdict without them would take its points for good. The caller undoes the call then.
 */
export function record(call: Call, batch: RecordBatch): Result<RecordSummary, OffersNeeded> {
  assert(
    batch.rows.length <= RECORD_ROWS_MAX,
    "batch_too_large",
    "the batch has more than 500 rows",
  );
  call.byWebhook = batch.read === undefined;
  const batchAccounts = saveAccounts(call, batch);
  const plan = planBatch(call, batch, batchAccounts.accounts);
  settleReads(call, plan, batch, batchAccounts.accounts.values());
  const judged = judgePlan(call, plan, batchAccounts, batch);
  if (!judged.ok) return judged;
  if (batch.syncedAtMs !== null) saveSync(call, batch.connectionId, batch.syncedAtMs);
  return ok(summaryOf(call, plan, batch));
}

/**
 * Judges a stored row anew after a person changed what is known of it, with every row that matches
 * differently now. The caller undoes the call when offers are missing.
 */
export function judgeAnew(
  call: Call,
  row: PurchaseRow,
  terms: Terms,
): Result<null, OffersNeeded> {
  const plan = emptyPlan(call);
  plan.left.add(row.accountNo);
  plan.rows.set(row.n, { ...plannedStored(row), factsChanged: true, decided: false });
  return judgePlan(call, plan, storedAccounts(call), terms);
}

function judgePlan(
  call: Call,
  plan: BatchPlan,
  batchAccounts: BatchAccounts,
  terms: Terms,
): Result<null, OffersNeeded> {
  matchPlannedRows(call, plan, batchAccounts);
  planDueDays(call, plan, terms);
  for (const planned of plan.rows.values()) transferVerdict(call, plan, planned);
  const { released, counting } = inRecordingOrder(plan);
  // First those that are no purchase of their own any more, so that their points and caps are free.
  for (const planned of released) judge(call, plan, planned, terms);
  for (const planned of counting) judge(call, plan, planned, terms);
  rematchRefunds(call, [...released, ...counting], plan.left, batchAccounts);
  judgeRefusalsAgain(call, terms);
  if (call.offersNeeded.length > 0) {
    return err({ code: "offers_needed", needed: call.offersNeeded });
  }
  coverDebt(call);
  return ok(null);
}

function inRecordingOrder(
  plan: BatchPlan,
): { readonly released: readonly PlannedRow[]; readonly counting: readonly PlannedRow[] } {
  const rows = [...plan.rows.values()].sort((a, b) => a.row.n - b.row.n);
  return {
    released: rows.filter((planned) => !isOwnPurchase(planned)),
    counting: rows.filter(isOwnPurchase),
  };
}

/** Applies what the row was matched with, then brings its verdict in line and writes it. */
function judge(call: Call, plan: BatchPlan, planned: PlannedRow, terms: Terms): void {
  const { row, match } = planned;
  const sameAsBefore = row.sameAs;
  if (match !== null) row.sameAs = match.keeper === row.n ? null : match.keeper;
  settleId(call, plan, planned, sameAsBefore);
  if (row.sameAs !== null && sameAsBefore === null && row.state === "booked") plan.duplicates += 1;
  // At another brand it is like any purchase that comes now: it must not be the first there, before
  // those that were recorded.
  const isElsewhere = !planned.isNew && (row.brand?.id ?? null) !== planned.brandBefore;
  if (isElsewhere && !planned.receivedVerdict) row.decidedRank = null;
  // Where it was it is no earlier purchase any more.
  const left = isElsewhere || (row.kind === "refund" && !planned.wasRefund);
  if (left && planned.brandBefore !== null) call.freed.add(planned.brandBefore);
  const reviewBefore = row.review;
  settleVerdict(
    call,
    row,
    needsReview(call, plan, planned),
    planned.decided && (planned.receivedVerdict || sameAsBefore === row.sameAs),
    terms,
  );
  // The review by rule (c) is stored with the facts, where the matching of refunds reads it.
  planned.factsChanged ||= row.review !== reviewBefore;
  savePlanned(call, planned);
}

/**
 * Rule (c), as the row was matched. Rows of a webhook put no confirmed points in doubt; if they are
 * true, the next read brings them.
 */
function needsReview(call: Call, plan: BatchPlan, { row, match }: PlannedRow): boolean {
  if (match === null || row.review === "weak_account") {
    return match?.needsReview ?? row.review === "weak_account";
  }
  return match.needsReview && !(plan.read === null && restsConfirmed(call, row));
}

function settleId(
  call: Call,
  plan: BatchPlan,
  planned: PlannedRow,
  sameAsBefore: number | null,
): void {
  const { row, match } = planned;
  if (sameAsBefore !== null && row.sameAs !== sameAsBefore) partIds(call, plan, planned);
  // A purchase that was shown under its own id keeps it: the ids of rows that come to repeat it
  // lead to it.
  const hadNoId = !planned.receivedVerdict && (planned.isNew || sameAsBefore !== null);
  if (match !== null && hadNoId && match.idOf !== match.keeper && row.n === match.keeper) {
    takeId(call, plan, planned, match.idOf);
  }
}

function summaryOf(call: Call, plan: BatchPlan, batch: RecordBatch): RecordSummary {
  const changed = [...plan.rows.values()].filter((each) => each.factsChanged || each.isNew);
  return {
    recorded: changed.length,
    unchanged: plan.unchanged,
    duplicates: plan.duplicates,
    sequence: call.head.sequence,
    earnedPoints: changed.reduce(
      (sum, { row }) => sum + (row.kind === "purchase" ? activePoints(row) : 0),
      0,
    ),
    readByMs: readByMs(call, plan, batch),
  };
}
