// What refunds take back, and what comes back when the cause of a refusal goes.
import { beforeEach, describe, it } from "vitest";
import { binding } from "../support/banking-d1.ts";
import { card, checking, DAY, fivePercent, HOUR, rowsApp } from "../support/rows-app.ts";
import type { Change, Person, RowsApp } from "../support/rows-app.ts";

let world: RowsApp;
let lea: Person;
const C = 1;
const row = (id: number, account: number, change: Change = {}) =>
  world.rowOf(lea, id, account, change);
async function start(terms = [fivePercent()]): Promise<void> {
  world = rowsApp(binding, terms);
  lea = await world.person();
}
const day = (date: string): Change => ({ date, rdate: date });
const dollars = (amount: number): Change => ({
  original_value: amount,
  original_currency: { id: "USD" },
});

describe("a refund", () => {
  beforeEach(async () => {
    await start();
    await world.linked(lea, C, [checking(100), card(101), card(102)]);
  });
  const cases: [string, readonly Change[], Change, readonly number[]][] = [
    ["of one cent more than -50.00", [{ value: -50 }], { value: 50.01 }, [0]],
    ["with postage, +55.90 of -50.00", [{ value: -50 }], { value: 55.9 }, [0]],
    ["of 10.00 more", [{ value: -50 }], { value: 60 }, [0]],
    ["of 10.01 more, which is another purchase's", [{ value: -50 }], { value: 60.01 }, [250]],
    ["of 15 % more", [{ value: -850 }], { value: 1000 }, [0]],
    ["of one cent beyond 15 %", [{ value: -849.99 }], { value: 1000 }, [4249]],
    [
      "in USD at another rate",
      [{ value: -23.1, ...dollars(-25) }],
      { value: 23.47, ...dollars(25) },
      [0],
    ],
    [
      "in USD at a lower rate",
      [{ value: -23.1, ...dollars(-25) }],
      { value: 22.4, ...dollars(25) },
      [0],
    ],
    ["of a split shipment", [{ value: -70 }, { value: -50 }], { value: 120 }, [0, 0]],
    ["of three at once", [-30, -30, -30].map((value) => ({ value })), { value: 90 }, [0, 0, 0]],
    [
      "of one of three",
      [-30, -30, -30].map((value) => ({ value })),
      { value: 30 },
      [0, 150, 150],
    ],
    ["in part", [{ value: -50 }], { value: 20 }, [150]],
    [
      "of the whole of one rather than a part of a larger one",
      [{ value: -80, ...day("2026-11-19") }, { value: -50, ...day("2026-11-15") }],
      { value: 50 },
      [0, 400],
    ],
  ];
  for (const [name, bought, back, left] of cases) {
    for (const order of ["after", "before"]) {
      it(`${name}, ${order} what it gives back`, async ({ expect }) => {
        const purchases = bought.map((change, index) => row(index + 1, 100, change));
        const refund = row(90, 100, { original_wording: "AVOIR MONOPRIX PARIS", ...back });
        for (
          const rows of order === "after" ? [purchases, [refund]] : [[refund], purchases]
        ) await world.shows(lea, C, rows);
        const verdicts = (await world.purchases(lea)).filter(({ kind }) => kind === "purchase");
        expect(verdicts.map(({ verdict }) => verdict.points).sort((a, b) => a - b)).toEqual(left);
        expect(await world.points(lea)).toBe(left.reduce((sum, each) => sum + each, 0));
      });
    }
  }

  it("on the card's parent finds the card's purchase, not the parent's own", async ({ expect }) => {
    await world.shows(lea, C, [row(1, 101, { value: -60 }), row(2, 100, { value: -80 })]);
    await world.shows(lea, C, [row(90, 100, { value: 60 })]);
    expect(await world.bought(lea)).toEqual([
      "purchase 6000 booked reversed 0",
      "purchase 8000 booked earned 400",
    ]);
  });
  it("on the card's parent takes the parent's own of the same cents first", async ({ expect }) => {
    await world.shows(lea, C, [
      row(1, 101, { value: -60, ...day("2026-11-19") }),
      row(2, 100, { value: -60, ...day("2026-11-16") }),
    ]);
    await world.shows(lea, C, [row(90, 100, { value: 60 })]);
    const left = (await world.purchases(lea)).filter(({ kind }) => kind === "purchase");
    expect(left.map(({ purchased_on, verdict }) => [purchased_on, verdict.points])).toEqual([
      ["2026-11-19", 300],
      ["2026-11-16", 0],
    ]);
  });
  it("that card and parent both show is one refund of one purchase", async ({ expect }) => {
    await world.shows(lea, C, [row(1, 101, { value: -60 }), row(2, 100, { value: -60 })]);
    await world.shows(lea, C, [row(3, 101, { value: -60, ...day("2026-11-19") })]);
    await world.shows(lea, C, [row(90, 101, { value: 60 }), row(91, 100, { value: 60 })]);
    expect(await world.seen(lea)).toHaveLength(3);
    expect(await world.points(lea)).toBe(300);
  });
  it("on the renewed card finds what the old one bought", async ({ expect }) => {
    await world.shows(lea, C, [row(1, 101, { value: -60 })]);
    world.later(DAY);
    world.lists(lea, C, [checking(100), card(102), card(103)]);
    await world.shows(lea, C, [row(90, 103, { value: 60 })]);
    expect(await world.points(lea)).toBe(0);
  });
  it("after unlink and re-link finds what was bought before", async ({ expect }) => {
    await world.shows(lea, C, [row(1, 100, { value: -60 })]);
    await world.unlinks(lea);
    world.later(HOUR);
    world.lists(lea, 2, [checking(200)]);
    await world.shows(lea, 2, [row(90, 200, { value: 60 })]);
    expect(await world.points(lea)).toBe(0);
  });
  it("that the bank takes back gives the points back", async ({ expect }) => {
    await world.shows(lea, C, [row(1, 100, { value: -50 })]);
    await world.shows(lea, C, [row(90, 100, { value: 55.9 })]);
    world.later(HOUR);
    await world.shows(lea, C, [row(90, 100, { value: 55.9, deleted: "2026-11-20 13:00:00" })]);
    expect(await world.points(lea)).toBe(250);
  });
});

describe("a refusal", () => {
  const old = { value: -40 };
  const gone = { deleted: "2026-11-20 13:00:00" };
  const limits = [
    ["of a first purchase", fivePercent({ firstPurchaseOnly: true })],
    ["of one purchase a month", fivePercent({ capPurchasesPerUser: 1, period: "month" })],
    ["of 200 points a user", fivePercent({ capPointsPerUser: 200 })],
    [
      "of a first purchase, once a month",
      fivePercent({ firstPurchaseOnly: true, capPurchasesPerUser: 1, period: "month" }),
    ],
  ] as const;
  for (const [name, terms] of limits) {
    it(`${name} ends when the old id is deleted: 200 of 200 are left`, async ({ expect }) => {
      await start([terms]);
      world.lists(lea, C, [checking(100)]);
      await world.shows(lea, C, [row(1, 100, old)]);
      await world.shows(lea, C, [row(11, 100, old)]);
      expect(await world.points(lea)).toBe(200);
      world.later(HOUR);
      await world.shows(lea, C, [row(1, 100, { ...old, ...gone })]);
      expect(await world.points(lea)).toBe(200);
      expect((await world.bought(lea)).filter((line) => line.endsWith("earned 200"))).toHaveLength(
        1,
      );
    });
    it(`${name} ends when two old ids are deleted in one delivery`, async ({ expect }) => {
      await start([terms]);
      world.lists(lea, C, [checking(100)]);
      await world.shows(lea, C, [row(1, 100, old), row(2, 100, { value: -12 })]);
      await world.shows(lea, C, [row(11, 100, old), row(12, 100, { value: -12 })]);
      world.later(HOUR);
      await world.shows(lea, C, [
        row(1, 100, { ...old, ...gone }),
        row(2, 100, { value: -12, ...gone }),
      ]);
      expect(await world.points(lea)).toBe(200);
    });
    it(`${name} ends when all is refunded`, async ({ expect }) => {
      await start([terms]);
      world.lists(lea, C, [checking(100)]);
      await world.shows(lea, C, [row(1, 100, old)]);
      await world.shows(lea, C, [row(11, 100, { value: -44 })]);
      world.later(HOUR);
      await world.shows(lea, C, [row(90, 100, { value: 40 })]);
      expect(await world.points(lea)).toBe(terms.capPointsPerUser === null ? 220 : 200);
    });
    it(`${name} does not meet the same rows of an account made anew`, async ({ expect }) => {
      await start([terms]);
      world.lists(lea, C, [checking(100)]);
      await world.shows(lea, C, [row(1, 100, old)]);
      world.later(HOUR);
      world.lists(lea, C, [checking(120)]);
      await world.shows(lea, C, [row(11, 120, old)]);
      world.later(HOUR);
      await world.sends(
        world.body(lea, C, [row(1, 100, { ...old, ...gone })]),
      );
      expect(await world.points(lea)).toBe(200);
    });
  }
});
