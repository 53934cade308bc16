// The Durable Object of one user's ledger: a thin shell. It keeps the object in the EU, runs the
// object migrations, turns each RPC into one engine call, and in its alarm does what needs others:
// D1, budgets, notices. No rule lives here.
import { DurableObject } from "cloudflare:workers";
import { InvariantError } from "../../kernel/assert.ts";
import { consoleLog, errorClass } from "../../kernel/log.ts";
import { systemRandomBytes } from "../../kernel/random.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { PurchaseId } from "../../kernel/ids.ts";
import { platformClock } from "./clock.ts";
import type { ClockEnv } from "./clock.ts";
import { inJurisdiction, requireJurisdiction } from "./jurisdiction.ts";
import { ALARM_RETRY_MS, closeBook, runAlarm } from "../../ledger/object/alarm.ts";
import type { AlarmParts, DueAnswer, LedgerHelpers, Refused } from "../../ledger/object/alarm.ts";
import type { BudgetObjectRpc } from "./budget-object.ts";
import { createEngine } from "../../ledger/engine.ts";
import type { Engine, OperateInput } from "../../ledger/engine.ts";
import type {
  ActivateInput,
  DumpedPage,
  ExpectedBook,
  Leaf,
  PurchaseQuery,
  RecordBatch,
  ReviewDecision,
  StagedPage,
  TransferFailure,
} from "../../ledger/ports.ts";
import { migrate } from "../../ledger/book/schema.ts";
import { objectSql } from "../../ledger/book/sql.ts";
import type { Sql, WriteTrace } from "../../ledger/book/sql.ts";
import { closeLoad, dumpPage, stagePage } from "../../ledger/object/transfer.ts";

export type LedgerEnv = ClockEnv & {
  readonly DB: D1Database;
  readonly OFFER_BUDGET: BudgetNamespace;
  readonly [setting: string]: unknown;
};
type BudgetNamespace = {
  readonly getByName: (name: string) => BudgetObjectRpc;
  readonly jurisdiction: (name: "eu") => BudgetNamespace;
};

type Answered<T extends (...args: never[]) => Result<unknown, unknown>> = ReturnType<T> | {
  readonly ok: false;
  readonly error: Refused;
};

/**
 * The object without what it needs of other domains, which the platform's own class brings
 * (platform/cloudflare/user-ledger.ts).
 */
export class LedgerObject extends DurableObject<LedgerEnv> {
  readonly #sql: Sql;
  readonly #engine: Engine;
  readonly #helpers: LedgerHelpers;
  readonly #log = consoleLog();
  /** Set by tests only, to name the rows that an operation writes. */
  #trace: WriteTrace | null = null;
  /**
   * The tables could not be brought up to date: this ledger refuses everything until a person
   * repaired it.
   */
  #unfit = false;
  #lastRound: Promise<unknown> = Promise.resolve();

  constructor(ctx: DurableObjectState, env: LedgerEnv, helpers: LedgerHelpers) {
    super(ctx, env);
    this.#helpers = helpers;
    requireJurisdiction(env, ctx.id);
    const sql = objectSql(ctx.storage, (query, rows) => this.#trace?.(query, rows));
    this.#sql = sql;
    this.#engine = createEngine({
      sql,
      random: systemRandomBytes,
      ...(ctx.id.name === undefined ? {} : { userId: ctx.id.name }),
    });
    void ctx.blockConcurrencyWhile(async () => {
      try {
        ctx.storage.transactionSync(() => migrate(sql));
      } catch (error) {
        // A throw here would look like a failing platform, and the aggregator would send this
        // user's webhooks for ever, before everybody's.
        this.#unfit = true;
        this.#log.alert("ledger_unfit", {
          error: errorClass(error),
          object: ctx.id.toString().slice(0, 16),
        });
      }
    });
  }

  /**
   * Answers once the constructor has let it: the object platform works and the tables are up to
   * date.
   */
  ping(): string {
    return "pong";
  }

  // ---- calls: one engine method each ------------------------------------------------------------

  record(batch: RecordBatch, nowMs: number): Promise<Answered<Engine["record"]>> {
    return this.#write(nowMs, () => this.#engine.record(batch, nowMs));
  }
  points(_: null, nowMs: number): Answered<Engine["points"]> {
    return this.#guard(() => this.#engine.points(null, nowMs));
  }
  entries(
    page: { readonly limit: number; readonly before: string | null },
    nowMs: number,
  ): Answered<Engine["entries"]> {
    return this.#guard(() => this.#engine.entries(page, nowMs));
  }
  overview(input: { readonly limit: number }, nowMs: number): Answered<Engine["overview"]> {
    return this.#guard(() => this.#engine.overview(input, nowMs));
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
  /** Forgets how far D1 has come and drains again, from zero or from where D1 says that it is. */
  async reproject(_: null, nowMs: number): Promise<DueAnswer> {
    const reset = this.#guard(() => this.#engine.retell(null, nowMs));
    return reset.ok ? await this.runDue(null, nowMs) : reset;
  }

  /**
   * What the alarm does, for whoever moves the clock or sweeps: writes down what is due and tells
   * the others.
   */
  async runDue(_: null, nowMs: number): Promise<DueAnswer> {
    // Calls come in while a round waits for others. A second round waits for it, or a notice would
    // leave twice.
    const round = this.#lastRound.then(() => this.#dueRound(nowMs));
    this.#lastRound = round.catch(() => null);
    return await round;
  }

  async #dueRound(nowMs: number): Promise<DueAnswer> {
    try {
      return await runAlarm(this.#alarmParts(), nowMs);
    } finally {
      await this.#arm(nowMs);
    }
  }

  /**
   * Empties the object for good and keeps its last leaf. Repeating it gives the same leaf. What the
   * book had added up to is kept in D1 before; when D1 does not answer, nothing is emptied.
   */
  async erase(): Promise<Result<Leaf, Refused>> {
    try {
      await closeBook(this.#alarmParts(), Date.now());
    } catch (error) {
      this.#log.alert("ledger_close_failed", { error: errorClass(error) });
      return err({ code: "ledger_refused" });
    }
    const leaf = this.#guard(() => ok(this.#engine.leaf()));
    if (!leaf.ok) return leaf;
    // No await between the two: both belong to one write of the storage, so no crash leaves an
    // empty book that looks new.
    const deleted = this.ctx.storage.deleteAll();
    const closed = this.#guard(() => ok(this.#engine.closeErased(leaf.value)));
    await deleted;
    await this.ctx.storage.deleteAlarm();
    return closed;
  }

  // ---- moving to and from another runtime (transfer.ts) -----------------------------------------

  dumpPage(cursor: string | null): Result<DumpedPage, TransferFailure> {
    return this.#guard(() => dumpPage(this.#sql, "ledger", cursor));
  }
  stagePage(page: StagedPage): Result<null, TransferFailure> {
    return this.#guard(() => stagePage(this.#sql, page));
  }
  closeLoad(expected: ExpectedBook): Result<null, TransferFailure> {
    return this.#guard(() => closeLoad(this.#sql, "ledger", expected));
  }
  /** Sets the alarm of a book that was loaded: rows alone ring nothing. */
  async arm(_: null, nowMs: number): Promise<null> {
    await this.#arm(nowMs);
    return null;
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
      return await this.ctx.storage.setAlarm(Date.now() + ALARM_RETRY_MS);
    }
    const result = await this.runDue(null, nowMs);
    // Six failed alarms would be the last: an alarm that did not finish is set again instead of
    // thrown.
    if (result.ok && result.value.more) {
      await this.ctx.storage.setAlarm(Date.now() + ALARM_RETRY_MS);
    }
  }

  // ---- what it takes ----------------------------------------------------------------------------

  /**
   * Runs one engine call. An invariant that breaks was rolled back: this user's ledger refuses, and
   * a person is told.
   */
  #guard<T>(call: () => T): T | { readonly ok: false; readonly error: Refused } {
    if (this.#unfit) return err({ code: "ledger_refused" });
    try {
      return call();
    } catch (error) {
      // An invariant's code is ours and holds no value; any other message may quote one.
      const invariant = error instanceof InvariantError ? error.code : null;
      this.#log.alert("ledger_refused", {
        error: errorClass(error),
        user_id: this.ctx.id.name ?? null,
        invariant,
      });
      return err({ code: "ledger_refused" });
    }
  }

  async #write<T extends { readonly ok: boolean }>(
    nowMs: number,
    call: () => T,
  ): Promise<T | { readonly ok: false; readonly error: Refused }> {
    const result = this.#guard(call);
    if (result.ok) await this.#arm(nowMs);
    return result;
  }

  /**
   * The local clock may be moved: the alarm rings after as long as there is to wait, whatever the
   * system's clock says.
   */
  async #arm(nowMs: number): Promise<void> {
    const next = this.#guard(() => this.#engine.nextAlarm(null, nowMs));
    if (!next.ok || next.value === null) return;
    const ringMs = Date.now() + Math.max(0, next.value - nowMs);
    const current = await this.ctx.storage.getAlarm();
    // Setting an alarm is billed as a row: one that rings early enough is left alone.
    if (current === null || current > ringMs) await this.ctx.storage.setAlarm(ringMs);
  }

  #alarmParts(): AlarmParts {
    const { DB, OFFER_BUDGET } = this.env;
    const budgets = inJurisdiction(OFFER_BUDGET, this.env["JURISDICTION"] === "eu" ? "eu" : null);
    return {
      userId: this.ctx.id.name,
      database: DB,
      log: this.#log,
      helpers: this.#helpers,
      guard: (call) => this.#guard(() => call(this.#engine)),
      reserve: (offerId, request) => budgets.getByName(offerId).reserve(request),
    };
  }

  /** For tests: runs an engine call and names the rows it wrote. */
  traceWrites(trace: WriteTrace | null): void {
    this.#trace = trace;
  }
}
