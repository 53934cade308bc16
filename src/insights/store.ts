// What operators read across users: counters, heads, counts. Figures of ledgers come from the
// projections, never from the objects.
import { and, asc, count, eq, gt, gte, isNotNull, isNull, lte, ne, sql } from "drizzle-orm";
import { bankConnections } from "../db/banking-tables.ts";
import { guarded } from "../db/database.ts";
import type { Database } from "../db/database.ts";
import { users } from "../db/identity-tables.ts";
import { projectionWork, purchaseSampleState } from "../db/insights-tables.ts";
import { closedCounters, counters, ledgerHeads } from "../db/ledger-tables.ts";
import { reviews } from "../db/reviews-tables.ts";
import { quarantine } from "../db/platform-tables.ts";
import type { UserId } from "../kernel/ids.ts";
import type { Balances } from "../ledger/ports.ts";
import type { Patrol, Rebuild } from "./projection-work.ts";

export type CounterLine = typeof counters.$inferSelect;
export type CounterKey = Pick<CounterLine, "day" | "brandId" | "offerId" | "kind">;
type CounterQuery = {
  readonly from: string | null;
  readonly to: string | null;
  readonly brandId: string | null;
  readonly offerId: string | null;
  readonly kind: string | null;
  readonly after: CounterKey | null;
  readonly limit: number;
};
type MetricCounts = {
  readonly users: Readonly<Record<string, number>>;
  readonly connections: Readonly<Record<string, number>>;
  readonly quarantineOpen: number;
  readonly reviewsOpen: number;
  readonly ledgersProjected: number;
  readonly ledgersClosed: number;
  readonly sampleRows: number;
};

export type InsightsStore = ReturnType<typeof insightsStore>;

export function insightsStore(db: Database) {
  return { ...counterStore(db), ...workStore(db), metrics: () => metrics(db) };
}

function counterStore(db: Database) {
  return {
    /** What all ledgers add up to at the end of a day, by the user's account. */
    async balancesOn(day: string): Promise<Balances> {
      const sum = (column: "pending" | "available" | "held") =>
        sql<number>`coalesce(sum(${counters[column]}), 0)`.as(column);
      const [row] = await db.select({
        pending: sum("pending"),
        available: sum("available"),
        held: sum("held"),
      }).from(counters).where(lte(counters.day, day));
      return row ?? { pending: 0, available: 0, held: 0 };
    },

    /** Lines of the counters in the order of their key. */
    async lines(query: CounterQuery): Promise<CounterLine[]> {
      const { day, brandId, offerId, kind } = counters;
      const { after } = query;
      return db.select().from(counters).where(and(
        query.from === null ? undefined : gte(day, query.from),
        query.to === null ? undefined : lte(day, query.to),
        query.brandId === null ? undefined : eq(brandId, query.brandId),
        query.offerId === null ? undefined : eq(offerId, query.offerId),
        query.kind === null ? undefined : eq(kind, query.kind),
        after === null
          ? undefined
          : sql`(${day}, ${brandId}, ${offerId}, ${kind}) > (${after.day}, ${after.brandId}, ${after.offerId}, ${after.kind})`,
      )).orderBy(asc(day), asc(brandId), asc(offerId), asc(kind)).limit(query.limit);
    },
  };
}

function workStore(db: Database) {
  const save = (name: "rebuild" | "patrol", state: Rebuild | Patrol, nowMs: number) =>
    db.insert(projectionWork).values({ name, state: JSON.stringify(state), updatedAtMs: nowMs })
      .onConflictDoUpdate({
        target: projectionWork.name,
        set: { state: JSON.stringify(state), updatedAtMs: nowMs },
      });
  const load = async <T extends Rebuild | Patrol>(
    name: "rebuild" | "patrol",
  ): Promise<T | null> => {
    const [row] = await db.select({ state: projectionWork.state }).from(projectionWork).where(
      eq(projectionWork.name, name),
    );
    return row === undefined ? null : (JSON.parse(row.state) as T);
  };
  return {
    rebuild: () => load<Rebuild>("rebuild"),
    patrol: () => load<Patrol>("patrol"),
    async saveRebuild(state: Rebuild, nowMs: number): Promise<void> {
      await save("rebuild", state, nowMs);
    },
    /**
     * Notes that a rebuild begun before `beforeMs` is over, if it is not; in one statement, since
     * another may begin meanwhile.
     */
    async closeRebuild(beforeMs: number, nowMs: number): Promise<void> {
      await db.update(projectionWork).set({
        state: sql`json_set(${projectionWork.state}, '$.finishedAtMs', ${nowMs})`,
        updatedAtMs: nowMs,
      }).where(and(
        eq(projectionWork.name, "rebuild"),
        sql`json_extract(${projectionWork.state}, '$.finishedAtMs') IS NULL`,
        sql`json_extract(${projectionWork.state}, '$.startedAtMs') < ${beforeMs}`,
      ));
    },
    async savePatrol(state: Patrol, nowMs: number): Promise<void> {
      await save("patrol", state, nowMs);
    },

    /**
     * Empties the projections but for what erased ledgers left, in one batch. A ledger that
     * projects D1 meanwhile finds its place gone and starts from zero by itself, so nothing counts
     * twice or is lost.
     */
    async clearProjections(state: Rebuild, nowMs: number): Promise<void> {
      await guarded(() =>
        db.batch([
          db.delete(counters),
          db.insert(counters).select(db.select().from(closedCounters)),
          db.delete(ledgerHeads).where(eq(ledgerHeads.closed, false)),
          save("rebuild", state, nowMs),
        ])
      );
    },

    /** The next users after an id, with the sequence up to which D1 knows their ledger. */
    async usersAfter(
      after: string,
      limit: number,
    ): Promise<{ readonly id: UserId; readonly sequence: number }[]> {
      const rows = await db.select({ id: users.id, sequence: ledgerHeads.lastSequence }).from(users)
        .leftJoin(ledgerHeads, eq(ledgerHeads.userId, users.id))
        .where(gt(users.id, after)).orderBy(asc(users.id)).limit(limit);
      return rows.map((row) => ({ id: row.id as UserId, sequence: row.sequence ?? 0 }));
    },
  };
}

async function metrics(db: Database): Promise<MetricCounts> {
  const [byState, byStatus, needingRepair, quarantined, waiting, heads, sample] = await guarded(
    () =>
      db.batch([
        db.select({ name: users.state, n: count() }).from(users).groupBy(users.state),
        db.select({ name: bankConnections.status, n: count() }).from(bankConnections).where(
          isNull(bankConnections.repairReason),
        ).groupBy(bankConnections.status),
        db.select({ n: count() }).from(bankConnections).where(
          and(isNotNull(bankConnections.repairReason), ne(bankConnections.status, "removed")),
        ),
        db.select({ n: count() }).from(quarantine).where(isNull(quarantine.resolvedAtMs)),
        db.select({ n: count() }).from(reviews).where(eq(reviews.state, "open")),
        db.select({ closed: ledgerHeads.closed, n: count() }).from(ledgerHeads).groupBy(
          ledgerHeads.closed,
        ),
        db.select({ size: purchaseSampleState.size }).from(purchaseSampleState),
      ]),
  );
  return {
    users: Object.fromEntries(byState.map(({ name, n }) => [name, n])),
    // As the user sees them: our trouble comes before the aggregator's state.
    connections: {
      ...Object.fromEntries(byStatus.map(({ name, n }) => [name, n])),
      needs_repair: needingRepair[0]?.n ?? 0,
    },
    quarantineOpen: quarantined[0]?.n ?? 0,
    reviewsOpen: waiting[0]?.n ?? 0,
    sampleRows: sample[0]?.size ?? 0,
    ledgersProjected: heads.find(({ closed }) => !closed)?.n ?? 0,
    ledgersClosed: heads.find(({ closed }) => closed)?.n ?? 0,
  };
}
