// Where the parts meet: builds every service from what a platform provides and mounts the routers. Nothing else knows all domains.
import { createApp } from "../app.ts";
import { catalogueRouters } from "../catalogue/routes.ts";
import { catalogueService } from "../catalogue/service.ts";
import { catalogueCache } from "../catalogue/snapshot.ts";
import { catalogueStore } from "../catalogue/store.ts";
import type { Config } from "../config.ts";
import { auditStatement } from "../db/audit.ts";
import type { AuditEvent } from "../db/audit.ts";
import { isDatabaseFailure, openDatabase } from "../db/database.ts";
import type { Database } from "../db/database.ts";
import { idempotencyStore } from "../db/idempotency-store.ts";
import { openApiDocument } from "../http/openapi.ts";
import { signedCursors } from "../http/paging.ts";
import { accessTokenIssuer, publicKeySet, userTokens } from "../identity/access-tokens.ts";
import { isIssuerUnavailable } from "../identity/errors.ts";
import { httpMailer } from "../identity/mailer.ts";
import { operatorTokens } from "../identity/operator-tokens.ts";
import type { ConsentListener } from "../identity/ports.ts";
import { identityRoutes } from "../identity/routes.ts";
import { identityService } from "../identity/service.ts";
import { identityStore } from "../identity/store.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import type { Log } from "../kernel/log.ts";
import type { RandomBytes } from "../kernel/random.ts";
import type { Clock } from "../kernel/time.ts";
import type { LedgerPort } from "../ledger/ports.ts";
import { ledgerRoutes } from "../ledger/routes.ts";
import { onceAnswered } from "../operations/programme.ts";
import { operationsRouters } from "../operations/routes.ts";
import { databaseHealth, ensureProgramme, listQuarantine } from "../operations/store.ts";
import { aliasWarnings } from "../recognition/aliases.ts";
import { compileCatalogue } from "../recognition/recogniser.ts";
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
  /** The OpenAPI document of the mounted routes. */
  readonly openApi: () => unknown;
};

/** Builds the whole application for one isolate or process. */
export function compose(platform: Platform, config: Config): Composition {
  const { clock, random, log } = platform;
  const db = openDatabase(platform.db);
  const cursors = signedCursors(config.keyrings.index);
  const idempotency = { store: idempotencyStore(db, config.keyrings.encryption, random), clock };
  const note = async (event: AuditEvent): Promise<void> => void (await auditStatement(db, event, clock.nowMs(), random));

  const catalogue = composeCatalogue(platform, db);
  const consentListener: ConsentListener = { bankDataWithdrawn: async () => {} };
  const identity = identityService({
    store: identityStore(db), keyrings: config.keyrings, clock, random, log, minimumAge: config.programme.minimumAge, consentListener,
    mailer: httpMailer({ ...config.email, fetch: platform.fetch, log }), accessTokens: accessTokenIssuer(config, clock, random),
  });
  const tokens = userTokens({ config, clock, fetch: platform.fetch, linkedUser: identity.linkedUser });
  const operators = operatorTokens(config, clock, platform.fetch);
  const pointsPerEuro = config.programme.pointsPerEuro;

  const routers = [
    ...operationsRouters({
      config, clock, log, assets: platform.assets, operatorTokens: operators, cursors, note, quarantine: (query) => listQuarantine(db, query),
      checks: {
        database: () => databaseHealth(platform.db), ledger: platform.pingLedger,
        programme: onceAnswered(() => ensureProgramme(db, { pointsPerEuro }, clock.nowMs())),
      },
    }),
    { path: "/", router: identityRoutes({ service: identity, tokens, publicKeys: publicKeySet(config.jwtSigningKeys), cursors, idempotency, clock }) },
    ...catalogueRouters({
      ...catalogue, ledger: platform.ledger, userTokens: tokens, operatorTokens: operators, idempotency, cursors, clock, pointsPerEuro, aliasWarnings,
    }),
    { path: "/", router: ledgerRoutes({ ledger: platform.ledger, identity, catalogue: catalogue.cache, userTokens: tokens, cursors, pointsPerEuro, log }) },
    ...(platform.localClock === null ? [] : [{ path: "/", router: localClockRoutes({ control: platform.localClock, clock, sweep: async () => {}, runLedgers: async () => {} }) }]),
  ];
  const app = createApp({
    clock, random, log, corsOrigins: config.corsOrigins, apiLimiter: platform.limiters.api, authLimiter: platform.limiters.auth, routers,
    isUnavailable: (error) => isDatabaseFailure(error) || isIssuerUnavailable(error),
  });
  return { handle: async (request) => app.fetch(request), sweep: async () => {}, openApi: () => openApiDocument(app) };
}

function composeCatalogue(platform: Platform, db: Database) {
  const { clock, random, sleep } = platform;
  const store = catalogueStore(db, random);
  const cache = catalogueCache({ store, compile: compileCatalogue, clock, sleep });
  return { cache, service: catalogueService({ store, cache, clock, random }) };
}
