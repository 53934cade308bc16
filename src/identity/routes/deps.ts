// What the identity routes are built from.
import type { UserTokens } from "../../http/authentication.ts";
import type { IdempotencyDeps } from "../../http/idempotency.ts";
import type { Cursors } from "../../http/paging.ts";
import type { RateLimiter } from "../../http/rate-limit.ts";
import type { createRouter } from "../../http/router.ts";
import type { Clock } from "../../kernel/time.ts";
import type { PublicKey } from "../access-tokens.ts";
import type { IdentityService } from "../service/index.ts";

export type IdentityRoutesDeps = {
  readonly service: IdentityService;
  readonly tokens: UserTokens;
  readonly publicKeys: { readonly keys: readonly PublicKey[] };
  readonly cursors: Cursors;
  readonly idempotency: IdempotencyDeps;
  readonly clock: Clock;
  readonly refreshLimiter: RateLimiter;
};

export type Router = ReturnType<typeof createRouter>;
