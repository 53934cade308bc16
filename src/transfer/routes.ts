// `/admin/v1/transfer`: the owner moves the whole system to another runtime, a sealed line at a
// time (`npm run -s export-all`, `import-all`). Every call is audited; no answer holds anything
// readable.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { audited, operatorEvent } from "../audit/ports.ts";
import type { AuditEvent } from "../audit/ports.ts";
import { operatorOf, requireRole } from "../http/authentication.ts";
import type { OperatorTokens } from "../http/authentication.ts";
import type { AppEnv } from "../http/context.ts";
import { problem } from "../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../http/router.ts";
import { sentenceOf } from "./errors.ts";
import type { TransferError } from "./errors.ts";
import type { Exported, TransferService } from "./service.ts";
import type { ImportState } from "./ports.ts";

type TransferRoutesDeps = {
  readonly service: TransferService;
  readonly operatorTokens: OperatorTokens;
  readonly note: (event: AuditEvent) => Promise<void>;
};

const common = { tags: ["Operators: operations"], security: operatorSecurity };
const archiveId = z.string().regex(/^[0-9a-f-]{36}$/).openapi({
  description: "Chosen by the caller: a UUID",
});
const lineFields = {
  archive: archiveId,
  line: z.number().int().min(0),
  kind: z.enum(["header", "table", "budget", "ledger", "end"]),
  name: z.string().max(80),
  page: z.number().int().min(0),
  sealed: z.string().max(4_000_000),
};
const exportedSchema = z.object({ ...lineFields, next: z.string().nullable() }).openapi(
  "ArchiveLine",
);
const stateSchema = z.object({
  archive: z.string(),
  next: z.number().int(),
  state: z.enum(["loading", "opening", "done"]),
}).openapi("ImportState");

function refuse(c: Context<AppEnv>, code: TransferError): never {
  if (code === "unavailable") return problem(c, "ledger_unavailable") as never;
  if (code === "cursor_invalid") return problem(c, "cursor_invalid") as never;
  return problem(c, "conflict", { detail: sentenceOf(code) }) as never;
}

const shown = ({ archive, next, state }: ImportState): z.output<typeof stateSchema> => ({
  archive,
  next,
  state,
});

function addExport(router: OpenAPIHono<AppEnv>, deps: TransferRoutesDeps): void {
  const route = createRoute({
    ...common,
    method: "get",
    path: "/transfer/export",
    summary: "Read the whole system, a sealed line at a time",
    description:
      "Without a cursor the header; then `next` until it is null. Stop the system's traffic before: a copy of a system that changed meanwhile is refused.",
    middleware: [audited(deps.note), requireRole(deps.operatorTokens, "owner")],
    request: {
      query: z.strictObject({ archive: archiveId, cursor: z.string().max(16_384).optional() }),
    },
    responses: {
      200: answer(exportedSchema, "The line and the cursor of the next"),
      ...problems(400, 401, 403, 409, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { archive, cursor } = c.req.valid("query");
    const line = await deps.service.exportLine(archive, cursor ?? null);
    if (!line.ok) return refuse(c, line.error);
    return c.json(line.value satisfies Exported, 200);
  });
}

function addImport(router: OpenAPIHono<AppEnv>, deps: TransferRoutesDeps): void {
  const owner = requireRole(deps.operatorTokens, "owner");
  const state = createRoute({
    ...common,
    method: "get",
    path: "/transfer/import",
    summary: "Show how far the import of this system is",
    middleware: [audited(deps.note), owner],
    request: { query: z.strictObject({}) },
    responses: {
      200: answer(stateSchema, "The next line that is expected"),
      ...problems(401, 403, 404, 422, 503),
    },
  });
  router.openapi(state, async (c) => {
    const found = await deps.service.importState();
    return found === null ? (problem(c, "not_found") as never) : c.json(shown(found), 200);
  });
  const take = createRoute({
    ...common,
    method: "post",
    path: "/transfer/import",
    summary: "Load a line into an empty system",
    description:
      "In order, from line 0. A line that was loaded already changes nothing. The header is taken by an empty system that holds the same keys.",
    middleware: [audited(deps.note), owner],
    request: { body: body(z.strictObject(lineFields)) },
    responses: {
      200: answer(stateSchema, "The next line that is expected"),
      ...problems(401, 403, 409, 413, 415, 422, 503),
    },
  });
  router.openapi(take, async (c) => {
    const line = c.req.valid("json");
    if (line.kind === "header") {
      await deps.note(operatorEvent(operatorOf(c), "transfer.import", line.archive, {}));
    }
    const taken = await deps.service.importLine(line);
    return taken.ok ? c.json(shown(taken.value), 200) : refuse(c, taken.error);
  });
  const open = createRoute({
    ...common,
    method: "post",
    path: "/transfer/import/open",
    summary: "Set the alarms of the loaded ledgers and end the import",
    description: "After the last line; repeat until the state is `done`.",
    middleware: [audited(deps.note), owner],
    request: { body: body(z.strictObject({})) },
    responses: {
      200: answer(stateSchema, "How far it is"),
      ...problems(401, 403, 409, 415, 422, 503),
    },
  });
  router.openapi(open, async (c) => {
    await deps.note(operatorEvent(operatorOf(c), "transfer.open", "transfer", {}));
    const opened = await deps.service.open();
    return opened.ok ? c.json(shown(opened.value), 200) : refuse(c, opened.error);
  });
}

/** To be mounted under `/admin/v1`. */
export function transferRoutes(deps: TransferRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  for (const add of [addExport, addImport]) add(router, deps);
  return router;
}
