// The Durable Object of one user's ledger: a thin shell. It keeps the object in the EU, runs the object migrations, turns each RPC
// into one engine call, and in its alarm does what needs others: D1, budgets, notices. No rule lives here.
import { DurableObject } from "cloudflare:workers";
import { InvariantError } from "../kernel/assert.ts";
import { consoleLog, errorClass } from "../kernel/log.ts";
import { systemRandomBytes } from "../kernel/random.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { PurchaseId } from "../kernel/ids.ts";
import { platformClock } from "../platform/cloudflare/clock.ts";
import type { ClockEnv } from "../platform/cloudflare/clock.ts";
import { inJurisdiction, requireJurisdiction } from "../platform/cloudflare/jurisdiction.ts";
import type { BudgetObjectRpc } from "./budget-object.ts";
import { createEngine } from "./engine.ts";
import type { Engine, OperateInput } from "./engine.ts";
import type { ActivateInput, Leaf, NoticeTask, PurchaseQuery, RecordBatch, ReviewDecision } from "./ports.ts";
import { applyProjection } from "./projection-store.ts";
import type { ProjectionDatabase } from "./projection-store.ts";
import { migrate } from "./schema.ts";
import { objectSql } from "./sql.ts";
import type { WriteTrace } from "./sql.ts";

export type LedgerEnv = ClockEnv & {
  readonly DB: ProjectionDatabase;
  readonly OFFER_BUDGET: BudgetNamespace;
  /** Sends an expiry notice; resolves true once the mail has left. Without it no notice is sent, so nothing expires. */
  readonly EXPIRY_NOTICES?: { readonly send: (userId: string, task: NoticeTask) => Promise<boolean> };
  readonly [setting: string]: unknown;
};
type BudgetNamespace = { readonly getByName: (name: string) => BudgetObjectRpc; readonly jurisdiction: (name: "eu") => BudgetNamespace };

export type Refused = { readonly code: "ledger_refused" };
type Answered<T extends (...args: never[]) => Result<unknown, unknown>> = ReturnType<T> | { readonly ok: false; readonly error: Refused };

// A failed drain is tried again soon, but not at once: D1 may be down for everybody.
const RETRY_MS = MINUTE_MS;
const ROUNDS_MAX = 20;

export class UserLedger extends DurableObject<LedgerEnv> {
  readonly #engine: Engine;
  readonly #log = consoleLog();
  /** Set by tests only, to name the rows that an operation writes. */
  #trace: WriteTrace | null = null;

  constructor(ctx: DurableObjectState, env: LedgerEnv) {
    super(ctx, env);
    requireJurisdiction(env, ctx.id);
    const sql = objectSql(ctx.storage, (query, rows) => this.#trace?.(query, rows));
    this.#engine = createEngine({ sql, random: systemRandomBytes, ...(ctx.id.name === undefined ? {} : { userId: ctx.id.name }) });
    void ctx.blockConcurrencyWhile(async () => {
      ctx.storage.transactionSync(() => migrate(sql));
    });
  }

  /** Answers once the constructor has let it: the object platform works and the tables are up to date. */
  ping(): string {
    return "pong";
  }

  // ---- calls: one engine method each ----------------------------------------------------------------------------------

  record(batch: RecordBatch, nowMs: number): Promise<Answered<Engine["record"]>> {
    return this.#write(nowMs, () => this.#engine.record(batch, nowMs));
  }
  points(_: null, nowMs: number): Answered<Engine["points"]> {
    return this.#guard(() => this.#engine.points(null, nowMs));
  }
  entries(page: { readonly limit: number; readonly before: string | null }, nowMs: number): Answered<Engine["entries"]> {
    return this.#guard(() => this.#engine.entries(page, nowMs));
  }
  purchases(query: PurchaseQuery, nowMs: number): Answered<Engine["purchases"]> {
    return this.#guard(() => this.#engine.purchases(query, nowMs));
  }
  purchase(purchaseId: PurchaseId, nowMs: number): Answered<Engine["purchase"]> {
    return this.#guard(() => this.#engine.purchase(purchaseId, nowMs));
  }
  activate(input: ActivateInput, nowMs: number): Answered<Engine["activate"]> {
    return this.#guard(() => this.#engine.activate(input, nowMs));
  }
  activations(_: null, nowMs: number): Answered<Engine["activations"]> {
    return this.#guard(() => this.#engine.activations(null, nowMs));
  }
  bankingActivity(_: null, nowMs: number): Answered<Engine["bankingActivity"]> {
    return this.#guard(() => this.#engine.bankingActivity(null, nowMs));
  }
  operate(input: OperateInput, nowMs: number): Promise<Answered<Engine["operate"]>> {
    return this.#write(nowMs, () => this.#engine.operate(input, nowMs));
  }
  reviews(_: null, nowMs: number): Answered<Engine["reviews"]> {
    return this.#guard(() => this.#engine.reviews(null, nowMs));
  }
  decideReview(input: ReviewDecision, nowMs: number): Promise<Answered<Engine["decideReview"]>> {
    return this.#write(nowMs, () => this.#engine.decideReview(input, nowMs));
  }
  exportPage(cursor: string | null, nowMs: number): Answered<Engine["exportPage"]> {
    return this.#guard(() => this.#engine.exportPage(cursor, nowMs));
  }
  verify(_: null, nowMs: number): Answered<Engine["verify"]> {
    return this.#guard(() => this.#engine.verify(null, nowMs));
  }
  /** The last sequence and head, also of an erased ledger. */
  leaf(): Result<Leaf, Refused> {
    return this.#guard(() => ok(this.#engine.leaf()));
  }
  /** Forgets how far D1 has come and drains again from zero: D1's rows of this user must be gone. */
  async reproject(_: null, nowMs: number): Promise<Result<{ readonly more: boolean }, Refused | { readonly code: "erased" }>> {
    const reset = this.#guard(() => this.#engine.ackOutbox(0, nowMs));
    return reset.ok ? await this.runDue(null, nowMs) : reset;
  }

  /** What the alarm does, for whoever moves the clock or sweeps: writes down what is due and tells the others. */
  async runDue(_: null, nowMs: number): Promise<Result<{ readonly more: boolean }, Refused | { readonly code: "erased" }>> {
    const due = this.#guard(() => this.#engine.runDue(null, nowMs));
    if (!due.ok) return due;
    for (const redemptionId of due.value.overdueHolds) this.#log.alert("hold_overdue", { redemption_id: redemptionId });
    try {
      await this.#reserveBudgets(nowMs);
      await this.#sendNotices(nowMs);
      return ok({ more: !(await this.#drain(nowMs)) });
    } catch (error) {
      // D1, a budget or the mail failed: everything is still in the book, and the alarm comes back for it.
      this.#log.alert("ledger_due_failed", { error: errorClass(error) });
      return ok({ more: true });
    } finally {
      await this.#arm(nowMs);
    }
  }

  /**
   * Empties the object for good and keeps its last leaf. Repeating it gives the same leaf. The caller has drained what D1
   * must know (`runDue`) before.
   */
  async erase(): Promise<Result<Leaf, Refused>> {
    const leaf = this.#guard(() => ok(this.#engine.leaf()));
    if (!leaf.ok) return leaf;
    // No await between the two: both belong to one write of the storage, so no crash leaves an empty book that looks new.
    const deleted = this.ctx.storage.deleteAll();
    const closed = this.#guard(() => ok(this.#engine.closeErased(leaf.value)));
    await deleted;
    await this.ctx.storage.deleteAlarm();
    return closed;
  }

  override async alarm(): Promise<void> {
    let nowMs: number;
    try {
      // Whoever moved a clock in production could mature points: there it is not asked.
      const clock = platformClock(this.env["ENVIRONMENT"] === "production" ? {} : this.env);
      await clock.refresh();
      nowMs = clock.nowMs();
    } catch (error) {
      this.#log.alert("ledger_clock_failed", { error: errorClass(error) });
      return await this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
    }
    const result = await this.runDue(null, nowMs);
    // Six failed alarms would be the last: an alarm that did not finish is set again instead of thrown.
    if (result.ok && result.value.more) await this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
  }

  // ---- what it takes --------------------------------------------------------------------------------------------------

  /** Runs one engine call. An invariant that breaks was rolled back: this user's ledger refuses, and a person is told. */
  #guard<T>(call: () => T): T | { readonly ok: false; readonly error: Refused } {
    try {
      return call();
    } catch (error) {
      // An invariant's name is ours and holds no value; any other message may quote one.
      const invariant = error instanceof InvariantError ? error.message.replaceAll(" ", "_") : null;
      this.#log.alert("ledger_refused", { error: errorClass(error), user_id: this.ctx.id.name ?? null, invariant });
      return err({ code: "ledger_refused" });
    }
  }

  async #write<T extends { readonly ok: boolean }>(nowMs: number, call: () => T): Promise<T | { readonly ok: false; readonly error: Refused }> {
    const result = this.#guard(call);
    if (result.ok) await this.#arm(nowMs);
    return result;
  }

  /** The local clock may be moved: the alarm rings after as long as there is to wait, whatever the system's clock says. */
  async #arm(nowMs: number): Promise<void> {
    const next = this.#guard(() => this.#engine.nextAlarm(null, nowMs));
    if (!next.ok || next.value === null) return;
    const ringMs = Date.now() + Math.max(0, next.value - nowMs);
    const current = await this.ctx.storage.getAlarm();
    // Setting an alarm is billed as a row: one that rings early enough is left alone.
    if (current === null || current > ringMs) await this.ctx.storage.setAlarm(ringMs);
  }

  async #drain(nowMs: number): Promise<boolean> {
    const userId = this.ctx.id.name;
    if (userId === undefined) return true;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const projection = this.#guard(() => this.#engine.peekOutbox(null, nowMs));
      if (!projection.ok || projection.value === null) return projection.ok;
      const reached = await applyProjection(this.env.DB, userId, projection.value, nowMs);
      const acked = this.#guard(() => this.#engine.ackOutbox(reached, nowMs));
      if (!acked.ok) return false;
    }
    return false;
  }

  async #reserveBudgets(nowMs: number): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const tasks = this.#guard(() => this.#engine.budgetTasks(null, nowMs));
      if (!tasks.ok || tasks.value.length === 0) return;
      for (const task of tasks.value) {
        const namespace = inJurisdiction(this.env.OFFER_BUDGET, this.env["JURISDICTION"] === "eu" ? "eu" : null);
        const answer = await namespace.getByName(task.offerId).reserve({ purchaseId: task.purchaseId, points: task.points, budgetPoints: task.budgetPoints });
        this.#guard(() => (answer.granted ? this.#engine.budgetGranted(task, nowMs) : this.#engine.budgetDenied(task, nowMs)));
      }
    }
  }

  async #sendNotices(nowMs: number): Promise<void> {
    const userId = this.ctx.id.name;
    if (this.env.EXPIRY_NOTICES === undefined || userId === undefined) return;
    const tasks = this.#guard(() => this.#engine.notices(null, nowMs));
    for (const task of tasks.ok ? tasks.value : []) {
      if (await this.env.EXPIRY_NOTICES.send(userId, task)) this.#guard(() => this.#engine.noticeSent(task, nowMs));
    }
  }

  /** For tests: runs an engine call and names the rows it wrote. */
  traceWrites(trace: WriteTrace | null): void {
    this.#trace = trace;
  }
}
