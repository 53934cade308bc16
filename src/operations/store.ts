// What operations keep and read in D1: the programme's fixed settings, the quarantine, and whether
// the database answers.
import { and, desc, eq, isNotNull, isNull, lt, or } from "drizzle-orm";
import type { SqlDatabase } from "../db/d1.ts";
import { guarded } from "../db/database.ts";
import type { Database } from "../db/database.ts";
import { quarantine, settings } from "../db/platform-tables.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import type { ProgrammeError } from "./programme.ts";

const RATE = "points_per_euro";

async function storedRate(db: Database): Promise<string | null> {
  const [row] = await db.select({ value: settings.value }).from(settings).where(
    eq(settings.name, RATE),
  );
  return row?.value ?? null;
}

/**
 * Fixes the rate of points to euros at the first start and refuses another one ever after. Of two
 * first starts with different rates one wins and the other is refused.
 */
export async function ensureProgramme(
  db: Database,
  programme: { readonly pointsPerEuro: number },
  nowMs: number,
): Promise<Result<null, ProgrammeError>> {
  const wanted = String(programme.pointsPerEuro);
  let stored = await storedRate(db);
  if (stored === null) {
    await db.insert(settings).values({ name: RATE, value: wanted, setAtMs: nowMs })
      .onConflictDoNothing();
    stored = await storedRate(db);
  }
  return stored === wanted ? ok(null) : err({ code: "programme_rate_changed" });
}

type DatabaseHealth = { readonly region: string | null };

/**
 * Reads one row and tells which region served it (null where the platform does not say). Throws
 * when the database does not answer.
 */
export async function databaseHealth(binding: SqlDatabase): Promise<DatabaseHealth> {
  const { meta } = await guarded(() =>
    binding.prepare("SELECT version FROM catalogue_state WHERE id = 1").run()
  );
  const region: unknown = meta.served_by_region;
  return { region: typeof region === "string" ? region : null };
}

export type QuarantineItem = typeof quarantine.$inferSelect;
export type QuarantineState = "open" | "resolved" | "all";

/** Where a page of the quarantine ended. */
export type QuarantinePosition = { readonly lastAtMs: number; readonly id: string };

/**
 * Messages that could not be used, the most recently seen first; one more than `limit` when there
 * is another page.
 */
export async function listQuarantine(
  db: Database,
  query: {
    readonly state: QuarantineState;
    readonly limit: number;
    readonly before: QuarantinePosition | null;
  },
): Promise<QuarantineItem[]> {
  const { state, before } = query;
  return db.select().from(quarantine).where(and(
    state === "all"
      ? undefined
      : state === "open"
      ? isNull(quarantine.resolvedAtMs)
      : isNotNull(quarantine.resolvedAtMs),
    before === null ? undefined : or(
      lt(quarantine.lastAtMs, before.lastAtMs),
      and(eq(quarantine.lastAtMs, before.lastAtMs), lt(quarantine.id, before.id)),
    ),
  )).orderBy(desc(quarantine.lastAtMs), desc(quarantine.id)).limit(query.limit + 1);
}
