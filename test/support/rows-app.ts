// People whose bank is an aggregator in memory, before the real routes, ledger objects and D1: what
// a bank may do to rows and accounts, and what its user is shown of it. Offer used throughout: 5 %
// at Monoprix.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { UserId } from "../../src/kernel/ids.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { parisDate } from "../../src/kernel/time.ts";
import { ledgerClient } from "../../src/ledger/object/client.ts";
import { LEDGER_METHODS } from "../../src/ledger/object/methods.ts";
import type { LedgerMethod, LedgerNamespace, LedgerStub } from "../../src/ledger/object/methods.ts";
import type { OfferTerms } from "../../src/ledger/ports.ts";
import type { Environment } from "../../src/platform/cloudflare/environment.ts";
import { offer } from "../contract/ledger-factories.ts";
import { addUser, bankingApp, BRAND, deliver, tradedLink } from "./banking-app.ts";
import { TEST_BANK } from "./fake-powens.ts";
import { parisWallText } from "./paris-wall.ts";
import type { FakeRow } from "./fake-powens.ts";

const bindings = env as unknown as Environment;
export const DAY = 86_400_000;
export const HOUR = 3_600_000;
const LINKED_BEFORE_MS = 10 * DAY;
/** The time of the first delivery: Friday noon in Paris. */
export const FRIDAY_MS = Date.parse("2026-11-20T11:00:00Z");

/** Ledgers whose alarms never ring: they would ring on the clock of the machine. */
const ledgersWithoutAlarm: LedgerNamespace = {
  getByName: (name) => {
    const stub = bindings.LEDGER.getByName(name);
    const call = (method: LedgerMethod) => async (input: never, nowMs: number) => {
      await runInDurableObject(stub, (_, state) => {
        state.storage.setAlarm = async () => {};
      });
      return await stub[method](input, nowMs);
    };
    return Object.fromEntries(
      Object.keys(LEDGER_METHODS).map((method) => [method, call(method as LedgerMethod)]),
    ) as unknown as LedgerStub;
  },
};

export type RowsApp = ReturnType<typeof rowsApp>;
export type Change = Record<string, unknown>;
export type Person = {
  readonly userId: UserId;
  /** Another one once the user has unlinked everything and been through the page again. */
  remoteUserId: number;
  /** Added to each id that a test writes: ids are unique among all people of a file. */
  readonly base: number;
};
type Purchase = {
  readonly id: string;
  readonly label: string;
  readonly kind: string;
  readonly state: string;
  readonly amount_cents: number;
  readonly purchased_on: string;
  readonly brand: { readonly name: string } | null;
  readonly verdict: {
    readonly outcome: string;
    readonly points: number;
    readonly reasons: readonly { readonly code: string }[];
  };
};

/** Five percent at Monoprix, 100 points per euro. */
export const fivePercent = (more: Partial<OfferTerms> = {}): OfferTerms =>
  offer({ brandId: BRAND, rateBp: 500, ...more });

/** Replaced by valid IBANs that nobody else has. */
export const IBAN = "the person's own";
export const OTHER_IBAN = "the person's other";
export const checking = (id: number, more: Change = {}): Change => ({
  id,
  type: "checking",
  name: "COMPTE COURANT",
  iban: IBAN,
  id_parent: null,
  ...more,
});
export const card = (id: number, more: Change = {}): Change => ({
  id,
  type: "card",
  name: "CARTE VISA",
  iban: null,
  id_parent: 100,
  ...more,
});

let people = 0;

function ibanFor(who: Person, iban: unknown): unknown {
  if (iban !== IBAN && iban !== OTHER_IBAN) return iban;
  return `EX67${String(who.base + Number(iban === OTHER_IBAN)).padStart(23, "0")}`;
}

export function rowsApp(binding: D1Database, terms: readonly OfferTerms[] = [fivePercent()]) {
  const app = bankingApp(binding, {
    ledger: (clock) =>
      ledgerClient({
        namespace: ledgersWithoutAlarm,
        clock,
        log: jsonLog(() => {}),
      }),
    termsFor: () => terms,
  });
  app.powens.state.nextUser = Math.floor(Math.random() * 1e9) + 1;
  app.clock.ms = FRIDAY_MS;
  const atBank = (who: Person) => {
    const user = app.powens.state.users.get(who.remoteUserId);
    if (user === undefined) throw new Error("no such user at the aggregator");
    return user;
  };
  const idFor = (who: Person, id: unknown): number | null =>
    typeof id === "number" ? who.base + id : null;

  /** Somebody who consented ten days ago and is known at the aggregator. */
  async function person(): Promise<Person> {
    const userId = await addUser(binding, app.clock.ms - LINKED_BEFORE_MS);
    const { remoteUserId } = await tradedLink(app, userId);
    return { userId, remoteUserId, base: 100_000 * ++people };
  }

  /**
   * What a connection lists from now on; accounts that it listed before and does not now are gone.
   */
  function lists(who: Person, connection: number, accounts: readonly Change[]): void {
    const user = atBank(who);
    const id = who.base + connection;
    user.connections.set(id, {
      id,
      id_user: who.remoteUserId,
      connector_uuid: TEST_BANK,
      connector: { uuid: TEST_BANK, name: "Connecteur de test" },
      state: null,
      last_update: parisWallText(app.clock.ms),
      created: "2026-11-10 09:00:00",
      expire: "2027-05-09 09:00:00",
    });
    for (const account of user.accounts.values()) {
      if (account.id_connection === id) user.accounts.delete(account.id);
    }
    for (const account of accounts) {
      const accountId = idFor(who, account["id"]) ?? 0;
      user.accounts.set(accountId, {
        disabled: null,
        deleted: null,
        currency: { id: "EUR" },
        ...account,
        id: accountId,
        id_connection: id,
        iban: ibanFor(who, account["iban"]),
        id_parent: idFor(who, account["id_parent"]),
      });
    }
  }

  /** The same, linked ten days ago. */
  async function linked(who: Person, connection: number, accounts: readonly Change[]) {
    const now = app.clock.ms;
    app.clock.ms = now - LINKED_BEFORE_MS;
    lists(who, connection, accounts);
    await sends(body(who, connection, []));
    app.clock.ms = now;
  }

  /** A card row of now as the aggregator writes it. */
  function rowOf(who: Person, id: number, account: number, change: Change = {}): FakeRow {
    const now = parisWallText(app.clock.ms);
    const today = parisDate(app.clock.ms);
    return {
      date: today,
      rdate: today,
      value: -34.9,
      type: "card",
      original_wording: "CARTE MONOPRIX PARIS",
      coming: false,
      deleted: null,
      date_scraped: now,
      last_update: now,
      ...change,
      id: who.base + id,
      id_account: who.base + account,
    };
  }

  /** A signed body of CONNECTION_SYNCED with these rows. */
  function body(who: Person, connection: number, rows: readonly FakeRow[]) {
    const user = atBank(who);
    const id = who.base + connection;
    const accounts = [...user.accounts.values()].filter(({ id_connection }) => id_connection === id)
      .map((account) => ({
        ...account,
        transactions: rows.filter(({ id_account }) => id_account === account.id),
      }));
    return structuredClone({
      user: { id: who.remoteUserId },
      connection: { ...user.connections.get(id), id_user: who.remoteUserId, accounts },
    });
  }

  async function sends(message: unknown): Promise<void> {
    const answer = await deliver(app, "connection-synced", message);
    if (answer.status !== 200) {
      throw new Error(`the delivery answered ${answer.status}`);
    }
  }

  /** The bank shows rows on one connection: they can be read back, and a webhook brings them. */
  async function shows(who: Person, connection: number, rows: readonly FakeRow[]): Promise<void> {
    const user = atBank(who);
    for (const row of rows) {
      const at = user.rows.findIndex(({ id }) => id === row.id);
      if (at < 0) user.rows.push(row);
      else user.rows[at] = row;
    }
    await sends(body(who, connection, rows));
  }

  async function read<T>(who: Person, path: string): Promise<T> {
    const answer = await app.call("GET", path, { as: who.userId });
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.text}`);
    return answer.body as unknown as T;
  }
  const purchases = async (who: Person): Promise<readonly Purchase[]> =>
    (await read<{ data: Purchase[] }>(who, "/v1/purchases?limit=100")).data;
  /** What a user sees of each purchase, the same whatever order it came in. */
  const seen = async (who: Person): Promise<string[]> =>
    (await purchases(who)).map(({ kind, amount_cents, state, verdict }) =>
      `${kind} ${amount_cents} ${state} ${verdict.outcome} ${verdict.points}`
    ).sort();
  const points = async (who: Person): Promise<number> => {
    const { pending, available } = await read<{ pending: number; available: number }>(
      who,
      "/v1/points",
    );
    return pending + available;
  };
  type ShownConnection = {
    id: string;
    accounts: { id: string; earning: boolean; not_earning: string | null }[];
  };
  const connections = async (who: Person): Promise<readonly ShownConnection[]> =>
    (await read<{ data: ShownConnection[] }>(who, "/v1/bank-connections")).data;

  /** What is left of the purchases alone. */
  const bought = async (who: Person): Promise<string[]> =>
    (await seen(who)).filter((line) => line.startsWith("purchase"));

  /** The user unlinks all that is linked, and has been through the aggregator's page again. */
  async function unlinks(who: Person): Promise<void> {
    for (const { id } of await connections(who)) {
      const answer = await app.call("DELETE", `/v1/bank-connections/${id}`, { as: who.userId });
      if (answer.status !== 204) throw new Error(`unlinking answered ${answer.text}`);
    }
    if (app.powens.state.users.has(who.remoteUserId)) return;
    who.remoteUserId = (await tradedLink(app, who.userId)).remoteUserId;
  }

  const later = (ms: number): void => {
    app.clock.ms += ms;
  };
  const at = (time: string): void => {
    app.clock.ms = Date.parse(time);
  };
  return {
    app,
    person,
    lists,
    linked,
    rowOf,
    body,
    sends,
    shows,
    purchases,
    seen,
    bought,
    points,
    connections,
    unlinks,
    later,
    at,
    atBank,
  };
}
