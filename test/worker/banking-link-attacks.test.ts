// A bank link is no bearer: who holds an address, a code or a connection's number of somebody else
// gets nothing of that person's bank. And what a lost answer of a trade leaves behind.
import { describe, expect, it } from "vitest";
import {
  addUser,
  cardRow,
  comeBack,
  deliver,
  hotUser,
  openAtBank,
  REDIRECT,
  startLink,
  syncedBody,
  throughPage,
  tradedLink,
} from "../support/banking-app.ts";
import type { Linked } from "../support/banking-app.ts";
import { all, app, binding, useAloneBankingApp } from "../support/banking-d1.ts";
import type { UserId } from "../../src/kernel/ids.ts";

useAloneBankingApp();
const MINUTE = 60_000;
const connectionsOf = async (userId: UserId) =>
  (await app.call("GET", "/v1/bank-connections", { as: userId })).body.data;
const alerts = (name: string) =>
  app.logged.filter((line) => line.includes('"alert"') && line.includes(`"${name}"`));
const answersOf = (path: string, answer: () => Response) => {
  app.powens.state.intercept = (_method, called) => (called === path ? answer() : null);
};
const lose = (path: string) => answersOf(path, () => new Response("<html>", { status: 504 }));

async function renewalOf(user: Linked): Promise<{ state: string; url: URL }> {
  const [row] = await all<{ id: string }>(
    "SELECT id FROM bank_connections WHERE user_id = ?",
    user.userId,
  );
  const trip = await app.call("POST", `/v1/bank-connections/${row?.id}/renewal`, {
    as: user.userId,
    body: { redirect_uri: REDIRECT },
  });
  return {
    state: String(trip.body["state"]),
    url: new URL(String(trip.body["authorization_url"])),
  };
}

describe("an address sent to somebody else", () => {
  it("shows the one who asked for it nothing of the bank that was typed there", async () => {
    const [attacker, victim] = [await addUser(binding), await addUser(binding)];
    const { state } = await startLink(app, attacker);
    // The victim follows it, types credentials, and the redirect reaches the victim's own app.
    const { remoteUserId, code } = app.powens.visitPage();
    const there = openAtBank(app, remoteUserId);
    app.powens.state.users.get(remoteUserId)?.rows.push(cardRow(1, there.account));
    expect((await comeBack(app, victim, { state, code })).body.code).toBe("state_invalid");
    // The attacker has the state, and the connection's number can be guessed.
    for (
      const guess of [
        { state, connection_id: there.connection },
        { state, connection_ids: String(there.connection) },
        { state, code: "guessed-code", connection_id: there.connection },
      ]
    ) {
      expect((await comeBack(app, attacker, guess)).body.code).toBe("state_invalid");
    }
    // Even if the aggregator delivered the events of that user.
    const body = syncedBody(app, remoteUserId, there.connection, [cardRow(1, there.account)]);
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    app.clock.ms += 11 * MINUTE;
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    await app.service.sweep(app.clock.ms);
    expect(await connectionsOf(attacker)).toEqual([]);
    expect(app.ledger.rows.size).toBe(0);
    // A guess that the aggregator refused is no lost trade: the user there is left alone.
    expect(app.powens.state.users.has(remoteUserId)).toBe(true);
    expect(app.powens.state.calls).not.toContain("POST auth/renew");
  });
  it("of another user's connection is of no use as a hint either", async () => {
    const victim = await hotUser(app);
    const userId = await addUser(binding);
    const trip = await throughPage(app, userId);
    openAtBank(app, trip.remoteUserId);
    const back = await comeBack(app, userId, {
      ...trip,
      connection_id: victim.remoteConnectionId,
    });
    expect(back.body.data).toHaveLength(1);
    expect(await connectionsOf(userId)).toHaveLength(1);
    expect(await connectionsOf(victim.userId)).toHaveLength(1);
    expect(app.powens.state.users.has(victim.remoteUserId)).toBe(true);
  });
});

describe("a code cut out of a renewal's address", () => {
  it.each(["webhook", "daily read", "callback"] as const)(
    "and put into a page that links: the connection it makes is never taken in (%s)",
    async (seenBy) => {
      const attacker = await hotUser(app);
      const { state } = await renewalOf(attacker);
      // Somebody typed credentials on that page: the connection is the attacker's there.
      const lured = openAtBank(app, attacker.remoteUserId);
      app.powens.state.users.get(attacker.remoteUserId)?.rows.push(cardRow(1, lured.account));
      if (seenBy === "webhook") {
        await deliver(
          app,
          "connection-synced",
          syncedBody(app, attacker.remoteUserId, lured.connection, [cardRow(1, lured.account)]),
        );
      } else if (seenBy === "daily read") {
        app.clock.ms += 25 * 60 * MINUTE;
        await app.service.sweep(app.clock.ms);
      } else {
        expect((await comeBack(app, attacker.userId, { state })).body).toMatchObject({
          outcome: "renewed",
          data: [{}],
        });
      }
      expect(
        app.powens.state.users.get(attacker.remoteUserId)?.connections.has(lured.connection),
      ).toBe(false);
      expect(alerts("bank_connection_unbrought")).toHaveLength(1);
      expect(await connectionsOf(attacker.userId)).toHaveLength(1);
      expect(app.ledger.rows.size).toBe(0);
    },
  );
  it("that could not be deleted there is met again, and not taken in meanwhile", async () => {
    const attacker = await hotUser(app);
    const lured = openAtBank(app, attacker.remoteUserId);
    const body = syncedBody(app, attacker.remoteUserId, lured.connection, []);
    answersOf(
      `users/me/connections/${lured.connection}`,
      () => new Response("<html>", { status: 503 }),
    );
    await deliver(app, "connection-synced", body);
    expect(await connectionsOf(attacker.userId)).toHaveLength(1);
    app.powens.state.intercept = () => null;
    await deliver(app, "connection-synced", body);
    expect(app.powens.state.users.get(attacker.remoteUserId)?.connections.size).toBe(1);
    expect(await connectionsOf(attacker.userId)).toHaveLength(1);
  });
  it("and brought back as if the page had made it is revoked; the link it belongs to stays", async () => {
    const attacker = await hotUser(app);
    const { url } = await renewalOf(attacker);
    const code = String(url.searchParams.get("code"));
    const other = await addUser(binding);
    for (const userId of [attacker.userId, other]) {
      app.powens.state.codes.set(code, attacker.remoteUserId);
      const { state } = await startLink(app, userId);
      expect((await comeBack(app, userId, { state, code })).body.code).toBe("state_invalid");
    }
    expect(alerts("bank_code_of_another_link")).toHaveLength(2);
    expect(app.powens.state.revoked.size).toBe(2);
    expect(await connectionsOf(other)).toEqual([]);
    expect(app.powens.state.users.has(attacker.remoteUserId)).toBe(true);
    expect(
      (await deliver(
        app,
        "connection-synced",
        syncedBody(app, attacker.remoteUserId, attacker.remoteConnectionId, [
          cardRow(1, attacker.remoteAccountId),
        ]),
      )).status,
    ).toBe(200);
    expect(app.ledger.rows.size).toBe(1);
  });
  it("does not come back from a renewal", async () => {
    const user = await hotUser(app);
    const { state } = await renewalOf(user);
    const { code } = app.powens.visitPage();
    expect((await comeBack(app, user.userId, { state, code })).body.code).toBe("state_invalid");
  });
});

describe("a page that renews, opened by somebody else", () => {
  const VICTIMS_IBAN = "FR7630006000011234567890189";
  const KNOWN_IBAN = "FR7610107001011234567890129";

  /** The renewal of a user's connection shows one more account, with a row. */
  async function afterRenewal(shown: (known: Record<string, unknown>) => Record<string, unknown>) {
    const user = await hotUser(app, { account: { iban: KNOWN_IBAN } });
    const { state } = await renewalOf(user);
    const there = app.powens.state.users.get(user.remoteUserId);
    const known = there?.accounts.get(user.remoteAccountId);
    if (there === undefined || known === undefined) throw new Error("nothing linked");
    const id = user.remoteAccountId + 1_000_000;
    there.accounts.set(id, { ...known, ...shown(known), id });
    there.rows.push(cardRow(1, id));
    const body = syncedBody(app, user.remoteUserId, user.remoteConnectionId, [cardRow(1, id)]);
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    expect((await comeBack(app, user.userId, { state })).body["outcome"]).toBe("renewed");
    return all("SELECT 1 FROM bank_accounts WHERE user_id = ?", user.userId);
  }

  it.each([VICTIMS_IBAN, null])(
    "brings no account that was not known, and none of its rows (%s)",
    async (iban) => {
      expect(await afterRenewal(() => ({ iban }))).toHaveLength(1);
      expect(app.ledger.rows.size).toBe(0);
    },
  );
  it("brings back a known account under a new id", async () => {
    const again = (known: Record<string, unknown>) => {
      known["deleted"] = "2026-11-20 11:00:00";
      return { deleted: null };
    };
    expect(await afterRenewal(again)).toHaveLength(2);
  });
  it("brings the card of a known account", async () => {
    const card = (known: Record<string, unknown>) => ({
      iban: null,
      type: "card",
      name: "Carte",
      id_parent: known["id"],
    });
    expect(await afterRenewal(card)).toHaveLength(2);
  });
});

describe("a renewal after which none of the accounts is left", () => {
  type Shown = { readonly iban: string | null; readonly row: Record<string, unknown> };
  const SAME = { value: -34.9, rdate: "2026-11-18" };

  /** The connection has one account with a row, and shows another one in its place. */
  async function replaced(had: string | null, { iban, row }: Shown) {
    const user = await hotUser(app, { account: { iban: had } });
    const synced = (rows: Record<string, unknown>[]) =>
      deliver(
        app,
        "connection-synced",
        syncedBody(app, user.remoteUserId, user.remoteConnectionId, rows),
      );
    await synced([cardRow(1, user.remoteAccountId, SAME)]);
    const { state } = await renewalOf(user);
    const there = app.powens.state.users.get(user.remoteUserId);
    const known = there?.accounts.get(user.remoteAccountId);
    if (there === undefined || known === undefined) throw new Error("nothing linked");
    const id = user.remoteAccountId + 1_000_000;
    there.accounts.delete(user.remoteAccountId);
    there.accounts.set(id, { ...known, id, iban });
    there.rows.splice(0, there.rows.length, cardRow(2, id, row));
    app.ledger.calls.length = 0;
    return { user, synced, back: () => comeBack(app, user.userId, { state }), id };
  }
  const statusOf = async ({ userId }: Linked) =>
    (await all("SELECT status FROM bank_connections WHERE user_id = ?", userId))[0]?.["status"];
  const mailsOf = ({ userId }: Linked) =>
    all(
      "SELECT details FROM user_notices WHERE user_id = ? AND kind = 'bank_connection_ended'",
      userId,
    );
  const accountsOf = ({ userId }: Linked) =>
    all("SELECT id FROM bank_accounts WHERE user_id = ?", userId);

  it.each([
    ["another IBAN", "FR7610107001011234567890129", "FR7630006000011234567890189", SAME],
    ["none in place of one", "FR7610107001011234567890129", null, SAME],
    ["one in place of none", null, "FR7630006000011234567890189", SAME],
    ["no IBAN and other cents", null, null, { ...SAME, value: -34.91 }],
    ["no IBAN and another day", null, null, { ...SAME, rdate: "2026-11-17" }],
  ])("ends the connection, takes nothing in and tells its user: %s", async (_, had, iban, row) => {
    const { user, back } = await replaced(had, { iban, row });
    const answer = await back();
    expect([answer.status, answer.body["outcome"], answer.body.data]).toEqual([200, "refused", []]);
    expect(await statusOf(user)).toBe("removed");
    expect(await accountsOf(user)).toHaveLength(1);
    expect(app.ledger.calls).toEqual([]);
    expect(await mailsOf(user)).toHaveLength(1);
    expect(alerts("bank_connection_replaced")).toHaveLength(1);
    await app.service.sweep(app.clock.ms);
    expect(app.powens.state.users.has(user.remoteUserId)).toBe(false);
  });
  it("goes on where no IBAN was ever given and a row is ours, with equal cents and day", async () => {
    const { user, back } = await replaced(null, { iban: null, row: SAME });
    expect((await back()).body["outcome"]).toBe("renewed");
    expect(await statusOf(user)).toBe("active");
    expect(await accountsOf(user)).toHaveLength(2);
    expect(await mailsOf(user)).toEqual([]);
  });
  it("ends it also when a webhook brings the news, and records none of its rows", async () => {
    const { user, synced, id } = await replaced(null, { iban: null, row: { value: -5 } });
    expect((await synced([cardRow(2, id, { value: -5 })])).status).toBe(200);
    expect(await statusOf(user)).toBe("removed");
    expect(app.ledger.calls).toEqual([]);
    expect(await mailsOf(user)).toHaveLength(1);
  });
  it("decides nothing while rows cannot be compared, or nothing is shown", async () => {
    const { user, back, id } = await replaced(null, { iban: null, row: SAME });
    answersOf("users/me/transactions", () => new Response("<html>", { status: 503 }));
    expect((await back()).status).toBe(503);
    app.powens.state.intercept = () => null;
    expect(await statusOf(user)).toBe("active");
    app.powens.state.users.get(user.remoteUserId)?.accounts.delete(id);
    expect((await back()).body["outcome"]).toBe("renewed");
    expect(await statusOf(user)).toBe("active");
    expect(await mailsOf(user)).toEqual([]);
  });
});

describe("a trade whose answer was lost", () => {
  async function lost() {
    const userId = await addUser(binding);
    const trip = await throughPage(app, userId);
    const there = openAtBank(app, trip.remoteUserId);
    // The aggregator traded the code; its answer never came.
    app.powens.state.codes.delete(trip.code);
    lose("auth/token/access");
    const back = await comeBack(app, userId, { ...trip, connection_id: there.connection });
    app.powens.state.intercept = () => null;
    expect([back.status, back.body.code]).toEqual([503, "aggregator_unavailable"]);
    expect(back.body["detail"]).toContain("depuis le début");
    return {
      userId,
      trip,
      body: syncedBody(app, trip.remoteUserId, there.connection, [cardRow(1, there.account)]),
      there,
    };
  }
  const quarantined = (remoteUserId: number) =>
    all("SELECT reason FROM quarantine WHERE remote_user_id = ?", String(remoteUserId));

  it("spends the state: the callback repeated trades nothing, and linking begins again", async () => {
    const { userId, trip } = await lost();
    const traded = () =>
      app.powens.state.calls.filter((call) => call === "POST auth/token/access").length;
    expect(traded()).toBe(1);
    app.clock.ms += 3 * MINUTE;
    expect((await comeBack(app, userId, { ...trip })).status).toBe(503);
    expect((await comeBack(app, userId, { ...trip, code: "another-code" })).body.code).toBe(
      "state_invalid",
    );
    expect(traded()).toBe(1);
    const again = await throughPage(app, userId);
    openAtBank(app, again.remoteUserId);
    expect((await comeBack(app, userId, { ...again })).body.data).toHaveLength(1);
    expect(alerts("bank_trade_lost")).toHaveLength(1);
  });
  it("leaves a user there whose events are passed over for ten minutes, then it is deleted", async () => {
    const { userId, trip, body } = await lost();
    app.clock.ms += 9 * MINUTE;
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    expect(await quarantined(trip.remoteUserId)).toEqual([]);
    expect(app.powens.state.users.has(trip.remoteUserId)).toBe(true);
    app.clock.ms += 2 * MINUTE;
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    expect(app.powens.state.users.has(trip.remoteUserId)).toBe(false);
    expect(await quarantined(trip.remoteUserId)).toEqual([]);
    expect(await connectionsOf(userId)).toEqual([]);
    expect(app.ledger.rows.size).toBe(0);
  });
  it("is forgotten after 48 hours, and never costs the user of a link anything", async () => {
    const { trip, body, there } = await lost();
    const user = await hotUser(app);
    // The redirect may claim any number; a user whom a link has is not touched.
    await binding.prepare(
      "UPDATE connection_intents SET remote_connection_id = ? WHERE remote_connection_id = ?",
    ).bind(String(user.remoteConnectionId), String(there.connection)).run();
    app.clock.ms += 11 * MINUTE;
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
    );
    expect(app.powens.state.users.has(user.remoteUserId)).toBe(true);
    expect(app.powens.state.calls).not.toContain("POST auth/renew");
    await binding.prepare(
      "UPDATE connection_intents SET remote_connection_id = ? WHERE remote_connection_id = ?",
    ).bind(String(there.connection), String(user.remoteConnectionId)).run();
    app.clock.ms += 48 * 60 * MINUTE;
    await deliver(app, "connection-synced", body);
    expect(app.powens.state.users.has(trip.remoteUserId)).toBe(true);
    expect(await quarantined(trip.remoteUserId)).toEqual([{ reason: "unknown_user" }]);
    await app.service.sweep(app.clock.ms);
    expect(await all("SELECT 1 FROM connection_intents WHERE remote_connection_id IS NOT NULL"))
      .toEqual([]);
  });
});

describe("a withdrawal", () => {
  it("spends what was begun: nobody comes back afterwards", async () => {
    const userId = await addUser(binding);
    const trip = await throughPage(app, userId);
    await app.service.consentListener.bankDataWithdrawn(userId);
    expect((await comeBack(app, userId, { ...trip })).body.code).toBe("state_invalid");
    expect(app.powens.state.calls).toEqual([]);
  });
  it.each(["auth/token/access", "users/me"])(
    "while %s is asked deletes the user that the trade brought",
    async (during) => {
      const userId = await addUser(binding);
      const trip = await throughPage(app, userId);
      openAtBank(app, trip.remoteUserId);
      const fetch = app.powens.fetch;
      let withdrawn = false;
      app.powens.fetch = async (url, init) => {
        const answer = await fetch(url, init);
        if (!withdrawn && url.endsWith(`/2.0/${during}`)) {
          withdrawn = true;
          await app.service.consentListener.bankDataWithdrawn(userId);
        }
        return answer;
      };
      expect((await comeBack(app, userId, { ...trip })).body.code).toBe("state_invalid");
      expect(app.powens.state.users.has(trip.remoteUserId)).toBe(false);
      expect(
        await all(
          "SELECT state, token_cipher, traded_token_cipher FROM aggregator_links WHERE user_id = ?",
          userId,
        ),
      ).toEqual([{ state: "ended", token_cipher: null, traded_token_cipher: null }]);
    },
  );
  it("ends every link of the user there", async () => {
    const userId = await addUser(binding);
    const trips = [await tradedLink(app, userId), await tradedLink(app, userId)];
    expect(await app.service.port.endAll(userId)).toBe(true);
    for (const trip of trips) expect(app.powens.state.users.has(trip.remoteUserId)).toBe(false);
  });
});

describe("ending a connection", () => {
  it("of a link of before deletes that one; the last one deletes the user there", async () => {
    const userId = await addUser(binding);
    const { remoteUserId } = await tradedLink(app, userId);
    const there = [openAtBank(app, remoteUserId), openAtBank(app, remoteUserId)];
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, remoteUserId, there[0]?.connection ?? -1, []),
    );
    const rows = await all<{ id: string }>(
      "SELECT id FROM bank_connections WHERE user_id = ? ORDER BY remote_connection_id",
      userId,
    );
    expect(rows).toHaveLength(2);
    await app.call("DELETE", `/v1/bank-connections/${rows[0]?.id}`, { as: userId });
    expect([...(app.powens.state.users.get(remoteUserId)?.connections.keys() ?? [])]).toEqual([
      there[1]?.connection,
    ]);
    await app.call("DELETE", `/v1/bank-connections/${rows[1]?.id}`, { as: userId });
    expect(app.powens.state.users.has(remoteUserId)).toBe(false);
    expect(await all("SELECT state FROM aggregator_links WHERE user_id = ?", userId)).toEqual([{
      state: "ended",
    }]);
  });
});
