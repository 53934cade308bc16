// The accounts of a user under /2.0: listed, read, opted in or out.
import { requireToken } from "./auth.ts";
import { disableAccount, enableAccount } from "./bank.ts";
import { accountBodyOf } from "./bodies.ts";
import type { SandboxApp, SandboxContext, Services } from "./context.ts";
import { readFields } from "./context.ts";
import type { AccountRecord, ConnectionRecord } from "./model.ts";
import { ownConnection } from "./resource-connections.ts";
import { notFound, queryFlag } from "./resource-query.ts";
import { amountFromCents, centsOf, errorResponse, jsonResponse } from "./wire.ts";

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
    const visible = account?.deleted === null && (account.disabled === null || queryFlag(c, "all"));
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

function listAccounts(
  { store }: Services,
  c: SandboxContext,
  connections: readonly ConnectionRecord[],
): Response {
  const all = queryFlag(c, "all");
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
}

/** Mounts the accounts of a user; the connections' routes must be mounted before. */
export function mountAccounts(app: SandboxApp, services: Services): void {
  const { store } = services;
  app.use("/2.0/users/:user/accounts/*", requireToken(services));
  app.use("/2.0/users/:user/accounts", requireToken(services));
  app.get(
    "/2.0/users/:user/accounts",
    (c) => listAccounts(services, c, store.connectionsOf(c.var.idUser)),
  );
  app.get("/2.0/users/:user/connections/:connection/accounts", (c) => {
    const connection = ownConnection(store, c);
    return connection === undefined ? notFound() : listAccounts(services, c, [connection]);
  });
  app.get("/2.0/users/:user/accounts/:account", (c) => {
    const account = store.account(Number(c.req.param("account")));
    const connection = account === undefined ? undefined : store.connection(account.id_connection);
    const hidden = account === undefined ||
      ((account.disabled !== null || account.deleted !== null) && !queryFlag(c, "all"));
    if (hidden || connection?.id_user !== c.var.idUser) return notFound();
    return jsonResponse(accountBodyOf(store, account, connection));
  });
  app.on(
    ["POST", "PUT"],
    "/2.0/users/:user/accounts/:account",
    (c) => changeAccounts(c, services, c.req.param("account").split(",").map(Number)),
  );
  app.on(
    ["POST", "PUT"],
    "/2.0/users/:user/connections/:connection/accounts/:accounts",
    async (c) => {
      const connection = ownConnection(store, c);
      if (connection === undefined) return notFound();
      return changeAccounts(c, services, c.req.param("accounts").split(",").map(Number));
    },
  );
}
