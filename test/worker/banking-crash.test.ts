// Each await may be the last. Every database round trip, HTTP call and ledger call of a scenario
// fails once, before it happened and after it happened with its answer lost; then what would happen
// next in life happens, and the end must be the same.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import {
  addUser,
  bankingApp,
  cardRow,
  comeBack,
  deliver,
  hotUser,
  LINK_MS,
  openAtBank,
  REDIRECT,
  syncedBody,
  throughPage,
  tradedLink,
} from "../support/banking-app.ts";
import type { BankingApp } from "../support/banking-app.ts";
import type { UserId } from "../../src/kernel/ids.ts";

const binding = (env as unknown as { DB: D1Database }).DB;
const all = async <T = Record<string, unknown>>(
  query: string,
  ...values: unknown[]
): Promise<T[]> => (await binding.prepare(query).bind(...values).all<T>()).results;
const NOWHERE = 200;
const DAY_MS = 86_400_000;

function freshApp(): BankingApp {
  const app = bankingApp(binding);
  app.powens.state.nextUser = Math.floor(Math.random() * 1e9) + 1;
  return app;
}

/**
 * Runs a scenario with a fault at each of its points in turn until none is left; returns how many
 * points there were.
 */
async function atEveryPoint(
  scenario: (app: BankingApp, nth: number) => Promise<void>,
): Promise<number> {
  for (let nth = 1; nth < NOWHERE; nth++) {
    // What the rounds before left would be swept in each round again.
    await quiet(null);
    const app = freshApp();
    await scenario(app, nth);
    if (!app.faults.struck()) return nth - 1;
  }
  throw new Error("the scenario never ends");
}

async function withFault(
  app: BankingApp,
  nth: number,
  mode: "before" | "after",
  work: () => Promise<unknown>,
): Promise<void> {
  app.faults.arm(nth, mode);
  // The Worker may die here in any way; what it said no longer matters.
  await work().catch(() => null);
  app.faults.disarm();
}

/** The aggregator's and the caretaker's patience. */
async function lifeGoesOn(app: BankingApp, rounds = 3): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    app.clock.ms += 30 * 60_000;
    await app.service.sweep(app.clock.ms);
  }
}

describe.each(["before", "after"] as const)("a failure %s any await", (mode) => {
  it("of the first sync of a connection that nobody knows ends in one connection with its rows", async () => {
    const points = await atEveryPoint(async (app, nth) => {
      const userId = await addUser(binding);
      app.clock.ms = LINK_MS;
      const { remoteUserId } = await tradedLink(app, userId);
      const there = openAtBank(app, remoteUserId);
      app.clock.ms = LINK_MS + 10 * 86_400_000;
      // 1 and 2 come with the message, 3 only by reading back.
      const rows = [1, 2, 3].map((id) =>
        cardRow(id, there.account, { rdate: "2026-11-20", date: "2026-11-20" })
      );
      app.powens.state.users.get(remoteUserId)?.rows.push(...rows);
      const send = () =>
        deliver(
          app,
          "connection-synced",
          syncedBody(app, remoteUserId, there.connection, rows.slice(0, 2)),
        );
      let status = 0;
      await withFault(app, nth, mode, async () => void (status = (await send()).status));
      // The aggregator repeats what was not answered with 2xx, and only that.
      if (status < 200 || status >= 300) expect((await send()).status).toBe(200);
      await lifeGoesOn(app);
      expect(
        await all(
          "SELECT status, action, full_read, repair_reason FROM bank_connections WHERE user_id = ?",
          userId,
        ),
      ).toEqual([{ status: "active", action: "none", full_read: "done", repair_reason: null }]);
      expect(await all("SELECT ordinal, state FROM bank_accounts WHERE user_id = ?", userId))
        .toEqual([{ ordinal: 1, state: "enabled" }]);
      expect([...app.ledger.rows.values()].map((row) => row.externalId).sort()).toEqual([
        "1",
        "2",
        "3",
      ]);
    });
    expect(points).toBeGreaterThanOrEqual(7);
  });

  it("of a hot sync loses and doubles nothing", async () => {
    const points = await atEveryPoint(async (app, nth) => {
      const user = await hotUser(app);
      const rows = Array.from(
        { length: 1001 },
        (_, index) => cardRow(index + 1, user.remoteAccountId),
      );
      const send = () =>
        deliver(
          app,
          "connection-synced",
          syncedBody(app, user.remoteUserId, user.remoteConnectionId, rows),
        );
      app.powens.state.users.get(user.remoteUserId)?.rows.push(...rows);
      let status = 0;
      await withFault(app, nth, mode, async () => void (status = (await send()).status));
      if (status !== 200) expect((await send()).status).toBe(200);
      await lifeGoesOn(app);
      expect(app.ledger.rows.size).toBe(1001);
      expect(
        await all(
          "SELECT status, repair_reason FROM bank_connections WHERE user_id = ?",
          user.userId,
        ),
      ).toEqual([{ status: "active", repair_reason: null }]);
    });
    expect(points).toBe(4);
  });

  it("of a start makes nothing at the aggregator, and the user starts again", async () => {
    const points = await atEveryPoint(async (app, nth) => {
      const userId = await addUser(binding);
      const start = () =>
        app.call("POST", "/v1/bank-connections", { as: userId, body: { redirect_uri: REDIRECT } });
      await withFault(app, nth, mode, start);
      expect((await start()).status).toBe(201);
      expect(app.powens.state.calls).toEqual([]);
      expect(await all("SELECT state FROM aggregator_links WHERE user_id = ?", userId)).toEqual([]);
    });
    expect(points).toBeGreaterThanOrEqual(1);
  });

  it("of the way back links once: gone on with, or begun again and nothing left behind", async () => {
    const points = await atEveryPoint(async (app, nth) => {
      const userId = await addUser(binding);
      await quiet(userId);
      const trip = await throughPage(app, userId);
      const there = openAtBank(app, trip.remoteUserId);
      const back = () => comeBack(app, userId, { ...trip, connection_id: there.connection });
      await withFault(app, nth, mode, back);
      app.clock.ms += 3 * 60_000;
      const repeated = await back();
      if (repeated.status !== 200) {
        // The token was not stored: the user begins again, and what was left there is found by its
        // next event.
        expect([repeated.status, repeated.body.code]).toEqual([503, "aggregator_unavailable"]);
        const again = await throughPage(app, userId);
        openAtBank(app, again.remoteUserId);
        expect((await comeBack(app, userId, { ...again })).status).toBe(200);
        app.clock.ms += 11 * 60_000;
        const body = syncedBody(app, trip.remoteUserId, there.connection, []);
        expect((await deliver(app, "connection-synced", body)).status).toBe(200);
        expect(app.powens.state.users.has(trip.remoteUserId)).toBe(false);
      }
      await lifeGoesOn(app);
      expect((await app.call("GET", "/v1/bank-connections", { as: userId })).body.data)
        .toHaveLength(1);
      expect(await all("SELECT status, full_read FROM bank_connections WHERE user_id = ?", userId))
        .toEqual([{ status: "active", full_read: "done" }]);
      expect(app.powens.state.users.size).toBe(1);
    });
    expect(points).toBeGreaterThanOrEqual(10);
  });

  it("of the way back is made good by the sweep once the token is stored", async () => {
    const points = await atEveryPoint(async (app, nth) => {
      const userId = await addUser(binding);
      await quiet(userId);
      const trip = await throughPage(app, userId);
      openAtBank(app, trip.remoteUserId);
      await withFault(app, nth, mode, () => comeBack(app, userId, { ...trip }));
      const [stored] = await all(
        "SELECT 1 FROM aggregator_links WHERE user_id = ? AND (token_cipher IS NOT NULL OR traded_token_cipher IS NOT NULL)",
        userId,
      );
      await lifeGoesOn(app);
      const list = await app.call("GET", "/v1/bank-connections", { as: userId });
      expect(list.body.data).toHaveLength(stored === undefined ? 0 : 1);
    });
    expect(points).toBeGreaterThanOrEqual(10);
  });

  it("of an end is finished by the user's next try or by the sweep", async () => {
    const points = await atEveryPoint(async (app, nth) => {
      const user = await hotUser(app);
      const [row] = await all<{ id: string }>(
        "SELECT id FROM bank_connections WHERE user_id = ?",
        user.userId,
      );
      const end = () => app.call("DELETE", `/v1/bank-connections/${row?.id}`, { as: user.userId });
      await withFault(app, nth, mode, end);
      expect((await end()).status).toBe(204);
      await lifeGoesOn(app);
      expect(
        await all(
          "SELECT status, gone_remotely FROM bank_connections WHERE user_id = ?",
          user.userId,
        ),
      ).toEqual([{ status: "removed", gone_remotely: 1 }]);
      expect(app.powens.state.users.has(user.remoteUserId)).toBe(false);
    });
    expect(points).toBeGreaterThanOrEqual(5);
  });

  it("of a withdrawal leaves nothing there in the end", async () => {
    const points = await atEveryPoint(async (app, nth) => {
      const user = await hotUser(app);
      await withFault(
        app,
        nth,
        mode,
        () => app.service.consentListener.bankDataWithdrawn(user.userId),
      );
      await app.service.consentListener.bankDataWithdrawn(user.userId).catch(() => null);
      await lifeGoesOn(app);
      expect(app.powens.state.users.has(user.remoteUserId)).toBe(false);
      expect(await ended(user.userId)).toEqual([{ state: "ended", token_cipher: null }]);
    });
    expect(points).toBeGreaterThanOrEqual(5);
  });

  it("of the weekly read is made good by the next", async () => {
    const points = await atEveryPoint(async (app, nth) => {
      const user = await hotUser(app);
      await quiet(user.userId);
      app.powens.state.pageSize = 1;
      const changed = { last_update: "2026-11-21 20:00:00" };
      app.powens.state.users.get(user.remoteUserId)?.rows.push(
        cardRow(1, user.remoteAccountId, changed),
        cardRow(2, user.remoteAccountId, { ...changed, deleted: "2026-11-21 20:00:00" }),
      );
      app.clock.ms += 8 * DAY_MS;
      await withFault(app, nth, mode, () => app.service.sweep(app.clock.ms));
      await lifeGoesOn(app, 13);
      expect([...app.ledger.rows.values()].map((row) => [row.externalId, row.state])).toEqual([[
        "1",
        "booked",
      ], ["2", "deleted"]]);
      const [row] = await all<{ at: number; due: number }>(
        "SELECT changes_read_at_ms AS at, changes_due_at_ms AS due FROM bank_connections WHERE user_id = ?",
        user.userId,
      );
      expect(row?.at).toBeGreaterThan(Date.parse("2026-11-21T20:00:00Z"));
      expect(row?.due).toBeGreaterThan(app.clock.ms);
    });
    expect(points).toBeGreaterThanOrEqual(8);
  });

  it("of a renewal leaves one gap, read back in the end", async () => {
    const points = await atEveryPoint(async (app, nth) => {
      const user = await hotUser(app);
      await quiet(user.userId);
      const there =
        app.powens.state.users.get(user.remoteUserId)?.connections.get(user.remoteConnectionId) ??
          {};
      const send = () =>
        deliver(
          app,
          "connection-synced",
          syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
        );
      Object.assign(there, { state: "SCARequired" });
      await send();
      app.clock.ms += 5 * DAY_MS;
      Object.assign(there, { state: null, last_update: "2026-11-25 10:00:00" });
      app.powens.state.users.get(user.remoteUserId)?.rows.push(
        cardRow(1, user.remoteAccountId, {
          date: "2026-11-22",
          rdate: "2026-11-22",
          last_update: "2026-11-25 10:00:00",
        }),
      );
      let status = 0;
      await withFault(app, nth, mode, async () => void (status = (await send()).status));
      if (status !== 200) expect((await send()).status).toBe(200);
      await lifeGoesOn(app);
      const gaps = await all<{ from_ms: number; open: number; missing: number }>(
        "SELECT from_ms, to_ms IS NULL AS open, recovered_at_ms IS NULL AS missing FROM bank_gaps WHERE connection_id IN (SELECT id FROM bank_connections WHERE user_id = ?)",
        user.userId,
      );
      expect(gaps).toEqual([{ from_ms: Date.parse("2026-11-20T09:00:00Z"), open: 0, missing: 0 }]);
      expect(app.ledger.rows.size).toBe(1);
      expect(
        await all(
          "SELECT status, full_read, repair_reason FROM bank_connections WHERE user_id = ?",
          user.userId,
        ),
      ).toEqual([{ status: "active", full_read: "done", repair_reason: null }]);
    });
    expect(points).toBeGreaterThanOrEqual(6);
  });

  it("of asking again for a quarantined message ends with it resolved once", async () => {
    const points = await atEveryPoint(async (app, nth) => {
      const user = await hotUser(app);
      await quiet(user.userId);
      app.ledger.fail = () => "ledger_refused";
      app.powens.state.users.get(user.remoteUserId)?.rows.push(cardRow(1, user.remoteAccountId));
      await deliver(
        app,
        "connection-synced",
        syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
          cardRow(1, user.remoteAccountId),
        ]),
      );
      app.ledger.fail = () => null;
      const [item] = await all<{ id: string }>(
        "SELECT id FROM quarantine WHERE remote_user_id = ?",
        String(user.remoteUserId),
      );
      const replay = () =>
        app.call("POST", `/admin/v1/quarantine/${item?.id}/replay`, {
          operator: "operator.claire.support",
        });
      await withFault(app, nth, mode, replay);
      expect((await replay()).body).toMatchObject({ outcome: "resolved" });
      expect(app.ledger.rows.size).toBe(1);
      expect(
        await all(
          "SELECT resolved_at_ms IS NOT NULL AS resolved FROM quarantine WHERE id = ?",
          item?.id,
        ),
      ).toEqual([{ resolved: 1 }]);
      expect(
        await all(
          "SELECT status, full_read, repair_reason, next_try_at_ms FROM bank_connections WHERE user_id = ?",
          user.userId,
        ),
      ).toEqual([{
        status: "active",
        full_read: "done",
        repair_reason: null,
        next_try_at_ms: null,
      }]);
    });
    expect(points).toBeGreaterThanOrEqual(10);
  });
});

/** Lets only this user's work be due: every other test's connections share the database. */
async function quiet(userId: UserId | null): Promise<void> {
  await binding.prepare(
    "UPDATE bank_connections SET changes_due_at_ms = 9e15, next_try_at_ms = NULL WHERE user_id IS NOT ?",
  ).bind(userId).run();
  await binding.prepare("UPDATE aggregator_links SET next_try_at_ms = NULL").run();
}

function ended(userId: UserId) {
  return all("SELECT state, token_cipher FROM aggregator_links WHERE user_id = ?", userId);
}
