// Users: their accounts, sessions and consents, and the tokens that name them to the other parts.
import { accessTokenIssuer, publicKeySet, userTokens } from "../../identity/access-tokens.ts";
import { httpMailer } from "../../identity/mailer.ts";
import type { ConsentListener } from "../../identity/ports.ts";
import { identityRoutes } from "../../identity/routes/index.ts";
import { identityService } from "../../identity/service/index.ts";
import { identityStore } from "../../identity/store/index.ts";
import type { Routers, Shared } from "./shared.ts";

export function composeIdentity(shared: Shared, consentListener: ConsentListener) {
  const { platform, config, db, cursors, idempotency } = shared;
  const { clock, random, log, fetch } = platform;
  const store = identityStore(db);
  const service = identityService({
    store,
    keyrings: config.keyrings,
    clock,
    random,
    log,
    minimumAge: config.programme.minimumAge,
    consentListener,
    mailer: httpMailer({ ...config.email, fetch, log }),
    accessTokens: accessTokenIssuer(config, clock, random),
  });
  const tokens = userTokens({ config, clock, fetch, linkedUser: service.linkedUser });
  const routers: Routers = [{
    path: "/",
    router: identityRoutes({
      service,
      tokens,
      publicKeys: publicKeySet(config.jwtSigningKeys),
      cursors,
      idempotency,
      clock,
    }),
  }];
  return { service, tokens, routers, purge: () => store.purge(clock.nowMs()) };
}
