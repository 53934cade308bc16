// Which accounts and rows are the same: what a bank may do to them, and what the user is shown.
import { beforeEach, describe, it } from "vitest";
import { binding } from "../support/banking-d1.ts";
import { card, checking, DAY, HOUR, IBAN, OTHER_IBAN, rowsApp } from "../support/rows-app.ts";
import type { Change, Person, RowsApp } from "../support/rows-app.ts";

let world: RowsApp;
let lea: Person;
beforeEach(async () => {
  world = rowsApp(binding);
  lea = await world.person();
});
const C = 1;
const row = (id: number, account: number, change: Change = {}) =>
  world.rowOf(lea, id, account, change);
const COFFEE = "purchase 350 booked earned 17";
const SIXTY = "purchase 6000 booked earned 300";

describe("cards side by side that share a name", () => {
  for (
    const [parent, others] of [
      ["listed", [checking(100)]],
      ["not listed", []],
      ["listed without IBAN", [checking(100, { iban: null })]],
      ["listed with a masked IBAN", [checking(100, { iban: "FR76XXXXXXXXXXXXXXXXXXX4567" })]],
    ] as const
  ) {
    it(`each count a row of -3.50, the parent ${parent}`, async ({ expect }) => {
      world.lists(lea, C, [card(101), card(102), ...others]);
      await world.shows(lea, C, [row(1, 101, { value: -3.5 }), row(2, 102, { value: -3.5 })]);
      expect(await world.seen(lea)).toEqual([COFFEE, COFFEE]);
      expect(await world.points(lea)).toBe(34);
    });
    it(`each count 60.00 three days apart, the parent ${parent}`, async ({ expect }) => {
      await world.linked(lea, C, [card(101), card(102), ...others]);
      await world.shows(lea, C, [
        row(1, 101, { value: -60, date: "2026-11-17", rdate: "2026-11-17" }),
      ]);
      await world.shows(lea, C, [row(2, 102, { value: -60 })]);
      expect(await world.seen(lea)).toEqual([SIXTY, SIXTY]);
      expect(await world.points(lea)).toBe(600);
    });
  }
  it("count each when the second card comes weeks later", async ({ expect }) => {
    world.lists(lea, C, [checking(100), card(101)]);
    await world.shows(lea, C, [row(1, 101, { value: -60 })]);
    world.later(DAY);
    world.lists(lea, C, [checking(100), card(101), card(102)]);
    await world.shows(lea, C, [row(2, 102, { value: -60 })]);
    expect(await world.points(lea)).toBe(600);
  });
});

describe("a card that is renewed", () => {
  for (const iban of [IBAN, null]) {
    it(`brings the same row under a new id: once, parent's IBAN ${iban}`, async ({ expect }) => {
      world.lists(lea, C, [
        checking(100, { iban }),
        card(121, { name: "CARTE VISA 1234" }),
      ]);
      await world.shows(lea, C, [row(1, 121, { value: -60 })]);
      world.later(DAY);
      const yesterday = { date: "2026-11-20", rdate: "2026-11-20" };
      world.lists(lea, C, [
        checking(100, { iban }),
        card(121, { name: "CARTE VISA 1234", deleted: "2026-11-21 09:00:00" }),
        card(122, { name: "CARTE VISA 5678" }),
      ]);
      await world.shows(lea, C, [row(2, 122, { value: -60, ...yesterday })]);
      expect(await world.seen(lea)).toEqual([SIXTY]);
      // What is bought from then on counts.
      world.later(12 * DAY);
      await world.shows(lea, C, [row(3, 122, { value: -60 })]);
      expect(await world.points(lea)).toBe(600);
    });
    it(`and vanishes from the list instead of being deleted: once, ${iban}`, async ({ expect }) => {
      world.lists(lea, C, [checking(100, { iban }), card(121, { name: "CARTE VISA 1234" })]);
      await world.shows(lea, C, [row(1, 121, { value: -60 })]);
      world.later(DAY);
      world.lists(lea, C, [checking(100, { iban }), card(122, { name: "CARTE VISA 5678" })]);
      await world.shows(lea, C, [
        row(2, 122, { value: -60, date: "2026-11-20", rdate: "2026-11-20" }),
      ]);
      expect(await world.seen(lea)).toEqual([SIXTY]);
    });
    it(`counts once after unlink and re-link, ${iban}`, async ({ expect }) => {
      world.lists(lea, C, [checking(100, { iban }), card(121, { name: "CARTE VISA 1234" })]);
      await world.shows(lea, C, [row(1, 121, { value: -60 })]);
      world.later(HOUR);
      await world.unlinks(lea);
      world.later(HOUR);
      world.lists(lea, 2, [
        checking(200, { iban }),
        card(122, { name: "CARTE VISA 5678", id_parent: 200 }),
      ]);
      await world.shows(lea, 2, [row(2, 122, { value: -60 })]);
      expect(await world.seen(lea)).toEqual([SIXTY]);
      expect(await world.points(lea)).toBe(300);
    });
  }
  it("and brings a purchase of its own within the hour: that counts", async ({ expect }) => {
    world.lists(lea, C, [checking(100), card(121, { name: "CARTE VISA 1234" })]);
    await world.shows(lea, C, [row(1, 121, { value: -60 })]);
    world.later(HOUR);
    world.lists(lea, C, [checking(100), card(122, { name: "CARTE VISA 5678" })]);
    await world.shows(lea, C, [row(2, 122, { value: -60 }), row(3, 122, { value: -20 })]);
    expect(await world.seen(lea)).toEqual(["purchase 2000 booked earned 100", SIXTY]);
  });
});

describe("an account without IBAN", () => {
  it("whose name changed counts its rows once, made anew", async ({ expect }) => {
    world.lists(lea, C, [checking(110, { iban: null, name: "COMPTE A" })]);
    await world.shows(lea, C, [row(1, 110, { value: -60 })]);
    world.later(HOUR);
    world.lists(lea, C, [checking(111, { iban: null, name: "COMPTE B" })]);
    await world.shows(lea, C, [row(2, 111, { value: -60 })]);
    expect(await world.seen(lea)).toEqual([SIXTY]);
  });
  it("whose name changed under the same id keeps its rows", async ({ expect }) => {
    world.lists(lea, C, [checking(110, { iban: null, name: "COMPTE A" })]);
    await world.shows(lea, C, [row(1, 110, { value: -60 })]);
    world.later(HOUR);
    world.lists(lea, C, [checking(110, { iban: null, name: "COMPTE B" })]);
    await world.shows(lea, C, [row(2, 110, { value: -20 })]);
    expect(await world.seen(lea)).toEqual(["purchase 2000 booked earned 100", SIXTY]);
  });
  it("whose name changed counts once after unlink and re-link", async ({ expect }) => {
    world.lists(lea, C, [checking(110, { iban: null, name: "COMPTE A" })]);
    await world.shows(lea, C, [row(1, 110, { value: -60 })]);
    world.later(HOUR);
    await world.unlinks(lea);
    world.lists(lea, 2, [checking(111, { iban: null, name: "COMPTE B" })]);
    await world.shows(lea, 2, [row(2, 111, { value: -60 })]);
    expect(await world.seen(lea)).toEqual([SIXTY]);
    world.later(12 * DAY);
    await world.shows(lea, 2, [row(3, 111, { value: -60 })]);
    expect(await world.points(lea)).toBe(600);
  });
  it("is one of two when both are linked anew", async ({ expect }) => {
    const two = (connection: number, a: number, b: number) =>
      world.lists(lea, connection, [
        checking(a, { iban: null, name: "COMPTE" }),
        checking(b, { iban: null, name: "COMPTE" }),
      ]);
    two(C, 110, 111);
    await world.shows(lea, C, [row(1, 110, { value: -60 }), row(2, 111, { value: -60 })]);
    world.later(HOUR);
    await world.unlinks(lea);
    two(2, 112, 113);
    await world.shows(lea, 2, [row(3, 112, { value: -60 }), row(4, 113, { value: -60 })]);
    expect(await world.seen(lea)).toEqual([SIXTY, SIXTY]);
  });
});

describe("one IBAN", () => {
  it("on two living connections of one user: paid once, in either order", async ({ expect }) => {
    world.lists(lea, C, [checking(100)]);
    world.lists(lea, 2, [checking(200, { name: "AUTRE" })]);
    await world.shows(lea, C, [row(1, 100, { value: -60 })]);
    await world.shows(lea, 2, [row(2, 200, { value: -60 })]);
    await world.shows(lea, 2, [row(4, 200, { value: -20 })]);
    await world.shows(lea, C, [row(3, 100, { value: -20 })]);
    expect(await world.seen(lea)).toEqual(["purchase 2000 booked earned 100", SIXTY]);
    expect(await world.points(lea)).toBe(400);
  });
  it("on two living connections with equal purchases: each counts", async ({ expect }) => {
    world.lists(lea, C, [checking(100)]);
    world.lists(lea, 2, [checking(200)]);
    const [a, b] = [{ value: -3.5 }, { value: -3.5 }];
    await world.shows(lea, C, [row(1, 100, a), row(2, 100, b)]);
    await world.shows(lea, 2, [row(3, 200, a), row(4, 200, b)]);
    expect(await world.seen(lea)).toEqual([COFFEE, COFFEE]);
  });
  it("with its cards on two connections: paid once", async ({ expect }) => {
    world.lists(lea, C, [checking(100), card(101)]);
    world.lists(lea, 2, [checking(200), card(201, { id_parent: 200 })]);
    await world.shows(lea, C, [row(1, 101, { value: -60 })]);
    await world.shows(lea, 2, [row(2, 201, { value: -60 })]);
    expect(await world.seen(lea)).toEqual([SIXTY]);
  });
  it("is none when it is masked: two strangers both earn", async ({ expect }) => {
    const other = await world.person();
    const iban = "FR76XXXXXXXXXXXXXXXXXXX4567";
    for (const who of [lea, other]) {
      world.lists(who, C, [checking(100, { iban })]);
      await world.shows(who, C, [world.rowOf(who, 1, 100, { value: -60 })]);
    }
    expect([await world.points(lea), await world.points(other)]).toEqual([300, 300]);
  });
  it("that is masked with stars, dots or wrong digits is none either", async ({ expect }) => {
    for (
      const iban of [
        "FR76 **** **** **** **** ***4 567",
        "FR76...4567",
        "FR7600000000000000000004567",
        "",
        "FR76XXXX…4567",
      ]
    ) {
      const [one, two] = [await world.person(), await world.person()];
      for (const who of [one, two]) {
        world.lists(who, C, [checking(100, { iban })]);
        await world.shows(who, C, [world.rowOf(who, 1, 100, { value: -60 })]);
      }
      expect([await world.points(one), await world.points(two)], iban).toEqual([300, 300]);
    }
  });
  it("of a second user earns for one of the two", async ({ expect }) => {
    const other = await world.person();
    for (const who of [lea, other]) {
      world.lists(who, C, [checking(100, { iban: "EX67000000000000000000777" })]);
      await world.shows(who, C, [world.rowOf(who, 1, 100, { value: -60 })]);
    }
    expect([await world.points(lea), await world.points(other)]).toEqual([300, 0]);
  });
  it("of another account beside it is another account", async ({ expect }) => {
    world.lists(lea, C, [checking(100), checking(110, { iban: OTHER_IBAN })]);
    await world.shows(lea, C, [row(1, 100, { value: -60 }), row(2, 110, { value: -60 })]);
    expect(await world.points(lea)).toBe(600);
  });
});

describe("a row id", () => {
  it("that moves to another account is one row: row 500 on 110, then on 111", async ({ expect }) => {
    world.lists(lea, C, [checking(110), checking(111, { iban: OTHER_IBAN })]);
    await world.shows(lea, C, [row(500, 110, { value: -60 })]);
    world.later(HOUR);
    await world.shows(lea, C, [row(500, 111, { value: -60, date: "2026-11-20" })]);
    expect(await world.seen(lea)).toEqual([SIXTY]);
    world.later(HOUR);
    await world.shows(lea, C, [row(500, 110, { value: -20 })]);
    expect(await world.seen(lea)).toEqual(["purchase 2000 booked earned 100"]);
    const [shown] = await world.purchases(lea);
    expect(shown?.label).toBe("CARTE MONOPRIX PARIS");
  });
  it("that moves to another connection is one row, whose older version changes nothing", async ({ expect }) => {
    world.lists(lea, C, [checking(110)]);
    world.lists(lea, 2, [checking(111, { iban: OTHER_IBAN })]);
    const old = row(500, 110, { value: -60 });
    await world.shows(lea, C, [old]);
    world.later(HOUR);
    await world.shows(lea, 2, [row(500, 111, { value: -20 })]);
    await world.sends(world.body(lea, C, [old]));
    expect(await world.seen(lea)).toEqual(["purchase 2000 booked earned 100"]);
  });
  it("that moves and is deleted there takes its points along", async ({ expect }) => {
    world.lists(lea, C, [checking(110), checking(111, { iban: OTHER_IBAN })]);
    await world.shows(lea, C, [row(500, 110, { value: -60 })]);
    world.later(HOUR);
    await world.shows(lea, C, [row(500, 111, { value: -60, deleted: "2026-11-20 13:00:00" })]);
    expect(await world.points(lea)).toBe(0);
  });
});

describe("two views of one movement", () => {
  for (const iban of [IBAN, null]) {
    for (const first of [100, 101]) {
      it(`on a card and its parent: once, ${first} first, IBAN ${iban}`, async ({ expect }) => {
        world.lists(lea, C, [checking(100, { iban }), card(101)]);
        const second = first === 100 ? 101 : 100;
        await world.shows(lea, C, [row(1, first, { value: -60 })]);
        await world.shows(lea, C, [row(2, second, { value: -60 })]);
        expect(await world.seen(lea)).toEqual([SIXTY]);
        expect(await world.points(lea)).toBe(300);
      });
    }
  }
  it("come twice on each: two purchases", async ({ expect }) => {
    world.lists(lea, C, [checking(100), card(101)]);
    const at = { value: -60 };
    await world.shows(lea, C, [row(1, 100, at), row(2, 101, at), row(3, 101, at), row(4, 100, at)]);
    expect(await world.seen(lea)).toEqual([SIXTY, SIXTY]);
  });
  it("of another day are two purchases", async ({ expect }) => {
    await world.linked(lea, C, [checking(100), card(101)]);
    await world.shows(lea, C, [
      row(1, 100, { value: -60, rdate: "2026-11-19", date: "2026-11-19" }),
      row(2, 101, { value: -60 }),
    ]);
    expect(await world.points(lea)).toBe(600);
  });
  it("of two cards and their parent: each card's is one purchase", async ({ expect }) => {
    world.lists(lea, C, [checking(100), card(101), card(102)]);
    const at = { value: -60 };
    await world.shows(lea, C, [row(1, 100, at), row(2, 101, at), row(3, 100, at), row(4, 102, at)]);
    expect(await world.points(lea)).toBe(600);
  });
});
