// The ledger as other domains call it: one RPC per question, over a namespace known only by its
// shape. It decides what is retried and keeps one user's trouble (`ledger_refused`) apart from the
// platform's (`ledger_unavailable`).
import type { UserId } from "../../kernel/ids.ts";
import { errorClass } from "../../kernel/log.ts";
import type { Log } from "../../kernel/log.ts";
import { err } from "../../kernel/result.ts";
import type { Clock } from "../../kernel/time.ts";
import type { LedgerError, LedgerOperations, LedgerPort } from "../ports.ts";
import { eachMethod, LEDGER_METHODS } from "./methods.ts";
import type { LedgerMethod, LedgerNamespace, MethodAnswer, MethodInput } from "./methods.ts";

type LedgerClient = {
  readonly [M in LedgerMethod]: (
    userId: UserId,
    input?: MethodInput<M>,
  ) => Promise<MethodAnswer<M> | { readonly ok: false; readonly error: LedgerError }>;
};
type LedgerClientParts = {
  /** Already restricted to the configured jurisdiction (platform/cloudflare/jurisdiction.ts). */
  readonly namespace: LedgerNamespace;
  readonly clock: Clock;
  readonly log: Log;
};

/** One first try and two more: the platform itself already retries what never arrived. */
const ATTEMPTS_MAX = 3;

/**
 * The ledger over an object namespace. Every call names one user and ends in a result; it never
 * throws.
 */
export function ledgerClient(
  { namespace, clock, log }: LedgerClientParts,
): LedgerPort & LedgerOperations {
  return eachMethod<LedgerClient>(
    LEDGER_METHODS,
    (name) => async (userId: UserId, input?: unknown) => {
      for (let attempt = 1;; attempt++) {
        try {
          // A stub is broken after an exception: a fresh one for each attempt. Repeating is safe,
          // every call is idempotent.
          const stub = namespace.getByName(userId);
          // Only methods whose input is null may be called without one (`LedgerPort`).
          return await stub[name]((input ?? null) as never, clock.nowMs());
        } catch (error) {
          const failure = failureOf(error);
          if (failure.retryable && attempt < ATTEMPTS_MAX) continue;
          log.alert("ledger_call_failed", {
            user_id: userId,
            error: errorClass(error),
            code: failure.code,
          });
          return err({ code: failure.code });
        }
      }
    },
  );
}

/** By the marks that the platform puts on its errors, never by their text. */
function failureOf(
  error: unknown,
): { readonly retryable: boolean; readonly code: "ledger_refused" | "ledger_unavailable" } {
  const marks: {
    readonly retryable?: unknown;
    readonly overloaded?: unknown;
    readonly remote?: unknown;
  } = typeof error === "object" && error !== null ? error : {};
  // Overloaded is that one object; `remote` was thrown by its own code (a constructor that
  // refuses): this user's trouble.
  if (marks.overloaded === true) return { retryable: false, code: "ledger_refused" };
  if (marks.retryable === true) return { retryable: true, code: "ledger_unavailable" };
  return {
    retryable: false,
    code: marks.remote === true ? "ledger_refused" : "ledger_unavailable",
  };
}
