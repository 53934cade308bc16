// Refreshes and lists sessions.
import { assert } from "../../kernel/assert.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { UserCipher } from "../../kernel/keyring.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { ACCESS_TTL_S } from "../access-tokens.ts";
import type { RefreshError } from "../errors.ts";
import {
  newSuccessorSalt,
  refreshTokenHash,
  sessionOfRefreshToken,
  successorTokens,
} from "../refresh-token.ts";
import type { SessionRow } from "../store/index.ts";
import { secondsUntil } from "./codes.ts";
import type { IdentityDeps } from "./deps.ts";
import { cipherOfRow } from "./fields.ts";
import type { SignedIn } from "./new-session.ts";

export type SessionView = {
  readonly id: string;
  readonly deviceName: string | null;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number;
};

/** New tokens for a refresh token; the previous token gets those of its successor again. */
export async function refresh(
  deps: IdentityDeps,
  token: string,
): Promise<Result<SignedIn, RefreshError>> {
  const { store, keyrings, clock, random } = deps;
  const sessionId = sessionOfRefreshToken(keyrings.index, token);
  if (sessionId === null) return err({ code: "refresh_invalid" });
  const nowMs = clock.nowMs();
  const successors = (salt: string) => successorTokens(keyrings.index, sessionId, token, salt);
  const newSalt = newSuccessorSalt(random);
  const [newToken] = successors(newSalt);
  assert(newToken !== undefined, "keyring_empty", "the index keyring has no key");
  const { rotated, reused } = await store.rotate({
    sessionId,
    presentedHash: refreshTokenHash(token),
    newHash: refreshTokenHash(newToken),
    newSalt,
    nowMs,
  });
  if (rotated === null) {
    if (reused) deps.log.alert("refresh_token_reused", { session: sessionId });
    return err({ code: reused ? "refresh_reused" : "refresh_invalid" });
  }
  const refreshToken = successors(rotated.successorSalt).find((successor) =>
    refreshTokenHash(successor) === rotated.successorHash
  );
  // The key that it was derived under has left the ring.
  if (refreshToken === undefined) return err({ code: "refresh_invalid" });
  const userId = rotated.userId as UserId;
  const accessToken = await deps.accessTokens.issue({
    userId,
    sessionId,
    authTimeS: rotated.authTimeS,
    amr: JSON.parse(rotated.amr) as string[],
  });
  return ok({
    accessToken,
    expiresInS: ACCESS_TTL_S,
    refreshToken,
    refreshExpiresInS: secondsUntil(rotated.expiresAtMs, nowMs),
    userId,
    created: false,
  });
}

export async function pageSessions(
  deps: IdentityDeps,
  userId: UserId,
  beforeId: string | null,
  limit: number,
): Promise<SessionView[]> {
  const { user, rows } = await deps.store.pageSessions(userId, beforeId, limit, deps.clock.nowMs());
  if (user === null) return [];
  const cipher = await cipherOfRow(deps, user);
  return Promise.all(rows.map((row) => toSessionView(cipher, row)));
}

async function toSessionView(cipher: UserCipher, row: SessionRow): Promise<SessionView> {
  const sealed = row.deviceNameCipher;
  const opened = sealed === null
    ? null
    : await cipher.decrypt({ table: "sessions", column: "device_name", row: row.id }, sealed);
  // A session must stay in the list, where its owner can end it, even if its name cannot be read.
  return {
    id: row.id,
    deviceName: opened?.ok === true ? opened.value : null,
    createdAtMs: row.createdAtMs,
    lastUsedAtMs: row.lastUsedAtMs,
  };
}
