// Banks, connections and accounts of a user (API.md, "Bank connections"). Only shapes here; what
// may happen is decided in the service.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { requireUser, userOf } from "../../http/authentication.ts";
import type { UserTokens } from "../../http/authentication.ts";
import type { AppEnv } from "../../http/context.ts";
import { idempotent } from "../../http/idempotency.ts";
import type { IdempotencyDeps } from "../../http/idempotency.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import type { Cursors } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, createRouter, problems, userSecurity } from "../../http/router.ts";
import { isId } from "../../kernel/ids.ts";
import type { BankingService } from "../service/index.ts";
import { mountAccounts } from "./accounts.ts";
import { mountAuthorizations } from "./authorizations.ts";
import { bankSchema, connectionSchema, idPath, presentConnection, tags } from "./schemas.ts";

type ConnectionRouteDeps = {
  readonly service: BankingService;
  readonly tokens: UserTokens;
  readonly idempotency: IdempotencyDeps;
  readonly cursors: Cursors;
};

const banksRoute = createRoute({
  method: "get",
  path: "/v1/banks",
  tags,
  security: userSecurity,
  summary: "Banks that can be linked",
  request: { query: z.object({ query: z.string().max(80).optional(), ...pageQuery }) },
  responses: { 200: answer(pageOf(bankSchema), "Banks by name"), ...problems(400, 401, 422, 503) },
});
const listRoute = createRoute({
  method: "get",
  path: "/v1/bank-connections",
  tags,
  security: userSecurity,
  summary: "The user's connections",
  request: { query: z.object(pageQuery) },
  responses: {
    200: answer(pageOf(connectionSchema), "Oldest first"),
    ...problems(400, 401, 422, 503),
  },
});
const detailRoute = createRoute({
  method: "get",
  path: "/v1/bank-connections/{id}",
  tags,
  security: userSecurity,
  summary: "One connection",
  request: { params: idPath },
  responses: { 200: answer(connectionSchema, "The connection"), ...problems(401, 404, 422, 503) },
});
const endRoute = createRoute({
  method: "delete",
  path: "/v1/bank-connections/{id}",
  tags,
  security: userSecurity,
  summary: "End a connection, here and at the aggregator",
  request: { params: idPath },
  responses: { 204: { description: "Ended" }, ...problems(401, 404, 422, 503) },
});
/** Routes for the user's banks. */
export function connectionRoutes(deps: ConnectionRouteDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  const user = requireUser(deps.tokens);
  for (
    const path of [
      "/v1/banks",
      "/v1/bank-connections",
      "/v1/bank-connections/*",
      "/v1/bank-accounts/*",
    ]
  ) router.use(path, user);
  router.on(
    "POST",
    ["/v1/bank-connections", "/v1/bank-connections/:id/renewal"],
    idempotent(deps.idempotency, { required: true }),
  );
  router.on(
    "POST",
    ["/v1/bank-accounts/:id/earning-transfer", "/v1/bank-accounts/:id/earning-transfer/answer"],
    idempotent(deps.idempotency, { required: false }),
  );
  mountAuthorizations(router, deps.service);
  mountLists(router, deps);
  mountEnding(router, deps);
  mountAccounts(router, deps.service);
  return router;
}

function mountLists(router: OpenAPIHono<AppEnv>, { service, cursors }: ConnectionRouteDeps): void {
  router.openapi(banksRoute, async (c) => {
    const { query = "", limit, cursor } = c.req.valid("query");
    const banks = await service.banks(query);
    if (!banks.ok) {
      return problem(c, "aggregator_unavailable", { headers: { "Retry-After": "30" } }) as never;
    }
    const page = pageFrom(
      banks.value,
      (bank) => bank.id,
      cursors,
      `banks|${userOf(c).userId}|${query}`,
      limit,
      cursor,
    );
    if (page === null) return problem(c, "cursor_invalid") as never;
    return c.json({ data: page.items.map((bank) => ({ ...bank })), next_cursor: page.next }, 200);
  });
  router.openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { userId } = userOf(c);
    const list = await service.list(userId);
    if (!list.ok) return problem(c, "ledger_unavailable") as never;
    const page = pageFrom(
      list.value,
      (view) => view.id,
      cursors,
      `bank-connections|${userId}`,
      limit,
      cursor,
    );
    if (page === null) return problem(c, "cursor_invalid") as never;
    return c.json({
      data: page.items.map((view) => presentConnection(view, c.get("locale"))),
      next_cursor: page.next,
    }, 200);
  });
  router.openapi(detailRoute, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("con", id)) return problem(c, "not_found") as never;
    const found = await service.detail(userOf(c).userId, id);
    if (!found.ok) return problem(c, "ledger_unavailable") as never;
    return found.value === null
      ? (problem(c, "not_found") as never)
      : c.json(presentConnection(found.value, c.get("locale")), 200);
  });
}

function mountEnding(router: OpenAPIHono<AppEnv>, { service }: ConnectionRouteDeps): void {
  router.openapi(endRoute, async (c) => {
    const { id } = c.req.valid("param");
    const ended = isId("con", id) && (await service.end(userOf(c).userId, id));
    return ended ? c.body(null, 204) : problem(c, "not_found");
  });
}

/**
 * One page of a list that is in memory, after the item whose key the cursor carries. Null when the
 * cursor is not one of ours; a list that lost that item starts again.
 */
function pageFrom<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  cursors: Cursors,
  scope: string,
  limit: number,
  cursor: string | undefined,
): { items: readonly T[]; next: string | null } | null {
  const after = cursor === undefined ? null : cursors.open(scope, cursor);
  if (cursor !== undefined && after === null) return null;
  const start = after === null ? 0 : items.findIndex((item) => keyOf(item) === after) + 1;
  const page = items.slice(start, start + limit);
  const last = page.at(-1);
  return {
    items: page,
    next: start + limit < items.length && last !== undefined
      ? cursors.seal(scope, keyOf(last))
      : null,
  };
}
