// Days, times and texts as a bank may write them, and what the user is shown.
import { beforeEach, describe, it } from "vitest";
import { binding, nothingDue } from "../support/banking-d1.ts";
import { checking, DAY, HOUR, rowsApp } from "../support/rows-app.ts";
import type { Change, Person, RowsApp } from "../support/rows-app.ts";

let world: RowsApp;
let lea: Person;
const C = 1;
const row = (id: number, change: Change = {}) => world.rowOf(lea, id, 100, change);
async function start(time = "2026-11-20T11:00:00Z"): Promise<void> {
  world = rowsApp(binding);
  world.at(time);
  lea = await world.person();
  await world.linked(lea, C, [checking(100)]);
}

describe("in the repeated hour of October", () => {
  const AUTHORISED = { value: -50, coming: true, last_update: "2026-10-25 02:44:59" };
  beforeEach(async () => {
    await start("2026-10-25T00:45:00Z");
    await world.shows(lea, C, [row(1, AUTHORISED)]);
  });
  it("a booking of 02:09:59 is newer than an authorisation of 02:44:59: 250 points", async ({ expect }) => {
    world.at("2026-10-25T01:10:00Z");
    await world.shows(lea, C, [row(1, { value: -50, last_update: "2026-10-25 02:09:59" })]);
    expect(await world.seen(lea)).toEqual(["purchase 5000 booked earned 250"]);
    await world.sends(world.body(lea, C, [row(1, AUTHORISED)]));
    expect(await world.seen(lea)).toEqual(["purchase 5000 booked earned 250"]);
  });
  it("a correction and a deletion count as well, also after the hour", async ({ expect }) => {
    world.at("2026-10-25T01:10:00Z");
    await world.shows(lea, C, [row(1, { value: -50, last_update: "2026-10-25 02:09:59" })]);
    world.at("2026-10-25T01:20:00Z");
    await world.shows(lea, C, [row(1, { value: -40, last_update: "2026-10-25 02:05:00" })]);
    expect(await world.seen(lea)).toEqual(["purchase 4000 booked earned 200"]);
    world.at("2026-10-25T02:30:00Z");
    await world.shows(lea, C, [row(1, { value: -30, last_update: "2026-10-25 03:29:00" })]);
    expect(await world.seen(lea)).toEqual(["purchase 3000 booked earned 150"]);
    await world.shows(lea, C, [
      row(1, { value: -30, last_update: "2026-10-25 03:29:30", deleted: "2026-10-25 03:29:30" }),
    ]);
    expect(await world.points(lea)).toBe(0);
  });
  it("a deletion of 02:01:00 counts", async ({ expect }) => {
    world.at("2026-10-25T01:10:00Z");
    await world.shows(lea, C, [row(1, { value: -50, last_update: "2026-10-25 02:09:59" })]);
    await world.shows(lea, C, [
      row(1, { value: -50, last_update: "2026-10-25 02:01:00", deleted: "2026-10-25 02:01:00" }),
    ]);
    expect(await world.points(lea)).toBe(0);
  });
});

describe("the day of a purchase", () => {
  beforeEach(() => start());
  for (
    const rdate of ["2025-11-20", "2027-11-20", "1970-01-01", "9999-12-31", "2026-11-21", null]
  ) {
    it(`is the booking day where rdate is ${rdate}`, async ({ expect }) => {
      await world.shows(lea, C, [row(1, { value: -50, rdate })]);
      const [shown] = await world.purchases(lea);
      expect([shown?.purchased_on, shown?.verdict.points]).toEqual(["2026-11-20", 250]);
    });
  }
  for (const date of ["1970-01-01", "9999-12-31", "2027-11-20", "2014-12-31", null]) {
    it(`is rdate where the booking day is ${date}`, async ({ expect }) => {
      await world.shows(lea, C, [row(1, { value: -50, date, rdate: "2026-11-18" })]);
      const [shown] = await world.purchases(lea);
      expect([shown?.purchased_on, shown?.verdict.points]).toEqual(["2026-11-18", 250]);
    });
    it(`is for a person to say where rdate is none either, beside ${date}`, async ({ expect }) => {
      await world.shows(lea, C, [row(1, { value: -50, date, rdate: "9999-12-31" })]);
      const [shown] = await world.purchases(lea);
      expect(shown?.verdict).toMatchObject({
        outcome: "waiting",
        points: 0,
        reasons: [{ code: "held_for_review" }],
      });
    });
  }
  it("of a deferred debit at the end of the month earns at once when it is booked", async ({ expect }) => {
    await world.shows(lea, C, [row(1, { value: -50, type: "deferred_card", date: "2026-11-30" })]);
    expect(await world.seen(lea)).toEqual(["purchase 5000 booked earned 250"]);
  });
  it("of a deferred debit without rdate waits for its day and earns then", async ({ expect }) => {
    await world.shows(lea, C, [
      row(1, { value: -50, type: "deferred_card", date: "2026-11-30", rdate: null }),
    ]);
    expect(await world.seen(lea)).toEqual(["purchase 5000 booked waiting 0"]);
    world.later(10 * DAY);
    await world.shows(lea, C, [row(2, { value: -10 })]);
    expect(await world.points(lea)).toBe(300);
  });
});

describe("a deferred debit that is announced", () => {
  beforeEach(() => start());
  const ANNOUNCED = {
    value: -50,
    coming: true,
    type: "deferred_card",
    rdate: "2026-11-20",
    last_update: "2026-11-20 12:00:00",
  };
  it("for a month stays pending until then, and is booked", async ({ expect }) => {
    await world.shows(lea, C, [row(1, { ...ANNOUNCED, date: "2026-12-20" })]);
    for (const days of [15, 10, 10]) {
      world.later(days * DAY);
      expect(await world.seen(lea), String(days)).toEqual(["purchase 5000 pending waiting 0"]);
    }
    await world.shows(lea, C, [
      row(1, {
        ...ANNOUNCED,
        coming: false,
        last_update: "2026-12-25 08:00:00",
        date: "2026-12-20",
      }),
    ]);
    expect(await world.seen(lea)).toEqual(["purchase 5000 booked earned 250"]);
  });
  it("and never booked is closed 14 days after its day", async ({ expect }) => {
    await world.shows(lea, C, [row(1, { ...ANNOUNCED, date: "2026-12-20" })]);
    world.later(45 * DAY);
    expect(await world.seen(lea)).toEqual(["purchase 5000 deleted not_earned 0"]);
  });
  it("is booked under a new id on its day: once", async ({ expect }) => {
    await world.shows(lea, C, [row(1, { ...ANNOUNCED, date: "2026-11-30" })]);
    world.later(10 * DAY);
    await world.shows(lea, C, [row(2, { value: -50, rdate: "2026-11-20", date: "2026-11-30" })]);
    expect(await world.seen(lea)).toEqual(["purchase 5000 booked earned 250"]);
  });
});

describe("an old body sent again", () => {
  beforeEach(async () => {
    await nothingDue();
    await start();
  });
  const UNDATED = { date_scraped: null, last_update: null };
  for (const [name, time] of [["with its time", {}], ["without any time", UNDATED]] as const) {
    it(`${name} overwrites no amended amount`, async ({ expect }) => {
      const old = world.body(lea, C, [row(1, { value: -60, ...time })]);
      await world.sends(old);
      world.later(HOUR);
      await world.shows(lea, C, [row(1, { value: -20 })]);
      world.later(HOUR);
      await world.sends(old);
      expect(await world.seen(lea)).toEqual(["purchase 2000 booked earned 100"]);
    });
    it(`${name} revives no deleted purchase`, async ({ expect }) => {
      const old = world.body(lea, C, [row(1, { value: -60, ...time })]);
      await world.sends(old);
      expect(await world.points(lea)).toBe(300);
      world.later(HOUR);
      await world.shows(lea, C, [row(1, { value: -60, deleted: "2026-11-20 13:00:00" })]);
      world.later(HOUR);
      await world.sends(old);
      expect(await world.points(lea)).toBe(0);
    });
  }
  it("without any time is overtaken by what is read back, and stays so", async ({ expect }) => {
    const old = world.body(lea, C, [row(1, { value: -60, ...UNDATED })]);
    await world.sends(old);
    world.atBank(lea).rows.push(row(1, { value: -20, last_update: "2026-11-20 18:00:00" }));
    world.later(DAY);
    await world.app.service.sweep(world.app.clock.ms);
    expect(await world.seen(lea)).toEqual(["purchase 2000 booked earned 100"]);
    await world.sends(old);
    expect(await world.seen(lea)).toEqual(["purchase 2000 booked earned 100"]);
  });
});

describe("a wording", () => {
  beforeEach(() => start());
  const labelOf = async (change: Change) => {
    await world.shows(lea, C, [row(1, { value: -50, ...change })]);
    const [shown] = await world.purchases(lea);
    return { label: shown?.label, brand: shown?.brand?.name, points: shown?.verdict.points };
  };
  for (const blank of ["", "   ", "\u00a0\t", null, "\u0000", "\u200e\u202e"]) {
    it(`that is blank (${JSON.stringify(blank)}) is none: the simplified one counts`, async ({ expect }) => {
      expect(await labelOf({ original_wording: blank, simplified_wording: "MONOPRIX PARIS" }))
        .toEqual({ label: "MONOPRIX PARIS", brand: "Monoprix", points: 250 });
    });
  }
  const texts: [string, string][] = [
    ["CB MONOPRI&#88; A &amp; B", "CB MONOPRIX A & B"],
    ["CB MONOPRIX PARIS L&APOS;ETOILE", "CB MONOPRIX PARIS L'ETOILE"],
    ["CB MONOPRIX PARIS L&apos;ETOILE", "CB MONOPRIX PARIS L'ETOILE"],
    ["CB MONOPRIX PARIS L&#39;ETOILE", "CB MONOPRIX PARIS L'ETOILE"],
    ["CB MONOPRIX PARIS L&#x27;ETOILE", "CB MONOPRIX PARIS L'ETOILE"],
    ["CB &#x4D;ONOPRIX A &amp;amp; B", "CB MONOPRIX A &amp; B"],
    ["CB MONOPRIX CAF&eacute;", "CB MONOPRIX CAFé"],
    ["CB MONOPRIX\u0000 PARIS", "CB MONOPRIX PARIS"],
    ["CB \u202eMONOPRIX\u202c PARIS", "CB MONOPRIX PARIS"],
    ["CB MONOPRIX \ud83d PARIS", "CB MONOPRIX PARIS"],
    ["CB MONOPRIX &#0; &#x202e;PARIS", "CB MONOPRIX PARIS"],
  ];
  for (const [wording, label] of texts) {
    it(`${JSON.stringify(wording)} is shown plain`, async ({ expect }) => {
      const shown = await labelOf({ original_wording: wording });
      expect({ ...shown, label: shown.label?.replace(/ +/g, " ") }).toEqual({
        label,
        brand: "Monoprix",
        points: 250,
      });
    });
  }
  it("that is cut within an emoji keeps whole characters", async ({ expect }) => {
    for (const length of [158, 159, 160]) {
      const shown = await labelOf({
        original_wording: `CB MONOPRIX ${"A".repeat(length - 12)}😀😀`,
        last_update: `2026-11-20 12:00:0${length - 158}`,
      });
      expect(shown.label?.isWellFormed()).toBe(true);
      expect(shown.label?.length).toBeLessThanOrEqual(160);
    }
  });
});
