// Lists by cursor: newest date first, then by id. The cursor is base64 of a small JSON list, as in
// the documented sample; callers must treat it as opaque. Pure.

/** Where a page begins: after this date and id. */
interface CursorPosition {
  readonly date: string;
  readonly id: number;
}

/** The largest `limit` that the aggregator takes. */
const maxLimit = 1000;

/** Writes the cursor that continues after the given row. */
export function encodeCursor(position: CursorPosition): string {
  return btoa(
    JSON.stringify([{ op: "lt", value: position.date }, { op: "gt", value: position.id }]),
  );
}

/** Reads a cursor; null when it is not one of ours. */
export function decodeCursor(text: string): CursorPosition | null {
  try {
    const parsed: unknown = JSON.parse(atob(text));
    if (!Array.isArray(parsed)) return null;
    const [first, second] = parsed as { value?: unknown }[];
    const date = first?.value;
    const id = second?.value;
    return typeof date === "string" && typeof id === "number" ? { date, id } : null;
  } catch {
    return null;
  }
}

/** `_links`: absolute addresses, `next` only when there is more. */
export function pageLinks(self: URL, publicUrl: string, next: CursorPosition | null): object {
  const base = new URL(`${self.pathname}${self.search}`, publicUrl);
  let following: URL | null = null;
  if (next !== null) {
    following = new URL(base);
    following.searchParams.delete("offset");
    following.searchParams.set("cursor", encodeCursor(next));
  }
  return {
    prev: null,
    self: { href: base.href },
    next: following === null ? null : { href: following.href },
  };
}

/** The compulsory `limit`: a number from 1 to 1000, or why not. */
export function parseLimit(
  text: string | null,
): { ok: true; limit: number } | { ok: false; code: "missingParameter" | "invalidValue" } {
  if (text === null || text === "") return { ok: false, code: "missingParameter" };
  const limit = Number(text);
  return Number.isInteger(limit) && limit >= 1 && limit <= maxLimit
    ? { ok: true, limit }
    : { ok: false, code: "invalidValue" };
}

/** True for a flag that comes without a value or with `true` or `1`. */
export function hasFlag(params: URLSearchParams, name: string): boolean {
  const value = params.get(name);
  return value !== null && value !== "false" && value !== "0";
}
