// Refusals of the identity domain, and the one failure that is nobody's fault here: an issuer whose
// keys cannot be fetched.

type LimitError = {
  readonly code: "rate_limited";
  readonly limit: "codes" | "network" | "tries";
  readonly retryAfterS: number;
};
type TriesError = { readonly code: "code_tries_exceeded"; readonly retryAfterS: number };

export type SendCodeError =
  | LimitError
  | { readonly code: "email_unavailable" }
  | {
    readonly code: "token_invalid";
  }
  | { readonly code: "forbidden" }
  | { readonly code: "step_up_codes_off" };
export type CodeError = LimitError | TriesError | { readonly code: "code_invalid" };
export type SignInError = CodeError | { readonly code: "forbidden" | "email_reserved" };
export type EmailChangeError = CodeError | { readonly code: "email_in_use" };
export type StepUpError = CodeError | { readonly code: "passkey_invalid" | "step_up_codes_off" };
export type PasskeyError = { readonly code: "passkey_not_registered" | "passkey_limit_reached" };
export type RefreshError = { readonly code: "refresh_invalid" } | {
  readonly code: "refresh_reused";
};

/**
 * Thrown when the keys of an outside issuer cannot be had: a token is then neither good nor bad,
 * and the caller may repeat.
 */
export class IssuerKeysUnavailable extends Error {
  override readonly name = "IssuerKeysUnavailable";
}

/** For `AppServices.isUnavailable`: such a failure answers 503, not 500. */
export function isIssuerUnavailable(error: unknown): boolean {
  return error instanceof IssuerKeysUnavailable;
}
