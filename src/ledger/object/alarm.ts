// What a ledger's alarm does, apart from the runtime that rings it: writes down what is due, asks
// budgets, sends notices, projects to D1. It runs between engine calls and not inside them, so
// calls of the user may come between its steps; each step can be repeated.
import type { SqlDatabase } from "../../db/d1.ts";
import { assert } from "../../kernel/assert.ts";
import type { OfferId } from "../../kernel/ids.ts";
import { errorClass } from "../../kernel/log.ts";
import type { Log } from "../../kernel/log.ts";
import { ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import { noteBudgetUse } from "../projection/budget-use.ts";
import type { BudgetAnswer, BudgetRequest } from "./offer-budget.ts";
import type { Engine } from "../engine.ts";
import type { Terms } from "../earning/types.ts";
import type { BudgetTask, HaltMemory, NoticeTask, OfferCover, SampleItem } from "../ports.ts";
import {
  applyProjection,
  applyReviews,
  closeProjection,
  decidedReviews,
} from "../projection/projection-store.ts";

export type Refused = { readonly code: "ledger_refused" };
export type RefusedAnswer = { readonly ok: false; readonly error: Refused };
export type DueAnswer = Result<{ readonly more: boolean }, Refused | { readonly code: "erased" }>;

/**
 * What an alarm needs of other domains: who the user is and what they consent to is not the
 * ledger's to know.
 */
export type LedgerHelpers = {
  /** The halts of the programme, which defer what is due. */
  readonly halts: HaltMemory;
  /**
   * The offers of those brands and days, as they are in force now. Throws when D1 does not answer.
   */
  readonly offersOn: (covers: readonly OfferCover[]) => Promise<Terms>;
  /**
   * Sends an expiry notice; resolves true once the mail has left. What was not announced does not
   * expire.
   */
  readonly sendNotice: (userId: string, task: NoticeTask, nowMs: number) => Promise<boolean>;
  /**
   * Gives the statistics sample the rows that are new or changed. Called again with the same ones
   * after a crash; throws when D1 does not answer.
   */
  readonly offerToSample: (
    userId: string,
    items: readonly SampleItem[],
    nowMs: number,
  ) => Promise<void>;
};

export type AlarmParts = {
  /**
   * The user's id; undefined for an object that was opened without a name, for which D1 has no
   * rows.
   */
  readonly userId: string | undefined;
  /**
   * Runs one engine call; an invariant that breaks was rolled back and reported, and answers
   * `ledger_refused`.
   */
  readonly guard: <T>(call: (engine: Engine) => T) => T | RefusedAnswer;
  readonly database: SqlDatabase;
  readonly reserve: (offerId: OfferId, request: BudgetRequest) => Promise<BudgetAnswer>;
  readonly helpers: LedgerHelpers;
  readonly log: Log;
};

/** A failed alarm is tried again soon, but not at once: D1 may be down for everybody. */
export const ALARM_RETRY_MS = MINUTE_MS;
const ROUNDS_MAX = 20;

/**
 * Does one bounded round at `nowMs`. `more`: something is left, because there is much or because
 * D1, a budget or the mail failed.
 */
export async function runAlarm(parts: AlarmParts, nowMs: number): Promise<DueAnswer> {
  const due = parts.guard((engine) => engine.runDue(null, nowMs));
  if (!due.ok) return due;
  for (const redemptionId of due.value.overdueHolds) {
    parts.log.alert("hold_overdue", { redemption_id: redemptionId });
  }
  if (due.value.arePointsUnshown) {
    parts.log.alert("points_not_shown", { user_id: parts.userId ?? null });
  }
  try {
    await judgeDueDays(parts, nowMs);
    await reserveBudgets(parts, nowMs);
    await sendNotices(parts, nowMs);
    const drained = await drainOutbox(parts, nowMs);
    await projectReviews(parts, nowMs);
    return ok({ more: !drained || !(await offerSample(parts, nowMs)) });
  } catch (error) {
    // Everything is still in the book, and the alarm comes back for it.
    parts.log.alert("ledger_due_failed", { error: errorClass(error) });
    return ok({ more: true });
  }
}

async function drainOutbox(
  { userId, guard, database }: AlarmParts,
  nowMs: number,
): Promise<boolean> {
  if (userId === undefined) return true;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const projection = guard((engine) => engine.peekOutbox(null, nowMs));
    if (!projection.ok || projection.value === null) return projection.ok;
    const reached = await applyProjection(database, userId, projection.value, nowMs);
    const acked = guard((engine) => engine.ackOutbox(reached, nowMs));
    // D1 takes nothing more of a ledger that is being erased.
    if (!acked.ok || reached === projection.value.from) return false;
  }
  return false;
}

/** Purchases whose day has come, of which the bank said so ahead. */
async function judgeDueDays({ guard, helpers }: AlarmParts, nowMs: number): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const due = guard((engine) => engine.dueDays(null, nowMs));
    if (!due.ok || due.value === null) return;
    const terms = await helpers.offersOn(due.value);
    if (!guard((engine) => engine.judgeDueDays(terms, nowMs)).ok) return;
  }
}

async function reserveBudgets(
  { guard, reserve, database }: AlarmParts,
  nowMs: number,
): Promise<void> {
  const reserved = new Map<OfferId, number>();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const tasks = guard((engine) => engine.budgetTasks(null, nowMs));
    if (!tasks.ok || tasks.value.length === 0) break;
    for (const task of tasks.value) {
      const answer = await reserve(task.offerId, {
        key: task.key,
        points: task.points,
        budgetPoints: task.budgetPoints,
      });
      reserved.set(task.offerId, answer.reserved);
      guard((
        engine,
      ) => (answer.granted
        ? engine.budgetGranted(task, nowMs)
        : engine.budgetDenied({ ...task, held: answer.held, left: leftFor(task, answer) }, nowMs))
      );
    }
  }
  await noteBudgetUse(database, reserved, nowMs);
}

/**
 * The most that the budget could have held for the purchase. A later version's budget may be below
 * what is reserved already.
 */
function leftFor(task: BudgetTask, { held, reserved }: BudgetAnswer): number {
  return Math.max(held, task.budgetPoints - reserved + held);
}

async function sendNotices({ userId, guard, helpers }: AlarmParts, nowMs: number): Promise<void> {
  if (userId === undefined) return;
  const tasks = guard((engine) => engine.notices(null, nowMs));
  for (const task of tasks.ok ? tasks.value : []) {
    // Noted only after it left: a crash in between sends it twice, and never leaves an expiry
    // unannounced.
    const sent = await helpers.sendNotice(userId, task, nowMs);
    guard((engine) => (sent ? engine.noticeSent(task, nowMs) : engine.noticeFailed(null, nowMs)));
    if (!sent) return;
  }
}

async function projectReviews(
  { userId, guard, database }: AlarmParts,
  nowMs: number,
): Promise<void> {
  if (userId === undefined) return;
  const peek = () => guard((engine) => engine.peekReviews(null, nowMs));
  const first = peek();
  if (!first.ok || first.value === null) return;
  const decided = await decidedReviews(database, first.value.open);
  // Asked again, because a decision may have reached the ledger before D1 said so: what still waits
  // now waits in spite of it.
  const changes = decided.length === 0 ? first : peek();
  if (!changes.ok || changes.value === null) return;
  const { open, mark } = changes.value;
  await applyReviews(database, userId, open, decided, nowMs);
  guard((engine) => engine.ackReviews(mark, nowMs));
}

async function offerSample(
  { userId, guard, helpers }: AlarmParts,
  nowMs: number,
): Promise<boolean> {
  if (userId === undefined) return true;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const changes = guard((engine) => engine.peekSample(null, nowMs));
    if (!changes.ok || changes.value === null) return changes.ok;
    const { items, mark } = changes.value;
    if (items.length > 0) await helpers.offerToSample(userId, items, nowMs);
    if (!guard((engine) => engine.ackSample(mark, nowMs)).ok) return false;
  }
  return false;
}

/**
 * Before a book is emptied: D1 keeps what it had added up to. Throws when D1 does not answer; the
 * book then stays.
 */
export async function closeBook(
  parts: Pick<AlarmParts, "userId" | "guard" | "database">,
  nowMs: number,
): Promise<void> {
  const { userId, database } = parts;
  if (userId === undefined) return;
  await closeProjection(database, userId, (from) => {
    const history = parts.guard((engine) => ok(engine.history(from)));
    assert(history.ok, "closed_book_unreadable", "the book of an erased ledger cannot be read");
    return history.value;
  }, nowMs);
}
