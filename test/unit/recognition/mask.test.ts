// Promise P2: no card mask and no card number leaves recognition for storage, and the rest of the
// label stays as it was.

import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { maskLabel } from "../../../src/recognition/mask.ts";
import type { BrandEntry } from "../../../src/recognition/ports.ts";
import { compileCatalogue } from "../../../src/recognition/recogniser.ts";

test.each([
  [
    "FACTURE CARTE DU 120324 MONOPRIX 0085 PARIS CARTE 4974XXXXXXXX1234",
    "FACTURE CARTE DU 120324 MONOPRIX 0085 PARIS CARTE …",
  ],
  [
    "FACTURE CARTE DU 120324 MONOPRIX PARIS CARTE 4974XXXX",
    "FACTURE CARTE DU 120324 MONOPRIX PARIS CARTE …",
  ],
  ["CARTE X1234 12/11 MONOPRIX", "CARTE … 12/11 MONOPRIX"],
  ["CARTE 12/11/26 MONOPRIX 4 CB*1234", "CARTE 12/11/26 MONOPRIX 4 …"],
  ["170724 CB****8871 NETTO 42ST ETIENNE", "170724 … NETTO 42ST ETIENNE"],
  ["GIFI Carte 7496288 CB.XXXXX895 LE 22/07/18", "GIFI Carte … CB.… LE 22/07/18"],
  ["ACHAT CB GIFI 18.02.18 CARTE NUMERO 792", "ACHAT CB GIFI 18.02.18 CARTE NUMERO …"],
  ["PAIEMENT CB 1412 PARIS SNCF CARTE 12345678", "PAIEMENT CB 1412 PARIS SNCF CARTE …"],
  ["CB 4974123412341234 GIFI", "CB … GIFI"],
  ["CB 4974 1234 1234 1234 GIFI", "CB … GIFI"],
  ["CB 4974-1234-1234-1234 GIFI", "CB … GIFI"],
  ["CARTE X0086 01/06 DELIVEROO 560712002777965IOPD", "CARTE … 01/06 DELIVEROO …IOPD"],
  ["CARTE 26062021 75 MONOPRIX.FR CB*3607", "CARTE 26062021 75 MONOPRIX.FR …"],
  ["CB MONOPRIX 75011 12/11", "CB MONOPRIX 75011 12/11"],
  ["TAXI 3XL X-MEN", "TAXI 3XL X-MEN"],
])("%s", (label, masked) => expect(maskLabel(label)).toBe(masked));

test("no run of 13 to 19 digits survives, grouped or not, and masking twice changes nothing", () => {
  const digits = (min: number, max: number) =>
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: min, maxLength: max }).map((run) =>
      run.join("")
    );
  const grouped = fc.tuple(
    digits(4, 4),
    digits(4, 4),
    digits(4, 4),
    digits(4, 7),
    fc.constantFrom(" ", "-", "."),
  ).map(([a, b, c, d, gap]) => [a, b, c, d].join(gap));
  fc.assert(
    fc.property(
      fc.constantFrom("", "CB ", "MONOPRIX "),
      fc.oneof(digits(13, 19), grouped),
      fc.constantFrom("", " PARIS", "IOPD"),
      (before, run, after) => {
        const masked = maskLabel(before + run + after);
        expect(masked.replace(/[ .-]/g, "")).not.toMatch(/\d{13}/);
        expect(maskLabel(masked)).toBe(masked);
      },
    ),
  );
});

test("a masked label is recognised like the label itself", () => {
  const fixture = (name: string): string =>
    readFileSync(new URL(`../../fixtures/labels/${name}`, import.meta.url), "utf8");
  const recogniser = compileCatalogue(
    JSON.parse(
      readFileSync(new URL("../../../src/local/data/brands.json", import.meta.url), "utf8"),
    ) as BrandEntry[],
  );
  for (const line of fixture("dev.jsonl").trim().split("\n")) {
    const { label } = JSON.parse(line) as { label: string };
    const [plain, masked] = [recogniser.recognise(label), recogniser.recognise(maskLabel(label))];
    expect([masked.kind, masked.brandId], label).toEqual([plain.kind, plain.brandId]);
  }
});
