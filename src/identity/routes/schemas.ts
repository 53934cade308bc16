// Request and answer bodies of the identity routes.
import { z } from "@hono/zod-openapi";
import { saying } from "../../http/validation.ts";
import { VALIDATION } from "../../texts/texts.ts";
import { CHALLENGE_CHARS_MAX } from "../challenge.ts";
import { isCode, normaliseCode } from "../code.ts";
import { CONSENT_PURPOSES } from "../consent.ts";
import { EMAIL_PATTERN, normaliseEmail } from "../email.ts";
import { isName, normaliseName } from "../profile.ts";
import type { SignedIn } from "../service/index.ts";
import { UNDO_TOKEN_CHARS_MAX } from "../undo-token.ts";

const EMAIL_CHARS_MAX = 254;

export const locale = z.enum(["fr", "en"]);

// The longest sensible input is twice the limit, since trimming comes first.
export const email = z.string().max(2 * EMAIL_CHARS_MAX).transform(normaliseEmail).pipe(
  z.email({ pattern: EMAIL_PATTERN }).max(EMAIL_CHARS_MAX),
).openapi({ type: "string", format: "email", example: "camille@example.org" });

// People type a code as they read it, in groups.
export const oneTimeCode = z.string().max(32).transform(normaliseCode).refine(
  isCode,
  saying("invalid_format", VALIDATION.both("form_invalid")),
).openapi({
  type: "string",
  description: "6 digits or 10 characters, as in the mail; spaces are ignored",
  example: "123 456",
});

const challenge = z.string().min(1).max(CHALLENGE_CHARS_MAX).openapi({
  description: "Of the answer to `POST /v1/auth/codes`",
});

const instant = z.iso.datetime();

export const name = z.string().transform(normaliseName).refine(
  isName,
  saying("name_invalid", VALIDATION.both("name_invalid")),
).openapi({
  type: "string",
  description: "1 to 100 characters, no control characters",
});

export const codeRequest = z.strictObject({
  email: email.optional(),
  locale: locale.optional(),
  challenge: challenge.optional(),
  purpose: z.enum(["step_up", "change_email"]).optional(),
})
  .superRefine((value, context) => {
    if (value.purpose !== "step_up" && value.email === undefined) {
      context.addIssue({
        code: "invalid_type",
        expected: "string",
        input: undefined,
        path: ["email"],
      });
    }
    // With a session the language is the user's own, and a step-up code goes to their own address;
    // naming others would be a mistake that the caller must see.
    const named = (["email", "locale", "challenge"] as const).filter((key) =>
      value[key] !== undefined && !(value.purpose === "change_email" && key === "email")
    );
    if (value.purpose !== undefined && named.length > 0) {
      context.addIssue({ code: "unrecognized_keys", keys: named, input: value });
    }
  })
  .openapi("CodeRequest", {
    description:
      '`{email, locale?, challenge?}` to sign in, or with a bearer token `{purpose: "step_up"}` or `{purpose: "change_email", email}`',
  });

export const codeSent = z.object({
  expires_in: z.int(),
  challenge: z.string().optional().openapi({
    description:
      "The given one or a new one. Absent with a bearer token: the session takes its place",
  }),
}).openapi("CodeSent");

export const signInRequest = z.strictObject({
  email,
  code: oneTimeCode,
  challenge,
  device_name: name.optional(),
  // The shape is judged by the route, since its refusal has its own code.
  referral_code: z.string().max(64).optional().openapi({ description: "6 lower-case letters" }),
}).openapi("SignInRequest");

export const signedInSchema = z.object({
  access_token: z.string(),
  token_type: z.literal("Bearer"),
  expires_in: z.int(),
  refresh_token: z.string(),
  refresh_expires_in: z.int(),
  user: z.object({ id: z.string(), created: z.boolean() }),
}).openapi("SignedIn");

export const undoRequest = z.strictObject({
  token: z.string().min(1).max(UNDO_TOKEN_CHARS_MAX),
}).openapi("UndoRequest");

export const sessionSchema = z.object({
  id: z.string(),
  device_name: z.string().nullable(),
  created_at: instant,
  last_used_at: instant,
  current: z.boolean(),
}).openapi("Session");

export const profileSchema = z.object({
  id: z.string(),
  email: z.string(),
  first_name: z.string().nullable(),
  last_name: z.string().nullable(),
  gender: z.enum(["female", "male", "other"]).nullable(),
  birth_date: z.iso.date().nullable(),
  locale,
  profile_complete: z.boolean(),
  created_at: instant,
}).openapi("Profile");

export const textVersion = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);

export const consentSchema = z.object({
  purpose: z.enum(CONSENT_PURPOSES),
  granted: z.boolean(),
  text_version: z.string().nullable(),
  at: instant.nullable(),
}).openapi("Consent");

export function signedInBody(session: SignedIn): z.infer<typeof signedInSchema> {
  return {
    access_token: session.accessToken,
    token_type: "Bearer",
    expires_in: session.expiresInS,
    refresh_token: session.refreshToken,
    refresh_expires_in: session.refreshExpiresInS,
    user: { id: session.userId, created: session.created },
  };
}
