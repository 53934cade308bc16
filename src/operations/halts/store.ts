// Halts in D1. Each write is one batch: the halt, the audit event, and for offers the version of the
// catalogue, so that whoever judges or decides by an older one is told to look again.
import { and, desc, eq, isNull, lt, sql } from "drizzle-orm";
import { auditStatement, auditStatementWhen } from "../../audit/ports.ts";
import type { AuditEvent } from "../../audit/ports.ts";
import { catalogueState } from "../../db/catalogue-tables.ts";
import type { Database } from "../../db/database.ts";
import { halts } from "../../db/halt-tables.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { obeyedHalt } from "../../db/sealed-halts.ts";
import { SEALED_HALTS } from "../../db/sealed-tables.ts";
import { assert } from "../../kernel/assert.ts";
import { newId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { Halt, HaltActor, HaltScope } from "./halts.ts";

export type HaltsStore = ReturnType<typeof haltsStore>;

/** An end that was asked for is withdrawn by whoever halts at the same moment. */
const ATTEMPTS_MAX = 3;

export function haltsStore(db: Database, random: RandomBytes, seals: RowSeals) {
  return { ...reads(db, seals), ...writes(db, random, seals) };
}

function nextCatalogue(db: Database, what: HaltScope) {
  return what === "offers"
    ? [
      db.update(catalogueState).set({ version: sql`${catalogueState.version} + 1` }).where(
        eq(catalogueState.id, 1),
      ),
    ]
    : [];
}

function reads(db: Database, seals: RowSeals) {
  const obeyed = (rows: readonly (typeof halts.$inferSelect)[]): readonly Halt[] =>
    rows.map((row) => obeyedHalt(seals, row));
  const isInForce = ({ endedAtMs }: Halt): boolean => endedAtMs === null;
  return {
    async find(id: string): Promise<Halt | null> {
      return obeyed(await db.select().from(halts).where(eq(halts.id, id)))[0] ?? null;
    },
    async isHalted(what: HaltScope): Promise<boolean> {
      return obeyed(await db.select().from(halts).where(eq(halts.what, what))).some(isInForce);
    },
    /** What is halted now, longest first. */
    async present(): Promise<readonly Halt[]> {
      return obeyed(await db.select().from(halts).orderBy(halts.begunAtMs)).filter(isInForce);
    },
    /** Those in force and those that ended after that instant. */
    async since(endedAfterMs: number): Promise<readonly Halt[]> {
      return obeyed(await db.select().from(halts)).filter(({ endedAtMs }) =>
        endedAtMs === null || endedAtMs > endedAfterMs
      );
    },
    /** Newest first; one more than `limit` when there is another page. */
    async page(limit: number, before: string | null): Promise<readonly Halt[]> {
      return obeyed(
        await db.select().from(halts).where(before === null ? undefined : lt(halts.id, before))
          .orderBy(desc(halts.id)).limit(limit + 1),
      );
    },
  };
}

type Parts = { readonly db: Database; readonly random: RandomBytes; readonly seals: RowSeals };

/** Null when the halt ended in between. */
async function beginOnce(
  { db, random, seals }: Parts,
  begun: Pick<Halt, "id" | "what" | "reason" | "begunBy" | "begunAtMs">,
  eventOf: (id: string) => AuditEvent,
): Promise<Halt | null> {
  const { what, begunAtMs: nowMs } = begun;
  const notEnding = { endAskedBy: null, endAskedAtMs: null, endedBy: null, endedAtMs: null };
  const [present] = await db.select().from(halts).where(
    and(eq(halts.what, what), isNull(halts.endedAtMs)),
  );
  // What somebody else wrote is obeyed, and does not get our seal by that.
  if (present !== undefined && !seals.holds(SEALED_HALTS, present)) {
    await auditStatement(db, eventOf(present.id), nowMs, random);
    return obeyedHalt(seals, present);
  }
  const halt = { ...(present ?? begun), ...notEnding };
  const seal = seals.of(SEALED_HALTS, halt);
  await db.batch([
    present === undefined
      ? db.insert(halts).values({ ...halt, seal }).onConflictDoNothing()
      : db.update(halts).set({ endAskedBy: null, endAskedAtMs: null, seal }).where(
        and(eq(halts.id, present.id), isNull(halts.endedAtMs)),
      ),
    auditStatementWhen(
      db,
      eventOf(halt.id),
      nowMs,
      random,
      sql`EXISTS (SELECT 1 FROM halts WHERE id = ${halt.id} AND ended_at_ms IS NULL)`,
    ),
    ...nextCatalogue(db, what),
  ]);
  const [after] = await db.select().from(halts).where(
    and(eq(halts.id, halt.id), isNull(halts.endedAtMs)),
  );
  return after === undefined ? null : obeyedHalt(seals, after);
}

function writes(db: Database, random: RandomBytes, seals: RowSeals) {
  return {
    /**
     * Halts a part of the programme. One that is halted already stays so, and an end that was asked
     * for is withdrawn: whoever pulls the brake wants it to hold.
     */
    async begin(
      what: HaltScope,
      reason: string,
      { operator, nowMs }: HaltActor,
      eventOf: (id: string) => AuditEvent,
    ): Promise<Halt> {
      const id = newId("hlt", nowMs, random);
      const begun = { id, what, reason, begunBy: operator, begunAtMs: nowMs };
      for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        const halt = await beginOnce({ db, random, seals }, begun, eventOf);
        if (halt !== null) return halt;
      }
      assert(false, "halt_not_begun", "a halt ended each time that it was begun");
    },
    /** Writes `after` over `before`, with its audit event; false when somebody was faster. */
    async replace(before: Halt, after: Halt, event: AuditEvent, nowMs: number): Promise<boolean> {
      const { endAskedBy, endAskedAtMs, endedBy, endedAtMs } = after;
      const seal = seals.of(SEALED_HALTS, after);
      const unchanged = sql`id = ${before.id} AND ended_at_ms IS NULL
        AND (end_asked_by, end_asked_at_ms) IS (${before.endAskedBy}, ${before.endAskedAtMs})`;
      const [, written] = await db.batch([
        // First, while it can be seen whether the halt is as it was read.
        auditStatementWhen(
          db,
          event,
          nowMs,
          random,
          sql`EXISTS (SELECT 1 FROM halts WHERE ${unchanged})`,
        ),
        db.update(halts).set({ endAskedBy, endAskedAtMs, endedBy, endedAtMs, seal }).where(
          unchanged,
        ).returning({ id: halts.id }),
        ...nextCatalogue(db, before.what),
      ]);
      return written.length > 0;
    },
  };
}
