// Keys of the local system and of the tests: random, made on this machine, never committed.
import { webcrypto } from "node:crypto";
import { configNames } from "../config.ts";

export type LocalSecrets = {
  readonly POWENS_CLIENT_SECRET: string;
  readonly POWENS_WEBHOOK_SECRET: string;
  readonly ENCRYPTION_KEYRING: string;
  readonly INDEX_KEYRING: string;
  readonly ARCHIVE_KEYRING: string;
  readonly JWT_SIGNING_KEYS: string;
  readonly AUDIT_SIGNING_KEYS: string;
  readonly EMAIL_DELIVERY_TOKEN: string;
  /**
   * The operators' certificate of the local system, as a private JWK: the sandbox publishes its
   * public half.
   */
  readonly ACCESS_SIGNING_KEY: string;
};

function randomText(bytes: number): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(bytes))).toString("base64url");
}

function keyring(): string {
  return JSON.stringify({
    active: "local-1",
    keys: {
      "local-1": Buffer.from(webcrypto.getRandomValues(new Uint8Array(32))).toString("base64"),
    },
  });
}

async function privateJwk(algorithm: "ES256" | "Ed25519"): Promise<Record<string, unknown>> {
  const parameters = algorithm === "ES256"
    ? { name: "ECDSA", namedCurve: "P-256" }
    : { name: "Ed25519" };
  const pair =
    (await webcrypto.subtle.generateKey(parameters, true, ["sign", "verify"])) as CryptoKeyPair;
  const jwk = await webcrypto.subtle.exportKey("jwk", pair.privateKey);
  const { kty, crv, x, y, d } = jwk;
  return { kid: `local-${randomText(6)}`, kty, crv, x, ...(y === undefined ? {} : { y }), d };
}

/** A fresh set of everything secret that API.md's configuration table names. */
export async function makeSecrets(): Promise<LocalSecrets> {
  return {
    POWENS_CLIENT_SECRET: randomText(24),
    POWENS_WEBHOOK_SECRET: randomText(24),
    ENCRYPTION_KEYRING: keyring(),
    INDEX_KEYRING: keyring(),
    ARCHIVE_KEYRING: keyring(),
    JWT_SIGNING_KEYS: JSON.stringify({ keys: [await privateJwk("ES256")] }),
    AUDIT_SIGNING_KEYS: JSON.stringify({ keys: [await privateJwk("Ed25519")] }),
    EMAIL_DELIVERY_TOKEN: randomText(24),
    ACCESS_SIGNING_KEY: JSON.stringify(await privateJwk("ES256")),
  };
}

/**
 * Settings of the local system that are no secrets, for an edge and a sandbox at these addresses.
 */
export function localSettings(edgeUrl: string, sandboxUrl: string): Record<string, string> {
  return {
    ENVIRONMENT: "local",
    JURISDICTION: "",
    PUBLIC_URL: edgeUrl,
    REDIRECT_URIS: `${sandboxUrl}/done,myapp://done`,
    CORS_ORIGINS: sandboxUrl,
    POWENS_API_URL: sandboxUrl,
    POWENS_WEBVIEW_URL: `${sandboxUrl}/webview`,
    POWENS_DOMAIN: "cagnotte-sandbox.biapi.pro",
    POWENS_CLIENT_ID: "12345678",
    AUTH_ISSUER: edgeUrl,
    AUTH_AUDIENCE: "cagnotte",
    AUTH_TRUSTED_ISSUERS: "[]",
    WEBAUTHN_RP_ID: "localhost",
    WEBAUTHN_ORIGINS: edgeUrl,
    ACCESS_TEAM_DOMAIN: sandboxUrl,
    ACCESS_AUDIENCE: "cagnotte-operators",
    ACCESS_ROLES: JSON.stringify({
      alice: ["catalogue"],
      bob: ["catalogue"],
      claire: ["support"],
      denis: ["support"],
      emma: ["finance"],
      farid: ["finance"],
      gilles: ["auditor"],
      helene: ["owner"],
      // Any other name that `npm run token` is asked for.
      ...Object.fromEntries(
        ["catalogue", "support", "finance", "auditor", "owner"].map((
          role,
        ) => [`*@${role}.local`, [role]]),
      ),
    }),
    EMAIL_DELIVERY_URL: `${sandboxUrl}/mailbox`,
    POINTS_PER_EURO: "100",
    POINTS_EXPIRE_MONTHS: "24",
    REDEMPTION_MINIMUM_POINTS: "500",
    MINIMUM_AGE: "18",
    REFERRAL_POINTS: "300",
    REFERRAL_MIN_PURCHASE_CENTS: "1000",
    DEBTOR_NAME: "Cagnotte (local)",
    DEBTOR_IBAN: "",
    DEBTOR_BIC: "",
    AUDIT_WITNESSES: "",
  };
}

/** Settings of API.md's table that the caller's environment overrides. */
export function settingsFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const given: Record<string, string> = {};
  for (const name of configNames()) {
    const value = env[name];
    if (value !== undefined) given[name] = value;
  }
  return given;
}
