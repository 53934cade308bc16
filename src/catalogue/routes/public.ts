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
import type { OfferId, UserId } from "../../kernel/ids.ts";
import { ok } from "../../kernel/result.ts";
import { parisDate, periodKey, SECOND_MS, toInstant } from "../../kernel/time.ts";
import type { LedgerError, OfferTerms } from "../../ledger/ports.ts";
import { dateText } from "../../texts/formats.ts";
import { OFFERS } from "../../texts/texts.ts";
import { inForce, nameKey } from "../catalogue.ts";
import type { Catalogue, OfferEntry } from "../catalogue.ts";
import { hindrances } from "../offers/eligibility.ts";
import type { Use } from "../offers/eligibility.ts";
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
      brand.archivedAtMs === null && brand.nameKey.includes(wanted) &&
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

type Shown = { readonly offer: OfferEntry; readonly terms: OfferTerms };

const NOTHING_USED: Use = { points: 0, purchases: 0, resetsOn: null, bought: false };

function messageOf(
  code: ReturnType<typeof hindrances>[number],
  { resetsOn }: Use,
  locale: Locale,
): string {
  const say = OFFERS.in(locale);
  switch (code) {
    case "offer_not_in_force":
      return say("eligible_not_in_force");
    case "not_first_purchase":
      return say("eligible_not_first_purchase");
    case "activation_missing":
      return say("eligible_activation_missing");
    case "budget_exhausted":
      return say("eligible_budget_exhausted");
    case "cap_reached":
      return resetsOn === null
        ? say("eligible_cap_reached")
        : say("eligible_cap_reached_until", { day: dateText(resetsOn, locale) });
  }
}

/**
 * What is the user's own of each offer: one call of their ledger, one read of the budgets beside
 * it.
 */
async function personalParts(
  deps: CatalogueRoutesDeps,
  userId: UserId,
  shown: readonly Shown[],
  locale: Locale,
) {
  const nowMs = deps.clock.nowMs();
  const today = parisDate(nowMs);
  const budgeted = shown.filter(({ terms }) => terms.budgetPoints !== null);
  const [use, budgets] = await Promise.all([
    deps.ledger.offerUse(userId, {
      offers: shown.map(({ offer, terms }) => ({
        offerId: offer.id,
        brandId: offer.brandId,
        period: periodKey(terms.period, today),
      })),
    }),
    deps.budgets(budgeted.map(({ offer }) => offer.id)),
  ]);
  if (!use.ok) return use;
  const activations = new Map(
    use.value.activations.filter((item) => item.expiresAtMs === null || nowMs < item.expiresAtMs)
      .map((item): [OfferId, Activation] => [item.offerId, item]),
  );
  const used = new Map(use.value.used.map((item): [OfferId, Use] => [item.offerId, item]));
  const reserved = new Map(budgets.map((item) => [item.offerId, item.reservedPoints]));
  return ok(shown.map(({ offer, terms }) => {
    const activation = activations.get(offer.id) ?? null;
    const own = used.get(offer.id) ?? NOTHING_USED;
    const codes = hindrances(terms, {
      inForce: inForce(offer, nowMs) !== null,
      activated: activation !== null,
      use: own,
      reservedPoints: reserved.get(offer.id) ?? 0,
    });
    return {
      activation: activation === null ? null : {
        activated_at: toInstant(activation.activatedAtMs),
        expires_at: activation.expiresAtMs === null ? null : toInstant(activation.expiresAtMs),
      },
      eligible: {
        value: codes.length === 0,
        reasons: codes.map((code) => ({ code, message: messageOf(code, own, locale) })),
      },
      used: { points: own.points, purchases: own.purchases, resets_on: own.resetsOn },
    };
  }));
}

function presentPublicOffer(
  catalogue: Catalogue,
  { offer, terms }: Shown,
  nowMs: number,
  locale: Locale,
) {
  const brand = catalogue.brands.get(offer.brandId);
  if (brand === undefined) throw new Error("offer without its brand");
  return {
    id: offer.id,
    brand: publicBrand(brand),
    title: locale === "fr" ? offer.titleFr : offer.titleEn,
    description: locale === "fr" ? offer.descriptionFr : offer.descriptionEn,
    image_url: offer.imageUrl,
    in_force: inForce(offer, nowMs) !== null,
    version: publicTerms(terms),
    activation: null,
    eligible: null,
    used: null,
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
      "With a token also the user's activation of each offer, what they have used of it and whether the next purchase would earn; without one these are null.",
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
    const items = page.items.map((shown) => presentPublicOffer(catalogue, shown, nowMs, locale));
    const user = c.get("user");
    if (user === null) {
      return cacheable(c, loaded, { data: items, next_cursor: page.nextCursor });
    }
    const own = await personalParts(deps, user.userId, page.items, locale);
    if (!own.ok) return refuseLedger(c, own.error);
    const data = items.map((item, index) => ({ ...item, ...own.value[index] }));
    return personal(c, { data, next_cursor: page.nextCursor });
  });
}

/** The terms to show of an offer: those in force, else the last that were. Null before any. */
function termsToShow(offer: OfferEntry, nowMs: number): OfferTerms | null {
  return inForce(offer, nowMs) ?? offer.terms.findLast((terms) => terms.startsAtMs <= nowMs) ??
    null;
}

function addOffer(router: OpenAPIHono<AppEnv>, deps: CatalogueRoutesDeps): void {
  const one = createRoute({
    method: "get",
    path: "/offers/{id}",
    tags,
    summary: "Read an offer, also one that is over",
    security: [{}, ...userSecurity],
    middleware: [optionalUser(deps.userTokens)],
    description:
      "`in_force` says whether it runs; of one that is over, the last terms that ran. One that never ran yet is not found.",
    request: { params: z.object({ id: z.string() }) },
    responses: {
      200: answer(publicOfferSchema, "The offer"),
      ...notModified,
      ...problems(401, 404, 503),
    },
  });
  router.openapi(one, async (c) => {
    const { id } = c.req.valid("param");
    const nowMs = deps.clock.nowMs();
    const locale = c.get("locale");
    const loaded = await deps.cache.current(CATALOGUE_AGE_MS);
    const offer = isId("off", id) ? loaded.catalogue.offers.get(id) : undefined;
    const terms = offer === undefined ? null : termsToShow(offer, nowMs);
    if (offer === undefined || terms === null) return problem(c, "not_found");
    const item = presentPublicOffer(loaded.catalogue, { offer, terms }, nowMs, locale);
    const user = c.get("user");
    if (user === null) return cacheable(c, loaded, item);
    const own = await personalParts(deps, user.userId, [{ offer, terms }], locale);
    return own.ok ? personal(c, { ...item, ...own.value[0] }) : refuseLedger(c, own.error);
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
        detail: OFFERS.both("activation_not_needed"),
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
  for (const add of [addBrands, addOffers, addOffer, addActivation]) add(router, deps);
  return router;
}
