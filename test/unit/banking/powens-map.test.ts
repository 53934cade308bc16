// What goes on from a bank row, and above all what does not (promise P2).
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LABEL_MAX, minimise } from "../../../src/banking/aggregators/powens/map.ts";
import {
  bankName,
  parisDateTime,
  parisDateTimeMs,
} from "../../../src/banking/aggregators/powens/types.ts";
import { readWebhook } from "../../../src/banking/aggregators/powens/webhook.ts";
import { parseExactJson } from "../../../src/banking/aggregators/powens/exact-json.ts";
import type { AccountWindow, RowPolicy } from "../../../src/banking/ports.ts";
import { utf8Encode } from "../../../src/kernel/encoding.ts";
import { parisWallText } from "../../support/paris-wall.ts";
import { maskLabel } from "../../../src/recognition/mask.ts";
import { compileCatalogue } from "../../../src/recognition/recogniser.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const recogniser = compileCatalogue([{ id: "brd_m", name: "Monoprix", aliases: ["MONOPRIX"] }]);
const WINDOW: AccountWindow = { currency: "EUR", firstDay: "2026-11-10", seenFromMs: null };

function policy(window: Partial<AccountWindow> = {}): RowPolicy {
  return {
    nowMs: NOW,
    accounts: new Map([["701", { ...WINDOW, ...window }]]),
    maskLabel,
    kindOf: (label, hint) => recogniser.kindOf(label, hint),
    namesBrand: (label) => recogniser.recognise(label, "refund").brandId !== null,
  };
}

const BASE = {
  id: 1,
  id_account: 701,
  date: "2026-11-19",
  rdate: "2026-11-18",
  value: -34.9,
  type: "card",
  original_wording: "CARTE 18/11/26 MONOPRIX PARIS",
  coming: false,
  deleted: null,
  last_update: "2026-11-19 06:24:05",
};

function rows(change: Record<string, unknown>, window: Partial<AccountWindow> = {}) {
  const text = JSON.stringify({ ...BASE, ...change });
  return minimise([parseExactJson(text)?.value ?? null], policy(window));
}
const one = (change: Record<string, unknown>, window: Partial<AccountWindow> = {}) =>
  rows(change, window).rows[0];
const raw = (value: string) =>
  minimise(
    [parseExactJson(JSON.stringify({ ...BASE, value: "@" }).replace('"@"', value))?.value ?? null],
    policy(),
  ).rows[0];

describe("a delivery with forbidden values", () => {
  const message = readWebhook(
    "connection-synced",
    utf8Encode(readFileSync("test/fixtures/powens/connection-synced.json", "utf8")),
  );
  const result = message?.minimise(policy());
  it("keeps the card rows and the refund of the account that earns", () => {
    expect(result?.rows.map((row) => [row.externalId, row.kind, row.amountCents, row.state]))
      .toEqual([
        ["9001", "purchase", 3490, "booked"],
        ["9006", "purchase", 840, "pending"],
        ["9007", "refund", 1000, "booked"],
      ]);
  });
  it("counts what it drops", () => {
    expect(result?.dropped).toEqual({
      beforeLink: 1,
      otherKind: 3,
      otherAccount: 1,
      unreadable: 0,
    });
  });
  it("lets no forbidden value through", () => {
    expect(JSON.stringify(result)).not.toMatch(/PLANTED|98765|EX67|4974|1234|SALAIRE|livret/i);
  });
  it("hands out nothing of the accounts but what a fingerprint needs", () => {
    expect(Object.keys(message?.accounts[0] ?? {}).sort()).toEqual([
      "currency",
      "iban",
      "kind",
      "name",
      "parentRemoteId",
      "remoteConnectionId",
      "remoteId",
      "state",
    ]);
    expect(message?.accounts[1]?.kind).toBeNull();
  });
});

describe("kind", () => {
  it.each([["card", -5, "purchase"], ["deferred_card", -5, "purchase"], ["card", 5, "refund"], [
    "deferred_card",
    5,
    "refund",
  ], ["CARD", -5, "purchase"]])("%s of %d is a %s", (type, value, kind) => {
    expect(one({ type, value, original_wording: "MONOPRIX" })?.kind).toBe(kind);
  });
  it.each([
    ["transfer", -5, "VIR SEPA X"],
    ["transfer", 2500, "SALAIRE"],
    ["order", -5, "PRLV SEPA EDF"],
    ["withdrawal", -50, "RETRAIT DAB"],
    ["summary_card", -837.95, "CARTE 18/11 MONOPRIX"],
    ["card_summary", -837.95, "CARTE 18/11 MONOPRIX"],
    ["check", -5, "CHEQUE 123"],
    ["bank", -5, "FRAIS"],
    ["loan_repayment", -5, "ECHEANCE PRET"],
    ["loan_payment", -5, "ECHEANCE PRET"],
    ["unknown", -5, "QUELQUE CHOSE"],
    ["brand_new_type", -5, "QUELQUE CHOSE"],
    ["card", 0, "CARTE MONOPRIX"],
    ["refund", -5, "ANNULATION"],
    ["payback", -5, "MONOPRIX"],
  ])("%s of %d (%s) does not go on", (type, value, label) => {
    expect(rows({ type, value, original_wording: label })).toMatchObject({
      rows: [],
      dropped: { otherKind: 1 },
    });
  });
  it("takes a row of a vague type when its label speaks, or names a partner", () => {
    expect(one({ type: "unknown", original_wording: "CARTE 18/11/26 BOULANGERIE" })?.kind).toBe(
      "purchase",
    );
    expect(one({ type: "unknown", original_wording: "MONOPRIX" })?.kind).toBe("purchase");
    expect(rows({ type: "transfer", original_wording: "MONOPRIX" }).rows).toEqual([]);
  });
  it("takes a payback only when it names a partner: a health insurer's is nobody's business", () => {
    expect(one({ type: "payback", value: 12, original_wording: "MONOPRIX" })?.kind).toBe("refund");
    expect(rows({ type: "payback", value: 12, original_wording: "MUTUELLE SANTE" }).rows).toEqual(
      [],
    );
  });
});

describe("amounts", () => {
  it.each([
    ["-34.9", 3490],
    ["-34.90", 3490],
    ["-0.1", 10],
    ['"-12.34"', 1234],
    ["-1e2", 10_000],
    ["-9999999.99", 999_999_999],
    ["-0.29", 29],
    ["-1.15", 115],
    ["-4.35", 435],
    ["-1.005e1", 1005],
  ])("%s is %d cents exactly", (text, cents) => {
    expect(raw(text)).toMatchObject({ amountCents: cents, review: null });
  });
  it.each([
    ["-12.345", 1234, "amount_precision"],
    ["-10000000.01", 1_000_000_000, "amount_out_of_bounds"],
    ["null", 0, "amount_missing"],
    ['"many"', 0, "amount_missing"],
    ["-99999999999999999999", 1_000_000_000, "amount_out_of_bounds"],
    ["-0.29999999999999998", 29, "amount_precision"],
  ])("%s waits for a person", (text, cents, review) => {
    expect(raw(text)).toMatchObject({ amountCents: cents, review });
  });
  it("is exact for every amount of cents", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), (cents) => {
        const text = `-${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
        expect(raw(text)?.amountCents).toBe(cents);
      }),
      { numRuns: 500 },
    );
  });
  it("shows what was paid abroad and never counts it", () => {
    expect(one({ original_value: -50.25, original_currency: { id: "USD" } })).toMatchObject({
      currency: "EUR",
      amountCents: 3490,
      original: { amountCents: 5025, currency: "USD" },
    });
    expect(one({ original_value: null, original_currency: null })?.original).toBeNull();
  });
  it("marks a row whose currency abroad is unknown", () => {
    expect(one({ original_value: -50.25, original_currency: { id: "ZZZ" } })).toMatchObject({
      currency: "EUR",
      original: null,
      review: "currency_unknown",
    });
    for (const none of [null, {}, { id: null }]) {
      expect(one({ original_value: null, original_currency: none })?.review).toBeNull();
    }
  });
  it("marks an account whose currency is unknown", () => {
    expect(one({}, { currency: null })).toMatchObject({
      currency: "XXX",
      review: "currency_unknown",
    });
    expect(one({}, { currency: "USD" })).toMatchObject({ currency: "USD", review: null });
  });
});

describe("dates", () => {
  it("starts on the first day of the window, by the day of the purchase", () => {
    expect(one({ rdate: "2026-11-10", date: "2026-11-12" })?.purchasedOn).toBe("2026-11-10");
    expect(rows({ rdate: "2026-11-09", date: "2026-11-12" })).toMatchObject({
      rows: [],
      dropped: { beforeLink: 1 },
    });
  });
  it("falls back to the booking day, never to the day that the user can edit", () => {
    expect(one({ rdate: null, date: "2026-11-15", application_date: "2026-11-12" })?.purchasedOn)
      .toBe("2026-11-15");
  });
  it.each([
    ["a year behind", "2025-11-18", "2026-11-19"],
    ["a year ahead", "2027-11-18", "2026-11-19"],
    ["the day after the booking", "2026-11-20", "2026-11-19"],
    ["61 days before the booking", "2026-09-19", "2026-11-19"],
    ["the first day of computers", "1970-01-01", "2026-11-19"],
    ["the last day", "9999-12-31", "2026-11-19"],
    ["no day", "2026-02-30", "2026-11-19"],
  ])("rdate %s (%s) is not believed beside the booking day", (_, rdate, date) => {
    expect(one({ rdate, date })).toMatchObject({
      purchasedOn: date,
      bookedOn: date,
      review: null,
    });
  });
  it("takes a purchase that was booked up to 60 days later", () => {
    expect(one({ rdate: "2026-09-20", date: "2026-11-19" }, { firstDay: "2026-01-01" }))
      .toMatchObject({ purchasedOn: "2026-09-20", review: null });
  });
  it.each(["2014-12-31", "1970-01-01", "2027-01-30", "9999-12-31", "2026-02-30", null])(
    "%s is no booking day: a recent rdate is believed without it",
    (date) => {
      expect(one({ date })).toMatchObject({
        purchasedOn: "2026-11-18",
        bookedOn: null,
        review: null,
      });
      for (const rdate of ["2026-07-23", "2026-11-20"]) {
        expect(one({ date, rdate }, { firstDay: "2015-01-01" })).toMatchObject({
          purchasedOn: rdate,
          review: null,
        });
      }
      for (const rdate of ["2026-07-22", "2026-11-21", "1970-01-01"]) {
        expect(one({ date, rdate }, { firstDay: "2015-01-01" })).toMatchObject({
          purchasedOn: rdate,
          review: "date_absurd",
        });
      }
    },
  );
  it("takes the first and the last booking day that can be true", () => {
    for (const date of ["2015-01-01", "2027-01-29"]) {
      expect(one({ date, rdate: null }, { firstDay: "2015-01-01" })).toMatchObject({
        purchasedOn: date,
        bookedOn: date,
        review: null,
      });
    }
  });
  it("keeps a row without any readable day for a person", () => {
    expect(one({ rdate: "2026-02-30", date: null })).toMatchObject({
      purchasedOn: "2026-11-20",
      review: "date_absurd",
    });
  });
  it("a debit ahead does not move the day of purchase", () => {
    expect(one({ type: "deferred_card", date: "2026-12-31" })).toMatchObject({
      purchasedOn: "2026-11-18",
      bookedOn: "2026-12-31",
      state: "booked",
      review: null,
    });
  });
  it("a debit that a pending row announces is no booking", () => {
    expect(one({ type: "deferred_card", date: "2026-12-31", coming: true })).toMatchObject({
      purchasedOn: "2026-11-18",
      bookedOn: null,
      announcedOn: "2026-12-31",
      state: "pending",
    });
    expect(one({ date: "2026-11-18", coming: true })?.announcedOn).toBeNull();
    expect(one({ date: "9999-12-31", coming: true })?.announcedOn).toBeNull();
  });
  it("drops what the aggregator saw while earning was off", () => {
    const seenFromMs = Date.parse("2026-11-19T12:00:00Z");
    expect(rows({ date_scraped: "2026-11-19 06:00:00" }, { seenFromMs }).dropped.beforeLink).toBe(
      1,
    );
    expect(rows({ date_scraped: "2026-11-19 18:00:00" }, { seenFromMs }).rows).toHaveLength(1);
  });
  it("a pending row has no booking day", () => {
    expect(one({ coming: true })).toMatchObject({ state: "pending", bookedOn: null });
    expect(one({ coming: 1 })?.state).toBe("pending");
    expect(one({ deleted: "2026-11-19 10:00:00", coming: true })?.state).toBe("deleted");
  });
});

describe("times", () => {
  it.each([
    ["2026-07-01 12:00:00", "2026-07-01T10:00:00Z"],
    ["2026-12-01 12:00:00", "2026-12-01T11:00:00Z"],
    ["2026-03-29 01:59:59", "2026-03-29T00:59:59Z"],
    ["2026-03-29 03:00:00", "2026-03-29T01:00:00Z"],
    ["2026-10-25 02:30:00", "2026-10-25T00:30:00Z"],
    ["2026-10-25 03:00:00", "2026-10-25T02:00:00Z"],
  ])("last_update %s is Paris time: %s", (text, instant) => {
    expect(parisDateTimeMs(text)).toBe(Date.parse(instant));
  });
  it.each([[""], ["2026-02-30 10:00:00"], ["2026-07-01"], ["2026-07-01 25:00:00"], ["now"]])(
    "%s is no time",
    (text) => {
      expect(parisDateTimeMs(text)).toBeNull();
    },
  );
  it("writes what it reads, outside the hour that exists twice", () => {
    fc.assert(fc.property(fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) }), (ms) => {
      const second = Math.floor(ms / 1000) * 1000;
      const back = parisDateTimeMs(parisWallText(second)) ?? 0;
      expect(back === second || back === second - 3_600_000).toBe(true);
    }));
  });
  it("says when the clocks of Paris show a time twice", () => {
    expect(parisDateTime("2026-10-25 02:09:59")).toEqual({
      ms: Date.parse("2026-10-25T00:09:59Z"),
      isAmbiguous: true,
    });
    for (
      const text of [
        "2026-10-25 01:59:59",
        "2026-10-25 03:00:00",
        "2026-10-25 02:09:59Z",
        "2026-10-24 02:30:00",
        "2026-03-29 02:30:00",
      ]
    ) expect(parisDateTime(text)?.isAmbiguous).toBe(false);
  });
  it("gives the times that a row has, and no other", () => {
    expect(one({ last_update: null, date_scraped: "2026-11-19 06:00:00" })).toMatchObject({
      updatedAt: null,
      firstSeenAt: { ms: Date.parse("2026-11-19T05:00:00Z"), isAmbiguous: false },
    });
    expect(one({ last_update: null })).toMatchObject({ updatedAt: null, firstSeenAt: null });
    expect(one({})).toMatchObject({
      updatedAt: { ms: Date.parse("2026-11-19T05:24:05Z"), isAmbiguous: false },
    });
  });
});

describe("labels", () => {
  it("come from the bank's text, then the cleaned one, never the editable one", () => {
    expect(
      one({ original_wording: null, simplified_wording: "MONOPRIX", wording: "MON SECRET" })?.label,
    ).toBe("MONOPRIX");
    expect(one({ original_wording: null, simplified_wording: null, wording: "MON SECRET" })?.label)
      .toBe("");
  });
  it("are masked and capped", () => {
    expect(one({ original_wording: "CARTE 4974010203041234 MONOPRIX" })?.label).not.toMatch(
      /\d{6}/,
    );
    expect(one({ original_wording: `CARTE MONOPRIX ${"A".repeat(5000)}` })?.label.length).toBe(
      LABEL_MAX,
    );
  });
});

describe("texts at the border", () => {
  const label = (change: Record<string, unknown>) => one(change)?.label;
  it.each([[""], ["   "], ["\u0000"], ["\u200b \u202e"], ["&nbsp;"]])(
    "%j is no wording: the other one is read",
    (original_wording) => {
      expect(label({ original_wording, simplified_wording: "MONOPRIX" })).toBe("MONOPRIX");
    },
  );
  it("undoes entities before a brand is looked for, and before card numbers are cut", () => {
    expect(label({ original_wording: "CARTE 18/11/26 MARKS &AMP; SPENCER" })).toBe(
      "CARTE 18/11/26 MARKS & SPENCER",
    );
    expect(
      label({ original_wording: "CARTE &#52;974010203041234 MONOPRIX" }),
    ).not.toMatch(/\d{6}/);
  });
  it("cuts no character", () => {
    const text = `CARTE MONOPRIX ${"A".repeat(LABEL_MAX - 16)}👩‍👩‍👧B`;
    const cut = label({ original_wording: text }) ?? "";
    expect(cut).toBe(`CARTE MONOPRIX ${"A".repeat(LABEL_MAX - 16)}`);
    expect(label({ original_wording: "CARTE MONOPRIX \ud83d 75" })).toBe("CARTE MONOPRIX  75");
  });
  it("the same holds for a bank's name", () => {
    expect(bankName("Cr&eacute;dit\u0000 \u202eAgricole ")).toBe("Crédit Agricole");
    expect(bankName(`${"a".repeat(79)}😀`)).toBe("a".repeat(79));
    expect(bankName(null)).toBe("");
  });
});

describe("rows of others", () => {
  it("of an account that does not earn are dropped unread", () => {
    const seen: string[] = [];
    const strict: RowPolicy = {
      ...policy(),
      kindOf: (label) => {
        seen.push(label);
        return "card";
      },
    };
    expect(
      minimise([{ ...BASE, id: "1", id_account: "702", value: "-1" }], strict).dropped
        .otherAccount,
    ).toBe(1);
    expect(seen).toEqual([]);
  });
  it("that name another account than the one they are listed under are dropped", () => {
    const item = parseExactJson(JSON.stringify(BASE))?.value ?? null;
    expect(minimise([item], policy(), "702").dropped.otherAccount).toBe(1);
  });
  it("nothing that a wire can carry makes it throw", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(...Object.keys(BASE), "original_currency", "date_scraped"),
          fc.jsonValue(),
          { noNullPrototype: true },
        ),
        (body) => {
          const parsed = parseExactJson(JSON.stringify({ ...BASE, ...body }));
          const result = minimise([parsed?.value ?? null], policy());
          expect(result.rows.length + Object.values(result.dropped).reduce((a, b) => a + b, 0))
            .toBe(1);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
