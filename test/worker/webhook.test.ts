// A delivery from its bytes to the ledger, on the real D1: what it costs, what is refused, what is
// set aside.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { utf8Encode } from "../../src/kernel/encoding.ts";
import { openUserCipher } from "../../src/kernel/keyring.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import {
  addUser,
  bankingApp,
  BRAND,
  cardRow,
  deliver,
  hotUser,
  KEYS,
  LINK_MS,
  openAtBank,
  setConsent,
  startLink,
  syncedBody,
} from "../support/banking-app.ts";
import type { BankingApp } from "../support/banking-app.ts";

const binding = (env as unknown as { DB: D1Database }).DB;
let app: BankingApp;
beforeEach(() => {
  app = bankingApp(binding);
  app.powens.state.nextUser = Math.floor(Math.random() * 1e9) + 1;
});

const all = async <T = Record<string, unknown>>(
  query: string,
  ...values: unknown[]
): Promise<T[]> => (await binding.prepare(query).bind(...values).all<T>()).results;
const quarantined = (remoteUserId: number | string) =>
  all<{ reason: string; times: number }>(
    "SELECT reason, times FROM quarantine WHERE remote_user_id = ?",
    String(remoteUserId),
  );

describe("a hot webhook", () => {
  it("costs one D1 read, no write, one ledger call and no call to the aggregator", async () => {
    const user = await hotUser(app);
    const response = await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
        cardRow(1, user.remoteAccountId),
      ]),
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ received: true });
    expect(app.counted.count).toEqual({ roundTrips: 1, statements: 1, rowsWritten: 0 });
    expect(app.ledger.calls).toHaveLength(1);
    expect(app.powens.state.calls).toEqual([]);
  });
  it("finds its rows by keys: no table is scanned, however many users there are", async () => {
    const user = await hotUser(app);
    const texts: string[] = [];
    const spied = bankingApp({
      prepare: (text: string) => {
        texts.push(text);
        return binding.prepare(text);
      },
      batch: (list: D1PreparedStatement[]) => binding.batch(list),
    } as unknown as D1Database);
    await deliver(
      spied,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
    );
    expect(texts).toHaveLength(1);
    const plan = await all<{ detail: string }>(
      `EXPLAIN QUERY PLAN ${texts[0] ?? ""}`,
      "powens",
      String(user.remoteUserId),
    );
    expect(
      plan.map((step) => step.detail).filter((detail) =>
        detail.startsWith("SCAN ") && detail !== "SCAN CONSTANT ROW"
      ),
    ).toEqual([]);
  });
  it("takes one ledger call per 500 rows, and ends the sync with the last", async () => {
    const user = await hotUser(app);
    const rows = Array.from(
      { length: 1001 },
      (_, index) => cardRow(index + 1, user.remoteAccountId),
    );
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, rows),
    );
    expect(app.ledger.calls.map(({ batch }) => [batch.rows.length, batch.syncedAtMs === null]))
      .toEqual([[500, true], [500, true], [1, false]]);
    expect(app.counted.count).toEqual({ roundTrips: 1, statements: 1, rowsWritten: 0 });
  });
  it("tells the ledger of a sync without rows", async () => {
    const user = await hotUser(app);
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
    );
    expect(app.ledger.calls.map(({ batch }) => [batch.rows.length, batch.syncedAtMs])).toEqual([[
      0,
      Date.parse("2026-11-20T09:00:00Z"),
    ]]);
  });
  it("hands over the minimised row with its brand and a label that only the user's key opens", async () => {
    const user = await hotUser(app);
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
        cardRow(1, user.remoteAccountId),
      ]),
    );
    const row = app.ledger.calls[0]?.batch.rows[0];
    expect(row).toMatchObject({
      externalId: "1",
      kind: "purchase",
      amountCents: 3490,
      currency: "EUR",
      purchasedOn: "2026-11-18",
      bookedOn: "2026-11-19",
      state: "booked",
      brand: { id: BRAND },
      review: null,
    });
    expect(JSON.stringify(app.ledger.calls)).not.toMatch(
      /PLANTED|MONOPRIX PARIS|98765\.43|EX67\d{8}/,
    );
    const [stored] = await all<{ data_key: string }>(
      "SELECT data_key FROM users WHERE id = ?",
      user.userId,
    );
    const cipher = await openUserCipher(
      KEYS,
      user.userId,
      stored?.data_key ?? "",
      systemRandomBytes,
    );
    if (!cipher.ok || row === undefined) throw new Error("no cipher");
    const opened = await cipher.value.decrypt({
      table: "purchases",
      column: "label",
      row: `${row.accountId}:1`,
    }, row.labelCipher);
    expect(opened.ok ? opened.value : "").toMatch(/^CARTE 18\/11\/26 MONOPRIX PARIS/);
    expect(opened.ok ? opened.value : "1234").not.toContain("1234");
    expect(
      (await cipher.value.decrypt({
        table: "purchases",
        column: "label",
        row: `${row.accountId}:2`,
      }, row.labelCipher)).ok,
    ).toBe(false);
  });
  it("is the same under the second secret, and compressed, signed either way", async () => {
    const user = await hotUser(app);
    const body = syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
      cardRow(1, user.remoteAccountId),
    ]);
    expect((await deliver(app, "connection-synced", body, { secret: "secret-two" })).status).toBe(
      200,
    );
    const plain = utf8Encode(JSON.stringify(body));
    const packed = new Uint8Array(
      await new Response(new Blob([plain]).stream().pipeThrough(new CompressionStream("gzip")))
        .arrayBuffer(),
    );
    const headers = { "Content-Encoding": "gzip" };
    expect((await deliver(app, "connection-synced", null, { bytes: packed, headers })).status).toBe(
      200,
    );
    expect(
      (await deliver(app, "connection-synced", null, { bytes: packed, headers, signBytes: plain }))
        .status,
    ).toBe(200);
    expect(app.ledger.calls).toHaveLength(3);
  });
});

describe("refused before anything is read", () => {
  it("forged, re-serialised, swapped and unsigned bodies get 401 and cost no read", async () => {
    const user = await hotUser(app);
    const body = syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
      cardRow(1, user.remoteAccountId),
    ]);
    const text = JSON.stringify(body);
    const answers = [
      await deliver(app, "connection-synced", text, { secret: "guessed-secret" }),
      await deliver(app, "connection-synced", text, { path: "/webhooks/powens/account-synced" }),
      await deliver(app, "connection-synced", null, {
        bytes: utf8Encode(JSON.stringify(body, null, 1)),
        signBytes: utf8Encode(text),
      }),
      await deliver(app, "connection-synced", null, {
        bytes: utf8Encode(text.slice(0, -1)),
        signBytes: utf8Encode(text),
      }),
      await deliver(app, "connection-synced", text, { headers: { "BI-Signature": "" } }),
      await deliver(app, "connection-synced", text, {
        headers: { "BI-Signature-Date": "yesterday" },
      }),
      await deliver(app, "connection-synced", text, {
        headers: { "Content-Encoding": "gzip" },
        secret: "guessed-secret",
      }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401, 401, 401, 401, 401]);
    expect(await answers[0]?.json()).toMatchObject({ code: "signature_invalid" });
    expect(app.counted.count.roundTrips).toBe(0);
    expect(app.ledger.calls).toEqual([]);
    expect(app.logged.filter((line) => line.includes("webhook_refused"))).toHaveLength(7);
  });
  it("too large a body gets 413: by its declared length, while it streams, and after unfolding", async () => {
    const declared = await deliver(app, "connection-synced", "{}", {
      headers: { "Content-Length": "16777217" },
    });
    expect(declared.status).toBe(413);
    const zeros = new Uint8Array(16_777_217);
    expect(
      (await deliver(app, "connection-synced", null, {
        bytes: zeros,
        signBytes: new Uint8Array(1),
      })).status,
    ).toBe(413);
    const bomb = new Uint8Array(
      await new Response(new Blob([zeros]).stream().pipeThrough(new CompressionStream("gzip")))
        .arrayBuffer(),
    );
    expect(bomb.length).toBeLessThan(100_000);
    expect(
      (await deliver(app, "connection-synced", null, {
        bytes: bomb,
        headers: { "Content-Encoding": "gzip" },
      })).status,
    ).toBe(413);
    expect(app.counted.count.roundTrips).toBe(0);
  });
  it("an event that we do not take is an unknown path", async () => {
    expect((await deliver(app, "transactions-clustered", "{}")).status).toBe(404);
  });
});

describe("set aside, without its body", () => {
  it("a message of an unknown user", async () => {
    const body = {
      user: { id: 5150 },
      connection: {
        id: 1,
        id_user: 5150,
        state: null,
        accounts: [{ id: 2, id_connection: 1, type: "checking", transactions: [cardRow(1, 2)] }],
      },
    };
    for (let times = 0; times < 3; times++) {
      expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    }
    const rows = await all("SELECT * FROM quarantine WHERE remote_user_id = '5150'");
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      provider: "powens",
      event: "connection-synced",
      remote_connection_id: "1",
      reason: "unknown_user",
      times: 3,
      body_bytes: JSON.stringify(body).length,
    });
    expect(JSON.stringify(rows)).not.toMatch(/MONOPRIX|PLANTED|34\.9|3490/);
    expect(app.logged.filter((line) => line.includes('"alert"') && line.includes("unknown_user")))
      .toHaveLength(3);
  });
  it("a body that is not understood", async () => {
    expect((await deliver(app, "connection-synced", "not json at all")).status).toBe(200);
    expect(await all("SELECT reason FROM quarantine WHERE body_bytes = 15")).toEqual([{
      reason: "not_understood",
    }]);
  });
  it("a connection that does not exist there either", async () => {
    const user = await hotUser(app);
    const body = syncedBody(app, user.remoteUserId, 99, []);
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    expect(await quarantined(user.remoteUserId)).toEqual([{
      reason: "unknown_connection",
      times: 1,
    }]);
  });
  it("an account that the aggregator does not have, while the rows of the others are recorded", async () => {
    const user = await hotUser(app);
    const body = syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
      cardRow(1, user.remoteAccountId),
    ]);
    body.connection.accounts.push(
      {
        id: 4040,
        id_connection: user.remoteConnectionId,
        type: "checking",
        disabled: null,
        deleted: null,
        transactions: [cardRow(2, 4040)],
      } as never,
    );
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    expect(app.ledger.calls.flatMap(({ batch }) => batch.rows.map((row) => row.externalId)))
      .toEqual(["1"]);
    expect(await quarantined(user.remoteUserId)).toEqual([{ reason: "unknown_account", times: 1 }]);
  });
  it("a message that names another user's connection moves nothing", async () => {
    const [alice, bob] = [await hotUser(app), await hotUser(app)];
    const body = syncedBody(app, alice.remoteUserId, bob.remoteConnectionId, []);
    body.connection.accounts = [{
      id: bob.remoteAccountId,
      id_connection: bob.remoteConnectionId,
      type: "checking",
      disabled: null,
      deleted: null,
      transactions: [cardRow(1, bob.remoteAccountId)],
    }] as never;
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    expect(app.ledger.calls).toEqual([]);
    expect(await quarantined(alice.remoteUserId)).toEqual([{
      reason: "unknown_connection",
      times: 1,
    }]);
  });
});

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
      const { remoteUserId } = await startLink(app, userId);
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
    const { remoteUserId } = await startLink(app, userId);
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
    const { remoteUserId } = await startLink(app, userId);
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
    expect(app.ledger.calls).toEqual([]);
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
        cardRow(2, user.remoteAccountId, { rdate: "2026-11-20" }),
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
    expect(app.ledger.calls.at(-1)?.batch.accounts.map((generation) => generation.fingerprint))
      .toHaveLength(2);
    expect(
      new Set(app.ledger.calls.at(-1)?.batch.accounts.map((generation) => generation.fingerprint))
        .size,
    ).toBe(1);
  });
});

describe("forbidden values", () => {
  it("reach neither D1 nor the log nor any answer", async () => {
    const userId = await addUser(binding);
    app.clock.ms = LINK_MS;
    const { remoteUserId } = await startLink(app, userId);
    const there = openAtBank(app, remoteUserId);
    openAtBank(app, remoteUserId, { account: { type: "livret_a", name: "PLANTED-SAVINGS" } });
    app.powens.state.users.get(remoteUserId)?.rows.push(
      cardRow(1, there.account),
      cardRow(2, there.account, {
        type: "transfer",
        value: 2500,
        original_wording: "VIR SALAIRE PLANTED-EMPLOYER",
      }),
    );
    const answer = await deliver(
      app,
      "connection-synced",
      syncedBody(app, remoteUserId, there.connection, [cardRow(1, there.account)]),
    );
    const list = await app.call("GET", "/v1/bank-connections", { as: userId });
    const tables = await all<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    );
    let dump = "";
    for (const { name } of tables) dump += JSON.stringify(await all(`SELECT * FROM "${name}"`));
    const seen = dump + app.logged.join("\n") + list.text + (await answer.text()) +
      JSON.stringify(app.ledger.calls);
    expect(seen.includes("Connecteur de test")).toBe(true);
    expect(/PLANTED|98765\.43|EX67\d{8}|MONOPRIX PARIS|SALAIRE|livret/.exec(seen)?.[0] ?? null)
      .toBeNull();
  });
});
