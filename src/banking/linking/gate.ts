// Whether a user may link a bank: consents, age, a complete profile.
import type { IdentityPort, LinkGate } from "../../identity/ports.ts";
import type { UserId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { LinkGateError } from "../errors.ts";

/** What must be given before a bank is linked, and still be given when its user comes back. */
export async function openGate(
  identity: IdentityPort,
  userId: UserId,
): Promise<Result<LinkGate, LinkGateError>> {
  const gate = await identity.linkGate(userId);
  if (gate === null || gate.termsGrantedAtMs === null || gate.bankDataGrantedAtMs === null) {
    const missing = [
      ...((gate?.termsGrantedAtMs ?? null) === null ? ["terms" as const] : []),
      ...((gate?.bankDataGrantedAtMs ?? null) === null ? ["bank_data" as const] : []),
    ];
    return err({ code: "consent_required", missing });
  }
  if (gate.oldEnough === false) {
    return err({ code: "age_below_minimum", minimumAge: gate.minimumAge });
  }
  if (!gate.profileComplete || gate.oldEnough === null) return err({ code: "profile_incomplete" });
  return ok(gate);
}
