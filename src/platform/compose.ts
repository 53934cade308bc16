// Where the parts meet: builds every service from what a platform provides and mounts the routers.
// Nothing else knows all domains.
import { createApp } from "../app.ts";
import { createPowens } from "../banking/aggregators/powens/adapter.ts";
import {
  connectionRoutes,
  quarantineListRoutes,
  quarantineReplayRoutes,
  webhookRoutes,
} from "../banking/routes/index.ts";
import { createBanking } from "../banking/service/index.ts";
import { bankingStore } from "../banking/store/index.ts";
import type { CataloguePort } from "../catalogue/ports.ts";
import { dryRunRoutes } from "../catalogue/routes/dry-run.ts";
import { catalogueRouters } from "../catalogue/routes/index.ts";
import { catalogueService } from "../catalogue/service.ts";
import { catalogueCache } from "../catalogue/compiled-catalogue.ts";
import { catalogueStore } from "../catalogue/store.ts";
import type { Config } from "../config.ts";
import { auditStatement } from "../audit/ports.ts";
import type { AuditEvent } from "../audit/ports.ts";
import type { SqlDatabase } from "../db/d1.ts";
import { isDatabaseFailure, openDatabase } from "../db/database.ts";
import type { Database } from "../db/database.ts";
import { idempotencyStore, purgeIdempotencyKeys } from "../http/idempotency-store.ts";
import { openApiDocument } from "../http/openapi.ts";
import { signedCursors } from "../http/paging.ts";
import { accessTokenIssuer, publicKeySet, userTokens } from "../identity/access-tokens.ts";
import { isIssuerUnavailable } from "../identity/errors.ts";
import { httpMailer } from "../identity/mailer.ts";
import { operatorTokens } from "../identity/operator-tokens.ts";
import type { ConsentListener, IdentityPort } from "../identity/ports.ts";
import { identityRoutes } from "../identity/routes.ts";
import { identityService } from "../identity/service.ts";
import { allUserIds, identityStore } from "../identity/store.ts";
import { dryRunner } from "../insights/dry-run-service.ts";
import { insightsPrivacy } from "../insights/privacy.ts";
import { projections } from "../insights/projections.ts";
import { reviewService } from "../reviews/service.ts";
import { reviewsStore } from "../reviews/store.ts";
import { insightsRoutes } from "../insights/routes.ts";
import { reviewRoutes } from "../reviews/routes.ts";
import { SAMPLE_DAYS_AHEAD, SAMPLE_DAYS_MAX } from "../insights/sample.ts";
import { sampleStore } from "../insights/sample-store.ts";
import { insightsStore } from "../insights/store.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import type { Log } from "../kernel/log.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { addDays, parisDate } from "../kernel/time.ts";
import type { Clock } from "../kernel/time.ts";
import { decideEarning } from "../ledger/earning/rules.ts";
import type { LedgerOperations, LedgerPort, LedgerTransfer } from "../ledger/ports.ts";
import { ledgerRoutes } from "../ledger/routes/routes.ts";
import { onceAnswered } from "../operations/programme.ts";
import { operationsRouters } from "../operations/routes.ts";
import { databaseHealth, ensureProgramme } from "../operations/store.ts";
import { aliasWarnings } from "../recognition/aliases.ts";
import { maskLabel } from "../recognition/mask.ts";
import { compileCatalogue } from "../recognition/recogniser.ts";
import { transferRoutes } from "../transfer/routes.ts";
import { transferService } from "../transfer/service.ts";
import { transferStore } from "../transfer/store.ts";
import { localClockRoutes } from "./local/routes.ts";

// A sweep ends by itself, also when work comes in as fast as it is done.
const SWEEP_ROUNDS_MAX = 20;

/** What a runtime gives: Cloudflare, Deno, or a test. */
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
  /**
   * The periodic work: what was left open between two stores, retention, repairs. In bounded steps.
   */
  readonly sweep: () => Promise<void>;
  /** The OpenAPI document of the mounted routes. */
  readonly openApi: () => unknown;
};

/** Builds the whole application for one isolate or process. */
export function compose(platform: Platform, config: Config): Composition {
  const { clock, random, log } = platform;
  const db = openDatabase(platform.db);
  const cursors = signedCursors(config.keyrings.index);
  const idempotency = { store: idempotencyStore(db, config.keyrings.encryption, random), clock };
  const note = async (event: AuditEvent): Promise<void> =>
    void (await auditStatement(db, event, clock.nowMs(), random));

  const catalogue = composeCatalogue(platform, db);
  // Identity tells banking of a withdrawn consent, and banking asks identity about users: the knot
  // is tied by a late look-up.
  const consentListener: ConsentListener = {
    bankDataWithdrawn: (userId) => banking.consentListener.bankDataWithdrawn(userId),
    statisticsWithdrawn: (userId) => insights.privacy.statisticsWithdrawn(userId),
  };
  const identityRecords = identityStore(db);
  const identity = identityService({
    store: identityRecords,
    keyrings: config.keyrings,
    clock,
    random,
    log,
    minimumAge: config.programme.minimumAge,
    consentListener,
    mailer: httpMailer({ ...config.email, fetch: platform.fetch, log }),
    accessTokens: accessTokenIssuer(config, clock, random),
  });
  const banking = composeBanking(platform, config, db, identity, catalogue.cache);
  const insights = composeInsights(platform, config, db, catalogue);
  const tokens = userTokens({
    config,
    clock,
    fetch: platform.fetch,
    linkedUser: identity.linkedUser,
  });
  const operators = operatorTokens(config, clock, platform.fetch);
  const pointsPerEuro = config.programme.pointsPerEuro;
  const transfer = transferService({
    store: transferStore(platform.db),
    objects: platform.transfer,
    keyrings: config.keyrings,
    cursors,
    clock,
    random,
  });
  const sweep = async (): Promise<void> => {
    // Half a system must not be tidied: what is not there yet would look lost, and what was counted
    // would be gone.
    if (await transfer.isLoading()) return;
    await purgeIdempotencyKeys(db, clock.nowMs());
    await identityRecords.purge(clock.nowMs());
    for (
      let round = 0;
      round < SWEEP_ROUNDS_MAX && (await banking.sweep(clock.nowMs())).more;
      round++
    );
    await insights.sweep();
  };

  const routers = [
    ...operationsRouters({
      config,
      clock,
      log,
      assets: platform.assets,
      checks: {
        database: () => databaseHealth(platform.db),
        ledger: platform.pingLedger,
        programme: onceAnswered(() => ensureProgramme(db, { pointsPerEuro }, clock.nowMs())),
      },
    }),
    {
      path: "/admin/v1",
      router: quarantineListRoutes({ service: banking, operatorTokens: operators, cursors, note }),
    },
    {
      path: "/",
      router: identityRoutes({
        service: identity,
        tokens,
        publicKeys: publicKeySet(config.jwtSigningKeys),
        cursors,
        idempotency,
        clock,
      }),
    },
    ...catalogueRouters({
      ...catalogue,
      ledger: platform.ledger,
      userTokens: tokens,
      operatorTokens: operators,
      idempotency,
      cursors,
      clock,
      pointsPerEuro,
      aliasWarnings,
    }),
    {
      path: "/",
      router: ledgerRoutes({
        ledger: platform.ledger,
        userKeys: identity,
        brands: catalogue.cache,
        userTokens: tokens,
        cursors,
        pointsPerEuro,
        log,
      }),
    },
    {
      path: "/admin/v1",
      router: dryRunRoutes({
        service: catalogue.service,
        dryRun: insights.dryRun,
        operatorTokens: operators,
        note,
        clock,
        pointsPerEuro,
      }),
    },
    {
      path: "/admin/v1",
      router: insightsRoutes({
        ...insights,
        operatorTokens: operators,
        idempotency,
        cursors,
        note,
        clock,
        pointsPerEuro,
      }),
    },
    {
      path: "/admin/v1",
      router: reviewRoutes({ ...insights, operatorTokens: operators, idempotency, cursors, note }),
    },
    { path: "/", router: connectionRoutes({ service: banking, tokens, idempotency, cursors }) },
    { path: "/", router: webhookRoutes(banking) },
    {
      path: "/admin/v1",
      router: quarantineReplayRoutes({
        service: banking,
        operatorTokens: operators,
        idempotency,
        note,
      }),
    },
    {
      path: "/admin/v1",
      router: transferRoutes({ service: transfer, operatorTokens: operators, note }),
    },
    ...(platform.localClock === null ? [] : [{
      path: "/",
      router: localClockRoutes({
        control: platform.localClock,
        clock,
        sweep,
        runLedgers: () => runLedgers(platform, db),
      }),
    }]),
  ];
  const app = createApp({
    clock,
    random,
    log,
    corsOrigins: config.corsOrigins,
    apiLimiter: platform.limiters.api,
    authLimiter: platform.limiters.auth,
    routers,
    isUnavailable: (error) => isDatabaseFailure(error) || isIssuerUnavailable(error),
  });
  return {
    handle: async (request) => app.fetch(request),
    sweep,
    openApi: () => openApiDocument(app),
  };
}

function composeCatalogue(platform: Platform, db: Database) {
  const { clock, random, sleep } = platform;
  const store = catalogueStore(db, random);
  const cache = catalogueCache({ store, compile: compileCatalogue, clock, sleep });
  return { cache, service: catalogueService({ store, cache, clock, random }) };
}

function composeBanking(
  platform: Platform,
  config: Config,
  db: Database,
  identity: IdentityPort,
  catalogue: CataloguePort,
) {
  const { clock, random, log, fetch, sleep } = platform;
  const { powens, programme } = config;
  const aggregator = createPowens({
    ...powens,
    publicUrl: config.publicUrl,
    fetch,
    sleep,
    random,
    timeLimit: (ms) => AbortSignal.timeout(ms),
  });
  return createBanking({
    store: bankingStore(db, random),
    aggregators: [aggregator],
    identity,
    catalogue,
    ledger: platform.ledger,
    maskLabel,
    keyrings: config.keyrings,
    programme: {
      pointsPerEuro: programme.pointsPerEuro,
      pointsExpireMonths: programme.pointsExpireMonths,
    },
    redirectUris: config.redirectUris,
    clock,
    random,
    log,
  });
}

function composeInsights(
  platform: Platform,
  config: Config,
  db: Database,
  catalogue: ReturnType<typeof composeCatalogue>,
) {
  const { clock, random, log, ledger } = platform;
  const { pointsPerEuro, pointsExpireMonths } = config.programme;
  const programme = { pointsPerEuro, pointsExpireMonths };
  const store = insightsStore(db);
  const sample = sampleStore(db);
  const queue = reviewsStore(db, random);
  const kept = projections({ store, ledger, clock, log });
  const reviews = reviewService({
    store: queue,
    ledger,
    catalogue: catalogue.cache,
    decide: decideEarning,
    programme,
    clock,
  });
  return {
    store,
    projections: kept,
    reviews,
    dryRun: dryRunner({ sample, decide: decideEarning, programme }),
    privacy: insightsPrivacy({ sample, index: config.keyrings.index, clock }),
    sweep: async (): Promise<void> => {
      const today = parisDate(clock.nowMs());
      await sample.tidy(addDays(today, -SAMPLE_DAYS_MAX), addDays(today, SAMPLE_DAYS_AHEAD));
      await reviews.finish();
      await kept.patrolStep();
    },
  };
}

/** What every ledger's alarm would do by itself: the local clock moved, so it is done now. */
async function runLedgers(platform: Platform, db: Database): Promise<void> {
  for (const userId of await allUserIds(db)) {
    for (let round = 0; round < SWEEP_ROUNDS_MAX; round++) {
      const done = await platform.ledger.runDue(userId);
      if (!done.ok || !done.value.more) break;
    }
  }
}
