// Opening a session: the statements that every way of signing in shares.
import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../../db/database.ts";
import { sessions } from "../../db/identity-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_SESSIONS } from "../../db/sealed-tables.ts";
import { noticeStatement } from "../../db/notice-tables.ts";
import type { SessionId, UserId } from "../../kernel/ids.ts";
import type { DeviceKind } from "../device.ts";
import { REFRESH_TTL_MS } from "../refresh-token.ts";

export type NewSession = {
  readonly id: SessionId;
  readonly currentHash: string;
  readonly deviceNameCipher: string | null;
  readonly authTimeS: number;
  readonly amr: readonly string[];
};

/** Opens a session for an active user when the condition is true, for `db.batch`. */
export function openSession(
  db: Database,
  seals: RowSeals,
  userId: UserId,
  session: NewSession,
  by: { readonly deviceKey: string | null; readonly nowMs: number; readonly when: SQL },
) {
  const { deviceKey, nowMs, when } = by;
  const amr = JSON.stringify(session.amr);
  const seal = seals.of(SEALED_SESSIONS, { ...session, userId, amr, createdAtMs: nowMs });
  return db.insert(sessions).select(
    sql`SELECT ${session.id}, u.id, 1, ${session.currentHash}, NULL, NULL, ${session.authTimeS}, ${amr}, ${session.deviceNameCipher},
      ${nowMs}, ${nowMs}, ${
      nowMs + REFRESH_TTL_MS
    }, NULL, NULL, NULL, ${deviceKey}, ${seal} FROM users AS u WHERE u.id = ${userId} AND u.state = 'active' AND ${when}`,
  ).returning({ id: sessions.id });
}

/** Leaves a mail about a session that a statement before it in the batch has opened. */
export function sessionNotice(
  db: Database,
  userId: UserId,
  sessionId: SessionId,
  device: DeviceKind,
  nowMs: number,
) {
  return noticeStatement(db, {
    id: sql`${`session_opened|${sessionId}`}`,
    kind: "session_opened",
    userId: sql`${userId}`,
    details: sql`${JSON.stringify({ sessionId, device, atMs: nowMs })}`,
    from: sql`FROM sessions AS s WHERE s.id = ${sessionId}`,
  }, nowMs);
}
