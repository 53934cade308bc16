// Accounts that several people hold, and neighbours of what rows-identity.test.ts asks: banks that
// give little of an account, or something else each time.
import { beforeEach, describe, it } from "vitest";
import { all, binding, nothingDue } from "../support/banking-d1.ts";
import { tradedLink } from "../support/banking-app.ts";
import { card, checking, DAY, HOUR, IBAN, rowsApp } from "../support/rows-app.ts";
import type { Change, Person, RowsApp } from "../support/rows-app.ts";

let world: RowsApp;
let lea: Person;
let max: Person;
let iban: string;
let serial = 0;
const C = 1;
beforeEach(async () => {
  await nothingDue();
  world = rowsApp(binding);
  [lea, max] = [await world.person(), await world.person()];
  iban = `EX99${String(++serial).padStart(23, "0")}`;
});
const row = (id: number, account: number, change: Change = {}) =>
  world.rowOf(lea, id, account, change);
const firstAccount = async (who: Person) => (await world.connections(who))[0]?.accounts[0];
const switches = async (who: Person, earning: boolean) =>
  (await world.app.call("PATCH", `/v1/bank-accounts/${(await firstAccount(who))?.id}`, {
    as: who.userId,
    body: { earning },
  })).status;
const noticesOf = async (who: Person) =>
  await all<{ kind: string; details: string }>(
    "SELECT kind, details FROM user_notices WHERE user_id = ? AND kind <> 'session_opened'",
    who.userId,
  );
const paid = (who: Person, id: number, account: number, value: number) =>
  world.shows(who, C, [world.rowOf(who, id, account, { value })]);
const pointsOfBoth = async () => [await world.points(lea), await world.points(max)];
const SIXTY = "purchase 6000 booked earned 300";

describe("a joint account whose first holder unlinks", () => {
  beforeEach(async () => {
    await world.linked(lea, C, [checking(100, { iban })]);
    await world.linked(max, C, [checking(100, { iban })]);
    await paid(lea, 1, 100, -60);
    await paid(max, 1, 100, -60);
  });
  it("earns for the second, who is told and learns no name", async ({ expect }) => {
    expect(await firstAccount(max)).toMatchObject({ earning: false, not_earning: "shared" });
    world.later(HOUR);
    await world.unlinks(lea);
    expect(await firstAccount(max)).toMatchObject({ earning: true, not_earning: null });
    world.later(HOUR);
    await paid(max, 2, 100, -50);
    expect(await pointsOfBoth()).toEqual([300, 250]);
    const notices = await noticesOf(max);
    expect(notices.map(({ kind }) => kind)).toEqual(["earning_started"]);
    expect(JSON.stringify(notices)).not.toContain(lea.userId);
  });
  it("does not pay again what it paid the first, when the bank shows it late", async ({ expect }) => {
    await world.unlinks(lea);
    world.later(HOUR);
    await world.shows(max, C, [world.rowOf(max, 9, 100, { value: -60 })]);
    expect(await pointsOfBoth()).toEqual([300, 0]);
  });
  it("stays off for a second who switched it off", async ({ expect }) => {
    expect(await switches(max, false)).toBe(200);
    await world.unlinks(lea);
    world.later(HOUR);
    await paid(max, 2, 100, -50);
    expect(await firstAccount(max)).toMatchObject({ earning: false, not_earning: "choice" });
    expect(await pointsOfBoth()).toEqual([300, 0]);
  });
  it("earns for one when the first comes back: the second keeps it", async ({ expect }) => {
    await world.unlinks(lea);
    world.later(HOUR);
    world.lists(lea, 2, [checking(200, { iban })]);
    await world.shows(lea, 2, [world.rowOf(lea, 2, 200, { value: -50 })]);
    await paid(max, 2, 100, -50);
    expect(await pointsOfBoth()).toEqual([300, 250]);
  });
  it("changes nothing while the first stays: a request unanswered for 14 days", async ({ expect }) => {
    const { id } = (await firstAccount(max)) ?? { id: "" };
    const asked = await world.app.call("POST", `/v1/bank-accounts/${id}/earning-transfer`, {
      as: max.userId,
      key: null,
    });
    expect(asked.status).toBe(200);
    world.later(15 * DAY);
    await world.app.service.sweep(world.app.clock.ms);
    expect((await firstAccount(lea))?.earning).toBe(true);
    expect((await firstAccount(max))?.earning).toBe(false);
  });
  it("earns for the second when the bank takes the account from the first", async ({ expect }) => {
    world.later(HOUR);
    world.lists(lea, C, [checking(100, { iban, deleted: "2026-11-20 13:00:00" })]);
    await world.sends(world.body(lea, C, []));
    await world.app.service.sweep(world.app.clock.ms);
    await paid(max, 2, 100, -50);
    expect(await pointsOfBoth()).toEqual([300, 250]);
  });
});

describe("a shared account", () => {
  it("with the card of one and the current account of the other earns for one", async ({ expect }) => {
    await world.linked(lea, C, [checking(100, { iban }), card(101)]);
    await world.linked(max, C, [checking(100, { iban }), card(102)]);
    await paid(lea, 1, 101, -60);
    await paid(max, 2, 102, -60);
    expect(await pointsOfBoth()).toEqual([300, 0]);
  });
  it("that turns out to be one later stops earning for the second", async ({ expect }) => {
    await world.linked(lea, C, [checking(100, { iban })]);
    await world.linked(max, C, [checking(100, { iban: "FR76XXXX…4567" })]);
    expect((await firstAccount(max))?.earning).toBe(true);
    world.lists(max, C, [checking(100, { iban })]);
    world.later(DAY);
    await world.app.service.sweep(world.app.clock.ms);
    expect(await firstAccount(max)).toMatchObject({ earning: false, not_earning: "shared" });
    await paid(max, 1, 100, -60);
    expect(await pointsOfBoth()).toEqual([0, 0]);
  });
  it("is known however the IBAN is written", async ({ expect }) => {
    await world.linked(lea, C, [checking(100, { iban })]);
    const written = iban.toLowerCase().replace(/(.{4})/g, "$1 ");
    await world.linked(max, C, [checking(100, { iban: written })]);
    expect(await firstAccount(max)).toMatchObject({ earning: false, not_earning: "shared" });
  });
});

describe("a bank that gives little of its accounts", () => {
  it("no parent: a card with the current account's IBAN is its card", async ({ expect }) => {
    await world.linked(lea, C, [checking(100), card(101, { id_parent: null, iban: IBAN })]);
    await world.shows(lea, C, [row(1, 100, { value: -60 }), row(2, 101, { value: -60 })]);
    expect(await world.seen(lea)).toEqual([SIXTY]);
  });
  it("no parent in the list: a renewed card repeats the old one", async ({ expect }) => {
    await world.linked(lea, C, [card(121, { name: "CARTE VISA 1234" })]);
    await world.shows(lea, C, [row(1, 121, { value: -60 })]);
    world.later(HOUR);
    world.lists(lea, C, [card(122, { name: "CARTE VISA 5678" })]);
    await world.shows(lea, C, [row(2, 122, { value: -60 })]);
    expect(await world.seen(lea)).toEqual([SIXTY]);
  });
  for (const parent of [IBAN, null]) {
    it(`two cards of one name renewed at once count each row once, ${parent}`, async ({ expect }) => {
      await world.linked(lea, C, [checking(100, { iban: parent }), card(101), card(102)]);
      await world.shows(lea, C, [row(1, 101, { value: -60 }), row(2, 102, { value: -60 })]);
      world.later(HOUR);
      world.lists(lea, C, [checking(100, { iban: parent }), card(103), card(104)]);
      await world.shows(lea, C, [row(3, 103, { value: -60 }), row(4, 104, { value: -60 })]);
      expect(await world.seen(lea)).toEqual([SIXTY, SIXTY]);
    });
    it(`two cards of one name count each row once after re-linking, ${parent}`, async ({ expect }) => {
      await world.linked(lea, C, [checking(100, { iban: parent }), card(101), card(102)]);
      await world.shows(lea, C, [row(1, 101, { value: -60 }), row(2, 102, { value: -60 })]);
      await world.unlinks(lea);
      world.later(HOUR);
      const again = { id_parent: 200 };
      world.lists(lea, 2, [checking(200, { iban: parent }), card(203, again), card(204, again)]);
      await world.shows(lea, 2, [row(3, 203, { value: -60 }), row(4, 204, { value: -60 })]);
      expect(await world.seen(lea)).toEqual([SIXTY, SIXTY]);
    });
    it(`rows of card and parent once after re-linking, ${parent}`, async ({ expect }) => {
      await world.linked(lea, C, [checking(100, { iban: parent }), card(101)]);
      await world.shows(lea, C, [row(1, 101, { value: -60 }), row(2, 100, { value: -60 })]);
      await world.unlinks(lea);
      world.later(HOUR);
      world.lists(lea, 2, [checking(200, { iban: parent }), card(201, { id_parent: 200 })]);
      await world.shows(lea, 2, [row(3, 200, { value: -60 })]);
      await world.shows(lea, 2, [row(4, 201, { value: -60 })]);
      expect(await world.seen(lea)).toEqual([SIXTY]);
    });
  }
  it("the IBAN for some days only: the account stays one, made anew each time", async ({ expect }) => {
    await world.linked(lea, C, [checking(100)]);
    await world.shows(lea, C, [row(1, 100, { value: -60 })]);
    world.later(HOUR);
    world.lists(lea, C, [checking(110, { iban: null })]);
    await world.shows(lea, C, [row(2, 110, { value: -60 })]);
    world.later(HOUR);
    world.lists(lea, C, [checking(120)]);
    await world.shows(lea, C, [row(3, 120, { value: -60 })]);
    expect(await world.seen(lea)).toEqual([SIXTY]);
  });
  it("another label: a row in doubt waits, and counts after 30 days", async ({ expect }) => {
    await world.linked(lea, C, [checking(110, { iban: null })]);
    await world.shows(lea, C, [row(1, 110, { value: -60 })]);
    world.later(HOUR);
    world.lists(lea, C, [checking(111, { iban: null })]);
    await world.shows(lea, C, [
      row(2, 111, { value: -60, original_wording: "CB MONOPRIX PARIS" }),
      row(3, 111, { value: -60, original_wording: "CB MONOPRIX PARIS" }),
    ]);
    // One older row casts doubt on one newer row.
    expect(await world.seen(lea)).toEqual([SIXTY, SIXTY, "purchase 6000 booked waiting 0"]);
    world.later(31 * DAY);
    expect(await world.points(lea)).toBe(900);
  });
  it("two logins of one bank without IBAN: the same row of both once, others each", async ({ expect }) => {
    await world.linked(lea, C, [checking(110, { iban: null })]);
    // A second login is a second way through the aggregator's page, with a user of its own there.
    const { remoteUserId } = await tradedLink(world.app, lea.userId);
    const again = { ...lea, remoteUserId };
    await world.linked(again, 2, [checking(210, { iban: null })]);
    await world.shows(lea, C, [row(1, 110, { value: -60 })]);
    await world.shows(again, 2, [row(2, 210, { value: -60 }), row(3, 210, { value: -20 })]);
    expect(await world.seen(lea)).toEqual(["purchase 2000 booked earned 100", SIXTY]);
  });
});
