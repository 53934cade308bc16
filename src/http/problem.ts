// Every refusal of the API: one closed table of codes, answered as RFC 9457 problem details in
// French or English. A code is a promise to clients and never changes; its title, which the
// catalogue of texts holds, may.
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { pluralForm } from "../texts/formats.ts";
import { PROBLEM_DETAILS, PROBLEMS } from "../texts/texts.ts";
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
  passkey_invalid: 401,
  refresh_invalid: 401,
  refresh_reused: 401,
  undo_invalid: 401,
  signature_invalid: 401,
  forbidden: 403,
  consent_required: 403,
  profile_incomplete: 403,
  age_below_minimum: 403,
  step_up_required: 403,
  step_up_codes_off: 403,
  second_person_required: 403,
  listed_person_required: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  email_in_use: 409,
  email_reserved: 409,
  passkey_missing: 409,
  passkey_limit_reached: 409,
  transfer_not_possible: 409,
  transfer_in_progress: 409,
  transfer_not_asked: 409,
  idempotency_conflict: 409,
  idempotency_in_progress: 409,
  body_incomplete: 408,
  payload_too_large: 413,
  unsupported_media_type: 415,
  validation_failed: 422,
  redirect_uri_unknown: 422,
  bank_unknown: 422,
  passkey_not_registered: 422,
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
  programme_paused: 503,
  aggregator_unavailable: 503,
  ledger_unavailable: 503,
  email_unavailable: 503,
} as const satisfies Record<keyof typeof PROBLEMS.fr, ContentfulStatusCode>;

export type ProblemCode = keyof typeof STATUS;

/** What a pointer may be, for the OpenAPI document and for whoever makes one. */
export const POINTERS =
  "What is wrong: a JSON pointer (RFC 6901) into the body, e.g. `/version/rate_bp`; in a request `#query/<name>`, `#header/<name>` or `#path/<name>`; in an imported file `#line/<number>/<field>`; outside of the request what is missing: `#consent/<purpose>`, `#profile/<field>`, `#role/<role>`; in `/readyz` `#check/<name>`";

/** One bad field, or one thing that is missing; see `POINTERS`. */
export type FieldError = {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
  readonly line?: number;
};

export type ProblemOptions = {
  /** Sentences in both languages, in place of what the code says in general. */
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

const WAITS = {
  seconds: { one: "seconds_one", many: "seconds_many" },
  minutes: { one: "minutes_one", many: "minutes_many" },
  hours: { one: "hours_one", many: "hours_many" },
} as const;

/** "Try again in 12 minutes": rounded up, so that whoever waits so long does not come too early. */
function withWait(detail: string, retryAfter: string | undefined, locale: Locale): string {
  const seconds = Number(retryAfter);
  if (retryAfter === undefined || !Number.isSafeInteger(seconds) || seconds < 1) return detail;
  const [count, unit] = seconds < 120
    ? [seconds, WAITS.seconds] as const
    : seconds < 7_200
    ? [Math.ceil(seconds / 60), WAITS.minutes] as const
    : [Math.ceil(seconds / 3_600), WAITS.hours] as const;
  const say = PROBLEM_DETAILS.in(locale);
  const wait = say(unit[pluralForm(count, locale)], { count: String(count) });
  return say("retry_after", { detail, wait });
}

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
    detail: withWait(
      options.detail?.[locale] ?? PROBLEM_DETAILS.in(locale)(code),
      options.headers?.["Retry-After"],
      locale,
    ),
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
