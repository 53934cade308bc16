// Learning from people: what corrections suggest, with its effect before anybody approves it, and
// the import of legal names. Every name is invented.
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { ALICE, catalogueApp } from "../support/catalogue-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const edge = catalogueApp(DB);

type Proposal = {
  id: string;
  kind: string;
  brand: { id: string; name: string } | null;
  text: string;
  decisions: number;
  effect: { labels: number; gained: number; lost: number; changes: { label: string }[] };
};
type Page = { data: Proposal[]; next_cursor: string | null };
type Report = { created: number; updated: number; unchanged: number };
type Problem = { errors: { pointer: string; code: string; line?: number }[] };

const brandIds = new Map<string, string>();

async function makeBrand(name: string): Promise<void> {
  const made = await edge.call<{ id: string }>("POST", "/admin/v1/brands", {
    as: ALICE,
    body: { name, category: "supermarket", aliases: [name] },
  });
  brandIds.set(name, made.body.id);
}
const correct = (label: string, brand: string | null) =>
  edge.call("POST", "/admin/v1/recognition/corrections", {
    as: ALICE,
    body: { label, brand_id: brand === null ? null : (brandIds.get(brand) ?? "") },
  });
const explain = async (label: string) =>
  (await edge.call<{ brand: { name: string } | null }>("POST", "/admin/v1/recognition/explain", {
    as: ALICE,
    body: { label },
    key: null,
  })).body.brand?.name ?? null;
const proposals = (query = "") =>
  edge.call<Page>("GET", `/admin/v1/recognition/proposals${query}`, { as: ALICE });
const importNames = (raw: string) =>
  edge.call<Report & Problem>("POST", "/admin/v1/recognition/legal-names/import", {
    as: ALICE,
    raw,
    type: "text/csv",
  });

beforeAll(async () => {
  await makeBrand("Kordalie");
  await makeBrand("Vandrel");
});

describe("GET /admin/v1/recognition/proposals", () => {
  it("shows what corrections suggest, with its effect, and changes nothing", async () => {
    expect((await proposals()).body.data).toEqual([]);
    await correct("CARTE 12/11/26 BARVEDIS LYON CB*1234", "Kordalie");
    await correct("CARTE 12/11/26 KORDALIE 12 CB*1234", "Kordalie");
    const version = await edge.store.version();
    const { status, body } = await proposals();
    expect(status).toBe(200);
    expect(body.data).toMatchObject([{
      kind: "descriptor",
      brand: { id: brandIds.get("Kordalie"), name: "Kordalie" },
      text: "BARVEDIS",
      decisions: 1,
      effect: { labels: 4, gained: 1, lost: 0, changes: [{ label: "BARVEDIS LYON" }] },
    }]);
    expect(await edge.store.version()).toBe(version);
    expect(await explain("CARTE 12/11/26 BARVEDIS PARIS CB*1234")).toBeNull();
  });

  it("is gone once its alias is there", async () => {
    await edge.call("PATCH", `/admin/v1/brands/${brandIds.get("Kordalie") ?? ""}`, {
      as: ALICE,
      body: { aliases: ["Kordalie", "Barvedis"] },
      key: null,
    });
    expect((await proposals()).body.data).toEqual([]);
    expect(await explain("CARTE 12/11/26 BARVEDIS PARIS CB*1234")).toBe("Kordalie");
  });

  it("pages, and refuses a cursor that is none of its own", async () => {
    await correct("CARTE 12/11/26 MOLINEDIS LYON CB*1234", "Vandrel");
    await correct("CARTE 12/11/26 QUARTZADIS LYON CB*1234", "Vandrel");
    const first = (await proposals("?limit=1")).body;
    expect(first.data).toHaveLength(1);
    const cursor = encodeURIComponent(first.next_cursor ?? "");
    const second = (await proposals(`?limit=1&cursor=${cursor}`)).body;
    expect(second.data).toHaveLength(1);
    expect(second.data[0]?.id).not.toBe(first.data[0]?.id);
    expect(second.next_cursor).toBeNull();
    expect((await proposals("?cursor=nonsense")).status).toBe(400);
  });
});

describe("POST /admin/v1/recognition/legal-names/import", () => {
  it("reads a legal name before any number or town, and may be sent twice", async () => {
    const file = "legal_name,brand\nSA PRUVODIS,Kordalie\nTRIVADIS,Vandrel\n";
    expect(await explain("CARTE 12/11/26 TRIVADIS LYON CB*1234")).toBeNull();
    const first = await importNames(file);
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ created: 2, updated: 0, unchanged: 0 });
    expect(await explain("CARTE 12/11/26 TRIVADIS LYON CB*1234")).toBe("Vandrel");
    expect(await explain("FACTURE CARTE DU 121126 TRIVADIS 1234 PARIS CARTE 4974XX")).toBe(
      "Vandrel",
    );
    expect(await explain("CARTE 12/11/26 TRIVADIS MARTINE CB*1234")).toBeNull();
    expect((await importNames(file)).body).toMatchObject({ created: 0, unchanged: 2 });
    expect((await importNames("legal_name,brand\nTRIVADIS,kordalie\n")).body).toMatchObject({
      updated: 1,
    });
  });

  it("refuses the whole file with every bad line: no card row, no brand, one name twice", async () => {
    const version = await edge.store.version();
    const refused = await importNames(
      "legal_name,brand\nVIREMENT DE JEANNE,Kordalie\nSOLVADIS,Nobody\nNARVADIS,Vandrel\nNARVADIS,Vandrel\n",
    );
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map(({ pointer, code }) => [pointer, code])).toEqual([
      ["#line/2/legal_name", "label_not_card"],
      ["#line/3/brand", "brand_unknown"],
      ["#line/5/legal_name", "legal_name_repeated"],
    ]);
    expect(await edge.store.version()).toBe(version);
  });
});
