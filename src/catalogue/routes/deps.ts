// What the catalogue's routes need, and the few things that all of them do: refuse, page, name the
// actor.
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
import { fieldError } from "../errors.ts";
import type { CatalogueError, CatalogueFieldError } from "../errors.ts";
import type { Actor, CatalogueService } from "../service.ts";
import type { CatalogueCache } from "../compiled-catalogue.ts";

export type CatalogueRoutesDeps = {
  readonly service: CatalogueService;
  readonly cache: CatalogueCache;
  readonly ledger: Pick<LedgerPort, "activations" | "activate">;
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

export function operatorPatches(deps: CatalogueRoutesDeps): MiddlewareHandler<AppEnv>[] {
  return [audited(deps.service.note), requireRole(deps.operatorTokens, "catalogue")];
}

/** Who acts, with what makes a repeat of this request recognisable. */
export function actorOf(c: Context<AppEnv>): Actor {
  return {
    subject: operatorOf(c).subject,
    path: c.req.path,
    idempotencyKey: c.req.header("Idempotency-Key") ?? null,
  };
}

/** A refusal of the catalogue as a problem. */
export function refuse(c: Context<AppEnv>, error: CatalogueError): Response {
  switch (error.code) {
    case "not_found":
    case "second_person_required":
      return problem(c, error.code);
    case "not_waiting":
      return problem(c, "conflict", {
        detail: {
          fr: "Rien n'attend plus cette approbation",
          en: "Nothing waits for this approval any more",
        },
      });
    case "busy":
      return problem(c, "conflict", {
        detail: {
          fr: "Le catalogue change sans cesse ; réessayez",
          en: "The catalogue keeps changing; try again",
        },
      });
    case "name_taken": {
      const taken = fieldError("/name", "name_taken");
      return problem(c, "conflict", {
        detail: taken.detail,
        errors: [{ ...taken, detail: taken.detail[c.get("locale")] }],
      });
    }
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
