// Owners' routes for halts: begin by one, end by two, list.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
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
import type { Clock } from "../../kernel/time.ts";
import { LEGAL } from "../../texts/texts.ts";
import { askedToEnd } from "./halts.ts";
import type { Halt, HaltActor } from "./halts.ts";
import type { HaltsStore } from "./store.ts";

type HaltRoutesDeps = {
  readonly store: HaltsStore;
  readonly operatorTokens: OperatorTokens;
  readonly idempotency: IdempotencyDeps;
  readonly cursors: Cursors;
  readonly note: (event: AuditEvent) => Promise<void>;
  readonly clock: Clock;
};

/** Two who end a halt at the same moment: the slower one looks again. */
const ATTEMPTS_MAX = 3;

const common = { tags: ["Operators: owner"], security: operatorSecurity };
const scope = z.enum(["payouts", "confirmations", "linking", "offers"]);
const instant = z.iso.datetime().nullable();
const haltSchema = z.object({
  id: z.string(),
  what: scope,
  reason: z.string(),
  state: z.enum(["in_force", "end_waiting", "ended"]),
  begun_by: z.string(),
  begun_at: z.iso.datetime(),
  end_asked_by: z.string().nullable(),
  end_asked_at: instant,
  ended_by: z.string().nullable(),
  ended_at: instant,
}).openapi("Halt");

function present(halt: Halt): z.output<typeof haltSchema> {
  const at = (ms: number | null): string | null => ms === null ? null : toInstant(ms);
  return {
    id: halt.id,
    what: halt.what,
    reason: halt.reason,
    state: halt.endedAtMs !== null
      ? "ended"
      : halt.endAskedBy === null
      ? "in_force"
      : "end_waiting",
    begun_by: halt.begunBy,
    begun_at: toInstant(halt.begunAtMs),
    end_asked_by: halt.endAskedBy,
    end_asked_at: at(halt.endAskedAtMs),
    ended_by: halt.endedBy,
    ended_at: at(halt.endedAtMs),
  };
}

function actorOf(c: Context<AppEnv>, clock: Clock): HaltActor {
  const { subject, listedPerson } = operatorOf(c);
  return { operator: subject, listedPerson, nowMs: clock.nowMs() };
}

/** `/halts`, to be mounted under `/admin/v1`. Only owners: no other role is named. */
export function haltRoutes(deps: HaltRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  addList(router, deps);
  addBegin(router, deps);
  addEnd(router, deps);
  return router;
}

function addList(router: OpenAPIHono<AppEnv>, deps: HaltRoutesDeps): void {
  const list = createRoute({
    ...common,
    method: "get",
    path: "/halts",
    summary: "List the halts, newest first",
    middleware: [audited(deps.note, { reads: true }), requireRole(deps.operatorTokens)],
    request: { query: z.strictObject(pageQuery) },
    responses: {
      200: answer(pageOf(haltSchema), "Halts in force and ended ones"),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const before = cursor === undefined ? null : deps.cursors.open("halts", cursor);
    if (cursor !== undefined && before === null) return problem(c, "cursor_invalid") as never;
    const found = await deps.store.page(limit, before);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return c.json({
      data: page.map(present),
      next_cursor: last !== undefined && found.length > limit
        ? deps.cursors.seal("halts", last.id)
        : null,
    }, 200);
  });
}

function acts(deps: HaltRoutesDeps) {
  return [
    audited(deps.note),
    requireRole(deps.operatorTokens),
    idempotent(deps.idempotency, { required: true }),
  ];
}

function addBegin(router: OpenAPIHono<AppEnv>, deps: HaltRoutesDeps): void {
  const begin = createRoute({
    ...common,
    method: "post",
    path: "/halts",
    summary: "Halt a part of the programme at once (one owner)",
    description:
      "`offers`: no version, alias or stop takes effect and purchases without points wait (`programme_paused`). `confirmations`: pending points stay pending. `payouts`: no batch is made, approved or downloaded. `linking`: starting, renewing and coming back answer 503 `programme_paused`. Nothing is lost: what was deferred follows after the end. No points expire during a halt of payouts or confirmations nor for 30 days after, and the deadlines of reviews stand still. What is halted already stays so, and an end that was asked for is withdrawn.",
    middleware: acts(deps),
    request: {
      body: body(z.strictObject({ what: scope, reason: z.string().trim().min(1).max(500) })),
    },
    responses: {
      201: answer(haltSchema, "The halt that is in force"),
      ...problems(400, 401, 403, 409, 415, 422, 503),
    },
  });
  router.openapi(begin, async (c) => {
    const { what, reason } = c.req.valid("json");
    const halt = await deps.store.begin(
      what,
      reason,
      actorOf(c, deps.clock),
      (id) => operatorEvent(operatorOf(c), "halt.begin", id, { what }),
    );
    return c.json(present(halt), 201);
  });
}

function addEnd(router: OpenAPIHono<AppEnv>, deps: HaltRoutesDeps): void {
  const end = createRoute({
    ...common,
    method: "post",
    path: "/halts/{id}/end",
    summary: "End a halt (two owners)",
    description:
      "The first listed person asks, and the halt is `end_waiting`; the same request of another one ends it.",
    middleware: acts(deps),
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: {
      200: answer(haltSchema, "The halt as it is now"),
      ...problems(400, 401, 403, 404, 409, 422, 503),
    },
  });
  router.openapi(end, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("hlt", id)) return problem(c, "not_found") as never;
    const actor = actorOf(c, deps.clock);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const halt = await deps.store.find(id);
      if (halt === null) return problem(c, "not_found") as never;
      const after = askedToEnd(halt, actor);
      if (!after.ok) {
        return (after.error.code === "halt_ended"
          ? problem(c, "conflict", { detail: LEGAL.both("halt_ended") })
          : problem(c, after.error.code)) as never;
      }
      const unchanged = after.value === halt;
      // Whoever asks again once it has ended does not end it again.
      const ends = !unchanged && after.value.endedAtMs !== null;
      const action = ends ? "halt.end" : "halt.ask_end";
      const event = operatorEvent(operatorOf(c), action, id, { what: halt.what });
      if (unchanged) await deps.note(event);
      if (unchanged || await deps.store.replace(halt, after.value, event, actor.nowMs)) {
        return c.json(present(after.value), 200);
      }
    }
    return problem(c, "conflict", { detail: LEGAL.both("halt_ended") }) as never;
  });
}
