// How fresh a row is: by what the aggregator states, by a read, never by the arrival of a webhook.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { versionTimeOf } from "../../../src/banking/rows/version-time.ts";

const ARRIVED_MS = Date.parse("2026-11-20T12:00:00Z");
const HOUR_MS = 3_600_000;
const webhook = { by: "webhook", atMs: ARRIVED_MS } as const;
const read = { by: "read", atMs: ARRIVED_MS } as const;
const stated = (ms: number, isAmbiguous = false) => ({ ms, isAmbiguous });
const NONE = { updatedAt: null, firstSeenAt: null };

describe("the time of a row's version", () => {
  it("is what the aggregator states", () => {
    for (const arrival of [webhook, read]) {
      expect(versionTimeOf({ ...NONE, updatedAt: stated(ARRIVED_MS - 1) }, arrival)).toEqual({
        lastUpdateMs: ARRIVED_MS - 1,
      });
    }
  });
  it("is unknown where a webhook states none", () => {
    expect(versionTimeOf(NONE, webhook)).toEqual({
      lastUpdateMs: ARRIVED_MS,
      lastUpdateKind: "unstated",
    });
  });
  it("is the time of the read where a read states none", () => {
    expect(versionTimeOf(NONE, read)).toEqual({ lastUpdateMs: ARRIVED_MS });
  });
  it("is when the row was first seen only as long as no read shows how it is now", () => {
    const scraped = { updatedAt: null, firstSeenAt: stated(ARRIVED_MS - HOUR_MS) };
    expect(versionTimeOf(scraped, webhook)).toEqual({ lastUpdateMs: ARRIVED_MS - HOUR_MS });
    expect(versionTimeOf(scraped, read)).toEqual({ lastUpdateMs: ARRIVED_MS });
  });
  it("keeps the mark of the repeated hour", () => {
    expect(versionTimeOf({ ...NONE, updatedAt: stated(ARRIVED_MS - 5, true) }, webhook)).toEqual({
      lastUpdateMs: ARRIVED_MS - 5,
      lastUpdateKind: "repeated_hour",
    });
  });
  it("is never after the arrival", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000, max: 1e14 }),
        fc.boolean(),
        fc.constantFrom(webhook, read),
        (ms, isAmbiguous, arrival) => {
          const updatedAt = stated(ARRIVED_MS + ms, isAmbiguous);
          const { lastUpdateMs } = versionTimeOf({ ...NONE, updatedAt }, arrival);
          expect(lastUpdateMs).toBe(Math.min(ARRIVED_MS + ms, ARRIVED_MS));
        },
      ),
    );
  });
});
