// Users and the subjects of outside issuers that are linked to them.
import { and, asc, eq, inArray, notExists, sql } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { identityLinks, users } from "../../db/identity-tables.ts";
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

export function userStore(db: Database) {
  return {
    async user(userId: UserId): Promise<UserRow | null> {
      return (await db.select().from(users).where(eq(users.id, userId)))[0] ?? null;
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

/**
 * Ids of every user. For the local clock and for commands that rebuild projections; never on a
 * request's path in production.
 */
export async function allUserIds(db: Database): Promise<UserId[]> {
  const rows = await db.select({ id: users.id }).from(users).orderBy(users.id);
  return rows.map((row) => row.id as UserId);
}
