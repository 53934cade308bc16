// The order of everything a request passes: id, language, limits on the body, routes, and the one
// place that turns a surprise into a 500 without telling anything.
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { requireOperator } from "./http/authentication.ts";
import type { OperatorTokens } from "./http/authentication.ts";
import type { Bodies, BodyRefusal, Standing } from "./http/bodies.ts";
import type { Callers } from "./http/callers.ts";
import type { AppEnv, Locale } from "./http/context.ts";
import { documentInfo } from "./http/openapi.ts";
import { problem } from "./http/problem.ts";
import { PROBLEM_DETAILS } from "./texts/texts.ts";
import { rateLimited } from "./http/rate-limit.ts";
import type { RateLimiter } from "./http/rate-limit.ts";
import { newId } from "./kernel/ids.ts";
import { errorClass } from "./kernel/log.ts";
import type { Log } from "./kernel/log.ts";
import type { RandomBytes } from "./kernel/random.ts";
import type { Clock } from "./kernel/time.ts";

export type AppServices = {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly corsOrigins: readonly string[];
  readonly apiLimiter: RateLimiter;
  readonly authLimiter: RateLimiter;
  readonly bodies: Bodies;
  readonly callers: Callers;
  readonly operatorTokens: OperatorTokens;
  /** Every domain's router with the path it is mounted on, in order. */
  readonly routers: readonly { readonly path: string; readonly router: OpenAPIHono<AppEnv> }[];
  /**
   * Distinguishes a failed database or platform from a defect: the former answers 503 and may be
   * repeated.
   */
  readonly isUnavailable: (error: unknown) => boolean;
};

// Every JSON body of ours is small; webhooks have their own, larger limit in their route, imports
// theirs.
const BODY_BYTES_MAX = 65_536;
const IMPORT_BYTES_MAX = 4_194_304;

/** Builds the HTTP application. The same app runs in workerd, Deno and the tests. */
export function createApp(services: AppServices): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  app.use(
    identify(services),
    secureHeaders({ crossOriginResourcePolicy: "same-site" }),
    privateByDefault(),
    errorsOnly(),
  );
  app.use(
    "/v1/*",
    cors({
      origin: [...services.corsOrigins],
      maxAge: 86_400,
      allowHeaders: [
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "Accept-Language",
        "If-None-Match",
        "Receipt-Token",
      ],
      exposeHeaders: [
        "X-Request-Id",
        "Idempotency-Replayed",
        "ETag",
        "Retry-After",
        "RateLimit",
        "RateLimit-Policy",
      ],
    }),
  );
  app.use("/v1/auth/*", signingInLimited(services.authLimiter));
  const { bodies, callers } = services;
  app.use(
    "/v1/*",
    rateLimited(services.apiLimiter),
    jsonBodies(bodies, "caller", BODY_BYTES_MAX),
  );
  // Files are large: first the token, then the body.
  app.use(
    "/admin/v1/*",
    requireOperator(services.operatorTokens, callers),
    jsonBodies(bodies, "known", IMPORT_BYTES_MAX),
  );
  for (const { path, router } of services.routers) app.route(path, router);
  documentInfo(app);
  const methodsOf = knownPaths(app);
  app.notFound((c) => {
    const methods = methodsOf(c.req.path);
    return methods.length === 0
      ? problem(c, "not_found")
      : problem(c, "method_not_allowed", { headers: { Allow: methods.join(", ") } });
  });
  app.onError((error, c) => unexpected(error, c, services));
  return app;
}

/**
 * The methods of a path that some route has. Only asked for what no route answered, so that a route
 * is never looked for twice.
 */
function knownPaths(app: OpenAPIHono<AppEnv>): (path: string) => readonly string[] {
  const routes = app.routes.filter(({ method, path }) => method !== "ALL" && !path.includes("*"))
    .map(({ method, path }) => ({
      method,
      pattern: new RegExp(
        `^${path.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll(/:[A-Za-z_]+/g, "[^/]+")}$`,
      ),
    }));
  return (path) => {
    const found = new Set(
      routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method),
    );
    // Hono answers HEAD wherever it answers GET.
    if (found.has("GET")) found.add("HEAD");
    return [...found].sort();
  };
}

function identify(services: AppServices): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("requestId", newId("req", services.clock.nowMs(), services.random));
    c.set("locale", preferredLocale(c.req.header("Accept-Language")));
    c.set("user", null);
    c.set("operator", null);
    await next();
    c.header("X-Request-Id", c.get("requestId"));
  };
}

/** French unless English is asked for with a higher weight (RFC 9110, section 12.5.4). */
function preferredLocale(header: string | undefined): Locale {
  const weights = { fr: 0, en: 0 };
  for (const part of (header ?? "").slice(0, 256).split(",")) {
    const [tag = "", ...parameters] = part.toLowerCase().split(";").map((text) => text.trim());
    const weight = Number(parameters.find((text) => text.startsWith("q="))?.slice(2) ?? "1");
    const language = tag.split("-")[0];
    if ((language === "fr" || language === "en") && weight <= 1) {
      weights[language] = Math.max(weights[language], weight);
    }
  }
  return weights.en > weights.fr ? "en" : "fr";
}

/** Whatever a route does not mark as public must not be kept by anybody between us and the user. */
function privateByDefault(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next();
    // c.header also makes the headers writable: those of a static file or a fetched answer are not,
    // and the headers below are added.
    c.header("Cache-Control", c.res.headers.get("Cache-Control") ?? "private, no-store");
  };
}

class NotAnError extends Error {
  override readonly name = "NotAnError";
}

/**
 * hono hands only instances of Error to onError; anything else thrown would leave the app and be
 * printed by the platform.
 */
function errorsOnly(): MiddlewareHandler<AppEnv> {
  return async (_c, next) => {
    try {
      await next();
    } catch (thrown) {
      throw thrown instanceof Error ? thrown : new NotAnError("thrown value is not an error");
    }
  };
}

/**
 * Refreshing has a budget for each session, in its route: the customers of a carrier share
 * addresses, and each of their apps refreshes every ten minutes.
 */
function signingInLimited(limiter: RateLimiter): MiddlewareHandler<AppEnv> {
  const limited = rateLimited(limiter);
  return (c, next) => c.req.path === "/v1/auth/refresh" ? next() : limited(c, next);
}

const WRITES = new Set(["POST", "PUT", "PATCH"]);

// Malformed UTF-8 is the parser's to refuse.
const decoder = new TextDecoder();

/** Reads a body once, as text: what follows takes it from there and makes no copy of its own. */
function jsonBodies(
  bodies: Bodies,
  standing: Standing,
  maxBytes: number,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (!WRITES.has(c.req.method) || c.req.raw.body === null) return next();
    if (Number(c.req.header("Content-Length") ?? "0") > maxBytes) {
      return problem(c, "payload_too_large");
    }
    const { read, close } = bodies.open(standing);
    try {
      const body = await read(c.req.raw.body, maxBytes);
      if (!body.ok) return unread(c, body.code);
      if (body.bytes.byteLength > 0 && !isAcceptedType(c)) return unsupportedType(c);
      // hono keeps promises there, whatever the type says.
      Object.assign(c.req.bodyCache, { text: Promise.resolve(decoder.decode(body.bytes)) });
      return await next();
    } finally {
      close();
    }
  };
}

function unread(c: Context<AppEnv>, code: BodyRefusal): Response {
  return code === "overloaded"
    ? problem(c, "unavailable", { headers: { "Retry-After": "5" } })
    : problem(c, code);
}

function isAcceptedType(c: Context<AppEnv>): boolean {
  const type = (c.req.header("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  return type === "application/json" ||
    (c.req.path.endsWith("/import") && (type === "text/csv" || type === "application/x-ndjson"));
}

function unsupportedType(c: Context<AppEnv>): Response {
  return problem(
    c,
    "unsupported_media_type",
    c.req.path.endsWith("/import")
      ? { detail: PROBLEM_DETAILS.both("unsupported_media_type_import") }
      : {},
  );
}

function unexpected(error: Error, c: Context<AppEnv>, services: AppServices): Response {
  if (error instanceof HTTPException) {
    if (error.status === 400) return problem(c, "malformed_json");
    if (error.status === 413) return problem(c, "payload_too_large");
  }
  const unavailable = services.isUnavailable(error);
  services.log.alert(unavailable ? "request_unavailable" : "request_failed", {
    request_id: c.get("requestId"),
    route: c.req.routePath,
    error: errorClass(error),
  });
  return unavailable
    ? problem(c, "unavailable", { headers: { "Retry-After": "5" } })
    : problem(c, "internal");
}
