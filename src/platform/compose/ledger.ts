// The ledger's screens: points, purchases and the explanation of each.
import type { CatalogueView } from "../../catalogue/ports.ts";
import type { UserTokens } from "../../http/authentication.ts";
import { ledgerRoutes } from "../../ledger/routes/routes.ts";
import type { Routers, Shared } from "./shared.ts";

type Neighbours = {
  readonly identity: Parameters<typeof ledgerRoutes>[0]["userKeys"];
  readonly tokens: UserTokens;
  readonly catalogue: CatalogueView;
};

export function mountLedger(
  { platform, cursors, pointsPerEuro }: Shared,
  { identity, tokens, catalogue }: Neighbours,
): Routers {
  return [{
    path: "/",
    router: ledgerRoutes({
      ledger: platform.ledger,
      userKeys: identity,
      brands: catalogue,
      userTokens: tokens,
      cursors,
      pointsPerEuro,
      log: platform.log,
    }),
  }];
}
