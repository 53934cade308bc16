// What users read of their ledger. One object call a screen; where labels are shown, one database
// read for the user's key beside it. The object never sees a key and the database never sees a
// label.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { requireUser, userOf } from "../../http/authentication.ts";
import type { UserTokens } from "../../http/authentication.ts";
import type { AppEnv, UserPrincipal } from "../../http/context.ts";
import type { Cursors } from "../../http/paging.ts";
import { PAGE_LIMIT_MAX, pageOf, pageQuery } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import { answer, createRouter, problems, userSecurity } from "../../http/router.ts";
import { saying } from "../../http/validation.ts";
import { isId } from "../../kernel/ids.ts";
import type { BrandId, UserId } from "../../kernel/ids.ts";
import type { CipherError, UserCipher } from "../../kernel/keyring.ts";
import type { Log } from "../../kernel/log.ts";
import type { Result } from "../../kernel/result.ts";
import { isDate, MINUTE_MS } from "../../kernel/time.ts";
import { VALIDATION } from "../../texts/texts.ts";
import type { EntryView, LedgerError, LedgerPort, Page, PurchaseView } from "../ports.ts";
import { presentEntry, presentPoints, presentPurchase } from "./present.ts";
import type { BrandFace } from "./present.ts";
import { entrySchema, pointsSchema, purchaseSchema } from "./schemas.ts";

/**
 * What the screens need of other domains, declared here so that the ledger imports neither: the
 * catalogue imports the ledger's ports.
 */
type Brands = {
  /** Brands, at most `maxAgeMs` old. */
  readonly current: (
    maxAgeMs: number,
  ) => Promise<{ readonly brand: (id: BrandId) => BrandFace | null }>;
};
type UserKeys = {
  /**
   * The cipher of a user who may act: null for an ended session, and for a user who is being erased
   * or gone. One read, so that labels cost no second one.
   */
  readonly cipherFor: (
    principal: UserPrincipal,
  ) => Promise<Result<UserCipher, CipherError> | null>;
};

type LedgerRoutesDeps = {
  readonly ledger: Pick<LedgerPort, "points" | "overview" | "entries" | "purchases" | "purchase">;
  readonly userKeys: UserKeys;
  readonly brands: Brands;
  readonly userTokens: UserTokens;
  readonly cursors: Cursors;
  readonly pointsPerEuro: number;
  readonly log: Log;
};

// Brands hardly change their names: a screen does not ask the database for the catalogue's version
// each time.
const BRANDS_AGE_MS = MINUTE_MS;
const PRIVATE = { "Cache-Control": "private, no-store" };
const common = { tags: ["Purchases and points"], security: userSecurity };

function refuse(c: Context<AppEnv>, error: LedgerError): Response {
  // Whether everybody's ledger or only this one is unwell makes no difference to the caller.
  if (error.code !== "erased") {
    return problem(c, "ledger_unavailable", { headers: { "Retry-After": "5" } });
  }
  return gone(c);
}

/** A token outlives its erased user by minutes. */
function gone(c: Context<AppEnv>): Response {
  return problem(c, "token_invalid", { headers: { "WWW-Authenticate": "Bearer" } });
}

type Faces = (id: BrandId | null) => BrandFace | null;

/** The brands on a screen. One made in the last minute is looked up once more. */
async function brandsOf(brands: Brands, ids: readonly (BrandId | null)[]): Promise<Faces> {
  const named = ids.filter((id) => id !== null);
  if (named.length === 0) return () => null;
  let known = await brands.current(BRANDS_AGE_MS);
  if (named.some((id) => known.brand(id) === null)) known = await brands.current(0);
  return (id) => (id === null ? null : known.brand(id));
}

/**
 * Reads the label. One that cannot be read is an alarm for us and leaves the rest of the user's
 * screen alone.
 */
async function labelOf(
  deps: LedgerRoutesDeps,
  cipher: UserCipher,
  purchase: PurchaseView,
): Promise<string | null> {
  const opened = await cipher.decrypt({
    table: "purchases",
    column: "label",
    row: `${purchase.accountId}:${purchase.externalId}`,
  }, purchase.labelCipher);
  if (opened.ok) return opened.value;
  deps.log.alert("label_unreadable", { purchase: purchase.id, error: opened.error });
  return null;
}

async function present(
  c: Context<AppEnv>,
  deps: LedgerRoutesDeps,
  cipher: UserCipher,
  purchases: readonly PurchaseView[],
  rules: boolean,
) {
  const [faces, labels] = await Promise.all([
    brandsOf(deps.brands, purchases.map(({ brand }) => brand?.id ?? null)),
    Promise.all(purchases.map((purchase) => labelOf(deps, cipher, purchase))),
  ]);
  return purchases.map((purchase, index) =>
    presentPurchase(purchase, {
      label: labels[index] ?? null,
      brand: faces(purchase.brand?.id ?? null),
    }, { locale: c.get("locale"), rules })
  );
}

const entriesScope = (userId: UserId): string => `entries|${userId}`;

async function presentEntries(
  deps: LedgerRoutesDeps,
  userId: UserId,
  { items, nextBefore }: Page<EntryView>,
) {
  const faces = await brandsOf(deps.brands, items.map(({ brandId }) => brandId));
  return {
    data: items.map((entry) => presentEntry(entry, faces(entry.brandId))),
    next_cursor: nextBefore === null ? null : deps.cursors.seal(entriesScope(userId), nextBefore),
  };
}

const newestEntries = z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).optional().openapi({
  description: "As many of the newest entries beside the balances",
});

function addPoints(router: OpenAPIHono<AppEnv>, deps: LedgerRoutesDeps): void {
  const points = createRoute({
    ...common,
    method: "get",
    path: "/v1/points",
    summary: "Read the balances",
    middleware: [requireUser(deps.userTokens)],
    description:
      "With `entries`, the newest entries come along, of the same moment as the balances; their cursor leads on in `/v1/points/entries`.",
    request: { query: z.strictObject({ entries: newestEntries }) },
    responses: {
      200: answer(pointsSchema, "Balances, and the head of the ledger that they come from"),
      ...problems(401, 422, 503),
    },
  });
  router.openapi(points, async (c) => {
    const { entries } = c.req.valid("query");
    const { userId } = userOf(c);
    if (entries === undefined) {
      const read = await deps.ledger.points(userId);
      return read.ok
        ? c.json(presentPoints(read.value, deps.pointsPerEuro), 200, PRIVATE)
        : (refuse(c, read.error) as never);
    }
    const read = await deps.ledger.overview(userId, { limit: entries });
    if (!read.ok) return refuse(c, read.error) as never;
    return c.json(
      {
        ...presentPoints(read.value.points, deps.pointsPerEuro),
        entries: await presentEntries(deps, userId, read.value.entries),
      },
      200,
      PRIVATE,
    );
  });
}

function addEntries(router: OpenAPIHono<AppEnv>, deps: LedgerRoutesDeps): void {
  const entries = createRoute({
    ...common,
    method: "get",
    path: "/v1/points/entries",
    summary: "List the ledger's entries, newest first",
    middleware: [requireUser(deps.userTokens)],
    request: { query: z.strictObject(pageQuery) },
    responses: {
      200: answer(pageOf(entrySchema), "Entries with the balances after each"),
      ...problems(400, 401, 422, 503),
    },
  });
  router.openapi(entries, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { userId } = userOf(c);
    const before = cursor === undefined ? null : deps.cursors.open(entriesScope(userId), cursor);
    if (cursor !== undefined && before === null) return problem(c, "cursor_invalid") as never;
    const read = await deps.ledger.entries(userId, { limit, before });
    return read.ok
      ? c.json(await presentEntries(deps, userId, read.value), 200, PRIVATE)
      : (refuse(c, read.error) as never);
  });
}

const day = z.string().refine(isDate, saying("date_invalid", VALIDATION.both("date_invalid")))
  .openapi({
    format: "date",
    description: "Europe/Paris calendar day",
  });
const filters = z.strictObject({
  ...pageQuery,
  from: day.optional(),
  to: day.optional(),
  brand_id: z.string().refine(
    (text) => isId("brd", text),
    saying("id_invalid", VALIDATION.both("id_invalid")),
  ).optional(),
  outcome: z.enum(["earned", "not_earned", "reversed", "waiting"]).optional(),
  include: z.enum(["rules"]).optional().openapi({
    description: "`rules`: each verdict with every rule that was looked at",
  }),
}).refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
  path: ["to"],
  ...saying("date_order", VALIDATION.both("date_order")),
});

function addPurchaseList(router: OpenAPIHono<AppEnv>, deps: LedgerRoutesDeps): void {
  const list = createRoute({
    ...common,
    method: "get",
    path: "/v1/purchases",
    summary: "List card purchases and refunds, newest first",
    middleware: [requireUser(deps.userTokens)],
    description:
      "Each with its verdict: why it earned or did not, and the sum; with `include=rules` also every rule that was looked at.",
    request: { query: filters },
    responses: {
      200: answer(pageOf(purchaseSchema), "Purchases; `from` and `to` are included days"),
      ...problems(400, 401, 422, 503),
    },
  });
  router.openapi(list, async (c) => {
    const { limit, cursor, from, to, brand_id: brandId, outcome, include } = c.req.valid("query");
    const principal = userOf(c);
    const { userId } = principal;
    const filter = {
      from: from ?? null,
      to: to ?? null,
      brandId: brandId !== undefined && isId("brd", brandId) ? brandId : null,
      outcome: outcome ?? null,
    };
    // The filters are part of the scope: a position in one list says nothing about another.
    const scope = `purchases|${userId}|${JSON.stringify(filter)}`;
    const before = cursor === undefined ? null : deps.cursors.open(scope, cursor);
    if (cursor !== undefined && before === null) return problem(c, "cursor_invalid") as never;
    const [read, cipher] = await Promise.all([
      deps.ledger.purchases(userId, { ...filter, limit, before }),
      deps.userKeys.cipherFor(principal),
    ]);
    if (!read.ok) return refuse(c, read.error) as never;
    if (cipher === null) return gone(c) as never;
    if (!cipher.ok) return keyUnusable(c, deps) as never;
    const { items, nextBefore } = read.value;
    return c.json(
      {
        data: await present(c, deps, cipher.value, items, include === "rules"),
        next_cursor: nextBefore === null ? null : deps.cursors.seal(scope, nextBefore),
      },
      200,
      PRIVATE,
    );
  });
}

function addPurchase(router: OpenAPIHono<AppEnv>, deps: LedgerRoutesDeps): void {
  const one = createRoute({
    ...common,
    method: "get",
    path: "/v1/purchases/{id}",
    summary: "Read a purchase and its verdict",
    middleware: [requireUser(deps.userTokens)],
    request: { params: z.object({ id: z.string() }) },
    responses: { 200: answer(purchaseSchema, "The purchase"), ...problems(401, 404, 503) },
  });
  router.openapi(one, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("pur", id)) return problem(c, "not_found") as never;
    const principal = userOf(c);
    const { userId } = principal;
    const [read, cipher] = await Promise.all([
      deps.ledger.purchase(userId, id),
      deps.userKeys.cipherFor(principal),
    ]);
    if (!read.ok) return refuse(c, read.error) as never;
    if (cipher === null) return gone(c) as never;
    if (!cipher.ok) return keyUnusable(c, deps) as never;
    if (read.value === null) return problem(c, "not_found") as never;
    const [purchase] = await present(c, deps, cipher.value, [read.value], true);
    if (purchase === undefined) throw new Error("purchase not presented");
    return c.json(purchase, 200, PRIVATE);
  });
}

function keyUnusable(c: Context<AppEnv>, deps: LedgerRoutesDeps): Response {
  deps.log.alert("data_key_unusable", { user: userOf(c).userId });
  return problem(c, "unavailable");
}

/** `GET /v1/points`, `/v1/points/entries`, `/v1/purchases`, `/v1/purchases/{id}`. */
export function ledgerRoutes(deps: LedgerRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  addPoints(router, deps);
  addEntries(router, deps);
  addPurchaseList(router, deps);
  addPurchase(router, deps);
  return router;
}
