// Signing in: one transaction that uses the code, creates the user and opens the session.
import { and, eq, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { authCodes, sessions, users } from "../../db/identity-tables.ts";
import type { SessionId, UserId } from "../../kernel/ids.ts";
import { REFRESH_TTL_MS } from "../refresh-token.ts";
import type { UserRow } from "./rows.ts";
import { NO_TRIES, tallyQuery, triable } from "./tries.ts";
import type { Tally } from "./tries.ts";

type NewSession = {
  readonly id: SessionId;
  readonly currentHash: string;
  readonly deviceNameCipher: string | null;
  readonly authTimeS: number;
  readonly amr: readonly string[];
};

export type SignInWrite = {
  readonly codeId: string;
  /** The address under every key of the index ring, active first. */
  readonly indexes: readonly [string, ...string[]];
  readonly userId: UserId;
  /** The row to insert when the address has no user yet; null when `userId` exists. */
  readonly newUser: UserRow | null;
  readonly session: NewSession;
  readonly nowMs: number;
};

/**
 * Uses the code, creates the user when the address has none, and opens the session: all or
 * nothing. `used` is false when the code was not (any more) good or the address got another
 * owner meanwhile; `opened` is false for a user who may not sign in.
 */
export async function signIn(
  db: Database,
  write: SignInWrite,
): Promise<{ readonly used: boolean; readonly opened: boolean; readonly tally: Tally }> {
  const { codeId, indexes, userId, nowMs, session } = write;
  const expectedOwner = write.newUser === null ? userId : null;
  const usedHere =
    sql`EXISTS (SELECT 1 FROM auth_codes AS c WHERE c.id = ${codeId} AND c.used_by = ${session.id})`;
  const [used, , , opened, [tally]] = await guarded(() =>
    db.batch([
      db.update(authCodes).set({ usedAtMs: nowMs, usedBy: session.id }).where(and(
        eq(authCodes.id, codeId),
        triable(codeId, indexes, nowMs),
        sql`(SELECT u.id FROM users AS u WHERE u.email_index IN ${[
          ...indexes,
        ]}) IS ${expectedOwner}`,
      )).returning({ id: authCodes.id }),
      insertUser(db, write.newUser, usedHere),
      // The address moves to the active index key when its owner proves it, so that an old key
      // can leave the ring one day.
      db.update(users).set({ emailIndex: indexes[0] }).where(
        and(eq(users.id, userId), ne(users.emailIndex, indexes[0]), usedHere),
      ),
      db.insert(sessions).select(
        sql`SELECT ${session.id}, u.id, 1, ${session.currentHash}, NULL, NULL, ${session.authTimeS}, ${
          JSON.stringify(session.amr)
        }, ${session.deviceNameCipher},
      ${nowMs}, ${nowMs}, ${
          nowMs + REFRESH_TTL_MS
        }, NULL, NULL, NULL FROM users AS u WHERE u.id = ${userId} AND u.state = 'active' AND ${usedHere}`,
      ).returning({ id: sessions.id }),
      tallyQuery(db, codeId, indexes, nowMs),
    ])
  );
  return { used: used.length === 1, opened: opened.length === 1, tally: tally ?? NO_TRIES };
}

function insertUser(db: Database, user: UserRow | null, condition: SQL) {
  const row = user ??
    {
      id: "",
      emailIndex: "",
      emailCipher: "",
      dataKey: "",
      locale: "fr",
      state: "active",
      referralCodeGiven: null,
      createdAtMs: 0,
    };
  return db.insert(users).select(
    sql`SELECT ${row.id}, ${row.emailIndex}, ${row.emailCipher}, NULL, NULL, NULL, NULL, ${row.dataKey}, ${row.locale}, ${row.state}, ${row.referralCodeGiven}, ${row.createdAtMs}
    WHERE ${user === null ? sql`0` : condition}`,
  ).onConflictDoNothing();
}
