import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ALICE, BOB, catalogueApp, UNLISTED, VERSION } from "../support/catalogue-app.ts";
import { offerCalls, title } from "../support/catalogue-offers.ts";
import type { List, Offer, Problem, PublicOffer } from "../support/catalogue-offers.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const edge = catalogueApp(DB);
const { makeBrand, offerOf, offersOf } = offerCalls(edge);

describe("POST /admin/v1/offers", () => {
  it("puts an ordinary version in force at once", async () => {
    const brand = await makeBrand();
    const made = await offerOf(brand, VERSION);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      brand_id: brand,
      title,
      version: {
        number: 1,
        state: "approved",
        second_person: false,
        approved_by: null,
        in_force: { from: "2025-12-31T23:00:00.000Z", to: null },
      },
    });
    expect(await offersOf(brand)).toMatchObject([{
      id: made.body.id,
      title: "Trois pour cent",
      version: { number: 1, rate_bp: 300 },
      activation: null,
      eligible: null,
    }]);
    expect((await offersOf(brand, { "Accept-Language": "en" }))[0]?.title).toBe("Three per cent");
  });

  it.each([
    ["a rate of 1 501", { ...VERSION, rate_bp: 1501 }],
    ["2 001 points", { ...VERSION, kind: "fixed", rate_bp: null, points: 2001 }],
    ["a tier of 1 600", {
      ...VERSION,
      kind: "tiered",
      rate_bp: null,
      tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 5000, rate_bp: 1600 }],
    }],
    ["16 points per euro", { ...VERSION, kind: "points_per_euro", rate_bp: null, points: 16 }],
  ])("keeps %s waiting for another person", async (_name, version) => {
    const brand = await makeBrand();
    const made = await offerOf(brand, version);
    expect(made.body.version).toMatchObject({
      state: "waiting",
      second_person: true,
      in_force: null,
    });
    expect(await offersOf(brand)).toEqual([]);
    const path = `/admin/v1/offers/${made.body.id}/versions/1/approval`;
    const own = await edge.call<Problem>("POST", path, { as: ALICE });
    expect([own.status, own.body.code]).toEqual([403, "second_person_required"]);
    const unlisted = await edge.call<Problem>("POST", path, { as: UNLISTED });
    expect([unlisted.status, unlisted.body.code]).toEqual([403, "listed_person_required"]);
    expect(await offersOf(brand)).toEqual([]);
    const approved = await edge.call<Offer>("POST", path, { as: BOB });
    expect([approved.status, approved.body.version.state, approved.body.version.approved_by])
      .toEqual([200, "approved", "bob"]);
    expect(await offersOf(brand)).toHaveLength(1);
    expect((await edge.call("POST", path, { as: BOB })).status).toBe(200);
    expect((await edge.call<Problem>("POST", path, { as: "operator.carol.catalogue" })).body.code)
      .toBe("conflict");
  });

  it.each([
    ["tiers that overlap", {
      kind: "tiered",
      rate_bp: null,
      tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 0, rate_bp: 200 }],
    }, "/version/tiers/1/from_cents"],
    [
      "an end before the start",
      { starts_at: "2026-12-02", ends_at: "2026-12-01" },
      "/version/ends_at",
    ],
    ["a rate over 10 000", { rate_bp: 10_001 }, "/version/rate_bp"],
    ["a cap below the fixed points", {
      kind: "fixed",
      rate_bp: null,
      points: 200,
      cap_points_per_purchase: 100,
    }, "/version/cap_points_per_purchase"],
    ["points beside a rate", { points: 5 }, "/version/points"],
    ["a kind that does not exist", { kind: "free" }, "/version/kind"],
    ["a field that does not exist", { bonus: 1 }, "/version/bonus"],
    ["a rate that is no number", { rate_bp: "300" }, "/version/rate_bp"],
  ])("refuses %s with the pointer to the field", async (_name, over, pointer) => {
    const brand = await makeBrand();
    const refused = await offerOf(brand, { ...VERSION, ...over });
    expect([refused.status, refused.body.code]).toEqual([422, "validation_failed"]);
    expect(refused.body.errors.map((item) => item.pointer)).toEqual([pointer]);
    expect(await offersOf(brand)).toEqual([]);
  });

  it.each([
    [
      "a period whose only cap has none",
      { cap_points_per_purchase: 100, period: "month" },
      "/version/period",
      "period_without_cap",
    ],
    [
      "a cap per purchase above the one per user",
      { cap_points_per_purchase: 101, cap_points_per_user: 100 },
      "/version/cap_points_per_user",
      "cap_per_user_below_per_purchase",
    ],
    [
      "tiers that all give nothing",
      { kind: "tiered", rate_bp: null, tiers: [{ from_cents: 0, rate_bp: 0 }] },
      "/version/tiers",
      "tiers_give_nothing",
    ],
  ])("refuses %s", async (_name, over, pointer, code) => {
    const refused = await offerOf(await makeBrand(), { ...VERSION, ...over });
    expect([refused.status, refused.body.errors.map((item) => [item.pointer, item.code])]).toEqual([
      422,
      [[pointer, code]],
    ]);
  });

  it("takes nothing below 50 euros as the first tier", async () => {
    const brand = await makeBrand();
    const tiers = [{ from_cents: 0, rate_bp: 0 }, { from_cents: 5000, rate_bp: 300 }];
    expect((await offerOf(brand, { ...VERSION, kind: "tiered", rate_bp: null, tiers })).status)
      .toBe(201);
    expect((await offersOf(brand))[0]?.version).toMatchObject({ tiers });
  });

  it("takes an offer that is over: it holds for purchases of its time, and nobody sees it", async () => {
    const brand = await makeBrand();
    const made = await offerOf(brand, {
      ...VERSION,
      starts_at: "2026-10-01",
      ends_at: "2026-11-01",
    });
    expect([made.status, made.body.version.in_force]).toEqual([201, {
      from: "2026-09-30T22:00:00.000Z",
      to: "2026-10-31T23:00:00.000Z",
    }]);
    expect(await offersOf(brand)).toEqual([]);
    const { termsFor } = await edge.service.now();
    expect(termsFor(brand as never).map((terms) => [terms.startsAtMs, terms.endsAtMs])).toEqual([[
      Date.UTC(2026, 8, 30, 22),
      Date.UTC(2026, 9, 31, 23),
    ]]);
  });

  it("lets a second person approve the start with the rest", async () => {
    const { id } = (await offerOf(await makeBrand(), { ...VERSION, rate_bp: 2000 })).body;
    const approved = await edge.call<Offer>("POST", `/admin/v1/offers/${id}/versions/1/approval`, {
      as: BOB,
    });
    expect(approved.body.version.in_force).toEqual({ from: "2025-12-31T23:00:00.000Z", to: null });
  });

  it("refuses a brand that is not there, and says so beside what else is wrong", async () => {
    const refused = await offerOf("brd_0192f0c4-0000-7000-8000-00000000dead", {
      ...VERSION,
      rate_bp: 0,
    });
    expect(refused.body.errors.map((item) => [item.pointer, item.code])).toEqual([[
      "/brand_id",
      "brand_unknown",
    ], ["/version/rate_bp", "rate_out_of_range"]]);
  });

  it("makes one offer of a request that is sent again after a crash", async () => {
    const body = { brand_id: await makeBrand(), title, version: VERSION };
    const first = await edge.call<Offer>("POST", "/admin/v1/offers", {
      as: ALICE,
      body,
      key: "offer-once",
    });
    await DB.exec("DELETE FROM idempotency_keys");
    const again = await edge.call<Offer>("POST", "/admin/v1/offers", {
      as: ALICE,
      body,
      key: "offer-once",
    });
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
    expect(await offersOf(body.brand_id)).toHaveLength(1);
  });
});

describe("POST /admin/v1/offers/{id}/versions", () => {
  it("replaces the version in force and numbers without gaps, also when two come at once", async () => {
    const brand = await makeBrand();
    const { id } = (await offerOf(brand, VERSION)).body;
    const other = catalogueApp(DB);
    const added = await Promise.all(
      [edge, other].map((isolate, index) =>
        isolate.call<Offer>("POST", `/admin/v1/offers/${id}/versions`, {
          as: ALICE,
          body: { ...VERSION, rate_bp: 400 + index },
        })
      ),
    );
    expect(added.map((item) => item.status)).toEqual([201, 201]);
    expect(added.map((item) => item.body.version.number).sort((a, b) => a - b)).toEqual([2, 3]);
    const seen = await catalogueApp(DB).call<List<PublicOffer>>(
      "GET",
      `/v1/offers?brand_id=${brand}`,
    );
    expect(seen.body.data.map((offer) => offer.version.number)).toEqual([3]);
    const listed = await edge.call<List<Offer>>("GET", `/admin/v1/offers?brand_id=${brand}`, {
      as: ALICE,
    });
    expect(listed.body.data[0]?.versions.map((version) => version.number)).toEqual([1, 2, 3]);
  });

  it("never lets a later version begin before it was made, nor one that is over begin at all", async () => {
    const { id } = (await offerOf(await makeBrand(), VERSION)).body;
    const add = async (over: object) =>
      (await edge.call<Offer>("POST", `/admin/v1/offers/${id}/versions`, {
        as: ALICE,
        body: { ...VERSION, ...over },
      })).body.version.in_force;
    expect(await add({ starts_at: "2026-10-01", ends_at: "2026-11-01" })).toBeNull();
    expect(await add({ starts_at: "2026-10-01" })).toEqual({
      from: "2026-11-20T09:00:00.000Z",
      to: null,
    });
  });

  it("leaves a planned version in its place when a short one is put before it", async () => {
    const brand = await makeBrand();
    const { id } = (await offerOf(brand, VERSION)).body;
    for (
      const over of [{ starts_at: "2027-06-01" }, {
        starts_at: "2027-03-01",
        ends_at: "2027-03-11",
      }]
    ) {
      await edge.call("POST", `/admin/v1/offers/${id}/versions`, {
        as: ALICE,
        body: { ...VERSION, ...over },
      });
    }
    const listed = await edge.call<List<Offer>>("GET", `/admin/v1/offers?brand_id=${brand}`, {
      as: ALICE,
    });
    expect(listed.body.data[0]?.versions.map((version) => version.in_force)).toEqual([
      { from: "2025-12-31T23:00:00.000Z", to: "2027-02-28T23:00:00.000Z" },
      { from: "2027-05-31T22:00:00.000Z", to: null },
      { from: "2027-02-28T23:00:00.000Z", to: "2027-03-10T23:00:00.000Z" },
    ]);
  });

  it("leaves the present version in force while the new one waits", async () => {
    const brand = await makeBrand();
    const { id } = (await offerOf(brand, VERSION)).body;
    await edge.call("POST", `/admin/v1/offers/${id}/versions`, {
      as: ALICE,
      body: { ...VERSION, rate_bp: 2000 },
    });
    expect((await offersOf(brand))[0]?.version).toMatchObject({ number: 1, rate_bp: 300 });
    const waiting = await edge.call<List<Offer>>(
      "GET",
      "/admin/v1/offers?state=waiting&limit=100",
      { as: ALICE },
    );
    expect(waiting.body.data.map((offer) => offer.id)).toContain(id);
    await edge.call("POST", `/admin/v1/offers/${id}/versions/2/approval`, { as: BOB });
    expect((await offersOf(brand))[0]?.version).toMatchObject({ number: 2, rate_bp: 2000 });
  });

  it("answers 404 for an offer or a version that is not there, and points into the version", async () => {
    const { id } = (await offerOf(await makeBrand(), VERSION)).body;
    expect(
      (await edge.call(
        "POST",
        "/admin/v1/offers/off_0192f0c4-0000-7000-8000-00000000dead/versions",
        { as: ALICE, body: VERSION },
      )).status,
    ).toBe(404);
    expect(
      (await edge.call("POST", `/admin/v1/offers/${id}/versions/9/approval`, { as: BOB })).status,
    ).toBe(404);
    const refused = await edge.call<Problem>("POST", `/admin/v1/offers/${id}/versions`, {
      as: ALICE,
      body: { ...VERSION, confirmation_days: -1 },
    });
    expect(refused.body.errors[0]?.pointer).toBe("/confirmation_days");
  });
});

describe("the database itself", () => {
  it("keeps terms as they are and wants a second person, whatever the code does", async () => {
    const { id } = (await offerOf(await makeBrand(), { ...VERSION, rate_bp: 5000 })).body;
    const run = (text: string, ...values: unknown[]) => DB.prepare(text).bind(...values).run();
    await expect(run("UPDATE offer_versions SET terms = '{}' WHERE offer_id = ?", id)).rejects
      .toThrow();
    await expect(
      run(
        "UPDATE offer_versions SET state = 'approved', approved_at_ms = 1 WHERE offer_id = ?",
        id,
      ),
    ).rejects.toThrow();
    await expect(
      run(
        "UPDATE offer_versions SET state = 'approved', approved_at_ms = 1, approved_by = created_by WHERE offer_id = ?",
        id,
      ),
    ).rejects.toThrow();
    await expect(
      run(
        "INSERT INTO offer_versions SELECT offer_id, 3, terms, 0, 'approved', NULL, created_by, 1, NULL, 1 FROM offer_versions WHERE offer_id = ?",
        id,
      ),
    ).rejects.toThrow();
    await expect(run("DELETE FROM offer_versions WHERE offer_id = ?", id)).rejects.toThrow();
    await expect(run("UPDATE offers SET brand_id = 'x' WHERE id = ?", id)).rejects.toThrow();
    await expect(run("DELETE FROM offers WHERE id = ?", id)).rejects.toThrow();
  });
});

describe("GET /v1/offers and /v1/brands", () => {
  it("carries a strong ETag that changes with the catalogue, the query, the language and the time", async () => {
    const brand = await makeBrand();
    await offerOf(brand, { ...VERSION, ends_at: "2026-11-21" });
    const read = (path: string, headers: Record<string, string> = {}) =>
      edge.call("GET", path, { headers });
    const first = await read(`/v1/offers?brand_id=${brand}`);
    const etag = first.headers.get("ETag") ?? "";
    expect(etag).toMatch(/^"[^"]+"$/);
    expect(first.headers.get("Cache-Control")).toBe("public, max-age=60");
    expect(first.headers.get("Vary")).toContain("Accept-Language");
    const same = await read(`/v1/offers?brand_id=${brand}`, {
      "If-None-Match": `"other", ${etag}`,
    });
    expect([same.status, same.text, same.headers.get("ETag")]).toEqual([304, "", etag]);
    expect(
      (await read(`/v1/offers?brand_id=${brand}`, {
        "If-None-Match": etag,
        "Accept-Language": "en",
      })).status,
    ).toBe(200);
    expect((await read("/v1/offers", { "If-None-Match": etag })).status).toBe(200);
    edge.state.nowMs += 86_400_000;
    expect((await read(`/v1/offers?brand_id=${brand}`, { "If-None-Match": etag })).status).toBe(
      200,
    );
    edge.state.nowMs -= 86_400_000;
    await makeBrand();
    expect((await read(`/v1/offers?brand_id=${brand}`, { "If-None-Match": etag })).status).toBe(
      200,
    );
  });

  it("finds brands by name and category, and one by id, without what is the operator's own", async () => {
    await edge.call("POST", "/admin/v1/brands", {
      as: ALICE,
      body: {
        name: "Équipée du Thé",
        category: "tea",
        aliases: ["Equipee"],
        logo_url: "https://a.example/l.png",
      },
    });
    const found = await edge.call<List<{ id: string; name: string }>>(
      "GET",
      "/v1/brands?query=equipee%20DU&category=tea",
    );
    expect(found.body.data).toEqual([{
      id: expect.stringMatching(/^brd_/),
      name: "Équipée du Thé",
      category: "tea",
      logo_url: "https://a.example/l.png",
      website: null,
    }]);
    const one = await edge.call(`GET`, `/v1/brands/${found.body.data[0]?.id}`);
    expect(one.body).toEqual(found.body.data[0]);
    expect(
      (await edge.call("GET", `/v1/brands/${found.body.data[0]?.id}`, {
        headers: { "If-None-Match": one.headers.get("ETag") ?? "" },
      })).status,
    ).toBe(304);
    expect(
      (await edge.call<Problem>("GET", "/v1/brands/brd_0192f0c4-0000-7000-8000-00000000dead")).body
        .code,
    ).toBe("not_found");
    expect((await edge.call<List<unknown>>("GET", "/v1/brands?category=none")).body.data).toEqual(
      [],
    );
    expect((await edge.call<Problem>("GET", "/v1/brands?colour=red")).body.errors[0]).toMatchObject(
      { pointer: "#query/colour", code: "unknown_field" },
    );
  });

  it("pages with a cursor that is bound to its list", async () => {
    for (let index = 0; index < 3; index += 1) await offerOf(await makeBrand(), VERSION);
    const first = await edge.call<List<PublicOffer>>("GET", "/v1/offers?limit=2");
    expect(first.body.data).toHaveLength(2);
    const second = await edge.call<List<PublicOffer>>(
      "GET",
      `/v1/offers?limit=2&cursor=${first.body.next_cursor}`,
    );
    expect(second.body.data.map((offer) => offer.id)).not.toContain(first.body.data[0]?.id);
    expect(
      (await edge.call<Problem>("GET", `/v1/brands?cursor=${first.body.next_cursor}`)).body.code,
    ).toBe("cursor_invalid");
  });

  it("costs no database read when warm, one for the version when old, one batch when cold", async () => {
    await edge.call("GET", "/v1/brands");
    edge.d1.reset();
    await edge.call("GET", "/v1/offers");
    await edge.call("GET", "/v1/brands");
    expect(edge.d1.count.roundTrips).toBe(0);
    edge.state.nowMs += 5_000;
    await edge.call("GET", "/v1/offers");
    expect(edge.d1.count).toMatchObject({ roundTrips: 1, statements: 1 });
    const cold = catalogueApp(DB);
    await cold.call("GET", "/v1/offers");
    expect(cold.d1.count).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
  });
});
