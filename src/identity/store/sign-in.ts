// Signing in: one transaction that uses the code, creates the user and opens the session.
import { and, eq, inArray, isNull, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { knownDevices, oneTimeCodes, users } from "../../db/identity-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_USERS } from "../../db/sealed-tables.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { DeviceKind } from "../device.ts";
import { reserved } from "./email-changes.ts";
import { openSession, sessionNotice } from "./open-session.ts";
import type { NewSession } from "./open-session.ts";
import type { NewUser, UserRow } from "./rows.ts";
import { NO_TRIES, tallyQuery, triable } from "./tries.ts";
import type { Attempt, Tally } from "./tries.ts";
import { emailIndexColumns, isStill } from "./users.ts";

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
 * is false for a user who may not sign in, and for an address that may go back to somebody else.
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
        ? insertUser(
          db,
          seals,
          user.row,
          sql`${usedHere} AND NOT ${reserved(indexes, nowMs, null)}`,
        )
        // The address moves to the active index key when its owner proves it, so that an old key
        // can leave the ring one day.
        : db.update(users).set(emailIndexColumns(seals, user.row, indexes[0])).where(
          and(isStill(user.row), ne(users.emailIndex, indexes[0]), usedHere),
        ),
      openSession(db, seals, userId, session, { deviceKey, nowMs, when: usedHere }),
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

function insertUser(db: Database, seals: RowSeals, user: NewUser, condition: SQL) {
  return db.insert(users).select(
    sql`SELECT ${user.id}, ${user.emailIndex}, ${user.emailCipher}, NULL, NULL, NULL, NULL, ${user.dataKey}, ${user.locale}, ${user.state}, ${user.referralCodeGiven}, ${user.createdAtMs}, NULL, 1,
      ${seals.of(SEALED_USERS, user)} WHERE ${condition}`,
  ).onConflictDoNothing();
}
