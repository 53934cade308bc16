import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import brands from "../../src/local/data/brands.json";
import { ALICE, BOB, catalogueApp } from "../support/catalogue-app.ts";
import { DEMO_OFFERS, seedCatalogue } from "../../src/local/seed-catalogue.ts";
import type { SeedCaller } from "../../src/local/seed-catalogue.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const edge = catalogueApp(DB);
const call: SeedCaller = (method, path, { as, lines }) =>
  edge.call(method, path, {
    as: as === "first" ? ALICE : BOB,
    ...(lines === undefined ? {} : { raw: lines, type: "application/x-ndjson" }),
  });

describe("the demo catalogue", () => {
  it("is entered through the operators' routes, every offer in force, and again without any effect", async () => {
    expect(await seedCatalogue(call, brands)).toEqual({ brands: 86, offers: DEMO_OFFERS.length });
    const offers = await edge.call<
      { data: { brand: { name: string }; version: { kind: string } }[] }
    >("GET", "/v1/offers?limit=100");
    expect(offers.body.data.map((offer) => offer.brand.name).sort()).toEqual(
      DEMO_OFFERS.map((offer) => offer.brand).sort(),
    );
    expect(new Set(offers.body.data.map((offer) => offer.version.kind))).toEqual(
      new Set(["percent", "fixed", "tiered", "points_per_euro"]),
    );
    const version = await edge.store.version();
    expect(await seedCatalogue(call, brands)).toEqual({ brands: 86, offers: DEMO_OFFERS.length });
    expect(await edge.store.version()).toBe(version);
  });

  it("recognises Monoprix and gives the terms to the webhook path", async () => {
    const snapshot = await edge.cache.snapshot(await edge.store.version());
    const seen = snapshot.recogniser.recognise("CB MONOPRIX 75011 12/11");
    expect(seen.kind).toBe("card");
    expect(snapshot.brand(seen.brandId as never)?.name).toBe("Monoprix");
    expect(snapshot.termsFor(seen.brandId as never)).toMatchObject([{
      kind: "percent",
      rateBp: 300,
      confirmationDays: 30,
      version: 1,
    }]);
  });
});
