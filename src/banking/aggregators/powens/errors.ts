// From an HTTP answer of Powens to our error. Decided on `code`, whatever its case, before the
// status: the same condition has been seen under several statuses (`noAccount` under 400 and 409).
import type { AggregatorError } from "../../errors.ts";
import { asObject, asText } from "./exact-json.ts";
import type { Json } from "./exact-json.ts";

/**
 * The lower-case error code of an answer, `""` when it has none. Only letters: what else may come
 * is not ours to repeat.
 */
export function codeOf(body: Json | null): string {
  const code = asText(asObject(body ?? undefined)?.["code"]) ?? "";
  return /^[A-Za-z]{1,40}$/.test(code) ? code.toLowerCase() : "";
}

/** The error of an answer outside 2xx. */
export function errorOf(status: number, body: Json | null): AggregatorError {
  const code = codeOf(body);
  if (status === 429 || status >= 500) return { code: "aggregator_unavailable" };
  if (status === 401) return { code: "aggregator_unauthorized" };
  if (status === 404 || code === "notfound") return { code: "aggregator_not_found" };
  if (code === "websiteunavailable" || code === "toomanysync" || code === "connectionlocked") {
    return { code: "aggregator_unavailable" };
  }
  if (status === 403) return { code: "aggregator_unauthorized" };
  if (status >= 300 && status < 400) return { code: "aggregator_malformed" };
  return { code: "aggregator_refused", reason: code };
}

/** True for "this user has no enabled account", which is an empty list. */
export function isNoAccount(status: number, body: Json | null): boolean {
  return status >= 400 && status < 500 && codeOf(body) === "noaccount";
}
