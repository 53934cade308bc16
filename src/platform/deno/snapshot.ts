// A copy of a data folder that can be restored, taken while the server runs, and the check that it
// can be trusted. Each file is copied in one read transaction; between files the order makes it
// safe: the database first, ledgers next, budgets last. So a ledger is never older than what the
// database says of it, and a budget never holds less than its purchases.
import { chmodSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemRandomBytes } from "../../kernel/random.ts";
import { erasedLeaf } from "../../ledger/book/meta.ts";
import type { Sql, SqlRow } from "../../ledger/book/sql.ts";
import { verifyBook } from "../../ledger/book/verify.ts";
import { newCall } from "../../ledger/book/call.ts";

const DATABASE = "cagnotte.sqlite";
const FOLDERS = ["ledgers", "budgets"] as const;

function sqliteFiles(root: string, folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true }).map(String).filter((name) =>
    name.endsWith(".sqlite")
  ).sort().map((name) => join(folder, name));
}

/**
 * Copies a data folder into a new one and returns how many files it has. The alarms are left out:
 * the next start asks every book. The keys are not in the folder and must be kept elsewhere. Throws
 * when the target exists, or when the folder is no server's: opening a database that is not there
 * would make an empty one.
 */
export function takeSnapshot(dataDir: string, target: string): number {
  if (!existsSync(join(dataDir, DATABASE))) throw new Error(`${dataDir} holds no ${DATABASE}`);
  mkdirSync(target, { mode: 0o700 });
  const copy = (name: string): void => {
    mkdirSync(dirname(join(target, name)), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(join(dataDir, name));
    try {
      database.exec("PRAGMA busy_timeout = 5000");
      database.prepare("VACUUM INTO ?").run(join(target, name));
      chmodSync(join(target, name), 0o600);
    } finally {
      database.close();
    }
  };
  let count = 1;
  copy(DATABASE);
  for (const folder of FOLDERS) {
    for (const name of sqliteFiles(dataDir, folder)) {
      copy(name);
      count += 1;
    }
  }
  return count;
}

export type SnapshotCheck = {
  readonly users: number;
  readonly transactions: number;
  /** `<file>: <what does not hold>`, none when all is sound. */
  readonly broken: readonly string[];
};

/**
 * Checks every file's structure, every ledger's chain and sums, and that the database's heads are
 * on those chains. Changes nothing.
 */
export function checkSnapshot(folder: string): SnapshotCheck {
  const broken: string[] = [];
  const database = new DatabaseSync(join(folder, DATABASE), { readOnly: true });
  const heads = new Map<string, { readonly sequence: number; readonly head: string }>(
    database.prepare("SELECT user_id, last_sequence, head FROM ledger_heads").all().map((
      row,
    ) => [String(row["user_id"]), {
      sequence: Number(row["last_sequence"]),
      head: String(row["head"]),
    }]),
  );
  for (const fault of integrityFaults(database)) broken.push(`${DATABASE}: ${fault}`);
  database.close();
  let users = 0;
  let transactions = 0;
  for (const name of sqliteFiles(folder, "ledgers")) {
    const userId = /([^/\\]+)\.sqlite$/.exec(name)?.[1] ?? "";
    const book = new DatabaseSync(join(folder, name), { readOnly: true });
    try {
      const checked = checkBook(book, userId, heads.get(userId));
      users += 1;
      transactions += checked.sequence;
      for (const fault of checked.broken) broken.push(`${name}: ${fault}`);
    } catch {
      broken.push(`${name}: cannot be read`);
    } finally {
      book.close();
      heads.delete(userId);
    }
  }
  for (const userId of heads.keys()) {
    broken.push(`${userId}: the database knows a ledger that is not here`);
  }
  return { users, transactions, broken };
}

function integrityFaults(database: DatabaseSync): string[] {
  return database.prepare("PRAGMA integrity_check").all().map((row) =>
    String(row["integrity_check"])
  ).filter((text) => text !== "ok").map(() => "the file is damaged");
}

function checkBook(
  book: DatabaseSync,
  userId: string,
  projected: { readonly sequence: number; readonly head: string } | undefined,
): { readonly sequence: number; readonly broken: string[] } {
  const sql: Sql = {
    exec: (query, ...bindings) => book.prepare(query).all(...bindings) as SqlRow[],
    transaction: (work) => work(),
    rowsWritten: () => 0,
  };
  const broken = integrityFaults(book);
  const leaf = erasedLeaf(sql);
  if (leaf !== null) return { sequence: leaf.sequence, broken };
  const verified = verifyBook(newCall(sql, systemRandomBytes, userId, 1));
  broken.push(...verified.broken);
  if (projected !== undefined && projected.sequence > 0) {
    const row = sql.exec("SELECT hash FROM transactions WHERE sequence = ?", projected.sequence)[0];
    if (row === undefined) broken.push("the ledger is older than the database says");
    else if (row["hash"] !== projected.head) {
      broken.push("the database's head is not on the ledger's chain");
    }
  }
  return { sequence: verified.sequence, broken };
}
