// The ledger as it runs on the platform: rows written as the storage counts them, concurrency,
// eviction, alarm, projection, erasure.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, test } from "vitest";
import type { UserId } from "../../src/kernel/ids.ts";
import { newId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import type { Environment } from "../../src/platform/cloudflare/environment.ts";
import { parseConfig } from "../../src/config.ts";
import type { LedgerHelpers } from "../../src/ledger/object/alarm.ts";
import { LedgerObject } from "../../src/platform/cloudflare/ledger-object.ts";
import { ledgerHelpers } from "../../src/platform/ledger-helpers.ts";
import type { UserLedger } from "../../src/platform/cloudflare/user-ledger.ts";
import { at, batch, FNAC, row } from "../contract/ledger-factories.ts";
import { countD1 } from "../support/count-d1.ts";

const bindings = env as unknown as Environment;
const NOW = at("2026-11-14");
const newUser = (): UserId => newId("usr", Date.now(), systemRandomBytes);
const stubOf = (user: UserId) => bindings.LEDGER.getByName(user);

const tableOf = (query: string): string =>
  (/(?:into|update|from) "?(\w+)/i.exec(query)?.[1] ?? query).trim();

/** Rows written by one call, by table or index as far as the statement says. */
async function writtenBy(user: UserId, call: (object: UserLedger) => unknown): Promise<string[]> {
  const lines: string[] = [];
  await runInDurableObject(stubOf(user), async (object) => {
    object.traceWrites((query, rows) => lines.push(`${tableOf(query)} ${rows}`));
    await call(object);
    object.traceWrites(null);
  });
  return lines;
}

const countOf = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + Number(line.split(" ")[1]), 0);

describe("rows written", () => {
  // What one call of the engine writes; what the alarm, D1 and the sync's time add is named below.
  test("an earned purchase writes six rows and at most one alarm", async ({ expect }) => {
    const user = newUser();
    await stubOf(user).record(batch([row("0")]), NOW);
    const lines = await writtenBy(user, (object) => object.record(batch([row("1")]), NOW));
    // purchases: the row, its unique (account, id) and the day's index. lots: the lot and its due
    // index. transactions: the earn.
    expect(lines).toEqual(["transactions 1", "lots 2", "purchases 3"]);
    expect(countOf(lines) + 1).toBeLessThanOrEqual(14);
  });

  test("an unrewarded purchase writes three rows", async ({ expect }) => {
    const user = newUser();
    await stubOf(user).record(batch([row("0")]), NOW);
    const lines = await writtenBy(
      user,
      (object) => object.record(batch([row("1", { brand: null })]), NOW),
    );
    expect(lines).toEqual(["purchases 3"]);
    expect(countOf(lines)).toBeLessThanOrEqual(6);
  });

  test("a row that we already have writes nothing", async ({ expect }) => {
    const user = newUser();
    await stubOf(user).record(batch([row("0")]), NOW);
    expect(await writtenBy(user, (object) => object.record(batch([row("0")]), NOW))).toEqual([]);
  });

  test("a confirmation writes three rows", async ({ expect }) => {
    const user = newUser();
    await stubOf(user).record(batch([row("0")]), NOW);
    const lines = await writtenBy(user, (object) => object.points(null, at("2026-12-12")));
    expect(lines).toEqual(["transactions 1", "lots 2"]);
  });
});

type Billed = { readonly object: string[]; readonly d1: string[] };

/** A step of a purchase's life. `rings`: it is what an alarm does, which is gone by then. */
type Step = { readonly rings: boolean; readonly call: (object: LedgerObject) => Promise<unknown> };

const helpersOf = (database: D1Database): LedgerHelpers => {
  const config = parseConfig(bindings);
  if (!config.ok) throw new Error("the tests' configuration is refused");
  const helpers = ledgerHelpers({
    database,
    config: config.value,
    random: systemRandomBytes,
    clock: { nowMs: () => Date.now() },
    monotonicMs: () => performance.now(),
    fetch,
    log: { info: () => {}, alert: () => {} },
  });
  // The mail itself is another provider's bill.
  return { ...helpers, sendNotice: async () => true };
};

/**
 * All that the platform bills as written rows for one user, step by step: the object's own, each
 * alarm that it sets (a row) and D1's.
 */
async function billed(
  user: UserId,
  steps: Readonly<Record<string, Step>>,
): Promise<Record<string, Billed>> {
  const parts: Record<string, Billed> = {};
  await runInDurableObject(stubOf(user), async (_object, state) => {
    let part: Billed = { object: [], d1: [] };
    // The platform's clock is not the story's: an alarm that really rang would write in the middle
    // of it.
    const setAlarm = state.storage.setAlarm.bind(state.storage);
    Object.defineProperty(state.storage, "setAlarm", {
      configurable: true,
      value: async (timeMs: number) => {
        part.object.push("alarm 1");
        await setAlarm(Math.max(timeMs, Date.now() + 3_600_000));
      },
    });
    const { db } = countD1(bindings.DB, (query, rows) => part.d1.push(`${tableOf(query)} ${rows}`));
    const object = new LedgerObject(state, { ...bindings, DB: db }, helpersOf(db));
    object.traceWrites((query, rows) => part.object.push(`${tableOf(query)} ${rows}`));
    for (const [name, { rings, call }] of Object.entries(steps)) {
      if (rings) await state.storage.deleteAlarm();
      part = { object: [], d1: [] };
      const answer = await call(object);
      if (
        typeof answer !== "object" || answer === null || !("ok" in answer) || answer.ok !== true
      ) throw new Error(`${name} is refused`);
      parts[name] = part;
    }
    Reflect.deleteProperty(state.storage, "setAlarm");
  });
  return parts;
}

describe("the whole life of a purchase", () => {
  /**
   * A user whom D1 knows and who consents to statistics: nobody's purchases cost more. The book has
   * one purchase, projected and confirmed.
   */
  async function consenting(): Promise<UserId> {
    const user = newUser();
    await bindings.DB.batch([
      bindings.DB.prepare(
        "INSERT INTO users (id, email_index, email_cipher, data_key, locale, state, created_at_ms) VALUES (?1, ?1, 'f1.a', 'k1.a', 'fr', 'active', 1)",
      ).bind(user),
      bindings.DB.prepare(
        "INSERT INTO consents (id, user_id, purpose, sequence, granted, text_version, at_ms) VALUES (?1, ?1, 'statistics', 1, 1, '1', 1)",
      ).bind(user),
    ]);
    const earlier = at("2026-10-10");
    await billed(user, {
      first: webhook({ purchasedOn: "2026-10-09" }, "first", earlier),
      projected: alarm(earlier),
      confirmed: alarm(at("2026-11-10")),
    });
    return user;
  }
  const webhook = (more: Parameters<typeof row>[1], id = "1", ms = NOW): Step => ({
    rings: false,
    call: (object) => object.record(batch([row(id, more)], { syncedAtMs: ms }), ms),
  });
  const alarm = (ms: number): Step => ({ rings: true, call: (object) => object.runDue(null, ms) });
  const sums = (
    parts: Record<string, Billed>,
  ): [object: number, d1: number] => [
    countOf(Object.values(parts).flatMap(({ object }) => object)),
    countOf(Object.values(parts).flatMap(({ d1 }) => d1)),
  ];

  test("that earns: 16 rows in its object and 9 in D1 until its points can be spent", async ({ expect }) => {
    const parts = await billed(await consenting(), {
      webhook: webhook({}),
      projected: alarm(NOW),
      confirmed: alarm(at("2026-12-12")),
    });
    expect(parts).toEqual({
      webhook: {
        object: ["transactions 1", "lots 2", "purchases 3", "connections 1", "alarm 1"],
        d1: [],
      },
      // Marks of how far D1 has come with transactions and with the sample; the alarm for the
      // confirmation. The sample: the row, three indexes and the table's count.
      projected: {
        object: ["meta 1", "meta 1", "alarm 1"],
        d1: ["counters 1", "ledger_heads 1", "purchase_sample 5"],
      },
      confirmed: {
        object: ["transactions 1", "lots 2", "meta 1", "alarm 1"],
        d1: ["counters 1", "ledger_heads 1"],
      },
    });
    expect(countOf(parts["webhook"]?.object ?? [])).toBeLessThanOrEqual(14);
    expect(sums(parts)).toEqual([16, 9]);
  });

  test("that comes pending first: 6 rows more in its object", async ({ expect }) => {
    const parts = await billed(await consenting(), {
      pending: webhook({ state: "pending", bookedOn: null }),
      booked: webhook({ lastUpdateMs: 2000 }, "1", NOW + 1000),
      projected: alarm(NOW + 1000),
      confirmed: alarm(at("2026-12-12")),
    });
    // The booking writes the row, and takes it out of the index of pending ones.
    expect(parts["pending"]?.object).toEqual(["purchases 5", "connections 1", "alarm 1"]);
    expect(parts["booked"]?.object).toEqual([
      "transactions 1",
      "lots 2",
      "purchases 2",
      "connections 1",
      "alarm 1",
    ]);
    expect(countOf([...(parts["pending"]?.object ?? []), ...(parts["booked"]?.object ?? [])]))
      .toBeLessThanOrEqual(14);
    expect(sums(parts)).toEqual([22, 9]);
  });

  test("that earns nothing: 4 rows in its object, none in D1", async ({ expect }) => {
    // At the time of the last alarm, so that the next one lies as far ahead on the platform's clock
    // as in the story.
    const parts = await billed(await consenting(), {
      webhook: webhook({ brand: null, purchasedOn: "2026-11-09" }, "1", at("2026-11-10")),
    });
    expect(parts["webhook"]).toEqual({ object: ["purchases 3", "connections 1"], d1: [] });
    expect(countOf(parts["webhook"]?.object ?? [])).toBeLessThanOrEqual(6);
  });

  test("at a brand without an offer: 7 rows in its object and 5 in D1, for the sample", async ({ expect }) => {
    const parts = await billed(await consenting(), {
      webhook: webhook({ brand: { id: FNAC, matched: "FNAC" } }),
      projected: alarm(NOW),
    });
    expect(parts).toEqual({
      webhook: { object: ["purchases 3", "connections 1", "alarm 1"], d1: [] },
      projected: { object: ["meta 1", "alarm 1"], d1: ["purchase_sample 5"] },
    });
    expect(countOf(parts["webhook"]?.object ?? [])).toBeLessThanOrEqual(6);
  });

  test("whose points nobody spends: 11 rows more in its object and 2 in D1 for two notices and the expiry", async ({ expect }) => {
    const user = await consenting();
    await billed(user, {
      webhook: webhook({}),
      projected: alarm(NOW),
      confirmed: alarm(at("2026-12-12")),
    });
    // The other purchase of the book expires before, and is over then.
    await billed(user, {
      other: alarm(at("2028-10-10")),
      week: alarm(at("2028-11-02")),
      expired: alarm(at("2028-11-09")),
    });
    const parts = await billed(user, {
      month: alarm(at("2028-11-12")),
      week: alarm(at("2028-12-05")),
      expired: alarm(at("2028-12-12")),
    });
    expect(parts).toEqual({
      month: { object: ["lots 3", "alarm 1"], d1: [] },
      week: { object: ["lots 3", "alarm 1"], d1: [] },
      expired: {
        object: ["transactions 1", "lots 1", "meta 1"],
        d1: ["counters 1", "ledger_heads 1"],
      },
    });
    expect(sums(parts)).toEqual([11, 2]);
  });
});
