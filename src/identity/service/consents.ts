// Consent decisions, and what they let a user do.
import { newId } from "../../kernel/ids.ts";
import type { UserId } from "../../kernel/ids.ts";
import { errorClass } from "../../kernel/log.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { CurrentConsent } from "../consent.ts";
import type { ConsentPurpose, LinkGate } from "../ports.ts";
import { hasReached } from "../profile.ts";
import type { IdentityDeps } from "./deps.ts";
import { cipherOfRow, decrypted } from "./fields.ts";

export async function decide(
  deps: IdentityDeps,
  userId: UserId,
  purpose: ConsentPurpose,
  granted: boolean,
  textVersion: string,
): Promise<
  Result<CurrentConsent, "user_unknown" | "connections_not_ended" | "too_many_decisions">
> {
  const nowMs = deps.clock.nowMs();
  if (purpose === "bank_data" && !granted) {
    try {
      await deps.consentListener.bankDataEnding(userId);
    } catch (error) {
      // Whatever it is, it must not keep anybody from withdrawing.
      deps.log.alert("bank_data_last_read_failed", { user: userId, error: errorClass(error) });
    }
  }
  const current = await deps.store.decide({
    id: newId("evt", nowMs, deps.random, userId),
    userId,
    purpose,
    granted,
    textVersion,
    atMs: nowMs,
  });
  if (current === null) return err("user_unknown");
  // Nothing was written: the user has used up the decisions of a day.
  // A withdrawal is one whatever text it names.
  if (current.granted !== granted || (granted && current.textVersion !== textVersion)) {
    return err("too_many_decisions");
  }
  if (purpose === "bank_data" && !granted) {
    // Called at every repetition: the row may exist although an earlier notification failed.
    try {
      await deps.consentListener.bankDataWithdrawn(userId);
    } catch (error) {
      deps.log.alert("bank_data_withdrawal_unfinished", { user: userId, error: errorClass(error) });
      return err("connections_not_ended");
    }
  }
  // A failure is the database's and answers 503: the withdrawal is stored, and repeating it
  // notifies again.
  if (purpose === "statistics" && !granted) await deps.consentListener.statisticsWithdrawn(userId);
  return ok(current);
}

export async function linkGate(deps: IdentityDeps, userId: UserId): Promise<LinkGate | null> {
  const { user, consents, heldForAge } = await deps.store.userWithConsents(userId);
  if (user === null || user.state !== "active") return null;
  const since = (purpose: ConsentPurpose): number | null =>
    consents.find((consent) => consent.purpose === purpose)?.grantedSinceMs ?? null;
  const birthDate = user.birthDateCipher === null
    ? null
    : await decrypted(await cipherOfRow(deps, user), "birth_date", user.birthDateCipher);
  return {
    userId,
    locale: user.locale,
    termsGrantedAtMs: since("terms"),
    bankDataGrantedAtMs: since("bank_data"),
    profileComplete: birthDate !== null,
    // Another birth date given meanwhile does not settle it: that is what the person decides.
    oldEnough: heldForAge
      ? false
      : birthDate === null
      ? null
      : hasReached(birthDate, deps.minimumAge, deps.clock.nowMs()),
    minimumAge: deps.minimumAge,
  };
}
