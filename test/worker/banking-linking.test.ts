// Linking and renewing a bank and reading it back, through the routes.
import { describe, expect, it } from "vitest";
import {
  addUser,
  cardRow,
  comeBack,
  deliver,
  hotUser,
  LINK_MS,
  openAtBank,
  REDIRECT,
  startLink,
  syncedBody,
  throughPage,
  tradedLink,
} from "../support/banking-app.ts";
import { TEST_BANK } from "../support/fake-powens.ts";
import { all, app, binding, useBankingApp } from "../support/banking-d1.ts";

useBankingApp();
const trades = () =>
  app.powens.state.calls.filter((call) => call === "POST auth/token/access").length;

describe("starting", () => {
  it("leads to the aggregator's page with our state and no code, and makes nothing there", async () => {
    const userId = await addUser(binding);
    const { state, url } = await startLink(app, userId);
    const parts = new URL(url);
    expect(parts.pathname).toBe("/fr/connect");
    expect(Object.fromEntries(parts.searchParams)).toEqual({
      domain: "acme.biapi.test",
      client_id: "123456",
      redirect_uri: REDIRECT,
      state,
      connector_capabilities: "bank",
      account_types: "checking,card",
    });
    expect(app.powens.state.calls).toEqual([]);
    expect(await all("SELECT * FROM aggregator_links WHERE user_id = ?", userId)).toEqual([]);
    const stored = JSON.stringify(
      await all("SELECT * FROM connection_intents WHERE user_id = ?", userId),
    );
    expect(stored).not.toContain(state);
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
    ["consent_required", 403, { bankDataGrantedAtMs: null }, "(bank_data)", ["#consent/bank_data"]],
    ["consent_required", 403, { termsGrantedAtMs: null }, "(terms)", ["#consent/terms"]],
    [
      "consent_required",
      403,
      { bankDataGrantedAtMs: null, termsGrantedAtMs: null },
      "(terms), ",
      ["#consent/terms", "#consent/bank_data"],
    ],
    ["profile_incomplete", 403, { profileComplete: false, oldEnough: null }, "birth_date", [
      "#profile/birth_date",
    ]],
    ["age_below_minimum", 403, { oldEnough: false }, "18 ans", undefined],
  ])(
    "is refused with %s, which says what is missing",
    async (code, status, gate, said, pointers) => {
      const userId = await addUser(binding);
      app.gates.set(userId, gate);
      const answer = await app.call("POST", "/v1/bank-connections", {
        as: userId,
        body: { redirect_uri: REDIRECT },
      });
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect([
        answer.body["detail"],
        (answer.body["errors"] as { pointer: string }[] | undefined)?.map((error) => error.pointer),
      ]).toEqual([
        expect.stringContaining(said),
        pointers,
      ]);
      expect(app.powens.state.calls).toEqual([]);
      expect(await all("SELECT * FROM aggregator_links WHERE user_id = ?", userId)).toEqual([]);
    },
  );
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
    expect(await all("SELECT * FROM connection_intents WHERE user_id = ?", userId)).toEqual([]);
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
  it("answers 503 while the list of banks cannot be asked for", async () => {
    const userId = await addUser(binding);
    app.powens.state.intercept = () => new Response("<html>CloudFront</html>", { status: 503 });
    const answer = await app.call("POST", "/v1/bank-connections", {
      as: userId,
      body: { redirect_uri: REDIRECT, bank_id: TEST_BANK },
    });
    expect([answer.status, answer.body.code]).toEqual([503, "aggregator_unavailable"]);
  });
});

describe("coming back", () => {
  it("trades the code and brings in what its token shows", async () => {
    const userId = await addUser(binding);
    const { state, code, remoteUserId } = await throughPage(app, userId);
    const there = openAtBank(app, remoteUserId, { connection: { last_update: null } });
    const back = await comeBack(app, userId, {
      state,
      code,
      connection_id: String(there.connection),
      some_new_parameter: "1",
    });
    expect(back.status).toBe(200);
    expect(back.body).toMatchObject({
      outcome: "connected",
      data: [{
        status: "connecting",
        action: "none",
        bank: { id: TEST_BANK, name: "Connecteur de test" },
        last_synced_at: null,
        gaps: [],
        accounts: [{ kind: "checking", label: "Compte 1", earning: true, last_purchase_on: null }],
      }],
    });
    expect(back.text).not.toMatch(/PLANTED|EX67/);
    const stored = JSON.stringify([
      await all("SELECT * FROM connection_intents WHERE user_id = ?", userId),
      await all("SELECT * FROM aggregator_links WHERE user_id = ?", userId),
    ]);
    expect(stored).not.toContain(state);
    expect(stored).not.toContain(code);
    expect(stored).not.toMatch(/PLANTEDTOKEN/);
  });
  it("twice links two banks, each with a user of its own there", async () => {
    const userId = await addUser(binding);
    const users = [];
    for (let times = 0; times < 2; times++) {
      const trip = await throughPage(app, userId);
      openAtBank(app, trip.remoteUserId);
      expect((await comeBack(app, userId, { ...trip })).body.data).toHaveLength(1);
      users.push(String(trip.remoteUserId));
    }
    expect((await app.call("GET", "/v1/bank-connections", { as: userId })).body.data).toHaveLength(
      2,
    );
    expect(
      (await all<{ remote_user_id: string }>(
        "SELECT remote_user_id FROM aggregator_links WHERE user_id = ? AND state = 'created' ORDER BY CAST(remote_user_id AS INTEGER)",
        userId,
      )).map((row) => row.remote_user_id),
    ).toEqual(users);
  });
  it("again within 30 minutes gets the same answer; with another code, or later, none", async () => {
    const userId = await addUser(binding);
    const { state, code, remoteUserId } = await throughPage(app, userId);
    openAtBank(app, remoteUserId);
    app.clock.ms += 29 * 60_000;
    const first = await comeBack(app, userId, { state, code });
    app.clock.ms += 29 * 60_000;
    const again = await comeBack(app, userId, { state, code });
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(trades()).toBe(1);
    for (const body of [{ state, code: "another-code" }, { state }]) {
      expect((await comeBack(app, userId, body)).body.code).toBe("state_invalid");
    }
    app.clock.ms += 2 * 60_000;
    expect((await comeBack(app, userId, { state, code })).body.code).toBe("state_invalid");
  });
  it("eight times at once trades the code once and makes one connection", async () => {
    const userId = await addUser(binding);
    const { state, code, remoteUserId } = await throughPage(app, userId);
    openAtBank(app, remoteUserId);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => comeBack(app, userId, { state, code })),
    );
    expect(trades()).toBe(1);
    expect(answers.map((answer) => answer.status)).toContain(200);
    for (const answer of answers) expect([200, 503]).toContain(answer.status);
    expect(await all("SELECT id FROM aggregator_links WHERE user_id = ?", userId)).toHaveLength(1);
    expect(await all("SELECT id FROM bank_connections WHERE user_id = ?", userId)).toHaveLength(1);
    expect((await comeBack(app, userId, { state, code })).body.data).toHaveLength(1);
  });
  it("is refused where the consent or the age does not allow it any more, before any trade", async () => {
    for (
      const [gate, status, code] of [
        [{ bankDataGrantedAtMs: null }, 403, "consent_required"],
        [{ oldEnough: false }, 403, "age_below_minimum"],
      ] as const
    ) {
      const userId = await addUser(binding);
      const trip = await throughPage(app, userId);
      app.gates.set(userId, gate);
      const back = await comeBack(app, userId, { ...trip });
      expect([back.status, back.body.code]).toEqual([status, code]);
      expect(await all("SELECT state FROM aggregator_links WHERE user_id = ?", userId)).toEqual([{
        state: "ended",
      }]);
    }
    expect(trades()).toBe(0);
  });
  it("after a refusal there: no connection, and the state is spent", async () => {
    const userId = await addUser(binding);
    const { state } = await startLink(app, userId);
    const back = await comeBack(app, userId, {
      state,
      error: "access_denied",
      error_description: "x",
    });
    expect([back.status, back.body["outcome"], back.body.data]).toEqual([200, "refused", []]);
    expect((await comeBack(app, userId, { state, code: "a-late-code" })).body.code).toBe(
      "state_invalid",
    );
  });
  it("with a foreign, late, missing or unknown state is refused, and trades nothing", async () => {
    const [userId, other] = [await addUser(binding), await addUser(binding)];
    const { state, code } = await throughPage(app, userId);
    await startLink(app, other);
    const refused = async (as: typeof userId, body: Record<string, unknown>) => {
      const answer = await comeBack(app, as, body);
      expect([answer.status, answer.body.code]).toEqual([400, "state_invalid"]);
    };
    await refused(other, { state, code });
    await refused(userId, { state: "x", code });
    await refused(userId, { code });
    app.clock.ms += 31 * 60_000;
    await refused(userId, { state, code });
    expect(trades()).toBe(0);
  });
  it("goes on where it stopped: the aggregator failing after the trade costs no second page", async () => {
    for (const failing of ["users/me", "users/me/connections", "users/me/accounts"]) {
      const userId = await addUser(binding);
      const trip = await throughPage(app, userId);
      openAtBank(app, trip.remoteUserId);
      app.powens.state.intercept = (
        _method,
        path,
      ) => (path === failing ? new Response("<html>", { status: 503 }) : null);
      const back = await comeBack(app, userId, { ...trip });
      expect([back.status, back.body.code]).toEqual([503, "aggregator_unavailable"]);
      app.powens.state.intercept = () => null;
      expect((await comeBack(app, userId, { ...trip })).body.data).toHaveLength(1);
    }
    expect(trades()).toBe(3);
  });
  it.each(["users/me", "users/me/connections"])(
    "is finished by the sweep when %s failed after the trade and nobody repeats it",
    async (failing) => {
      const userId = await addUser(binding);
      const trip = await throughPage(app, userId);
      openAtBank(app, trip.remoteUserId);
      app.powens.state.intercept = (
        _method,
        path,
      ) => (path === failing ? new Response("<html>", { status: 503 }) : null);
      await comeBack(app, userId, { ...trip });
      app.powens.state.intercept = () => null;
      app.clock.ms += 6 * 60_000;
      await app.service.sweep(app.clock.ms);
      expect((await app.call("GET", "/v1/bank-connections", { as: userId })).body.data)
        .toHaveLength(1);
    },
  );
  it("a link that never shows a connection is given up after two days, and its user deleted there", async () => {
    const userId = await addUser(binding);
    const { remoteUserId } = await tradedLink(app, userId);
    for (let hours = 0; hours < 60; hours += 6) {
      app.clock.ms += 6 * 3_600_000;
      await app.service.sweep(app.clock.ms);
    }
    expect(app.powens.state.users.has(remoteUserId)).toBe(false);
    expect(await all("SELECT state FROM aggregator_links WHERE user_id = ?", userId)).toEqual([{
      state: "ended",
    }]);
  });
});

describe("reading back", () => {
  it("follows the pages, keeps what the window allows, and is done once", async () => {
    const userId = await addUser(binding);
    app.clock.ms = LINK_MS;
    const { remoteUserId } = await tradedLink(app, userId);
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
    const { state, code, remoteUserId } = await throughPage(app, userId);
    const there = openAtBank(app, remoteUserId, { connection: { last_update: null } });
    await comeBack(app, userId, { state, code });
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
