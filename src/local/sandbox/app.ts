// Puts the sandbox together: store, webhook queue, routes. The clock is read once per request.
import { Hono } from "hono";
import type { JWK } from "jose";
import { accessCertificates } from "./access-token.ts";
import { dropLateVisitors, mountAuth } from "./auth.ts";
import { mountClock } from "./clock.ts";
import type { SandboxApp, SandboxTypes, Services } from "./context.ts";
import { mountAccountControls } from "./control-accounts.ts";
import { mountConnectionControls } from "./control-connections.ts";
import { mountRowControls } from "./control-rows.ts";
import { mountSettings } from "./control-settings.ts";
import { mountMoney } from "./control-money.ts";
import { mountWebhookControls } from "./control-webhooks.ts";
import type { SandboxEnv } from "./env.ts";
import { readClock } from "./env.ts";
import { mountFaults } from "./faults.ts";
import { mountIndex } from "./index-page.ts";
import { mountMailbox } from "./mailbox.ts";
import { mountResources } from "./resources.ts";
import { createTables } from "./schema.ts";
import { Store } from "./store.ts";
import { mountTransactions } from "./transactions.ts";
import { QueueFullError, Webhooks } from "./webhooks.ts";
import { mountWebview } from "./webview.ts";
import { errorResponse } from "./wire.ts";

/** The running sandbox within its object. */
export function createSandbox(
  ctx: DurableObjectState,
  env: SandboxEnv,
): { app: SandboxApp; webhooks: Webhooks } {
  createTables(ctx.storage.sql);
  const store = new Store(ctx.storage.sql);
  const webhooks = new Webhooks(store, env, (atMs) => void ctx.storage.setAlarm(atMs));
  const services: Services = { store, webhooks, env };
  const app: SandboxApp = new Hono<SandboxTypes>();

  app.use(async (c, next) => {
    c.set("nowMs", await readClock(env));
    dropLateVisitors(services, c.var.nowMs);
    await next();
    // A button of the front page leads back to it; scripts get the JSON.
    const form = (c.req.header("content-type") ?? "").includes("form") &&
      (c.req.header("accept") ?? "").includes("text/html");
    if (form && c.req.method === "POST" && !c.req.path.startsWith("/webview/") && c.res.ok) {
      c.res = c.redirect("/", 303);
    }
  });
  mountFaults(app, services);
  mountAuth(app, services);
  mountResources(app, services);
  mountTransactions(app, services);
  mountWebview(app, services);
  mountMailbox(app, services);
  app.get(
    "/cdn-cgi/access/certs",
    (c) => c.json(accessCertificates(JSON.parse(env.ACCESS_SIGNING_KEY) as JWK)),
  );
  mountMoney(app, services);
  mountRowControls(app, services);
  mountAccountControls(app, services);
  mountConnectionControls(app, services);
  mountSettings(app, services);
  mountWebhookControls(app, services);
  mountClock(app, services);
  mountIndex(app, services);

  app.notFound((
    c,
  ) => (c.req.path.startsWith("/2.0/")
    ? errorResponse(404, "notFound", "Ressource was not found.")
    : c.json({ error: "not_found", detail: "GET / lists what there is" }, 404))
  );
  app.onError((error, c) => {
    if (error instanceof QueueFullError) {
      return c.json({ error: "queue_full", detail: error.message }, 503);
    }
    console.error(error);
    return c.req.path.startsWith("/2.0/")
      ? errorResponse(500, "bug", "An unexpected error occurred.")
      : c.json({ error: "bug", detail: error.message }, 500);
  });
  return { app, webhooks };
}
