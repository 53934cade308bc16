// Refresh token rotation.
import { and, eq, gte, ne, sql } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { sessions } from "../../db/identity-tables.ts";
import type { SessionId } from "../../kernel/ids.ts";
import { REFRESH_GRACE_MS, REFRESH_TTL_MS, SESSION_TTL_MAX_MS } from "../refresh-token.ts";
import { live } from "./sessions.ts";

type RotatedSession = {
  readonly userId: string;
  readonly authTimeS: number;
  readonly amr: string;
  readonly expiresAtMs: number;
};

export type RotationWrite = {
  readonly sessionId: SessionId;
  readonly presentedHash: string;
  readonly newHash: string;
  readonly nowMs: number;
};

/**
 * Exchanges a refresh token's hash for a new one. The current one rotates; the previous one,
 * within the grace and while its successor is unused, replaces that successor; any other closes
 * the session. One transaction, so of two simultaneous requests with one token the first
 * rotates and the second takes the grace.
 */
export async function rotate(
  db: Database,
  write: RotationWrite,
): Promise<{ readonly rotated: RotatedSession | null; readonly reused: boolean }> {
  const { sessionId, presentedHash, newHash, nowMs } = write;
  const mine = and(
    eq(sessions.id, sessionId),
    live(nowMs),
    ne(sessions.currentHash, newHash),
    sql`EXISTS (SELECT 1 FROM users AS u WHERE u.id = ${sessions.userId} AND u.state = 'active')`,
  );
  const fields = {
    userId: sessions.userId,
    authTimeS: sessions.authTimeS,
    amr: sessions.amr,
    expiresAtMs: sessions.expiresAtMs,
  };
  const renewed = {
    generation: sql`${sessions.generation} + 1`,
    currentHash: newHash,
    lastUsedAtMs: nowMs,
    expiresAtMs: sql`min(${
      nowMs + REFRESH_TTL_MS
    }, ${sessions.createdAtMs} + ${SESSION_TTL_MAX_MS})`,
  };
  const [current, grace, , [after]] = await guarded(() =>
    db.batch([
      db.update(sessions).set({
        ...renewed,
        previousHash: sql`${sessions.currentHash}`,
        rotatedAtMs: nowMs,
      }).where(and(mine, eq(sessions.currentHash, presentedHash))).returning(fields),
      // The time of rotation stays: asking again does not extend the grace.
      db.update(sessions).set(renewed).where(
        and(
          mine,
          eq(sessions.previousHash, presentedHash),
          gte(sessions.rotatedAtMs, nowMs - REFRESH_GRACE_MS),
        ),
      ).returning(fields),
      db.update(sessions).set({ endedAtMs: nowMs, endReason: "refresh_reused" }).where(
        and(mine, ne(sessions.currentHash, presentedHash)),
      ),
      db.select({ endReason: sessions.endReason }).from(sessions).where(
        eq(sessions.id, sessionId),
      ),
    ])
  );
  return {
    rotated: current[0] ?? grace[0] ?? null,
    reused: after?.endReason === "refresh_reused",
  };
}
