// The texts that people agree to, for everybody to read.
import { createRoute, z } from "@hono/zod-openapi";
import { answer, problems } from "../../http/router.ts";
import { CONSENT_PURPOSES } from "../consent.ts";
import { consentText } from "../consent-texts.ts";
import type { Router } from "./deps.ts";
import { refuse } from "./refuse.ts";
import { textVersion } from "./schemas.ts";

const legalText = z.object({
  purpose: z.enum(CONSENT_PURPOSES),
  text_version: z.string(),
  title: z.string(),
  body: z.string().openapi({
    description: "Plain text: sections separated by an empty line, each with its heading first",
  }),
  effective_on: z.iso.date(),
}).openapi("LegalText");

export function addLegalTexts(router: Router): void {
  const route = createRoute({
    method: "get",
    path: "/v1/legal/texts/{purpose}",
    tags: ["The user"],
    summary: "Read the text that a consent agrees to",
    description: "In the caller's language. Without `text_version` the current one.",
    request: {
      params: z.object({ purpose: z.enum(CONSENT_PURPOSES) }),
      query: z.object({ text_version: textVersion.optional() }),
    },
    responses: { 200: answer(legalText, "The text"), ...problems(404, 422, 429, 503) },
  });
  router.openapi(route, (c) => {
    const { purpose } = c.req.valid("param");
    const locale = c.get("locale");
    const found = consentText(purpose, c.req.valid("query").text_version ?? null, locale);
    if (found === null) return refuse(c, "not_found");
    c.header("Vary", "Accept-Language", { append: true });
    return c.json(
      {
        purpose,
        text_version: found.textVersion,
        title: found.title,
        body: found.body,
        effective_on: found.effectiveOn,
      },
      200,
      { "Cache-Control": "public, max-age=300", "Content-Language": locale },
    );
  });
}
