// The ledger of one user: every method is one transaction at a given time, brings the book to that
// time first, and answers a result. Nothing here knows a platform; the object shell, node:sqlite
// and Deno wrap the same engine.
import { assert } from "../kernel/assert.ts";
import type { ConnectionId, OfferId, PurchaseId } from "../kernel/ids.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { DAY_MS } from "../kernel/time.ts";
import { activate } from "./purchases/activations.ts";
import {
  awaitsHalts,
  bringUpToDate,
  nextAlarmMs,
  takeOverdueHolds,
} from "./deadlines/deadlines.ts";
import { dueNotices, noteNoticeFailed, noteNoticeSent } from "./deadlines/expiry-notices.ts";
import { dueDays, judgeDueDays } from "./purchases/due-days.ts";
import type { Terms } from "./earning/types.ts";
import { budgetDenied, budgetGranted, budgetTasks } from "./purchases/budget-answers.ts";
import { erasedLeaf, writeErased } from "./book/meta.ts";
import {
  ackReviews,
  ackSample,
  hasChanges,
  peekReviews,
  peekSample,
  resetReviewFeed,
} from "./projection/change-feeds.ts";
import { forgetRequests, operate } from "./points/keyed-operations.ts";
import { ackOutbox, historyOf, peekOutbox, projectedSequence } from "./projection/outbox.ts";
import type {
  Activated,
  ActivateInput,
  BankingActivity,
  BudgetDenial,
  BudgetTask,
  DueReport,
  EntryView,
  ExportPage,
  GrantError,
  GrantView,
  HaltMemory,
  History,
  HoldError,
  HoldView,
  KeyConflict,
  KeyedOperation,
  Leaf,
  NoticeTask,
  OfferCover,
  OfferQuestion,
  OffersNeeded,
  OfferUse,
  Overview,
  Page,
  PointsView,
  Projection,
  PurchaseQuery,
  PurchaseView,
  RecordBatch,
  RecordSummary,
  ReviewChanges,
  ReviewDecision,
  ReviewItem,
  SampleChanges,
  Verification,
} from "./ports.ts";
import { unconfirmedSince } from "./purchases/complete-reads.ts";
import { record } from "./purchases/record-batch.ts";
import { noteRefusalsDue } from "./purchases/refusals.ts";
import { lotsInQuestion } from "./purchases/sight.ts";
import { isSilenceNoted, settleWaitingLots, takeSilence } from "./purchases/unshown-lots.ts";
import { decideReview } from "./review-decisions.ts";
import type { ReviewRefusal } from "./review-decisions.ts";
import { migrate } from "./book/schema.ts";
import { transactionUnlessRefused } from "./book/sql.ts";
import type { Sql } from "./book/sql.ts";
import { verifyBook } from "./book/verify.ts";
import {
  activationsView,
  bankingActivity,
  entriesPage,
  exportPage,
  pointsView,
  purchasesPage,
  purchaseView,
  reviewItems,
} from "./views/views.ts";
import { offerUse } from "./views/offer-use.ts";
import { newCall } from "./book/call.ts";
import type { Call, Ranks } from "./book/call.ts";

type Erased = { readonly code: "erased" };
type Answer<T> = Result<T, Erased>;
export type EngineParts = {
  readonly sql: Sql;
  readonly random: RandomBytes;
  /** The user's id, whose shard byte new ids carry (kernel/ids.ts). */
  readonly userId?: string;
  /** Absent: nothing is ever halted, as in books that are only checked. */
  readonly halts?: HaltMemory["known"];
};
type ActivationList = readonly {
  readonly offerId: OfferId;
  readonly activatedAtMs: number;
  readonly expiresAtMs: number | null;
}[];
type OperateInput = { readonly key: string; readonly operation: KeyedOperation };
type OperateError = HoldError | GrantError | KeyConflict | Erased;

/** Transactions summed up for D1 in one go. */
const OUTBOX_LIMIT = 500;
const BUDGET_LIMIT = 50;
// Longer than any client or sweep repeats a request.
const REQUEST_KEPT_MS = 400 * DAY_MS;

export type Engine = {
  readonly record: (
    batch: RecordBatch,
    nowMs: number,
  ) => Result<RecordSummary, Erased | OffersNeeded>;
  readonly points: (input: null, nowMs: number) => Answer<PointsView>;
  readonly entries: (
    input: { readonly limit: number; readonly before: string | null },
    nowMs: number,
  ) => Answer<Page<EntryView>>;
  readonly overview: (input: { readonly limit: number }, nowMs: number) => Answer<Overview>;
  readonly purchases: (query: PurchaseQuery, nowMs: number) => Answer<Page<PurchaseView>>;
  readonly purchase: (id: PurchaseId, nowMs: number) => Answer<PurchaseView | null>;
  readonly activate: (input: ActivateInput, nowMs: number) => Answer<Activated>;
  readonly activations: (input: null, nowMs: number) => Answer<ActivationList>;
  readonly offerUse: (
    input: { readonly offers: readonly OfferQuestion[] },
    nowMs: number,
  ) => Answer<OfferUse>;
  readonly bankingActivity: (input: null, nowMs: number) => Answer<BankingActivity>;
  /** The day of the oldest row of the connection that a read has still to show, or null. */
  readonly unconfirmedSince: (connectionId: ConnectionId, nowMs: number) => Answer<string | null>;
  /** Holds, grants and forfeiture, once per request key. */
  readonly operate: (
    input: OperateInput,
    nowMs: number,
  ) => Result<HoldView | GrantView, OperateError>;
  /** Writes down what is due and forgets old request keys. */
  readonly runDue: (input: null, nowMs: number) => Answer<DueReport>;
  /** Whether something is due that a halt would defer: the halts have to be known. */
  readonly awaitsHalts: (nowMs: number) => boolean;
  readonly nextAlarm: (input: null, nowMs: number) => Answer<number | null>;
  readonly peekOutbox: (input: null, nowMs: number) => Answer<Projection | null>;
  readonly ackOutbox: (sequence: number, nowMs: number) => Answer<null>;
  /** Has everything projected to D1 again: it lost what it had, or may have. */
  readonly resetProjection: (input: null, nowMs: number) => Answer<null>;
  readonly peekSample: (input: null, nowMs: number) => Answer<SampleChanges | null>;
  readonly ackSample: (mark: string, nowMs: number) => Answer<null>;
  readonly peekReviews: (input: null, nowMs: number) => Answer<ReviewChanges | null>;
  readonly ackReviews: (mark: string, nowMs: number) => Answer<null>;
  readonly budgetTasks: (input: null, nowMs: number) => Answer<readonly BudgetTask[]>;
  readonly budgetGranted: (
    task: Pick<BudgetTask, "key" | "offerId" | "points">,
    nowMs: number,
  ) => Answer<null>;
  readonly budgetDenied: (denial: BudgetDenial, nowMs: number) => Answer<null>;
  /** The offers that purchases whose day has come are to be judged by; null when there is none. */
  readonly dueDays: (input: null, nowMs: number) => Answer<readonly OfferCover[] | null>;
  readonly judgeDueDays: (terms: Terms, nowMs: number) => Answer<null>;
  readonly notices: (input: null, nowMs: number) => Answer<readonly NoticeTask[]>;
  readonly noticeSent: (
    task: Pick<NoticeTask, "daysBefore" | "expiresOn" | "lots">,
    nowMs: number,
  ) => Answer<null>;
  /** No notice could be sent: it is tried again in a while, not at once. */
  readonly noticeFailed: (input: null, nowMs: number) => Answer<null>;
  readonly reviews: (input: null, nowMs: number) => Answer<readonly ReviewItem[]>;
  readonly decideReview: (
    input: ReviewDecision,
    nowMs: number,
  ) => Result<PurchaseView, Erased | OffersNeeded | ReviewRefusal>;
  readonly exportPage: (cursor: string | null, nowMs: number) => Answer<ExportPage>;
  readonly verify: (input: null, nowMs: number) => Answer<Verification>;
  /** The last head and sequence, also of an erased book. */
  readonly leaf: () => Leaf;
  /** The book summed up; empty once it is erased. */
  readonly history: (from: number) => History;
  /**
   * Second half of an erasure, on emptied storage: makes the tables again and closes the book at
   * its last leaf.
   */
  readonly closeErased: (leaf: Leaf) => Leaf;
};

/**
 * The ways in which a method becomes one transaction at a given time, on a book that is up to date.
 */
function transactionsOf(parts: EngineParts) {
  const { sql } = parts;
  const ranks: Ranks = { last: null };
  const run = <T, E>(nowMs: number, method: (call: Call) => Result<T, E>): Result<T, E | Erased> =>
    sql.transaction(() => {
      assert(
        Number.isSafeInteger(nowMs) && nowMs > 0,
        "time_invalid",
        "the time of the call is not a positive whole number of milliseconds",
      );
      if (erasedLeaf(sql) !== null) return err({ code: "erased" });
      const call = newCall(sql, parts.random, parts.userId, nowMs, ranks, parts.halts?.());
      bringUpToDate(call);
      const answer = method(call);
      noteRefusalsDue(call);
      return answer;
    });
  const on = <I, T>(method: (call: Call, input: I) => T) => (input: I, nowMs: number): Answer<T> =>
    run(nowMs, (call) => ok(method(call, input)));
  const asked = <T>(method: (call: Call) => T) => (_: null, nowMs: number): Answer<T> =>
    run(nowMs, (call) => ok(method(call)));
  const done = <I>(method: (call: Call, input: I) => void) =>
    on((call: Call, input: I) => {
      method(call, input);
      return null;
    });
  return { run, on, asked, done };
}

/** Opens the engine on storage whose migrations have run (`migrate`). */
export function createEngine(parts: EngineParts): Engine {
  const { sql } = parts;
  const { run, on, asked, done } = transactionsOf(parts);
  return {
    // Without the offers that a verdict needs, the whole delivery is undone.
    record: (batch, nowMs) =>
      transactionUnlessRefused(sql, () => run(nowMs, (call) => recordAndSettle(call, batch))),
    points: asked(pointsView),
    purchases: on(purchasesPage),
    purchase: on(purchaseView),
    entries: on((call: Call, page: { readonly limit: number; readonly before: string | null }) =>
      entriesPage(call, page.limit, page.before)
    ),
    overview: on((call: Call, { limit }: { readonly limit: number }) => ({
      points: pointsView(call),
      entries: entriesPage(call, limit, null),
    })),
    activate: on(activate),
    activations: asked(activationsView),
    offerUse: on(offerUse),
    bankingActivity: asked(bankingActivity),
    unconfirmedSince: on(unconfirmedSince),
    operate: (input, nowMs) => run(nowMs, (call) => operateOn(call, input)),
    runDue: asked((call) => {
      forgetRequests(call, call.nowMs - REQUEST_KEPT_MS);
      return {
        more: projectedSequence(call) < call.head.sequence,
        overdueHolds: takeOverdueHolds(call),
        arePointsUnshown: takeSilence(call),
      };
    }),
    awaitsHalts: (nowMs) => awaitsHalts(sql, nowMs),
    nextAlarm: asked((call) => {
      // The change feeds come last: they read rows.
      const projected = projectedSequence(call);
      const isDue = projected < call.head.sequence || isSilenceNoted(call) || hasChanges(call);
      return isDue ? call.nowMs : nextAlarmMs(call);
    }),
    peekOutbox: asked((call) => peekOutbox(call, OUTBOX_LIMIT)),
    ackOutbox: done(ackOutbox),
    peekSample: asked(peekSample),
    ackSample: done(ackSample),
    peekReviews: asked(peekReviews),
    ackReviews: done(ackReviews),
    resetProjection: done((call) => {
      ackOutbox(call, 0);
      resetReviewFeed(call);
    }),
    budgetTasks: asked((call) => budgetTasks(call, BUDGET_LIMIT)),
    budgetGranted: done(budgetGranted),
    budgetDenied: done(budgetDenied),
    dueDays: asked(dueDays),
    judgeDueDays: done(judgeDueDays),
    notices: asked(dueNotices),
    noticeSent: done(noteNoticeSent),
    noticeFailed: done(noteNoticeFailed),
    reviews: asked(reviewItems),
    decideReview: (input, nowMs) =>
      transactionUnlessRefused(sql, () => run(nowMs, (call) => decideReview(call, input))),
    exportPage: on(exportPage),
    verify: asked(verifyBook),
    leaf: () => sql.transaction(() => leafOf(sql, parts)),
    history: (from) => sql.transaction(() => historyOf(sql, from)),
    closeErased: (leaf) =>
      sql.transaction(() => {
        migrate(sql);
        writeErased(sql, leaf);
        return leaf;
      }),
  };
}

function operateOn(call: Call, { key, operation }: OperateInput): ReturnType<typeof operate> {
  return operate(call, key, operation, () => lotsInQuestion(call));
}

/**
 * Records a delivery. Points that wait for a read are looked at when one came, or when none will.
 */
function recordAndSettle(
  call: Call,
  batch: RecordBatch,
): Result<RecordSummary, OffersNeeded> {
  const recorded = record(call, batch);
  const concernsReads = batch.read !== undefined || batch.hasEnded === true ||
    batch.accounts.some(({ isReadable = true, goneAtMs }) => !isReadable || goneAtMs !== null);
  if (!recorded.ok || !concernsReads) return recorded;
  settleWaitingLots(call);
  return ok({ ...recorded.value, sequence: call.head.sequence });
}

function leafOf(sql: Sql, parts: EngineParts): Leaf {
  const erased = erasedLeaf(sql);
  if (erased !== null) return erased;
  const { head } = newCall(sql, parts.random, parts.userId, 1);
  return { sequence: head.sequence, head: head.hash };
}
