// What a change of a bank row does to points that were granted or confirmed already. Most cases
// were found by the deterministic simulation, each as the shortest story that shows it.
import { describe, expect, test } from "vitest";
import { createEngine } from "../../../src/ledger/engine.ts";
import {
  account,
  at,
  batch,
  FNAC,
  offer,
  row,
  seededRandom,
  USER,
} from "../../contract/ledger-factories.ts";
import { openBook, value } from "./book.ts";

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
  test("counts a purchase whose keeper changes in the same delivery", ({ expect }) => {
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

describe("the counters for D1", () => {
  test("add up to the purchases that count and their cents, whatever the bank changes", ({ expect }) => {
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

describe("a purchase whose brand is recognised late", () => {
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
    book.record([], "2026-11-14", {
      accounts: [account("acc_2", { createdAtMs: stranger.createdAtMs })],
    });
    expect(book.balances()).toBe("0 0 0");
    book.record([], "2026-11-14", { accounts: [stranger] });
    expect(book.balances()).toBe("104 0 0");
    expect(book.broken()).toEqual([]);
  });
});

describe("a row that becomes the keeper of a purchase before its own budget share is released", () => {
  test("releases that share all the same", ({ expect }) => {
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
    // The copy was the same until it was corrected, which is reported late; then the older row is
    // corrected too and counts again.
    book.record([row("y", { accountId: "acc_2" })], "2026-11-14", more);
    book.record([row("x", { amountCents: 2000, lastUpdateMs: 2000 })], "2026-11-14", more);
    // Decided once more before any of it has reached the budget.
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
