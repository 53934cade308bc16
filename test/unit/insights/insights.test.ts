// Insights' pure parts: the notice's text, what becomes of a purchase in the sample, and what a
// draft would have cost.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noticeMail } from "../../../src/insights/notice-mail.ts";
import { startDryRun } from "../../../src/insights/dry-run.ts";
import type { DryRunPurchase } from "../../../src/insights/dry-run.ts";
import {
  goneIds,
  pseudonymsOf,
  SAMPLE_BUCKETS,
  SAMPLE_DAYS_AHEAD,
  SAMPLE_DAYS_MAX,
  sampleRows,
} from "../../../src/insights/sample.ts";
import type { UserId } from "../../../src/kernel/ids.ts";
import type { Keyring } from "../../../src/kernel/keyring.ts";
import { addDays, parisDate } from "../../../src/kernel/time.ts";
import { decideEarning } from "../../../src/ledger/earning/rules.ts";
import {
  SAMPLE_DAYS as TOLD_DAYS,
  SAMPLE_DAYS_AHEAD as TOLD_DAYS_AHEAD,
} from "../../../src/ledger/projection/change-feeds.ts";
import type { OfferTerms, SampleItem } from "../../../src/ledger/ports.ts";
import { makeTerms, PROGRAMME } from "../ledger/earning-factories.ts";

const KEYS: Keyring = {
  active: "i2",
  keys: new Map([["i1", new Uint8Array(32).fill(1)], ["i2", new Uint8Array(32).fill(2)]]),
};
const LEA = "usr_0197d000-0000-7000-8000-0000000000aa" as UserId;
const TOM = "usr_0197d000-0000-7000-8000-0000000000bb" as UserId;
const item = (row: number, day: string): SampleItem => ({
  row,
  purchase: { day, brandId: "brd_a", cents: 3490 },
});

describe("the notice of an expiry", () => {
  const task = { points: 1234, expiresOn: "2026-12-24" };

  test("says in French how much and until which day", () => {
    const mail = noticeMail(task, 1234, "fr");
    expect(mail.subject).toBe("Vos points Cagnotte expirent bientôt");
    expect(mail.text.replaceAll(/\s/g, " ")).toContain(
      "1 234 de vos points (12,34 €) expirent bientôt : vous pouvez les utiliser jusqu'au 23 décembre 2026 inclus",
    );
    expect(mail.html).toContain(`lang="fr"`);
  });

  test("says it in English", () => {
    expect(noticeMail(task, 1234, "en").text).toContain(
      "1,234 of your points (€12.34) expire soon: you can use them until 23 December 2026 inclusive",
    );
  });

  test("names the last day across a month and a year", () => {
    expect(noticeMail({ points: 1, expiresOn: "2027-01-01" }, 1, "en").text).toContain(
      "31 December 2026",
    );
  });
});

describe("a row of the sample", () => {
  test("lies within the same days for the ledger that projects it and for the sample that forgets it", () => {
    expect([SAMPLE_DAYS_MAX, SAMPLE_DAYS_AHEAD]).toEqual([TOLD_DAYS, TOLD_DAYS_AHEAD]);
  });

  test("keeps one pseudonym within a month and has another in the next", () => {
    const [first, same, next] = sampleRows(KEYS, LEA, [
      item(1, "2026-10-01"),
      item(2, "2026-10-31"),
      item(3, "2026-11-01"),
    ]);
    expect(same?.pseudonym).toBe(first?.pseudonym);
    expect(next?.pseudonym).not.toBe(first?.pseudonym);
    expect(same?.bucket).toBe(first?.bucket);
  });

  test("shares nothing with another user's and names neither user nor purchase", () => {
    const rows = [
      ...sampleRows(KEYS, LEA, [item(1, "2026-10-01")]),
      ...sampleRows(KEYS, TOM, [item(2, "2026-10-01")]),
    ];
    expect(new Set(rows.map((row) => row.pseudonym)).size).toBe(2);
    expect(JSON.stringify(rows)).not.toMatch(/usr_|pur_/);
    for (const { bucket } of rows) expect(bucket >= 0 && bucket < SAMPLE_BUCKETS).toBe(true);
  });

  test("is the same row when it is projected again, also under the ring's next key", () => {
    const older: Keyring = { active: "i1", keys: KEYS.keys };
    const [before] = sampleRows(older, LEA, [item(1, "2026-10-01")]);
    const [after] = sampleRows(KEYS, LEA, [item(1, "2026-10-01")]);
    expect(after?.id).not.toBe(before?.id);
    expect(after?.otherIds).toEqual([before?.id]);
  });

  test("that counts no more is named under every key, and is nobody else's of the same number", () => {
    const gone: SampleItem = { row: 1, purchase: null };
    const [kept] = sampleRows(KEYS, LEA, [item(1, "2026-10-01"), gone]);
    expect(goneIds(KEYS, LEA, [gone, item(2, "2026-10-01")])).toEqual([
      kept?.id,
      ...(kept?.otherIds ?? []),
    ]);
    expect(goneIds(KEYS, TOM, [gone])).not.toContain(kept?.id);
  });

  test("is found at a withdrawal for every day that the sample may hold, under every key", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2030, 0, 1) }),
        fc.integer({ min: -SAMPLE_DAYS_AHEAD, max: SAMPLE_DAYS_MAX }),
        fc.constantFrom("i1", "i2"),
        (nowMs, age, kid) => {
          const [row] = sampleRows({ active: kid, keys: KEYS.keys }, LEA, [
            item(1, addDays(parisDate(nowMs), -age)),
          ]);
          expect(pseudonymsOf(KEYS, LEA, nowMs)).toContain(row?.pseudonym);
        },
      ),
    );
  });
});

const SAMPLE = { from: "2026-10-01", to: "2026-11-30", rows: 3, users: 2, buckets: SAMPLE_BUCKETS };

function dryRun(terms: Partial<OfferTerms>, purchases: readonly DryRunPurchase[]) {
  const run = startDryRun(makeTerms(terms), decideEarning, PROGRAMME);
  run.take(purchases);
  return run.report(SAMPLE);
}

const bought = (day: string, cents: number, pseudonym = "p1"): DryRunPurchase => ({
  day,
  cents,
  pseudonym,
});

describe("a dry run", () => {
  test("adds up what each purchase would have earned, by month", () => {
    const report = dryRun({}, [
      bought("2026-10-02", 3490),
      bought("2026-10-03", 1000),
      bought("2026-11-01", 10),
    ]);
    expect(report).toEqual({
      purchases: 3,
      eligible: 2,
      points: 134,
      costCents: 134,
      byReason: { below_minimum: 1, offer_applied: 2 },
      byMonth: [
        { month: "2026-10", purchases: 2, eligible: 2, points: 134, costCents: 134 },
        { month: "2026-11", purchases: 1, eligible: 0, points: 0, costCents: 0 },
      ],
      sample: SAMPLE,
      assumptions: ["always_in_force"],
    });
  });

  test("asks a draft that starts tomorrow as if it had been in force, and says what else it assumed", () => {
    const future = {
      startsAtMs: Date.UTC(2030, 0, 1),
      endsAtMs: Date.UTC(2030, 1, 1),
      activation: "required",
      activationDays: 7,
      channel: "online",
      firstPurchaseOnly: true,
    } as const;
    const report = dryRun(future, [
      bought("2026-10-02", 3490),
      bought("2026-10-05", 3490),
      bought("2026-10-05", 3490, "p2"),
    ]);
    expect([report.eligible, report.byReason]).toEqual([2, {
      not_first_purchase: 1,
      offer_applied: 2,
    }]);
    expect(report.assumptions).toEqual([
      "always_in_force",
      "always_activated",
      "channel_matches",
      "users_restart_monthly",
    ]);
  });

  test("counts caps for each user and period", () => {
    const weekly = dryRun({ capPointsPerUser: 150, period: "week" }, [
      bought("2026-10-05", 3490),
      bought("2026-10-06", 3490),
      bought("2026-10-07", 3490),
      bought("2026-10-12", 3490),
      bought("2026-10-12", 3490, "p2"),
    ]);
    // 104, then the 46 that are left, then nothing; a new week and another user start anew.
    expect([weekly.points, weekly.byReason]).toEqual([104 + 46 + 104 + 104, {
      cap_reached: 1,
      offer_applied: 4,
    }]);
    const once = dryRun({ capPurchasesPerUser: 1 }, [
      bought("2026-10-05", 3490),
      bought("2026-10-06", 3490),
    ]);
    expect(once.points).toBe(104);
  });

  test("stops at the budget, and a smaller purchase may still fit", () => {
    const report = dryRun({ budgetPoints: 150 }, [
      bought("2026-10-05", 3490),
      bought("2026-10-06", 3490, "p2"),
      bought("2026-10-07", 1000, "p3"),
    ]);
    expect([report.points, report.byReason]).toEqual([134, {
      budget_exhausted: 1,
      offer_applied: 2,
    }]);
  });

  test("gives the same report however the purchases are paged, within budget and with reasons that add up", () => {
    const purchase = fc.record({
      day: fc.integer({ min: 0, max: 80 }).map((days) => addDays("2026-09-01", days)),
      cents: fc.integer({ min: 0, max: 20_000 }),
      pseudonym: fc.constantFrom("a", "b", "c"),
    });
    fc.assert(
      fc.property(
        fc.array(purchase, { maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
        fc.option(fc.integer({ min: 1, max: 2000 }), { nil: null }),
        (found, size, budgetPoints) => {
          const sorted = [...found].sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
          const terms = { budgetPoints, capPointsPerUser: 300, period: "month" } as const;
          const paged = startDryRun(makeTerms(terms), decideEarning, PROGRAMME);
          for (let at = 0; at < sorted.length; at += size) {
            paged.take(
              sorted.slice(at, at + size),
            );
          }
          const report = paged.report(SAMPLE);
          expect(report).toEqual(dryRun(terms, sorted));
          expect(Object.values(report.byReason).reduce((sum, n) => sum + n, 0)).toBe(sorted.length);
          expect(report.points).toBeLessThanOrEqual(budgetPoints ?? Infinity);
          expect(report.byMonth.reduce((sum, month) => sum + month.points, 0)).toBe(report.points);
        },
      ),
    );
  });
});
