// The life of bank rows, end to end: booked, amended, taken back, refunded, and what is no
// purchase. On the bundles that would be deployed, against the sandbox over HTTP.
import { describe, it } from "vitest";
import { atBank } from "../../src/local/api-client.ts";
import {
  balance,
  bank,
  box,
  get,
  longAfter,
  passes,
  pays,
  pending,
  person,
  purchases,
  seen,
  useLives,
} from "../support/lives.ts";
import type { Purchase } from "../support/lives.ts";

useLives();

describe("a pending row", () => {
  it("earns when it is booked under its id and sent again", async ({ expect }) => {
    const who = await person();
    const row = await pays(who, 10_000, { pending: true });
    const [waiting] = await purchases(who);
    expect(await seen(who)).toEqual(["purchase 10000 pending waiting 0"]);
    expect(waiting?.verdict.reasons.map(({ code }) => code)).toContain("not_booked_yet");
    await bank(`/rows/${row}/book`, { resend: true });
    expect(await seen(who)).toEqual(["purchase 10000 booked earned 300"]);
    expect((await purchases(who))[0]?.id).toBe(waiting?.id);
  });

  it("earns within a week when it is booked under its id and no webhook comes", async ({ expect }) => {
    const who = await person();
    const row = await pays(who, 10_000, { pending: true });
    await bank(`/rows/${row}/book`, { resend: false });
    expect(await seen(who)).toEqual(["purchase 10000 pending waiting 0"]);
    await passes("P8D");
    expect(await seen(who)).toEqual(["purchase 10000 booked earned 300"]);
    expect(await pending(who)).toBe(300);
  });

  it("is taken over by a booked row with another id and amount, as at a fuel pump", async ({ expect }) => {
    const who = await person();
    const row = await pays(who, 8000, { pending: true });
    const [before] = await purchases(who);
    await bank(`/rows/${row}/book`, { new_id: true, amount_cents: 5417 });
    expect(await seen(who)).toEqual(["purchase 5417 booked earned 162"]);
    await passes("P1D");
    expect(await seen(who)).toEqual(["purchase 5417 booked earned 162"]);
    expect((await get<Purchase>(who, `/v1/purchases/${before?.id}`)).amount_cents).toBe(5417);
  });

  it("that the bank books by itself some day is seen within a week", async ({ expect }) => {
    const who = await person();
    await pays(who, 10_000, { pending: true, books_in_days: 2 });
    await passes("P2D");
    await passes("P7D");
    expect(await seen(who)).toEqual(["purchase 10000 booked earned 300"]);
  });

  it("that is never booked is closed after 14 days, and earns when the bank books it after all", async ({ expect }) => {
    const who = await person();
    const row = await pays(who, 10_000, { pending: true });
    await longAfter(13);
    expect(await seen(who)).toEqual(["purchase 10000 pending waiting 0"]);
    await longAfter(2);
    expect((await seen(who))[0]).toMatch(/^purchase 10000 \w+ not_earned 0$/);
    await bank(`/rows/${row}/book`, { resend: true });
    expect(await seen(who)).toEqual(["purchase 10000 booked earned 300"]);
  });
});

describe("a booked row", () => {
  it("that the bank amends earns by the new amount, whether it is sent again or only read", async ({ expect }) => {
    const who = await person();
    const [reported, silent] = [await pays(who, 10_000), await pays(who, 20_000)];
    expect(await pending(who)).toBe(900);
    await bank(`/rows/${reported}/amend`, { amount_cents: 5000, resend: true });
    expect(await pending(who)).toBe(750);
    await bank(`/rows/${silent}/amend`, { amount_cents: 6000, resend: false });
    await passes("P8D");
    expect(await seen(who)).toEqual([
      "purchase 5000 booked earned 150",
      "purchase 6000 booked earned 180",
    ]);
    expect(await pending(who)).toBe(330);
    // An older state of a row never overwrites a newer one.
    await bank(`/rows/${reported}/amend`, {
      amount_cents: 99_000,
      resend: true,
      last_update: "2026-01-01 00:00:00",
    });
    expect(await pending(who)).toBe(330);
  });

  it("that the bank takes back loses its points: cancelled while pending, clawed back once confirmed", async ({ expect }) => {
    const who = await person();
    const [reported, silent, old] = [
      await pays(who, 10_000),
      await pays(who, 20_000),
      await pays(who, 30_000),
    ];
    await bank(`/rows/${reported}/delete`, { resend: true });
    expect(await seen(who)).toEqual([
      "purchase 10000 deleted reversed 0",
      "purchase 20000 booked earned 600",
      "purchase 30000 booked earned 900",
    ]);
    await bank(`/rows/${silent}/delete`, { resend: false });
    await passes("P8D");
    expect(await balance(who)).toEqual({ pending: 900, available: 0 });
    await longAfter(31);
    expect(await balance(who)).toEqual({ pending: 0, available: 900 });
    await bank(`/rows/${old}/delete`, { resend: true });
    expect(await balance(who)).toEqual({ pending: 0, available: 900 });
    await passes("PT2H");
    expect(await balance(who)).toEqual({ pending: 0, available: 0 });
    const kinds = (await get<{ data: { kind: string }[] }>(who, "/v1/points/entries")).data.map((
      { kind },
    ) => kind);
    expect(kinds).toEqual(["clawback", "confirm", "cancel", "cancel", "earn", "earn", "earn"]);
  });
});

describe("refunds", () => {
  it("take back in parts, to exactly zero, and no further", async ({ expect }) => {
    const who = await person();
    const row = await pays(who, 9999);
    expect(await pending(who)).toBe(299);
    const back = (amountCents: number) =>
      atBank(box, "/refunds", {
        connection_id: who.remoteConnectionId,
        row,
        amount_cents: amountCents,
      });
    await back(3333);
    expect(await pending(who)).toBe(Math.floor((299 * 6666) / 9999));
    await back(3333);
    expect(await pending(who)).toBe(Math.floor((299 * 3333) / 9999));
    await back(3333);
    expect(await pending(who)).toBe(0);
    await back(3333);
    expect(await balance(who)).toEqual({ pending: 0, available: 0 });
    expect(
      (await purchases(who)).filter((item) => item.kind === "refund" && item.refund_of === null),
    ).toHaveLength(1);
  });

  it("of confirmed points claw them back within the hour, when a read has shown them", async ({ expect }) => {
    const who = await person();
    const row = await pays(who, 10_000);
    await longAfter(31);
    expect(await balance(who)).toEqual({ pending: 0, available: 300 });
    await atBank(box, "/refunds", { connection_id: who.remoteConnectionId, row });
    expect(await balance(who)).toEqual({ pending: 0, available: 300 });
    await passes("PT2H");
    expect(await balance(who)).toEqual({ pending: 0, available: 0 });
  });

  it("that come before their purchase end like those after it", async ({ expect }) => {
    const who = await person();
    await atBank(box, "/refunds", {
      connection_id: who.remoteConnectionId,
      amount_cents: 10_000,
      merchant: "Monoprix",
    });
    expect(await seen(who)).toEqual(["refund 10000 booked waiting 0"]);
    await pays(who, 10_000);
    expect(await pending(who)).toBe(0);
    expect((await purchases(who)).map((item) => item.verdict.outcome).sort()).not.toContain(
      "waiting",
    );
  });
});

describe("what is not a purchase", () => {
  it("leaves no trace: transfers, salaries, direct debits, cash", async ({ expect }) => {
    const who = await person({ history_months: "2" });
    const at = { connection_id: who.remoteConnectionId };
    await atBank(box, "/transfers", {
      ...at,
      label: "VIR SEPA RECU /DE MONOPRIX SA",
      incoming: true,
    });
    await atBank(box, "/transfers", at);
    await atBank(box, "/salaries", at);
    await atBank(box, "/direct-debits", { ...at, merchant: "Monoprix" });
    await atBank(box, "/withdrawals", at);
    expect(await purchases(who)).toEqual([]);
    expect(await pending(who)).toBe(0);
  });

  it("absurd amounts and dates are held for a person, seen by their user, and earn nothing", async ({ expect }) => {
    const who = await person();
    for (
      const absurd of [
        { value: "-12.345" },
        { value: "-99999999999.99" },
        { rdate: "1990-01-01" },
        { rdate: "2199-12-31" },
      ]
    ) {
      await pays(who, 10_000, absurd);
    }
    const held = await purchases(who);
    expect(held).toHaveLength(4);
    expect(held.map((item) => item.verdict.outcome)).toEqual([
      "waiting",
      "waiting",
      "waiting",
      "waiting",
    ]);
    expect(
      held.every((item) => item.verdict.reasons.some(({ code }) => code === "held_for_review")),
    ).toBe(true);
    expect(await balance(who)).toEqual({ pending: 0, available: 0 });
  });
});
