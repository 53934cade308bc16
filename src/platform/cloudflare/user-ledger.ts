// The ledger's object as Cloudflare starts it: the shell with its helpers over this environment's
// bindings and settings.
import { parseConfig } from "../../config.ts";
import { consoleLog } from "../../kernel/log.ts";
import { loggedFetch } from "../../kernel/outgoing.ts";
import { systemRandomBytes } from "../../kernel/random.ts";
import type { LedgerHelpers } from "../../ledger/object/alarm.ts";
import { platformClock } from "./clock.ts";
import { LedgerObject } from "./ledger-object.ts";
import type { LedgerEnv } from "./ledger-object.ts";
import { ledgerHelpers } from "../ledger-helpers.ts";

const made = new WeakMap<LedgerEnv, LedgerHelpers>();

/** Made at the first use: an object that is only asked for points parses no configuration. */
function helpersOf(env: LedgerEnv): LedgerHelpers {
  const known = made.get(env);
  if (known !== undefined) return known;
  const config = parseConfig(env);
  if (!config.ok) throw new ConfigurationRefused("the configuration is refused");
  const log = consoleLog();
  const helpers = ledgerHelpers({
    database: env.DB,
    config: config.value,
    random: systemRandomBytes,
    monotonicMs: () => performance.now(),
    clock: platformClock(env["ENVIRONMENT"] === "production" ? {} : env),
    fetch: loggedFetch((input, init) => fetch(input, init), log),
    log,
  });
  made.set(env, helpers);
  return helpers;
}

/**
 * Fails a round of the alarm, which comes back: nothing is sent or projected under settings that
 * the application refuses.
 */
class ConfigurationRefused extends Error {
  override readonly name = "ConfigurationRefusedError";
}

export class UserLedger extends LedgerObject {
  constructor(ctx: DurableObjectState, env: LedgerEnv) {
    super(ctx, env, {
      halts: {
        // Not before something is due: an object that is only asked for points parses no settings.
        known: () => made.get(env)?.halts.known() ?? null,
        refresh: async () => helpersOf(env).halts.refresh(),
      },
      offersOn: async (covers) => helpersOf(env).offersOn(covers),
      sendNotice: async (...notice) => helpersOf(env).sendNotice(...notice),
      offerToSample: async (...items) => helpersOf(env).offerToSample(...items),
    });
  }
}
