// D1's interface over node:sqlite: what it must share with D1 so that a store cannot distinguish
// them apart.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, describe, test } from "vitest";
import { DatabaseFailure, isDatabaseFailure, openDatabase } from "../../../src/db/database.ts";
import { migrateSqliteD1, openSqliteD1 } from "../../../src/platform/deno/d1.ts";

const folder = mkdtempSync(join(tmpdir(), "cagnotte-d1-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function people() {
  const db = openSqliteD1(":memory:");
  await db.prepare("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)").run();
  return db;
}

describe("batch()", () => {
  test("is one transaction: a statement that fails takes all others back", async ({ expect }) => {
    const db = await people();
    const insert = (name: string) => db.prepare("INSERT INTO people (name) VALUES (?)").bind(name);
    await expect(db.batch([insert("a"), insert("b"), insert("a")])).rejects.toThrow();
    expect((await db.prepare("SELECT * FROM people").all()).results).toEqual([]);
    const results = await db.batch([insert("a"), insert("b")]);
    expect(results.map(({ meta }) => meta.changes)).toEqual([1, 1]);
  });

  test("leaves no open transaction behind", async ({ expect }) => {
    const db = await people();
    await expect(db.batch([db.prepare("INSERT INTO people (name) VALUES (NULL)")])).rejects
      .toThrow();
    expect(await db.batch([db.prepare("INSERT INTO people (name) VALUES ('a')")])).toHaveLength(1);
  });

  test("answers each statement with its own rows and changes", async ({ expect }) => {
    const db = await people();
    const [inserted, read] = await db.batch([
      db.prepare("INSERT INTO people (name) VALUES ('a'), ('b') RETURNING id, name"),
      db.prepare("SELECT COUNT(*) AS n FROM people"),
    ]);
    expect(inserted).toMatchObject({
      results: [{ id: 1, name: "a" }, { id: 2, name: "b" }],
      meta: { changes: 2 },
    });
    expect(read).toMatchObject({ results: [{ n: 2 }], meta: { changes: 0 } });
  });

  test("refuses a statement of another database, which would be outside its transaction", async ({ expect }) => {
    const [one, other] = [await people(), await people()];
    await expect(one.batch([other.prepare("INSERT INTO people (name) VALUES ('a')")])).rejects
      .toThrow(TypeError);
  });
});

describe("statements", () => {
  test("raw() keeps two columns of one name apart", async ({ expect }) => {
    const db = openSqliteD1(":memory:");
    expect(await db.prepare("SELECT 1 AS id, 2 AS id, 'x' AS name").raw()).toEqual([[1, 2, "x"]]);
    // The same text again as objects: one way of reading must not colour the other.
    expect((await db.prepare("SELECT 1 AS id, 2 AS id, 'x' AS name").all()).results).toEqual([{
      id: 2,
      name: "x",
    }]);
  });

  test.for(
    [["undefined", undefined], ["bigint", 1n], ["symbol", Symbol("s")], ["object", {}]] as const,
  )("refuses to bind %s, as D1 does", async ([, value], { expect }) => {
    const db = await people();
    expect(() => db.prepare("SELECT ?").bind(value)).toThrow(TypeError);
  });

  test("refuses more than 100 bound values, as D1 does", ({ expect }) => {
    const db = openSqliteD1(":memory:");
    const list = (count: number) =>
      db.prepare(`SELECT ${Array.from({ length: count }, () => "?").join(", ")}`).bind(
        ...Array.from({ length: count }, (_, index) => index),
      );
    expect(() => list(100)).not.toThrow();
    expect(() => list(101)).toThrow(TypeError);
  });

  test("binds booleans as numbers, and bytes", async ({ expect }) => {
    const db = openSqliteD1(":memory:");
    const bytes = new Uint8Array([1, 2, 3]);
    expect(
      await db.prepare("SELECT ? AS yes, hex(?) AS a, hex(?) AS b").bind(true, bytes, bytes.buffer)
        .first(),
    ).toEqual({ yes: 1, a: "010203", b: "010203" });
  });

  test("first() is null when there is no row, run() counts changes", async ({ expect }) => {
    const db = await people();
    expect(await db.prepare("SELECT 1 FROM people").first()).toBeNull();
    expect((await db.prepare("INSERT INTO people (name) VALUES ('a'), ('b')").run()).meta.changes)
      .toBe(2);
    expect(
      (await db.prepare("UPDATE people SET name = name || '!' WHERE id = 7").run()).meta.changes,
    ).toBe(0);
  });

  test("a prepared statement may be bound twice without the values meeting", async ({ expect }) => {
    const db = openSqliteD1(":memory:");
    const statement = db.prepare("SELECT ? AS v");
    const [a, b] = [statement.bind("a"), statement.bind("b")];
    expect([await b.first(), await a.first()]).toEqual([{ v: "b" }, { v: "a" }]);
  });

  test("says where it was served from only when it was configured to", async ({ expect }) => {
    expect((await openSqliteD1(":memory:").prepare("SELECT 1").run()).meta.served_by_region)
      .toBeUndefined();
    expect(
      (await openSqliteD1(":memory:", "eu-declared").prepare("SELECT 1").run()).meta
        .served_by_region,
    ).toBe("eu-declared");
  });
});

describe("through drizzle", () => {
  test("a failing statement and a failing batch are database failures that quote nothing of ours when it is a batch", async ({ expect }) => {
    const binding = await people();
    const db = openDatabase(binding);
    const twice = sql`INSERT INTO people (id, name) VALUES (1, ${"secret@example.org"})`;
    await db.run(twice);
    const single = await db.run(twice).then(() => null, (error: unknown) => error);
    expect(isDatabaseFailure(single)).toBe(true);
    const batch = await db.batch([db.run(twice)] as never).then(
      () => null,
      (error: unknown) => error,
    );
    expect(batch).toBeInstanceOf(DatabaseFailure);
    expect(String(batch)).not.toContain("secret");
  });
});

describe("migrateSqliteD1()", () => {
  test("applies ours, once, and foreign keys hold", async ({ expect }) => {
    const file = join(folder, "ours.sqlite");
    migrateSqliteD1(file, "migrations");
    migrateSqliteD1(file, "migrations");
    const db = openSqliteD1(file);
    const names =
      (await db.prepare("SELECT name FROM d1_migrations ORDER BY id").all<{ name: string }>())
        .results.map((row) => row.name);
    expect(names).toEqual([...names].sort());
    expect(new Set(names).size).toBe(names.length);
    expect(await db.prepare("PRAGMA foreign_keys").first()).toEqual({ foreign_keys: 1 });
    expect(await db.prepare("PRAGMA synchronous").first()).toEqual({ synchronous: 2 });
    expect(await db.prepare("PRAGMA journal_mode").first()).toEqual({ journal_mode: "wal" });
    db.close();
  });

  test("a migration that fails leaves nothing of itself, and the next start goes on there", async ({ expect }) => {
    const migrations = mkdtempSync(join(folder, "migrations-"));
    const file = join(folder, "failing.sqlite");
    writeFileSync(join(migrations, "0001_first.sql"), "CREATE TABLE a (x);");
    writeFileSync(join(migrations, "0002_second.sql"), "CREATE TABLE b (x); CREATE TABLE a (x);");
    expect(() => migrateSqliteD1(file, migrations)).toThrow();
    writeFileSync(join(migrations, "0002_second.sql"), "CREATE TABLE b (x);");
    migrateSqliteD1(file, migrations);
    const db = openSqliteD1(file);
    expect((await db.prepare("SELECT name FROM d1_migrations").all()).results).toHaveLength(2);
    db.close();
  });

  test("refuses data that a later version has migrated", ({ expect }) => {
    const migrations = mkdtempSync(join(folder, "migrations-"));
    const file = join(folder, "later.sqlite");
    writeFileSync(join(migrations, "0001_first.sql"), "CREATE TABLE a (x);");
    writeFileSync(join(migrations, "0002_later.sql"), "CREATE TABLE b (x);");
    migrateSqliteD1(file, migrations);
    rmSync(join(migrations, "0002_later.sql"));
    expect(() => migrateSqliteD1(file, migrations)).toThrow();
  });
});
