// The flows of the webview: connect, reconnect, manage. Checks the link as the aggregator does,
// then leads through the pages and back to the application. A code is spent at the first form sent,
// not when the page is opened, so that a reload does no harm.
import { findToken, issueToken, spendCode } from "./auth.ts";
import {
  closeConnection,
  disableAccount,
  enableAccount,
  openConnection,
  renewConsent,
  synchronise,
} from "./bank.ts";
import { connectionBody } from "./bodies.ts";
import { connectorOf, connectors, findConnector } from "./connectors.ts";
import type { SandboxApp, SandboxContext, Services } from "./context.ts";
import { randomToken, readFields } from "./context.ts";
import { html, page } from "./html.ts";
import type { AccountRecord, ConnectionRecord } from "./model.ts";
import type { AccountChoice } from "./webview-pages.ts";
import {
  accountsPage,
  brokenLinkPage,
  confirmPage,
  managePage,
  signInPage,
} from "./webview-pages.ts";

interface Link {
  readonly flow: "connect" | "reconnect" | "manage";
  readonly redirectUri: string | null;
  readonly state: string | null;
  readonly code: string | null;
  readonly params: URLSearchParams;
  /** The address that forms are sent to: this page with its own query. */
  readonly action: string;
}
interface Session {
  id: string;
  id_user: number;
  id_connection: number | null;
  gives_code: number;
  expires_ms: number;
}

const kinds: Record<string, string> = {
  checking: "checking",
  card: "card",
  savings: "livret_a",
  livret_a: "livret_a",
};

/**
 * Whether the aggregator would accept this target: a web address or an app's scheme, without query
 * parameters.
 */
export function isRedirectUri(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return !["javascript:", "data:", "file:", "blob:", "about:"].includes(url.protocol) &&
    url.search === "" && url.hash === "";
}

/** The link's parameters, or what is wrong with it. */
function readLink(c: SandboxContext, services: Services): Link | Response {
  const url = new URL(c.req.url);
  const params = url.searchParams;
  const flow = c.req.param("flow");
  if (flow !== "connect" && flow !== "reconnect" && flow !== "manage") {
    return brokenLinkPage("Parcours inconnu.");
  }
  if (!["fr", "en", "de", "nl", "pt", "it", "es"].includes(c.req.param("lang") ?? "")) {
    return brokenLinkPage("Langue inconnue.");
  }
  if (params.get("client_id") !== services.env.POWENS_CLIENT_ID) {
    return brokenLinkPage("client_id est absent ou inconnu.");
  }
  if ((params.get("domain") ?? "") === "") return brokenLinkPage("domain est absent.");
  const redirectUri = params.get("redirect_uri");
  if (redirectUri === null ? flow !== "manage" : !isRedirectUri(redirectUri)) {
    return brokenLinkPage("redirect_uri est absent ou invalide (sans paramètres).");
  }
  const code = params.get("code");
  if (code === null && flow !== "connect") return brokenLinkPage("code est absent.");
  return {
    flow,
    redirectUri,
    state: params.get("state"),
    code,
    params,
    action: `${url.pathname}${url.search}`,
  };
}

function goBack(link: Link, fields: Record<string, string | null>): Response {
  if (link.redirectUri === null) {
    return page(
      "C’est fait",
      html`
        <div class="card">
          <h1>C’est fait</h1>
          <p>Vous pouvez fermer cette page.</p>
        </div>
      `,
    );
  }
  const url = new URL(link.redirectUri);
  for (const [name, value] of Object.entries({ ...fields, state: link.state })) {
    if (value !== null) url.searchParams.set(name, value);
  }
  return new Response(null, {
    status: 302,
    headers: { location: url.href, "cache-control": "no-store" },
  });
}

function sessionOf(services: Services, link: Link, id: unknown, nowMs: number): Session | null {
  const { store } = services;
  if (typeof id === "string" && id !== "") {
    return store.first<Session>(
      "SELECT * FROM webview_sessions WHERE id = ? AND expires_ms > ?",
      id,
      nowMs,
    ) ?? null;
  }
  const idUser = link.code === null
    ? store.addUser(false, nowMs)
    : spendCode(services, link.code, nowMs);
  if (idUser === null) return null;
  const session = {
    id: randomToken(18),
    id_user: idUser,
    id_connection: null,
    gives_code: link.code === null ? 1 : 0,
    expires_ms: nowMs + 1_800_000,
  };
  store.run(
    "INSERT INTO webview_sessions (id, id_user, gives_code, expires_ms) VALUES (?, ?, ?, ?)",
    session.id,
    idUser,
    session.gives_code,
    session.expires_ms,
  );
  return session;
}

function offeredBanks(link: Link): string[] {
  const wanted = [
    ...(link.params.get("connector_uuids") ?? "").split(","),
    ...(link.params.get("connector_ids") ?? "").split(","),
  ]
    .filter((key) => key !== "").map((key) => findConnector(key)?.uuid).filter((uuid) =>
      uuid !== undefined
    );
  return wanted.length > 0 ? wanted : connectors.map(({ uuid }) => uuid);
}

function accountChoices({ store }: Services, link: Link, idConnection: number): AccountChoice[] {
  const types = (link.params.get("account_types") ?? "").split(",").filter((type) => type !== "")
    .map((type) => kinds[type] ?? type);
  return store.accountsOf(idConnection).filter((account) => account.deleted === null).flatMap(
    (account) => {
      const bank = store.bankAccount(account.bank_account);
      if (types.length > 0 && !types.includes(bank.kind)) return [];
      const detail = bank.kind === "card" ? "débit différé" : `•••• ${bank.number.slice(-4)}`;
      const checked = link.flow === "manage" ? account.disabled === null : bank.kind !== "livret_a";
      return [{ id: account.id, kind: bank.kind, name: bank.name, detail, checked }];
    },
  );
}

/** The accounts that a form names, by id or by kind (`checking`, `card`, `savings`). */
function chosenAccounts(
  services: Services,
  link: Link,
  idConnection: number,
  field: unknown,
): AccountRecord[] {
  const wanted = (Array.isArray(field) ? field : [field]).flatMap((item) =>
    String(item ?? "").split(",")
  ).filter((item) => item !== "");
  return accountChoices(services, link, idConnection)
    .filter(({ id, kind }) =>
      wanted.includes(String(id)) || wanted.some((item) => kinds[item] === kind)
    )
    .map(({ id }) => services.store.account(id) as AccountRecord);
}

const titles = {
  connect: "Connecter votre banque",
  reconnect: "Renouveler l’accès",
  manage: "Gérer mes comptes",
} as const;

const refusals: Record<string, string> = {
  wrongpass: "Identifiant ou mot de passe incorrect.",
  actionNeeded: "Votre banque demande une action de votre part sur son site.",
  passwordExpired: "Votre mot de passe a expiré : changez-le sur le site de votre banque.",
  websiteUnavailable: "Le site de votre banque ne répond pas. Réessayez plus tard.",
  bug: "Une erreur est survenue. Réessayez plus tard.",
};

type Fields = Record<string, unknown>;
const text = (
  fields: Fields,
  name: string,
): string => (typeof fields[name] === "string" ? fields[name] : "");

/**
 * Bank, login and password were sent: an error on the same page, a second factor, or null when the
 * user is in.
 */
function checkCredentials(link: Link, session: Session, fields: Fields): Response | null {
  const values = Object.fromEntries(
    ["connector_uuid", "login", "openapiwebsite", "history_months", "sync"].map((
      name,
    ) => [name, text(fields, name)]),
  );
  const scenario = values["openapiwebsite"] ?? "";
  if (text(fields, "step") === "confirm") {
    const wantsCode = scenario === "SCARequiredAndOTP" ||
      scenario === "additionalInformationNeeded";
    if (!wantsCode || text(fields, "otp") === "123456") return null;
    return confirmPage(
      link.action,
      { ...values, session: session.id },
      true,
      "Ce code n’est pas le bon.",
    );
  }
  // Renewing keeps the bank: the link does not name it, so no choice is shown.
  const offered = link.flow === "reconnect" ? [text(fields, "connector_uuid")] : offeredBanks(link);
  const again = (error: string) =>
    signInPage({
      title: titles[link.flow],
      action: link.action,
      session: session.id,
      uuids: offered,
      values,
      error,
    });
  if (link.flow === "connect" && !offeredBanks(link).includes(values["connector_uuid"] ?? "")) {
    return again("Choisissez une banque.");
  }
  if (link.flow === "connect" && values["login"]?.trim() === "") {
    return again("L’identifiant est obligatoire.");
  }
  if (text(fields, "password") !== "1234") return again(refusals["wrongpass"] ?? "");
  if (refusals[scenario] !== undefined) return again(refusals[scenario]);
  if (scenario === "" || scenario === "par") return null;
  return confirmPage(
    link.action,
    { ...values, session: session.id },
    scenario === "SCARequiredAndOTP" || scenario === "additionalInformationNeeded",
    null,
  );
}

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

function ownConnection(
  { store }: Services,
  session: { readonly id_user: number },
  id: string | null,
): ConnectionRecord | undefined {
  const connection = id === null
    ? store.connectionsOf(session.id_user).at(-1)
    : store.connection(Number(id));
  return connection?.id_user === session.id_user ? connection : undefined;
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
