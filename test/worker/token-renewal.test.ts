// New tokens for every user at the aggregator: each await may be the last, and at every moment the
// link has a token that works.
import { describe, expect, it } from "vitest";
import { openUserCipher } from "../../src/kernel/keyring.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { bankingStore } from "../../src/banking/store/index.ts";
import { openDatabase } from "../../src/db/database.ts";
import type { AuditEvent } from "../../src/audit/ports.ts";
import { bankingApp, hotUser, KEYS } from "../support/banking-app.ts";
import type { BankingApp, Linked } from "../support/banking-app.ts";
import { all, binding, nothingDue } from "../support/banking-d1.ts";
import { strictSeals } from "../support/seals.ts";

const MINUTE_MS = 60_000;
const EVENT: AuditEvent = {
  actorKind: "operator",
  actor: "olga",
  action: "token_renewal.ask",
  target: "t",
  details: {},
};
const asked = { aggregator: "powens", reason: "a leak", by: "olga" } as const;

/** An application of its own, with no job and no link of another test. */
async function freshApp(): Promise<BankingApp> {
  await nothingDue();
  await binding.exec("DELETE FROM token_renewal_links");
  await binding.exec("DELETE FROM token_renewals");
  await binding.exec(
    "UPDATE aggregator_links SET state = 'ended', token_cipher = NULL WHERE state <> 'ended'",
  );
  const app = bankingApp(binding);
  app.powens.state.nextUser = Math.floor(Math.random() * 1e9) + 1;
  return app;
}

async function tokenOf(user: Linked): Promise<string> {
  const [row] = await all<{ id: string; token: string; data_key: string }>(
    "SELECT l.id, l.token_cipher AS token, u.data_key FROM aggregator_links l JOIN users u ON u.id = l.user_id WHERE l.user_id = ?",
    user.userId,
  );
  if (row === undefined) throw new Error("link not found");
  const cipher = await openUserCipher(KEYS, user.userId, row.data_key, systemRandomBytes);
  const place = { table: "aggregator_links", column: "token_cipher", row: row.id };
  const token = cipher.ok ? await cipher.value.decrypt(place, row.token) : cipher;
  if (!token.ok) throw new Error("token unreadable");
  return token.value;
}

async function start(app: BankingApp): Promise<string> {
  app.clock.ms += 1;
  const made = await app.service.tokenRenewals.ask(asked, () => EVENT);
  if (!made.ok) throw new Error("not asked");
  const { id } = made.value.renewal;
  const started = await app.service.tokenRenewals.approve(
    id,
    { operator: "oscar", listedPerson: true },
    EVENT,
  );
  if (!started.ok) throw new Error("not approved");
  return id;
}

async function sweeps(app: BankingApp, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    app.clock.ms += 15 * MINUTE_MS;
    await app.service.sweep(app.clock.ms);
  }
}

const renewals = (app: BankingApp) =>
  app.powens.state.calls.filter((call) => call === "POST auth/renew").length;

describe("a renewal of all tokens", () => {
  it("waits for a second listed person, is open once, and can be followed to its end", async () => {
    const app = await freshApp();
    const users = [await hotUser(app), await hotUser(app)];
    const before = await Promise.all(users.map(tokenOf));
    const first = await app.service.tokenRenewals.ask(asked, () => EVENT);
    const again = await app.service.tokenRenewals.ask({ ...asked, by: "otto" }, () => EVENT);
    const id = first.ok ? first.value.renewal.id : "";
    expect(again.ok && again.value.renewal.id).toBe(id);
    const approve = (operator: string, listedPerson = true) =>
      app.service.tokenRenewals.approve(id, { operator, listedPerson }, EVENT);
    expect(await approve("olga")).toEqual({ ok: false, error: { code: "second_person_required" } });
    expect(await approve("eve", false)).toEqual({
      ok: false,
      error: { code: "listed_person_required" },
    });
    await sweeps(app, 1);
    expect(renewals(app)).toBe(0);
    expect((await approve("oscar")).ok).toBe(true);
    expect((await app.service.tokenRenewals.describe(id))?.left).toEqual({
      notBegun: 2,
      open: 0,
      toEnd: 0,
    });
    app.clock.ms += MINUTE_MS;
    await app.service.sweep(app.clock.ms);
    expect((await app.service.tokenRenewals.describe(id))?.left).toEqual({
      notBegun: 0,
      open: 0,
      toEnd: 2,
    });
    app.clock.ms += 5 * MINUTE_MS;
    await app.service.sweep(app.clock.ms);
    // Both tokens work: a call in flight meets no dead one.
    expect([...app.powens.state.revoked]).toEqual([]);
    const after = await Promise.all(users.map(tokenOf));
    expect(after.some((token) => before.includes(token))).toBe(false);
    await sweeps(app, 2);
    expect([...app.powens.state.revoked].sort()).toEqual([...before].sort());
    expect((await app.service.tokenRenewals.describe(id))?.renewal).toMatchObject({
      state: "finished",
      renewed: 2,
      ended: 0,
    });
    await sweeps(app, 2);
    expect(renewals(app)).toBe(2);
  });

  it("passes over links that ended and those made after its approval", async () => {
    const app = await freshApp();
    const leaving = await hotUser(app);
    const id = await start(app);
    await app.service.port.endAll(leaving.userId);
    app.clock.ms += MINUTE_MS;
    const { ms } = app.clock;
    const late = await hotUser(app);
    await binding.prepare("UPDATE aggregator_links SET created_at_ms = ? WHERE user_id = ?").bind(
      ms,
      late.userId,
    ).run();
    await sweeps(app, 3);
    expect(renewals(app)).toBe(0);
    expect((await app.service.tokenRenewals.describe(id))?.renewal).toMatchObject({
      state: "finished",
      renewed: 0,
    });
  });

  it("stops at an aggregator that refuses our credentials, alerts, and goes on by itself", async () => {
    const app = await freshApp();
    await hotUser(app);
    const id = await start(app);
    app.powens.state.intercept = (_method, path) =>
      path === "auth/renew" ? Response.json({ code: "unauthorized" }, { status: 401 }) : null;
    await sweeps(app, 1);
    expect(app.logged.join("\n")).toContain("bank_token_renewal_refused");
    app.powens.state.intercept = () => null;
    await sweeps(app, 4);
    expect((await app.service.tokenRenewals.describe(id))?.renewal.state).toBe("finished");
  });

  it("stays open for a link whose row somebody else wrote: its token leaked too", async () => {
    const app = await freshApp();
    const user = await hotUser(app);
    const [link] = await all<{ seal: string }>(
      "SELECT seal FROM aggregator_links WHERE user_id = ?",
      user.userId,
    );
    const seal = async (value: string) =>
      void (await binding.prepare("UPDATE aggregator_links SET seal = ? WHERE user_id = ?").bind(
        value,
        user.userId,
      ).run());
    const id = await start(app);
    await seal("forged");
    await sweeps(app, 12);
    expect(await app.service.tokenRenewals.describe(id)).toMatchObject({
      renewal: { state: "running", ended: 0 },
      left: { open: 1 },
    });
    expect(app.logged.join("\n")).toContain("bank_token_renewal_failing");
    await seal(link?.seal ?? "");
    app.clock.ms += 24 * 60 * MINUTE_MS;
    await sweeps(app, 3);
    expect((await app.service.tokenRenewals.describe(id))?.renewal).toMatchObject({
      state: "finished",
      renewed: 1,
    });
  });

  it("asks for one token when two sweeps go on at once", async () => {
    const app = await freshApp();
    const user = await hotUser(app);
    const old = await tokenOf(user);
    await start(app);
    await Promise.all([sweeps(app, 1), app.service.sweep(app.clock.ms)]);
    expect(renewals(app)).toBe(1);
    await sweeps(app, 1);
    expect([...app.powens.state.revoked]).toEqual([old]);
  });

  it("ends a new token when its link has another one by then", async () => {
    const app = await freshApp();
    const user = await hotUser(app);
    const old = await tokenOf(user);
    await start(app);
    const { fetch } = app.powens;
    app.powens.fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (url.endsWith("auth/renew")) {
        await binding.prepare(
          "UPDATE aggregator_links SET token_cipher = 'f1.a.b' WHERE user_id = ?",
        )
          .bind(user.userId).run();
      }
      return response;
    };
    await sweeps(app, 1);
    const [ended] = [...app.powens.state.revoked];
    expect(ended).toMatch(/-PLANTEDTOKEN-\d+$/);
    expect(ended).not.toBe(old);
  });

  it("ends the old token also when two sweeps go on with one link", async () => {
    const app = await freshApp();
    const user = await hotUser(app);
    const old = await tokenOf(user);
    await start(app);
    const store = bankingStore(
      openDatabase(binding),
      systemRandomBytes,
      strictSeals(KEYS),
    );
    const job = await store.runningTokenRenewal();
    if (job === null) throw new Error("no job runs");
    await store.takeOnLinks(job, 5, app.clock.ms);
    const [item] = await store.dueRenewalItems(job.id, app.clock.ms, 5);
    if (item === undefined) throw new Error("nothing is due");
    const cipherNow = async () =>
      (await all<{ token: string }>(
        "SELECT token_cipher AS token FROM aggregator_links WHERE user_id = ?",
        user.userId,
      ))[0]?.token ?? "";
    const first = await cipherNow();
    expect(await store.replaceToken(item, { oldCipher: first, newCipher: "f1.a.b" }, 1)).toBe(true);
    // The slower one read the link after the faster one had replaced its token.
    expect(await store.replaceToken(item, { oldCipher: "f1.a.b", newCipher: "f1.c.d" }, 1)).toBe(
      false,
    );
    expect(await cipherNow()).toBe("f1.a.b");
    await sweeps(app, 1);
    expect([...app.powens.state.revoked]).toEqual([old]);
  });

  // After an await is before the next one: the other mode would find the same states.
  it("loses no token when it dies after any of its awaits", async () => {
    let points = 0;
    // The sweep's own steps come first.
    for (let nth = 8;; nth++) {
      const app = await freshApp();
      const user = await hotUser(app);
      const old = await tokenOf(user);
      const id = await start(app);
      app.faults.arm(nth, "after");
      for (let round = 0; round < 2; round++) {
        app.clock.ms += 15 * MINUTE_MS;
        await app.service.sweep(app.clock.ms).catch(() => null);
        // Whatever happened, what is stored opens the user's accounts.
        expect(app.powens.state.revoked.has(await tokenOf(user))).toBe(false);
      }
      const struck = app.faults.struck();
      app.faults.disarm();
      await sweeps(app, 4);
      expect((await app.service.tokenRenewals.describe(id))?.renewal).toMatchObject({
        state: "finished",
        renewed: 1,
      });
      expect(app.powens.state.revoked.has(old)).toBe(true);
      expect(app.powens.state.revoked.has(await tokenOf(user))).toBe(false);
      if (!struck) break;
      points += 1;
    }
    expect(points).toBeGreaterThan(8);
  }, 120_000);
});
