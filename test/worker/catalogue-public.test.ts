// What users see of the catalogue: offers, brands and activations.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ALICE, catalogueApp, VERSION } from "../support/catalogue-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const edge = catalogueApp(DB);

type Version = {
  number: number;
  state: string;
  second_person: boolean;
  rate_bp: number | null;
  approved_by: string | null;
  in_force: { from: string; to: string | null } | null;
};
type Offer = { id: string; brand_id: string; version: Version; versions: Version[] };
type PublicOffer = {
  id: string;
  title: string;
  brand: { id: string; name: string };
  version: { number: number; rate_bp: number };
  activation: { activated_at: string; expires_at: string | null } | null;
  eligible: { value: boolean; reasons: { code: string; message: string }[] } | null;
};
type List<T> = { data: T[]; next_cursor: string | null };
type Problem = {
  code: string;
  errors: { pointer: string; code: string; detail: string; line?: number }[];
};

let serial = 0;
async function makeBrand(): Promise<string> {
  const name = `Boutique ${(serial += 1)}`;
  return (await edge.call<{ id: string }>("POST", "/admin/v1/brands", {
    as: ALICE,
    body: { name, category: "shop", aliases: [name] },
  })).body.id;
}
const title = { fr: "Trois pour cent", en: "Three per cent" };
const offerOf = (brandId: string, version: object) =>
  edge.call<Offer & Problem>("POST", "/admin/v1/offers", {
    as: ALICE,
    body: { brand_id: brandId, title, version },
  });
const offersOf = async (brandId: string, headers: Record<string, string> = {}) =>
  (await edge.call<List<PublicOffer>>("GET", `/v1/offers?brand_id=${brandId}`, { headers })).body
    .data;

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

describe("activation", () => {
  const USER = "user.usr_0192f0c4-0000-7000-8000-0000000000aa";
  const REQUIRED = { ...VERSION, activation: "required", activation_days: 14 };

  it("is shown to its user only, in one ledger call, and never kept by anybody", async () => {
    const brand = await makeBrand();
    const { id } = (await offerOf(brand, REQUIRED)).body;
    const read = () =>
      edge.call<List<PublicOffer>>("GET", `/v1/offers?brand_id=${brand}`, {
        as: USER,
        headers: { "Accept-Language": "en" },
      });
    const calls = edge.state.ledgerCalls;
    const before = await read();
    expect(edge.state.ledgerCalls).toBe(calls + 1);
    expect(before.body.data[0]).toMatchObject({
      activation: null,
      eligible: {
        value: false,
        reasons: [{
          code: "activation_missing",
          message: "Activate this offer before your purchase",
        }],
      },
    });
    expect(before.headers.get("Cache-Control")).toBe("private, no-store");
    expect(before.headers.get("ETag")).toBeNull();
    const made = await edge.call("POST", `/v1/offers/${id}/activation`, { as: USER });
    expect([made.status, made.body]).toEqual([201, {
      activated_at: "2026-11-20T09:00:05.000Z",
      expires_at: "2026-12-04T09:00:05.000Z",
    }]);
    expect((await read()).body.data[0]).toMatchObject({
      activation: made.body,
      eligible: { value: true, reasons: [] },
    });
    expect((await offersOf(brand))[0]?.activation).toBeNull();
    edge.state.nowMs += 60_000;
    expect((await edge.call("POST", `/v1/offers/${id}/activation`, { as: USER })).body).toEqual(
      made.body,
    );
    edge.state.nowMs += 14 * 86_400_000;
    expect((await read()).body.data[0]?.activation).toBeNull();
    edge.state.nowMs -= 14 * 86_400_000 + 60_000;
  });

  it.each([["before", true], ["after", false]])(
    "survives the next version, made %s it",
    async (_when, before) => {
      const brand = await makeBrand();
      const { id } = (await offerOf(brand, { ...REQUIRED, ends_at: "2026-12-02" })).body;
      const next = () =>
        edge.call("POST", `/admin/v1/offers/${id}/versions`, {
          as: ALICE,
          body: { ...REQUIRED, starts_at: "2026-11-25" },
        });
      if (before) await next();
      // Its own end cuts the fourteen days short, the start of the second version does not.
      expect(
        (await edge.call("POST", `/v1/offers/${id}/activation`, { as: USER })).body["expires_at"],
      ).toBe("2026-12-01T23:00:00.000Z");
      if (!before) await next();
      edge.state.nowMs += 7 * 86_400_000;
      const seen = await edge.call<List<PublicOffer>>("GET", `/v1/offers?brand_id=${brand}`, {
        as: USER,
      });
      edge.state.nowMs -= 7 * 86_400_000;
      expect(seen.body.data).toMatchObject([{
        version: { number: 2 },
        activation: { expires_at: "2026-12-01T23:00:00.000Z" },
        eligible: { value: true },
      }]);
    },
  );

  it("is refused without a token, a key, an offer, a time or a need for it", async () => {
    const brand = await makeBrand();
    const { id } = (await offerOf(brand, { ...REQUIRED, starts_at: "2026-12-01" })).body;
    const code = async (path: string, options: object) =>
      (await edge.call<Problem>("POST", path, options)).body.code;
    expect(await code(`/v1/offers/${id}/activation`, {})).toBe("token_missing");
    expect(await code(`/v1/offers/${id}/activation`, { as: "expired.x" })).toBe("token_expired");
    expect(await code(`/v1/offers/${id}/activation`, { as: USER, key: null })).toBe(
      "idempotency_key_required",
    );
    expect(
      await code("/v1/offers/off_0192f0c4-0000-7000-8000-00000000dead/activation", { as: USER }),
    ).toBe("not_found");
    expect(await code(`/v1/offers/${id}/activation`, { as: USER })).toBe("offer_not_available");
    const automatic = (await offerOf(await makeBrand(), VERSION)).body.id;
    expect(await code(`/v1/offers/${automatic}/activation`, { as: USER })).toBe(
      "offer_not_available",
    );
    const waiting = (await offerOf(await makeBrand(), { ...REQUIRED, rate_bp: 5000 })).body.id;
    expect(await code(`/v1/offers/${waiting}/activation`, { as: USER })).toBe("not_found");
    expect((await edge.call<Problem>("GET", "/v1/offers", { as: "expired.x" })).body.code).toBe(
      "token_expired",
    );
  });

  it.each(
    [
      ["ledger_unavailable", 503, "ledger_unavailable"],
      ["ledger_refused", 503, "ledger_unavailable"],
      ["erased", 401, "token_invalid"],
    ] as const,
  )("passes on %s as %i", async (error, status, code) => {
    const { id } = (await offerOf(await makeBrand(), REQUIRED)).body;
    edge.state.ledgerError = { code: error };
    const answers = [
      await edge.call<Problem>("GET", "/v1/offers", { as: USER }),
      await edge.call<Problem>("POST", `/v1/offers/${id}/activation`, { as: USER }),
    ];
    edge.state.ledgerError = null;
    for (const answer of answers) expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});
