// The movable clock of the local system: the only speciality that production does not have. It
// exists so that thirty days of waiting can be seen in a second, with everything that would have
// run in those days really run.
import { createRoute, z } from "@hono/zod-openapi";
import { answer, body, createRouter } from "../../http/router.ts";
import { problem } from "../../http/problem.ts";
import { DAY_MS, durationToMs, toInstant } from "../../kernel/time.ts";
import type { Clock } from "../../kernel/time.ts";

// Ten years: enough for any retention rule, and a bound.
const ADVANCE_MS_MAX = 3660 * DAY_MS;

type LocalClockDeps = {
  readonly control: { readonly advance: (ms: number) => Promise<number> };
  readonly clock: Clock;
  readonly sweep: () => Promise<void>;
  /** Runs what is due in every ledger. */
  readonly runLedgers: () => Promise<void>;
};

const clockSchema = z.object({ now: z.iso.datetime() }).openapi("LocalClock");

/**
 * `GET|POST /__local/clock`: reads the clock, or moves it on in steps of at most a day, running
 * what each day makes due.
 */
export function localClockRoutes(deps: LocalClockDeps): ReturnType<typeof createRouter> {
  const router = createRouter();
  const read = createRoute({
    method: "get",
    path: "/__local/clock",
    hide: true,
    responses: { 200: answer(clockSchema, "The local time") },
  });
  router.openapi(read, (c) => c.json({ now: toInstant(deps.clock.nowMs()) }, 200));
  const move = createRoute({
    method: "post",
    path: "/__local/clock",
    hide: true,
    request: { body: body(z.strictObject({ advance: z.string().max(32) })) },
    responses: { 200: answer(clockSchema, "The new local time") },
  });
  router.openapi(move, async (c) => {
    const advanceMs = durationToMs(c.req.valid("json").advance);
    if (advanceMs === null || advanceMs > ADVANCE_MS_MAX) {
      const detail = c.get("locale") === "fr"
        ? "Il faut une durée ISO 8601 comme P30D, de dix ans au plus"
        : "Must be an ISO 8601 duration such as P30D, ten years at most";
      return problem(c, "validation_failed", {
        errors: [{ pointer: "/advance", code: "invalid_format", detail }],
      }) as never;
    }
    for (let leftMs = advanceMs; leftMs > 0; leftMs -= DAY_MS) {
      await deps.control.advance(Math.min(leftMs, DAY_MS));
      await deps.sweep();
      await deps.runLedgers();
    }
    return c.json({ now: toInstant(deps.clock.nowMs()) }, 200);
  });
  return router;
}
