// The whole platform on one server: files under one data folder, one process on it, the same
// application as on Cloudflare. It ends by `stop`, and by nothing else in an orderly way: a SIGKILL
// loses nothing that was answered, but the next start checks every book.
import { join } from "node:path";
import { parseConfig } from "../../config.ts";
import type { Config, ConfigError } from "../../config.ts";
import { consoleLog, errorClass } from "../../kernel/log.ts";
import { systemRandomBytes } from "../../kernel/random.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { MINUTE_MS, SECOND_MS } from "../../kernel/time.ts";
import { ledgerClient } from "../../ledger/object/client.ts";
import { transferClient } from "../../ledger/object/transfer-client.ts";
import { DECLARED_EU } from "../../operations/readiness.ts";
import { compose } from "../compose.ts";
import type { Platform } from "../compose.ts";
import { ledgerHelpers } from "../ledger-helpers.ts";
import { openAlarms } from "./alarms.ts";
import type { Alarms } from "./alarms.ts";
import { folderAssets } from "./assets.ts";
import { openBudgets } from "./budgets.ts";
import { localClock, systemClock } from "./clock.ts";
import type { LocalClock } from "./clock.ts";
import { migrateSqliteD1, openSqliteD1 } from "./d1.ts";
import { openLedgers } from "./ledgers.ts";
import { lockDataFolder } from "./lock.ts";
import { startLoop } from "./loops.ts";
import { processLimiter } from "./rate-limit.ts";

type ServerOptions = {
  readonly dataDir: string;
  readonly migrationsDir: string;
  readonly assetsDir: string;
  /** The settings of `config.ts` as text. */
  readonly env: Readonly<Record<string, string>>;
  /** Requests of one address in a minute. */
  readonly limits: { readonly api: number; readonly auth: number };
  readonly log?: Platform["log"];
};

type OpenPlatform = {
  readonly handle: (request: Request) => Promise<Response>;
  readonly config: Config;
  /** The platform's parts, for tests and for moving data. */
  readonly platform: Platform;
  /**
   * Ends the periodic work, writes everything down and closes every file. No request may be
   * running.
   */
  readonly stop: () => Promise<void>;
};

const RING_EVERY_MS = 200;
const RING_MAX = 100;
const SWEEP_EVERY_MS = 10 * MINUTE_MS;

/**
 * Opens everything and starts the periodic work. Fails with the names of the wrong settings, or
 * when another process has the folder.
 */
export function openPlatform(
  options: ServerOptions,
): Result<OpenPlatform, ConfigError | { readonly code: "data_folder_in_use" }> {
  const log = options.log ?? consoleLog();
  const parsed = parseConfig(options.env);
  if (!parsed.ok) return parsed;
  const config = parsed.value;
  const lock = lockDataFolder(options.dataDir);
  if (!lock.ok) return err(lock.error);

  const file = (name: string): string => join(options.dataDir, name);
  migrateSqliteD1(file("cagnotte.sqlite"), options.migrationsDir);
  const database = openSqliteD1(
    file("cagnotte.sqlite"),
    config.jurisdiction === "eu" ? DECLARED_EU : null,
  );
  const movable = config.environment === "local" ? localClock(options.dataDir) : null;
  const clock = movable ?? systemClock;
  const alarms = openAlarms(file("alarms.sqlite"));
  const budgets = openBudgets(file("budgets"));
  const ledgers = openLedgers({
    folder: file("ledgers"),
    alarms,
    clock,
    random: systemRandomBytes,
    log,
    database,
    reserve: budgets.reserve,
    helpers: ledgerHelpers({
      database,
      config,
      random: systemRandomBytes,
      fetch: (input, init) => fetch(input, init),
      log,
    }),
  });
  const platform: Platform = {
    db: database,
    ledger: ledgerClient({ namespace: ledgers.namespace, clock, log }),
    pingLedger: async () => alarms.canWrite(),
    transfer: transferClient({
      ledgers: { getByName: ledgers.transferOf },
      budgets: { getByName: budgets.transferOf },
      clock,
      log,
    }),
    clock,
    log,
    random: systemRandomBytes,
    fetch: (input, init) => fetch(input, init),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    limiters: {
      api: limiter("api", options.limits.api),
      auth: limiter("auth", options.limits.auth),
    },
    assets: folderAssets(options.assetsDir),
    localClock: movable,
  };
  const application = compose(platform, config);
  const periodic = startPeriodicWork({ alarms, ledgers, sweep: application.sweep, movable, log });
  return ok({
    config,
    platform,
    handle: (request) => {
      movable?.refresh();
      return application.handle(request);
    },
    stop: async () => {
      const clean = await periodic.stop();
      ledgers.close();
      budgets.close();
      alarms.close(clean);
      database.close();
      lock.value.release();
    },
  });
}

function limiter(name: string, limit: number): Platform["limiters"]["api"] {
  return processLimiter({ name, limit, windowS: 60, monotonicMs: () => performance.now() });
}

type PeriodicParts = {
  readonly alarms: Alarms;
  readonly ledgers: ReturnType<typeof openLedgers>;
  readonly sweep: () => Promise<void>;
  readonly movable: LocalClock | null;
  readonly log: Platform["log"];
};

function startPeriodicWork(
  { alarms, ledgers, sweep, movable, log }: PeriodicParts,
): { readonly stop: () => Promise<boolean> } {
  const failed = (event: string) => (error: unknown) =>
    log.alert(event, { error: errorClass(error) });
  // Until every book was asked, this process must not tell the next one that its table of alarms is
  // complete.
  let complete = !alarms.wasUnclean;
  const ringing = startLoop({
    firstMs: 0,
    everyMs: RING_EVERY_MS,
    failed: failed("alarms_failed"),
    round: async () => {
      movable?.refresh();
      await ledgers.ring(RING_MAX);
    },
  });
  const sweeping = startLoop({
    firstMs: MINUTE_MS,
    everyMs: SWEEP_EVERY_MS,
    failed: failed("sweep_failed"),
    round: async () => {
      movable?.refresh();
      await sweep();
    },
  });
  const abort = new AbortController();
  const rearm = async (): Promise<void> => {
    try {
      complete ||= await ledgers.rearmAll(abort.signal);
    } catch (error) {
      failed("rearm_failed")(error);
    }
  };
  const rearming = rearm();
  return {
    stop: async () => {
      abort.abort();
      await Promise.all([ringing.stop(), sweeping.stop(), rearming]);
      return complete;
    },
  };
}

/**
 * How long a stop waits for requests that were accepted. systemd's default is to kill after 90
 * seconds.
 */
export const DRAIN_MS_MAX = 30 * SECOND_MS;
