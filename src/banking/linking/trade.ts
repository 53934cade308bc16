// Trading the code that a user brought back for the token of the user that the aggregator's page
// made. The intent is written first and a code is traded once, so each step may be the last: what
// was stored is gone on with, and a token whose answer was lost is nobody's.
import type { UserId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import type { LinkedUser } from "../connections/index.ts";
import type { CallbackError } from "../errors.ts";
import type { Aggregator } from "../ports.ts";
import { aggregatorOf, tokenPlace, tradedTokenOf } from "../reconcile/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { TradeClaim } from "../store/index.ts";
import { openGate } from "./gate.ts";

/** So long after a trade the sweep goes on for a user whose callback did not. */
const GO_ON_AFTER_MS = 5 * MINUTE_MS;
/** Longer than any request lives: the one that traded has ended. */
const TRADE_LAPSE_MS = 2 * MINUTE_MS;

/**
 * Spends the state and trades the code. The id of the link that keeps the token; null when another
 * request has spent the state.
 */
export async function tradeOnce(
  deps: BankingDeps,
  aggregator: Aggregator,
  code: string,
  claim: Omit<TradeClaim, "aggregator" | "nowMs">,
): Promise<Result<string | null, CallbackError>> {
  const cipher = await deps.identity.cipherOf(claim.userId);
  if (cipher === null || !cipher.ok) {
    deps.log.alert("bank_key_unusable", { user_id: claim.userId });
    return err({ code: "aggregator_unavailable" });
  }
  const linkId = await deps.store.claimTrade({
    ...claim,
    aggregator: aggregator.name,
    nowMs: deps.clock.nowMs(),
  });
  if (linkId === null) return ok(null);
  // Once there is a link, a corrected birth date opens a review of the age; before, only this stops
  // the link.
  const gate = await openGate(deps.identity, claim.userId);
  if (!gate.ok) {
    await deps.store.endTrade(linkId, deps.clock.nowMs());
    return gate;
  }
  const token = await aggregator.tradeCode(code);
  if (!token.ok) return err(await untraded(deps, aggregator, linkId, token.error.code));
  const tokenCipher = await cipher.value.encrypt(tokenPlace(linkId), token.value);
  await deps.store.storeTraded(linkId, tokenCipher, deps.clock.nowMs() + GO_ON_AFTER_MS);
  return ok(linkId);
}

/** What a trade without a token means: refused, so that nothing is to be found; or lost. */
async function untraded(
  deps: BankingDeps,
  aggregator: Aggregator,
  linkId: string,
  reason: string,
): Promise<CallbackError> {
  switch (reason) {
    case "aggregator_refused":
    case "aggregator_not_found":
      await deps.store.endTrade(linkId, deps.clock.nowMs());
      return { code: "state_invalid" };
    case "aggregator_unauthorized":
      // Our own credentials: no code was spent, but the state is.
      deps.log.alert("bank_code_refused", { aggregator: aggregator.name, error: reason });
      await deps.store.endTrade(linkId, deps.clock.nowMs());
      return { code: "trade_lost" };
    default:
      deps.log.alert("bank_trade_lost", { link_id: linkId, error: reason });
      return { code: "trade_lost" };
  }
}

/** The link of a traded code, once the aggregator said whose token it is. */
export async function finishTrade(
  deps: BankingDeps,
  linkId: string,
): Promise<Result<LinkedUser, CallbackError>> {
  const linkedUser = await deps.store.linkedUserOfLink(linkId);
  if (linkedUser === null) return err({ code: "state_invalid" });
  if (linkedUser.linkState === "created") return ok(linkedUser);
  if (linkedUser.tradedTokenCipher !== null) return identify(deps, linkedUser);
  if (linkedUser.linkState !== "creating") return err({ code: "state_invalid" });
  const lapsed = deps.clock.nowMs() - (linkedUser.attemptAtMs ?? 0) > TRADE_LAPSE_MS;
  return err({ code: lapsed ? "trade_lost" : "aggregator_unavailable" });
}

async function identify(
  deps: BankingDeps,
  linkedUser: LinkedUser,
): Promise<Result<LinkedUser, CallbackError>> {
  const { linkId } = linkedUser;
  const aggregator = aggregatorOf(deps, linkedUser.aggregator);
  const token = await tradedTokenOf(deps, linkedUser);
  if (aggregator === null || !token.ok) {
    deps.log.alert("bank_key_unusable", { user_id: linkedUser.userId });
    return err({ code: "aggregator_unavailable" });
  }
  const remoteUserId = await aggregator.remoteUserOf(token.value);
  if (!remoteUserId.ok) {
    if (remoteUserId.error.code !== "aggregator_unauthorized") {
      deps.log.info("bank_trade_unread", { link_id: linkId, error: remoteUserId.error.code });
      return err({ code: "aggregator_unavailable" });
    }
    // Gone there already.
    await deps.store.endTrade(linkId, deps.clock.nowMs());
    return err({ code: "state_invalid" });
  }
  const stored = await deps.store.storeRemoteUser(linkedUser, remoteUserId.value);
  const after = await deps.store.linkedUserOfLink(linkId);
  if (after?.linkState === "created") return ok(after);
  if (!stored && after !== null && after.tradedTokenCipher !== null) {
    return discard(deps, aggregator, linkedUser, remoteUserId.value, token.value);
  }
  return err({ code: "state_invalid" });
}

/** A token that must not be kept: its user is deleted, unless it is the user of another link. */
async function discard(
  deps: BankingDeps,
  aggregator: Aggregator,
  { linkId, userId }: { readonly linkId: string; readonly userId: UserId },
  remoteUserId: string,
  token: string,
): Promise<Result<never, CallbackError>> {
  const owner = await deps.store.linkedUserByRemoteId(aggregator.name, remoteUserId);
  const isUnknown = !owner.ok && owner.error === "unknown";
  if (!isUnknown) {
    // A code of ours, made for a renewal, came back as if the page had made it.
    deps.log.alert("bank_code_of_another_link", { link_id: linkId, user_id: userId });
  }
  const gone = isUnknown ? await aggregator.deleteUser(token) : await aggregator.revokeToken(token);
  if (gone.ok) await deps.store.endTrade(linkId, deps.clock.nowMs());
  return err({ code: "state_invalid" });
}
