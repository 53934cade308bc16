// Expected refusals of the banking domain. Codes only: an aggregator's own message may quote a
// person.

/**
 * Why a call to an aggregator gave nothing.
 * - `aggregator_unavailable`: network, time-out, 429, 5xx or an HTML page instead of JSON; the call
 *   may be repeated later.
 * - `aggregator_unauthorized`: the token is no longer accepted: the user is gone there, or the
 *   token was revoked.
 * - `aggregator_not_found`: the resource does not exist, or is not visible to this token.
 * - `aggregator_refused`: any other refusal, with the aggregator's code where it is harmless.
 * - `aggregator_malformed`: an answer that we do not understand, or one that points to a foreign
 *   host.
 */
export type AggregatorError =
  | { readonly code: "aggregator_unavailable" }
  | { readonly code: "aggregator_unauthorized" }
  | { readonly code: "aggregator_not_found" }
  | { readonly code: "aggregator_refused"; readonly reason: string }
  | { readonly code: "aggregator_malformed" };

/** What keeps a user from linking a bank, when starting and when coming back. */
export type LinkGateError =
  | {
    readonly code: "consent_required";
    /** Not given, or withdrawn. */
    readonly missing: readonly ("terms" | "bank_data")[];
  }
  | { readonly code: "age_below_minimum"; readonly minimumAge: number }
  | { readonly code: "profile_incomplete" };

/** Why a user cannot start to link a bank, or to renew, now. */
export type StartError =
  | LinkGateError
  | {
    readonly code:
      | "redirect_uri_unknown"
      | "bank_unknown"
      | "not_found"
      | "aggregator_unavailable"
      | "programme_paused"
      /** As many trips to the bank's page as one user may begin in a day. */
      | "too_many_trips";
  };

/** `trade_lost`: the aggregator's answer to the code was lost, so linking has to begin again. */
export type CallbackError =
  | LinkGateError
  | {
    readonly code: "state_invalid" | "aggregator_unavailable" | "trade_lost" | "programme_paused";
  };

/** Why reading a connection's rows into the ledger stopped. */
export type ReadError =
  | AggregatorError
  | { readonly code: "ledger_unavailable" | "ledger_refused" | "erased" | "key_unusable" };
