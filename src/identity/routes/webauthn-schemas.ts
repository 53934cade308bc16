// The JSON forms of WebAuthn that browsers send.
import { z } from "@hono/zod-openapi";
import type { AssertionAnswer } from "../passkey.ts";
import { name, oneTimeCode } from "./schemas.ts";

/** Base64url of at most so many bytes. */
const bytes = (max: number) => z.string().regex(/^[\w-]+={0,2}$/).max(Math.ceil(max / 3) * 4);

// WebAuthn Level 3, section 5.10.3: an id has at most 1,023 bytes.
const CREDENTIAL_ID_BYTES = 1_023;
const CLIENT_DATA_BYTES = 4_096;
const AUTHENTICATOR_DATA_BYTES = 8_192;
const SIGNATURE_BYTES = 1_024;
const USER_HANDLE_BYTES = 64;

const credential = {
  id: bytes(CREDENTIAL_ID_BYTES),
  rawId: bytes(CREDENTIAL_ID_BYTES),
  type: z.literal("public-key"),
};

export const registrationAnswer = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: bytes(CLIENT_DATA_BYTES),
    attestationObject: bytes(2 * AUTHENTICATOR_DATA_BYTES),
    transports: z.array(z.string().regex(/^[a-z-]{1,32}$/)).max(8).default([]),
  }),
  name: name.optional(),
}).openapi("PasskeyRegistration");

const assertion = {
  ...credential,
  response: z.object({
    clientDataJSON: bytes(CLIENT_DATA_BYTES),
    authenticatorData: bytes(AUTHENTICATOR_DATA_BYTES),
    signature: bytes(SIGNATURE_BYTES),
    userHandle: bytes(USER_HANDLE_BYTES).nullish(),
  }),
};

export const assertionAnswer = z.object({ ...assertion, device_name: name.optional() })
  .openapi("PasskeyAssertion");

export const stepUpRequest = z.union([
  z.strictObject({ code: oneTimeCode }),
  z.object(assertion),
]).openapi("StepUpRequest", {
  description:
    "`{code}`, or the `AuthenticationResponseJSON` of the browser to `POST /v1/auth/passkeys/assertions/options` with a token",
});

export const passkeySchema = z.object({
  id: z.string(),
  name: z.string().nullable(),
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
}).openapi("Passkey");

type Assertion = Pick<z.infer<typeof assertionAnswer>, "id" | "rawId" | "response">;

export function assertionOf({ id, rawId, response }: Assertion): AssertionAnswer {
  return { id, rawId, response: { ...response, userHandle: response.userHandle ?? null } };
}
