// The parts of Powens' bodies that we read, and nothing beside them. Tolerant: an unknown value
// becomes a fallback, a missing one null. Numbers arrive as text (exact-json.ts), so ids of 64 bits
// and amounts stay exact. Facts: README.md in this folder.
import { cutText, plainText } from "../../../kernel/plain-text.ts";
import { isDate, isRepeatedInParis, parisToMs } from "../../../kernel/time.ts";
import { asObject, asText } from "./exact-json.ts";
import type { Json } from "./exact-json.ts";
import type { RemoteAccount, RemoteCondition, RemoteConnection, StatedTime } from "../../ports.ts";

/** An id: a positive integer, as text; null for anything else. */
export function idOf(value: Json | undefined): string | null {
  const text = asText(value);
  return text !== null && /^[1-9]\d{0,18}$/.test(text) ? text : null;
}

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[ T]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d{1,9})?(Z?)$/;

/**
 * A `YYYY-MM-DD HH:MM:SS` without offset as Paris wall-clock time (`last_update` and most others),
 * or null. In the hour that the autumn change repeats, the first pass and a mark that it may be the
 * second.
 */
export function parisDateTime(value: Json | undefined): StatedTime | null {
  const parts = DATE_TIME.exec(asText(value) ?? "");
  if (parts === null) return null;
  const [, date = "", hour = "", minute = "", second = "", utc = ""] = parts;
  if (!isDate(date)) return null;
  const time = `${hour}:${minute}:${second}`;
  if (utc === "Z") return { ms: Date.parse(`${date}T${time}Z`), isAmbiguous: false };
  const ms = parisToMs(date, time);
  // The calendar is asked only where the answer can be yes: it is slow, and asked for every row.
  return { ms, isAmbiguous: date.slice(5, 7) === "10" && hour === "02" && isRepeatedInParis(ms) };
}

/** The same in milliseconds; where it is ambiguous, the first pass. */
export function parisDateTimeMs(value: Json | undefined): number | null {
  return parisDateTime(value)?.ms ?? null;
}

/** A real calendar day, or null. */
export function dateOf(value: Json | undefined): string | null {
  const text = asText(value);
  return text !== null && isDate(text) ? text : null;
}

/** A flag that the wire writes as a boolean or as 0 and 1. */
export function flagOf(value: Json | undefined): boolean {
  return value === true || value === "1";
}

const CONDITIONS: ReadonlyMap<string, RemoteCondition> = new Map([
  ["scarequired", "renew"],
  ["webauthrequired", "renew"],
  ["additionalinformationneeded", "renew"],
  ["decoupled", "renew"],
  ["wrongpass", "update_credentials"],
  ["actionneeded", "act_at_bank"],
  ["passwordexpired", "act_at_bank"],
  ["validating", "settling"],
  ["ratelimiting", "transient"],
  ["websiteunavailable", "transient"],
  ["bug", "transient"],
  ["notsupported", "lost"],
]);

/**
 * What a connection's `state` means, whatever its case; a state we do not know is `unknown` and
 * never a failure.
 */
export function conditionOf(state: Json | undefined): RemoteCondition {
  if (state === null || state === undefined) return "ok";
  return CONDITIONS.get((asText(state) ?? "").toLowerCase()) ?? "unknown";
}

/**
 * A connection, or null when it has no id. `expire` is the latest of its sources', so the
 * aggregator's own sum is taken.
 */
export function connectionOf(value: Json | undefined): RemoteConnection | null {
  const body = asObject(value);
  const remoteId = idOf(body?.["id"]);
  if (body === null || remoteId === null) return null;
  const connector = asObject(body["connector"]);
  const bankId = uuidOf(body["connector_uuid"]) ?? uuidOf(connector?.["uuid"]);
  return {
    remoteId,
    bank: bankId === null ? null : { id: bankId, name: bankName(connector?.["name"]) },
    condition: conditionOf(body["state"]),
    lastUpdateMs: parisDateTimeMs(body["last_update"]),
    createdAtMs: parisDateTimeMs(body["created"]),
    consentExpiresAtMs: parisDateTimeMs(body["expire"]),
  };
}

const BANK_NAME_MAX = 80;

/** A bank's name as users may see it; empty where there is none. */
export function bankName(value: Json | undefined): string {
  return cutText(plainText((asText(value) ?? "").slice(0, 1024)).trim(), BANK_NAME_MAX);
}

/** A connector's uuid in lower case, or null. */
export function uuidOf(value: Json | undefined): string | null {
  const text = (asText(value) ?? "").toLowerCase();
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? text : null;
}

// `joint` is deprecated but still in the list of types: a current account under its former name.
const KINDS: ReadonlyMap<string, "checking" | "card"> = new Map([["checking", "checking"], [
  "joint",
  "checking",
], ["card", "card"]]);

/**
 * An account, or null when it has no id or no connection. A type that we do not know is no account
 * of ours.
 */
export function accountOf(value: Json | undefined): RemoteAccount | null {
  const body = asObject(value);
  const remoteId = idOf(body?.["id"]);
  const remoteConnectionId = idOf(body?.["id_connection"]);
  if (body === null || remoteId === null || remoteConnectionId === null) return null;
  const isSet = (field: Json | undefined): boolean =>
    field !== null && field !== undefined && field !== false;
  return {
    remoteId,
    remoteConnectionId,
    kind: KINDS.get((asText(body["type"]) ?? "").toLowerCase()) ?? null,
    state: isSet(body["deleted"]) ? "deleted" : isSet(body["disabled"]) ? "disabled" : "enabled",
    currency: currencyOf(body["currency"]),
    iban: asText(body["iban"]),
    parentRemoteId: idOf(body["id_parent"]),
    name: asText(body["original_name"]) ?? asText(body["name"]) ?? "",
  };
}

// The runtime's own list of ISO 4217: three letters alone may be anything.
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** ISO 4217 of a currency object, or null when it names none that is known. */
export function currencyOf(value: Json | undefined): string | null {
  const code = asText(asObject(value)?.["id"]) ?? "";
  return CURRENCIES.has(code) ? code : null;
}
