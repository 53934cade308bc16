// The ledger as it runs on the platform: rows written as the storage counts them, concurrency,
// eviction, alarm, projection, erasure.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, test } from "vitest";
import type { UserId } from "../../src/kernel/ids.ts";
import { newId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { ledgerClient } from "../../src/ledger/object/client.ts";
import type { OfferTerms } from "../../src/ledger/ports.ts";
import type { Environment } from "../../src/platform/cloudflare/environment.ts";
import { UserLedger } from "../../src/platform/cloudflare/user-ledger.ts";
import { ALL, at, batch, FNAC, offer, row } from "../contract/ledger-factories.ts";

const bindings = env as unknown as Environment;
const NOW = at("2026-11-14");
const newUser = (): UserId => newId("usr", Date.now(), systemRandomBytes);
const stubOf = (user: UserId) => bindings.LEDGER.getByName(user);

describe("the object", () => {
  test("twenty simultaneous records of the same batch credit once", async ({ expect }) => {
    const user = newUser();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => stubOf(user).record(batch([row("1"), row("2")]), NOW)),
    );
    expect(answers.every((answer) => answer.ok)).toBe(true);
    const points = await stubOf(user).points(null, NOW);
    expect(points).toMatchObject({
      ok: true,
      value: { balances: { pending: 208, available: 0, held: 0 }, sequence: 2 },
    });
  });

  test("an eviction between any two calls changes no answer", async ({ expect }) => {
    const [calm, evicted] = [newUser(), newUser()];
    const story = [
      (user: UserId) => stubOf(user).record(batch([row("1", { purchasedOn: "2026-10-01" })]), NOW),
      (user: UserId) =>
        stubOf(user).operate({
          key: "h1",
          operation: { kind: "hold", redemptionId: "red_1", points: 50, expiresAtMs: null },
        }, NOW),
      (user: UserId) =>
        stubOf(user).record(batch([row("r", { kind: "refund", amountCents: 1000 })]), NOW),
      (user: UserId) =>
        stubOf(user).operate({
          key: "h1",
          operation: { kind: "hold", redemptionId: "red_1", points: 50, expiresAtMs: null },
        }, NOW),
      (user: UserId) =>
        stubOf(user).operate(
          { key: "c1", operation: { kind: "commit", redemptionId: "red_1" } },
          NOW,
        ),
      (user: UserId) =>
        stubOf(user).operate(
          { key: "s1", operation: { kind: "settle", redemptionId: "red_1" } },
          NOW,
        ),
    ];
    for (const step of story) {
      const there = await step(evicted);
      expect(there).toEqual(await step(calm));
      await evictDurableObject(stubOf(evicted));
    }
    const balances = async (user: UserId): Promise<unknown> => {
      const points = await stubOf(user).points(null, NOW);
      return points.ok ? points.value.balances : points;
    };
    expect(await balances(evicted)).toEqual(await balances(calm));
    expect(await stubOf(evicted).verify(null, NOW)).toMatchObject({
      ok: true,
      value: { broken: [] },
    });
  });

  test("a broken invariant is rolled back and refuses, and the next call works", async ({ expect }) => {
    const user = newUser();
    await stubOf(user).record(batch([row("1")]), NOW);
    const refused = await stubOf(user).record(
      batch([row("2"), row("3", { amountCents: -5 })]),
      NOW,
    );
    expect(refused).toEqual({ ok: false, error: { code: "ledger_refused" } });
    expect(await stubOf(user).purchases(ALL, NOW)).toMatchObject({
      ok: true,
      value: { items: [{ externalId: "1" }] },
    });
    expect(await stubOf(user).record(batch([row("2")]), NOW)).toMatchObject({
      ok: true,
      value: { recorded: 1 },
    });
  });

  test("does not start in production outside the EU", async ({ expect }) => {
    await runInDurableObject(stubOf(newUser()), (_object, state) => {
      const start = (settings: Record<string, string>) => () =>
        new UserLedger(state, { ...bindings, ...settings });
      expect(start({ ENVIRONMENT: "production", JURISDICTION: "" })).toThrow("must be eu");
      expect(start({ ENVIRONMENT: "production", JURISDICTION: "eu" })).toThrow(
        "not in the configured jurisdiction",
      );
    });
  });
});

async function headOf(user: UserId): Promise<unknown> {
  return await bindings.DB.prepare(
    "SELECT last_sequence, pending, available, held FROM ledger_heads WHERE user_id = ?",
  ).bind(user).first();
}

describe("the alarm", () => {
  test("projects to D1 the head, the balances and the counters, once", async ({ expect }) => {
    const user = newUser();
    const offers = [offer({ offerId: `off_${user}` as OfferTerms["offerId"] })];
    await stubOf(user).record(batch([row("1"), row("2")], { offers }), NOW);
    expect(await runDurableObjectAlarm(stubOf(user))).toBe(true);
    expect(await headOf(user)).toEqual({ last_sequence: 2, pending: 208, available: 0, held: 0 });
    await stubOf(user).runDue(null, NOW);
    const { results } = await bindings.DB.prepare(
      "SELECT kind, purchases, cents, points FROM counters WHERE offer_id = ?",
    ).bind(`off_${user}`).all();
    expect(results).toEqual([{ kind: "earn", purchases: 2, cents: 6980, points: 208 }]);
  });

  test("a projection whose answer was lost is not counted twice", async ({ expect }) => {
    const user = newUser();
    const offerId = `off_${user}` as OfferTerms["offerId"];
    await stubOf(user).record(batch([row("1")], { offers: [offer({ offerId })] }), NOW);
    await stubOf(user).runDue(null, NOW);
    // As if the acknowledgement had never been written, and more came meanwhile.
    await runInDurableObject(
      stubOf(user),
      (_object, state) =>
        void state.storage.sql.exec(
          "UPDATE meta SET value = '0' WHERE name = 'projected_sequence'",
        ),
    );
    await stubOf(user).record(batch([row("2")], { offers: [offer({ offerId })] }), NOW);
    await stubOf(user).runDue(null, NOW);
    expect(await headOf(user)).toMatchObject({ last_sequence: 2, pending: 208 });
    const total = await bindings.DB.prepare(
      "SELECT SUM(points) AS points FROM counters WHERE offer_id = ?",
    ).bind(offerId).first("points");
    expect(total).toBe(208);
  });

  test("is set for the confirmation and left alone while it rings early enough", async ({ expect }) => {
    const user = newUser();
    await stubOf(user).record(batch([row("1")]), NOW);
    await stubOf(user).runDue(null, NOW);
    const alarmMs = await runInDurableObject(
      stubOf(user),
      (_object, state) => state.storage.getAlarm(),
    );
    expect(alarmMs).not.toBeNull();
  });

  test("of an object that refuses is set again, in an hour", async ({ expect }) => {
    const user = newUser();
    await stubOf(user).points(null, NOW);
    await runInDurableObject(stubOf(user), async (_object, state) => {
      state.storage.sql.exec("INSERT INTO object_migrations (id, name) VALUES (999, 'unknown')");
      const unfit = new UserLedger(state, bindings);
      // The constructor's own work comes first.
      await state.blockConcurrencyWhile(async () => {});
      const startMs = Date.now();
      await unfit.alarm();
      const waitMs = (await state.storage.getAlarm() ?? 0) - startMs;
      expect(Math.round(waitMs / 60_000)).toBe(60);
      // The pool looks after its objects; this one has nothing to ring for.
      await state.storage.deleteAlarm();
    });
  });

  test("an offer's budget is never exceeded, and reversals give back", async ({ expect }) => {
    const [first, second] = [newUser(), newUser()];
    const offerId = `off_b${first}` as OfferTerms["offerId"];
    const offers = [offer({ offerId, budgetPoints: 150 })];
    await stubOf(first).record(batch([row("1")], { offers }), NOW);
    await stubOf(second).record(batch([row("1")], { offers }), NOW);
    const verdict = async (user: UserId) => {
      const page = await stubOf(user).purchases(ALL, NOW);
      const found = page.ok
        ? page.value.items.find((item) => item.kind === "purchase" && item.externalId === "1")
        : undefined;
      const budget = found?.verdict.checks.find(({ measure }) => measure === "budget_points");
      return `${found?.verdict.outcome} ${found?.verdict.points} ${
        found?.verdict.reasons.join("+")
      }, ${budget?.found} of ${budget?.needed}`;
    };
    expect(await verdict(first)).toBe("waiting 0 budget_reserving, null of 104");
    await stubOf(first).runDue(null, NOW);
    await stubOf(second).runDue(null, NOW);
    expect(await verdict(first)).toBe("earned 104 offer_applied, 104 of 104");
    // 150 in all, less the 104 of the first.
    expect(await verdict(second)).toBe("not_earned 0 budget_exhausted, 46 of 104");
    expect(await bindings.OFFER_BUDGET.getByName(offerId).reserved()).toBe(104);
    await stubOf(first).record(batch([row("r", { kind: "refund" })], { offers }), NOW);
    await stubOf(first).runDue(null, NOW);
    expect(await bindings.OFFER_BUDGET.getByName(offerId).reserved()).toBe(0);
  });
});

describe("a purchase whose correction its budget cannot hold", () => {
  test("gets how much the budget could have reserved for it, what it reserved already included", async ({ expect }) => {
    const user = newUser();
    const offers = [offer({ offerId: `off_c${user}` as OfferTerms["offerId"], budgetPoints: 150 })];
    for (const more of [{}, { amountCents: 5400, lastUpdateMs: 2000 }]) {
      await stubOf(user).record(batch([row("1", more)], { offers }), NOW);
      await stubOf(user).runDue(null, NOW);
    }
    const page = await stubOf(user).purchases(ALL, NOW);
    expect(page.ok ? page.value.items[0]?.verdict : null).toMatchObject({
      points: 104,
      reasons: ["offer_applied", "budget_exhausted"],
    });
    expect(
      page.ok
        ? page.value.items[0]?.verdict.checks.find(({ rule }) => rule === "budget_exhausted")
        : null,
    ).toMatchObject({ needed: 162, found: 150 });
  });
});

describe("erasure", () => {
  test("an erased ledger keeps its leaf, answers erased to everything and sets no alarm", async ({ expect }) => {
    const user = newUser();
    await stubOf(user).record(batch([row("1")]), NOW);
    const leaf = await stubOf(user).leaf(null, NOW);
    expect(await stubOf(user).erase(null, NOW)).toEqual(leaf);
    expect(await stubOf(user).erase(null, NOW)).toEqual(leaf);
    await evictDurableObject(stubOf(user));
    const erased = { ok: false, error: { code: "erased" } };
    expect(await stubOf(user).record(batch([row("2")]), NOW)).toEqual(erased);
    expect(await stubOf(user).points(null, NOW)).toEqual(erased);
    expect(await stubOf(user).runDue(null, NOW)).toEqual(erased);
    expect(await stubOf(user).leaf(null, NOW)).toEqual(leaf);
    expect(await runDurableObjectAlarm(stubOf(user))).toBe(false);
    await runInDurableObject(stubOf(user), (_object, state) => {
      expect(state.storage.sql.exec("SELECT COUNT(*) AS n FROM purchases").one()).toEqual({ n: 0 });
    });
  });
});

describe("the client", () => {
  test("asks the user's object over the real namespace", async ({ expect }) => {
    const user = newUser();
    const client = ledgerClient({
      namespace: bindings.LEDGER,
      clock: { nowMs: () => NOW },
      log: { info: () => {}, alert: () => {} },
    });
    expect(
      await client.record(
        user,
        batch([row("1"), row("2", { brand: { id: FNAC, matched: "FNAC" } })]),
      ),
    ).toMatchObject({ ok: true, value: { recorded: 2, earnedPoints: 104 } });
    expect(await client.points(user)).toMatchObject({
      ok: true,
      value: { balances: { pending: 104 } },
    });
    expect(await client.purchase(user, "pur_0197d000-0000-7000-8000-000000000001")).toEqual({
      ok: true,
      value: null,
    });
    expect(await client.runDue(user)).toEqual({ ok: true, value: { more: false } });
  });
});
