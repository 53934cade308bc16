// Strengthening a session: by a code, unless the account takes passkeys only.
import { and, eq, sql } from "drizzle-orm";
import { guarded } from "../../db/database.ts";
import type { Database } from "../../db/database.ts";
import { oneTimeCodes, users } from "../../db/identity-tables.ts";
import { noticeStatement } from "../../db/notice-tables.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { DeviceKind } from "../device.ts";
import type { PasskeyActor } from "./passkeys.ts";
import { actingNow } from "./sessions.ts";
import { NO_TRIES, tallyQuery, triable } from "./tries.ts";
import type { Attempt, Tally } from "./tries.ts";

/** How a session can be strengthened. */
export type StepUpMethods = { readonly codes: boolean; readonly passkeys: number };

export function stepUpStore(db: Database) {
  const passkeysOf = (userId: UserId) =>
    sql<number>`(SELECT count(*) FROM passkeys AS p WHERE p.user_id = ${userId})`;
  return {
    /** Uses a code in the session that it was sent for; `used` is false when it is not (any more) good. */
    async useStepUpCode(
      attempt: Attempt,
      actor: Omit<PasskeyActor, "device">,
    ): Promise<{ readonly used: boolean; readonly tally: Tally }> {
      const [used, [tally]] = await guarded(() =>
        db.batch([
          db.update(oneTimeCodes).set({ usedAtMs: attempt.nowMs, usedBy: actor.sessionId }).where(
            and(
              eq(oneTimeCodes.id, attempt.codeId),
              triable(attempt),
              actingNow(actor),
              sql`EXISTS (SELECT 1 FROM users AS u WHERE u.id = ${actor.userId} AND u.step_up_codes = 1)`,
            ),
          ).returning({ id: oneTimeCodes.id }),
          tallyQuery(db, attempt),
        ])
      );
      return { used: used.length === 1, tally: tally ?? NO_TRIES };
    },

    /** Null without such a user. */
    async stepUpMethods(userId: UserId): Promise<StepUpMethods | null> {
      const [found] = await db.select({
        codes: users.stepUpCodes,
        passkeys: passkeysOf(userId).as("passkeys_owned"),
      }).from(users).where(eq(users.id, userId));
      return found === undefined ? null : { codes: found.codes === 1, passkeys: found.passkeys };
    },

    /**
     * Switches codes on or, with a passkey, off, which leaves a mail. False when there is no passkey
     * to use instead.
     */
    async switchStepUpCodes(
      userId: UserId,
      codes: boolean,
      by: { readonly device: DeviceKind; readonly nowMs: number },
    ): Promise<boolean> {
      const { device, nowMs } = by;
      const [, changed] = await guarded(() =>
        db.batch([
          noticeStatement(db, {
            id: sql`${`step_up_codes_off|${userId}|${nowMs}`}`,
            kind: "step_up_codes_off",
            userId: sql`${userId}`,
            details: sql`${JSON.stringify({ device, atMs: nowMs })}`,
            from: sql`FROM users AS u WHERE u.id = ${userId} AND u.step_up_codes = 1 AND ${
              codes ? 1 : 0
            } = 0 AND ${passkeysOf(userId)} > 0`,
          }, nowMs),
          db.update(users).set({ stepUpCodes: codes ? 1 : 0 }).where(
            and(eq(users.id, userId), codes ? undefined : sql`${passkeysOf(userId)} > 0`),
          ).returning({ id: users.id }),
        ])
      );
      return changed.length === 1;
    },
  };
}
