// The queue of rows that wait for a person. The ledgers' alarms fill it
// (ledger/projection-store.ts); here it is read and decided.
import { and, asc, eq, gt, isNotNull, isNull, lte, or, sql } from "drizzle-orm";
import { auditStatement } from "../audit/ports.ts";
import type { AuditEvent } from "../audit/ports.ts";
import { guarded } from "../db/database.ts";
import type { Database } from "../db/database.ts";
import { reviews } from "../db/reviews-tables.ts";
import type { RowSeals } from "../db/row-seals.ts";
import { SEALED_REVIEWS } from "../db/sealed-tables.ts";
import type { UserId } from "../kernel/ids.ts";
import type { RandomBytes } from "../kernel/random.ts";

export type ReviewRow = typeof reviews.$inferSelect;
export type ReviewState = "open" | "closed" | "all";
export type ReviewPosition = { readonly openedAtMs: number; readonly purchaseId: string };
type ReviewIntent = {
  readonly purchaseId: string;
  readonly decision: "count" | "refuse";
  readonly purchasedOn: string | null;
  readonly by: string;
  readonly nowMs: number;
  readonly reason?: string | null;
};

/** `over` is the row as it was read. */
type ReviewProposal = {
  readonly over: ReviewRow;
  readonly by: string;
  readonly points: number;
  readonly nowMs: number;
};

export type ReviewsStore = ReturnType<typeof reviewsStore>;

export function reviewsStore(db: Database, random: RandomBytes, seals: RowSeals) {
  return {
    ...readings(db, seals),
    ...decisions(db, random, seals),
    ...closings(db, seals),
  };
}

async function findReview(
  db: Database,
  seals: RowSeals,
  purchaseId: string,
): Promise<ReviewRow | null> {
  const [row] = await db.select().from(reviews).where(eq(reviews.purchaseId, purchaseId));
  return row !== undefined && seals.holds(SEALED_REVIEWS, row) ? row : null;
}

function readings(db: Database, seals: RowSeals) {
  return {
    /** Oldest first, one more than `limit` when there is another page. */
    async page(
      query: {
        readonly state: ReviewState;
        readonly limit: number;
        readonly after: ReviewPosition | null;
      },
    ): Promise<ReviewRow[]> {
      const { openedAtMs, purchaseId } = reviews;
      const { after } = query;
      return db.select().from(reviews).where(and(
        query.state === "all" ? undefined : eq(reviews.state, query.state),
        after === null ? undefined : or(
          gt(openedAtMs, after.openedAtMs),
          and(eq(openedAtMs, after.openedAtMs), gt(purchaseId, after.purchaseId)),
        ),
      )).orderBy(asc(openedAtMs), asc(purchaseId)).limit(query.limit + 1);
    },

    /** Null also for a row that must not be used. */
    find: (purchaseId: string): Promise<ReviewRow | null> => findReview(db, seals, purchaseId),

    /** Decisions written down a while ago that no ledger has confirmed. */
    async unfinished(beforeMs: number, limit: number): Promise<ReviewRow[]> {
      const rows = await db.select().from(reviews).where(
        and(
          eq(reviews.state, "open"),
          isNotNull(reviews.decision),
          lte(reviews.decidedAtMs, beforeMs),
        ),
      )
        // In any order: rows whose ledgers refuse must not keep the others from their turn for
        // ever.
        .orderBy(sql`random()`).limit(limit);
      return rows.filter((row) => seals.holds(SEALED_REVIEWS, row));
    },
  };
}

function decisions(db: Database, random: RandomBytes, seals: RowSeals) {
  return {
    /**
     * Writes down what is going to be decided, with its audit event; returns the row after it. A
     * decision that was written down before is kept.
     */
    async intend(intent: ReviewIntent, event: AuditEvent): Promise<ReviewRow | null> {
      const { purchaseId, decision, purchasedOn, by, nowMs, reason = null } = intent;
      const before = await findReview(db, seals, purchaseId);
      if (before === null) return null;
      const decided = { decision, purchasedOn, decidedBy: by, decidedAtMs: nowMs };
      const seal = seals.of(SEALED_REVIEWS, { ...before, ...decided });
      const [, , found] = await guarded(() =>
        db.batch([
          db.update(reviews).set({ ...decided, decisionReason: reason, seal }).where(
            and(
              eq(reviews.purchaseId, purchaseId),
              eq(reviews.state, "open"),
              isNull(reviews.decision),
              // The seal is also of the proposal.
              sql`${reviews.seal} IS ${before.seal}`,
            ),
          ),
          auditStatement(db, event, nowMs, random),
          db.select().from(reviews).where(eq(reviews.purchaseId, purchaseId)),
        ])
      );
      return found[0] ?? null;
    },

    /**
     * Writes down that somebody would count the row for so many points, unless its proposal is no
     * longer `over`'s, with its audit event; returns the row after it.
     */
    async propose(
      { over, by, points, nowMs }: ReviewProposal,
      event: AuditEvent,
    ): Promise<ReviewRow | null> {
      const { purchaseId } = over;
      const atMs = over.proposedBy === by && over.proposedPoints === points
        ? over.proposedAtMs
        : nowMs;
      const proposed = { proposedBy: by, proposedAtMs: atMs, proposedPoints: points };
      const seal = seals.of(SEALED_REVIEWS, { ...over, ...proposed });
      const [, , found] = await guarded(() =>
        db.batch([
          db.update(reviews).set({ ...proposed, seal })
            .where(and(
              eq(reviews.purchaseId, purchaseId),
              eq(reviews.state, "open"),
              isNull(reviews.decision),
              sql`(${reviews.proposedBy}, ${reviews.proposedPoints}) IS (${over.proposedBy}, ${over.proposedPoints})`,
            )),
          auditStatement(db, event, nowMs, random),
          db.select().from(reviews).where(eq(reviews.purchaseId, purchaseId)),
        ])
      );
      return found[0] ?? null;
    },
  };
}

function closings(db: Database, seals: RowSeals) {
  return {
    /** The ledger has followed the decision: the row is no longer held. */
    async close(purchaseId: string, nowMs: number): Promise<void> {
      await db.update(reviews).set({ state: "closed", closedAtMs: nowMs }).where(
        and(eq(reviews.purchaseId, purchaseId), eq(reviews.state, "open")),
      );
    },

    /** Takes back a decision that the ledger refused; its proposal stays. */
    async reopen(purchaseId: string): Promise<void> {
      const before = await findReview(db, seals, purchaseId);
      if (before === null) return;
      const undecided = { decision: null, purchasedOn: null, decidedBy: null, decidedAtMs: null };
      const seal = seals.of(SEALED_REVIEWS, { ...before, ...undecided });
      await db.update(reviews).set({ ...undecided, decisionReason: null, seal }).where(
        and(
          eq(reviews.purchaseId, purchaseId),
          eq(reviews.state, "open"),
          sql`${reviews.seal} IS ${before.seal}`,
        ),
      );
    },

    /** Erases the user's rows. */
    async forget(userId: UserId): Promise<void> {
      await db.delete(reviews).where(eq(reviews.userId, userId));
    },
  };
}
