// How an older object reaches today's tables, with a book in it that has lived through everything;
// the same for an offer's budget.
import { describe, expect, test } from "vitest";
import { BUDGET_MIGRATIONS, migrateBudget } from "../../../src/ledger/object/offer-budget.ts";
import { migrate, OBJECT_MIGRATIONS } from "../../../src/ledger/book/schema.ts";
import type { ObjectMigration } from "../../../src/ledger/book/schema.ts";
import { openFileSql } from "../../../src/platform/deno/sql-storage.ts";
import type { FileSql } from "../../../src/platform/deno/sql-storage.ts";
import { BUDGET, budgetBook, differences, LEDGER, livedBook } from "./shapes.ts";
import type { Migratable } from "./shapes.ts";

const ddl = (sql: FileSql): string =>
  sql.exec("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").map((row) =>
    String(row["sql"]).replace(/\s+/g, " ")
  ).join("\n");

function open(steps = OBJECT_MIGRATIONS.length): FileSql {
  const sql = openFileSql(":memory:");
  sql.transaction(() => migrate(sql, OBJECT_MIGRATIONS.slice(0, steps)));
  return sql;
}

describe("object migrations", () => {
  test("end in the tables of the snapshot", async () => {
    await expect(`${ddl(open())}\n`).toMatchFileSnapshot("ledger-schema.snapshot.sql");
  });

  test("reach the same tables from every older shape", () => {
    for (let steps = 0; steps <= OBJECT_MIGRATIONS.length; steps++) {
      const sql = open(steps);
      sql.transaction(() => migrate(sql));
      expect(ddl(sql)).toBe(ddl(open()));
    }
  });

  test.each(OBJECT_MIGRATIONS.map(({ name }, index) => [name, index + 1] as const))(
    "keep a lived book from the shape of %s on",
    (_, steps) => {
      expect(differences(LEDGER, livedBook(), steps, OBJECT_MIGRATIONS)).toEqual([]);
    },
  );

  test("are tried on a book with every kind of row", () => {
    const sql = livedBook();
    const kinds = (query: string): unknown[] => sql.exec(query).map((row) => Object.values(row)[0]);
    expect(kinds("SELECT DISTINCT outcome FROM purchases ORDER BY 1")).toEqual([
      "earned",
      "not_earned",
      "reversed",
      "waiting",
    ]);
    expect(kinds("SELECT DISTINCT waits_for FROM purchases ORDER BY 1")).toEqual([
      null,
      "booking",
      "budget",
      "purchase",
      "review",
    ]);
    expect(kinds("SELECT DISTINCT state FROM holds ORDER BY 1")).toEqual([
      "committed",
      "open",
      "settled",
    ]);
    expect(kinds("SELECT DISTINCT kind FROM transactions ORDER BY 1")).toEqual([
      "clawback",
      "confirm",
      "earn",
      "expire",
      "goodwill",
      "hold",
      "referral",
      "settle",
    ]);
    expect(kinds("SELECT count(*) > 0 FROM lots WHERE noticed_30_ms IS NOT NULL AND remaining > 0"))
      .toEqual([1]);
    expect(kinds("SELECT count(*) FROM purchases WHERE same_as IS NOT NULL")).toEqual([1]);
    for (
      const table of kinds(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sample_changes'",
      )
    ) expect([table, kinds(`SELECT count(*) > 0 FROM ${String(table)}`)]).toEqual([table, [1]]);
  });

  const harm = (
    ...statements: string[]
  ): readonly ObjectMigration[] => [...OBJECT_MIGRATIONS, {
    id: OBJECT_MIGRATIONS.length + 1,
    name: "harm",
    sql: statements,
  }];
  test.each([
    ["lots", "DELETE FROM lots"],
    [
      "one lot's confirmation",
      "UPDATE lots SET due_ms = due_ms + 30 * 86400000 WHERE lot_no = (SELECT max(lot_no) FROM lots WHERE state = 'pending')",
    ],
    ["holds", "DELETE FROM holds"],
    ["held rows", "UPDATE purchases SET waits_for = NULL WHERE waits_for = 'review'"],
    ["what budgets hold", "UPDATE purchases SET budget = NULL"],
    ["which rows are the same", "UPDATE purchases SET same_as = NULL"],
    ["request keys", "DELETE FROM requests"],
    ["notices that were sent", "UPDATE lots SET noticed_7_ms = NULL, noticed_30_ms = NULL"],
    [
      "the newest transaction",
      "DELETE FROM transactions WHERE sequence = (SELECT max(sequence) FROM transactions)",
    ],
    ["how far D1 has come", "DELETE FROM meta"],
    ["activations", "DELETE FROM activations"],
    ["accounts' names", "UPDATE accounts SET account_id = account_id || 'x'"],
    ["when a connection was read", "DELETE FROM connections"],
  ])("that harm %s are noticed, from every shape", (_, statement) => {
    for (let steps = 1; steps <= OBJECT_MIGRATIONS.length; steps++) {
      expect(differences(LEDGER, livedBook(), steps, harm(statement))).not.toEqual([]);
    }
  });

  test("run once", () => {
    const sql = open();
    const before = sql.rowsWritten();
    migrate(sql);
    expect(sql.rowsWritten()).toBe(before);
  });

  test("stop at a list that was renamed, reordered or is older than the object", () => {
    const [first, ...rest] = OBJECT_MIGRATIONS;
    if (first === undefined) throw new Error("there is a first migration");
    expect(() => migrate(open(), [{ ...first, name: "other" }, ...rest])).toThrow(
      "differ from this code's",
    );
    expect(() => migrate(open(), [{ ...first, id: 2 }, ...rest])).toThrow(
      "differ from this code's",
    );
    expect(() => migrate(open(), [])).toThrow("does not know");
  });

  test("have ids 1, 2, 3 in order", () => {
    expect(OBJECT_MIGRATIONS.map((migration) => migration.id)).toEqual(
      OBJECT_MIGRATIONS.map((_, index) => index + 1),
    );
  });

  test("every table is STRICT", () => {
    for (const statement of ddl(open()).split("\n")) {
      if (statement.startsWith("CREATE TABLE")) {
        expect(statement).toMatch(/STRICT(, WITHOUT ROWID)?$/);
      }
    }
  });
});

describe("migrations of an offer's budget", () => {
  const of = ({ migrations, open: openShape }: Migratable): string => ddl(openShape(migrations));

  test("end in the tables of the snapshot", async () => {
    await expect(`${of(BUDGET)}\n`).toMatchFileSnapshot("ledger-budget-schema.snapshot.sql");
  });

  test("reach the same tables from every older shape, and keep what is reserved", () => {
    for (let steps = 0; steps <= BUDGET_MIGRATIONS.length; steps++) {
      const sql = BUDGET.open(BUDGET_MIGRATIONS.slice(0, steps));
      migrateBudget(sql);
      expect(ddl(sql)).toBe(of(BUDGET));
    }
    for (let steps = 1; steps <= BUDGET_MIGRATIONS.length; steps++) {
      expect(differences(BUDGET, budgetBook(), steps, BUDGET_MIGRATIONS)).toEqual([]);
    }
  });

  test.each([
    "DELETE FROM reservations",
    "UPDATE total SET points = 0",
    "UPDATE reservations SET points = points + 1",
  ])("that do harm are noticed: %s", (statement) => {
    const harm = [...BUDGET_MIGRATIONS, {
      id: BUDGET_MIGRATIONS.length + 1,
      name: "harm",
      sql: [statement],
    }];
    for (let steps = 1; steps <= BUDGET_MIGRATIONS.length; steps++) {
      expect(differences(BUDGET, budgetBook(), steps, harm)).not.toEqual([]);
    }
  });

  test("have ids 1, 2, 3 in order", () => {
    expect(BUDGET_MIGRATIONS.map((migration) => migration.id)).toEqual(
      BUDGET_MIGRATIONS.map((_, index) => index + 1),
    );
  });
});
