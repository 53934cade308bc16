// Each purchase counts once, whatever a bank does to its rows, accounts and connections. On the
// bundles that would be deployed, against the sandbox over HTTP.
import { describe, it } from "vitest";
import { atBank, expectCall, linkBank } from "../../src/local/api-client.ts";
import {
  accountOf,
  bank,
  box,
  connection,
  longAfter,
  passes,
  pays,
  pending,
  person,
  purchases,
  seen,
  useLives,
} from "../support/lives.ts";

useLives();

describe("each purchase counts once", () => {
  it("on a deferred card, whose monthly total is not another", async ({ expect }) => {
    const who = await person();
    await pays(who, 5200, { account: "card" });
    await pays(who, 10_000, { account: "card" });
    await atBank(box, "/summaries", { connection_id: who.remoteConnectionId });
    expect(await seen(who)).toEqual([
      "purchase 10000 booked earned 300",
      "purchase 5200 booked earned 156",
    ]);
    await passes("P1D");
    expect(await pending(who)).toBe(456);
  });

  it("in another currency, by the euros debited", async ({ expect }) => {
    const who = await person();
    await pays(who, 2310, { currency: "USD", original_amount: 2500 });
    const [bought] = await purchases(who);
    expect(bought).toMatchObject({
      amount_cents: 2310,
      currency: "EUR",
      original: { amount_cents: 2500, currency: "USD" },
      verdict: { outcome: "earned", points: 69 },
    });
  });

  it("when two identical coffees come in separate deliveries, both", async ({ expect }) => {
    const who = await person();
    await pays(who, 1500);
    await pays(who, 1500);
    expect(await seen(who)).toEqual([
      "purchase 1500 booked earned 45",
      "purchase 1500 booked earned 45",
    ]);
  });

  it("when the account is re-created and everything comes again under new ids", async ({ expect }) => {
    const who = await person();
    await pays(who, 1500, { count: 2 });
    await pays(who, 10_000);
    const before = await seen(who);
    await bank(`/accounts/${await accountOf(who, "checking")}/recreate`);
    expect(await seen(who)).toEqual(before);
    await passes("P1D");
    expect(await seen(who)).toEqual(before);
    await pays(who, 20_000);
    expect(await pending(who)).toBe(90 + 300 + 600);
  });

  it("when an account loses its IBAN, and when it never had one, and everything comes again under new ids", async ({ expect }) => {
    const who = await person({ accounts: "checking" });
    const once = async (amountCents: number) =>
      (await purchases(who)).filter((item) =>
        item.amount_cents === amountCents && item.verdict.outcome === "earned"
      ).length;
    await pays(who, 10_000);
    await bank(`/accounts/${await accountOf(who, "checking")}/amend`, { iban: null });
    await bank(`/accounts/${await accountOf(who, "checking")}/recreate`);
    expect([await once(10_000), await pending(who)]).toEqual([1, 300]);
    await bank(`/accounts/${await accountOf(who, "checking")}/recreate`);
    expect([await once(10_000), await pending(who)]).toEqual([1, 300]);
    await bank(`/accounts/${await accountOf(who, "checking")}/amend`, {
      iban: "EX6713679564637300290000777",
    });
    await bank(`/accounts/${await accountOf(who, "checking")}/recreate`);
    expect([await once(10_000), await pending(who)]).toEqual([1, 300]);
    // No older row has the cents of a new purchase: nothing puts it in doubt.
    await pays(who, 20_000);
    expect((await purchases(who)).find((item) => item.amount_cents === 20_000)?.verdict)
      .toMatchObject({ outcome: "earned", points: 600 });
    await longAfter(7);
    await pays(who, 30_000);
    expect(await once(30_000)).toBe(1);
  });

  it("through a re-creation: pending before and booked after, refunded after, on a deferred card", async ({ expect }) => {
    const who = await person();
    const row = await pays(who, 8000, { pending: true });
    await pays(who, 10_000);
    await pays(who, 20_000, { account: "card" });
    const [checking, card] = [await accountOf(who, "checking"), await accountOf(who, "card")];
    await bank(`/accounts/${checking}/recreate`);
    await bank(`/accounts/${card}/recreate`);
    expect((await seen(who)).filter((line) => line.includes("booked"))).toEqual([
      "purchase 10000 booked earned 300",
      "purchase 20000 booked earned 600",
    ]);
    const { data } = await expectCall<
      { data: { id: number; value: number; coming: boolean; deleted: string | null }[] }
    >(200, "GET", `${box.sandboxUrl}/rows?connection_id=${who.remoteConnectionId}&limit=100`);
    const fresh = data.find((item) => item.coming && item.deleted === null);
    expect(fresh?.id).not.toBe(row);
    await bank(`/rows/${fresh?.id}/book`, { resend: true });
    const bought = data.find((item) => item.value === -100 && item.deleted === null);
    await atBank(box, "/refunds", { connection_id: who.remoteConnectionId, row: bought?.id });
    expect((await seen(who)).filter((line) => line.startsWith("purchase"))).toEqual([
      "purchase 10000 booked reversed 0",
      "purchase 20000 booked earned 600",
      "purchase 8000 booked earned 240",
    ]);
    expect(await pending(who)).toBe(840);
  });

  it("when the connection is removed and made again with the same login", async ({ expect }) => {
    const login = "lives-again";
    const who = await person({ login });
    await pays(who, 1500, { count: 2 });
    await pays(who, 10_000);
    const before = await seen(who);
    await expectCall(
      204,
      "DELETE",
      `${box.edgeUrl}/v1/bank-connections/${who.connectionId}`,
      undefined,
      { token: who.token },
    );
    const again = await linkBank(box, who.token, { login });
    expect(again.connectionId).not.toBe(who.connectionId);
    Object.assign(who, again);
    expect(await seen(who)).toEqual(before);
    await pays(who, 20_000);
    expect(await pending(who)).toBe(90 + 300 + 600);
    await passes("P1D");
    expect(await pending(who)).toBe(90 + 300 + 600);
  });

  it("on a joint account: one of its two holders earns", async ({ expect }) => {
    const login = "joint";
    const [first, second] = [
      await person({ login, accounts: "checking" }),
      await person({ login, accounts: "checking" }),
    ];
    await pays(first, 10_000);
    // The bank reports it to both holders.
    await bank(`/connections/${second.remoteConnectionId}/sync`);
    await passes("P1D");
    expect([await pending(first), await pending(second)]).toEqual([300, 0]);
    expect(await purchases(second)).toEqual([]);
    expect((await connection(second)).accounts.map(({ earning }) => earning)).toEqual([false]);

    // The first holder leaves: what is bought from then on earns for the second, and only that.
    await expectCall(
      204,
      "DELETE",
      `${box.edgeUrl}/v1/bank-connections/${first.connectionId}`,
      undefined,
      { token: first.token },
    );
    await pays(second, 5_000);
    await bank(`/connections/${second.remoteConnectionId}/sync`);
    await passes("P1D");
    expect([await pending(first), await pending(second)]).toEqual([300, 150]);
    expect((await connection(second)).accounts.map(({ earning }) => earning)).toEqual([true]);
    const { data: mails } = await expectCall<{ data: { subject: string }[] }>(
      200,
      "GET",
      `${box.sandboxUrl}/mailbox?to=${encodeURIComponent(second.email)}`,
    );
    expect(mails.map(({ subject }) => subject)).toContain(
      "Un compte bancaire partagé gagne maintenant pour vous",
    );
    expect(JSON.stringify(mails)).not.toContain(first.email);
  });
});
