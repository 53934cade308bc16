// What a new session consists of, and what its device is given.
import { newId } from "../../kernel/ids.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { UserCipher } from "../../kernel/keyring.ts";
import { ACCESS_TTL_S } from "../access-tokens.ts";
import { newRefreshToken, REFRESH_TTL_MS, refreshTokenHash } from "../refresh-token.ts";
import type { NewSession } from "../store/index.ts";
import { secondsUntil } from "./codes.ts";
import type { IdentityDeps } from "./deps.ts";

/** What a signed-in device holds. Times to live in seconds. */
export type SignedIn = {
  readonly accessToken: string;
  readonly expiresInS: number;
  readonly refreshToken: string;
  readonly refreshExpiresInS: number;
  readonly userId: UserId;
  readonly created: boolean;
};

type Prepared = { readonly refreshToken: string; readonly session: NewSession };

/** A session to be stored, and the refresh token of which it keeps the hash. */
export async function prepareSession(
  deps: IdentityDeps,
  cipher: UserCipher,
  by: {
    readonly deviceName: string | null;
    readonly amr: readonly string[];
    readonly nowMs: number;
  },
): Promise<Prepared> {
  const { deviceName, amr, nowMs } = by;
  const id = newId("ses", nowMs, deps.random, cipher.userId);
  const refreshToken = newRefreshToken(deps.keyrings.index, id, deps.random);
  const deviceNameCipher = deviceName === null
    ? null
    : await cipher.encrypt({ table: "sessions", column: "device_name", row: id }, deviceName);
  const session = {
    id,
    currentHash: refreshTokenHash(refreshToken),
    deviceNameCipher,
    authTimeS: Math.floor(nowMs / 1000),
    amr,
  };
  return { refreshToken, session };
}

/** The tokens of a session that was stored. */
export async function signedIn(
  deps: IdentityDeps,
  userId: UserId,
  { refreshToken, session }: Prepared,
  created: boolean,
  nowMs: number,
): Promise<SignedIn> {
  const { id: sessionId, authTimeS, amr } = session;
  return {
    accessToken: await deps.accessTokens.issue({ userId, sessionId, authTimeS, amr }),
    expiresInS: ACCESS_TTL_S,
    refreshToken,
    refreshExpiresInS: secondsUntil(nowMs + REFRESH_TTL_MS, nowMs),
    userId,
    created,
  };
}
