// Access tokens: ES256 JWTs of RFC 9068's type, issued for ten minutes and verified without a
// database read. Also the tokens of outside issuers, which name a user through a link and never
// count as a fresh proof of identity.
import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  importJWK,
  jwtVerify,
  SignJWT,
} from "jose";
import type { JWTPayload, JWTVerifyGetKey } from "jose";
import type { Config, JsonWebKeyWithKid, TrustedIssuer } from "../config.ts";
import type { TokenError, UserTokens } from "../http/authentication.ts";
import type { UserPrincipal } from "../http/context.ts";
import { base64UrlEncode } from "../kernel/encoding.ts";
import { isId } from "../kernel/ids.ts";
import type { SessionId, UserId } from "../kernel/ids.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import type { Clock } from "../kernel/time.ts";
import { IssuerKeysUnavailable } from "./errors.ts";

export const ACCESS_TTL_S = 600;
const TYPE = "at+jwt";
const ALGORITHM = "ES256";
// Asymmetric only: with a symmetric one, a public key could be used as the secret.
const OUTSIDE_ALGORITHMS = ["ES256", "RS256", "EdDSA"];

const OUTSIDE_TYPES = new Set(["at+jwt", "jwt"]);
const OUTSIDE_AGE_MAX_S = 86_400;

type TokenConfig = Pick<Config, "auth" | "jwtSigningKeys">;

type AccessTokenSubject = {
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly authTimeS: number;
  readonly amr: readonly string[];
  readonly stepUpAtS?: number;
};
export type AccessTokenIssuer = {
  readonly issue: (subject: AccessTokenSubject) => Promise<string>;
};

/** Issues tokens under the first signing key. */
export function accessTokenIssuer(
  config: TokenConfig,
  clock: Clock,
  random: RandomBytes,
): AccessTokenIssuer {
  const [jwk] = config.jwtSigningKeys;
  if (jwk === undefined) throw new Error("no signing key");
  let key: ReturnType<typeof importJWK> | null = null;
  return {
    async issue(subject) {
      key ??= importJWK({ ...jwk }, ALGORITHM);
      const nowS = Math.floor(clock.nowMs() / 1000);
      return new SignJWT({
        sid: subject.sessionId,
        auth_time: subject.authTimeS,
        amr: [...subject.amr],
        ...(subject.stepUpAtS === undefined ? {} : { step_up_at: subject.stepUpAtS }),
      })
        .setProtectedHeader({ alg: ALGORITHM, kid: jwk.kid, typ: TYPE })
        .setIssuer(config.auth.issuer).setAudience(config.auth.audience).setSubject(subject.userId)
        .setJti(base64UrlEncode(random(16)))
        .setIssuedAt(nowS).setExpirationTime(nowS + ACCESS_TTL_S)
        .sign(await key);
    },
  };
}

export type PublicKey = {
  readonly kid: string;
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y: string;
  readonly alg: string;
  readonly use: string;
};

/**
 * The public halves for `/.well-known/jwks.json`. Members are named one by one, so that a private
 * one cannot slip through.
 */
export function publicKeySet(
  keys: readonly JsonWebKeyWithKid[],
): { readonly keys: readonly PublicKey[] } {
  return {
    keys: keys.map((key) => ({
      kid: key.kid,
      kty: key.kty,
      crv: String(key["crv"]),
      x: String(key["x"]),
      y: String(key["y"]),
      alg: ALGORITHM,
      use: "sig",
    })),
  };
}

type UserTokenDeps = {
  readonly config: TokenConfig;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** The user that a subject of an outside issuer is linked to. */
  readonly linkedUser: (issuer: string, subject: string) => Promise<UserId | null>;
  readonly mayAct: UserTokens["mayAct"];
};

/** Verifies our own tokens and those of the trusted outside issuers. */
export function userTokens(deps: UserTokenDeps): UserTokens {
  const { config, clock } = deps;
  const ownKey = keysById(config.jwtSigningKeys);
  const outside = new Map(
    config.auth.trustedIssuers.map((
      issuer,
    ) => [issuer.issuer, { issuer, keys: lazyRemoteKeys(issuer.jwksUri, deps.fetch) }]),
  );
  return {
    mayAct: deps.mayAct,
    async verify(token) {
      const trusted = outside.get(claimedIssuer(token) ?? "");
      if (trusted !== undefined && trusted.issuer.issuer !== config.auth.issuer) {
        return verifyOutside(deps, trusted.issuer, trusted.keys, token);
      }
      const verified = await verifyToken(token, ownKey, {
        algorithms: [ALGORITHM],
        issuer: config.auth.issuer,
        audience: config.auth.audience,
        typ: TYPE,
        currentDate: new Date(clock.nowMs()),
        requiredClaims: ["sub", "sid", "jti", "iat", "exp", "auth_time"],
      });
      if (!verified.ok) return verified;
      const principal = ownPrincipal(verified.value);
      return principal === null ? err("token_invalid") : ok(principal);
    },
  };
}

function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

function ownPrincipal(claims: JWTPayload): UserPrincipal | null {
  const { sub, sid, iat, auth_time: authTimeS, amr, step_up_at: stepUpAtS = null } = claims;
  if (sub === undefined || !isId("usr", sub) || typeof sid !== "string" || !isId("ses", sid)) {
    return null;
  }
  if (
    typeof authTimeS !== "number" || iat === undefined || !Array.isArray(amr) ||
    !amr.every((method) => typeof method === "string")
  ) return null;
  if (stepUpAtS !== null && typeof stepUpAtS !== "number") return null;
  return { userId: sub, sessionId: sid, authTimeS, amr, issuedAtS: iat, stepUpAtS };
}

async function verifyOutside(
  deps: UserTokenDeps,
  issuer: TrustedIssuer,
  keys: JWTVerifyGetKey,
  token: string,
): Promise<Result<UserPrincipal, TokenError>> {
  const verified = await verifyToken(token, keys, {
    algorithms: OUTSIDE_ALGORITHMS,
    issuer: issuer.issuer,
    audience: issuer.audience,
    currentDate: new Date(deps.clock.nowMs()),
    maxTokenAge: OUTSIDE_AGE_MAX_S,
    requiredClaims: ["exp", issuer.subjectClaim],
  });
  if (!verified.ok) return verified;
  // An ID token or a token for something else, of the same issuer and audience, is no access token.
  if (!OUTSIDE_TYPES.has(decodeProtectedHeader(token).typ?.toLowerCase() ?? "")) {
    return err("token_invalid");
  }
  const subject = verified.value[issuer.subjectClaim];
  if (typeof subject !== "string" || subject === "") return err("token_invalid");
  const userId = await deps.linkedUser(issuer.issuer, subject);
  // No session of ours and no time of proof: whatever the issuer claims, its tokens never satisfy a
  // step-up.
  return userId === null ? err("token_invalid") : ok({
    userId,
    sessionId: null,
    authTimeS: 0,
    amr: [],
    issuedAtS: Math.floor(verified.value.iat ?? 0),
    stepUpAtS: null,
  });
}

/**
 * Verifies one token against pinned algorithms. Throws `IssuerKeysUnavailable` when the keys cannot
 * be had.
 */
export async function verifyToken(
  token: string,
  keys: JWTVerifyGetKey,
  options: Parameters<typeof jwtVerify>[2],
): Promise<Result<JWTPayload, TokenError>> {
  try {
    return ok((await jwtVerify(token, keys, options)).payload);
  } catch (error) {
    if (error instanceof errors.JWTExpired) return err("token_expired");
    if (error instanceof IssuerKeysUnavailable) throw error;
    return err("token_invalid");
  }
}

function keysById(keys: readonly JsonWebKeyWithKid[]): JWTVerifyGetKey {
  const known = new Map(publicKeySet(keys).keys.map((key) => [key.kid, key]));
  const imported = new Map<string, ReturnType<typeof importJWK>>();
  return async ({ kid = "" }) => {
    const jwk = known.get(kid);
    if (jwk === undefined) throw new errors.JWKSNoMatchingKey();
    let key = imported.get(kid);
    if (key === undefined) {
      key = importJWK({ ...jwk }, ALGORITHM);
      imported.set(kid, key);
    }
    return key;
  };
}

/** The keys of an address, fetched when first needed and kept by jose for ten minutes. */
export function lazyRemoteKeys(address: string, fetchKeys: typeof fetch): JWTVerifyGetKey {
  let remote: ReturnType<typeof createRemoteJWKSet> | null = null;
  return async (header, token) => {
    remote ??= createRemoteJWKSet(new URL(address), {
      [customFetch]: (url, options) => fetchKeys(url, options),
    });
    try {
      return await remote(header, token);
    } catch (error) {
      // These two judge the token; every other failure (time-out, status, broken JSON) is about the
      // address.
      if (
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys || error instanceof errors.JOSENotSupported
      ) throw error;
      throw new IssuerKeysUnavailable("issuer keys cannot be fetched", { cause: error });
    }
  };
}
