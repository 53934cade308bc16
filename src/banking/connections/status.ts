// What a connection's state means to its user. Pure.
import { DAY_MS, HOUR_MS } from "../../kernel/time.ts";
import type { RemoteCondition, RemoteConnection } from "../ports.ts";

export type BaseStatus =
  | "connecting"
  | "active"
  | "action_required"
  | "expired"
  | "unavailable"
  | "removed";
export type Action = "none" | "renew" | "update_credentials" | "act_at_bank";
export type ConnectionStatus = { readonly status: BaseStatus; readonly action: Action };

/**
 * A bank's consent lasts 180 days where the aggregator does not say (RTS on strong customer
 * authentication, article 10).
 */
export const CONSENT_MS = 180 * DAY_MS;
/** So long a temporary trouble at the bank changes nothing of what the user sees. */
const QUIET_MS = 72 * HOUR_MS;

/**
 * Status and action for what the aggregator says now, given what we showed before. `settling` and,
 * for a while, `transient` keep it; a state that we do not know is shown as `unavailable` and never
 * fails.
 */
export function connectionStatus(
  remote: Pick<RemoteConnection, "condition" | "lastUpdateMs">,
  previous: ConnectionStatus,
  consentExpiresAtMs: number,
  nowMs: number,
): ConnectionStatus {
  const ask = (action: Action): ConnectionStatus => ({ status: "action_required", action });
  switch (remote.condition) {
    case "ok":
      return remote.lastUpdateMs === null
        ? { status: "connecting", action: "none" }
        : { status: "active", action: "none" };
    case "renew":
      return consentExpiresAtMs <= nowMs ? { status: "expired", action: "renew" } : ask("renew");
    case "update_credentials":
    case "act_at_bank":
      return ask(remote.condition);
    case "settling":
      return previous;
    case "transient":
      return remote.lastUpdateMs !== null && nowMs - remote.lastUpdateMs < QUIET_MS
        ? previous
        : { status: "unavailable", action: "none" };
    case "lost":
    case "unknown":
      return { status: "unavailable", action: "none" };
  }
}

/** When the bank's consent ends: the aggregator's word, else 180 days from when it was given. */
export function consentEnd(
  remote: Pick<RemoteConnection, "consentExpiresAtMs">,
  grantedAtMs: number,
): number {
  return remote.consentExpiresAtMs ?? grantedAtMs + CONSENT_MS;
}

/** True for conditions that mean the sync itself worked. */
export function isFine(condition: RemoteCondition): boolean {
  return condition === "ok";
}

const BACKOFF_FIRST_MS = 60_000;
const BACKOFF_MAX_MS = 6 * HOUR_MS;

/** How long to wait before the next try: doubling from a minute to six hours. */
export function backoffMs(tries: number): number {
  return Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(tries, 12), BACKOFF_MAX_MS);
}
