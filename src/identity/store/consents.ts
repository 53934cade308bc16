// Consent decisions, of which the last per purpose is in force.
import { eq, getTableColumns, max, sql } from "drizzle-orm";
import { heldForAge } from "../../db/age-review-tables.ts";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { consents, users } from "../../db/identity-tables.ts";
import type { UserId } from "../../kernel/ids.ts";
import { DAY_MS } from "../../kernel/time.ts";
import { DECISIONS_A_DAY_MAX } from "../consent.ts";
import type { CurrentConsent } from "../consent.ts";
import type { ConsentPurpose } from "../ports.ts";
import type { UserRow } from "./rows.ts";

type NewConsent = {
  readonly id: string;
  readonly userId: UserId;
  readonly purpose: ConsentPurpose;
  readonly granted: boolean;
  readonly textVersion: string;
  readonly atMs: number;
};

function currentQuery(db: Database, userId: UserId) {
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

type CurrentRow = Awaited<ReturnType<typeof currentQuery>>[number];

function toCurrent(row: CurrentRow): CurrentConsent {
  return {
    purpose: row.purpose,
    granted: row.granted === 1,
    textVersion: row.textVersion,
    atMs: row.atMs,
    grantedSinceMs: row.granted === 1 ? row.sinceMs : null,
  };
}

export function consentStore(db: Database) {
  return {
    async currentConsents(userId: UserId): Promise<CurrentConsent[]> {
      return (await currentQuery(db, userId)).map(toCurrent);
    },

    /**
     * The user's row, what they consented to and whether their age is being reviewed, in one round
     * trip.
     */
    async userWithConsents(
      userId: UserId,
    ): Promise<{
      readonly user: UserRow | null;
      readonly consents: readonly CurrentConsent[];
      readonly heldForAge: boolean;
    }> {
      const [found, current] = await guarded(() =>
        db.batch([
          db.select({
            ...getTableColumns(users),
            heldForAge: sql<number>`${heldForAge("users.id")}`.as("held_for_age"),
          }).from(users).where(eq(users.id, userId)),
          currentQuery(db, userId),
        ])
      );
      const [user] = found;
      return {
        user: user ?? null,
        consents: current.map(toCurrent),
        heldForAge: user?.heldForAge === 1,
      };
    },

    /**
     * Adds a decision unless it repeats the current one (a withdrawal does whatever text it names);
     * returns the current decision for the purpose after it, null without such a user.
     */
    async decide(consent: NewConsent): Promise<CurrentConsent | null> {
      const granted = consent.granted ? 1 : 0;
      // A withdrawal is never refused: there are no more of them than of what they withdraw.
      const mayAdd =
        sql`((SELECT COUNT(*) FROM consents AS c WHERE c.user_id = ${consent.userId} AND c.at_ms > ${
          consent.atMs - DAY_MS
        }) < ${DECISIONS_A_DAY_MAX} OR (${granted} = 0 AND (SELECT c.granted FROM consents AS c WHERE ${sql`c.user_id = ${consent.userId} AND c.purpose = ${consent.purpose}`} ORDER BY c.sequence DESC LIMIT 1) = 1))`;
      const ofPurpose = sql`c.user_id = ${consent.userId} AND c.purpose = ${consent.purpose}`;
      const [, current] = await guarded(() =>
        db.batch([
          db.insert(consents).select(
            sql`SELECT ${consent.id}, u.id, ${consent.purpose}, coalesce((SELECT max(c.sequence) FROM consents AS c WHERE ${ofPurpose}), 0) + 1, ${granted}, ${consent.textVersion}, ${consent.atMs}
          FROM users AS u WHERE u.id = ${consent.userId} AND ${mayAdd} AND NOT EXISTS (
            SELECT 1 FROM consents AS c WHERE ${ofPurpose} AND c.granted = ${granted} AND (c.granted = 0 OR c.text_version = ${consent.textVersion})
              AND c.sequence = (SELECT max(c.sequence) FROM consents AS c WHERE ${ofPurpose}))`,
          ),
          currentQuery(db, consent.userId),
        ])
      );
      const found = current.find((row) => row.purpose === consent.purpose);
      return found === undefined ? null : toCurrent(found);
    },
  };
}
