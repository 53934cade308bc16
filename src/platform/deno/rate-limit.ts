// The first wall against floods, in this process. Same limits as wrangler.toml gives Cloudflare;
// exact limits live in the database.
import type { RateLimiter } from "../../http/rate-limit.ts";

// A flood from ever new addresses must not fill the memory: then the oldest window is forgotten,
// and its address starts anew.
const KEYS_MAX = 100_000;

type Window = { readonly endsAtMs: number; count: number };

/**
 * At most `limit` requests per key and window. `monotonicMs` is not the movable clock: a limit is
 * about real time.
 */
export function processLimiter(
  options: {
    readonly name: string;
    readonly limit: number;
    readonly windowS: number;
    readonly monotonicMs: () => number;
    readonly keysMax?: number;
  },
): RateLimiter {
  const { name, limit, windowS, monotonicMs, keysMax = KEYS_MAX } = options;
  const windows = new Map<string, Window>();
  return {
    name,
    limit,
    windowS,
    allow: async (key) => {
      const nowMs = monotonicMs();
      let window = windows.get(key);
      if (window === undefined || window.endsAtMs <= nowMs) {
        windows.delete(key);
        window = { endsAtMs: nowMs + windowS * 1000, count: 0 };
        windows.set(key, window);
        const oldest = windows.keys().next();
        if (windows.size > keysMax && oldest.done === false) windows.delete(oldest.value);
      }
      window.count += 1;
      return window.count <= limit;
    },
  };
}
