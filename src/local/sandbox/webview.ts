// The flows of the webview: connect, reconnect, manage. Leads through the pages and back to the
// application.
import { findToken, issueToken } from "./auth.ts";
import {
  closeConnection,
  disableAccount,
  enableAccount,
  openConnection,
  renewConsent,
  synchronise,
} from "./bank.ts";
import { connectionBody } from "./bodies.ts";
import { connectorOf } from "./connectors.ts";
import type { SandboxApp, Services } from "./context.ts";
import { readFields } from "./context.ts";
import { html, page } from "./html.ts";
import { checkCredentials, text, titles } from "./webview-credentials.ts";
import type { Fields } from "./webview-credentials.ts";
import { goBack, offeredBanks, readLink } from "./webview-link.ts";
import type { Link } from "./webview-link.ts";
import { accountsPage, brokenLinkPage, managePage, signInPage } from "./webview-pages.ts";
import { accountChoices, chosenAccounts, ownConnection, sessionOf } from "./webview-session.ts";
import type { Session } from "./webview-session.ts";

/**
 * Runs the first or next synchronisation and sends what follows from it, before or after the user
 * is sent back.
 */
async function sync(
  services: Services,
  idConnection: number,
  events: number[],
  when: string,
  nowMs: number,
): Promise<void> {
  const { store, webhooks } = services;
  const finish = async (): Promise<void> => {
    synchronise(store, idConnection, nowMs);
    const connection = store.connection(idConnection);
    if (connection !== undefined) {
      await webhooks.deliver([webhooks.enqueueConnectionSynced(connection, nowMs)]);
    }
  };
  if (when === "before") {
    await webhooks.deliver(events);
    return finish();
  }
  webhooks.deliverLater(events);
  if (when !== "manual") {
    setTimeout(() => void finish().catch((error: unknown) => console.error(error)), 700);
  }
}

async function finishConnect(
  services: Services,
  link: Link,
  session: Session,
  fields: Fields,
  nowMs: number,
): Promise<Response> {
  const { store, webhooks } = services;
  const connection = session.id_connection === null
    ? undefined
    : store.connection(session.id_connection);
  if (connection === undefined) return brokenLinkPage("La session a expiré.");
  const chosen = chosenAccounts(services, link, connection.id, fields["accounts"]);
  const when = text(fields, "sync") || "before";
  if (chosen.length === 0) {
    const error = fields["accounts"] === undefined && text(fields, "step") !== "accounts"
      ? null
      : "Choisissez au moins un compte.";
    return accountsPage(
      link.action,
      { session: session.id, sync: when },
      accountChoices(services, link, connection.id),
      error,
    );
  }
  store.run("DELETE FROM webview_sessions WHERE id = ?", session.id);
  const events = chosen.filter((account) => enableAccount(store, account)).map((account) =>
    webhooks.enqueueAccount("account-enabled", account.id, connection, nowMs)
  );
  await sync(services, connection.id, events, when, nowMs);
  return goBack(link, {
    connection_id: String(connection.id),
    code: session.gives_code === 1
      ? issueToken(services, session.id_user, "code-exchange", nowMs)
      : null,
  });
}

async function connect(
  services: Services,
  link: Link,
  fields: Fields,
  nowMs: number,
): Promise<Response> {
  const { store } = services;
  const session = sessionOf(services, link, fields["session"], nowMs);
  if (session === null) {
    return brokenLinkPage("Le code de ce lien est inconnu, expiré ou déjà utilisé.");
  }
  if (text(fields, "step") === "accounts") {
    return finishConnect(services, link, session, fields, nowMs);
  }
  const refused = checkCredentials(link, session, fields);
  if (refused !== null) return refused;
  const connection = openConnection(store, {
    idUser: session.id_user,
    connectorUuid: text(fields, "connector_uuid"),
    login: text(fields, "login").trim(),
    historyMonths: Math.min(
      96,
      Math.max(0, Math.trunc(Number(text(fields, "history_months") || 3)) || 0),
    ),
    nowMs,
  });
  store.run(
    "UPDATE webview_sessions SET id_connection = ? WHERE id = ?",
    connection.id,
    session.id,
  );
  return finishConnect(services, link, { ...session, id_connection: connection.id }, fields, nowMs);
}

async function reconnect(
  services: Services,
  link: Link,
  fields: Fields,
  nowMs: number,
): Promise<Response> {
  const session = sessionOf(services, link, fields["session"], nowMs);
  if (session === null) {
    return brokenLinkPage("Le code de ce lien est inconnu, expiré ou déjà utilisé.");
  }
  const connection = ownConnection(services, session, link.params.get("connection_id"));
  if (connection === undefined) return brokenLinkPage("connection_id est inconnu.");
  const refused = checkCredentials(link, session, fields);
  if (refused !== null) return refused;
  services.store.run("DELETE FROM webview_sessions WHERE id = ?", session.id);
  renewConsent(services.store, connection, nowMs);
  await sync(services, connection.id, [], text(fields, "sync") || "before", nowMs);
  return goBack(link, {});
}

async function manage(
  services: Services,
  link: Link,
  fields: Fields,
  nowMs: number,
): Promise<Response> {
  const { store, webhooks } = services;
  const session = sessionOf(services, link, fields["session"], nowMs);
  const connection = session === null ? undefined : ownConnection(
    services,
    session,
    text(fields, "connection_id") || link.params.get("connection_id"),
  );
  const user = session === null ? undefined : store.user(session.id_user);
  if (session === null || connection === undefined || user === undefined) {
    return brokenLinkPage("La session a expiré.");
  }
  if (text(fields, "action") === "delete") {
    const body = connectionBody(store, connection);
    closeConnection(store, connection, nowMs);
    await webhooks.deliver([
      webhooks.enqueue("connection-deleted", user, connection.id, body, nowMs),
    ]);
    return goBack(link, { connection_id: String(connection.id), connection_deleted: "true" });
  }
  const chosen = chosenAccounts(services, link, connection.id, fields["accounts"]).map(({ id }) =>
    id
  );
  const events: number[] = [];
  for (const account of store.accountsOf(connection.id).filter(({ deleted }) => deleted === null)) {
    if (chosen.includes(account.id)) {
      if (enableAccount(store, account)) {
        events.push(webhooks.enqueueAccount("account-enabled", account.id, connection, nowMs));
      }
    } else if (disableAccount(store, account, nowMs)) {
      events.push(webhooks.enqueueAccount("account-disabled", account.id, connection, nowMs));
    }
  }
  await sync(services, connection.id, events, "before", nowMs);
  return goBack(link, {});
}

function open(services: Services, link: Link, nowMs: number): Response {
  const record = link.code === null ? null : findToken(services, link.code, nowMs);
  if (record === undefined || (record !== null && !record.kind.startsWith("code-"))) {
    return brokenLinkPage("Le code de ce lien est inconnu, expiré ou déjà utilisé.");
  }
  if (link.flow === "connect") {
    return signInPage({
      title: titles.connect,
      action: link.action,
      session: null,
      uuids: offeredBanks(link),
      values: {},
      error: null,
    });
  }
  const connection = record === null
    ? undefined
    : ownConnection(services, record, link.params.get("connection_id"));
  if (connection === undefined) return brokenLinkPage("connection_id est inconnu.");
  if (link.flow === "reconnect") {
    return signInPage({
      title: titles.reconnect,
      action: link.action,
      session: null,
      uuids: [connection.connector_uuid],
      values: { login: connection.login },
      error: null,
    });
  }
  return managePage(
    link.action,
    connectorOf(connection.connector_uuid).name,
    connection.id,
    accountChoices(services, link, connection.id),
  );
}

/** Mounts `/webview/{lang}/{connect|reconnect|manage}` and the local redirect target `/done`. */
export function mountWebview(app: SandboxApp, services: Services): void {
  app.get("/webview/:lang/:flow", (c) => {
    const link = readLink(c, services);
    return link instanceof Response ? link : open(services, link, c.var.nowMs);
  });
  app.post("/webview/:lang/:flow", async (c) => {
    const link = readLink(c, services);
    if (link instanceof Response) return link;
    const fields = await readFields(c.req.raw);
    if (fields === null) return brokenLinkPage("Formulaire illisible.");
    if (text(fields, "action") === "cancel") {
      return goBack(
        link,
        link.flow === "manage"
          ? {}
          : { error: "access_denied", error_description: "The user cancelled." },
      );
    }
    if (link.flow === "connect") return connect(services, link, fields, c.var.nowMs);
    return link.flow === "reconnect"
      ? reconnect(services, link, fields, c.var.nowMs)
      : manage(services, link, fields, c.var.nowMs);
  });
  app.get("/done", (c) => {
    const entries = [...new URL(c.req.url).searchParams];
    const failed = entries.some(([name]) => name === "error");
    return page(
      "Retour",
      html`
        <div class="card">
          <h1>${failed ? "La connexion n’a pas abouti" : "Retour de la banque"}</h1>
          <p
            class="soft">L’application reçoit ces paramètres et les envoie à <code>POST /v1/bank-connections/callback</code>.</p>
          <table>
            <tbody>${entries.map(([name, value]) =>
              html`
                <tr>
                  <th scope="row">${name}</th>
                  <td><code>${value}</code></td>
                </tr>
              `
            )}</tbody>
          </table>
        </div>
      `,
    );
  });
}
