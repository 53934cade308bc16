// Changes the address of an account, which is what codes and notices go to, and undoes it from the
// former one.
import { newId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { codeMatches } from "../code.ts";
import { emailIndexes, normaliseEmail } from "../email.ts";
import type { EmailChangeError } from "../errors.ts";
import type { Profile } from "../profile.ts";
import { UNDO_TTL_MS } from "../undo-token.ts";
import type { Origin } from "./codes.ts";
import type { IdentityDeps } from "./deps.ts";
import { cipherOfRow, decrypted } from "./fields.ts";
import { atLeastOne } from "./indexes.ts";
import type { InSession } from "./passkeys.ts";
import { toProfile } from "./profile.ts";
import { attemptOf, countWrongTry, limitError } from "./tries.ts";

export type EmailChangeInput = {
  readonly email: string;
  readonly code: string;
  readonly origin: Origin;
};

/** Needs a step-up, which the route asks for, and the code that went to the new address. */
export async function changeEmail(
  deps: IdentityDeps,
  { userId, sessionId }: InSession,
  input: EmailChangeInput,
): Promise<Result<Profile, EmailChangeError>> {
  const { store, keyrings, clock } = deps;
  const email = normaliseEmail(input.email);
  const indexes = atLeastOne(emailIndexes(keyrings.index, email));
  const [user, { code }] = await Promise.all([
    store.user(userId),
    store.findCode("change_email", sessionId, indexes),
  ]);
  // An answer that was lost is asked for again.
  if (user !== null && indexes.includes(user.emailIndex)) return ok(await toProfile(deps, user));
  // Only the address that the code went to is proved.
  if (user === null || code === null || !indexes.includes(code.addressIndex)) {
    return err({ code: "code_invalid" });
  }
  const nowMs = clock.nowMs();
  const attempt = attemptOf(deps, code, indexes, input.origin, nowMs);
  if (!codeMatches(keyrings.index, code, input.code, code.codeTag)) {
    return err(await countWrongTry(deps, code, attempt, input.origin));
  }
  const cipher = await cipherOfRow(deps, user);
  const emailCipher = await cipher.encrypt({ table: "users", column: "email", row: userId }, email);
  const { outcome, tally } = await store.changeEmail({
    id: newId("emc", nowMs, deps.random, userId),
    attempt,
    actor: { userId, sessionId, device: input.origin.device, nowMs },
    former: user,
    emailCipher,
    indexes,
    undoUntilMs: nowMs + UNDO_TTL_MS,
  });
  if (outcome === "changed" || outcome === "own") {
    return ok(await toProfile(deps, { ...user, emailCipher }));
  }
  const limited = limitError(tally, code, nowMs);
  const good = limited === null && code.usedAtMs === null && code.expiresAtMs > nowMs;
  // Whoever read the code owns the address, and may know that it is an account's.
  return err(limited ?? { code: good && outcome === "taken" ? "email_in_use" : "code_invalid" });
}

/** False when there is nothing (left) to undo; true again when it was undone by the same link. */
export async function undoEmailChange(deps: IdentityDeps, id: string): Promise<boolean> {
  const { store, keyrings, clock, log } = deps;
  const change = await store.emailChange(id);
  if (change === null) return false;
  if (change.undoneBy !== null) return change.undoneBy === id;
  const user = await store.user(change.userId as InSession["userId"]);
  if (user === null) return false;
  const email = await decrypted(await cipherOfRow(deps, user), "email", change.formerCipher);
  const indexes = atLeastOne(emailIndexes(keyrings.index, email));
  const undone = await store.undoEmailChange(user, change, indexes, clock.nowMs());
  if (undone) log.alert("email_change_undone", { user: user.id });
  return undone;
}
