// Why a purchase earned what it earned, in words.
import { describe, expect, it } from "vitest";
import { decideEarning } from "../../../../src/ledger/earning/rules.ts";
import type { Calculation } from "../../../../src/ledger/ports.ts";
import { checkText } from "../../../../src/ledger/wording/check-sentences.ts";
import { arithmeticText, reasonText } from "../../../../src/ledger/wording/reason-sentences.ts";
import type { ReasonDetails } from "../../../../src/ledger/wording/reason-sentences.ts";
import type { Locale } from "../../../../src/texts/catalogue.ts";
import { makeFacts, makeTerms, makeUsage, PROGRAMME } from "../earning-factories.ts";
import { CODES, EMPTY, plain } from "./factories.ts";
import { SENTENCES } from "./sentences.ts";

describe("arithmeticText()", () => {
  const sum = (calculation: Partial<Calculation>, locale: Locale): string =>
    plain(
      arithmeticText({
        baseCents: 3490,
        rateBp: 300,
        pointsPerEuro: 100,
        uncapped: 104,
        capped: 104,
        ...calculation,
      }, locale),
    );
  const cases: readonly [Partial<Calculation>, string, string][] = [
    [{}, "3 % de 34,90 € = 104 points", "3% of €34.90 = 104 points"],
    [{ kind: "percent" }, "3 % de 34,90 € = 104 points", "3% of €34.90 = 104 points"],
    [
      { baseCents: 10, uncapped: 0, capped: 0 },
      "3 % de 0,10 € = 0 point",
      "3% of €0.10 = 0 points",
    ],
    [
      { capped: 50 },
      "3 % de 34,90 € = 104 points, ramenés à 50 points par le plafond",
      "3% of €34.90 = 104 points, reduced to 50 points by the cap",
    ],
    [{ capped: 0 }, "3 % de 34,90 € = 104 points", "3% of €34.90 = 104 points"],
    [
      { kind: "tiered" },
      "3 % de 34,90 € (palier atteint) = 104 points",
      "3% of €34.90 (tier reached) = 104 points",
    ],
    [
      { pointsPerEuro: 1000, uncapped: 1047, capped: 1047 },
      "3 % de 34,90 € × 1 000 points par euro = 1 047 points",
      "3% of €34.90 × 1,000 points per euro = 1,047 points",
    ],
    [
      { kind: "fixed", rateBp: null, offerPoints: 104 },
      "forfait de 104 points par achat",
      "a flat 104 points per purchase",
    ],
    [
      { kind: "points_per_euro", rateBp: null, offerPoints: 3 },
      "3 points par euro × 34,90 € = 104 points",
      "3 points per euro × €34.90 = 104 points",
    ],
    [{ rateBp: null }, "34,90 € = 104 points", "€34.90 = 104 points"],
  ];
  it.each(cases)("of %j is %s", (calculation, fr, en) => {
    expect([sum(calculation, "fr"), sum(calculation, "en")]).toEqual([fr, en]);
  });
});

describe("reasonText()", () => {
  it.each(SENTENCES)("for %s", (code, details, fr, en) => {
    expect(plain(reasonText(code, "fr", details))).toBe(fr);
    expect(reasonText(code, "en", details)).toBe(en);
  });

  it.each(CODES)("words %s in two languages when the verdict has no details", (code) => {
    const [fr, en] = [plain(reasonText(code, "fr", EMPTY)), reasonText(code, "en", EMPTY)];
    expect(fr).not.toBe(en);
    for (const text of [fr, en]) {
      expect(text).toMatch(/^\p{Lu}.*\.$/u);
      expect(text).not.toMatch(/null|undefined|NaN|\d| {2}|_/);
    }
  });

  it("gives each code its own sentence", () => {
    for (const locale of ["fr", "en"] as const) {
      expect(new Set(CODES.map((code) => reasonText(code, locale, EMPTY))).size).toBe(CODES.length);
    }
  });

  it("says 'vous' and never 'tu'", () => {
    for (const code of CODES) {
      expect(reasonText(code, "fr", EMPTY)).not.toMatch(/\b(tu|ton|ta|tes|toi)\b/i);
    }
  });

  it("takes the numbers of the verdict's own version, not of another one that refused too", () => {
    const decision = decideEarning(
      makeFacts(),
      [
        makeTerms({ offerId: "off_a", minCents: 9_000, channel: "online" }),
        makeTerms({ offerId: "off_b", minCents: 5_000 }),
      ],
      makeUsage(),
      PROGRAMME,
    );
    const details: ReasonDetails = {
      ...EMPTY,
      checks: decision.checks,
      offer: { id: "off_b", version: 1 },
    };
    expect(reasonText("below_minimum", "en", details)).toContain("€50.00");
    expect(reasonText("below_minimum", "en", { ...details, offer: null })).toContain("€90.00");
  });

  it("names neither offer nor brand ids in any sentence or line", () => {
    for (const [code, details] of SENTENCES) {
      const lines = details.checks.flatMap((
        check,
      ) => [checkText(check, "fr"), checkText(check, "en")]);
      expect(
        [reasonText(code, "fr", details), reasonText(code, "en", details), ...lines].join("\n"),
      ).not.toMatch(/off_|brd_|undefined|null|NaN/);
    }
  });
});
