// The ledger as other domains call it: one RPC per question, over a namespace known only by its
// shape. It decides what is retried and tells one user's trouble (`ledger_refused`) from the
// platform's (`ledger_unavailable`).
import type { UserId } from "../../kernel/ids.ts";
import { errorClass } from "../../kernel/log.ts";
import type { Log } from "../../kernel/log.ts";
import { err } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { Clock } from "../../kernel/time.ts";
import type { Engine } from "../engine.ts";
import type { Leaf, LedgerError, LedgerOperations, LedgerPort } from "../ports.ts";

type Remote<M> = M extends (input: infer I, nowMs: number) => infer R ? (
    input: I,
    nowMs: number,
  ) => PromiseLike<R | { readonly ok: false; readonly error: { readonly code: "ledger_refused" } }>
  : never;

/**
 * What a stub of the object class offers; a Durable Object stub has this shape, and so has the Deno
 * edition.
 */
export type LedgerStub =
  & {
    readonly [
      M in
        | "record"
        | "points"
        | "entries"
        | "overview"
        | "purchases"
        | "purchase"
        | "activate"
        | "activations"
        | "bankingActivity"
        | "operate"
        | "reviews"
        | "decideReview"
        | "exportPage"
        | "verify"
    ]: Remote<Engine[M]>;
  }
  & {
    readonly runDue: (
      input: null,
      nowMs: number,
    ) => PromiseLike<
      Result<{ readonly more: boolean }, { readonly code: "erased" | "ledger_refused" }>
    >;
    readonly reproject: (
      input: null,
      nowMs: number,
    ) => PromiseLike<
      Result<{ readonly more: boolean }, { readonly code: "erased" | "ledger_refused" }>
    >;
    readonly leaf: () => PromiseLike<Result<Leaf, { readonly code: "ledger_refused" }>>;
    readonly erase: () => PromiseLike<Result<Leaf, { readonly code: "ledger_refused" }>>;
  };
export type LedgerNamespace = { readonly getByName: (name: string) => LedgerStub };
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
export function ledgerClient(parts: LedgerClientParts): LedgerPort & LedgerOperations {
  const { namespace } = parts;
  const call = async <T extends { readonly ok: boolean }>(
    userId: UserId,
    ask: (stub: LedgerStub, nowMs: number) => PromiseLike<T>,
  ): Promise<T | { readonly ok: false; readonly error: LedgerError }> => {
    for (let attempt = 1;; attempt++) {
      try {
        // A stub is broken after an exception: a fresh one for each attempt. Repeating is safe,
        // every call is idempotent.
        return await ask(namespace.getByName(userId), parts.clock.nowMs());
      } catch (error) {
        const failure = failureOf(error);
        if (failure.retryable && attempt < ATTEMPTS_MAX) continue;
        parts.log.alert("ledger_call_failed", {
          user_id: userId,
          error: errorClass(error),
          code: failure.code,
        });
        return err({ code: failure.code });
      }
    }
  };
  return {
    record: (userId, batch) => call(userId, (stub, nowMs) => stub.record(batch, nowMs)),
    points: (userId) => call(userId, (stub, nowMs) => stub.points(null, nowMs)),
    entries: (userId, limit, before) =>
      call(userId, (stub, nowMs) => stub.entries({ limit, before }, nowMs)),
    overview: (userId, limit) => call(userId, (stub, nowMs) => stub.overview({ limit }, nowMs)),
    purchases: (userId, query) => call(userId, (stub, nowMs) => stub.purchases(query, nowMs)),
    purchase: (userId, id) => call(userId, (stub, nowMs) => stub.purchase(id, nowMs)),
    activate: (userId, activation) =>
      call(userId, (stub, nowMs) => stub.activate(activation, nowMs)),
    activations: (userId) => call(userId, (stub, nowMs) => stub.activations(null, nowMs)),
    bankingActivity: (userId) => call(userId, (stub, nowMs) => stub.bankingActivity(null, nowMs)),
    runDue: (userId) => call(userId, (stub, nowMs) => stub.runDue(null, nowMs)),
    operate: (userId, key, operation) =>
      call(userId, (stub, nowMs) => stub.operate({ key, operation }, nowMs)),
    reviews: (userId) => call(userId, (stub, nowMs) => stub.reviews(null, nowMs)),
    decideReview: (userId, decision) =>
      call(userId, (stub, nowMs) => stub.decideReview(decision, nowMs)),
    exportPage: (userId, cursor) => call(userId, (stub, nowMs) => stub.exportPage(cursor, nowMs)),
    verify: (userId) => call(userId, (stub, nowMs) => stub.verify(null, nowMs)),
    reproject: (userId) => call(userId, (stub, nowMs) => stub.reproject(null, nowMs)),
    leaf: (userId) => call(userId, (stub) => stub.leaf()),
    erase: (userId) => call(userId, (stub) => stub.erase()),
  };
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
