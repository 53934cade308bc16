// What no webhook tells: rows that change under their id, gaps after a lapsed consent, messages
// that were set aside. On the real D1, with what each round costs counted.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import {
  addUser,
  bankingApp,
  cardRow,
  deliver,
  hotUser,
  LINK_MS,
  openAtBank,
  REDIRECT,
  startLink,
  syncedBody,
} from "../support/banking-app.ts";
import type { BankingApp, Linked } from "../support/banking-app.ts";

const binding = (env as unknown as { DB: D1Database }).DB;
const DAY = 86_400_000;
const CLAIRE = "operator.claire.support";
let app: BankingApp;
beforeEach(async () => {
  app = bankingApp(binding);
  app.powens.state.nextUser = Math.floor(Math.random() * 1e9) + 1;
  // Other tests' connections are nobody's to read here.
  await binding.exec("UPDATE bank_connections SET changes_due_at_ms = 9e15, next_try_at_ms = NULL");
  await binding.exec("UPDATE aggregator_links SET next_try_at_ms = NULL");
});

const all = async <T = Record<string, unknown>>(
  query: string,
  ...values: unknown[]
): Promise<T[]> => (await binding.prepare(query).bind(...values).all<T>()).results;
const mark = async (user: Linked) =>
  (await all<{ at: number | null; due: number }>(
    "SELECT changes_read_at_ms AS at, changes_due_at_ms AS due FROM bank_connections WHERE user_id = ?",
    user.userId,
  ))[0];
const rowsAt = (user: Linked) => app.powens.state.users.get(user.remoteUserId)?.rows ?? [];
const sweepAfter = async (ms: number) => {
  app.clock.ms += ms;
  await app.service.sweep(app.clock.ms);
};
const connectionAt = (user: Linked): Record<string, unknown> =>
  app.powens.state.users.get(user.remoteUserId)?.connections.get(user.remoteConnectionId) ?? {};
const quarantined = (user: Linked) =>
  all<{ id: string; event: string; resolved_at_ms: number | null }>(
    "SELECT id, event, resolved_at_ms FROM quarantine WHERE remote_user_id = ? ORDER BY first_at_ms",
    String(user.remoteUserId),
  );

describe("the daily read", () => {
  it("sees a row booked under its id, one amended and one deleted, of which no webhook told", async () => {
    const user = await hotUser(app);
    const sent = [
      cardRow(1, user.remoteAccountId, { coming: true }),
      cardRow(2, user.remoteAccountId),
      cardRow(3, user.remoteAccountId),
    ];
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, sent),
    );
    const later = { last_update: "2026-11-20 18:00:00" };
    rowsAt(user).push(
      cardRow(1, user.remoteAccountId, later),
      cardRow(2, user.remoteAccountId, { ...later, value: -12.5 }),
      cardRow(3, user.remoteAccountId, { ...later, deleted: "2026-11-20 18:00:00" }),
    );
    await sweepAfter(DAY);
    expect([...app.ledger.rows.values()].map((row) => [row.externalId, row.state, row.amountCents]))
      .toEqual([["1", "booked", 3490], ["2", "booked", 1250], ["3", "deleted", 3490]]);
  });
  it("is one a day: connections, accounts and one page, from a day before the mark, and the mark moves", async () => {
    const user = await hotUser(app);
    await sweepAfter(0);
    app.powens.state.reads.length = 0;
    app.powens.state.calls.length = 0;
    const before = await mark(user);
    for (let hour = 0; hour < 24; hour++) await sweepAfter(3_600_000);
    expect(app.powens.state.calls).toEqual([
      "GET users/me/connections",
      "GET users/me/accounts",
      "GET users/me/transactions",
    ]);
    expect(app.powens.state.reads[0]?.changedAfter).toBe(
      new Intl.DateTimeFormat("sv-SE", {
        timeZone: "Europe/Paris",
        dateStyle: "short",
        timeStyle: "medium",
      }).format((before?.at ?? 0) - DAY),
    );
    const after = await mark(user);
    expect(after?.at).toBeGreaterThanOrEqual(before?.due ?? Infinity);
    expect((after?.due ?? 0) - (after?.at ?? 0)).toBe(DAY);
  });
  it("without news costs no ledger call", async () => {
    const user = await hotUser(app);
    await sweepAfter(DAY);
    expect((await mark(user))?.at).toBe(app.clock.ms);
    expect(app.ledger.calls).toEqual([]);
  });
  it("that fails is made four times a day at most, leaves the mark, and nothing is missed", async () => {
    const user = await hotUser(app);
    await sweepAfter(DAY);
    const before = await mark(user);
    rowsAt(user).push(cardRow(1, user.remoteAccountId, { last_update: "2026-11-21 20:00:00" }));
    app.powens.state.intercept = (
      _method,
      path,
    ) => (path === "users/me/connections" ? new Response("<html>", { status: 418 }) : null);
    app.powens.state.calls.length = 0;
    for (let minutes = 0; minutes < 1440 + 1440; minutes += 30) await sweepAfter(30 * 60_000);
    const tries = app.powens.state.calls.length;
    // The first is due after a day, then one every six hours.
    expect(tries).toBeGreaterThanOrEqual(4);
    expect(tries).toBeLessThanOrEqual(5);
    expect((await mark(user))?.at).toBe(before?.at);
    app.powens.state.intercept = () => null;
    await sweepAfter(DAY / 4);
    expect(app.ledger.rows.size).toBe(1);
    expect((await mark(user))?.at).toBe(app.clock.ms);
  });
  it.each(["ledger_unavailable", "ledger_refused"] as const)(
    "leaves the mark when a page could not be recorded (%s)",
    async (code) => {
      const user = await hotUser(app);
      app.powens.state.pageSize = 2;
      rowsAt(user).push(
        ...[1, 2, 3, 4].map((id) =>
          cardRow(id, user.remoteAccountId, { last_update: "2026-11-21 20:00:00" })
        ),
      );
      const before = await mark(user);
      let calls = 0;
      app.ledger.fail = () => (++calls === 2 ? code : null);
      await sweepAfter(DAY);
      expect(await mark(user)).toMatchObject({ at: before?.at });
      expect(app.ledger.rows.size).toBe(2);
      await sweepAfter(DAY / 4);
      expect(app.ledger.rows.size).toBe(4);
      expect((await mark(user))?.at).toBe(app.clock.ms);
    },
  );
  it("skips connections that are lapsed or ended, and finds its work by an index", async () => {
    const [lapsed, ended] = [await hotUser(app), await hotUser(app)];
    Object.assign(connectionAt(lapsed), { state: "SCARequired" });
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, lapsed.remoteUserId, lapsed.remoteConnectionId, []),
    );
    const [row] = await all<{ id: string }>(
      "SELECT id FROM bank_connections WHERE user_id = ?",
      ended.userId,
    );
    await app.call("DELETE", `/v1/bank-connections/${row?.id}`, { as: ended.userId });
    await sweepAfter(0);
    app.powens.state.calls.length = 0;
    await sweepAfter(3 * DAY);
    expect(app.powens.state.calls).toEqual([]);
    const plan = await all<{ detail: string }>(
      "EXPLAIN QUERY PLAN SELECT id FROM bank_connections WHERE status = 'active' AND changes_due_at_ms <= 5 ORDER BY changes_due_at_ms LIMIT 20",
    );
    expect(plan.map((step) => step.detail).join()).toContain("bank_connections_changes");
  });
});

describe("a repair", () => {
  it("reads from the mark, so a message that came days late loses none of its rows", async () => {
    const user = await hotUser(app);
    // The aggregator could not deliver for two days; then the row's user is in trouble. The row
    // changed long before that.
    app.clock.ms += 12 * 3_600_000;
    rowsAt(user).push(cardRow(1, user.remoteAccountId, { last_update: "2026-11-20 14:00:00" }));
    await binding.prepare(
      "UPDATE bank_connections SET changes_read_at_ms = ?, changes_due_at_ms = 9e15 WHERE user_id = ?",
    ).bind(Date.parse("2026-11-20T12:00:00Z"), user.userId).run();
    app.clock.ms = Date.parse("2026-11-23T12:00:00Z");
    app.ledger.fail = () => "ledger_refused";
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, rowsAt(user)),
    );
    app.ledger.fail = () => null;
    await sweepAfter(120_000);
    expect(app.ledger.rows.size).toBe(1);
    expect((await quarantined(user)).map((item) => item.resolved_at_ms)).toEqual([app.clock.ms]);
  });
  it("leaves a trouble open that came while it ran", async () => {
    const user = await hotUser(app);
    app.ledger.fail = () => "ledger_refused";
    const send = (id: number) =>
      deliver(
        app,
        "connection-synced",
        syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
          cardRow(id, user.remoteAccountId),
        ]),
      );
    await send(1);
    app.clock.ms += 120_000;
    let sent: Promise<Response> | null = null;
    const fetch = app.powens.fetch;
    app.powens.fetch = async (url, init) => {
      const answer = await fetch(url, init);
      if (url.includes("transactions") && sent === null) {
        app.clock.ms += 1000;
        sent = send(2);
        await sent;
        app.ledger.fail = () => null;
      }
      return answer;
    };
    await app.service.sweep(app.clock.ms);
    expect((await quarantined(user)).map((item) => item.resolved_at_ms === null)).toEqual([
      false,
      true,
    ]);
    expect(await all("SELECT repair_reason FROM bank_connections WHERE user_id = ?", user.userId))
      .toEqual([{ repair_reason: "ledger_refused" }]);
    await sweepAfter(DAY);
    expect((await quarantined(user)).map((item) => item.resolved_at_ms === null)).toEqual([
      false,
      false,
    ]);
  });
  it("ends a connection whose deletion was announced while nobody could check it", async () => {
    const user = await hotUser(app);
    const body = { ...connectionAt(user), id_user: user.remoteUserId };
    app.powens.state.users.get(user.remoteUserId)?.connections.delete(user.remoteConnectionId);
    app.powens.state.intercept = () => new Response("<html>", { status: 503 });
    expect((await deliver(app, "connection-deleted", body)).status).toBe(200);
    app.powens.state.intercept = () => null;
    await sweepAfter(120_000);
    expect(
      await all(
        "SELECT status, gone_remotely FROM bank_connections WHERE user_id = ?",
        user.userId,
      ),
    ).toEqual([{ status: "removed", gone_remotely: 1 }]);
  });
  it("does not end one that is merely missing", async () => {
    const user = await hotUser(app);
    app.powens.state.users.get(user.remoteUserId)?.connections.delete(user.remoteConnectionId);
    await sweepAfter(DAY);
    expect(await all("SELECT status FROM bank_connections WHERE user_id = ?", user.userId)).toEqual(
      [{ status: "active" }],
    );
  });
});

describe("a gap", () => {
  async function lapse(user: Linked, atMs: number): Promise<void> {
    app.clock.ms = atMs;
    Object.assign(connectionAt(user), { state: "SCARequired", expire: "2026-11-20 09:00:00" });
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
    );
  }
  const shown = async (user: Linked) =>
    (await app.call("GET", "/v1/bank-connections", { as: user.userId })).body.data?.[0];

  it("lasts from the last good sync to the renewal, and is read back from there", async () => {
    const user = await hotUser(app);
    await sweepAfter(0);
    await lapse(user, Date.parse("2026-11-21T12:00:00Z"));
    expect(await shown(user)).toMatchObject({ status: "expired", action: "renew", gaps: [] });
    // The same news again does not open another.
    await lapse(user, Date.parse("2026-11-22T12:00:00Z"));
    app.clock.ms = Date.parse("2026-11-28T12:00:00Z");
    rowsAt(user).push(
      cardRow(1, user.remoteAccountId, {
        date: "2026-11-24",
        rdate: "2026-11-24",
        last_update: "2026-11-28 12:00:00",
      }),
    );
    const [row] = await all<{ id: string }>(
      "SELECT id FROM bank_connections WHERE user_id = ?",
      user.userId,
    );
    const trip = await app.call("POST", `/v1/bank-connections/${row?.id}/renewal`, {
      as: user.userId,
      body: { redirect_uri: REDIRECT },
    });
    Object.assign(connectionAt(user), {
      state: null,
      expire: "2027-05-27 09:00:00",
      last_update: "2026-11-28 13:00:00",
    });
    app.powens.state.intercept = (
      _method,
      path,
    ) => (path === "users/me/transactions" ? new Response("<html>", { status: 503 }) : null);
    await app.call("POST", "/v1/bank-connections/callback", {
      as: user.userId,
      body: { state: trip.body["state"] },
    });
    expect(await shown(user)).toMatchObject({
      status: "active",
      gaps: [{ from: "2026-11-20", to: "2026-11-28", recovered: false }],
    });
    app.powens.state.intercept = () => null;
    app.powens.state.reads.length = 0;
    await sweepAfter(120_000);
    expect(await shown(user)).toMatchObject({
      gaps: [{ from: "2026-11-20", to: "2026-11-28", recovered: true }],
    });
    expect(app.ledger.rows.size).toBe(1);
    // Five days before the last good sync, whole; then what changed since the mark.
    expect(
      app.powens.state.reads.map(({ changedAfter, minDate }) => [minDate, changedAfter === null]),
    ).toEqual([["2026-11-15", true], ["2026-11-05", false]]);
  });
  it("ends also when the user never came back to us, with a new consent, and is read back inside the webhook", async () => {
    const user = await hotUser(app);
    await lapse(user, Date.parse("2026-11-21T12:00:00Z"));
    app.clock.ms = Date.parse("2026-11-25T12:00:00Z");
    Object.assign(connectionAt(user), {
      state: null,
      expire: null,
      last_update: "2026-11-25 13:00:00",
    });
    rowsAt(user).push(
      cardRow(1, user.remoteAccountId, { date: "2026-11-22", rdate: "2026-11-22" }),
    );
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
    );
    expect(await shown(user)).toMatchObject({
      status: "active",
      consent: { granted_at: "2026-11-25T12:00:00.000Z" },
      gaps: [{ from: "2026-11-20", to: "2026-11-25", recovered: true }],
    });
    expect(app.ledger.rows.size).toBe(1);
  });
  it("that began again before anything was synced goes on", async () => {
    const user = await hotUser(app);
    await lapse(user, Date.parse("2026-11-21T12:00:00Z"));
    Object.assign(connectionAt(user), { state: null, expire: "2027-05-27 09:00:00" });
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
    );
    await lapse(user, Date.parse("2026-11-22T12:00:00Z"));
    expect(
      await all(
        "SELECT to_ms, recovered_at_ms FROM bank_gaps WHERE connection_id IN (SELECT id FROM bank_connections WHERE user_id = ?)",
        user.userId,
      ),
    ).toEqual([{ to_ms: null, recovered_at_ms: null }]);
  });
  it("is not opened by a brief trouble at the bank", async () => {
    const user = await hotUser(app);
    Object.assign(connectionAt(user), { state: "websiteUnavailable" });
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
    );
    expect(
      await all(
        "SELECT 1 FROM bank_gaps WHERE connection_id IN (SELECT id FROM bank_connections WHERE user_id = ?)",
        user.userId,
      ),
    ).toEqual([]);
  });
});

describe("an account that comes again", () => {
  const accountsOf = (user: { userId: string }) =>
    all<
      {
        id: string;
        strength: string;
        family: string | null;
        fingerprint: string;
        linked_at_ms: number;
      }
    >(
      "SELECT id, strength, family, fingerprint, linked_at_ms FROM bank_accounts WHERE user_id = ? ORDER BY created_at_ms, id",
      user.userId,
    );
  function recreated(user: Linked, change: Record<string, unknown>, oldEnds = true): number {
    const accounts = app.powens.state.users.get(user.remoteUserId)?.accounts;
    const old = accounts?.get(user.remoteAccountId);
    if (accounts === undefined || old === undefined) throw new Error("account");
    const id = user.remoteAccountId + 500_000;
    accounts.set(id, { ...old, ...change, id });
    if (oldEnds) Object.assign(old, { deleted: "2026-11-20 10:00:00" });
    return id;
  }
  const sync = (user: Linked, rows: Record<string, unknown>[] = []) =>
    deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, rows),
    );
  const generations = () =>
    app.ledger.calls.at(-1)?.batch.accounts.map(({ fingerprint, strength }) => ({
      fingerprint,
      strength,
    })) ?? [];

  it("without its IBAN is the ledger's same account, weakly", async () => {
    const user = await hotUser(app);
    recreated(user, { iban: null });
    await sync(user);
    const [old, fresh] = await accountsOf(user);
    expect([fresh?.strength, fresh?.family]).toEqual(["weak", old?.fingerprint]);
    expect(generations()).toEqual([{ fingerprint: old?.fingerprint, strength: "iban" }, {
      fingerprint: old?.fingerprint,
      strength: "weak",
    }]);
  });
  it("beside one that lives on under the same name is another account, and so is one with another IBAN", async () => {
    const [beside, other] = [await hotUser(app), await hotUser(app)];
    recreated(beside, { iban: null }, false);
    await sync(beside);
    recreated(other, { iban: "EX6713679564637300290000999" });
    await sync(other);
    expect((await accountsOf(beside))[1]?.family).toBeNull();
    expect((await accountsOf(other))[1]?.family).toBeNull();
  });
  it("after its switch was off brings nothing back that was dropped then", async () => {
    const user = await hotUser(app);
    const [account] = await accountsOf(user);
    await app.call("PATCH", `/v1/bank-accounts/${account?.id}`, {
      as: user.userId,
      body: { earning: false },
    });
    app.clock.ms += 5 * DAY;
    await app.call("PATCH", `/v1/bank-accounts/${account?.id}`, {
      as: user.userId,
      body: { earning: true },
    });
    app.clock.ms += 5 * DAY;
    const id = recreated(user, {});
    const seen = { date_scraped: "2026-11-30 12:00:00", last_update: "2026-11-30 12:00:00" };
    await sync(user, [
      cardRow(1, id, { ...seen, rdate: "2026-11-22", date: "2026-11-22" }),
      cardRow(2, id, { ...seen, rdate: "2026-11-27", date: "2026-11-27" }),
    ]);
    expect([...app.ledger.rows.values()].map((row) => row.externalId)).toEqual(["2"]);
  });
  it("with another user, on the day on which it earned for the first, does not earn for that day again", async () => {
    const first = await hotUser(app);
    const [row] = await all<{ id: string }>(
      "SELECT id FROM bank_connections WHERE user_id = ?",
      first.userId,
    );
    const iban = app.powens.state.users.get(first.remoteUserId)?.accounts.get(first.remoteAccountId)
      ?.["iban"];
    await app.call("DELETE", `/v1/bank-connections/${row?.id}`, { as: first.userId });
    const second = await addUser(binding);
    const { remoteUserId } = await startLink(app, second);
    const there = openAtBank(app, remoteUserId, { account: { iban } });
    const days = ["2026-11-20", "2026-11-21"].map((day, index) =>
      cardRow(index + 1, there.account, { rdate: day, date: day })
    );
    await deliver(app, "connection-synced", syncedBody(app, remoteUserId, there.connection, days));
    expect([...app.ledger.rows.values()].map((item) => item.purchasedOn)).toEqual(["2026-11-21"]);
  });
});

describe("asking again for a quarantined message", () => {
  const replay = (
    id: string | undefined,
    options: { operator?: string; key?: string | null } = {},
  ) => app.call("POST", `/admin/v1/quarantine/${id}/replay`, { operator: CLAIRE, ...options });

  async function troubled(): Promise<{ user: Linked; id: string | undefined }> {
    const user = await hotUser(app);
    app.ledger.fail = () => "ledger_refused";
    rowsAt(user).push(cardRow(1, user.remoteAccountId));
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, rowsAt(user)),
    );
    app.ledger.fail = () => null;
    return { user, id: (await quarantined(user))[0]?.id };
  }

  it("reads the connection, mends it, resolves the message and leaves a line in the audit log", async () => {
    const { user, id } = await troubled();
    const done = await replay(id, { key: "k1" });
    expect([done.status, done.body]).toEqual([200, {
      id,
      outcome: "resolved",
      resolved_at: "2026-11-20T12:00:00.000Z",
    }]);
    expect(app.ledger.rows.size).toBe(1);
    expect((await app.call("GET", "/v1/bank-connections", { as: user.userId })).body.data?.[0])
      .toMatchObject({ status: "active" });
    expect(await all("SELECT actor, action, details FROM audit_events WHERE target = ?", id))
      .toEqual([{
        actor: "claire",
        action: "quarantine.replay",
        details: '{"outcome":"resolved","reason":"ledger_refused"}',
      }]);
    const calls = app.powens.state.calls.length;
    expect((await replay(id, { key: "k1" })).headers.get("Idempotency-Replayed")).toBe("true");
    expect((await replay(id, { key: "k2" })).body).toEqual(done.body);
    expect(app.powens.state.calls.length).toBe(calls);
  });
  it("is for support, needs a key, and an id that exists", async () => {
    const { id } = await troubled();
    expect((await replay(id, { operator: "operator.zoe.finance" })).status).toBe(403);
    expect((await app.call("POST", `/admin/v1/quarantine/${id}/replay`)).status).toBe(401);
    expect((await replay(id, { key: null })).body.code).toBe("idempotency_key_required");
    expect((await replay("qua_none")).status).toBe(404);
    expect(app.ledger.rows.size).toBe(0);
  });
  it("while the aggregator or the ledger fails is a 503, and the message stays open", async () => {
    const { user, id } = await troubled();
    app.powens.state.intercept = () => new Response("<html>", { status: 503 });
    expect((await replay(id)).body.code).toBe("aggregator_unavailable");
    app.powens.state.intercept = () => null;
    app.ledger.fail = () => "ledger_unavailable";
    expect((await replay(id)).body.code).toBe("ledger_unavailable");
    app.ledger.fail = () => "ledger_refused";
    expect((await replay(id)).body.code).toBe("conflict");
    expect((await quarantined(user))[0]?.resolved_at_ms).toBeNull();
    app.ledger.fail = () => null;
    await sweepAfter(DAY);
    expect((await quarantined(user))[0]?.resolved_at_ms).toBe(app.clock.ms);
  });
  it("with more rows than a request may read is scheduled, and the sweep resolves it", async () => {
    const { user, id } = await troubled();
    app.powens.state.pageSize = 1;
    rowsAt(user).push(...[2, 3, 4, 5].map((row) => cardRow(row, user.remoteAccountId)));
    expect((await replay(id)).body).toMatchObject({ outcome: "scheduled", resolved_at: null });
    await sweepAfter(0);
    expect(app.ledger.rows.size).toBe(5);
    expect((await quarantined(user))[0]?.resolved_at_ms).toBe(app.clock.ms);
  });
  it("of a user whom nobody knows, or of a connection that does not exist, is a conflict", async () => {
    const user = await hotUser(app);
    const remote = Math.floor(Math.random() * 1e9) + 2e9;
    await deliver(app, "connection-synced", {
      user: { id: remote },
      connection: { id: 3, id_user: remote, state: null, accounts: [] },
    });
    const [stranger] = await all<{ id: string }>(
      "SELECT id FROM quarantine WHERE remote_user_id = ?",
      String(remote),
    );
    await deliver(app, "connection-synced", syncedBody(app, user.remoteUserId, 99, []));
    expect([
      (await replay(stranger?.id)).status,
      (await replay((await quarantined(user))[0]?.id)).status,
    ]).toEqual([409, 409]);
  });
  it("of a connection that came too early finds it", async () => {
    const userId = await addUser(binding);
    app.clock.ms = LINK_MS;
    const { remoteUserId } = await startLink(app, userId);
    const there = openAtBank(app, remoteUserId);
    app.clock.ms += 10 * DAY;
    app.powens.state.users.get(remoteUserId)?.rows.push(
      cardRow(1, there.account, { rdate: "2026-11-20", date: "2026-11-20" }),
    );
    app.powens.state.intercept = () => new Response("<html>", { status: 503 });
    await deliver(app, "connection-synced", syncedBody(app, remoteUserId, there.connection, []));
    app.powens.state.intercept = () => null;
    const [item] = await all<{ id: string }>(
      "SELECT id FROM quarantine WHERE remote_user_id = ?",
      String(remoteUserId),
    );
    expect((await replay(item?.id)).body["outcome"]).toBe("resolved");
    expect(app.ledger.rows.size).toBe(1);
  });
  it("of a user's deletion asks for the user", async () => {
    const user = await hotUser(app);
    app.powens.state.intercept = () => new Response("<html>", { status: 503 });
    await deliver(app, "user-deleted", { id: user.remoteUserId });
    app.powens.state.intercept = () => null;
    app.powens.state.users.delete(user.remoteUserId);
    expect((await replay((await quarantined(user))[0]?.id)).body["outcome"]).toBe("resolved");
    expect(
      await all("SELECT state, token_cipher FROM aggregator_links WHERE user_id = ?", user.userId),
    ).toEqual([{ state: "ended", token_cipher: null }]);
  });
});
