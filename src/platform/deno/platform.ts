// The whole platform on one server: files under one data folder, one process on it, the same
// application as on Cloudflare. It ends by `stop`, and by nothing else in an orderly way: a SIGKILL
// loses nothing that was answered, but the next start checks every book.
import { join } from "node:path";
import { parseConfig } from "../../config.ts";
import type { Config, ConfigError } from "../../config.ts";
import { consoleLog } from "../../kernel/log.ts";
import type { Log } from "../../kernel/log.ts";
import { loggedFetch } from "../../kernel/outgoing.ts";
import { systemRandomBytes } from "../../kernel/random.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { ledgerClient } from "../../ledger/object/client.ts";
import { transferClient } from "../../ledger/object/transfer-client.ts";
import { DECLARED_EU } from "../../operations/readiness.ts";
import { compose } from "../compose/index.ts";
import type { Platform } from "../ports.ts";
import { ledgerHelpers } from "../ledger-helpers.ts";
import { openAlarms } from "./alarms.ts";
import { folderAssets } from "./assets.ts";
import { openBudgets } from "./budgets.ts";
import { localClock, systemClock } from "./clock.ts";
import { migrateSqliteD1, openSqliteD1 } from "./d1.ts";
import { openLedgers } from "./ledgers.ts";
import { lockDataFolder } from "./lock.ts";
import type { DataFolderError } from "./lock.ts";
import { startPeriodicWork } from "./periodic-work.ts";
import { processLimiter } from "./rate-limit.ts";

export type ServerOptions = {
  readonly dataDir: string;
  readonly migrationsDir: string;
  readonly assetsDir: string;
  /** The settings of `config.ts` as text. */
  readonly env: Readonly<Record<string, string>>;
  /** Requests of one address in a minute. */
  readonly limits: { readonly api: number; readonly auth: number };
  readonly log?: Log;
};

export type OpenPlatform = {
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

/**
 * Opens everything and starts the periodic work. Fails with the names of the wrong settings, or
 * when the folder cannot be used or another process has it.
 */
export function openPlatform(
  options: ServerOptions,
): Result<OpenPlatform, ConfigError | DataFolderError> {
  const log = options.log ?? consoleLog();
  const parsed = parseConfig(options.env);
  if (!parsed.ok) return parsed;
  const config = parsed.value;
  const lock = lockDataFolder(options.dataDir);
  if (!lock.ok) return err(lock.error);

  const storage = openStorage(options, config, log);
  const { movable } = storage;
  const platform = platformOf(storage, options, log);
  const application = compose(platform, config);
  const periodic = startPeriodicWork({ ...storage, sweep: application.sweep, log });
  return ok({
    config,
    platform,
    handle: (request) => {
      movable?.refresh();
      return application.handle(request);
    },
    stop: async () => {
      storage.close(await periodic.stop());
      lock.value.release();
    },
  });
}

type Storage = ReturnType<typeof openStorage>;

/** Opens every file of the data folder, whose lock is held. */
function openStorage({ dataDir, migrationsDir }: ServerOptions, config: Config, log: Log) {
  const file = (name: string): string => join(dataDir, name);
  migrateSqliteD1(file("cagnotte.sqlite"), migrationsDir);
  const database = openSqliteD1(
    file("cagnotte.sqlite"),
    config.jurisdiction === "eu" ? DECLARED_EU : null,
  );
  const movable = config.environment === "local" ? localClock(dataDir) : null;
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
      clock,
      monotonicMs: () => performance.now(),
      fetch: loggedFetch(runtimeFetch, log),
      log,
    }),
  });
  return {
    database,
    movable,
    clock,
    alarms,
    budgets,
    ledgers,
    /** `complete`: every book was asked for its next alarm, so the table of alarms is whole. */
    close(complete: boolean): void {
      ledgers.close();
      budgets.close();
      alarms.close(complete);
      database.close();
    },
  };
}

const runtimeFetch: typeof fetch = (input, init) => fetch(input, init);

function platformOf(storage: Storage, { limits, assetsDir }: ServerOptions, log: Log): Platform {
  const { database, movable, clock, alarms, budgets, ledgers } = storage;
  return {
    host: null,
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
    fetch: loggedFetch(runtimeFetch, log),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    limiters: { api: limiter("api", limits.api), auth: limiter("auth", limits.auth) },
    assets: folderAssets(assetsDir),
    localClock: movable,
  };
}

function limiter(name: string, limit: number): Platform["limiters"]["api"] {
  return processLimiter({ name, limit, windowS: 60, monotonicMs: () => performance.now() });
}
