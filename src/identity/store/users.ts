// Users and the subjects of outside issuers that are linked to them.
import { and, asc, eq, inArray, notExists, sql } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { identityLinks, users } from "../../db/identity-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_IDENTITY_LINKS, SEALED_USERS } from "../../db/sealed-tables.ts";
import type { UserId } from "../../kernel/ids.ts";
import { openAgeReview } from "./age-reviews.ts";
import type { NewAgeReview } from "./age-reviews.ts";
import type { UserRow } from "./rows.ts";

/** Columns of a profile change, already encrypted. */
export type UserChange = Partial<
  Pick<
    UserRow,
    "firstNameCipher" | "lastNameCipher" | "genderCipher" | "birthDateCipher" | "locale"
  >
>;

type LinkRow = typeof identityLinks.$inferSelect;

function linkedTo(seals: RowSeals, link: LinkRow | undefined): string | null {
  return link !== undefined && seals.holds(SEALED_IDENTITY_LINKS, link) ? link.userId : null;
}

/** The columns that move a user's address to another index. */
export function emailIndexColumns(seals: RowSeals, user: UserRow, emailIndex: string) {
  return emailColumns(seals, user, { emailIndex, emailCipher: user.emailCipher });
}

/** The columns that give a user another address. */
export function emailColumns(
  seals: RowSeals,
  user: UserRow,
  address: Pick<UserRow, "emailIndex" | "emailCipher">,
) {
  return { ...address, seal: seals.of(SEALED_USERS, { ...user, ...address }) };
}

/**
 * True while the row has the address that it was read with: the seal of one address must not be
 * written over another.
 */
export function isStill(user: UserRow) {
  return and(
    eq(users.id, user.id),
    eq(users.emailIndex, user.emailIndex),
    eq(users.emailCipher, user.emailCipher),
  );
}

export function userStore(db: Database, seals: RowSeals) {
  return {
    /** Null also for a row that must not be used. */
    async user(userId: UserId): Promise<UserRow | null> {
      const [user] = await db.select().from(users).where(eq(users.id, userId));
      return user !== undefined && seals.holds(SEALED_USERS, user) ? user : null;
    },

    /**
     * Changes the named columns and returns the row after it; null when there is no such user (any
     * more). A review of the age that the change asks for is opened in the same write, so that no
     * crash comes between.
     */
    async updateUser(
      userId: UserId,
      change: UserChange,
      ageReview: NewAgeReview | null,
    ): Promise<UserRow | null> {
      const update = db.update(users).set(change).where(eq(users.id, userId)).returning();
      const [after] = ageReview === null
        ? [await update]
        : await guarded(() => db.batch([update, ...openAgeReview(db, userId, ageReview)]));
      return after[0] ?? null;
    },

    /** Users whose address is indexed under another key than the active one, oldest first. */
    async usersIndexedOtherwise(activeKid: string, limit: number): Promise<UserRow[]> {
      const rows = await db.select().from(users).where(
        sql`substr(${users.emailIndex}, 1, ${activeKid.length + 1}) <> ${`${activeKid}.`}`,
      ).orderBy(asc(users.id)).limit(limit);
      return rows.filter((user) => seals.holds(SEALED_USERS, user));
    },

    /** Unless the address changed since the row was read. */
    async reindexUser(user: UserRow, toIndex: string): Promise<void> {
      await db.update(users).set(emailIndexColumns(seals, user, toIndex)).where(isStill(user));
    },

    /** The user that a subject of an outside issuer is linked to. */
    async linkedUser(linkIndexes: readonly string[]): Promise<string | null> {
      const [found] = await db.select().from(identityLinks).where(
        inArray(identityLinks.linkIndex, [...linkIndexes]),
      );
      return linkedTo(seals, found);
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
      const link = { linkIndex: linkIndexes[0], userId, createdAtMs: nowMs };
      const seal = seals.of(SEALED_IDENTITY_LINKS, link);
      const [, found] = await guarded(() =>
        db.batch([
          db.insert(identityLinks).select(sql`SELECT ${link.linkIndex}, ${userId}, ${nowMs}, ${seal}
          WHERE ${
            notExists(
              db.select({ one: sql`1` }).from(identityLinks).where(
                inArray(identityLinks.linkIndex, [...linkIndexes]),
              ),
            )
          }`).onConflictDoNothing(),
          db.select().from(identityLinks).where(
            inArray(identityLinks.linkIndex, [...linkIndexes]),
          ),
        ])
      );
      return linkedTo(seals, found[0]);
    },
  };
}

/**
 * Ids of every user. For the local clock and for commands that rebuild projections; never on a
 * request's path in production.
 */
export async function allUserIds(db: Database): Promise<UserId[]> {
  const rows = await db.select({ id: users.id }).from(users).orderBy(users.id);
  return rows.map((row) => row.id as UserId);
}
