// Operating the system: health, notices, and moving it to another runtime.
import { haltRoutes } from "../../operations/halts/routes.ts";
import { onceAnswered } from "../../operations/programme.ts";
import { operationsRouters, sealRoutes } from "../../operations/routes.ts";
import { sealPage } from "../../db/seal-sweep.ts";
import { sealsReady } from "../../operations/readiness.ts";
import { databaseHealth, ensureProgramme } from "../../operations/store.ts";
import { transferRoutes } from "../../transfer/routes.ts";
import { transferService } from "../../transfer/service.ts";
import { transferStore } from "../../transfer/store.ts";
import type { Routers, Shared } from "./shared.ts";

/**
 * To be mounted first: it closes what follows while the configured rate of points is not the stored
 * one.
 */
export function composeOperations(
  shared: Shared,
  aggregator: () => Promise<boolean>,
): Routers {
  const { platform, config, db, halts, pointsPerEuro } = shared;
  const { clock, log, assets } = platform;
  return operationsRouters({
    config,
    host: platform.host,
    halts,
    clock,
    log,
    assets,
    checks: {
      database: () => databaseHealth(platform.db),
      ledger: platform.pingLedger,
      aggregator,
      seals: () => sealsReady(config.unsealedBeforeMs, clock.nowMs()),
      programme: onceAnswered(() => ensureProgramme(db, { pointsPerEuro }, clock.nowMs())),
    },
  });
}

export function mountSeals({ db, seals, cursors, note, operatorTokens }: Shared): Routers {
  return [{
    path: "/admin/v1",
    router: sealRoutes({
      sealPage: (position) => sealPage(db, seals, position),
      operatorTokens,
      cursors,
      note,
    }),
  }];
}

/** The emergency brake. */
export function mountHalts(
  { platform, halts, operatorTokens, idempotency, cursors, note }: Shared,
): Routers {
  const { clock } = platform;
  const router = haltRoutes({ store: halts, operatorTokens, idempotency, cursors, note, clock });
  return [{ path: "/admin/v1", router }];
}

export function composeTransfer({ platform, config, cursors, note, operatorTokens }: Shared) {
  const service = transferService({
    store: transferStore(platform.db),
    objects: platform.transfer,
    keyrings: config.keyrings,
    cursors,
    clock: platform.clock,
    random: platform.random,
  });
  const routers: Routers = [
    { path: "/admin/v1", router: transferRoutes({ service, operatorTokens, note }) },
  ];
  return { isLoading: service.isLoading, routers };
}
