// What no webhook reports: rows that change under their id, gaps after a lapsed consent. On the
// real D1, with what each round costs counted.
import { describe, expect, it } from "vitest";
import { bankingStore } from "../../src/banking/store/index.ts";
import { openDatabase } from "../../src/db/database.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import {
  bankingApp,
  cardRow,
  deliver,
  hotUser,
  KEYS,
  REDIRECT,
  syncedBody,
} from "../support/banking-app.ts";
import type { Linked } from "../support/banking-app.ts";
import {
  all,
  app,
  binding,
  connectionAt,
  mark,
  rowsAt,
  sweepAfter,
  useAloneBankingApp,
} from "../support/banking-d1.ts";
import { strictSeals } from "../support/seals.ts";

useAloneBankingApp();
const DAY = 86_400_000;
const WEEK = 7 * DAY;

describe("the weekly read", () => {
  it("sees a row booked under its id, one amended and one deleted, which no webhook reported", async () => {
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
    await sweepAfter(WEEK);
    expect([...app.ledger.rows.values()].map((row) => [row.externalId, row.state, row.amountCents]))
      .toEqual([["1", "booked", 3490], ["2", "booked", 1250], ["3", "deleted", 3490]]);
  });
  it("is one a week: connections, accounts and one page, from 14 days before the mark, and the mark moves", async () => {
    const user = await hotUser(app);
    await sweepAfter(0);
    app.powens.state.reads.length = 0;
    app.powens.state.calls.length = 0;
    const before = await mark(user);
    for (let day = 0; day < 7; day++) await sweepAfter(DAY);
    expect(app.powens.state.calls).toEqual([
      "GET users/me/connections",
      "GET users/me/accounts",
      "GET users/me/transactions",
    ]);
    // The window began 14 days before; five days more, since bookings come before purchases.
    expect(app.powens.state.reads).toEqual([{ minDate: "2026-11-05" }]);
    const after = await mark(user);
    expect(after?.at).toBeGreaterThanOrEqual(before?.due ?? Infinity);
    expect((after?.due ?? 0) - (after?.at ?? 0)).toBe(WEEK);
    app.powens.state.reads.length = 0;
    await sweepAfter(2 * WEEK);
    await sweepAfter(WEEK);
    expect(app.powens.state.reads).toEqual([{ minDate: "2026-11-08" }, { minDate: "2026-11-22" }]);
    app.ledger.unconfirmedSince = "2026-11-12";
    await sweepAfter(WEEK);
    expect(app.powens.state.reads.at(-1)).toEqual({ minDate: "2026-11-07" });
  });
  it("tells the ledger what it covered and gave, with the last page", async () => {
    const user = await hotUser(app);
    app.powens.state.pageSize = 1;
    rowsAt(user).push(cardRow(1, user.remoteAccountId), cardRow(2, user.remoteAccountId));
    await sweepAfter(WEEK);
    const reads = app.ledger.calls.map(({ batch }) => batch.read);
    expect(reads.map((read) => read?.complete?.externalIds)).toEqual([undefined, ["1", "2"]]);
    expect(reads.at(-1)).toMatchObject({
      startedAtMs: app.clock.ms,
      knownOnly: false,
      complete: { fromDay: "2026-11-10", accountIds: [expect.stringMatching(/^acc_/)] },
    });
  });
  it("comes earlier when the ledger wants it, at most once an hour, and costs no write else", async () => {
    const user = await hotUser(app);
    await sweepAfter(0);
    const send = (id: number) =>
      deliver(
        app,
        "connection-synced",
        syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
          cardRow(id, user.remoteAccountId),
        ]),
      );
    const before = await mark(user);
    app.ledger.readByMs = (before?.due ?? 0) + DAY;
    await send(1);
    expect(await mark(user)).toEqual(before);
    app.ledger.readByMs = app.clock.ms + 1000;
    await send(2);
    expect((await mark(user))?.due).toBe((before?.at ?? 0) + 3_600_000);
    app.powens.state.reads.length = 0;
    // What the ledger wants after a read, an hour apart too.
    await sweepAfter(3_600_000);
    expect(app.powens.state.reads).toHaveLength(1);
    expect((await mark(user))?.due).toBe(app.clock.ms + 3_600_000);
    app.ledger.readByMs = null;
    await sweepAfter(3_600_000);
    expect((await mark(user))?.due).toBe(app.clock.ms + WEEK);
  });
  it("that the ledger wants while a read ends is not forgotten", async () => {
    let arrive = (): void => {};
    const arrived = new Promise<void>((resolve) => arrive = resolve);
    let goOn = (): void => {};
    const mayGoOn = new Promise<void>((resolve) => goOn = resolve);
    const slow = bankingApp(binding, {
      ledger: () => ({
        ...app.ledgerPort,
        record: async (userId, batch) => {
          if (batch.read === undefined) {
            arrive();
            await mayGoOn;
          }
          return app.ledgerPort.record(userId, batch);
        },
      }),
    });
    slow.powens.state.nextUser = Math.floor(Math.random() * 1e9) + 1;
    const user = await hotUser(slow);
    slow.clock.ms += WEEK;
    const webhook = deliver(
      slow,
      "connection-synced",
      syncedBody(slow, user.remoteUserId, user.remoteConnectionId, [
        cardRow(1, user.remoteAccountId),
      ]),
    );
    await arrived;
    await slow.service.sweep(slow.clock.ms);
    expect((await mark(user))?.due).toBe(slow.clock.ms + WEEK);
    app.ledger.readByMs = slow.clock.ms + 1000;
    goOn();
    await webhook;
    expect((await mark(user))?.due).toBeLessThanOrEqual(slow.clock.ms + 3_600_000);
  });
  it("does not end a read of everything that was asked for while it ran", async () => {
    const user = await hotUser(app);
    const store = bankingStore(openDatabase(binding), systemRandomBytes, strictSeals(KEYS));
    const at = app.clock.ms;
    const read = { readAtMs: at, nowMs: at, nextAtMs: at + WEEK };
    const [before] = await store.connectionsOf(user.userId);
    if (before === undefined) throw new Error("connection not found");
    await store.readAgain(before.id, at);
    await store.changesRead(before, read);
    const [asked] = await store.connectionsOf(user.userId);
    expect(asked).toMatchObject({ fullRead: "due", changesReadAtMs: null });
    if (asked === undefined) throw new Error("connection not found");
    await store.readAgain(asked.id, at);
    await store.fullReadDone(asked, read);
    expect((await store.connectionsOf(user.userId))[0]).toMatchObject({ fullRead: "due" });
  });
  it("that fails is made four times a day at most, leaves the mark, and nothing is missed", async () => {
    const user = await hotUser(app);
    await sweepAfter(WEEK);
    const before = await mark(user);
    rowsAt(user).push(cardRow(1, user.remoteAccountId, { last_update: "2026-11-21 20:00:00" }));
    app.powens.state.intercept = (
      _method,
      path,
    ) => (path === "users/me/connections" ? new Response("<html>", { status: 418 }) : null);
    app.powens.state.calls.length = 0;
    await sweepAfter(WEEK - DAY);
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
      await sweepAfter(WEEK);
      expect(await mark(user)).toMatchObject({ at: before?.at });
      expect(app.ledger.rows.size).toBe(2);
      await sweepAfter(DAY / 4);
      expect(app.ledger.rows.size).toBe(4);
      expect((await mark(user))?.at).toBe(app.clock.ms);
    },
  );
  it("skips connections that ended, comes monthly to those that lapsed, and finds its work by an index", async () => {
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
    await sweepAfter(WEEK);
    app.powens.state.reads.length = 0;
    for (let week = 0; week < 4; week++) await sweepAfter(WEEK);
    expect(app.powens.state.reads).toHaveLength(1);
    const plan = await all<{ detail: string }>(
      "EXPLAIN QUERY PLAN SELECT id FROM bank_connections WHERE status <> 'removed' AND changes_due_at_ms <= 5 ORDER BY changes_due_at_ms LIMIT 20",
    );
    expect(plan.map((step) => step.detail).join()).toContain("bank_connections_changes");
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

  it("lasts from the last good sync to the renewal, and is read back", async () => {
    const user = await hotUser(app);
    await sweepAfter(0);
    await lapse(user, Date.parse("2026-11-21T12:00:00Z"));
    expect(await shown(user)).toMatchObject({ status: "expired", action: "renew", gaps: [] });
    // The same change again does not open another.
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
    // The window's first day: the last read was less than 14 days after it.
    expect(app.powens.state.reads).toEqual([{ minDate: "2026-11-05" }]);
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
