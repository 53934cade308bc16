// Insights' routes on the real D1 and the real ledger objects. Users sign up through identity's own
// service under the keys that the objects read from their environment. Only who is calling is
// replaced in for: a token names its bearer.
import { env } from "cloudflare:workers";
import { createApp } from "../../src/app.ts";
import { createBrand } from "../../src/catalogue/brands/brand.ts";
import { createOffer } from "../../src/catalogue/offers/offer.ts";
import { catalogueService } from "../../src/catalogue/service.ts";
import { catalogueCache } from "../../src/catalogue/compiled-catalogue.ts";
import { catalogueStore } from "../../src/catalogue/store.ts";
import { dryRunRoutes } from "../../src/catalogue/routes/dry-run.ts";
import { auditStatement } from "../../src/audit/ports.ts";
import type { AuditEvent } from "../../src/audit/ports.ts";
import { isDatabaseFailure, openDatabase } from "../../src/db/database.ts";
import { idempotencyStore } from "../../src/http/idempotency-store.ts";
import { signedCursors } from "../../src/http/paging.ts";
import { dryRunner } from "../../src/insights/dry-run-service.ts";
import { projections } from "../../src/insights/projections.ts";
import { reviewService } from "../../src/reviews/service.ts";
import { reviewsStore } from "../../src/reviews/store.ts";
import { ageReviewRoutes } from "../../src/identity/routes/index.ts";
import { identityStore } from "../../src/identity/store/index.ts";
import { insightsRoutes } from "../../src/insights/routes.ts";
import { reviewRoutes } from "../../src/reviews/routes.ts";
import { sampleStore } from "../../src/insights/sample-store.ts";
import { insightsStore } from "../../src/insights/store.ts";
import type { ConsentPurpose } from "../../src/identity/ports.ts";
import type { BrandId, UserId } from "../../src/kernel/ids.ts";
import { parseKeyring } from "../../src/kernel/keyring.ts";
import type { Keyring } from "../../src/kernel/keyring.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { ledgerClient } from "../../src/ledger/object/client.ts";
import { decideEarning } from "../../src/ledger/earning/rules.ts";
import type { Environment } from "../../src/platform/cloudflare/environment.ts";
import { composePrivacy } from "../../src/platform/compose/privacy.ts";
import { compileCatalogue } from "../../src/recognition/recogniser.ts";
import { at, PROGRAMME } from "../contract/ledger-factories.ts";
import { KEYRING, openLimiter, operatorTokens, VERSION } from "./catalogue-app.ts";
import { identityApp } from "./identity-app.ts";
import { inbound } from "./inbound.ts";

export const bindings = env as unknown as Environment;

function keyring(name: string): Keyring {
  const parsed = parseKeyring(String(bindings[name]));
  if (parsed === null) throw new Error(`${name} is no keyring`);
  return parsed;
}

export type Answered = {
  readonly status: number;
  readonly text: string;
  readonly body: Record<string, never> & {
    code?: string;
    data?: Record<string, unknown>[];
    next_cursor?: string | null;
    errors?: { pointer: string; code: string }[];
  };
};

export async function insightsApp(stepUsers = 25) {
  const db = openDatabase(bindings.DB);
  const clock = { ms: at("2026-11-14"), nowMs: () => clock.ms };
  const alerts: string[] = [];
  const log = jsonLog((line) => alerts.push(line));
  const index = keyring("INDEX_KEYRING");
  const identity = await identityApp(bindings.DB, {
    encryption: keyring("ENCRYPTION_KEYRING"),
    index,
    startMs: clock.ms,
  });
  const ledger = ledgerClient({ namespace: bindings.LEDGER, clock, log });
  const sample = sampleStore(db);
  const queue = reviewsStore(db, systemRandomBytes, identity.seals);
  const store = insightsStore(db);
  const catalogueRecords = catalogueStore(db, systemRandomBytes, identity.seals);
  const cache = catalogueCache({
    store: catalogueRecords,
    compile: compileCatalogue,
    clock,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const service = catalogueService({
    store: catalogueRecords,
    cache,
    clock,
    random: systemRandomBytes,
  });
  const kept = projections({ store, ledger, clock, log, stepUsers });
  const reviews = reviewService({
    store: queue,
    ledger,
    catalogue: cache,
    decide: decideEarning,
    programme: PROGRAMME,
    clock,
  });
  const privacy = composePrivacy({
    sample,
    reviews: queue,
    identity: identityStore(db, systemRandomBytes, identity.seals),
    index,
    clock,
  });
  const note = async (event: AuditEvent): Promise<void> =>
    void (await auditStatement(db, event, clock.nowMs(), systemRandomBytes));
  const common = {
    operatorTokens,
    note,
    clock,
    cursors: signedCursors(KEYRING),
    idempotency: { store: idempotencyStore(db, KEYRING, systemRandomBytes), clock },
    pointsPerEuro: 100,
  };
  const app = createApp({
    clock,
    random: systemRandomBytes,
    log,
    corsOrigins: [],
    apiLimiter: openLimiter,
    authLimiter: openLimiter,
    ...inbound(clock),
    operatorTokens,
    isUnavailable: isDatabaseFailure,
    routers: [
      {
        path: "/admin/v1",
        router: dryRunRoutes({
          ...common,
          service,
          dryRun: dryRunner({ sample, decide: decideEarning, programme: PROGRAMME }),
        }),
      },
      { path: "/admin/v1", router: insightsRoutes({ ...common, store, projections: kept }) },
      { path: "/admin/v1", router: reviewRoutes({ ...common, reviews }) },
      { path: "/admin/v1", router: ageReviewRoutes({ ...common, service: identity.service }) },
    ],
  });
  /** `as`: a role, whose operator goes by the same name, or `<subject>.<role>`. */
  async function call(
    method: string,
    path: string,
    as: string | null,
    body?: unknown,
    key: string | null = crypto.randomUUID(),
    more: Record<string, string> = {},
  ): Promise<Answered> {
    const headers = new Headers({
      ...more,
      ...(as === null
        ? {}
        : { Authorization: `Bearer operator.${as.includes(".") ? as : `${as}.${as}`}` }),
    });
    if (body !== undefined) headers.set("Content-Type", "application/json");
    if (method === "POST" && key !== null) headers.set("Idempotency-Key", key);
    const response = await app.request(`http://edge/admin/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) as Answered["body"] };
  }
  /** A user with their address, in that language, and with these consents. */
  async function user(
    email: string,
    consents: readonly ConsentPurpose[] = [],
    locale: "fr" | "en" = "fr",
  ): Promise<UserId> {
    const id = (await identity.signIn(email)).user.id as UserId;
    if (locale === "en") await identity.service.updateProfile(id, { locale });
    for (const purpose of consents) await identity.service.decide(id, purpose, true, "1");
    return id;
  }
  return {
    call,
    user,
    clock,
    alerts,
    identity,
    ledger,
    sample,
    queue,
    seals: identity.seals,
    store,
    projections: kept,
    reviews,
    privacy,
    index,
    catalogue: service,
    catalogueView: cache,
    stubOf: (id: UserId) => bindings.LEDGER.getByName(id),
  };
}

export type InsightsApp = Awaited<ReturnType<typeof insightsApp>>;

export async function rowsOf<T = Record<string, unknown>>(
  query: string,
  ...values: unknown[]
): Promise<T[]> {
  return (await bindings.DB.prepare(query).bind(...values).all<T>()).results;
}

/** A brand with an offer in force since October 2026. */
export async function brandWithOffer(app: InsightsApp, name: string): Promise<BrandId> {
  const actor = {
    subject: "alice",
    listedPerson: true,
    path: "/",
    idempotencyKey: crypto.randomUUID(),
  };
  const brand = await app.catalogue.act(
    actor,
    ({ catalogue }, act) =>
      createBrand(catalogue, { name, category: "shops", aliases: [name] }, act),
  );
  if (!brand.ok) throw new Error(brand.error.code);
  // Approved before the purchases of these tests, or it would not be in force on their day.
  const nowMs = app.clock.ms;
  const made = await app.catalogue.act(
    { ...actor, path: "/o" },
    ({ catalogue }, act) =>
      createOffer(catalogue, {
        brand_id: brand.value.id,
        title: { fr: name, en: name },
        version: VERSION as never,
      }, { ...act, nowMs: at("2026-10-01"), pointsPerEuro: 100 }),
  );
  if (!made.ok) throw new Error(made.error.code);
  app.clock.ms = nowMs;
  return brand.value.id;
}
