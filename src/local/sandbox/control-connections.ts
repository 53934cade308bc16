// Controls over a connection: shown, put into a state, synchronised, its consent renewed.
import { z } from "zod";
import { announce, report } from "./announce.ts";
import { renewConsent, setConnectionState } from "./bank.ts";
import { connectionBody } from "./bodies.ts";
import { flag, readControl, refuse, selectConnection } from "./control-input.ts";
import type { SandboxApp, SandboxContext, Services } from "./context.ts";
import { jsonResponse } from "./wire.ts";

function chosenConnection(store: Services["store"], c: SandboxContext) {
  const key = c.req.param("connection");
  return selectConnection(store, key === "newest" ? {} : { connection_id: Number(key) });
}

const noConnection = () => refuse(404, "not_found", "No such connection.");

function mountState(app: SandboxApp, services: Services): void {
  const { store, webhooks } = services;
  app.post("/connections/:connection/state", async (c) => {
    const connection = chosenConnection(store, c);
    if (connection === undefined) return noConnection();
    const input = await readControl(
      c,
      z.strictObject({
        state: z.string().nullable(),
        error_message: z.string().nullable().default(null),
        webhook: flag.default(true),
        active: flag.optional(),
      }),
    );
    if (input instanceof Response) return input;
    const state = input.state === "null" || input.state === "" ? null : input.state;
    setConnectionState(store, connection, state, input.error_message, c.var.nowMs);
    if (input.active !== undefined) {
      store.run(
        "UPDATE connections SET active = ? WHERE id = ?",
        input.active ? 1 : 0,
        connection.id,
      );
    }
    if (state === null) {
      return c.json({
        connection_id: connection.id,
        state,
        ...(await announce(
          services,
          connection.id,
          { sync: true, webhook: input.webhook },
          c.var.nowMs,
        )),
      });
    }
    const failed = store.connection(connection.id) ?? connection;
    const ids = input.webhook ? [webhooks.enqueueConnectionSynced(failed, c.var.nowMs)] : [];
    return c.json({ connection_id: connection.id, state, ...report(await webhooks.deliver(ids)) });
  });
}

function mountSync(app: SandboxApp, services: Services): void {
  const { store, webhooks } = services;
  app.post("/connections/:connection/sync", async (c) => {
    const connection = chosenConnection(store, c);
    if (connection === undefined) return noConnection();
    const input = await readControl(
      c,
      z.strictObject({ webhook: flag.default(true), resend_all: flag.default(false) }),
    );
    if (input instanceof Response) return input;
    if (input.resend_all) {
      store.run(
        "UPDATE rows SET pushed = 0 WHERE id_account IN (SELECT id FROM accounts WHERE id_connection = ?)",
        connection.id,
      );
    }
    if (connection.state !== null) {
      const ids = input.webhook ? [webhooks.enqueueConnectionSynced(connection, c.var.nowMs)] : [];
      return c.json({
        connection_id: connection.id,
        state: connection.state,
        ...report(await webhooks.deliver(ids)),
      });
    }
    return c.json({
      connection_id: connection.id,
      state: null,
      ...(await announce(
        services,
        connection.id,
        { sync: true, webhook: input.webhook },
        c.var.nowMs,
      )),
    });
  });
}

/** Mounts the controls over connections. */
export function mountConnectionControls(app: SandboxApp, services: Services): void {
  const { store } = services;
  app.get("/connections/:connection", (c) => {
    const connection = chosenConnection(store, c);
    return connection === undefined
      ? noConnection()
      : jsonResponse(connectionBody(store, connection, ["connector", "all_accounts"]));
  });

  mountState(app, services);
  mountSync(app, services);

  app.post("/connections/:connection/renew", async (c) => {
    const connection = chosenConnection(store, c);
    if (connection === undefined) return noConnection();
    renewConsent(store, connection, c.var.nowMs);
    return c.json({
      connection_id: connection.id,
      ...(await announce(services, connection.id, { sync: true, webhook: true }, c.var.nowMs)),
    });
  });
}
