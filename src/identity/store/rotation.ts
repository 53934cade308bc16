// Refresh token rotation.
import { and, eq, ne, sql } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { sessions } from "../../db/identity-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_SESSIONS } from "../../db/sealed-tables.ts";
import type { SessionId } from "../../kernel/ids.ts";
import { REFRESH_TTL_MS, SESSION_TTL_MAX_MS } from "../refresh-token.ts";
import { live } from "./sessions.ts";

type RotatedSession = {
  readonly userId: string;
  readonly authTimeS: number;
  readonly amr: string;
  readonly expiresAtMs: number;
  /** The hash of the presented token's successor, and the salt that it was derived with. */
  readonly successorHash: string;
  readonly successorSalt: string;
};

export type RotationWrite = {
  readonly sessionId: SessionId;
  readonly presentedHash: string;
  /** What the current token is replaced by, if it is the current one that was presented. */
  readonly newHash: string;
  readonly newSalt: string;
  readonly nowMs: number;
};

/**
 * Exchanges a refresh token's hash for its successor's. The current one rotates; the previous one
 * gets the same successor again for as long as that was not used, which includes the 60 s of
 * API.md; any other closes the session. One transaction, so of two simultaneous requests with one
 * token the first rotates and the second finds what the first wrote. A session that somebody else
 * than we wrote gives nothing.
 */
export async function rotate(
  db: Database,
  seals: RowSeals,
  write: RotationWrite,
): Promise<{ readonly rotated: RotatedSession | null; readonly reused: boolean }> {
  const { sessionId, presentedHash, newHash, newSalt, nowMs } = write;
  const mine = and(
    eq(sessions.id, sessionId),
    live(nowMs),
    sql`EXISTS (SELECT 1 FROM users AS u WHERE u.id = ${sessions.userId} AND u.state = 'active')`,
  );
  const answerable = and(eq(sessions.previousHash, presentedHash), sql`successor_salt IS NOT NULL`);
  const [, , [found], [after]] = await guarded(() =>
    db.batch([
      db.update(sessions).set({
        generation: sql`${sessions.generation} + 1`,
        previousHash: sql`${sessions.currentHash}`,
        currentHash: newHash,
        successorSalt: newSalt,
        rotatedAtMs: nowMs,
        lastUsedAtMs: nowMs,
        expiresAtMs: sql`min(${
          nowMs + REFRESH_TTL_MS
        }, ${sessions.createdAtMs} + ${SESSION_TTL_MAX_MS})`,
      }).where(and(mine, eq(sessions.currentHash, presentedHash))),
      db.update(sessions).set({ endedAtMs: nowMs, endReason: "refresh_reused" }).where(
        and(mine, ne(sessions.currentHash, presentedHash), sql`(${answerable}) IS NOT TRUE`),
      ),
      db.select().from(sessions).where(and(mine, answerable)),
      db.select({ endReason: sessions.endReason }).from(sessions).where(
        eq(sessions.id, sessionId),
      ),
    ])
  );
  const rotated = found !== undefined && found.successorSalt !== null &&
      seals.holds(SEALED_SESSIONS, found)
    ? { ...found, successorHash: found.currentHash, successorSalt: found.successorSalt }
    : null;
  return { rotated, reused: after?.endReason === "refresh_reused" };
}
