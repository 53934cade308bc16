// Brands and offers: the compiled catalogue that the other parts read, and its routes.
import { alertBudgets } from "../../catalogue/budget-alerts.ts";
import { catalogueCache } from "../../catalogue/compiled-catalogue.ts";
import { catalogueRouters } from "../../catalogue/routes/index.ts";
import { catalogueService } from "../../catalogue/service.ts";
import { catalogueStore } from "../../catalogue/store.ts";
import type { UserTokens } from "../../http/authentication.ts";
import { aliasWarnings } from "../../recognition/aliases.ts";
import { effectOf, knownLabels, proposalsOf } from "../../recognition/proposals.ts";
import { compileCatalogue } from "../../recognition/recogniser.ts";
import type { Routers, Shared } from "./shared.ts";

export type Catalogue = ReturnType<typeof composeCatalogue>;

export function composeCatalogue({ platform, db, seals }: Shared) {
  const { clock, random, sleep, log } = platform;
  const store = catalogueStore(db, random, seals);
  const cache = catalogueCache({ store, compile: compileCatalogue, clock, sleep });
  return {
    cache,
    service: catalogueService({ store, cache, clock, random }),
    budgets: store.budgets,
    sweep: () => alertBudgets({ store, cache, clock, log }),
  };
}

export function mountCatalogue(
  shared: Shared,
  catalogue: Catalogue,
  userTokens: UserTokens,
): Routers {
  const { platform, operatorTokens, idempotency, cursors, pointsPerEuro } = shared;
  return catalogueRouters({
    ...catalogue,
    ledger: platform.ledger,
    userTokens,
    operatorTokens,
    idempotency,
    cursors,
    clock: platform.clock,
    pointsPerEuro,
    aliasWarnings,
    proposals: { proposalsOf, knownLabels, effectOf },
  });
}
