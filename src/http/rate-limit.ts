// The first wall against floods. Exact limits (codes per address, tries per code) live in the
// database; this one is permissive, per location, and keyed by a hash because its counters are not
// confined to the EU.
import type { MiddlewareHandler } from "hono";
import { sha256Hex } from "../kernel/hash.ts";
import type { AppEnv } from "./context.ts";
import { problem } from "./problem.ts";

/** One named budget of requests per window. */
export type RateLimiter = {
  readonly name: string;
  readonly limit: number;
  readonly windowS: number;
  readonly allow: (keyHash: string) => Promise<boolean>;
};

/**
 * Headers of a refusal: `Retry-After` and the RateLimit fields of
 * draft-ietf-httpapi-ratelimit-headers.
 */
export function rateLimitHeaders(
  name: string,
  limit: number,
  windowS: number,
  retryAfterS: number,
): Record<string, string> {
  return {
    "Retry-After": String(retryAfterS),
    "RateLimit-Policy": `"${name}";q=${limit};w=${windowS}`,
    RateLimit: `"${name}";r=0;t=${retryAfterS}`,
  };
}

// One customer of a network has a /64 of IPv6 (RFC 6177), so single addresses would be as many
// budgets as anybody likes.
export function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head.split(":").filter((group) => group !== "");
  if (tail !== undefined) {
    const last = tail.split(":").filter((group) => group !== "");
    while (groups.length + last.length < 8) groups.push("0");
    groups.push(...last);
  }
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}

/**
 * Limits requests by network address (IPv6: by /64), hashed before it leaves the isolate. Never by
 * anything the caller chooses, such as a token not yet verified: each new value would open a new
 * budget.
 */
export function rateLimited(limiter: RateLimiter): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const network = networkOf(c.req.header("CF-Connecting-IP") ?? "unknown");
    if (await limiter.allow(sha256Hex(`${limiter.name}|${network}`))) return next();
    return problem(c, "rate_limited", {
      headers: rateLimitHeaders(limiter.name, limiter.limit, limiter.windowS, limiter.windowS),
    });
  };
}
