// The secrets of a deployment: which ones this machine can make, and how. Nothing here writes or
// prints: `keys.ts` does.
import { webcrypto } from "node:crypto";

/** Secrets that somebody else gives us; an empty text until the operator fills them in. */
export const GIVEN_SECRETS = ["POWENS_CLIENT_SECRET", "EMAIL_DELIVERY_TOKEN"] as const;

type ProductionSecrets =
  & {
    readonly [Name in (typeof GIVEN_SECRETS)[number]]: "";
  }
  & {
    /** 256 random bits, in the alphabet that the aggregator's console takes. */
    readonly POWENS_WEBHOOK_SECRET: string;
    readonly ENCRYPTION_KEYRING: string;
    readonly INDEX_KEYRING: string;
    readonly ARCHIVE_KEYRING: string;
    readonly JWT_SIGNING_KEYS: string;
    readonly AUDIT_SIGNING_KEYS: string;
  };

const random = (bytes: number): Buffer =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(bytes)));

/** A 256-bit key alone in a keyring, under that key id. */
export function newKeyring(kid: string): string {
  return JSON.stringify({ active: kid, keys: { [kid]: random(32).toString("base64") } });
}

/** A private JWK of that algorithm under that key id. */
export async function newPrivateJwk(
  algorithm: "ES256" | "Ed25519",
  kid: string,
): Promise<Record<string, unknown>> {
  const parameters = algorithm === "ES256"
    ? { name: "ECDSA", namedCurve: "P-256" }
    : { name: "Ed25519" };
  const pair =
    (await webcrypto.subtle.generateKey(parameters, true, ["sign", "verify"])) as CryptoKeyPair;
  const { kty, crv, x, y, d } = await webcrypto.subtle.exportKey("jwk", pair.privateKey);
  return { kid, kty, crv, x, ...(y === undefined ? {} : { y }), d };
}

/**
 * Every secret of a new deployment. Key ids begin with `month` (`2026-11`) and end at random, so
 * that two deployments never use one id for two keys.
 */
export async function makeProductionSecrets(month: string): Promise<ProductionSecrets> {
  const kid = (): string => `${month}-${random(6).toString("base64url")}`;
  return {
    POWENS_CLIENT_SECRET: "",
    EMAIL_DELIVERY_TOKEN: "",
    POWENS_WEBHOOK_SECRET: random(32).toString("base64url"),
    ENCRYPTION_KEYRING: newKeyring(kid()),
    INDEX_KEYRING: newKeyring(kid()),
    ARCHIVE_KEYRING: newKeyring(kid()),
    JWT_SIGNING_KEYS: JSON.stringify({ keys: [await newPrivateJwk("ES256", kid())] }),
    AUDIT_SIGNING_KEYS: JSON.stringify({ keys: [await newPrivateJwk("Ed25519", kid())] }),
  };
}
