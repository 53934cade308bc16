// Every operator's call leaves an event (API.md). An act that changes something writes its own, in
// the batch of the change; this writes the others: what was read, what was refused, what was
// answered again from memory.
import type { MiddlewareHandler } from "hono";
import { operatorEvent } from "./event.ts";
import type { AuditEvent } from "./event.ts";
import type { AppEnv } from "../http/context.ts";

/**
 * Writes the event of a call before its answer leaves; an answer that cannot be accounted for is
 * not given. Runs before `requireRole`, so that a call of somebody without the role leaves
 * its event. One without a valid token leaves none: who it was is not known, and strangers could
 * fill the log. `reads` marks a POST that changes nothing.
 */
export function audited(
  note: (event: AuditEvent) => Promise<void>,
  options: { readonly reads?: boolean } = {},
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next();
    const operator = c.get("operator");
    if (operator === null || operator === undefined) return;
    const { status } = c.res;
    const replayed = c.res.headers.has("Idempotency-Replayed");
    const onlyRead = c.req.method === "GET" || options.reads === true;
    if (!onlyRead && !replayed && status < 400) return;
    const kind = status >= 400 ? "refused" : replayed ? "replayed" : "read";
    // The path without its query: what was searched for may name a person.
    await note(
      operatorEvent(operator, `call.${kind}`, c.req.path.slice(0, 200), {
        method: c.req.method,
        status,
      }),
    );
  };
}
