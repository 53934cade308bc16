// One-time codes and the wrong tries of them.
import { and, desc, eq, gt, inArray, isNull, min, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { codeTries, oneTimeCodes, users } from "../../db/identity-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_USERS } from "../../db/sealed-tables.ts";
import {
  CODES_PER_HOUR,
  CODES_PER_NETWORK_RESERVED,
  CODES_PER_WIDE_NETWORK,
  CODES_WINDOW_MS,
} from "../code.ts";
import type { CodePurpose } from "../code.ts";
import type { CodeRow, UserRow } from "./rows.ts";
import { longCodesNeeded, NO_TRIES, raisesAlert, tallyQuery, triable } from "./tries.ts";
import type { Attempt, Tally } from "./tries.ts";

type NewCode =
  & Pick<
    CodeRow,
    | "id"
    | "purpose"
    | "addressIndex"
    | "deviceKey"
    | "networkIndex"
    | "wideNetworkIndex"
    | "createdAtMs"
    | "expiresAtMs"
  >
  & { readonly tags: { readonly short: string; readonly long: string } };

/** Where a code is asked from and for whom, under every key of the ring. */
type CodeIndexes = {
  readonly address: readonly string[];
  readonly network: readonly string[];
  readonly wideNetwork: readonly string[];
};

export type AddedCode =
  | { readonly added: true; readonly known: boolean; readonly short: boolean }
  | { readonly added: false; readonly limit: "codes" | "network"; readonly oldestAtMs: number };

/** Conditions on `one_time_codes` for the codes that count against a new one. */
function counted(code: NewCode, indexes: CodeIndexes) {
  const recent = gt(oneTimeCodes.createdAtMs, code.createdAtMs - CODES_WINDOW_MS);
  const ofUnknown = and(eq(oneTimeCodes.known, 0), recent);
  return {
    ofDevice: and(
      eq(oneTimeCodes.deviceKey, code.deviceKey),
      eq(oneTimeCodes.purpose, code.purpose),
      recent,
    ),
    ofAddress: and(
      inArray(oneTimeCodes.addressIndex, [...indexes.address]),
      inArray(oneTimeCodes.networkIndex, [...indexes.network]),
      ofUnknown,
    ),
    ofNetwork: and(inArray(oneTimeCodes.networkIndex, [...indexes.network]), ofUnknown),
    ofWideNetwork: and(inArray(oneTimeCodes.wideNetworkIndex, [...indexes.wideNetwork]), ofUnknown),
  };
}

function countBelow(condition: SQL | undefined, limit: number): SQL {
  return sql`(SELECT count(*) FROM ${oneTimeCodes} WHERE ${condition}) < ${limit}`;
}

/** 1 inside a statement for a device that has signed in to this address, or has a session. */
function knownDevice(code: NewCode): SQL {
  return code.purpose === "sign_in"
    ? sql`EXISTS (SELECT 1 FROM known_devices AS d WHERE d.device_key = ${code.deviceKey})`
    : sql`1`;
}

/**
 * Keeps a code unless its device, or the unknown devices of its address and network, had their
 * share within the hour. Which of the two codes applies is decided by the same statement.
 */
async function addCode(db: Database, code: NewCode, indexes: CodeIndexes): Promise<AddedCode> {
  const { ofDevice, ofAddress, ofNetwork, ofWideNetwork } = counted(code, indexes);
  const [added, [before]] = await guarded(() =>
    db.batch([
      db.insert(oneTimeCodes).select(
        sql`SELECT NULL, ${code.id}, ${code.purpose}, ${code.addressIndex}, ${code.deviceKey}, ${code.networkIndex}, ${code.wideNetworkIndex},
        x.known, x.known OR NOT x.long, CASE WHEN x.known OR NOT x.long THEN ${code.tags.short} ELSE ${code.tags.long} END,
        ${code.createdAtMs}, ${code.expiresAtMs}, NULL, NULL, 0
      FROM (SELECT ${knownDevice(code)} AS known, ${longCodesNeeded(code.createdAtMs)} AS long) AS x
      WHERE CASE WHEN x.known THEN ${countBelow(ofDevice, CODES_PER_HOUR)} ELSE ${
          countBelow(ofAddress, CODES_PER_HOUR)
        } AND (${countBelow(ofWideNetwork, CODES_PER_WIDE_NETWORK)} OR ${
          countBelow(ofNetwork, CODES_PER_NETWORK_RESERVED)
        }) END`,
      ).returning({ known: oneTimeCodes.known, short: oneTimeCodes.short }),
      db.select({
        known: sql<number>`${knownDevice(code)}`.as("is_known"),
        ofAddress: sql<number>`(SELECT count(*) FROM ${oneTimeCodes} WHERE ${ofAddress})`.as(
          "of_address",
        ),
        deviceAtMs: sql<
          number | null
        >`(SELECT ${min(oneTimeCodes.createdAtMs)} FROM ${oneTimeCodes} WHERE ${ofDevice})`.as(
          "device_at_ms",
        ),
        addressAtMs: sql<
          number | null
        >`(SELECT ${min(oneTimeCodes.createdAtMs)} FROM ${oneTimeCodes} WHERE ${ofAddress})`.as(
          "address_at_ms",
        ),
        networkAtMs: sql<
          number | null
        >`(SELECT ${min(oneTimeCodes.createdAtMs)} FROM ${oneTimeCodes} WHERE ${ofNetwork})`.as(
          "network_at_ms",
        ),
      }).from(sql`(SELECT 1)`),
    ])
  );
  const [row] = added;
  if (row !== undefined) return { added: true, known: row.known === 1, short: row.short === 1 };
  const own = before?.known === 1;
  const ofNetworkOnly = !own && (before?.ofAddress ?? 0) < CODES_PER_HOUR;
  return {
    added: false,
    limit: ofNetworkOnly ? "network" : "codes",
    oldestAtMs:
      (own ? before.deviceAtMs : ofNetworkOnly ? before?.networkAtMs : before?.addressAtMs) ??
        code.createdAtMs,
  };
}

export function codeStore(db: Database, seals: RowSeals) {
  return {
    addCode: (code: NewCode, indexes: CodeIndexes) => addCode(db, code, indexes),

    /**
     * Takes back a code that could not be sent: it does not count, and the one before it is
     * valid again.
     */
    async removeCode(id: string): Promise<void> {
      await db.delete(oneTimeCodes).where(
        and(eq(oneTimeCodes.id, id), isNull(oneTimeCodes.usedAtMs)),
      );
    },

    /**
     * The newest code of a device and purpose, whatever became of it, and the user of the address;
     * `unusable` when somebody else than we wrote that user's row. One round trip.
     */
    async findCode(
      purpose: CodePurpose,
      deviceKey: string,
      addressIndexes: readonly string[],
    ): Promise<{
      readonly code: CodeRow | null;
      readonly user: UserRow | "unusable" | null;
    }> {
      const [codes, found] = await guarded(() =>
        db.batch([
          db.select().from(oneTimeCodes).where(
            and(eq(oneTimeCodes.deviceKey, deviceKey), eq(oneTimeCodes.purpose, purpose)),
          ).orderBy(desc(oneTimeCodes.sequence)).limit(1),
          db.select().from(users).where(inArray(users.emailIndex, [...addressIndexes])).limit(1),
        ])
      );
      const [user] = found;
      return {
        code: codes[0] ?? null,
        user: user === undefined ? null : seals.holds(SEALED_USERS, user) ? user : "unusable",
      };
    },

    /**
     * Counts a wrong try of a code that could still have been right. `counted` is false when there
     * was nothing to guess any more; `alerted` is true for the one try a day with which those of
     * unknown devices pass their limit.
     */
    async addWrongTry(
      attempt: Attempt,
      indexes: { readonly address: string; readonly network: string },
    ): Promise<{ readonly counted: boolean; readonly alerted: boolean; readonly tally: Tally }> {
      const { codeId, deviceKey, known, nowMs } = attempt;
      const [[added], [tally]] = await guarded(() =>
        db.batch([
          db.insert(codeTries).select(
            sql`SELECT NULL, ${codeId}, ${deviceKey}, ${indexes.address}, ${indexes.network}, ${known}, ${
              raisesAlert(known, nowMs)
            }, ${nowMs} WHERE ${triable(attempt)}`,
          ).returning({ alerted: codeTries.alerted }),
          tallyQuery(db, attempt),
        ])
      );
      return {
        counted: added !== undefined,
        alerted: added?.alerted === 1,
        tally: tally ?? NO_TRIES,
      };
    },
  };
}
