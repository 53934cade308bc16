// Health, the legal notice, the page at the root address, the documentation page.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Config } from "../config.ts";
import { audited, operatorEvent } from "../audit/ports.ts";
import type { AuditEvent } from "../audit/ports.ts";
import type { SealedPage, SealPosition } from "../db/seal-sweep.ts";
import { operatorOf, requireRole } from "../http/authentication.ts";
import type { OperatorTokens } from "../http/authentication.ts";
import type { AppEnv } from "../http/context.ts";
import { API_VERSION } from "../http/openapi.ts";
import type { Cursors } from "../http/paging.ts";
import { problem } from "../http/problem.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../http/router.ts";
import type { Log } from "../kernel/log.ts";
import { DAY_MS, toInstant } from "../kernel/time.ts";
import type { Clock } from "../kernel/time.ts";
import { READINESS } from "../texts/texts.ts";
import { appleAssociation, assetLinks } from "./associations.ts";
import { legalNotice, securityText } from "./legal.ts";
import { LANDING_POLICY, landingPage } from "./landing.ts";
import type { HaltsStore } from "./halts/store.ts";
import { readiness } from "./readiness.ts";
import type { ReadinessChecks, ReadinessFailure } from "./readiness.ts";

type OperationsRoutesDeps = {
  readonly config: Pick<
    Config,
    | "environment"
    | "publicUrl"
    | "redirectUris"
    | "apps"
    | "powens"
    | "email"
    | "jurisdiction"
    | "debtor"
  >;
  /** See `legalNotice`. */
  readonly host: string | null;
  readonly checks: ReadinessChecks;
  readonly halts: Pick<HaltsStore, "present">;
  readonly clock: Clock;
  readonly log: Log;
  /** Static files: the page of `/docs` is made by a build script. */
  readonly assets: (request: Request) => Promise<Response>;
};

const tags = ["Operations"];
const SECURITY_TEXT_DAYS = 180;

const CHECK_POINTERS = {
  database_unavailable: "#check/database",
  database_outside_eu: "#check/database",
  ledger_unavailable: "#check/ledger",
  programme_rate_changed: "#check/programme",
  aggregator_unanswered: "#check/aggregator",
  row_seals_not_required: "#check/row_seals",
} as const satisfies Record<ReadinessFailure, string>;

/** `GET /healthz` and `/readyz`: before the gate, since they must say why the rest is closed. */
function healthRoutes(deps: OperationsRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  const health = createRoute({
    method: "get",
    path: "/healthz",
    tags,
    summary: "Say that the application serves everything",
    description:
      "503 until the database has its tables and the rate of points is that of the first start; from then on the process says 200, whatever happens to the database: that is `/readyz`.",
    responses: {
      200: answer(
        z.object({ status: z.literal("ok"), version: z.string() }).openapi("Health"),
        "Everything is served",
      ),
      ...problems(503),
    },
  });
  router.openapi(
    health,
    async (c) =>
      (await isServed(deps.checks))
        ? c.json({ status: "ok" as const, version: API_VERSION }, 200)
        : problem(c, "unavailable", { headers: { "Retry-After": "1" } }) as never,
  );

  const ready = createRoute({
    method: "get",
    path: "/readyz",
    tags,
    summary: "Say whether the application can work",
    description:
      "503 with a code per failed check in `errors`. In production the database must be served from the EU. An aggregator that has never answered is a failed check; one that answered before is not.",
    responses: {
      200: answer(
        z.object({ status: z.literal("ok"), database_region: z.string().nullable() }).openapi(
          "Readiness",
        ),
        "Database, ledgers and aggregator answer",
      ),
      ...problems(503),
    },
  });
  router.openapi(ready, async (c) => {
    const { region, failures } = await readiness(
      deps.checks,
      deps.config.environment === "production",
    );
    if (failures.length === 0) {
      return c.json({ status: "ok" as const, database_region: region }, 200);
    }
    deps.log.alert("not_ready", { checks: failures.join("/") });
    const say = READINESS.in(c.get("locale"));
    return problem(c, "unavailable", {
      errors: failures.map((code) => ({ pointer: CHECK_POINTERS[code], code, detail: say(code) })),
    }) as never;
  });
  return router;
}

/** The gate below is open. A database that does not answer is not an answer. */
async function isServed(checks: Pick<ReadinessChecks, "programme">): Promise<boolean> {
  try {
    return (await checks.programme()).ok;
  } catch {
    return false;
  }
}

// Documents that are made from the code and the settings: no state of the database closes them.
const DOCUMENTS = /^\/(?:openapi\.json$|\.well-known\/)/;

/**
 * Closes everything mounted after it when the configured rate of points is not the stored one. 503,
 * so that the aggregator sends again what it could not deliver meanwhile.
 */
function programmeGate(
  deps: Pick<OperationsRoutesDeps, "checks" | "log">,
): OpenAPIHono<AppEnv> {
  const router = createRouter();
  router.use("*", async (c, next) => {
    if (DOCUMENTS.test(c.req.path)) return next();
    const programme = await deps.checks.programme();
    if (programme.ok) return next();
    deps.log.alert("programme_refused", { code: programme.error.code });
    return problem(c, "unavailable");
  });
  return router;
}

const text = z.string();
const legalSchema = z.object({
  operator: z.object({ name: text.nullable(), url: text }),
  account_information: z.object({ provider: text, domain: text, role: text }),
  agent: z.object({ of: text, register: text, status: text }),
  data_kept: z.array(z.object({ what: text, why: text, until: text })),
  data_never_kept: z.array(text),
  hosting: z.object({ provider: text, jurisdiction: text.nullable(), statement: text }),
  processors: z.array(z.object({ role: z.enum(["aggregator", "hosting", "email"]), name: text })),
  halts: z.array(z.object({
    what: z.enum(["payouts", "confirmations", "linking", "offers"]),
    since: z.iso.datetime(),
    effect: text,
  })),
  complaints: z.object({
    contact: text,
    how: text,
    authorities: z.array(z.object({ name: text, url: text, about: text })),
  }),
}).openapi("LegalNotice");

// Swagger UI sets styles from its script; nothing else may come from anywhere but here.
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `GET /v1/legal`, what is under `/.well-known/` beside the keys, the pages. */
function noticeRoutes(deps: OperationsRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  const legal = createRoute({
    method: "get",
    path: "/v1/legal",
    tags,
    summary: "Read who reads your account, what is kept, where, and where to complain",
    responses: {
      200: answer(legalSchema, "The notice, in the caller's language"),
      ...problems(503),
    },
  });
  router.openapi(legal, async (c) => {
    const locale = c.get("locale");
    c.header("Vary", "Accept-Language", { append: true });
    const halted = await deps.halts.present();
    return c.json(legalNotice(deps.config, deps.host, locale, halted), 200, {
      // Not long: a halt is shown here.
      "Cache-Control": "public, max-age=60",
      "Content-Language": locale,
    });
  });

  const security = createRoute({
    method: "get",
    path: "/.well-known/security.txt",
    tags,
    summary: "Say where to report a weakness (RFC 9116)",
    responses: {
      200: { description: "security.txt", content: { "text/plain": { schema: z.string() } } },
    },
  });
  router.openapi(
    security,
    (c) =>
      c.text(
        securityText(
          deps.config.publicUrl,
          toInstant(deps.clock.nowMs() + SECURITY_TEXT_DAYS * DAY_MS),
        ),
        200,
        { "Cache-Control": "public, max-age=86400" },
      ),
  );

  associationRoutes(router, deps.config);
  pageRoutes(router, deps.assets);
  return router;
}

const PAGE_CACHE = "public, max-age=300";

/** `GET /` and `GET /docs` with their files. */
function pageRoutes(
  router: OpenAPIHono<AppEnv>,
  assets: OperationsRoutesDeps["assets"],
): void {
  const file = async (request: Request, path: string, policy: string): Promise<Response> => {
    const served = await assets(
      new Request(new URL(path, request.url), { headers: request.headers }),
    );
    const headers = new Headers(served.headers);
    headers.set("Content-Security-Policy", policy);
    headers.set("Cache-Control", PAGE_CACHE);
    return new Response(served.body, { status: served.status, headers });
  };
  const html = { content: { "text/html": { schema: z.string() } } };
  const landing = createRoute({
    method: "get",
    path: "/",
    tags,
    summary: "Read what this is, in the reader's language",
    responses: { 200: { description: "A page with links", ...html } },
  });
  router.openapi(landing, (c) => {
    const locale = c.get("locale");
    c.header("Vary", "Accept-Language", { append: true });
    return c.html(landingPage(locale), 200, {
      "Content-Security-Policy": LANDING_POLICY,
      "Cache-Control": PAGE_CACHE,
      "Content-Language": locale,
    });
  });
  router.get("/landing.css", (c) => file(c.req.raw, c.req.path, LANDING_POLICY));

  const docs = createRoute({
    method: "get",
    path: "/docs",
    tags,
    summary: "Read this document as a page",
    responses: { 200: { description: "The page", ...html } },
  });
  router.openapi(docs, async (c) => (await file(c.req.raw, "/docs/", DOCS_POLICY)) as never);
  router.get("/docs/*", (c) => file(c.req.raw, c.req.path, DOCS_POLICY));
}

const ASSOCIATION_HEADERS = { "Cache-Control": "public, max-age=3600" };

function associationRoutes(
  router: OpenAPIHono<AppEnv>,
  { apps, publicUrl, redirectUris }: OperationsRoutesDeps["config"],
): void {
  const apple = createRoute({
    method: "get",
    path: "/.well-known/apple-app-site-association",
    tags,
    summary: "List the Apple apps that belong to this system",
    responses: {
      200: answer(
        z.object({
          webcredentials: z.object({ apps: z.array(z.string()) }),
          applinks: z.object({
            details: z.array(
              z.object({
                appIDs: z.array(z.string()),
                components: z.array(z.record(z.string(), z.string())),
              }),
            ),
          }),
        }),
        "The apps of `APPLE_APP_IDS`",
      ),
    },
  });
  router.openapi(
    apple,
    (c) =>
      c.json(
        appleAssociation(apps.apple, publicUrl, redirectUris) as never,
        200,
        ASSOCIATION_HEADERS,
      ),
  );

  const android = createRoute({
    method: "get",
    path: "/.well-known/assetlinks.json",
    tags,
    summary: "List the Android apps that belong to this system",
    responses: {
      200: answer(
        z.array(z.object({
          relation: z.array(z.string()),
          target: z.object({
            namespace: z.string(),
            package_name: z.string(),
            sha256_cert_fingerprints: z.array(z.string()),
          }),
        })),
        "The apps of `ANDROID_APPS`",
      ),
    },
  });
  router.openapi(
    android,
    (c) => c.json(assetLinks(apps.android) as never, 200, ASSOCIATION_HEADERS),
  );
}

/** Every router of operations in mounting order; what follows them is behind the gate. */
export function operationsRouters(
  deps: OperationsRoutesDeps,
): readonly { readonly path: string; readonly router: OpenAPIHono<AppEnv> }[] {
  return [
    { path: "/", router: healthRoutes(deps) },
    { path: "/", router: noticeRoutes(deps) },
    { path: "/", router: programmeGate(deps) },
  ];
}

type SealRoutesDeps = {
  readonly sealPage: (position: SealPosition | null) => Promise<SealedPage>;
  readonly operatorTokens: OperatorTokens;
  readonly cursors: Cursors;
  readonly note: (event: AuditEvent) => Promise<void>;
};

const SEALS_SCOPE = "row-seals";
const rowCount = z.number().int();
const pageSchema = z.object({
  table: z.string(),
  sealed: rowCount.openapi({ description: "Rows of before that have a seal now" }),
  renewed: rowCount.openapi({ description: "Rows whose seal is now under the active key" }),
  refused: rowCount.openapi({
    description: "Rows that are not used: their seal is wrong or missing",
  }),
  next_cursor: z.string().nullable(),
}).openapi("SealedPage");

/**
 * `POST /row-seals`, to be mounted under `/admin/v1`: seals the rows of before there were seals and
 * renews seals after the key changed (`npm run -s seals`).
 */
export function sealRoutes(deps: SealRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  const route = createRoute({
    tags: ["Operators: operations"],
    security: operatorSecurity,
    method: "post",
    path: "/row-seals",
    summary: "Seal rows of before, and renew seals under the active key, a page at a time",
    description:
      "Begin without a cursor and go on with `next_cursor` until it is null. May be repeated. Rows that somebody else wrote are counted and left as they are.",
    middleware: [audited(deps.note), requireRole(deps.operatorTokens, "owner")],
    request: { body: body(z.strictObject({ cursor: z.string().max(1024).nullable() })) },
    responses: {
      200: answer(pageSchema, "What was done on this page"),
      ...problems(400, 401, 403, 413, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { cursor } = c.req.valid("json");
    const position = cursor === null ? null : deps.cursors.open(SEALS_SCOPE, cursor);
    if (cursor !== null && position === null) return problem(c, "cursor_invalid") as never;
    const from = position === null ? null : JSON.parse(position) as SealPosition;
    // Before the act: a page that is sealed and not written down could not be found again.
    const table = from?.table ?? "all";
    await deps.note(operatorEvent(operatorOf(c), "row_seals.renew", table, {}));
    const { next, ...page } = await deps.sealPage(from);
    const nextCursor = next === null ? null : deps.cursors.seal(SEALS_SCOPE, JSON.stringify(next));
    return c.json({ ...page, next_cursor: nextCursor }, 200);
  });
  return router;
}
