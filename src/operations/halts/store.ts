// Halts in D1. Each write is one batch: the halt, the audit event, and for offers the version of the
// catalogue, so that whoever judges or decides by an older one is told to look again.
import { and, desc, eq, gt, isNull, lt, or, sql } from "drizzle-orm";
import { auditStatement } from "../../audit/ports.ts";
import type { AuditEvent } from "../../audit/ports.ts";
import { catalogueState } from "../../db/catalogue-tables.ts";
import type { Database } from "../../db/database.ts";
import { halts, inForce } from "../../db/halt-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { Halt, HaltActor, HaltScope } from "./halts.ts";

export type HaltsStore = ReturnType<typeof haltsStore>;

export function haltsStore(db: Database, random: RandomBytes) {
  const nextCatalogue = (what: HaltScope) =>
    what === "offers"
      ? [
        db.update(catalogueState).set({ version: sql`${catalogueState.version} + 1` }).where(
          eq(catalogueState.id, 1),
        ),
      ]
      : [];
  const find = async (id: string): Promise<Halt | null> =>
    (await db.select().from(halts).where(eq(halts.id, id)))[0] ?? null;

  return {
    find,
    async isHalted(what: HaltScope): Promise<boolean> {
      return (await db.select({ id: halts.id }).from(halts).where(inForce(what))).length > 0;
    },
    /** What is halted now, longest first. */
    async present(): Promise<readonly Halt[]> {
      return db.select().from(halts).where(isNull(halts.endedAtMs)).orderBy(halts.begunAtMs);
    },
    /** Those in force and those that ended after that instant. */
    async since(endedAfterMs: number): Promise<readonly Halt[]> {
      return db.select().from(halts).where(
        or(isNull(halts.endedAtMs), gt(halts.endedAtMs, endedAfterMs)),
      );
    },
    /** Newest first; one more than `limit` when there is another page. */
    async page(limit: number, before: string | null): Promise<readonly Halt[]> {
      return db.select().from(halts).where(before === null ? undefined : lt(halts.id, before))
        .orderBy(desc(halts.id)).limit(limit + 1);
    },
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
      const present = await db.select({ id: halts.id }).from(halts).where(inForce(what));
      const id = newId("hlt", nowMs, random);
      const begun = { id, what, reason, begunBy: operator, begunAtMs: nowMs };
      await db.batch([
        db.insert(halts).values(begun).onConflictDoUpdate({
          target: halts.what,
          targetWhere: sql`ended_at_ms IS NULL`,
          set: { endAskedBy: null, endAskedAtMs: null },
        }),
        auditStatement(db, eventOf(present[0]?.id ?? id), nowMs, random),
        ...nextCatalogue(what),
      ]);
      const [halt] = await db.select().from(halts).where(inForce(what));
      return halt ??
        { ...begun, endAskedBy: null, endAskedAtMs: null, endedBy: null, endedAtMs: null };
    },
    /** Writes `after` over `before`; false when somebody was faster. */
    async replace(before: Halt, after: Halt, event: AuditEvent, nowMs: number): Promise<boolean> {
      const { endAskedBy, endAskedAtMs, endedBy, endedAtMs } = after;
      const [written] = await db.batch([
        db.update(halts).set({ endAskedBy, endAskedAtMs, endedBy, endedAtMs }).where(and(
          eq(halts.id, before.id),
          isNull(halts.endedAtMs),
          sql`${halts.endAskedBy} IS ${before.endAskedBy}`,
        )).returning({ id: halts.id }),
        auditStatement(db, event, nowMs, random),
        ...nextCatalogue(before.what),
      ]);
      return written.length > 0;
    },
  };
}
