// The ledgers' part of the Deno platform, in Node: one writer, eviction, alarms, snapshots.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, test } from "vitest";
import { newId } from "../../../src/kernel/ids.ts";
import type { UserId } from "../../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";
import { openAlarms } from "../../../src/platform/deno/alarms.ts";
import { openBudgets } from "../../../src/platform/deno/budgets.ts";
import { migrateSqliteD1, openSqliteD1 } from "../../../src/platform/deno/d1.ts";
import { openLedgers } from "../../../src/platform/deno/ledgers.ts";
import { openFiles } from "../../../src/platform/deno/open-files.ts";
import { checkSnapshot, takeSnapshot } from "../../../src/platform/deno/snapshot.ts";
import { openFileSql } from "../../../src/platform/deno/sql-storage.ts";
import { at, batch, offer, row } from "../../contract/ledger-factories.ts";
import { QUIET_HELPERS } from "../../support/deno-files.ts";

const folder = mkdtempSync(join(tmpdir(), "cagnotte-deno-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let number = 0;
const newFolder = (): string => {
  const path = join(folder, String(number++));
  mkdirSync(path);
  return path;
};
const TODAY = "2026-11-14";
const user = (index = 0): UserId => newId("usr", at(TODAY) + index, systemRandomBytes);

type Line = { readonly event: string; readonly code?: unknown };

function openWorld(
  options: { readonly openMax?: number; readonly dir?: string; readonly failing?: () => boolean } =
    {},
) {
  const dir = options.dir ?? newFolder();
  const lines: Line[] = [];
  let nowMs = at(TODAY);
  migrateSqliteD1(join(dir, "cagnotte.sqlite"), "migrations");
  const database = openSqliteD1(join(dir, "cagnotte.sqlite"));
  const alarms = openAlarms(join(dir, "alarms.sqlite"));
  const budgets = openBudgets(join(dir, "budgets"));
  const ledgers = openLedgers({
    folder: join(dir, "ledgers"),
    alarms,
    random: systemRandomBytes,
    clock: { nowMs: () => nowMs },
    reserve: budgets.reserve,
    helpers: QUIET_HELPERS,
    database: {
      prepare: (text) => database.prepare(text),
      batch: (
        statements,
      ) => (options.failing?.() === true
        ? Promise.reject(new Error("down"))
        : database.batch(statements)),
    },
    log: { info: () => {}, alert: (event) => void lines.push({ event }) },
    ...(options.openMax === undefined ? {} : { openMax: options.openMax }),
  });
  const close = (clean = true): void => {
    ledgers.close();
    budgets.close();
    alarms.close(clean);
    database.close();
  };
  return {
    dir,
    database,
    alarms,
    budgets,
    ledgers,
    lines,
    close,
    now: () => nowMs,
    moveTo: (date: string) => void (nowMs = at(date)),
  };
}

const headOf = async (world: ReturnType<typeof openWorld>, userId: string) =>
  world.database.prepare(
    "SELECT last_sequence, pending, available FROM ledger_heads WHERE user_id = ?",
  ).bind(userId).first();

describe("open files", () => {
  test("the ones used longest ago are closed, and opened again when they are needed", ({ expect }) => {
    const events: string[] = [];
    const files = openFiles<string>({
      max: 2,
      open: (name) => (events.push(`open ${name}`), name),
      close: (name) => void events.push(`close ${name}`),
    });
    for (const name of ["a", "b", "a", "c", "b"]) files.use(name, () => null);
    expect(events).toEqual(["open a", "open b", "open c", "close b", "open b", "close a"]);
    expect(files.openNames()).toEqual(["c", "b"]);
    files.closeAll();
    expect(events.slice(-2)).toEqual(["close c", "close b"]);
  });

  test("work that would wait is refused: another call could come between", ({ expect }) => {
    const files = openFiles<string>({ open: (name) => name, close: () => {} });
    expect(() => files.use("a", async () => null)).toThrow("across an await");
  });
});

describe("ledgers", () => {
  test("many users over few open files lose nothing", async ({ expect }) => {
    const world = openWorld({ openMax: 3 });
    const users = Array.from({ length: 10 }, (_, index) => user(index));
    await Promise.all(
      [0, 1, 2].flatMap((round) =>
        users.map((userId) =>
          world.ledgers.namespace.getByName(userId).record(batch([row(String(round))]), world.now())
        )
      ),
    );
    expect(world.ledgers.openNames()).toHaveLength(3);
    for (const userId of users) {
      expect(await world.ledgers.namespace.getByName(userId).points(null, world.now()))
        .toMatchObject({ ok: true, value: { balances: { pending: 312 }, sequence: 3 } });
    }
    expect(world.ledgers.userIds()).toEqual([...users].sort());
    world.close();
  });

  test("a hundred calls at once on one user are one after the other", async ({ expect }) => {
    const world = openWorld();
    const userId = user();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        world.ledgers.namespace.getByName(userId).record(
          batch([row(String(index % 50))]),
          world.now(),
        )),
    );
    expect(answers.every((answer) => answer.ok)).toBe(true);
    expect(await world.ledgers.namespace.getByName(userId).verify(null, world.now())).toMatchObject(
      { ok: true, value: { sequence: 50, broken: [] } },
    );
    world.close();
  });

  test("an alarm projects to D1, and rings again when points mature", async ({ expect }) => {
    const world = openWorld();
    const userId = user();
    await world.ledgers.namespace.getByName(userId).record(batch([row("1")]), world.now());
    expect(await world.ledgers.ring(10)).toBe(1);
    expect(await headOf(world, userId)).toEqual({ last_sequence: 1, pending: 104, available: 0 });
    expect(await world.ledgers.ring(10)).toBe(0);
    world.moveTo("2026-12-20");
    expect(await world.ledgers.ring(10)).toBe(1);
    expect(await headOf(world, userId)).toEqual({ last_sequence: 2, pending: 0, available: 104 });
    world.close();
  });

  test("an alarm that D1 failed comes back in a minute, not at once and not never", async ({ expect }) => {
    let down = true;
    const world = openWorld({ failing: () => down });
    const userId = user();
    await world.ledgers.namespace.getByName(userId).record(batch([row("1")]), world.now());
    await world.ledgers.ring(10);
    expect(world.lines.map(({ event }) => event)).toEqual(["ledger_due_failed"]);
    expect(world.alarms.due(world.now() + 59_000, 10)).toEqual([]);
    expect(world.alarms.due(world.now() + 60_000, 10)).toEqual([userId]);
    down = false;
    expect(await world.ledgers.namespace.getByName(userId).runDue(null, world.now())).toEqual({
      ok: true,
      value: { more: false },
    });
    expect(await headOf(world, userId)).toMatchObject({ last_sequence: 1 });
    world.close();
  });

  test("after a stop that was not clean every book is asked again", async ({ expect }) => {
    const world = openWorld();
    const userId = user();
    await world.ledgers.namespace.getByName(userId).record(batch([row("1")]), world.now());
    world.close();
    // As after a crash between the ledger's commit and the table's, or a restore of older tables.
    for (const name of ["alarms.sqlite", "alarms.sqlite-wal", "alarms.sqlite-shm"]) {
      rmSync(join(world.dir, name), { force: true });
    }
    const again = openWorld({ dir: world.dir });
    expect(again.alarms.wasUnclean).toBe(true);
    expect(await again.ledgers.ring(10)).toBe(0);
    expect(await again.ledgers.rearmAll(new AbortController().signal)).toBe(true);
    expect(await again.ledgers.ring(10)).toBe(1);
    expect(await headOf(again, userId)).toMatchObject({ last_sequence: 1 });
    again.close();
    const clean = openWorld({ dir: world.dir });
    expect(clean.alarms.wasUnclean).toBe(false);
    clean.close(false);
    const unclean = openWorld({ dir: world.dir });
    expect(unclean.alarms.wasUnclean).toBe(true);
    expect(await unclean.ledgers.rearmAll(AbortSignal.abort())).toBe(false);
    unclean.close();
  });

  test("a budget is asked through the alarm and never exceeded", async ({ expect }) => {
    const world = openWorld();
    const users = [user(1), user(2), user(3)];
    const limited = { ...offer(), offerId: newId("off", 1, systemRandomBytes), budgetPoints: 250 };
    for (const userId of users) {
      await world.ledgers.namespace.getByName(userId).record(
        batch([row("1")], { offers: [limited] }),
        world.now(),
      );
    }
    await world.ledgers.ring(10);
    expect(await world.budgets.reserved(limited.offerId)).toBe(208);
    const pending = await Promise.all(users.map(async (userId) => {
      const answer = await world.ledgers.namespace.getByName(userId).points(null, world.now());
      return answer.ok ? answer.value.balances.pending : -1;
    }));
    expect(pending.sort((a, b) => a - b)).toEqual([0, 104, 104]);
    world.close();
  });

  test("one broken book refuses for itself only, and is asked again in an hour", async ({ expect }) => {
    const world = openWorld({ openMax: 1 });
    const [broken, other] = [user(1), user(2)];
    await world.ledgers.namespace.getByName(broken).record(batch([row("1")]), world.now());
    await world.ledgers.namespace.getByName(other).record(batch([row("1")]), world.now());
    const file =
      readdirSync(join(world.dir, "ledgers"), { recursive: true }).map(String).find((name) =>
        name.endsWith(`${broken}.sqlite`)
      ) ?? "";
    const direct = new DatabaseSync(join(world.dir, "ledgers", file));
    direct.exec("INSERT INTO object_migrations (id, name) VALUES (999, 'unknown')");
    direct.close();
    expect(await world.ledgers.namespace.getByName(broken).points(null, world.now())).toEqual({
      ok: false,
      error: { code: "ledger_refused" },
    });
    expect(await world.ledgers.namespace.getByName(other).points(null, world.now())).toMatchObject({
      ok: true,
    });
    await world.ledgers.ring(10);
    expect(world.alarms.due(world.now() + 59 * 60_000, 10)).toEqual([]);
    expect(world.alarms.due(world.now() + 60 * 60_000, 10)).toEqual([broken]);
    world.close();
  });

  test("erasing leaves the leaf, nothing of the purchases in any file, and no alarm", async ({ expect }) => {
    const world = openWorld();
    const userId = user();
    const ledger = world.ledgers.namespace.getByName(userId);
    await ledger.record(batch([row("1", { labelCipher: "PLANTEDCIPHER" })]), world.now());
    const leaf = await ledger.leaf(null, world.now());
    expect(await ledger.erase(null, world.now())).toEqual(leaf);
    expect(await ledger.erase(null, world.now())).toEqual(leaf);
    expect(await ledger.points(null, world.now())).toEqual({
      ok: false,
      error: { code: "erased" },
    });
    for (const name of readdirSync(join(world.dir, "ledgers"), { recursive: true }).map(String)) {
      const path = join(world.dir, "ledgers", name);
      if (statSync(path).isFile()) expect(readFileSync(path).includes("PLANTEDCIPHER")).toBe(false);
    }
    expect(world.alarms.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    world.close();
    const again = openWorld({ dir: world.dir });
    expect(await again.ledgers.namespace.getByName(userId).points(null, again.now())).toEqual({
      ok: false,
      error: { code: "erased" },
    });
    again.close();
  });

  test("a name that is no user's id opens no file", async ({ expect }) => {
    const world = openWorld();
    expect(await world.ledgers.namespace.getByName("../../etc/passwd").points(null, world.now()))
      .toEqual({ ok: false, error: { code: "ledger_refused" } });
    expect(readdirSync(join(world.dir, "ledgers"))).toEqual([]);
    world.close();
  });

  test("when the disk takes no writes it is everybody's trouble: the call throws, and the client answers unavailable", async ({ expect }) => {
    const world = openWorld();
    const alarms = { ...world.alarms, canWrite: () => false };
    const ledgers = openLedgers({
      folder: join(world.dir, "ledgers"),
      alarms,
      random: systemRandomBytes,
      clock: { nowMs: world.now },
      reserve: world.budgets.reserve,
      helpers: QUIET_HELPERS,
      database: world.database,
      log: { info: () => {}, alert: () => {} },
    });
    await expect(ledgers.namespace.getByName("not an id").points(null, world.now())).rejects
      .toThrow("no writes");
    world.close();
  });
});

describe("a snapshot", () => {
  test("is taken while the server works, holds, and can be started from", async ({ expect }) => {
    const world = openWorld();
    const users = [user(1), user(2), user(3)];
    for (const userId of users) {
      await world.ledgers.namespace.getByName(userId).record(
        batch([row("1"), row("2")]),
        world.now(),
      );
    }
    await world.ledgers.ring(10);
    await world.ledgers.namespace.getByName(users[0] ?? user()).record(
      batch([row("3")]),
      world.now(),
    );
    const target = join(newFolder(), "copy");
    expect(takeSnapshot(world.dir, target)).toBe(4);
    expect(checkSnapshot(target)).toEqual({ users: 3, transactions: 7, broken: [] });
    expect(() => takeSnapshot(world.dir, target)).toThrow();
    world.close();
    const restored = openWorld({ dir: target });
    expect(restored.alarms.wasUnclean).toBe(true);
    expect(
      await restored.ledgers.namespace.getByName(users[0] ?? user()).points(null, restored.now()),
    ).toMatchObject({ ok: true, value: { sequence: 3 } });
    restored.close();
  });

  test("with a changed amount, a missing ledger or one older than the database says is reported", async ({ expect }) => {
    const world = openWorld();
    const [changed, missing, older] = [user(1), user(2), user(3)];
    for (const userId of [changed, missing, older]) {
      await world.ledgers.namespace.getByName(userId).record(batch([row("1")]), world.now());
    }
    await world.ledgers.ring(10);
    world.close();
    const target = join(newFolder(), "copy");
    takeSnapshot(world.dir, target);
    const fileOf = (userId: string) =>
      join(target, "ledgers", userId.slice(-2), `${userId}.sqlite`);
    const change = (userId: string, statement: string): void => {
      const book = new DatabaseSync(fileOf(userId));
      book.exec(statement);
      book.close();
    };
    change(changed, "UPDATE transactions SET pending = pending + 1");
    change(older, "DELETE FROM transactions");
    rmSync(fileOf(missing));
    const { broken } = checkSnapshot(target);
    expect(broken.some((line) => line.includes(changed))).toBe(true);
    expect(broken).toContain(`${missing}: the database knows a ledger that is not here`);
    expect(
      broken.some((line) => line.includes(older) && line.endsWith("older than the database says")),
    ).toBe(true);
  });
});

describe("storage", () => {
  test("a failing transaction leaves nothing, and the next one works", ({ expect }) => {
    const sql = openFileSql(":memory:");
    sql.exec("CREATE TABLE t (a INTEGER NOT NULL) STRICT");
    expect(() =>
      sql.transaction(() => {
        sql.exec("INSERT INTO t VALUES (1)");
        sql.exec("INSERT INTO t VALUES (NULL)");
      })
    ).toThrow();
    sql.transaction(() => sql.exec("INSERT INTO t VALUES (2)"));
    expect(sql.exec("SELECT a FROM t").map((item) => item["a"])).toEqual([2]);
  });
});
