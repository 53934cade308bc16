// The aggregator's resources under /2.0: connectors, the user, connections, accounts. What an API
// call causes (a webhook) goes out after the answer, as at the real service.
import type { SandboxApp, SandboxContext, Services } from "./context.ts";
import { readFields } from "./context.ts";
import { requireToken } from "./auth.ts";
import {
  closeConnection,
  closeUser,
  disableAccount,
  enableAccount,
  openConnection,
  renewConsent,
  synchronise,
} from "./bank.ts";
import { accountBodyOf, connectionBody, sourceBody, userBody } from "./bodies.ts";
import { connectorBody, connectorFields, connectors, findConnector } from "./connectors.ts";
import type { AccountRecord, ConnectionRecord } from "./model.ts";
import { hasFlag } from "./paging.ts";
import { amountFromCents, centsOf, errorResponse, jsonResponse } from "./wire.ts";

/** A forced synchronisation is refused this soon after the last one; no webhook follows then. */
const syncPauseMs = 60_000;

/** 404 as the live sandbox words it. */
export function notFound(): Response {
  return errorResponse(404, "notFound", "Ressource was not found.");
}

function expandOf(c: SandboxContext): string[] {
  // Commas inside brackets belong to the nested list: accounts,connector[countries,urls].
  return (c.req.query("expand") ?? "").match(/[a-z_]+(\[[^\]]*\])?/gu) ?? [];
}

function flag(c: SandboxContext, name: string): boolean {
  return hasFlag(new URL(c.req.url).searchParams, name);
}

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

function mountConnections(app: SandboxApp, services: Services): void {
  const { store, webhooks } = services;
  const own = (c: SandboxContext): ConnectionRecord | undefined => {
    const connection = store.connection(Number(c.req.param("connection")));
    return connection?.id_user === c.var.idUser ? connection : undefined;
  };
  app.use("/2.0/users/:user/connections/*", requireToken(services));
  app.use("/2.0/users/:user/connections", requireToken(services));

  app.get(
    "/2.0/users/:user/connections",
    (c) =>
      jsonResponse({
        connections: store.connectionsOf(c.var.idUser).map((one) =>
          connectionBody(store, one, expandOf(c))
        ),
      }),
  );

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

  app.get("/2.0/users/:user/connections/:connection", (c) => {
    const connection = own(c);
    return connection === undefined
      ? notFound()
      : jsonResponse(connectionBody(store, connection, expandOf(c)));
  });
  app.get("/2.0/users/:user/connections/:connection/sources", (c) => {
    const connection = own(c);
    return connection === undefined
      ? notFound()
      : jsonResponse({ sources: [sourceBody(connection)] });
  });

  app.on(["POST", "PUT"], "/2.0/users/:user/connections/:connection", async (c) => {
    const connection = own(c);
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

  app.delete("/2.0/users/:user/connections/:connection", (c) => {
    const connection = own(c);
    const user = store.user(c.var.idUser);
    if (connection === undefined || user === undefined) return notFound();
    const body = connectionBody(store, connection);
    closeConnection(store, connection, c.var.nowMs);
    webhooks.deliverLater([
      webhooks.enqueue("connection-deleted", user, connection.id, body, c.var.nowMs),
    ]);
    return c.body(null, 204);
  });

  app.on(
    ["POST", "PUT"],
    "/2.0/users/:user/connections/:connection/accounts/:accounts",
    async (c) => {
      const connection = own(c);
      if (connection === undefined) return notFound();
      return changeAccounts(c, services, c.req.param("accounts").split(",").map(Number));
    },
  );
}

/**
 * Opts accounts in or out. A disabled account is invisible without `all`: 404, as seen on the live
 * sandbox.
 */
async function changeAccounts(
  c: SandboxContext,
  { store, webhooks }: Services,
  ids: readonly number[],
): Promise<Response> {
  const fields = await readFields(c.req.raw);
  if (fields === null) return errorResponse(400, "invalidValue", "The body is not a JSON object.");
  const found: { account: AccountRecord; connection: ConnectionRecord }[] = [];
  for (const id of ids) {
    const account = store.account(id);
    const connection = account === undefined ? undefined : store.connection(account.id_connection);
    const visible = account?.deleted === null && (account.disabled === null || flag(c, "all"));
    if (account === undefined || connection?.id_user !== c.var.idUser || !visible) {
      return notFound();
    }
    found.push({ account, connection });
  }
  const events: number[] = [];
  for (const { account, connection } of found) {
    if (fields["disabled"] === false && enableAccount(store, account)) {
      events.push(webhooks.enqueueAccount("account-enabled", account.id, connection, c.var.nowMs));
    }
    if (fields["disabled"] === true && disableAccount(store, account, c.var.nowMs)) {
      events.push(webhooks.enqueueAccount("account-disabled", account.id, connection, c.var.nowMs));
    }
  }
  webhooks.deliverLater(events);
  const bodies = found.map(({ account, connection }) =>
    accountBodyOf(store, store.account(account.id) ?? account, connection)
  );
  return jsonResponse(bodies.length === 1 ? bodies[0] : { accounts: bodies });
}

function mountAccounts(app: SandboxApp, services: Services): void {
  const { store } = services;
  const list = (c: SandboxContext, connections: readonly ConnectionRecord[]): Response => {
    const all = flag(c, "all");
    const every = connections.flatMap((connection) =>
      store.accountsOf(connection.id).map((account) => ({ account, connection }))
    );
    // 400 as the published OpenAPI and the live sandbox have it; the documentation says 409, which
    // a setting can play.
    if (every.length === 0) {
      return errorResponse(
        Number(store.setting("no_account_status") ?? 400),
        "noAccount",
        "At least one bank account is required.",
      );
    }
    const shown = every.filter(({ account }) =>
      all || (account.disabled === null && account.deleted === null)
    );
    const cents = shown.reduce(
      (sum, { account }) =>
        sum +
        (account.disabled === null ? store.bankAccount(account.bank_account).balance_cents : 0),
      0,
    );
    const balance = amountFromCents(cents);
    return jsonResponse({
      accounts: shown.map(({ account, connection }) => accountBodyOf(store, account, connection)),
      balance,
      balances: { EUR: balance },
      coming_balances: { EUR: amountFromCents(centsOf("0.0")) },
      total: shown.length,
    });
  };
  app.use("/2.0/users/:user/accounts/*", requireToken(services));
  app.use("/2.0/users/:user/accounts", requireToken(services));
  app.get("/2.0/users/:user/accounts", (c) => list(c, store.connectionsOf(c.var.idUser)));
  app.get("/2.0/users/:user/connections/:connection/accounts", (c) => {
    const connection = store.connection(Number(c.req.param("connection")));
    return connection?.id_user === c.var.idUser ? list(c, [connection]) : notFound();
  });
  app.get("/2.0/users/:user/accounts/:account", (c) => {
    const account = store.account(Number(c.req.param("account")));
    const connection = account === undefined ? undefined : store.connection(account.id_connection);
    const hidden = account === undefined ||
      ((account.disabled !== null || account.deleted !== null) && !flag(c, "all"));
    if (hidden || connection?.id_user !== c.var.idUser) return notFound();
    return jsonResponse(accountBodyOf(store, account, connection));
  });
  app.on(
    ["POST", "PUT"],
    "/2.0/users/:user/accounts/:account",
    (c) => changeAccounts(c, services, c.req.param("account").split(",").map(Number)),
  );
}

/** Mounts all resources but transactions. */
export function mountResources(app: SandboxApp, services: Services): void {
  mountConnectors(app);
  mountUser(app, services);
  mountConnections(app, services);
  mountAccounts(app, services);
}
