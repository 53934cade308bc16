// The token of a mail's undo link: what it undoes and until when, signed. Nothing of it is stored,
// so a copy of the database undoes nothing. Pure.
import { base64Decode, base64UrlEncode, utf8Decode, utf8Encode } from "../kernel/encoding.ts";
import { constantTimeEqual } from "../kernel/hash.ts";
import { isId } from "../kernel/ids.ts";
import type { Id, SessionId } from "../kernel/ids.ts";
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";
import { DAY_MS } from "../kernel/time.ts";

export const UNDO_TTL_MS = 7 * DAY_MS;
export const UNDO_TOKEN_CHARS_MAX = 512;
const PURPOSE = "undo_token";

/** What can be undone. */
type Undoable =
  | { readonly kind: "session"; readonly id: SessionId }
  | { readonly kind: "email"; readonly id: Id<"emc"> };

/** `<what and until when>.<key id>.<tag>`. */
export function undoToken(keyring: Keyring, undoable: Undoable, expiresAtMs: number): string {
  const payload = base64UrlEncode(
    utf8Encode(JSON.stringify([undoable.kind, undoable.id, expiresAtMs])),
  );
  return `${payload}.${keyedIndex(keyring, PURPOSE, payload)}`;
}

/** What a token that we made undoes; null when it is not ours or too late. */
export function openUndoToken(keyring: Keyring, token: string, nowMs: number): Undoable | null {
  const dot = token.indexOf(".");
  if (token.length > UNDO_TOKEN_CHARS_MAX || dot < 1) return null;
  const payload = token.slice(0, dot);
  const given = utf8Encode(token.slice(dot + 1));
  const ours = keyedIndexAll(keyring, PURPOSE, payload).some((tag) =>
    constantTimeEqual(utf8Encode(tag), given)
  );
  const bytes = ours ? base64Decode(payload) : null;
  if (bytes === null) return null;
  const [kind, id, expiresAtMs] = JSON.parse(utf8Decode(bytes)) as [string, string, number];
  if (expiresAtMs <= nowMs) return null;
  if (kind === "session" && isId("ses", id)) return { kind, id };
  return kind === "email" && isId("emc", id) ? { kind, id } : null;
}
