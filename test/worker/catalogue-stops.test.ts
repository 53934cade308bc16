// What ends or changes after an offer was made: stops, words, archived brands; and what its readers
// and operators are told of it: use, budget, previews of imports.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { alertBudgets } from "../../src/catalogue/budget-alerts.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { ALICE, BOB, catalogueApp, UNLISTED, VERSION } from "../support/catalogue-app.ts";
import { offerCalls, title } from "../support/catalogue-offers.ts";
import type { Problem, PublicOffer } from "../support/catalogue-offers.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const edge = catalogueApp(DB);
const { makeBrand, offerOf, offersOf } = offerCalls(edge);
const USER = "user.usr_0192f0c4-0000-7000-8000-0000000000ab";
const stop = (id: string, body: object, as = ALICE) =>
  edge.call<Problem & Record<string, unknown>>("POST", `/admin/v1/offers/${id}/stop`, { as, body });

describe("POST /admin/v1/offers/{id}/stop", () => {
  it("ends the offer at the end of the Paris day, by one person, once", async () => {
    const brand = await makeBrand();
    const { id } = (await offerOf(brand, VERSION)).body;
    const stopped = await stop(id, {});
    expect([stopped.status, stopped.body["stops"]]).toMatchObject([200, [{
      kind: "end_of_day",
      state: "in_force",
      stops_at: "2026-11-20T23:00:00.000Z",
    }]]);
    expect((await stop(id, {}, BOB)).body["stops"]).toEqual(stopped.body["stops"]);
    expect(await offersOf(brand)).toHaveLength(1);
    edge.state.nowMs += 86_400_000;
    expect(await offersOf(brand)).toEqual([]);
    const over = await edge.call<PublicOffer & { in_force: boolean }>("GET", `/v1/offers/${id}`);
    expect([over.status, over.body.in_force, over.body.version.number]).toEqual([200, false, 1]);
    edge.state.nowMs -= 86_400_000;
    const next = await edge.call<Problem>("POST", `/admin/v1/offers/${id}/versions`, {
      as: ALICE,
      body: VERSION,
    });
    expect([next.status, next.body.code]).toEqual([409, "conflict"]);
  });

  it.each(["the same wish", "the approval"])(
    "ends it at once only by two persons, by %s of the second",
    async (way) => {
      const brand = await makeBrand();
      const { id } = (await offerOf(brand, VERSION)).body;
      const bare = await stop(id, { immediately: true });
      expect(bare.body.errors.map(({ pointer, code }) => [pointer, code])).toEqual([
        ["/reason", "reason_missing"],
      ]);
      const body = { immediately: true, reason: "wrong rate" };
      const approve = (as: string) =>
        way === "the approval"
          ? edge.call<Problem & Record<string, unknown>>(
            "POST",
            `/admin/v1/offers/${id}/stop/approval`,
            { as },
          )
          : stop(id, body, as);
      const asked = await stop(id, body);
      expect(asked.body["stops"]).toMatchObject([{ state: "waiting", reason: "wrong rate" }]);
      const own = await approve(ALICE);
      expect(own.status).toBe(way === "the approval" ? 403 : 200);
      const unlisted = await approve(UNLISTED);
      expect([unlisted.status, unlisted.body.code]).toEqual([403, "listed_person_required"]);
      expect(await offersOf(brand)).toHaveLength(1);
      const approved = await approve(BOB);
      expect(approved.body["stops"]).toMatchObject([{
        state: "in_force",
        approved_by: "bob",
        stops_at: "2026-11-20T09:00:00.000Z",
      }]);
      expect(await offersOf(brand)).toEqual([]);
    },
  );

  it("holds against the database too: nobody ends an offer at once alone", async () => {
    const { id } = (await offerOf(await makeBrand(), VERSION)).body;
    await stop(id, { immediately: true, reason: "x" });
    await expect(
      DB.prepare(
        "UPDATE offer_stops SET state = 'in_force', stops_at_ms = 1 WHERE offer_id = ?",
      ).bind(id).run(),
    ).rejects.toThrow("CHECK");
    await expect(DB.prepare("DELETE FROM offer_stops WHERE offer_id = ?").bind(id).run()).rejects
      .toThrow();
  });
});

describe("PATCH /admin/v1/offers/{id}", () => {
  it("changes the words and the image, clears with null, and keeps the terms", async () => {
    const brand = await makeBrand();
    const { id } = (await offerOf(brand, VERSION)).body;
    const patch = (body: object) =>
      edge.call<Problem & Record<string, unknown>>("PATCH", `/admin/v1/offers/${id}`, {
        as: ALICE,
        body,
      });
    const words = {
      title: { fr: "Neuf", en: "New" },
      description: { fr: "Dès 10 €", en: "From €10" },
      image_url: "https://img.example/a.png",
    };
    expect((await patch(words)).body).toMatchObject(words);
    expect((await offersOf(brand, { "Accept-Language": "en" }))[0]).toMatchObject({
      title: "New",
      description: "From €10",
      image_url: words.image_url,
      version: { number: 1 },
    });
    expect((await patch({ description: null })).body).toMatchObject({
      title: words.title,
      description: null,
      image_url: words.image_url,
    });
    const refused = await patch({ image_url: "javascript:alert(1)", version: VERSION });
    expect(refused.body.errors.map(({ pointer }) => pointer)).toEqual(["/image_url", "/version"]);
  });
});

describe("POST /admin/v1/brands/{id}/archive", () => {
  it("refuses while an offer may earn, then hides the brand and takes no offer for it", async () => {
    const brand = await makeBrand();
    const { id, brand_id: same } = (await offerOf(brand, VERSION)).body;
    expect(same).toBe(brand);
    const archive = () =>
      edge.call<Problem & Record<string, unknown>>("POST", `/admin/v1/brands/${brand}/archive`, {
        as: ALICE,
      });
    expect((await archive()).status).toBe(409);
    await stop(id, { immediately: true, reason: "closed" });
    await stop(id, { immediately: true, reason: "closed" }, BOB);
    expect((await archive()).body["archived_at"]).toBe("2026-11-20T09:00:00.000Z");
    expect((await archive()).status).toBe(200);
    const name = String((await edge.call("GET", `/v1/brands/${brand}`)).body["name"]);
    const listed = await edge.call("GET", `/v1/brands?query=${encodeURIComponent(name)}&limit=100`);
    expect(listed.text).not.toContain(brand);
    expect((await offerOf(brand, VERSION)).body.errors[0]).toMatchObject({
      pointer: "/brand_id",
      code: "brand_archived",
    });
  });
});

describe("an offer with a token", () => {
  const read = async (id: string) =>
    (await edge.call<PublicOffer & { used: unknown }>("GET", `/v1/offers/${id}`, {
      as: USER,
      headers: { "Accept-Language": "en" },
    })).body;

  it("says that a cap is reached and when it starts again, in one ledger call", async () => {
    const { id } = (await offerOf(await makeBrand(), {
      ...VERSION,
      cap_points_per_user: 500,
      period: "month",
    })).body;
    edge.state.used.set(id, { points: 499, purchases: 3, bought: true });
    const calls = edge.state.ledgerCalls;
    expect(await read(id)).toMatchObject({
      eligible: { value: true, reasons: [] },
      used: { points: 499, purchases: 3, resets_on: "2026-12-01" },
    });
    expect(edge.state.ledgerCalls).toBe(calls + 1);
    edge.state.used.set(id, { points: 500, purchases: 3, bought: true });
    expect((await read(id)).eligible).toEqual({
      value: false,
      reasons: [{
        code: "cap_reached",
        message:
          "You have reached the cap of this offer; it starts again from zero on 1 December 2026.",
      }],
    });
  });

  it("says that the first purchase was made, and that the budget is spent", async () => {
    const { id } = (await offerOf(await makeBrand(), {
      ...VERSION,
      first_purchase_only: true,
      budget_points: 1000,
    })).body;
    edge.state.used.set(id, { points: 0, purchases: 0, bought: true });
    await DB.prepare(
      "INSERT INTO offer_budgets (offer_id, reserved_points, updated_at_ms) VALUES (?, 1000, 1)",
    ).bind(id).run();
    expect((await read(id)).eligible?.reasons.map(({ code }) => code)).toEqual([
      "not_first_purchase",
      "budget_exhausted",
    ]);
  });
});

describe("operators", () => {
  it("see the version in force beside the next, and the use of its budget, alerted once at each step", async () => {
    const { id } = (await offerOf(await makeBrand(), { ...VERSION, budget_points: 1000 })).body;
    await edge.call("POST", `/admin/v1/offers/${id}/versions`, {
      as: ALICE,
      body: { ...VERSION, rate_bp: 400, budget_points: 1000, starts_at: "2026-12-01" },
    });
    const alerts: string[] = [];
    const round = async (reserved: number) => {
      await DB.prepare(
        "INSERT INTO offer_budgets (offer_id, reserved_points, updated_at_ms) VALUES (?1, ?2, 1) ON CONFLICT DO UPDATE SET reserved_points = ?2",
      ).bind(id, reserved).run();
      const log = jsonLog((line) => alerts.push(line));
      await alertBudgets({ ...edge, clock: { nowMs: () => edge.state.nowMs }, log });
      return alerts.filter((line) => line.includes(id)).map((line) =>
        (JSON.parse(line) as { percent: number }).percent
      );
    };
    expect(await round(799)).toEqual([]);
    expect(await round(800)).toEqual([80]);
    expect(await round(900)).toEqual([80]);
    expect(await round(1000)).toEqual([80, 100]);
    expect(await round(1000)).toEqual([80, 100]);
    const offers: Record<string, unknown>[] = [];
    for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
      const page = await edge.call(
        "GET",
        `/admin/v1/offers?limit=100${cursor === null ? "" : `&cursor=${cursor}`}`,
        { as: ALICE },
      );
      offers.push(...page.body["data"] as Record<string, unknown>[]);
      cursor = page.body["next_cursor"] as string | null;
    }
    expect(offers.find((offer) => offer["id"] === id)).toMatchObject({
      version_in_force: { number: 1, rate_bp: 300 },
      next_version: { number: 2, rate_bp: 400 },
      budget: { points: 1000, reserved: 1000, left: 0, percent: 100 },
    });
  });

  it("look at an import before it is made, and are told what applies and what waits", async () => {
    const brand = await makeBrand();
    await offerOf(brand, VERSION);
    const name = String((await edge.call("GET", `/v1/brands/${brand}`)).body["name"]);
    const raw = JSON.stringify({ name, category: "other", aliases: ["Nouveau nom"] });
    const send = (query: string, key: string | null) =>
      edge.call<Problem & { dry_run: boolean; lines: object[] }>(
        "POST",
        `/admin/v1/brands/import${query}`,
        { as: ALICE, raw, type: "application/x-ndjson", key },
      );
    const preview = await send("?dry_run=1", null);
    expect(preview.body).toMatchObject({
      dry_run: true,
      lines: [{ status: "waiting", changed: ["category"], waiting: ["aliases"] }],
    });
    expect((await edge.call("GET", `/v1/brands/${brand}`)).body["category"]).toBe("shop");
    expect((await send("", null)).body.code).toBe("idempotency_key_required");
    expect((await send("", crypto.randomUUID())).body).toMatchObject({
      dry_run: false,
      lines: [{ changed: ["category"], waiting: ["aliases"] }],
    });
    expect((await edge.call("GET", `/v1/brands/${brand}`)).body["category"]).toBe("other");
  });

  it("are told what is wrong with the format and the meaning of one line together", async () => {
    const brand = await makeBrand();
    const line = {
      brand_id: brand,
      title,
      version: { ...VERSION, rate_bp: "many", min_cents: 500, max_cents: 100, priority: -1 },
    };
    const refused = await edge.call<Problem>("POST", "/admin/v1/offers/import?dry_run=1", {
      as: ALICE,
      raw: JSON.stringify(line),
      type: "application/x-ndjson",
    });
    expect(refused.body.errors.map(({ pointer, code }) => `${pointer} ${code}`).sort()).toEqual([
      "#line/1/version/max_cents minimum_over_maximum",
      "#line/1/version/priority priority_out_of_range",
      "#line/1/version/rate_bp invalid_type",
    ]);
  });
});

describe("a stop that somebody wrote or changed in the database alone", () => {
  it("ends no offer, and is approved by nobody", async () => {
    const app = () => catalogueApp(DB);
    const { id } = (await offerOf(await makeBrand(), VERSION)).body;
    await DB.prepare(
      "INSERT INTO offer_stops (offer_id, kind, state, reason, created_by, created_at_ms) VALUES (?, 'immediate', 'waiting', 'x', 'carol', 1)",
    ).bind(id).run();
    const approve = () =>
      app().call<Problem>("POST", `/admin/v1/offers/${id}/stop/approval`, { as: ALICE });
    expect((await approve()).status).toBe(409);
    await DB.prepare(
      "UPDATE offer_stops SET state = 'in_force', approved_by = 'bob', stops_at_ms = 1 WHERE offer_id = ?",
    ).bind(id).run();
    const later = app();
    const seen = await later.call<{ in_force: boolean }>("GET", `/v1/offers/${id}`);
    expect(seen.body.in_force).toBe(true);
    expect(later.logged.join()).toContain("row_seal_broken");
  });

  it("that one person asked for is not another's by a change of its row", async () => {
    const { id } = (await offerOf(await makeBrand(), VERSION)).body;
    await stop(id, { immediately: true, reason: "wrong rate" });
    await DB.prepare("DROP TRIGGER offer_stops_fixed").run();
    await DB.prepare("UPDATE offer_stops SET created_by = 'carol' WHERE offer_id = ?").bind(id)
      .run();
    const approval = await catalogueApp(DB).call<Problem>(
      "POST",
      `/admin/v1/offers/${id}/stop/approval`,
      { as: ALICE },
    );
    expect(approval.status).toBe(409);
  });
});
