// Operators' routes of insights: who may call them, what they refuse, and that their figures are
// those of the ledgers.
import { beforeAll, describe, expect, test, vi } from "vitest";
import { newId } from "../../src/kernel/ids.ts";
import type { BrandId, UserId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { addDays } from "../../src/kernel/time.ts";
import { at, batch, offer, PROGRAMME, row } from "../contract/ledger-factories.ts";
import { VERSION } from "../support/catalogue-app.ts";
import { bindings, brandWithOffer, insightsApp, rowsOf } from "../support/insights-app.ts";
import type { InsightsApp } from "../support/insights-app.ts";

const NOW = at("2026-11-14");
let app: InsightsApp;
let people = 0;
const someone = (...rest: [("statistics" | "terms")[]?]): Promise<UserId> =>
  app.user(`routes${(people += 1)}@example.fr`, ...rest);

beforeAll(async () => {
  app = await insightsApp();
  // Mail of alarms that ring by themselves goes nowhere.
  vi.stubGlobal("fetch", async () => new Response(null, { status: 503 }));
});

const READS: [string, string[], string[]][] = [
  ["/liability", ["finance", "auditor", "owner"], ["catalogue", "support"]],
  ["/statistics", ["catalogue", "finance", "auditor", "owner"], ["support"]],
  ["/metrics", ["support", "finance", "auditor", "owner"], ["catalogue"]],
  ["/reviews", ["support", "owner"], ["catalogue", "finance", "auditor"]],
];

describe("who may read", () => {
  test.each(READS)("%s", async (path, allowed, refused) => {
    expect((await app.call("GET", path, null)).body.code).toBe("token_missing");
    for (const role of allowed) {
      expect([role, (await app.call("GET", path, role)).status]).toEqual([role, 200]);
    }
    for (const role of refused) {
      expect([role, (await app.call("GET", path, role)).body.code]).toEqual([role, "forbidden"]);
    }
    const events = await rowsOf<{ action: string }>(
      "SELECT action FROM audit_events WHERE target = ?",
      `/admin/v1${path}`,
    );
    expect(events.filter(({ action }) => action === "call.read")).toHaveLength(allowed.length);
  });

  test.each([
    "/liability?day=2026-11-01",
    "/statistics?kind=gift",
    "/statistics?limit=0",
    "/metrics?x=1",
    "/reviews?state=lost",
  ])("refuses %s", async (path) => {
    const answer = await app.call("GET", path, "owner");
    expect([answer.status, answer.body.code]).toEqual([422, "validation_failed"]);
  });
});

describe("days of a query", () => {
  test.each([
    [
      "/liability?on=2026-02-30",
      "on",
      "date_invalid",
      "n'est pas un jour du calendrier, AAAA-MM-JJ",
      "is not a day of the calendar, YYYY-MM-DD",
    ],
    ["/liability?on=2026-11-15", "on", "date_in_future", "est après aujourd'hui", "is after today"],
    [
      "/statistics?from=1&to=2026-11-01",
      "from",
      "date_invalid",
      "n'est pas un jour du calendrier, AAAA-MM-JJ",
      "is not a day of the calendar, YYYY-MM-DD",
    ],
    [
      "/statistics?from=2026-11-02&to=2026-11-01",
      "to",
      "date_order",
      "est avant from",
      "is before from",
    ],
  ])("%s is refused with what is wrong, in both languages", async (path, name, code, fr, en) => {
    for (const [locale, detail] of [["fr", fr], ["en", en]] as const) {
      const refused = await app.call("GET", path, "owner", undefined, null, {
        "Accept-Language": locale,
      });
      expect([refused.status, refused.body.code, refused.body.errors]).toEqual([
        422,
        "validation_failed",
        [{ pointer: `#query/${name}`, code, detail }],
      ]);
    }
  });

  test("from and to may be the same, today and later", async () => {
    expect((await app.call("GET", "/statistics?from=2026-11-20&to=2026-11-20", "owner")).status)
      .toBe(200);
    expect((await app.call("GET", "/liability?on=2026-11-14", "owner")).status).toBe(200);
  });
});

type Sums = { pending: number; available: number; held: number };

describe("the liability", () => {
  test("is on any day what the ledgers held at its end, confirmed and pending apart", async () => {
    const days = [
      "2026-11-14",
      "2026-11-20",
      "2026-12-13",
      "2026-12-15",
      "2026-12-20",
      "2027-01-10",
    ];
    const users = [await someone(), await someone()];
    const story: ((id: UserId, ms: number) => Promise<unknown>)[] = [
      (id, ms) => app.stubOf(id).record(batch([row("1"), row("2", { amountCents: 10_000 })]), ms),
      (id, ms) =>
        app.stubOf(id).operate({
          key: "g",
          operation: { kind: "goodwill", points: 70, reference: "g", programme: PROGRAMME },
        }, ms),
      (id, ms) => app.stubOf(id).points(null, ms),
      (id, ms) =>
        app.stubOf(id).operate({
          key: "h",
          operation: { kind: "hold", redemptionId: "red_1", points: 300, expiresAtMs: null },
        }, ms),
      (id, ms) =>
        app.stubOf(id).record(
          batch([row("r", { kind: "refund", amountCents: 10_000, purchasedOn: "2026-12-16" })]),
          ms,
        ),
      (id, ms) => app.stubOf(id).operate({ key: "f", operation: { kind: "forfeit" } }, ms),
    ];
    const held = new Map<string, Sums>();
    for (const [index, day] of days.entries()) {
      const sums: Sums = { pending: 0, available: 0, held: 0 };
      for (const id of users) {
        await story[index]?.(id, at(day));
        await app.stubOf(id).runDue(null, at(day));
        const points = await app.stubOf(id).points(null, at(day));
        if (!points.ok) throw new Error("no points");
        for (const key of ["pending", "available", "held"] as const) {
          sums[key] += points.value.balances[key];
        }
      }
      held.set(day, sums);
    }
    // The last refund takes back more than is available: the hold is released, and what is left is
    // small but not lost.
    expect(new Set([...held.values()].map((sums) => JSON.stringify(sums))).size).toBe(days.length);
    app.clock.ms = at("2027-01-10");
    for (const [day, sums] of held) {
      const confirmed = sums.available + sums.held;
      expect((await app.call("GET", `/liability?on=${day}`, "finance")).body).toEqual({
        on: day,
        currency: "EUR",
        confirmed: { points: confirmed, value_cents: confirmed },
        held: { points: sums.held, value_cents: sums.held },
        pending: { points: sums.pending, value_cents: sums.pending },
        rebuilding: false,
      });
    }
    expect((await app.call("GET", "/liability?on=2026-11-30", "finance")).body).toEqual({
      ...(await app.call("GET", "/liability?on=2026-11-20", "finance")).body,
      on: "2026-11-30",
    });
    expect((await app.call("GET", "/liability?on=2026-11-13", "finance")).body).toMatchObject({
      confirmed: { points: 0 },
      pending: { points: 0 },
    });
    expect((await app.call("GET", "/liability", "finance")).body).toMatchObject({
      on: "2027-01-10",
    });
    app.clock.ms = NOW;
  });
});

describe("the statistics", () => {
  test("are the points by day, brand, offer and kind, in pages", async () => {
    const id = await someone();
    const offerId = newId("off", NOW, systemRandomBytes);
    await app.stubOf(id).record(batch([row("1"), row("2")], { offers: [offer({ offerId })] }), NOW);
    await app.stubOf(id).runDue(null, NOW);
    await app.stubOf(id).runDue(null, at("2026-12-14"));
    const lines = await app.call("GET", `/statistics?offer_id=${offerId}`, "catalogue");
    expect(lines.body.data).toEqual([
      {
        day: "2026-11-14",
        brand_id: "brd_monoprix",
        offer_id: offerId,
        kind: "earn",
        purchases: 2,
        cents: 6980,
        points: 208,
        changes: { pending: 208, available: 0, held: 0 },
      },
      {
        day: "2026-12-14",
        brand_id: "brd_monoprix",
        offer_id: offerId,
        kind: "confirm",
        purchases: 2,
        cents: 0,
        points: 208,
        changes: { pending: -208, available: 208, held: 0 },
      },
    ]);
    expect(
      (await app.call("GET", `/statistics?offer_id=${offerId}&from=2026-11-15`, "catalogue")).body
        .data,
    ).toHaveLength(1);
    expect(
      (await app.call(
        "GET",
        `/statistics?offer_id=${offerId}&to=2026-11-14&kind=confirm`,
        "catalogue",
      )).body.data,
    ).toEqual([]);

    const all = (await app.call("GET", "/statistics?limit=100", "catalogue")).body.data ?? [];
    const paged: unknown[] = [];
    let cursor: string | null = null;
    do {
      const page = await app.call(
        "GET",
        `/statistics?limit=2${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
        "catalogue",
      );
      paged.push(...(page.body.data ?? []));
      cursor = page.body.next_cursor ?? null;
    } while (cursor !== null);
    expect(paged).toEqual(all);
    const first = await app.call("GET", "/statistics?limit=1", "catalogue");
    expect(
      (await app.call(
        "GET",
        `/statistics?limit=1&kind=earn&cursor=${encodeURIComponent(first.body.next_cursor ?? "")}`,
        "catalogue",
      )).body.code,
    ).toBe("cursor_invalid");
  });
});

describe("the metrics", () => {
  test("count users, connections by status, open work and ledgers", async () => {
    const before = (await app.call("GET", "/metrics", "support")).body as unknown as {
      users: { active: number };
      ledgers: { projected: number };
      reviews_open: number;
    };
    const id = await someone();
    await app.stubOf(id).record(batch([row("1"), row("2", { review: "date_absurd" })]), NOW);
    await app.stubOf(id).runDue(null, NOW);
    await bindings.DB.batch([
      bindings.DB.prepare(
        "INSERT INTO aggregator_links (id, user_id, aggregator, state, attempts, created_at_ms) VALUES ('lnk_1', ?, 'powens', 'intended', 0, 1)",
      ).bind(id),
      ...[["con_1", "active", null], ["con_2", "active", "ledger_refused"], [
        "con_3",
        "expired",
        null,
      ]].map(([con, status, repair]) =>
        bindings.DB.prepare(
          `INSERT INTO bank_connections (id, user_id, link_id, aggregator, remote_connection_id, bank_id, bank_name, status, action, consent_granted_at_ms, consent_expires_at_ms, full_read, repair_reason, repair_since_ms, created_at_ms, updated_at_ms)
         VALUES (?1, ?2, 'lnk_1', 'powens', ?1, 'b', 'B', ?3, 'none', 1, 2, 'done', ?4, ?5, 1, 1)`,
        ).bind(con, id, status, repair, repair === null ? null : 1)
      ),
      bindings.DB.prepare(
        "INSERT INTO quarantine (id, provider, event, reason, body_bytes, body_hash, first_at_ms, last_at_ms, times) VALUES ('qua_1', 'powens', 'e', 'r', 1, 'h', 1, 1, 1)",
      ),
    ]);
    expect((await app.call("GET", "/metrics", "support")).body).toMatchObject({
      users: { active: before.users.active + 1 },
      connections: { active: 1, expired: 1, needs_repair: 1 },
      quarantine_open: 1,
      reviews_open: before.reviews_open + 1,
      ledgers: { projected: before.ledgers.projected + 1, rebuild: null },
    });
  });
});

describe("a dry run", () => {
  let brandId: BrandId;
  const run = (version: Record<string, unknown>, brand: string = brandId, as = "catalogue") =>
    app.call("POST", "/offers/dry-run", as, {
      brand_id: brand,
      version: { ...VERSION, ...version },
    }, null);

  beforeAll(async () => {
    brandId = await brandWithOffer(app, "Dry Shop");
    app.clock.ms = NOW;
    const users = [await someone(["statistics"]), await someone(["statistics"]), await someone()];
    for (const id of users) {
      const rows = Array.from(
        { length: 6 },
        (_, index) =>
          row(`d${index}`, {
            brand: { id: brandId, matched: "DRY" },
            purchasedOn: addDays("2026-10-28", index),
            amountCents: 1000 * (index + 1),
          }),
      );
      await app.stubOf(id).record(batch([...rows, row("other")]), NOW);
      await app.stubOf(id).runDue(null, NOW);
    }
  });

  test("shows what a draft would have cost those who consent", async () => {
    const report = await run({});
    expect(report.status).toBe(200);
    // 3 % of 10 to 60 euros, twice.
    expect(report.body).toMatchObject({
      purchases: 12,
      eligible: 12,
      points: 1260,
      cost_cents: 1260,
      by_reason: { offer_applied: 12 },
      by_month: [{ month: "2026-10", purchases: 8, eligible: 8, points: 600, cost_cents: 600 }, {
        month: "2026-11",
        purchases: 4,
        eligible: 4,
        points: 660,
        cost_cents: 660,
      }],
      sample: { from: "2026-10-28", to: "2026-11-12", rows: 14, users: 4, share: 1 },
      assumptions: ["always_in_force"],
    });
    expect((await run({})).text).toBe(report.text);
  });

  test("counts minimum, caps and budget as the ledger would", async () => {
    expect((await run({ min_cents: 3000, cap_purchases_per_user: 1, period: "day" })).body)
      .toMatchObject({ eligible: 8, by_reason: { below_minimum: 4, offer_applied: 8 } });
    expect((await run({ kind: "fixed", rate_bp: null, points: 50, budget_points: 120 })).body)
      .toMatchObject({
        eligible: 2,
        points: 100,
        by_reason: { offer_applied: 2, budget_exhausted: 10 },
      });
    expect(
      (await run({
        kind: "fixed",
        rate_bp: null,
        points: 50,
        first_purchase_only: true,
        starts_at: "2027-01-01",
      })).body,
    ).toMatchObject({
      eligible: 4,
      by_reason: { offer_applied: 4, not_first_purchase: 8 },
      assumptions: ["always_in_force", "users_restart_monthly"],
    });
  });

  test("takes a draft as it would be sent to be made", async () => {
    const sent = await app.call("POST", "/offers/dry-run", "catalogue", {
      brand_id: brandId,
      title: { fr: "Essai", en: "Trial" },
      version: VERSION,
    }, null);
    expect([sent.status, sent.text]).toEqual([200, (await run({})).text]);
  });

  test("refuses a draft that contradicts itself, with the pointer to the field", async () => {
    const refused = await run(
      { rate_bp: 20_000, ends_at: "2025-01-01" },
      newId("brd", NOW, systemRandomBytes),
    );
    expect([refused.status, refused.body.code]).toEqual([422, "validation_failed"]);
    expect(refused.body.errors?.map(({ pointer, code }) => [pointer, code])).toEqual([
      ["/brand_id", "brand_unknown"],
      ["/version/rate_bp", "rate_out_of_range"],
      ["/version/ends_at", "ends_before_start"],
    ]);
    expect(
      (await app.call("POST", "/offers/dry-run", "catalogue", { brand_id: brandId }, null)).body
        .errors,
    ).toEqual([{ pointer: "/version", code: "invalid_type", detail: "Ce champ est obligatoire" }]);
  });

  test("is for the catalogue's operators, needs no key and changes nothing", async () => {
    expect((await run({}, brandId, "finance")).body.code).toBe("forbidden");
    const offers = await rowsOf("SELECT count(*) AS n FROM offers");
    const before = await rowsOf<{ n: number }>(
      "SELECT count(*) AS n FROM audit_events WHERE target = '/admin/v1/offers/dry-run' AND action = 'call.read'",
    );
    await run({});
    expect(await rowsOf("SELECT count(*) AS n FROM offers")).toEqual(offers);
    expect(
      await rowsOf(
        "SELECT count(*) AS n FROM audit_events WHERE target = '/admin/v1/offers/dry-run' AND action = 'call.read'",
      ),
    ).toEqual([{ n: (before[0]?.n ?? 0) + 1 }]);
  });
});
