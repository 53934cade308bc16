// Listing, switching and ending banks through the routes.
import { describe, expect, it } from "vitest";
import {
  addUser,
  cardRow,
  deliver,
  hotUser,
  KEYS,
  openAtBank,
  REDIRECT,
  syncedBody,
  tradedLink,
} from "../support/banking-app.ts";
import type { Linked } from "../support/banking-app.ts";
import { strictSeals } from "../support/seals.ts";
import { SEALED_AGE_REVIEWS } from "../../src/db/sealed-tables.ts";
import { newId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { all, app, binding, rowsAt, sweepAfter, useBankingApp } from "../support/banking-d1.ts";

useBankingApp();

describe("the list", () => {
  it("costs one D1 read and one ledger call, none when there is nothing", async () => {
    const user = await hotUser(app);
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, []),
    );
    app.counted.reset();
    const list = await app.call("GET", "/v1/bank-connections", { as: user.userId });
    expect(list.body.data).toMatchObject([{
      status: "active",
      action: "none",
      last_synced_at: "2026-11-20T09:00:00.000Z",
      consent: { granted_at: "2026-11-10T08:00:00.000Z", expires_at: "2027-05-09T07:00:00.000Z" },
    }]);
    expect(app.counted.count).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
    expect(app.ledger.activityCalls).toBe(1);
    await app.call("GET", "/v1/bank-connections", { as: await addUser(binding) });
    expect(app.ledger.activityCalls).toBe(1);
  });
  it("is the user's own: another's connection is 404 for everything", async () => {
    const [alice, bob] = [await hotUser(app), await hotUser(app)];
    const [row] = await all<{ id: string }>(
      "SELECT id FROM bank_connections WHERE user_id = ?",
      alice.userId,
    );
    const [account] = await all<{ id: string }>(
      "SELECT id FROM bank_accounts WHERE user_id = ?",
      alice.userId,
    );
    const answers = [
      await app.call("GET", `/v1/bank-connections/${row?.id}`, { as: bob.userId }),
      await app.call("DELETE", `/v1/bank-connections/${row?.id}`, { as: bob.userId }),
      await app.call("POST", `/v1/bank-connections/${row?.id}/renewal`, {
        as: bob.userId,
        body: { redirect_uri: REDIRECT },
      }),
      await app.call("PATCH", `/v1/bank-accounts/${account?.id}`, {
        as: bob.userId,
        body: { earning: false },
      }),
      await app.call("GET", "/v1/bank-connections/nonsense", { as: bob.userId }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([404, 404, 404, 404, 404]);
    expect((await app.call("GET", `/v1/bank-connections/${row?.id}`, { as: alice.userId })).status)
      .toBe(200);
  });
  it("of banks is searched without regard to accents and case, paged, and asked for once an hour", async () => {
    const userId = await addUser(binding);
    const found = await app.call("GET", "/v1/banks?query=credit%20ex", { as: userId });
    expect(found.body.data).toEqual([{
      id: "07d76adf-ae35-5b38-aca8-67aafba13169",
      name: "Crédit Éxemple",
      color: null,
      country: "FR",
    }]);
    const first = await app.call("GET", "/v1/banks?limit=1", { as: userId });
    expect(first.body.data).toMatchObject([{ name: "Connecteur de test", color: "#f10389" }]);
    const second = await app.call(
      "GET",
      `/v1/banks?limit=1&cursor=${encodeURIComponent(String(first.body["next_cursor"]))}`,
      { as: userId },
    );
    expect([second.body.data?.[0]?.["name"], second.body["next_cursor"]]).toEqual([
      "Crédit Éxemple",
      null,
    ]);
    expect((await app.call("GET", "/v1/banks?cursor=x", { as: userId })).body.code).toBe(
      "cursor_invalid",
    );
    expect(app.powens.state.calls.filter((call) => call === "GET connectors")).toHaveLength(1);
    app.clock.ms += 3_600_001;
    await app.call("GET", "/v1/banks", { as: userId });
    expect(app.powens.state.calls.filter((call) => call === "GET connectors")).toHaveLength(2);
  });
});

describe("the switch", () => {
  it("drops for good what is seen while it is off", async () => {
    const user = await hotUser(app);
    const [account] = await all<{ id: string }>(
      "SELECT id FROM bank_accounts WHERE user_id = ?",
      user.userId,
    );
    const off = await app.call("PATCH", `/v1/bank-accounts/${account?.id}`, {
      as: user.userId,
      body: { earning: false },
    });
    expect([off.status, off.body["earning"], off.body["label"]]).toEqual([200, false, "Compte 1"]);
    const seenOff = cardRow(1, user.remoteAccountId, { date_scraped: "2026-11-20 12:30:00" });
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, [seenOff]),
    );
    app.clock.ms += 3_600_000;
    await app.call("PATCH", `/v1/bank-accounts/${account?.id}`, {
      as: user.userId,
      body: { earning: true },
    });
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
        seenOff,
        cardRow(2, user.remoteAccountId, { date_scraped: "2026-11-20 15:00:00" }),
      ]),
    );
    expect([...app.ledger.rows.values()].map((row) => row.externalId)).toEqual(["2"]);
  });
  it("lets one of two holders of a joint account earn", async () => {
    const iban = "FR7630006000011234567890189";
    const holders = [];
    for (let index = 0; index < 2; index++) {
      const userId = await addUser(binding);
      const { remoteUserId } = await tradedLink(app, userId);
      const there = openAtBank(app, remoteUserId, { account: { iban } });
      holders.push({ userId, remoteUserId, there });
    }
    await Promise.all(
      holders.map((holder) =>
        deliver(
          app,
          "connection-synced",
          syncedBody(app, holder.remoteUserId, holder.there.connection, []),
        )
      ),
    );
    const rows = await all<{ id: string; user_id: string; earning: number; fingerprint: string }>(
      "SELECT id, user_id, earning, fingerprint FROM bank_accounts WHERE user_id IN (?, ?)",
      holders[0]?.userId,
      holders[1]?.userId,
    );
    expect(rows.map((row) => row.earning).sort((a, b) => a - b)).toEqual([0, 1]);
    expect(new Set(rows.map((row) => row.fingerprint)).size).toBe(1);
    const second = rows.find((row) => row.earning === 0);
    const first = rows.find((row) => row.earning === 1);
    if (first === undefined || second === undefined) throw new Error("rows");
    const set = (row: typeof first, earning: boolean) =>
      app.call("PATCH", `/v1/bank-accounts/${row.id}`, {
        as: row.user_id as never,
        body: { earning },
      });
    expect((await set(second, true)).body.code).toBe("conflict");
    expect((await set(first, false)).status).toBe(200);
    expect((await set(second, true)).status).toBe(200);
    expect((await set(first, true)).body.code).toBe("conflict");
  });
});

describe("a review of the user's age", () => {
  it("stops earning while it lasts; of age, what was bought meanwhile is read back", async () => {
    const user = await hotUser(app);
    const review = newId("agr", 1, systemRandomBytes);
    await binding.prepare(
      "INSERT INTO age_reviews (id, user_id, opened_at_ms, decide_by_ms) VALUES (?, ?, 1, 2)",
    ).bind(review, user.userId).run();
    const shown = async () =>
      (await app.call("GET", "/v1/bank-connections", { as: user.userId })).body.data?.[0]?.[
        "accounts"
      ];
    expect(await shown()).toMatchObject([{ earning: false, not_earning: "age_review" }]);
    const row = cardRow(1, user.remoteAccountId);
    app.powens.state.users.get(user.remoteUserId)?.rows.push(row);
    const body = syncedBody(app, user.remoteUserId, user.remoteConnectionId, [row]);
    expect((await deliver(app, "connection-synced", body)).status).toBe(200);
    expect(app.ledger.rows.size).toBe(0);
    // Whoever writes the database alone is no person who decides.
    await binding.prepare(
      "UPDATE age_reviews SET decision = 'of_age', decided_by = 'zoe', decided_at_ms = 2 WHERE id = ?",
    ).bind(review).run();
    expect(await shown()).toMatchObject([{ earning: false, not_earning: "age_review" }]);
    const decided = { decision: "of_age", decidedBy: "zoe", decidedAtMs: 2 } as const;
    const seal = strictSeals(KEYS).of(SEALED_AGE_REVIEWS, {
      ...decided,
      id: review,
      userId: user.userId,
      openedAtMs: 1,
    });
    await binding.prepare("UPDATE age_reviews SET seal = ? WHERE id = ?").bind(seal, review).run();
    await app.service.port.readAgain(user.userId);
    await app.service.sweep(app.clock.ms);
    expect(await shown()).toMatchObject([{ earning: true, not_earning: null }]);
    expect([...app.ledger.rows.values()].map((item) => item.externalId)).toEqual(["1"]);
  });
});

/** Ends the user's one connection. */
async function endOnly(user: Linked): Promise<void> {
  const [row] = await all<{ id: string }>(
    "SELECT id FROM bank_connections WHERE user_id = ?",
    user.userId,
  );
  app.powens.state.reads.length = 0;
  const ended = await app.call("DELETE", `/v1/bank-connections/${row?.id}`, { as: user.userId });
  expect(ended.status).toBe(204);
}

describe("ending", () => {
  it("ends here and there, again and again, and nothing more is taken in", async () => {
    const user = await hotUser(app);
    const [row] = await all<{ id: string }>(
      "SELECT id FROM bank_connections WHERE user_id = ?",
      user.userId,
    );
    for (let times = 0; times < 2; times++) {
      expect(
        (await app.call("DELETE", `/v1/bank-connections/${row?.id}`, { as: user.userId })).status,
      ).toBe(204);
    }
    expect(app.powens.state.calls.filter((call) => call.startsWith("DELETE"))).toEqual([
      "DELETE users/me",
    ]);
    expect((await app.call("GET", "/v1/bank-connections", { as: user.userId })).body.data).toEqual(
      [],
    );
    await deliver(
      app,
      "connection-synced",
      syncedBody(app, user.remoteUserId, user.remoteConnectionId, [
        cardRow(1, user.remoteAccountId),
      ]),
    );
    expect(app.ledger.rows.size).toBe(0);
  });
  it("reads once more what is known, takes in nothing new, and tells the ledger that it is over", async () => {
    const user = await hotUser(app);
    rowsAt(user).push(cardRow(1, user.remoteAccountId));
    await endOnly(user);
    expect(app.powens.state.reads).toHaveLength(1);
    expect(app.ledger.calls.map(({ batch }) => [batch.read?.knownOnly, batch.hasEnded])).toEqual([
      [true, undefined],
      [undefined, true],
    ]);
    expect(app.ledger.calls[0]?.batch.read?.complete?.externalIds).toEqual(["1"]);
  });
  it("goes on when the aggregator does not answer in time, and nothing that comes later is recorded", async () => {
    const user = await hotUser(app);
    rowsAt(user).push(cardRow(1, user.remoteAccountId));
    const waited: number[] = [];
    const { fetch } = app.powens;
    let answer = (): void => {};
    app.powens.fetch = async (url, init) => {
      // Read before the user is deleted there: an answer that comes too late is still a good one.
      const response = await fetch(url, init);
      if (url.includes("transactions")) await new Promise<void>((resolve) => answer = resolve);
      return response;
    };
    app.hooks.sleep = async (ms) => void waited.push(ms);
    await endOnly(user);
    expect(waited).toEqual([10_000]);
    answer();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(app.ledger.calls.map(({ batch }) => batch.hasEnded)).toEqual([true]);
  });
  it("waits at the aggregator until the ledger knows of it", async () => {
    const user = await hotUser(app);
    app.ledger.fail = () => "ledger_unavailable";
    await endOnly(user);
    app.ledger.fail = () => null;
    await sweepAfter(61_000);
    expect(app.ledger.calls.map(({ batch }) => batch.hasEnded)).toContain(true);
    expect(await all("SELECT state FROM aggregator_links WHERE user_id = ?", user.userId)).toEqual([
      { state: "ended" },
    ]);
  });
  it("is marked here first; what failed there is finished by the sweep", async () => {
    const user = await hotUser(app);
    const [row] = await all<{ id: string }>(
      "SELECT id FROM bank_connections WHERE user_id = ?",
      user.userId,
    );
    app.powens.state.intercept = () => new Response("<html>", { status: 503 });
    expect(
      (await app.call("DELETE", `/v1/bank-connections/${row?.id}`, { as: user.userId })).status,
    ).toBe(204);
    expect(
      await all(
        "SELECT status, gone_remotely FROM bank_connections WHERE user_id = ?",
        user.userId,
      ),
    ).toEqual([{ status: "removed", gone_remotely: 0 }]);
    app.powens.state.intercept = () => null;
    await app.service.sweep(app.clock.ms);
    expect(app.powens.state.users.has(user.remoteUserId)).toBe(true);
    app.clock.ms += 61_000;
    await app.service.sweep(app.clock.ms);
    expect(app.powens.state.users.has(user.remoteUserId)).toBe(false);
    expect(
      await all(
        "SELECT status, gone_remotely FROM bank_connections WHERE user_id = ?",
        user.userId,
      ),
    ).toEqual([{ status: "removed", gone_remotely: 1 }]);
  });
  it("withdrawing the consent ends the user there too; linking again starts from nothing", async () => {
    const user = await hotUser(app);
    rowsAt(user).push(cardRow(1, user.remoteAccountId));
    await app.service.consentListener.bankDataEnding(user.userId);
    expect(app.ledger.calls.at(-1)?.batch.read).toMatchObject({
      knownOnly: true,
      complete: { externalIds: ["1"] },
    });
    await app.service.consentListener.bankDataWithdrawn(user.userId);
    expect(app.ledger.calls.at(-1)?.batch.hasEnded).toBe(true);
    await app.service.consentListener.bankDataWithdrawn(user.userId);
    expect(app.powens.state.users.has(user.remoteUserId)).toBe(false);
    expect(
      await all("SELECT state, token_cipher FROM aggregator_links WHERE user_id = ?", user.userId),
    ).toEqual([{ state: "ended", token_cipher: null }]);
    const again = await tradedLink(app, user.userId);
    expect(again.remoteUserId).not.toBe(user.remoteUserId);
    expect(
      await all("SELECT state FROM aggregator_links WHERE user_id = ? ORDER BY state", user.userId),
    ).toEqual([{ state: "created" }, { state: "ended" }]);
  });
});
