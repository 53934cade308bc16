// One bounded step of a running renewal. For each link: a new token is asked for, stored in the place
// of the old one, and the old one is ended ten minutes later. Any await may be the last: until the
// new token is stored the old one works and is kept, and a token whose storing failed is known to
// nobody. The aggregator could end the old tokens with the renewal itself (`revoke_previous`), but
// then a call in flight would meet a dead token, which reads as a user who is gone, and an ending
// would leave that user's data there.
import { MINUTE_MS } from "../../kernel/time.ts";
import { backoffMs } from "../connections/index.ts";
import { accessFor, aggregatorOf, cipherFor, tokenPlace } from "../reconcile/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { RenewalItem } from "../store/index.ts";

const STEP_ITEMS = 20;
/** Longer than any request lives: whoever claimed the item has ended. */
const CLAIM_MS = 2 * MINUTE_MS;
/** No call that read the old token runs so long. */
const END_OLD_AFTER_MS = 10 * MINUTE_MS;
/** An item that still fails after so many tries is shown to operators. */
const ALERT_AFTER_TRIES = 6;

/** `stop`: the aggregator does not answer, or refuses our own credentials; the others would too. */
type Outcome = "done" | "later" | "stop";

/** Goes on with the running job, if there is one. True: there was as much as a step may do. */
export async function renewTokens(deps: BankingDeps, nowMs: number): Promise<boolean> {
  const job = await deps.store.runningTokenRenewal();
  if (job === null) return false;
  if (job.walked === 0) await deps.store.takeOnLinks(job, STEP_ITEMS, nowMs);
  const due = await deps.store.dueRenewalItems(job.id, nowMs, STEP_ITEMS);
  for (const item of due) {
    if (!(await deps.store.claimRenewalItem(item, nowMs + CLAIM_MS))) continue;
    const outcome = await (item.oldTokenCipher === null
      ? renew(deps, item, nowMs)
      : endOld(deps, item, item.oldTokenCipher));
    if (outcome === "done") {
      continue;
    }
    await deps.store.postponeRenewalItem(item, nowMs + backoffMs(item.tries));
    if (item.tries + 1 === ALERT_AFTER_TRIES) {
      deps.log.alert("bank_token_renewal_failing", { link_id: item.linkId, tries: item.tries + 1 });
    }
    if (outcome === "stop") {
      return false;
    }
  }
  if (await deps.store.finishTokenRenewal(job.id, nowMs)) {
    deps.log.info("bank_token_renewal_finished", { renewal_id: job.id });
  }
  return due.length >= STEP_ITEMS;
}

async function renew(deps: BankingDeps, item: RenewalItem, nowMs: number): Promise<Outcome> {
  const linkedUser = await deps.store.linkedUserOfLink(item.linkId);
  // A link that must not be used still has a token that leaked: the job stays open and alerts.
  if (linkedUser === null) return "later";
  if (linkedUser.linkState === "ended") {
    await deps.store.finishRenewalItem(item, "ended");
    return "done";
  }
  const remoteUserId = await deps.store.remoteUserOfLink(item.linkId);
  const access = await accessFor(deps, linkedUser);
  const oldCipher = linkedUser.tokenCipher;
  // A trade that is under way gets its token later.
  if (remoteUserId === null || !access.ok || oldCipher === null) return "later";
  const { aggregator, cipher } = access.value;
  const token = await aggregator.renewToken(remoteUserId);
  if (!token.ok) {
    deps.log.info("bank_token_not_renewed", { link_id: item.linkId, error: token.error.code });
    switch (token.error.code) {
      case "aggregator_unauthorized":
        deps.log.alert("bank_token_renewal_refused", { aggregator: aggregator.name });
        return "stop";
      case "aggregator_unavailable":
        return "stop";
      default:
        return "later";
    }
  }
  const newCipher = await cipher.encrypt(tokenPlace(item.linkId), token.value);
  const replaced = await deps.store.replaceToken(
    item,
    { oldCipher, newCipher },
    nowMs + END_OLD_AFTER_MS,
  );
  if (replaced) return "done";
  // The link ended meanwhile, or another had it: this token is nobody's.
  await aggregator.revokeToken(token.value);
  return "later";
}

async function endOld(
  deps: BankingDeps,
  item: RenewalItem,
  oldTokenCipher: string,
): Promise<Outcome> {
  const linkedUser = await deps.store.linkedUserOfLink(item.linkId);
  const aggregator = linkedUser === null ? null : aggregatorOf(deps, linkedUser.aggregator);
  if (linkedUser === null || aggregator === null) return "later";
  const cipher = await cipherFor(deps, linkedUser);
  const old = cipher.ok
    ? await cipher.value.decrypt(tokenPlace(item.linkId), oldTokenCipher)
    : cipher;
  if (!old.ok) return "later";
  const ended = await aggregator.revokeToken(old.value);
  if (!ended.ok) return ended.error.code === "aggregator_unavailable" ? "stop" : "later";
  await deps.store.finishRenewalItem(item, "renewed");
  return "done";
}
