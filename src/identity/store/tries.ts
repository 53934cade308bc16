// How often codes were tried wrongly, and whether a code may still be tried.
import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../../db/database.ts";
import { codeTries, oneTimeCodes } from "../../db/identity-tables.ts";
import {
  CODE_TTL_MS,
  SHORT_CODES_ON_THE_WAY,
  TRIES_PER_CODE,
  UNKNOWN_WRONG_TRIES_PER_DAY,
  WRONG_TRIES_PER_DAY,
  WRONG_TRIES_WINDOW_MS,
} from "../code.ts";

/** Whose code is tried, and from where; indexes under every key of the ring. */
export type Attempt = {
  readonly codeId: string;
  readonly deviceKey: string;
  /** 1 for a device that has signed in to the address before, or has a session. */
  readonly known: number;
  readonly addressIndexes: readonly string[];
  readonly networkIndexes: readonly string[];
  readonly nowMs: number;
};

/**
 * Wrong tries so far: of one code and how many it may have; within a day of the device, and of the
 * address and network by unknown devices. `oldestAtMs` is the oldest of the last two.
 */
export type Tally = {
  readonly ofCode: number;
  readonly allowedOfCode: number;
  readonly ofDevice: number;
  readonly ofAddress: number;
  readonly oldestAtMs: number | null;
};

export const NO_TRIES: Tally = {
  ofCode: 0,
  allowedOfCode: TRIES_PER_CODE,
  ofDevice: 0,
  ofAddress: 0,
  oldestAtMs: null,
};

/** At most as many rows are looked at as the limit has, however many there are. */
function unknownTriesReach(limit: number, nowMs: number): SQL {
  return sql`(SELECT count(*) FROM (SELECT 1 FROM code_tries AS t WHERE t.known = 0 AND t.at_ms > ${
    nowMs - WRONG_TRIES_WINDOW_MS
  } LIMIT ${limit})) >= ${limit}`;
}

/** True inside a statement while six digits are being guessed at in the whole service. */
function sprayed(nowMs: number): SQL {
  return unknownTriesReach(UNKNOWN_WRONG_TRIES_PER_DAY + 1, nowMs);
}

/** True inside a statement when an unknown device gets ten characters instead of six digits. */
export function longCodesNeeded(nowMs: number): SQL {
  return sql`(${sprayed(nowMs)} OR (SELECT count(*) FROM (
    SELECT 1 FROM one_time_codes AS s WHERE s.created_at_ms > ${
    nowMs - CODE_TTL_MS
  } AND s.known = 0 AND s.short = 1 AND s.used_at_ms IS NULL
    LIMIT ${SHORT_CODES_ON_THE_WAY})) >= ${SHORT_CODES_ON_THE_WAY})`;
}

/** 1 inside a statement for the try that passes the limit, once a day. */
export function raisesAlert(known: number, nowMs: number): SQL {
  const sinceMs = nowMs - WRONG_TRIES_WINDOW_MS;
  return sql`(${known} = 0 AND ${unknownTriesReach(UNKNOWN_WRONG_TRIES_PER_DAY, nowMs)}
    AND NOT EXISTS (SELECT 1 FROM code_tries AS a WHERE a.known = 0 AND a.at_ms > ${sinceMs} AND a.alerted = 1))`;
}

function ofDevice({ deviceKey, nowMs }: Attempt): SQL {
  return sql`${codeTries.deviceKey} = ${deviceKey} AND ${codeTries.atMs} > ${
    nowMs - WRONG_TRIES_WINDOW_MS
  }`;
}

function ofAddress({ addressIndexes, networkIndexes, nowMs }: Attempt): SQL {
  return sql`${codeTries.known} = 0 AND ${codeTries.addressIndex} IN ${[
    ...addressIndexes,
  ]} AND ${codeTries.networkIndex} IN ${[...networkIndexes]} AND ${codeTries.atMs} > ${
    nowMs - WRONG_TRIES_WINDOW_MS
  }`;
}

/**
 * How many wrong tries a code may have. A short one that was on its way when the guessing was
 * noticed has one: whoever reads it in their mail needs no more, and the guesses stay bounded.
 */
function allowed(known: number, short: SQL, nowMs: number): SQL {
  return sql`CASE WHEN ${known} = 0 AND ${short} = 1 AND ${
    sprayed(nowMs)
  } THEN 1 ELSE ${TRIES_PER_CODE} END`;
}

/**
 * True inside a statement when this code may still be tried: live, the newest of its device, not
 * superseded, and within the limits. What strangers tried counts for strangers only.
 */
export function triable(attempt: Attempt): SQL {
  const { codeId, known, nowMs } = attempt;
  const strangers = known === 1
    ? sql`1`
    : sql`(SELECT count(*) FROM ${codeTries} WHERE ${ofAddress(attempt)}) < ${WRONG_TRIES_PER_DAY}`;
  return sql`EXISTS (
    SELECT 1 FROM one_time_codes AS c WHERE c.id = ${codeId} AND c.used_at_ms IS NULL AND c.expires_at_ms > ${nowMs} AND c.superseded = 0
      AND NOT EXISTS (SELECT 1 FROM one_time_codes AS n WHERE n.device_key = c.device_key AND n.purpose = c.purpose AND n.sequence > c.sequence)
      AND (SELECT count(*) FROM ${codeTries} WHERE ${codeTries.codeId} = ${codeId}) < ${
    allowed(known, sql`c.short`, nowMs)
  })
    AND (SELECT count(*) FROM ${codeTries} WHERE ${ofDevice(attempt)}) < ${WRONG_TRIES_PER_DAY}
    AND ${strangers}`;
}

export function tallyQuery(db: Database, attempt: Attempt) {
  const { codeId, deviceKey, known, addressIndexes, nowMs } = attempt;
  const counted = sql`((${ofDevice(attempt)}) OR (${known} = 0 AND ${ofAddress(attempt)}))`;
  return db.select({
    ofCode: sql<number>`coalesce(sum(${codeTries.codeId} = ${codeId}), 0)`.as("of_code"),
    allowedOfCode: sql<number>`(SELECT ${
      allowed(
        known,
        sql`(SELECT ${oneTimeCodes.short} FROM ${oneTimeCodes} WHERE ${oneTimeCodes.id} = ${codeId})`,
        nowMs,
      )
    })`.as("allowed_of_code"),
    ofDevice: sql<number>`coalesce(sum(${ofDevice(attempt)}), 0)`.as("of_device"),
    ofAddress: sql<number>`coalesce(sum(${known} = 0 AND ${ofAddress(attempt)}), 0)`.as(
      "of_address",
    ),
    oldestAtMs: sql<number | null>`min(CASE WHEN ${counted} THEN ${codeTries.atMs} END)`.as(
      "oldest_at_ms",
    ),
  }).from(codeTries).where(
    sql`${codeTries.codeId} = ${codeId} OR ${codeTries.deviceKey} = ${deviceKey} OR ${codeTries.addressIndex} IN ${[
      ...addressIndexes,
    ]}`,
  );
}
