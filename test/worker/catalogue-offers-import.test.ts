import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ALICE, catalogueApp, VERSION } from "../support/catalogue-app.ts";
import { offerCalls, title } from "../support/catalogue-offers.ts";
import type { Problem } from "../support/catalogue-offers.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const edge = catalogueApp(DB);
const { makeBrand, offersOf } = offerCalls(edge);

describe("POST /admin/v1/offers/import", () => {
  it("creates, versions and recognises what is already there", async () => {
    const { name } = (await edge.call<{ name: string }>("GET", `/v1/brands/${await makeBrand()}`))
      .body;
    const line = (rateBp: number) =>
      JSON.stringify({
        brand: name,
        title: { fr: "Fichier", en: "File" },
        version: { ...VERSION, rate_bp: rateBp },
      });
    const send = (text: string) =>
      edge.call<
        { created: number; updated: number; unchanged: number; lines: { status: string }[] }
      >("POST", "/admin/v1/offers/import", { as: ALICE, raw: text, type: "application/x-ndjson" });
    expect((await send(line(300))).body).toMatchObject({ created: 1, unchanged: 0 });
    expect((await send(line(300))).body).toMatchObject({ created: 0, unchanged: 1 });
    expect((await send(line(400))).body).toMatchObject({ updated: 1 });
  });

  it("reads CSV with tiers", async () => {
    const brand = await makeBrand();
    const csv =
      `brand_id;title_fr;title_en;kind;tiers;activation;channel;starts_at;confirmation_days;priority\n${brand};"Paliers ; fidélité";Tiers;tiered;0:200|5000:400;automatic;any;2026-01-01;30;100\n`;
    const imported = await edge.call("POST", "/admin/v1/offers/import", {
      as: ALICE,
      raw: csv,
      type: "text/csv",
    });
    expect(imported.body).toMatchObject({ created: 1 });
    expect((await offersOf(brand))[0]).toMatchObject({
      title: "Paliers ; fidélité",
      version: { tiers: [{ from_cents: 0, rate_bp: 200 }, { from_cents: 5000, rate_bp: 400 }] },
    });
  });

  it("is all or nothing and reports each bad line", async () => {
    const brand = await makeBrand();
    const good = { brand_id: brand, title, version: VERSION };
    const lines = [good, { ...good, brand_id: "brd_none", title: { fr: "b", en: "b" } }, {
      ...good,
      title: { fr: "c", en: "c" },
      version: { ...VERSION, rate_bp: 0 },
    }, good];
    const refused = await edge.call<Problem>("POST", "/admin/v1/offers/import", {
      as: ALICE,
      raw: lines.map((line) => JSON.stringify(line)).join("\n"),
      type: "application/x-ndjson",
    });
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map((item) => item.pointer)).toEqual([
      "#line/2/brand_id",
      "#line/3/version/rate_bp",
      "#line/4/title",
    ]);
    expect(await offersOf(brand)).toEqual([]);
  });
});

describe("a refused file of offers", () => {
  const send = (items: readonly unknown[], headers: Record<string, string> = {}) =>
    edge.call<Problem>("POST", "/admin/v1/offers/import", {
      as: ALICE,
      raw: items.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join("\n"),
      type: "application/x-ndjson",
      headers,
    });

  it("reports of every line what is wrong with its syntax, its fields and its terms, in line order", async () => {
    const good = { brand_id: await makeBrand(), title, version: VERSION };
    const named = (fr: string, over: object) => ({ ...good, title: { fr, en: fr }, ...over });
    const refused = await send([
      good,
      named("b", { version: { ...VERSION, rate_bp: 10_001 } }),
      named("c", { version: { ...VERSION, kind: "x" } }),
      "{oops",
      // One line may be wrong in its fields, its brand and its terms at once.
      { title: { fr: "", en: "e" }, brand: "Nulle part", version: { ...VERSION, priority: -1 } },
      { title, version: VERSION },
      good,
    ]);
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map((item) => [item.line, item.pointer, item.code])).toEqual([
      [2, "#line/2/version/rate_bp", "rate_out_of_range"],
      [3, "#line/3/version/kind", "invalid_value"],
      [4, "#line/4", "malformed_json"],
      [5, "#line/5/title/fr", "too_small"],
      [5, "#line/5/brand", "brand_unknown"],
      [5, "#line/5/version/priority", "priority_out_of_range"],
      [6, "#line/6/brand_id", "brand_missing"],
      [7, "#line/7/title", "duplicate_in_file"],
    ]);
    expect(await offersOf(good.brand_id)).toEqual([]);
  });

  it("speaks of offers where an offer is repeated", async () => {
    const good = { brand_id: await makeBrand(), title, version: VERSION };
    const detail = async (language: string) =>
      (await send([good, good], { "Accept-Language": language })).body.errors.map((item) =>
        item.detail
      );
    expect(await detail("fr")).toEqual([
      "Cette offre (même marque, même titre français) est déjà dans le fichier",
    ]);
    expect(await detail("en")).toEqual([
      "This offer (same brand, same French title) is already in the file",
    ]);
  });
});
