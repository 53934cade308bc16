// Lists: `{data, next_cursor}`. A cursor is opaque and signed, bound to the list and to who reads
// it, so that a position is never a way to ask for something else.
import { z } from "@hono/zod-openapi";
import { base64Decode, base64UrlEncode, utf8Decode, utf8Encode } from "../kernel/encoding.ts";
import { constantTimeEqual } from "../kernel/hash.ts";
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";

export const PAGE_LIMIT_MAX = 100;
const PAGE_LIMIT_DEFAULT = 20;

/** Query parameters of every list. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT).openapi({
    description: "Items on a page",
  }),
  cursor: z.string().max(1024).optional().openapi({
    description: "Opaque position from next_cursor",
  }),
};

/** The answer schema of a list of `item`. */
export function pageOf<T extends z.ZodType>(
  item: T,
): z.ZodObject<{ data: z.ZodArray<T>; next_cursor: z.ZodNullable<z.ZodString> }> {
  return z.object({ data: z.array(item), next_cursor: z.string().nullable() });
}

export type Cursors = {
  /** Signs a position for one list of one reader (`scope`, e.g. `purchases|usr_…`). */
  readonly seal: (scope: string, position: string) => string;
  /** The position, or null when the cursor is not one that `seal` made for this scope. */
  readonly open: (scope: string, cursor: string) => string | null;
};

export function signedCursors(keyring: Keyring): Cursors {
  const purpose = (scope: string): string => `cursor|${scope}`;
  return {
    seal: (scope, position) =>
      `${base64UrlEncode(utf8Encode(position))}.${keyedIndex(keyring, purpose(scope), position)}`,
    open: (scope, cursor) => {
      const dot = cursor.indexOf(".");
      const bytes = base64Decode(cursor.slice(0, Math.max(dot, 0)));
      if (dot < 1 || bytes === null) return null;
      try {
        const position = utf8Decode(bytes);
        const given = utf8Encode(cursor.slice(dot + 1));
        const valid = keyedIndexAll(keyring, purpose(scope), position).some((tag) =>
          constantTimeEqual(utf8Encode(tag), given)
        );
        return valid ? position : null;
      } catch {
        return null;
      }
    },
  };
}
