// The points screens, and what all read screens share.
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  BRAND,
  ENTRY,
  LOGO_URL,
  PURCHASE,
  resetScreens,
  screensApp,
} from "../support/screens-app.ts";

let screens: Awaited<ReturnType<typeof screensApp>>;
beforeAll(async () => {
  screens = await screensApp();
});
beforeEach(() => resetScreens(screens));

const PATHS = [
  "/v1/points",
  "/v1/points?entries=5",
  "/v1/points/entries",
  "/v1/purchases",
  `/v1/purchases/${PURCHASE}`,
];

describe("every screen", () => {
  it.each(PATHS)("%s is the user's alone", async (path) => {
    const missing = await screens.read(path, {}, false);
    expect([missing.status, missing.body["code"]]).toEqual([401, "token_missing"]);
    expect(screens.state.calls).toBe(0);
    expect((await screens.read(path)).headers.get("Cache-Control")).toBe("private, no-store");
  });

  it.each(
    [["ledger_unavailable", 503, "ledger_unavailable"], [
      "ledger_refused",
      503,
      "ledger_unavailable",
    ], ["erased", 401, "token_invalid"]] as const,
  )("passes on %s as %i", async (code, status, expected) => {
    screens.state.error = { code };
    for (const path of PATHS) {
      const refused = await screens.read(path);
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
      await screens.read(path);
      expect([screens.state.calls, screens.d1.count.roundTrips, screens.d1.count.rowsWritten])
        .toEqual([
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
    const refused = await screens.read(path);
    expect([refused.status, refused.body["code"]]).toEqual([422, "validation_failed"]);
    expect(screens.state.calls).toBe(0);
  });
});

describe("GET /v1/points", () => {
  it("shows balances, worth and head, also of a negative balance", async () => {
    expect((await screens.read("/v1/points")).body).toEqual({
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
    screens.state.nextBefore = "3";
    const [alone, list, both] = [
      await screens.read("/v1/points"),
      await screens.read("/v1/points/entries"),
      await screens.read("/v1/points?entries=1"),
    ];
    expect(alone.body).not.toHaveProperty("entries");
    expect(both.body).toEqual({ ...alone.body, entries: list.body });
    expect(screens.state.limits).toEqual([1]);
    const { next_cursor: cursor } = both.body["entries"] as { next_cursor: string };
    await screens.read(`/v1/points/entries?cursor=${cursor}`);
    expect(screens.state.befores).toEqual([null, "3"]);
  });

  it("has no cursor after the last entry", async () => {
    expect((await screens.read("/v1/points?entries=100")).body["entries"]).toMatchObject({
      data: [{ id: ENTRY.id }],
      next_cursor: null,
    });
  });
});

describe("GET /v1/points/entries", () => {
  it("leaves out what an entry does not have, and pages with a cursor of this user's list", async () => {
    screens.state.nextBefore = "3";
    const first = await screens.read("/v1/points/entries");
    expect(first.body["data"]).toEqual([{
      id: ENTRY.id,
      sequence: 3,
      kind: "earn",
      changes: ENTRY.changes,
      balances: ENTRY.balances,
      purchase_id: PURCHASE,
      brand: { id: BRAND, name: "Monoprix", logo_url: LOGO_URL },
      effective_on: "2026-11-12",
      recorded_at: "2026-11-13T00:00:00.000Z",
      hash: ENTRY.hash,
    }]);
    await screens.read(`/v1/points/entries?cursor=${String(first.body["next_cursor"])}`);
    expect(screens.state.befores).toEqual([null, "3"]);
    const forged = await screens.read(`/v1/points/entries?cursor=${btoa("1")}.t1.AAAA`);
    expect([forged.status, forged.body["code"]]).toEqual([400, "cursor_invalid"]);
  });
});

describe("a user that is gone", () => {
  it("gets 401 where a key would be needed", async () => {
    const other = await screensApp();
    const real = other.identity.service.cipherFor;
    const refused = await (async () => {
      Object.assign(other.identity.service, { cipherFor: async () => null });
      return other.read("/v1/purchases");
    })();
    Object.assign(other.identity.service, { cipherFor: real });
    expect([refused.status, refused.body["code"]]).toEqual([401, "token_invalid"]);
  });
});

describe("an ended session", () => {
  it("sees no label any more, though its access token is still good", async ({ expect }) => {
    const other = await screensApp();
    expect((await other.read("/v1/purchases")).status).toBe(200);
    await other.endSession();
    for (const path of ["/v1/purchases", `/v1/purchases/${PURCHASE}`]) {
      const refused = await other.read(path);
      expect([path, refused.status, refused.body["code"]]).toEqual([path, 401, "token_invalid"]);
      expect(refused.text).not.toContain("MONOPRIX");
    }
    expect((await other.read("/v1/points")).status).toBe(200);
  });
});
