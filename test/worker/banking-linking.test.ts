// Linking and renewing a bank and reading it back, through the routes.
import { describe, expect, it } from "vitest";
import {
  addUser,
  cardRow,
  deliver,
  hotUser,
  LINK_MS,
  openAtBank,
  REDIRECT,
  startLink,
  syncedBody,
} from "../support/banking-app.ts";
import { TEST_BANK } from "../support/fake-powens.ts";
import { all, app, binding, useBankingApp } from "../support/banking-d1.ts";

useBankingApp();
const initCalls = () => app.powens.state.calls.filter((call) => call === "POST auth/init").length;

describe("starting", () => {
  it("leads to the aggregator's page with our state and a fresh code, and keeps neither in clear", async () => {
    const userId = await addUser(binding);
    const { state, url } = await startLink(app, userId);
    const parts = new URL(url);
    expect(parts.pathname).toBe("/fr/connect");
    expect(Object.fromEntries(parts.searchParams)).toEqual({
      domain: "acme.biapi.test",
      client_id: "123456",
      redirect_uri: REDIRECT,
      code: "one-time-code",
      state,
      connector_capabilities: "bank",
      account_types: "checking,card",
    });
    const stored = JSON.stringify([
      await all("SELECT * FROM connection_intents WHERE user_id = ?", userId),
      await all("SELECT * FROM aggregator_links WHERE user_id = ?", userId),
    ]);
    expect(stored).not.toContain(state);
    expect(stored).not.toMatch(/one-time-code|PLANTEDTOKEN/);
  });
  it("creates one user at the aggregator however often it is called", async () => {
    const userId = await addUser(binding);
    await startLink(app, userId);
    await startLink(app, userId);
    expect(initCalls()).toBe(1);
  });
  it("creates one when two calls come at once, and makes the other wait", async () => {
    const userId = await addUser(binding);
    const answers = await Promise.all(
      Array.from(
        { length: 8 },
        () =>
          app.call("POST", "/v1/bank-connections", {
            as: userId,
            body: { redirect_uri: REDIRECT },
          }),
      ),
    );
    expect(initCalls()).toBe(1);
    expect(answers.filter((answer) => answer.status === 201).length).toBeGreaterThanOrEqual(1);
    for (const answer of answers) {
      if (answer.status !== 201) {
        expect([answer.status, answer.body.code, answer.headers.get("Retry-After")]).toEqual([
          409,
          "idempotency_in_progress",
          "2",
        ]);
      }
    }
  });
  it("gives the first answer again under the same key", async () => {
    const userId = await addUser(binding);
    const first = await app.call("POST", "/v1/bank-connections", {
      as: userId,
      key: "k-1",
      body: { redirect_uri: REDIRECT, bank_id: TEST_BANK, locale: "en" },
    });
    const again = await app.call("POST", "/v1/bank-connections", {
      as: userId,
      key: "k-1",
      body: { locale: "en", bank_id: TEST_BANK, redirect_uri: REDIRECT },
    });
    expect(again.text).toBe(first.text);
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect(new URL(String(first.body["authorization_url"])).searchParams.get("connector_uuids"))
      .toBe(TEST_BANK);
    expect(new URL(String(first.body["authorization_url"])).pathname).toBe("/en/connect");
  });
  it.each([
    ["consent_required", 403, { bankDataGrantedAtMs: null }],
    ["consent_required", 403, { termsGrantedAtMs: null }],
    ["profile_incomplete", 403, { profileComplete: false, oldEnough: null }],
    ["age_below_minimum", 403, { oldEnough: false }],
  ])("is refused with %s", async (code, status, gate) => {
    const userId = await addUser(binding);
    app.gates.set(userId, gate);
    const answer = await app.call("POST", "/v1/bank-connections", {
      as: userId,
      body: { redirect_uri: REDIRECT },
    });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(app.powens.state.calls).toEqual([]);
    expect(await all("SELECT * FROM aggregator_links WHERE user_id = ?", userId)).toEqual([]);
  });
  it.each([
    ["redirect_uri_unknown", 422, { redirect_uri: "https://evil.example/" }],
    ["redirect_uri_unknown", 422, { redirect_uri: `${REDIRECT}?x=1` }],
    ["bank_unknown", 422, {
      redirect_uri: REDIRECT,
      bank_id: "00000000-0000-4000-8000-000000000000",
    }],
    ["validation_failed", 422, { redirect_uri: REDIRECT, login: "x", password: "1234" }],
    ["validation_failed", 422, { redirect_uri: REDIRECT, aggregator: "plaid" }],
    ["validation_failed", 422, {}],
  ])("is refused with %s (%d) for %j", async (code, status, body) => {
    const userId = await addUser(binding);
    const answer = await app.call("POST", "/v1/bank-connections", { as: userId, body });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(initCalls()).toBe(0);
  });
  it("needs a token and a key", async () => {
    const userId = await addUser(binding);
    expect(
      (await app.call("POST", "/v1/bank-connections", { body: { redirect_uri: REDIRECT } })).body
        .code,
    ).toBe("token_missing");
    expect(
      (await app.call("POST", "/v1/bank-connections", {
        as: userId,
        key: null,
        body: { redirect_uri: REDIRECT },
      })).body.code,
    ).toBe("idempotency_key_required");
  });
  it("answers 503 while the aggregator is down, and creates no second user by itself", async () => {
    const userId = await addUser(binding);
    app.powens.state.intercept = (
      _method,
      path,
    ) => (path === "auth/init" ? new Response("<html>CloudFront</html>", { status: 503 }) : null);
    const answer = await app.call("POST", "/v1/bank-connections", {
      as: userId,
      body: { redirect_uri: REDIRECT },
    });
    expect([answer.status, answer.body.code]).toEqual([503, "aggregator_unavailable"]);
    expect(initCalls()).toBe(1);
    app.powens.state.intercept = () => null;
    await startLink(app, userId);
    expect(app.logged.some((line) => line.includes("bank_user_maybe_orphaned"))).toBe(true);
  });
});

describe("coming back", () => {
  it("brings in what the user really has there; then the state is spent", async () => {
    const userId = await addUser(binding);
    const { state, remoteUserId } = await startLink(app, userId);
    const there = openAtBank(app, remoteUserId, { connection: { last_update: null } });
    const back = await app.call("POST", "/v1/bank-connections/callback", {
      as: userId,
      body: { state, connection_id: String(there.connection), some_new_parameter: "1" },
    });
    expect(back.status).toBe(200);
    expect(back.body.data).toMatchObject([{
      status: "connecting",
      action: "none",
      bank: { id: TEST_BANK, name: "Connecteur de test" },
      last_synced_at: null,
      gaps: [],
      accounts: [{ kind: "checking", label: "Compte 1", earning: true, last_purchase_on: null }],
    }]);
    expect(back.text).not.toMatch(/PLANTED|EX67/);
    expect(
      (await app.call("POST", "/v1/bank-connections/callback", {
        as: userId,
        body: { state, connection_id: String(there.connection) },
      })).body.code,
    ).toBe("state_invalid");
  });
  it("finds the connection that the webhook made first", async () => {
    const userId = await addUser(binding);
    const { state, remoteUserId } = await startLink(app, userId);
    const there = openAtBank(app, remoteUserId);
    await deliver(app, "connection-synced", syncedBody(app, remoteUserId, there.connection, []));
    const back = await app.call("POST", "/v1/bank-connections/callback", {
      as: userId,
      body: { state, connection_id: there.connection },
    });
    expect(back.body.data).toMatchObject([{ status: "active" }]);
    expect(await all("SELECT id FROM bank_connections WHERE user_id = ?", userId)).toHaveLength(1);
  });
  it("takes ids as a hint only: another user's connection is not to be had", async () => {
    const victim = await hotUser(app);
    const userId = await addUser(binding);
    const { state } = await startLink(app, userId);
    const back = await app.call("POST", "/v1/bank-connections/callback", {
      as: userId,
      body: { state, connection_ids: `${victim.remoteConnectionId},17` },
    });
    expect([back.status, back.body.data]).toEqual([200, []]);
    expect((await app.call("GET", "/v1/bank-connections", { as: userId })).body.data).toEqual([]);
  });
  it("after a refusal there: no connection, and the state is spent", async () => {
    const userId = await addUser(binding);
    const { state } = await startLink(app, userId);
    const back = await app.call("POST", "/v1/bank-connections/callback", {
      as: userId,
      body: { state, error: "access_denied", error_description: "x" },
    });
    expect([back.status, back.body["outcome"], back.body.data]).toEqual([200, "refused", []]);
    expect(
      (await app.call("POST", "/v1/bank-connections/callback", { as: userId, body: { state } }))
        .body.code,
    ).toBe("state_invalid");
  });
  it("refuses a foreign, late, missing or unknown state, and any code", async () => {
    const [userId, other] = [await addUser(binding), await addUser(binding)];
    const { state } = await startLink(app, userId);
    await startLink(app, other);
    const refused = async (as: typeof userId, body: Record<string, unknown>) => {
      const answer = await app.call("POST", "/v1/bank-connections/callback", { as, body });
      expect([answer.status, answer.body.code]).toEqual([400, "state_invalid"]);
    };
    await refused(other, { state });
    await refused(userId, { state: "x" });
    await refused(userId, {});
    await refused(userId, { state, code: "stolen" });
    app.clock.ms += 31 * 60_000;
    await refused(userId, { state });
  });
  it("may be repeated after the aggregator failed in between", async () => {
    const userId = await addUser(binding);
    const { state, remoteUserId } = await startLink(app, userId);
    openAtBank(app, remoteUserId);
    app.powens.state.intercept = () => new Response("<html>", { status: 503 });
    expect(
      (await app.call("POST", "/v1/bank-connections/callback", { as: userId, body: { state } }))
        .status,
    ).toBe(503);
    app.powens.state.intercept = () => null;
    expect(
      (await app.call("POST", "/v1/bank-connections/callback", { as: userId, body: { state } }))
        .body.data,
    ).toHaveLength(1);
  });
  it("is not needed: the sweep finds a user who closed the tab, even when no webhook came", async () => {
    const userId = await addUser(binding);
    const { remoteUserId } = await startLink(app, userId);
    openAtBank(app, remoteUserId);
    app.clock.ms += 21 * 60_000;
    await app.service.sweep(app.clock.ms);
    expect((await app.call("GET", "/v1/bank-connections", { as: userId })).body.data).toHaveLength(
      1,
    );
  });
});

describe("reading back", () => {
  it("follows the pages, keeps what the window allows, and is done once", async () => {
    const userId = await addUser(binding);
    app.clock.ms = LINK_MS;
    const { remoteUserId } = await startLink(app, userId);
    const there = openAtBank(app, remoteUserId);
    app.clock.ms = LINK_MS + 10 * 86_400_000;
    app.powens.state.pageSize = 2;
    app.powens.state.users.get(remoteUserId)?.rows.push(
      ...[1, 2, 3, 4, 5].map((id) =>
        cardRow(id, there.account, {
          rdate: id === 3 ? "2026-11-09" : "2026-11-20",
          date: "2026-11-20",
        })
      ),
    );
    await deliver(app, "connection-synced", syncedBody(app, remoteUserId, there.connection, []));
    expect([...app.ledger.rows.values()].map((row) => row.externalId).sort()).toEqual([
      "1",
      "2",
      "4",
      "5",
    ]);
    const reads = app.powens.state.calls.length;
    await deliver(app, "connection-synced", syncedBody(app, remoteUserId, there.connection, []));
    expect(app.powens.state.calls.length).toBe(reads);
  });
  it("stays due until the aggregator had its first update", async () => {
    const userId = await addUser(binding);
    const { state, remoteUserId } = await startLink(app, userId);
    const there = openAtBank(app, remoteUserId, { connection: { last_update: null } });
    await app.call("POST", "/v1/bank-connections/callback", { as: userId, body: { state } });
    const due = async () =>
      (await all<{ full_read: string }>(
        "SELECT full_read FROM bank_connections WHERE user_id = ?",
        userId,
      ))[0]?.full_read;
    app.clock.ms += 120_000;
    await app.service.sweep(app.clock.ms);
    expect(await due()).toBe("due");
    const connection = app.powens.state.users.get(remoteUserId)?.connections.get(there.connection);
    if (connection === undefined) throw new Error("connection");
    connection["last_update"] = "2026-11-20 13:30:00";
    app.powens.state.users.get(remoteUserId)?.rows.push(
      cardRow(1, there.account, { rdate: "2026-11-20", date: "2026-11-20" }),
    );
    app.clock.ms += 600_000;
    await app.service.sweep(app.clock.ms);
    expect(await due()).toBe("done");
    expect(app.ledger.rows.size).toBe(1);
  });
  it("never sends the token to another host", async () => {
    const user = await hotUser(app);
    await binding.prepare(
      "UPDATE bank_connections SET full_read = 'due', next_try_at_ms = 0 WHERE user_id = ?",
    ).bind(user.userId).run();
    app.powens.state.intercept = (_method, path) =>
      path === "users/me/transactions"
        ? Response.json({
          transactions: [],
          _links: { next: { href: "https://evil.example/2.0/users/me/transactions?cursor=1" } },
        })
        : null;
    await app.service.sweep(app.clock.ms);
    expect(app.powens.state.calls.filter((call) => call.endsWith("transactions"))).toHaveLength(1);
    expect(
      (await all<{ full_read: string }>(
        "SELECT full_read FROM bank_connections WHERE user_id = ?",
        user.userId,
      ))[0]?.full_read,
    ).toBe("due");
  });
});

describe("renewing", () => {
  it("goes through the reconnect page and ends with a new consent", async () => {
    const user = await hotUser(app);
    const [row] = await all<{ id: string }>(
      "SELECT id FROM bank_connections WHERE user_id = ?",
      user.userId,
    );
    const connection = app.powens.state.users.get(user.remoteUserId)?.connections.get(
      user.remoteConnectionId,
    );
    if (connection === undefined) throw new Error("connection");
    Object.assign(connection, { state: "webauthRequired", expire: "2026-11-15 09:00:00" });
    const failed = syncedBody(app, user.remoteUserId, user.remoteConnectionId, []);
    await deliver(app, "connection-synced", failed);
    expect((await app.call("GET", `/v1/bank-connections/${row?.id}`, { as: user.userId })).body)
      .toMatchObject({ status: "expired", action: "renew" });
    const trip = await app.call("POST", `/v1/bank-connections/${row?.id}/renewal`, {
      as: user.userId,
      body: { redirect_uri: REDIRECT },
    });
    const url = new URL(String(trip.body["authorization_url"]));
    expect([
      trip.status,
      url.pathname,
      url.searchParams.get("connection_id"),
      url.searchParams.get("code"),
    ]).toEqual([200, "/fr/reconnect", String(user.remoteConnectionId), "one-time-code"]);
    Object.assign(connection, { state: null, expire: null });
    const back = await app.call("POST", "/v1/bank-connections/callback", {
      as: user.userId,
      body: { state: trip.body["state"] },
    });
    expect(back.body).toMatchObject({
      outcome: "renewed",
      data: [{
        status: "active",
        action: "none",
        consent: { granted_at: "2026-11-20T12:00:00.000Z", expires_at: "2027-05-19T12:00:00.000Z" },
      }],
    });
  });
});
