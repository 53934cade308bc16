// The connections of a user under /2.0: listed, opened, read, synchronised or renewed, closed. What
// a call causes (a webhook) goes out after the answer, as at the real service.
import { requireToken } from "./auth.ts";
import { closeConnection, openConnection, renewConsent, synchronise } from "./bank.ts";
import { connectionBody, sourceBody } from "./bodies.ts";
import { findConnector } from "./connectors.ts";
import type { SandboxApp, SandboxContext, Services } from "./context.ts";
import { readFields } from "./context.ts";
import type { ConnectionRecord } from "./model.ts";
import { expandOf, notFound } from "./resource-query.ts";
import { errorResponse, jsonResponse } from "./wire.ts";

/** A forced synchronisation is refused this soon after the last one; no webhook follows then. */
const syncPauseMs = 60_000;

/** The connection of the path when it is the caller's. */
export function ownConnection(
  store: Services["store"],
  c: SandboxContext,
): ConnectionRecord | undefined {
  const connection = store.connection(Number(c.req.param("connection")));
  return connection?.id_user === c.var.idUser ? connection : undefined;
}

function mountOpening(app: SandboxApp, { store }: Services): void {
  app.post("/2.0/users/:user/connections", async (c) => {
    const fields = await readFields(c.req.raw);
    const connector = findConnector(String(fields?.["connector_uuid"] ?? fields?.["id_connector"]));
    if (fields === null || connector === undefined) {
      return errorResponse(400, "invalidValue", "connector_uuid or id_connector is unknown.");
    }
    if (typeof fields["login"] !== "string" || fields["login"] === "") {
      return errorResponse(400, "missingParameter", "login is required.");
    }
    if (fields["password"] !== "1234") {
      return errorResponse(
        400,
        "wrongpass",
        "Wrong password.",
        "Identifiant ou mot de passe incorrect.",
      );
    }
    const connection = openConnection(store, {
      idUser: c.var.idUser,
      connectorUuid: connector.uuid,
      login: fields["login"],
      historyMonths: 3,
      nowMs: c.var.nowMs,
    });
    return jsonResponse(connectionBody(store, connection, ["all_accounts"]), 201);
  });
}

function mountReading(app: SandboxApp, { store }: Services): void {
  app.get(
    "/2.0/users/:user/connections",
    (c) =>
      jsonResponse({
        connections: store.connectionsOf(c.var.idUser).map((one) =>
          connectionBody(store, one, expandOf(c))
        ),
      }),
  );

  app.get("/2.0/users/:user/connections/:connection", (c) => {
    const connection = ownConnection(store, c);
    return connection === undefined
      ? notFound()
      : jsonResponse(connectionBody(store, connection, expandOf(c)));
  });
  app.get("/2.0/users/:user/connections/:connection/sources", (c) => {
    const connection = ownConnection(store, c);
    return connection === undefined
      ? notFound()
      : jsonResponse({ sources: [sourceBody(connection)] });
  });
}

function mountSynchronisation(app: SandboxApp, { store, webhooks }: Services): void {
  app.on(["POST", "PUT"], "/2.0/users/:user/connections/:connection", async (c) => {
    const connection = ownConnection(store, c);
    if (connection === undefined) return notFound();
    const fields = await readFields(c.req.raw);
    if (fields === null) {
      return errorResponse(400, "invalidValue", "The body is not a JSON object.");
    }
    if (typeof fields["active"] === "boolean") {
      store.run(
        "UPDATE connections SET active = ? WHERE id = ?",
        fields["active"] ? 1 : 0,
        connection.id,
      );
    } else if (
      fields["password"] !== undefined || fields["resume"] === true ||
      fields["otp"] !== undefined || fields["refresh_auth"] === true
    ) {
      if (fields["password"] !== undefined && fields["password"] !== "1234") {
        return errorResponse(400, "wrongpass", "Wrong password.");
      }
      renewConsent(store, connection, c.var.nowMs);
    } else if (
      connection.last_update_ms !== null && c.var.nowMs - connection.last_update_ms < syncPauseMs
    ) {
      return errorResponse(409, "tooManySync", "The connection was synchronised a moment ago.");
    }
    synchronise(store, connection.id, c.var.nowMs);
    const after = store.connection(connection.id) ?? connection;
    webhooks.deliverLater([webhooks.enqueueConnectionSynced(after, c.var.nowMs)]);
    return jsonResponse(connectionBody(store, after));
  });
}

function mountClosing(app: SandboxApp, { store, webhooks }: Services): void {
  app.delete("/2.0/users/:user/connections/:connection", (c) => {
    const connection = ownConnection(store, c);
    const user = store.user(c.var.idUser);
    if (connection === undefined || user === undefined) return notFound();
    const body = connectionBody(store, connection);
    closeConnection(store, connection, c.var.nowMs);
    webhooks.deliverLater([
      webhooks.enqueue("connection-deleted", user, connection.id, body, c.var.nowMs),
    ]);
    return c.body(null, 204);
  });
}

/** Mounts the connections of a user. */
export function mountConnections(app: SandboxApp, services: Services): void {
  app.use("/2.0/users/:user/connections/*", requireToken(services));
  app.use("/2.0/users/:user/connections", requireToken(services));
  mountReading(app, services);
  mountOpening(app, services);
  mountSynchronisation(app, services);
  mountClosing(app, services);
}
