// What identity deletes once no rule reads it any more.
import { and, lt, or, sql } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import {
  answeredChallenges,
  codeTries,
  consents,
  emailChanges,
  knownDevices,
  oneTimeCodes,
  sessions,
} from "../../db/identity-tables.ts";
import { DAY_MS } from "../../kernel/time.ts";
import { CHALLENGE_KEPT_MS } from "../challenge.ts";
import { WRONG_TRIES_WINDOW_MS } from "../code.ts";

// An ended session is kept for a while to distinguish a spent token from a forged one.
const ENDED_SESSION_KEPT_MS = 30 * DAY_MS;
// A decision that a later withdrawal has ended proves that we acted rightly meanwhile: as long as
// anybody may ask about it (Code civil, article 2224).
const ENDED_CONSENT_KEPT_MS = 5 * 366 * DAY_MS;

/**
 * Forgets codes and tries that no limit counts any more, challenges that are late, changes of
 * address that cannot be undone any more, sessions that ended a month ago, devices whose challenge
 * no client keeps any longer, and consents that were withdrawn five years ago. Returns how many
 * rows went.
 */
export async function purge(db: Database, nowMs: number): Promise<number> {
  const removed = await guarded(() =>
    db.batch([
      db.delete(oneTimeCodes).where(lt(oneTimeCodes.createdAtMs, nowMs - DAY_MS)).returning({
        id: oneTimeCodes.id,
      }),
      db.delete(codeTries).where(lt(codeTries.atMs, nowMs - WRONG_TRIES_WINDOW_MS)).returning({
        id: codeTries.id,
      }),
      db.delete(sessions).where(
        or(
          lt(sessions.expiresAtMs, nowMs - ENDED_SESSION_KEPT_MS),
          lt(sessions.endedAtMs, nowMs - ENDED_SESSION_KEPT_MS),
        ),
      ).returning({ id: sessions.id }),
      db.delete(knownDevices).where(lt(knownDevices.usedAtMs, nowMs - CHALLENGE_KEPT_MS)).returning(
        { deviceKey: knownDevices.deviceKey },
      ),
      db.delete(answeredChallenges).where(lt(answeredChallenges.expiresAtMs, nowMs)).returning({
        hash: answeredChallenges.challengeHash,
      }),
      db.delete(emailChanges).where(lt(emailChanges.undoUntilMs, nowMs)).returning({
        id: emailChanges.id,
      }),
      db.delete(consents).where(
        and(
          lt(consents.atMs, nowMs - ENDED_CONSENT_KEPT_MS),
          sql`EXISTS (SELECT 1 FROM consents w WHERE w.user_id = ${consents.userId} AND w.purpose = ${consents.purpose}
            AND w.granted = 0 AND w.sequence > ${consents.sequence} AND w.at_ms < ${
            nowMs - ENDED_CONSENT_KEPT_MS
          })`,
        ),
      ).returning({ id: consents.id }),
    ])
  );
  return removed.reduce((sum, rows) => sum + rows.length, 0);
}
