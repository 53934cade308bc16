// Operators' figures across users: liability, statistics, metrics; and the rebuild of the
// projections that they are read from.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { OperatorRole } from "../config.ts";
import { audited, operatorEvent } from "../audit/ports.ts";
import type { AuditEvent } from "../audit/ports.ts";
import { operatorOf, requireRole } from "../http/authentication.ts";
import type { OperatorTokens } from "../http/authentication.ts";
import type { AppEnv } from "../http/context.ts";
import { idempotent } from "../http/idempotency.ts";
import type { IdempotencyDeps } from "../http/idempotency.ts";
import { pageOf, pageQuery } from "../http/paging.ts";
import type { Cursors } from "../http/paging.ts";
import { problem } from "../http/problem.ts";
import type { FieldError } from "../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../http/router.ts";
import { isId } from "../kernel/ids.ts";
import { pointsToCents } from "../kernel/money.ts";
import { isDate, parisDate, toInstant } from "../kernel/time.ts";
import type { Clock } from "../kernel/time.ts";
import type { Projections } from "./projections.ts";
import type { CounterKey, CounterLine, InsightsStore } from "./store.ts";
import { DAYS } from "../texts/texts.ts";

type InsightsRoutesDeps = {
  readonly store: Pick<InsightsStore, "balancesOn" | "lines" | "metrics" | "rebuild" | "patrol">;
  readonly projections: Pick<Projections, "rebuildStep">;
  readonly operatorTokens: OperatorTokens;
  readonly idempotency: IdempotencyDeps;
  readonly cursors: Cursors;
  readonly note: (event: AuditEvent) => Promise<void>;
  readonly clock: Clock;
  readonly pointsPerEuro: number;
};

const common = { tags: ["Operators: operations"], security: operatorSecurity };
const whole = z.number().int();
// Checked by the handlers (`dayErrors`), which say in the caller's language what is wrong with it.
const day = z.string().openapi({ format: "date", example: "2026-11-30" });
const instant = z.iso.datetime();

function reads(deps: InsightsRoutesDeps, ...roles: readonly OperatorRole[]) {
  return [audited(deps.note, { reads: true }), requireRole(deps.operatorTokens, ...roles)];
}

/** What is wrong with the days of a query. `notAfter` bounds the last of them from above. */
function dayErrors(
  c: Context<AppEnv>,
  days: Readonly<Record<string, string | undefined>>,
  notAfter: string | null,
): FieldError[] {
  const error = (name: string, code: keyof typeof DAYS.fr): FieldError => ({
    pointer: `#query/${name}`,
    code,
    detail: DAYS.in(c.get("locale"))(code),
  });
  const given = Object.entries(days).flatMap((
    [name, text],
  ) => (text === undefined ? [] : [{ name, text }]));
  const unreadable = given.filter(({ text }) => !isDate(text)).map(({ name }) =>
    error(name, "date_invalid")
  );
  if (unreadable.length > 0) return unreadable;
  const future = given.filter(({ text }) => notAfter !== null && text > notAfter).map(({ name }) =>
    error(name, "date_in_future")
  );
  const { from, to } = days;
  return [
    ...future,
    ...(from !== undefined && to !== undefined && from > to ? [error("to", "date_order")] : []),
  ];
}

const worth = z.object({ points: whole, value_cents: whole }).openapi("PointsWorth");
const liabilitySchema = z.object({
  on: z.string(),
  currency: z.literal("EUR"),
  confirmed: worth.openapi({
    description: "Available and held points: what users can ask for. Negative balances reduce it",
  }),
  held: worth.openapi({ description: "The part of `confirmed` that is held for redemptions" }),
  pending: worth,
  rebuilding: z.boolean().openapi({
    description: "True while the projections are being rebuilt: the figures are not complete",
  }),
}).openapi("Liability");

function addLiability(router: OpenAPIHono<AppEnv>, deps: InsightsRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "get",
    path: "/liability",
    summary: "Show what the points of all users are worth at the end of a day",
    description:
      "From what the ledgers had recorded by the end of that day in Paris; today by default.",
    middleware: reads(deps, "finance", "auditor"),
    request: { query: z.strictObject({ on: day.optional() }) },
    responses: { 200: answer(liabilitySchema, "The liability"), ...problems(401, 403, 422, 503) },
  });
  router.openapi(route, async (c) => {
    const today = parisDate(deps.clock.nowMs());
    const { on = today } = c.req.valid("query");
    const errors = dayErrors(c, { on }, today);
    if (errors.length > 0) return problem(c, "validation_failed", { errors }) as never;
    const [balances, rebuild] = await Promise.all([
      deps.store.balancesOn(on),
      deps.store.rebuild(),
    ]);
    const worthOf = (points: number) => ({
      points,
      value_cents: pointsToCents(points, deps.pointsPerEuro),
    });
    return c.json({
      on,
      currency: "EUR" as const,
      confirmed: worthOf(balances.available + balances.held),
      held: worthOf(balances.held),
      pending: worthOf(balances.pending),
      rebuilding: rebuild !== null && rebuild.finishedAtMs === null,
    }, 200);
  });
}

const KINDS = [
  "earn",
  "confirm",
  "cancel",
  "clawback",
  "hold",
  "settle",
  "release",
  "reinstate",
  "expire",
  "referral",
  "goodwill",
  "forfeit",
] as const;
const lineSchema = z.object({
  day: z.string(),
  brand_id: z.string().nullable(),
  offer_id: z.string().nullable(),
  kind: z.enum(KINDS),
  purchases: whole,
  cents: whole,
  points: whole.openapi({ description: "Points moved" }),
  changes: z.object({ pending: whole, available: whole, held: whole }),
}).openapi("StatisticsLine");

function presentLine(line: CounterLine): z.output<typeof lineSchema> {
  return {
    day: line.day,
    brand_id: line.brandId === "" ? null : line.brandId,
    offer_id: line.offerId === "" ? null : line.offerId,
    kind: line.kind as (typeof KINDS)[number],
    purchases: line.purchases,
    cents: line.cents,
    points: line.points,
    changes: { pending: line.pending, available: line.available, held: line.held },
  };
}

function keyOf(position: string): CounterKey | null {
  const [lineDay = "", brandId, offerId, kind] = position.split("|");
  return brandId === undefined || offerId === undefined || kind === undefined
    ? null
    : { day: lineDay, brandId, offerId, kind };
}

function addStatistics(router: OpenAPIHono<AppEnv>, deps: InsightsRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "get",
    path: "/statistics",
    summary: "List points by day, brand, offer and kind of transaction",
    middleware: reads(deps, "catalogue", "finance", "auditor"),
    request: {
      query: z.strictObject({
        ...pageQuery,
        from: day.optional(),
        to: day.optional(),
        brand_id: z.string().max(60).optional(),
        offer_id: z.string().max(60).optional(),
        kind: z.enum(KINDS).optional(),
      }),
    },
    responses: {
      200: answer(pageOf(lineSchema), "Sums over all users, by the day on which it was recorded"),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { limit, cursor, from, to, brand_id: brandId, offer_id: offerId, kind } = c.req.valid(
      "query",
    );
    const errors = dayErrors(c, { from, to }, null);
    if (errors.length > 0) return problem(c, "validation_failed", { errors }) as never;
    const filter = {
      from: from ?? null,
      to: to ?? null,
      brandId: brandId ?? null,
      offerId: offerId ?? null,
      kind: kind ?? null,
    };
    const scope = `statistics|${JSON.stringify(filter)}`;
    const opened = cursor === undefined ? null : deps.cursors.open(scope, cursor);
    const after = opened === null ? null : keyOf(opened);
    if (cursor !== undefined && after === null) return problem(c, "cursor_invalid") as never;
    const lines = await deps.store.lines({ ...filter, after, limit: limit + 1 });
    const page = lines.slice(0, limit);
    const last = page.at(-1);
    const next = last === undefined || lines.length <= limit
      ? null
      : deps.cursors.seal(scope, [last.day, last.brandId, last.offerId, last.kind].join("|"));
    return c.json({ data: page.map(presentLine), next_cursor: next }, 200);
  });
}

const counts = z.record(z.string(), whole);
const metricsSchema = z.object({
  users: counts.openapi({ description: "By state" }),
  connections: counts.openapi({ description: "By status as the user sees it" }),
  quarantine_open: whole,
  reviews_open: whole,
  sample_rows: whole,
  ledgers: z.object({
    projected: whole,
    closed: whole,
    last_patrol: z.object({
      ended_at: instant,
      checked: whole,
      behind: whole.openapi({
        description: "Ledgers whose end D1 did not know; they were asked to project it again",
      }),
    }).nullable(),
    patrol: z.object({ checked: whole, behind: whole }).openapi({
      description: "The round that is under way",
    }),
    rebuild: z.object({
      started_at: instant,
      finished_at: instant.nullable(),
      rebuilt: whole,
      failed: whole,
    }).nullable(),
  }),
}).openapi("Metrics");

function addMetrics(router: OpenAPIHono<AppEnv>, deps: InsightsRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "get",
    path: "/metrics",
    summary: "Count users, connections, open work and ledgers",
    middleware: reads(deps, "support", "finance", "auditor"),
    request: { query: z.strictObject({}) },
    responses: { 200: answer(metricsSchema, "Counts, no names"), ...problems(401, 403, 422, 503) },
  });
  router.openapi(route, async (c) => {
    const [found, rebuild, patrol] = await Promise.all([
      deps.store.metrics(),
      deps.store.rebuild(),
      deps.store.patrol(),
    ]);
    const last = patrol?.last ?? null;
    return c.json({
      users: { ...found.users },
      connections: { ...found.connections },
      quarantine_open: found.quarantineOpen,
      reviews_open: found.reviewsOpen,
      sample_rows: found.sampleRows,
      ledgers: {
        projected: found.ledgersProjected,
        closed: found.ledgersClosed,
        last_patrol: last === null
          ? null
          : { ended_at: toInstant(last.endedAtMs), checked: last.checked, behind: last.behind },
        patrol: { checked: patrol?.checked ?? 0, behind: patrol?.behind ?? 0 },
        rebuild: rebuild === null ? null : {
          started_at: toInstant(rebuild.startedAtMs),
          finished_at: rebuild.finishedAtMs === null ? null : toInstant(rebuild.finishedAtMs),
          rebuilt: rebuild.rebuilt,
          failed: rebuild.failed,
        },
      },
    }, 200);
  });
}

const REBUILD_SCOPE = "projections-rebuild";
const stepSchema = z.object({
  done: z.boolean(),
  rebuilt: whole,
  failed: whole,
  total: z.object({ rebuilt: whole, failed: whole }),
  next_cursor: z.string().nullable(),
}).openapi("RebuildStep");

function addRebuild(router: OpenAPIHono<AppEnv>, deps: InsightsRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/projections/rebuild",
    summary: "Rebuild heads, counters and reviews from the ledgers, a step at a time",
    description:
      "Without a cursor it empties them and starts; repeat with `next_cursor` until `done`. `npm run -s rebuild-projections` does. A ledger that failed is counted and alerted; the patrol comes back to it.",
    middleware: [
      audited(deps.note),
      requireRole(deps.operatorTokens, "owner"),
      idempotent(deps.idempotency, { required: true }),
    ],
    request: { body: body(z.strictObject({ cursor: z.string().max(1024).nullable().optional() })) },
    responses: {
      200: answer(stepSchema, "What this step did"),
      ...problems(400, 401, 403, 409, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { cursor = null } = c.req.valid("json");
    const after = cursor === null ? null : deps.cursors.open(REBUILD_SCOPE, cursor);
    if (cursor !== null && (after === null || !isId("usr", after))) {
      return problem(c, "cursor_invalid") as never;
    }
    await deps.note(
      operatorEvent(operatorOf(c), "projections.rebuild", "projections", {
        step: cursor === null ? "start" : "continue",
      }),
    );
    const step = await deps.projections.rebuildStep(after);
    return c.json({
      done: step.next === null,
      rebuilt: step.rebuilt,
      failed: step.failed,
      total: { rebuilt: step.total, failed: step.totalFailed },
      next_cursor: step.next === null ? null : deps.cursors.seal(REBUILD_SCOPE, step.next),
    }, 200);
  });
}

/** To be mounted under `/admin/v1`. */
export function insightsRoutes(deps: InsightsRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  for (const add of [addLiability, addStatistics, addMetrics, addRebuild]) add(router, deps);
  return router;
}
