import { describe, test } from "vitest";
import { migrate, OBJECT_MIGRATIONS } from "../../src/ledger/schema.ts";
import { openFileSql } from "../../src/platform/deno/sql-storage.ts";
import type { FileSql } from "../../src/platform/deno/sql-storage.ts";

const ddl = (sql: FileSql): string => sql.exec("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").map((row) => String(row["sql"]).replace(/\s+/g, " ")).join("\n");

function open(steps = OBJECT_MIGRATIONS.length): FileSql {
  const sql = openFileSql(":memory:");
  sql.transaction(() => migrate(sql, OBJECT_MIGRATIONS.slice(0, steps)));
  return sql;
}

describe("object migrations", () => {
  test("end in the tables of the snapshot", async ({ expect }) => {
    await expect(`${ddl(open())}\n`).toMatchFileSnapshot("ledger-schema.snapshot.sql");
  });

  test("reach the same tables from every older shape", ({ expect }) => {
    for (let steps = 0; steps <= OBJECT_MIGRATIONS.length; steps++) {
      const sql = open(steps);
      sql.transaction(() => migrate(sql));
      expect(ddl(sql)).toBe(ddl(open()));
    }
  });

  test("run once", ({ expect }) => {
    const sql = open();
    const before = sql.rowsWritten();
    migrate(sql);
    expect(sql.rowsWritten()).toBe(before);
  });

  test("stop at a list that was renamed, reordered or is older than the object", ({ expect }) => {
    const [first, ...rest] = OBJECT_MIGRATIONS;
    if (first === undefined) throw new Error("there is a first migration");
    expect(() => migrate(open(), [{ ...first, name: "other" }, ...rest])).toThrow("match the code's");
    expect(() => migrate(open(), [{ ...first, id: 2 }, ...rest])).toThrow("match the code's");
    expect(() => migrate(open(), [])).toThrow("does not know");
  });

  test("have ids 1, 2, 3 in order", ({ expect }) => {
    expect(OBJECT_MIGRATIONS.map((migration) => migration.id)).toEqual(OBJECT_MIGRATIONS.map((_, index) => index + 1));
  });

  test("every table is STRICT", ({ expect }) => {
    for (const statement of ddl(open()).split("\n")) if (statement.startsWith("CREATE TABLE")) expect(statement).toMatch(/STRICT(, WITHOUT ROWID)?$/);
  });
});
