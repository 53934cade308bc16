import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ALICE, BOB, catalogueApp, VERSION } from "../support/catalogue-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const edge = catalogueApp(DB);

type Report = {
  created: number;
  updated: number;
  unchanged: number;
  waiting: number;
  lines: { line: number; status: string; id: string; warnings: { code: string }[] }[];
};
type Problem = {
  code: string;
  errors: { pointer: string; code: string; detail: string; line?: number }[];
};
type Explained = {
  kind: string;
  brand: { id: string; name: string } | null;
  matched: string | null;
  merchant: string;
  evidence: string[];
};

const send = (raw: string, type = "application/x-ndjson", key?: string) =>
  edge.call<Report & Problem>("POST", "/admin/v1/brands/import", {
    as: ALICE,
    raw,
    type,
    ...(key === undefined ? {} : { key }),
  });
const lines = (...items: object[]) => items.map((item) => JSON.stringify(item)).join("\n");
const countBrands = () => DB.prepare("SELECT COUNT(*) AS n FROM brands").first<number>("n");
const explain = async (label: string) =>
  (await edge.call<Explained>("POST", "/admin/v1/recognition/explain", {
    as: ALICE,
    body: { label },
    key: null,
  })).body;

describe("POST /admin/v1/brands/import", () => {
  it("creates, recognises what is there, updates what differs, and keeps what the file leaves out", async () => {
    const one = {
      id: "foreign",
      name: "Ferme du Lac",
      category: "food",
      aliases: ["Ferme du Lac"],
      website: "https://lac.example",
    };
    const two = { name: "Atelier Zeph", category: "fashion", aliases: ["Atelier Zeph", "Zeph"] };
    const first = await send(lines(one, two));
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ created: 2, updated: 0, unchanged: 0, waiting: 0 });
    expect(first.body.lines.map((line) => line.line)).toEqual([1, 2]);
    expect((await send(lines(one, two))).body).toMatchObject({ created: 0, unchanged: 2 });
    const { website: _left, ...without } = one;
    const again = await send(lines({ ...without, category: "farm" }, two));
    expect(again.body).toMatchObject({ updated: 1, unchanged: 1 });
    expect((await edge.call(`GET`, `/v1/brands/${again.body.lines[0]?.id}`)).body).toMatchObject({
      category: "farm",
      website: "https://lac.example",
    });
  });

  it("leaves one audit event with the counts, also when nothing changed", async () => {
    await send(lines({ name: "Ferme du Lac", category: "farm", aliases: ["Ferme du Lac"] }));
    const event = await DB.prepare(
      "SELECT action, details FROM audit_events ORDER BY rowid DESC LIMIT 1",
    ).first<{ action: string; details: string }>();
    expect(event?.action).toBe("brand.import");
    expect(JSON.parse(event?.details ?? "")).toEqual({
      created: 0,
      updated: 0,
      unchanged: 1,
      waiting: 0,
    });
  });

  it("reads CSV with quotes and JSON with an array", async () => {
    const csv =
      '\uFEFFname,category,aliases,excluded\r\n"Le ""Grand"" Café, Lyon",coffee,Grand Café Lyon|GCL Lyon,Banque\r\nBleu Nuit,hotel,Bleu Nuit,\r\n';
    const read = await send(csv, "text/csv; charset=utf-8");
    expect(read.body).toMatchObject({ created: 2 });
    const listed = await edge.call<
      { data: { name: string; aliases: string[]; excluded: string[] }[] }
    >("GET", "/admin/v1/brands?query=grand", { as: ALICE });
    expect(listed.body.data).toMatchObject([{
      name: 'Le "Grand" Café, Lyon',
      aliases: ["Grand Café Lyon", "GCL Lyon"],
      excluded: ["Banque"],
    }]);
    expect(
      (await send(
        JSON.stringify({
          brands: [{ name: "Vert Pomme", category: "food", aliases: ["Vert Pomme"] }],
        }),
        "application/json",
      )).body,
    ).toMatchObject({ created: 1 });
  });

  it("is all or nothing: every bad line is reported and nothing is written", async () => {
    const before = await countBrands();
    const version = await edge.store.version();
    const refused = await send(lines(
      { name: "Bonne Ligne", category: "food", aliases: ["Bonne Ligne"] },
      { name: "Sans alias", category: "food", aliases: [] },
      { name: "BONNE LIGNE", category: "food", aliases: ["x"] },
      { name: "Autre", category: "food", aliases: ["Autre"], iban: "FR76" },
    ));
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map((item) => [item.line, item.pointer, item.code])).toEqual([
      [2, "#line/2/aliases", "too_small"],
      [3, "#line/3/name", "duplicate_in_file"],
      [4, "#line/4/iban", "unknown_field"],
    ]);
    const duplicate = await send(
      lines({ name: "Bonne Ligne", category: "food", aliases: ["Bonne Ligne"] }, {
        name: "BONNE LIGNE",
        category: "food",
        aliases: ["x"],
      }),
    );
    expect(duplicate.body.errors).toEqual([{
      pointer: "#line/2/name",
      code: "duplicate_in_file",
      detail: "Cette marque est déjà dans le fichier",
      line: 2,
    }]);
    expect(await countBrands()).toBe(before);
    expect(await edge.store.version()).toBe(version);
  });

  it.each([
    [
      '{"name":"A","category":"b","aliases":["A"]}\n{oops',
      "application/x-ndjson",
      "#line/2",
      "malformed_json",
    ],
    ["", "application/x-ndjson", "#line/1", "file_empty"],
    ["name,colour\nA,red", "text/csv", "#line/1/colour", "column_unknown"],
    ['name,category\n"A,food', "text/csv", "#line/2", "malformed_csv"],
    ["name\nA,B", "text/csv", "#line/2", "malformed_csv"],
    ["name,category,aliases\nOka\uFFFDdi,fashion,Oka\uFFFDdi", "text/csv", "#line/2", "not_utf8"],
    [
      JSON.stringify({ name: "\u0301", category: "b", aliases: ["accent alone"] }),
      "application/x-ndjson",
      "#line/1/name",
      "name_unreadable",
    ],
    ["{}", "application/json", "/brands", "list_missing"],
    [
      '{"brands":[{"name":"A","category":"b"}]}',
      "application/json",
      "/brands/0/aliases",
      "invalid_type",
    ],
  ])("refuses %j as %s", async (raw, type, pointer, code) => {
    const refused = await send(raw, type);
    expect([refused.status, refused.body.errors[0]?.pointer, refused.body.errors[0]?.code]).toEqual(
      [422, pointer, code],
    );
  });

  it("reports in one answer what is wrong with broken lines, wrong fields and repeated names, in line order", async () => {
    const refused = await send(
      [
        '{"name":"Une","category":"x","aliases":["Une"]}',
        '{"name":"Deux","aliases":"Deux"}',
        "{oops",
        '{"name":"une","category":"x","aliases":["u"],"iban":1}',
        "7",
      ].join("\n"),
    );
    expect(refused.body.errors.map((item) => [item.line, item.pointer, item.code])).toEqual([
      [2, "#line/2/category", "invalid_type"],
      [2, "#line/2/aliases", "invalid_type"],
      [3, "#line/3", "malformed_json"],
      [4, "#line/4/iban", "unknown_field"],
      [4, "#line/4/name", "duplicate_in_file"],
      [5, "#line/5", "invalid_type"],
    ]);
    expect(refused.body.errors.slice(0, 2).map((item) => item.detail)).toEqual([
      "Ce champ est obligatoire",
      "Il faut une liste",
    ]);
  });

  it("refuses another media type and JSON that is none", async () => {
    expect((await send("<xml/>", "application/xml")).status).toBe(415);
    expect((await send("{oops", "application/json")).body.code).toBe("malformed_json");
  });

  it("keeps aliases of a brand with an offer waiting for another person", async () => {
    const made = await send(
      lines({ name: "Offre Debout", category: "food", aliases: ["Offre Debout"] }),
    );
    const id = made.body.lines[0]?.id ?? "";
    await edge.call("POST", "/admin/v1/offers", {
      as: ALICE,
      body: { brand_id: id, title: { fr: "a", en: "a" }, version: VERSION },
    });
    const changed = await send(
      lines({ name: "Offre Debout", category: "food", aliases: ["Offre Debout", "Tout le monde"] }),
    );
    expect(changed.body).toMatchObject({ waiting: 1, lines: [{ status: "waiting", id }] });
    expect((await edge.service.now()).catalogue.brands.get(id as never)?.aliases).toEqual([
      "Offre Debout",
    ]);
  });

  it("takes thousands of brands in one batch of few statements", async () => {
    const many = Array.from(
      { length: 3_000 },
      (_, index) => ({
        name: `Distributeur numéro ${index}`,
        category: "shop",
        aliases: [`Distributeur numéro ${index}`, `Dist${index}`],
      }),
    );
    edge.d1.reset();
    const imported = await send(lines(...many));
    expect(imported.body).toMatchObject({
      created: 3_000,
      advised: Math.floor(100_000 / ((await countBrands()) ?? 0)),
    });
    expect(imported.body.lines).toHaveLength(3_000);
    // begin and complete of the idempotency key, version before, batch, version after, reload
    expect(edge.d1.count.roundTrips).toBeLessThanOrEqual(7);
    expect(edge.d1.count.statements).toBeLessThanOrEqual(20);
  });
});

describe("recognition", () => {
  it("explains a label and stores nothing of it", async () => {
    await send(lines({ name: "Monoprix", category: "supermarket", aliases: ["Monoprix"] }));
    const explained = await explain("CARTE 12/11/26 MONOPRIX 75011 PARIS CB*1234");
    expect(explained).toMatchObject({
      kind: "card",
      brand: { name: "Monoprix" },
      matched: "Monoprix",
    });
    expect(explained.evidence.length).toBeGreaterThan(0);
    expect(await explain("VIREMENT SEPA DE MONOPRIX")).toMatchObject({
      kind: "transfer",
      brand: null,
    });
  });

  it("corrects a label to a brand and to none, at once, and for every label with that merchant", async () => {
    const listed = await edge.call<{ data: { id: string }[] }>("GET", "/v1/brands?query=monoprix");
    const id = listed.body.data[0]?.id ?? "";
    expect((await explain("CARTE 12/11/26 QUINCAILLERIE ZORN CB*1234")).brand).toBeNull();
    const before = await edge.store.version();
    const correct = (label: string, brandId: string | null) =>
      edge.call<{ merchant: string; brand_id: string | null } & Problem>(
        "POST",
        "/admin/v1/recognition/corrections",
        { as: ALICE, body: { label, brand_id: brandId } },
      );
    const made = await correct("CARTE 12/11/26 QUINCAILLERIE ZORN CB*1234", id);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ brand_id: id });
    expect(made.body.merchant).not.toMatch(/\d|CARTE|CB/);
    expect(await edge.store.version()).toBe(before + 1);
    expect((await explain("PAIEMENT PAR CARTE X1234 QUINCAILLERIE ZORN 03/12")).brand?.id).toBe(id);
    expect((await correct("CARTE 12/11/26 QUINCAILLERIE ZORN CB*1234", id)).status).toBe(201);
    expect(await edge.store.version()).toBe(before + 1);
    await correct("CARTE 12/11/26 QUINCAILLERIE ZORN CB*1234", null);
    expect((await explain("CARTE 01/12/26 QUINCAILLERIE ZORN CB*1234")).brand).toBeNull();
    const corrections = await edge.call<{ data: { merchant: string; brand_id: string | null }[] }>(
      "GET",
      "/admin/v1/recognition/corrections",
      { as: BOB },
    );
    expect(corrections.body.data).toMatchObject([{ merchant: made.body.merchant, brand_id: null }]);
  });

  it("refuses what is no card payment, since a transfer names a person, and a brand that is not there", async () => {
    const correct = (label: string, brandId: string | null) =>
      edge.call<Problem>("POST", "/admin/v1/recognition/corrections", {
        as: ALICE,
        body: { label, brand_id: brandId },
      });
    expect((await correct("VIREMENT SEPA DE JEANNE MARTIN", null)).body.errors).toMatchObject([{
      pointer: "/label",
      code: "label_not_card",
    }]);
    expect(
      (await correct(
        "CARTE 12/11/26 QUINCAILLERIE ZORN CB*1234",
        "brd_0192f0c4-0000-7000-8000-00000000dead",
      )).body.errors,
    ).toMatchObject([{ pointer: "/brand_id", code: "brand_unknown" }]);
    const stored = await DB.prepare(
      "SELECT group_concat(merchant, ' ') AS texts FROM recognition_corrections",
    ).first<string>("texts");
    expect(stored).not.toContain("JEANNE");
  });
});
