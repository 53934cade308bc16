// The way back from the aggregator's page. Linking: only the code that the page gave to the browser
// of whoever typed the credentials, brought by the user who began, is believed. Renewing: nothing
// but the state is, and what the user has there is read.
import { sha256Hex } from "../../kernel/hash.ts";
import type { ConnectionId, UserId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import { accessFor, aggregatorOf, reconcile } from "../reconcile/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { LinkedConnection, LinkedUser } from "../connections/index.ts";
import type { CallbackError } from "../errors.ts";
import { PAGES_INLINE, readDue } from "../rows/index.ts";
import type { LinkIntent } from "../store/index.ts";
import { finishTrade, tradeOnce } from "./trade.ts";

export type CallbackInput = {
  readonly userId: UserId;
  readonly state: string;
  /** The page's own code; a renewal brings none. */
  readonly code: string | null;
  /** What the redirect claims to have connected: a hint. */
  readonly remoteConnectionId: string | null;
  readonly refused: boolean;
};
type Returned = {
  readonly outcome: "connected" | "renewed" | "refused";
  readonly connections: readonly LinkedConnection[];
};

/** So long the same answer is given again to the same state and code. */
const REPEAT_MS = 30 * MINUTE_MS;

/**
 * Takes a user back. The state must be this user's, and unspent, or spent lately with the same
 * code: then it goes on where it stopped. A refusal or an error there spends it without a
 * connection.
 */
export async function returnFromBank(
  deps: BankingDeps,
  input: CallbackInput,
): Promise<Result<Returned, CallbackError>> {
  // Before anything is spent: the user comes back with the same state once the halt has ended.
  if (await deps.halts.isHalted("linking")) return err({ code: "programme_paused" });
  const intent = await deps.store.intentOf(input.userId, sha256Hex(input.state));
  const codeHash = input.code === null ? null : sha256Hex(input.code);
  if (intent === null || !isOpen(intent, codeHash, deps.clock.nowMs())) {
    return err({ code: "state_invalid" });
  }
  if (input.refused) {
    const spent = await deps.store.spendIntent(intent.id, "refused", deps.clock.nowMs());
    return spent ? ok({ outcome: "refused", connections: [] }) : err({ code: "state_invalid" });
  }
  if (intent.kind === "renew") {
    return input.code === null ? renewed(deps, input.userId, intent) : err({
      code: "state_invalid",
    });
  }
  if (input.code === null || codeHash === null) return err({ code: "state_invalid" });
  const linkId = await tradedLink(deps, input, input.code, codeHash, intent);
  return linkId.ok ? connected(deps, input.userId, linkId.value) : linkId;
}

function isOpen(intent: LinkIntent, codeHash: string | null, nowMs: number): boolean {
  if (intent.spentAtMs === null) return intent.expiresAtMs > nowMs;
  return intent.outcome === "returned" && intent.codeHash === codeHash &&
    nowMs - intent.spentAtMs <= REPEAT_MS;
}

async function tradedLink(
  deps: BankingDeps,
  input: CallbackInput,
  code: string,
  codeHash: string,
  intent: LinkIntent,
): Promise<Result<string, CallbackError>> {
  if (intent.linkId !== null) return ok(intent.linkId);
  const aggregator = aggregatorOf(deps, intent.aggregator);
  if (aggregator === null) return err({ code: "aggregator_unavailable" });
  const traded = await tradeOnce(deps, aggregator, code, {
    intentId: intent.id,
    userId: input.userId,
    codeHash,
    remoteConnectionId: input.remoteConnectionId,
  });
  if (!traded.ok) return traded;
  if (traded.value !== null) return ok(traded.value);
  // Another request of the same user was faster; with the same code it is waited for.
  const after = await deps.store.intentOf(input.userId, intent.stateHash);
  return after !== null && after.linkId !== null && isOpen(after, codeHash, deps.clock.nowMs())
    ? ok(after.linkId)
    : err({ code: "state_invalid" });
}

/** Takes in what the traded token shows. */
async function connected(
  deps: BankingDeps,
  userId: UserId,
  linkId: string,
): Promise<Result<Returned, CallbackError>> {
  const linkedUser = await finishTrade(deps, linkId);
  if (!linkedUser.ok) return linkedUser;
  // The intent carries no seal, the link does: whose it is decides.
  if (linkedUser.value.userId !== userId) return err({ code: "state_invalid" });
  const connections = await takeIn(deps, linkedUser.value, null);
  if (!connections.ok) return connections;
  // The page gives a code only for a connection: one that is not shown yet will be.
  return connections.value.length === 0
    ? err({ code: "aggregator_unavailable" })
    : ok({ outcome: "connected", connections: connections.value });
}

/** The state is spent last, so that a failure in between can be repeated. */
async function renewed(
  deps: BankingDeps,
  userId: UserId,
  intent: LinkIntent,
): Promise<Result<Returned, CallbackError>> {
  const connectionId = intent.connectionId as ConnectionId;
  const link = await deps.store.linkOfConnection(userId, connectionId);
  const linkedUser = link === null ? null : await deps.store.linkedUserOfLink(link.linkId);
  if (linkedUser === null || linkedUser.linkState !== "created") {
    return err({ code: "state_invalid" });
  }
  const connections = await takeIn(deps, linkedUser, connectionId);
  if (!connections.ok) return connections;
  await deps.store.spendIntent(intent.id, "returned", deps.clock.nowMs());
  // It showed none of its accounts and has ended.
  const outcome = connections.value.length === 0 ? "refused" : "renewed";
  return ok({ outcome, connections: connections.value });
}

/** Brings our side in line and reads back what is due; `renewed` null means all of the link. */
async function takeIn(
  deps: BankingDeps,
  before: LinkedUser,
  renewedId: ConnectionId | null,
): Promise<Result<readonly LinkedConnection[], CallbackError>> {
  const access = await accessFor(deps, before);
  if (!access.ok) return err({ code: "aggregator_unavailable" });
  const reconciled = await reconcile(deps, before, access.value, renewedId);
  if (!reconciled.ok) {
    deps.log.alert("bank_return_unread", {
      aggregator: before.aggregator,
      error: reconciled.error.code,
    });
    return err({ code: "aggregator_unavailable" });
  }
  const { linkedUser, remote } = reconciled.value;
  const connections = linkedUser.connections.filter((connection) =>
    connection.status !== "removed" && (renewedId === null || connection.id === renewedId)
  );
  for (const connection of connections) {
    // What fails stays due and is finished by a webhook or the sweep.
    if (connection.fullRead === "due") {
      await readDue(deps, linkedUser, connection, access.value, remote, PAGES_INLINE);
    }
  }
  return ok(connections);
}
