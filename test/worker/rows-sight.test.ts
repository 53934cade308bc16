// Sight before money, from signed bodies to balances: what a webhook says is pending, and only what
// the aggregator shows when it is asked can be spent. On real ledger objects and D1.
import { beforeEach, describe, it } from "vitest";
import { binding, nothingDue } from "../support/banking-d1.ts";
import { checking, DAY, fivePercent, HOUR, rowsApp } from "../support/rows-app.ts";
import type { Change, Person, RowsApp } from "../support/rows-app.ts";

let world: RowsApp;
let lea: Person;
const C = 1;
const row = (id: number, change: Change = {}) => world.rowOf(lea, id, 100, change);

async function start(confirmationDays = 30): Promise<void> {
  world = rowsApp(binding, [fivePercent({ confirmationDays })]);
  lea = await world.person();
  await world.linked(lea, C, [checking(100)]);
  await nothingDue();
  await binding.prepare("UPDATE bank_connections SET changes_due_at_ms = ?1 WHERE user_id = ?2")
    .bind(world.app.clock.ms + 7 * DAY, lea.userId).run();
}

/** Time passes, and everything due is done. */
async function passes(...steps: readonly number[]): Promise<void> {
  for (const ms of steps) {
    world.later(ms);
    await world.app.service.sweep(world.app.clock.ms);
  }
}
const week = Array.from({ length: 7 }, () => DAY);
const month = Array.from({ length: 31 }, () => DAY);

async function balance(): Promise<readonly [pending: number, available: number]> {
  const { body } = await world.app.call("GET", "/v1/points", { as: lea.userId });
  return [Number(body["pending"]), Number(body["available"])];
}
/** Signed, and never true. */
const forges = (...rows: ReturnType<typeof row>[]) => world.sends(world.body(lea, C, rows));
const vanish = (...ids: readonly number[]): void => {
  const { rows } = world.atBank(lea);
  rows.splice(0, rows.length, ...rows.filter(({ id }) => !ids.includes(id - lea.base)));
};
const down = (): void => {
  world.app.powens.state.intercept = () => new Response("<html>", { status: 503 });
};
const up = (): void => {
  world.app.powens.state.intercept = () => null;
};

beforeEach(() => start());

describe("a webhook", () => {
  it("that invents a row of 9,999.00 euros makes pending points, and none after two reads", async ({ expect }) => {
    await forges(row(1, { value: -9999 }));
    expect(await balance()).toEqual([49_995, 0]);
    await passes(...week, DAY);
    expect(await balance()).toEqual([0, 0]);
    await passes(...month);
    expect(await balance()).toEqual([0, 0]);
    expect(await world.seen(lea)).toEqual(["purchase 999900 booked waiting 0"]);
  });

  it("that raises a row of 1.00 euro to 9,999.00, dated a year ahead, changes nothing in the end", async ({ expect }) => {
    await world.shows(lea, C, [row(1, { value: -1 })]);
    await passes(...week);
    await forges(row(1, { value: -9999, last_update: "2027-11-28 12:00:00" }));
    expect(await balance()).toEqual([49_995, 0]);
    await passes(HOUR + 1);
    expect(await balance()).toEqual([5, 0]);
    await passes(...month);
    expect(await balance()).toEqual([0, 5]);
    await forges(row(1, { value: -9999, last_update: "2028-11-28 12:00:00" }));
    expect(await balance()).toEqual([0, 5]);
  });

  it("that books a pending row of 10.00 euros as 9,999.00 earns nothing that is confirmed", async ({ expect }) => {
    await world.shows(lea, C, [row(1, { value: -10, coming: true })]);
    await passes(...week);
    await forges(row(2, { value: -9999 }));
    await passes(...month);
    expect(await balance()).toEqual([0, 0]);
  });

  it("that invents a refund takes no confirmed points", async ({ expect }) => {
    await world.shows(lea, C, [row(1)]);
    await passes(...month);
    expect(await balance()).toEqual([0, 174]);
    await forges(row(2, { value: 34.9 }));
    await passes(HOUR, 7 * HOUR);
    expect(await balance()).toEqual([0, 174]);
  });

  it("that is lost costs a week, also when nothing is unconfirmed", async ({ expect }) => {
    await world.shows(lea, C, [row(1)]);
    await passes(...month);
    world.atBank(lea).rows.push(row(2, { value: -100 }));
    await passes(...week);
    expect(await balance()).toEqual([500, 174]);
  });
});

describe("points of a true purchase are confirmed", () => {
  it("at first sight where no confirmation is asked for", async ({ expect }) => {
    await start(0);
    await world.shows(lea, C, [row(1)]);
    expect(await balance()).toEqual([174, 0]);
    await passes(6 * HOUR);
    expect(await balance()).toEqual([0, 174]);
  });

  it("when the aggregator was down for the week of their day", async ({ expect }) => {
    await world.shows(lea, C, [row(1)]);
    world.later(24 * DAY);
    down();
    await passes(...week, DAY);
    expect(await balance()).toEqual([174, 0]);
    up();
    await passes(DAY);
    expect(await balance()).toEqual([0, 174]);
  });

  it("when its row vanishes after a read, without a word", async ({ expect }) => {
    await world.shows(lea, C, [row(1)]);
    await passes(...week);
    vanish(1);
    await passes(...month);
    expect(await balance()).toEqual([0, 174]);
  });

  it("when its user unlinks on day 20", async ({ expect }) => {
    await world.shows(lea, C, [row(1)]);
    world.later(20 * DAY);
    await world.unlinks(lea);
    world.later(10 * DAY);
    expect(await balance()).toEqual([0, 174]);
  });

  it("14 days later when its user unlinks while the aggregator is down", async ({ expect }) => {
    await world.shows(lea, C, [row(1)]);
    world.later(20 * DAY);
    down();
    await world.unlinks(lea);
    world.later(13 * DAY);
    expect(await balance()).toEqual([174, 0]);
    world.later(11 * DAY);
    expect(await balance()).toEqual([0, 174]);
    up();
  });

  it("14 days later when its account is disabled in the aggregator's page, which deletes its rows there", async ({ expect }) => {
    await world.shows(lea, C, [row(1)]);
    world.lists(lea, C, [checking(100, { disabled: "2026-11-21 10:00:00" })]);
    vanish(1);
    await world.sends(world.body(lea, C, []));
    await passes(...month);
    expect(await balance()).toEqual([174, 0]);
    await passes(...week, ...week);
    expect(await balance()).toEqual([0, 174]);
  });

  it("14 days later when no webhook but only the weekly read tells that its account is disabled", async ({ expect }) => {
    await world.shows(lea, C, [row(1)]);
    world.lists(lea, C, [checking(100, { disabled: "2026-11-21 10:00:00" })]);
    vanish(1);
    await passes(...month);
    expect(await balance()).toEqual([174, 0]);
    await passes(...week, ...week);
    expect(await balance()).toEqual([0, 174]);
  });

  it("once when its account is made anew and shows it under another id", async ({ expect }) => {
    await world.shows(lea, C, [row(1)]);
    world.later(DAY);
    world.lists(lea, C, [checking(200)]);
    vanish(1);
    await world.shows(lea, C, [{
      ...row(2, { date: "2026-11-20", rdate: "2026-11-20" }),
      id_account: lea.base + 200,
    }]);
    await passes(...month);
    expect(await world.seen(lea)).toEqual(["purchase 3490 booked earned 174"]);
    expect(await balance()).toEqual([0, 174]);
  });
});
