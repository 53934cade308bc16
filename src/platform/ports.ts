// The contract between a runtime and the application: what the runtime provides, and what it gets.
import type { SqlDatabase } from "../db/d1.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import type { Log } from "../kernel/log.ts";
import type { RandomBytes } from "../kernel/random.ts";
import type { Clock } from "../kernel/time.ts";
import type { LedgerOperations, LedgerPort, LedgerTransfer } from "../ledger/ports.ts";

/** What a runtime provides: Cloudflare, Deno, or a test. */
export type Platform = {
  readonly db: SqlDatabase;
  readonly ledger: LedgerPort & LedgerOperations;
  /** Whole ledgers and budgets as raw rows. */
  readonly transfer: LedgerTransfer;
  /** Answers whether a ledger object can be reached, for `/readyz`. */
  readonly pingLedger: () => Promise<boolean>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly fetch: typeof fetch;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
  readonly limiters: { readonly api: RateLimiter; readonly auth: RateLimiter };
  /** Static files of the pages. */
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
  /**
   * The periodic work: what was left open between two stores, retention, repairs. In bounded steps.
   */
  readonly sweep: () => Promise<void>;
  /** The OpenAPI document of the mounted routes. */
  readonly openApi: () => unknown;
};
