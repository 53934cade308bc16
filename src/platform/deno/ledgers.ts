// Every user's ledger on one server: what the object shell is on Cloudflare. One file per user;
// each call is one synchronous engine call on it, so there is one writer per user by construction;
// the table of alarms wakes the ledgers that wait for time.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ALARM_RETRY_MS, closeBook, runAlarm } from "../../ledger/object/alarm.ts";
import type { AlarmParts, DueAnswer, Refused, RefusedAnswer } from "../../ledger/object/alarm.ts";
import type { LedgerNamespace, LedgerStub } from "../../ledger/object/client.ts";
import { createEngine } from "../../ledger/engine.ts";
import type { Engine } from "../../ledger/engine.ts";
import type { Leaf } from "../../ledger/ports.ts";
import { migrate } from "../../ledger/book/schema.ts";
import type { LedgerTransferStub } from "../../ledger/object/transfer-client.ts";
import { closeLoad, dumpPage, stagePage } from "../../ledger/object/transfer.ts";
import { assert, InvariantError } from "../../kernel/assert.ts";
import { isId, shardByteOf } from "../../kernel/ids.ts";
import type { UserId } from "../../kernel/ids.ts";
import { errorClass } from "../../kernel/log.ts";
import type { Log } from "../../kernel/log.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { HOUR_MS } from "../../kernel/time.ts";
import type { Clock } from "../../kernel/time.ts";
import type { Alarms } from "./alarms.ts";
import { openFiles } from "./open-files.ts";
import { openFileSql } from "./sql-storage.ts";
import type { FileSql } from "./sql-storage.ts";

type Book = { readonly sql: FileSql; readonly engine: Engine };

export type LedgersParts = {
  readonly folder: string;
  readonly alarms: Alarms;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly openMax?: number;
} & Pick<AlarmParts, "database" | "reserve" | "helpers">;

export type Ledgers = {
  readonly namespace: LedgerNamespace;
  /** A user's book as raw rows, to move it. */
  readonly transferOf: (userId: string) => LedgerTransferStub;
  /** Wakes at most `limit` ledgers that are due, each once. Returns how many. */
  readonly ring: (limit: number) => Promise<number>;
  /**
   * Asks every book when it wants to be woken: after a stop that was not clean, or a restore. Lets
   * others work between books. Resolves to true once all were asked.
   */
  readonly rearmAll: (signal: AbortSignal) => Promise<boolean>;
  readonly userIds: () => UserId[];
  readonly openNames: () => string[];
  readonly close: () => void;
};

/**
 * Thrown when the disk fails everybody: the call may be repeated and answers 503, as opposed to one
 * user's broken book.
 */
class StorageUnavailable extends Error {
  override readonly name = "StorageUnavailableError";
}

// A refusing book is looked at by a person; until then it is asked now and then, so that it goes on
// by itself once repaired.
const REFUSED_RETRY_MS = HOUR_MS;
const RINGING_MAX = 4;

const shardOf = (userId: string): string => shardByteOf(userId).toString(16).padStart(2, "0");

/** Opens the folder of ledgers. Files are made when a user's ledger is first called. */
export function openLedgers(parts: LedgersParts): Ledgers {
  const { folder, alarms, clock, log } = parts;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = openFiles<Book>({
    open: (userId) => openBook(folder, userId, parts.random),
    close: (book) => book.sql.close(),
    ...(parts.openMax === undefined ? {} : { max: parts.openMax }),
  });
  const guard = <T>(userId: string, call: (book: Book) => T): T | RefusedAnswer => {
    try {
      return files.use(userId, call);
    } catch (error) {
      // SQLite does not say here whether the disk or the book failed; a write to another file does.
      if (!alarms.canWrite()) throw new StorageUnavailable("the disk takes no writes");
      const invariant = error instanceof InvariantError ? error.code : null;
      log.alert("ledger_refused", { error: errorClass(error), user_id: userId, invariant });
      return err({ code: "ledger_refused" });
    }
  };
  const arm = (userId: string, nowMs: number): void => {
    const next = guard(userId, ({ engine }) => engine.nextAlarm(null, nowMs));
    if (next.ok) alarms.schedule(userId, next.value);
  };
  const ringing = new Map<string, Promise<DueAnswer>>();
  // A second caller of the same ledger waits for the round that runs and then has its own: its time
  // may be later.
  const runDue = async (userId: string, nowMs: number): Promise<DueAnswer> => {
    while (ringing.has(userId)) await ringing.get(userId);
    const round = runAlarm({
      userId,
      guard: (call) => guard(userId, ({ engine }) => call(engine)),
      database: parts.database,
      reserve: parts.reserve,
      helpers: parts.helpers,
      log,
    }, nowMs)
      .then((answer) => {
        rearm(userId, answer, nowMs);
        return answer;
      })
      .finally(() => ringing.delete(userId));
    ringing.set(userId, round);
    return round;
  };
  const rearm = (userId: string, answer: DueAnswer, nowMs: number): void => {
    if (!answer.ok) {
      alarms.schedule(userId, answer.error.code === "erased" ? null : nowMs + REFUSED_RETRY_MS);
    } else if (answer.value.more) alarms.schedule(userId, nowMs + ALARM_RETRY_MS);
    else arm(userId, nowMs);
  };
  const stubOf = ledgerStubs({ guard, arm, runDue, alarms, database: parts.database, clock });
  const userIds = (): UserId[] => listUserIds(folder);
  return {
    namespace: { getByName: stubOf },
    transferOf: (userId) =>
      transferStub((call) => guard(userId, ({ sql }) => call(sql)), (nowMs) => arm(userId, nowMs)),
    userIds,
    openNames: files.openNames,
    close: files.closeAll,
    async ring(limit) {
      const due = alarms.due(clock.nowMs(), limit);
      for (let first = 0; first < due.length; first += RINGING_MAX) {
        await Promise.all(due.slice(first, first + RINGING_MAX).map((userId) => ringOne(userId)));
      }
      return due.length;
    },
    async rearmAll(signal) {
      for (const userId of userIds()) {
        if (signal.aborted) return false;
        arm(userId, clock.nowMs());
        await new Promise((next) => setTimeout(next));
      }
      return true;
    },
  };

  async function ringOne(userId: string): Promise<void> {
    try {
      await runDue(userId, clock.nowMs());
    } catch (error) {
      log.alert("ledger_alarm_failed", { error: errorClass(error), user_id: userId });
      alarms.schedule(userId, clock.nowMs() + ALARM_RETRY_MS);
    }
  }
}

/** Moving one ledger in or out, as the object's methods do it on Cloudflare. */
function transferStub(
  use: <T>(call: (sql: FileSql) => T) => T | RefusedAnswer,
  arm: (nowMs: number) => void,
): LedgerTransferStub {
  return {
    dumpPage: async (cursor) => use((sql) => dumpPage(sql, "ledger", cursor)),
    stagePage: async (page) => use((sql) => stagePage(sql, page)),
    closeLoad: async (expected) => use((sql) => closeLoad(sql, "ledger", expected)),
    arm: async (_, nowMs) => arm(nowMs),
  };
}

function openBook(folder: string, userId: string, random: RandomBytes): Book {
  // A name that is no user's id could lead out of the folder.
  assert(
    isId("usr", userId),
    "ledger_id_invalid",
    "the id of the ledger to open is not a user's id",
  );
  const shard = join(folder, shardOf(userId));
  if (!existsSync(shard)) mkdirSync(shard, { mode: 0o700 });
  const sql = openFileSql(join(shard, `${userId}.sqlite`));
  try {
    sql.transaction(() => migrate(sql));
    return { sql, engine: createEngine({ sql, random, userId }) };
  } catch (error) {
    sql.close();
    throw error;
  }
}

function listUserIds(folder: string): UserId[] {
  return readdirSync(folder).flatMap((shard) => readdirSync(join(folder, shard)))
    .filter((name) => name.endsWith(".sqlite")).map((name) => name.slice(0, -".sqlite".length))
    .filter((name) => isId("usr", name)).sort();
}

type StubParts = {
  readonly guard: <T>(userId: string, call: (book: Book) => T) => T | RefusedAnswer;
  readonly arm: (userId: string, nowMs: number) => void;
  readonly runDue: (userId: string, nowMs: number) => Promise<DueAnswer>;
  readonly alarms: Alarms;
  readonly database: AlarmParts["database"];
  readonly clock: Clock;
};

function ledgerStubs(
  { guard, arm, runDue, alarms, database, clock }: StubParts,
): (userId: string) => LedgerStub {
  return (userId) => {
    const read = async <T>(call: (engine: Engine) => T): Promise<T | RefusedAnswer> =>
      guard(userId, ({ engine }) => call(engine));
    const write = async <T extends { readonly ok: boolean }>(
      nowMs: number,
      call: (engine: Engine) => T,
    ): Promise<T | RefusedAnswer> => {
      const result = guard(userId, ({ engine }) => call(engine));
      if (result.ok) arm(userId, nowMs);
      return result;
    };
    return {
      record: (input, nowMs) => write(nowMs, (engine) => engine.record(input, nowMs)),
      operate: (input, nowMs) => write(nowMs, (engine) => engine.operate(input, nowMs)),
      decideReview: (input, nowMs) => write(nowMs, (engine) => engine.decideReview(input, nowMs)),
      points: (input, nowMs) => read((engine) => engine.points(input, nowMs)),
      entries: (input, nowMs) => read((engine) => engine.entries(input, nowMs)),
      overview: (input, nowMs) => read((engine) => engine.overview(input, nowMs)),
      purchases: (input, nowMs) => read((engine) => engine.purchases(input, nowMs)),
      purchase: (input, nowMs) => read((engine) => engine.purchase(input, nowMs)),
      activate: (input, nowMs) => read((engine) => engine.activate(input, nowMs)),
      activations: (input, nowMs) => read((engine) => engine.activations(input, nowMs)),
      bankingActivity: (input, nowMs) => read((engine) => engine.bankingActivity(input, nowMs)),
      reviews: (input, nowMs) => read((engine) => engine.reviews(input, nowMs)),
      exportPage: (input, nowMs) => read((engine) => engine.exportPage(input, nowMs)),
      verify: (input, nowMs) => read((engine) => engine.verify(input, nowMs)),
      leaf: () => read((engine) => ok(engine.leaf())),
      runDue: (_, nowMs) => runDue(userId, nowMs),
      reproject: async (_, nowMs) => {
        const reset = await read((engine) => engine.retell(null, nowMs));
        return reset.ok ? runDue(userId, nowMs) : reset;
      },
      erase: async (): Promise<Result<Leaf, Refused>> => {
        await closeBook({
          userId,
          database,
          guard: (call) => guard(userId, ({ engine }) => call(engine)),
        }, clock.nowMs());
        const closed = guard(userId, ({ sql, engine }) => {
          const leaf = engine.leaf();
          return ok(sql.replaceAll(() => engine.closeErased(leaf)));
        });
        if (closed.ok) alarms.schedule(userId, null);
        return closed;
      },
    };
  };
}
