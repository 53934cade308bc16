// Where the parts meet: builds every service from what a platform provides and mounts the routers.
// Nothing else knows all domains.
import { createApp } from "../../app.ts";
import type { Config } from "../../config.ts";
import { isDatabaseFailure } from "../../db/database.ts";
import { purgeIdempotencyKeys } from "../../http/idempotency-store.ts";
import { openApiDocument } from "../../http/openapi.ts";
import { isIssuerUnavailable } from "../../identity/errors.ts";
import type { AgeListener, ConsentListener } from "../../identity/ports.ts";
import type { Composition, Platform } from "../ports.ts";
import { composeBanking } from "./banking.ts";
import { composeCatalogue, mountCatalogue } from "./catalogue.ts";
import { composeIdentity } from "./identity.ts";
import { composeInsights, mountInsights } from "./insights.ts";
import { mountLedger } from "./ledger.ts";
import { composeLocalClock } from "./local.ts";
import { composeOperations, composeTransfer, mountHalts, mountSeals } from "./operations.ts";
import { sharedParts } from "./shared.ts";
import type { Routers } from "./shared.ts";

/** Builds the whole application for one isolate or process. */
export function compose(platform: Platform, config: Config): Composition {
  const { clock, random, log, limiters } = platform;
  const shared = sharedParts(platform, config);
  const catalogue = composeCatalogue(shared);
  const insights = composeInsights(shared, catalogue);
  // Identity reports a withdrawn consent to banking, and banking asks identity about users: the
  // first is resolved at the call, when both exist.
  const consentListener: ConsentListener = {
    bankDataEnding: (userId) => banking.service.consentListener.bankDataEnding(userId),
    bankDataWithdrawn: (userId) => banking.service.consentListener.bankDataWithdrawn(userId),
    statisticsWithdrawn: insights.privacy.statisticsWithdrawn,
  };
  const ageListener: AgeListener = {
    earningResumes: (userId) => banking.service.port.readAgain(userId),
    // What the aggregator has not confirmed yet is the sweep's: here the connections have ended.
    connectionsEnd: async (userId) => void (await banking.service.port.endAll(userId)),
  };
  const identity = composeIdentity(shared, { consentListener, ageListener });
  const { service: users, tokens } = identity;
  const neighbours = { identity: users, tokens, catalogue: catalogue.cache };
  const banking = composeBanking(shared, neighbours);
  const transfer = composeTransfer(shared);

  const sweep = async (): Promise<void> => {
    // A half-loaded system must not be tidied: references whose rows are still to come would be
    // deleted as lost.
    if (await transfer.isLoading()) return;
    await purgeIdempotencyKeys(shared.db, clock.nowMs());
    await identity.sweep();
    await banking.sweep();
    await insights.sweep();
    await identity.sendNotices();
    await catalogue.sweep();
  };

  const routers: Routers = [
    ...composeOperations(shared, banking.aggregatorAnswered),
    ...banking.quarantineRouters,
    ...identity.routers,
    ...mountCatalogue(shared, catalogue, tokens),
    ...mountLedger(shared, neighbours),
    ...mountInsights(shared, catalogue, insights),
    ...identity.ageReviewRouters,
    ...banking.routers,
    ...mountHalts(shared),
    ...transfer.routers,
    ...mountSeals(shared),
    ...composeLocalClock(shared, sweep),
  ];
  const app = createApp({
    clock,
    random,
    log,
    corsOrigins: config.corsOrigins,
    apiLimiter: limiters.api,
    authLimiter: limiters.auth,
    bodies: shared.bodies,
    callers: shared.callers,
    operatorTokens: shared.operatorTokens,
    routers,
    isUnavailable: (error) => isDatabaseFailure(error) || isIssuerUnavailable(error),
  });
  return {
    handle: async (request) => app.fetch(request),
    sweep,
    openApi: () => openApiDocument(app),
  };
}
