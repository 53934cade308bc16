// What the resources under /2.0 share: their 404 and the flags of a query.
import type { SandboxContext } from "./context.ts";
import { hasFlag } from "./paging.ts";
import { errorResponse } from "./wire.ts";

/** 404 as the live sandbox words it. */
export function notFound(): Response {
  return errorResponse(404, "notFound", "Ressource was not found.");
}

/** The names in `expand`. */
export function expandOf(c: SandboxContext): string[] {
  // Commas inside brackets belong to the nested list: accounts,connector[countries,urls].
  return (c.req.query("expand") ?? "").match(/[a-z_]+(\[[^\]]*\])?/gu) ?? [];
}

/** Whether the query has a flag, such as `all`. */
export function queryFlag(c: SandboxContext, name: string): boolean {
  return hasFlag(new URL(c.req.url).searchParams, name);
}
