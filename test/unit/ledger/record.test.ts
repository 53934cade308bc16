import { describe, test } from "vitest";
import { account, at, batch, FNAC, offer, row } from "../../contract/ledger-factories.ts";
import { openBook, value } from "./book.ts";

describe("record()", () => {
  test("a booked purchase under an offer earns pending points with its arithmetic", ({ expect }) => {
    const book = openBook();
    expect(book.record([row("1")])).toMatchObject({
      recorded: 1,
      unchanged: 0,
      duplicates: 0,
      earnedPoints: 104,
      sequence: 1,
    });
    expect(book.balances()).toBe("104 0 0");
    const purchase = book.only();
    expect(purchase.verdict).toMatchObject({
      outcome: "earned",
      points: 104,
      reasons: ["offer_applied"],
      offer: { id: "off_1", version: 1 },
      confirmationExpectedOn: "2026-12-12",
      calculation: { baseCents: 3490, rateBp: 300, pointsPerEuro: 100, uncapped: 104, capped: 104 },
    });
    expect(book.broken()).toEqual([]);
  });

  test("the same batch again changes nothing", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), row("2")]);
    const before = book.points();
    expect(book.record([row("1"), row("2")])).toMatchObject({
      recorded: 0,
      unchanged: 2,
      earnedPoints: 0,
    });
    expect(book.points()).toEqual(before);
    expect(book.purchases()).toHaveLength(2);
  });

  test("a row twice in one batch is one purchase", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), row("1")]);
    expect(book.balances()).toBe("104 0 0");
  });

  test("a purchase at no known brand earns nothing and says so", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { brand: null })]);
    expect(book.only().verdict).toMatchObject({
      outcome: "not_earned",
      points: 0,
      reasons: ["brand_unknown"],
      calculation: null,
    });
    expect(book.points().sequence).toBe(0);
  });

  test("a purchase at a brand without offer says so", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { brand: { id: FNAC, matched: "FNAC" } })]);
    expect(book.only().verdict.reasons).toEqual(["brand_without_offer"]);
  });

  test("a pending row earns nothing until it is booked under its id", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { state: "pending", bookedOn: null })]);
    expect(book.only().verdict).toMatchObject({
      outcome: "waiting",
      points: 0,
      reasons: ["not_booked_yet"],
    });
    const { id } = book.only();
    book.record([row("1", { lastUpdateMs: 2000, amountCents: 4000 })]);
    expect(book.only()).toMatchObject({
      id,
      amountCents: 4000,
      state: "booked",
      verdict: { outcome: "earned", points: 120 },
    });
  });

  test("an older version never overwrites a newer one", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { lastUpdateMs: 2000, amountCents: 4000 })]);
    book.record([row("1", { lastUpdateMs: 1000, amountCents: 100 })]);
    expect(book.only().amountCents).toBe(4000);
    expect(book.balances()).toBe("120 0 0");
  });

  test("an amount that the bank corrects moves the points to the new amount", ({ expect }) => {
    const book = openBook();
    book.record([row("1")]);
    book.record([row("1", { lastUpdateMs: 2000, amountCents: 1000 })]);
    expect(book.only().verdict).toMatchObject({ outcome: "earned", points: 30 });
    expect(book.balances()).toBe("30 0 0");
    expect(book.broken()).toEqual([]);
  });

  test("a new label alone leaves verdict and books as they are", ({ expect }) => {
    const book = openBook();
    book.record([row("1")]);
    const { head } = book.points();
    book.record([row("1", { lastUpdateMs: 2000, labelCipher: "other" })]);
    expect(book.only().labelCipher).toBe("other");
    expect(book.points().head).toBe(head);
  });

  test("a booked row that the bank deletes is reversed, and earns again when it comes back", ({ expect }) => {
    const book = openBook();
    book.record([row("1")]);
    book.record([row("1", { lastUpdateMs: 2000, state: "deleted" })]);
    expect(book.only()).toMatchObject({
      state: "deleted",
      verdict: { outcome: "reversed", points: 0 },
    });
    expect(book.balances()).toBe("0 0 0");
    book.record([row("1", { lastUpdateMs: 3000 })]);
    expect(book.balances()).toBe("104 0 0");
    expect(book.kinds()).toBe("earn cancel earn");
    expect(book.broken()).toEqual([]);
  });

  test("a row that needs a review waits for a person and earns when the person says so", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { review: "amount_precision" })]);
    const purchase = book.only();
    expect(purchase.verdict).toMatchObject({
      outcome: "waiting",
      points: 0,
      reasons: ["held_for_review"],
    });
    expect(value(book.engine.reviews(null, at("2026-11-14"))).map((item) => item.why)).toEqual([
      "amount_precision",
    ]);
    const { offers, programme } = batch([]);
    value(
      book.engine.decideReview(
        { purchaseId: purchase.id, decision: "count", offers, programme },
        at("2026-11-14"),
      ),
    );
    expect(book.balances()).toBe("104 0 0");
    expect(value(book.engine.reviews(null, at("2026-11-14")))).toEqual([]);
    expect(
      book.engine.decideReview(
        { purchaseId: purchase.id, decision: "refuse", offers, programme },
        at("2026-11-14"),
      ),
    ).toEqual({ ok: false, error: { code: "review_unknown" } });
  });

  test("a row that the bank amended since a person saw it is not counted unseen", ({ expect }) => {
    const { offers, programme } = batch([]);
    const book = openBook();
    book.record([row("1", { review: "amount_precision" })]);
    const seen = book.only();
    let updateMs = 1000;
    for (
      const change of [
        { amountCents: 9_000_000 },
        { amountCents: 3490, purchasedOn: "2026-11-11" },
        { brand: null },
      ]
    ) {
      book.record([
        row("1", { review: "amount_precision", lastUpdateMs: updateMs += 1000, ...change }),
      ]);
      expect(
        book.engine.decideReview({
          purchaseId: seen.id,
          decision: "count",
          offers,
          programme,
          seen,
        }, at("2026-11-14")),
      ).toEqual({ ok: false, error: { code: "review_amended" } });
      expect(book.balances()).toBe("0 0 0");
    }
    const now = book.only();
    expect(
      value(
        book.engine.decideReview({
          purchaseId: seen.id,
          decision: "count",
          offers,
          programme,
          seen: now,
        }, at("2026-11-14")),
      ).verdict.outcome,
    ).toBe("not_earned");
  });

  test("what cannot be true is refused by a person or stays where it is", ({ expect }) => {
    const { offers, programme } = batch([]);
    for (const review of ["amount_out_of_bounds", "amount_missing", "date_absurd"] as const) {
      const book = openBook();
      book.record([row("1", { review, amountCents: 1_000_000_000 })]);
      const { id: purchaseId } = book.only();
      expect(
        book.engine.decideReview(
          { purchaseId, decision: "count", offers, programme },
          at("2026-11-14"),
        ),
      ).toEqual({
        ok: false,
        error: {
          code: review === "date_absurd" ? "review_day_required" : "review_not_countable",
        },
      });
      expect(book.only().verdict).toMatchObject({
        outcome: "waiting",
        reasons: ["held_for_review"],
      });
      expect(
        value(
          book.engine.decideReview(
            { purchaseId, decision: "refuse", offers, programme },
            at("2026-11-14"),
          ),
        ).verdict,
      ).toMatchObject({ outcome: "not_earned", points: 0 });
    }
  });

  test("a pending row of an absurd day waits as long for a person as any other for its booking", ({ expect }) => {
    const book = openBook();
    book.record([
      row("1", {
        state: "pending",
        bookedOn: null,
        purchasedOn: "1999-01-01",
        review: "date_absurd",
      }),
    ]);
    expect(book.only("2026-11-28").verdict).toMatchObject({
      outcome: "waiting",
      reasons: ["held_for_review"],
    });
    expect(value(book.engine.reviews(null, at("2026-11-28")))).toHaveLength(1);
    expect(book.only("2026-11-29").state).toBe("deleted");
  });

  test("caps of an offer count what earlier purchases got, also those of the same batch", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), row("2"), row("3")], "2026-11-14", {
      offers: [offer({ capPointsPerUser: 250, period: "month" })],
    });
    expect(book.balances()).toBe("250 0 0");
    expect(book.purchases().map((purchase) => purchase.verdict.points).sort((a, b) => a - b))
      .toEqual([42, 104, 104]);
  });

  test("a capped offer has room again after a refund", ({ expect }) => {
    const book = openBook();
    const offers = [offer({ capPurchasesPerUser: 1 })];
    book.record([row("1")], "2026-11-14", { offers });
    book.record([row("r", { kind: "refund", purchasedOn: "2026-11-13" })], "2026-11-14", {
      offers,
    });
    book.record([row("2", { purchasedOn: "2026-11-14" })], "2026-11-14", { offers });
    expect(book.balances()).toBe("104 0 0");
  });

  test("only the first recorded purchase at a brand is the first", ({ expect }) => {
    const book = openBook();
    const offers = [offer({ firstPurchaseOnly: true })];
    book.record([row("1"), row("2", { purchasedOn: "2026-11-01" })], "2026-11-14", { offers });
    book.record([row("3")], "2026-11-14", { offers });
    expect(book.purchases().map((purchase) => purchase.verdict.outcome).sort()).toEqual([
      "earned",
      "not_earned",
      "not_earned",
    ]);
    expect(book.purchases().find((purchase) => purchase.externalId === "1")?.verdict.outcome).toBe(
      "earned",
    );
  });

  test("a purchase that arrives after its confirmation day is confirmed at once", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { purchasedOn: "2026-10-01" })]);
    expect(book.balances()).toBe("0 104 0");
    expect(book.kinds()).toBe("earn confirm");
  });

  test("a batch over the limit is refused whole", ({ expect }) => {
    const book = openBook();
    expect(() => book.record(Array.from({ length: 501 }, (_, index) => row(String(index)))))
      .toThrow("more than 500 rows");
    expect(book.purchases()).toEqual([]);
  });

  test("the connection's last sync and the account's last purchase are known", ({ expect }) => {
    const book = openBook();
    book.record([row("1")], "2026-11-14", { syncedAtMs: 5000, accounts: [account()] });
    book.record([], "2026-11-14", { syncedAtMs: 4000 });
    expect(value(book.engine.bankingActivity(null, at("2026-11-14")))).toEqual({
      connections: [{ connectionId: "con_1", lastSyncedAtMs: 5000 }],
      accounts: [{ accountId: "acc_1", lastPurchaseOn: "2026-11-12" }],
    });
  });
});

describe("time", () => {
  test("points mature when they are read, however late the alarm is", ({ expect }) => {
    const book = openBook();
    book.record([row("1")]);
    expect(book.points().nextConfirmation).toEqual({ on: "2026-12-12", points: 104 });
    expect(book.balances("2026-12-11")).toBe("104 0 0");
    expect(book.balances("2026-12-12")).toBe("0 104 0");
    expect(book.points("2026-12-12")).toMatchObject({
      nextConfirmation: null,
      nextExpiry: { on: "2028-12-12", points: 104 },
    });
  });

  test("the alarm is set for the next thing that happens", ({ expect }) => {
    const book = openBook();
    expect(value(book.engine.nextAlarm(null, at("2026-11-14")))).toBeNull();
    book.record([row("1")]);
    expect(value(book.engine.nextAlarm(null, at("2026-11-14")))).toBe(at("2026-11-14"));
    value(book.engine.ackOutbox(1, at("2026-11-14")));
    value(
      book.engine.ackSample(
        value(book.engine.peekSample(null, at("2026-11-14")))?.mark ?? "",
        at("2026-11-14"),
      ),
    );
    expect(value(book.engine.nextAlarm(null, at("2026-11-14")))).toBe(
      at("2026-12-12") - 12 * 3_600_000,
    );
  });

  test("a pending row that nothing took over is closed after 14 days", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { state: "pending" })]);
    expect(book.only("2026-11-26").state).toBe("pending");
    expect(book.only("2026-11-27")).toMatchObject({
      state: "deleted",
      verdict: { outcome: "not_earned", reasons: ["not_booked_yet"] },
    });
  });
});
