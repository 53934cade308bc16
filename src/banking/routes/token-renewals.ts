// Owners' routes for new tokens after a leak: ask, approve (second person), follow.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { audited, operatorEvent } from "../../audit/ports.ts";
import type { AuditEvent } from "../../audit/ports.ts";
import { operatorOf, requireRole } from "../../http/authentication.ts";
import type { OperatorTokens } from "../../http/authentication.ts";
import type { AppEnv } from "../../http/context.ts";
import { idempotent } from "../../http/idempotency.ts";
import type { IdempotencyDeps } from "../../http/idempotency.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import type { Cursors } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../../http/router.ts";
import { isId } from "../../kernel/ids.ts";
import { toInstant } from "../../kernel/time.ts";
import type { RenewalView } from "../renewal/index.ts";
import type { BankingService } from "../service/index.ts";

type RenewalRoutesDeps = {
  readonly service: Pick<BankingService, "tokenRenewals">;
  readonly operatorTokens: OperatorTokens;
  readonly idempotency: IdempotencyDeps;
  readonly cursors: Cursors;
  readonly note: (event: AuditEvent) => Promise<void>;
};

const common = { tags: ["Operators: owner"], security: operatorSecurity };
const whole = z.number().int();
const renewalSchema = z.object({
  id: z.string(),
  aggregator: z.enum(["powens", "bridge", "plaid"]),
  reason: z.string(),
  state: z.enum(["waiting", "running", "finished"]),
  asked_by: z.string(),
  asked_at: z.iso.datetime(),
  approved_by: z.string().nullable(),
  approved_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
  progress: z.object({
    not_begun: whole.openapi({ description: "Links with a token that are still to be taken on" }),
    open: whole.openapi({ description: "Links that wait for their new token" }),
    to_end: whole.openapi({ description: "New token stored, the old one ends within minutes" }),
    renewed: whole,
    ended: whole.openapi({ description: "Links that ended before they had a new token" }),
  }),
}).openapi("TokenRenewal");

function present({ renewal, left }: RenewalView): z.output<typeof renewalSchema> {
  const at = (ms: number | null): string | null => ms === null ? null : toInstant(ms);
  return {
    id: renewal.id,
    aggregator: renewal.aggregator,
    reason: renewal.reason,
    state: renewal.state,
    asked_by: renewal.askedBy,
    asked_at: toInstant(renewal.askedAtMs),
    approved_by: renewal.approvedBy,
    approved_at: at(renewal.approvedAtMs),
    finished_at: at(renewal.finishedAtMs),
    progress: {
      not_begun: left.notBegun,
      open: left.open,
      to_end: left.toEnd,
      renewed: renewal.renewed,
      ended: renewal.ended,
    },
  };
}

/** `/token-renewals`, to be mounted under `/admin/v1`. Only owners: no other role is named. */
export function tokenRenewalRoutes(deps: RenewalRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  addReads(router, deps);
  addActs(router, deps);
  return router;
}

function addReads(router: OpenAPIHono<AppEnv>, deps: RenewalRoutesDeps): void {
  const middleware = [audited(deps.note, { reads: true }), requireRole(deps.operatorTokens)];
  const list = createRoute({
    ...common,
    method: "get",
    path: "/token-renewals",
    summary: "List renewals of all tokens with their progress, newest first",
    middleware,
    request: { query: z.strictObject(pageQuery) },
    responses: {
      200: answer(pageOf(renewalSchema), "Renewals"),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const before = cursor === undefined ? null : deps.cursors.open("token-renewals", cursor);
    if (cursor !== undefined && before === null) return problem(c, "cursor_invalid") as never;
    const found = await deps.service.tokenRenewals.page(limit, before);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return c.json({
      data: page.map(present),
      next_cursor: last !== undefined && found.length > limit
        ? deps.cursors.seal("token-renewals", last.renewal.id)
        : null,
    }, 200);
  });

  const read = createRoute({
    ...common,
    method: "get",
    path: "/token-renewals/{id}",
    summary: "Follow a renewal of all tokens",
    middleware,
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: {
      200: answer(renewalSchema, "The renewal with its progress"),
      ...problems(401, 403, 404, 422, 503),
    },
  });
  router.openapi(read, async (c) => {
    const found = await deps.service.tokenRenewals.describe(c.req.valid("param").id);
    return found === null ? problem(c, "not_found") as never : c.json(present(found), 200);
  });
}

function addActs(router: OpenAPIHono<AppEnv>, deps: RenewalRoutesDeps): void {
  const middleware = [
    audited(deps.note),
    requireRole(deps.operatorTokens),
    idempotent(deps.idempotency, { required: true }),
  ];
  const ask = createRoute({
    ...common,
    method: "post",
    path: "/token-renewals",
    summary: "Ask for new tokens for every user at the aggregator",
    description:
      "After a leak. It waits for another listed owner. Where our own secret leaked too, replace it at the aggregator and here first. One renewal is open at a time: the open one is answered again.",
    middleware,
    request: {
      body: body(z.strictObject({
        aggregator: z.enum(["powens"]).default("powens"),
        reason: z.string().trim().min(1).max(500),
      })),
    },
    responses: {
      201: answer(renewalSchema, "The renewal that is open"),
      ...problems(400, 401, 403, 409, 415, 422, 503),
    },
  });
  router.openapi(ask, async (c) => {
    const { aggregator, reason } = c.req.valid("json");
    const operator = operatorOf(c);
    const asked = await deps.service.tokenRenewals.ask(
      { aggregator, reason, by: operator.subject },
      (id) => operatorEvent(operator, "token_renewal.ask", id, { aggregator }),
    );
    return asked.ok ? c.json(present(asked.value), 201) : problem(c, asked.error.code) as never;
  });

  const approve = createRoute({
    ...common,
    method: "post",
    path: "/token-renewals/{id}/approval",
    summary: "Start a renewal of all tokens (second person)",
    description:
      "The periodic work renews them in steps and goes on after a crash. Each old token works until the new one is stored and ends ten minutes later.",
    middleware,
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: {
      200: answer(renewalSchema, "The renewal, running"),
      ...problems(400, 401, 403, 404, 409, 422, 503),
    },
  });
  router.openapi(approve, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("rnw", id)) return problem(c, "not_found") as never;
    const { subject, listedPerson } = operatorOf(c);
    const approved = await deps.service.tokenRenewals.approve(
      id,
      { operator: subject, listedPerson },
      operatorEvent(operatorOf(c), "token_renewal.approve", id),
    );
    return approved.ok
      ? c.json(present(approved.value), 200)
      : problem(c, approved.error.code) as never;
  });
}
