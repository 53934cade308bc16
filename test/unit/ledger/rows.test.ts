// Lives of bank rows that the deterministic simulation found broken, each as the shortest story
// that shows it.
import { describe, expect, test } from "vitest";
import { createEngine } from "../../../src/ledger/engine.ts";
import type { AccountId } from "../../../src/kernel/ids.ts";
import {
  account,
  at,
  batch,
  FNAC,
  MONOPRIX,
  offer,
  row,
  seededRandom,
  USER,
} from "../../contract/ledger-factories.ts";
import { openBook, value } from "./book.ts";

describe("a purchase id belongs to one purchase", () => {
  test("also when the authorisation that another purchase took over is booked itself", ({ expect }) => {
    const book = openBook();
    const offers = [offer({ budgetPoints: 1000 })];
    book.record([row("1", { state: "pending", bookedOn: null })], "2026-11-12", { offers });
    const { id } = book.only("2026-11-12");
    // Another purchase at the same brand takes the authorisation for its own, and its id with it.
    book.record([row("2", { amountCents: 5000, lastUpdateMs: 2000 })], "2026-11-13", { offers });
    expect(book.only("2026-11-13").id).toBe(id);
    book.record([row("1", { lastUpdateMs: 3000 })], "2026-11-14", { offers });
    const purchases = book.purchases();
    expect(new Set(purchases.map((purchase) => purchase.id)).size).toBe(2);
    for (const purchase of purchases) {
      expect(value(book.engine.purchase(purchase.id, at("2026-11-14")))?.externalId).toBe(
        purchase.externalId,
      );
    }
    for (const task of value(book.engine.budgetTasks(null, at("2026-11-14")))) {
      value(book.engine.budgetGranted(task, at("2026-11-14")));
    }
    expect(value(book.engine.budgetTasks(null, at("2026-11-14")))).toEqual([]);
    expect(book.balances()).toBe("254 0 0");
    expect(book.broken()).toEqual([]);
  });
});

describe("an authorisation whose booking the bank takes back", () => {
  test("is listed again, under an id of its own", ({ expect }) => {
    const book = openBook();
    book.record([row("auth", { state: "pending", bookedOn: null })]);
    book.record([row("booked", { lastUpdateMs: 2000 })]);
    const { id } = book.only();
    book.record([row("booked", { state: "deleted", lastUpdateMs: 3000 })]);
    const listed = book.purchases().map((
      purchase,
    ) => [purchase.externalId, purchase.state, purchase.id === id]);
    expect(listed.sort()).toEqual([["auth", "pending", false], ["booked", "deleted", true]]);
  });
});

describe("an authorisation that two bookings took over one after the other", () => {
  test("leaves its id to the first when it is booked itself", ({ expect }) => {
    const book = openBook();
    book.record([row("auth", { state: "pending", purchasedOn: "2026-11-10" })]);
    book.record([row("far", { purchasedOn: "2026-11-13", amountCents: 2000, lastUpdateMs: 2000 })]);
    book.record([row("near", { purchasedOn: "2026-11-11", lastUpdateMs: 2001 })]);
    book.record([row("auth", { purchasedOn: "2026-11-10", lastUpdateMs: 3000 })]);
    const ids = book.purchases().map((purchase) => purchase.id);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(3);
    expect(book.broken()).toEqual([]);
  });
});

describe("a row that repeats an older one", () => {
  test("still does when a delivery brings only one of the two near", ({ expect }) => {
    const book = openBook();
    const accounts = [account("acc_1"), account("acc_2", { createdAtMs: at("2026-09-05") })];
    const again = (id: string, purchasedOn: string): ReturnType<typeof row> =>
      row(id, { accountId: "acc_2", purchasedOn });
    book.record([row("1", { purchasedOn: "2026-09-01" })], "2026-11-14", { accounts });
    book.record([again("n1", "2026-09-04")], "2026-11-14", { accounts });
    for (let day = 10; day < 32; day++) {
      book.record([again(`far ${day}`, `2026-10-${day}`)], "2026-11-14", { accounts });
    }
    expect(book.purchases().filter((purchase) => purchase.purchasedOn < "2026-10-01")).toHaveLength(
      1,
    );
  });
});

describe("a row that hands its purchase over in the delivery that changes it", () => {
  test("hands over no verdict that was decided for what it no longer says", ({ expect }) => {
    const book = openBook();
    const accounts = [account("acc_1"), account("acc_2", { createdAtMs: at("2026-11-10") })];
    // The newer generation came first and earned; then the older one's row of no brand, then the
    // correction that there is no brand.
    book.record([row("1", { accountId: "acc_2" })], "2026-11-14", { accounts });
    book.record([row("1", { brand: null })], "2026-11-14", { accounts });
    book.record([row("1", { accountId: "acc_2", brand: null, lastUpdateMs: 2000 })], "2026-11-14", {
      accounts,
    });
    expect(book.only().verdict).toMatchObject({
      outcome: "not_earned",
      points: 0,
      reasons: ["brand_unknown"],
    });
    expect(book.balances()).toBe("0 0 0");
    expect(book.broken()).toEqual([]);
  });
});

describe("a refund that the bank takes back", () => {
  test("gives points back only as far as the cap has room, which another purchase may have used meanwhile", ({ expect }) => {
    const book = openBook();
    const offers = [offer({ capPointsPerUser: 150 })];
    book.record([row("1")], "2026-11-14", { offers });
    book.record([row("r", { kind: "refund", purchasedOn: "2026-11-13" })], "2026-11-14", {
      offers,
    });
    book.record([row("2", { purchasedOn: "2026-11-14" })], "2026-11-14", { offers });
    expect(book.balances()).toBe("104 0 0");
    book.record(
      [row("r", {
        kind: "refund",
        purchasedOn: "2026-11-13",
        state: "deleted",
        lastUpdateMs: 2000,
      })],
      "2026-11-14",
      { offers },
    );
    expect(book.balances()).toBe("150 0 0");
    expect(book.broken()).toEqual([]);
  });
});

describe("a purchase whose date changes", () => {
  test("matures on the day that its verdict shows", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { purchasedOn: "2026-11-14" })]);
    book.record([row("1", { purchasedOn: "2026-11-11", lastUpdateMs: 2000 })]);
    expect(book.only().verdict).toMatchObject({
      points: 104,
      confirmationExpectedOn: "2026-12-11",
    });
    expect(book.points().nextConfirmation).toEqual({ on: "2026-12-11", points: 104 });
  });
});

describe("under a weak fingerprint", () => {
  const generation = (id: string, from: string): ReturnType<typeof account> =>
    account(id, { strength: "weak", createdAtMs: at(from) });
  const [first, second, third] = [
    generation("acc_1", "2026-10-01"),
    generation("acc_2", "2026-11-10"),
    generation("acc_3", "2026-11-13"),
  ];
  const of = (
    id: string,
    accountId: string,
    more: Parameters<typeof row>[1] = {},
  ): ReturnType<typeof row> => row(id, { accountId: accountId as AccountId, ...more });

  test("a row stays held when only a newer generation repeats it, in either order", ({ expect }) => {
    const accounts = [first, second, third];
    const rows = [of("b", "acc_2"), of("c", "acc_3")];
    for (const order of [rows, [...rows].reverse()]) {
      const book = openBook();
      for (const each of order) book.record([each], "2026-11-14", { accounts });
      expect(book.only().verdict).toMatchObject({
        outcome: "waiting",
        reasons: ["held_for_review"],
      });
      expect(book.balances()).toBe("0 0 0");
    }
  });

  test("a held row is free once the authorisation that it repeats arrives late", ({ expect }) => {
    const book = openBook();
    const accounts = [first, second];
    book.record([of("b", "acc_2")], "2026-11-14", { accounts });
    expect(book.only().verdict.reasons).toEqual(["held_for_review"]);
    book.record([of("a", "acc_1", { state: "pending", bookedOn: null })], "2026-11-14", {
      accounts,
    });
    expect(book.balances()).toBe("104 0 0");
  });

  test("an authorisation that nobody booked is closed after 14 days, not left to operators for ever", ({ expect }) => {
    const book = openBook();
    book.record([of("b", "acc_2", { state: "pending", bookedOn: null })], "2026-11-14", {
      accounts: [first, second],
    });
    expect(book.only().verdict.outcome).toBe("waiting");
    expect(book.only("2026-11-28").verdict.outcome).toBe("not_earned");
  });
});

describe("a pending row that nothing took over in 14 days", () => {
  const authorisation = row("auth", {
    state: "pending",
    bookedOn: null,
    purchasedOn: "2026-11-02",
  });
  const booked = row("booked", { purchasedOn: "2026-11-03", lastUpdateMs: 2000 });

  test("is shown as gone, and taken over all the same when its booking comes late", ({ expect }) => {
    const book = openBook();
    book.record([authorisation], "2026-11-02");
    const { id } = book.only("2026-11-02");
    expect(book.only("2026-11-16")).toMatchObject({
      state: "pending",
      verdict: { outcome: "waiting" },
    });
    expect(book.only("2026-11-17")).toMatchObject({
      state: "deleted",
      verdict: { outcome: "not_earned", points: 0 },
    });
    book.record([booked], "2026-11-20");
    expect(book.only("2026-11-20")).toMatchObject({
      id,
      externalId: "booked",
      state: "booked",
      verdict: { outcome: "earned", points: 104 },
    });
  });

  test("ends so in either order", ({ expect }) => {
    const book = openBook();
    book.record([booked], "2026-11-20");
    book.record([authorisation], "2026-11-20");
    expect(book.only("2026-11-20")).toMatchObject({
      externalId: "booked",
      verdict: { outcome: "earned", points: 104 },
    });
  });

  test("is closed at once when it is that old already", ({ expect }) => {
    const book = openBook();
    book.record([authorisation], "2026-11-17");
    expect(value(book.engine.nextAlarm(null, at("2026-11-17")))).toBeNull();
    expect(book.only("2026-11-17")).toMatchObject({
      state: "deleted",
      verdict: { outcome: "not_earned" },
    });
  });
});

describe("an older generation's authorisation that is booked after the newer one earned", () => {
  const accounts = [account("acc_1"), account("acc_2", { createdAtMs: at("2026-11-10") })];
  const offers = [offer({ budgetPoints: 1000 })];
  const grantAll = (book: ReturnType<typeof openBook>): void => {
    for (const task of value(book.engine.budgetTasks(null, at("2026-11-14")))) {
      value(book.engine.budgetGranted(task, at("2026-11-14")));
    }
  };

  test("takes the verdict over, and both ids lead to it", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { state: "pending", bookedOn: null, amountCents: 9900 })], "2026-11-14", {
      accounts,
      offers,
    });
    book.record([row("again", { accountId: "acc_2" })], "2026-11-14", { accounts, offers });
    grantAll(book);
    const ids = book.purchases().map((purchase) => purchase.id);
    book.record([row("1", { lastUpdateMs: 2000 })], "2026-11-14", { accounts, offers });
    expect(book.kinds()).toBe("earn");
    for (const id of ids) {
      expect(value(book.engine.purchase(id, at("2026-11-14")))).toMatchObject({
        externalId: "1",
        verdict: { points: 104 },
      });
    }
    expect(value(book.engine.budgetTasks(null, at("2026-11-14")))).toEqual([]);
  });

  test("and whose budget is answered for each row under its own name", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { amountCents: 9900 })], "2026-11-14", { accounts, offers });
    book.record([row("again", { accountId: "acc_2" })], "2026-11-14", { accounts, offers });
    grantAll(book);
    book.record([row("1", { lastUpdateMs: 2000 })], "2026-11-14", { accounts, offers });
    const tasks = value(book.engine.budgetTasks(null, at("2026-11-14")));
    expect(tasks.map(({ points }) => points).sort((a, b) => a - b)).toEqual([0, 104]);
    expect(new Set(tasks.map(({ key }) => key)).size).toBe(2);
    grantAll(book);
    expect(value(book.engine.budgetTasks(null, at("2026-11-14")))).toEqual([]);
    expect(book.balances()).toBe("104 0 0");
  });
});

describe("a row of an earlier delivery that has to be judged again", () => {
  const accounts = [account("acc_1"), account("acc_2", { createdAtMs: at("2026-06-01") })];
  const fnac = { id: FNAC, matched: "FNAC" };
  const atFnac = offer({ offerId: "off_fnac", brandId: FNAC });
  const cover = (brandId: typeof FNAC, on: string) => ({ brandId, from: on, to: on });
  const first = row("x", { amountCents: 1000, purchasedOn: "2026-11-10" });
  // It seems to repeat the first, until that one's own new copy comes.
  const stranger = row("y", {
    accountId: "acc_2",
    amountCents: 1000,
    purchasedOn: "2026-11-11",
    brand: fnac,
    labelTag: "fnac",
  });
  const copy = row("x2", { accountId: "acc_2", amountCents: 1000, purchasedOn: "2026-11-10" });

  test("asks for the offers of its brand and day, and changes nothing without them", ({ expect }) => {
    const book = openBook();
    book.record([first], "2026-11-14", { accounts });
    book.record([stranger], "2026-11-14", { accounts, offers: [atFnac] });
    const before = [book.points(), book.purchases()];
    const lacking = batch([copy], { accounts, covers: [cover(MONOPRIX, "2026-11-10")] });
    expect(book.engine.record(lacking, at("2026-11-14"))).toEqual({
      ok: false,
      error: { code: "offers_needed", needed: [cover(FNAC, "2026-11-11")] },
    });
    expect([book.points(), book.purchases()]).toEqual(before);
    // Another day's offers are not enough either.
    expect(
      book.engine.record({
        ...lacking,
        covers: [...lacking.covers ?? [], cover(FNAC, "2026-11-12")],
      }, at("2026-11-14")).ok,
    ).toBe(false);
    value(
      book.engine.record({
        ...lacking,
        offers: [offer(), atFnac],
        covers: [...lacking.covers ?? [], cover(FNAC, "2026-11-11")],
      }, at("2026-11-14")),
    );
    expect(book.balances()).toBe("60 0 0");
    expect(book.broken()).toEqual([]);
  });
});

describe("an absurd date in a delivery", () => {
  test("does not keep the other rows from being found again", ({ expect }) => {
    const accounts = [account("acc_1"), account("acc_2", { createdAtMs: at("2026-06-01") })];
    for (const purchasedOn of ["9999-12-31", "0001-01-01"]) {
      const book = openBook();
      book.record(
        [row("x"), row("auth", { state: "pending", bookedOn: null, amountCents: 500 })],
        "2026-11-14",
        { accounts },
      );
      book.record(
        [
          row("x2", { accountId: "acc_2" }),
          row("z", { accountId: "acc_2", amountCents: 777, purchasedOn, review: "date_absurd" }),
          row("booked", { amountCents: 500, lastUpdateMs: 2000 }),
        ],
        "2026-11-14",
        { accounts },
      );
      expect(book.balances()).toBe("119 0 0");
      expect(book.purchases()).toHaveLength(3);
    }
  });
});

describe("a purchase that the bank corrects after its points were confirmed", () => {
  const day = { purchasedOn: "2026-09-01" };
  const corrected = (amountCents: number): ReturnType<typeof row> =>
    row("1", { ...day, amountCents, lastUpdateMs: 2000 });

  test("costs no redemption when it is worth more, and posts the difference only", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { ...day, amountCents: 100_000 })]);
    book.operate("h", { kind: "hold", redemptionId: "red_1", points: 3000, expiresAtMs: null });
    book.record([corrected(100_100)]);
    expect(book.kinds()).toBe("earn confirm hold earn confirm");
    expect(book.balances()).toBe("0 3 3000");
    expect(book.broken()).toEqual([]);
  });

  test("releases the hold when what is left does not cover it", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { ...day, amountCents: 100_000 })]);
    book.operate("h", { kind: "hold", redemptionId: "red_1", points: 3000, expiresAtMs: null });
    book.record([corrected(50_000)]);
    expect(book.kinds()).toBe("earn confirm hold clawback release");
    expect(book.balances()).toBe("0 1500 0");
    expect(book.broken()).toEqual([]);
  });

  test("brings no points back that have expired", ({ expect }) => {
    const book = openBook();
    const more = { programme: { pointsPerEuro: 100, pointsExpireMonths: 1 } };
    book.record([row("1", { ...day, amountCents: 10_000 })], "2026-10-05", more);
    value(
      book.engine.noticeSent(
        { daysBefore: 30, expiresOn: "2030-01-01", lots: [1] },
        at("2026-10-10"),
      ),
    );
    expect(book.kinds("2026-11-14")).toBe("earn confirm expire");
    book.record([corrected(10_100)], "2026-11-14", more);
    expect(book.balances()).toBe("0 3 0");
    expect(book.only().verdict.points).toBe(303);
    book.record([row("1", { ...day, amountCents: 5000, lastUpdateMs: 3000 })], "2026-11-14", more);
    expect(book.balances()).toBe("0 0 0");
    expect(book.broken()).toEqual([]);
  });

  test("is another lot when its day is another", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { amountCents: 10_000 })]);
    book.record([row("1", { amountCents: 10_000, purchasedOn: "2026-11-13", lastUpdateMs: 2000 })]);
    expect(book.kinds()).toBe("earn cancel earn");
    expect(book.points().nextConfirmation).toEqual({ on: "2026-12-13", points: 300 });
  });
});

describe("a purchase under a budget that the bank corrects", () => {
  const offers = [offer({ budgetPoints: 106 })];
  const corrected = (amountCents: number): ReturnType<typeof row> =>
    row("1", { amountCents, lastUpdateMs: 2000 });
  const answer = (book: ReturnType<typeof openBook>, granted: boolean, held: number): void => {
    const [task] = value(book.engine.budgetTasks(null, at("2026-11-14")));
    if (task === undefined) throw new Error("nothing is asked of the budget");
    value(
      granted
        ? book.engine.budgetGranted(task, at("2026-11-14"))
        : book.engine.budgetDenied({ ...task, held }, at("2026-11-14")),
    );
  };
  const earned = (): ReturnType<typeof openBook> => {
    const book = openBook();
    book.record([row("1")], "2026-11-14", { offers });
    answer(book, true, 104);
    return book;
  };

  test("keeps what the budget holds, and gets the rest once it holds that too", ({ expect }) => {
    const book = earned();
    book.record([corrected(3590)], "2026-11-14", { offers });
    expect(book.only().verdict).toMatchObject({
      outcome: "earned",
      points: 104,
      reasons: ["offer_applied", "budget_reserving"],
    });
    expect(value(book.engine.budgetTasks(null, at("2026-11-14")))).toMatchObject([{ points: 107 }]);
    answer(book, true, 107);
    expect(book.only().verdict).toMatchObject({
      outcome: "earned",
      points: 107,
      reasons: ["offer_applied"],
    });
    expect(value(book.engine.budgetTasks(null, at("2026-11-14")))).toEqual([]);
    expect(book.broken()).toEqual([]);
  });

  test("keeps it too when the budget has no more", ({ expect }) => {
    const book = earned();
    book.record([corrected(3590)], "2026-11-14", { offers });
    answer(book, false, 104);
    expect(book.only().verdict).toMatchObject({
      outcome: "earned",
      points: 104,
      reasons: ["offer_applied", "budget_exhausted"],
    });
    expect(book.balances()).toBe("104 0 0");
    expect(value(book.engine.budgetTasks(null, at("2026-11-14")))).toEqual([]);
    expect(book.broken()).toEqual([]);
  });

  test("gives back what it is worth less", ({ expect }) => {
    const book = earned();
    book.record([corrected(2000)], "2026-11-14", { offers });
    expect(book.only().verdict).toMatchObject({ outcome: "earned", points: 60 });
    expect(value(book.engine.budgetTasks(null, at("2026-11-14")))).toMatchObject([{ points: 60 }]);
  });

  test("tries the offer's other version on the day on which one follows the other", ({ expect }) => {
    const book = openBook();
    const first = offer({ version: 1, endsAtMs: at("2026-11-12"), rateBp: 200 });
    const second = offer({ version: 2, startsAtMs: at("2026-11-12"), budgetPoints: 50 });
    book.record([row("1")], "2026-11-14", { offers: [first, second] });
    answer(book, false, 0);
    expect(book.only().verdict).toMatchObject({
      outcome: "earned",
      points: 69,
      offer: { version: 1 },
    });
  });
});

describe("points that a refund takes down to nothing", () => {
  test("are reversed, though a part of the purchase was kept", ({ expect }) => {
    const book = openBook();
    book.record([
      row("1", { amountCents: 60 }),
      row("r", { kind: "refund", amountCents: 30, purchasedOn: "2026-11-13" }),
    ]);
    expect(book.purchases().find(({ kind }) => kind === "purchase")?.verdict).toMatchObject({
      outcome: "reversed",
      points: 0,
      reasons: ["refunded", "offer_applied"],
      confirmationExpectedOn: null,
    });
  });
});

describe("a cap", () => {
  test("counts a purchase that another row comes to stand for in the same delivery", ({ expect }) => {
    const book = openBook();
    const accounts = [account("acc_1"), account("acc_2", { createdAtMs: at("2026-06-01") })];
    const offers = [offer({ capPointsPerUser: 110 })];
    book.record([row("n2", { accountId: "acc_2" })], "2026-11-14", { accounts, offers });
    // The older account's rows come late: one is new to us, and comes first; the other takes the
    // purchase over.
    book.record(
      [row("1", { amountCents: 9000, purchasedOn: "2026-11-01" }), row("2")],
      "2026-11-14",
      { accounts, offers },
    );
    expect(book.points().balances.pending).toBe(110);
    expect(book.broken()).toEqual([]);
  });
});

describe("what counters are told", () => {
  test("adds up to the purchases that stand and their cents, whatever the bank changes", ({ expect }) => {
    const book = openBook();
    const refund = row("r", { kind: "refund", amountCents: 490, purchasedOn: "2026-11-13" });
    book.record([row("1"), row("2", { amountCents: 6000, purchasedOn: "2026-11-11" })]);
    book.record([
      row("2", { amountCents: 100_000, purchasedOn: "2026-11-11", lastUpdateMs: 2000 }),
      refund,
    ]);
    book.record([row("3", { amountCents: 5000, purchasedOn: "2026-11-10" })]);
    book.record([
      row("3", {
        amountCents: 5000,
        purchasedOn: "2026-11-10",
        state: "deleted",
        lastUpdateMs: 2000,
      }),
    ]);
    book.record([{ ...refund, state: "deleted", lastUpdateMs: 2000 }]);
    const net = { purchases: 0, cents: 0, points: 0 };
    for (
      const { kind, purchases, cents, points }
        of value(book.engine.peekOutbox(null, at("2026-11-14")))?.counters ?? []
    ) {
      const sign = kind === "earn" ? 1 : kind === "cancel" || kind === "clawback" ? -1 : 0;
      net.purchases += sign * purchases;
      net.cents += sign * cents;
      net.points += sign * points;
    }
    expect(net).toEqual({ purchases: 2, cents: 103_490, points: 3104 });
  });
});

describe("a purchase whose brand the bank's label tells late", () => {
  test("is not the first there, before one that was recorded", ({ expect }) => {
    const book = openBook();
    const offers = [
      offer({ firstPurchaseOnly: true }),
      offer({ offerId: "off_f", brandId: FNAC, firstPurchaseOnly: true }),
    ];
    const fnac = { id: FNAC, matched: "FNAC" };
    book.record([row("1")], "2026-11-14", { offers });
    book.record([row("2", { brand: fnac })], "2026-11-14", { offers });
    book.record([row("1", { brand: fnac, lastUpdateMs: 2000 })], "2026-11-14", { offers });
    expect(
      book.purchases().map(({ externalId, verdict }) => `${externalId} ${verdict.reasons[0] ?? ""}`)
        .sort(),
    ).toEqual(["1 not_first_purchase", "2 offer_applied"]);
    expect(book.balances()).toBe("104 0 0");
  });
});

describe("two deliveries in one millisecond", () => {
  test("keep the order in which they were decided, also for an engine that was opened in between", ({ expect }) => {
    const offers = [offer({ firstPurchaseOnly: true })];
    const fnac = { id: FNAC, matched: "FNAC" };
    for (const reopened of [false, true]) {
      const book = openBook();
      book.record(
        [row("a", { brand: fnac }), row("b", { brand: fnac }), row("first")],
        "2026-11-14",
        { offers },
      );
      const engine = reopened
        ? createEngine({ sql: book.sql, random: seededRandom(2), userId: USER })
        : book.engine;
      value(engine.record(batch([row("second")], { offers }), at("2026-11-14")));
      value(
        engine.record(
          batch([row("second", { amountCents: 5000, lastUpdateMs: 2000 })], { offers }),
          at("2026-11-14"),
        ),
      );
      expect(book.purchases().find(({ externalId }) => externalId === "second")?.verdict.reasons)
        .toEqual(["not_first_purchase"]);
    }
  });
});

describe("an account that turns out to be another's", () => {
  test("brings its refunds to the purchases there", ({ expect }) => {
    const book = openBook();
    const stranger = account("acc_2", { fingerprint: "fp_2", createdAtMs: at("2026-06-01") });
    book.record(
      [row("1"), row("r", { accountId: "acc_2", kind: "refund", purchasedOn: "2026-11-13" })],
      "2026-11-14",
      { accounts: [account(), stranger] },
    );
    expect(book.balances()).toBe("104 0 0");
    book.record([], "2026-11-14", { accounts: [{ ...stranger, fingerprint: "fp_1" }] });
    expect(book.balances()).toBe("0 0 0");
    book.record([], "2026-11-14", { accounts: [stranger] });
    expect(book.balances()).toBe("104 0 0");
    expect(book.broken()).toEqual([]);
  });
});

describe("a row that comes to stand for a purchase while it owes a budget its own share", () => {
  test("gives it back all the same", ({ expect }) => {
    const book = openBook();
    const accounts = [account("acc_1"), account("acc_2", { createdAtMs: at("2026-06-01") })];
    const more = { accounts, offers: [offer({ budgetPoints: 1000 })] };
    const held = new Map<string, number>();
    const answerAll = (): void => {
      for (const task of value(book.engine.budgetTasks(null, at("2026-11-14")))) {
        held.set(task.key, task.points);
        value(book.engine.budgetGranted(task, at("2026-11-14")));
      }
    };
    book.record([row("x")], "2026-11-14", more);
    book.record(
      [row("y", { accountId: "acc_2", amountCents: 2000, lastUpdateMs: 2000 })],
      "2026-11-14",
      more,
    );
    answerAll();
    // The copy was the same until it was corrected, which is told late; then the older row is
    // corrected too and stands again.
    book.record([row("y", { accountId: "acc_2" })], "2026-11-14", more);
    book.record([row("x", { amountCents: 2000, lastUpdateMs: 2000 })], "2026-11-14", more);
    // Decided once more before the budget has heard of any of it.
    book.record([row("x", { amountCents: 3000, lastUpdateMs: 3000 })], "2026-11-14", more);
    answerAll();
    answerAll();
    expect(book.balances()).toBe("90 0 0");
    expect([...held.values()].reduce((sum, points) => sum + points, 0)).toBe(90);
    expect(value(book.engine.budgetTasks(null, at("2026-11-14")))).toEqual([]);
  });
});

describe("a call that takes back and gives back", () => {
  test("drains no lot for a debt that is gone at its end", ({ expect }) => {
    const day = { purchasedOn: "2026-09-01" };
    const refund = row("r", { kind: "refund", amountCents: 3490, purchasedOn: "2026-09-02" });
    const books = [["1", "2"], ["2", "1"]].map((order) => {
      const book = openBook();
      const offers = [offer(), offer({ offerId: "off_f", brandId: FNAC })];
      const fnac = { brand: { id: FNAC, matched: "FNAC" }, labelTag: "fnac" };
      book.record(
        [
          row("1", day),
          row("2", { ...day, ...fnac }),
          row("later", { purchasedOn: "2026-10-01" }),
          { ...refund, ...fnac, externalId: "r2" },
        ],
        "2026-11-14",
        { offers },
      );
      book.operate("h", { kind: "hold", redemptionId: "red_1", points: 200, expiresAtMs: null });
      // One purchase is given back, the other's refund is taken back.
      const changes = {
        1: refund,
        2: { ...refund, ...fnac, externalId: "r2", state: "deleted" as const, lastUpdateMs: 2000 },
      };
      book.record(order.map((name) => changes[name as "1" | "2"]), "2026-11-14", { offers });
      return [book.balances(), book.points().nextExpiry, book.kinds().split(" ").slice(-3).sort()];
    });
    expect(books[0]).toEqual(books[1]);
    expect(books[0]?.[0]).toBe("0 8 200");
  });
});

describe("a purchase that the bank books no longer, or that turns out to be a refund", () => {
  test.each([{ state: "pending" as const, bookedOn: null }, { kind: "refund" as const }])(
    "gives its budget back: %o",
    (change) => {
      const book = openBook();
      const offers = [offer({ budgetPoints: 1000 })];
      const answerAll = (date: string): number[] =>
        value(book.engine.budgetTasks(null, at(date))).map((task) => {
          value(book.engine.budgetGranted(task, at(date)));
          return task.points;
        });
      book.record([row("1")], "2026-11-14", { offers });
      answerAll("2026-11-14");
      book.record([row("1", { ...change, lastUpdateMs: 2000 })], "2026-11-14", { offers });
      expect(answerAll("2026-11-14")).toEqual([0]);
      expect(book.only("2026-11-14").verdict.outcome).toBe("waiting");
      // What it waits for has its own end.
      expect(book.only("2027-03-01").verdict.outcome).toBe("not_earned");
      expect(value(book.engine.budgetTasks(null, at("2027-03-01")))).toEqual([]);
    },
  );
});
