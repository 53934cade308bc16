// SQL about the holders of one bank account: which accounts are the same for earning, and who
// earns. The only place that knows by which column holders are found (the migration's triggers
// aside).
import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";

/** The account within which one user earns; `alias` is a row of `bank_accounts`. */
export function sharedBy(alias: string): SQL {
  return sql.raw(`${alias}.fingerprint`);
}

/** True while an account of another user than `userId` earns with the shared account. */
export function anotherEarns(fingerprint: SQL, userId: SQL): SQL {
  return sql`EXISTS (SELECT 1 FROM bank_accounts o JOIN bank_connections r ON r.id = o.connection_id
    WHERE ${sharedBy("o")} = ${fingerprint} AND o.user_id <> ${userId}
      AND o.earning = 1 AND o.state = 'enabled' AND r.status <> 'removed')`;
}

/** True while the account `alias` is linked and the bank shows it. */
export function isLinked(alias: string): SQL {
  return sql`(${sql.raw(alias)}.state = 'enabled' AND EXISTS (SELECT 1 FROM bank_connections k
    WHERE k.id = ${sql.raw(alias)}.connection_id AND k.status <> 'removed'))`;
}

/** What a notice says of the account `a` on the connection `b`. */
export const NOTICE_DETAILS = sql.raw("json_object('ordinal', a.ordinal, 'bank', b.bank_name)");
