// What the stores need of the database under them: run over D1 in workerd and over node:sqlite in Node and on Deno.
import type { SqlDatabase } from "../../src/db/d1.ts";
import { isDatabaseFailure, openDatabase } from "../../src/db/database.ts";
import { idempotencyStore, purgeIdempotencyKeys } from "../../src/db/idempotency-store.ts";
import { IDEMPOTENCY_LOCK_MS, IDEMPOTENCY_TTL_MS } from "../../src/http/idempotency.ts";
import type { IdempotencyScope } from "../../src/http/idempotency.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { applyProjection } from "../../src/ledger/projection-store.ts";
import { databaseHealth, ensureProgramme } from "../../src/operations/store.ts";
import { contractKeyring } from "./crypto.ts";
import type { ContractTest } from "./ledger.ts";

/** A database with the migrations applied. It may hold what an earlier test of this contract left. */
export type OpenDatabase = () => Promise<SqlDatabase>;

const NOW_MS = Date.UTC(2026, 10, 23, 12);
const failure = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    await work();
    return null;
  } catch (error) {
    return error;
  }
};

/** Registers the contract with the test runner that is there. */
export function storesContract(test: ContractTest, open: OpenDatabase): void {
  databaseContract(test, open);
  test("the rate of points is fixed by the first start", async ({ expect }) => {
    const db = openDatabase(await open());
    expect(await ensureProgramme(db, { pointsPerEuro: 100 }, NOW_MS)).toEqual({ ok: true, value: null });
    expect(await ensureProgramme(db, { pointsPerEuro: 101 }, NOW_MS)).toEqual({ ok: false, error: { code: "programme_rate_changed" } });
    expect(await ensureProgramme(db, { pointsPerEuro: 100 }, NOW_MS + 1)).toEqual({ ok: true, value: null });
  });

  test("an idempotency key is taken once, answers again, conflicts, and is free when its time is over", async ({ expect }) => {
    const db = openDatabase(await open());
    const store = idempotencyStore(db, contractKeyring(), systemRandomBytes);
    const scope: IdempotencyScope = { principal: "usr_1", method: "POST", path: "/v1/x", key: "k-1" };
    const started = await Promise.all([1, 2, 3].map(() => store.begin(scope, "hash", NOW_MS)));
    expect(started.map(({ state }) => state).sort()).toEqual(["in_progress", "in_progress", "started"]);
    await store.complete(scope, NOW_MS, { status: 201, contentType: "application/json", body: '{"é":1}' }, NOW_MS);
    expect(await store.begin(scope, "hash", NOW_MS)).toEqual({ state: "done", answer: { status: 201, contentType: "application/json", body: '{"é":1}' } });
    expect(await store.begin(scope, "other", NOW_MS)).toEqual({ state: "conflict" });
    expect(await purgeIdempotencyKeys(db, NOW_MS + IDEMPOTENCY_TTL_MS)).toEqual(0);
    expect(await purgeIdempotencyKeys(db, NOW_MS + IDEMPOTENCY_TTL_MS + 1)).toEqual(1);
    expect(await store.begin(scope, "other", NOW_MS)).toMatchObject({ state: "started" });
    // A request that died holding the key gives it up to the same request, after a while.
    expect(await store.begin(scope, "other", NOW_MS + IDEMPOTENCY_LOCK_MS)).toMatchObject({ state: "started" });
  });

  test("a projection counts once however often it is sent, and reads back where the database is", async ({ expect }) => {
    const database = await open();
    const user = "usr_projection";
    const counter = { day: "2026-11-23", brandId: "brd_1", offerId: "off_1", kind: "earn" as const, purchases: 1, cents: 3490, points: 104 };
    const first = { from: 0, through: 2, head: "a".repeat(64), balances: { pending: 104, available: 0, held: 0 }, counters: [counter], more: false };
    expect(await applyProjection(database, user, first, NOW_MS)).toEqual(2);
    expect(await applyProjection(database, user, first, NOW_MS)).toEqual(2);
    expect(await applyProjection(database, user, { ...first, from: 1, through: 3 }, NOW_MS)).toEqual(2);
    expect(await applyProjection(database, user, { ...first, from: 2, through: 3, head: "b".repeat(64) }, NOW_MS)).toEqual(3);
    expect(await database.prepare("SELECT purchases, cents, points FROM counters WHERE brand_id = 'brd_1'").first()).toMatchObject({ purchases: 2, cents: 6980, points: 208 });
    expect(await database.prepare("SELECT last_sequence, head FROM ledger_heads WHERE user_id = ?").bind(user).first()).toMatchObject({ last_sequence: 3, head: "b".repeat(64) });
  });
}

function databaseContract(test: ContractTest, open: OpenDatabase): void {
  const insert = (database: SqlDatabase, name: string) => database.prepare("INSERT INTO settings (name, value, set_at_ms) VALUES (?, ?, ?)").bind(name, "v", 1);

  test("a batch is all or nothing", async ({ expect }) => {
    const database = await open();
    expect((await failure(() => database.batch([insert(database, "batch-a"), insert(database, "batch-a")]))) === null).toEqual(false);
    expect(await database.prepare("SELECT COUNT(*) AS n FROM settings WHERE name = 'batch-a'").first()).toMatchObject({ n: 0 });
    const results = await database.batch([insert(database, "batch-a"), database.prepare("SELECT name FROM settings WHERE name = 'batch-a'")]);
    expect(results.map((result) => [result.meta.changes, result.results.length])).toEqual([[1, 0], [0, 1]]);
  });

  test("two columns of one name stay apart when they are read by position", async ({ expect }) => {
    expect(await (await open()).prepare("SELECT 1 AS id, 2 AS id").raw()).toEqual([[1, 2]]);
  });

  test("what cannot be bound is refused before anything is written", async ({ expect }) => {
    const database = await open();
    for (const value of [undefined, 1n]) {
      expect((await failure(() => database.prepare("SELECT ?").bind(value).all())) === null).toEqual(false);
    }
    const many = Array.from({ length: 101 }, (_, index) => index);
    expect((await failure(() => database.prepare(`SELECT ${many.map(() => "?").join(", ")}`).bind(...many).all())) === null).toEqual(false);
  });

  test("a failure is known as the database's, and a batch's says nothing of its values", async ({ expect }) => {
    const database = await open();
    const db = openDatabase(database);
    const broken = await failure(() => db.batch([db.run("INSERT INTO settings (name, value, set_at_ms) VALUES ('planted-value', NULL, 1)")]));
    expect([isDatabaseFailure(broken), String(broken).includes("planted")]).toEqual([true, false]);
  });

  test("the database tells whether it answers", async ({ expect }) => {
    expect(await databaseHealth(await open())).toMatchObject({ region: null });
  });
}
