// Refreshing, listing and ending sessions.
import { createRoute, z } from "@hono/zod-openapi";
import { requireUser, userOf } from "../../http/authentication.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { overLimit } from "../../http/rate-limit.ts";
import { answer, body, problems, userSecurity } from "../../http/router.ts";
import { toInstant } from "../../kernel/time.ts";
import type { IdentityRoutesDeps, Router } from "./deps.ts";
import { refuse } from "./refuse.ts";
import { sessionSchema, signedInBody, signedInSchema } from "./schemas.ts";

export function addRefresh(router: Router, deps: IdentityRoutesDeps): void {
  const route = createRoute({
    method: "post",
    path: "/v1/auth/refresh",
    tags: ["Signing in"],
    summary: "Exchange a refresh token for new tokens",
    description:
      "Every token is good once. The immediately previous one gets the same successor again for 60 s and for as long as that successor was never used; any other spent one closes the session.",
    request: {
      body: body(
        z.strictObject({ refresh_token: z.string().min(1).max(1024) }).openapi("RefreshRequest"),
      ),
    },
    responses: {
      200: answer(signedInSchema, "New tokens"),
      ...problems(400, 401, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(route, async (c) => {
    const token = c.req.valid("json").refresh_token;
    const session = deps.service.sessionOfRefresh(token);
    const refused = session === null ? null : await overLimit(c, deps.refreshLimiter, session);
    if (refused !== null) return refused as never;
    const renewed = await deps.service.refresh(token);
    return renewed.ok ? c.json(signedInBody(renewed.value), 200) : refuse(c, renewed.error.code);
  });
}

export function addSessions(router: Router, deps: IdentityRoutesDeps): void {
  const list = createRoute({
    method: "get",
    path: "/v1/auth/sessions",
    tags: ["Signing in"],
    summary: "Signed-in devices, newest first",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    request: { query: z.object(pageQuery) },
    responses: {
      200: answer(pageOf(sessionSchema), "Sessions"),
      ...problems(400, 401, 422, 429, 503),
    },
  });
  router.openapi(list, async (c) => {
    const { userId, sessionId } = userOf(c);
    const { limit, cursor } = c.req.valid("query");
    const scope = `sessions|${userId}`;
    const beforeId = cursor === undefined ? null : deps.cursors.open(scope, cursor);
    if (cursor !== undefined && beforeId === null) return refuse(c, "cursor_invalid");
    const found = await deps.service.pageSessions(userId, beforeId, limit);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const data = page.map((session) => ({
      id: session.id,
      device_name: session.deviceName,
      created_at: toInstant(session.createdAtMs),
      last_used_at: toInstant(session.lastUsedAtMs),
      current: session.id === sessionId,
    }));
    return c.json({
      data,
      next_cursor: found.length > limit && last !== undefined
        ? deps.cursors.seal(scope, last.id)
        : null,
    }, 200);
  });
}

export function addSessionEnds(router: Router, deps: IdentityRoutesDeps): void {
  const endOthers = createRoute({
    method: "delete",
    path: "/v1/auth/sessions",
    tags: ["Signing in"],
    summary: "End all sessions but the current one",
    description:
      "Also ends what outside issuers issued until now: their tokens are good again from the next second on.",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    responses: { 204: { description: "Ended" }, ...problems(401, 429, 503) },
  });
  router.openapi(endOthers, async (c) => {
    const { userId, sessionId } = userOf(c);
    await deps.service.endOtherSessions(userId, sessionId);
    return c.body(null, 204);
  });

  const end = createRoute({
    method: "delete",
    path: "/v1/auth/sessions/{id}",
    tags: ["Signing in"],
    summary: "End a session: `current` or one of the list",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    description:
      "It changes nothing more and sees no label more at once; what else it may read ends within 10 minutes.",
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: { 204: { description: "Ended" }, ...problems(401, 404, 429, 503) },
  });
  router.openapi(end, async (c) => {
    const { userId, sessionId } = userOf(c);
    const { id } = c.req.valid("param");
    const target = id === "current" ? sessionId : id;
    const ended = target !== null && (await deps.service.endSession(userId, target));
    return ended ? c.body(null, 204) : refuse(c, "not_found");
  });
}
