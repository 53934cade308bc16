// The read screens: real routes, real cipher and users table; the ledger is a double that answers
// what a test puts into it.
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { isDatabaseFailure } from "../../src/db/database.ts";
import { signedCursors } from "../../src/http/paging.ts";
import type { AccountId, BrandId, OfferId, PurchaseId, UserId } from "../../src/kernel/ids.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { err, ok } from "../../src/kernel/result.ts";
import type {
  EntryView,
  LedgerError,
  PointsView,
  PurchaseQuery,
  PurchaseView,
} from "../../src/ledger/ports.ts";
import { ledgerRoutes } from "../../src/ledger/routes/routes.ts";
import { openLimiter } from "../support/catalogue-app.ts";
import { countD1 } from "../support/count-d1.ts";
import { identityApp } from "../support/identity-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const BRAND: BrandId = "brd_0192f0c4-0000-7000-8000-000000000001";
const OFFER: OfferId = "off_0192f0c4-0000-7000-8000-000000000002";
const ACCOUNT: AccountId = "acc_0192f0c4-0000-7000-8000-000000000003";
const PURCHASE: PurchaseId = "pur_0192f0c4-0000-7000-8000-000000000004";
const LABEL = "CB MONOPRIX 75011 12/11";

const POINTS: PointsView = {
  balances: { pending: 104, available: -250, held: 0 },
  nextConfirmation: { on: "2026-12-12", points: 104 },
  nextExpiry: null,
  sequence: 3,
  head: "ab".repeat(32),
};
const ENTRY: EntryView = {
  id: "ent_0192f0c4-0000-7000-8000-000000000005",
  sequence: 3,
  kind: "earn",
  changes: { pending: 104, available: 0, held: 0 },
  balances: POINTS.balances,
  purchaseId: PURCHASE,
  redemptionId: null,
  reverses: null,
  effectiveOn: "2026-11-12",
  recordedAtMs: Date.UTC(2026, 10, 13),
  hash: "cd".repeat(32),
};

function purchase(labelCipher: string, over: Partial<PurchaseView> = {}): PurchaseView {
  return {
    id: PURCHASE,
    accountId: ACCOUNT,
    externalId: "991",
    labelCipher,
    purchasedOn: "2026-11-12",
    bookedOn: "2026-11-13",
    amountCents: 3490,
    currency: "EUR",
    original: null,
    kind: "purchase",
    state: "booked",
    brand: { id: BRAND, matched: "MONOPRIX" },
    refundOf: null,
    verdict: {
      outcome: "earned",
      points: 104,
      reasons: ["offer_applied"],
      checks: [{
        rule: "below_minimum",
        offerId: OFFER,
        version: 3,
        passed: true,
        needed: 1000,
        found: 3490,
        measure: "purchase_cents",
      }],
      calculation: {
        baseCents: 3490,
        rateBp: 300,
        pointsPerEuro: 100,
        uncapped: 104,
        capped: 104,
        kind: "percent",
      },
      offer: { id: OFFER, version: 3 },
      confirmationExpectedOn: "2026-12-12",
    },
    ...over,
  };
}

async function fixture() {
  const d1 = countD1(DB);
  const identity = await identityApp(d1.db);
  const tokens = await identity.signIn("lea@example.fr");
  const userId = tokens.user.id as UserId;
  const cipher = await identity.service.cipherOf(userId);
  if (cipher === null || !cipher.ok) throw new Error("no cipher");
  const sealed = await cipher.value.encrypt({
    table: "purchases",
    column: "label",
    row: `${ACCOUNT}:991`,
  }, LABEL);
  const state = {
    error: null as LedgerError | null,
    calls: 0,
    purchases: [purchase(sealed)],
    queries: [] as PurchaseQuery[],
    nextBefore: null as string | null,
    snapshots: [] as number[],
    brandName: "Monoprix" as string | null,
    befores: [] as (string | null)[],
    limits: [] as number[],
    alerts: [] as string[],
  };
  const called = <T>(value: T) => {
    state.calls += 1;
    return Promise.resolve(state.error === null ? ok(value) : err(state.error));
  };
  const router = ledgerRoutes({
    ledger: {
      points: () => called(POINTS),
      overview: (_user, limit) => {
        state.limits.push(limit);
        return called({
          points: POINTS,
          entries: { items: [ENTRY], nextBefore: state.nextBefore },
        });
      },
      entries: (_user, _limit, before) => {
        state.befores.push(before);
        return called({ items: [ENTRY], nextBefore: state.nextBefore });
      },
      purchases: (_user, query) => {
        state.queries.push(query);
        return called({ items: state.purchases, nextBefore: state.nextBefore });
      },
      purchase: (_user, id) => called(state.purchases.find((item) => item.id === id) ?? null),
    },
    userKeys: identity.service,
    userTokens: identity.tokens,
    cursors: signedCursors(identity.keyrings.index),
    pointsPerEuro: 100,
    log: jsonLog((line) => state.alerts.push(line)),
    brands: {
      current: async (maxAgeMs) => {
        state.snapshots.push(maxAgeMs);
        return {
          brand: (
            id: BrandId,
          ) => (id === BRAND && state.brandName !== null ? { id, name: state.brandName } : null),
        };
      },
    },
  });
  const app = createApp({
    clock: identity.clock,
    random: systemRandomBytes,
    log: jsonLog(() => {}),
    corsOrigins: [],
    apiLimiter: openLimiter,
    authLimiter: openLimiter,
    routers: [{ path: "/", router }],
    isUnavailable: isDatabaseFailure,
  });
  const read = async (path: string, headers: Record<string, string> = {}, authorised = true) => {
    const response = await app.request(`http://edge${path}`, {
      headers: { ...(authorised ? identity.bearer(tokens) : {}), ...headers },
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: JSON.parse(text) as Record<string, unknown>,
    };
  };
  return { state, d1, identity, read, sealed, userId };
}

let it0: Awaited<ReturnType<typeof fixture>>;
beforeAll(async () => {
  it0 = await fixture();
});
beforeEach(() => {
  Object.assign(it0.state, {
    error: null,
    calls: 0,
    purchases: [purchase(it0.sealed)],
    queries: [],
    nextBefore: null,
    snapshots: [],
    brandName: "Monoprix",
    befores: [],
    limits: [],
    alerts: [],
  });
  it0.d1.reset();
});

const PATHS = [
  "/v1/points",
  "/v1/points?entries=5",
  "/v1/points/entries",
  "/v1/purchases",
  `/v1/purchases/${PURCHASE}`,
];

describe("every screen", () => {
  it.each(PATHS)("%s is the user's alone", async (path) => {
    const missing = await it0.read(path, {}, false);
    expect([missing.status, missing.body["code"]]).toEqual([401, "token_missing"]);
    expect(it0.state.calls).toBe(0);
    expect((await it0.read(path)).headers.get("Cache-Control")).toBe("private, no-store");
  });

  it.each(
    [["ledger_unavailable", 503, "ledger_unavailable"], [
      "ledger_refused",
      503,
      "ledger_unavailable",
    ], ["erased", 401, "token_invalid"]] as const,
  )("passes on %s as %i", async (code, status, expected) => {
    it0.state.error = { code };
    for (const path of PATHS) {
      const refused = await it0.read(path);
      expect([refused.status, refused.body["code"], refused.headers.get("Retry-After")]).toEqual([
        status,
        expected,
        status === 503 ? "5" : null,
      ]);
    }
  });

  it.each([["/v1/points", 0], ["/v1/points?entries=5", 0], ["/v1/points/entries", 0], [
    "/v1/purchases",
    1,
  ], [`/v1/purchases/${PURCHASE}`, 1]])(
    "%s costs one object call and %i database reads",
    async (path, reads) => {
      await it0.read(path);
      expect([it0.state.calls, it0.d1.count.roundTrips, it0.d1.count.rowsWritten]).toEqual([
        1,
        reads,
        0,
      ]);
    },
  );

  it.each([
    "/v1/points?entries=0",
    "/v1/points?entries=101",
    "/v1/points?entries=",
    "/v1/points?entries=2.5",
    "/v1/points?entires=5",
    "/v1/points/entries?limit=0",
    "/v1/points/entries?page=2",
    "/v1/purchases?limit=101",
    "/v1/purchases?from=2026-02-30",
    "/v1/purchases?from=2026-11-02&to=2026-11-01",
    "/v1/purchases?brand_id=monoprix",
    "/v1/purchases?outcome=lost",
  ])("refuses %s", async (path) => {
    const refused = await it0.read(path);
    expect([refused.status, refused.body["code"]]).toEqual([422, "validation_failed"]);
    expect(it0.state.calls).toBe(0);
  });
});

describe("GET /v1/points", () => {
  it("tells balances, worth and head, also of a negative balance", async () => {
    expect((await it0.read("/v1/points")).body).toEqual({
      available: -250,
      pending: 104,
      held: 0,
      value_cents: -250,
      currency: "EUR",
      next_confirmation: { on: "2026-12-12", points: 104 },
      next_expiry: null,
      ledger: { sequence: 3, head: "ab".repeat(32) },
    });
  });
});

describe("GET /v1/points?entries=", () => {
  it("adds the newest entries as the list has them, with a cursor of that list", async () => {
    it0.state.nextBefore = "3";
    const [alone, list, both] = [
      await it0.read("/v1/points"),
      await it0.read("/v1/points/entries"),
      await it0.read("/v1/points?entries=1"),
    ];
    expect(alone.body).not.toHaveProperty("entries");
    expect(both.body).toEqual({ ...alone.body, entries: list.body });
    expect(it0.state.limits).toEqual([1]);
    const { next_cursor: cursor } = both.body["entries"] as { next_cursor: string };
    await it0.read(`/v1/points/entries?cursor=${cursor}`);
    expect(it0.state.befores).toEqual([null, "3"]);
  });

  it("has no cursor after the last entry", async () => {
    expect((await it0.read("/v1/points?entries=100")).body["entries"]).toMatchObject({
      data: [{ id: ENTRY.id }],
      next_cursor: null,
    });
  });
});

describe("GET /v1/points/entries", () => {
  it("leaves out what an entry does not have, and pages with a cursor of this user's list", async () => {
    it0.state.nextBefore = "3";
    const first = await it0.read("/v1/points/entries");
    expect(first.body["data"]).toEqual([{
      id: ENTRY.id,
      sequence: 3,
      kind: "earn",
      changes: ENTRY.changes,
      balances: ENTRY.balances,
      purchase_id: PURCHASE,
      effective_on: "2026-11-12",
      recorded_at: "2026-11-13T00:00:00.000Z",
      hash: ENTRY.hash,
    }]);
    await it0.read(`/v1/points/entries?cursor=${String(first.body["next_cursor"])}`);
    expect(it0.state.befores).toEqual([null, "3"]);
    const forged = await it0.read(`/v1/points/entries?cursor=${btoa("1")}.t1.AAAA`);
    expect([forged.status, forged.body["code"]]).toEqual([400, "cursor_invalid"]);
  });
});

describe("GET /v1/purchases", () => {
  it("shows label, brand and verdict in words, in French and in English", async () => {
    const french = await it0.read("/v1/purchases");
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
      brand: { id: BRAND, name: "Monoprix", matched: "MONOPRIX" },
      refund_of: null,
      verdict: {
        outcome: "earned",
        points: 104,
        reasons: [{
          code: "offer_applied",
          message: expect.stringContaining("L'offre s'applique"),
        }],
        rules: [{
          rule: "below_minimum",
          offer: { id: OFFER, version: 3 },
          passed: true,
          needed: 1000,
          found: 3490,
          measure: "purchase_cents",
          text: expect.stringContaining("au moins"),
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
    const english = await it0.read(`/v1/purchases/${PURCHASE}`, { "Accept-Language": "en" });
    expect(english.text).toContain("The offer applies");
    expect(english.body["label"]).toBe(LABEL);
  });

  it("words a row by its state, and shows the sum that several checks make", async () => {
    const check = { offerId: null, version: null, passed: false } as const;
    const { verdict } = purchase(it0.sealed);
    it0.state.purchases = [
      purchase(it0.sealed, {
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
      (await it0.read(`/v1/purchases/${PURCHASE}`, { "Accept-Language": "en" })).body["verdict"],
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
    it0.state.purchases = [
      purchase(it0.sealed, {
        state: "deleted",
        verdict: { ...verdict, outcome: "reversed", points: 0, reasons: ["refunded"], checks: [] },
      }),
    ];
    expect((await it0.read("/v1/purchases")).text).toContain("Votre banque a annulé cet achat");
    it0.state.purchases = [
      purchase(it0.sealed, {
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
    expect((await it0.read("/v1/purchases")).text).toContain("ce remboursement");
  });

  it("passes the filters on and binds the cursor to them", async () => {
    it0.state.nextBefore = "x|1";
    const first = await it0.read(
      `/v1/purchases?from=2026-11-01&to=2026-11-30&brand_id=${BRAND}&outcome=earned&limit=5`,
    );
    expect(it0.state.queries).toEqual([{
      from: "2026-11-01",
      to: "2026-11-30",
      brandId: BRAND,
      outcome: "earned",
      limit: 5,
      before: null,
    }]);
    const cursor = String(first.body["next_cursor"]);
    await it0.read(
      `/v1/purchases?from=2026-11-01&to=2026-11-30&brand_id=${BRAND}&outcome=earned&cursor=${cursor}`,
    );
    expect(it0.state.queries[1]?.before).toBe("x|1");
    expect((await it0.read(`/v1/purchases?cursor=${cursor}`)).body["code"]).toBe("cursor_invalid");
  });

  it("shows the rest when one label cannot be read, and raises an alarm without the label", async () => {
    it0.state.purchases = [purchase(it0.sealed), purchase(it0.sealed, { externalId: "moved" })];
    const shown = await it0.read("/v1/purchases");
    expect((shown.body["data"] as { label: string | null }[]).map((item) => item.label)).toEqual([
      LABEL,
      null,
    ]);
    expect(it0.state.alerts).toHaveLength(1);
    expect(it0.state.alerts[0]).not.toContain("MONOPRIX");
  });

  it("looks a brand that it does not know up once more, then shows what matched", async () => {
    it0.state.brandName = null;
    const shown = await it0.read(`/v1/purchases/${PURCHASE}`);
    expect(shown.body["brand"]).toEqual({ id: BRAND, name: "MONOPRIX", matched: "MONOPRIX" });
    expect(it0.state.snapshots).toEqual([60_000, 0]);
    it0.state.purchases = [purchase(it0.sealed, { brand: null })];
    expect((await it0.read(`/v1/purchases/${PURCHASE}`)).body["brand"]).toBeNull();
    expect(it0.state.snapshots).toHaveLength(2);
  });

  it("answers 404 for a purchase that is not there or is no id", async () => {
    expect((await it0.read("/v1/purchases/pur_0192f0c4-0000-7000-8000-00000000dead")).status).toBe(
      404,
    );
    expect((await it0.read("/v1/purchases/1")).status).toBe(404);
  });
});

describe("a user that is gone", () => {
  it("gets 401 where a key would be needed", async () => {
    const other = await fixture();
    const real = other.identity.service.cipherOf;
    const refused = await (async () => {
      Object.assign(other.identity.service, { cipherOf: async () => null });
      return other.read("/v1/purchases");
    })();
    Object.assign(other.identity.service, { cipherOf: real });
    expect([refused.status, refused.body["code"]]).toEqual([401, "token_invalid"]);
  });
});
