// Banks, connections and accounts of a user (API.md, "Bank connections"). Only shapes here; what
// may happen is decided in the service.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { requireUser, userOf } from "../../http/authentication.ts";
import type { UserTokens } from "../../http/authentication.ts";
import type { AppEnv, Locale } from "../../http/context.ts";
import { idempotent } from "../../http/idempotency.ts";
import type { IdempotencyDeps } from "../../http/idempotency.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import type { Cursors } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, body, createRouter, problems, userSecurity } from "../../http/router.ts";
import { isId } from "../../kernel/ids.ts";
import { toInstant } from "../../kernel/time.ts";
import type { StartError } from "../errors.ts";
import type { BankingService } from "../service.ts";
import type { AccountView, ConnectionView } from "../connections/view.ts";

export type ConnectionRouteDeps = {
  readonly service: BankingService;
  readonly tokens: UserTokens;
  readonly idempotency: IdempotencyDeps;
  readonly cursors: Cursors;
};

const bankSchema = z.object({
  id: z.string(),
  name: z.string(),
  color: z.string().nullable(),
  country: z.string().nullable(),
}).openapi("Bank");
const accountSchema = z.object({
  id: z.string(),
  kind: z.enum(["checking", "card"]),
  label: z.string(),
  earning: z.boolean(),
  last_purchase_on: z.string().nullable(),
}).openapi("BankAccount");
const connectionSchema = z.object({
  id: z.string(),
  bank: z.object({ id: z.string(), name: z.string() }),
  status: z.enum([
    "connecting",
    "active",
    "action_required",
    "expired",
    "unavailable",
    "needs_repair",
    "removed",
  ]),
  action: z.enum(["none", "renew", "update_credentials", "act_at_bank"]),
  consent: z.object({ granted_at: z.string(), expires_at: z.string() }),
  last_synced_at: z.string().nullable(),
  gaps: z.array(z.object({ from: z.iso.date(), to: z.iso.date(), recovered: z.boolean() })).openapi(
    {
      description:
        "Days without syncs, from the last good one to the renewal; `recovered` once they were read back",
    },
  ),
  accounts: z.array(accountSchema),
}).openapi("BankConnection");
const tripSchema = z.object({
  authorization_url: z.string(),
  state: z.string(),
  expires_at: z.string(),
}).openapi("BankAuthorization");
const redirectUri = z.string().min(1).max(2048);
const idPath = z.object({ id: z.string().max(64) });
const keyHeader = z.object({
  "idempotency-key": z.string().optional().openapi({
    description: "1 to 255 visible ASCII characters; required",
  }),
});
const security = userSecurity;
const tags = ["Bank connections"];

const banksRoute = createRoute({
  method: "get",
  path: "/v1/banks",
  tags,
  security,
  summary: "Banks that can be linked",
  request: { query: z.object({ query: z.string().max(80).optional(), ...pageQuery }) },
  responses: { 200: answer(pageOf(bankSchema), "Banks by name"), ...problems(400, 401, 422, 503) },
});
const startRoute = createRoute({
  method: "post",
  path: "/v1/bank-connections",
  tags,
  security,
  summary: "Start linking a bank on the aggregator's page",
  request: {
    headers: keyHeader,
    body: body(
      z.strictObject({
        redirect_uri: redirectUri,
        bank_id: z.guid().optional(),
        aggregator: z.enum(["powens"]).optional(),
        locale: z.enum(["fr", "en"]).optional(),
      }),
    ),
  },
  responses: {
    201: answer(tripSchema, "Send the user to `authorization_url`"),
    ...problems(400, 401, 403, 409, 422, 503),
  },
});
const callbackRoute = createRoute({
  method: "post",
  path: "/v1/bank-connections/callback",
  tags,
  security,
  summary: "The user is back from the aggregator's page",
  request: {
    body: body(z.looseObject({
      state: z.string().max(512).optional(),
      connection_id: z.union([z.string().max(64), z.number().int()]).optional(),
      connection_ids: z.string().max(1024).optional(),
      error: z.string().max(128).optional(),
    })),
  },
  responses: {
    200: answer(
      z.object({
        data: z.array(connectionSchema),
        outcome: z.enum(["connected", "renewed", "refused"]),
      }),
      "`refused`: the redirect carried an `error`; `data` is empty",
    ),
    ...problems(400, 401, 422, 503),
  },
});
const listRoute = createRoute({
  method: "get",
  path: "/v1/bank-connections",
  tags,
  security,
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
  security,
  summary: "One connection",
  request: { params: idPath },
  responses: { 200: answer(connectionSchema, "The connection"), ...problems(401, 404, 503) },
});
const renewalRoute = createRoute({
  method: "post",
  path: "/v1/bank-connections/{id}/renewal",
  tags,
  security,
  summary: "Renew the bank's consent on the aggregator's page",
  request: {
    params: idPath,
    headers: keyHeader,
    body: body(z.strictObject({ redirect_uri: redirectUri })),
  },
  responses: {
    200: answer(tripSchema, "Send the user to `authorization_url`"),
    ...problems(400, 401, 403, 404, 409, 422, 503),
  },
});
const endRoute = createRoute({
  method: "delete",
  path: "/v1/bank-connections/{id}",
  tags,
  security,
  summary: "End a connection, here and at the aggregator",
  request: { params: idPath },
  responses: { 204: { description: "Ended" }, ...problems(401, 404, 503) },
});
const accountRoute = createRoute({
  method: "patch",
  path: "/v1/bank-accounts/{id}",
  tags,
  security,
  summary: "Let an account earn, or not",
  request: { params: idPath, body: body(z.strictObject({ earning: z.boolean() })) },
  responses: { 200: answer(accountSchema, "The account"), ...problems(401, 404, 409, 422, 503) },
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
  mountTrips(router, deps);
  mountLists(router, deps);
  mountChanges(router, deps);
  return router;
}

function mountTrips(router: OpenAPIHono<AppEnv>, { service }: ConnectionRouteDeps): void {
  router.openapi(startRoute, async (c) => {
    const { userId, sessionId } = userOf(c);
    const input = c.req.valid("json");
    const started = await service.start({
      userId,
      sessionId,
      redirectUri: input.redirect_uri,
      bankId: input.bank_id?.toLowerCase() ?? null,
      aggregator: input.aggregator ?? null,
      locale: input.locale ?? null,
    });
    if (!started.ok) return refusedStart(c, started.error) as never;
    return c.json({
      authorization_url: started.value.authorizationUrl,
      state: started.value.state,
      expires_at: toInstant(started.value.expiresAtMs),
    }, 201);
  });
  router.openapi(renewalRoute, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("con", id)) return problem(c, "not_found") as never;
    const { userId, sessionId } = userOf(c);
    const started = await service.renew({
      userId,
      sessionId,
      connectionId: id,
      redirectUri: c.req.valid("json").redirect_uri,
    });
    if (!started.ok) return refusedStart(c, started.error) as never;
    return c.json({
      authorization_url: started.value.authorizationUrl,
      state: started.value.state,
      expires_at: toInstant(started.value.expiresAtMs),
    }, 200);
  });
  router.openapi(callbackRoute, async (c) => {
    const input = c.req.valid("json");
    // We always hand the aggregator a code of ours; one that comes back was made for somebody
    // else's session.
    if (input.state === undefined || input["code"] !== undefined) {
      return problem(c, "state_invalid") as never;
    }
    const ids = [String(input.connection_id ?? ""), ...(input.connection_ids ?? "").split(",")].map(
      (id) => id.trim(),
    ).filter((id) => id !== "");
    const result = await service.returned({
      userId: userOf(c).userId,
      state: input.state,
      remoteIds: ids,
      refused: input.error !== undefined,
    });
    if (!result.ok) return problem(c, result.error.code) as never;
    return c.json({
      data: result.value.connections.map((view) => shown(view, c.get("locale"))),
      outcome: result.value.outcome,
    }, 200);
  });
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
      data: page.items.map((view) => shown(view, c.get("locale"))),
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
      : c.json(shown(found.value, c.get("locale")), 200);
  });
}

function mountChanges(router: OpenAPIHono<AppEnv>, { service }: ConnectionRouteDeps): void {
  router.openapi(endRoute, async (c) => {
    const { id } = c.req.valid("param");
    const ended = isId("con", id) && (await service.end(userOf(c).userId, id));
    return ended ? c.body(null, 204) : problem(c, "not_found");
  });
  router.openapi(accountRoute, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("acc", id)) return problem(c, "not_found") as never;
    const changed = await service.setEarning(userOf(c).userId, id, c.req.valid("json").earning);
    if (changed.ok) return c.json(shownAccount(changed.value, c.get("locale")), 200);
    switch (changed.error.code) {
      case "not_found":
        return problem(c, "not_found") as never;
      case "shared":
        return problem(c, "conflict", {
          detail: {
            fr: "Un autre titulaire gagne déjà avec ce compte",
            en: "Another holder already earns with this account",
          },
        }) as never;
      default:
        return problem(c, "ledger_unavailable") as never;
    }
  });
}

function refusedStart(c: Parameters<typeof problem>[0], error: StartError): Response {
  switch (error.code) {
    case "in_progress":
      return problem(c, "idempotency_in_progress", { headers: { "Retry-After": "2" } });
    case "aggregator_unavailable":
      return problem(c, error.code, { headers: { "Retry-After": "30" } });
    default:
      return problem(c, error.code);
  }
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

function shownAccount(account: AccountView, locale: Locale) {
  return {
    id: account.id,
    kind: account.kind,
    label: `${locale === "en" ? "Account" : "Compte"} ${account.ordinal}`,
    earning: account.earning,
    last_purchase_on: account.lastPurchaseOn,
  };
}

function shown(view: ConnectionView, locale: Locale) {
  return {
    id: view.id,
    bank: { ...view.bank },
    status: view.status,
    action: view.action,
    consent: {
      granted_at: toInstant(view.consentGrantedAtMs),
      expires_at: toInstant(view.consentExpiresAtMs),
    },
    last_synced_at: view.lastSyncedAtMs === null ? null : toInstant(view.lastSyncedAtMs),
    gaps: view.gaps.map((gap) => ({ ...gap })),
    accounts: view.accounts.map((account) => shownAccount(account, locale)),
  };
}
