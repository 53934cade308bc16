// What a ledger's alarm does, apart from the runtime that rings it: writes down what is due, asks budgets, sends notices, tells D1.
// It runs between engine calls and not inside them, so calls of the user may come between its steps; each step can be repeated.
import type { SqlDatabase } from "../db/d1.ts";
import type { OfferId } from "../kernel/ids.ts";
import { errorClass } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { BudgetAnswer, BudgetRequest } from "./budget.ts";
import type { Engine } from "./engine.ts";
import type { NoticeTask } from "./ports.ts";
import { applyProjection } from "./projection-store.ts";

export type Refused = { readonly code: "ledger_refused" };
export type RefusedAnswer = { readonly ok: false; readonly error: Refused };
export type DueAnswer = Result<{ readonly more: boolean }, Refused | { readonly code: "erased" }>;

export type AlarmParts = {
  /** The user's id; undefined for an object that was opened without a name, which has nobody to tell D1 about. */
  readonly userId: string | undefined;
  /** Runs one engine call; an invariant that breaks was rolled back and reported, and answers `ledger_refused`. */
  readonly guard: <T>(call: (engine: Engine) => T) => T | RefusedAnswer;
  readonly database: SqlDatabase;
  readonly reserve: (offerId: OfferId, request: BudgetRequest) => Promise<BudgetAnswer>;
  /** Sends an expiry notice; resolves true once the mail has left. Null sends none, so nothing expires. */
  readonly sendNotice: ((userId: string, task: NoticeTask) => Promise<boolean>) | null;
  readonly log: Log;
};

/** A failed alarm is tried again soon, but not at once: D1 may be down for everybody. */
export const ALARM_RETRY_MS = MINUTE_MS;
const ROUNDS_MAX = 20;

/** Does one bounded round at `nowMs`. `more`: something is left, because there is much or because D1, a budget or the mail failed. */
export async function runAlarm(parts: AlarmParts, nowMs: number): Promise<DueAnswer> {
  const due = parts.guard((engine) => engine.runDue(null, nowMs));
  if (!due.ok) return due;
  for (const redemptionId of due.value.overdueHolds) parts.log.alert("hold_overdue", { redemption_id: redemptionId });
  try {
    await reserveBudgets(parts, nowMs);
    await sendNotices(parts, nowMs);
    return ok({ more: !(await drainOutbox(parts, nowMs)) });
  } catch (error) {
    // Everything is still in the book, and the alarm comes back for it.
    parts.log.alert("ledger_due_failed", { error: errorClass(error) });
    return ok({ more: true });
  }
}

async function drainOutbox({ userId, guard, database }: AlarmParts, nowMs: number): Promise<boolean> {
  if (userId === undefined) return true;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const projection = guard((engine) => engine.peekOutbox(null, nowMs));
    if (!projection.ok || projection.value === null) return projection.ok;
    const reached = await applyProjection(database, userId, projection.value, nowMs);
    const acked = guard((engine) => engine.ackOutbox(reached, nowMs));
    if (!acked.ok) return false;
  }
  return false;
}

async function reserveBudgets({ guard, reserve }: AlarmParts, nowMs: number): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const tasks = guard((engine) => engine.budgetTasks(null, nowMs));
    if (!tasks.ok || tasks.value.length === 0) return;
    for (const task of tasks.value) {
      const answer = await reserve(task.offerId, { purchaseId: task.purchaseId, points: task.points, budgetPoints: task.budgetPoints });
      guard((engine) => (answer.granted ? engine.budgetGranted(task, nowMs) : engine.budgetDenied({ ...task, held: answer.held }, nowMs)));
    }
  }
}

async function sendNotices({ userId, guard, sendNotice }: AlarmParts, nowMs: number): Promise<void> {
  if (sendNotice === null || userId === undefined) return;
  const tasks = guard((engine) => engine.notices(null, nowMs));
  for (const task of tasks.ok ? tasks.value : []) {
    if (await sendNotice(userId, task)) guard((engine) => engine.noticeSent(task, nowMs));
  }
}
