// Users whose corrected birth date says that they are too young: opened in the write of the
// correction, decided by a person, closed once the decision was carried out.
import { and, asc, eq, gt, isNotNull, isNull, lte, or, sql } from "drizzle-orm";
import { auditStatement } from "../../audit/ports.ts";
import type { AuditEvent } from "../../audit/ports.ts";
import type { SQL } from "drizzle-orm";
import { ageReviews } from "../../db/age-review-tables.ts";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { noticeStatement } from "../../db/notice-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_AGE_REVIEWS } from "../../db/sealed-tables.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";

export type AgeReviewRow = typeof ageReviews.$inferSelect;
export type AgeReviewPosition = { readonly openedAtMs: number; readonly id: string };
export type NewAgeReview = {
  readonly id: string;
  readonly openedAtMs: number;
  readonly decideByMs: number;
  readonly minimumAge: number;
};
type DecisionWrite = {
  readonly id: string;
  readonly decision: "of_age" | "under_age" | "lapsed";
  readonly by: string;
  readonly nowMs: number;
};

/**
 * The statements that open a review and tell the user. Only of a user who may have a bank linked,
 * and one at a time: before the link, the age keeps anybody from linking.
 */
export function openAgeReview(db: Database, userId: UserId, review: NewAgeReview) {
  const { id, openedAtMs, decideByMs, minimumAge } = review;
  return [
    db.insert(ageReviews).select(
      sql`SELECT ${id}, u.id, ${openedAtMs}, ${decideByMs}, NULL, NULL, NULL, NULL, NULL FROM users u
        WHERE u.id = ${userId}
          AND EXISTS (SELECT 1 FROM aggregator_links l
            WHERE l.user_id = u.id AND l.state IN ('intended', 'creating', 'created'))
          AND NOT EXISTS (SELECT 1 FROM age_reviews g
            WHERE g.user_id = u.id AND g.closed_at_ms IS NULL)`,
    ),
    noticeStatement(db, {
      id: sql`'age_review_opened:' || g.id`,
      kind: "age_review_opened",
      userId: sql`g.user_id`,
      details: sql`json_object('age', ${minimumAge}, 'decideByMs', g.decide_by_ms)`,
      from: sql`FROM age_reviews g WHERE g.id = ${id}`,
    }, openedAtMs),
  ] as const;
}

/**
 * Leaves the user a notice of a review that was closed at this instant: of two statements one has
 * its effect.
 */
function closingNotices(db: Database, id: string, nowMs: number) {
  const notice = (kind: "age_review_resumed" | "age_review_ended", decided: SQL) =>
    noticeStatement(db, {
      id: sql`'age_review_closed:' || g.id`,
      kind,
      userId: sql`g.user_id`,
      details: sql`'{}'`,
      from: sql`FROM age_reviews g
        WHERE g.id = ${id} AND g.closed_at_ms = ${nowMs} AND g.decision ${decided}`,
    }, nowMs);
  return [
    notice("age_review_resumed", sql`= 'of_age'`),
    notice("age_review_ended", sql`<> 'of_age'`),
  ] as const;
}

export function ageReviewStore(db: Database, random: RandomBytes, seals: RowSeals) {
  return {
    /** Oldest first, one more than `limit` when there is another page. */
    async pageAgeReviews(query: {
      readonly state: "open" | "closed" | "all";
      readonly limit: number;
      readonly after: AgeReviewPosition | null;
    }): Promise<AgeReviewRow[]> {
      const { openedAtMs, id, closedAtMs } = ageReviews;
      const { after, state } = query;
      return db.select().from(ageReviews).where(and(
        state === "all" ? undefined : state === "open" ? isNull(closedAtMs) : isNotNull(closedAtMs),
        after === null ? undefined : or(
          gt(openedAtMs, after.openedAtMs),
          and(eq(openedAtMs, after.openedAtMs), gt(id, after.id)),
        ),
      )).orderBy(asc(openedAtMs), asc(id)).limit(query.limit + 1);
    },

    /**
     * Writes down what is decided, with its audit event, unless something was decided before;
     * returns the row after it, null without such a review or with one that must not be used.
     */
    async decideAge(write: DecisionWrite, event: AuditEvent): Promise<AgeReviewRow | null> {
      const { id, decision, by, nowMs } = write;
      const [before] = await db.select().from(ageReviews).where(eq(ageReviews.id, id));
      if (before === undefined) return null;
      const decided = { decision, decidedBy: by, decidedAtMs: nowMs };
      const seal = seals.of(SEALED_AGE_REVIEWS, { ...before, ...decided });
      const [, , [after]] = await guarded(() =>
        db.batch([
          db.update(ageReviews).set({ ...decided, seal }).where(
            and(eq(ageReviews.id, id), isNull(ageReviews.decision)),
          ),
          auditStatement(db, event, nowMs, random),
          db.select().from(ageReviews).where(eq(ageReviews.id, id)),
        ])
      );
      return after !== undefined && seals.holds(SEALED_AGE_REVIEWS, after) ? after : null;
    },

    /** The decision was carried out; its user gets a notice. Nothing happens to a closed one. */
    async closeAgeReview(id: string, nowMs: number): Promise<AgeReviewRow | null> {
      const [, , , found] = await guarded(() =>
        db.batch([
          db.update(ageReviews).set({ closedAtMs: nowMs }).where(
            and(eq(ageReviews.id, id), isNull(ageReviews.closedAtMs)),
          ),
          ...closingNotices(db, id, nowMs),
          db.select().from(ageReviews).where(eq(ageReviews.id, id)),
        ])
      );
      return found[0] ?? null;
    },

    /** Those that nobody decided in time. */
    async lapsedAgeReviews(nowMs: number, limit: number): Promise<AgeReviewRow[]> {
      return db.select().from(ageReviews).where(
        and(isNull(ageReviews.decision), lte(ageReviews.decideByMs, nowMs)),
      ).orderBy(asc(ageReviews.decideByMs)).limit(limit);
    },

    /** Those that were decided a while ago and are not carried out yet. */
    async unfinishedAgeReviews(beforeMs: number, limit: number): Promise<AgeReviewRow[]> {
      const rows = await db.select().from(ageReviews).where(
        and(isNull(ageReviews.closedAtMs), lte(ageReviews.decidedAtMs, beforeMs)),
      )
        // In any order: one that fails must not keep the others from their turn.
        .orderBy(sql`random()`).limit(limit);
      return rows.filter((row) => seals.holds(SEALED_AGE_REVIEWS, row));
    },

    async forgetAgeReviews(userId: UserId): Promise<void> {
      await db.delete(ageReviews).where(eq(ageReviews.userId, userId));
    },
  };
}
