// Every user's ledger on one server: what the object shell is on Cloudflare. One file per user;
// each call is one synchronous engine call on it, so there is one writer per user by construction;
// the table of alarms wakes the ledgers that wait for time.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../kernel/assert.ts";
import { isId, shardByteOf } from "../../kernel/ids.ts";
import type { UserId } from "../../kernel/ids.ts";
import { errorClass } from "../../kernel/log.ts";
import type { Log } from "../../kernel/log.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { Clock } from "../../kernel/time.ts";
import { migrate } from "../../ledger/book/schema.ts";
import { createEngine } from "../../ledger/engine.ts";
import type { Engine } from "../../ledger/engine.ts";
import { ALARM_RETRY_MS } from "../../ledger/object/alarm.ts";
import type { AlarmParts } from "../../ledger/object/alarm.ts";
import type { LedgerNamespace } from "../../ledger/object/methods.ts";
import { createShell, createTurns } from "../../ledger/object/shell-core.ts";
import type { LedgerShell } from "../../ledger/object/shell-core.ts";
import type { LedgerTransferStub } from "../../ledger/object/transfer-client.ts";
import type { Alarms } from "./alarms.ts";
import { openFiles } from "./open-files.ts";
import type { OpenFiles } from "./open-files.ts";
import { openFileSql } from "./sql-storage.ts";
import type { FileSql } from "./sql-storage.ts";

type Book = { readonly sql: FileSql; readonly engine: Engine };

type LedgersParts = {
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

const RINGING_MAX = 4;

const shardOf = (userId: string): string => shardByteOf(userId).toString(16).padStart(2, "0");

/** Opens the folder of ledgers. Files are made when a user's ledger is first called. */
export function openLedgers(parts: LedgersParts): Ledgers {
  const { folder, alarms, clock, log } = parts;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = openFiles<Book>({
    open: (userId) => openBook(parts, userId),
    close: (book) => book.sql.close(),
    ...(parts.openMax === undefined ? {} : { max: parts.openMax }),
  });
  const shellOf = ledgerShells(parts, files);
  const ringOne = async (userId: string): Promise<void> => {
    try {
      await shellOf(userId).runDue(null, clock.nowMs());
    } catch (error) {
      log.alert("ledger_alarm_failed", { error: errorClass(error), user_id: userId });
      alarms.schedule(userId, clock.nowMs() + ALARM_RETRY_MS);
    }
  };
  const userIds = (): UserId[] => listUserIds(folder);
  return {
    namespace: { getByName: shellOf },
    transferOf: shellOf,
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
        await shellOf(userId).arm(null, clock.nowMs());
        await new Promise((next) => setTimeout(next));
      }
      return true;
    },
  };
}

/** The shell of a user's ledger, over the file that holds the book. */
function ledgerShells(
  { alarms, database, reserve, helpers, log }: LedgersParts,
  files: OpenFiles<Book>,
): (userId: string) => LedgerShell {
  const inTurn = createTurns();
  return (userId) =>
    createShell({
      userId,
      database,
      reserve,
      helpers,
      log,
      use: (work) => files.use(userId, work),
      // A file that cannot be opened throws at each use.
      isFit: () => true,
      requireStorage: () => {
        // SQLite does not say whether the disk or the book failed; a write to another file does.
        if (!alarms.canWrite()) throw new StorageUnavailable("the disk takes no writes");
      },
      inTurn: (round) => inTurn(userId, round),
      setAlarm: (dueMs) => alarms.schedule(userId, dueMs),
      removeAlarm: () => alarms.schedule(userId, null),
      replaceBook: (close) =>
        files.use(userId, ({ sql, engine }) => ({
          leaf: sql.replaceAll(() => close(engine)),
          emptied: Promise.resolve(),
        })),
    });
}

function openBook({ folder, random, helpers }: LedgersParts, userId: string): Book {
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
    return { sql, engine: createEngine({ sql, random, userId, halts: helpers.halts.known }) };
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
