// The aggregator's resources under /2.0: connectors, the user, connections, accounts. What an API
// call causes (a webhook) goes out after the answer, as at the real service.
import type { SandboxApp, Services } from "./context.ts";
import { requireToken } from "./auth.ts";
import { closeUser } from "./bank.ts";
import { userBody } from "./bodies.ts";
import { connectorBody, connectorFields, connectors, findConnector } from "./connectors.ts";
import { mountAccounts } from "./resource-accounts.ts";
import { mountConnections } from "./resource-connections.ts";
import { expandOf, notFound } from "./resource-query.ts";
import { jsonResponse } from "./wire.ts";

function mountConnectors(app: SandboxApp): void {
  app.get(
    "/2.0/connectors",
    (c) =>
      jsonResponse({
        connectors: connectors.map((one) => connectorBody(one, expandOf(c))),
        total: connectors.length,
      }),
  );
  app.get("/2.0/connectors/:key", (c) => {
    const connector = findConnector(c.req.param("key"));
    return connector === undefined
      ? notFound()
      : jsonResponse(connectorBody(connector, expandOf(c)));
  });
  app.get(
    "/2.0/connectors/:key/fields",
    (
      c,
    ) => (findConnector(c.req.param("key")) === undefined
      ? notFound()
      : jsonResponse({ fields: connectorFields() })),
  );
}

function mountUser(app: SandboxApp, services: Services): void {
  const { store, webhooks } = services;
  app.get("/2.0/users/:user", requireToken(services), (c) => {
    const user = store.user(c.var.idUser);
    return user === undefined ? notFound() : jsonResponse(userBody(user));
  });
  app.delete("/2.0/users/:user", requireToken(services), (c) => {
    const user = store.user(c.var.idUser);
    if (user === undefined) return notFound();
    closeUser(store, user.id, c.var.nowMs);
    webhooks.deliverLater([
      webhooks.enqueue("user-deleted", user, null, userBody(user), c.var.nowMs),
    ]);
    return c.body(null, 204);
  });
}

/** Mounts all resources but transactions. */
export function mountResources(app: SandboxApp, services: Services): void {
  mountConnectors(app);
  mountUser(app, services);
  mountConnections(app, services);
  mountAccounts(app, services);
}
