// The life of bank rows, end to end: what a bank may do to a row, an account, a connection or a
// delivery, and what the user sees in the end. On the bundles that would be deployed, against the
// sandbox over HTTP. Offer used throughout: 3 % at Monoprix.
import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, it } from "vitest";
import { openBlackBox } from "../support/blackbox.ts";
import type { BlackBox } from "../support/blackbox.ts";
import {
  atBank,
  call,
  consent,
  expectCall,
  fillWebview,
  linkBank,
  signIn,
} from "../../src/local/api-client.ts";
import type { Json } from "../../src/local/api-client.ts";
import { openLocalClock } from "../../src/local/data-folder.ts";

const DAY_MS = 86_400_000;

type Person = {
  readonly email: string;
  token: string;
  connectionId: string;
  remoteConnectionId: number;
};
type Purchase = {
  id: string;
  kind: string;
  state: string;
  amount_cents: number;
  original: { amount_cents: number; currency: string } | null;
  label: string;
  refund_of: string | null;
  verdict: { outcome: string; points: number; reasons: { code: string }[] };
};
type Connection = {
  id: string;
  status: string;
  action: string;
  gaps: { from: string; to: string; recovered: boolean }[];
  accounts: { earning: boolean }[];
};

let box: BlackBox;
let people: Person[] = [];
let serial = 0;
beforeAll(async () => {
  box = await openBlackBox();
});
afterAll(async () => box.dispose());
// What no later test needs would be read every day that passes.
afterEach(async () => {
  await call("DELETE", `${box.sandboxUrl}/faults`);
  for (const person of people) {
    await call("DELETE", `${box.edgeUrl}/v1/bank-connections/${person.connectionId}`, undefined, {
      token: person.token,
    });
  }
  people = [];
});

async function person(fields: Readonly<Record<string, string>> = {}): Promise<Person> {
  const email = `life-${++serial}@example.org`;
  const { token } = await signIn(box, email);
  await consent(box, token);
  const linked = await linkBank(box, token, { history_months: "0", ...fields });
  const made = {
    email,
    token,
    connectionId: linked.connectionId,
    remoteConnectionId: linked.remoteConnectionId,
  };
  people.push(made);
  return made;
}

const get = <T>(who: Person, path: string): Promise<T> =>
  expectCall<T>(200, "GET", `${box.edgeUrl}${path}`, undefined, { token: who.token });
const balance = async (who: Person): Promise<{ pending: number; available: number }> => {
  const { pending, available } = await get<{ pending: number; available: number }>(
    who,
    "/v1/points",
  );
  return { pending, available };
};
const pending = async (who: Person): Promise<number> => (await balance(who)).pending;
const purchases = async (who: Person): Promise<Purchase[]> =>
  (await get<{ data: Purchase[] }>(who, "/v1/purchases?limit=100")).data;
/** What a user sees of each purchase, the same whatever order it came in. */
const seen = async (who: Person): Promise<string[]> =>
  (await purchases(who)).map((item) =>
    `${item.kind} ${item.amount_cents} ${item.state} ${item.verdict.outcome} ${item.verdict.points}`
  ).sort();
const connection = (who: Person): Promise<Connection> =>
  get<Connection>(who, `/v1/bank-connections/${who.connectionId}`);

/** The bank does something; whether the product must take its webhook is the caller's to say. */
const bank = async <T = { rows: { id: number }[]; row: { id: number } | null; delivered: boolean }>(
  path: string,
  body: Json = {},
): Promise<T> => {
  const done = await call<T>("POST", `${box.sandboxUrl}${path}`, body);
  if (done.status >= 300) throw new Error(`${path}: ${done.status} ${JSON.stringify(done.body)}`);
  return done.body;
};
async function pays(who: Person, amountCents: number, extra: Json = {}): Promise<number> {
  const done = await atBank(box, "/purchases", {
    connection_id: who.remoteConnectionId,
    account: "checking",
    amount_cents: amountCents,
    merchant: "Monoprix",
    ...extra,
  });
  return done.rows[0]?.id ?? -1;
}

async function accountOf(who: Person, type: "checking" | "card"): Promise<number> {
  const remote = await expectCall<
    { all_accounts: { id: number; type: string; deleted: string | null }[] }
  >(200, "GET", `${box.sandboxUrl}/connections/${who.remoteConnectionId}`);
  return remote.all_accounts.find((account) => account.type === type && account.deleted === null)
    ?.id ?? -1;
}

/** Time passes, with all that happens in it; access tokens do not live that long. */
async function passes(duration: string): Promise<void> {
  await bank("/clock", { advance: duration });
  for (const who of people) who.token = (await signIn(box, who.email)).token;
}
/** A long time passes in which nobody does anything; then a day in which everything due is done. */
async function longAfter(days: number): Promise<void> {
  await (await openLocalClock(box.dataDir)).advance((days - 1) * DAY_MS);
  await passes("P1D");
}

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

  it("earns within a day when it is booked under its id and nobody tells", async ({ expect }) => {
    const who = await person();
    const row = await pays(who, 10_000, { pending: true });
    await bank(`/rows/${row}/book`, { resend: false });
    expect(await seen(who)).toEqual(["purchase 10000 pending waiting 0"]);
    await passes("P1D");
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

  it("that the bank books by itself some day is seen on the next", async ({ expect }) => {
    const who = await person();
    await pays(who, 10_000, { pending: true, books_in_days: 2 });
    await passes("P2D");
    await passes("P1D");
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
    const [told, silent] = [await pays(who, 10_000), await pays(who, 20_000)];
    expect(await pending(who)).toBe(900);
    await bank(`/rows/${told}/amend`, { amount_cents: 5000, resend: true });
    expect(await pending(who)).toBe(750);
    await bank(`/rows/${silent}/amend`, { amount_cents: 6000, resend: false });
    await passes("P1D");
    expect(await seen(who)).toEqual([
      "purchase 5000 booked earned 150",
      "purchase 6000 booked earned 180",
    ]);
    expect(await pending(who)).toBe(330);
    // An older state of a row never overwrites a newer one.
    await bank(`/rows/${told}/amend`, {
      amount_cents: 99_000,
      resend: true,
      last_update: "2026-01-01 00:00:00",
    });
    expect(await pending(who)).toBe(330);
  });

  it("that the bank takes back loses its points: cancelled while pending, clawed back once confirmed", async ({ expect }) => {
    const who = await person();
    const [told, silent, old] = [
      await pays(who, 10_000),
      await pays(who, 20_000),
      await pays(who, 30_000),
    ];
    await bank(`/rows/${told}/delete`, { resend: true });
    expect(await seen(who)).toEqual([
      "purchase 10000 deleted reversed 0",
      "purchase 20000 booked earned 600",
      "purchase 30000 booked earned 900",
    ]);
    await bank(`/rows/${silent}/delete`, { resend: false });
    await passes("P1D");
    expect(await balance(who)).toEqual({ pending: 900, available: 0 });
    await longAfter(31);
    expect(await balance(who)).toEqual({ pending: 0, available: 900 });
    await bank(`/rows/${old}/delete`, { resend: false });
    await passes("P1D");
    expect(await balance(who)).toEqual({ pending: 0, available: 0 });
    const kinds = (await get<{ data: { kind: string }[] }>(who, "/v1/points/entries")).data.map((
      { kind },
    ) => kind);
    expect(kinds).toEqual(["clawback", "confirm", "cancel", "cancel", "earn", "earn", "earn"]);
  });
});

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
    // New rows within the older generation's time cannot be told apart for sure: a person looks.
    await pays(who, 20_000);
    expect((await purchases(who)).find((item) => item.amount_cents === 20_000)?.verdict)
      .toMatchObject({ outcome: "waiting", points: 0 });
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
    // The bank tells both holders of it.
    await bank(`/connections/${second.remoteConnectionId}/sync`);
    await passes("P1D");
    expect([await pending(first), await pending(second)]).toEqual([300, 0]);
    expect(await purchases(second)).toEqual([]);
    expect((await connection(second)).accounts.map(({ earning }) => earning)).toEqual([false]);
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

  it("of confirmed points claw them back", async ({ expect }) => {
    const who = await person();
    const row = await pays(who, 10_000);
    await longAfter(31);
    expect(await balance(who)).toEqual({ pending: 0, available: 300 });
    await atBank(box, "/refunds", { connection_id: who.remoteConnectionId, row });
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

describe("deliveries", () => {
  const sign = (
    path: string,
    body: string,
    secret = box.secrets.POWENS_WEBHOOK_SECRET.split(",")[0] ?? "",
  ) => {
    const date = "2026-11-23T12:00:00.000000Z";
    return {
      "BI-Signature-Date": date,
      "BI-Signature": createHmac("sha256", secret).update(`POST.${path}.${date}.${body}`).digest(
        "base64",
      ),
    };
  };
  const send = async (
    body: string,
    headers: Record<string, string>,
    event = "connection-synced",
  ): Promise<number> =>
    (await fetch(`${box.edgeUrl}/webhooks/powens/${event}`, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json", ...headers },
    })).status;
  const PATH = "/webhooks/powens/connection-synced";

  it.for(["first_in_first_out", "reverse"] as const)(
    "held back and released %s end alike",
    async (order, { expect }) => {
      const who = await person();
      await bank("/webhooks/hold");
      const at = { connection_id: who.remoteConnectionId };
      const hold = (path: string, body: Json) => bank(path, { ...at, ...body });
      const reserved =
        (await hold("/purchases", { amount_cents: 8000, merchant: "Monoprix", pending: true }))
          .rows[0]?.id;
      const bought = (await hold("/purchases", { amount_cents: 10_000, merchant: "Monoprix" }))
        .rows[0]?.id;
      await bank(`/rows/${reserved}/book`, { amount_cents: 6000, resend: true });
      await hold("/refunds", { row: bought, amount_cents: 7000 });
      await bank("/webhooks/release", { order });
      await passes("P1D");
      expect((await seen(who)).filter((line) => line.startsWith("purchase"))).toEqual([
        "purchase 10000 booked earned 90",
        "purchase 6000 booked earned 180",
      ]);
      expect(await pending(who)).toBe(270);
    },
  );

  it("that are forged, truncated, re-serialised or swapped get 401 and leave nothing", async ({ expect }) => {
    const [who, other] = [await person(), await person()];
    await pays(who, 10_000);
    const mine = await lastBody();
    await pays(other, 20_000);
    const theirs = await lastBody();
    const before = [await seen(who), await seen(other)];
    const forged = mine.replace("-100.0", "-900.0").replaceAll(
      /"id": (\d{5,})/g,
      (_all, id: string) => `"id": ${Number(id) + 1_000_000}`,
    );
    expect(forged).not.toBe(mine);
    expect(await send(mine, sign(PATH, mine))).toBe(200);
    const answers = [
      await send(forged, sign(PATH, mine)),
      await send(forged, sign(PATH, forged, "guessed")),
      await send(mine.slice(0, -1), sign(PATH, mine)),
      await send(JSON.stringify(JSON.parse(mine)), sign(PATH, mine)),
      await send(theirs, sign(PATH, mine)),
      await send(mine, sign("/webhooks/powens/account-synced", mine)),
      await send(mine, sign(PATH, mine), "account-synced"),
      await send(mine, {}),
      await send(mine, { ...sign(PATH, mine), "BI-Signature-Date": "2026-11-23T12:00:01.000000Z" }),
    ];
    expect(answers).toEqual(answers.map(() => 401));
    expect([await seen(who), await seen(other)]).toEqual(before);
  });

  async function lastBody(): Promise<string> {
    const { data } = await expectCall<{ data: { id_webhook_data: number }[] }>(
      200,
      "GET",
      `${box.sandboxUrl}/webhooks?limit=1`,
    );
    return (await fetch(`${box.sandboxUrl}/webhooks/${data[0]?.id_webhook_data}/body`)).text();
  }

  it("of a user whom nobody knows are taken, set aside, and shown to support", async ({ expect }) => {
    const body = JSON.stringify({
      user: { id: 987_654 },
      connection: {
        id: 1,
        id_user: 987_654,
        state: null,
        last_update: "2026-11-23 10:00:00",
        accounts: [],
      },
    });
    expect(await send(body, sign(PATH, body))).toBe(200);
    const token = await box.operator("support", "claire");
    const { data } = await expectCall<
      { data: { id: string; remote_user_id: string; reason: string }[] }
    >(200, "GET", `${box.edgeUrl}/admin/v1/quarantine`, undefined, { token });
    const item = data.find((candidate) => candidate.remote_user_id === "987654");
    expect(item?.reason).toBe("unknown_user");
    expect(
      (await call("POST", `${box.edgeUrl}/admin/v1/quarantine/${item?.id}/replay`, undefined, {
        token,
      })).status,
    ).toBe(409);
  });
});

describe("the aggregator failing", () => {
  it.for([
    { kind: "html_503" },
    { kind: "rate_limited_429", retry_after: "0" },
    { kind: "malformed_json" },
    { kind: "truncated" },
  ])(
    "with $kind while a lost webhook is looked for: it is found at the next look",
    async (fault, { expect }) => {
      const who = await person();
      await bank("/purchases", {
        connection_id: who.remoteConnectionId,
        amount_cents: 10_000,
        merchant: "Monoprix",
        webhook: false,
      });
      await bank("/faults", { ...fault, path: "/2.0/users/me/transactions", times: 3 });
      await passes("P1D");
      expect(await seen(who)).toEqual([]);
      await bank("/clock", { advance: "PT6H" });
      await call("DELETE", `${box.sandboxUrl}/faults`);
      await passes("PT12H");
      expect(await seen(who)).toEqual(["purchase 10000 booked earned 300"]);
      expect((await connection(who)).status).toBe("active");
    },
  );

  it("while the user comes back from the bank's page: 503, and the connection is there a moment later", async ({ expect }) => {
    const who = await person();
    const started = await expectCall<{ authorization_url: string }>(
      201,
      "POST",
      `${box.edgeUrl}/v1/bank-connections`,
      { redirect_uri: `${box.sandboxUrl}/done` },
      { token: who.token },
    );
    const redirect = await fillWebview(started.authorization_url, {
      sync: "manual",
      history_months: "0",
    });
    await bank("/faults", { kind: "html_503", path: "/2.0/users/me", times: 1000 });
    const back = () =>
      call<{ data: Connection[]; code?: string }>(
        "POST",
        `${box.edgeUrl}/v1/bank-connections/callback`,
        Object.fromEntries(redirect.searchParams),
        { token: who.token },
      );
    expect((await back()).body.code).toBe("aggregator_unavailable");
    await call("DELETE", `${box.sandboxUrl}/faults`);
    const again = await back();
    expect([again.status, again.body.data.length]).toEqual([200, 1]);
    await expectCall(
      204,
      "DELETE",
      `${box.edgeUrl}/v1/bank-connections/${again.body.data[0]?.id}`,
      undefined,
      { token: who.token },
    );
  });

  it("during a message about something new: taken, set aside, repaired, resolved", async ({ expect }) => {
    const who = await person();
    const checking = await accountOf(who, "checking");
    await bank("/faults", { kind: "html_503", path: "/2.0/users/me", times: 1000 });
    await bank(`/accounts/${checking}/recreate`);
    expect((await connection(who)).status).toBe("needs_repair");
    await call("DELETE", `${box.sandboxUrl}/faults`);
    const token = await box.operator("support", "claire");
    type Item = { id: string; remote_connection_id: string; reason: string };
    const open = async () =>
      (await expectCall<{ data: Item[] }>(
        200,
        "GET",
        `${box.edgeUrl}/admin/v1/quarantine`,
        undefined,
        { token },
      )).data.filter((item) => item.remote_connection_id === String(who.remoteConnectionId));
    const [item] = await open();
    expect(item?.reason).toBe("aggregator_unavailable");
    const replayed = await expectCall<{ outcome: string }>(
      200,
      "POST",
      `${box.edgeUrl}/admin/v1/quarantine/${item?.id}/replay`,
      undefined,
      { token },
    );
    expect(replayed.outcome).toBe("resolved");
    expect(await open()).toEqual([]);
    expect((await connection(who)).status).toBe("active");
    await pays(who, 10_000);
    expect(await pending(who)).toBe(300);
  });
});

describe("a consent of 180 days", () => {
  it("that lapses leaves a gap, which a renewal reads back", async ({ expect }) => {
    const who = await person();
    await pays(who, 10_000);
    await longAfter(181);
    expect(await connection(who)).toMatchObject({ status: "expired", action: "renew", gaps: [] });
    // Bought while nobody may look.
    await bank("/purchases", {
      connection_id: who.remoteConnectionId,
      amount_cents: 20_000,
      merchant: "Monoprix",
      sync: false,
    });
    await passes("P3D");
    expect(await purchases(who)).toHaveLength(1);
    const trip = await expectCall<{ authorization_url: string }>(
      200,
      "POST",
      `${box.edgeUrl}/v1/bank-connections/${who.connectionId}/renewal`,
      { redirect_uri: `${box.sandboxUrl}/done` },
      { token: who.token },
    );
    const redirect = await fillWebview(trip.authorization_url);
    await expectCall(
      200,
      "POST",
      `${box.edgeUrl}/v1/bank-connections/callback`,
      Object.fromEntries(redirect.searchParams),
      { token: who.token },
    );
    const renewed = await connection(who);
    expect(renewed).toMatchObject({
      status: "active",
      action: "none",
      gaps: [{ recovered: true }],
    });
    expect((renewed.gaps[0]?.from ?? "") < (renewed.gaps[0]?.to ?? "")).toBe(true);
    expect(await seen(who)).toEqual([
      "purchase 10000 booked earned 300",
      "purchase 20000 booked earned 600",
    ]);
  });
});
