// Every refusal of the API: one closed table of codes, answered as RFC 9457 problem details in
// French or English. A code is a promise to clients and never changes; its title, which the
// catalogue of texts holds, may.
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { PROBLEMS } from "../texts/texts.ts";
import type { AppEnv, Locale } from "./context.ts";

const STATUS = {
  malformed_json: 400,
  idempotency_key_required: 400,
  state_invalid: 400,
  cursor_invalid: 400,
  token_missing: 401,
  token_invalid: 401,
  token_expired: 401,
  code_invalid: 401,
  refresh_invalid: 401,
  refresh_reused: 401,
  signature_invalid: 401,
  forbidden: 403,
  consent_required: 403,
  profile_incomplete: 403,
  age_below_minimum: 403,
  step_up_required: 403,
  second_person_required: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  transfer_not_possible: 409,
  transfer_in_progress: 409,
  transfer_not_asked: 409,
  idempotency_conflict: 409,
  idempotency_in_progress: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  validation_failed: 422,
  redirect_uri_unknown: 422,
  bank_unknown: 422,
  referral_code_invalid: 422,
  points_insufficient: 422,
  below_threshold: 422,
  points_not_redeemable: 422,
  payout_account_missing: 422,
  payout_account_waiting: 422,
  balance_negative: 422,
  offer_not_available: 422,
  rate_limited: 429,
  code_tries_exceeded: 429,
  internal: 500,
  unavailable: 503,
  aggregator_unavailable: 503,
  ledger_unavailable: 503,
  email_unavailable: 503,
} as const satisfies Record<keyof typeof PROBLEMS.fr, ContentfulStatusCode>;

export type ProblemCode = keyof typeof STATUS;

/**
 * One bad field: a JSON pointer (RFC 6901) into the body, `#query/<name>`, `#header/<name>` or
 * `#path/<name>`; in an imported file `#line/<number>/<field>`, with the line's number beside it.
 */
export type FieldError = {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
  readonly line?: number;
};

export type ProblemOptions = {
  /** One sentence in both languages; the title when absent. */
  readonly detail?: Readonly<Record<Locale, string>>;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
};

export type ProblemBody = {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  detail: string;
  request_id: string;
  errors?: readonly FieldError[];
};

/** Answers a problem with the status that its code has, in the caller's language. */
export function problem(
  c: Context<AppEnv>,
  code: ProblemCode,
  options: ProblemOptions = {},
): Response {
  const locale = c.get("locale") ?? "fr";
  const status: ContentfulStatusCode = STATUS[code];
  const title = PROBLEMS.in(locale)(code);
  const body: ProblemBody = {
    type: `https://cagnotte.example/problems/${code}`,
    title,
    status,
    code,
    detail: options.detail?.[locale] ?? title,
    request_id: c.get("requestId") ?? "",
    ...(options.errors === undefined ? {} : { errors: options.errors }),
  };
  return c.body(JSON.stringify(body), status, {
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
    "Content-Language": locale,
    ...options.headers,
  });
}

/** Every code with its status and texts: the source of the table in the OpenAPI document. */
export function problemTable(): readonly {
  code: ProblemCode;
  status: number;
  fr: string;
  en: string;
}[] {
  return (Object.keys(STATUS) as ProblemCode[]).map((code) => ({
    code,
    status: STATUS[code],
    ...PROBLEMS.both(code),
  }));
}
