// Operators' act on the quarantine. Its list is read in the operations domain; asking the
// aggregator again is banking's.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AuditEvent } from "../../audit/ports.ts";
import { audited } from "../../audit/ports.ts";
import { operatorOf, requireRole } from "../../http/authentication.ts";
import type { OperatorTokens } from "../../http/authentication.ts";
import type { AppEnv } from "../../http/context.ts";
import { idempotent } from "../../http/idempotency.ts";
import type { IdempotencyDeps } from "../../http/idempotency.ts";
import { problem } from "../../http/problem.ts";
import { answer, createRouter, operatorSecurity, problems } from "../../http/router.ts";
import { toInstant } from "../../kernel/time.ts";
import type { BankingService } from "../service.ts";

export type OperatorQuarantineDeps = {
  readonly service: Pick<BankingService, "replay">;
  readonly operatorTokens: OperatorTokens;
  readonly idempotency: IdempotencyDeps;
  readonly note: (event: AuditEvent) => Promise<void>;
};

const replayedSchema = z.object({
  id: z.string(),
  outcome: z.enum(["resolved", "scheduled"]),
  resolved_at: z.iso.datetime().nullable(),
}).openapi("QuarantineReplay");

/** `POST /quarantine/{id}/replay`, to be mounted under `/admin/v1`. */
export function operatorQuarantineRoutes(deps: OperatorQuarantineDeps): OpenAPIHono<AppEnv> {
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
      ...problems(400, 401, 403, 404, 409, 503),
    },
  });
  router.openapi(replay, async (c) => {
    const done = await deps.service.replay(c.req.valid("param").id, operatorOf(c));
    if (done.ok) {
      return c.json({
        id: done.value.id,
        outcome: done.value.outcome,
        resolved_at: done.value.resolvedAtMs === null ? null : toInstant(done.value.resolvedAtMs),
      }, 200);
    }
    switch (done.error.code) {
      case "nothing_to_ask":
        return problem(c, "conflict", {
          detail: {
            fr: "L'agrégateur n'a rien à ce sujet",
            en: "The aggregator has nothing about it",
          },
        }) as never;
      case "still_troubled":
        return problem(c, "conflict", {
          detail: {
            fr: `Demandé de nouveau, mais le trouble demeure : ${done.error.reason}`,
            en: `Asked again, but the trouble persists: ${done.error.reason}`,
          },
        }) as never;
      case "aggregator_unavailable":
        return problem(c, "aggregator_unavailable", { headers: { "Retry-After": "30" } }) as never;
      default:
        return problem(c, done.error.code) as never;
    }
  });
  return router;
}
