// Activations of offers that ask for one. Each is kept, since a purchase that arrives weeks later
// is judged by the activation in force on its day.
import { assert } from "../../kernel/assert.ts";
import { addParisDays } from "../../kernel/time.ts";
import type { Activated, ActivateInput } from "../ports.ts";
import { integerOf, integerOrNull } from "../book/sql.ts";
import type { Call } from "../book/call.ts";

/**
 * When an activation ends: after its days, at the same time on the clocks of Paris (two days of a
 * user's calendar may be 47 hours), or with the offer, whichever comes first. Null when neither
 * ends it.
 */
export function activationEndsAtMs(
  activatedAtMs: number,
  input: Pick<ActivateInput, "activationDays" | "offerEndsAtMs">,
): number | null {
  const { activationDays, offerEndsAtMs } = input;
  if (activationDays === null) return offerEndsAtMs;
  return Math.min(addParisDays(activatedAtMs, activationDays), offerEndsAtMs ?? Infinity);
}

/**
 * Activates an offer from now on. While an activation is in force, it is the answer and nothing
 * changes.
 */
export function activate(call: Call, input: ActivateInput): Activated {
  const row = call.sql.exec(
    "SELECT activated_at_ms, expires_at_ms FROM activations WHERE offer_id = ? ORDER BY activated_at_ms DESC LIMIT 1",
    input.offerId,
  )[0];
  if (row !== undefined) {
    const expiresAtMs = integerOrNull(row, "expires_at_ms");
    if (expiresAtMs === null || expiresAtMs > call.nowMs) {
      return { activatedAtMs: integerOf(row, "activated_at_ms"), expiresAtMs, created: false };
    }
  }
  assert(
    input.activationDays === null || input.activationDays > 0,
    "activation_days_invalid",
    "an activation of less than one day was asked for",
  );
  const expiresAtMs = activationEndsAtMs(call.nowMs, input);
  call.sql.exec(
    "INSERT INTO activations (offer_id, activated_at_ms, version, expires_at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    input.offerId,
    call.nowMs,
    input.version,
    expiresAtMs,
  );
  return { activatedAtMs: call.nowMs, expiresAtMs, created: true };
}
