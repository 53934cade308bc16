// People with a linked bank, for the black-box tests of what a bank may do to a row, an account, a
// connection or a delivery. Offer used throughout: 3 % at Monoprix.
import { afterAll, afterEach, beforeAll } from "vitest";
import { atBank, call, consent, expectCall, linkBank, signIn } from "../../src/local/api-client.ts";
import type { Json } from "../../src/local/api-client.ts";
import { openLocalClock } from "../../src/local/data-folder.ts";
import { openBlackBox } from "./blackbox.ts";
import type { BlackBox } from "./blackbox.ts";

const DAY_MS = 86_400_000;

export type Person = {
  readonly email: string;
  token: string;
  connectionId: string;
  remoteConnectionId: number;
};
export type Purchase = {
  id: string;
  kind: string;
  state: string;
  amount_cents: number;
  original: { amount_cents: number; currency: string } | null;
  label: string;
  refund_of: string | null;
  verdict: { outcome: string; points: number; reasons: { code: string }[] };
};
export type Connection = {
  id: string;
  status: string;
  action: string;
  gaps: { from: string; to: string; recovered: boolean }[];
  accounts: { earning: boolean }[];
};

export let box: BlackBox;
let people: Person[] = [];
let serial = 0;
/** Opens one system for all tests of a file, and clears after each test what no later one needs. */
export function useLives(): void {
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
}

export async function person(fields: Readonly<Record<string, string>> = {}): Promise<Person> {
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

export const get = <T>(who: Person, path: string): Promise<T> =>
  expectCall<T>(200, "GET", `${box.edgeUrl}${path}`, undefined, { token: who.token });
export const balance = async (who: Person): Promise<{ pending: number; available: number }> => {
  const { pending, available } = await get<{ pending: number; available: number }>(
    who,
    "/v1/points",
  );
  return { pending, available };
};
export const pending = async (who: Person): Promise<number> => (await balance(who)).pending;
export const purchases = async (who: Person): Promise<Purchase[]> =>
  (await get<{ data: Purchase[] }>(who, "/v1/purchases?limit=100")).data;
/** What a user sees of each purchase, the same whatever order it came in. */
export const seen = async (who: Person): Promise<string[]> =>
  (await purchases(who)).map((item) =>
    `${item.kind} ${item.amount_cents} ${item.state} ${item.verdict.outcome} ${item.verdict.points}`
  ).sort();
export const connection = (who: Person): Promise<Connection> =>
  get<Connection>(who, `/v1/bank-connections/${who.connectionId}`);

/** The bank does something; the caller checks whether the product took its webhook. */
export const bank = async <
  T = { rows: { id: number }[]; row: { id: number } | null; delivered: boolean },
>(
  path: string,
  body: Json = {},
): Promise<T> => {
  const done = await call<T>("POST", `${box.sandboxUrl}${path}`, body);
  if (done.status >= 300) throw new Error(`${path}: ${done.status} ${JSON.stringify(done.body)}`);
  return done.body;
};
export async function pays(who: Person, amountCents: number, extra: Json = {}): Promise<number> {
  const done = await atBank(box, "/purchases", {
    connection_id: who.remoteConnectionId,
    account: "checking",
    amount_cents: amountCents,
    merchant: "Monoprix",
    ...extra,
  });
  return done.rows[0]?.id ?? -1;
}

export async function accountOf(who: Person, type: "checking" | "card"): Promise<number> {
  const remote = await expectCall<
    { all_accounts: { id: number; type: string; deleted: string | null }[] }
  >(200, "GET", `${box.sandboxUrl}/connections/${who.remoteConnectionId}`);
  return remote.all_accounts.find((account) => account.type === type && account.deleted === null)
    ?.id ?? -1;
}

/** Time passes, with all that happens in it; access tokens do not live that long. */
export async function passes(duration: string): Promise<void> {
  await bank("/clock", { advance: duration });
  for (const who of people) who.token = (await signIn(box, who.email)).token;
}
/** A long time passes in which nobody does anything; then a day in which everything due is done. */
export async function longAfter(days: number): Promise<void> {
  await (await openLocalClock(box.dataDir)).advance((days - 1) * DAY_MS);
  await passes("P1D");
}
