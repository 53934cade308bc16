// Sending a user to the aggregator's page and taking them back: start, renewal, callback.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { userOf } from "../../http/authentication.ts";
import type { AppEnv, Locale } from "../../http/context.ts";
import { problem } from "../../http/problem.ts";
import { rateLimitHeaders } from "../../http/rate-limit.ts";
import type { ProblemOptions } from "../../http/problem.ts";
import { answer, body, problems, userSecurity } from "../../http/router.ts";
import { isId } from "../../kernel/ids.ts";
import { DAY_MS, HOUR_MS, toInstant } from "../../kernel/time.ts";
import { PROBLEM_DETAILS } from "../../texts/texts.ts";
import type { CallbackError, StartError } from "../errors.ts";
import type { BankingService } from "../service/index.ts";
import { TRIPS_A_DAY_MAX } from "../store/index.ts";
import {
  authorizationSchema,
  connectionSchema,
  idPath,
  keyHeader,
  presentConnection,
  redirectUri,
  tags,
} from "./schemas.ts";

const DAY_S = DAY_MS / 1000;
const HOUR_S = HOUR_MS / 1000;

const startRoute = createRoute({
  method: "post",
  path: "/v1/bank-connections",
  tags,
  security: userSecurity,
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
    201: answer(authorizationSchema, "Send the user to `authorization_url`"),
    ...problems(400, 401, 403, 409, 422, 429, 503),
  },
});
const renewalRoute = createRoute({
  method: "post",
  path: "/v1/bank-connections/{id}/renewal",
  tags,
  security: userSecurity,
  summary: "Renew the bank's consent on the aggregator's page",
  request: {
    params: idPath,
    headers: keyHeader,
    body: body(z.strictObject({ redirect_uri: redirectUri })),
  },
  responses: {
    200: answer(authorizationSchema, "Send the user to `authorization_url`"),
    ...problems(400, 401, 403, 404, 409, 422, 429, 503),
  },
});
const callbackRoute = createRoute({
  method: "post",
  path: "/v1/bank-connections/callback",
  tags,
  security: userSecurity,
  summary: "The user is back from the aggregator's page",
  request: {
    body: body(z.looseObject({
      state: z.string().max(512).optional(),
      code: z.string().max(2048).optional(),
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
    ...problems(400, 401, 403, 422, 503),
  },
});

/** Adds the three to a router whose requests carry a user. */
export function mountAuthorizations(router: OpenAPIHono<AppEnv>, service: BankingService): void {
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
    if (!started.ok) return refused(c, started.error) as never;
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
    if (!started.ok) return refused(c, started.error) as never;
    return c.json({
      authorization_url: started.value.authorizationUrl,
      state: started.value.state,
      expires_at: toInstant(started.value.expiresAtMs),
    }, 200);
  });
  router.openapi(callbackRoute, async (c) => {
    const input = c.req.valid("json");
    if (input.state === undefined) return problem(c, "state_invalid") as never;
    const ids = [String(input.connection_id ?? ""), ...(input.connection_ids ?? "").split(",")].map(
      (id) => id.trim(),
    ).filter((id) => id !== "");
    const result = await service.returned({
      userId: userOf(c).userId,
      state: input.state,
      code: input.code ?? null,
      remoteConnectionId: ids[0] ?? null,
      refused: input.error !== undefined,
    });
    if (!result.ok) return refused(c, result.error) as never;
    return c.json({
      data: result.value.connections.map((view) => presentConnection(view, c.get("locale"))),
      outcome: result.value.outcome,
    }, 200);
  });
}

function consentsMissing(
  missing: readonly ("terms" | "bank_data")[],
  locale: Locale,
): ProblemOptions {
  const named = (language: Locale): string =>
    missing.map((purpose) => PROBLEM_DETAILS.in(language)(`consent_${purpose}`)).join(", ");
  return {
    detail: {
      fr: PROBLEM_DETAILS.in("fr")("consent_required_which", { consents: named("fr") }),
      en: PROBLEM_DETAILS.in("en")("consent_required_which", { consents: named("en") }),
    },
    errors: missing.map((purpose) => ({
      pointer: `#consent/${purpose}`,
      code: "consent_missing",
      detail: PROBLEM_DETAILS.in(locale)("consent_missing"),
    })),
  };
}

function refused(
  c: Parameters<typeof problem>[0],
  error: StartError | CallbackError | { readonly code: "ledger_unavailable" },
): Response {
  switch (error.code) {
    case "trade_lost":
      return problem(c, "aggregator_unavailable", { detail: PROBLEM_DETAILS.both("trade_lost") });
    case "aggregator_unavailable":
      return problem(c, error.code, { headers: { "Retry-After": "30" } });
    case "too_many_trips":
      return problem(c, "rate_limited", {
        headers: rateLimitHeaders("bank-trips", TRIPS_A_DAY_MAX, DAY_S, HOUR_S),
      });
    case "programme_paused":
      return problem(c, error.code, { headers: { "Retry-After": "900" } });
    case "consent_required":
      return problem(c, error.code, consentsMissing(error.missing, c.get("locale")));
    case "profile_incomplete":
      return problem(c, error.code, {
        errors: [{
          pointer: "#profile/birth_date",
          code: "profile_field_missing",
          detail: PROBLEM_DETAILS.in(c.get("locale"))("profile_field_missing"),
        }],
      });
    case "age_below_minimum":
      return problem(c, error.code, {
        detail: PROBLEM_DETAILS.both("age_below_minimum_years", {
          years: String(error.minimumAge),
        }),
      });
    default:
      return problem(c, error.code);
  }
}
