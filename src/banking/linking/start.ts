// Sending a user to the aggregator's page. The bank's credentials are typed there and never pass
// here (promise P1).
import { base64UrlEncode } from "../../kernel/encoding.ts";
import { sha256Hex } from "../../kernel/hash.ts";
import type { ConnectionId, SessionId, UserId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import { accessFor, aggregatorOf } from "../reconcile/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { LinkedConnection } from "../connections/index.ts";
import type { StartError } from "../errors.ts";
import type { Aggregator, AggregatorName } from "../ports.ts";
import { openGate } from "./gate.ts";

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

/** The aggregator's code lives half an hour; so does the way back. */
const INTENT_MS = 30 * MINUTE_MS;

/**
 * Starts a new connection: gates, and the address of the aggregator's page. Nothing is made there
 * yet: the page is opened without a code of ours, and whoever types credentials on it gets the code
 * that proves it. So an address that reaches somebody else is of no use to the one who asked for
 * it.
 */
export async function startConnection(
  deps: BankingDeps,
  input: StartInput,
): Promise<Result<Started, StartError>> {
  if (await deps.halts.isHalted("linking")) return err({ code: "programme_paused" });
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
  return authorize(deps, aggregator, null, {
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
  if (await deps.halts.isHalted("linking")) return err({ code: "programme_paused" });
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
  const { aggregator } = access.value;
  await deps.store.offerRenewal(connection.id, deps.clock.nowMs());
  const code = await aggregator.temporaryCode(access.value.token);
  if (!code.ok) {
    deps.log.alert("bank_code_refused", { aggregator: aggregator.name, error: code.error.code });
    return err({ code: "aggregator_unavailable" });
  }
  return authorize(deps, aggregator, code.value, {
    ...input,
    bankId: null,
    locale: gate.value.locale,
    connection,
  });
}

type AuthorizationRequest = {
  readonly userId: UserId;
  readonly sessionId: SessionId | null;
  readonly redirectUri: string;
  readonly bankId: string | null;
  readonly locale: "fr" | "en";
  readonly connection: LinkedConnection | null;
};

/** Notes the intent and makes the address of the aggregator's page, with a fresh state. */
async function authorize(
  deps: BankingDeps,
  aggregator: Aggregator,
  code: string | null,
  input: AuthorizationRequest,
): Promise<Result<Started, StartError>> {
  const nowMs = deps.clock.nowMs();
  const state = base64UrlEncode(deps.random(32));
  const expiresAtMs = nowMs + INTENT_MS;
  const added = await deps.store.addIntent({
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
  if (!added) return err({ code: "too_many_trips" });
  const authorizationUrl = aggregator.webviewUrl({
    flow: input.connection === null ? "connect" : "reconnect",
    locale: input.locale,
    redirectUri: input.redirectUri,
    code,
    state,
    bankId: input.bankId,
    remoteConnectionId: input.connection?.remoteId ?? null,
  });
  return ok({ authorizationUrl, state, expiresAtMs });
}
