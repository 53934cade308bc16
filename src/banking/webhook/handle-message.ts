// What an authentic, understood message leads to. One read of D1; no write when nothing changed;
// what differs from ours is read at the aggregator before it is believed.
import { isDatabaseFailure } from "../../db/database.ts";
import { errorClass } from "../../kernel/log.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import { differs, isFine } from "../connections/index.ts";
import type { Access, BankingDeps, Reconciled } from "../reconcile/index.ts";
import type { LinkedConnection, LinkedUser } from "../connections/index.ts";
import type { ReadError } from "../errors.ts";
import { accessFor, cipherFor, reconcile } from "../reconcile/index.ts";
import type { Aggregator, WebhookEvent, WebhookMessage } from "../ports.ts";
import {
  noteDropped,
  PAGES_INLINE,
  policyFor,
  readDue,
  readEarlier,
  recordEnd,
  recordRows,
} from "../rows/index.ts";
import type { Failure } from "./failure.ts";
import { unknownUser } from "./unknown-user.ts";

type Outcome = Failure | "unavailable" | null;

const RECONCILE_AGAIN_MS = 5 * MINUTE_MS;

/** Processes one message; null when all is done. Database failures throw. */
export async function processMessage(
  deps: BankingDeps,
  aggregator: Aggregator,
  event: WebhookEvent,
  message: WebhookMessage,
): Promise<Outcome> {
  const found = await deps.store.linkedUserByRemoteId(aggregator.name, message.remoteUserId);
  if (!found.ok) {
    return found.error === "unknown"
      ? unknownUser(deps, aggregator, message)
      : { reason: found.error, connectionId: null };
  }
  const linkedUser = found.value;
  if (!linkedUser.userActive) return { reason: "unknown_user", connectionId: null };
  // Late news of somebody who left.
  if (linkedUser.linkState !== "created") return null;
  const connection =
    linkedUser.connections.find((candidate) => candidate.remoteId === message.remoteConnectionId) ??
      null;
  try {
    switch (event) {
      case "user-deleted":
        return await userDeleted(deps, linkedUser);
      case "connection-deleted":
        return connection === null || connection.status === "removed"
          ? null
          : await connectionDeleted(deps, linkedUser, connection);
      default:
        return await changed(deps, linkedUser, connection, event, message);
    }
  } catch (error) {
    if (isDatabaseFailure(error)) throw error;
    // A defect met with this user's data: theirs waits for a repair, the others' queue goes on.
    deps.log.alert("webhook_defect", {
      webhook: event,
      connection_id: connection?.id ?? null,
      error: errorClass(error),
    });
    return { reason: "defect", connectionId: connection?.id ?? null };
  }
}

async function userDeleted(deps: BankingDeps, linkedUser: LinkedUser): Promise<Outcome> {
  const access = await accessFor(deps, linkedUser);
  if (!access.ok) return { reason: access.error.code, connectionId: null };
  const exists = await access.value.aggregator.userExists(access.value.token);
  if (!exists.ok) return { reason: exists.error.code, connectionId: null };
  if (exists.value) return { reason: "user_still_exists", connectionId: null };
  for (const connection of linkedUser.connections) {
    if (!(await recordEnd(deps, linkedUser, connection))) return "unavailable";
  }
  await deps.store.endLink(linkedUser.linkId, deps.clock.nowMs());
  return null;
}

async function connectionDeleted(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
): Promise<Outcome> {
  const access = await accessFor(deps, linkedUser);
  if (!access.ok) return { reason: access.error.code, connectionId: connection.id };
  const remote = await access.value.aggregator.connections(access.value.token);
  if (!remote.ok) return { reason: remote.error.code, connectionId: connection.id };
  if (remote.value.some((candidate) => candidate.remoteId === connection.remoteId)) {
    return { reason: "connection_still_exists", connectionId: null };
  }
  if (!(await recordEnd(deps, linkedUser, connection))) return "unavailable";
  await deps.store.removeConnection(linkedUser.userId, connection.id, true, deps.clock.nowMs());
  return null;
}

/** A sync, or an account that came, changed or went. */
async function changed(
  deps: BankingDeps,
  before: LinkedUser,
  known: LinkedConnection | null,
  event: WebhookEvent,
  message: WebhookMessage,
): Promise<Outcome> {
  // Ended by the user, or the consent is withdrawn: nothing more is taken in, whatever the
  // aggregator still sends.
  if (known?.status === "removed" || before.bankDataSinceMs === null) return null;
  const readable = known?.fullRead === "due" &&
    (message.connection === null || message.connection.lastUpdateMs !== null);
  const strange = known === null ||
    differs(known, message.connection, message.accounts, deps.clock.nowMs());
  let linkedUser = before;
  let seen: (Reconciled & { readonly access: Access }) | null = null;
  if (strange || readable) {
    const reconciled = await reconcileNow(deps, before);
    if (!reconciled.ok) {
      if (known === null) return await unknownYet(deps, before, reconciled.error.code);
      // Our own state still serves: rows of accounts that we know are recorded, the rest waits for
      // the repair, or for the read back that is due anyway.
      const outcome = await take(deps, before, known, event, message);
      return outcome ??
        (strange ? { reason: reconciled.error.code, connectionId: known.id } : null);
    }
    seen = reconciled.value;
    linkedUser = seen.linkedUser;
  }
  const connection = linkedUser.connections.find((candidate) =>
    candidate.remoteId === message.remoteConnectionId
  );
  if (connection === undefined) return { reason: "unknown_connection", connectionId: null };
  if (connection.status === "removed") return null;
  const outcome = await take(deps, linkedUser, connection, event, message);
  if (outcome !== null) return outcome;
  if (seen !== null && connection.fullRead === "due") {
    await readDue(deps, seen.linkedUser, connection, seen.access, seen.remote, PAGES_INLINE);
  }
  return unknownAccount(connection, message);
}

async function reconcileNow(
  deps: BankingDeps,
  linkedUser: LinkedUser,
): Promise<{ ok: true; value: Reconciled & { access: Access } } | { ok: false; error: ReadError }> {
  const access = await accessFor(deps, linkedUser);
  if (!access.ok) return access;
  const reconciled = await reconcile(deps, linkedUser, access.value);
  return reconciled.ok
    ? { ok: true, value: { ...reconciled.value, access: access.value } }
    : reconciled;
}

/** A connection that we cannot look at yet: the sweep will, so nothing of it is lost. */
async function unknownYet(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  reason: ReadError["code"],
): Promise<Outcome> {
  await deps.store.scheduleReconcile(linkedUser.linkId, deps.clock.nowMs() + RECONCILE_AGAIN_MS, 0);
  return { reason, connectionId: null };
}

/** Minimises and records the rows that came with the message. */
async function take(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
  event: WebhookEvent,
  message: WebhookMessage,
): Promise<Outcome> {
  const remote = message.connection;
  const nowMs = deps.clock.nowMs();
  // A sync that is still to come would count as the last one for ever.
  const syncedAtMs = event === "connection-synced" && remote !== null &&
      isFine(remote.condition) && remote.lastUpdateMs !== null
    ? Math.min(remote.lastUpdateMs, nowMs)
    : null;
  const cipher = await cipherFor(deps, linkedUser);
  if (!cipher.ok) return { reason: cipher.error.code, connectionId: connection.id };
  if (event !== "connection-synced" && event !== "account-synced") return null;
  const catalogue = await deps.catalogue.snapshot(linkedUser.catalogueVersion);
  const rows = message.minimise(policyFor(deps, linkedUser, connection, catalogue));
  noteDropped(deps, connection, rows);
  const recorded = await recordRows(
    deps,
    linkedUser,
    connection,
    cipher.value,
    catalogue,
    { rows: rows.rows, arrival: { by: "webhook", atMs: nowMs }, syncedAtMs },
  );
  if (recorded.ok) {
    await readEarlier(deps, connection, recorded.value.readByMs);
    return null;
  }
  if (recorded.error.code === "ledger_unavailable") return "unavailable";
  return { reason: recorded.error.code, connectionId: connection.id };
}

/**
 * Current and card accounts that the message names as enabled and that nobody knows, not even the
 * aggregator when asked.
 */
function unknownAccount(connection: LinkedConnection, message: WebhookMessage): Outcome {
  // Shown with a renewal and not taken in: that is no message to ask about again.
  if (connection.renewalOfferedAtMs !== null) return null;
  const strange = message.accounts.some((account) =>
    account.kind !== null && account.state === "enabled" &&
    !connection.accounts.some((known) => known.remoteId === account.remoteId)
  );
  return strange ? { reason: "unknown_account", connectionId: null } : null;
}
