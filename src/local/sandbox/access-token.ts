// Operators' certificates as Cloudflare Access issues them: tokens for persons (e-mail) and
// services (common name), and the public keys. Used by the sandbox for the keys and by `npm run -s
// token` for the tokens. Not part of the product.
import type { JWK } from "jose";
import { importJWK, SignJWT } from "jose";

/** What a token says. */
interface AccessTokenRequest {
  /** Private JWK with `kid`: ES256 (EC P-256) or RS256 (RSA). */
  readonly privateJwk: JWK;
  /** The application's audience tag. */
  readonly audience: string;
  /** The team domain as a full origin. */
  readonly issuer: string;
  /** An e-mail address for a person, any other name for a service. */
  readonly subject: string;
  readonly nowMs: number;
}

const lifetimeSeconds = 3600;

/** The algorithm of a private or public key. */
function algorithmOf(jwk: JWK): "ES256" | "RS256" {
  return jwk.kty === "RSA" ? "RS256" : "ES256";
}

async function stableUuid(text: string): Promise<string> {
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)),
  );
  const hex = Array.from(digest.slice(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${
    hex.slice(20)
  }`;
}

/** A signed token, valid one hour from `nowMs`. Throws when the key cannot sign. */
export async function signAccessToken(request: AccessTokenRequest): Promise<string> {
  const alg = algorithmOf(request.privateJwk);
  const { kid } = request.privateJwk;
  if (kid === undefined) throw new Error("the signing key has no kid");
  const person = request.subject.includes("@");
  const nowSeconds = Math.floor(request.nowMs / 1000);
  const claims = person
    ? {
      type: "app",
      email: request.subject,
      identity_nonce: (await stableUuid(`nonce|${request.subject}`)).slice(0, 16),
      country: "FR",
    }
    : { type: "app", common_name: request.subject };
  return new SignJWT(claims)
    .setProtectedHeader({ alg, kid, typ: "JWT" })
    .setAudience([request.audience])
    .setIssuer(request.issuer)
    // A service token of Cloudflare Access carries an empty subject.
    .setSubject(person ? await stableUuid(request.subject) : "")
    .setIssuedAt(nowSeconds)
    .setNotBefore(nowSeconds)
    .setExpirationTime(nowSeconds + lifetimeSeconds)
    .sign(await importJWK(request.privateJwk, alg));
}

/**
 * The body of `/cdn-cgi/access/certs`: public parts only. Cloudflare also gives X.509 certificates,
 * which jose does not need.
 */
export function accessCertificates(
  privateJwk: JWK,
): { keys: JWK[]; public_cert: null; public_certs: never[] } {
  const { kty, crv, x, y, n, e, kid } = privateJwk;
  const shared = { kid: kid ?? "", kty: kty ?? "", alg: algorithmOf(privateJwk), use: "sig" };
  const key: JWK = kty === "RSA"
    ? { ...shared, n: n ?? "", e: e ?? "" }
    : { ...shared, crv: crv ?? "", x: x ?? "", y: y ?? "" };
  return { keys: [key], public_cert: null, public_certs: [] };
}
