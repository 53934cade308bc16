// Where the parts meet: builds every service from what a platform provides and mounts the routers. Nothing else knows all domains.
import { createApp } from "../app.ts";
import type { Config } from "../config.ts";
import { isDatabaseFailure } from "../db/database.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import type { Log } from "../kernel/log.ts";
import type { RandomBytes } from "../kernel/random.ts";
import type { Clock } from "../kernel/time.ts";
import type { LedgerPort } from "../ledger/ports.ts";
import { localClockRoutes } from "./local/routes.ts";

/** What a runtime gives: Cloudflare, Deno, or a test. */
export type Platform = {
  readonly db: D1Database;
  readonly ledger: LedgerPort;
  /** Answers whether a ledger object can be reached, for `/readyz`. */
  readonly pingLedger: () => Promise<boolean>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly fetch: typeof fetch;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
  readonly limiters: { readonly api: RateLimiter; readonly auth: RateLimiter };
  /** Static files of `/docs`. */
  readonly assets: (request: Request) => Promise<Response>;
  /** The local system's movable clock; null in production. */
  readonly localClock: LocalClockControl | null;
};

export type LocalClockControl = {
  /** Moves the clock on and returns the new time. */
  readonly advance: (ms: number) => Promise<number>;
};

export type Composition = {
  readonly handle: (request: Request) => Promise<Response>;
  /** The periodic work: what was left open between two stores, retention, repairs. In bounded steps. */
  readonly sweep: () => Promise<void>;
};

/** Builds the whole application for one isolate or process. */
export function compose(platform: Platform, config: Config): Composition {
  const { clock, random, log } = platform;
  const sweep = async (): Promise<void> => {};
  const routers = [
    ...(platform.localClock === null ? [] : [{ path: "/", router: localClockRoutes({ control: platform.localClock, clock, sweep, runLedgers: async () => {} }) }]),
  ];
  const app = createApp({
    clock, random, log, corsOrigins: config.corsOrigins, apiLimiter: platform.limiters.api, authLimiter: platform.limiters.auth, routers,
    isUnavailable: isDatabaseFailure,
  });
  return { handle: async (request) => app.fetch(request), sweep };
}
