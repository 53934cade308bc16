// Powens as an `Aggregator`: which call serves which question. See README.md for what is documented
// and what is inferred.
import { err, ok } from "../../../kernel/result.ts";
import type { Result } from "../../../kernel/result.ts";
import type { AggregatorError } from "../../errors.ts";
import { asList, asObject, asText } from "./exact-json.ts";
import type { Json, JsonObject } from "./exact-json.ts";
import type { Aggregator, Bank, RowPosition, WebviewRequest } from "../../ports.ts";
import { createPowensClient } from "./client.ts";
import type { PowensCall, PowensClient, PowensClientDeps } from "./client.ts";
import { minimise } from "./map.ts";
import { accountOf, bankName, connectionOf, flagOf, idOf, uuidOf } from "./types.ts";
import { POWENS_EVENTS, readWebhook, signedDelivery, verifySignature } from "./webhook.ts";

type PowensSettings = {
  readonly webviewUrl: string;
  readonly domain: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly webhookSecrets: readonly string[];
  /** Our own address: the path under which webhooks are registered is its path plus the route. */
  readonly publicUrl: string;
};

const TOKEN = /^[\x21-\x7e]{8,2048}$/;
const PAGE_ROWS = 1000;

/** Makes the Powens adapter. */
export function createPowens(deps: PowensClientDeps & PowensSettings): Aggregator {
  const client = createPowensClient(deps);
  const basePath = new URL(deps.publicUrl).pathname.replace(/\/+$/, "");
  return {
    name: "powens",
    events: POWENS_EVENTS,
    ...tokenCalls(client, deps),
    webviewUrl: (request) => webviewUrl(deps, request),
    banks: () => banks(client),
    userExists: async (token) => {
      const answer = await client({ method: "GET", target: "users/me", token, repeatable: true });
      if (answer.ok) return ok(true);
      const gone = answer.error.code === "aggregator_unauthorized" ||
        answer.error.code === "aggregator_not_found";
      return gone ? ok(false) : answer;
    },
    connections: (token) =>
      listAt(
        client,
        { method: "GET", target: "users/me/connections?expand=connector", token, repeatable: true },
        "connections",
        connectionOf,
      ),
    accounts: (token) =>
      listAt(
        client,
        { method: "GET", target: "users/me/accounts?all=true", token, repeatable: true },
        "accounts",
        accountOf,
      ),
    rows: (token, position, policy) => rows(client, token, position, policy),
    deleteConnection: (token, id) =>
      remove(client, `users/me/connections/${encodeURIComponent(id)}`, token),
    deleteUser: (token) => remove(client, "users/me", token),
    signedDelivery,
    verifyWebhook: (event, delivery, bytes) =>
      verifySignature(deps.webhookSecrets, `${basePath}/webhooks/powens/${event}`, delivery, bytes),
    readWebhook,
  };
}

type TokenCalls = Pick<
  Aggregator,
  "tradeCode" | "remoteUserOf" | "renewToken" | "revokeToken" | "temporaryCode"
>;

/** How tokens and codes come about and end. */
function tokenCalls(client: PowensClient, deps: PowensSettings): TokenCalls {
  return {
    tradeCode: (code) =>
      secretAt(client, "access_token", {
        method: "POST",
        target: "auth/token/access",
        token: null,
        repeatable: false,
        body: { grant_type: "authorization_code", code, ...credentials(deps) },
      }),
    remoteUserOf: async (token) => {
      const answer = await objectAt(client, {
        method: "GET",
        target: "users/me",
        token,
        repeatable: true,
      });
      if (!answer.ok) return answer;
      const id = idOf(answer.value["id"]);
      return id === null ? err({ code: "aggregator_malformed" }) : ok(id);
    },
    // Without `id_user` the aggregator would make a user.
    renewToken: (remoteUserId) =>
      secretAt(client, "access_token", {
        method: "POST",
        target: "auth/renew",
        token: null,
        repeatable: false,
        body: { grant_type: "client_credentials", id_user: remoteUserId, ...credentials(deps) },
      }),
    revokeToken: (token) => remove(client, "auth/token", token),
    temporaryCode: (token) =>
      secretAt(client, "code", {
        method: "GET",
        target: "auth/token/code?type=singleAccess",
        token,
        repeatable: true,
      }),
  };
}

async function objectAt(
  client: PowensClient,
  call: PowensCall,
): Promise<Result<JsonObject, AggregatorError>> {
  const answer = await client(call);
  if (!answer.ok) return answer;
  const body = asObject(answer.value.body ?? undefined);
  return body === null ? err({ code: "aggregator_malformed" }) : ok(body);
}

/**
 * A list under `name`; items that we cannot read are left out, an answer without the list is
 * malformed.
 */
async function listAt<T>(
  client: PowensClient,
  call: PowensCall,
  name: string,
  read: (value: Json) => T | null,
): Promise<Result<readonly T[], AggregatorError>> {
  const answer = await client(call);
  if (!answer.ok) return answer;
  if (answer.value.noAccount) return ok([]);
  const list = asObject(answer.value.body ?? undefined)?.[name];
  if (!Array.isArray(list)) return err({ code: "aggregator_malformed" });
  return ok(asList(list).map((value) => read(value)).filter((value) => value !== null));
}

function credentials(settings: PowensSettings) {
  return { client_id: settings.clientId, client_secret: settings.clientSecret };
}

/** A token or code under `name`. */
async function secretAt(
  client: PowensClient,
  name: string,
  call: PowensCall,
): Promise<Result<string, AggregatorError>> {
  const answer = await objectAt(client, call);
  if (!answer.ok) return answer;
  const secret = asText(answer.value[name]) ?? "";
  return TOKEN.test(secret) ? ok(secret) : err({ code: "aggregator_malformed" });
}

function webviewUrl(settings: PowensSettings, request: WebviewRequest): string {
  const url = new URL(`${settings.webviewUrl}/${request.locale}/${request.flow}`);
  const set = (name: string, value: string | null): void => {
    if (value !== null) url.searchParams.set(name, value);
  };
  set("domain", settings.domain);
  set("client_id", settings.clientId);
  set("redirect_uri", request.redirectUri);
  set("code", request.code);
  set("state", request.state);
  if (request.flow === "connect") {
    set("connector_capabilities", "bank");
    set("account_types", "checking,card");
    set("connector_uuids", request.bankId);
  } else {
    set("connection_id", request.remoteConnectionId);
  }
  return url.href;
}

async function banks(client: PowensClient): Promise<Result<readonly Bank[], AggregatorError>> {
  const found = await listAt(
    client,
    { method: "GET", target: "connectors?country_codes=fr", token: null, repeatable: true },
    "connectors",
    bankOf,
  );
  if (!found.ok) return found;
  return ok([...found.value].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)));
}

function bankOf(value: Json): Bank | null {
  const body = asObject(value);
  const id = uuidOf(body?.["uuid"]);
  const name = bankName(body?.["name"]);
  if (body === null || id === null || name === "" || flagOf(body["hidden"])) return null;
  const capabilities = body["capabilities"];
  if (Array.isArray(capabilities) && !capabilities.includes("bank")) return null;
  const color = asText(body["color"]) ?? "";
  // The list is asked for France; a connector's own countries need an expand that not every domain
  // answers.
  return {
    id,
    name,
    color: /^[0-9A-Fa-f]{6}$/.test(color) ? `#${color.toLowerCase()}` : null,
    country: "FR",
  };
}

async function rows(
  client: PowensClient,
  token: string,
  position: RowPosition,
  policy: Parameters<Aggregator["rows"]>[2],
): ReturnType<Aggregator["rows"]> {
  const answer = await client({
    method: "GET",
    target: "next" in position ? position.next : rowsTarget(position),
    token,
    repeatable: true,
  });
  if (!answer.ok) return answer;
  if (answer.value.noAccount) return ok({ ...minimise([], policy), next: null });
  const body = asObject(answer.value.body ?? undefined);
  if (body === null || !Array.isArray(body["transactions"])) {
    return err({ code: "aggregator_malformed" });
  }
  const next = asText(asObject(asObject(body["_links"])?.["next"])?.["href"]);
  return ok({ ...minimise(asList(body["transactions"]), policy), next });
}

/**
 * Filtered on the booking date: `application_date` is the user's to edit. Deleted rows come along
 * (`all`).
 */
function rowsTarget(
  position: { readonly sinceDay: string },
): string {
  const query = new URLSearchParams({
    limit: String(PAGE_ROWS),
    all: "true",
    filter: "date",
    min_date: position.sinceDay,
  });
  return `users/me/transactions?${query.toString()}`;
}

async function remove(
  client: PowensClient,
  target: string,
  token: string,
): Promise<Result<null, AggregatorError>> {
  const answer = await client({ method: "DELETE", target, token, repeatable: true });
  if (answer.ok) return ok(null);
  const gone = answer.error.code === "aggregator_not_found" ||
    answer.error.code === "aggregator_unauthorized";
  return gone ? ok(null) : answer;
}
