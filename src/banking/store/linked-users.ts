// The reads: what we know of one user at one aggregator, or of all of a user's banks, in one
// statement each.
import { sql } from "drizzle-orm";
import { heldForAge } from "../../db/age-review-tables.ts";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import type { UserId } from "../../kernel/ids.ts";
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
  'reads', json_object('fullRead', b.full_read, 'changesReadAtMs', b.changes_read_at_ms, 'changesDueAtMs', b.changes_due_at_ms),
  'gaps', json((SELECT json_group_array(json_object('fromMs', g.from_ms, 'toMs', g.to_ms, 'recovered', g.recovered_at_ms)) FROM bank_gaps g WHERE g.connection_id = b.id))))`,
);
const identityJson =
  `json_object('fingerprint', a.fingerprint, 'strength', a.strength, 'family', a.family, 'weakKey', a.weak_key, 'ownIban', a.own_iban,
  'nameTag', a.name_tag, 'parentRemoteId', a.parent_remote_account_id, 'earlierKeys', json(a.earlier_keys))`;
const earningJson = sql`json_object('earning', a.earning, 'offByChoice', a.off_by_choice,
  'heldForAge', ${heldForAge("a.user_id")}, 'takenRows', json(COALESCE(a.taken_rows, '[]')),
  'transfer', (SELECT json_object('by', CASE WHEN t.user_id = a.user_id THEN 'you' ELSE 'other' END, 'askedAtMs', t.asked_at_ms, 'expiresAtMs', t.expires_at_ms)
    FROM earning_transfers t WHERE t.fingerprint = ${
  sharedBy("a")
} AND t.state = 'asked' AND (t.user_id = a.user_id OR a.earning = 1)))`;
const accountJson =
  sql`json_group_array(json_object('id', a.id, 'connectionId', a.connection_id, 'remoteId', a.remote_account_id, 'kind', a.kind, 'currency', a.currency,
  'ordinal', a.ordinal, 'linkedAtMs', a.linked_at_ms, 'seenFromMs', a.seen_from_ms, 'state', a.state, 'createdAtMs', a.created_at_ms,
  'goneAtMs', a.gone_at_ms, 'identity', ${sql.raw(identityJson)}, 'earning', ${earningJson}))`;

type LinkedUserRow = {
  aggregator: AggregatorName;
  link_id: string;
  link_state: LinkedUser["linkState"];
  tries: number;
  token_cipher: string | null;
  user_id: UserId;
  user_state: string;
  data_key: string;
  bank_data_since_ms: number | null;
  catalogue_version: number | null;
  connections: string;
  accounts: string;
};

// One statement. Consent counts from the first grant that no withdrawal followed. Ended links are
// found too: their messages are known to be late, not strange.
function linkedUserQuery(condition: ReturnType<typeof sql>) {
  return sql`SELECT l.aggregator, l.id AS link_id, l.state AS link_state, l.tries, l.token_cipher, l.user_id, u.state AS user_state, u.data_key,
    (SELECT MIN(c.at_ms) FROM consents c WHERE c.user_id = l.user_id AND c.purpose = 'bank_data' AND c.granted = 1 AND c.sequence >
      COALESCE((SELECT MAX(w.sequence) FROM consents w WHERE w.user_id = l.user_id AND w.purpose = 'bank_data' AND w.granted = 0), 0)) AS bank_data_since_ms,
    (SELECT version FROM catalogue_state WHERE id = 1) AS catalogue_version,
    (SELECT ${connectionJson}
      FROM bank_connections b WHERE b.link_id = l.id) AS connections,
    (SELECT ${accountJson}
      FROM bank_accounts a WHERE a.user_id = l.user_id) AS accounts
    FROM aggregator_links l JOIN users u ON u.id = l.user_id WHERE ${condition}`;
}

type RawIdentity = Omit<StoredIdentity, "earlierKeys"> & {
  readonly earlierKeys: readonly string[] | null;
};
type RawEarning =
  & Pick<LinkedAccount, "takenRows" | "transfer">
  & Readonly<Record<"earning" | "offByChoice" | "heldForAge", number>>;

function toConnections(connectionsJson: string, accountsJson: string): LinkedConnection[] {
  type Raw<T, K extends keyof T> = Omit<T, K> & Readonly<Record<K, number>>;
  type RawAccount = Omit<LinkedAccount, keyof RawIdentity | keyof RawEarning> & {
    readonly identity: RawIdentity & {
      readonly family: string | null;
      readonly weakKey: string | null;
    };
    readonly earning: RawEarning;
  };
  const known = (JSON.parse(accountsJson) as RawAccount[]).map((
    { identity: { family, weakKey, ...identity }, earning, ...account },
  ): LinkedAccount => ({
    ...account,
    ...identity,
    ...earning,
    earning: earning.earning === 1,
    offByChoice: earning.offByChoice === 1,
    heldForAge: earning.heldForAge === 1,
    // Not seen since fingerprints are made without the name.
    earlierKeys: identity.earlierKeys ??
      [family, identity.fingerprint, weakKey].filter((key) => key !== null),
  }));
  type Reads = Pick<LinkedConnection, "fullRead" | "changesReadAtMs" | "changesDueAtMs">;
  type RawConnection =
    & Raw<
      Omit<LinkedConnection, "accounts" | "gaps" | keyof Reads>,
      "goneRemotely"
    >
    & {
      readonly reads: Reads;
      readonly gaps: readonly {
        readonly fromMs: number;
        readonly toMs: number | null;
        readonly recovered: number | null;
      }[];
    };
  return (JSON.parse(connectionsJson) as RawConnection[]).map(({ reads, ...connection }) => ({
    ...connection,
    ...reads,
    goneRemotely: connection.goneRemotely === 1,
    gaps: connection.gaps.map((gap): Gap => ({ ...gap, recovered: gap.recovered !== null })).sort((
      a,
      b,
    ) => a.fromMs - b.fromMs),
    accounts: known.filter((account) => account.connectionId === connection.id).sort((a, b) =>
      a.ordinal - b.ordinal || a.createdAtMs - b.createdAtMs
    ),
  }));
}

/** Reads of links with all that hangs on them. */
export function linkedUserReads(db: Database) {
  async function linkedUser(condition: ReturnType<typeof sql>): Promise<LinkedUser | null> {
    const [row] = await guarded(() => db.all<LinkedUserRow>(linkedUserQuery(condition)));
    if (row === undefined) return null;
    return {
      aggregator: row.aggregator,
      linkId: row.link_id,
      linkState: row.link_state,
      linkTries: row.tries,
      tokenCipher: row.token_cipher,
      userId: row.user_id,
      userActive: row.user_state === "active",
      dataKey: row.data_key,
      bankDataSinceMs: row.bank_data_since_ms,
      catalogueVersion: row.catalogue_version ?? 0,
      connections: toConnections(row.connections, row.accounts),
    };
  }
  return {
    /** The one read of a webhook. */
    linkedUserByRemoteId: (aggregator: AggregatorName, remoteUserId: string) =>
      linkedUser(sql`l.aggregator = ${aggregator} AND l.remote_user_id = ${remoteUserId}`),
    linkedUserOfLink: (linkId: string) => linkedUser(sql`l.id = ${linkId}`),
    /** Everything of a user in one read, newest connection last. */
    async connectionsOf(userId: UserId): Promise<LinkedConnection[]> {
      const [row] = await guarded(() =>
        db.all<{ connections: string; accounts: string }>(sql`SELECT
        (SELECT ${connectionJson} FROM bank_connections b WHERE b.user_id = ${userId}) AS connections,
        (SELECT ${accountJson} FROM bank_accounts a WHERE a.user_id = ${userId}) AS accounts`)
      );
      return row === undefined
        ? []
        : toConnections(row.connections, row.accounts).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}
