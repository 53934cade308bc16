// What operations keep and read in D1: the programme's fixed settings, and whether the database
// answers.
import { eq } from "drizzle-orm";
import type { SqlDatabase } from "../db/d1.ts";
import { guarded } from "../db/database.ts";
import type { Database } from "../db/database.ts";
import { settings } from "../db/platform-tables.ts";
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
 * Reads one row and says which region served it (null where the platform does not say). Throws
 * when the database does not answer.
 */
export async function databaseHealth(binding: SqlDatabase): Promise<DatabaseHealth> {
  const { meta } = await guarded(() =>
    binding.prepare("SELECT version FROM catalogue_state WHERE id = 1").run()
  );
  const region: unknown = meta.served_by_region;
  return { region: typeof region === "string" ? region : null };
}
