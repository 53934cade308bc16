// Operators' routes of the reviews: rows that no rule may judge, and refunds without a purchase.
import { beforeAll, describe, expect, test, vi } from "vitest";
import { newId } from "../../src/kernel/ids.ts";
import type { BrandId, PurchaseId, UserId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { addDays, parisDate } from "../../src/kernel/time.ts";
import { reviewService } from "../../src/reviews/service.ts";
import { decideEarning } from "../../src/ledger/earning/rules.ts";
import { at, batch, PROGRAMME, row } from "../contract/ledger-factories.ts";
import { brandWithOffer, insightsApp, rowsOf } from "../support/insights-app.ts";
import type { InsightsApp } from "../support/insights-app.ts";

const NOW = at("2026-11-14");
let app: InsightsApp;
let people = 0;
const someone = (...rest: [("statistics" | "terms")[]?]): Promise<UserId> =>
  app.user(`routes${(people += 1)}@example.fr`, ...rest);

beforeAll(async () => {
  app = await insightsApp();
  // Mail of alarms that ring by themselves goes nowhere.
  vi.stubGlobal("fetch", async () => new Response(null, { status: 503 }));
});

describe("the reviews", () => {
  let id: UserId;
  let brandId: BrandId;
  const open = async () =>
    ((await app.call("GET", "/reviews?limit=100", "support")).body.data ?? []).filter((item) =>
      item["user_id"] === id
    );
  const decide = (purchaseId: unknown, decision: string, key?: string) =>
    app.call("POST", `/reviews/${String(purchaseId)}/decision`, "support", { decision }, key);

  beforeAll(async () => {
    id = await someone();
    brandId = await brandWithOffer(app, "Review Shop");
    await app.stubOf(id).record(
      batch([
        row("a", { review: "currency_unknown", brand: { id: brandId, matched: "SHOP" } }),
        row("b", { review: "amount_precision", brand: { id: brandId, matched: "SHOP" } }),
        row("r", { kind: "refund" }),
      ], { offers: [] }),
      NOW,
    );
    await app.stubOf(id).runDue(null, NOW);
  });

  test("show the rows that wait as their ledger has them, without the label, refunds included", async () => {
    const rows = await open();
    const shown = (item: (typeof rows)[number]) => {
      const { kind, outcome } = item["row"] as { kind: string; outcome: string };
      return [item["why"], kind, outcome];
    };
    expect(rows.map(shown).sort()).toEqual([
      ["amount_precision", "purchase", "waiting"],
      ["currency_unknown", "purchase", "waiting"],
      ["refund_without_purchase", "refund", "waiting"],
    ]);
    expect(JSON.stringify(rows)).not.toMatch(/label|cipher|MONOPRIX|SHOP/);
    const first = await app.call("GET", "/reviews?limit=1", "support");
    const second = await app.call(
      "GET",
      `/reviews?limit=1&cursor=${encodeURIComponent(first.body.next_cursor ?? "")}`,
      "support",
    );
    expect(second.body.data?.[0]?.["id"]).not.toBe(first.body.data?.[0]?.["id"]);
    expect((await app.call("GET", "/reviews?cursor=AAAA.t1.AA", "support")).body.code).toBe(
      "cursor_invalid",
    );
  });

  test("that count earn by the offer of their day, once", async () => {
    const held = (await open()).find((item) => item["why"] === "currency_unknown");
    const decided = await decide(held?.["id"], "count", "key-1");
    expect([decided.status, decided.body]).toMatchObject([200, {
      id: held?.["id"],
      state: "closed",
      decision: { decision: "count", by: "support", reason: null },
      possible_decisions: [],
      row: { outcome: "earned", points: 104 },
    }]);
    expect((await decide(held?.["id"], "count", "key-1")).text).toBe(decided.text);
    expect((await decide(held?.["id"], "count")).body).toMatchObject({ row: { points: 104 } });
    const other = await decide(held?.["id"], "refuse");
    expect([other.status, other.body.code]).toEqual([409, "conflict"]);
    expect(await app.ledger.points(id)).toMatchObject({
      ok: true,
      value: { balances: { pending: 104 } },
    });
    expect(
      await rowsOf(
        "SELECT actor FROM audit_events WHERE action = 'review.decide' AND target = ? ORDER BY id LIMIT 1",
        held?.["id"],
      ),
    ).toEqual([{ actor: "support" }]);
  });

  test("say what to look at, what counting comes to, and what may be decided", async () => {
    const held = (await open()).find((item) => item["why"] === "amount_precision");
    expect(held).toMatchObject({
      why_text: "Le montant de la banque est plus précis que le centime ; il a été arrondi.",
      possible_decisions: ["count", "refuse"],
      if_counted: { points_at_most: 104, second_person: false, offers: [{ version: 1 }] },
      row: { brand: { id: brandId, name: "Review Shop" }, original: null },
    });
    const refund = (await open()).find((item) => item["why"] === "refund_without_purchase");
    expect(refund?.["possible_decisions"]).toEqual([]);
  });

  test("that are refused earn nothing for good, with the reason that was given", async () => {
    const held = (await open()).find((item) => item["why"] === "amount_precision");
    const refused = await app.call("POST", `/reviews/${String(held?.["id"])}/decision`, "support", {
      decision: "refuse",
      reason: "counted twice by the bank",
    });
    expect(refused.body).toMatchObject({
      state: "closed",
      decision: { decision: "refuse", reason: "counted twice by the bank" },
      row: { outcome: "not_earned", points: 0 },
    });
    await app.stubOf(id).runDue(null, NOW);
    expect((await open()).map((item) => item["why"])).toEqual(["refund_without_purchase"]);
  });

  test.each(["amount_out_of_bounds", "amount_missing"] as const)(
    "with %s can only be refused: what they show was made up",
    async (why) => {
      const user = await someone();
      await app.stubOf(user).record(
        batch([
          row("x", {
            review: why,
            amountCents: 1_000_000_000,
            brand: { id: brandId, matched: "SHOP" },
          }),
        ], { offers: [] }),
        NOW,
      );
      await app.stubOf(user).runDue(null, NOW);
      const [held] = await rowsOf<{ purchase_id: string }>(
        "SELECT purchase_id FROM reviews WHERE user_id = ?",
        user,
      );
      const refused = await decide(held?.purchase_id, "count");
      expect([refused.status, refused.body.code]).toEqual([409, "conflict"]);
      expect(await rowsOf("SELECT state, decision FROM reviews WHERE user_id = ?", user)).toEqual([{
        state: "open",
        decision: null,
      }]);
      expect(await app.ledger.points(user)).toMatchObject({ value: { balances: { pending: 0 } } });
      expect((await decide(held?.purchase_id, "refuse")).body).toMatchObject({
        state: "closed",
        row: { outcome: "not_earned" },
      });
    },
  );

  describe("whose day cannot be true", () => {
    const on = (purchaseId: string, purchasedOn?: string, decision = "count") =>
      app.call("POST", `/reviews/${purchaseId}/decision`, "support", {
        decision,
        ...(purchasedOn === undefined ? {} : { purchased_on: purchasedOn }),
      });
    async function heldRow(amountCents: number): Promise<string> {
      const user = await someone();
      await app.stubOf(user).record(
        batch([
          row("x", {
            review: "date_absurd",
            purchasedOn: "9999-12-31",
            amountCents,
            brand: { id: brandId, matched: "SHOP" },
          }),
        ], { offers: [] }),
        NOW,
      );
      await app.stubOf(user).runDue(null, NOW);
      const [held] = await rowsOf<{ purchase_id: string }>(
        "SELECT purchase_id FROM reviews WHERE user_id = ?",
        user,
      );
      return held?.purchase_id ?? "";
    }
    const day = (daysAgo: number) => addDays(parisDate(NOW), -daysAgo);

    test("count on the day that a person gives, by the offer of that day", async () => {
      const purchaseId = await heldRow(3490);
      const decided = await on(purchaseId, day(0));
      expect(decided.body).toMatchObject({
        state: "closed",
        decision: { decision: "count" },
        row: { purchased_on: day(0), outcome: "earned", points: 104 },
      });
      expect((await on(purchaseId, day(0))).body).toMatchObject({ row: { points: 104 } });
      expect((await on(purchaseId, day(1))).status).toBe(409);
      expect(
        await rowsOf(
          "SELECT details FROM audit_events WHERE action = 'review.decide' AND target = ?",
          purchaseId,
        ),
      ).toContainEqual({
        details: expect.stringMatching(`"purchased_on":"${day(0)}".*"points":104`),
      });
    });

    test("need one that can be true", async () => {
      const purchaseId = await heldRow(3490);
      const codeOf = async (purchasedOn?: string, decision?: string) => {
        const { status, body } = await on(purchaseId, purchasedOn, decision);
        const [error] = (body as { errors?: { pointer: string; code: string }[] }).errors ?? [];
        return `${status} ${error?.pointer ?? ""} ${error?.code ?? body.code ?? ""}`;
      };
      expect(await codeOf()).toBe("422 /purchased_on day_required");
      for (const purchasedOn of [day(-1), day(121), "1970-01-01"]) {
        expect(await codeOf(purchasedOn)).toBe("422 /purchased_on day_invalid");
      }
      expect(await codeOf("2026-02-30")).toMatch(/^422 \/purchased_on /);
      expect(await codeOf(day(0), "refuse")).toBe("422 /purchased_on day_not_asked");
      expect(
        await rowsOf(
          "SELECT state, decision, purchased_on FROM reviews WHERE purchase_id = ?",
          purchaseId,
        ),
      )
        .toEqual([{ state: "open", decision: null, purchased_on: null }]);
      expect((await on(purchaseId, undefined, "refuse")).body).toMatchObject({
        state: "closed",
        row: { outcome: "not_earned" },
      });
    });

    test("need a second person for many points as well", async () => {
      const purchaseId = await heldRow(900_000);
      expect((await on(purchaseId, day(0))).body).toMatchObject({
        state: "open",
        decision: null,
        proposal: { by: "support", points: 27_000 },
      });
      const again = { decision: "count", purchased_on: day(0) };
      const path = `/reviews/${purchaseId}/decision`;
      const second = await app.call("POST", path, "bob.support", again);
      expect(second.body).toMatchObject({ state: "closed", row: { points: 27_000 } });
    });
  });

  test("that the ledger will not count are open again, and the sweep lets go of them", async () => {
    const user = await someone();
    await app.stubOf(user).record(
      batch([row("x", { review: "amount_precision" })], { offers: [] }),
      NOW,
    );
    await app.stubOf(user).runDue(null, NOW);
    const [held] = await rowsOf<{ purchase_id: PurchaseId }>(
      "SELECT purchase_id FROM reviews WHERE user_id = ?",
      user,
    );
    // D1 does not know yet that the bank's newer version is held for another reason.
    const reviews = reviewService({
      store: app.queue,
      catalogue: app.catalogueView,
      decide: decideEarning,
      programme: PROGRAMME,
      clock: app.clock,
      ledger: {
        purchase: async () => ({ ok: true, value: null }),
        decideReview: async () => ({ ok: false, error: { code: "review_not_countable" } }),
      },
    });
    const event = {
      actorKind: "operator",
      actor: "alice",
      action: "review.decide",
      target: "x",
      details: {},
    } as const;
    expect(
      await reviews.decide({
        purchaseId: held?.purchase_id ?? "pur_",
        decision: "count",
        purchasedOn: null,
        reason: null,
        by: "alice",
        listedPerson: true,
        event,
      }),
    ).toEqual({
      ok: false,
      error: { code: "not_countable" },
    });
    expect(await rowsOf("SELECT state, decision FROM reviews WHERE user_id = ?", user)).toEqual([{
      state: "open",
      decision: null,
    }]);
  });

  describe("that would earn more than 2 000 points", () => {
    const pending = async (user: UserId) => {
      const points = await app.ledger.points(user);
      return points.ok ? points.value.balances.pending : null;
    };
    const as = (subject: string, purchaseId: string, decision: string) =>
      app.call("POST", `/reviews/${purchaseId}/decision`, `${subject}.support`, { decision });

    async function heldRow(amountCents: number): Promise<{ user: UserId; purchaseId: string }> {
      const user = await someone();
      await app.stubOf(user).record(
        batch([
          row("x", {
            review: "amount_precision",
            amountCents,
            brand: { id: brandId, matched: "SHOP" },
          }),
        ], { offers: [] }),
        NOW,
      );
      await app.stubOf(user).runDue(null, NOW);
      const [held] = await rowsOf<{ purchase_id: string }>(
        "SELECT purchase_id FROM reviews WHERE user_id = ?",
        user,
      );
      return { user, purchaseId: held?.purchase_id ?? "" };
    }

    test("take a second person, and one alone may count what earns 2 000", async () => {
      const { user, purchaseId } = await heldRow(66_700);
      const first = await as("alice", purchaseId, "count");
      expect([first.status, first.body]).toMatchObject([200, {
        state: "open",
        decision: null,
        proposal: { by: "alice", points: 2001 },
        row: { outcome: "waiting", points: 0 },
      }]);
      expect((await as("alice", purchaseId, "count")).body).toEqual(first.body);
      expect((await as("unlisted", purchaseId, "count")).body.code).toBe("listed_person_required");
      expect(await pending(user)).toBe(0);
      expect((await as("bob", purchaseId, "count")).body).toMatchObject({
        state: "closed",
        decision: { decision: "count", by: "bob" },
        row: { outcome: "earned", points: 2001 },
      });
      expect(await pending(user)).toBe(2001);
      const events = await rowsOf<{ actor: string; action: string; details: string }>(
        "SELECT actor, action, details FROM audit_events WHERE target = ? AND action LIKE 'review.%' ORDER BY action DESC",
        purchaseId,
      );
      expect(events.map(({ actor, action }) => [actor, action])).toEqual([
        ["alice", "review.propose"],
        ["alice", "review.propose"],
        ["bob", "review.decide"],
      ]);
      for (const { details } of events) {
        expect(JSON.parse(details)).toMatchObject({ decision: "count", points: 2001 });
      }

      const small = await heldRow(66_680);
      expect((await as("alice", small.purchaseId, "count")).body).toMatchObject({
        state: "closed",
        proposal: null,
        row: { points: 2000 },
      });
    });

    test("are counted when two persons say so at the same moment", async () => {
      const { user, purchaseId } = await heldRow(66_700);
      const answers = await Promise.all([
        as("alice", purchaseId, "count"),
        as("bob", purchaseId, "count"),
      ]);
      expect(answers.map(({ status, body }) => [status, body["state"]]).sort()).toEqual([[
        200,
        "closed",
      ], [200, "open"]]);
      expect(await pending(user)).toBe(2001);
    });

    test("are refused by one person, whoever proposed", async () => {
      const { user, purchaseId } = await heldRow(900_000);
      await as("alice", purchaseId, "count");
      expect((await as("alice", purchaseId, "refuse")).body).toMatchObject({
        state: "closed",
        row: { outcome: "not_earned" },
      });
      expect(await pending(user)).toBe(0);
    });

    test("are proposed anew when they would earn more than the first person saw", async () => {
      const { user, purchaseId } = await heldRow(70_000);
      await as("alice", purchaseId, "count");
      await app.stubOf(user).record(
        batch([
          row("x", {
            review: "amount_precision",
            amountCents: 90_000_000,
            lastUpdateMs: 2000,
            brand: { id: brandId, matched: "SHOP" },
          }),
        ], { offers: [] }),
        NOW,
      );
      expect((await as("bob", purchaseId, "count")).body).toMatchObject({
        state: "open",
        proposal: { by: "bob", points: 2_700_000 },
      });
      expect(await pending(user)).toBe(0);
    });

    test("are not counted when the bank amended them after one person had decided", async () => {
      const { user, purchaseId } = await heldRow(1000);
      const event = {
        actorKind: "operator",
        actor: "alice",
        action: "review.decide",
        target: "x",
        details: {},
      } as const;
      await app.queue.intend(
        { purchaseId, decision: "count", purchasedOn: null, by: "alice", nowMs: app.clock.ms },
        event,
      );
      await app.stubOf(user).record(
        batch([
          row("x", {
            review: "amount_precision",
            amountCents: 90_000_000,
            lastUpdateMs: 2000,
            brand: { id: brandId, matched: "SHOP" },
          }),
        ], { offers: [] }),
        NOW,
      );
      expect((await as("alice", purchaseId, "count")).body.code).toBe("second_person_required");
      expect(await pending(user)).toBe(0);
      expect(await rowsOf("SELECT state, decision FROM reviews WHERE user_id = ?", user)).toEqual([{
        state: "open",
        decision: null,
      }]);
    });
  });

  test("cannot be decided when they wait for a purchase, are unknown or no id, or by others than support", async () => {
    const [refund] = await open();
    expect((await decide(refund?.["id"], "count")).status).toBe(409);
    expect((await decide(newId("pur", NOW, systemRandomBytes), "count")).status).toBe(404);
    expect((await decide("1", "count")).status).toBe(404);
    expect((await decide(refund?.["id"], "ignore")).status).toBe(422);
    expect(
      (await app.call("POST", `/reviews/${String(refund?.["id"])}/decision`, "finance", {
        decision: "count",
      })).status,
    ).toBe(403);
    expect(
      (await app.call("POST", `/reviews/${String(refund?.["id"])}/decision`, "support", {
        decision: "count",
      }, null)).body.code,
    ).toBe("idempotency_key_required");
  });

  test("whose decision was written down but never reached the ledger are finished by the sweep", async () => {
    await app.stubOf(id).record(
      batch([row("late", { review: "date_absurd", amountCents: 1000 })], { offers: [] }),
      NOW,
    );
    await app.stubOf(id).runDue(null, NOW);
    const held = (await open()).find((item) => item["why"] === "date_absurd");
    await app.queue.intend({
      purchaseId: String(held?.["id"]),
      decision: "refuse",
      purchasedOn: null,
      by: "alice",
      nowMs: app.clock.ms,
    }, {
      actorKind: "operator",
      actor: "alice",
      action: "review.decide",
      target: "x",
      details: {},
    });
    await app.reviews.finish();
    expect(await app.ledger.purchase(id, held?.["id"] as PurchaseId)).toMatchObject({
      value: { verdict: { outcome: "waiting" } },
    });
    app.clock.ms += 120_000;
    await app.reviews.finish();
    expect(await app.ledger.purchase(id, held?.["id"] as PurchaseId)).toMatchObject({
      value: { verdict: { outcome: "not_earned" } },
    });
    expect((await open()).map((item) => item["why"])).toEqual(["refund_without_purchase"]);
  });

  test("close by themselves when the purchase of a refund arrives", async () => {
    await app.stubOf(id).record(batch([row("p", { purchasedOn: "2026-11-01" })]), NOW);
    await app.stubOf(id).runDue(null, NOW);
    expect(await open()).toEqual([]);
    const closed =
      (await app.call("GET", "/reviews?state=closed&limit=100", "support")).body.data ?? [];
    expect(closed.filter((item) => item["user_id"] === id)).toHaveLength(4);
  });
});
