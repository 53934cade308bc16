// Undoing what a mail told the owner of an account about, without signing in: whoever lost the
// account cannot.
import { createRoute, z } from "@hono/zod-openapi";
import { body, problems } from "../../http/router.ts";
import { UNDO_POLICY, UNDO_SCRIPT, undoPage } from "../undo-page.ts";
import type { IdentityRoutesDeps, Router } from "./deps.ts";
import { refuse } from "./refuse.ts";
import { undoRequest } from "./schemas.ts";

export function addUndo(router: Router, deps: IdentityRoutesDeps): void {
  const route = createRoute({
    method: "post",
    path: "/v1/auth/undo",
    tags: ["Signing in"],
    summary: "Undo what a mail told you about",
    description:
      "`token` is what follows `#` in the mail's link, for 7 days. Ends the session that the mail is about; or puts the former address back, ends all sessions and takes away the passkeys registered since. Again without complaint.",
    request: { body: body(undoRequest) },
    responses: {
      204: { description: "Undone" },
      ...problems(400, 401, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(
    route,
    async (c) =>
      (await deps.service.undo(c.req.valid("json").token))
        ? c.body(null, 204)
        : refuse(c, "undo_invalid"),
  );
}

/** `GET /undo`, where a mail's link leads, and its script. */
export function addUndoPage(router: Router): void {
  const page = createRoute({
    method: "get",
    path: "/undo",
    tags: ["Signing in"],
    summary: "Open the page with the button that undoes what a mail told you about",
    responses: {
      200: { description: "The page", content: { "text/html": { schema: z.string() } } },
    },
  });
  router.openapi(page, (c) => {
    const locale = c.get("locale");
    c.header("Vary", "Accept-Language", { append: true });
    return c.html(undoPage(locale), 200, {
      "Content-Security-Policy": UNDO_POLICY,
      "Content-Language": locale,
      "Cache-Control": "public, max-age=300",
    });
  });
  router.get("/undo.js", (c) =>
    c.body(UNDO_SCRIPT, 200, {
      "Content-Type": "text/javascript; charset=utf-8",
      "Cache-Control": "public, max-age=300",
    }));
}
