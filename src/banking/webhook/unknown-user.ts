// An authentic message of an aggregator's user that no link has. Three kinds: its trade is under
// way and its answer not stored yet; the answer was lost; or nobody knows.
import { MINUTE_MS } from "../../kernel/time.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { Aggregator, WebhookMessage } from "../ports.ts";
import { LOST_TRADE_MS } from "../store/index.ts";
import type { Failure } from "./failure.ts";

/** So long after it began a trade may still be answered, repeated or looked at. */
const OPEN_TRADE_MS = 10 * MINUTE_MS;

/**
 * Null when nothing is to be set aside. During an open trade the message is passed over: the full
 * read that follows brings all that it holds. The user of a lost trade is nobody's, and is deleted.
 */
export async function unknownUser(
  deps: BankingDeps,
  aggregator: Aggregator,
  message: WebhookMessage,
): Promise<Failure | null> {
  const nowMs = deps.clock.nowMs();
  if (await deps.store.tradeIsOpen(aggregator.name, nowMs - OPEN_TRADE_MS)) return null;
  const lost = message.remoteConnectionId === null
    ? null
    : await deps.store.lostTrade(aggregator.name, message.remoteConnectionId, {
      fromMs: nowMs - LOST_TRADE_MS,
      untilMs: nowMs - OPEN_TRADE_MS,
    });
  if (lost === null) return { reason: "unknown_user", connectionId: null };
  const token = await aggregator.renewToken(message.remoteUserId);
  const gone = token.ok ? await aggregator.deleteUser(token.value) : token;
  if (!gone.ok) return { reason: gone.error.code, connectionId: null };
  await deps.store.endTrade(lost, nowMs);
  deps.log.info("bank_lost_trade_deleted", { link_id: lost });
  return null;
}
