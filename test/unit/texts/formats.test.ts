// Numbers, amounts, points and days as each language writes them.
import { describe, expect, it } from "vitest";
import { dateText, eurosText, percentText, pointsText } from "../../../src/texts/formats.ts";

const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("numbers in words", () => {
  it.each(
    [[3490, "34,90 €", "€34.90"], [0, "0,00 €", "€0.00"], [5, "0,05 €", "€0.05"], [
      100_000_000,
      "1 000 000,00 €",
      "€1,000,000.00",
    ], [-1205, "-12,05 €", "-€12.05"]] as const,
  )(
    "writes %i cents as %s and %s",
    (cents, fr, en) => {
      expect([plain(eurosText(cents, "fr")), eurosText(cents, "en")]).toEqual([fr, en]);
    },
  );
  it.each(
    [[300, "3 %", "3%"], [250, "2,5 %", "2.5%"], [25, "0,25 %", "0.25%"], [1, "0,01 %", "0.01%"], [
      10_000,
      "100 %",
      "100%",
    ], [1005, "10,05 %", "10.05%"]] as const,
  )(
    "writes %i basis points as %s and %s",
    (rateBp, fr, en) => {
      expect([plain(percentText(rateBp, "fr")), percentText(rateBp, "en")]).toEqual([fr, en]);
    },
  );
  it.each(
    [[0, "0 point", "0 points"], [1, "1 point", "1 point"], [2, "2 points", "2 points"], [
      -1,
      "-1 point",
      "-1 point",
    ], [12_345, "12 345 points", "12,345 points"]] as const,
  )(
    "writes %i points as %s and %s",
    (points, fr, en) => {
      expect([plain(pointsText(points, "fr")), pointsText(points, "en")]).toEqual([fr, en]);
    },
  );
  it("writes dates as each language does", () => {
    expect([dateText("2026-02-05", "fr"), dateText("2026-02-05", "en")]).toEqual([
      "5 février 2026",
      "5 February 2026",
    ]);
    expect([dateText("2027-01-01", "fr"), dateText("2027-01-01", "en")]).toEqual([
      "1er janvier 2027",
      "1 January 2027",
    ]);
  });
});
