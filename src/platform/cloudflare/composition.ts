// Cloudflare's side of the composition, built once per isolate and environment.
import type { Config, ConfigError } from "../../config.ts";
import { parseConfig } from "../../config.ts";
import type { RateLimiter } from "../../http/rate-limit.ts";
import { consoleLog } from "../../kernel/log.ts";
import { loggedFetch } from "../../kernel/outgoing.ts";
import { systemRandomBytes } from "../../kernel/random.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { ledgerClient } from "../../ledger/object/client.ts";
import { transferClient } from "../../ledger/object/transfer-client.ts";
import { compose } from "../compose/index.ts";
import type { Composition, Platform } from "../ports.ts";
import type { OfferBudget } from "./budget-object.ts";
import { platformClock } from "./clock.ts";
import type { ClockEnv } from "./clock.ts";
import { inJurisdiction } from "./jurisdiction.ts";
import type { UserLedger } from "./user-ledger.ts";

/** The bindings and settings that the application is built from. */
export type ApplicationEnv = ClockEnv & {
  readonly DB: D1Database;
  readonly LEDGER: DurableObjectNamespace<UserLedger>;
  readonly OFFER_BUDGET: DurableObjectNamespace<OfferBudget>;
  readonly RATE_AUTH: RateLimit;
  readonly RATE_API: RateLimit;
  readonly ASSETS: Fetcher;
  /** The text settings and secrets, read by `parseConfig` and by nobody else. */
  readonly [setting: string]: unknown;
};

const composed = new WeakMap<
  ApplicationEnv,
  { readonly result: Result<Composition, ConfigError>; readonly refreshClock: () => Promise<void> }
>();

/**
 * The application of this isolate. Fails with the names of the wrong settings, and locally learns
 * the clock's position.
 */
export async function compositionFor(
  env: ApplicationEnv,
): Promise<Result<Composition, ConfigError>> {
  let known = composed.get(env);
  if (known === undefined) {
    known = build(env);
    composed.set(env, known);
  }
  await known.refreshClock();
  return known.result;
}

function build(
  env: ApplicationEnv,
): { result: Result<Composition, ConfigError>; refreshClock: () => Promise<void> } {
  const clock = platformClock(env);
  const log = consoleLog();
  const parsed = parseConfig(env);
  if (!parsed.ok) {
    const { code, fields } = parsed.error;
    for (const field of fields) log.alert("config_invalid", { field, reason: code });
    return { result: parsed, refreshClock: async () => {} };
  }
  // A movable clock in production would let whoever reaches it mature points.
  if (parsed.value.environment === "production" && env.LOCAL_CLOCK !== undefined) {
    log.alert("config_invalid", { field: "LOCAL_CLOCK" });
    return {
      result: err({ code: "config_invalid", fields: ["LOCAL_CLOCK"] }),
      refreshClock: async () => {},
    };
  }
  return {
    result: ok(compose(platformOf(env, parsed.value, clock, log), parsed.value)),
    refreshClock: clock.refresh,
  };
}

function platformOf(
  env: ApplicationEnv,
  config: Config,
  clock: ReturnType<typeof platformClock>,
  log: Platform["log"],
): Platform {
  const namespace = inJurisdiction(env.LEDGER, config.jurisdiction);
  return {
    db: env.DB,
    ledger: ledgerClient({ namespace, clock, log }),
    transfer: transferClient({
      ledgers: namespace,
      budgets: inJurisdiction(env.OFFER_BUDGET, config.jurisdiction),
      clock,
      log,
    }),
    pingLedger: async () => {
      await namespace.getByName("readiness").ping();
      return true;
    },
    clock,
    log,
    random: systemRandomBytes,
    fetch: loggedFetch((input, init) => fetch(input, init), log),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    limiters: { api: limiter("api", 600, env.RATE_API), auth: limiter("auth", 30, env.RATE_AUTH) },
    assets: (request) => env.ASSETS.fetch(request),
    localClock: env.LOCAL_CLOCK === undefined ? null : { advance: clock.advance },
  };
}

function limiter(name: string, limit: number, binding: RateLimit): RateLimiter {
  return { name, limit, windowS: 60, allow: async (key) => (await binding.limit({ key })).success };
}
