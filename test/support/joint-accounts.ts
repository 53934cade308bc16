// Users who hold one bank account, for tests of who of them earns.
import type { ConnectionId, UserId } from "../../src/kernel/ids.ts";
import { addUser, cardRow, deliver, openAtBank, syncedBody, tradedLink } from "./banking-app.ts";
import type { BankingApp } from "./banking-app.ts";

export type JointHolder = {
  readonly userId: UserId;
  readonly remoteUserId: number;
  readonly remoteConnectionId: number;
  readonly remoteAccountId: number;
  readonly connectionId: ConnectionId;
  readonly accountId: string;
};

export const HOUR = 3_600_000;

/** A time as the aggregator writes it, in Paris in winter. */
export const parisText = (ms: number): string =>
  new Date(ms + HOUR).toISOString().slice(0, 19).replace("T", " ");

async function one<T>(app: BankingApp, query: string, userId: UserId): Promise<T> {
  const row = await app.binding.prepare(query).bind(userId).first<T>();
  if (row === null) throw new Error("nothing linked");
  return row;
}

/** Holders of one account, each linked an hour after the one before. */
export async function jointHolders(app: BankingApp, count: number): Promise<JointHolder[]> {
  const holders: JointHolder[] = [];
  let iban: unknown;
  for (let index = 0; index < count; index++) {
    const userId = await addUser(app.binding);
    const { remoteUserId } = await tradedLink(app, userId);
    const there = openAtBank(
      app,
      remoteUserId,
      iban === undefined ? {} : { account: { iban } },
    );
    iban ??= app.powens.state.users.get(remoteUserId)?.accounts.get(there.account)?.["iban"];
    const body = syncedBody(app, remoteUserId, there.connection, []);
    const synced = await deliver(app, "connection-synced", body);
    if (synced.status !== 200) throw new Error(`first sync answered ${synced.status}`);
    holders.push({
      userId,
      remoteUserId,
      remoteConnectionId: there.connection,
      remoteAccountId: there.account,
      connectionId: (await one<{ id: ConnectionId }>(
        app,
        "SELECT id FROM bank_connections WHERE user_id = ?",
        userId,
      )).id,
      accountId:
        (await one<{ id: string }>(app, "SELECT id FROM bank_accounts WHERE user_id = ?", userId))
          .id,
    });
    app.clock.ms += HOUR;
  }
  return holders;
}

/**
 * The bank shows a row to one holder now; the webhook brings it, and reading back finds it again.
 */
export async function shows(
  app: BankingApp,
  holder: JointHolder,
  id: number,
  change: Record<string, unknown> = {},
): Promise<void> {
  const now = parisText(app.clock.ms);
  const row = cardRow(id, holder.remoteAccountId, {
    rdate: now.slice(0, 10),
    date: now.slice(0, 10),
    date_scraped: now,
    last_update: now,
    ...change,
  });
  app.powens.state.users.get(holder.remoteUserId)?.rows.push(row);
  const body = syncedBody(app, holder.remoteUserId, holder.remoteConnectionId, [row]);
  const answer = await deliver(app, "connection-synced", body);
  if (answer.status !== 200) throw new Error(`the delivery answered ${answer.status}`);
}

/** Row ids that a holder's ledger has. */
export const recordedBy = (app: BankingApp, holder: JointHolder): string[] =>
  [...app.ledger.rows].filter(([key]) => key.startsWith(`${holder.userId}|`)).map(([, row]) =>
    row.externalId
  ).sort();

export type ShownAccount = {
  readonly id: string;
  readonly earning: boolean;
  readonly not_earning: string | null;
  readonly transfer_asked: { by: string; asked_at: string; expires_at: string } | null;
};

/** The account as its holder's list of connections shows it. */
export async function accountOf(app: BankingApp, holder: JointHolder): Promise<ShownAccount> {
  const list = await app.call("GET", "/v1/bank-connections", { as: holder.userId });
  const [account] = (list.body.data?.[0]?.["accounts"] ?? []) as ShownAccount[];
  if (account === undefined) throw new Error("no account is shown");
  return account;
}

export const noticesOf = async (app: BankingApp, holder: JointHolder): Promise<string[]> =>
  (await app.binding.prepare(
    "SELECT kind FROM user_notices WHERE user_id = ? ORDER BY created_at_ms",
  )
    .bind(holder.userId).all<{ kind: string }>()).results.map(({ kind }) => kind);
