// Repairs, accounts that come again, messages that were set aside. On the real D1.
import { describe, expect, it } from "vitest";
import {
  addUser,
  cardRow,
  deliver,
  hotUser,
  LINK_MS,
  openAtBank,
  syncedBody,
  tradedLink,
} from "../support/banking-app.ts";
import { keyedIndex } from "../../src/kernel/keyring.ts";
import { KEYS } from "../support/banking-app.ts";
import type { Linked } from "../support/banking-app.ts";
import {
  all,
  app,
  binding,
  connectionAt,
  quarantinedOf,
  rowsAt,
  sweepAfter,
  useAloneBankingApp,
} from "../support/banking-d1.ts";
import { sealAccount } from "../support/seals.ts";

useAloneBankingApp();
const DAY = 86_400_000;
const CLAIRE = "operator.claire.support";

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
    expect((await quarantinedOf(user)).map((item) => item.resolved_at_ms)).toEqual([app.clock.ms]);
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
    expect((await quarantinedOf(user)).map((item) => item.resolved_at_ms === null)).toEqual([
      false,
      true,
    ]);
    expect(await all("SELECT repair_reason FROM bank_connections WHERE user_id = ?", user.userId))
      .toEqual([{ repair_reason: "ledger_refused" }]);
    await sweepAfter(DAY);
    expect((await quarantinedOf(user)).map((item) => item.resolved_at_ms === null)).toEqual([
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

describe("an account that comes again", () => {
  const accountsOf = (user: { userId: string }) =>
    all<
      {
        id: string;
        strength: string;
        fingerprint: string;
        linked_at_ms: number;
      }
    >(
      "SELECT id, strength, fingerprint, linked_at_ms FROM bank_accounts WHERE user_id = ? ORDER BY created_at_ms, id",
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
  const listings = () => app.ledger.calls.at(-1)?.batch.accounts ?? [];

  it("without its IBAN is another listing of the same bank, and the old one is known to be gone", async () => {
    const user = await hotUser(app);
    recreated(user, { iban: null, name: "Renamed" });
    await sync(user);
    const [old, fresh] = await accountsOf(user);
    expect([old?.strength, fresh?.strength]).toEqual(["iban", "weak"]);
    expect(listings().map(({ ownIban, unitIban }) => [ownIban, unitIban])).toEqual([
      [old?.fingerprint, old?.fingerprint],
      [null, null],
    ]);
    expect(listings().map(({ goneAtMs }) => goneAtMs)).toEqual([app.clock.ms, null]);
    expect(new Set(listings().map(({ bankKey, linkId }) => `${bankKey} ${linkId}`)).size).toBe(1);
  });
  it("keeps the IBAN that its bank stops to give, and forgets what was none", async () => {
    const user = await hotUser(app);
    const account = app.powens.state.users.get(user.remoteUserId)?.accounts.get(
      user.remoteAccountId,
    );
    const [before] = await accountsOf(user);
    Object.assign(account ?? {}, { iban: null });
    recreated(user, { iban: null }, false);
    await sync(user);
    expect((await accountsOf(user))[0]?.fingerprint).toBe(before?.fingerprint);
    // As data has it from before check digits were looked at.
    const masked = "FR76XXXXXXXXXXXXXXXXXXX4567";
    const stored = keyedIndex(KEYS, "bank_account", `iban|${masked}`);
    await binding.prepare("UPDATE bank_accounts SET own_iban = ?1, fingerprint = ?1 WHERE id = ?2")
      .bind(stored, before?.id).run();
    await sealAccount(binding, KEYS, String(before?.id));
    Object.assign(account ?? {}, { iban: masked, disabled: "2026-11-20 11:00:00" });
    await sync(user);
    await sweepAfter(DAY);
    const [after] = await accountsOf(user);
    expect([after?.strength, after?.fingerprint === stored]).toEqual(["weak", false]);
    expect(listings()[0]?.ownIban).toBeNull();
  });
  it("is gone too when its connection does not list it any more", async () => {
    const user = await hotUser(app);
    recreated(user, { iban: null });
    app.powens.state.users.get(user.remoteUserId)?.accounts.delete(user.remoteAccountId);
    await sync(user);
    expect(listings().map(({ goneAtMs }) => goneAtMs)).toEqual([app.clock.ms, null]);
    await sync(user);
    expect(listings()).toHaveLength(2);
  });
  it("takes the switch of the one of its name, and starts off where those that are left differ in it", async () => {
    const user = await hotUser(app);
    const accounts = app.powens.state.users.get(user.remoteUserId)?.accounts;
    const first = accounts?.get(user.remoteAccountId);
    if (accounts === undefined || first === undefined) throw new Error("account");
    const nameless = (id: number, name: string) =>
      accounts.set(id, { ...first, iban: null, name, id, deleted: null });
    const no = user.remoteAccountId + 100_000;
    nameless(no, "One");
    nameless(no + 1, "Two");
    await sync(user);
    const two = (await all<{ id: string }>(
      "SELECT id FROM bank_accounts WHERE remote_account_id = ?",
      String(no + 1),
    ))[0];
    await app.call("PATCH", `/v1/bank-accounts/${two?.id}`, {
      as: user.userId,
      body: { earning: false },
    });
    app.clock.ms += DAY;
    for (const id of [no, no + 1]) Object.assign(accounts.get(id) ?? {}, { deleted: "2026-11-20" });
    Object.assign(first, { deleted: "2026-11-20 10:00:00" });
    nameless(no + 2, "One");
    nameless(no + 4, "Three");
    await sync(user);
    const earning = await all<{ remote_account_id: string; earning: number }>(
      "SELECT remote_account_id, earning FROM bank_accounts WHERE user_id = ? AND gone_at_ms IS NULL ORDER BY remote_account_id",
      user.userId,
    );
    expect(earning.map((each) => [Number(each.remote_account_id) - no, each.earning])).toEqual([
      [2, 1],
      [4, 0],
    ]);
  });
  it("beside one that lives on under the same name is another account", async () => {
    const user = await hotUser(app);
    recreated(user, { iban: null }, false);
    await sync(user);
    expect(listings().map(({ goneAtMs }) => goneAtMs)).toEqual([null, null]);
    // Nor does it take over the switch of the one beside it.
    const off = await hotUser(app);
    const [beside] = await all<{ id: string }>(
      "SELECT id FROM bank_accounts WHERE user_id = ?",
      off.userId,
    );
    await app.call("PATCH", `/v1/bank-accounts/${beside?.id}`, {
      as: off.userId,
      body: { earning: false },
    });
    recreated(off, { iban: null }, false);
    await sync(off);
    expect(
      await all(
        "SELECT ordinal, earning FROM bank_accounts WHERE user_id = ? ORDER BY ordinal",
        off.userId,
      ),
    ).toEqual([{ ordinal: 1, earning: 0 }, { ordinal: 2, earning: 1 }]);
    const other = await hotUser(app);
    recreated(other, { iban: "EX6713679564637300290000999" });
    await sync(other);
    expect(new Set(listings().map(({ ownIban }) => ownIban)).size).toBe(2);
  });
  it("with a card of another user's account does not earn, though only the parent is shared", async () => {
    const first = await hotUser(app);
    const second = await hotUser(app);
    const shared = app.powens.state.users.get(first.remoteUserId)?.accounts.get(
      first.remoteAccountId,
    )?.["iban"];
    const theirs = app.powens.state.users.get(second.remoteUserId)?.accounts;
    const own = theirs?.get(second.remoteAccountId);
    if (theirs === undefined || own === undefined) throw new Error("account");
    const parent = second.remoteAccountId + 200_000;
    theirs.set(parent, { ...own, id: parent, iban: shared, name: "Joint" });
    theirs.set(parent + 1, {
      ...own,
      id: parent + 1,
      type: "card",
      iban: null,
      id_parent: parent,
      name: "CARTE VISA",
    });
    await sync(second);
    expect(
      await all(
        "SELECT remote_account_id AS id, earning FROM bank_accounts WHERE user_id = ? ORDER BY ordinal",
        second.userId,
      ),
    ).toEqual([
      { id: String(second.remoteAccountId), earning: 1 },
      { id: String(parent), earning: 0 },
      { id: String(parent + 1), earning: 0 },
    ]);
    expect(listings()[2]).toMatchObject({
      ownIban: null,
      unitIban: listings()[1]?.unitIban,
      parentAccountId: listings()[1]?.accountId,
    });
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
    const { remoteUserId } = await tradedLink(app, second);
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
    return { user, id: (await quarantinedOf(user))[0]?.id };
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
    expect((await quarantinedOf(user))[0]?.resolved_at_ms).toBeNull();
    app.ledger.fail = () => null;
    await sweepAfter(DAY);
    expect((await quarantinedOf(user))[0]?.resolved_at_ms).toBe(app.clock.ms);
  });
  it("with more rows than a request may read is scheduled, and the sweep resolves it", async () => {
    const { user, id } = await troubled();
    app.powens.state.pageSize = 1;
    rowsAt(user).push(...[2, 3, 4, 5].map((row) => cardRow(row, user.remoteAccountId)));
    expect((await replay(id)).body).toMatchObject({ outcome: "scheduled", resolved_at: null });
    await sweepAfter(0);
    expect(app.ledger.rows.size).toBe(5);
    expect((await quarantinedOf(user))[0]?.resolved_at_ms).toBe(app.clock.ms);
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
      (await replay((await quarantinedOf(user))[0]?.id)).status,
    ]).toEqual([409, 409]);
  });
  it("of a connection that came too early finds it", async () => {
    const userId = await addUser(binding);
    app.clock.ms = LINK_MS;
    const { remoteUserId } = await tradedLink(app, userId);
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
    expect((await replay((await quarantinedOf(user))[0]?.id)).body["outcome"]).toBe("resolved");
    expect(
      await all("SELECT state, token_cipher FROM aggregator_links WHERE user_id = ?", user.userId),
    ).toEqual([{ state: "ended", token_cipher: null }]);
  });
});
