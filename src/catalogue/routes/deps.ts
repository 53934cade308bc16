// What the catalogue's routes need, and the few things that all of them do: refuse, page, name the
// actor.
import { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { audited } from "../../audit/ports.ts";
import { operatorOf, requireRole } from "../../http/authentication.ts";
import type { OperatorTokens, UserTokens } from "../../http/authentication.ts";
import type { AppEnv } from "../../http/context.ts";
import { idempotent } from "../../http/idempotency.ts";
import type { IdempotencyDeps } from "../../http/idempotency.ts";
import type { Cursors } from "../../http/paging.ts";
import { problem } from "../../http/problem.ts";
import type { Clock } from "../../kernel/time.ts";
import type { LedgerPort } from "../../ledger/ports.ts";
import type { AliasWarning, BrandEntry, Proposals } from "../../recognition/ports.ts";
import { OFFERS } from "../../texts/texts.ts";
import { fieldError } from "../errors.ts";
import type { CatalogueError, CatalogueFieldError } from "../errors.ts";
import type { Actor, CatalogueService } from "../service.ts";
import type { CatalogueStore } from "../store.ts";
import type { CatalogueCache } from "../compiled-catalogue.ts";

export type CatalogueRoutesDeps = {
  readonly service: CatalogueService;
  readonly cache: CatalogueCache;
  readonly ledger: Pick<LedgerPort, "offerUse" | "activate">;
  readonly budgets: CatalogueStore["budgets"];
  readonly userTokens: UserTokens;
  readonly operatorTokens: OperatorTokens;
  readonly idempotency: IdempotencyDeps;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly pointsPerEuro: number;
  /** Advice about aliases; injected, since recognition is another domain. */
  readonly aliasWarnings: (
    brands: readonly BrandEntry[],
    draft: BrandEntry,
  ) => readonly AliasWarning[];
  /** What corrections suggest; injected likewise. */
  readonly proposals: Proposals;
};

/** Middleware of an operator's call that reads. */
export function operatorReads(deps: CatalogueRoutesDeps): MiddlewareHandler<AppEnv>[] {
  return [
    audited(deps.service.note, { reads: true }),
    requireRole(deps.operatorTokens, "catalogue"),
  ];
}

/**
 * Middleware of an operator's act. Every one needs an Idempotency-Key but PATCH, which is its own
 * repeat.
 */
export function operatorActs(deps: CatalogueRoutesDeps): MiddlewareHandler<AppEnv>[] {
  return [
    audited(deps.service.note),
    requireRole(deps.operatorTokens, "catalogue"),
    idempotent(deps.idempotency, { required: true }),
  ];
}

/** True for an import that is only to be looked at. */
export function isPreview(c: Context<AppEnv>): boolean {
  return c.req.query("dry_run") === "1";
}

/**
 * Middleware of an import. A preview changes nothing, so it needs no Idempotency-Key, and its
 * answer must not be given again for the import itself.
 */
export function operatorImports(deps: CatalogueRoutesDeps): MiddlewareHandler<AppEnv>[] {
  const [read, act] = [audited(deps.service.note, { reads: true }), audited(deps.service.note)];
  const remember = idempotent(deps.idempotency, { required: true });
  return [
    (c, next) => (isPreview(c) ? read(c, next) : act(c, next)),
    requireRole(deps.operatorTokens, "catalogue"),
    (c, next) => (isPreview(c) ? next() : remember(c, next)),
  ];
}

export const importQuery = z.strictObject({
  dry_run: z.enum(["0", "1"]).optional().openapi({
    description: "`1`: only tell what the import would do; needs no Idempotency-Key",
  }),
});

export function operatorPatches(deps: CatalogueRoutesDeps): MiddlewareHandler<AppEnv>[] {
  return [audited(deps.service.note), requireRole(deps.operatorTokens, "catalogue")];
}

/** Who acts, with what makes a repeat of this request recognisable. */
export function actorOf(c: Context<AppEnv>): Actor {
  const { subject, listedPerson } = operatorOf(c);
  return {
    subject,
    listedPerson,
    path: c.req.path,
    idempotencyKey: c.req.header("Idempotency-Key") ?? null,
  };
}

/** A refusal of the catalogue as a problem. */
export function refuse(c: Context<AppEnv>, error: CatalogueError): Response {
  switch (error.code) {
    case "not_found":
    case "second_person_required":
    case "listed_person_required":
      return problem(c, error.code);
    case "programme_paused":
      return problem(c, error.code, { detail: OFFERS.both("programme_paused") });
    case "not_waiting":
      return problem(c, "conflict", {
        detail: OFFERS.both("not_waiting"),
      });
    case "busy":
      return problem(c, "conflict", {
        detail: OFFERS.both("catalogue_busy"),
      });
    case "name_taken": {
      const taken = fieldError("/name", "name_taken");
      return problem(c, "conflict", {
        detail: OFFERS.both("name_taken_sentence"),
        errors: [{ ...taken, detail: taken.detail[c.get("locale")] }],
      });
    }
    case "offer_stopped":
    case "offer_over":
    case "brand_has_offer":
      return problem(c, "conflict", { detail: OFFERS.both(error.code) });
    case "invalid":
      return refuseFields(c, error.errors);
  }
}

export function refuseFields(c: Context<AppEnv>, errors: readonly CatalogueFieldError[]): Response {
  const locale = c.get("locale");
  return problem(c, "validation_failed", {
    errors: errors.map((error) => ({ ...error, detail: error.detail[locale] })),
  });
}

type PageOf<T> = { readonly items: readonly T[]; readonly nextCursor: string | null };

/** A page of items in ascending order of id. Null when the cursor is not one of this list's. */
export function pageById<T extends { readonly id: string }>(
  cursors: Cursors,
  scope: string,
  items: readonly T[],
  query: { readonly limit: number; readonly cursor?: string | undefined },
): PageOf<T> | null {
  const after = query.cursor === undefined ? "" : cursors.open(scope, query.cursor);
  if (after === null) return null;
  const rest = items.filter((item) => item.id > after);
  const page = rest.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page,
    nextCursor: last !== undefined && rest.length > page.length
      ? cursors.seal(scope, last.id)
      : null,
  };
}
