// Passkeys: kept, used, renamed and removed.
import { and, asc, eq, notExists, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { answeredChallenges, passkeys, users } from "../../db/identity-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_PASSKEYS, SEALED_USERS } from "../../db/sealed-tables.ts";
import { noticeStatement } from "../../db/notice-tables.ts";
import type { SessionId, UserId } from "../../kernel/ids.ts";
import type { DeviceKind } from "../device.ts";
import type { OpenedChallenge } from "../passkey-challenge.ts";
import { openSession, sessionNotice } from "./open-session.ts";
import type { NewSession } from "./open-session.ts";
import type { NewPasskey, PasskeyRow, UserRow } from "./rows.ts";
import { actingNow } from "./sessions.ts";

/** Enough for every device and key ring of a person; nothing lasting is without a limit. */
const PASSKEYS_MAX = 20;

/** Who does something with passkeys, from which kind of device, when. */
export type PasskeyActor = {
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly device: DeviceKind;
  readonly nowMs: number;
};

/** A verified answer of a passkey. */
export type PasskeyUse = {
  readonly passkey: Pick<PasskeyRow, "id" | "userId" | "counter">;
  readonly newCounter: number;
  readonly challenge: OpenedChallenge;
  readonly nowMs: number;
};

/** True inside a statement when this request was the one that answered the challenge. */
function answeredHere(challenge: OpenedChallenge, answeredFor: string): SQL {
  return sql`EXISTS (SELECT 1 FROM answered_challenges AS a WHERE a.challenge_hash = ${challenge.hash} AND a.answered_for = ${answeredFor})`;
}

function answer(db: Database, challenge: OpenedChallenge, answeredFor: string, when: SQL) {
  return db.insert(answeredChallenges).select(
    sql`SELECT ${challenge.hash}, ${answeredFor}, ${challenge.expiresAtMs} WHERE ${when}`,
  ).onConflictDoNothing().returning({ hash: answeredChallenges.challengeHash });
}

/** Spends the challenge and moves the counter on, unless another answer did either meanwhile. */
function use(db: Database, { passkey, newCounter, challenge, nowMs }: PasskeyUse, by: {
  readonly answeredFor: string;
  readonly when: SQL;
}) {
  return [
    answer(
      db,
      challenge,
      by.answeredFor,
      sql`EXISTS (SELECT 1 FROM passkeys AS p WHERE p.id = ${passkey.id} AND p.counter = ${passkey.counter}) AND ${by.when}`,
    ),
    db.update(passkeys).set({ counter: newCounter, lastUsedAtMs: nowMs }).where(
      and(eq(passkeys.id, passkey.id), answeredHere(challenge, by.answeredFor)),
    ),
  ] as const;
}

/** Leaves a mail about a passkey, while its row is there. */
function passkeyNotice(
  db: Database,
  kind: "passkey_added" | "passkey_removed",
  id: string,
  { userId, device, nowMs }: PasskeyActor,
) {
  return noticeStatement(db, {
    id: sql`${`${kind}|${id}`}`,
    kind,
    userId: sql`${userId}`,
    details: sql`${JSON.stringify({ device, atMs: nowMs })}`,
    from: sql`FROM passkeys AS p WHERE p.id = ${id} AND p.user_id = ${userId}`,
  }, nowMs);
}

/** Whoever has no passkey left must be able to use codes again, for `db.batch`. */
export function codesWithoutPasskeys(db: Database, userId: UserId) {
  return db.update(users).set({ stepUpCodes: 1 }).where(
    and(
      eq(users.id, userId),
      notExists(
        db.select({ one: sql`1` }).from(passkeys).where(eq(passkeys.userId, userId)),
      ),
    ),
  );
}

function signingIn(db: Database, seals: RowSeals) {
  return {
    /** Opens a session with a passkey: all or nothing; false when it must not (any more). */
    async signInWithPasskey(
      used: PasskeyUse,
      session: NewSession,
      device: DeviceKind,
    ): Promise<boolean> {
      const userId = used.passkey.userId as UserId;
      const active =
        sql`EXISTS (SELECT 1 FROM users AS u WHERE u.id = ${userId} AND u.state = 'active')`;
      const [, , opened] = await guarded(() =>
        db.batch([
          ...use(db, used, { answeredFor: session.id, when: active }),
          openSession(db, seals, userId, session, {
            deviceKey: null,
            nowMs: used.nowMs,
            when: answeredHere(used.challenge, session.id),
          }),
          sessionNotice(db, userId, session.id, device, used.nowMs),
        ])
      );
      return opened.length === 1;
    },

    /** Uses a passkey in a live session of its own user; `answeredFor` names this request. */
    async usePasskey(
      used: PasskeyUse,
      actor: Omit<PasskeyActor, "device">,
      answeredFor: string,
    ): Promise<boolean> {
      const [answered] = await guarded(() =>
        db.batch(use(db, used, { answeredFor, when: actingNow(actor) }))
      );
      return answered.length === 1;
    },
  };
}

function changes(db: Database) {
  return {
    /** The passkey after it; null when it is not this user's. */
    async renamePasskey(
      userId: UserId,
      id: string,
      nameCipher: string,
    ): Promise<PasskeyRow | null> {
      const [after] = await db.update(passkeys).set({ nameCipher }).where(
        and(eq(passkeys.id, id), eq(passkeys.userId, userId)),
      ).returning();
      return after ?? null;
    },

    /** Leaves a mail too; false when it is not this user's. */
    async removePasskey(id: string, actor: PasskeyActor): Promise<boolean> {
      const { userId } = actor;
      const [, removed] = await guarded(() =>
        db.batch([
          passkeyNotice(db, "passkey_removed", id, actor),
          db.delete(passkeys).where(and(eq(passkeys.id, id), eq(passkeys.userId, userId)))
            .returning({ id: passkeys.id }),
          codesWithoutPasskeys(db, userId),
        ])
      );
      return removed.length === 1;
    },
  };
}

export function passkeyStore(db: Database, seals: RowSeals) {
  return {
    /** Without rows that must not be used. */
    async passkeysOf(userId: UserId): Promise<PasskeyRow[]> {
      const rows = await db.select().from(passkeys).where(eq(passkeys.userId, userId)).orderBy(
        asc(passkeys.id),
      );
      return rows.filter((row) => seals.holds(SEALED_PASSKEYS, row));
    },

    async passkeyByCredential(
      credentialId: string,
    ): Promise<{ readonly passkey: PasskeyRow; readonly user: UserRow } | null> {
      const [found] = await db.select({ passkey: passkeys, user: users }).from(passkeys)
        .innerJoin(users, eq(users.id, passkeys.userId)).where(
          eq(passkeys.credentialId, credentialId),
        );
      const isGood = found !== undefined && seals.holds(SEALED_PASSKEYS, found.passkey) &&
        seals.holds(SEALED_USERS, found.user);
      return isGood ? found : null;
    },

    /** Keeps a new passkey and leaves a mail; `added` is false when it must not (any more). */
    async addPasskey(
      row: NewPasskey,
      challenge: OpenedChallenge,
      actor: PasskeyActor,
    ): Promise<{ readonly added: boolean; readonly full: boolean }> {
      const { userId } = actor;
      const owned = sql`(SELECT count(*) FROM passkeys AS p WHERE p.user_id = ${userId})`;
      const [, added, , [after]] = await guarded(() =>
        db.batch([
          answer(
            db,
            challenge,
            row.id,
            sql`${
              actingNow(actor)
            } AND ${owned} < ${PASSKEYS_MAX} AND NOT EXISTS (SELECT 1 FROM passkeys AS p WHERE p.credential_id = ${row.credentialId})`,
          ),
          db.insert(passkeys).select(
            sql`SELECT ${row.id}, ${userId}, ${row.credentialId}, ${row.publicKey}, ${row.counter}, ${row.transports}, ${row.nameCipher}, ${row.createdAtMs}, NULL, ${
              seals.of(SEALED_PASSKEYS, row)
            } WHERE ${answeredHere(challenge, row.id)}`,
          ).onConflictDoNothing().returning({ id: passkeys.id }),
          passkeyNotice(db, "passkey_added", row.id, actor),
          db.select({ owned: sql<number>`${owned}`.as("owned") }).from(sql`(SELECT 1)`),
        ])
      );
      return { added: added.length === 1, full: (after?.owned ?? 0) >= PASSKEYS_MAX };
    },

    ...changes(db),
    ...signingIn(db, seals),

    async forgetPasskeys(userId: UserId): Promise<void> {
      await db.delete(passkeys).where(eq(passkeys.userId, userId));
    },
  };
}
