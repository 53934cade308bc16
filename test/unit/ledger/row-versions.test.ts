// Which version of a row is the newer: by the times that the aggregator states, by state and
// arrival where the clocks of October show a time twice, never by the arrival of a row without any
// time.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BankRow } from "../../../src/ledger/ports.ts";
import { isNewerVersion } from "../../../src/ledger/purchases/row-versions.ts";
import type { RowVersion } from "../../../src/ledger/purchases/row-versions.ts";
import { row } from "../../contract/ledger-factories.ts";
import { openBook } from "./book.ts";

const HOUR_MS = 3_600_000;
/** 02:00:00 of 25 October 2026, the first time. */
const TWO_MS = Date.parse("2026-10-25T00:00:00Z");
const DAY = "2026-10-26";

/** A time read from the clocks within the repeated hour, `HH:MM:SS` after two. */
const repeated = (minutes: number, seconds = 0) => ({
  lastUpdateMs: TWO_MS + minutes * 60_000 + seconds * 1000,
  lastUpdateKind: "repeated_hour" as const,
});
const pending = { state: "pending", bookedOn: null } as const;
const october = (more: Partial<BankRow>): BankRow =>
  row("1", { purchasedOn: "2026-10-24", ...more });

describe("in the repeated hour", () => {
  test("a booking at 02:09:59 after a pending row of 02:44:59 is the newer", () => {
    const book = openBook();
    book.record([october({ ...pending, ...repeated(44, 59) })], DAY);
    book.record([october({ ...repeated(9, 59) })], DAY);
    expect(book.only(DAY)).toMatchObject({ state: "booked", verdict: { points: 104 } });
  });

  test("a correction and a deletion with an earlier time on the clocks count too", () => {
    const book = openBook();
    book.record([october({ ...repeated(44) })], DAY);
    book.record([october({ ...repeated(9), amountCents: 1000 })], DAY);
    expect(book.only(DAY)).toMatchObject({ amountCents: 1000, verdict: { points: 30 } });
    book.record([october({ ...repeated(9), amountCents: 2000 })], DAY);
    expect(book.only(DAY).amountCents).toBe(2000);
    book.record([october({ ...repeated(1), state: "deleted" })], DAY);
    expect(book.only(DAY)).toMatchObject({ state: "deleted", verdict: { outcome: "reversed" } });
    expect(book.broken(DAY)).toEqual([]);
  });

  test("what comes again changes nothing, and an earlier state neither", () => {
    const book = openBook();
    const booked = october({ ...repeated(9) });
    book.record([october({ ...pending, ...repeated(44) })], DAY);
    book.record([booked], DAY);
    expect(book.record([booked], DAY)).toMatchObject({ recorded: 0, unchanged: 1 });
    expect(book.record([october({ ...pending, ...repeated(44) })], DAY)).toMatchObject({
      recorded: 0,
      unchanged: 1,
    });
    expect(book.only(DAY).state).toBe("booked");
  });

  test("times outside of it decide against those within", () => {
    const book = openBook();
    book.record([october({ lastUpdateMs: TWO_MS + 2 * HOUR_MS + 1 })], DAY);
    expect(book.record([october({ ...repeated(59, 59), state: "deleted" })], DAY).recorded).toBe(0);
    book.record([october({ lastUpdateMs: TWO_MS + 3 * HOUR_MS, amountCents: 500 })], DAY);
    expect(book.only(DAY).amountCents).toBe(500);
  });

  test("a booking under a new id takes over the pending row", () => {
    const book = openBook();
    book.record([october({ ...pending, ...repeated(44, 59) })], DAY);
    book.record([{ ...october({ ...repeated(9, 59) }), externalId: "2" }], DAY);
    expect(book.only(DAY)).toMatchObject({ state: "booked", verdict: { points: 104 } });
  });
});

describe("a row without any time of its own", () => {
  const unstated = (arrivedMs: number) => ({
    lastUpdateMs: arrivedMs,
    lastUpdateKind: "unstated" as const,
  });

  test("sent again brings no old amount and no deleted purchase back", () => {
    const book = openBook();
    const old = row("1", unstated(1_000));
    book.record([old]);
    book.record([row("1", { lastUpdateMs: 5_000, amountCents: 1000 })]);
    expect(book.record([{ ...old, ...unstated(9_000) }]).recorded).toBe(0);
    expect(book.only().amountCents).toBe(1000);
    book.record([row("1", { lastUpdateMs: 6_000, state: "deleted" })]);
    expect(book.record([{ ...old, ...unstated(10_000) }]).recorded).toBe(0);
    expect(book.only()).toMatchObject({ state: "deleted", verdict: { points: 0 } });
  });

  test("is overwritten by any that has one, also by one that is dated before it came", () => {
    const book = openBook();
    book.record([row("1", unstated(9_000))]);
    book.record([row("1", { lastUpdateMs: 5_000, amountCents: 1000 })]);
    expect(book.only().amountCents).toBe(1000);
  });

  test("overwrites not even another of its kind", () => {
    const book = openBook();
    book.record([row("1", unstated(1_000))]);
    book.record([row("1", { ...unstated(2_000), state: "deleted" })]);
    expect(book.only().state).toBe("booked");
  });

  test("may still be the booking of a pending row", () => {
    const book = openBook();
    book.record([row("1", { ...pending, lastUpdateMs: 9_000 })]);
    book.record([row("2", unstated(5_000))]);
    expect(book.only()).toMatchObject({ state: "booked", verdict: { points: 104 } });
  });
});

describe("for any two versions", () => {
  const version = fc.record<RowVersion>({
    state: fc.constantFrom("pending", "booked", "deleted"),
    lastUpdateMs: fc.integer({ min: 0, max: 8 }).map((half) => TWO_MS + half * (HOUR_MS / 2)),
    lastUpdateKind: fc.constantFrom(null, "repeated_hour", "unstated"),
  });
  test("only arrival within the repeated hour can make each the newer", () => {
    fc.assert(fc.property(version, version, (a, b) => {
      const both = isNewerVersion(a, b, () => true) && isNewerVersion(b, a, () => true);
      if (!both) return;
      expect(a.state).toBe(b.state);
      expect([a.lastUpdateKind, b.lastUpdateKind]).toContain("repeated_hour");
      expect(Math.abs(a.lastUpdateMs - b.lastUpdateMs)).toBeLessThanOrEqual(HOUR_MS);
    }));
  });
  test("the same again is never newer, and an exact later time always is", () => {
    fc.assert(fc.property(version, version, (a, b) => {
      expect(isNewerVersion(a, a, () => false)).toBe(false);
      if (a.lastUpdateKind === null && b.lastUpdateKind === null) {
        if (b.lastUpdateMs > a.lastUpdateMs) {
          expect(isNewerVersion(b, a, () => true)).toBe(true);
          expect(isNewerVersion(a, b, () => true)).toBe(false);
        }
      }
    }));
  });
});
