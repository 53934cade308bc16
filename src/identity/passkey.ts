// WebAuthn (Level 3) by `@simplewebauthn/server`: what browsers are asked, and whether their
// answers are good. A bad signature is a value there, everything else is thrown: here both are
// null.
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import { decodeAttestationObject, decodeClientDataJSON } from "@simplewebauthn/server/helpers";
import { base64Decode, base64UrlEncode, utf8Encode } from "../kernel/encoding.ts";
import type { UserId } from "../kernel/ids.ts";
import { PASSKEY_CHALLENGE_TTL_MS } from "./passkey-challenge.ts";

/** Who asks: the domain that passkeys are bound to, and the pages and apps that may use them. */
export type RelyingParty = { readonly rpId: string; readonly origins: readonly string[] };

export type RegistrationAnswer = {
  readonly id: string;
  readonly rawId: string;
  readonly response: {
    readonly clientDataJSON: string;
    readonly attestationObject: string;
    readonly transports: readonly string[];
  };
};

export type AssertionAnswer = {
  readonly id: string;
  readonly rawId: string;
  readonly response: {
    readonly clientDataJSON: string;
    readonly authenticatorData: string;
    readonly signature: string;
    readonly userHandle: string | null;
  };
};

type Credential = { readonly credentialId: string; readonly transports: readonly string[] };

/** What is kept of a passkey to verify it. */
export type PasskeyKey = Credential & { readonly publicKey: string; readonly counter: number };

const NAME = "Cagnotte";
// EdDSA, ES256, RS256. Named, since the defaults of the runtimes differ: a key made on one must
// verify on the other.
const ALGORITHMS = [-8, -7, -257];
/** How a passkey with verification of its user counts as a method (RFC 8176). */
export const PASSKEY_METHODS: readonly string[] = ["pop", "mfa"];

type Transport = NonNullable<
  NonNullable<Parameters<typeof generateRegistrationOptions>[0]["excludeCredentials"]>[number][
    "transports"
  ]
>[number];

const descriptors = (known: readonly Credential[]) =>
  known.map(({ credentialId, transports }) => ({
    id: credentialId,
    transports: transports as Transport[],
  }));

/** The user as authenticators keep it: our id, which says nothing about the person. */
function userHandle(userId: UserId): Uint8Array<ArrayBuffer> {
  return utf8Encode(userId);
}

/** What `navigator.credentials.create` is given. */
export function registrationOptions(
  party: RelyingParty,
  asked: {
    readonly userId: UserId;
    readonly email: string;
    readonly challenge: Uint8Array<ArrayBuffer>;
    readonly known: readonly Credential[];
  },
) {
  return generateRegistrationOptions({
    rpName: NAME,
    rpID: party.rpId,
    userName: asked.email,
    userID: userHandle(asked.userId),
    challenge: asked.challenge,
    timeout: PASSKEY_CHALLENGE_TTL_MS,
    attestationType: "none",
    excludeCredentials: descriptors(asked.known),
    // Signing in names no address, so the authenticator must find the key by itself.
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/** What `navigator.credentials.get` is given; `known` null: any passkey of ours. */
export function assertionOptions(
  party: RelyingParty,
  challenge: Uint8Array<ArrayBuffer>,
  known: readonly Credential[] | null,
) {
  return generateAuthenticationOptions({
    rpID: party.rpId,
    challenge,
    timeout: PASSKEY_CHALLENGE_TTL_MS,
    userVerification: "required",
    ...(known === null ? {} : { allowCredentials: descriptors(known) }),
  });
}

async function orNull<T>(work: () => Promise<T | null> | T | null): Promise<T | null> {
  try {
    return await work();
  } catch {
    return null;
  }
}

/** The challenge that an answer says it answers, base64url. Nothing of it is proved yet. */
export function claimedChallenge(
  answer: { readonly response: { readonly clientDataJSON: string } },
): Promise<string | null> {
  return orNull(() => {
    const { challenge } = decodeClientDataJSON(answer.response.clientDataJSON);
    return typeof challenge === "string" ? challenge : null;
  });
}

/**
 * Whether an attestation is none, as we ask, or made by the new key itself. Certificates say who
 * made the authenticator, which decides nothing here; verifying them is the largest and oldest part
 * of WebAuthn, reads lists of revoked ones over the network, and would be open to every caller.
 */
function isOwnAttestation(attestationObject: string): boolean {
  const bytes = base64Decode(attestationObject);
  if (bytes === null) return false;
  const decoded = decodeAttestationObject(bytes);
  const format = decoded.get("fmt");
  return format === "none" ||
    (format === "packed" && decoded.get("attStmt").get("x5c") === undefined);
}

/** The key of a new passkey, or null when the answer is not good. */
export function verifyRegistration(
  party: RelyingParty,
  answer: RegistrationAnswer,
  challenge: string,
): Promise<PasskeyKey | null> {
  return orNull(async () => {
    const { clientDataJSON, attestationObject, transports } = answer.response;
    if (!isOwnAttestation(attestationObject)) return null;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        id: answer.id,
        rawId: answer.rawId,
        type: "public-key",
        clientExtensionResults: {},
        response: { clientDataJSON, attestationObject },
      },
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified || registrationInfo.credential.id !== answer.id) return null;
    const { id, publicKey, counter } = registrationInfo.credential;
    return { credentialId: id, publicKey: base64UrlEncode(publicKey), counter, transports };
  });
}

/**
 * What a passkey has proved: its new counter, or that the counter went back, which a copied key's
 * does. Null when the answer is not good.
 */
export function verifyAssertion(
  party: RelyingParty,
  answer: AssertionAnswer,
  challenge: string,
  owner: { readonly userId: UserId; readonly key: PasskeyKey },
): Promise<{ readonly counter: number; readonly wentBack: boolean } | null> {
  return orNull(async () => {
    const { clientDataJSON, authenticatorData, signature, userHandle: handle } = answer.response;
    if (handle !== null && handle !== base64UrlEncode(userHandle(owner.userId))) return null;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id: answer.id,
        rawId: answer.rawId,
        type: "public-key",
        clientExtensionResults: {},
        response: { clientDataJSON, authenticatorData, signature },
      },
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.rpId,
      requireUserVerification: true,
      credential: {
        id: owner.key.credentialId,
        publicKey: base64Decode(owner.key.publicKey) ?? new Uint8Array(0),
        // Compared below: thrown, it could not be told from garbage.
        counter: 0,
      },
    });
    if (!verified) return null;
    const counter = authenticationInfo.newCounter;
    // An authenticator that does not count says 0 every time.
    const counts = counter > 0 || owner.key.counter > 0;
    return { counter, wentBack: counts && counter <= owner.key.counter };
  });
}
