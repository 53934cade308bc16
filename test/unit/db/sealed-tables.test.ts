// Which tables are sealed and which are not, what each seal covers, and the sweep that seals rows of
// before: over the real migrations.
import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { getTableColumns, getTableName } from "drizzle-orm";
import { describe, test } from "vitest";
import { openDatabase } from "../../../src/db/database.ts";
import type { Database } from "../../../src/db/database.ts";
import { rowSeals } from "../../../src/db/row-seals.ts";
import type { RowSeals, SealedTable } from "../../../src/db/row-seals.ts";
import { sealPage } from "../../../src/db/seal-sweep.ts";
import type { SealPosition } from "../../../src/db/seal-sweep.ts";
import { SEALED_SESSIONS, SEALED_TABLES, SEALED_USERS } from "../../../src/db/sealed-tables.ts";
import type { Keyring } from "../../../src/kernel/keyring.ts";
import { jsonLog } from "../../../src/kernel/log.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";
import { openSqliteD1 } from "../../../src/platform/deno/d1.ts";

/** Tables with a user's id that carry no seal, and why nobody gains by changing one. */
const UNSEALED: Readonly<Record<string, string>> = {
  known_devices: "decides only whose wrong tries count together; each code has its own limit",
  connection_intents:
    "found only with a state that its user's own redirect carries; the link that it leads to is sealed",
  earning_transfers: "decides only which holder of a sealed account earns",
  notices: "empty: user_notices took its place",
  user_notices: "a mail to the user's own, sealed address",
  ledger_heads: "a copy of what the ledgers hold, rebuilt from them",
};

const MIGRATIONS = readdirSync("migrations").filter((name) => name.endsWith(".sql")).sort()
  .map((name) => readFileSync(`migrations/${name}`, "utf8"));
const keyring = (active: string, keys: Keyring["keys"] = new Map()): Keyring => ({
  active,
  keys: new Map([[active, systemRandomBytes(32)], ...keys]),
});
const SINCE_MS = 1_000;
const sealsOf = (ring: Keyring, unsealedBeforeMs: number | null, lines: string[] = []): RowSeals =>
  rowSeals({ keyring: ring, unsealedBeforeMs, log: jsonLog((line) => lines.push(line)) });

function tables(): Map<string, readonly string[]> {
  const database = new DatabaseSync(":memory:");
  for (const migration of MIGRATIONS) database.exec(migration);
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  return new Map(names.map(({ name }) => [
    String(name),
    database.prepare("SELECT name FROM pragma_table_info(?)").all(String(name)).map((column) =>
      String(column["name"])
    ),
  ]));
}

describe("the tables", () => {
  const sealedNames = SEALED_TABLES.map(({ table }) => getTableName(table));

  test("that name a user are sealed, or listed here with the reason why not", ({ expect }) => {
    const open = [...tables()].filter(([name, columns]) =>
      columns.includes("user_id") && !sealedNames.includes(name)
    );
    expect(open.map(([name]) => name).sort()).toEqual(Object.keys(UNSEALED).sort());
  });

  test("that have a seal are all in the list that back-fills and renews", ({ expect }) => {
    const withSeal = [...tables()].filter(([, columns]) => columns.includes("seal"));
    expect(withSeal.map(([name]) => name).sort()).toEqual([...sealedNames].sort());
  });
});

/** A row of a table with some value in every covered column. */
function someRow(table: SealedTable<never>): Record<string, unknown> {
  const columns = getTableColumns(table.table);
  return Object.fromEntries(table.columns.map((name, index) => {
    const type = columns[name]?.dataType;
    return [
      name,
      type === "number" ? index : type === "boolean" ? true : type === "json" ? ["a"] : `"${name}"`,
    ];
  }));
}

function otherValue(value: unknown): unknown {
  if (Array.isArray(value)) return [...value.map(String), "b"];
  return typeof value === "number" ? value + 1 : typeof value === "boolean" ? !value : '"other"';
}

describe.for(SEALED_TABLES.map((table) => [getTableName(table.table), table] as const))(
  "a row of %s",
  ([, table]) => {
    // Each table has rows of its own; here they are made from the list alone.
    const any = table as unknown as SealedTable<Readonly<Record<string, unknown>>>;
    const seals = sealsOf(keyring("k1"), null);
    const row = someRow(table);
    const seal = seals.of(any, row);

    test("is good as it was written", ({ expect }) => {
      expect(seals.verdict(any, { ...row, seal })).toBe("good");
    });
    test.for(table.columns.map((column) => [column] as const))(
      "is refused with another %s",
      ([column], { expect }) => {
        for (const value of [otherValue(row[column]), null]) {
          expect(seals.verdict(any, { ...row, [column]: value, seal })).toBe("refused");
        }
      },
    );
    test("is refused without its seal, and with another row's", ({ expect }) => {
      const key = any.key[0] ?? "";
      const others = seals.of(any, { ...row, [key]: otherValue(row[key]) });
      for (const wrong of [null, others, ""]) {
        expect(seals.verdict(any, { ...row, seal: wrong })).toBe("refused");
      }
    });
    test("names a primary key that its seal covers", ({ expect }) => {
      for (const column of any.key) expect(any.columns).toContain(column);
    });
  },
);

const SESSION = {
  id: "ses_1",
  userId: "usr_1",
  authTimeS: 1,
  amr: "[]",
  createdAtMs: SINCE_MS - 1,
};

describe("a row of before there were seals", () => {
  test("is used while they are introduced, and one made since is not", ({ expect }) => {
    const seals = sealsOf(keyring("k1"), SINCE_MS);
    expect(seals.holds(SEALED_SESSIONS, { ...SESSION, seal: null })).toBe(true);
    expect(seals.holds(SEALED_SESSIONS, { ...SESSION, createdAtMs: SINCE_MS, seal: null })).toBe(
      false,
    );
  });

  test("is not used once seals are required; the alert names table and row", ({ expect }) => {
    const lines: string[] = [];
    const seals = sealsOf(keyring("k1"), null, lines);
    const id = "ses_01997a00-0000-7000-8000-000000000001";
    expect(seals.holds(SEALED_SESSIONS, { ...SESSION, id, seal: null })).toBe(false);
    expect(seals.holds(SEALED_SESSIONS, { ...SESSION, id, seal: "s1.k1.AAAA" })).toBe(false);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      ["missing", "wrong"].map((seal) => ({
        level: "alert",
        event: "row_seal_broken",
        table: "sessions",
        row: id,
        seal,
      })),
    );
  });
});

type System = {
  readonly db: Database;
  readonly run: (sql: string) => Promise<unknown>;
  /** The database, of which somebody else changes something before each batch. */
  readonly racing: (sql: string) => Database;
};

async function system(): Promise<System> {
  const binding = openSqliteD1(":memory:");
  // One statement a line, but for tables: they end with a line of their own.
  for (const migration of MIGRATIONS) {
    for (const statement of statementsOf(migration)) await binding.prepare(statement).run();
  }
  const run = (sql: string) => binding.prepare(sql).run();
  const batch: typeof binding.batch = (statements) => binding.batch(statements);
  return {
    db: openDatabase(binding),
    run,
    racing: (sql) =>
      openDatabase({
        ...binding,
        prepare: (query) => binding.prepare(query),
        batch: async (statements) => (await run(sql), batch(statements)),
      }),
  };
}

function statementsOf(migration: string): string[] {
  return migration.split(/;\n/).map((text) => text.replace(/^--.*$/gm, "").trim()).filter((text) =>
    text !== ""
  );
}

async function sealAll(db: Database, seals: RowSeals) {
  const total = { sealed: 0, renewed: 0, refused: 0, pages: 0 };
  let position: SealPosition | null = null;
  do {
    const page: Awaited<ReturnType<typeof sealPage>> = await sealPage(db, seals, position);
    total.sealed += page.sealed;
    total.renewed += page.renewed;
    total.refused += page.refused;
    total.pages += 1;
    position = page.next;
  } while (position !== null);
  return total;
}

/** Rows of several tables as a version without seals made them, and one made since. */
async function formerRows(run: (sql: string) => Promise<unknown>): Promise<void> {
  await run(
    "INSERT INTO users (id, email_index, email_cipher, data_key, locale, state, created_at_ms) SELECT 'usr_' || value, 'i' || value, 'f1.a.' || value, 'k1.a.b.c', 'fr', 'active', 5 FROM json_each('[101,102,103]')",
  );
  const numbers = JSON.stringify(Array.from({ length: 120 }, (_, index) => index));
  await run(
    `INSERT INTO sessions (id, user_id, generation, current_hash, auth_time_s, amr, created_at_ms, last_used_at_ms, expires_at_ms) SELECT 'ses_' || value, 'usr_101', 1, 'h' || value, 1, '["otp"]', 5, 5, 9 FROM json_each('${numbers}')`,
  );
  await run(
    "INSERT INTO consents (id, user_id, purpose, sequence, granted, text_version, at_ms) SELECT 'c' || value, 'usr_101', 'terms', value, 1, '1', 5 FROM json_each('[1,2]')",
  );
  await run(
    "INSERT INTO brands (id, name, name_key, category, aliases, excluded, created_at_ms, updated_at_ms) VALUES ('brd_1', 'B', 'b', 'shop', '[\"É \\\"x\\\"\"]', '[]', 5, 5)",
  );
  await run(
    "INSERT INTO offers (id, brand_id, title_fr, title_en, created_by, created_at_ms) VALUES ('off_1', 'brd_1', 'a', 'b', 'alice', 5)",
  );
  await run(
    'INSERT INTO offer_versions (offer_id, number, terms, second_person, state, created_by, created_at_ms, approved_at_ms) VALUES (\'off_1\', 1, \'{"b":[1,{"d":2,"c":null}],"a":"x"}\', 0, \'approved\', \'alice\', 5, 5)',
  );
  await run(
    `INSERT INTO recognition_corrections (merchant, brand_id, created_by, created_at_ms, updated_at_ms) VALUES ('M', 'brd_1', 'alice', ${SINCE_MS}, ${SINCE_MS})`,
  );
}

describe("the sweep", () => {
  test("seals rows of before in bounded pages, leaves one made since, and then requires them", async ({ expect }) => {
    const { db, run } = await system();
    await formerRows(run);
    const ring = keyring("k1");
    const first = await sealAll(db, sealsOf(ring, SINCE_MS));
    expect(first).toMatchObject({ sealed: 3 + 120 + 2 + 3, renewed: 0, refused: 1 });
    expect(first.pages).toBe(SEALED_TABLES.length + 2);
    expect(await sealAll(db, sealsOf(ring, null))).toMatchObject({ sealed: 0, refused: 1 });
  });

  test("seals nothing once seals are required", async ({ expect }) => {
    const { db, run } = await system();
    await formerRows(run);
    expect(await sealAll(db, sealsOf(keyring("k1"), null))).toMatchObject({
      sealed: 0,
      refused: 3 + 120 + 2 + 4,
    });
  });

  test("renews seals under the active key, so that the old one can leave the ring", async ({ expect }) => {
    const { db, run } = await system();
    await formerRows(run);
    const old = keyring("k1");
    await sealAll(db, sealsOf(old, SINCE_MS));
    const both = keyring("k2", old.keys);
    expect(await sealAll(db, sealsOf(both, null))).toMatchObject({ renewed: 128, refused: 1 });
    const alone: Keyring = {
      active: "k2",
      keys: new Map([...both.keys].filter(([k]) => k === "k2")),
    };
    expect(await sealAll(db, sealsOf(alone, null))).toMatchObject({ renewed: 0, refused: 1 });
  });

  test("does not seal what changed after it was read", async ({ expect }) => {
    const { run, racing, db } = await system();
    await formerRows(run);
    const seals = sealsOf(keyring("k1"), SINCE_MS);
    await sealPage(
      racing("UPDATE users SET email_index = 'another' WHERE id = 'usr_102'"),
      seals,
      { table: "users", after: [] },
    );
    const rows = await db.select().from(SEALED_USERS.table);
    const sealed = rows.map((row) => [row["id"], row["seal"] !== null]);
    expect(sealed).toEqual([["usr_101", true], ["usr_102", false], ["usr_103", true]]);
  });

  test("goes on where it stopped, and does nothing twice", async ({ expect }) => {
    const { db, run } = await system();
    await formerRows(run);
    const seals = sealsOf(keyring("k1"), SINCE_MS);
    const page = await sealPage(db, seals, { table: "sessions", after: [] });
    expect(page).toMatchObject({ table: "sessions", sealed: 50 });
    expect(await sealPage(db, seals, page.next)).toMatchObject({ table: "sessions", sealed: 50 });
    expect((await sealAll(db, seals)).sealed).toBe(128 - 100);
  });

  test("does not make a row good that somebody changed", async ({ expect }) => {
    const { db, run } = await system();
    await formerRows(run);
    const ring = keyring("k1");
    await sealAll(db, sealsOf(ring, SINCE_MS));
    await run("UPDATE sessions SET user_id = 'usr_102' WHERE id = 'ses_7'");
    const both = keyring("k2", ring.keys);
    expect(await sealAll(db, sealsOf(both, SINCE_MS))).toMatchObject({ renewed: 127, refused: 2 });
  });

  test("refuses a position that is in no table", async ({ expect }) => {
    const { db } = await system();
    await expect(sealPage(db, sealsOf(keyring("k1"), null), { table: "x", after: [] })).rejects
      .toThrow("a position is in no sealed table");
  });
});
