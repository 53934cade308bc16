// JSON whose numbers keep their text. `-837.95` must become cents without passing through a float,
// and ids are 64-bit integers that a float rounds: so every number arrives as the string that was
// on the wire.
import { assert } from "../../../kernel/assert.ts";

export type Json = string | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

/**
 * Parses JSON; numbers come back as their source text (`context.source`, ECMAScript's "JSON.parse
 * source text access", present in V8: workerd, Deno and Node). Null when the text is not JSON.
 */
export function parseExactJson(text: string): { readonly value: Json } | null {
  try {
    return { value: JSON.parse(text, keepNumberText) as Json };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function keepNumberText(
  _name: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  if (typeof value !== "number") return value;
  assert(
    context?.source !== undefined,
    "json_source_missing",
    "this runtime's JSON.parse does not give the source text of numbers",
  );
  return context.source;
}

/** The object, or null for anything else. */
export function asObject(value: Json | undefined): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : null;
}

export function asList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

export function asText(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
