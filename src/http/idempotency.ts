// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the same key and body give the first
// answer again, so a client may repeat whatever it is unsure about. Kept: 2xx for 30 days, refusals
// that depend on the ledger's state for a day. Other refusals changed nothing and are found again
// by running again; kept, they would be a way to fill the database. Must run after authentication.
import type { Context, MiddlewareHandler } from "hono";
import { canonicalJson, sha256Hex } from "../kernel/hash.ts";
import { DAY_MS, MINUTE_MS } from "../kernel/time.ts";
import type { Clock } from "../kernel/time.ts";
import type { AppEnv } from "./context.ts";
import { problem } from "./problem.ts";
import type { ProblemCode } from "./problem.ts";
import { rateLimitHeaders } from "./rate-limit.ts";

export const IDEMPOTENCY_TTL_MS = 30 * DAY_MS;
const REFUSAL_TTL_MS = DAY_MS;
/** Decided by the ledger: the same request might be granted a moment later. */
const LEDGER_REFUSALS: ReadonlySet<string> = new Set<ProblemCode>([
  "points_insufficient",
  "below_threshold",
  "points_not_redeemable",
  "balance_negative",
  "offer_not_available",
]);
// Longer than any request may run; after that its Worker is gone and the key is free to be tried
// again.
export const IDEMPOTENCY_LOCK_MS = 2 * MINUTE_MS;
// Above this an answer is not remembered; none of our idempotent routes comes near it.
const ANSWER_BYTES_MAX = 262_144;

const USER_ANSWERS_MAX = 1_000;
/** Operators' scripts import and correct more than a user ever does. */
const OPERATOR_ANSWERS_MAX = 10_000;

/** How many answers may be kept for one principal at a time. */
export function keptAnswersMax(principal: string): number {
  return principal.startsWith("usr_") ? USER_ANSWERS_MAX : OPERATOR_ANSWERS_MAX;
}

export type StoredAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
};

export type IdempotencyScope = {
  readonly principal: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
};

/**
 * Remembers answers. `begin` is atomic: of two simultaneous calls with one key exactly one gets
 * `started`.
 */
export type IdempotencyStore = {
  readonly begin: (scope: IdempotencyScope, requestHash: string, nowMs: number) => Promise<
    | { readonly state: "started"; readonly startedAtMs: number }
    | { readonly state: "in_progress" }
    | { readonly state: "conflict" }
    /** The principal has as many answers kept as one may have. */
    | { readonly state: "full" }
    | { readonly state: "done"; readonly answer: StoredAnswer }
  >;
  /**
   * Both act only while the lock taken at `startedAtMs` is still held: one taken over belongs to
   * another request.
   */
  readonly complete: (
    scope: IdempotencyScope,
    startedAtMs: number,
    answer: StoredAnswer,
    expiresAtMs: number,
  ) => Promise<void>;
  readonly abandon: (scope: IdempotencyScope, startedAtMs: number) => Promise<void>;
};

export type IdempotencyDeps = { readonly store: IdempotencyStore; readonly clock: Clock };

const KEY = /^[\x21-\x7e]{1,255}$/;

function principalOf(c: Context<AppEnv>): string | null {
  const user = c.get("user");
  const operator = c.get("operator");
  if (user !== null && user !== undefined) return user.userId;
  // The operator's name is personal data; its hash separates the scopes as well.
  return operator === null || operator === undefined
    ? null
    : sha256Hex(`operator|${operator.subject}`);
}

// The key is part of the hash and is stored nowhere: without it, a stored hash of a short body
// could be guessed.
async function requestHashOf(c: Context<AppEnv>, key: string): Promise<string> {
  const text = await c.req.text();
  try {
    return sha256Hex(`${key}\n${canonicalJson(JSON.parse(text))}`);
  } catch {
    return sha256Hex(`${key}\n${text}`);
  }
}

/** For how long an answer is kept; null: not at all. */
function keptMs({ status, body }: StoredAnswer): number | null {
  if (body.length > ANSWER_BYTES_MAX) return null;
  if (status >= 200 && status < 300) return IDEMPOTENCY_TTL_MS;
  if (status !== 409 && status !== 422) return null;
  const { code } = JSON.parse(body) as { readonly code?: string };
  return code !== undefined && LEDGER_REFUSALS.has(code) ? REFUSAL_TTL_MS : null;
}

/**
 * Answers repeats from memory. `required` refuses a request without the header (400
 * `idempotency_key_required`). A failure between the work and the remembering leaves the key locked
 * for `IDEMPOTENCY_LOCK_MS`, then the work runs again: what runs after this middleware must
 * itself be safe to repeat.
 */
export function idempotent(
  deps: IdempotencyDeps,
  options: { readonly required: boolean },
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const key = c.req.header("Idempotency-Key");
    if (key === undefined && !options.required) return next();
    if (key === undefined || !KEY.test(key)) return problem(c, "idempotency_key_required");
    const principal = principalOf(c);
    if (principal === null) throw new Error("idempotent route without authentication");
    const scope = { principal, method: c.req.method, path: c.req.path, key };
    const begun = await deps.store.begin(scope, await requestHashOf(c, key), deps.clock.nowMs());
    switch (begun.state) {
      case "conflict":
        return problem(c, "idempotency_conflict");
      case "full":
        return problem(c, "rate_limited", {
          headers: rateLimitHeaders(
            "kept-answers",
            keptAnswersMax(principal),
            IDEMPOTENCY_TTL_MS / 1000,
            DAY_MS / 1000,
          ),
        });
      case "in_progress":
        return problem(c, "idempotency_in_progress", { headers: { "Retry-After": "2" } });
      case "done":
        return replay(begun.answer);
      case "started":
        return runAndRemember(c, next, deps, scope, begun.startedAtMs);
    }
  };
}

function replay(answer: StoredAnswer): Response {
  const headers = new Headers({
    "Idempotency-Replayed": "true",
    "Cache-Control": "private, no-store",
  });
  if (answer.contentType !== "") headers.set("Content-Type", answer.contentType);
  return new Response(answer.body === "" ? null : answer.body, { status: answer.status, headers });
}

async function runAndRemember(
  c: Context<AppEnv>,
  next: () => Promise<void>,
  deps: IdempotencyDeps,
  scope: IdempotencyScope,
  startedAtMs: number,
): Promise<void> {
  await next();
  const answer = {
    status: c.res.status,
    contentType: c.res.headers.get("Content-Type") ?? "",
    body: await c.res.clone().text(),
  };
  const kept = c.error === undefined ? keptMs(answer) : null;
  return kept === null
    ? deps.store.abandon(scope, startedAtMs)
    : deps.store.complete(scope, startedAtMs, answer, deps.clock.nowMs() + kept);
}
