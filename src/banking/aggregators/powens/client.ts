// HTTP to Powens: one bearer per call, bounded repeats of reads, time limits, size limits, a pinned
// host. Knows no business.
import type { RandomBytes } from "../../../kernel/random.ts";
import { err, ok } from "../../../kernel/result.ts";
import type { Result } from "../../../kernel/result.ts";
import { readAtMost } from "../../../kernel/bytes.ts";
import type { AggregatorError } from "../../errors.ts";
import { parseExactJson } from "./exact-json.ts";
import type { Json } from "./exact-json.ts";
import { errorOf, isNoAccount } from "./errors.ts";

export type PowensClientDeps = {
  /** Without a trailing slash and without `/2.0`. */
  readonly apiUrl: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: RandomBytes;
  /** A signal that aborts after so many milliseconds. */
  readonly timeLimit: (ms: number) => AbortSignal;
};

export type PowensCall = {
  readonly method: "GET" | "POST" | "DELETE";
  /** Path with query below `/2.0`, or an absolute address that the aggregator gave. */
  readonly target: string;
  readonly token: string | null;
  readonly body?: Readonly<Record<string, string | boolean>>;
  /** Reads and deletions may be repeated; what creates something may not. */
  readonly repeatable: boolean;
};

/** `body` is null for 204 and for an empty list (`noAccount`). */
type PowensAnswer = { readonly body: Json | null; readonly noAccount: boolean };
export type PowensClient = (call: PowensCall) => Promise<Result<PowensAnswer, AggregatorError>>;

const ATTEMPTS = 3;
const TIME_LIMIT_MS = 15_000;
const RESPONSE_BYTES_MAX = 16_777_216;
const BACKOFF_MS = 300;
// A longer Retry-After is not waited for here: the sweep comes back.
const RETRY_AFTER_MAX_MS = 3000;
const REPEATED = new Set([429, 502, 503, 504]);

type Attempt =
  | {
    readonly kind: "answered";
    readonly status: number;
    readonly body: Json | null;
    readonly isJson: boolean;
    readonly retryAfterMs: number | null;
  }
  | { readonly kind: "failed" };

/** Makes the client. */
export function createPowensClient(deps: PowensClientDeps): PowensClient {
  const base = new URL(`${deps.apiUrl}/2.0/`);
  return async (call) => {
    const url = resolveTarget(base, call.target);
    if (url === null) return err({ code: "aggregator_malformed" });
    let last: AggregatorError = { code: "aggregator_unavailable" };
    for (let attempt = 1; attempt <= (call.repeatable ? ATTEMPTS : 1); attempt++) {
      const result = await tryOnce(deps, url, call);
      if (result.kind === "answered" && !REPEATED.has(result.status)) return interpret(result);
      if (result.kind === "answered") last = errorOf(result.status, result.body);
      if (call.repeatable && attempt < ATTEMPTS) await deps.sleep(pauseMs(deps, attempt, result));
    }
    return err(last);
  };
}

/**
 * Paths stay below our base; absolute addresses (`_links.next`) are followed as they are, but only
 * on the same origin and below the same base: a bearer token goes nowhere else.
 */
function resolveTarget(base: URL, target: string): URL | null {
  if (!URL.canParse(target, base)) return null;
  const url = new URL(target, base);
  const clean = url.username === "" && url.password === "";
  return clean && url.origin === base.origin && url.pathname.startsWith(base.pathname) ? url : null;
}

async function tryOnce(deps: PowensClientDeps, url: URL, call: PowensCall): Promise<Attempt> {
  try {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (call.token !== null) headers["Authorization"] = `Bearer ${call.token}`;
    if (call.body !== undefined) headers["Content-Type"] = "application/json";
    const response = await deps.fetch(url.href, {
      method: call.method,
      headers,
      redirect: "manual",
      signal: deps.timeLimit(TIME_LIMIT_MS),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    const bytes = await readAtMost(response.body, RESPONSE_BYTES_MAX);
    const parsed = bytes === null ? null : parseExactJson(new TextDecoder().decode(bytes));
    return {
      kind: "answered",
      status: response.status,
      body: parsed?.value ?? null,
      isJson: parsed !== null || bytes?.length === 0,
      retryAfterMs: retryAfter(response),
    };
  } catch {
    // Network, time limit, aborted body: nothing is known of what happened there.
    return { kind: "failed" };
  }
}

function interpret(
  answer: Extract<Attempt, { kind: "answered" }>,
): Result<PowensAnswer, AggregatorError> {
  if (isNoAccount(answer.status, answer.body)) return ok({ body: null, noAccount: true });
  if (answer.status < 200 || answer.status >= 300) return err(errorOf(answer.status, answer.body));
  if (!answer.isJson) return err({ code: "aggregator_malformed" });
  return ok({ body: answer.body, noAccount: false });
}

function retryAfter(response: Response): number | null {
  const text = response.headers.get("Retry-After") ?? "";
  return /^\d{1,6}$/.test(text) ? Number(text) * 1000 : null;
}

function pauseMs(deps: PowensClientDeps, attempt: number, result: Attempt): number {
  const jitter = (deps.random(1)[0] ?? 0) / 255;
  const backoff = BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + jitter);
  const asked = result.kind === "answered" ? result.retryAfterMs : null;
  return Math.min(Math.round(Math.max(backoff, asked ?? 0)), RETRY_AFTER_MAX_MS);
}
