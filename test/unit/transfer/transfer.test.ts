// Moving a system over files: what arrives is what left, or nothing is opened.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, test } from "vitest";
import { archiveState } from "../../../src/cli/archive.ts";
import type { ArchiveLine } from "../../../src/cli/archive.ts";
import { exportAll, importAll } from "../../../src/cli/archive-transfer.ts";
import type { Call } from "../../../src/cli/admin-client.ts";
import { signedCursors } from "../../../src/http/paging.ts";
import { newId } from "../../../src/kernel/ids.ts";
import type { UserId } from "../../../src/kernel/ids.ts";
import { parseKeyring } from "../../../src/kernel/keyring.ts";
import type { Keyring } from "../../../src/kernel/keyring.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";
import { migrateBudget } from "../../../src/ledger/object/offer-budget.ts";
import { migrate } from "../../../src/ledger/book/schema.ts";
import { transferClient } from "../../../src/ledger/object/transfer-client.ts";
import { DUMP_ROWS, TRANSFERRED } from "../../../src/ledger/object/transfer.ts";
import { openAlarms } from "../../../src/platform/deno/alarms.ts";
import { openBudgets } from "../../../src/platform/deno/budgets.ts";
import { migrateSqliteD1, openSqliteD1 } from "../../../src/platform/deno/d1.ts";
import { openLedgers } from "../../../src/platform/deno/ledgers.ts";
import { openFileSql } from "../../../src/platform/deno/sql-storage.ts";
import type { TransferError } from "../../../src/transfer/errors.ts";
import type { SealedLine } from "../../../src/transfer/ports.ts";
import { transferService } from "../../../src/transfer/service.ts";
import { LEFT_BEHIND, MOVED, PAGE_ROWS, transferStore } from "../../../src/transfer/store.ts";
import { at, batch, offer, row } from "../../contract/ledger-factories.ts";
import { QUIET_HELPERS } from "../../support/deno-files.ts";

const root = mkdtempSync(join(tmpdir(), "cagnotte-transfer-unit-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let number = 0;
const newKeyring = (): Keyring => {
  const made = parseKeyring(
    JSON.stringify({
      active: "k1",
      keys: { k1: Buffer.from(systemRandomBytes(32)).toString("base64") },
    }),
  );
  if (made === null) throw new Error("not a keyring");
  return made;
};
const KEYRINGS = { encryption: newKeyring(), index: newKeyring(), archive: newKeyring() };
const NOW = at("2026-11-14");

function openSystem(keyrings = KEYRINGS, migrations = "migrations") {
  const dir = mkdtempSync(join(root, "system-"));
  const path = join(dir, "cagnotte.sqlite");
  migrateSqliteD1(path, migrations);
  const database = openSqliteD1(path);
  const alarms = openAlarms(join(dir, "alarms.sqlite"));
  const budgets = openBudgets(join(dir, "budgets"));
  const clock = { nowMs: () => NOW };
  const log = { info: () => {}, alert: () => {} };
  const ledgers = openLedgers({
    folder: join(dir, "ledgers"),
    alarms,
    clock,
    random: systemRandomBytes,
    log,
    database,
    reserve: budgets.reserve,
    helpers: QUIET_HELPERS,
  });
  const objects = transferClient({
    ledgers: { getByName: ledgers.transferOf },
    budgets: { getByName: budgets.transferOf },
    clock,
    log,
  });
  const service = transferService({
    store: transferStore(database),
    objects,
    keyrings,
    cursors: signedCursors(keyrings.index),
    clock,
    random: systemRandomBytes,
  });
  let calls = 0;
  const limit = { calls: Infinity };
  // The routes' part, so that the command line runs against it. `limit` cuts the line after some
  // calls.
  const call: Call = async <T>(
    method: "GET" | "POST",
    target: string,
    body?: unknown,
  ): Promise<T | null> => {
    if (++calls > limit.calls) throw new Error("cut");
    const url = new URL(target, "http://system");
    if (url.pathname === "/export") {
      return unwrap(
        await service.exportLine(
          url.searchParams.get("archive") ?? "",
          url.searchParams.get("cursor"),
        ),
      ) as T;
    }
    if (url.pathname === "/import/open") return unwrap(await service.open()) as T;
    return (method === "GET"
      ? await service.importState()
      : unwrap(await service.importLine(body as SealedLine))) as T | null;
  };
  const raw = (text: string, ...values: (string | number | null)[]) => {
    const file = new DatabaseSync(path);
    const rows = file.prepare(text).all(...values);
    file.close();
    return rows;
  };
  const cutAfter = (more: number): void => void (limit.calls = calls + more);
  return {
    dir,
    database,
    alarms,
    budgets,
    ledgers,
    service,
    call,
    raw,
    cutAfter,
    calls: () => calls,
  };
}
type System = ReturnType<typeof openSystem>;

function unwrap<T>(
  result: { readonly ok: true; readonly value: T } | {
    readonly ok: false;
    readonly error: TransferError;
  },
): T {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

const OFFER = newId("off", 1, systemRandomBytes);
const BRAND = newId("brd", 1, systemRandomBytes);

function addUser(system: System, index: number): UserId {
  const userId = newId("usr", NOW + index, systemRandomBytes);
  system.raw(
    `INSERT INTO users (id, email_index, email_cipher, data_key, locale, state, created_at_ms) VALUES (?, ?, 'f1.a.b', 'k1.a.b.c', 'fr', 'active', ?)`,
    userId,
    `e${index}`,
    NOW,
  );
  return userId;
}

/**
 * Two users, one with more rows than a page and a budget, one erased; two versions of an offer; a
 * setting.
 */
async function filledSystem() {
  const system = openSystem();
  system.raw("INSERT INTO settings (name, value, set_at_ms) VALUES ('points_per_euro', '100', 1)");
  system.raw(
    "INSERT INTO brands (id, name, name_key, category, aliases, excluded, created_at_ms, updated_at_ms) VALUES (?, 'B', 'b', 'c', '[]', '[]', 1, 1)",
    BRAND,
  );
  system.raw(
    "INSERT INTO offers (id, brand_id, title_fr, title_en, created_by, created_at_ms) VALUES (?, ?, 'a', 'b', 'alice', 1)",
    OFFER,
    BRAND,
  );
  for (const version of [1, 2]) {
    system.raw(
      "INSERT INTO offer_versions (offer_id, number, terms, second_person, state, created_by, created_at_ms, approved_at_ms) VALUES (?, ?, ?, 0, 'approved', 'alice', 1, 1)",
      OFFER,
      version,
      JSON.stringify({ budgetPoints: 5000, text: 'l\'été "x"' }),
    );
  }
  system.raw("UPDATE catalogue_state SET version = 7, brands_version = 3");
  const users = [addUser(system, 1), addUser(system, 2)] as const;
  const rows = Array.from({ length: DUMP_ROWS + 50 }, (_, index) => row(String(index)));
  const limited = { ...offer(), offerId: OFFER, budgetPoints: 5000 };
  const ledger = (userId: UserId) => system.ledgers.namespace.getByName(userId);
  await ledger(users[0]).record(batch(rows), NOW);
  await ledger(users[1]).record(batch([row("1")], { offers: [limited] }), NOW);
  for (const user of users) await ledger(user).runDue(null, NOW);
  const gone = addUser(system, 3);
  await ledger(gone).record(batch([row("1")]), NOW);
  await ledger(gone).erase();
  return { system, users, gone };
}

const newFile = (): string => join(root, `${number++}.archive`);
const linesOf = (path: string): ArchiveLine[] =>
  readFileSync(path, "utf8").trimEnd().split("\n").map((text) => JSON.parse(text) as ArchiveLine);
const writeLines = (path: string, lines: readonly ArchiveLine[]): void =>
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

async function essence(system: System, users: readonly UserId[]) {
  const seen = [];
  for (const user of users) {
    const ledger = system.ledgers.namespace.getByName(user);
    seen.push(
      await ledger.leaf(),
      await ledger.verify(null, NOW),
      await ledger.points(null, NOW),
      await ledger.purchases({
        from: null,
        to: null,
        brandId: null,
        outcome: null,
        limit: 1000,
        before: null,
      }, NOW),
    );
  }
  return seen;
}

describe("a system moved as a whole", () => {
  test("has the same heads, balances, screens, budgets, versions and erased leaves, and rings its alarms", async ({ expect }) => {
    const { system, users, gone } = await filledSystem();
    const file = newFile();
    const lines = await exportAll(system.call, file);
    const target = openSystem();
    expect(await importAll(target.call, file)).toBe(lines);
    expect(linesOf(file).filter(({ kind, name }) => kind === "ledger" && name === users[0]).length)
      .toBeGreaterThan(1);
    expect(await essence(target, [...users, gone])).toEqual(
      await essence(system, [...users, gone]),
    );
    expect(await target.budgets.reserved(OFFER)).toBe(await system.budgets.reserved(OFFER));
    for (const table of MOVED) {
      const only = table === "settings" ? "WHERE name <> 'transfer_import'" : "";
      expect(target.raw(`SELECT * FROM "${table}" ${only}`), table).toEqual(
        system.raw(`SELECT * FROM "${table}" ${only}`),
      );
    }
    expect(target.raw("SELECT version, brands_version FROM catalogue_state")).toEqual([{
      version: 7,
      brands_version: 3,
    }]);
    expect(await target.service.isLoading()).toBe(false);
    expect(target.alarms.due(at("2027-12-01"), 10).sort()).toEqual([...users].sort());
  });

  test("goes through many pages of one table, and a budget's points are there", async ({ expect }) => {
    const { system } = await filledSystem();
    // One statement: a durable write each would take seconds.
    const ids = Array.from(
      { length: PAGE_ROWS + 10 },
      (_, index) => newId("evt", NOW + 10 + index, systemRandomBytes),
    );
    system.raw(
      "INSERT INTO audit_events (id, at_ms, actor_kind, actor, action, target, details) SELECT value, 1, 'system', 'a', 'b', 'c', '{}' FROM json_each(?)",
      JSON.stringify(ids),
    );
    await system.budgets.reserve(OFFER, {
      key: newId("pur", 1, systemRandomBytes),
      points: 40,
      budgetPoints: 5000,
    });
    const reserved = await system.budgets.reserved(OFFER);
    const file = newFile();
    await exportAll(system.call, file);
    const target = openSystem();
    await importAll(target.call, file);
    expect(linesOf(file).filter(({ name }) => name === "audit_events")).toHaveLength(2);
    expect(target.raw("SELECT * FROM audit_events ORDER BY id")).toEqual(
      system.raw("SELECT * FROM audit_events ORDER BY id"),
    );
    expect([reserved >= 40, await target.budgets.reserved(OFFER)]).toEqual([true, reserved]);
  });

  test("goes on after a stop anywhere, on both sides, and does nothing twice", async ({ expect }) => {
    const { system, users, gone } = await filledSystem();
    const file = newFile();
    let stops = 0;
    for (let done = false; !done;) {
      system.cutAfter(5);
      done = await exportAll(system.call, file).then(() => true, () => false);
      // As if the process died in the middle of a write.
      if (!done) writeFileSync(file, `${readFileSync(file, "utf8")}{"archive":"cut`);
      stops += 1;
    }
    expect(stops).toBeGreaterThan(4);
    const target = openSystem();
    stops = 0;
    for (let done = false; !done;) {
      target.cutAfter(7);
      done = await importAll(target.call, file).then(() => true, () => false);
      stops += 1;
    }
    expect(stops).toBeGreaterThan(3);
    expect(await essence(target, [...users, gone])).toEqual(
      await essence(system, [...users, gone]),
    );
    const calls = target.calls();
    target.cutAfter(1);
    await importAll(target.call, file);
    expect(target.calls()).toBe(calls + 1);
  });

  test("after a crash between a ledger's load and its note takes the line again", async ({ expect }) => {
    const { system, users } = await filledSystem();
    const file = newFile();
    await exportAll(system.call, file);
    const target = openSystem();
    for (const { next: _, ...text } of linesOf(file)) {
      const line = text as SealedLine;
      expect(await target.service.importLine(line)).toMatchObject({ ok: true });
      if (line.kind === "header") continue;
      target.raw(
        "UPDATE settings SET value = json_set(value, '$.next', ?, '$.state', 'loading') WHERE name = 'transfer_import'",
        line.line,
      );
      expect(await target.service.importLine(line), line.kind).toMatchObject({ ok: true });
    }
    expect(await essence(target, users)).toEqual(await essence(system, users));
  });
});

describe("an import refuses", () => {
  const archived = async () => {
    const { system, users } = await filledSystem();
    const file = newFile();
    await exportAll(system.call, file);
    return { system, users, file, lines: linesOf(file) };
  };

  test("lines that were altered, moved, renamed, dropped, cut off or are of another archive", async ({ expect }) => {
    const { lines, system } = await archived();
    const target = openSystem();
    const send = async (index: number, more: Partial<ArchiveLine> = {}) => {
      const { next: _, ...line } = { ...lines[index], ...more } as ArchiveLine;
      const taken = await target.service.importLine(line as SealedLine);
      return taken.ok ? "ok" : taken.error;
    };
    expect(await send(0)).toBe("ok");
    const sealed = lines[1]?.sealed ?? "";
    const flipped = `${sealed.slice(0, -3)}${sealed.at(-3) === "A" ? "B" : "A"}${sealed.slice(-2)}`;
    expect(await send(1, { sealed: flipped })).toBe("line_refused");
    expect(await send(1, { sealed: lines[2]?.sealed ?? "" })).toBe("line_refused");
    expect(await send(2, { line: 1 })).toBe("line_refused");
    expect(await send(1, { name: "users" })).toBe("line_refused");
    expect(await send(1, { page: 1 })).toBe("line_refused");
    expect(await send(2)).toBe("line_out_of_order");
    expect(await send(lines.length - 1)).toBe("line_out_of_order");
    const otherFile = newFile();
    await exportAll(system.call, otherFile);
    const other = linesOf(otherFile);
    expect(await send(1, other[1])).toBe("other_import");
    expect(await send(1, { sealed: other[1]?.sealed ?? "" })).toBe("line_refused");
    expect(await send(1)).toBe("ok");

    const short = newFile();
    writeLines(short, lines.slice(0, -1));
    await expect(importAll(openSystem().call, short)).rejects.toThrow("not complete");
    writeLines(short, lines.filter((_, index) => index !== 3));
    await expect(importAll(openSystem().call, short)).rejects.toThrow(
      "line 3 of the archive is missing",
    );
  });

  test("other keys: the archive's, the fields', the indexes'", async ({ expect }) => {
    const { file } = await archived();
    await expect(importAll(openSystem({ ...KEYRINGS, archive: newKeyring() }).call, file)).rejects
      .toThrow("line_refused");
    await expect(importAll(openSystem({ ...KEYRINGS, encryption: newKeyring() }).call, file))
      .rejects.toThrow("keys_differ");
    await expect(importAll(openSystem({ ...KEYRINGS, index: newKeyring() }).call, file)).rejects
      .toThrow("keys_differ");
  });

  test("a system that is not empty, or has another import, and stays as it is", async ({ expect }) => {
    const { file } = await archived();
    const used = openSystem();
    addUser(used, 1);
    await expect(importAll(used.call, file)).rejects.toThrow("not_empty");
    expect(await used.service.importState()).toBe(null);
    const begun = await archived();
    const target = openSystem();
    target.cutAfter(4);
    await expect(importAll(target.call, begun.file)).rejects.toThrow("cut");
    target.cutAfter(Infinity);
    expect(await target.service.isLoading()).toBe(true);
    await expect(importAll(target.call, file)).rejects.toThrow("another import");
    await expect(exportAll(target.call, newFile())).rejects.toThrow("incomplete");
    expect(await target.service.open()).toEqual({ ok: false, error: "incomplete" });
  });

  test("a system of another schema", async ({ expect }) => {
    const { file } = await archived();
    const target = openSystem();
    target.raw("INSERT INTO d1_migrations (name) VALUES ('9999_later.sql')");
    await expect(importAll(target.call, file)).rejects.toThrow("versions_differ");
  });

  test("another rate of points, rows written meanwhile, and rows lost meanwhile", async ({ expect }) => {
    const { file, lines } = await archived();
    const target = openSystem();
    target.raw("INSERT INTO settings (name, value, set_at_ms) VALUES ('points_per_euro', '50', 1)");
    await expect(importAll(target.call, file)).rejects.toThrow("mismatch");
    for (
      const meddle of [
        (system: System) => void addUser(system, 99),
        (system: System) => void system.raw("DELETE FROM counters"),
      ]
    ) {
      const meddled = openSystem();
      meddled.cutAfter(lines.length);
      await expect(importAll(meddled.call, file)).rejects.toThrow("cut");
      meddled.cutAfter(Infinity);
      meddle(meddled);
      await expect(importAll(meddled.call, file)).rejects.toThrow("mismatch");
      expect((await meddled.service.importState())?.state).toBe("loading");
    }
  });

  test("a ledger whose row was changed before the export: the chain does not hold, the book stays empty", async ({ expect }) => {
    const { system, users } = await filledSystem();
    const path = join(system.dir, "ledgers");
    system.ledgers.close();
    const book = new DatabaseSync(join(path, findShard(path, users[1]), `${users[1]}.sqlite`));
    book.exec("UPDATE transactions SET body = replace(body, '\"sequence\":1', '\"sequence\":1 ')");
    book.close();
    const file = newFile();
    await exportAll(system.call, file);
    const target = openSystem();
    await expect(importAll(target.call, file)).rejects.toThrow("mismatch");
    expect(await target.ledgers.namespace.getByName(users[1]).leaf()).toMatchObject({
      value: { sequence: 0 },
    });
    expect((await target.service.importState())?.state).toBe("loading");
  });

  test("a ledger that recorded something of its own meanwhile", async ({ expect }) => {
    const { file, users } = await archived();
    const target = openSystem();
    await target.ledgers.namespace.getByName(users[1]).record(batch([row("77")]), NOW);
    await expect(importAll(target.call, file)).rejects.toThrow("not_empty");
    expect(await target.ledgers.namespace.getByName(users[1]).leaf()).toMatchObject({
      value: { sequence: 1 },
    });
  });
});

describe("an export", () => {
  test("is refused when the system changed meanwhile: a table, or a ledger between its pages", async ({ expect }) => {
    const { system, users } = await filledSystem();
    const file = newFile();
    system.cutAfter(MOVED.length + 1);
    await expect(exportAll(system.call, file)).rejects.toThrow("cut");
    system.cutAfter(Infinity);
    addUser(system, 50);
    await expect(exportAll(system.call, file)).rejects.toThrow("changed");

    const first = system.ledgers.transferOf(users[0]);
    const page = await first.dumpPage(null);
    await system.ledgers.namespace.getByName(users[0]).record(batch([row("late")]), NOW);
    let cursor = page.ok ? page.value.next : null;
    expect(typeof cursor).toBe("string");
    let code = "";
    while (cursor !== null) {
      const more = await first.dumpPage(cursor);
      cursor = more.ok ? more.value.next : null;
      code = more.ok ? "" : more.error.code;
    }
    expect(code).toBe("changed");
  });

  test("takes no cursor but its own", async ({ expect }) => {
    const { system } = await filledSystem();
    const one = unwrap(await system.service.exportLine("a", null));
    expect(await system.service.exportLine("b", one.next)).toEqual({
      ok: false,
      error: "cursor_invalid",
    });
    expect(await system.service.exportLine("a", "made.up")).toEqual({
      ok: false,
      error: "cursor_invalid",
    });
  });

  test("holds nothing readable", async ({ expect }) => {
    const { system, users } = await filledSystem();
    const file = newFile();
    await exportAll(system.call, file);
    const text = readFileSync(file, "utf8");
    expect(existsSync(file) && (await archiveState(file))?.next).toBe(null);
    for (const readable of ["monoprix", "points_per_euro", "alice", "email_index"]) {
      expect(text.toLowerCase()).not.toContain(readable);
    }
    expect(text).toContain(users[0]);
  });
});

describe("nothing is forgotten", () => {
  test("every table of the migrations is moved or left behind by name, after what it refers to", ({ expect }) => {
    const system = openSystem();
    const tables = system.raw(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    ).map((row) => String(row["name"]));
    expect([...MOVED, ...LEFT_BEHIND].sort()).toEqual(tables.sort());
    for (const [index, table] of MOVED.entries()) {
      for (const reference of system.raw(`PRAGMA foreign_key_list("${table}")`)) {
        expect(MOVED.slice(0, index), table).toContain(reference["table"]);
      }
    }
  });

  test("every table of an object is moved", ({ expect }) => {
    for (const [kind, apply] of [["ledger", migrate], ["budget", migrateBudget]] as const) {
      const sql = openFileSql(":memory:");
      apply(sql);
      const tables = sql.exec(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
      ).map((row) => String(row["name"]));
      expect([...TRANSFERRED[kind], "object_migrations"].sort()).toEqual(tables.sort());
      sql.close();
    }
  });
});

function findShard(folder: string, userId: string): string {
  const found = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0")).find(
    (shard) => existsSync(join(folder, shard, `${userId}.sqlite`)),
  );
  if (found === undefined) throw new Error("no such ledger");
  return found;
}
