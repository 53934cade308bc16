// Bank connections: the aggregator, what it sends, and the quarantine of what could not be used.
import { createPowens } from "../../banking/aggregators/powens/adapter.ts";
import { powensProbe } from "../../banking/aggregators/powens/probe.ts";
import {
  connectionRoutes,
  quarantineListRoutes,
  quarantineReplayRoutes,
  tokenRenewalRoutes,
  webhookRoutes,
} from "../../banking/routes/index.ts";
import { aggregatorAnswered } from "../../banking/service/aggregator-answered.ts";
import { createBanking } from "../../banking/service/index.ts";
import type { BankingService } from "../../banking/service/index.ts";
import { bankingStore } from "../../banking/store/index.ts";
import type { CataloguePort } from "../../catalogue/ports.ts";
import type { UserTokens } from "../../http/authentication.ts";
import type { IdentityPort } from "../../identity/ports.ts";
import { maskLabel } from "../../recognition/mask.ts";
import type { Routers, Shared } from "./shared.ts";

// A sweep ends by itself, also when work comes in as fast as it is done.
const SWEEP_ROUNDS_MAX = 20;

type Neighbours = {
  readonly identity: IdentityPort;
  readonly tokens: UserTokens;
  readonly catalogue: CataloguePort;
};

export function composeBanking(shared: Shared, { identity, tokens, catalogue }: Neighbours) {
  const {
    platform,
    config,
    cursors,
    halts,
    operatorTokens,
    note,
  } = shared;
  const { clock, random, log, fetch, sleep } = platform;
  const store = bankingStore(shared.db, random, shared.seals);
  const powens = {
    ...config.powens,
    publicUrl: config.publicUrl,
    fetch,
    sleep,
    random,
    timeLimit: (ms: number) => AbortSignal.timeout(ms),
  };
  const aggregator = createPowens(powens);
  const service = createBanking({
    store,
    aggregators: [aggregator],
    identity,
    catalogue,
    ledger: platform.ledger,
    halts,
    maskLabel,
    keyrings: config.keyrings,
    programme: {
      pointsPerEuro: config.programme.pointsPerEuro,
      pointsExpireMonths: config.programme.pointsExpireMonths,
      reviewPoints: config.programme.reviewPoints,
    },
    redirectUris: config.redirectUris,
    clock,
    sleep,
    random,
    log,
  });
  const routers = bankingRouters(shared, service, tokens);
  return {
    service,
    routers,
    aggregatorAnswered: aggregatorAnswered({
      hasRemoteUser: () => store.hasRemoteUser(),
      probe: powensProbe(powens),
      clock,
    }),
    /** Operators look at it beside the system's health: the document lists it there. */
    quarantineRouters: [{
      path: "/admin/v1",
      router: quarantineListRoutes({ service, operatorTokens, cursors, note }),
    }],
    async sweep(): Promise<void> {
      for (let round = 0; round < SWEEP_ROUNDS_MAX; round++) {
        if (!(await service.sweep(clock.nowMs())).more) return;
      }
    },
  };
}

function bankingRouters(
  { bodies, callers, cursors, idempotency, operatorTokens, note }: Shared,
  service: BankingService,
  tokens: UserTokens,
): Routers {
  return [
    { path: "/", router: connectionRoutes({ service, tokens, idempotency, cursors }) },
    { path: "/", router: webhookRoutes({ service, bodies, callers }) },
    {
      path: "/admin/v1",
      router: quarantineReplayRoutes({ service, operatorTokens, idempotency, note }),
    },
    {
      path: "/admin/v1",
      router: tokenRenewalRoutes({ service, operatorTokens, idempotency, cursors, note }),
    },
  ];
}
