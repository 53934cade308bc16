// Operators' routes for offers and their versions. Terms are immutable; above the limits a second
// person puts them in force.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../../http/context.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../../http/router.ts";
import { isId } from "../../kernel/ids.ts";
import { OFFER_COLUMNS } from "../import/columns.ts";
import { checkLines, readImport } from "../import/import-file.ts";
import {
  addVersion,
  approveVersion,
  createOffer,
  importOffers,
  offerImportItem,
  offerInput,
  versionInput,
} from "../offers/offer.ts";
import type { OfferOutcome } from "../offers/offer.ts";
import { presentOffer, presentOfferEntry } from "./present.ts";
import { actorOf, operatorActs, operatorReads, pageById, refuse } from "./deps.ts";
import type { CatalogueRoutesDeps } from "./deps.ts";
import { importBody, importFormat } from "./operator-brands.ts";
import { offerReportSchema, operatorOfferEntrySchema, operatorOfferSchema } from "./schemas.ts";

const common = { tags: ["Operators: catalogue"], security: operatorSecurity };

/** The offer with the version that was acted on, as the catalogue has it now. */
async function offerAnswer(deps: CatalogueRoutesDeps, { offer, version }: OfferOutcome) {
  const { catalogue } = await deps.service.now();
  return presentOffer(offer, version, catalogue.offers.get(offer.id)?.terms ?? []);
}

function addList(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "get",
    path: "/offers",
    summary: "List offers with all their versions",
    middleware: operatorReads(deps),
    request: {
      query: z.strictObject({
        ...pageQuery,
        brand_id: z.string().max(60).optional(),
        state: z.enum(["approved", "waiting"]).optional(),
      }),
    },
    responses: {
      200: answer(pageOf(operatorOfferEntrySchema), "Offers by age"),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const query = c.req.valid("query");
    const { catalogue } = await deps.service.now();
    const matching = [...catalogue.offers.values()].filter((offer) =>
      (query.brand_id === undefined || offer.brandId === query.brand_id) &&
      (query.state === undefined || offer.versions.some((version) => version.state === query.state))
    );
    const page = pageById(
      deps.cursors,
      `admin-offers|${query.brand_id ?? ""}|${query.state ?? ""}`,
      matching,
      query,
    );
    if (page === null) return problem(c, "cursor_invalid") as never;
    return c.json({ data: page.items.map(presentOfferEntry), next_cursor: page.nextCursor }, 200);
  });
}

function addCreate(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/offers",
    summary: "Create an offer with its first version",
    middleware: operatorActs(deps),
    description:
      "The first version holds from its `starts_at`, also where that is in the past, for purchases that arrive late. Over 1 500 basis points or 2 000 points it is `waiting` until another operator approves it.",
    request: { body: body(offerInput) },
    responses: {
      201: answer(operatorOfferSchema, "The offer"),
      ...problems(400, 401, 403, 409, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const input = c.req.valid("json");
    const made = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) =>
        createOffer(catalogue, input, { ...act, pointsPerEuro: deps.pointsPerEuro }),
    );
    return made.ok
      ? c.json(await offerAnswer(deps, made.value), 201)
      : (refuse(c, made.error) as never);
  });
}

function addVersions(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/offers/{id}/versions",
    summary: "Add a version, which replaces the one before from its start on",
    middleware: operatorActs(deps),
    description:
      "It never begins before it is made, or approved where that is needed. It ends at its `ends_at` or where the version that starts next begins, whichever number that has; of two that start together the newer one holds. `in_force` says the outcome.",
    request: { params: z.object({ id: z.string() }), body: body(versionInput) },
    responses: {
      201: answer(operatorOfferSchema, "The offer with the new version"),
      ...problems(400, 401, 403, 404, 409, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { id } = c.req.valid("param");
    const input = c.req.valid("json");
    if (!isId("off", id)) return problem(c, "not_found") as never;
    const made = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) =>
        addVersion(catalogue, id, input, { ...act, pointsPerEuro: deps.pointsPerEuro }),
    );
    return made.ok
      ? c.json(await offerAnswer(deps, made.value), 201)
      : (refuse(c, made.error) as never);
  });
}

function addApproval(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/offers/{id}/versions/{number}/approval",
    summary: "Approve a version (second person)",
    middleware: operatorActs(deps),
    request: { params: z.object({ id: z.string(), number: z.coerce.number().int().min(1) }) },
    responses: {
      200: answer(operatorOfferSchema, "The offer with the approved version"),
      ...problems(400, 401, 403, 404, 409, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { id, number } = c.req.valid("param");
    if (!isId("off", id)) return problem(c, "not_found") as never;
    const approved = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) => approveVersion(catalogue, id, number, act),
    );
    return approved.ok
      ? c.json(await offerAnswer(deps, approved.value), 200)
      : (refuse(c, approved.error) as never);
  });
}

function addImport(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/offers/import",
    summary: "Import offers from JSON lines, CSV or JSON",
    middleware: operatorActs(deps),
    description:
      "All or nothing: a refusal lists all that is wrong with every line, under `#line/<number>/<field>`. A brand is named by `brand_id` or by `brand` (its name). An offer of the same brand and French title is the same one: with other terms it gets a new version. Tiers in a CSV cell: `0:200|5000:400`.",
    request: { body: importBody("offers", Object.keys(OFFER_COLUMNS)) },
    responses: {
      200: answer(offerReportSchema, "What happened to each line"),
      ...problems(400, 401, 403, 409, 413, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const file = checkLines(
      readImport(await c.req.text(), importFormat(c), "offers", OFFER_COLUMNS),
      offerImportItem,
    );
    const imported = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) =>
        importOffers(catalogue, file, { ...act, pointsPerEuro: deps.pointsPerEuro }),
    );
    if (!imported.ok) return refuse(c, imported.error) as never;
    const count = (status: string): number =>
      imported.value.lines.filter((item) => item.status === status).length;
    return c.json({
      created: count("created"),
      updated: count("updated"),
      unchanged: count("unchanged"),
      waiting: count("waiting"),
      lines: [...imported.value.lines],
    }, 200);
  });
}

export function operatorOfferRoutes(deps: CatalogueRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  for (const add of [addList, addCreate, addVersions, addApproval, addImport]) add(router, deps);
  return router;
}
