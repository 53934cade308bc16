// What the ledgers' alarms bring out: expiry notices by mail, the statistics sample, the counters;
// and the rebuild of it all.
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { BrandId, PurchaseId, UserId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { createEngine } from "../../src/ledger/engine.ts";
import { openDatabase } from "../../src/db/database.ts";
import { objectSql } from "../../src/ledger/book/sql.ts";
import { sampleStore } from "../../src/insights/sample-store.ts";
import { sampleRows } from "../../src/insights/sample.ts";
import { UserLedger } from "../../src/platform/cloudflare/user-ledger.ts";
import { at, batch, row } from "../contract/ledger-factories.ts";
import { countD1 } from "../support/count-d1.ts";
import { mailbox } from "../support/mailbox.ts";
import { bindings, insightsApp, rowsOf } from "../support/insights-app.ts";
import type { InsightsApp } from "../support/insights-app.ts";

const NOW = at("2026-11-14");
let app: InsightsApp;
let people = 0;
const someone = (...rest: [("statistics" | "terms")[]?, ("fr" | "en")?]): Promise<UserId> =>
  app.user(`insights${(people += 1)}@example.fr`, ...rest);

beforeAll(async () => {
  app = await insightsApp(2);
});
afterEach(() => vi.unstubAllGlobals());

describe("an expiry notice", () => {
  const [month, week, expiry] = [at("2028-11-13"), at("2028-12-06"), at("2028-12-13")];

  async function withPoints(locale: "fr" | "en"): Promise<{ id: UserId; email: string }> {
    const id = await someone([], locale);
    await app.stubOf(id).record(batch([row("1")]), NOW);
    await app.stubOf(id).runDue(null, NOW);
    return { id, email: `insights${people}@example.fr` };
  }

  test("leaves 30 and 7 days before, each once, and then the points expire", async () => {
    const sent = mailbox();
    const { id, email } = await withPoints("fr");
    await app.stubOf(id).runDue(null, at("2028-11-01"));
    expect(sent).toEqual([]);
    for (const time of [month, month + 1, week, week + 1]) await app.stubOf(id).runDue(null, time);
    expect(sent.map(({ to, subject }) => [to, subject])).toEqual([[
      email,
      "Vos points Cagnotte expirent bientôt",
    ], [email, "Vos points Cagnotte expirent bientôt"]]);
    expect(sent[0]?.text).toContain("11 décembre 2028");
    expect(await app.stubOf(id).points(null, expiry)).toMatchObject({
      value: { balances: { available: 0 } },
    });
  });

  test("is written in the user's language", async () => {
    const sent = mailbox();
    const { id } = await withPoints("en");
    await app.stubOf(id).runDue(null, month);
    expect(sent.map(({ subject }) => subject)).toEqual(["Your Cagnotte points expire soon"]);
  });

  test("that the provider refuses is not noted, is tried again after an hour, and nothing expires", async () => {
    let code = 500;
    const sent = mailbox(() => code);
    const { id } = await withPoints("fr");
    await app.stubOf(id).runDue(null, month);
    code = 202;
    await app.stubOf(id).runDue(null, month + 1000);
    expect(sent).toEqual([]);
    expect(await app.stubOf(id).points(null, expiry)).toMatchObject({
      value: { balances: { available: 104 } },
    });
    await app.stubOf(id).runDue(null, expiry);
    expect(sent).toHaveLength(1);
    // Announced late: a week is left from there.
    expect(await app.stubOf(id).points(null, at("2028-12-19"))).toMatchObject({
      value: { balances: { available: 104 } },
    });
    expect(await app.stubOf(id).points(null, at("2028-12-21"))).toMatchObject({
      value: { balances: { available: 0 } },
    });
  });

  test("leaves once when two rounds run at the same time", async () => {
    const sent = mailbox();
    const { id } = await withPoints("fr");
    await Promise.all([
      app.stubOf(id).runDue(null, month),
      app.stubOf(id).runDue(null, month),
      app.stubOf(id).runDue(null, month),
    ]);
    expect(sent).toHaveLength(1);
  });

  test("is not sent to somebody who is being erased, and blocks nothing else", async () => {
    const sent = mailbox();
    const { id } = await withPoints("fr");
    await bindings.DB.prepare("UPDATE users SET state = 'erasing' WHERE id = ?").bind(id).run();
    expect(await app.stubOf(id).runDue(null, month)).toEqual({ ok: true, value: { more: false } });
    expect(sent).toEqual([]);
  });
});

const sampleOf = (brandId: BrandId) =>
  rowsOf<{ id: string; day: string; cents: number; pseudonym: string; bucket: number }>(
    "SELECT * FROM purchase_sample WHERE brand_id = ? ORDER BY day, cents",
    brandId,
  );
const brand = (name: string) => ({ id: `brd_${name}` as BrandId, matched: name });
const size = async () =>
  (await rowsOf<{ size: number }>("SELECT size FROM purchase_sample_state"))[0]?.size;

describe("the sample", () => {
  test("holds a consenting user's purchases without a label or a name of theirs", async () => {
    const id = await someone(["statistics"]);
    await app.stubOf(id).record(
      batch([
        row("1", { brand: brand("kept") }),
        row("2", { brand: brand("kept"), purchasedOn: "2026-10-30", amountCents: 100 }),
        row("3", { brand: null }),
      ]),
      NOW,
    );
    await app.stubOf(id).runDue(null, NOW);
    const rows = await sampleOf(brand("kept").id);
    expect(rows.map(({ day, cents }) => [day, cents])).toEqual([["2026-10-30", 100], [
      "2026-11-12",
      3490,
    ]]);
    expect(rows[0]?.pseudonym).not.toBe(rows[1]?.pseudonym);
    expect(JSON.stringify(rows)).not.toMatch(/usr_|pur_|cipher|MONOPRIX/);
  });

  test("holds nothing of a user who did not consent, also not later", async () => {
    const id = await someone();
    await app.stubOf(id).record(batch([row("1", { brand: brand("silent") })]), NOW);
    await app.stubOf(id).runDue(null, NOW);
    expect(await sampleOf(brand("silent").id)).toEqual([]);
    await app.identity.service.decide(id, "statistics", true, "1");
    await app.stubOf(id).runDue(null, NOW);
    expect(await sampleOf(brand("silent").id)).toEqual([]);
  });

  test("takes a purchase once, however often it is projected", async () => {
    const id = await someone(["statistics"]);
    await app.stubOf(id).record(batch([row("1", { brand: brand("once") })]), NOW);
    await app.stubOf(id).runDue(null, NOW);
    const before = await size();
    // As if the object had died between the write and its mark.
    await runInDurableObject(
      app.stubOf(id),
      (_object, state) =>
        void state.storage.sql.exec("DELETE FROM meta WHERE name = 'sample_looked_at'"),
    );
    await app.stubOf(id).runDue(null, NOW);
    expect(await sampleOf(brand("once").id)).toHaveLength(1);
    expect(await size()).toBe(before);
  });

  test("loses a user's rows at the withdrawal, and a late alarm adds none", async () => {
    const [leaving, staying] = [await someone(["statistics"]), await someone(["statistics"])];
    for (const id of [leaving, staying]) {
      await app.stubOf(id).record(
        batch([
          row("1", { brand: brand("left") }),
          row("2", { brand: brand("left"), purchasedOn: "2026-09-01" }),
        ]),
        NOW,
      );
      await app.stubOf(id).runDue(null, NOW);
    }
    await app.stubOf(leaving).record(batch([row("3", { brand: brand("left") })]), NOW);
    await app.identity.service.decide(leaving, "statistics", false, "1");
    await app.privacy.statisticsWithdrawn(leaving);
    await app.stubOf(leaving).runDue(null, NOW);
    const rows = await sampleOf(brand("left").id);
    expect(rows).toHaveLength(2);
    await app.privacy.erase(staying);
    expect(await sampleOf(brand("left").id)).toEqual([]);
  });

  test("is left at every withdrawal of the consent that it needs, and of no other", async () => {
    const id = await someone(["statistics", "terms"]);
    await app.identity.service.decide(id, "terms", false, "1");
    await app.identity.service.decide(id, "statistics", true, "2");
    expect(app.identity.leftStatistics).not.toContain(id);
    await app.identity.service.decide(id, "statistics", false, "2");
    await app.identity.service.decide(id, "statistics", false, "2");
    expect(app.identity.leftStatistics.filter((left) => left === id)).toHaveLength(2);
  });

  test("never holds more than 100 000 rows, and makes room by whole months of users", async () => {
    const id = await someone(["statistics"]);
    await bindings.DB.prepare("UPDATE purchase_sample_state SET size = 99999").run();
    await app.stubOf(id).record(
      batch([
        row("1", { brand: brand("full") }),
        row("2", { brand: brand("full"), amountCents: 1 }),
      ]),
      NOW,
    );
    await app.stubOf(id).runDue(null, NOW);
    expect([(await sampleOf(brand("full").id)).length, await size()]).toEqual([1, 100_000]);
    const [taken] = await sampleOf(brand("full").id);
    await app.sample.tidy("2026-01-01", "2027-01-01");
    expect(await rowsOf("SELECT threshold FROM purchase_sample_state")).toEqual([{
      threshold: 32_768,
    }]);
    expect((await sampleOf(brand("full").id)).length).toBe((taken?.bucket ?? 0) < 32_768 ? 1 : 0);
    expect(await rowsOf("SELECT id FROM purchase_sample WHERE bucket >= 32768")).toEqual([]);
    await bindings.DB.prepare(
      "UPDATE purchase_sample_state SET size = (SELECT count(*) FROM purchase_sample), threshold = 65536",
    ).run();
  });

  test("takes no bucket above its threshold, nothing of somebody who is being erased, and no row under a second key", async () => {
    const id = await someone(["statistics"]);
    const [own] = sampleRows(app.index, id, [{
      row: 1,
      purchase: { day: "2026-11-12", brandId: "brd_threshold", cents: 5 },
    }]);
    if (own === undefined) throw new Error("no row");
    const rows = () => sampleOf("brd_threshold");
    await bindings.DB.prepare("UPDATE purchase_sample_state SET threshold = 1").run();
    await app.sample.add(id, [{ ...own, bucket: 1 }]);
    expect(await rows()).toEqual([]);
    await bindings.DB.prepare("UPDATE purchase_sample_state SET threshold = 65536").run();
    await bindings.DB.prepare("UPDATE users SET state = 'erasing' WHERE id = ?").bind(id).run();
    await app.sample.add(id, [own]);
    expect(await rows()).toEqual([]);
    await bindings.DB.prepare("UPDATE users SET state = 'active' WHERE id = ?").bind(id).run();
    await app.sample.add(id, [own]);
    await app.sample.add(id, [{ ...own, id: "i2.other", otherIds: [own.id] }]);
    expect((await rows()).map((row) => row.id)).toEqual([own.id]);
  });

  test("forgets what is older than the day it is projected", async () => {
    const id = await someone(["statistics"]);
    await app.stubOf(id).record(
      batch([
        row("1", { brand: brand("old"), purchasedOn: "2026-10-01" }),
        row("2", { brand: brand("old") }),
      ]),
      NOW,
    );
    await app.stubOf(id).runDue(null, NOW);
    await app.sample.tidy("2026-10-02", "2026-11-16");
    expect((await sampleOf(brand("old").id)).map(({ day }) => day)).toEqual(["2026-11-12"]);
  });

  test("forgets what is dated after the day it is projected, which no withdrawal would find", async () => {
    const id = await someone(["statistics"]);
    const [edge, ahead] = sampleRows(
      app.index,
      id,
      ["2026-11-16", "2026-11-17"].map((day, index) => ({
        row: index,
        purchase: { day, brandId: brand("ahead").id, cents: 1 },
      })),
    );
    if (edge === undefined || ahead === undefined) throw new Error("no rows");
    await app.sample.add(id, [edge, ahead]);
    await app.sample.tidy("2026-08-16", "2026-11-16");
    expect((await sampleOf(brand("ahead").id)).map(({ day }) => day)).toEqual(["2026-11-16"]);
    // And the ledger offers none, also when a person let it count.
    await app.stubOf(id).record(
      batch([row("1", { brand: brand("ahead"), purchasedOn: "2027-05-01" })]),
      NOW,
    );
    await app.stubOf(id).runDue(null, NOW);
    expect(await sampleOf(brand("ahead").id)).toHaveLength(1);
  });

  test("follows the bank: an amended row is there as it is now, a deleted one is gone", async () => {
    const id = await someone(["statistics"]);
    const project = async (
      lastUpdateMs: number,
      ...rows: [string, number, "booked" | "deleted", string?][]
    ) => {
      await app.stubOf(id).record(
        batch(
          rows.map(([key, amountCents, state, to = "amended"]) =>
            row(key, { lastUpdateMs, amountCents, state, brand: brand(to) })
          ),
        ),
        NOW,
      );
      await app.stubOf(id).runDue(null, NOW);
    };
    await project(1000, ["a", 6000, "booked"], ["b", 5000, "booked"], ["c", 4000, "booked"]);
    const before = await size();
    await project(2000, ["a", 100_000, "booked"], ["b", 5000, "deleted"], [
      "c",
      4000,
      "booked",
      "moved",
    ]);
    expect((await sampleOf(brand("amended").id)).map(({ cents }) => cents)).toEqual([100_000]);
    expect((await sampleOf(brand("moved").id)).map(({ cents }) => cents)).toEqual([4000]);
    expect(await size()).toBe((before ?? 0) - 1);
    // As projected already: not a row is written.
    const counted = countD1(bindings.DB);
    const [same] = sampleRows(app.index, id, [{
      row: 1,
      purchase: { day: "2026-11-12", brandId: brand("amended").id, cents: 100_000 },
    }]);
    if (same === undefined) throw new Error("no row");
    await sampleStore(openDatabase(counted.db)).add(id, [same]);
    expect(counted.count).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
    await expect(bindings.DB.prepare("UPDATE purchase_sample SET cents = 1").run()).rejects.toThrow(
      "the sample is not changed",
    );
  });

  test("lets go of what was amended after the consent was withdrawn, and takes it no more", async () => {
    const id = await someone(["statistics"]);
    await app.stubOf(id).record(batch([row("1", { brand: brand("later") })]), NOW);
    await app.stubOf(id).runDue(null, NOW);
    await app.identity.service.decide(id, "statistics", false, "1");
    await app.stubOf(id).record(
      batch([row("1", { brand: brand("later"), lastUpdateMs: 2000, amountCents: 9 })]),
      NOW,
    );
    await app.stubOf(id).runDue(null, NOW);
    expect(await sampleOf(brand("later").id)).toEqual([]);
  });

  test("costs a record no D1 write: the alarm does it", async () => {
    const id = await someone(["statistics"]);
    await app.stubOf(id).record(batch([row("1", { brand: brand("hot") })]), NOW);
    expect(await sampleOf(brand("hot").id)).toEqual([]);
  });
});

describe("waiting rows", () => {
  test("leave with their erased user, decided or not, and nobody else's do", async () => {
    const [gone, other] = [await someone(), await someone()];
    for (const id of [gone, other]) {
      await app.stubOf(id).record(
        batch([row("1", { review: "amount_precision" }), row("2", { review: "date_absurd" })]),
        NOW,
      );
      await app.stubOf(id).runDue(null, NOW);
    }
    const rows = (id: UserId) => rowsOf("SELECT state FROM reviews WHERE user_id = ?", id);
    await bindings.DB.prepare(
      "UPDATE reviews SET state = 'closed', closed_at_ms = 1 WHERE user_id = ? AND why = 'amount_precision'",
    ).bind(gone).run();
    expect(await rows(gone)).toHaveLength(2);
    for (let time = 0; time < 2; time++) await app.privacy.erase(gone);
    expect(await rows(gone)).toEqual([]);
    expect(await rows(other)).toHaveLength(2);
  });

  test("reach the operators however many a user has", async () => {
    const id = await someone();
    for (let first = 0; first < 1200; first += 400) {
      await app.stubOf(id).record(
        batch(
          Array.from(
            { length: 400 },
            (_, index) => row(`w${first + index}`, { review: "amount_precision" }),
          ),
        ),
        NOW,
      );
    }
    await app.stubOf(id).runDue(null, NOW);
    expect(
      await rowsOf("SELECT count(*) AS n FROM reviews WHERE user_id = ? AND state = 'open'", id),
    ).toEqual([{ n: 1200 }]);
  });

  const projected = (id: UserId) =>
    rowsOf(
      "SELECT state, decision, decided_by FROM reviews WHERE user_id = ? ORDER BY decision IS NULL",
      id,
    );
  const decide = async (id: UserId, decision: "count" | "refuse") => {
    const [held] = await rowsOf<{ purchase_id: PurchaseId }>(
      "SELECT purchase_id FROM reviews WHERE user_id = ?",
      id,
    );
    const decided = await app.reviews.decide({
      purchaseId: held?.purchase_id ?? "pur_",
      decision,
      purchasedOn: null,
      reason: null,
      by: "alice",
      listedPerson: true,
      event: {
        actorKind: "operator",
        actor: "alice",
        action: "review.decide",
        target: "x",
        details: {},
      },
    });
    expect(decided).toMatchObject({ ok: true });
  };

  async function held(): Promise<UserId> {
    const id = await someone();
    await app.stubOf(id).record(batch([row("1", { review: "amount_precision" })]), NOW);
    await app.stubOf(id).runDue(null, NOW);
    return id;
  }

  /** An alarm whose D1 lets something else happen before its `nth` call. */
  async function alarmWith(
    id: UserId,
    nth: number,
    meanwhile: () => Promise<unknown>,
  ): Promise<void> {
    let calls = 0;
    const turn = async (): Promise<void> => {
      if ((calls += 1) === nth) await meanwhile();
    };
    const slow = {
      prepare: (query: string) => bindings.DB.prepare(query),
      batch: async (statements: D1PreparedStatement[]) => {
        await turn();
        return await bindings.DB.batch(statements);
      },
    } as unknown as D1Database;
    await runInDurableObject(
      app.stubOf(id),
      async (_object, state) =>
        void (await new UserLedger(state, { ...bindings, DB: slow }).runDue(null, NOW)),
    );
    expect(calls).toBeGreaterThanOrEqual(nth);
  }

  test("stay decided when an alarm that had asked before projects after the decision", async () => {
    const id = await held();
    // A change of another row, so that the alarm has something to project; the first row still
    // waits when it asks. No shell, so no alarm rings before.
    await runInDurableObject(app.stubOf(id), (_object, state) => {
      const engine = createEngine({
        sql: objectSql(state.storage),
        random: systemRandomBytes,
        userId: id,
      });
      expect(engine.record(batch([row("2", { review: "date_absurd" })]), NOW)).toMatchObject({
        ok: true,
      });
    });
    await alarmWith(id, 1, () => decide(id, "refuse"));
    expect((await projected(id))[0]).toEqual({
      state: "closed",
      decision: "refuse",
      decided_by: "alice",
    });
    await app.stubOf(id).runDue(null, NOW);
    expect(await projected(id)).toEqual([{
      state: "closed",
      decision: "refuse",
      decided_by: "alice",
    }, {
      state: "open",
      decision: null,
      decided_by: null,
    }]);
  });

  test("open again when the bank's newer version holds what was decided", async () => {
    const id = await held();
    await decide(id, "refuse");
    await app.stubOf(id).record(
      batch([row("1", { review: "amount_precision", lastUpdateMs: 2000 })]),
      NOW,
    );
    await app.stubOf(id).runDue(null, NOW);
    expect(await projected(id)).toEqual([{ state: "open", decision: null, decided_by: null }]);
  });
});
