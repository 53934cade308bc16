// Every refusal of the API: one closed table of codes, answered as RFC 9457 problem details in
// French or English. A code is a promise to clients and never changes; texts may. No text quotes a
// value that identifies a person.
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppEnv, Locale } from "./context.ts";

type Entry = { readonly status: ContentfulStatusCode; readonly fr: string; readonly en: string };

const TABLE = {
  malformed_json: {
    status: 400,
    fr: "Le corps n'est pas du JSON valide",
    en: "The body is not valid JSON",
  },
  idempotency_key_required: {
    status: 400,
    fr: "L'en-tête Idempotency-Key est requis",
    en: "The Idempotency-Key header is required",
  },
  state_invalid: {
    status: 400,
    fr: "Ce retour de banque n'est pas ou plus valable",
    en: "This return from the bank is not valid, or no longer",
  },
  cursor_invalid: {
    status: 400,
    fr: "Le curseur de page n'est pas valable",
    en: "The page cursor is not valid",
  },
  token_missing: { status: 401, fr: "Jeton d'accès absent", en: "Access token missing" },
  token_invalid: { status: 401, fr: "Jeton d'accès non valable", en: "Access token not valid" },
  token_expired: { status: 401, fr: "Jeton d'accès expiré", en: "Access token expired" },
  code_invalid: { status: 401, fr: "Code erroné ou expiré", en: "Code wrong or expired" },
  refresh_invalid: {
    status: 401,
    fr: "Jeton de renouvellement non valable",
    en: "Refresh token not valid",
  },
  refresh_reused: {
    status: 401,
    fr: "Jeton de renouvellement déjà utilisé : session fermée",
    en: "Refresh token already used: session closed",
  },
  signature_invalid: {
    status: 401,
    fr: "Signature absente ou fausse",
    en: "Signature missing or wrong",
  },
  forbidden: { status: 403, fr: "Accès refusé", en: "Access denied" },
  consent_required: { status: 403, fr: "Un consentement manque", en: "A consent is missing" },
  profile_incomplete: {
    status: 403,
    fr: "Le profil est incomplet",
    en: "The profile is incomplete",
  },
  age_below_minimum: {
    status: 403,
    fr: "L'âge minimum n'est pas atteint",
    en: "The minimum age is not reached",
  },
  step_up_required: {
    status: 403,
    fr: "Une authentification forte récente est requise",
    en: "A recent strong authentication is required",
  },
  second_person_required: {
    status: 403,
    fr: "Une seconde personne doit approuver",
    en: "A second person must approve",
  },
  not_found: { status: 404, fr: "Introuvable", en: "Not found" },
  method_not_allowed: { status: 405, fr: "Méthode non permise", en: "Method not allowed" },
  conflict: {
    status: 409,
    fr: "L'état actuel ne le permet pas",
    en: "The present state does not allow it",
  },
  idempotency_conflict: {
    status: 409,
    fr: "Cette Idempotency-Key a servi pour une autre demande",
    en: "This Idempotency-Key was used for another request",
  },
  idempotency_in_progress: {
    status: 409,
    fr: "La même demande est en cours",
    en: "The same request is in progress",
  },
  payload_too_large: { status: 413, fr: "Le corps est trop grand", en: "The body is too large" },
  unsupported_media_type: {
    status: 415,
    fr: "Type de contenu non pris en charge",
    en: "Media type not supported",
  },
  validation_failed: {
    status: 422,
    fr: "Des champs sont inconnus ou non valables",
    en: "Fields are unknown or not valid",
  },
  redirect_uri_unknown: {
    status: 422,
    fr: "Adresse de retour inconnue",
    en: "Redirect address unknown",
  },
  bank_unknown: { status: 422, fr: "Banque inconnue", en: "Bank unknown" },
  referral_code_invalid: {
    status: 422,
    fr: "Code de parrainage non valable",
    en: "Referral code not valid",
  },
  points_insufficient: { status: 422, fr: "Pas assez de points", en: "Not enough points" },
  below_threshold: { status: 422, fr: "En dessous du minimum", en: "Below the minimum" },
  points_not_redeemable: {
    status: 422,
    fr: "Ces points ne font pas un nombre entier de centimes",
    en: "These points are not a whole number of cents",
  },
  payout_account_missing: { status: 422, fr: "Aucun compte de versement", en: "No payout account" },
  payout_account_waiting: {
    status: 422,
    fr: "Le compte de versement est trop récent",
    en: "The payout account is too recent",
  },
  balance_negative: { status: 422, fr: "Le solde est négatif", en: "The balance is negative" },
  offer_not_available: {
    status: 422,
    fr: "Cette offre n'est pas disponible",
    en: "This offer is not available",
  },
  rate_limited: { status: 429, fr: "Trop de demandes", en: "Too many requests" },
  code_tries_exceeded: {
    status: 429,
    fr: "Trop d'essais pour ce code",
    en: "Too many tries of this code",
  },
  internal: { status: 500, fr: "Erreur interne", en: "Internal error" },
  unavailable: {
    status: 503,
    fr: "Service momentanément indisponible",
    en: "Service unavailable for a moment",
  },
  aggregator_unavailable: {
    status: 503,
    fr: "L'agrégateur bancaire ne répond pas",
    en: "The bank aggregator does not answer",
  },
  ledger_unavailable: {
    status: 503,
    fr: "Le registre des points ne répond pas",
    en: "The points ledger does not answer",
  },
  email_unavailable: {
    status: 503,
    fr: "L'envoi d'e-mails ne répond pas",
    en: "E-mail delivery does not answer",
  },
} as const satisfies Record<string, Entry>;

export type ProblemCode = keyof typeof TABLE;

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
  const entry: Entry = TABLE[code];
  const locale = c.get("locale") ?? "fr";
  const body: ProblemBody = {
    type: `https://cagnotte.example/problems/${code}`,
    title: entry[locale],
    status: entry.status,
    code,
    detail: options.detail?.[locale] ?? entry[locale],
    request_id: c.get("requestId") ?? "",
    ...(options.errors === undefined ? {} : { errors: options.errors }),
  };
  return c.body(JSON.stringify(body), entry.status, {
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
  return (Object.keys(TABLE) as ProblemCode[]).map((code) => ({ code, ...TABLE[code] }));
}
