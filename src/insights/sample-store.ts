// The statistics sample in D1. Consent is a condition inside the statement that writes: between a
// check before it and the write a user could withdraw. The bound on rows is the table's own.
import { and, asc, eq, gt, gte, inArray, lt, or, sql } from "drizzle-orm";
import { guarded } from "../db/database.ts";
import type { Database } from "../db/database.ts";
import { purchaseSample, purchaseSampleState } from "../db/insights-tables.ts";
import type { UserId } from "../kernel/ids.ts";
import { SAMPLE_ROWS_MAX } from "./sample.ts";
import type { SampleRow } from "./sample.ts";

export type SamplePurchase = {
  readonly id: string;
  readonly day: string;
  readonly cents: number;
  readonly pseudonym: string;
};
export type SampleShape = {
  readonly from: string | null;
  readonly to: string | null;
  readonly rows: number;
  readonly users: number;
  readonly threshold: number;
};
export type SamplePosition = { readonly day: string; readonly id: string };

export type SampleStore = ReturnType<typeof sampleStore>;

// Full enough to make room before rows are left out.
const CROWDED_ROWS = SAMPLE_ROWS_MAX * 0.95;

export function sampleStore(db: Database) {
  return {
    add: (userId: UserId, rows: readonly SampleRow[], gone?: readonly string[]): Promise<void> =>
      add(db, userId, rows, gone),
    ...removals(db),
    ...readings(db),
  };
}

/**
 * Brings the sample in line with what a ledger projects: rows that differ are replaced, those in
 * `gone` leave it. Rows of a user who does not consent now, or outside the buckets taken, are not
 * added; rows that are equal already cost no write.
 */
async function add(
  db: Database,
  userId: UserId,
  rows: readonly SampleRow[],
  gone: readonly string[] = [],
): Promise<void> {
  const consents =
    sql`(SELECT c.granted FROM consents AS c WHERE c.user_id = ${userId} AND c.purpose = 'statistics' ORDER BY c.sequence DESC LIMIT 1) = 1`;
  const projected = [
    ...rows.flatMap(({ id, otherIds, day, brandId, cents }) =>
      [id, ...otherIds].map((each) => ({ id: each, day, brandId, cents }))
    ),
    ...gone.map((id) => ({ id })),
  ];
  // Deleted and added, not changed: the table's trigger forbids an update, so that nothing else
  // ever alters a row in place.
  const stale = sql`id IN (SELECT s.id FROM json_each(${
    JSON.stringify(projected)
  }) AS t CROSS JOIN purchase_sample AS s ON s.id = t.value ->> 'id'
    WHERE (s.day, s.brand_id, s.cents) IS NOT (t.value ->> 'day', t.value ->> 'brandId', t.value ->> 'cents'))`;
  await guarded(() =>
    db.batch([
      db.delete(purchaseSample).where(stale),
      db.insert(purchaseSample).select(sql`
    SELECT value ->> 'id', value ->> 'day', value ->> 'brandId', value ->> 'cents', value ->> 'pseudonym', value ->> 'bucket' FROM json_each(${
        JSON.stringify(rows)
      })
    WHERE ${consents} AND EXISTS (SELECT 1 FROM users AS u WHERE u.id = ${userId} AND u.state = 'active')
      AND value ->> 'bucket' < (SELECT threshold FROM purchase_sample_state)
      AND NOT EXISTS (SELECT 1 FROM purchase_sample AS s WHERE s.id IN (SELECT o.value FROM json_each(json_extract(json_each.value, '$.otherIds')) AS o))`)
        .onConflictDoNothing(),
    ])
  );
}

function removals(db: Database) {
  return {
    async remove(pseudonyms: readonly string[]): Promise<void> {
      await db.delete(purchaseSample).where(inArray(purchaseSample.pseudonym, [...pseudonyms]));
    },

    /**
     * Forgets what is dated before `oldest` or after `newest`, and makes room when the sample is
     * nearly full: half of the users' months leave it.
     */
    async tidy(oldest: string, newest: string): Promise<void> {
      await db.delete(purchaseSample).where(
        or(lt(purchaseSample.day, oldest), gt(purchaseSample.day, newest)),
      );
      const [state] = await db.select().from(purchaseSampleState);
      if (state === undefined || state.size < CROWDED_ROWS || state.threshold <= 1) return;
      const threshold = Math.floor(state.threshold / 2);
      await guarded(() =>
        db.batch([
          db.update(purchaseSampleState).set({ threshold }).where(
            eq(purchaseSampleState.threshold, state.threshold),
          ),
          db.delete(purchaseSample).where(gte(purchaseSample.bucket, threshold)),
        ])
      );
    },
  };
}

function readings(db: Database) {
  return {
    async shape(): Promise<SampleShape> {
      const [[counted], [state]] = await guarded(() =>
        db.batch([
          db.select({
            from: sql<string | null>`min(${purchaseSample.day})`.as("first_day"),
            to: sql<string | null>`max(${purchaseSample.day})`.as("last_day"),
            rows: sql<number>`count(*)`.as("rows"),
            users: sql<number>`count(DISTINCT ${purchaseSample.pseudonym})`.as("users"),
          }).from(purchaseSample),
          db.select({ threshold: purchaseSampleState.threshold }).from(purchaseSampleState),
        ])
      );
      return {
        from: counted?.from ?? null,
        to: counted?.to ?? null,
        rows: counted?.rows ?? 0,
        users: counted?.users ?? 0,
        threshold: state?.threshold ?? 1,
      };
    },

    /** Purchases of one brand after a position, oldest first. */
    async page(
      brandId: string,
      after: SamplePosition | null,
      limit: number,
    ): Promise<SamplePurchase[]> {
      const { id, day } = purchaseSample;
      return db.select({
        id,
        day,
        cents: purchaseSample.cents,
        pseudonym: purchaseSample.pseudonym,
      }).from(purchaseSample)
        .where(
          and(
            eq(purchaseSample.brandId, brandId),
            after === null
              ? undefined
              : or(gt(day, after.day), and(eq(day, after.day), gt(id, after.id))),
          ),
        )
        .orderBy(asc(day), asc(id)).limit(limit);
    },
  };
}
