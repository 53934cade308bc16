// What identity deletes once no rule reads it any more.
import { lt, or } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { authCodes, authTries, sessions } from "../../db/identity-tables.ts";
import { DAY_MS } from "../../kernel/time.ts";
import { WRONG_TRIES_WINDOW_MS } from "../code.ts";

// An ended session is kept for a while to distinguish a spent token from a forged one.
const ENDED_SESSION_KEPT_MS = 30 * DAY_MS;

/**
 * Forgets codes and tries that no limit counts any more, and sessions that ended a month ago.
 * Returns how many rows went.
 */
export async function purge(db: Database, nowMs: number): Promise<number> {
  const [codes, tries, ended] = await guarded(() =>
    db.batch([
      db.delete(authCodes).where(lt(authCodes.createdAtMs, nowMs - DAY_MS)).returning({
        id: authCodes.id,
      }),
      db.delete(authTries).where(lt(authTries.atMs, nowMs - WRONG_TRIES_WINDOW_MS)).returning({
        id: authTries.id,
      }),
      db.delete(sessions).where(
        or(
          lt(sessions.expiresAtMs, nowMs - ENDED_SESSION_KEPT_MS),
          lt(sessions.endedAtMs, nowMs - ENDED_SESSION_KEPT_MS),
        ),
      ).returning({ id: sessions.id }),
    ])
  );
  return codes.length + tries.length + ended.length;
}
