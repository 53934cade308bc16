// What the shells of both editions do around the engine: refuse instead of throw, set the alarm
// after a write, run the alarm's rounds one after the other, erase, and move a book in or out. What
// differs between the runtimes is the `ShellHost`.
import { InvariantError } from "../../kernel/assert.ts";
import { errorClass } from "../../kernel/log.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { HOUR_MS } from "../../kernel/time.ts";
import type { Sql } from "../book/sql.ts";
import type { Engine } from "../engine.ts";
import type { Leaf } from "../ports.ts";
import { ALARM_RETRY_MS, closeBook, runAlarm } from "./alarm.ts";
import type { AlarmParts, DueAnswer, Refused, RefusedAnswer } from "./alarm.ts";
import { eachMethod, ENGINE_METHODS } from "./methods.ts";
import type { EngineMethod, LedgerStub, ShellMethods } from "./methods.ts";
import type { LedgerTransferStub } from "./transfer-client.ts";
import { transferStub } from "./transfer.ts";

export type Book = { readonly sql: Sql; readonly engine: Engine };

/** What a runtime brings for one user's ledger. */
export type ShellHost = Omit<AlarmParts, "guard"> & {
  /** Runs synchronous work on the open book. Throws when the book cannot be opened. */
  readonly use: <T>(work: (book: Book) => T) => T;
  /** False: this book was found broken and reported before. It refuses without another alert. */
  readonly isFit: () => boolean;
  /** Throws when the storage fails every user; such a call may be repeated. */
  readonly requireStorage: () => void;
  /** Runs rounds of this ledger one after the other. */
  readonly inTurn: <T>(round: () => Promise<T>) => Promise<T>;
  /** Rings at `dueMs`, on the clock that shows `nowMs`. Null: nothing is due. */
  readonly setAlarm: (dueMs: number | null, nowMs: number) => void | Promise<void>;
  /** The alarm of an erased ledger. */
  readonly removeAlarm: () => void | Promise<void>;
  /**
   * Empties the storage and runs `close` on it. No crash may leave an empty book that looks new:
   * both take effect together. `emptied` resolves once the storage has done its part.
   */
  readonly replaceBook: (
    close: (engine: Engine) => Leaf,
  ) => { readonly leaf: Leaf; readonly emptied: Promise<void> };
};

export type LedgerShell = LedgerStub & LedgerTransferStub;

/**
 * A refusing book is looked at by a person; until then it rings now and then, so that it goes on by
 * itself once repaired.
 */
const REFUSED_RETRY_MS = HOUR_MS;

/** The methods of one user's ledger over what a runtime brings. */
export function createShell(host: ShellHost): LedgerShell {
  const attempt = <T>(call: () => T): T | RefusedAnswer => attemptOn(host, call);
  const guard = <T>(call: (engine: Engine) => T): T | RefusedAnswer =>
    attempt(() => host.use(({ engine }) => call(engine)));
  const parts: AlarmParts = { ...host, guard };
  const arm = async (nowMs: number): Promise<void> => {
    const next = guard((engine) => engine.nextAlarm(null, nowMs));
    await host.setAlarm(next.ok ? next.value : retryMs(next.error, nowMs), nowMs);
  };
  /** Reads the halts where something is due that they would defer; false: D1 did not answer. */
  const knowHalts = async (nowMs: number): Promise<boolean> => {
    const { halts } = host.helpers;
    if (halts.known() !== null || !awaitsHalts(host, nowMs)) return true;
    try {
      await halts.refresh();
      return true;
    } catch (error) {
      host.log.alert("ledger_halts_unread", { error: errorClass(error) });
      return false;
    }
  };
  const runDue = (_: null, nowMs: number): Promise<DueAnswer> =>
    // Calls come in while a round waits for others. A second round waits for it, or a notice would
    // leave twice; it has a time of its own, which may be later.
    host.inTurn(async () => {
      const known = await knowHalts(nowMs);
      const done = await runAlarm(parts, nowMs);
      const answer = done.ok && !known ? ok({ more: true }) : done;
      if (!answer.ok) await host.setAlarm(retryMs(answer.error, nowMs), nowMs);
      else if (answer.value.more) await host.setAlarm(nowMs + ALARM_RETRY_MS, nowMs);
      else await arm(nowMs);
      return answer;
    });
  const engineStub = eachMethod<Pick<LedgerStub, EngineMethod>>(
    ENGINE_METHODS,
    (name) => async (input: never, nowMs: number) => {
      // Without an answer what is due waits; the call itself needs no D1.
      await knowHalts(nowMs);
      const answer = guard((engine) => engine[name](input, nowMs));
      if (ENGINE_METHODS[name] === "write" && answer.ok) await arm(nowMs);
      return answer;
    },
  );
  const shellStub: Pick<LedgerStub, keyof ShellMethods> = {
    runDue,
    leaf: async () => guard((engine) => ok(engine.leaf())),
    reproject: async (_, nowMs) => {
      const reset = guard((engine) => engine.resetProjection(null, nowMs));
      return reset.ok ? await runDue(null, nowMs) : reset;
    },
    erase: (_, nowMs) => eraseBook(host, parts, nowMs),
  };
  return {
    ...engineStub,
    ...shellStub,
    ...transferStub("ledger", (call) => attempt(() => host.use(({ sql }) => call(sql)))),
    // Sets the alarm of a book that was loaded: rows alone ring nothing.
    arm: async (_, nowMs) => {
      await arm(nowMs);
      return null;
    },
  };
}

/**
 * Runs one call. An invariant that breaks was rolled back: this user's ledger refuses, and a person
 * is alerted.
 */
function attemptOn<T>(host: ShellHost, call: () => T): T | RefusedAnswer {
  if (!host.isFit()) return err({ code: "ledger_refused" });
  try {
    return call();
  } catch (error) {
    host.requireStorage();
    // An invariant's code is ours and holds no value; any other message may quote one.
    const invariant = error instanceof InvariantError ? error.code : null;
    host.log.alert("ledger_refused", {
      error: errorClass(error),
      user_id: host.userId ?? null,
      invariant,
    });
    return err({ code: "ledger_refused" });
  }
}

/** A book that cannot be asked is reported by the call itself. */
function awaitsHalts(host: ShellHost, nowMs: number): boolean {
  if (!host.isFit()) return false;
  try {
    return host.use(({ engine }) => engine.awaitsHalts(nowMs));
  } catch {
    return false;
  }
}

/** When a ledger that did not answer rings again; an erased one never does. */
function retryMs(error: { readonly code: "erased" | "ledger_refused" }, nowMs: number) {
  return error.code === "erased" ? null : nowMs + REFUSED_RETRY_MS;
}

/**
 * What the book had added up to is kept in D1 first; when D1 does not answer, nothing is emptied
 * and the erasure is asked for again later.
 */
async function eraseBook(
  host: ShellHost,
  parts: AlarmParts,
  nowMs: number,
): Promise<Result<Leaf, Refused>> {
  try {
    await closeBook(parts, nowMs);
  } catch (error) {
    host.log.alert("ledger_close_failed", { error: errorClass(error) });
    return err({ code: "ledger_refused" });
  }
  // No await from here to the replaced book: a call in between could post what the leaf has not.
  const leaf = parts.guard((engine) => ok(engine.leaf()));
  if (!leaf.ok) return leaf;
  const closed = attemptOn(
    host,
    () => ok(host.replaceBook((engine) => engine.closeErased(leaf.value))),
  );
  if (!closed.ok) return closed;
  await closed.value.emptied;
  await host.removeAlarm();
  return ok(closed.value.leaf);
}

/** Lets work of the same key run one after the other, in the order of the calls. */
export function createTurns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work);
    const ended = turn.catch(() => null).finally(() => {
      if (last.get(key) === ended) last.delete(key);
    });
    last.set(key, ended);
    return turn;
  };
}
