// The refusals that every authenticated route shares, so that no route is forgotten: call
// `commonRefusals` once for each.
import { generateKeyPair, importJWK, SignJWT } from "jose";
import type { ExpectStatic } from "vitest";

export type SigningIdentity = {
  /** A private ES256 JWK with its kid. */
  readonly jwk: { readonly kid: string; readonly [member: string]: unknown };
  readonly issuer: string;
  readonly audience: string;
};

export type TokenClaims = {
  readonly sub: string;
  readonly sid: string;
  readonly nowMs: number;
  readonly ttlS?: number;
};

/** Signs an access token as our issuer would, or as a stranger would when `over` says so. */
export async function signAccessToken(
  identity: SigningIdentity,
  claims: TokenClaims,
  over: { issuer?: string; audience?: string; typ?: string; key?: CryptoKey } = {},
): Promise<string> {
  const nowS = Math.floor(claims.nowMs / 1000);
  return new SignJWT({ sid: claims.sid, auth_time: nowS, amr: ["otp"] })
    .setProtectedHeader({ alg: "ES256", kid: identity.jwk.kid, typ: over.typ ?? "at+jwt" })
    .setIssuer(over.issuer ?? identity.issuer).setAudience(over.audience ?? identity.audience)
    .setSubject(claims.sub).setJti(crypto.randomUUID())
    .setIssuedAt(nowS).setExpirationTime(nowS + (claims.ttlS ?? 600))
    .sign(over.key ?? (await importJWK({ ...identity.jwk }, "ES256")));
}

export type RefusedToken = {
  readonly name: string;
  readonly authorization: string | null;
  readonly code: string;
};

/**
 * One request per way in which a token is no good. The claims name a real user and session, so that
 * only the flaw refuses.
 */
export async function refusedTokens(
  identity: SigningIdentity,
  claims: TokenClaims,
): Promise<RefusedToken[]> {
  const stranger = (await generateKeyPair("ES256")).privateKey;
  const bearer = (token: string): string => `Bearer ${token}`;
  return [
    { name: "no token", authorization: null, code: "token_missing" },
    { name: "garbage", authorization: "Bearer not-a-token", code: "token_invalid" },
    { name: "another scheme", authorization: "Basic dXNlcjpwYXNz", code: "token_invalid" },
    {
      name: "expired",
      authorization: bearer(
        await signAccessToken(identity, { ...claims, nowMs: claims.nowMs - 601_000 }),
      ),
      code: "token_expired",
    },
    {
      name: "another issuer",
      authorization: bearer(
        await signAccessToken(identity, claims, { issuer: "https://elsewhere.example" }),
      ),
      code: "token_invalid",
    },
    {
      name: "a stranger's key under our kid",
      authorization: bearer(await signAccessToken(identity, claims, { key: stranger })),
      code: "token_invalid",
    },
  ];
}

/**
 * Sends the request once with each refused token and expects 401 with its code, as a problem that
 * challenges.
 */
export async function commonRefusals(
  expect: ExpectStatic,
  refused: readonly RefusedToken[],
  send: (headers: Record<string, string>) => Promise<Response>,
): Promise<void> {
  for (const { name, authorization, code } of refused) {
    const response = await send(authorization === null ? {} : { Authorization: authorization });
    const body = await response.json<{ code: string }>();
    expect({
      name,
      status: response.status,
      code: body.code,
      challenge: response.headers.get("WWW-Authenticate"),
      type: response.headers.get("Content-Type"),
    })
      .toEqual({ name, status: 401, code, challenge: "Bearer", type: "application/problem+json" });
  }
}
