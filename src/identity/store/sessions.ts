// The sessions of a user.
import { and, desc, eq, gt, isNull, lt, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { knownDevices, sessions, users } from "../../db/identity-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_SESSIONS, SEALED_USERS } from "../../db/sealed-tables.ts";
import type { SessionId, UserId } from "../../kernel/ids.ts";
import type { SessionRow, UserRow } from "./rows.ts";

export function live(nowMs: number) {
  return and(isNull(sessions.endedAtMs), gt(sessions.expiresAtMs, nowMs));
}

/** Ends every session of a user but one, and what outside issuers issued, for `db.batch`. */
export function endSessions(
  db: Database,
  userId: UserId,
  keptId: SessionId | null,
  nowMs: number,
  when?: SQL,
) {
  return [
    db.update(sessions).set({ endedAtMs: nowMs, endReason: "signed_out" }).where(and(
      eq(sessions.userId, userId),
      isNull(sessions.endedAtMs),
      keptId === null ? undefined : ne(sessions.id, keptId),
      when,
    )),
    db.update(users).set({ sessionsEndedAtMs: nowMs }).where(and(eq(users.id, userId), when)),
  ] as const;
}

/** A user with the session that acts; without one where an outside issuer signed them in. */
export type Acting = {
  readonly userId: UserId;
  readonly sessionId: SessionId | null;
  /** When the token was issued, in seconds. */
  readonly issuedAtS: number;
};

/** True inside a statement while the user is active and the session live and theirs. */
export function actingNow(
  actor: { readonly userId: UserId; readonly sessionId: SessionId; readonly nowMs: number },
): SQL {
  return sql`EXISTS (SELECT 1 FROM sessions AS s JOIN users AS u ON u.id = s.user_id WHERE s.id = ${actor.sessionId} AND u.id = ${actor.userId}
    AND s.ended_at_ms IS NULL AND s.expires_at_ms > ${actor.nowMs} AND u.state = 'active')`;
}

function actingUsers(db: Database, seals: RowSeals) {
  return {
    /**
     * The active user's wrapped key, while the session is live and theirs; without one, while the
     * user has not ended all sessions since the token was issued.
     */
    async keyOfActing(
      { userId, sessionId, issuedAtS }: Acting,
      nowMs: number,
    ): Promise<string | null> {
      const isActive = and(eq(users.id, userId), eq(users.state, "active"));
      if (sessionId === null) {
        const [user] = await db.select({ dataKey: users.dataKey }).from(users).where(
          and(isActive, sql`coalesce(${users.sessionsEndedAtMs} / 1000, 0) < ${issuedAtS}`),
        );
        return user?.dataKey ?? null;
      }
      const [found] = await db.select({ dataKey: users.dataKey, session: sessions }).from(users)
        .innerJoin(sessions, eq(sessions.userId, users.id)).where(
          and(isActive, eq(sessions.id, sessionId), live(nowMs)),
        );
      return found !== undefined && seals.holds(SEALED_SESSIONS, found.session)
        ? found.dataKey
        : null;
    },
  };
}

export function sessionStore(db: Database, seals: RowSeals) {
  return {
    /**
     * The user and a page of their live sessions, newest first, with one row more than asked for
     * when there is another page.
     */
    async pageSessions(
      userId: UserId,
      beforeId: string | null,
      limit: number,
      nowMs: number,
    ): Promise<{ readonly user: UserRow | null; readonly rows: readonly SessionRow[] }> {
      const [found, rows] = await guarded(() =>
        db.batch([
          db.select().from(users).where(eq(users.id, userId)),
          db.select().from(sessions).where(
            and(
              eq(sessions.userId, userId),
              live(nowMs),
              beforeId === null ? undefined : lt(sessions.id, beforeId),
            ),
          ).orderBy(desc(sessions.id)).limit(limit + 1),
        ])
      );
      const [user] = found;
      return {
        user: user !== undefined && seals.holds(SEALED_USERS, user) ? user : null,
        rows,
      };
    },

    /**
     * Ends a session of this user; true also when it had ended before, false when it is not theirs.
     */
    async endSession(userId: UserId, sessionId: string, nowMs: number): Promise<boolean> {
      const own = and(eq(sessions.id, sessionId), eq(sessions.userId, userId));
      const [, found] = await guarded(() =>
        db.batch([
          db.update(sessions).set({ endedAtMs: nowMs, endReason: "signed_out" }).where(
            and(own, isNull(sessions.endedAtMs)),
          ),
          db.select({ id: sessions.id }).from(sessions).where(own),
        ])
      );
      return found.length === 1;
    },

    async endOtherSessions(
      userId: UserId,
      keptId: SessionId | null,
      nowMs: number,
    ): Promise<void> {
      await guarded(() => db.batch(endSessions(db, userId, keptId, nowMs)));
    },

    /**
     * Ends a session that its owner did not open and forgets its device; true also when it had
     * ended before, false when it is long gone.
     */
    async undoSession(sessionId: SessionId, nowMs: number): Promise<boolean> {
      const [, , found] = await guarded(() =>
        db.batch([
          db.delete(knownDevices).where(
            sql`${knownDevices.deviceKey} = (SELECT s.device_key FROM sessions AS s WHERE s.id = ${sessionId})`,
          ),
          db.update(sessions).set({ endedAtMs: nowMs, endReason: "signed_out" }).where(
            and(eq(sessions.id, sessionId), isNull(sessions.endedAtMs)),
          ),
          db.select({ id: sessions.id }).from(sessions).where(eq(sessions.id, sessionId)),
        ])
      );
      return found.length === 1;
    },

    ...actingUsers(db, seals),

    async sessionIsLive(sessionId: SessionId, nowMs: number): Promise<boolean> {
      const found = await db.select({ id: sessions.id }).from(sessions).where(
        and(eq(sessions.id, sessionId), live(nowMs)),
      );
      return found.length === 1;
    },
  };
}
