import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ALICE, catalogueApp, VERSION } from "../support/catalogue-app.ts";
import { offerCalls } from "../support/catalogue-offers.ts";
import type { List, Problem, PublicOffer } from "../support/catalogue-offers.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const edge = catalogueApp(DB);
const { makeBrand, offerOf, offersOf } = offerCalls(edge);

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
          message: "Activate this offer before your purchase.",
        }],
      },
    });
    expect(before.headers.get("Cache-Control")).toBe("private, no-store");
    expect(before.headers.get("ETag")).toBeNull();
    const made = await edge.call("POST", `/v1/offers/${id}/activation`, { as: USER });
    expect([made.status, made.body]).toEqual([201, {
      activated_at: "2026-11-20T09:00:00.000Z",
      expires_at: "2026-12-04T09:00:00.000Z",
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
