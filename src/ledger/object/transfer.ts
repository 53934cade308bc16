// Moving a whole object (a user's book, an offer's budget) to another runtime as raw rows. Nothing
// is brought up to date on the way, so what arrives is what left. Pages are staged beside the
// tables and take effect in one transaction, only if the book then proves sound.
import { sha256Hex } from "../../kernel/hash.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import {
  insertPageSql,
  keyOfRow,
  readPageSql,
  SHAPE_SQL,
  shapeOf,
} from "../../kernel/table-copy.ts";
import type { RawRow, RawValue, TableShape } from "../../kernel/table-copy.ts";
import { readHead } from "../book/transactions.ts";
import { budgetReserved } from "./offer-budget.ts";
import { erasedLeaf } from "../book/meta.ts";
import type {
  BookPart,
  BookSeal,
  DumpedPage,
  ExpectedBook,
  StagedPage,
  TransferFailure,
  TransferKind,
} from "../ports.ts";
import { integerOf, textOf } from "../book/sql.ts";
import type { Sql } from "../book/sql.ts";
import { verifyBook } from "../book/verify.ts";
import { newCall } from "../book/call.ts";
import type { TransferStub } from "./transfer-client.ts";

/** Every table but `object_migrations`, which the receiving object has of its own. */
export const TRANSFERRED: Readonly<Record<TransferKind, readonly string[]>> = {
  ledger: [
    "meta",
    "accounts",
    "connections",
    "purchases",
    "transactions",
    "lots",
    "holds",
    "requests",
    "activations",
    "sample_changes",
    "reads",
  ],
  budget: ["reservations", "total"],
};
const STAGE = "transfer_pages";
export const DUMP_ROWS = 200;

type Position = {
  readonly table: number;
  readonly after: readonly RawValue[] | null;
  readonly digest: string;
};

/**
 * The next rows of an object, at most `DUMP_ROWS`, after `cursor` (null: from the start). The last
 * page carries the seal; it fails with `changed` when any row changed since the first page, because
 * such a copy is of no moment that ever was.
 */
export function dumpPage(
  sql: Sql,
  kind: TransferKind,
  cursor: string | null,
): Result<DumpedPage, TransferFailure> {
  return sql.transaction(() => {
    const start: Position = cursor === null
      ? { table: 0, after: null, digest: digestOf(sql, kind) }
      : (JSON.parse(cursor) as Position);
    const parts: BookPart[] = [];
    let room = DUMP_ROWS;
    let after = start.after;
    for (let table = start.table; table < TRANSFERRED[kind].length; table++, after = null) {
      const shape = readShape(sql, TRANSFERRED[kind][table] ?? "");
      const rows = readRows(sql, shape, after, room);
      const last = rows.at(-1);
      if (last !== undefined) parts.push({ table: shape.table, columns: shape.columns, rows });
      room -= rows.length;
      if (room === 0 && last !== undefined) {
        return ok({
          parts,
          next: JSON.stringify({ table, after: keyOfRow(shape, last), digest: start.digest }),
          seal: null,
        });
      }
    }
    const seal = sealOf(sql, kind, cursor === null ? start.digest : digestOf(sql, kind));
    return seal.digest === start.digest
      ? ok({ parts, next: null, seal })
      : err({ code: "changed" });
  });
}

/** Keeps a page until `closeLoad`. A page that is there already is not written again. */
export function stagePage(sql: Sql, page: StagedPage): Result<null, TransferFailure> {
  return sql.transaction(() => {
    sql.exec(
      `CREATE TABLE IF NOT EXISTS ${STAGE} (archive TEXT NOT NULL, number INTEGER NOT NULL, parts TEXT NOT NULL, PRIMARY KEY (archive, number)) STRICT, WITHOUT ROWID`,
    );
    sql.exec(
      `INSERT INTO ${STAGE} (archive, number, parts) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
      page.archive,
      page.number,
      JSON.stringify(page.parts),
    );
    return ok(null);
  });
}

/**
 * The three steps of a transfer over one object. `use` runs each of them on the object's storage,
 * or refuses in its place.
 */
export function transferStub(
  kind: TransferKind,
  use: <T>(
    call: (sql: Sql) => Result<T, TransferFailure>,
  ) => Result<T, TransferFailure>,
): TransferStub {
  return {
    dumpPage: async (cursor) => use((sql) => dumpPage(sql, kind, cursor)),
    stagePage: async (page) => use((sql) => stagePage(sql, page)),
    closeLoad: async (expected) => use((sql) => closeLoad(sql, kind, expected)),
  };
}

class Refusal extends Error {
  override readonly name = "TransferRefusal";
  readonly code: TransferFailure["code"];
  constructor(code: TransferFailure["code"]) {
    super(code);
    this.code = code;
  }
}

/**
 * Puts the staged pages in place and proves the result: every row as it left (digest), the same
 * sequence and head, the chain and the sums sound. Anything else leaves the object as it was.
 * Repeated after a lost answer it succeeds again.
 */
export function closeLoad(
  sql: Sql,
  kind: TransferKind,
  expected: ExpectedBook,
): Result<null, TransferFailure> {
  try {
    sql.transaction(() => replaceRows(sql, kind, expected));
    return ok(null);
  } catch (error) {
    if (error instanceof Refusal) return err({ code: error.code });
    throw error;
  }
}

function replaceRows(sql: Sql, kind: TransferKind, { archive, pages, seal }: ExpectedBook): void {
  // A crash came between this and the note that it was done: the page was staged again, but the
  // book is the archive's already.
  if (digestOf(sql, kind) === seal.digest) return void sql.exec(`DROP TABLE IF EXISTS ${STAGE}`);
  if (!staged(sql)) throw new Refusal("incomplete");
  if (inUse(sql, kind)) throw new Refusal("not_empty");
  for (const table of TRANSFERRED[kind]) sql.exec(`DELETE FROM "${table}"`);
  for (let number = 0; number < pages; number++) {
    const row =
      sql.exec(`SELECT parts FROM ${STAGE} WHERE archive = ? AND number = ?`, archive, number)[0];
    if (row === undefined) throw new Refusal("incomplete");
    for (const part of JSON.parse(textOf(row, "parts")) as BookPart[]) insertPart(sql, kind, part);
  }
  sql.exec(`DROP TABLE ${STAGE}`);
  const found = sealOf(sql, kind, digestOf(sql, kind));
  if (
    found.digest !== seal.digest || found.sequence !== seal.sequence || found.head !== seal.head
  ) throw new Refusal("mismatch");
  if (kind === "ledger" && erasedLeaf(sql) === null && !isSound(sql, seal)) {
    throw new Refusal("mismatch");
  }
  if (
    kind === "budget" &&
    integerOf(
        sql.exec("SELECT COALESCE(SUM(points), 0) AS points FROM reservations")[0] ?? {},
        "points",
      ) !== seal.sequence
  ) throw new Refusal("mismatch");
}

function insertPart(sql: Sql, kind: TransferKind, part: BookPart): void {
  if (!TRANSFERRED[kind].includes(part.table)) throw new Refusal("mismatch");
  const shape = readShape(sql, part.table);
  if (JSON.stringify(shape.columns) !== JSON.stringify(part.columns)) throw new Refusal("mismatch");
  sql.exec(insertPageSql(shape), JSON.stringify(part.rows));
}

function isSound(sql: Sql, seal: BookSeal): boolean {
  const work = newCall(
    sql,
    () => {
      throw new Error("verification draws no random bytes");
    },
    undefined,
    1,
  );
  const found = verifyBook(work);
  return found.broken.length === 0 && found.sequence === seal.sequence && found.head === seal.head;
}

function staged(sql: Sql): boolean {
  return sql.exec("SELECT 1 AS there FROM sqlite_master WHERE type = 'table' AND name = ?", STAGE)
    .length > 0;
}

// An empty book that was only looked at is still empty; one that recorded anything is somebody's
// money.
function inUse(sql: Sql, kind: TransferKind): boolean {
  if (kind === "budget") return budgetReserved(sql) !== 0;
  const row = sql.exec(
    "SELECT (SELECT COUNT(*) FROM transactions) + (SELECT COUNT(*) FROM purchases) + (SELECT COUNT(*) FROM accounts) + (SELECT COUNT(*) FROM activations) AS n",
  )[0];
  return integerOf(row ?? {}, "n") > 0 || erasedLeaf(sql) !== null;
}

function sealOf(sql: Sql, kind: TransferKind, digest: string): BookSeal {
  if (kind === "budget") return { sequence: budgetReserved(sql), head: "", digest };
  const erased = erasedLeaf(sql);
  if (erased !== null) return { sequence: erased.sequence, head: erased.head, digest };
  const head = readHead(sql);
  return { sequence: head.sequence, head: head.hash, digest };
}

function readShape(sql: Sql, table: string): TableShape {
  return shapeOf(table, sql.exec(SHAPE_SQL, table));
}

function readRows(
  sql: Sql,
  shape: TableShape,
  after: readonly RawValue[] | null,
  limit: number,
): RawRow[] {
  if (limit === 0) return [];
  return sql.exec(readPageSql(shape, after !== null), ...(after ?? []), limit).map((row) =>
    shape.columns.map((column) => row[column] ?? null)
  );
}

/** A hash over every row of every table, in order: the hash of the last row and all before it. */
function digestOf(sql: Sql, kind: TransferKind): string {
  let digest = "";
  for (const table of TRANSFERRED[kind]) {
    const shape = readShape(sql, table);
    let after: RawValue[] | null = null;
    for (;;) {
      const rows: RawRow[] = readRows(sql, shape, after, DUMP_ROWS);
      for (const row of rows) digest = sha256Hex(`${digest}${table}${JSON.stringify(row)}`);
      const last = rows.at(-1);
      if (last === undefined || rows.length < DUMP_ROWS) break;
      after = keyOfRow(shape, last);
    }
  }
  return digest;
}
