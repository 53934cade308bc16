// Taking a user to the aggregator's page and back. The bank's credentials are typed there and never
// pass here (promise P1).
import type { IdentityPort, LinkGate } from "../../identity/ports.ts";
import { base64UrlEncode } from "../../kernel/encoding.ts";
import { sha256Hex } from "../../kernel/hash.ts";
import type { ConnectionId, SessionId, UserId } from "../../kernel/ids.ts";
import type { UserCipher } from "../../kernel/keyring.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import { accessFor, aggregatorOf, reconcile, tokenPlace } from "../reconcile/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { LinkedConnection } from "../connections/index.ts";
import type { CallbackError, StartError } from "../errors.ts";
import type { Aggregator, AggregatorName } from "../ports.ts";
import { PAGES_INLINE, readDue } from "../rows/index.ts";

export type StartInput = {
  readonly userId: UserId;
  readonly sessionId: SessionId | null;
  readonly redirectUri: string;
  readonly bankId: string | null;
  readonly aggregator: AggregatorName | null;
  readonly locale: "fr" | "en" | null;
};
export type RenewalInput = {
  readonly userId: UserId;
  readonly sessionId: SessionId | null;
  readonly redirectUri: string;
  readonly connectionId: ConnectionId;
};
type Started = {
  readonly authorizationUrl: string;
  readonly state: string;
  readonly expiresAtMs: number;
};

export type CallbackInput = {
  readonly userId: UserId;
  readonly state: string;
  readonly remoteIds: readonly string[];
  readonly refused: boolean;
};
type Returned = {
  readonly outcome: "connected" | "renewed" | "refused";
  readonly connections: readonly LinkedConnection[];
};

/** The aggregator's code lives half an hour; so does the way back. */
const INTENT_MS = 30 * MINUTE_MS;
/**
 * Longer than any request lives: the one that held the right to create the user there has ended.
 */
const CREATION_LAPSE_MS = 2 * MINUTE_MS;
/** When to reconcile a user who has neither come back nor been announced by a webhook. */
const RECONCILE_AFTER_MS = 20 * MINUTE_MS;

type Link = { readonly linkId: string; readonly token: string };

/**
 * Starts a new connection: gates, the user at the aggregator, a code, the address of the
 * aggregator's page.
 */
export async function startConnection(
  deps: BankingDeps,
  input: StartInput,
): Promise<Result<Started, StartError>> {
  const gate = await openGate(deps.identity, input.userId);
  if (!gate.ok) return gate;
  if (!deps.redirectUris.includes(input.redirectUri)) return err({ code: "redirect_uri_unknown" });
  const aggregator = input.aggregator === null
    ? (deps.aggregators[0] ?? null)
    : aggregatorOf(deps, input.aggregator);
  if (aggregator === null) return err({ code: "aggregator_unavailable" });
  if (input.bankId !== null) {
    const banks = await aggregator.banks();
    if (!banks.ok) return err({ code: "aggregator_unavailable" });
    if (!banks.value.some((bank) => bank.id === input.bankId)) return err({ code: "bank_unknown" });
  }
  const link = await ensureLink(deps, aggregator, input.userId);
  if (!link.ok) return link;
  // A birth date corrected before the link was there opened no review of the age: asked again now
  // that it would.
  const still = await openGate(deps.identity, input.userId);
  if (!still.ok) return still;
  return authorize(deps, aggregator, link.value, {
    ...input,
    locale: input.locale ?? gate.value.locale,
    connection: null,
  });
}

/** Starts the renewal of a consent, or of credentials, for a connection that the user has. */
export async function startRenewal(
  deps: BankingDeps,
  input: RenewalInput,
): Promise<Result<Started, StartError>> {
  const gate = await openGate(deps.identity, input.userId);
  if (!gate.ok) return gate;
  const found = await deps.store.linkOfConnection(input.userId, input.connectionId);
  const linkedUser = found === null ? null : await deps.store.linkedUserOfLink(found.linkId);
  const connection = linkedUser?.connections.find((candidate) =>
    candidate.id === input.connectionId
  );
  if (linkedUser === null || connection === undefined || connection.status === "removed") {
    return err({ code: "not_found" });
  }
  if (!deps.redirectUris.includes(input.redirectUri)) return err({ code: "redirect_uri_unknown" });
  const access = await accessFor(deps, linkedUser);
  if (!access.ok) return err({ code: "aggregator_unavailable" });
  return authorize(deps, access.value.aggregator, {
    linkId: linkedUser.linkId,
    token: access.value.token,
  }, { ...input, bankId: null, locale: gate.value.locale, connection });
}

async function openGate(
  identity: IdentityPort,
  userId: UserId,
): Promise<Result<LinkGate, StartError>> {
  const gate = await identity.linkGate(userId);
  if (gate === null || gate.termsGrantedAtMs === null || gate.bankDataGrantedAtMs === null) {
    return err({ code: "consent_required" });
  }
  if (gate.oldEnough === false) return err({ code: "age_below_minimum" });
  if (!gate.profileComplete || gate.oldEnough === null) return err({ code: "profile_incomplete" });
  return ok(gate);
}

type AuthorizationRequest = {
  readonly userId: UserId;
  readonly sessionId: SessionId | null;
  readonly redirectUri: string;
  readonly bankId: string | null;
  readonly locale: "fr" | "en";
  readonly connection: LinkedConnection | null;
};

/** Notes the intent and makes the address of the aggregator's page, with a fresh code and state. */
async function authorize(
  deps: BankingDeps,
  aggregator: Aggregator,
  link: Link,
  input: AuthorizationRequest,
): Promise<Result<Started, StartError>> {
  const nowMs = deps.clock.nowMs();
  const state = base64UrlEncode(deps.random(32));
  const expiresAtMs = nowMs + INTENT_MS;
  await deps.store.addIntent({
    userId: input.userId,
    sessionId: input.sessionId,
    aggregator: aggregator.name,
    kind: input.connection === null ? "connect" : "renew",
    connectionId: input.connection?.id ?? null,
    redirectUri: input.redirectUri,
    stateHash: sha256Hex(state),
    createdAtMs: nowMs,
    expiresAtMs,
  });
  // The code may live minutes only: made last.
  const code = await aggregator.temporaryCode(link.token);
  if (!code.ok) {
    deps.log.alert("bank_code_refused", { aggregator: aggregator.name, error: code.error.code });
    return err({ code: "aggregator_unavailable" });
  }
  if (input.connection === null) {
    await deps.store.scheduleReconcile(link.linkId, nowMs + RECONCILE_AFTER_MS, 0);
  }
  const authorizationUrl = aggregator.webviewUrl({
    flow: input.connection === null ? "connect" : "reconnect",
    locale: input.locale,
    redirectUri: input.redirectUri,
    code: code.value,
    state,
    bankId: input.bankId,
    remoteConnectionId: input.connection?.remoteId ?? null,
  });
  return ok({ authorizationUrl, state, expiresAtMs });
}

/**
 * The user at the aggregator, created there when there is none: at most one request at a time may
 * try.
 */
async function ensureLink(
  deps: BankingDeps,
  aggregator: Aggregator,
  userId: UserId,
): Promise<Result<Link, StartError>> {
  const cipher = await deps.identity.cipherOf(userId);
  if (cipher === null || !cipher.ok) {
    deps.log.alert("bank_key_unusable", { user_id: userId });
    return err({ code: "aggregator_unavailable" });
  }
  await deps.store.intendLink(userId, aggregator.name, deps.clock.nowMs());
  const link = await deps.store.activeLink(userId, aggregator.name);
  if (link === null) return err({ code: "in_progress" });
  if (link.state === "created" && link.tokenCipher !== null) {
    const token = await cipher.value.decrypt(tokenPlace(link.id), link.tokenCipher);
    if (token.ok) return ok({ linkId: link.id, token: token.value });
    deps.log.alert("bank_key_unusable", { user_id: userId });
    return err({ code: "aggregator_unavailable" });
  }
  return createThere(deps, aggregator, link.id, cipher.value);
}

/**
 * Creates the user there. The call is made once per attempt: when its answer is lost, or ours
 * cannot be stored, a user may be left behind at the aggregator, without any connection; that is
 * alerted, and the next attempt makes another.
 */
async function createThere(
  deps: BankingDeps,
  aggregator: Aggregator,
  linkId: string,
  cipher: UserCipher,
): Promise<Result<Link, StartError>> {
  const taken = await deps.store.takeCreation(linkId, deps.clock.nowMs(), CREATION_LAPSE_MS);
  if (taken === null) return err({ code: "in_progress" });
  if (taken.attempts > 1) {
    deps.log.alert("bank_user_maybe_orphaned", {
      aggregator: aggregator.name,
      link_id: linkId,
      attempts: taken.attempts,
    });
  }
  const created = await aggregator.createUser();
  if (!created.ok) {
    deps.log.alert("bank_user_not_created", {
      aggregator: aggregator.name,
      link_id: linkId,
      error: created.error.code,
    });
    await deps.store.releaseCreation(linkId, taken.attempts);
    return err({ code: "aggregator_unavailable" });
  }
  const tokenCipher = await cipher.encrypt(tokenPlace(linkId), created.value.token);
  const stored = await deps.store.storeCreated(
    linkId,
    taken.attempts,
    created.value.remoteUserId,
    tokenCipher,
  );
  if (stored) return ok({ linkId, token: created.value.token });
  // Somebody else took over, or the user withdrew meanwhile: this one is not needed, and we still
  // hold its token.
  await aggregator.deleteUser(created.value.token);
  return err({ code: "in_progress" });
}

/**
 * The way back from the aggregator's page. The state must be this user's, unspent and in time. Ids
 * are a hint: what is taken in is what the user really has there, read with the user's own token. A
 * refusal or an error there spends the intent without a connection. The state is spent last, so that
 * a failure in between can be repeated.
 */
export async function returnFromBank(
  deps: BankingDeps,
  input: CallbackInput,
): Promise<Result<Returned, CallbackError>> {
  const intent = await deps.store.openIntent(
    input.userId,
    sha256Hex(input.state),
    deps.clock.nowMs(),
  );
  if (intent === null) return err({ code: "state_invalid" });
  if (input.refused) {
    await deps.store.spendIntent(intent.id, "refused", deps.clock.nowMs());
    return ok({ outcome: "refused", connections: [] });
  }
  const link = await deps.store.activeLink(input.userId, intent.aggregator);
  const linkedUser = link === null ? null : await deps.store.linkedUserOfLink(link.id);
  if (linkedUser === null) return err({ code: "state_invalid" });
  const access = await accessFor(deps, linkedUser);
  if (!access.ok) return err({ code: "aggregator_unavailable" });
  const known = new Set(linkedUser.connections.map((connection) => connection.remoteId));
  const reconciled = await reconcile(
    deps,
    linkedUser,
    access.value,
    intent.connectionId as ConnectionId | null,
  );
  if (!reconciled.ok) {
    deps.log.alert("bank_return_unread", {
      aggregator: intent.aggregator,
      error: reconciled.error.code,
    });
    return err({ code: "aggregator_unavailable" });
  }
  const meant = (connection: LinkedConnection): boolean =>
    intent.kind === "renew"
      ? connection.id === intent.connectionId
      : input.remoteIds.includes(connection.remoteId) || !known.has(connection.remoteId);
  const connections = reconciled.value.linkedUser.connections.filter((connection) =>
    connection.status !== "removed" && meant(connection)
  );
  for (const connection of connections) {
    // What fails stays due and is finished by a webhook or the sweep.
    if (connection.fullRead === "due") {
      await readDue(
        deps,
        reconciled.value.linkedUser,
        connection,
        access.value,
        reconciled.value.remote,
        PAGES_INLINE,
      );
    }
  }
  if (!(await deps.store.spendIntent(intent.id, "returned", deps.clock.nowMs()))) {
    return err({ code: "state_invalid" });
  }
  return ok({ outcome: intent.kind === "renew" ? "renewed" : "connected", connections });
}
