// One-time codes and the wrong tries of them.
import { and, desc, eq, gt, inArray, isNull, min, sql } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { authCodes, authTries, users } from "../../db/identity-tables.ts";
import { CODES_PER_ADDRESS, CODES_WINDOW_MS } from "../code.ts";
import type { CodePurpose } from "../code.ts";
import type { CodeRow, UserRow } from "./rows.ts";
import { NO_TRIES, tallyQuery, triable } from "./tries.ts";
import type { Tally } from "./tries.ts";

type NewCode = Pick<
  CodeRow,
  "id" | "purpose" | "addressIndex" | "sessionId" | "codeTag" | "createdAtMs" | "expiresAtMs"
>;

export function codeStore(db: Database) {
  return {
    /**
     * Keeps a code unless the address had its share within the hour; then returns when the oldest of
     * these was made.
     */
    async addCode(
      code: NewCode,
      indexes: readonly string[],
    ): Promise<{ readonly added: boolean; readonly oldestAtMs: number }> {
      const sinceMs = code.createdAtMs - CODES_WINDOW_MS;
      const recent = and(
        inArray(authCodes.addressIndex, [...indexes]),
        gt(authCodes.createdAtMs, sinceMs),
      );
      const [added, [oldest]] = await guarded(() =>
        db.batch([
          db.insert(authCodes).select(
            sql`SELECT NULL, ${code.id}, ${code.purpose}, ${code.addressIndex}, ${code.sessionId}, ${code.codeTag}, ${code.createdAtMs}, ${code.expiresAtMs}, NULL, NULL
          WHERE (SELECT count(*) FROM ${authCodes} WHERE ${recent}) < ${CODES_PER_ADDRESS}`,
          ).returning({ id: authCodes.id }),
          db.select({ atMs: min(authCodes.createdAtMs) }).from(authCodes).where(recent),
        ])
      );
      return { added: added.length === 1, oldestAtMs: oldest?.atMs ?? code.createdAtMs };
    },

    /**
     * Takes back a code that could not be sent: it does not count, and the one before it is
     * valid again.
     */
    async removeCode(id: string): Promise<void> {
      await db.delete(authCodes).where(and(eq(authCodes.id, id), isNull(authCodes.usedAtMs)));
    },

    /**
     * The newest code of an address and purpose, whatever became of it, and the user of the
     * address. One round trip.
     */
    async findCode(
      purpose: CodePurpose,
      indexes: readonly string[],
    ): Promise<{ readonly code: CodeRow | null; readonly user: UserRow | null }> {
      const [codes, found] = await guarded(() =>
        db.batch([
          db.select().from(authCodes).where(
            and(inArray(authCodes.addressIndex, [...indexes]), eq(authCodes.purpose, purpose)),
          ).orderBy(desc(authCodes.sequence)).limit(1),
          db.select().from(users).where(inArray(users.emailIndex, [...indexes])).limit(1),
        ])
      );
      return { code: codes[0] ?? null, user: found[0] ?? null };
    },

    /**
     * Counts a wrong try of a code that could still have been right. `counted` is false when there
     * was nothing to guess any more.
     */
    async addWrongTry(
      code: Pick<CodeRow, "id" | "addressIndex">,
      indexes: readonly string[],
      nowMs: number,
    ): Promise<{ readonly counted: boolean; readonly tally: Tally }> {
      const [counted, [tally]] = await guarded(() =>
        db.batch([
          db.insert(authTries).select(
            sql`SELECT NULL, ${code.id}, ${code.addressIndex}, ${nowMs} WHERE ${
              triable(code.id, indexes, nowMs)
            }`,
          ).returning({ id: authTries.id }),
          tallyQuery(db, code.id, indexes, nowMs),
        ])
      );
      return { counted: counted.length === 1, tally: tally ?? NO_TRIES };
    },

    /** The wrong tries of an address for which no code exists. */
    async tallyOf(indexes: readonly string[], nowMs: number): Promise<Tally> {
      const [tally] = await tallyQuery(db, "", indexes, nowMs);
      return tally ?? NO_TRIES;
    },
  };
}
