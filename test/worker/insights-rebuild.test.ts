// The rebuild of what D1 keeps about the ledgers, and the patrol that finds what it lacks.
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { OfferId, UserId } from "../../src/kernel/ids.ts";
import type { OfferTerms } from "../../src/ledger/ports.ts";
import { PATROL_EMPTY } from "../../src/insights/projection-work.ts";
import { projections } from "../../src/insights/projections.ts";
import { UserLedger } from "../../src/platform/cloudflare/user-ledger.ts";
import { at, batch, FNAC, offer, row } from "../contract/ledger-factories.ts";
import { mailbox } from "../support/mailbox.ts";
import { bindings, insightsApp, rowsOf } from "../support/insights-app.ts";
import type { InsightsApp } from "../support/insights-app.ts";

const NOW = at("2026-11-14");
let app: InsightsApp;
let people = 0;
const someone = (...rest: [("statistics" | "terms")[]?, ("fr" | "en")?]): Promise<UserId> =>
  app.user(`insights${(people += 1)}@example.fr`, ...rest);

beforeAll(async () => {
  app = await insightsApp(2);
});
afterEach(() => vi.unstubAllGlobals());

const counters = () => rowsOf("SELECT * FROM counters ORDER BY day, brand_id, offer_id, kind");
const heads = () =>
  rowsOf(
    "SELECT user_id, last_sequence, head, pending, available, held, closed FROM ledger_heads ORDER BY user_id",
  );

/**
 * Lets every ledger write down and project what it has: those of other tests would otherwise do it
 * in the middle of this one.
 */
async function settleAll(): Promise<void> {
  mailbox();
  for (const { id } of await rowsOf<{ id: UserId }>("SELECT id FROM users")) {
    await app.stubOf(id).runDue(null, at("2028-12-31"));
  }
}

describe("a rebuild", () => {
  const terms = (id: string): OfferTerms => offer({ offerId: `off_${id}` as OfferId });

  async function history(): Promise<UserId[]> {
    const users = [await someone(), await someone(), await someone()];
    for (const [index, id] of users.entries()) {
      await app.stubOf(id).record(
        batch([
          row("1", { purchasedOn: "2026-10-01" }),
          row("2", { amountCents: 2000 + index }),
          row("r", { kind: "refund", amountCents: 500 }),
        ], { offers: [terms(id)] }),
        NOW,
      );
      await app.stubOf(id).operate({
        key: "h",
        operation: { kind: "hold", redemptionId: "red_1", points: 50, expiresAtMs: null },
      }, NOW);
      await app.stubOf(id).runDue(null, NOW);
    }
    await settleAll();
    return users;
  }

  const earned = (id: UserId) =>
    rowsOf(
      "SELECT sum(purchases) AS purchases, sum(cents) AS cents FROM counters WHERE offer_id = ? AND kind = 'earn'",
      `off_${id}`,
    );

  async function rebuild(): Promise<number> {
    let cursor: unknown = null;
    for (let steps = 1;; steps++) {
      const step = await app.call("POST", "/projections/rebuild", "owner", { cursor });
      expect(step.status).toBe(200);
      if (step.body["done"] === true) return steps;
      cursor = step.body.next_cursor;
    }
  }

  test("ends with the heads and counters that the outboxes had produced, in bounded steps", async () => {
    const users = await history();
    const [before, beforeHeads] = [await counters(), await heads()];
    expect(before.length).toBeGreaterThan(5);
    await bindings.DB.prepare("UPDATE counters SET points = points + 7, available = available - 1")
      .run();
    await bindings.DB.prepare("DELETE FROM ledger_heads WHERE user_id = ?").bind(users[0]).run();
    const [{ n } = { n: 0 }] = await rowsOf<{ n: number }>("SELECT count(*) AS n FROM users");
    expect(await rebuild()).toBe(Math.floor(n / 2) + 1);
    expect(await counters()).toEqual(before);
    expect(await heads()).toEqual(beforeHeads);
  });

  test("keeps what an erased ledger had added up to", async () => {
    const [gone = "usr_"] = await history();
    // The erasure comes before the last rounds were drained: nothing of it may be missing.
    await app.stubOf(gone).record(
      batch([row("late", { amountCents: 7000 })], { offers: [terms(gone)] }),
      at("2028-12-31"),
    );
    const leaf = await app.stubOf(gone).leaf(null, NOW);
    expect(await app.stubOf(gone).erase(null, NOW)).toEqual(leaf);
    expect(await app.stubOf(gone).erase(null, NOW)).toEqual(leaf);
    const [before, beforeHeads] = [await counters(), await heads()];
    expect(beforeHeads).toContainEqual(
      expect.objectContaining({ user_id: gone, closed: 1, head: leaf.ok ? leaf.value.head : "" }),
    );
    expect(await earned(gone)).toEqual([{ purchases: 3, cents: 3490 + 2000 + 7000 }]);
    await rebuild();
    expect(await counters()).toEqual(before);
    expect(await heads()).toEqual(beforeHeads);
  });

  test("never has to miss an erased ledger: while D1 does not answer, no book is emptied", async () => {
    const id = await someone();
    await app.stubOf(id).record(batch([row("1")]), NOW);
    const down = {
      prepare: () => {
        throw new Error("down");
      },
    } as unknown as D1Database;
    await runInDurableObject(app.stubOf(id), async (_object, state) => {
      const cutOff = new UserLedger(state, { ...bindings, DB: down });
      expect(await cutOff.erase(null, NOW)).toEqual({
        ok: false,
        error: { code: "ledger_refused" },
      });
    });
    expect(await app.stubOf(id).points(null, NOW)).toMatchObject({
      ok: true,
      value: { sequence: 1 },
    });
  });

  test("loses nothing that a ledger projects while it runs, and counts nothing twice", async () => {
    const users = await history();
    const first = await app.call("POST", "/projections/rebuild", "owner", {});
    expect(first.body["done"]).toBe(false);
    // One that the rebuild has not reached yet projects to D1 by itself.
    for (const id of users) {
      await app.stubOf(id).record(
        batch([row("meanwhile", { amountCents: 1000 })], { offers: [terms(id)] }),
        at("2028-12-31"),
      );
      await app.stubOf(id).runDue(null, at("2028-12-31"));
    }
    let cursor: unknown = first.body.next_cursor;
    while (cursor !== null) {
      cursor =
        (await app.call("POST", "/projections/rebuild", "owner", { cursor })).body.next_cursor;
    }
    const projected = await counters();
    await rebuild();
    expect(await counters()).toEqual(projected);
    // What is added up is what the ledgers hold: no line was lost and none came twice.
    expect(
      await rowsOf(
        "SELECT sum(pending) AS pending, sum(available) AS available, sum(held) AS held FROM counters",
      ),
    )
      .toEqual(
        await rowsOf(
          "SELECT sum(pending) AS pending, sum(available) AS available, sum(held) AS held FROM ledger_heads",
        ),
      );
  });

  test("brings the waiting rows back too", async () => {
    const id = await someone();
    await app.stubOf(id).record(batch([row("held", { review: "date_absurd" })]), NOW);
    await app.stubOf(id).runDue(null, NOW);
    await bindings.DB.prepare("DELETE FROM reviews").run();
    await rebuild();
    expect(await rowsOf("SELECT why, state FROM reviews WHERE user_id = ?", id)).toEqual([{
      why: "date_absurd",
      state: "open",
    }]);
  });

  test("is the owner's alone, needs a key, and goes on only with its own cursor", async () => {
    for (
      const [as, key, body, expected] of [
        [null, "k", {}, [401, "token_missing"]],
        ["finance", "k", {}, [403, "forbidden"]],
        ["catalogue", "k", {}, [403, "forbidden"]],
        ["owner", null, {}, [400, "idempotency_key_required"]],
        ["owner", "k1", { cursor: "bm8.t1.AA" }, [400, "cursor_invalid"]],
        ["owner", "k2", { all: true }, [422, "validation_failed"]],
      ] as const
    ) {
      const refused = await app.call("POST", "/projections/rebuild", as, body, key);
      expect([refused.status, refused.body.code]).toEqual(expected);
    }
  });
});

describe("the patrol", () => {
  test("finds a ledger that D1 does not know to its end and has it projected again", async () => {
    const id = await someone();
    await app.stubOf(id).record(
      batch([row("1"), row("2", { brand: { id: FNAC, matched: "FNAC" } })], {
        offers: [offer({ offerId: `off_${id}` as OfferId })],
      }),
      NOW,
    );
    await settleAll();
    const [before, beforeHeads] = [await counters(), await heads()];
    // A D1 restored from before this ledger: its head and counters are gone, and the object
    // believes that they are there.
    await bindings.DB.batch([
      bindings.DB.prepare("DELETE FROM ledger_heads WHERE user_id = ?").bind(id),
      bindings.DB.prepare("DELETE FROM counters WHERE offer_id = ?").bind(`off_${id}`),
    ]);
    const [{ n } = { n: 0 }] = await rowsOf<{ n: number }>("SELECT count(*) AS n FROM users");
    for (let step = 0; step <= n / 2; step++) await app.projections.patrolStep();
    expect(await heads()).toEqual(beforeHeads);
    expect(await counters()).toEqual(before);
    const metrics = await app.call("GET", "/metrics", "support");
    expect(metrics.body["ledgers"]).toMatchObject({ last_patrol: { checked: n } });
  });

  const round = async (): Promise<void> => {
    const [{ n } = { n: 0 }] = await rowsOf<{ n: number }>("SELECT count(*) AS n FROM users");
    for (let step = 0; step <= n / 2; step++) await app.projections.patrolStep();
  };
  const rebuilding = async () =>
    ((await app.call("GET", "/liability", "finance")).body as { rebuilding?: boolean }).rebuilding;

  test("ends a rebuild that was abandoned, once a whole round that began after it left no ledger behind", async () => {
    await settleAll();
    await round();
    app.clock.ms += 60_000;
    expect((await app.call("POST", "/projections/rebuild", "owner", {})).body["done"]).toBe(false);
    // The round has to begin after the rebuild did, and to end.
    await round();
    expect(await rebuilding()).toBe(true);
    app.clock.ms += 60_000;
    await app.projections.patrolStep();
    expect(await rebuilding()).toBe(true);
    await round();
    await round();
    expect(await rebuilding()).toBe(false);
    const rebuild = await app.store.rebuild();
    expect(rebuild?.finishedAtMs).toBe(app.clock.ms);
    expect(
      await rowsOf("SELECT sum(pending) AS pending, sum(available) AS available FROM counters"),
    ).toEqual(
      await rowsOf("SELECT sum(pending) AS pending, sum(available) AS available FROM ledger_heads"),
    );
    // One that ended keeps its end.
    app.clock.ms += 60_000;
    await round();
    expect(await app.store.rebuild()).toEqual(rebuild);
  });

  test("does not end a rebuild while a ledger refuses to project", async () => {
    const id = await someone();
    await app.stubOf(id).record(batch([row("1")]), NOW);
    await settleAll();
    app.clock.ms += 60_000;
    await app.store.clearProjections({
      startedAtMs: app.clock.ms - 1,
      finishedAtMs: null,
      rebuilt: 0,
      failed: 0,
    }, app.clock.ms);
    const kept = projections({
      store: app.store,
      clock: app.clock,
      log: { info: () => {}, alert: () => {} },
      stepUsers: 1000,
      ledger: {
        leaf: app.ledger.leaf,
        reproject: async (
          user,
        ) => (user === id
          ? { ok: false, error: { code: "ledger_unavailable" } }
          : await app.ledger.reproject(user)),
      },
    });
    await app.store.savePatrol(PATROL_EMPTY, app.clock.ms);
    await kept.patrolStep();
    expect(await rebuilding()).toBe(true);
    app.clock.ms += 1;
    await round();
    await round();
    expect(await rebuilding()).toBe(false);
  });
});
