// The Durable Object of one user's ledger: a thin shell. It keeps the object in the EU, runs the
// object migrations and brings the platform's storage, alarm and bindings to the shell core
// (ledger/object/shell-core.ts). No rule lives here.
import { DurableObject } from "cloudflare:workers";
import { consoleLog, errorClass } from "../../kernel/log.ts";
import { systemRandomBytes } from "../../kernel/random.ts";
import type { Result } from "../../kernel/result.ts";
import { migrate } from "../../ledger/book/schema.ts";
import { objectSql } from "../../ledger/book/sql.ts";
import type { WriteTrace } from "../../ledger/book/sql.ts";
import { createEngine } from "../../ledger/engine.ts";
import { ALARM_RETRY_MS } from "../../ledger/object/alarm.ts";
import type { LedgerHelpers } from "../../ledger/object/alarm.ts";
import { eachMethod, LEDGER_METHODS } from "../../ledger/object/methods.ts";
import type { LedgerStub } from "../../ledger/object/methods.ts";
import { createShell, createTurns } from "../../ledger/object/shell-core.ts";
import type { Book, LedgerShell, ShellHost } from "../../ledger/object/shell-core.ts";
import type { DumpedPage, ExpectedBook, StagedPage, TransferFailure } from "../../ledger/ports.ts";
import type { BudgetObjectRpc } from "./budget-object.ts";
import { platformClock } from "./clock.ts";
import type { ClockEnv } from "./clock.ts";
import { inJurisdiction, requireJurisdiction } from "./jurisdiction.ts";

export type LedgerEnv = ClockEnv & {
  readonly DB: D1Database;
  readonly OFFER_BUDGET: BudgetNamespace;
  readonly [setting: string]: unknown;
};
type BudgetNamespace = {
  readonly getByName: (name: string) => BudgetObjectRpc;
  readonly jurisdiction: (name: "eu") => BudgetNamespace;
};

class ShelledObject extends DurableObject<LedgerEnv> {
  readonly #shell: LedgerShell;
  readonly #log = consoleLog();
  /** Set by tests only, to name the rows that an operation writes. */
  #trace: WriteTrace | null = null;
  /**
   * The tables could not be brought up to date: this ledger refuses everything until a person
   * repaired it.
   */
  #unfit = false;

  // Through a stub only methods on the prototype of the class can be called.
  static {
    Object.assign(
      this.prototype,
      eachMethod<LedgerStub>(
        LEDGER_METHODS,
        (name) =>
          function (this: ShelledObject, input: never, nowMs: number) {
            return this.#shell[name](input, nowMs);
          },
      ),
    );
  }

  constructor(ctx: DurableObjectState, env: LedgerEnv, helpers: LedgerHelpers) {
    super(ctx, env);
    requireJurisdiction(env, ctx.id);
    const sql = objectSql(ctx.storage, (query, rows) => this.#trace?.(query, rows));
    const engine = createEngine({
      sql,
      random: systemRandomBytes,
      halts: helpers.halts.known,
      ...(ctx.id.name === undefined ? {} : { userId: ctx.id.name }),
    });
    this.#shell = createShell(this.#host({ sql, engine }, helpers));
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

  // ---- moving to and from another runtime (ledger/object/transfer.ts) ---------------------------

  async dumpPage(cursor: string | null): Promise<Result<DumpedPage, TransferFailure>> {
    return await this.#shell.dumpPage(cursor);
  }
  async stagePage(page: StagedPage): Promise<Result<null, TransferFailure>> {
    return await this.#shell.stagePage(page);
  }
  async closeLoad(expected: ExpectedBook): Promise<Result<null, TransferFailure>> {
    return await this.#shell.closeLoad(expected);
  }
  /** Sets the alarm of a book that was loaded: rows alone ring nothing. */
  async arm(_: null, nowMs: number): Promise<null> {
    await this.#shell.arm(null, nowMs);
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
    // Six failed alarms would be the last: a round that did not finish is no throw, it has set the
    // next alarm.
    await this.#shell.runDue(null, nowMs);
  }

  /** For tests: names the rows that the following calls write. */
  traceWrites(trace: WriteTrace | null): void {
    this.#trace = trace;
  }

  #host(book: Book, helpers: LedgerHelpers): ShellHost {
    const { storage, id } = this.ctx;
    const { DB, OFFER_BUDGET } = this.env;
    const budgets = inJurisdiction(OFFER_BUDGET, this.env["JURISDICTION"] === "eu" ? "eu" : null);
    const inTurn = createTurns();
    return {
      userId: id.name,
      database: DB,
      log: this.#log,
      helpers,
      reserve: (offerId, request) => budgets.getByName(offerId).reserve(request),
      use: (work) => work(book),
      isFit: () => !this.#unfit,
      // The platform fails a call by itself when the storage does.
      requireStorage: () => {},
      inTurn: (round) => inTurn("round", round),
      setAlarm: async (dueMs, nowMs) => {
        if (dueMs === null) return;
        // The local clock may be moved: the alarm rings after as long as there is to wait, whatever
        // the system's clock says.
        const ringMs = Date.now() + Math.max(0, dueMs - nowMs);
        const current = await storage.getAlarm();
        // Setting an alarm is billed as a row: one that rings early enough is left alone.
        if (current === null || current > ringMs) await storage.setAlarm(ringMs);
      },
      removeAlarm: () => storage.deleteAlarm(),
      replaceBook: (close) => {
        // Not awaited in between: both belong to one write of the storage.
        const emptied = storage.deleteAll();
        return { leaf: close(book.engine), emptied };
      },
    };
  }
}

/**
 * The object without what it needs of other domains, which the platform's own class brings
 * (platform/cloudflare/user-ledger.ts).
 */
export const LedgerObject = ShelledObject as new (
  ...parts: ConstructorParameters<typeof ShelledObject>
) => ShelledObject & LedgerStub;
export type LedgerObject = InstanceType<typeof LedgerObject>;
