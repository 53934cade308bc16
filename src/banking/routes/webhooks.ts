// Where aggregators deliver: one path per event, because nothing in body or headers names it. No
// bearer, no JSON parsing before the signature held. The answer says nothing of what became of the
// message.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../../http/context.ts";
import type { Bodies } from "../../http/bodies.ts";
import { callerNetwork, tooManyFailures } from "../../http/callers.ts";
import type { Callers } from "../../http/callers.ts";
import { problem } from "../../http/problem.ts";
import { answer, createRouter, problems } from "../../http/router.ts";
import type { BankingService } from "../service/index.ts";

const powensEvents = [
  "connection-synced",
  "connection-deleted",
  "account-enabled",
  "account-disabled",
  "account-synced",
  "user-deleted",
] as const;

const receiveRoute = createRoute({
  method: "post",
  path: "/webhooks/powens/{event}",
  tags: ["Webhooks"],
  summary: "Delivery of a Powens event, signed with HMAC-SHA-256",
  request: {
    params: z.object({ event: z.enum(powensEvents) }),
    headers: z.object({
      "bi-signature": z.string().optional(),
      "bi-signature-date": z.string().optional(),
    }),
  },
  responses: {
    200: answer(z.object({ received: z.literal(true) }), "Taken; it need not be sent again"),
    ...problems(401, 404, 408, 413, 422, 429, 503),
  },
});

type WebhookRouteDeps = {
  readonly service: Pick<BankingService, "receive">;
  readonly bodies: Bodies;
  readonly callers: Callers;
};

/** Routes for aggregators. */
export function webhookRoutes({ service, bodies, callers }: WebhookRouteDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  router.use("/webhooks/powens/:event", async (c, next) => {
    // An event that we do not take is an unknown path, not a bad field.
    const known = (powensEvents as readonly string[]).includes(c.req.param("event"));
    return known ? next() : problem(c, "not_found");
  });
  router.openapi(receiveRoute, async (c) => {
    const { event } = c.req.valid("param");
    const network = callerNetwork(c);
    const standing = callers.standingOf(network);
    if (standing === "throttled") return tooManyFailures(c) as never;
    const { read, close } = bodies.open(standing === "known" ? "known" : "stranger");
    try {
      const { headers, body } = c.req.raw;
      const reception = await service.receive({ aggregator: "powens", event, headers, body, read });
      const isSigned = reception === "received" || reception === "unavailable";
      // A body that found no room is nobody's failure.
      if (isSigned) callers.succeeded(network);
      else if (reception !== "overloaded") callers.failed(network);
      switch (reception) {
        case "received":
          return c.json({ received: true as const }, 200);
        case "unavailable":
        case "overloaded":
          return problem(c, "unavailable", { headers: { "Retry-After": "30" } }) as never;
        case "signature_invalid":
        case "payload_too_large":
        case "body_incomplete":
          return problem(c, reception) as never;
      }
    } finally {
      close();
    }
  });
  return router;
}
