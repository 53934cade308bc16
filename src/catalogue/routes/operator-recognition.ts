// Operators' routes for recognition: why a label gives what it gives, and corrections, which hold
// at once. A label is read from the request and answered; it is neither stored nor logged.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../../http/context.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../../http/router.ts";
import type { BrandId } from "../../kernel/ids.ts";
import { correct, correctionInput, explainInput } from "../brands/correction.ts";
import { presentCorrection } from "./present.ts";
import { actorOf, operatorActs, operatorReads, pageById, refuse } from "./deps.ts";
import type { CatalogueRoutesDeps } from "./deps.ts";
import { correctionSchema, recognitionSchema } from "./schemas.ts";

const common = { tags: ["Operators: recognition"], security: operatorSecurity };

function addExplain(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/recognition/explain",
    summary: "Show what a label gives and why",
    middleware: operatorReads(deps),
    request: { body: body(explainInput) },
    responses: {
      200: answer(recognitionSchema, "Kind, brand and the steps that led there"),
      ...problems(401, 403, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { label, type } = c.req.valid("json");
    const { catalogue, recogniser } = await deps.service.now();
    const { kind, brandId, matched, confidence, merchant, channel, evidence } = recogniser.explain(
      label,
      type,
    );
    const brand = brandId === null ? undefined : catalogue.brands.get(brandId as BrandId);
    return c.json({
      kind,
      brand: brand === undefined ? null : { id: brand.id, name: brand.name },
      matched,
      confidence,
      merchant,
      channel,
      evidence: [...evidence],
    }, 200);
  });
}

function addCorrection(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/recognition/corrections",
    summary: "Say which brand a label means, or none",
    middleware: operatorActs(deps),
    description:
      "Holds at once for every label with the same cleaned merchant text, which is all that is kept. Only card rows can be corrected.",
    request: { body: body(correctionInput) },
    responses: {
      201: answer(correctionSchema, "The correction"),
      ...problems(400, 401, 403, 409, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const input = c.req.valid("json");
    const made = await deps.service.act(
      actorOf(c),
      ({ catalogue, recogniser }, act) => correct(catalogue, recogniser, input, act),
    );
    return made.ok ? c.json(presentCorrection(made.value), 201) : (refuse(c, made.error) as never);
  });
}

function addCorrectionList(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "get",
    path: "/recognition/corrections",
    summary: "List corrections",
    middleware: operatorReads(deps),
    request: { query: z.strictObject(pageQuery) },
    responses: {
      200: answer(pageOf(correctionSchema), "Corrections by merchant text"),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { catalogue } = await deps.service.now();
    const items = [...catalogue.corrections.values()].map((item) => ({
      ...item,
      id: item.merchant,
    }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const page = pageById(deps.cursors, "admin-corrections", items, c.req.valid("query"));
    if (page === null) return problem(c, "cursor_invalid") as never;
    return c.json({ data: page.items.map(presentCorrection), next_cursor: page.nextCursor }, 200);
  });
}

/** To be mounted under `/admin/v1`. */
export function operatorRecognitionRoutes(deps: CatalogueRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  for (const add of [addExplain, addCorrection, addCorrectionList]) add(router, deps);
  return router;
}
