// Lives of bank rows that the deterministic simulation found broken, each as the shortest story
// that shows it.
import { describe, test } from "vitest";
import type { AccountId } from "../../../src/kernel/ids.ts";
import { account, at, batch, FNAC, offer, row } from "../../contract/ledger-factories.ts";
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

describe("where only the family says that accounts are one", () => {
  const generation = (id: string, from: string, until?: string): ReturnType<typeof account> =>
    account(id, {
      strength: "weak",
      createdAtMs: at(from),
      goneAtMs: until === undefined ? null : at(until),
    });
  const [first, second, third] = [
    generation("acc_1", "2026-10-01", "2026-11-10"),
    generation("acc_2", "2026-11-10", "2026-11-13"),
    generation("acc_3", "2026-11-13"),
  ];
  const of = (
    id: string,
    accountId: string,
    more: Parameters<typeof row>[1] = {},
  ): ReturnType<typeof row> => row(id, { accountId: accountId as AccountId, ...more });

  test("a row stays held when only a newer generation repeats it, in every order", ({ expect }) => {
    const accounts = [first, second, third];
    const rows = [
      of("a", "acc_1", { purchasedOn: "2026-11-09" }),
      of("b", "acc_2"),
      of("c", "acc_3"),
    ];
    for (const order of [rows, [...rows].reverse()]) {
      const book = openBook();
      for (const each of order) book.record([each], "2026-11-14", { accounts });
      expect(book.purchases().map(({ verdict }) => verdict.reasons.join()).sort()).toEqual([
        "held_for_review",
        "offer_applied",
      ]);
      expect(book.balances()).toBe("104 0 0");
      expect(book.broken()).toEqual([]);
    }
  });

  test("a held row is free once the authorisation that it repeats arrives late", ({ expect }) => {
    const book = openBook();
    const accounts = [first, second];
    book.record(
      [of("b", "acc_2"), of("near", "acc_1", { purchasedOn: "2026-11-10" })],
      "2026-11-14",
      { accounts },
    );
    expect(book.balances()).toBe("104 0 0");
    const pending = { state: "pending", bookedOn: null, lastUpdateMs: 2000 } as const;
    book.record([of("a", "acc_1", pending)], "2026-11-14", {
      accounts,
    });
    expect(book.balances()).toBe("208 0 0");
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
  const first = row("x", { amountCents: 1000, purchasedOn: "2026-11-10", brand: fnac });
  // It seems to repeat the first, until that one's own new copy comes.
  const stranger = row("y", {
    accountId: "acc_2",
    amountCents: 1000,
    purchasedOn: "2026-11-11",
    brand: fnac,
    labelTag: "fnac",
  });
  const copy = row("x2", {
    accountId: "acc_2",
    amountCents: 1000,
    purchasedOn: "2026-11-10",
    brand: fnac,
  });

  test("asks for the offers of its brand and day, and changes nothing without them", ({ expect }) => {
    const book = openBook();
    book.record([first], "2026-11-14", { accounts, offers: [atFnac] });
    book.record([stranger], "2026-11-14", { accounts, offers: [atFnac] });
    const before = [book.points(), book.purchases()];
    const lacking = batch([copy], {
      accounts,
      offers: [atFnac],
      covers: [cover(FNAC, "2026-11-10")],
    });
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
