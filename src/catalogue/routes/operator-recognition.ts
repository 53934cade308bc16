// Operators' routes for recognition: why a label gives what it gives, and corrections. One
// that makes labels count for a brand with an offer waits for a second person, any other holds at
// once. A label is read from the request and answered; it is neither stored nor logged.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../../http/context.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../../http/router.ts";
import type { BrandId } from "../../kernel/ids.ts";
import { sha256Hex } from "../../kernel/hash.ts";
import { approveCorrection, correct, correctionInput, explainInput } from "../brands/correction.ts";
import type { CorrectionOutcome } from "../brands/correction.ts";
import { importLegalNames, legalNameItem } from "../brands/legal-names.ts";
import { toEntry } from "../compiled-catalogue.ts";
import { LEGAL_NAME_COLUMNS } from "../import/columns.ts";
import { checkLines, readImport } from "../import/import-file.ts";
import { presentCorrection, presentWaitingCorrection } from "./present.ts";
import {
  actorOf,
  importQuery,
  isPreview,
  operatorActs,
  operatorImports,
  operatorReads,
  pageById,
  refuse,
} from "./deps.ts";
import type { CatalogueRoutesDeps } from "./deps.ts";
import { importBody, importFormat } from "./operator-brands.ts";
import {
  correctionSchema,
  legalNameReportSchema,
  proposalSchema,
  recognitionSchema,
} from "./schemas.ts";

const common = { tags: ["Operators: recognition"], security: operatorSecurity };

function correctionAnswer({ correction, waiting }: CorrectionOutcome) {
  if (waiting !== null) return presentWaitingCorrection(waiting);
  if (correction === null) throw new Error("correction without a record");
  return presentCorrection(correction);
}

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
      "Holds at once for every label with the same cleaned merchant text, which is all that is kept. For a brand with an offer in force or to come it is `waiting` until another listed person asks for the same or approves it; a newer correction of that merchant replaces it. Only card rows can be corrected.",
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
    return made.ok ? c.json(correctionAnswer(made.value), 201) : (refuse(c, made.error) as never);
  });
}

function addCorrectionApproval(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/recognition/corrections/{id}/approval",
    summary: "Approve a correction (second person)",
    middleware: operatorActs(deps),
    request: { params: z.object({ id: z.string() }) },
    responses: {
      200: answer(correctionSchema, "The correction, in force"),
      ...problems(400, 401, 403, 404, 409, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { id } = c.req.valid("param");
    const approved = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) => approveCorrection(catalogue, id, act),
    );
    return approved.ok
      ? c.json(correctionAnswer(approved.value), 200)
      : (refuse(c, approved.error) as never);
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
      200: answer(
        pageOf(correctionSchema),
        "Corrections by merchant text, those that wait beside those in force",
      ),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { catalogue } = await deps.service.now();
    const inForce = [...catalogue.corrections.values()].map(presentCorrection);
    const waiting = [...catalogue.waitingCorrections.values()].map(presentWaitingCorrection);
    const items = [...inForce, ...waiting]
      .map((shown) => ({ id: JSON.stringify([shown.merchant, shown.state]), shown }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const page = pageById(deps.cursors, "admin-corrections", items, c.req.valid("query"));
    if (page === null) return problem(c, "cursor_invalid") as never;
    return c.json(
      { data: page.items.map(({ shown }) => shown), next_cursor: page.nextCursor },
      200,
    );
  });
}

/** Each effect compiles the catalogue once more: a page holds few. */
const PROPOSALS_ON_A_PAGE = 10;

function addProposals(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "get",
    path: "/recognition/proposals",
    summary: "List what corrections suggest, with its effect",
    middleware: operatorReads(deps),
    description:
      "A correction that the catalogue would not have made itself becomes a proposal. Nothing changes until an alias, descriptor or exclusion is added with `PATCH /admin/v1/brands/{id}`; a frame is for the recogniser's own data. At most 10 on a page.",
    request: { query: z.strictObject(pageQuery) },
    responses: {
      200: answer(pageOf(proposalSchema), "Proposals by id"),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { catalogue } = await deps.service.now();
    const { proposals } = deps;
    const brands = [...catalogue.brands.values()].map(toEntry);
    const decisions = [...catalogue.corrections.values()];
    const items = proposals.proposalsOf(brands, decisions).map((proposal) => ({
      proposal,
      id: sha256Hex(JSON.stringify([proposal.kind, proposal.brandId, proposal.text])).slice(0, 24),
    })).sort((a, b) => (a.id < b.id ? -1 : 1));
    const query = c.req.valid("query");
    const page = pageById(deps.cursors, "admin-proposals", items, {
      ...query,
      limit: Math.min(query.limit, PROPOSALS_ON_A_PAGE),
    });
    if (page === null) return problem(c, "cursor_invalid") as never;
    const known = page.items.length === 0 ? [] : proposals.knownLabels(brands, decisions);
    const data = page.items.map(({ id, proposal }) => {
      const { labels, gained, lost, changes } = proposals.effectOf(brands, known, proposal);
      const brand = proposal.brandId === null
        ? undefined
        : catalogue.brands.get(proposal.brandId as BrandId);
      return {
        id,
        kind: proposal.kind,
        brand: brand === undefined ? null : { id: brand.id, name: brand.name },
        text: proposal.text,
        decisions: proposal.decisions,
        effect: { labels, gained, lost, changes: [...changes] },
      };
    });
    return c.json({ data, next_cursor: page.nextCursor }, 200);
  });
}

function addLegalNames(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/recognition/legal-names/import",
    summary: "Import which legal name is which brand",
    middleware: operatorImports(deps),
    description:
      "Each line becomes a correction: a shop's legal name holds before any number or town. For a brand with an offer it waits for a second person. The brand is named by id or name. All or nothing; a refusal lists all that is wrong with every line.",
    request: {
      query: importQuery,
      body: importBody("legal_names", Object.keys(LEGAL_NAME_COLUMNS)),
    },
    responses: {
      200: answer(legalNameReportSchema, "What happened to each line; `id` is the brand's"),
      ...problems(400, 401, 403, 409, 413, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const file = checkLines(
      readImport(await c.req.text(), importFormat(c), "legal_names", LEGAL_NAME_COLUMNS),
      legalNameItem,
    );
    const imported = await deps.service[isPreview(c) ? "preview" : "act"](
      actorOf(c),
      ({ catalogue, recogniser }, act) => importLegalNames(catalogue, recogniser, file, act),
    );
    if (!imported.ok) return refuse(c, imported.error) as never;
    const { lines } = imported.value;
    const count = (status: string): number => lines.filter((item) => item.status === status).length;
    return c.json({
      dry_run: isPreview(c),
      created: count("created"),
      updated: count("updated"),
      unchanged: count("unchanged"),
      waiting: count("waiting"),
      lines: lines.map((item) => ({
        ...item,
        changed: [...item.changed],
        waiting: [...item.waiting],
      })),
    }, 200);
  });
}

/** To be mounted under `/admin/v1`. */
export function operatorRecognitionRoutes(deps: CatalogueRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  for (
    const add of [
      addExplain,
      addCorrection,
      addCorrectionApproval,
      addCorrectionList,
      addProposals,
      addLegalNames,
    ]
  ) {
    add(router, deps);
  }
  return router;
}
