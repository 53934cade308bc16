// Operators' routes for offers and their versions. Terms are immutable; above the limits a second
// person puts them in force.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../../http/context.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../../http/router.ts";
import { isId } from "../../kernel/ids.ts";
import type { OfferId } from "../../kernel/ids.ts";
import { OFFER_COLUMNS } from "../import/columns.ts";
import { checkLines, readImport } from "../import/import-file.ts";
import { importOffers } from "../offers/import-offers.ts";
import {
  offerEdit,
  offerImportItem,
  offerInput,
  stopInput,
  versionInput,
} from "../offers/offer-input.ts";
import { addVersion, approveVersion, createOffer, editOffer } from "../offers/offer.ts";
import type { OfferOutcome } from "../offers/offer.ts";
import { approveStop, stopOffer } from "../offers/stop.ts";
import { presentOffer, presentOfferEntry } from "./present.ts";
import {
  actorOf,
  importQuery,
  isPreview,
  operatorActs,
  operatorImports,
  operatorPatches,
  operatorReads,
  pageById,
  refuse,
} from "./deps.ts";
import type { CatalogueRoutesDeps } from "./deps.ts";
import { importBody, importFormat } from "./operator-brands.ts";
import { offerReportSchema, operatorOfferEntrySchema, operatorOfferSchema } from "./schemas.ts";

const common = { tags: ["Operators: catalogue"], security: operatorSecurity };

/** The offer with the version that was acted on, as the catalogue has it now. */
async function offerAnswer(deps: CatalogueRoutesDeps, { offer, version }: OfferOutcome) {
  const { catalogue } = await deps.service.now();
  return presentOffer(offer, version, catalogue.offers.get(offer.id)?.terms ?? []);
}

/** The offer with all that operators see of it, as the catalogue has it now. */
async function entryAnswer(deps: CatalogueRoutesDeps, offerId: OfferId) {
  const { catalogue } = await deps.service.now();
  const offer = catalogue.offers.get(offerId);
  if (offer === undefined) throw new Error("offer lost after its change");
  const [budget] = await deps.budgets([offerId]);
  return presentOfferEntry(offer, {
    nowMs: deps.clock.nowMs(),
    reservedPoints: budget?.reservedPoints ?? 0,
  });
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
    const reserved = new Map(
      (await deps.budgets(page.items.map(({ id }) => id))).map((
        budget,
      ) => [budget.offerId, budget.reservedPoints]),
    );
    const nowMs = deps.clock.nowMs();
    const data = page.items.map((offer) =>
      presentOfferEntry(offer, { nowMs, reservedPoints: reserved.get(offer.id) ?? 0 })
    );
    return c.json({ data, next_cursor: page.nextCursor }, 200);
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
      "The first version holds from its `starts_at`, also where that is in the past, for purchases that arrive late. It is `waiting` until another listed person approves it when it gives over 1 500 basis points, by fixed points or points per euro more than 2 000 points a purchase or 5 000 a month to one user (without a cap: always), or when it raises the budget above 500 000 points.",
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

function addEdit(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "patch",
    path: "/offers/{id}",
    summary: "Change what is said of an offer",
    middleware: operatorPatches(deps),
    description: "What is absent stays, null clears. Its terms are versions and never change.",
    request: { params: z.object({ id: z.string() }), body: body(offerEdit) },
    responses: {
      200: answer(operatorOfferEntrySchema, "The offer"),
      ...problems(400, 401, 403, 404, 409, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { id } = c.req.valid("param");
    const edit = c.req.valid("json");
    if (!isId("off", id)) return problem(c, "not_found") as never;
    const edited = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) => editOffer(catalogue, id, edit, act),
    );
    return edited.ok ? c.json(await entryAnswer(deps, id), 200) : refuse(c, edited.error) as never;
  });
}

function addStop(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const answers = {
    200: answer(operatorOfferEntrySchema, "The offer with its stops"),
    ...problems(400, 401, 403, 404, 409, 415, 422, 503),
  };
  const stop = createRoute({
    ...common,
    method: "post",
    path: "/offers/{id}/stop",
    summary: "Stop an offer at the end of the day, or at once (two persons)",
    middleware: operatorActs(deps),
    description:
      "Without `immediately` at the end of the day in Paris, by one person. With it, a reason is needed and the stop is `waiting` until another person asks for the same or approves it: then purchases of that day or later that were not recorded before do not earn. A stopped offer takes no version.",
    request: {
      params: z.object({ id: z.string() }),
      body: { content: { "application/json": { schema: stopInput } } },
    },
    responses: answers,
  });
  router.openapi(stop, async (c) => {
    const { id } = c.req.valid("param");
    const input = c.req.valid("json");
    if (!isId("off", id)) return problem(c, "not_found") as never;
    const stopped = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) => stopOffer(catalogue, id, input, act),
    );
    return stopped.ok
      ? c.json(await entryAnswer(deps, id), 200)
      : refuse(c, stopped.error) as never;
  });

  const approval = createRoute({
    ...common,
    method: "post",
    path: "/offers/{id}/stop/approval",
    summary: "Approve a stop with immediate effect (second person)",
    middleware: operatorActs(deps),
    request: { params: z.object({ id: z.string() }) },
    responses: answers,
  });
  router.openapi(approval, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("off", id)) return problem(c, "not_found") as never;
    const approved = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) => approveStop(catalogue, id, act),
    );
    return approved.ok
      ? c.json(await entryAnswer(deps, id), 200)
      : refuse(c, approved.error) as never;
  });
}

function addImport(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/offers/import",
    summary: "Import offers from JSON lines, CSV or JSON",
    middleware: operatorImports(deps),
    description:
      "All or nothing: a refusal lists all that is wrong with every line, under `#line/<number>/<field>`. A brand is named by `brand_id` or by `brand` (its name). An offer of the same brand and French title is the same one: with other terms it gets a new version, with other words these replace its own. Tiers in a CSV cell: `0:200|5000:400`.",
    request: { query: importQuery, body: importBody("offers", Object.keys(OFFER_COLUMNS)) },
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
    const dryRun = isPreview(c);
    const imported = await deps.service[dryRun ? "preview" : "act"](
      actorOf(c),
      ({ catalogue }, act) =>
        importOffers(catalogue, file, { ...act, pointsPerEuro: deps.pointsPerEuro }),
    );
    if (!imported.ok) return refuse(c, imported.error) as never;
    const known = new Set<string>((await deps.service.now()).catalogue.offers.keys());
    const count = (status: string): number =>
      imported.value.lines.filter((item) => item.status === status).length;
    return c.json({
      dry_run: dryRun,
      created: count("created"),
      updated: count("updated"),
      unchanged: count("unchanged"),
      waiting: count("waiting"),
      lines: imported.value.lines.map((item) => ({
        ...item,
        id: dryRun && item.status !== "unchanged" && !known.has(item.id) ? null : item.id,
        changed: [...item.changed],
        waiting: [...item.waiting],
      })),
    }, 200);
  });
}

export function operatorOfferRoutes(deps: CatalogueRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  for (const add of [addList, addCreate, addVersions, addApproval, addEdit, addStop, addImport]) {
    add(router, deps);
  }
  return router;
}
