// The first wall against floods. Exact limits (codes per address, tries per code) live in the
// database; this one is permissive, per location, and keyed by a hash because its counters are not
// confined to the EU.
import type { Context, MiddlewareHandler } from "hono";
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

/** The first 64 bits of an IPv6 address as four groups; null for everything else. */
function groupsOf(address: string): readonly string[] | null {
  if (!address.includes(":") || address.includes(".")) return null;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head.split(":").filter((group) => group !== "");
  if (tail !== undefined) {
    const last = tail.split(":").filter((group) => group !== "");
    while (groups.length + last.length < 8) groups.push("0");
    groups.push(...last);
  }
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
}

// One customer of a network has a /64 of IPv6 (RFC 6177), so single addresses would be as many
// budgets as anybody likes.
export function networkOf(address: string): string {
  return groupsOf(address)?.join(":") ?? address;
}

/** Where a request comes from: what one customer has, and what a provider may give to one. */
export type Networks = { readonly own: string; readonly wide: string };

/**
 * The networks of a caller, for limits that the database counts: the address or the /56 of IPv6,
 * which many customers have whole, and the /24 or /48 around it.
 */
export function networksOf(c: Context<AppEnv>): Networks {
  const address = c.req.header("CF-Connecting-IP") ?? "unknown";
  const groups = groupsOf(address);
  if (groups === null) {
    // Also an IPv4 address in IPv6's writing, `::ffff:192.0.2.1`.
    const own = address.slice(address.lastIndexOf(":") + 1);
    return { own, wide: `${own.slice(0, own.lastIndexOf(".") + 1)}0/24` };
  }
  const [first = "", second = "", third = "", fourth = ""] = groups;
  const wide = `${first}:${second}:${third}`;
  return { own: `${wide}:${fourth.padStart(4, "0").slice(0, 2)}/56`, wide: `${wide}/48` };
}

/**
 * Limits requests by network address (IPv6: by /64), hashed before it leaves the isolate. Never by
 * anything the caller chooses, such as a token not yet verified: each new value would open a new
 * budget.
 */
export function rateLimited(limiter: RateLimiter): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const network = networkOf(c.req.header("CF-Connecting-IP") ?? "unknown");
    return (await overLimit(c, limiter, network)) ?? next();
  };
}

/**
 * The refusal of whoever has used up their budget, or null. The key must not be the caller's
 * choice.
 */
export async function overLimit(
  c: Context<AppEnv>,
  limiter: RateLimiter,
  key: string,
): Promise<Response | null> {
  if (await limiter.allow(sha256Hex(`${limiter.name}|${key}`))) return null;
  return problem(c, "rate_limited", {
    headers: rateLimitHeaders(limiter.name, limiter.limit, limiter.windowS, limiter.windowS),
  });
}
