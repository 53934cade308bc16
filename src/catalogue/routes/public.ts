// What everybody may read of the catalogue, and a user's activations. Anonymous answers may be kept
// by caches for a minute and are the same for everybody; with a token they are that user's and
// nobody keeps them.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { optionalUser, requireUser, userOf } from "../../http/authentication.ts";
import type { AppEnv, Locale } from "../../http/context.ts";
import { idempotent } from "../../http/idempotency.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, createRouter, problems, userSecurity } from "../../http/router.ts";
import { sha256Hex } from "../../kernel/hash.ts";
import { isId } from "../../kernel/ids.ts";
import type { OfferId } from "../../kernel/ids.ts";
import { SECOND_MS, toInstant } from "../../kernel/time.ts";
import type { LedgerError, OfferTerms } from "../../ledger/ports.ts";
import { inForce, nameKey } from "../catalogue.ts";
import type { Catalogue, OfferEntry } from "../catalogue.ts";
import { publicBrand, publicTerms } from "./present.ts";
import type { LoadedCatalogue } from "../compiled-catalogue.ts";
import { pageById } from "./deps.ts";
import type { CatalogueRoutesDeps } from "./deps.ts";
import { activationSchema, brandSchema, publicOfferSchema } from "./schemas.ts";

// Clients keep these answers for a minute anyway; this only spares the database.
const CATALOGUE_AGE_MS = 5 * SECOND_MS;
const tags = ["Brands and offers"];

const notModified = { 304: { description: "Unchanged since the ETag that If-None-Match named" } };

/**
 * True when a list of entity tags names this one. `*` means any; weak tags match too for GET (RFC
 * 9110, section 13.1.2).
 */
function matchesEtag(header: string | undefined, etag: string): boolean {
  return (header ?? "").split(",").some((part) =>
    part.trim() === "*" || part.trim().replace(/^W\//, "") === etag
  );
}

/**
 * Answers what is the same for everybody, or 304 when the caller has it. The tag is strong: it
 * changes with any byte.
 */
function cacheable(c: Context<AppEnv>, loaded: LoadedCatalogue, value: unknown): Response {
  const text = JSON.stringify(value);
  const etag = `"c${loaded.version}-${sha256Hex(text).slice(0, 20)}"`;
  c.header("ETag", etag);
  c.header("Cache-Control", "public, max-age=60");
  c.header("Content-Language", c.get("locale"));
  c.header("Vary", "Accept-Language, Authorization", { append: true });
  if (matchesEtag(c.req.header("If-None-Match"), etag)) return c.body(null, 304);
  return c.body(text, 200, { "Content-Type": "application/json" });
}

function personal(c: Context<AppEnv>, value: unknown): Response {
  return c.json(value, 200, {
    "Cache-Control": "private, no-store",
    "Content-Language": c.get("locale"),
  });
}

function refuseLedger(c: Context<AppEnv>, error: LedgerError): Response {
  if (error.code === "erased") {
    return problem(c, "token_invalid", { headers: { "WWW-Authenticate": "Bearer" } });
  }
  return problem(c, "ledger_unavailable", { headers: { "Retry-After": "5" } });
}

function addBrands(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const list = createRoute({
    method: "get",
    path: "/brands",
    tags,
    summary: "List partner brands",
    request: {
      query: z.strictObject({
        ...pageQuery,
        query: z.string().max(80).optional(),
        category: z.string().max(60).optional(),
      }),
    },
    responses: {
      200: answer(pageOf(brandSchema), "Brands; `query` looks in names"),
      ...notModified,
      ...problems(400, 422, 503),
    },
  });
  router.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const loaded = await deps.cache.current(CATALOGUE_AGE_MS);
    const wanted = nameKey(query.query ?? "");
    const matching = [...loaded.catalogue.brands.values()].filter((brand) =>
      brand.nameKey.includes(wanted) &&
      (query.category === undefined || brand.category === query.category)
    );
    const page = pageById(
      deps.cursors,
      `brands|${JSON.stringify([wanted, query.category ?? null])}`,
      matching,
      query,
    );
    if (page === null) return problem(c, "cursor_invalid");
    return cacheable(c, loaded, {
      data: page.items.map(publicBrand),
      next_cursor: page.nextCursor,
    });
  });

  const one = createRoute({
    method: "get",
    path: "/brands/{id}",
    tags,
    summary: "Read a brand",
    request: { params: z.object({ id: z.string() }) },
    responses: { 200: answer(brandSchema, "The brand"), ...notModified, ...problems(404, 503) },
  });
  router.openapi(one, async (c) => {
    const { id } = c.req.valid("param");
    const loaded = await deps.cache.current(CATALOGUE_AGE_MS);
    const brand = isId("brd", id) ? loaded.catalogue.brands.get(id) : undefined;
    return brand === undefined ? problem(c, "not_found") : cacheable(c, loaded, publicBrand(brand));
  });
}

type Activation = { readonly activatedAtMs: number; readonly expiresAtMs: number | null };

const ACTIVATION_MISSING: Readonly<Record<Locale, string>> = {
  fr: "Activez cette offre avant votre achat",
  en: "Activate this offer before your purchase",
};

/**
 * What a user's activations say about an offer. Caps and first purchases are decided when a
 * purchase is.
 */
function personalPart(terms: OfferTerms, activation: Activation | null, locale: Locale) {
  const missing = terms.activation === "required" && activation === null;
  return {
    activation: activation === null ? null : {
      activated_at: toInstant(activation.activatedAtMs),
      expires_at: activation.expiresAtMs === null ? null : toInstant(activation.expiresAtMs),
    },
    eligible: {
      value: !missing,
      reasons: missing ? [{ code: "activation_missing", message: ACTIVATION_MISSING[locale] }] : [],
    },
  };
}

function presentPublicOffer(
  catalogue: Catalogue,
  offer: OfferEntry,
  terms: OfferTerms,
  locale: Locale,
) {
  const brand = catalogue.brands.get(offer.brandId);
  if (brand === undefined) throw new Error("offer without its brand");
  return {
    id: offer.id,
    brand: publicBrand(brand),
    title: locale === "fr" ? offer.titleFr : offer.titleEn,
    version: publicTerms(terms),
    activation: null,
    eligible: null,
  };
}

function addOffers(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const list = createRoute({
    method: "get",
    path: "/offers",
    tags,
    summary: "List the offers in force",
    security: [{}, ...userSecurity],
    middleware: [optionalUser(deps.userTokens)],
    description:
      "With a token also the user's activation of each offer and whether it applies; without one these are null.",
    request: { query: z.strictObject({ ...pageQuery, brand_id: z.string().max(60).optional() }) },
    responses: {
      200: answer(pageOf(publicOfferSchema), "Offers in force now, oldest first"),
      ...notModified,
      ...problems(400, 401, 422, 503),
    },
  });
  router.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const nowMs = deps.clock.nowMs();
    const locale = c.get("locale");
    const loaded = await deps.cache.current(CATALOGUE_AGE_MS);
    const { catalogue } = loaded;
    const inForceNow = [...catalogue.offers.values()].flatMap((offer) => {
      const terms = query.brand_id === undefined || offer.brandId === query.brand_id
        ? inForce(offer, nowMs)
        : null;
      return terms === null ? [] : [{ id: offer.id, offer, terms }];
    });
    const page = pageById(deps.cursors, `offers|${query.brand_id ?? ""}`, inForceNow, query);
    if (page === null) return problem(c, "cursor_invalid");
    const items = page.items.map(({ offer, terms }) =>
      presentPublicOffer(catalogue, offer, terms, locale)
    );
    const user = c.get("user");
    if (user === null) {
      return cacheable(c, loaded, { data: items, next_cursor: page.nextCursor });
    }
    const known = await deps.ledger.activations(user.userId);
    if (!known.ok) return refuseLedger(c, known.error);
    const active = new Map<OfferId, Activation>(
      known.value.filter((item) => item.expiresAtMs === null || nowMs < item.expiresAtMs).map((
        item,
      ) => [item.offerId, item]),
    );
    const data = page.items.map(({ offer, terms }, index) => ({
      ...items[index],
      ...personalPart(terms, active.get(offer.id) ?? null, locale),
    }));
    return personal(c, { data, next_cursor: page.nextCursor });
  });
}

function addActivation(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const activate = createRoute({
    method: "post",
    path: "/offers/{id}/activation",
    tags,
    summary: "Activate an offer",
    security: userSecurity,
    middleware: [requireUser(deps.userTokens), idempotent(deps.idempotency, { required: true })],
    description:
      "While an activation lasts, the same one is answered again. 422 `offer_not_available` when the offer is not in force or needs no activation.",
    request: { params: z.object({ id: z.string() }) },
    responses: {
      201: answer(activationSchema, "The activation"),
      ...problems(400, 401, 404, 409, 422, 503),
    },
  });
  router.openapi(activate, async (c) => {
    const { id } = c.req.valid("param");
    const { catalogue } = await deps.cache.current(CATALOGUE_AGE_MS);
    const offer = isId("off", id) ? catalogue.offers.get(id) : undefined;
    if (offer === undefined || offer.terms.length === 0) return problem(c, "not_found") as never;
    const terms = inForce(offer, deps.clock.nowMs());
    if (terms === null) return problem(c, "offer_not_available") as never;
    if (terms.activation !== "required") {
      return problem(c, "offer_not_available", {
        detail: {
          fr: "Cette offre s'applique sans activation",
          en: "This offer applies without activation",
        },
      }) as never;
    }
    // What is activated is the offer: its end is the one that the version was given. The start of a
    // successor is none, and an activation must not depend on whether that successor was known when
    // it was made.
    const ownEndMs = offer.versions.find((version) =>
      version.number === terms.version
    )?.terms.endsAtMs ?? null;
    const made = await deps.ledger.activate(userOf(c).userId, {
      offerId: offer.id,
      version: terms.version,
      activationDays: terms.activationDays,
      offerEndsAtMs: ownEndMs,
    });
    if (!made.ok) return refuseLedger(c, made.error) as never;
    return c.json({
      activated_at: toInstant(made.value.activatedAtMs),
      expires_at: made.value.expiresAtMs === null ? null : toInstant(made.value.expiresAtMs),
    }, 201);
  });
}

export function publicCatalogueRoutes(deps: CatalogueRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  for (const add of [addBrands, addOffers, addActivation]) add(router, deps);
  return router;
}
