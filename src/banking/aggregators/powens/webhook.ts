// How a Powens webhook proves itself and what we take from it. One path per event: no body and no
// header names the event.
import { base64Decode, utf8Decode, utf8Encode } from "../../../kernel/encoding.ts";
import { constantTimeEqual, hmacSha256 } from "../../../kernel/hash.ts";
import { asList, asObject, parseExactJson } from "./exact-json.ts";
import type { JsonObject } from "./exact-json.ts";
import type {
  MinimisedRows,
  RemoteAccount,
  RowPolicy,
  SignedDelivery,
  WebhookEvent,
  WebhookMessage,
} from "../../ports.ts";
import { minimise } from "./map.ts";
import { accountOf, connectionOf, idOf } from "./types.ts";

export const POWENS_EVENTS: readonly WebhookEvent[] = [
  "connection-synced",
  "connection-deleted",
  "account-enabled",
  "account-disabled",
  "account-synced",
  "user-deleted",
];

const SIGNATURE_BYTES = 32;
// ISO 8601 in UTC. The literal text is signed; it is not compared with a clock, because a retry may
// carry the first try's date.
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)?$/;

/** `BI-Signature-Date` and `BI-Signature`, or null when one is missing or malformed. */
export function signedDelivery(
  headers: { readonly get: (name: string) => string | null },
): SignedDelivery | null {
  const date = headers.get("BI-Signature-Date");
  const text = headers.get("BI-Signature");
  if (date === null || text === null || !DATE.test(date) || !/^[A-Za-z0-9+/]{43}=$/.test(text)) {
    return null;
  }
  const signature = base64Decode(text);
  return signature?.length === SIGNATURE_BYTES ? { date, signature } : null;
}

/**
 * Verifies `BASE64(HMAC-SHA256("POST.<path>.<date>.<raw bytes>"))` under any of the live secrets,
 * in constant time. `path` is the registered one, never what the request says of itself. The body
 * is not copied: it is large, and nobody is known yet.
 */
export function verifySignature(
  secrets: readonly string[],
  path: string,
  delivery: SignedDelivery,
  bytes: Uint8Array,
): boolean {
  const head = utf8Encode(`POST.${path}.${delivery.date}.`);
  let valid = false;
  for (const secret of secrets) {
    const expected = hmacSha256(utf8Encode(secret), head, bytes);
    if (constantTimeEqual(expected, delivery.signature)) valid = true;
  }
  return valid;
}

/**
 * Reads a verified body; null when it is not UTF-8, not JSON, or lacks the ids that its event must
 * carry.
 */
export function readWebhook(event: WebhookEvent, bytes: Uint8Array): WebhookMessage | null {
  let text: string;
  try {
    text = utf8Decode(bytes);
  } catch {
    return null;
  }
  const body = asObject(parseExactJson(text)?.value);
  if (body === null) return null;
  switch (event) {
    case "connection-synced":
      return synced(body);
    case "connection-deleted": {
      const connection = connectionOf(body);
      return withUser(
        idOf(body["id_user"]),
        (remoteUserId) =>
          connection === null
            ? null
            : message({ remoteUserId, remoteConnectionId: connection.remoteId }),
      );
    }
    case "account-enabled":
    case "account-disabled":
    case "account-synced": {
      const account = accountOf(body);
      return withUser(
        idOf(body["id_user"]) ?? idOf(asObject(body["user"])?.["id"]),
        (remoteUserId) =>
          account === null ? null : message({
            remoteUserId,
            remoteConnectionId: account.remoteConnectionId,
            accounts: [account],
            minimise: event === "account-synced" ? (policy) => rowsOf([body], policy) : nothing,
          }),
      );
    }
    case "user-deleted":
      return withUser(idOf(body["id"]), (remoteUserId) => message({ remoteUserId }));
  }
}

function synced(body: JsonObject): WebhookMessage | null {
  const connectionBody = asObject(body["connection"]);
  const connection = connectionOf(connectionBody ?? undefined);
  const remoteUserId = idOf(asObject(body["user"])?.["id"]) ?? idOf(connectionBody?.["id_user"]);
  const claimed = idOf(connectionBody?.["id_user"]);
  if (connection === null || connectionBody === null || remoteUserId === null) return null;
  // A body that names two users is nobody's.
  if (claimed !== null && claimed !== remoteUserId) return null;
  const bodies = asList(connectionBody["accounts"]).map((value) => asObject(value)).filter((
    value,
  ) => value !== null);
  const accounts = bodies.map((value) => accountOf(value)).filter((value): value is RemoteAccount =>
    value !== null && value.remoteConnectionId === connection.remoteId
  );
  const known = new Set(accounts.map((account) => account.remoteId));
  const own = bodies.filter((value) => known.has(idOf(value["id"]) ?? ""));
  return message({
    remoteUserId,
    remoteConnectionId: connection.remoteId,
    connection,
    accounts,
    minimise: (policy) => rowsOf(own, policy),
  });
}

function rowsOf(accountBodies: readonly JsonObject[], policy: RowPolicy): MinimisedRows {
  const parts = accountBodies.map((account) =>
    minimise(asList(account["transactions"]), policy, idOf(account["id"]))
  );
  const sum = (name: keyof MinimisedRows["dropped"]): number =>
    parts.reduce((total, part) => total + part.dropped[name], 0);
  return {
    rows: parts.flatMap((part) => part.rows),
    dropped: {
      beforeLink: sum("beforeLink"),
      otherKind: sum("otherKind"),
      otherAccount: sum("otherAccount"),
      unreadable: sum("unreadable"),
    },
  };
}

function nothing(): MinimisedRows {
  return { rows: [], dropped: { beforeLink: 0, otherKind: 0, otherAccount: 0, unreadable: 0 } };
}

function withUser(
  remoteUserId: string | null,
  make: (remoteUserId: string) => WebhookMessage | null,
): WebhookMessage | null {
  return remoteUserId === null ? null : make(remoteUserId);
}

function message(
  parts: Pick<WebhookMessage, "remoteUserId"> & Partial<WebhookMessage>,
): WebhookMessage {
  return { remoteConnectionId: null, connection: null, accounts: [], minimise: nothing, ...parts };
}
