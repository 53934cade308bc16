// The bindings of wrangler.toml. Written by hand and small; `wrangler deploy --dry-run` in CI lists
// the real ones beside it.
import type { OfferBudget } from "./budget-object.ts";
import type { ClockEnv } from "./clock.ts";
import type { UserLedger } from "./user-ledger.ts";

// The object's class imports the composition, which reads this file.
type StewardCalls = Rpc.DurableObjectBranded & { sweep(): Promise<void> };

export type Environment = ClockEnv & {
  readonly DB: D1Database;
  readonly LEDGER: DurableObjectNamespace<UserLedger>;
  readonly OFFER_BUDGET: DurableObjectNamespace<OfferBudget>;
  readonly STEWARD: DurableObjectNamespace<StewardCalls>;
  readonly RATE_AUTH: RateLimit;
  readonly RATE_API: RateLimit;
  readonly ASSETS: Fetcher;
  /** The text settings and secrets, read by `parseConfig` and by nobody else. */
  readonly [setting: string]: unknown;
};
