// Operators' view of the quarantine, and their act on it: the list of messages that could not be
// used, and asking the aggregator again for what one was about.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { audited } from "../../audit/ports.ts";
import { operatorEvent } from "../../audit/ports.ts";
import type { AuditEvent } from "../../audit/ports.ts";
import { operatorOf, requireRole } from "../../http/authentication.ts";
import type { OperatorTokens } from "../../http/authentication.ts";
import type { AppEnv } from "../../http/context.ts";
import { idempotent } from "../../http/idempotency.ts";
import type { IdempotencyDeps } from "../../http/idempotency.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import type { Cursors } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, createRouter, operatorSecurity, problems } from "../../http/router.ts";
import { toInstant } from "../../kernel/time.ts";
import type { BankingService } from "../service/index.ts";
import type { QuarantineItem, QuarantineQuery } from "../store/index.ts";
import type { ReplayError } from "../webhook/index.ts";
import { BANKING } from "../../texts/texts.ts";

type OperatorDeps = {
  readonly operatorTokens: OperatorTokens;
  readonly note: (event: AuditEvent) => Promise<void>;
};
type QuarantineListDeps = OperatorDeps & {
  readonly service: Pick<BankingService, "quarantinePage">;
  readonly cursors: Cursors;
};
type QuarantineReplayDeps = OperatorDeps & {
  readonly service: Pick<BankingService, "replay">;
  readonly idempotency: IdempotencyDeps;
};

const quarantineSchema = z.object({
  id: z.string(),
  provider: z.string(),
  event: z.string(),
  remote_user_id: z.string().nullable(),
  remote_connection_id: z.string().nullable(),
  reason: z.string(),
  body_bytes: z.number().int(),
  body_hash: z.string(),
  first_at: z.iso.datetime(),
  last_at: z.iso.datetime(),
  times: z.number().int(),
  resolved_at: z.iso.datetime().nullable(),
}).openapi("QuarantineItem");

function presentItem(item: QuarantineItem): z.output<typeof quarantineSchema> {
  return {
    id: item.id,
    provider: item.provider,
    event: item.event,
    remote_user_id: item.remoteUserId,
    remote_connection_id: item.remoteConnectionId,
    reason: item.reason,
    body_bytes: item.bodyBytes,
    body_hash: item.bodyHash,
    first_at: toInstant(item.firstAtMs),
    last_at: toInstant(item.lastAtMs),
    times: item.times,
    resolved_at: item.resolvedAtMs === null ? null : toInstant(item.resolvedAtMs),
  };
}

function positionOf(position: string): QuarantineQuery["before"] {
  const [lastAtMs = "", id = ""] = position.split("|");
  return /^\d+$/.test(lastAtMs) && id !== "" ? { lastAtMs: Number(lastAtMs), id } : null;
}

/** `GET /quarantine`, to be mounted under `/admin/v1`. */
export function quarantineListRoutes(deps: QuarantineListDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  const list = createRoute({
    method: "get",
    path: "/quarantine",
    tags: ["Operators: operations"],
    security: operatorSecurity,
    summary: "List messages that could not be used, latest first",
    middleware: [audited(deps.note, { reads: true }), requireRole(deps.operatorTokens, "support")],
    request: {
      query: z.strictObject({
        ...pageQuery,
        state: z.enum(["open", "resolved", "all"]).default("open"),
      }),
    },
    responses: {
      200: answer(pageOf(quarantineSchema), "Without any body: none is kept"),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(list, async (c) => {
    const { limit, cursor, state } = c.req.valid("query");
    const scope = `quarantine|${state}`;
    const opened = cursor === undefined ? null : deps.cursors.open(scope, cursor);
    const before = opened === null ? null : positionOf(opened);
    if (cursor !== undefined && before === null) return problem(c, "cursor_invalid") as never;
    const items = await deps.service.quarantinePage({ state, limit, before });
    const page = items.slice(0, limit);
    const last = page.at(-1);
    return c.json({
      data: page.map(presentItem),
      next_cursor: last !== undefined && items.length > limit
        ? deps.cursors.seal(scope, `${last.lastAtMs}|${last.id}`)
        : null,
    }, 200);
  });
  return router;
}

const replayedSchema = z.object({
  id: z.string(),
  outcome: z.enum(["resolved", "scheduled"]),
  resolved_at: z.iso.datetime().nullable(),
}).openapi("QuarantineReplay");

/** `POST /quarantine/{id}/replay`, to be mounted under `/admin/v1`. */
export function quarantineReplayRoutes(deps: QuarantineReplayDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  const replay = createRoute({
    method: "post",
    path: "/quarantine/{id}/replay",
    tags: ["Operators: operations"],
    security: operatorSecurity,
    summary: "Ask the aggregator again for what a message was about",
    description:
      "No body is kept, so everything of the connection is read back. `scheduled`: there is more to read than one request may; the sweep finishes and resolves it. 409 when the message names nobody whom we know, or nothing that the aggregator still has.",
    middleware: [
      audited(deps.note),
      requireRole(deps.operatorTokens, "support"),
      idempotent(deps.idempotency, { required: true }),
    ],
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: {
      200: answer(replayedSchema, "Asked and recorded"),
      ...problems(400, 401, 403, 404, 409, 422, 503),
    },
  });
  router.openapi(replay, async (c) => {
    const { id } = c.req.valid("param");
    const done = await deps.service.replay(
      id,
      (details) => operatorEvent(operatorOf(c), "quarantine.replay", id, details),
    );
    if (done.ok) {
      return c.json({
        id: done.value.id,
        outcome: done.value.outcome,
        resolved_at: done.value.resolvedAtMs === null ? null : toInstant(done.value.resolvedAtMs),
      }, 200);
    }
    return refusedReplay(c, done.error) as never;
  });
  return router;
}

function refusedReplay(c: Parameters<typeof problem>[0], error: ReplayError): Response {
  switch (error.code) {
    case "nothing_to_ask":
      return problem(c, "conflict", { detail: BANKING.both("nothing_to_ask") });
    case "still_failing":
      return problem(c, "conflict", {
        detail: BANKING.both("still_failing", { reason: error.reason }),
      });
    case "aggregator_unavailable":
      return problem(c, "aggregator_unavailable", { headers: { "Retry-After": "30" } });
    default:
      return problem(c, error.code);
  }
}
