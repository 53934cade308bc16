// The Paris calendar: the days on which a clock change makes 23 or 25 hours are where dates go
// wrong.
import * as fc from "fast-check";
import { describe, it } from "vitest";
import {
  addDays,
  addMonths,
  addParisDays,
  ageOn,
  DAY_MS,
  daysBetween,
  durationToMs,
  HOUR_MS,
  isDate,
  parisDate,
  parisToMs,
  periodKey,
  toInstant,
} from "../../../src/kernel/time.ts";

// Last Sundays of March and October (directive 2000/84/EC), at 01:00 UTC.
const CHANGES = [
  ["2024-03-31", "2024-10-27"],
  ["2025-03-30", "2025-10-26"],
  ["2026-03-29", "2026-10-25"],
  ["2027-03-28", "2027-10-31"],
  ["2028-03-26", "2028-10-29"],
] as const;

const day = fc.integer({ min: Date.UTC(1996, 0, 1) / DAY_MS, max: Date.UTC(2037, 11, 31) / DAY_MS })
  .map((days) => new Date(days * DAY_MS).toISOString().slice(0, 10));

describe("Paris time", () => {
  it("knows both changes of several years", ({ expect }) => {
    for (const [spring, autumn] of CHANGES) {
      expect(parisToMs(addDays(spring, 1)) - parisToMs(spring), spring).toBe(23 * HOUR_MS);
      expect(parisToMs(addDays(autumn, 1)) - parisToMs(autumn), autumn).toBe(25 * HOUR_MS);
      expect(toInstant(parisToMs(spring, "01:59:59"))).toBe(`${spring}T00:59:59.000Z`);
      expect(toInstant(parisToMs(spring, "03:00:00"))).toBe(`${spring}T01:00:00.000Z`);
      expect(toInstant(parisToMs(autumn, "03:00:00"))).toBe(`${autumn}T02:00:00.000Z`);
    }
  });

  it("moves a skipped time an hour on and takes the first pass of a repeated one", ({ expect }) => {
    for (const [spring, autumn] of CHANGES) {
      expect(toInstant(parisToMs(spring, "02:30:00"))).toBe(`${spring}T01:30:00.000Z`);
      expect(toInstant(parisToMs(autumn, "02:30:00"))).toBe(`${autumn}T00:30:00.000Z`);
    }
  });

  it("puts midnight on the right side in winter and in summer", ({ expect }) => {
    expect(parisDate(Date.parse("2026-01-15T22:59:59.999Z"))).toBe("2026-01-15");
    expect(parisDate(Date.parse("2026-01-15T23:00:00.000Z"))).toBe("2026-01-16");
    expect(parisDate(Date.parse("2026-07-15T21:59:59.999Z"))).toBe("2026-07-15");
    expect(parisDate(Date.parse("2026-07-15T22:00:00.000Z"))).toBe("2026-07-16");
  });

  it("goes from a day to its first instant and back, and the instant before lies in the day before", ({ expect }) => {
    fc.assert(
      fc.property(day, (date) => {
        const start = parisToMs(date);
        expect(parisDate(start)).toBe(date);
        expect(parisDate(start - 1)).toBe(addDays(date, -1));
        expect(parisDate(parisToMs(date, "23:59:59"))).toBe(date);
      }),
      { numRuns: 500 },
    );
  });
});

describe("addParisDays()", () => {
  it("keeps the time on the clocks over both changes of several years", ({ expect }) => {
    for (const [spring, autumn] of CHANGES) {
      expect(addParisDays(parisToMs(addDays(spring, -1), "23:30:00"), 1)).toBe(
        parisToMs(spring, "23:30:00"),
      );
      expect(addParisDays(parisToMs(spring), 1) - parisToMs(spring)).toBe(23 * HOUR_MS);
      expect(addParisDays(parisToMs(autumn), 1) - parisToMs(autumn)).toBe(25 * HOUR_MS);
      // 02:30 is skipped in spring, and the first of two in autumn.
      expect(toInstant(addParisDays(parisToMs(addDays(spring, -1), "02:30:00"), 1))).toBe(
        `${spring}T01:30:00.000Z`,
      );
      expect(toInstant(addParisDays(parisToMs(addDays(autumn, -1), "02:30:00"), 1))).toBe(
        `${autumn}T00:30:00.000Z`,
      );
    }
  });

  it("keeps the milliseconds, and moves the Paris day by exactly that many days", ({ expect }) => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(1996, 0, 1), max: Date.UTC(2037, 11, 31) }),
        fc.integer({ min: 0, max: 400 }),
        (ms, days) => {
          const later = addParisDays(ms, days);
          expect(later % 1000).toBe(ms % 1000);
          expect(parisDate(later)).toBe(addDays(parisDate(ms), days));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("calendar days", () => {
  it("adds and counts days exactly, also across changes of the clock", ({ expect }) => {
    fc.assert(fc.property(day, fc.integer({ min: -5000, max: 5000 }), (date, days) => {
      expect(daysBetween(date, addDays(date, days))).toBe(days);
      expect(addDays(addDays(date, days), -days)).toBe(date);
    }));
  });

  it("accepts real days only", ({ expect }) => {
    for (const text of ["2024-02-29", "2026-12-31", "0001-01-01"]) {
      expect(isDate(text), text).toBe(true);
    }
    for (
      const text of [
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-04-31",
        "2026-1-1",
        "20260101",
        "2026-01-01T00:00:00Z",
        "",
        "2026-01-01\n",
      ]
    ) expect(isDate(text), text).toBe(false);
  });

  it("adds months and stays inside a shorter one", ({ expect }) => {
    for (
      const [from, months, to] of [
        ["2026-01-31", 1, "2026-02-28"],
        ["2024-01-31", 1, "2024-02-29"],
        ["2026-03-31", -1, "2026-02-28"],
        ["2026-11-30", 3, "2027-02-28"],
        ["2026-11-23", 24, "2028-11-23"],
        ["2024-02-29", 12, "2025-02-28"],
        ["2026-01-15", -13, "2024-12-15"],
        ["2026-05-31", 0, "2026-05-31"],
      ] as const
    ) expect(addMonths(from, months), `${from} ${months}`).toBe(to);
    fc.assert(fc.property(day, fc.integer({ min: -240, max: 240 }), (date, months) => {
      const later = addMonths(date, months);
      const count = (text: string): number =>
        Number(text.slice(0, 4)) * 12 + Number(text.slice(5, 7));
      expect(count(later) - count(date)).toBe(months);
      expect(Number(later.slice(8))).toBeLessThanOrEqual(Number(date.slice(8)));
    }));
  });

  it("counts an age on the birthday", ({ expect }) => {
    expect(ageOn("2008-11-23", "2026-11-22")).toBe(17);
    expect(ageOn("2008-11-23", "2026-11-23")).toBe(18);
    expect(ageOn("2008-02-29", "2026-02-28")).toBe(17);
    expect(ageOn("2008-02-29", "2026-03-01")).toBe(18);
    expect(ageOn("2008-02-29", "2028-02-29")).toBe(20);
  });
});

describe("periodKey", () => {
  it("is shared by two days exactly when they lie in one week, Monday to Sunday, or one month", ({ expect }) => {
    fc.assert(fc.property(day, fc.integer({ min: 0, max: 40 }), (date, days) => {
      const other = addDays(date, days);
      // 1970-01-05 was a Monday.
      const week = (text: string): number => Math.floor(daysBetween("1970-01-05", text) / 7);
      expect(periodKey("week", date) === periodKey("week", other)).toBe(week(date) === week(other));
      expect(periodKey("month", date) === periodKey("month", other)).toBe(
        date.slice(0, 7) === other.slice(0, 7),
      );
      expect(periodKey("day", date) === periodKey("day", other)).toBe(days === 0);
      expect(periodKey("offer", date)).toBe(periodKey("offer", other));
    }));
  });

  it("keeps the week of New Year whole", ({ expect }) => {
    expect(periodKey("week", "2026-12-31")).toBe(periodKey("week", "2027-01-03"));
    expect(periodKey("week", "2027-01-03")).not.toBe(periodKey("week", "2027-01-04"));
  });
});

describe("durationToMs", () => {
  it("reads weeks, days, hours, minutes and seconds", ({ expect }) => {
    for (
      const [text, ms] of [
        ["P30D", 30 * DAY_MS],
        ["PT10M", 600_000],
        ["P1W", 7 * DAY_MS],
        ["P1DT1H1M1S", DAY_MS + 3_661_000],
        ["PT0S", 0],
        ["P99999D", 99_999 * DAY_MS],
      ] as const
    ) {
      expect(durationToMs(text), text).toBe(ms);
    }
  });

  it("refuses months, years, fractions, signs and empty parts", ({ expect }) => {
    for (
      const text of [
        "",
        "P",
        "PT",
        "P1DT",
        "P1M",
        "P1Y",
        "PT1.5S",
        "-P1D",
        "P-1D",
        "p1d",
        "P1D ",
        "1D",
        "P100000D",
        "PT1S1M",
      ]
    ) expect(durationToMs(text), text).toBeNull();
  });
});
