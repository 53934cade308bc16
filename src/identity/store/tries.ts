// How often a code and an address were tried wrongly, and whether a code may still be tried.
import { eq, inArray, or, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../../db/database.ts";
import { authTries } from "../../db/identity-tables.ts";
import { TRIES_PER_CODE, WRONG_TRIES_PER_ADDRESS, WRONG_TRIES_WINDOW_MS } from "../code.ts";

/**
 * Wrong tries so far: of one code, and of the address within a day with the time of the oldest that
 * counts.
 */
export type Tally = {
  readonly ofCode: number;
  readonly ofAddress: number;
  readonly oldestAtMs: number | null;
};

export const NO_TRIES: Tally = { ofCode: 0, ofAddress: 0, oldestAtMs: null };

function ofAddress(indexes: readonly string[], nowMs: number): SQL {
  return sql`${authTries.addressIndex} IN ${[...indexes]} AND ${authTries.atMs} > ${
    nowMs - WRONG_TRIES_WINDOW_MS
  }`;
}

/**
 * True inside a statement when this code may still be tried: live, the newest of its kind, and
 * within both limits.
 */
export function triable(codeId: string, indexes: readonly string[], nowMs: number): SQL {
  return sql`EXISTS (
    SELECT 1 FROM auth_codes AS c WHERE c.id = ${codeId} AND c.used_at_ms IS NULL AND c.expires_at_ms > ${nowMs}
      AND NOT EXISTS (SELECT 1 FROM auth_codes AS n WHERE n.address_index IN ${[
    ...indexes,
  ]} AND n.purpose = c.purpose AND n.sequence > c.sequence))
    AND (SELECT count(*) FROM ${authTries} WHERE ${authTries.codeId} = ${codeId}) < ${TRIES_PER_CODE}
    AND (SELECT count(*) FROM ${authTries} WHERE ${
    ofAddress(indexes, nowMs)
  }) < ${WRONG_TRIES_PER_ADDRESS}`;
}

export function tallyQuery(
  db: Database,
  codeId: string,
  indexes: readonly string[],
  nowMs: number,
) {
  return db.select({
    ofCode: sql<number>`coalesce(sum(${authTries.codeId} = ${codeId}), 0)`.as("of_code"),
    ofAddress: sql<number>`coalesce(sum(${ofAddress(indexes, nowMs)}), 0)`.as("of_address"),
    oldestAtMs: sql<number | null>`min(CASE WHEN ${
      ofAddress(indexes, nowMs)
    } THEN ${authTries.atMs} END)`.as("oldest_at_ms"),
  }).from(authTries).where(
    or(eq(authTries.codeId, codeId), inArray(authTries.addressIndex, [...indexes])),
  );
}
