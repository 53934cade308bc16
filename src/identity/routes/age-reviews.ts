// `GET /age-reviews` and `POST /age-reviews/{id}/decision`: users whose corrected birth date says
// that they are too young wait for a person. Without the birth date.
import { createRoute, z } from "@hono/zod-openapi";
import { audited, operatorEvent } from "../../audit/ports.ts";
import type { AuditEvent } from "../../audit/ports.ts";
import { operatorOf, requireRole } from "../../http/authentication.ts";
import type { OperatorTokens } from "../../http/authentication.ts";
import { idempotent } from "../../http/idempotency.ts";
import type { IdempotencyDeps } from "../../http/idempotency.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import type { Cursors } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../../http/router.ts";
import { isId } from "../../kernel/ids.ts";
import { toInstant } from "../../kernel/time.ts";
import type { IdentityService } from "../service/index.ts";
import type { AgeReviewPosition, AgeReviewRow } from "../store/index.ts";
import type { Router } from "./deps.ts";

type AgeReviewRoutesDeps = {
  readonly service: Pick<IdentityService, "pageAgeReviews" | "decideAgeReview">;
  readonly operatorTokens: OperatorTokens;
  readonly idempotency: IdempotencyDeps;
  readonly cursors: Cursors;
  readonly note: (event: AuditEvent) => Promise<void>;
};

const common = { tags: ["Operators: support"], security: operatorSecurity };
const instant = z.iso.datetime();
const reviewSchema = z.object({
  id: z.string(),
  user_id: z.string(),
  opened_at: instant,
  decide_by: instant.openapi({ description: "Undecided by then, the connections end" }),
  closed_at: instant.nullable(),
  decision: z.object({
    decision: z.enum(["of_age", "under_age", "lapsed"]),
    by: z.string(),
    at: instant,
  }).nullable(),
}).openapi("AgeReview");

function present(row: AgeReviewRow): z.output<typeof reviewSchema> {
  const { decision, decidedBy, decidedAtMs } = row;
  return {
    id: row.id,
    user_id: row.userId,
    opened_at: toInstant(row.openedAtMs),
    decide_by: toInstant(row.decideByMs),
    closed_at: row.closedAtMs === null ? null : toInstant(row.closedAtMs),
    decision: decision === null || decidedBy === null || decidedAtMs === null
      ? null
      : { decision, by: decidedBy, at: toInstant(decidedAtMs) },
  };
}

function positionOf(position: string): AgeReviewPosition | null {
  const [openedAtMs = "", id = ""] = position.split("|");
  return /^\d+$/.test(openedAtMs) && id !== "" ? { openedAtMs: Number(openedAtMs), id } : null;
}

function addList(router: Router, deps: AgeReviewRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "get",
    path: "/age-reviews",
    summary: "List users whose corrected birth date is below the minimum age, oldest first",
    middleware: [audited(deps.note, { reads: true }), requireRole(deps.operatorTokens, "support")],
    request: {
      query: z.strictObject({
        ...pageQuery,
        state: z.enum(["open", "closed", "all"]).default("open"),
      }),
    },
    responses: {
      200: answer(pageOf(reviewSchema), "Without the birth date"),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { limit, cursor, state } = c.req.valid("query");
    const scope = `age-reviews|${state}`;
    const opened = cursor === undefined ? null : deps.cursors.open(scope, cursor);
    const after = opened === null ? null : positionOf(opened);
    if (cursor !== undefined && after === null) return problem(c, "cursor_invalid") as never;
    const { reviews, more } = await deps.service.pageAgeReviews({ state, limit, after });
    const last = reviews.at(-1);
    return c.json({
      data: reviews.map(present),
      next_cursor: more && last !== undefined
        ? deps.cursors.seal(scope, `${last.openedAtMs}|${last.id}`)
        : null,
    }, 200);
  });
}

function addDecision(router: Router, deps: AgeReviewRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/age-reviews/{id}/decision",
    summary: "Decide whether a user is old enough",
    description:
      "`of_age`: the user earns again, and what was bought meanwhile is read back. `under_age`: the bank connections end, here and at the aggregator; points stay. Undecided after 30 days it ends as `under_age` does.",
    middleware: [
      audited(deps.note),
      requireRole(deps.operatorTokens, "support"),
      idempotent(deps.idempotency, { required: true }),
    ],
    request: {
      params: z.object({ id: z.string() }),
      body: body(z.strictObject({ decision: z.enum(["of_age", "under_age"]) })),
    },
    responses: {
      200: answer(reviewSchema, "The review after the decision"),
      ...problems(400, 401, 403, 404, 409, 413, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { id } = c.req.valid("param");
    const { decision } = c.req.valid("json");
    if (!isId("agr", id)) return problem(c, "not_found") as never;
    const decided = await deps.service.decideAgeReview(
      id,
      decision,
      operatorEvent(operatorOf(c), "age_review.decide", id, { decision }),
    );
    if (decided.ok) return c.json(present(decided.value), 200);
    return problem(c, decided.error.code === "not_found" ? "not_found" : "conflict") as never;
  });
}

/** To be mounted under `/admin/v1`. */
export function ageReviewRoutes(deps: AgeReviewRoutesDeps): Router {
  const router = createRouter();
  addList(router, deps);
  addDecision(router, deps);
  return router;
}
