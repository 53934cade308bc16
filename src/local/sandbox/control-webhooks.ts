// Controls over delivery: look, flush, hold, release in another order, deliver again and at the
// same time.
import { z } from "zod";
import { report } from "./announce.ts";
import { flag, readControl, refuse } from "./control-input.ts";
import type { SandboxApp, Services } from "./context.ts";
import type { WebhookRecord } from "./model.ts";
import type { Delivery } from "./webhooks.ts";

const redeliverInput = z.strictObject({
  id_webhook_data: z.coerce.number().int().optional(),
  connection_id: z.coerce.number().int().optional(),
  times: z.coerce.number().int().min(1).max(500).default(1),
  concurrently: flag.default(true),
  renew_date: flag.default(false),
});
const releaseInput = z.strictObject({
  order: z.union([z.enum(["first_in_first_out", "reverse"]), z.array(z.number().int())]).default(
    "first_in_first_out",
  ),
  concurrently: flag.default(false),
});

/** Mounts `/webhooks*`. */
export function mountWebhookControls(app: SandboxApp, { store, webhooks }: Services): void {
  app.get("/webhooks", (c) => {
    const state = c.req.query("state") ?? null;
    const limit = Math.min(1000, Number(c.req.query("limit") ?? 50) || 50);
    const records = store.all<WebhookRecord>(
      "SELECT * FROM webhooks WHERE (?1 IS NULL OR state = ?1) ORDER BY id DESC LIMIT ?2",
      state,
      limit,
    );
    return c.json({
      data: records.map(({ id, created_ms, ...rest }) => ({
        id_webhook_data: id,
        ...rest,
        created_at: new Date(created_ms).toISOString(),
      })),
    });
  });
  app.get("/webhooks/:id/body", (c) => {
    const id = Number(c.req.param("id"));
    if (webhooks.record(id) === undefined) return refuse(404, "not_found", "No such webhook.");
    return new Response(webhooks.bodyText(id), {
      headers: { "content-type": "application/json; charset=utf-8" },
    });
  });

  app.post("/webhooks/flush", async (c) => c.json(report(await webhooks.flush())));

  app.post("/webhooks/redeliver", async (c) => {
    const input = await readControl(c, redeliverInput);
    if (input instanceof Response) return input;
    const id = input.id_webhook_data ?? store.first<{ id: number }>(
      "SELECT id FROM webhooks WHERE (?1 IS NULL OR id_connection = ?1) ORDER BY id DESC LIMIT 1",
      input.connection_id ?? null,
    )?.id;
    if (id === undefined || webhooks.record(id) === undefined) {
      return refuse(404, "not_found", "No such webhook.");
    }
    const again = () => webhooks.redeliver(id, input.renew_date ? c.var.nowMs : null);
    const results: (Delivery | null)[] = [];
    if (input.concurrently) {
      results.push(...(await Promise.all(Array.from({ length: input.times }, again))));
    } else for (let turn = 0; turn < input.times; turn += 1) results.push(await again());
    return c.json({ id_webhook_data: id, ...report(results.filter((result) => result !== null)) });
  });

  app.post("/webhooks/hold", (c) => {
    store.putSetting("hold", "true");
    return c.json({ holding: true });
  });
  app.post("/webhooks/release", async (c) => {
    const input = await readControl(c, releaseInput);
    if (input instanceof Response) return input;
    store.putSetting("hold", "false");
    const held = store.all<{ id: number }>(
      "SELECT id FROM webhooks WHERE state = 'held' ORDER BY id",
    ).map(({ id }) => id);
    store.run("UPDATE webhooks SET state = 'pending' WHERE state = 'held'");
    const named = Array.isArray(input.order) ? input.order.filter((id) => held.includes(id)) : [];
    const order = Array.isArray(input.order)
      ? [...named, ...held.filter((id) => !named.includes(id))]
      : input.order === "reverse"
      ? held.toReversed()
      : held;
    const results = input.concurrently
      ? (await Promise.all(order.map((id) => webhooks.deliver([id])))).flat()
      : await webhooks.deliver(order);
    return c.json({ holding: false, ...report(results) });
  });
}
