// The reads: what we know of one user at one aggregator, or of all of a user's banks, in one
// statement each.
import { sql } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { heldForAge, openAgeReviewOf } from "../../db/held-for-age.ts";
import type { OpenAgeReview } from "../../db/held-for-age.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import {
  SEALED_ACCOUNTS,
  SEALED_CONNECTIONS,
  SEALED_CONSENTS,
  SEALED_LINKS,
} from "../../db/sealed-tables.ts";
import type { ConsentPurpose } from "../../identity/ports.ts";
import type { UserId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type {
  Gap,
  LinkedAccount,
  LinkedConnection,
  LinkedUser,
  StoredIdentity,
} from "../connections/index.ts";
import type { AggregatorName } from "../ports.ts";
import { sharedBy } from "./shared-account.ts";

// Members in groups: an SQL function of D1 takes 32 arguments, while the local one takes more.
const connectionJson = sql.raw(
  `json_group_array(json_object('id', b.id, 'remoteId', b.remote_connection_id, 'bankId', b.bank_id, 'bankName', b.bank_name, 'status', b.status,
  'action', b.action, 'consentGrantedAtMs', b.consent_granted_at_ms, 'consentExpiresAtMs', b.consent_expires_at_ms,
  'repairReason', b.repair_reason, 'repairSinceMs', b.repair_since_ms, 'tries', b.tries, 'goneRemotely', b.gone_remotely, 'updatedAtMs', b.updated_at_ms,
  'reads', json_object('fullRead', b.full_read, 'changesReadAtMs', b.changes_read_at_ms, 'changesDueAtMs', b.changes_due_at_ms, 'renewalOfferedAtMs', b.renewal_offered_at_ms),
  'row', json_object('userId', b.user_id, 'linkId', b.link_id, 'aggregator', b.aggregator, 'createdAtMs', b.created_at_ms, 'seal', b.seal),
  'gaps', json((SELECT json_group_array(json_object('fromMs', g.from_ms, 'toMs', g.to_ms, 'recovered', g.recovered_at_ms)) FROM bank_gaps g WHERE g.connection_id = b.id))))`,
);
const identityJson =
  `json_object('fingerprint', a.fingerprint, 'strength', a.strength, 'family', a.family, 'weakKey', a.weak_key, 'ownIban', a.own_iban,
  'nameTag', a.name_tag, 'parentRemoteId', a.parent_remote_account_id, 'earlierKeys', json(a.earlier_keys))`;
const earningJson = sql`json_object('earning', a.earning, 'offByChoice', a.off_by_choice,
  'ageReview', ${openAgeReviewOf("a.user_id")}, 'takenRows', json(COALESCE(a.taken_rows, '[]')),
  'transfer', (SELECT json_object('by', CASE WHEN t.user_id = a.user_id THEN 'you' ELSE 'other' END, 'askedAtMs', t.asked_at_ms, 'expiresAtMs', t.expires_at_ms)
    FROM earning_transfers t WHERE t.fingerprint = ${
  sharedBy("a")
} AND t.state = 'asked' AND (t.user_id = a.user_id OR a.earning = 1)))`;
const accountJson =
  sql`json_group_array(json_object('id', a.id, 'connectionId', a.connection_id, 'remoteId', a.remote_account_id, 'kind', a.kind, 'currency', a.currency,
  'ordinal', a.ordinal, 'linkedAtMs', a.linked_at_ms, 'seenFromMs', a.seen_from_ms, 'state', a.state, 'createdAtMs', a.created_at_ms,
  'goneAtMs', a.gone_at_ms, 'identity', ${sql.raw(identityJson)}, 'earning', ${earningJson},
  'row', json_object('userId', a.user_id, 'aggregator', a.aggregator, 'seal', a.seal)))`;
const consentsJson =
  sql`(SELECT json_group_array(json_object('id', c.id, 'userId', c.user_id, 'purpose', c.purpose, 'sequence', c.sequence, 'granted', c.granted,
    'textVersion', c.text_version, 'atMs', c.at_ms, 'seal', c.seal))
  FROM consents c WHERE c.user_id = l.user_id AND c.purpose = 'bank_data' AND c.granted = 1 AND c.sequence >
    COALESCE((SELECT MAX(w.sequence) FROM consents w WHERE w.user_id = l.user_id AND w.purpose = 'bank_data' AND w.granted = 0), 0))`;

type LinkedUserRow = {
  aggregator: AggregatorName;
  link_id: string;
  link_state: LinkedUser["linkState"];
  tries: number;
  token_cipher: string | null;
  traded_token_cipher: string | null;
  attempt_at_ms: number | null;
  connections_read_at_ms: number | null;
  user_id: UserId;
  user_state: string;
  data_key: string;
  remote_user_id: string | null;
  created_at_ms: number;
  seal: string | null;
  grants: string;
  catalogue_version: number | null;
  connections: string;
  accounts: string;
};

// One statement. Consent counts from the first grant that no withdrawal followed. Ended links are
// found too: their messages are known to be late, not strange.
function linkedUserQuery(condition: ReturnType<typeof sql>) {
  return sql`SELECT l.aggregator, l.id AS link_id, l.state AS link_state, l.tries, l.token_cipher, l.traded_token_cipher, l.attempt_at_ms, l.connections_read_at_ms, l.remote_user_id, l.created_at_ms, l.seal, l.user_id, u.state AS user_state, u.data_key,
    ${consentsJson} AS grants,
    (SELECT version FROM catalogue_state WHERE id = 1) AS catalogue_version,
    (SELECT ${connectionJson}
      FROM bank_connections b WHERE b.link_id = l.id) AS connections,
    (SELECT ${accountJson}
      FROM bank_accounts a WHERE a.user_id = l.user_id) AS accounts
    FROM aggregator_links l JOIN users u ON u.id = l.user_id WHERE ${condition}`;
}

type Raw<T, K extends keyof T> = Omit<T, K> & Readonly<Record<K, number>>;
type RawIdentity = Omit<StoredIdentity, "earlierKeys"> & {
  readonly earlierKeys: readonly string[] | null;
};
type RawEarning =
  & Pick<LinkedAccount, "takenRows" | "transfer">
  & Readonly<Record<"earning" | "offByChoice", number>>
  & { readonly ageReview: OpenAgeReview | null };
/** What a seal covers and nobody else asks for, and the seal. */
type RawRow = {
  readonly userId: UserId;
  readonly aggregator: AggregatorName;
  readonly seal: string | null;
};
type RawAccount = Omit<LinkedAccount, keyof RawIdentity | keyof RawEarning | "heldForAge"> & {
  readonly identity: RawIdentity & {
    readonly family: string | null;
    readonly weakKey: string | null;
  };
  readonly earning: RawEarning;
  readonly row: RawRow;
};
type Reads = Pick<
  LinkedConnection,
  "fullRead" | "changesReadAtMs" | "changesDueAtMs" | "renewalOfferedAtMs"
>;
type RawConnection =
  & Raw<
    Omit<LinkedConnection, "accounts" | "gaps" | keyof Reads>,
    "goneRemotely"
  >
  & {
    readonly reads: Reads;
    readonly row: RawRow & { readonly linkId: string; readonly createdAtMs: number };
    readonly gaps: readonly {
      readonly fromMs: number;
      readonly toMs: number | null;
      readonly recovered: number | null;
    }[];
  };

function accountHolds(seals: RowSeals, account: RawAccount): boolean {
  const { id, createdAtMs, identity, row } = account;
  return seals.holds(SEALED_ACCOUNTS, {
    ...identity,
    ...row,
    id,
    createdAtMs,
    remoteAccountId: account.remoteId,
    parentRemoteAccountId: identity.parentRemoteId,
  });
}

function connectionHolds(seals: RowSeals, connection: RawConnection): boolean {
  const { id, remoteId, row } = connection;
  return seals.holds(SEALED_CONNECTIONS, { ...row, id, remoteConnectionId: remoteId });
}

function toAccount(seals: RowSeals, raw: RawAccount): LinkedAccount {
  const { identity: { family, weakKey, ...identity }, row: _, ...account } = raw;
  const { ageReview, ...earning } = raw.earning;
  return {
    ...account,
    ...identity,
    ...earning,
    earning: earning.earning === 1,
    offByChoice: earning.offByChoice === 1,
    heldForAge: heldForAge(seals, ageReview),
    // Not seen since fingerprints are made without the name.
    earlierKeys: identity.earlierKeys ??
      [family, identity.fingerprint, weakKey].filter((key) => key !== null),
  };
}

function toConnection(
  seals: RowSeals,
  raw: RawConnection,
  accounts: readonly RawAccount[],
): LinkedConnection {
  const { reads, row: _, ...connection } = raw;
  return {
    ...connection,
    ...reads,
    goneRemotely: connection.goneRemotely === 1,
    gaps: connection.gaps.map((gap): Gap => ({ ...gap, recovered: gap.recovered !== null })).sort((
      a,
      b,
    ) => a.fromMs - b.fromMs),
    accounts: accounts.filter((account) => account.connectionId === connection.id)
      .map((account) => toAccount(seals, account))
      .sort((a, b) => a.ordinal - b.ordinal || a.createdAtMs - b.createdAtMs),
  };
}

/** The connections with their accounts, without rows that must not be used. */
function usableConnections(
  seals: RowSeals,
  connectionsJson: string,
  accountsJson: string,
): { readonly connections: LinkedConnection[]; readonly isWhole: boolean } {
  const all = JSON.parse(connectionsJson) as RawConnection[];
  const connections = all.filter((connection) => connectionHolds(seals, connection));
  const ids = new Set(connections.map(({ id }) => id));
  const listed = (JSON.parse(accountsJson) as RawAccount[]).filter((account) =>
    ids.has(account.connectionId)
  );
  const accounts = listed.filter((account) => accountHolds(seals, account));
  return {
    connections: connections.map((connection) => toConnection(seals, connection, accounts)),
    isWhole: connections.length === all.length && accounts.length === listed.length,
  };
}

/**
 * Since when `bank_data` is granted, by the grants that no withdrawal followed. A row that somebody
 * else wrote ends what was granted before it: it may have been the withdrawal.
 */
function grantedSinceMs(seals: RowSeals, grantsJson: string): number | null {
  type Grant = {
    readonly id: string;
    readonly userId: UserId;
    readonly purpose: ConsentPurpose;
    readonly sequence: number;
    readonly granted: number;
    readonly textVersion: string;
    readonly atMs: number;
    readonly seal: string | null;
  };
  const grants = (JSON.parse(grantsJson) as Grant[]).sort((a, b) => a.sequence - b.sequence);
  let sinceMs: number | null = null;
  for (const grant of grants) {
    sinceMs = seals.holds(SEALED_CONSENTS, grant)
      ? Math.min(sinceMs ?? grant.atMs, grant.atMs)
      : null;
  }
  return sinceMs;
}

/** `row_seal_broken`: somebody else than we wrote the link's row or one that hangs on it. */
type Unlinked = "unknown" | "row_seal_broken";

function toLinkedUser(seals: RowSeals, row: LinkedUserRow): Result<LinkedUser, Unlinked> {
  const { connections, isWhole } = usableConnections(seals, row.connections, row.accounts);
  const link = {
    id: row.link_id,
    userId: row.user_id,
    aggregator: row.aggregator,
    remoteUserId: row.remote_user_id,
    createdAtMs: row.created_at_ms,
    seal: row.seal,
  };
  // In part it would be worse than not at all: what is missing here would be deleted there.
  if (!seals.holds(SEALED_LINKS, link) || !isWhole) return err("row_seal_broken");
  return ok({
    aggregator: row.aggregator,
    linkId: row.link_id,
    linkState: row.link_state,
    linkTries: row.tries,
    linkCreatedAtMs: row.created_at_ms,
    tokenCipher: row.token_cipher,
    tradedTokenCipher: row.traded_token_cipher,
    attemptAtMs: row.attempt_at_ms,
    connectionsReadAtMs: row.connections_read_at_ms,
    userId: row.user_id,
    userActive: row.user_state === "active",
    dataKey: row.data_key,
    bankDataSinceMs: grantedSinceMs(seals, row.grants),
    catalogueVersion: row.catalogue_version ?? 0,
    connections,
  });
}

/** Reads of links with all that hangs on them. */
export function linkedUserReads(db: Database, seals: RowSeals) {
  async function linkedUser(
    condition: ReturnType<typeof sql>,
  ): Promise<Result<LinkedUser, Unlinked>> {
    const [row] = await guarded(() => db.all<LinkedUserRow>(linkedUserQuery(condition)));
    return row === undefined ? err("unknown") : toLinkedUser(seals, row);
  }
  return {
    /** The one read of a webhook. */
    linkedUserByRemoteId: (aggregator: AggregatorName, remoteUserId: string) =>
      linkedUser(sql`l.aggregator = ${aggregator} AND l.remote_user_id = ${remoteUserId}`),
    /** Null also for a link that must not be used. */
    async linkedUserOfLink(linkId: string): Promise<LinkedUser | null> {
      const found = await linkedUser(sql`l.id = ${linkId}`);
      return found.ok ? found.value : null;
    },
    /** Everything of a user in one read, newest connection last. */
    async connectionsOf(userId: UserId): Promise<LinkedConnection[]> {
      const [row] = await guarded(() =>
        db.all<{ connections: string; accounts: string }>(sql`SELECT
        (SELECT ${connectionJson} FROM bank_connections b WHERE b.user_id = ${userId}) AS connections,
        (SELECT ${accountJson} FROM bank_accounts a WHERE a.user_id = ${userId}) AS accounts`)
      );
      return row === undefined
        ? []
        : usableConnections(seals, row.connections, row.accounts).connections.sort((a, b) =>
          a.id < b.id ? -1 : 1
        );
    },
  };
}
