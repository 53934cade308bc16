// What every route of the sandbox gets: the store, the webhook queue, the environment, and per
// request the time.
import type { Context, Hono } from "hono";
import type { SandboxEnv } from "./env.ts";
import type { Store } from "./store.ts";
import type { Webhooks } from "./webhooks.ts";

/** Shared by all routes. */
export interface Services {
  readonly store: Store;
  readonly webhooks: Webhooks;
  readonly env: SandboxEnv;
}

/**
 * The sandbox's hono types: the time is read once per request, the user by the API's own
 * middleware.
 */
export interface SandboxTypes {
  Variables: { nowMs: number; idUser: number };
}
export type SandboxApp = Hono<SandboxTypes>;
export type SandboxContext = Context<SandboxTypes>;

/** Random URL-safe text. */
export function randomToken(bytes = 24): string {
  const text = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(bytes))));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function collect(pairs: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of pairs) {
    const before = fields[name];
    fields[name] = before === undefined
      ? value
      : [...(Array.isArray(before) ? (before as unknown[]) : [before]), value];
  }
  return fields;
}

/**
 * The fields of a request body, JSON or form; null when it is neither. A name that occurs several
 * times becomes a list.
 */
export async function readFields(request: Request): Promise<Record<string, unknown> | null> {
  const type = request.headers.get("content-type") ?? "";
  if (type.includes("multipart/")) return collect(await request.formData());
  const text = await request.text();
  if (text.trim() === "") return {};
  // curl -d announces a form whatever it sends, so JSON is recognised by its first character.
  if (type.includes("form") && !text.trimStart().startsWith("{")) {
    return collect(new URLSearchParams(text));
  }
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
