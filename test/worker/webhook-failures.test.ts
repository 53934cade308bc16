// Deliveries while something fails or happens at the same time, and states that are looked up
// before they are believed. On the real D1.
import { describe, expect, it } from "vitest";
import {
  addUser,
  cardRow,
  deliver,
  hotUser,
  LINK_MS,
  openAtBank,
  setConsent,
  syncedBody,
  tradedLink,
} from "../support/banking-app.ts";
import { all, app, binding, useBankingApp } from "../support/banking-d1.ts";

useBankingApp();
const quarantined = (remoteUserId: number | string) =>
  all<{ reason: string; times: number }>(
    "SELECT reason, times FROM quarantine WHERE remote_user_id = ?",
    String(remoteUserId),
  );

describe("one user's trouble", () => {
  const status = async (user: Awaited<ReturnType<typeof hotUser>>) =>
    (await app.call("GET", "/v1/bank-connections", { as: user.userId })).body.data?.[0]?.["status"];
  it("does not stop twenty others, and the sweep mends it", async () => {
    const users = [];
    for (let index = 0; index < 21; index++) users.push(await hotUser(app));
    const broken = users[7];
    if (broken === undefined) throw new Error("users");
    app.ledger.fail = (userId) => (userId === broken.userId ? "ledger_refused" : null);
    const answers = await Promise.all(
      users.map((user, index) =>
        deliver(
          app,
          "connection-synced",
          syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
            cardRow(index + 1, user.remoteAccountId),
          ]),
        )
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual(users.map(() => 200));
    expect(app.ledger.rows.size).toBe(20);
    expect(await status(broken)).toBe("needs_repair");
    expect(await quarantined(broken.remoteUserId)).toEqual([{
      reason: "ledger_refused",
      times: 1,
    }]);
    app.powens.state.users.get(broken.remoteUserId)?.rows.push(cardRow(8, broken.remoteAccountId));
    app.ledger.fail = () => null;
    app.clock.ms += 120_000;
    await app.service.sweep(app.clock.ms);
    expect(app.ledger.rows.size).toBe(21);
    expect(await status(broken)).toBe("active");
  });
  it("a key that cannot be used is one", async () => {
    const user = await hotUser(app);
    await binding.prepare(
      "UPDATE users SET data_key = 'k1.gone.AAAAAAAAAAAAAAAA.AAAA' WHERE id = ?",
    ).bind(user.userId).run();
    expect(
      (await deliver(
        app,
        "connection-synced",
        syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
          cardRow(1, user.remoteAccountId),
        ]),
      )).status,
    ).toBe(200);
    expect(await quarantined(user.remoteUserId)).toEqual([{ reason: "key_unusable", times: 1 }]);
    expect(app.ledger.calls).toEqual([]);
  });
  it("a defect of ours met with its data is one", async () => {
    const user = await hotUser(app);
    app.hooks.maskLabel = () => {
      throw new TypeError("MONOPRIX PARIS of Jean");
    };
    expect(
      (await deliver(
        app,
        "connection-synced",
        syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
          cardRow(1, user.remoteAccountId),
        ]),
      )).status,
    ).toBe(200);
    expect(await quarantined(user.remoteUserId)).toEqual([{ reason: "defect", times: 1 }]);
    expect(await status(user)).toBe("needs_repair");
    expect(app.logged.join()).toContain("TypeError");
    expect(app.logged.join()).not.toMatch(/MONOPRIX|Jean/);
  });
  it("so is a body that breaks the reader: it would break it at every redelivery", async () => {
    app.hooks.readWebhook = () => {
      throw new RangeError("x");
    };
    expect((await deliver(app, "connection-synced", '{"breaks":true}')).status).toBe(200);
    expect(await all("SELECT reason FROM quarantine WHERE body_bytes = 15 AND reason = 'defect'"))
      .toHaveLength(1);
  });
  it("the object platform failing is not one: 503, and the redelivery ends well", async () => {
    const user = await hotUser(app);
    app.ledger.fail = () => "ledger_unavailable";
    const body = syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
      cardRow(1, user.remoteAccountId),
    ]);
    const first = await deliver(app, "connection-synced", body);
    expect([first.status, first.headers.get("Retry-After")]).toEqual([503, "30"]);
    expect(await quarantined(user.remoteUserId)).toEqual([]);
    app.ledger.fail = () => null;
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    expect(app.ledger.rows.size).toBe(1);
  });
});

describe("D1 failing", () => {
  it.each([1, 4, 5])(
    "at its %d. await is nobody's trouble: 503, nothing set aside, and the redelivery ends well",
    async (nth) => {
      const userId = await addUser(binding);
      app.clock.ms = LINK_MS;
      const { remoteUserId } = await tradedLink(app, userId);
      const there = openAtBank(app, remoteUserId);
      const send = () =>
        deliver(
          app,
          "connection-synced",
          syncedBody(app, remoteUserId, there.connection, [cardRow(1, there.account)]),
        );
      // 1: the read; 2 and 3: the aggregator; 4: the batch; 5: the read after it.
      app.faults.arm(nth, "before");
      expect((await send()).status).toBe(503);
      expect(app.faults.struck()).toBe(true);
      expect(await quarantined(remoteUserId)).toEqual([]);
      expect((await send()).status).toBe(200);
      expect(app.ledger.rows.size).toBe(1);
    },
  );
});

describe("a withdrawal while a message is being processed", () => {
  it("wins: the connection that was just found is not taken in", async () => {
    const userId = await addUser(binding);
    const { remoteUserId } = await tradedLink(app, userId);
    const there = openAtBank(app, remoteUserId);
    const body = syncedBody(app, remoteUserId, there.connection, [cardRow(1, there.account)]);
    const fetch = app.powens.fetch;
    app.powens.fetch = async (url, init) => {
      const answer = await fetch(url, init);
      if (url.includes("/users/me/accounts")) {
        await app.service.consentListener.bankDataWithdrawn(userId);
      }
      return answer;
    };
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    expect(await all("SELECT id FROM bank_connections WHERE user_id = ?", userId)).toEqual([]);
    expect(app.ledger.calls).toEqual([]);
  });
});

describe("twenty simultaneous deliveries", () => {
  it("of a connection that nobody knew yet end in one connection, one account and one row", async () => {
    const userId = await addUser(binding);
    app.clock.ms = LINK_MS;
    const { remoteUserId } = await tradedLink(app, userId);
    const there = openAtBank(app, remoteUserId);
    const body = syncedBody(app, remoteUserId, there.connection, [cardRow(1, there.account)]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => deliver(app, "connection-synced", body)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
    expect(await all("SELECT status, full_read FROM bank_connections WHERE user_id = ?", userId))
      .toEqual([{ status: "active", full_read: "done" }]);
    expect(
      await all("SELECT ordinal, earning, strength FROM bank_accounts WHERE user_id = ?", userId),
    ).toEqual([{ ordinal: 1, earning: 1, strength: "iban" }]);
    // However often it was recorded, it was one row of one account: the ledger counts it once.
    expect(app.ledger.calls.length).toBeGreaterThanOrEqual(20);
    expect(app.ledger.rows.size).toBe(1);
  });
});

describe("states are looked up before they are believed", () => {
  const stored = async (user: { userId: string }) =>
    (await all("SELECT status, action FROM bank_connections WHERE user_id = ?", user.userId))[0];
  it("a failed sync whose state the aggregator confirms", async () => {
    const user = await hotUser(app);
    const there = app.powens.state.users.get(user.remoteUserId)?.connections.get(
      user.remoteConnectionId,
    );
    if (there === undefined) throw new Error("connection");
    there["state"] = "SCARequired";
    const body = { ...syncedBody(app, user.remoteUserId, user.remoteConnectionId, []) };
    body.connection.accounts = [];
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    expect(await stored(user)).toEqual({ status: "action_required", action: "renew" });
    // A failed sync ends no gap.
    expect(app.ledger.calls).toEqual([]);
    app.counted.reset();
    await deliver(app, "connection-synced", body);
    expect(app.counted.count).toEqual({ roundTrips: 1, statements: 1, rowsWritten: 0 });
  });
  it.each([
    ["wrongpass", { status: "action_required", action: "update_credentials" }],
    ["passwordExpired", { status: "action_required", action: "act_at_bank" }],
    ["validating", { status: "active", action: "none" }],
    ["websiteUnavailable", { status: "active", action: "none" }],
    ["notSupported", { status: "unavailable", action: "none" }],
    ["somethingNew", { status: "unavailable", action: "none" }],
  ])("%s", async (state, expected) => {
    const user = await hotUser(app);
    const there = app.powens.state.users.get(user.remoteUserId)?.connections.get(
      user.remoteConnectionId,
    );
    if (there === undefined) throw new Error("connection");
    there["state"] = state;
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
    );
    expect(await stored(user)).toEqual(expected);
  });
  it("a state that the aggregator denies changes nothing", async () => {
    const user = await hotUser(app);
    const body = syncedBody(app, user.remoteUserId, user.remoteConnectionId, []);
    body.connection["state" as never] = "wrongpass" as never;
    await deliver(app, "connection-synced", body);
    expect(await stored(user)).toEqual({ status: "active", action: "none" });
  });
  it("CONNECTION_DELETED ends it only when it is gone there", async () => {
    const user = await hotUser(app);
    const message = { id: user.remoteConnectionId, id_user: user.remoteUserId };
    await deliver(app, "connection-deleted", message);
    expect(await stored(user)).toEqual({ status: "active", action: "none" });
    app.powens.state.users.get(user.remoteUserId)?.connections.delete(user.remoteConnectionId);
    await deliver(app, "connection-deleted", message);
    expect(await stored(user)).toEqual({ status: "removed", action: "none" });
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
    );
    // The ledger learns of the end, and of nothing after it.
    expect(app.ledger.calls.map(({ batch }) => batch.hasEnded)).toEqual([true]);
  });
  it("USER_DELETED ends everything and forgets the token, only when the user is gone there", async () => {
    const user = await hotUser(app);
    await deliver(app, "user-deleted", { id: user.remoteUserId });
    expect(await all("SELECT state FROM aggregator_links WHERE user_id = ?", user.userId)).toEqual([
      { state: "created" },
    ]);
    app.powens.state.users.delete(user.remoteUserId);
    await deliver(app, "user-deleted", { id: user.remoteUserId });
    expect(
      await all("SELECT state, token_cipher FROM aggregator_links WHERE user_id = ?", user.userId),
    ).toEqual([{ state: "ended", token_cipher: null }]);
    expect(await stored(user)).toEqual({ status: "removed", action: "none" });
  });
  it("ACCOUNT_DISABLED stops the account's rows; opting in again is a new link", async () => {
    const user = await hotUser(app);
    const account = app.powens.state.users.get(user.remoteUserId)?.accounts.get(
      user.remoteAccountId,
    );
    if (account === undefined) throw new Error("account");
    account["disabled"] = "2026-11-20 12:30:00";
    await deliver(app, "account-disabled", account);
    const body = syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
      cardRow(1, user.remoteAccountId),
    ]);
    await deliver(app, "connection-synced", body);
    expect(app.ledger.rows.size).toBe(0);
    account["disabled"] = null;
    await deliver(app, "account-enabled", account);
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
        cardRow(1, user.remoteAccountId),
        cardRow(2, user.remoteAccountId, { rdate: "2026-11-20", date: "2026-11-20" }),
      ]),
    );
    expect([...app.ledger.rows.values()].map((row) => row.externalId)).toEqual(["2"]);
  });
  it("ACCOUNT_SYNCED brings rows too", async () => {
    const user = await hotUser(app);
    const account = app.powens.state.users.get(user.remoteUserId)?.accounts.get(
      user.remoteAccountId,
    );
    await deliver(app, "account-synced", {
      ...account,
      transactions: [cardRow(1, user.remoteAccountId)],
    });
    expect(app.ledger.calls.map(({ batch }) => [batch.rows.length, batch.syncedAtMs])).toEqual([[
      1,
      null,
    ]]);
    expect(app.counted.count).toEqual({ roundTrips: 1, statements: 1, rowsWritten: 0 });
  });
  it("without the consent nothing goes on, and a new consent does not reach back", async () => {
    const user = await hotUser(app);
    await setConsent(binding, user.userId, 2, false, Date.parse("2026-11-18T08:00:00Z"));
    const body = syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
      cardRow(1, user.remoteAccountId),
      cardRow(2, user.remoteAccountId, { rdate: "2026-11-19" }),
    ]);
    await deliver(app, "connection-synced", body);
    expect(app.ledger.calls).toEqual([]);
    await setConsent(binding, user.userId, 3, true, Date.parse("2026-11-19T08:00:00Z"));
    await deliver(app, "connection-synced", body);
    expect([...app.ledger.rows.values()].map((row) => row.externalId)).toEqual(["2"]);
  });
  it("an account re-created under a new id keeps its date of link, its switch and its number", async () => {
    const user = await hotUser(app);
    const remote = app.powens.state.users.get(user.remoteUserId);
    const account = remote?.accounts.get(user.remoteAccountId);
    if (remote === undefined || account === undefined) throw new Error("account");
    remote.accounts.set(user.remoteAccountId, { ...account, deleted: "2026-11-20 09:00:00" });
    remote.accounts.set(90_000 + user.remoteAccountId, {
      ...account,
      id: 90_000 + user.remoteAccountId,
    });
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
        cardRow(5, 90_000 + user.remoteAccountId),
      ]),
    );
    expect(
      await all(
        "SELECT ordinal, earning, linked_at_ms, state FROM bank_accounts WHERE user_id = ? ORDER BY created_at_ms",
        user.userId,
      ),
    ).toEqual([
      { ordinal: 1, earning: 1, linked_at_ms: LINK_MS, state: "deleted" },
      { ordinal: 1, earning: 1, linked_at_ms: LINK_MS, state: "enabled" },
    ]);
    expect([...app.ledger.rows.values()].map((row) => row.externalId)).toEqual(["5"]);
    expect(app.ledger.calls.at(-1)?.batch.accounts).toHaveLength(2);
    expect(
      new Set(app.ledger.calls.at(-1)?.batch.accounts.map((generation) => generation.ownIban))
        .size,
    ).toBe(1);
  });
});
