// Nothing lasting without a quota: what one principal may leave behind, and how long it stays.
import { describe, expect, it } from "vitest";
import { idempotencyStore } from "../../src/http/idempotency-store.ts";
import { IDEMPOTENCY_LOCK_MS, keptAnswersMax } from "../../src/http/idempotency.ts";
import { DECISIONS_A_DAY_MAX } from "../../src/identity/consent.ts";
import { identityStore } from "../../src/identity/store/index.ts";
import { sha256Hex } from "../../src/kernel/hash.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { bankingStore, TRIPS_A_DAY_MAX } from "../../src/banking/store/index.ts";
import { QUARANTINED_MAX } from "../../src/banking/store/quarantine.ts";
import { addUser, REDIRECT } from "../support/banking-app.ts";
import { all, app, binding, useBankingApp } from "../support/banking-d1.ts";
import { KEYRING } from "../support/catalogue-app.ts";
import { db } from "../support/http-app.ts";
import { strictSeals } from "../support/seals.ts";

useBankingApp();
const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 20);
const counted = async (query: string, ...values: unknown[]): Promise<number> =>
  (await all<{ n: number }>(query, ...values))[0]?.n ?? -1;

describe("kept answers", () => {
  const store = idempotencyStore(db, KEYRING, systemRandomBytes);
  const scope = (principal: string, key: string) => ({ principal, method: "POST", path: "/", key });
  const fill = (principal: string, rows: number) =>
    binding.prepare(
      `INSERT INTO idempotency_keys (scope, request_hash, state, started_at_ms, expires_at_ms, principal)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       SELECT ? || i, 'h', 'running', ?, ?, ? FROM n`,
    ).bind(rows, principal, NOW, NOW + DAY_MS, sha256Hex(JSON.stringify([principal]))).run();

  it("are a thousand for a user; a repeat is answered still, others are not concerned", async () => {
    const principal = "usr_quota";
    const first = await store.begin(scope(principal, "first"), "h", NOW);
    if (first.state !== "started") throw new Error("not started");
    const answer = { status: 200, contentType: "", body: "kept" };
    await store.complete(scope(principal, "first"), first.startedAtMs, answer, NOW + DAY_MS);
    await fill(principal, keptAnswersMax(principal) - 2);
    expect((await store.begin(scope(principal, "last"), "h", NOW)).state).toBe("started");
    expect(await store.begin(scope(principal, "more"), "h", NOW)).toEqual({ state: "full" });
    expect(await store.begin(scope(principal, "first"), "h", NOW)).toEqual({
      state: "done",
      answer,
    });
    expect((await store.begin(scope("usr_other", "more"), "h", NOW)).state).toBe("started");
    // They lapse by themselves.
    expect((await store.begin(scope(principal, "more"), "h", NOW + 2 * DAY_MS)).state).toBe(
      "started",
    );
  });

  it("leave a request that died to be tried again, without room for another", async () => {
    const principal = "usr_died";
    await store.begin(scope(principal, "died"), "h", NOW);
    await fill(principal, keptAnswersMax(principal) - 1);
    const laterMs = NOW + IDEMPOTENCY_LOCK_MS;
    expect(await store.begin(scope(principal, "more"), "h", laterMs)).toEqual({ state: "full" });
    expect(await store.begin(scope(principal, "died"), "h", laterMs)).toEqual({
      state: "started",
      startedAtMs: laterMs,
    });
  });

  it("are ten thousand for an operator", async () => {
    const principal = sha256Hex("operator|x");
    await fill(principal, 1_500);
    expect((await store.begin(scope(principal, "k"), "h", NOW)).state).toBe("started");
    expect(keptAnswersMax(principal)).toBe(10_000);
  });
});

describe("consent decisions", () => {
  const store = identityStore(db, systemRandomBytes, strictSeals(KEYRING));
  const decide = (userId: Awaited<ReturnType<typeof addUser>>, granted: boolean, atMs = NOW) =>
    store.decide({
      id: crypto.randomUUID(),
      userId,
      purpose: "marketing",
      granted,
      textVersion: "1",
      atMs,
    });

  it("are bounded in a day, and a withdrawal is never refused", async () => {
    const userId = await addUser(binding, null);
    for (let i = 0; i < 2 * DECISIONS_A_DAY_MAX; i++) await decide(userId, i % 2 === 0);
    expect(await counted("SELECT COUNT(*) AS n FROM consents WHERE user_id = ?", userId)).toBe(
      DECISIONS_A_DAY_MAX,
    );
    expect((await decide(userId, true))?.granted).toBe(false);
    expect((await decide(userId, true, NOW + 2 * DAY_MS))?.granted).toBe(true);
    await binding.prepare(
      `INSERT INTO consents (id, user_id, purpose, sequence, granted, text_version, at_ms)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
       SELECT ? || i, ?, 'statistics', i, 1, i, ? FROM n`,
    ).bind(userId, userId, NOW + 2 * DAY_MS).run();
    expect((await decide(userId, false, NOW + 2 * DAY_MS))?.granted).toBe(false);
  });

  it("go five years after they were withdrawn; the one in force and its date stay", async () => {
    const userId = await addUser(binding, null);
    for (const granted of [true, false, true]) await decide(userId, granted);
    await store.purge(NOW + 5 * 365 * DAY_MS);
    const left = () => counted("SELECT COUNT(*) AS n FROM consents WHERE user_id = ?", userId);
    expect(await left()).toBe(3);
    await store.purge(NOW + 5 * 367 * DAY_MS);
    expect(await left()).toBe(2);
    const now = (await store.currentConsents(userId)).find(({ purpose }) =>
      purpose === "marketing"
    );
    expect(now).toMatchObject({ granted: true, grantedSinceMs: NOW });
  });
});

describe("trips to a bank's page", () => {
  it("are bounded for a user and a day, with an answer that says when to come back", async () => {
    const userId = await addUser(binding);
    const start = () =>
      app.call("POST", "/v1/bank-connections", { as: userId, body: { redirect_uri: REDIRECT } });
    for (let i = 0; i < TRIPS_A_DAY_MAX; i++) expect((await start()).status).toBe(201);
    const refused = await start();
    expect(refused).toMatchObject({ status: 429, body: { code: "rate_limited" } });
    expect(refused.headers.get("Retry-After")).toBe("3600");
    const trips = "SELECT COUNT(*) AS n FROM connection_intents WHERE user_id = ?";
    expect(await counted(trips, userId)).toBe(TRIPS_A_DAY_MAX);
    app.clock.ms += DAY_MS + 1;
    expect((await start()).status).toBe(201);
  });
});

describe("quarantined messages", () => {
  it("are bounded for each user of the aggregator; one that is known is counted on", async () => {
    const store = bankingStore(db, systemRandomBytes, strictSeals(KEYRING));
    const entry = (remoteUserId: string | null, bodyHash: string) => ({
      provider: "powens",
      event: "connection-synced",
      remoteUserId,
      remoteConnectionId: null,
      reason: "malformed",
      bodyBytes: 1,
      bodyHash,
    });
    for (let i = 0; i < QUARANTINED_MAX + 20; i++) {
      await store.quarantine(entry("q1", `b${i}`), NOW);
    }
    const rows = "SELECT COUNT(*) AS n FROM quarantine WHERE remote_user_id IS ?";
    expect(await counted(rows, "q1")).toBe(QUARANTINED_MAX);
    await store.quarantine(entry("q1", "b0"), NOW + 1);
    const times =
      "SELECT times AS n FROM quarantine WHERE remote_user_id = 'q1' AND body_hash = 'b0'";
    expect(await counted(times)).toBe(2);
    await store.quarantine(entry("q2", "b0x"), NOW);
    await store.quarantine(entry(null, "b0y"), NOW);
    expect(await counted(rows, "q2")).toBe(1);
    // The end of a connection that could not be checked then is not forgotten for that, once each.
    const ended = (bodyHash: string) => ({
      ...entry("q1", bodyHash),
      event: "connection-deleted",
      remoteConnectionId: "c1",
    });
    for (const hash of ["e0", "e1"]) {
      await store.quarantineForRepair(
        "con_1",
        "aggregator_unavailable",
        ended(hash),
        NOW,
        NOW,
      );
    }
    expect(await store.deletionAnnounced("powens", "c1")).toBe(true);
    expect(await counted(rows, "q1")).toBe(QUARANTINED_MAX + 1);
    await store.quarantine({ ...ended("e2"), remoteConnectionId: "c2" }, NOW);
    expect(await store.deletionAnnounced("powens", "c2")).toBe(false);
    await store.purgeQuarantine(NOW + 2);
    expect(await counted(rows, "q1")).toBe(0);
  });
});

describe("the reads behind quotas and retentions", () => {
  it.each([
    [
      "SELECT 1 FROM idempotency_keys WHERE principal = ? AND expires_at_ms > 1",
      "idempotency_keys_by_principal",
    ],
    ["SELECT COUNT(*) FROM consents WHERE user_id = ? AND at_ms > 1", "consents_by_user_time"],
    ["SELECT 1 FROM consents WHERE at_ms < ?", "consents_by_time"],
    [
      "SELECT COUNT(*) FROM connection_intents WHERE user_id = ? AND created_at_ms > 1",
      "connection_intents_by_user_time",
    ],
    ["DELETE FROM quarantine WHERE last_at_ms < ?", "quarantine_by_time"],
    [
      "SELECT COUNT(*) FROM quarantine WHERE provider = 'p' AND remote_user_id IS ?",
      "quarantine_by_remote_user",
    ],
  ])("%s uses an index", async (query, index) => {
    const plan = await all<{ detail: string }>(`EXPLAIN QUERY PLAN ${query}`, "x");
    expect(plan.map(({ detail }) => detail).join()).toContain(index);
  });
});
