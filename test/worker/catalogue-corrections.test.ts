// Corrections that make labels count for a brand with an offer: two persons, whatever the way.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ALICE, BOB, catalogueApp, UNLISTED, VERSION } from "../support/catalogue-app.ts";
import { offerCalls } from "../support/catalogue-offers.ts";
import type { Problem } from "../support/catalogue-offers.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const edge = catalogueApp(DB);
const { makeBrand, offerOf } = offerCalls(edge);
const CAROL = "operator.carol.catalogue";
const PATH = "/admin/v1/recognition/corrections";

type Correction = {
  id: string | null;
  state: string;
  merchant: string;
  brand_id: string | null;
  created_by: string;
} & Problem;

// A merchant of its own for each test, of letters only: digits are taken for a shop's number.
let serial = 0;
function newMerchant(): string {
  serial += 1;
  return `BOULANGERIE ZORGLUB ${"ABCDEFGHIJ".charAt(serial).repeat(4)}`;
}
const labelOf = (merchant: string): string => `CARTE 12/11/26 ${merchant} CB*1234`;
const correct = (merchant: string, brand_id: string | null, as = ALICE) =>
  edge.call<Correction>("POST", PATH, { as, body: { label: labelOf(merchant), brand_id } });
const approve = (id: string | null, as: string) =>
  edge.call<Correction>("POST", `${PATH}/${String(id)}/approval`, { as });
const brandOf = async (merchant: string): Promise<string | null> =>
  (await edge.call<{ brand: { id: string } | null }>("POST", "/admin/v1/recognition/explain", {
    as: ALICE,
    body: { label: labelOf(merchant) },
  })).body.brand?.id ?? null;
const listed = async (): Promise<Correction[]> =>
  (await edge.call<{ data: Correction[] }>("GET", `${PATH}?limit=100`, { as: BOB })).body.data;

async function brandWithOffer(): Promise<string> {
  const brand = await makeBrand();
  await offerOf(brand, VERSION);
  return brand;
}

describe("a correction to a brand with an offer", () => {
  it.each(["the same request", "the approval"])("waits for a second person, by %s", async (way) => {
    const merchant = newMerchant();
    const brand = await brandWithOffer();
    const asked = await correct(merchant, brand);
    expect([asked.status, asked.body]).toMatchObject([201, { state: "waiting", brand_id: brand }]);
    expect(await brandOf(merchant)).toBeNull();
    const second = (as: string) =>
      way === "the approval" ? approve(asked.body.id, as) : correct(merchant, brand, as);
    const own = await second(ALICE);
    if (way === "the approval") expect(own.body.code).toBe("second_person_required");
    else expect(own.body).toEqual(asked.body);
    const unlisted = await second(UNLISTED);
    expect([unlisted.status, unlisted.body.code]).toEqual([403, "listed_person_required"]);
    expect(await brandOf(merchant)).toBeNull();
    expect((await second(BOB)).body).toMatchObject({ state: "in_force", created_by: "alice" });
    expect(await brandOf(merchant)).toBe(brand);
    expect((await approve(asked.body.id, BOB)).status).toBe(200);
    expect((await approve(asked.body.id, CAROL)).status).toBe(409);
  });

  it("waits when the offer is to come, and holds at once when there is none or it is over", async () => {
    const [later, without, over] = [await makeBrand(), await makeBrand(), await makeBrand()];
    await offerOf(later, { ...VERSION, starts_at: "2026-12-01" });
    await offerOf(over, { ...VERSION, ends_at: "2026-11-01" });
    expect((await correct(newMerchant(), later)).body.state).toBe("waiting");
    expect((await correct(newMerchant(), without)).body.state).toBe("in_force");
    expect((await correct(newMerchant(), over)).body.state).toBe("in_force");
  });

  it("is overtaken by what is said later of the merchant, and then approved by nobody", async () => {
    const merchant = newMerchant();
    const [first, second] = [await brandWithOffer(), await brandWithOffer()];
    const overtaken = await correct(merchant, first);
    const asked = await correct(merchant, second, BOB);
    expect(asked.body.state).toBe("waiting");
    expect((await approve(overtaken.body.id, CAROL)).status).toBe(404);
    expect(await listed()).toContainEqual(asked.body);
    expect((await correct(merchant, null)).body).toMatchObject({ state: "in_force", id: null });
    expect((await approve(asked.body.id, CAROL)).status).toBe(404);
    expect(await brandOf(merchant)).toBeNull();
    expect((await listed()).map(({ id }) => id)).not.toContain(asked.body.id);
  });

  it("can be taken back by saying again what is in force", async () => {
    const merchant = newMerchant();
    const [brand, plain] = [await brandWithOffer(), await makeBrand()];
    await correct(merchant, plain);
    const asked = await correct(merchant, brand);
    const both = (await listed()).filter((item) => item.merchant === asked.body.merchant);
    expect(both.map(({ state, brand_id }) => [state, brand_id])).toEqual([
      ["in_force", plain],
      ["waiting", brand],
    ]);
    expect((await correct(merchant, plain)).body).toMatchObject({ state: "in_force" });
    expect((await approve(asked.body.id, BOB)).status).toBe(404);
    expect(await brandOf(merchant)).toBe(plain);
  });

  it("needs another person whatever the code does", async () => {
    const asked = await correct(newMerchant(), await brandWithOffer());
    const update = (set: string) =>
      DB.prepare(`UPDATE correction_changes SET ${set} WHERE id = ?`).bind(asked.body.id).run();
    await expect(update("state = 'approved', decided_at_ms = 1")).rejects.toThrow(/CHECK/);
    await expect(update("state = 'approved', decided_at_ms = 1, approved_by = 'alice'"))
      .rejects.toThrow(/CHECK/);
    await expect(update("brand_id = NULL")).rejects.toThrow(/only decided/);
  });

  it("leaves no merchant in the audit trail", async () => {
    const merchant = newMerchant();
    const asked = await correct(merchant, await brandWithOffer());
    await approve(asked.body.id, BOB);
    const texts = await DB.prepare(
      "SELECT group_concat(action || target || details, ' ') AS texts FROM audit_events",
    ).first<string>("texts");
    expect(texts).toContain("recognition.approve_correction");
    expect(texts).not.toContain("ZORGLUB");
  });
});
