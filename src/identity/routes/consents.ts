// The user's consents.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { requireUser, userOf } from "../../http/authentication.ts";
import type { AppEnv } from "../../http/context.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { rateLimitHeaders } from "../../http/rate-limit.ts";
import { answer, body, problems, userSecurity } from "../../http/router.ts";
import { DAY_MS, toInstant } from "../../kernel/time.ts";
import { VALIDATION } from "../../texts/texts.ts";
import { CONSENT_PURPOSES, DECISIONS_A_DAY_MAX } from "../consent.ts";
import type { CurrentConsent } from "../consent.ts";
import { currentVersion } from "../consent-texts.ts";
import type { ConsentPurpose } from "../ports.ts";
import type { IdentityRoutesDeps, Router } from "./deps.ts";
import { refuse, refuseGoneUser } from "./refuse.ts";
import { consentSchema, textVersion } from "./schemas.ts";

const DAY_S = DAY_MS / 1000;

function consentBody(consent: CurrentConsent): z.infer<typeof consentSchema> {
  return {
    purpose: consent.purpose,
    granted: consent.granted,
    text_version: consent.textVersion,
    at: consent.atMs === null ? null : toInstant(consent.atMs),
  };
}

function refuseOtherText(c: Context<AppEnv>, purpose: ConsentPurpose): never {
  const version = currentVersion(purpose);
  return refuse(c, "validation_failed", {
    errors: [{
      pointer: "/text_version",
      code: "text_not_current",
      detail: VALIDATION.in(c.get("locale"))("text_not_current", { version }),
    }],
  });
}

export function addConsents(router: Router, deps: IdentityRoutesDeps): void {
  const list = createRoute({
    method: "get",
    path: "/v1/me/consents",
    tags: ["The user"],
    summary: "The consent given for each purpose",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    request: { query: z.object(pageQuery) },
    responses: {
      200: answer(pageOf(consentSchema), "Consents"),
      ...problems(400, 401, 422, 429, 503),
    },
  });
  router.openapi(list, async (c) => {
    const { userId } = userOf(c);
    const { limit, cursor } = c.req.valid("query");
    const scope = `consents|${userId}`;
    const after = cursor === undefined ? null : deps.cursors.open(scope, cursor);
    if (cursor !== undefined && after === null) return refuse(c, "cursor_invalid");
    const all = await deps.service.consents(userId);
    const start = after === null ? 0 : all.findIndex((consent) => consent.purpose === after) + 1;
    const page = all.slice(start, start + limit);
    const last = page.at(-1);
    const more = start + limit < all.length && last !== undefined;
    return c.json({
      data: page.map(consentBody),
      next_cursor: more ? deps.cursors.seal(scope, last.purpose) : null,
    }, 200);
  });
}

export function addConsentDecisions(router: Router, deps: IdentityRoutesDeps): void {
  const decide = createRoute({
    method: "put",
    path: "/v1/me/consents/{purpose}",
    tags: ["The user"],
    summary: "Give or withdraw a consent",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    description:
      "A consent names the current version of its text (`GET /v1/legal/texts/{purpose}`); any other answers 422 `text_not_current` at `/text_version`. Withdrawing needs no particular version. Withdrawing `bank_data` ends the bank connections. May be repeated: the same decision keeps its first time.",
    request: {
      params: z.object({ purpose: z.enum(CONSENT_PURPOSES) }),
      body: body(
        z.strictObject({
          granted: z.boolean(),
          text_version: textVersion,
        }).openapi("ConsentDecision"),
      ),
    },
    responses: {
      200: answer(consentSchema, "The consent that applies now"),
      ...problems(400, 401, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(decide, async (c) => {
    const { granted, text_version: textVersion } = c.req.valid("json");
    const { purpose } = c.req.valid("param");
    // Whoever withdraws need not have read the newest text.
    if (granted && textVersion !== currentVersion(purpose)) return refuseOtherText(c, purpose);
    const decided = await deps.service.decide(
      userOf(c).userId,
      purpose,
      granted,
      textVersion,
    );
    return decided.ok ? c.json(consentBody(decided.value), 200) : refuseDecision(c, decided.error);
  });
}

function refuseDecision(
  c: Context<AppEnv>,
  error: "user_unknown" | "connections_not_ended" | "too_many_decisions",
) {
  switch (error) {
    case "too_many_decisions":
      return refuse(c, "rate_limited", {
        headers: rateLimitHeaders("consents", DECISIONS_A_DAY_MAX, DAY_S, DAY_S),
      });
    case "user_unknown":
      return refuseGoneUser(c);
    case "connections_not_ended":
      return refuse(c, "unavailable", { headers: { "Retry-After": "5" } });
  }
}
