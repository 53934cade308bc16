// The accounts that a delivery describes. An account may turn out to be another listing of one we
// know: its rows are then compared with those of the listings it joins.
import type { AccountId } from "../../kernel/ids.ts";
import type { AccountGeneration, RecordBatch } from "../ports.ts";
import { integerOf, textOf } from "../book/sql.ts";
import type { SqlRow } from "../book/sql.ts";
import type { Call } from "../book/call.ts";

/** One account id of an aggregator. Accounts of one fingerprint are one account of a bank. */
export type Account = {
  readonly accountNo: number;
  readonly fingerprint: string;
  readonly strength: string;
  readonly createdAtMs: number;
};

export type BatchAccounts = {
  /** All accounts of the user, not only those of the batch. */
  readonly accounts: ReadonlyMap<AccountId, Account>;
  /** Fingerprints that an account joined or left in this call. */
  readonly joined: ReadonlySet<string>;
};

/** Stores the accounts of the batch that are new or described differently. */
export function saveAccounts(call: Call, batch: RecordBatch): BatchAccounts {
  const joined = new Set<string>();
  const stored = new Map(
    call.sql.exec(
      "SELECT account_no, account_id, connection_id, fingerprint, strength, family, created_at_ms FROM accounts ORDER BY account_no",
    ).map((row) => [textOf(row, "account_id"), row] as const),
  );
  for (const account of batch.accounts) {
    const row = stored.get(account.accountId);
    const moved = row !== undefined && row["fingerprint"] !== account.fingerprint;
    // Another family has other purchases that a refund may be of.
    const adopted = row !== undefined && row["family"] !== (account.family ?? null);
    if (row === undefined || moved || adopted) joined.add(account.fingerprint);
    if (moved) joined.add(textOf(row, "fingerprint"));
    saveAccount(call, row, account);
  }
  return { accounts: readAccounts(call), joined };
}

function saveAccount(call: Call, stored: SqlRow | undefined, account: AccountGeneration): void {
  if (stored === undefined) {
    call.sql.exec(
      "INSERT INTO accounts (account_id, connection_id, fingerprint, strength, family, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
      account.accountId,
      account.connectionId,
      account.fingerprint,
      account.strength,
      account.family ?? null,
      account.createdAtMs,
    );
  } else if (
    stored["fingerprint"] !== account.fingerprint || stored["strength"] !== account.strength ||
    stored["connection_id"] !== account.connectionId ||
    stored["family"] !== (account.family ?? null)
  ) {
    call.sql.exec(
      "UPDATE accounts SET connection_id = ?, fingerprint = ?, strength = ?, family = ? WHERE account_id = ?",
      account.connectionId,
      account.fingerprint,
      account.strength,
      account.family ?? null,
      account.accountId,
    );
  }
}

/** All accounts of the user as they are stored. */
export function readAccounts(call: Call): Map<AccountId, Account> {
  return new Map(
    call.sql.exec(
      "SELECT account_no, account_id, fingerprint, strength, created_at_ms FROM accounts ORDER BY account_no",
    ).map((row) =>
      [
        textOf(row, "account_id") as AccountId,
        {
          accountNo: integerOf(row, "account_no"),
          fingerprint: textOf(row, "fingerprint"),
          strength: textOf(row, "strength"),
          createdAtMs: integerOf(row, "created_at_ms"),
        },
      ] as const
    ),
  );
}

/** Notes when a connection was last synced; an older time changes nothing. */
export function saveSync(call: Call, connectionId: string, syncedAtMs: number): void {
  call.sql.exec(
    `INSERT INTO connections (connection_id, last_synced_at_ms) VALUES (?1, ?2)
     ON CONFLICT (connection_id) DO UPDATE SET last_synced_at_ms = ?2 WHERE last_synced_at_ms < ?2`,
    connectionId,
    syncedAtMs,
  );
}
