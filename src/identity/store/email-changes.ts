// Changes of e-mail, and undoing them.
import { and, eq, gt, gte, isNull, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import {
  emailChanges,
  knownDevices,
  oneTimeCodes,
  passkeys,
  users,
} from "../../db/identity-tables.ts";
import { noticeStatement } from "../../db/notice-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_EMAIL_CHANGES } from "../../db/sealed-tables.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { DeviceKind } from "../device.ts";
import { codesWithoutPasskeys } from "./passkeys.ts";
import type { PasskeyActor } from "./passkeys.ts";
import type { EmailChangeRow, UserRow } from "./rows.ts";
import { actingNow, endSessions } from "./sessions.ts";
import { NO_TRIES, tallyQuery, triable } from "./tries.ts";
import type { Attempt, Tally } from "./tries.ts";
import { emailColumns } from "./users.ts";

type EmailChangeWrite = {
  readonly id: string;
  readonly attempt: Attempt;
  readonly actor: PasskeyActor;
  /** As it was read: a change in between refuses this one. */
  readonly former: UserRow;
  readonly emailCipher: string;
  /** The new address under every key of the ring, active first. */
  readonly indexes: readonly [string, ...string[]];
  readonly undoUntilMs: number;
};

/**
 * True inside a statement while an address may go back to somebody who changed it: nobody else gets
 * it meanwhile, or the change could not be undone.
 */
export function reserved(
  indexes: readonly string[],
  nowMs: number,
  exceptUserId: UserId | null,
): SQL {
  return sql`EXISTS (SELECT 1 FROM email_changes AS e WHERE e.former_index IN ${[
    ...indexes,
  ]} AND e.undone_at_ms IS NULL AND e.undo_until_ms > ${nowMs} AND e.user_id IS NOT ${exceptUserId})`;
}

/** `own`: the user has the address already; `taken`: it is, or may go back to, somebody else's. */
type EmailChangeOutcome = {
  readonly outcome: "changed" | "own" | "taken" | "refused";
  readonly tally: Tally;
};

/**
 * Uses the code, gives the user the new address and leaves a mail to the former one: all or
 * nothing.
 */
async function changeEmail(
  db: Database,
  seals: RowSeals,
  write: EmailChangeWrite,
): Promise<EmailChangeOutcome> {
  const { id, attempt, actor, former, indexes } = write;
  const { userId, nowMs } = actor;
  const change = {
    id,
    userId,
    formerIndex: former.emailIndex,
    formerCipher: former.emailCipher,
    changedAtMs: nowMs,
    undoUntilMs: write.undoUntilMs,
  };
  const holder = sql`(SELECT u.id FROM users AS u WHERE u.email_index IN ${[...indexes]})`;
  const kept = reserved(indexes, nowMs, userId);
  const usedHere =
    sql`EXISTS (SELECT 1 FROM one_time_codes AS c WHERE c.id = ${attempt.codeId} AND c.used_by = ${id})`;
  const [[before], , , changed, , [tally]] = await guarded(() =>
    db.batch([
      db.select({
        holder: sql<string | null>`${holder}`.as("holder"),
        kept: sql<number>`${kept}`.as("kept"),
      }).from(sql`(SELECT 1)`),
      db.update(oneTimeCodes).set({ usedAtMs: nowMs, usedBy: id }).where(and(
        eq(oneTimeCodes.id, attempt.codeId),
        triable(attempt),
        actingNow(actor),
        sql`EXISTS (SELECT 1 FROM users AS u WHERE u.id = ${userId} AND u.email_index = ${former.emailIndex} AND u.email_cipher = ${former.emailCipher})`,
        sql`${holder} IS NULL AND NOT ${kept}`,
      )),
      db.insert(emailChanges).select(
        sql`SELECT ${id}, ${userId}, ${former.emailIndex}, ${former.emailCipher}, ${nowMs}, ${write.undoUntilMs}, NULL, NULL, ${
          seals.of(SEALED_EMAIL_CHANGES, change)
        } WHERE ${usedHere}`,
      ),
      db.update(users).set(
        emailColumns(seals, former, { emailIndex: indexes[0], emailCipher: write.emailCipher }),
      ).where(
        and(eq(users.id, userId), usedHere),
      ).returning({ id: users.id }),
      changeNotice(db, id, userId, actor.device, nowMs),
      tallyQuery(db, attempt),
    ])
  );
  const outcome = changed.length === 1
    ? "changed"
    : before?.holder === userId
    ? "own"
    : before?.kept === 1 || typeof before?.holder === "string"
    ? "taken"
    : "refused";
  return { outcome, tally: tally ?? NO_TRIES };
}

/** Leaves a mail, to the former address, about a change that a statement before it has made. */
function changeNotice(
  db: Database,
  id: string,
  userId: UserId,
  device: DeviceKind,
  nowMs: number,
) {
  return noticeStatement(db, {
    id: sql`${`email_changed|${id}`}`,
    kind: "email_changed",
    userId: sql`${userId}`,
    details: sql`${JSON.stringify({ changeId: id, device, atMs: nowMs })}`,
    from: sql`FROM email_changes AS e WHERE e.id = ${id}`,
  }, nowMs);
}

/**
 * Puts the former address back, ends all sessions, and takes away the passkeys, the known devices
 * and the changes of address since: whoever made the change keeps nothing. False when it is too
 * late, the user may not act, or somebody else has the address.
 */
async function undoEmailChange(
  db: Database,
  seals: RowSeals,
  user: UserRow,
  change: EmailChangeRow,
  indexes: readonly [string, ...string[]],
  nowMs: number,
): Promise<boolean> {
  const userId = user.id as UserId;
  const sinceMs = change.changedAtMs;
  const undoneHere =
    sql`EXISTS (SELECT 1 FROM email_changes AS e WHERE e.id = ${change.id} AND e.undone_by = ${change.id} AND e.undone_at_ms = ${nowMs})`;
  const undone = { undoneBy: change.id, undoneAtMs: nowMs };
  const [done] = await guarded(() =>
    db.batch([
      db.update(emailChanges).set(undone).where(and(
        eq(emailChanges.id, change.id),
        isNull(emailChanges.undoneAtMs),
        gt(emailChanges.undoUntilMs, nowMs),
        sql`EXISTS (SELECT 1 FROM users AS u WHERE u.id = ${userId} AND u.state = 'active' AND u.email_cipher = ${user.emailCipher})`,
        sql`NOT EXISTS (SELECT 1 FROM users AS u WHERE u.email_index IN ${[
          ...indexes,
        ]} AND u.id <> ${userId})`,
      )).returning({ id: emailChanges.id }),
      db.update(emailChanges).set(undone).where(and(
        eq(emailChanges.userId, userId),
        ne(emailChanges.id, change.id),
        gte(emailChanges.changedAtMs, sinceMs),
        isNull(emailChanges.undoneAtMs),
        undoneHere,
      )),
      db.update(users).set(
        emailColumns(seals, user, { emailIndex: indexes[0], emailCipher: change.formerCipher }),
      ).where(and(eq(users.id, userId), undoneHere)),
      ...endSessions(db, userId, null, nowMs, undoneHere),
      db.delete(passkeys).where(
        and(eq(passkeys.userId, userId), gte(passkeys.createdAtMs, sinceMs), undoneHere),
      ),
      codesWithoutPasskeys(db, userId),
      db.delete(knownDevices).where(
        and(eq(knownDevices.userId, userId), gte(knownDevices.knownAtMs, sinceMs), undoneHere),
      ),
    ])
  );
  return done.length === 1;
}

export function emailChangeStore(db: Database, seals: RowSeals) {
  return {
    changeEmail: (write: EmailChangeWrite) => changeEmail(db, seals, write),

    /** Null also for a row that must not be used. */
    async emailChange(id: string): Promise<EmailChangeRow | null> {
      const [found] = await db.select().from(emailChanges).where(eq(emailChanges.id, id));
      return found !== undefined && seals.holds(SEALED_EMAIL_CHANGES, found) ? found : null;
    },

    undoEmailChange: (
      user: UserRow,
      change: EmailChangeRow,
      indexes: readonly [string, ...string[]],
      nowMs: number,
    ) => undoEmailChange(db, seals, user, change, indexes, nowMs),

    async forgetEmailChanges(userId: UserId): Promise<void> {
      await db.delete(emailChanges).where(eq(emailChanges.userId, userId));
    },
  };
}
