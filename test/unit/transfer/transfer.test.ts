// Moving a system over files: what arrives is what left, or nothing is opened.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, test } from "vitest";
import { archiveState } from "../../../src/cli/archive.ts";
import type { ArchiveLine } from "../../../src/cli/archive.ts";
import { exportAll, importAll } from "../../../src/cli/archive-transfer.ts";
import { newId } from "../../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";
import { migrateBudget } from "../../../src/ledger/object/offer-budget.ts";
import { migrate } from "../../../src/ledger/book/schema.ts";
import { TRANSFERRED } from "../../../src/ledger/object/transfer.ts";
import { openFileSql } from "../../../src/platform/deno/sql-storage.ts";
import type { SealedLine } from "../../../src/transfer/ports.ts";
import { LEFT_BEHIND, MOVED, PAGE_ROWS } from "../../../src/transfer/store.ts";
import { at, batch, row } from "../../contract/ledger-factories.ts";

import {
  addUser,
  essence,
  filledSystem,
  KEYRINGS,
  linesOf,
  newFile,
  newKeyring,
  NOW,
  OFFER,
  openSystem,
  root,
  unwrap,
  writeLines,
} from "./systems.ts";
import type { System } from "./systems.ts";

afterAll(() => rmSync(root, { recursive: true, force: true }));

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
    expect(await target.ledgers.namespace.getByName(users[1]).leaf(null, NOW)).toMatchObject({
      value: { sequence: 0 },
    });
    expect((await target.service.importState())?.state).toBe("loading");
  });

  test("a ledger that recorded something of its own meanwhile", async ({ expect }) => {
    const { file, users } = await archived();
    const target = openSystem();
    await target.ledgers.namespace.getByName(users[1]).record(batch([row("77")]), NOW);
    await expect(importAll(target.call, file)).rejects.toThrow("not_empty");
    expect(await target.ledgers.namespace.getByName(users[1]).leaf(null, NOW)).toMatchObject({
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
