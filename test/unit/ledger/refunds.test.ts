import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BankRow } from "../../../src/ledger/ports.ts";
import { reasonText } from "../../../src/ledger/wording/reason-sentences.ts";
import { account, at, essence, FNAC, offer, row } from "../../contract/ledger-factories.ts";
import { openBook, TODAY, value } from "./book.ts";

const refund = (id: string, amountCents: number, more: Partial<BankRow> = {}): BankRow =>
  row(id, { kind: "refund", amountCents, purchasedOn: "2026-11-13", ...more });

describe("a refund", () => {
  test("of everything cancels pending points to exactly zero", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), refund("r", 3490)]);
    expect(book.balances()).toBe("0 0 0");
    const [refunded, purchase] = book.purchases();
    expect(purchase?.verdict).toMatchObject({
      outcome: "reversed",
      points: 0,
      reasons: ["refunded", "offer_applied"],
    });
    expect(refunded).toMatchObject({
      refundParts: [{ purchaseId: purchase?.id, amountCents: 3490 }],
      verdict: { outcome: "not_earned", reasons: ["refund_applied"] },
    });
    expect(book.kinds()).toBe("earn cancel");
    const entries = value(book.engine.entries({ limit: 10, before: null }, at("2026-11-14"))).items;
    expect(entries[0]).toMatchObject({
      kind: "cancel",
      reverses: entries[1]?.id,
      purchaseId: purchase?.id,
      changes: { pending: -104 },
    });
  });

  test("of a part keeps floor(points x cents left / base cents), again and again down to zero", ({ expect }) => {
    const book = openBook();
    book.record([row("1")]);
    book.record([refund("a", 1000)]);
    expect(book.balances()).toBe("74 0 0");
    book.record([refund("b", 1)]);
    expect(book.balances()).toBe("74 0 0");
    book.record([refund("c", 2489)]);
    expect(book.balances()).toBe("0 0 0");
    expect(book.broken()).toEqual([]);
  });

  test("of confirmed points claws back, also below zero, and new points pay it back first", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { purchasedOn: "2026-10-01" })]);
    book.operate("h", { kind: "hold", redemptionId: "red_1", points: 104, expiresAtMs: null });
    book.operate("c", { kind: "commit", redemptionId: "red_1" });
    book.operate("s", { kind: "settle", redemptionId: "red_1" });
    book.record([refund("r", 3490)]);
    expect(book.balances()).toBe("0 -104 0");
    expect(
      book.operate("h2", { kind: "hold", redemptionId: "red_2", points: 1, expiresAtMs: null }),
    ).toEqual({ ok: false, error: { code: "balance_negative", available: -104 } });
    book.record([row("2", { purchasedOn: "2026-11-14", amountCents: 5000 })], "2026-11-14", {
      offers: [offer({ confirmationDays: 0 })],
    });
    expect(book.balances()).toBe("0 46 0");
    expect(book.points().nextExpiry).toMatchObject({ points: 46 });
    expect(book.broken()).toEqual([]);
  });

  test("that takes available below zero releases open holds, newest first, and leaves committed ones", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { purchasedOn: "2026-10-01" })]);
    for (const [id, points] of [["a", 30], ["b", 30], ["c", 44]] as const) {
      book.operate(id, { kind: "hold", redemptionId: id, points, expiresAtMs: null });
    }
    book.operate("commit c", { kind: "commit", redemptionId: "c" });
    book.record([refund("r", 800)]);
    // 104 points less 24 clawed back: the newest open hold (b) gives way, the older open one stays.
    expect(book.balances()).toBe("0 6 74");
    expect(book.kinds()).toBe("earn confirm hold hold hold clawback release");
    expect(book.broken()).toEqual([]);
  });

  test("before its purchase ends like one after it", ({ expect }) => {
    const [before, after] = [openBook(), openBook()];
    before.record([refund("r", 1000)]);
    expect(before.only().verdict).toMatchObject({
      outcome: "waiting",
      reasons: ["refund_without_purchase"],
    });
    expect(value(before.engine.reviews(null, at("2026-11-14")))).toMatchObject([{
      why: "refund_without_purchase",
    }]);
    before.record([row("1")]);
    after.record([row("1")]);
    after.record([refund("r", 1000)]);
    expect(before.balances()).toBe(after.balances());
    expect(value(before.engine.reviews(null, at("2026-11-14")))).toEqual([]);
  });

  test("waits 90 days for its purchase and no longer", ({ expect }) => {
    const book = openBook();
    book.record([refund("r", 1000)], "2026-11-14");
    expect(book.only("2027-02-11").verdict.outcome).toBe("waiting");
    expect(book.only("2027-02-12").verdict).toMatchObject({
      outcome: "not_earned",
      reasons: ["refund_without_purchase"],
    });
    book.record([row("1")], "2027-02-13");
    expect(book.balances("2027-02-13")).toBe("0 104 0");
    expect(value(book.engine.reviews(null, at("2027-02-13")))).toHaveLength(1);
  });

  test("takes the newest purchase within 90 days that it fits into, of the same account and brand", ({ expect }) => {
    const book = openBook();
    const accounts = [account(), account("acc_2", { fingerprint: "fp_2" })];
    book.record(
      [
        row("old", { purchasedOn: "2026-08-01" }),
        row("fits", { purchasedOn: "2026-10-20" }),
        row("small", { purchasedOn: "2026-11-01", amountCents: 900 }),
        row("other account", { purchasedOn: "2026-11-10", accountId: "acc_2" }),
        row("other brand", { purchasedOn: "2026-11-11", brand: { id: FNAC, matched: "FNAC" } }),
        row("later", { purchasedOn: "2026-11-14" }),
        refund("r", 1000),
      ],
      "2026-11-14",
      { accounts, offers: [offer({ confirmationDays: 90 })] },
    );
    expect(
      book.purchases().filter((purchase) => purchase.verdict.reasons.includes("refunded")).map((
        purchase,
      ) => purchase.externalId),
    ).toEqual(["fits"]);
  });

  test("older than 90 days finds nothing", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { purchasedOn: "2026-08-14" }), refund("r", 1000)]);
    expect(book.balances()).toBe("0 104 0");
  });

  test("that the bank takes back gives the points back", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), refund("r", 3490)]);
    book.record([refund("r", 3490, { state: "deleted", lastUpdateMs: 2000 })]);
    expect(book.balances()).toBe("104 0 0");
    expect(book.purchases().find((purchase) => purchase.kind === "purchase")?.verdict)
      .toMatchObject({ outcome: "earned", points: 104, reasons: ["offer_applied"] });
    expect(book.broken()).toEqual([]);
  });

  test("takes back no more than has not expired", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { purchasedOn: "2026-10-01" })]);
    value(
      book.engine.noticeSent(
        { daysBefore: 30, expiresOn: "2030-01-01", lots: [1] },
        at("2028-10-10"),
      ),
    );
    expect(book.balances("2028-11-01")).toBe("0 0 0");
    book.record([refund("r", 3490, { purchasedOn: "2026-11-13" })], "2028-11-01");
    expect(book.balances("2028-11-01")).toBe("0 0 0");
    expect(book.purchases("2028-11-01").find((purchase) => purchase.kind === "purchase")?.verdict)
      .toMatchObject({ outcome: "reversed", points: 0 });
    expect(book.broken("2028-11-01")).toEqual([]);
  });

  test("of a purchase without points changes no balance but is set against it", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), refund("r", 3490)], "2026-11-14", { offers: [] });
    expect(book.points().sequence).toBe(0);
    expect(book.purchases().find((purchase) => purchase.kind === "refund")?.verdict.reasons)
      .toEqual(["refund_applied"]);
  });

  test("of a purchase that moves to another bank account waits for another one", ({ expect }) => {
    const book = openBook();
    const accounts = [account(), account("acc_2", { fingerprint: "fp_2" })];
    book.record([row("1"), refund("r", 3490)], "2026-11-14", { accounts });
    expect(book.balances()).toBe("0 0 0");
    book.record([row("1", { accountId: "acc_2", lastUpdateMs: 2000 })], "2026-11-14", { accounts });
    expect(book.balances()).toBe("104 0 0");
    expect(book.purchases().find((purchase) => purchase.kind === "refund")?.verdict.reasons)
      .toEqual(["refund_without_purchase"]);
    expect(book.broken()).toEqual([]);
  });

  test("pending refunds do nothing until they are booked", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), refund("r", 3490, { state: "pending" })]);
    expect(book.balances()).toBe("104 0 0");
    book.record([refund("r", 3490, { lastUpdateMs: 2000 })]);
    expect(book.balances()).toBe("0 0 0");
  });
});

const FIVE_PERCENT = [offer({ rateBp: 500 })];
const PARENT = account("acc_parent", { fingerprint: "fp_parent" });
const CARD = account("acc_1", {
  fingerprint: "fp_parent",
  strength: "parent",
  parentAccountId: PARENT.accountId,
});
const usd = (amountCents: number) => ({ original: { amountCents, currency: "USD" } });
const paid = (id: string, amountCents: number, more: Partial<BankRow> = {}) =>
  row(id, { amountCents, ...more });

/** What was paid, what was given back, the points that are left, and what the refund says. */
const KINDS: readonly (readonly [string, readonly BankRow[], BankRow, number, string])[] = [
  ["of all", [paid("1", 5000)], refund("r", 5000), 0, "1:5000"],
  ["of a cent more", [paid("1", 5000)], refund("r", 5001), 0, "1:5000"],
  ["with the postage", [paid("1", 5000)], refund("r", 5590), 0, "1:5000"],
  ["of much more", [paid("1", 5000)], refund("r", 6001), 250, ""],
  [
    "at another rate",
    [paid("1", 2310, usd(2500))],
    refund("r", 2347, usd(2500)),
    0,
    "1:2310",
  ],
  ["at a worse rate", [paid("1", 2310, usd(2500))], refund("r", 2290, usd(2500)), 0, "1:2310"],
  [
    "of a split shipment",
    [paid("1", 7000), paid("2", 5000)],
    refund("r", 12_000),
    0,
    "1:7000 2:5000",
  ],
  [
    "of instalments",
    [paid("1", 3000), paid("2", 3000), paid("3", 3000)],
    refund("r", 9000),
    0,
    "1:3000 2:3000 3:3000",
  ],
  [
    "of a part of a split shipment",
    [paid("1", 7000), paid("2", 5000)],
    refund("r", 9000),
    150,
    "1:7000 2:2000",
  ],
  [
    "on the card's current account",
    [paid("1", 5000), paid("2", 8000, { accountId: "acc_parent" })],
    refund("r", 5000, { accountId: "acc_parent" }),
    400,
    "1:5000",
  ],
  [
    "on its own account first",
    [paid("1", 5000), paid("2", 5000, { accountId: "acc_parent", purchasedOn: "2026-11-10" })],
    refund("r", 5000, { accountId: "acc_parent" }),
    250,
    "2:5000",
  ],
];

describe("a refund", () => {
  test.each(KINDS)("%s", (_, rows, given, left, parts) => {
    const deliveries = [[...rows, given], [given, ...rows], [given, ...rows].reverse()];
    for (const delivery of deliveries) {
      const book = openBook();
      for (const each of delivery) {
        book.record([each], TODAY, { accounts: [CARD, PARENT], offers: FIVE_PERCENT });
      }
      expect(book.balances()).toBe(`${left} 0 0`);
      const views = book.purchases();
      const taken = views.find(({ kind }) => kind === "refund")?.refundParts ?? [];
      const names = taken.map(({ purchaseId, amountCents }) =>
        `${views.find(({ id }) => id === purchaseId)?.externalId}:${amountCents}`
      );
      expect(names.join(" ")).toBe(parts);
      expect(book.broken()).toEqual([]);
    }
  });

  test("over several purchases says what it took and what of it is ignored, in both languages", () => {
    const book = openBook();
    book.record([paid("1", 7000), paid("2", 5000), refund("r", 12_590)], TODAY, {
      offers: FIVE_PERCENT,
    });
    const view = book.purchases().find(({ kind }) => kind === "refund");
    if (view === undefined) throw new Error("refund not found");
    const { verdict, kind, state } = view;
    const say = (locale: "fr" | "en") =>
      reasonText("refund_applied", locale, { ...verdict, kind, state }).replace(/\s/g, " ");
    expect(say("fr")).toBe(
      "Nous avons rattaché ce remboursement à 2 achats : 600 points ont été repris, en proportion du montant remboursé. Le reste du remboursement (5,90 €), par exemple des frais de port ou un écart de change, n'est pas pris en compte.",
    );
    expect(say("en")).toBe(
      "We matched this refund to 2 purchases: 600 points were taken back, in proportion to the amount refunded. The rest of the refund (€5.90), such as postage or a difference in exchange rates, is not counted.",
    );
  });

  test("moves when its account's family becomes known", () => {
    const book = openBook();
    const given = refund("r", 5000, { accountId: "acc_parent" });
    book.record([paid("1", 5000), given], TODAY, {
      accounts: [account(), PARENT],
      offers: FIVE_PERCENT,
    });
    expect(book.balances()).toBe("250 0 0");
    book.record([], TODAY, { accounts: [CARD, PARENT], offers: FIVE_PERCENT });
    expect(book.balances()).toBe("0 0 0");
  });

  test("that takes over several purchases is undone as a whole", () => {
    const book = openBook();
    book.record([paid("1", 7000), paid("2", 5000), refund("r", 12_000)], TODAY, {
      offers: FIVE_PERCENT,
    });
    book.record([refund("r", 12_000, { state: "deleted", lastUpdateMs: 2000 })], TODAY, {
      offers: FIVE_PERCENT,
    });
    expect(book.balances()).toBe("600 0 0");
    expect(book.purchases().filter(({ verdict }) => verdict.reasons.includes("refunded")))
      .toEqual([]);
  });
});

test("every order of purchases and refunds of a family ends alike", { timeout: 60_000 }, () => {
  const drawn = fc.record({
    kind: fc.constantFrom("purchase", "purchase", "refund"),
    accountId: fc.constantFrom("acc_1", "acc_parent"),
    day: fc.integer({ min: 10, max: 13 }),
    cents: fc.constantFrom(1000, 2000, 3000, 3590, 6000),
    deleted: fc.boolean(),
    original: fc.constantFrom(null, null, { amountCents: 500, currency: "USD" }),
  }, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(drawn, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (all, stream) => {
      const rows = all.flatMap(({ kind, accountId, day, cents, deleted, original }, index) => {
        const first = row(`x${index}`, {
          kind,
          accountId,
          purchasedOn: `2026-11-${day}`,
          amountCents: cents,
          original,
        });
        return deleted && index % 3 === 0
          ? [first, { ...first, state: "deleted" as const, lastUpdateMs: 2000 }]
          : [first];
      });
      const ends = [rows, [...rows].sort(() => ((stream.next().value ?? 0) % 3) - 1)].map(
        (order) => {
          const book = openBook();
          for (const each of order) {
            book.record([each], TODAY, { accounts: [CARD, PARENT], offers: FIVE_PERCENT });
          }
          expect(book.broken()).toEqual([]);
          return [essence(book.purchases()), book.balances()];
        },
      );
      expect(ends[1]).toEqual(ends[0]);
    }),
    { numRuns: Number(process.env["RUNS"] ?? 100) },
  );
});
