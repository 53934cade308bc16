// Which networks proved who they are lately, and which failed to. In the memory of one process or
// isolate: refusing costs no read and no write. Only failures count towards a limit, so the few
// addresses of an aggregator are never slowed down for delivering much.
import type { Context } from "hono";
import { HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import type { Clock } from "../kernel/time.ts";
import type { AppEnv } from "./context.ts";
import { problem } from "./problem.ts";
import { networkOf, rateLimitHeaders } from "./rate-limit.ts";

const FAILURES_MAX = 30;
const WINDOW_MS = MINUTE_MS;
/** How long a network stays known after its last good signature or token. */
const KNOWN_MS = HOUR_MS;
// Beyond it the oldest are forgotten. Strangers only fill the list of failures.
const NETWORKS_MAX = 10_000;

export type Callers = {
  readonly standingOf: (network: string) => "known" | "unknown" | "throttled";
  readonly succeeded: (network: string) => void;
  readonly failed: (network: string) => void;
};

/** Remembers networks, a bounded number of them. */
export function rememberCallers(clock: Clock): Callers {
  const knownUntilMs = new Map<string, number>();
  const failures = new Map<string, { readonly endsAtMs: number; count: number }>();
  return {
    standingOf(network) {
      const nowMs = clock.nowMs();
      if ((knownUntilMs.get(network) ?? 0) > nowMs) return "known";
      const failed = failures.get(network);
      return failed !== undefined && failed.endsAtMs > nowMs && failed.count >= FAILURES_MAX
        ? "throttled"
        : "unknown";
    },
    succeeded(network) {
      put(knownUntilMs, network, clock.nowMs() + KNOWN_MS);
    },
    failed(network) {
      const nowMs = clock.nowMs();
      const failed = failures.get(network);
      if (failed !== undefined && failed.endsAtMs > nowMs) failed.count += 1;
      else put(failures, network, { endsAtMs: nowMs + WINDOW_MS, count: 1 });
    },
  };
}

function put<Value>(map: Map<string, Value>, network: string, value: Value): void {
  map.delete(network);
  map.set(network, value);
  const oldest = map.keys().next();
  if (map.size > NETWORKS_MAX && oldest.done === false) map.delete(oldest.value);
}

/** The network that a request comes from. */
export function callerNetwork(c: Context<AppEnv>): string {
  return networkOf(c.req.header("CF-Connecting-IP") ?? "unknown");
}

/** 429 for a network that failed too often. */
export function tooManyFailures(c: Context<AppEnv>): Response {
  const windowS = WINDOW_MS / 1000;
  return problem(c, "rate_limited", {
    headers: rateLimitHeaders("failures", FAILURES_MAX, windowS, windowS),
  });
}
