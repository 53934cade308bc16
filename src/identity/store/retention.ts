// What identity deletes once no rule reads it any more.
import { lt, or } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import {
  answeredChallenges,
  codeTries,
  knownDevices,
  oneTimeCodes,
  sessions,
} from "../../db/identity-tables.ts";
import { DAY_MS } from "../../kernel/time.ts";
import { CHALLENGE_KEPT_MS } from "../challenge.ts";
import { WRONG_TRIES_WINDOW_MS } from "../code.ts";

// An ended session is kept for a while to distinguish a spent token from a forged one.
const ENDED_SESSION_KEPT_MS = 30 * DAY_MS;

/**
 * Forgets codes and tries that no limit counts any more, challenges that are late, sessions that ended a month ago, and
 * devices whose challenge no client keeps any longer. Returns how many rows went.
 */
export async function purge(db: Database, nowMs: number): Promise<number> {
  const [codes, tries, ended, devices, challenges] = await guarded(() =>
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
    ])
  );
  return codes.length + tries.length + ended.length + devices.length + challenges.length;
}
