// When which ledger wants to be woken: a table of due times in a file of its own, polled. It is an
// index that the books can rebuild: writes are gathered for a moment, and after a stop that was not
// clean every book is asked again, so nothing is ever forgotten.
import { checkpoint, inTransaction, openDurable } from "./sqlite.ts";

export type Alarms = {
  /**
   * When to wake the user's ledger; null for never. Takes effect at once, is written by the next
   * `flush`.
   */
  readonly schedule: (userId: string, dueMs: number | null) => void;
  /** Who is due at `nowMs`, longest first. */
  readonly due: (nowMs: number, limit: number) => string[];
  readonly flush: () => void;
  /** True when the last process on this file did not close it. */
  readonly wasUnclean: boolean;
  /** Whether this disk takes a durable write now. */
  readonly canWrite: () => boolean;
  /**
   * Closes for good. `clean`: every alarm is written down, so the next start need not ask the
   * books.
   */
  readonly close: (clean: boolean) => void;
};

const TABLES = `
  CREATE TABLE IF NOT EXISTS alarms (user_id TEXT PRIMARY KEY, due_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS alarms_due ON alarms (due_ms);
  CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY CHECK (id = 1), clean INTEGER NOT NULL CHECK (clean IN (0, 1)), writes INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO state (id, clean, writes) VALUES (1, 0, 0);`;

/** Opens (or creates) the table. */
export function openAlarms(path: string): Alarms {
  const database = openDurable(path);
  database.exec(TABLES);
  // A new or a restored file counts as unclean: books may be there already.
  const wasUnclean = database.prepare("SELECT clean FROM state").get()?.["clean"] !== 1;
  database.exec("UPDATE state SET clean = 0");
  const changed = new Map<string, number | null>();
  const set = database.prepare(
    "INSERT INTO alarms (user_id, due_ms) VALUES (?, ?) ON CONFLICT (user_id) DO UPDATE SET due_ms = excluded.due_ms",
  );
  const remove = database.prepare("DELETE FROM alarms WHERE user_id = ?");
  const select = database.prepare(
    "SELECT user_id FROM alarms WHERE due_ms <= ? ORDER BY due_ms LIMIT ?",
  );
  const flush = (): void => {
    if (changed.size === 0) return;
    inTransaction(database, () => {
      for (const [userId, dueMs] of changed) {
        if (dueMs === null) remove.run(userId);
        else set.run(userId, dueMs);
      }
    });
    changed.clear();
  };
  return {
    wasUnclean,
    flush,
    schedule: (userId, dueMs) => void changed.set(userId, dueMs),
    due(nowMs, limit) {
      flush();
      return select.all(nowMs, limit).map((row) => String(row["user_id"]));
    },
    canWrite() {
      try {
        database.exec("UPDATE state SET writes = writes + 1");
        return true;
      } catch {
        return false;
      }
    },
    close(clean) {
      flush();
      if (clean) database.exec("UPDATE state SET clean = 1");
      checkpoint(database);
      database.close();
    },
  };
}
