// Which version of an offer is in force when.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkOfferVersion } from "../../../src/catalogue/terms/check-version.ts";
import { effectiveTerms } from "../../../src/catalogue/terms/effective-terms.ts";
import type { StoredVersion } from "../../../src/catalogue/terms/effective-terms.ts";
import type { OfferVersionInput } from "../../../src/catalogue/terms/version-input.ts";
import { addDays } from "../../../src/kernel/time.ts";
import { termsInForce } from "../../../src/ledger/earning/rules.ts";
import { at } from "../ledger/earning-factories.ts";

function makeInput(changes: Partial<OfferVersionInput> = {}): OfferVersionInput {
  return {
    kind: "percent",
    rate_bp: 300,
    activation: "automatic",
    channel: "any",
    starts_at: "2026-11-01",
    ends_at: null,
    confirmation_days: 30,
    priority: 100,
    ...changes,
  };
}

describe("effectiveTerms()", () => {
  const offer = { id: "off_a", brandId: "brd_a", createdAtMs: 77 } as const;
  const checked = checkOfferVersion(makeInput());
  if (!checked.ok) throw new Error("the input of this test is valid");
  const valid = checked.value;

  function version(
    number: number,
    startsAt: string,
    endsAt: string | null,
    approvedAt: string | null,
  ): StoredVersion {
    const ms = (day: string): number => at(`${day}T00:00:00Z`);
    return {
      ...valid,
      number,
      startsAtMs: ms(startsAt),
      endsAtMs: endsAt === null ? null : ms(endsAt),
      approvedAtMs: approvedAt === null ? null : ms(approvedAt),
    };
  }
  const windows = (versions: readonly StoredVersion[]): string[] =>
    effectiveTerms(offer, versions).map((each) =>
      `v${each.version} ${new Date(each.startsAtMs).toISOString().slice(0, 10)}/${
        each.endsAtMs === null ? ".." : new Date(each.endsAtMs).toISOString().slice(0, 10)
      }`
    );

  const cases: readonly [string, readonly StoredVersion[], readonly string[]][] = [
    ["starts at starts_at when approved before", [version(1, "2026-03-01", null, "2026-02-01")], [
      "v1 2026-03-01/..",
    ]],
    ["starts at starts_at when it is the first, also in the past", [
      version(1, "2026-03-01", null, "2026-04-01"),
    ], ["v1 2026-03-01/.."]],
    ["may be over when it is the first", [version(1, "2026-03-01", "2026-03-10", "2026-04-01")], [
      "v1 2026-03-01/2026-03-10",
    ]],
    ["starts at its approval when it is a later one", [
      version(2, "2026-03-01", null, "2026-04-01"),
    ], ["v2 2026-04-01/.."]],
    ["starts at its approval when it is the first but another was approved before", [
      version(1, "2026-03-01", null, "2026-05-01"),
      version(2, "2026-03-01", null, "2026-04-01"),
    ], ["v2 2026-04-01/2026-05-01", "v1 2026-05-01/.."]],
    ["ends at ends_at", [version(1, "2026-03-01", "2026-05-01", "2026-02-01")], [
      "v1 2026-03-01/2026-05-01",
    ]],
    ["is left out without approval", [version(1, "2026-03-01", null, null)], []],
    ["is left out when it is a later one, approved after its end", [
      version(2, "2026-03-01", "2026-05-01", "2026-05-01"),
    ], []],
    ["ends when the next one starts", [
      version(1, "2026-03-01", null, "2026-02-01"),
      version(2, "2026-06-01", null, "2026-02-02"),
    ], ["v1 2026-03-01/2026-06-01", "v2 2026-06-01/.."]],
    ["ends when the next one is approved, if that is later", [
      version(1, "2026-03-01", null, "2026-02-01"),
      version(2, "2026-03-01", null, "2026-04-01"),
    ], ["v1 2026-03-01/2026-04-01", "v2 2026-04-01/.."]],
    ["ends at its own end when that is earlier", [
      version(1, "2026-03-01", "2026-05-01", "2026-02-01"),
      version(2, "2026-06-01", null, "2026-02-02"),
    ], ["v1 2026-03-01/2026-05-01", "v2 2026-06-01/.."]],
    ["goes on while the next one waits for its second person", [
      version(1, "2026-03-01", null, "2026-02-01"),
      version(2, "2026-06-01", null, null),
    ], ["v1 2026-03-01/.."]],
    ["does not come back when the next one ends", [
      version(1, "2026-03-01", null, "2026-02-01"),
      version(2, "2026-06-01", "2026-07-01", "2026-02-02"),
    ], ["v1 2026-03-01/2026-06-01", "v2 2026-06-01/2026-07-01"]],
    ["goes on when the next one was approved after its own end", [
      version(1, "2026-03-01", null, "2026-02-01"),
      version(2, "2026-06-01", "2026-07-01", "2026-08-01"),
    ], ["v1 2026-03-01/.."]],
    ["is replaced by the first of several to start", [
      version(1, "2026-03-01", null, "2026-02-01"),
      version(2, "2026-08-01", null, "2026-02-02"),
      version(3, "2026-06-01", null, "2026-02-03"),
    ], ["v1 2026-03-01/2026-06-01", "v3 2026-06-01/2026-08-01", "v2 2026-08-01/.."]],
    ["that is planned stays planned when a short one is put before it", [
      version(1, "2026-01-01", null, "2025-12-01"),
      version(2, "2026-06-01", null, "2026-02-02"),
      version(3, "2026-03-01", "2026-03-10", "2026-02-03"),
    ], ["v1 2026-01-01/2026-03-01", "v3 2026-03-01/2026-03-10", "v2 2026-06-01/.."]],
    ["takes the place of an older one with the same start", [
      version(1, "2026-03-01", null, "2026-02-01"),
      version(2, "2026-06-01", null, "2026-02-02"),
      version(3, "2026-06-01", null, "2026-02-03"),
    ], ["v1 2026-03-01/2026-06-01", "v3 2026-06-01/.."]],
    ["counts by its start, whatever the order given", [
      version(2, "2026-06-01", null, "2026-02-02"),
      version(1, "2026-03-01", null, "2026-02-01"),
    ], ["v1 2026-03-01/2026-06-01", "v2 2026-06-01/.."]],
  ];
  it.each(cases)("a version %s", (_name, versions, expected) => {
    expect(windows(versions)).toEqual(expected);
  });

  it("carries the offer and the terms, and nothing of how it was stored", () => {
    const stored = {
      ...version(4, "2026-03-01", null, "2026-02-01"),
      approvedBy: "alice@example.com",
    };
    const { startsAtMs, endsAtMs, ...terms } = valid;
    expect(effectiveTerms(offer, [stored])).toEqual([{
      ...terms,
      offerId: "off_a",
      brandId: "brd_a",
      version: 4,
      offerCreatedAtMs: 77,
      startsAtMs: at("2026-03-01T00:00:00Z"),
      endsAtMs: null,
    }]);
    expect([startsAtMs, endsAtMs]).toEqual([at("2026-11-01T00:00:00+01:00"), null]);
  });

  const day = fc.integer({ min: 0, max: 60 }).map((days) => addDays("2026-03-01", days));
  const history = fc.array(
    fc.tuple(day, fc.option(day, { nil: null }), fc.option(day, { nil: null })),
    { maxLength: 6 },
  )
    .map((list) =>
      list.map(([from, to, approved], index) => version(index + 1, from, to, approved))
    );

  it("never has two versions of an offer in force at one instant, nor a later one in force before its approval", () => {
    fc.assert(
      fc.property(history, (versions) => {
        const terms = effectiveTerms(offer, versions).toSorted((a, b) =>
          a.startsAtMs - b.startsAtMs
        );
        for (const [index, each] of terms.entries()) {
          expect(each.startsAtMs).toBeLessThan(each.endsAtMs ?? Infinity);
          expect(each.endsAtMs ?? Infinity).toBeLessThanOrEqual(
            terms[index + 1]?.startsAtMs ?? Infinity,
          );
          if (each.version > 1) {
            expect(each.startsAtMs).toBeGreaterThanOrEqual(
              versions.find(({ number }) => number === each.version)?.approvedAtMs ?? Infinity,
            );
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("a new version approved now changes nothing of the days before", () => {
    fc.assert(
      fc.property(history, day, day, (versions, startsOn, approvedOn) => {
        const known = versions.filter((each) =>
          (each.approvedAtMs ?? 0) <= at(`${approvedOn}T00:00:00Z`)
        );
        const added = version(known.length + 10, startsOn, null, approvedOn);
        for (let index = 1; addDays(approvedOn, -index) >= "2026-03-01"; index++) {
          const date = addDays(approvedOn, -index);
          const versionsOn = (list: readonly StoredVersion[]): number[] =>
            termsInForce(effectiveTerms(offer, list), date).map((each) => each.version);
          expect(versionsOn([...known, added])).toEqual(versionsOn(known));
        }
      }),
      { numRuns: 200 },
    );
  });
});
