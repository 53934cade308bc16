// `GET /reviews` and `POST /reviews/{id}/decision`: rows that wait for a person. Without the label,
// which needs the user's claim.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { audited, operatorEvent } from "../audit/ports.ts";
import type { AuditEvent } from "../audit/ports.ts";
import { operatorOf, requireRole } from "../http/authentication.ts";
import type { OperatorTokens } from "../http/authentication.ts";
import type { AppEnv, Locale } from "../http/context.ts";
import { idempotent } from "../http/idempotency.ts";
import type { IdempotencyDeps } from "../http/idempotency.ts";
import { pageOf, pageQuery } from "../http/paging.ts";
import type { Cursors } from "../http/paging.ts";
import { problem } from "../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../http/router.ts";
import { isId } from "../kernel/ids.ts";
import { toInstant } from "../kernel/time.ts";
import { REVIEWS } from "../texts/texts.ts";
import { VALIDATION } from "../texts/texts.ts";
import type { ReviewPosition } from "./store.ts";
import type { ReviewEntry } from "./carry-out.ts";
import type { ReviewError } from "./errors.ts";
import type { Reviews } from "./service.ts";

type ReviewRoutesDeps = {
  readonly reviews: Pick<Reviews, "page" | "decide" | "describe">;
  readonly operatorTokens: OperatorTokens;
  readonly idempotency: IdempotencyDeps;
  readonly cursors: Cursors;
  readonly note: (event: AuditEvent) => Promise<void>;
};

const common = { tags: ["Operators: support"], security: operatorSecurity };
const instant = z.iso.datetime();
const reviewSchema = z.object({
  id: z.string().openapi({ description: "The purchase's or refund's id" }),
  user_id: z.string(),
  why: z.string().openapi({
    description:
      "amount_precision, amount_out_of_bounds, amount_missing, date_absurd, currency_unknown, weak_account, large_reward, not_shown or refund_without_purchase",
  }),
  why_text: z.string().openapi({ description: "The same in words, and what to look at" }),
  state: z.enum(["open", "closed"]),
  opened_at: instant,
  closed_at: instant.nullable(),
  decision: z.object({
    decision: z.enum(["count", "refuse"]),
    by: z.string(),
    at: instant,
    reason: z.string().nullable(),
  }).nullable(),
  possible_decisions: z.array(z.enum(["count", "refuse"])),
  if_counted: z.object({
    points_at_most: z.number().int(),
    second_person: z.boolean(),
    offers: z.array(z.object({ id: z.string(), version: z.number().int() })),
  }).nullable().openapi({
    description: "What counting it would come to under the offers of its day",
  }),
  proposal: z.object({ by: z.string(), at: instant, points: z.number().int() }).nullable()
    .openapi({
      description: "Somebody would count it for at most so many points, which takes another person",
    }),
  row: z.object({
    kind: z.enum(["purchase", "refund"]),
    state: z.enum(["pending", "booked", "deleted"]),
    account_id: z.string(),
    purchased_on: z.string(),
    booked_on: z.string().nullable(),
    amount_cents: z.number().int(),
    currency: z.string(),
    original: z.object({ amount_cents: z.number().int(), currency: z.string() }).nullable(),
    brand: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
    brand_id: z.string().nullable(),
    outcome: z.enum(["earned", "not_earned", "reversed", "waiting"]),
    points: z.number().int(),
  }).nullable().openapi({
    description: "As the ledger has it now; null while the ledger does not answer",
  }),
}).openapi("Review");

const WHY = {
  amount_precision: "why_amount_precision",
  amount_out_of_bounds: "why_amount_out_of_bounds",
  amount_missing: "why_amount_missing",
  date_absurd: "why_date_absurd",
  currency_unknown: "why_currency_unknown",
  weak_account: "why_weak_account",
  large_reward: "why_large_reward",
  not_shown: "why_not_shown",
  refund_without_purchase: "why_refund_without_purchase",
} as const;

function whyText(why: string, locale: Locale): string {
  const known = Object.entries(WHY).find(([code]) => code === why);
  return REVIEWS.in(locale)(known === undefined ? "why_other" : known[1]);
}

type Facts = Awaited<ReturnType<Reviews["describe"]>>;

function present(
  { row, purchase }: ReviewEntry,
  facts: Facts,
  locale: Locale,
): z.output<typeof reviewSchema> {
  const { decision, decidedBy, decidedAtMs, proposedBy, proposedAtMs, proposedPoints } = row;
  return {
    id: row.purchaseId,
    user_id: row.userId,
    why: row.why,
    why_text: whyText(row.why, locale),
    state: row.state,
    opened_at: toInstant(row.openedAtMs),
    closed_at: row.closedAtMs === null ? null : toInstant(row.closedAtMs),
    decision: decision === null || decidedBy === null || decidedAtMs === null
      ? null
      : { decision, by: decidedBy, at: toInstant(decidedAtMs), reason: row.decisionReason },
    possible_decisions: [...facts?.decisions ?? []],
    if_counted: facts === null ? null : {
      points_at_most: facts.points,
      second_person: facts.secondPerson,
      offers: facts.offers.map(({ offerId, version }) => ({ id: offerId, version })),
    },
    proposal: proposedBy === null || proposedAtMs === null || proposedPoints === null
      ? null
      : { by: proposedBy, at: toInstant(proposedAtMs), points: proposedPoints },
    row: purchase === null ? null : {
      kind: purchase.kind,
      state: purchase.state,
      account_id: purchase.accountId,
      purchased_on: purchase.purchasedOn,
      booked_on: purchase.bookedOn,
      amount_cents: purchase.amountCents,
      currency: purchase.currency,
      original: purchase.original === null ? null : {
        amount_cents: purchase.original.amountCents,
        currency: purchase.original.currency,
      },
      brand: purchase.brand === null
        ? null
        : { id: purchase.brand.id, name: facts?.brandName ?? null },
      brand_id: purchase.brand?.id ?? null,
      outcome: purchase.verdict.outcome,
      points: purchase.verdict.points,
    },
  };
}

function positionOf(position: string): ReviewPosition | null {
  const [openedAtMs = "", purchaseId = ""] = position.split("|");
  return /^\d+$/.test(openedAtMs) && purchaseId !== ""
    ? { openedAtMs: Number(openedAtMs), purchaseId }
    : null;
}

function dayProblem(
  c: Context<AppEnv>,
  code: "day_required" | "day_invalid" | "day_not_asked",
): Response {
  const detail = VALIDATION.in(c.get("locale"))(code);
  return problem(c, "validation_failed", {
    errors: [{ pointer: "/purchased_on", code, detail }],
  });
}

function refuse(c: Context<AppEnv>, error: ReviewError): Response {
  switch (error.code) {
    case "not_found":
      return problem(c, "not_found");
    case "decided":
      return problem(c, "conflict", { detail: REVIEWS.both("decided") });
    case "not_decidable":
      return problem(c, "conflict", { detail: REVIEWS.both("not_decidable") });
    case "not_countable":
      return problem(c, "conflict", { detail: REVIEWS.both("not_countable") });
    case "day_required":
    case "day_invalid":
    case "day_not_asked":
      return dayProblem(c, error.code);
    case "second_person_required":
      return problem(c, "second_person_required", {
        detail: REVIEWS.both("earns_more"),
      });
    case "listed_person_required":
      return problem(c, error.code);
    case "erased":
      return problem(c, "not_found");
    case "ledger_refused":
    case "ledger_unavailable":
      return problem(c, "ledger_unavailable", { headers: { "Retry-After": "5" } });
  }
}

function addList(router: OpenAPIHono<AppEnv>, deps: ReviewRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "get",
    path: "/reviews",
    summary: "List rows that wait for a person, oldest first",
    middleware: [audited(deps.note, { reads: true }), requireRole(deps.operatorTokens, "support")],
    request: {
      query: z.strictObject({
        ...pageQuery,
        state: z.enum(["open", "closed", "all"]).default("open"),
      }),
    },
    responses: {
      200: answer(pageOf(reviewSchema), "Without any label"),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { limit, cursor, state } = c.req.valid("query");
    const scope = `reviews|${state}`;
    const opened = cursor === undefined ? null : deps.cursors.open(scope, cursor);
    const after = opened === null ? null : positionOf(opened);
    if (cursor !== undefined && after === null) return problem(c, "cursor_invalid") as never;
    const { entries, more } = await deps.reviews.page({ state, limit, after });
    const last = entries.at(-1)?.row;
    const locale = c.get("locale");
    const data = await Promise.all(
      entries.map(async (entry) => present(entry, await deps.reviews.describe(entry), locale)),
    );
    return c.json({
      data,
      next_cursor: more && last !== undefined
        ? deps.cursors.seal(scope, `${last.openedAtMs}|${last.purchaseId}`)
        : null,
    }, 200);
  });
}

function addDecision(router: OpenAPIHono<AppEnv>, deps: ReviewRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/reviews/{id}/decision",
    summary: "Decide a row that is held: it counts like any other, or earns nothing for good",
    description:
      "Where the bank gave no readable amount (amount_out_of_bounds, amount_missing) it can only be refused. A row whose day nobody can tell (date_absurd) counts on the day that purchased_on gives. One with large_reward counts by itself after two days. Counting a row that would earn more than 2 000 points is a proposal until a second person decides the same.",
    middleware: [
      audited(deps.note),
      requireRole(deps.operatorTokens, "support"),
      idempotent(deps.idempotency, { required: true }),
    ],
    request: {
      params: z.object({ id: z.string() }),
      body: body(z.strictObject({
        decision: z.enum(["count", "refuse"]),
        purchased_on: z.iso.date().optional().openapi({
          description:
            "The day of purchase, to count a row with date_absurd and no other: one of the 120 days before the row came, and none before its connection",
        }),
        reason: z.string().trim().min(1).max(500).regex(/^[^\p{Cc}]*$/u).optional().openapi({
          description: "Why, for whoever looks at it later; no personal data",
        }),
      })),
    },
    responses: {
      200: answer(reviewSchema, "The row after the decision; still open when it became a proposal"),
      ...problems(400, 401, 403, 404, 409, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { id } = c.req.valid("param");
    const { decision, purchased_on: purchasedOn = null, reason = null } = c.req.valid("json");
    if (!isId("pur", id)) return problem(c, "not_found") as never;
    const operator = operatorOf(c);
    const decided = await deps.reviews.decide({
      purchaseId: id,
      decision,
      purchasedOn,
      by: operator.subject,
      listedPerson: operator.listedPerson,
      reason,
      event: operatorEvent(operator, "review.decide", id, {
        decision,
        reasoned: reason !== null,
        ...(purchasedOn === null ? {} : { purchased_on: purchasedOn }),
      }),
    });
    if (!decided.ok) return refuse(c, decided.error) as never;
    const facts = await deps.reviews.describe(decided.value);
    return c.json(present(decided.value, facts, c.get("locale")), 200);
  });
}

/** To be mounted under `/admin/v1`. */
export function reviewRoutes(deps: ReviewRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  addList(router, deps);
  addDecision(router, deps);
  return router;
}
