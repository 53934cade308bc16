// The purchases screen.
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ACCOUNT,
  BRAND,
  LABEL,
  LOGO_URL,
  OFFER,
  PURCHASE,
  purchase,
  resetScreens,
  screensApp,
} from "../support/screens-app.ts";

let screens: Awaited<ReturnType<typeof screensApp>>;
beforeAll(async () => {
  screens = await screensApp();
});
beforeEach(() => resetScreens(screens));

describe("GET /v1/purchases", () => {
  it("shows label, brand and verdict in words, in French and in English", async () => {
    const french = await screens.read("/v1/purchases");
    expect(french.body["data"]).toEqual([{
      id: PURCHASE,
      account_id: ACCOUNT,
      label: LABEL,
      purchased_on: "2026-11-12",
      booked_on: "2026-11-13",
      amount_cents: 3490,
      currency: "EUR",
      original: null,
      kind: "purchase",
      state: "booked",
      brand: { id: BRAND, name: "Monoprix", logo_url: LOGO_URL, matched: "MONOPRIX" },
      refund_of: null,
      refund_of_purchases: [],
      verdict: {
        outcome: "earned",
        points: 104,
        reasons: [{
          code: "offer_applied",
          message: expect.stringContaining("L'offre s'applique"),
        }],
        calculation: {
          base_cents: 3490,
          rate_bp: 300,
          points_per_euro: 100,
          uncapped: 104,
          capped: 104,
          text: expect.stringContaining("104 points"),
        },
        offer: { id: OFFER, version: 3 },
        confirmation_expected_on: "2026-12-12",
      },
    }]);
    const english = await screens.read(`/v1/purchases/${PURCHASE}`, { "Accept-Language": "en" });
    expect(english.text).toContain("The offer applies");
    expect(english.body["label"]).toBe(LABEL);
  });

  it("leaves the rules out of the list unless asked, and has them in the single purchase", async () => {
    const rules = [{
      rule: "below_minimum",
      offer: { id: OFFER, version: 3 },
      passed: true,
      needed: 1000,
      found: 3490,
      measure: "purchase_cents",
      text: expect.stringContaining("au moins"),
    }];
    const listed = await screens.read("/v1/purchases?include=rules");
    expect(listed.body["data"]).toMatchObject([{ verdict: { rules } }]);
    expect((await screens.read(`/v1/purchases/${PURCHASE}`)).body).toMatchObject({
      verdict: { rules },
    });
    expect((await screens.read("/v1/purchases")).text).not.toContain('"rules"');
  });

  it.each([
    [
      "from=2026-02-30",
      "#query/from",
      "date_invalid",
      "This is not a day of the calendar, YYYY-MM-DD",
    ],
    ["from=2026-11-02&to=2026-11-01", "#query/to", "date_order", "The end is before the start"],
    ["brand_id=monoprix", "#query/brand_id", "id_invalid", "This is not an id of this kind"],
  ])("says what is wrong with %s", async (query, pointer, code, detail) => {
    const refused = await screens.read(`/v1/purchases?${query}`, { "Accept-Language": "en" });
    expect(refused.body["errors"]).toEqual([{ pointer, code, detail }]);
  });

  it("words a row by its state, and shows the sum that several checks make", async () => {
    const check = { offerId: null, version: null, passed: false } as const;
    const { verdict } = purchase(screens.sealed);
    screens.state.purchases = [
      purchase(screens.sealed, {
        verdict: {
          ...verdict,
          points: 74,
          reasons: ["refunded"],
          checks: [
            { ...check, rule: "refunded", needed: 3490, found: 2490, measure: "kept_cents" },
            { ...check, rule: "refunded", needed: 104, found: 74, measure: "kept_points" },
          ],
        },
      }),
    ];
    expect(
      (await screens.read(`/v1/purchases/${PURCHASE}`, { "Accept-Language": "en" }))
        .body["verdict"],
    ).toMatchObject({
      reasons: [{
        code: "refunded",
        message:
          "This purchase was partly refunded (€10.00 of €34.90): it keeps 74 points, in proportion to the amount kept (104 × €24.90 / €34.90, rounded down).",
      }],
      rules: [{
        rule: "refunded",
        offer: null,
        passed: false,
        needed: 3490,
        found: 2490,
        measure: "kept_cents",
        text: "Refund: €10.00 of €34.90",
      }, {
        measure: "kept_points",
        text: "Points kept: 74 of 104 (104 × €24.90 / €34.90, rounded down)",
      }],
    });
    screens.state.purchases = [
      purchase(screens.sealed, {
        state: "deleted",
        verdict: { ...verdict, outcome: "reversed", points: 0, reasons: ["refunded"], checks: [] },
      }),
    ];
    expect((await screens.read("/v1/purchases")).text).toContain("Votre banque a annulé cet achat");
    screens.state.purchases = [
      purchase(screens.sealed, {
        kind: "refund",
        verdict: {
          ...verdict,
          outcome: "waiting",
          points: 0,
          reasons: ["not_booked_yet"],
          checks: [],
        },
      }),
    ];
    expect((await screens.read("/v1/purchases")).text).toContain("ce remboursement");
  });

  it("passes the filters on and binds the cursor to them", async () => {
    screens.state.nextBefore = "x|1";
    const first = await screens.read(
      `/v1/purchases?from=2026-11-01&to=2026-11-30&brand_id=${BRAND}&outcome=earned&limit=5`,
    );
    expect(screens.state.queries).toEqual([{
      from: "2026-11-01",
      to: "2026-11-30",
      brandId: BRAND,
      outcome: "earned",
      limit: 5,
      before: null,
    }]);
    const cursor = String(first.body["next_cursor"]);
    await screens.read(
      `/v1/purchases?from=2026-11-01&to=2026-11-30&brand_id=${BRAND}&outcome=earned&cursor=${cursor}`,
    );
    expect(screens.state.queries[1]?.before).toBe("x|1");
    expect((await screens.read(`/v1/purchases?cursor=${cursor}`)).body["code"]).toBe(
      "cursor_invalid",
    );
  });

  it("shows the rest when one label cannot be read, and raises an alarm without the label", async () => {
    screens.state.purchases = [
      purchase(screens.sealed),
      purchase(screens.sealed, { externalId: "moved" }),
    ];
    const shown = await screens.read("/v1/purchases");
    expect((shown.body["data"] as { label: string | null }[]).map((item) => item.label)).toEqual([
      LABEL,
      null,
    ]);
    expect(screens.state.alerts).toHaveLength(1);
    expect(screens.state.alerts[0]).not.toContain("MONOPRIX");
  });

  it("looks a brand that it does not know up once more, then shows what matched", async () => {
    screens.state.brandName = null;
    const shown = await screens.read(`/v1/purchases/${PURCHASE}`);
    expect(shown.body["brand"]).toEqual({
      id: BRAND,
      name: "MONOPRIX",
      logo_url: null,
      matched: "MONOPRIX",
    });
    expect(screens.state.snapshots).toEqual([60_000, 0]);
    screens.state.purchases = [purchase(screens.sealed, { brand: null })];
    expect((await screens.read(`/v1/purchases/${PURCHASE}`)).body["brand"]).toBeNull();
    expect(screens.state.snapshots).toHaveLength(2);
  });

  it("answers 404 for a purchase that is not there or is no id", async () => {
    expect((await screens.read("/v1/purchases/pur_0192f0c4-0000-7000-8000-00000000dead")).status)
      .toBe(
        404,
      );
    expect((await screens.read("/v1/purchases/1")).status).toBe(404);
  });
});
