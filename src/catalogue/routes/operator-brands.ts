// Operators' routes for brands. A change of what a brand is recognised by, while an offer pays for
// it, waits for a second person.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv } from "../../http/context.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../../http/router.ts";
import { isId } from "../../kernel/ids.ts";
import type { AliasWarning } from "../../recognition/ports.ts";
import type { BrandRecord, Catalogue } from "../catalogue.ts";
import {
  approveAliasChange,
  archiveBrand,
  brandEdit,
  brandImportItem,
  brandInput,
  createBrand,
  editBrand,
  importBrands,
} from "../brands/brand.ts";
import type { BrandImport, BrandOutcome } from "../brands/brand.ts";
import { BRAND_COLUMNS } from "../import/columns.ts";
import { checkLines, readImport } from "../import/import-file.ts";
import type { ImportFormat } from "../import/import-file.ts";
import { presentBrand } from "./present.ts";
import { toEntry } from "../compiled-catalogue.ts";
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
import { brandAnswerSchema, brandReportSchema, operatorBrandSchema } from "./schemas.ts";

const tags = ["Operators: catalogue"];
const common = { tags, security: operatorSecurity };

// Looking for collisions compares a brand with all others, some ten microseconds each: a file of
// thousands is advised on in part.
const COMPARISONS_MAX = 100_000;

/** What a file's media type says it is; JSON when it says nothing. */
export function importFormat(c: Context<AppEnv>): ImportFormat {
  const type = (c.req.header("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase();
  return type === "text/csv" ? "csv" : type === "application/x-ndjson" ? "ndjson" : "json";
}

/**
 * The request body of an import in the document: each format is checked line by line, not by the
 * route's schema.
 */
export function importBody(member: string, columns: readonly string[]) {
  return {
    required: true,
    content: {
      "application/x-ndjson": {
        schema: z.string().openapi({ description: "One JSON object a line" }),
      },
      "text/csv": {
        schema: z.string().openapi({
          description: `A header line, then one item a line. Columns: ${columns.join(", ")}`,
        }),
      },
      // Optional here only: the router checks this schema against every body, and a file that is
      // not JSON has no members.
      "application/json": { schema: z.looseObject({ [member]: z.array(z.unknown()).optional() }) },
    },
  };
}

function warningsFor(
  deps: CatalogueRoutesDeps,
  catalogue: Catalogue,
  brand: Pick<BrandRecord, "id" | "name" | "category" | "aliases" | "excluded" | "wikidata">,
): AliasWarning[] {
  return [...deps.aliasWarnings([...catalogue.brands.values()].map(toEntry), toEntry(brand))];
}

function brandAnswer(
  deps: CatalogueRoutesDeps,
  catalogue: Catalogue,
  { brand, waiting }: Pick<BrandOutcome, "brand" | "waiting">,
) {
  // Advice is about what was asked for, which may still wait.
  return {
    ...presentBrand(brand, waiting),
    warnings: warningsFor(
      deps,
      catalogue,
      waiting === null
        ? brand
        : { ...brand, name: waiting.name, aliases: waiting.aliases, excluded: waiting.excluded },
    ),
  };
}

function addList(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "get",
    path: "/brands",
    summary: "List brands with their aliases",
    middleware: operatorReads(deps),
    request: { query: z.strictObject({ ...pageQuery, query: z.string().max(80).optional() }) },
    responses: {
      200: answer(pageOf(operatorBrandSchema), "Brands by age"),
      ...problems(400, 401, 403, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const query = c.req.valid("query");
    const { catalogue } = await deps.service.now();
    const wanted = (query.query ?? "").toLowerCase();
    const matching = [...catalogue.brands.values()].filter((brand) =>
      wanted === "" || brand.name.toLowerCase().includes(wanted) ||
      brand.aliases.some((alias) => alias.toLowerCase().includes(wanted))
    );
    const page = pageById(deps.cursors, `admin-brands|${wanted}`, matching, query);
    if (page === null) return problem(c, "cursor_invalid") as never;
    return c.json({
      data: page.items.map((brand) => presentBrand(brand, catalogue.waiting.get(brand.id) ?? null)),
      next_cursor: page.nextCursor,
    }, 200);
  });
}

function addCreate(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/brands",
    summary: "Create a brand",
    middleware: operatorActs(deps),
    request: { body: body(brandInput) },
    responses: {
      201: answer(brandAnswerSchema, "The brand, with advice about its aliases"),
      ...problems(400, 401, 403, 409, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const input = c.req.valid("json");
    const made = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) => createBrand(catalogue, input, act),
    );
    if (!made.ok) return refuse(c, made.error) as never;
    const { catalogue } = await deps.service.now();
    return c.json(brandAnswer(deps, catalogue, { brand: made.value, waiting: null }), 201);
  });
}

function addEdit(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "patch",
    path: "/brands/{id}",
    summary: "Change a brand",
    middleware: operatorPatches(deps),
    description:
      "What is absent stays. Name and aliases of a brand with an offer in force or to come are kept as `waiting_change` until a second person approves them; a new change replaces one that waits.",
    request: { params: z.object({ id: z.string() }), body: body(brandEdit) },
    responses: {
      200: answer(brandAnswerSchema, "The brand"),
      ...problems(401, 403, 404, 409, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { id } = c.req.valid("param");
    const edit = c.req.valid("json");
    if (!isId("brd", id)) return problem(c, "not_found") as never;
    const edited = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) => editBrand(catalogue, id, edit, act),
    );
    if (!edited.ok) return refuse(c, edited.error) as never;
    const { catalogue } = await deps.service.now();
    return c.json(brandAnswer(deps, catalogue, edited.value), 200);
  });
}

function addApproval(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/brands/{id}/alias-changes/{change_id}/approval",
    summary: "Approve a change of aliases (second person)",
    middleware: operatorActs(deps),
    request: { params: z.object({ id: z.string(), change_id: z.string() }) },
    responses: {
      200: answer(brandAnswerSchema, "The brand as it is recognised now"),
      ...problems(400, 401, 403, 404, 409, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { id, change_id: changeId } = c.req.valid("param");
    if (!isId("brd", id)) return problem(c, "not_found") as never;
    const approved = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) => approveAliasChange(catalogue, id, changeId, act),
    );
    if (!approved.ok) return refuse(c, approved.error) as never;
    const { catalogue } = await deps.service.now();
    return c.json(brandAnswer(deps, catalogue, approved.value), 200);
  });
}

function addArchive(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/brands/{id}/archive",
    summary: "Archive a brand",
    middleware: operatorActs(deps),
    description:
      "It leaves the public list and gets no offers any more. It stays recognised: purchases of its past offers may still arrive. 409 while an offer is in force, to come or waiting.",
    request: { params: z.object({ id: z.string() }) },
    responses: {
      200: answer(brandAnswerSchema, "The brand"),
      ...problems(400, 401, 403, 404, 409, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("brd", id)) return problem(c, "not_found") as never;
    const archived = await deps.service.act(
      actorOf(c),
      ({ catalogue }, act) => archiveBrand(catalogue, id, act),
    );
    if (!archived.ok) return refuse(c, archived.error) as never;
    const { catalogue } = await deps.service.now();
    return c.json(brandAnswer(deps, catalogue, archived.value), 200);
  });
}

function reportOf(
  deps: CatalogueRoutesDeps,
  catalogue: Catalogue,
  { lines }: BrandImport,
  dryRun: boolean,
) {
  const count = (status: string): number => lines.filter((item) => item.status === status).length;
  const advisable = Math.floor(COMPARISONS_MAX / Math.max(1, catalogue.brands.size));
  const changed = lines.filter((item) => item.status !== "unchanged");
  const advised = new Set(changed.slice(0, advisable).map((item) => item.line));
  return {
    dry_run: dryRun,
    created: count("created"),
    updated: count("updated"),
    unchanged: count("unchanged"),
    waiting: count("waiting"),
    advised: advised.size,
    lines: lines.map(({ line, status, id, changed: applied, waiting, brand }) => ({
      line,
      status,
      id: dryRun && status === "created" ? null : id,
      changed: [...applied],
      waiting: [...waiting],
      warnings: advised.has(line) ? warningsFor(deps, catalogue, brand) : [],
    })),
  };
}

function addImport(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "post",
    path: "/brands/import",
    summary: "Import brands from JSON lines, CSV or JSON",
    middleware: operatorImports(deps),
    description:
      `All or nothing. Brands are found again by name, so a file may be imported twice. Aliases of one CSV cell are separated by \`|\`. A refusal lists all that is wrong with every line under \`#line/<number>/<field>\`. Each line says which members changed at once and which are waiting. Advice about aliases is given for the first \`advised\` lines that change something.`,
    request: { query: importQuery, body: importBody("brands", Object.keys(BRAND_COLUMNS)) },
    responses: {
      200: answer(brandReportSchema, "What happened to each line"),
      ...problems(400, 401, 403, 409, 413, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const file = checkLines(
      readImport(await c.req.text(), importFormat(c), "brands", BRAND_COLUMNS),
      brandImportItem,
    );
    const dryRun = isPreview(c);
    const imported = await deps.service[dryRun ? "preview" : "act"](
      actorOf(c),
      ({ catalogue }, act) => importBrands(catalogue, file, act),
    );
    if (!imported.ok) return refuse(c, imported.error) as never;
    const { catalogue } = await deps.service.now();
    return c.json(reportOf(deps, catalogue, imported.value, dryRun), 200);
  });
}

export function operatorBrandRoutes(deps: CatalogueRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  for (const add of [addList, addCreate, addEdit, addApproval, addArchive, addImport]) {
    add(router, deps);
  }
  return router;
}
