// What operators see of all users together: figures, dry runs of offers, and the review of rows
// that no rule may judge.
import { dryRunRoutes } from "../../catalogue/routes/dry-run.ts";
import { dryRunner } from "../../insights/dry-run-service.ts";
import { identityStore } from "../../identity/store/index.ts";
import { projections } from "../../insights/projections.ts";
import { insightsRoutes } from "../../insights/routes.ts";
import { SAMPLE_DAYS_AHEAD, SAMPLE_DAYS_MAX } from "../../insights/sample.ts";
import { sampleStore } from "../../insights/sample-store.ts";
import { insightsStore } from "../../insights/store.ts";
import { addDays, parisDate } from "../../kernel/time.ts";
import { decideEarning } from "../../ledger/earning/rules.ts";
import { reviewRoutes } from "../../reviews/routes.ts";
import { reviewService } from "../../reviews/service.ts";
import { reviewsStore } from "../../reviews/store.ts";
import type { Catalogue } from "./catalogue.ts";
import { composePrivacy } from "./privacy.ts";
import type { Routers, Shared } from "./shared.ts";

type Insights = ReturnType<typeof composeInsights>;

export function composeInsights({ platform, config, db, seals }: Shared, catalogue: Catalogue) {
  const { clock, random, log, ledger } = platform;
  const { pointsPerEuro, pointsExpireMonths, reviewPoints } = config.programme;
  const programme = { pointsPerEuro, pointsExpireMonths, reviewPoints };
  const store = insightsStore(db);
  const sample = sampleStore(db);
  const queue = reviewsStore(db, random, seals);
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
    privacy: composePrivacy({
      sample,
      reviews: queue,
      identity: identityStore(db, random, seals),
      index: config.keyrings.index,
      clock,
    }),
    async sweep(): Promise<void> {
      const today = parisDate(clock.nowMs());
      await sample.tidy(addDays(today, -SAMPLE_DAYS_MAX), addDays(today, SAMPLE_DAYS_AHEAD));
      await reviews.finish();
      await kept.patrolStep();
    },
  };
}

export function mountInsights(
  shared: Shared,
  catalogue: Catalogue,
  { store, projections, reviews, dryRun }: Insights,
): Routers {
  const { platform, operatorTokens, idempotency, cursors, note, pointsPerEuro } = shared;
  const { clock } = platform;
  const path = "/admin/v1";
  return [
    {
      path,
      router: dryRunRoutes({
        service: catalogue.service,
        dryRun,
        operatorTokens,
        note,
        clock,
        pointsPerEuro,
      }),
    },
    {
      path,
      router: insightsRoutes({
        store,
        projections,
        operatorTokens,
        idempotency,
        cursors,
        note,
        clock,
        pointsPerEuro,
      }),
    },
    { path, router: reviewRoutes({ reviews, operatorTokens, idempotency, cursors, note }) },
  ];
}
