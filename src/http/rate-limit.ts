// The first wall against floods. Exact limits (codes per address, tries per code) live in the database; this one is permissive,
// per location, and keyed by a hash because its counters are not confined to the EU.
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

/** Headers of a refusal: `Retry-After` and the RateLimit fields of draft-ietf-httpapi-ratelimit-headers. */
export function rateLimitHeaders(name: string, limit: number, windowS: number, retryAfterS: number): Record<string, string> {
  return {
    "Retry-After": String(retryAfterS),
    "RateLimit-Policy": `"${name}";q=${limit};w=${windowS}`,
    RateLimit: `"${name}";r=0;t=${retryAfterS}`,
  };
}

/** Limits requests by the caller's token or, without one, by network address. Both are hashed before they leave the isolate. */
export function rateLimited(limiter: RateLimiter): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const caller = c.req.header("Authorization") ?? c.req.header("CF-Connecting-IP") ?? "unknown";
    if (await limiter.allow(sha256Hex(`${limiter.name}|${caller}`))) return next();
    return problem(c, "rate_limited", { headers: rateLimitHeaders(limiter.name, limiter.limit, limiter.windowS, limiter.windowS) });
  };
}
