// Keys of the local system and of the tests: random, made on this machine, never committed.
import { webcrypto } from "node:crypto";
import { newKeyring, newPrivateJwk } from "../cli/production-secrets.ts";
import { configNames } from "../config.ts";

export const LOCAL_ROLES = ["catalogue", "support", "finance", "auditor", "owner"] as const;
/** Persons of every role, each with one address by role. */
export const LOCAL_PERSONS = ["alice", "bob", "carol", "dave"] as const;
const WILDCARD_ROLES = ["catalogue", "support"] as const;

/** True for a name that the local system gives that role. */
export function hasLocalRole(subject: string, role: string): boolean {
  return [...LOCAL_PERSONS].some((person) => person === subject) ||
    [...WILDCARD_ROLES].some((open) => open === role);
}

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

// `deploy:check` knows keys of this machine by how their ids begin.
const localKeyId = (): string => `local-${randomText(6)}`;

/** A fresh set of everything secret that API.md's configuration table names. */
export async function makeSecrets(): Promise<LocalSecrets> {
  return {
    POWENS_CLIENT_SECRET: randomText(24),
    POWENS_WEBHOOK_SECRET: randomText(32),
    ENCRYPTION_KEYRING: newKeyring("local-1"),
    INDEX_KEYRING: newKeyring("local-1"),
    ARCHIVE_KEYRING: newKeyring("local-1"),
    JWT_SIGNING_KEYS: JSON.stringify({ keys: [await newPrivateJwk("ES256", localKeyId())] }),
    AUDIT_SIGNING_KEYS: JSON.stringify({ keys: [await newPrivateJwk("Ed25519", localKeyId())] }),
    EMAIL_DELIVERY_TOKEN: randomText(24),
    ACCESS_SIGNING_KEY: JSON.stringify(await newPrivateJwk("ES256", localKeyId())),
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
    // Browsers refuse passkeys at an address of numbers.
    WEBAUTHN_ORIGINS: `${edgeUrl.replace("127.0.0.1", "localhost")},${edgeUrl}`,
    ACCESS_TEAM_DOMAIN: sandboxUrl,
    ACCESS_AUDIENCE: "cagnotte-operators",
    ACCESS_ROLES: JSON.stringify({
      ...Object.fromEntries(
        LOCAL_ROLES.flatMap((role) =>
          LOCAL_PERSONS.map((person) => [`${person}@${role}.local`, [role]])
        ),
      ),
      // Any other name that `npm run token` is asked for: it may propose, never approve.
      ...Object.fromEntries(WILDCARD_ROLES.map((role) => [`*@${role}.local`, [role]])),
    }),
    EMAIL_DELIVERY_URL: `${sandboxUrl}/mailbox`,
    POINTS_PER_EURO: "100",
    POINTS_EXPIRE_MONTHS: "24",
    REDEMPTION_MINIMUM_POINTS: "500",
    MINIMUM_AGE: "18",
    REFERRAL_POINTS: "300",
    REFERRAL_MIN_PURCHASE_CENTS: "1000",
    REVIEW_POINTS: "20000",
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
