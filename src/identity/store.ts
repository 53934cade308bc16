// What identity keeps in D1. Every rule that two requests could race for (limits, one use of a
// code, rotation, one user per address) is a condition inside the statement that writes; D1 runs a
// batch as one transaction.
import {
  and,
  asc,
  desc,
  eq,
  gt,
  gte,
  inArray,
  isNull,
  lt,
  max,
  min,
  ne,
  notExists,
  or,
  sql,
} from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { guarded } from "../db/database.ts";
import type { Database } from "../db/database.ts";
import {
  authCodes,
  authTries,
  consents,
  identityLinks,
  sessions,
  users,
} from "../db/identity-tables.ts";
import type { SessionId, UserId } from "../kernel/ids.ts";
import { DAY_MS } from "../kernel/time.ts";
import {
  CODES_PER_ADDRESS,
  CODES_WINDOW_MS,
  TRIES_PER_CODE,
  WRONG_TRIES_PER_ADDRESS,
  WRONG_TRIES_WINDOW_MS,
} from "./code.ts";
import type { CodePurpose } from "./code.ts";
import type { StandingConsent } from "./consent.ts";
import type { ConsentPurpose } from "./ports.ts";
import { REFRESH_GRACE_MS, REFRESH_TTL_MS, SESSION_TTL_MAX_MS } from "./refresh-token.ts";

export type UserRow = typeof users.$inferSelect;
export type CodeRow = typeof authCodes.$inferSelect;
export type SessionRow = typeof sessions.$inferSelect;
/** Columns of a profile change, already encrypted. */
export type UserChange = Partial<
  Pick<
    UserRow,
    "firstNameCipher" | "lastNameCipher" | "genderCipher" | "birthDateCipher" | "locale"
  >
>;

/**
 * Wrong tries so far: of one code, and of the address within a day with the time of the oldest that
 * counts.
 */
export type Tally = {
  readonly ofCode: number;
  readonly ofAddress: number;
  readonly oldestAtMs: number | null;
};

export type NewCode = Pick<
  CodeRow,
  "id" | "purpose" | "addressIndex" | "sessionId" | "codeTag" | "createdAtMs" | "expiresAtMs"
>;
export type NewSession = {
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

export type RotatedSession = {
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

export type IdentityStore = ReturnType<typeof identityStore>;

/** The identity tables behind named operations. */
export function identityStore(db: Database) {
  return {
    ...codeStore(db),
    ...sessionStore(db),
    ...userStore(db),
    ...consentStore(db),
    purge: (nowMs: number) => purge(db, nowMs),
  };
}

// ---- codes --------------------------------------------------------------------------------------

function ofAddress(indexes: readonly string[], nowMs: number): SQL {
  return sql`${authTries.addressIndex} IN ${[...indexes]} AND ${authTries.atMs} > ${
    nowMs - WRONG_TRIES_WINDOW_MS
  }`;
}

/**
 * True inside a statement when this code may still be tried: live, the newest of its kind, and
 * within both limits.
 */
function triable(codeId: string, indexes: readonly string[], nowMs: number): SQL {
  return sql`EXISTS (
    SELECT 1 FROM auth_codes AS c WHERE c.id = ${codeId} AND c.used_at_ms IS NULL AND c.expires_at_ms > ${nowMs}
      AND NOT EXISTS (SELECT 1 FROM auth_codes AS n WHERE n.address_index IN ${[
    ...indexes,
  ]} AND n.purpose = c.purpose AND n.sequence > c.sequence))
    AND (SELECT count(*) FROM ${authTries} WHERE ${authTries.codeId} = ${codeId}) < ${TRIES_PER_CODE}
    AND (SELECT count(*) FROM ${authTries} WHERE ${
    ofAddress(indexes, nowMs)
  }) < ${WRONG_TRIES_PER_ADDRESS}`;
}

function tallyQuery(db: Database, codeId: string, indexes: readonly string[], nowMs: number) {
  return db.select({
    ofCode: sql<number>`coalesce(sum(${authTries.codeId} = ${codeId}), 0)`.as("of_code"),
    ofAddress: sql<number>`coalesce(sum(${ofAddress(indexes, nowMs)}), 0)`.as("of_address"),
    oldestAtMs: sql<number | null>`min(CASE WHEN ${
      ofAddress(indexes, nowMs)
    } THEN ${authTries.atMs} END)`.as("oldest_at_ms"),
  }).from(authTries).where(
    or(eq(authTries.codeId, codeId), inArray(authTries.addressIndex, [...indexes])),
  );
}

const NO_TRIES: Tally = { ofCode: 0, ofAddress: 0, oldestAtMs: null };

function codeStore(db: Database) {
  return {
    /**
     * Keeps a code unless the address had its share within the hour; then tells when the oldest of
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
     * Takes back a code that could not be sent: it does not count, and the one before it stands
     * again.
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

    /**
     * Uses the code, creates the user when the address has none, and opens the session: all or
     * nothing. `used` is false when the code was not (any more) good or the address got another
     * owner meanwhile; `opened` is false for a user who may not sign in.
     */
    async signIn(
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
            }, NULL, NULL FROM users AS u WHERE u.id = ${userId} AND u.state = 'active' AND ${usedHere}`,
          ).returning({ id: sessions.id }),
          tallyQuery(db, codeId, indexes, nowMs),
        ])
      );
      return { used: used.length === 1, opened: opened.length === 1, tally: tally ?? NO_TRIES };
    },
  };
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

// ---- sessions -----------------------------------------------------------------------------------

function live(nowMs: number) {
  return and(isNull(sessions.endedAtMs), gt(sessions.expiresAtMs, nowMs));
}

function sessionStore(db: Database) {
  return {
    /**
     * Exchanges a refresh token's hash for a new one. The current one rotates; the previous one,
     * within the grace and while its successor is unused, replaces that successor; any other closes
     * the session. One transaction, so of two simultaneous requests with one token the first
     * rotates and the second takes the grace.
     */
    async rotate(
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
    },

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
      return { user: found[0] ?? null, rows };
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

    async sessionIsLive(sessionId: SessionId, nowMs: number): Promise<boolean> {
      const found = await db.select({ id: sessions.id }).from(sessions).where(
        and(eq(sessions.id, sessionId), live(nowMs)),
      );
      return found.length === 1;
    },
  };
}

// ---- users --------------------------------------------------------------------------------------

function userStore(db: Database) {
  return {
    async user(userId: UserId): Promise<UserRow | null> {
      return (await db.select().from(users).where(eq(users.id, userId)))[0] ?? null;
    },

    /**
     * Changes the named columns and returns the row after it; null when there is no such user (any
     * more).
     */
    async updateUser(userId: UserId, change: UserChange): Promise<UserRow | null> {
      return (await db.update(users).set(change).where(eq(users.id, userId)).returning())[0] ??
        null;
    },

    /** Users whose address is indexed under another key than the active one, oldest first. */
    async usersIndexedOtherwise(activeKid: string, limit: number): Promise<UserRow[]> {
      return db.select().from(users).where(
        sql`substr(${users.emailIndex}, 1, ${activeKid.length + 1}) <> ${`${activeKid}.`}`,
      ).orderBy(asc(users.id)).limit(limit);
    },

    async reindexUser(userId: string, fromIndex: string, toIndex: string): Promise<void> {
      await db.update(users).set({ emailIndex: toIndex }).where(
        and(eq(users.id, userId), eq(users.emailIndex, fromIndex)),
      );
    },

    /** The user that a subject of an outside issuer is linked to. */
    async linkedUser(linkIndexes: readonly string[]): Promise<string | null> {
      const [found] = await db.select({ userId: identityLinks.userId }).from(identityLinks).where(
        inArray(identityLinks.linkIndex, [...linkIndexes]),
      );
      return found?.userId ?? null;
    },

    /**
     * Links a subject to a user; returns who it is linked to, which is somebody else when it was
     * linked before.
     */
    async linkUser(
      linkIndexes: readonly [string, ...string[]],
      userId: UserId,
      nowMs: number,
    ): Promise<string | null> {
      const [, found] = await guarded(() =>
        db.batch([
          db.insert(identityLinks).select(sql`SELECT ${linkIndexes[0]}, ${userId}, ${nowMs}
          WHERE ${
            notExists(
              db.select({ one: sql`1` }).from(identityLinks).where(
                inArray(identityLinks.linkIndex, [...linkIndexes]),
              ),
            )
          }`).onConflictDoNothing(),
          db.select({ userId: identityLinks.userId }).from(identityLinks).where(
            inArray(identityLinks.linkIndex, [...linkIndexes]),
          ),
        ])
      );
      return found[0]?.userId ?? null;
    },
  };
}

// ---- consents -----------------------------------------------------------------------------------

function standingQuery(db: Database, userId: UserId) {
  return db.select({
    purpose: consents.purpose,
    granted: consents.granted,
    textVersion: consents.textVersion,
    atMs: consents.atMs,
    // With max(), SQLite takes the other columns from the row that has it
    // (sqlite.org/lang_select.html, "bare columns").
    sequence: max(consents.sequence).as("last_sequence"),
    // Spelled out: drizzle drops the table name of a column inside a selected expression, and here
    // it would name the inner row.
    sinceMs: sql<
      number | null
    >`(SELECT min(r.at_ms) FROM consents AS r WHERE r.user_id = ${userId} AND r.purpose = consents.purpose
      AND r.sequence > coalesce((SELECT max(w.sequence) FROM consents AS w WHERE w.user_id = ${userId} AND w.purpose = consents.purpose AND w.granted = 0), 0))`
      .as("since_ms"),
  }).from(consents).where(eq(consents.userId, userId)).groupBy(consents.purpose);
}

type StandingRow = Awaited<ReturnType<typeof standingQuery>>[number];

function toStanding(row: StandingRow): StandingConsent {
  return {
    purpose: row.purpose,
    granted: row.granted === 1,
    textVersion: row.textVersion,
    atMs: row.atMs,
    grantedSinceMs: row.granted === 1 ? row.sinceMs : null,
  };
}

export type NewConsent = {
  readonly id: string;
  readonly userId: UserId;
  readonly purpose: ConsentPurpose;
  readonly granted: boolean;
  readonly textVersion: string;
  readonly atMs: number;
};

function consentStore(db: Database) {
  return {
    async standingConsents(userId: UserId): Promise<StandingConsent[]> {
      return (await standingQuery(db, userId)).map(toStanding);
    },

    /** The user's row and what they consented to, in one round trip. */
    async userWithConsents(
      userId: UserId,
    ): Promise<{ readonly user: UserRow | null; readonly consents: readonly StandingConsent[] }> {
      const [found, standing] = await guarded(() =>
        db.batch([db.select().from(users).where(eq(users.id, userId)), standingQuery(db, userId)])
      );
      return { user: found[0] ?? null, consents: standing.map(toStanding) };
    },

    /**
     * Adds a decision unless it is the one that stands; returns what stands for the purpose after
     * it, null without such a user.
     */
    async decide(consent: NewConsent): Promise<StandingConsent | null> {
      const granted = consent.granted ? 1 : 0;
      const ofPurpose = sql`c.user_id = ${consent.userId} AND c.purpose = ${consent.purpose}`;
      const [, standing] = await guarded(() =>
        db.batch([
          db.insert(consents).select(
            sql`SELECT ${consent.id}, u.id, ${consent.purpose}, coalesce((SELECT max(c.sequence) FROM consents AS c WHERE ${ofPurpose}), 0) + 1, ${granted}, ${consent.textVersion}, ${consent.atMs}
          FROM users AS u WHERE u.id = ${consent.userId} AND NOT EXISTS (
            SELECT 1 FROM consents AS c WHERE ${ofPurpose} AND c.granted = ${granted} AND c.text_version = ${consent.textVersion}
              AND c.sequence = (SELECT max(c.sequence) FROM consents AS c WHERE ${ofPurpose}))`,
          ),
          standingQuery(db, consent.userId),
        ])
      );
      const found = standing.find((row) => row.purpose === consent.purpose);
      return found === undefined ? null : toStanding(found);
    },
  };
}

// ---- retention ----------------------------------------------------------------------------------

// An ended session stays for a while so that a spent token is still told from a forged one.
const ENDED_SESSION_KEPT_MS = 30 * DAY_MS;

/**
 * Forgets codes and tries that no limit counts any more, and sessions that ended a month ago.
 * Returns how many rows went.
 */
async function purge(db: Database, nowMs: number): Promise<number> {
  const [codes, tries, ended] = await guarded(() =>
    db.batch([
      db.delete(authCodes).where(lt(authCodes.createdAtMs, nowMs - DAY_MS)).returning({
        id: authCodes.id,
      }),
      db.delete(authTries).where(lt(authTries.atMs, nowMs - WRONG_TRIES_WINDOW_MS)).returning({
        id: authTries.id,
      }),
      db.delete(sessions).where(
        or(
          lt(sessions.expiresAtMs, nowMs - ENDED_SESSION_KEPT_MS),
          lt(sessions.endedAtMs, nowMs - ENDED_SESSION_KEPT_MS),
        ),
      ).returning({ id: sessions.id }),
    ])
  );
  return codes.length + tries.length + ended.length;
}

/**
 * Ids of every user. For the local clock and for commands that rebuild projections; never on a
 * request's path in production.
 */
export async function allUserIds(db: Database): Promise<UserId[]> {
  const rows = await db.select({ id: users.id }).from(users).orderBy(users.id);
  return rows.map((row) => row.id as UserId);
}
