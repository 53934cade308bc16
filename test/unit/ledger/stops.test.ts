// A stop with immediate effect as the earning rules see it, by the day of the purchase and the time
// of its recording.
import { describe, test } from "vitest";
import { decideEarning } from "../../../src/ledger/earning/rules.ts";
import { at, makeFacts, makeTerms, makeUsage, PROGRAMME } from "./earning-factories.ts";

const STOPPED = at("2026-11-12T10:00:00Z");
const terms = makeTerms({
  startsAtMs: at("2026-01-01T00:00:00Z"),
  endsAtMs: null,
  stoppedAtMs: STOPPED,
});
const decided = (purchasedOn: string, recordedAtMs: number, startsAtMs = terms.startsAtMs) =>
  decideEarning(
    makeFacts({ purchasedOn, recordedAtMs }),
    [{ ...terms, startsAtMs }],
    makeUsage(),
    PROGRAMME,
  );

describe("an offer that was stopped at once", () => {
  test("goes on for purchases of earlier days, and for those recorded before the stop", ({ expect }) => {
    expect(decided("2026-11-11", STOPPED + 86_400_000).outcome).toBe("earned");
    expect(decided("2026-11-12", STOPPED - 1).outcome).toBe("earned");
    expect(decided("2026-11-13", STOPPED - 1).outcome).toBe("earned");
  });

  test("ends for purchases of its day or later that are recorded after it, with the day before as its end", ({ expect }) => {
    for (const day of ["2026-11-12", "2026-11-13"]) {
      const decision = decided(day, STOPPED);
      expect([decision.outcome, decision.reasons]).toEqual(["not_earned", ["offer_not_in_force"]]);
      expect(decision.checks.at(-1)).toMatchObject({ needed: "2026-01-01/2026-11-11", found: day });
    }
  });

  test("shows no window when it was stopped on the day on which it began", ({ expect }) => {
    const decision = decided("2026-11-12", STOPPED, at("2026-11-12T07:00:00Z"));
    expect(decision.checks.at(-1)).toMatchObject({ rule: "offer_not_in_force", needed: null });
  });
});
