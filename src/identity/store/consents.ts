// Consent decisions, of which the last per purpose is in force.
import { and, asc, eq, getTableColumns, sql } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { consents, users } from "../../db/identity-tables.ts";
import { heldForAge, openAgeReviewOf } from "../../db/held-for-age.ts";
import type { OpenAgeReview } from "../../db/held-for-age.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_CONSENTS, SEALED_USERS } from "../../db/sealed-tables.ts";
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

type ConsentRow = typeof consents.$inferSelect;

/** From the last withdrawal of each purpose on: what is in force, and since when. */
function lastDecisionsQuery(db: Database, userId: UserId) {
  // Spelled out: drizzle drops the table name of a column inside a selected expression, and here it
  // would name the inner row.
  return db.select().from(consents).where(and(
    eq(consents.userId, userId),
    sql`consents.sequence >= coalesce((SELECT max(w.sequence) FROM consents AS w
      WHERE w.user_id = ${userId} AND w.purpose = consents.purpose AND w.granted = 0), 0)`,
  )).orderBy(asc(consents.purpose), asc(consents.sequence));
}

/**
 * What is in force of the rows of `lastDecisionsQuery`. A row that somebody else wrote ends what was
 * granted before it: it may have been the withdrawal.
 */
function currentOf(seals: RowSeals, rows: readonly ConsentRow[]): CurrentConsent[] {
  const byPurpose = new Map<ConsentPurpose, CurrentConsent>();
  for (const row of rows) {
    const { purpose, textVersion, atMs } = row;
    if (!seals.holds(SEALED_CONSENTS, row)) {
      byPurpose.delete(purpose);
      continue;
    }
    const granted = row.granted === 1;
    const sinceMs = Math.min(byPurpose.get(purpose)?.grantedSinceMs ?? atMs, atMs);
    byPurpose.set(purpose, {
      purpose,
      granted,
      textVersion,
      atMs,
      grantedSinceMs: granted ? sinceMs : null,
    });
  }
  return [...byPurpose.values()];
}

export function consentStore(db: Database, seals: RowSeals) {
  return {
    async currentConsents(userId: UserId): Promise<CurrentConsent[]> {
      return currentOf(seals, await lastDecisionsQuery(db, userId));
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
            openAgeReview: sql<string | null>`${openAgeReviewOf("users.id")}`.as("open_age_review"),
          }).from(users).where(eq(users.id, userId)),
          lastDecisionsQuery(db, userId),
        ])
      );
      const [user] = found;
      const review = user?.openAgeReview ?? null;
      return {
        user: user !== undefined && seals.holds(SEALED_USERS, user) ? user : null,
        consents: currentOf(seals, current),
        heldForAge: heldForAge(
          seals,
          review === null ? null : JSON.parse(review) as OpenAgeReview,
        ),
      };
    },

    /**
     * Adds a decision unless it repeats the current one (a withdrawal does whatever text it names);
     * returns the current decision for the purpose after it, null without such a user.
     */
    async decide(consent: NewConsent): Promise<CurrentConsent | null> {
      const { id, userId, purpose } = consent;
      let rows: readonly ConsentRow[] = await lastDecisionsQuery(db, userId);
      for (;;) {
        const current = currentOf(seals, rows).find((item) => item.purpose === purpose) ?? null;
        const isDone = rows.some((row) => row.id === id) ||
          (current?.granted === consent.granted &&
            (!consent.granted || current.textVersion === consent.textVersion));
        if (isDone) return current;
        const last = lastSequence(rows, purpose);
        const insert = insertDecision(db, seals, consent, {
          sequence: last + 1,
          // A withdrawal is never refused: there are no more of them than of what they withdraw.
          limited: consent.granted || current?.granted !== true,
        });
        [, rows] = await guarded(() => db.batch([insert, lastDecisionsQuery(db, userId)]));
        // Nobody decided in between either: there is no such user, or too many decisions.
        if (lastSequence(rows, purpose) === last) return current;
      }
    },
  };
}

function lastSequence(rows: readonly ConsentRow[], purpose: ConsentPurpose): number {
  return Math.max(0, ...rows.filter((row) => row.purpose === purpose).map((row) => row.sequence));
}

/**
 * Adds the decision under that number, unless another one has it. The seal covers the number: a
 * decision that is moved behind a later one is not in force.
 */
function insertDecision(
  db: Database,
  seals: RowSeals,
  consent: NewConsent,
  { sequence, limited }: { readonly sequence: number; readonly limited: boolean },
) {
  const { id, userId, purpose, textVersion, atMs } = consent;
  const granted = consent.granted ? 1 : 0;
  const seal = seals.of(SEALED_CONSENTS, { ...consent, granted, sequence });
  return db.insert(consents).select(
    sql`SELECT ${id}, u.id, ${purpose}, ${sequence}, ${granted}, ${textVersion}, ${atMs}, ${seal}
      FROM users AS u WHERE u.id = ${userId} AND (${limited ? 0 : 1} = 1 OR
        (SELECT COUNT(*) FROM consents AS c WHERE c.user_id = ${userId} AND c.at_ms > ${
      atMs - DAY_MS
    }) < ${DECISIONS_A_DAY_MAX})`,
  ).onConflictDoNothing();
}
