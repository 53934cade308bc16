// What the stores need of the database under them: run over D1 in workerd and over node:sqlite in
// Node and on Deno.
import type { SqlDatabase } from "../../src/db/d1.ts";
import { isDatabaseFailure, openDatabase } from "../../src/db/database.ts";
import { idempotencyStore, purgeIdempotencyKeys } from "../../src/http/idempotency-store.ts";
import { IDEMPOTENCY_LOCK_MS, IDEMPOTENCY_TTL_MS } from "../../src/http/idempotency.ts";
import type { IdempotencyScope } from "../../src/http/idempotency.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { sampleStore } from "../../src/insights/sample-store.ts";
import { insightsStore } from "../../src/insights/store.ts";
import {
  applyProjection,
  applyReviews,
  closeProjection,
} from "../../src/ledger/projection/projection-store.ts";
import { databaseHealth, ensureProgramme } from "../../src/operations/store.ts";
import { contractKeyring } from "./crypto.ts";
import type { ContractTest } from "./ledger.ts";

/**
 * A database with the migrations applied. It may hold what an earlier test of this contract left.
 */
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
    expect(await ensureProgramme(db, { pointsPerEuro: 100 }, NOW_MS)).toEqual({
      ok: true,
      value: null,
    });
    expect(await ensureProgramme(db, { pointsPerEuro: 101 }, NOW_MS)).toEqual({
      ok: false,
      error: { code: "programme_rate_changed" },
    });
    expect(await ensureProgramme(db, { pointsPerEuro: 100 }, NOW_MS + 1)).toEqual({
      ok: true,
      value: null,
    });
  });

  test("an idempotency key is taken once, answers again, conflicts, and is free when its time is over", async ({ expect }) => {
    const db = openDatabase(await open());
    const store = idempotencyStore(db, contractKeyring(), systemRandomBytes);
    const scope: IdempotencyScope = {
      principal: "usr_1",
      method: "POST",
      path: "/v1/x",
      key: "k-1",
    };
    const started = await Promise.all([1, 2, 3].map(() => store.begin(scope, "hash", NOW_MS)));
    expect(started.map(({ state }) => state).sort()).toEqual([
      "in_progress",
      "in_progress",
      "started",
    ]);
    await store.complete(scope, NOW_MS, {
      status: 201,
      contentType: "application/json",
      body: '{"é":1}',
    }, NOW_MS + IDEMPOTENCY_TTL_MS);
    expect(await store.begin(scope, "hash", NOW_MS)).toEqual({
      state: "done",
      answer: { status: 201, contentType: "application/json", body: '{"é":1}' },
    });
    expect(await store.begin(scope, "other", NOW_MS)).toEqual({ state: "conflict" });
    expect(await purgeIdempotencyKeys(db, NOW_MS + IDEMPOTENCY_TTL_MS)).toEqual(0);
    expect(await purgeIdempotencyKeys(db, NOW_MS + IDEMPOTENCY_TTL_MS + 1)).toEqual(1);
    expect(await store.begin(scope, "other", NOW_MS)).toMatchObject({ state: "started" });
    // A request that died holding the key gives it up to the same request, after a while.
    expect(await store.begin(scope, "other", NOW_MS + IDEMPOTENCY_LOCK_MS)).toMatchObject({
      state: "started",
    });
  });

  test("a projection counts once however often it is sent, and reads back where the database is", async ({ expect }) => {
    const database = await open();
    const user = "usr_projection";
    const counter = {
      day: "2026-11-23",
      brandId: "brd_1",
      offerId: "off_1",
      kind: "earn" as const,
      purchases: 1,
      cents: 3490,
      points: 104,
      changes: { pending: 104, available: 0, held: 0 },
    };
    const first = {
      from: 0,
      through: 2,
      head: "a".repeat(64),
      balances: { pending: 104, available: 0, held: 0 },
      counters: [counter],
      more: false,
    };
    expect(await applyProjection(database, user, first, NOW_MS)).toEqual(2);
    expect(await applyProjection(database, user, first, NOW_MS)).toEqual(2);
    expect(await applyProjection(database, user, { ...first, from: 1, through: 3 }, NOW_MS))
      .toEqual(2);
    expect(
      await applyProjection(
        database,
        user,
        { ...first, from: 2, through: 3, head: "b".repeat(64) },
        NOW_MS,
      ),
    ).toEqual(3);
    expect(
      await database.prepare(
        "SELECT purchases, cents, points, pending FROM counters WHERE brand_id = 'brd_1'",
      ).first(),
    ).toMatchObject({ purchases: 2, cents: 6980, points: 208, pending: 208 });
    expect(
      await database.prepare("SELECT last_sequence, head FROM ledger_heads WHERE user_id = ?").bind(
        user,
      ).first(),
    ).toMatchObject({ last_sequence: 3, head: "b".repeat(64) });
  });

  insightsContract(test, open);
}

function insightsContract(test: ContractTest, open: OpenDatabase): void {
  test("the sample takes a consenting user's row once and counts its rows", async ({ expect }) => {
    const database = await open();
    const sample = sampleStore(openDatabase(database));
    const user = "usr_sample";
    const item = {
      id: "k.1",
      otherIds: ["j.1"],
      day: "2026-11-01",
      brandId: "brd_sample",
      cents: 5,
      pseudonym: "k.p",
      bucket: 7,
    };
    const page = async (): Promise<string[]> =>
      (await sample.page("brd_sample", null, 10)).map(({ id }) => id);
    await database.prepare(
      "INSERT INTO users (id, email_index, email_cipher, data_key, locale, state, created_at_ms) VALUES (?1, ?1, 'f1.a', 'k1.a', 'fr', 'active', 1)",
    ).bind(user).run();
    await sample.add(user, [item]);
    expect(await page()).toEqual([]);
    await database.prepare(
      "INSERT INTO consents (id, user_id, purpose, sequence, granted, text_version, at_ms) VALUES (?1, ?1, 'statistics', 1, 1, '1', 1)",
    ).bind(user).run();
    await sample.add(user, [item, { ...item, id: "k.2", otherIds: [] }]);
    await sample.add(user, [item, { ...item, id: "l.1", otherIds: ["k.1", "j.1"] }]);
    expect(await page()).toEqual(["k.1", "k.2"]);
    expect((await sample.page("brd_sample", { day: "2026-11-01", id: "k.1" }, 10)).length).toEqual(
      1,
    );
    await sample.remove(["k.p"]);
    expect(await page()).toEqual([]);
    expect(
      await database.prepare(
        "SELECT size - (SELECT count(*) FROM purchase_sample) AS off FROM purchase_sample_state",
      ).first(),
    ).toMatchObject({ off: 0 });
  });

  test("a closed ledger keeps its part of the counters through a rebuild, and counts once", async ({ expect }) => {
    const database = await open();
    const line = {
      day: "2026-11-23",
      brandId: "brd_closed",
      offerId: "",
      kind: "goodwill" as const,
      purchases: 0,
      cents: 0,
      points: 9,
      changes: { pending: 0, available: 9, held: 0 },
    };
    const balances = { pending: 0, available: 9, held: 0 };
    const history = {
      whole: [line],
      rest: [line],
      leaf: { sequence: 1, head: "c".repeat(64) },
      balances,
    };
    await closeProjection(database, "usr_closed", () => history, NOW_MS);
    await closeProjection(database, "usr_closed", () => history, NOW_MS);
    await applyProjection(database, "usr_living", {
      from: 0,
      through: 1,
      head: "d".repeat(64),
      balances,
      counters: [line],
      more: false,
    }, NOW_MS);
    const available = async () =>
      database.prepare("SELECT available FROM counters WHERE brand_id = 'brd_closed'").first();
    expect(await available()).toMatchObject({ available: 18 });
    await insightsStore(openDatabase(database)).clearProjections({
      startedAtMs: 1,
      finishedAtMs: null,
      rebuilt: 0,
      failed: 0,
    }, NOW_MS);
    expect(await available()).toMatchObject({ available: 9 });
    expect(
      await database.prepare(
        "SELECT count(*) AS n, min(user_id) AS user_id FROM ledger_heads WHERE user_id IN ('usr_closed', 'usr_living')",
      ).first(),
    ).toMatchObject({ n: 1, user_id: "usr_closed" });
  });

  test("a user's waiting rows are exactly those projected last", async ({ expect }) => {
    const database = await open();
    const states = async () =>
      (await database.prepare(
        "SELECT why, state FROM reviews WHERE user_id = 'usr_waits' ORDER BY purchase_id",
      ).all<{ why: string; state: string }>()).results.map(({ why, state }) => `${why} ${state}`);
    await applyReviews(
      database,
      "usr_waits",
      [{ purchaseId: "pur_w1", why: "date_absurd" }, { purchaseId: "pur_w2", why: "weak_account" }],
      [],
      NOW_MS,
    );
    await applyReviews(
      database,
      "usr_waits",
      [{ purchaseId: "pur_w2", why: "amount_precision" }],
      [],
      NOW_MS,
    );
    expect(await states()).toEqual(["date_absurd closed", "amount_precision open"]);
    await applyReviews(database, "usr_waits", [], [], NOW_MS);
    expect(await states()).toEqual(["date_absurd closed", "amount_precision closed"]);
  });
}

function databaseContract(test: ContractTest, open: OpenDatabase): void {
  const insert = (database: SqlDatabase, name: string) =>
    database.prepare("INSERT INTO settings (name, value, set_at_ms) VALUES (?, ?, ?)").bind(
      name,
      "v",
      1,
    );

  test("a batch is all or nothing", async ({ expect }) => {
    const database = await open();
    expect(
      (await failure(() =>
        database.batch([insert(database, "batch-a"), insert(database, "batch-a")])
      )) === null,
    ).toEqual(false);
    expect(
      await database.prepare("SELECT COUNT(*) AS n FROM settings WHERE name = 'batch-a'").first(),
    ).toMatchObject({ n: 0 });
    const results = await database.batch([
      insert(database, "batch-a"),
      database.prepare("SELECT name FROM settings WHERE name = 'batch-a'"),
    ]);
    expect(results.map((result) => [result.meta.changes, result.results.length])).toEqual([[1, 0], [
      0,
      1,
    ]]);
  });

  test("two columns of one name stay apart when they are read by position", async ({ expect }) => {
    expect(await (await open()).prepare("SELECT 1 AS id, 2 AS id").raw()).toEqual([[1, 2]]);
  });

  test("what cannot be bound is refused before anything is written", async ({ expect }) => {
    const database = await open();
    for (const value of [undefined, 1n]) {
      expect((await failure(() => database.prepare("SELECT ?").bind(value).all())) === null)
        .toEqual(false);
    }
    const many = Array.from({ length: 101 }, (_, index) => index);
    expect(
      (await failure(() =>
        database.prepare(`SELECT ${many.map(() => "?").join(", ")}`).bind(...many).all()
      )) === null,
    ).toEqual(false);
  });

  test("a failure is known as the database's, and a batch's says nothing of its values", async ({ expect }) => {
    const database = await open();
    const db = openDatabase(database);
    const broken = await failure(() =>
      db.batch([
        db.run("INSERT INTO settings (name, value, set_at_ms) VALUES ('planted-value', NULL, 1)"),
      ])
    );
    expect([isDatabaseFailure(broken), String(broken).includes("planted")]).toEqual([true, false]);
  });

  test("the database says whether it answers", async ({ expect }) => {
    expect(await databaseHealth(await open())).toMatchObject({ region: null });
  });
}
