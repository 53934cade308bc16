// Signing in: one transaction that uses the code, creates the user and opens the session.
import { and, eq, inArray, isNull, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { knownDevices, oneTimeCodes, sessions, users } from "../../db/identity-tables.ts";
import { noticeStatement } from "../../db/notice-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_SESSIONS, SEALED_USERS } from "../../db/sealed-tables.ts";
import type { SessionId, UserId } from "../../kernel/ids.ts";
import type { DeviceKind } from "../device.ts";
import { REFRESH_TTL_MS } from "../refresh-token.ts";
import type { NewUser, UserRow } from "./rows.ts";
import { NO_TRIES, tallyQuery, triable } from "./tries.ts";
import type { Attempt, Tally } from "./tries.ts";
import { emailIndexColumns, isStill } from "./users.ts";

type NewSession = {
  readonly id: SessionId;
  readonly currentHash: string;
  readonly deviceNameCipher: string | null;
  readonly authTimeS: number;
  readonly amr: readonly string[];
};

export type SignInWrite = {
  readonly attempt: Attempt;
  /** The address under every key of the index ring, active first. */
  readonly indexes: readonly [string, ...string[]];
  readonly userId: UserId;
  /** The row as it was read, or to be inserted when the address has no user yet. */
  readonly user:
    | { readonly is: "known"; readonly row: UserRow }
    | { readonly is: "new"; readonly row: NewUser };
  readonly session: NewSession;
  readonly device: DeviceKind;
};

/**
 * Uses the code, creates the user when the address has none, opens the session, notes its device as
 * known, ends the codes of other devices and leaves a mail to the owner: all or nothing. `used` is
 * false when the code was not (any more) good or the address got another owner meanwhile; `opened`
 * is false for a user who may not sign in.
 */
export async function signIn(
  db: Database,
  seals: RowSeals,
  write: SignInWrite,
): Promise<{ readonly used: boolean; readonly opened: boolean; readonly tally: Tally }> {
  const { attempt, indexes, userId, user, session } = write;
  const { codeId, deviceKey, nowMs } = attempt;
  const expectedOwner = user.is === "known" ? userId : null;
  const usedHere =
    sql`EXISTS (SELECT 1 FROM one_time_codes AS c WHERE c.id = ${codeId} AND c.used_by = ${session.id})`;
  const openedHere = sql`EXISTS (SELECT 1 FROM sessions AS s WHERE s.id = ${session.id})`;
  const [used, , opened, , , , [tally]] = await guarded(() =>
    db.batch([
      db.update(oneTimeCodes).set({ usedAtMs: nowMs, usedBy: session.id }).where(and(
        eq(oneTimeCodes.id, codeId),
        triable(attempt),
        sql`(SELECT u.id FROM users AS u WHERE u.email_index IN ${[
          ...indexes,
        ]}) IS ${expectedOwner}`,
      )).returning({ id: oneTimeCodes.id }),
      user.is === "new"
        ? insertUser(db, seals, user.row, usedHere)
        // The address moves to the active index key when its owner proves it, so that an old key
        // can leave the ring one day.
        : db.update(users).set(emailIndexColumns(seals, user.row, indexes[0])).where(
          and(isStill(user.row), ne(users.emailIndex, indexes[0]), usedHere),
        ),
      insertSession(db, seals, write, usedHere),
      db.update(oneTimeCodes).set({ superseded: 1 }).where(and(
        inArray(oneTimeCodes.addressIndex, [...indexes]),
        eq(oneTimeCodes.purpose, "sign_in"),
        isNull(oneTimeCodes.usedAtMs),
        openedHere,
      )),
      db.insert(knownDevices).select(
        sql`SELECT ${deviceKey}, ${userId}, ${nowMs}, ${nowMs} WHERE ${openedHere}`,
      ).onConflictDoUpdate({ target: knownDevices.deviceKey, set: { usedAtMs: nowMs } }),
      sessionNotice(db, userId, session.id, write.device, nowMs),
      tallyQuery(db, attempt),
    ])
  );
  return { used: used.length === 1, opened: opened.length === 1, tally: tally ?? NO_TRIES };
}

/** Leaves a mail about a session that a statement before it in the batch has opened. */
function sessionNotice(
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

function insertUser(db: Database, seals: RowSeals, user: NewUser, condition: SQL) {
  return db.insert(users).select(
    sql`SELECT ${user.id}, ${user.emailIndex}, ${user.emailCipher}, NULL, NULL, NULL, NULL, ${user.dataKey}, ${user.locale}, ${user.state}, ${user.referralCodeGiven}, ${user.createdAtMs},
      ${seals.of(SEALED_USERS, user)} WHERE ${condition}`,
  ).onConflictDoNothing();
}

function insertSession(db: Database, seals: RowSeals, write: SignInWrite, condition: SQL) {
  const { attempt, userId, session } = write;
  const { deviceKey, nowMs } = attempt;
  const amr = JSON.stringify(session.amr);
  const seal = seals.of(SEALED_SESSIONS, { ...session, userId, amr, createdAtMs: nowMs });
  return db.insert(sessions).select(
    sql`SELECT ${session.id}, u.id, 1, ${session.currentHash}, NULL, NULL, ${session.authTimeS}, ${amr}, ${session.deviceNameCipher},
      ${nowMs}, ${nowMs}, ${
      nowMs + REFRESH_TTL_MS
    }, NULL, NULL, NULL, ${deviceKey}, ${seal} FROM users AS u WHERE u.id = ${userId} AND u.state = 'active' AND ${condition}`,
  ).returning({ id: sessions.id });
}
