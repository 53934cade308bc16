import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { ALICE, BOB, catalogueApp, CLAIRE, UNLISTED, VERSION } from "../support/catalogue-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const edge = catalogueApp(DB);

type Brand = {
  id: string;
  name: string;
  aliases: string[];
  excluded: string[];
  warnings: { code: string; alias: string; with?: string }[];
  waiting_change: { id: string; aliases: string[] } | null;
};
type Problem = { code: string; errors: { pointer: string; code: string }[] };

let serial = 0;
const uniqueName = (): string => `Enseigne ${(serial += 1)}`;
async function makeBrand(name = uniqueName(), aliases = [name]): Promise<Brand> {
  const made = await edge.call<Brand>("POST", "/admin/v1/brands", {
    as: ALICE,
    body: { name, category: "shop", aliases },
  });
  expect(made.status).toBe(201);
  return made.body;
}
async function makeOffer(brandId: string, version: object = VERSION): Promise<void> {
  const made = await edge.call("POST", "/admin/v1/offers", {
    as: ALICE,
    body: { brand_id: brandId, title: { fr: "3 %", en: "3%" }, version },
  });
  expect(made.status).toBe(201);
}
const versionNow = () => DB.prepare("SELECT version FROM catalogue_state").first<number>("version");
const events = async () =>
  (await DB.prepare("SELECT action, actor, target, details FROM audit_events ORDER BY rowid").all<
    { action: string; actor: string; target: string; details: string }
  >()).results;

afterEach(() => {
  edge.state.ledgerError = null;
});

describe("who may", () => {
  const routes: [string, string][] = [
    ["GET", "/admin/v1/brands"],
    ["POST", "/admin/v1/brands"],
    ["PATCH", "/admin/v1/brands/brd_x"],
    ["POST", "/admin/v1/brands/import"],
    ["POST", "/admin/v1/brands/brd_x/alias-changes/chg_x/approval"],
    ["GET", "/admin/v1/offers"],
    ["POST", "/admin/v1/offers"],
    ["POST", "/admin/v1/offers/import"],
    ["POST", "/admin/v1/offers/off_x/versions"],
    ["POST", "/admin/v1/offers/off_x/versions/1/approval"],
    ["POST", "/admin/v1/recognition/explain"],
    ["POST", "/admin/v1/recognition/corrections"],
    ["GET", "/admin/v1/recognition/corrections"],
    ["GET", "/admin/v1/recognition/proposals"],
    ["POST", "/admin/v1/recognition/legal-names/import"],
    ["POST", "/admin/v1/recognition/corrections/chg_x/approval"],
  ];
  it.each(routes)(
    "%s %s: nobody without a token, with a user's token, or with another role",
    async (method, path) => {
      const body = method === "GET" ? {} : { body: {} };
      const before = (await events()).length;
      expect((await edge.call<Problem>(method, path, body)).body.code).toBe("token_missing");
      expect((await edge.call<Problem>(method, path, { ...body, as: "user.usr_1" })).body.code)
        .toBe("token_invalid");
      const refused = await edge.call<Problem>(method, path, { ...body, as: CLAIRE });
      expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
      // Who is known and may not is accounted for; who is not known writes nothing.
      expect((await events()).slice(before)).toMatchObject([{
        action: "call.refused",
        actor: "claire",
        target: path,
        details: JSON.stringify({ method, status: 403 }),
      }]);
    },
  );

  it("lets an owner do everything", async () => {
    expect((await edge.call("GET", "/admin/v1/brands", { as: "operator.helene.owner" })).status)
      .toBe(200);
  });

  const acts = routes.filter(([method, path]) => method === "POST" && !path.endsWith("explain"));
  it.each(acts)("%s %s asks for an Idempotency-Key", async (method, path) => {
    const refused = await edge.call<Problem>(method, path, { as: ALICE, body: {}, key: null });
    expect([refused.status, refused.body.code]).toEqual([400, "idempotency_key_required"]);
  });
});

describe("POST /admin/v1/brands", () => {
  it("creates a brand with its defaults, moves the version on and leaves an event", async () => {
    const before = await versionNow();
    const made = await edge.call<Brand>("POST", "/admin/v1/brands", {
      as: ALICE,
      body: {
        name: "Café Noir",
        category: "coffee",
        aliases: ["Café Noir", "café  noir", "CafeNoir"],
        website: "https://example.fr",
      },
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      name: "Café Noir",
      aliases: ["Café Noir", "CafeNoir"],
      excluded: [],
      website: "https://example.fr",
      logo_url: null,
      waiting_change: null,
      warnings: [],
    });
    expect(made.body.id).toMatch(/^brd_/);
    expect(await versionNow()).toBe((before ?? 0) + 1);
    expect((await events()).at(-1)).toMatchObject({
      action: "brand.create",
      actor: "alice",
      target: made.body.id,
    });
  });

  it("advises about aliases that are short, ordinary or another brand's", async () => {
    const first = await makeBrand("Zorglub", ["Zorglub"]);
    const second = await makeBrand("Zorglub Express", ["Zorglub", "Boulangerie", "ZQ"]);
    expect(second.warnings).toContainEqual({
      code: "alias_collides",
      alias: "Zorglub",
      with: first.id,
    });
    expect(second.warnings).toContainEqual({ code: "alias_ordinary_word", alias: "Boulangerie" });
    expect(second.warnings).toContainEqual({ code: "alias_too_short", alias: "ZQ" });
  });

  it("refuses a name that looks like another one's", async () => {
    await makeBrand("Île Bleue");
    const before = await versionNow();
    const refused = await edge.call<Problem>("POST", "/admin/v1/brands", {
      as: ALICE,
      body: { name: "ILE  BLEUE", category: "shop", aliases: ["x y"] },
    });
    expect([refused.status, refused.body.code, refused.body.errors[0]?.pointer]).toEqual([
      409,
      "conflict",
      "/name",
    ]);
    expect(await versionNow()).toBe(before);
    expect((await events()).at(-1)).toMatchObject({
      action: "call.refused",
      target: "/admin/v1/brands",
      actor: "alice",
    });
  });

  it.each([
    [{ name: "" }, "/name"],
    [{ aliases: [] }, "/aliases"],
    [{ aliases: ["a\u0007b"] }, "/aliases/0"],
    [{ website: "javascript:alert(1)" }, "/website"],
    [{ logo_url: "data:text/html,x" }, "/logo_url"],
    [{ wikidata: "42" }, "/wikidata"],
    [{ color: "red" }, "/color"],
  ])("refuses %j with the pointer to the field", async (wrong, pointer) => {
    const refused = await edge.call<Problem>("POST", "/admin/v1/brands", {
      as: ALICE,
      body: { name: uniqueName(), category: "shop", aliases: ["Une enseigne"], ...wrong },
    });
    expect([refused.status, refused.body.code]).toEqual([422, "validation_failed"]);
    expect(refused.body.errors.map((item) => item.pointer)).toEqual([pointer]);
  });

  it("gives a repeat the first answer, and a repeat after a crash the first brand", async () => {
    const body = { name: uniqueName(), category: "shop", aliases: ["Une enseigne répétée"] };
    const first = await edge.call<Brand>("POST", "/admin/v1/brands", {
      as: ALICE,
      body,
      key: "brand-once",
    });
    const again = await edge.call<Brand>("POST", "/admin/v1/brands", {
      as: ALICE,
      body,
      key: "brand-once",
    });
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect(again.body.id).toBe(first.body.id);
    await DB.exec("DELETE FROM idempotency_keys");
    const afterCrash = await edge.call<Brand>("POST", "/admin/v1/brands", {
      as: ALICE,
      body,
      key: "brand-once",
    });
    expect([afterCrash.status, afterCrash.body.id]).toEqual([201, first.body.id]);
    const other = await edge.call<Problem>("POST", "/admin/v1/brands", {
      as: BOB,
      body,
      key: "brand-once",
    });
    expect(other.body.code).toBe("conflict");
  });

  it("lets two isolates create at the same time without losing either", async () => {
    const other = catalogueApp(DB);
    await Promise.all([edge.service.now(), other.service.now()]);
    const before = (await versionNow()) ?? 0;
    const [one, two] = await Promise.all(
      [edge, other].map((isolate) =>
        isolate.call<Brand>("POST", "/admin/v1/brands", {
          as: ALICE,
          body: { name: uniqueName(), category: "shop", aliases: ["Deux à la fois"] },
        })
      ),
    );
    expect([one?.status, two?.status]).toEqual([201, 201]);
    expect(await versionNow()).toBe(before + 2);
    const { catalogue } = await edge.service.now();
    expect([one, two].every((made) => catalogue.brands.has(made?.body.id as never))).toBe(true);
  });

  it("lets one of two isolates have a name", async () => {
    const other = catalogueApp(DB);
    await Promise.all([edge.service.now(), other.service.now()]);
    const name = uniqueName();
    const both = await Promise.all(
      [edge, other].map((isolate) =>
        isolate.call("POST", "/admin/v1/brands", {
          as: ALICE,
          body: { name, category: "shop", aliases: [name] },
        })
      ),
    );
    expect(both.map((made) => made.status).sort((a, b) => a - b)).toEqual([201, 409]);
  });
});

describe("PATCH /admin/v1/brands/{id}", () => {
  it("changes what is given and keeps the rest; null clears", async () => {
    const brand = await makeBrand();
    const first = await edge.call<Brand & { website: string | null; category: string }>(
      "PATCH",
      `/admin/v1/brands/${brand.id}`,
      { as: ALICE, body: { website: "https://a.example", excluded: ["Banque"] } },
    );
    expect(first.body).toMatchObject({
      website: "https://a.example",
      excluded: ["Banque"],
      aliases: brand.aliases,
      category: "shop",
    });
    const second = await edge.call<{ website: string | null }>(
      "PATCH",
      `/admin/v1/brands/${brand.id}`,
      { as: ALICE, body: { website: null } },
    );
    expect(second.body.website).toBeNull();
  });

  it("does not move the version when nothing changes", async () => {
    const brand = await makeBrand();
    const before = await versionNow();
    expect(
      (await edge.call("PATCH", `/admin/v1/brands/${brand.id}`, {
        as: ALICE,
        body: { aliases: brand.aliases },
      })).status,
    ).toBe(200);
    expect(await versionNow()).toBe(before);
    expect((await events()).at(-1)).toMatchObject({ action: "brand.edit", target: brand.id });
  });

  it("answers 404 for a brand that is not there", async () => {
    expect(
      (await edge.call("PATCH", "/admin/v1/brands/brd_0192f0c4-0000-7000-8000-00000000dead", {
        as: ALICE,
        body: {},
      })).status,
    ).toBe(404);
    expect((await edge.call("PATCH", "/admin/v1/brands/nonsense", { as: ALICE, body: {} })).status)
      .toBe(404);
  });

  it("keeps the aliases of a brand with an offer until another person agrees, and applies the rest at once", async () => {
    const brand = await makeBrand();
    await makeOffer(brand.id);
    const edited = await edge.call<Brand & { category: string }>(
      "PATCH",
      `/admin/v1/brands/${brand.id}`,
      { as: ALICE, body: { aliases: [...brand.aliases, "Bistrot Vert"], category: "food" } },
    );
    expect(edited.status).toBe(200);
    expect(edited.body).toMatchObject({
      aliases: brand.aliases,
      category: "food",
      waiting_change: { aliases: [...brand.aliases, "Bistrot Vert"] },
    });
    const path =
      `/admin/v1/brands/${brand.id}/alias-changes/${edited.body.waiting_change?.id}/approval`;
    const own = await edge.call<Problem>("POST", path, { as: ALICE });
    expect([own.status, own.body.code]).toEqual([403, "second_person_required"]);
    const unlisted = await edge.call<Problem>("POST", path, { as: UNLISTED });
    expect([unlisted.status, unlisted.body.code]).toEqual([403, "listed_person_required"]);
    const explained = () =>
      edge.call<{ brand: { id: string } | null }>("POST", "/admin/v1/recognition/explain", {
        as: ALICE,
        body: { label: "CARTE 12/11 BISTROT VERT PARIS" },
      });
    expect((await explained()).body.brand).toBeNull();
    const approved = await edge.call<Brand>("POST", path, { as: BOB });
    expect(approved.body).toMatchObject({
      aliases: [...brand.aliases, "Bistrot Vert"],
      waiting_change: null,
    });
    expect((await explained()).body.brand?.id).toBe(brand.id);
    expect((await edge.call("POST", path, { as: BOB })).status).toBe(200);
    expect((await edge.call("POST", path, { as: "operator.carol.catalogue" })).status).toBe(409);
  });

  it("also waits when the offer starts tomorrow, and not when it is over", async () => {
    const brand = await makeBrand();
    await makeOffer(brand.id, { ...VERSION, starts_at: "2026-11-21", ends_at: "2026-11-22" });
    const edit = (aliases: string[]) =>
      edge.call<Brand>("PATCH", `/admin/v1/brands/${brand.id}`, { as: ALICE, body: { aliases } });
    expect((await edit(["Demain"])).body.waiting_change).not.toBeNull();
    edge.state.nowMs += 3 * 86_400_000;
    expect((await edit(["Après demain"])).body.aliases).toEqual(["Après demain"]);
    edge.state.nowMs -= 3 * 86_400_000;
  });

  it("replaces a change that waits, keeps one that is asked for again, and approves only the present one", async () => {
    const brand = await makeBrand();
    await makeOffer(brand.id);
    const ask = (aliases: string[]) =>
      edge.call<Brand>("PATCH", `/admin/v1/brands/${brand.id}`, { as: ALICE, body: { aliases } });
    const first = await ask(["Premier choix"]);
    expect((await ask(["Premier choix"])).body.waiting_change?.id).toBe(
      first.body.waiting_change?.id,
    );
    const second = await ask(["Second choix"]);
    expect(second.body.waiting_change?.id).not.toBe(first.body.waiting_change?.id);
    expect(
      (await edge.call(
        "POST",
        `/admin/v1/brands/${brand.id}/alias-changes/${first.body.waiting_change?.id}/approval`,
        { as: BOB },
      )).status,
    ).toBe(404);
  });
});

describe("the database itself", () => {
  it("refuses what the code must never do", async () => {
    const brand = await makeBrand();
    await expect(DB.prepare("DELETE FROM brands WHERE id = ?").bind(brand.id).run()).rejects
      .toThrow();
    await expect(DB.prepare("UPDATE brands SET id = 'x' WHERE id = ?").bind(brand.id).run()).rejects
      .toThrow();
    await expect(DB.prepare("UPDATE catalogue_state SET version = version").run()).rejects
      .toThrow();
    await expect(DB.prepare("DELETE FROM catalogue_state").run()).rejects.toThrow();
    await expect(
      DB.prepare(
        "INSERT INTO alias_changes VALUES ('c', ?, 'n', '[]', '[]', 'approved', 'alice', 1, 'alice', 2)",
      ).bind(brand.id).run(),
    ).rejects.toThrow();
  });
});

describe("GET /admin/v1/brands", () => {
  it("pages through all brands once, and leaves an event per call", async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { body: { data: Brand[]; next_cursor: string | null } } = await edge.call(
        "GET",
        `/admin/v1/brands?limit=7${cursor === null ? "" : `&cursor=${cursor}`}`,
        { as: ALICE },
      );
      seen.push(...page.body.data.map((brand) => brand.id));
      cursor = page.body.next_cursor;
    } while (cursor !== null);
    const { results } = await DB.prepare("SELECT id FROM brands ORDER BY id").all<{ id: string }>();
    expect(seen).toEqual(results.map((row) => row.id));
    expect((await events()).at(-1)).toMatchObject({
      action: "call.read",
      actor: "alice",
      target: "/admin/v1/brands",
    });
    expect(
      (await edge.call<Problem>("GET", "/admin/v1/brands?cursor=abc.def", { as: ALICE })).body.code,
    ).toBe("cursor_invalid");
    expect(
      (await edge.call<Problem>("GET", "/admin/v1/brands?limit=101", { as: ALICE })).body.errors[0]
        ?.pointer,
    ).toBe("#query/limit");
  });
});

describe("the OpenAPI document", () => {
  it("describes every route of the catalogue with a summary, a tag and its refusals", async () => {
    type Operation = {
      summary?: string;
      tags?: string[];
      security?: unknown[];
      responses: Record<string, unknown>;
    };
    const { body } = await edge.call<{ paths: Record<string, Record<string, Operation>> }>(
      "GET",
      "/openapi.json",
    );
    const operations = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))
    );
    expect(operations.length).toBe(25);
    for (const { path, operation } of operations) {
      expect([path, operation.summary, operation.tags?.length]).toEqual([
        path,
        expect.any(String),
        1,
      ]);
      expect(Object.keys(operation.responses)).toContain("503");
      if (path.startsWith("/admin/")) expect(operation.security).toEqual([{ operator: [] }]);
    }
    expect(Object.keys(body.paths["/admin/v1/brands/import"]?.["post"] ?? {})).toContain(
      "requestBody",
    );
  });
});
