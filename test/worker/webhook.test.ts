// A delivery from its bytes to the ledger, on the real D1: what it costs, what is refused, what is
// set aside.
import { describe, expect, it } from "vitest";
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
  startLink,
  syncedBody,
} from "../support/banking-app.ts";
import { all, app, binding, useBankingApp } from "../support/banking-d1.ts";

useBankingApp();
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
  it("records a sync without rows in the ledger", async () => {
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

describe("the quarantine", () => {
  it("forgets what was last seen 90 days ago", async () => {
    await deliver(app, "connection-synced", syncedBody(app, 987_654, 1, []));
    expect(await quarantined(987_654)).toHaveLength(1);
    await app.service.sweep(app.clock.ms + 89 * 86_400_000);
    expect(await quarantined(987_654)).toHaveLength(1);
    await app.service.sweep(app.clock.ms + 91 * 86_400_000);
    expect(await quarantined(987_654)).toEqual([]);
  });
});

describe("a network", () => {
  const forged = (address: string) =>
    deliver(app, "connection-synced", {}, {
      secret: "PLANTED-wrong-secret",
      headers: { "CF-Connecting-IP": address },
    });
  it("that forges signatures waits after thirty, and nobody else does", async () => {
    for (let count = 0; count < 30; count++) expect((await forged("192.0.2.1")).status).toBe(401);
    const refused = await forged("192.0.2.1");
    expect([refused.status, refused.headers.get("Retry-After")]).toEqual([429, "60"]);
    expect((await forged("192.0.2.2")).status).toBe(401);
  });
  it("that delivers is never slowed down, also when some of its deliveries fail", async () => {
    const user = await hotUser(app);
    const signed = async () =>
      (await deliver(
        app,
        "connection-synced",
        syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
        { headers: { "CF-Connecting-IP": "192.0.2.9" } },
      )).status;
    for (let count = 0; count < 40; count++) expect(await signed()).toBe(200);
    for (let count = 0; count < 31; count++) expect((await forged("192.0.2.9")).status).toBe(401);
    expect(await signed()).toBe(200);
  });
});
