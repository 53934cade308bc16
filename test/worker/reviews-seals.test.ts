// Decisions about held rows that somebody wrote into the database alone: nothing is counted by them,
// and nobody becomes the second person by them.
import { beforeAll, describe, expect, test, vi } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import type { BrandId, PurchaseId, UserId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { reviewsStore } from "../../src/reviews/store.ts";
import { at, batch, row } from "../contract/ledger-factories.ts";
import { bindings, brandWithOffer, insightsApp } from "../support/insights-app.ts";
import type { InsightsApp } from "../support/insights-app.ts";

const NOW = at("2026-11-14");
// More than one person may count.
const MANY_CENTS = 90_000_000;
let app: InsightsApp;
let brandId: BrandId;
let people = 0;

beforeAll(async () => {
  app = await insightsApp();
  brandId = await brandWithOffer(app, "Sealed Shop");
  vi.stubGlobal("fetch", async () => new Response(null, { status: 503 }));
});

async function heldRow(amountCents: number): Promise<{ user: UserId; purchaseId: PurchaseId }> {
  const user = await app.user(`sealed${(people += 1)}@example.fr`);
  const brand = { id: brandId, matched: "SHOP" };
  await app.stubOf(user).record(
    batch([row("x", { review: "amount_precision", amountCents, brand })], { offers: [] }),
    NOW,
  );
  await app.stubOf(user).runDue(null, NOW);
  const rows = (await app.call("GET", "/reviews?limit=100", "support")).body.data ?? [];
  const held = rows.find((item) => item["user_id"] === user);
  return { user, purchaseId: String(held?.["id"]) as PurchaseId };
}
const write = (purchaseId: string, set: string) =>
  bindings.DB.prepare(`UPDATE reviews SET ${set} WHERE purchase_id = ?`).bind(purchaseId).run();
const decide = (purchaseId: string, as: string) =>
  app.call("POST", `/reviews/${purchaseId}/decision`, `${as}.support`, { decision: "count" });
async function pending(user: UserId): Promise<number> {
  const points = await app.ledger.points(user);
  return points.ok ? points.value.balances.pending : -1;
}

describe("the sweep of unfinished decisions", () => {
  test("carries out no decision that nobody made", async () => {
    const { user, purchaseId } = await heldRow(3490);
    const forged = `decision = 'count', decided_by = 'alice', decided_at_ms = ${NOW}`;
    await write(purchaseId, forged);
    app.clock.ms += 180_000;
    await app.reviews.finish();
    expect(await pending(user)).toBe(0);
    expect((await decide(purchaseId, "alice")).status).toBe(404);
    // As it was before: a row that nobody decided needs no seal.
    await write(purchaseId, "decision = NULL, decided_by = NULL, decided_at_ms = NULL");
    expect((await decide(purchaseId, "alice")).status).toBe(200);
    expect(await pending(user)).toBe(104);
  });

  test("carries out no decision that was turned into its contrary or given another day", async () => {
    const { user, purchaseId } = await heldRow(3490);
    await app.queue.intend(
      { purchaseId, decision: "refuse", purchasedOn: null, by: "alice", nowMs: app.clock.ms },
      { actorKind: "operator", actor: "alice", action: "review.decide", target: "x", details: {} },
    );
    await write(purchaseId, "decision = 'count'");
    app.clock.ms += 180_000;
    await app.reviews.finish();
    expect(await pending(user)).toBe(0);
  });
});

describe("the second person", () => {
  test("is not the first one under the name of another proposal", async () => {
    const { user, purchaseId } = await heldRow(MANY_CENTS);
    expect((await decide(purchaseId, "alice")).body).toMatchObject({ state: "open" });
    await write(purchaseId, "proposed_by = 'carol'");
    expect((await decide(purchaseId, "alice")).status).toBe(404);
    expect(await pending(user)).toBe(0);
    await write(purchaseId, "proposed_by = 'alice'");
    expect((await decide(purchaseId, "bob")).status).toBe(200);
    expect(await pending(user)).toBeGreaterThan(0);
  });

  test("finds no proposal that nobody made", async () => {
    const { user, purchaseId } = await heldRow(MANY_CENTS);
    await write(
      purchaseId,
      "proposed_by = 'carol', proposed_at_ms = 1, proposed_points = 2700000",
    );
    expect((await decide(purchaseId, "alice")).status).toBe(404);
    expect(await pending(user)).toBe(0);
  });
});

test("a proposal that comes between keeps a decision from being written over it", async () => {
  const { purchaseId } = await heldRow(3490);
  const over = await app.queue.find(purchaseId);
  if (over === null) throw new Error("not held");
  const event = { actorKind: "operator", action: "review", target: "x", details: {} } as const;
  const nowMs = app.clock.ms;
  const proposing = {
    prepare: (query: string) => bindings.DB.prepare(query),
    batch: async (statements: D1PreparedStatement[]) => {
      await app.queue.propose({ over, by: "bob", points: 104, nowMs }, { ...event, actor: "bob" });
      return bindings.DB.batch(statements);
    },
  } as unknown as D1Database;
  const decided = await reviewsStore(openDatabase(proposing), systemRandomBytes, app.seals).intend(
    { purchaseId, decision: "count", purchasedOn: null, by: "alice", nowMs },
    { ...event, actor: "alice" },
  );
  expect(decided).toMatchObject({ decision: null });
  expect(await app.queue.find(purchaseId)).toMatchObject({ proposedBy: "bob", decision: null });
});
