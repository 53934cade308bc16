// What to do about a refusal, in English: one or two sentences for each problem code, which add to
// its title instead of repeating it. No sentence quotes a value that identifies a person.
import type { TranslationOf } from "./catalogue.ts";
import type { PROBLEM_DETAILS_FR } from "./problem-details.fr.ts";

export const PROBLEM_DETAILS_EN: TranslationOf<typeof PROBLEM_DETAILS_FR> = {
  transfer_not_possible: "Read your accounts again: they show whether you earn now.",
  transfer_in_progress: "Wait for the answer to that request; without one it ends after 14 days.",
  transfer_not_asked:
    "Read your accounts again: the request was withdrawn, or has its answer already.",
  account_shared: "Another holder already earns with this account",
  malformed_json: "Send a single JSON document in UTF-8.",
  idempotency_key_required:
    "Send 1 to 255 visible ASCII characters, the same ones when you repeat the request.",
  state_invalid: "Start linking your bank again from the beginning.",
  cursor_invalid:
    "Start the list again at its first page; a cursor is good for its list and filters only.",
  token_missing: "Send the header Authorization: Bearer with an access token.",
  token_invalid: "Sign in again.",
  token_expired: "Ask for a new access token with your refresh token.",
  code_invalid: "Check the newest code that you received, or ask for another one.",
  passkey_invalid:
    "Ask for a new challenge and try again with a passkey of this account, or use a code.",
  refresh_invalid: "Sign in again.",
  refresh_reused: "Sign in again on this device.",
  undo_invalid:
    "Use the link of the newest message; it is good for 7 days. Otherwise sign in and end your sessions.",
  signature_invalid: "The call is not signed with a secret that we know.",
  forbidden: "You are not allowed to make this call.",
  forbidden_role: "This call needs one of these roles: {roles}.",
  consent_required: "First give the consent that is missing.",
  consent_required_which: "First give your consent to: {consents}.",
  consent_terms: "the terms of use (terms)",
  consent_bank_data: "the use of your bank data (bank_data)",
  consent_missing: "This consent is missing",
  profile_incomplete: "First give your date of birth (birth_date) in your profile.",
  profile_field_missing: "This field of the profile is missing",
  age_below_minimum: "This service is open from that age on only.",
  age_below_minimum_years: "You must be at least {years} years old.",
  step_up_required: "Confirm who you are, then repeat the request within five minutes.",
  step_up_codes_off: "Confirm with one of your passkeys.",
  second_person_required: "The person who asked for it cannot approve it themselves.",
  listed_person_required:
    "Have it approved by a person whom ACCESS_ROLES names by address. Service tokens and members of a domain do not approve.",
  not_found: "This address leads to nothing, or to nothing of yours.",
  method_not_allowed: "The header Allow names the methods that this address accepts.",
  conflict: "Read the present state before you try again.",
  email_in_use: "Choose another address, or sign in with this one.",
  email_reserved:
    "To put it back, open the link of the message that told you about the change; otherwise sign in with the new address. It is free 7 days after the change.",
  passkey_missing: "Register a passkey first.",
  passkey_limit_reached: "First remove a passkey that you no longer use.",
  idempotency_conflict: "Use another key for a different request.",
  idempotency_in_progress: "Wait for its answer, then repeat it with the same key.",
  body_incomplete: "Send the whole body within 10 seconds.",
  payload_too_large: "Send less data at once.",
  unsupported_media_type: "Send the body as application/json.",
  unsupported_media_type_import:
    "Send the file as application/json, application/x-ndjson or text/csv.",
  validation_failed: "The list errors names each field to correct.",
  redirect_uri_unknown: "The redirect address must be one that the operator has declared.",
  bank_unknown: "Choose a bank of the list of banks.",
  passkey_not_registered:
    "Ask for a new challenge and try again; if the passkey is in your list already, there is nothing to do.",
  referral_code_invalid: "A referral code has six lower-case letters.",
  points_insufficient: "Ask for fewer points.",
  below_threshold: "Ask for more points.",
  points_not_redeemable: "Ask for a number of points that gives whole cents.",
  payout_account_missing: "First register a payout account.",
  payout_account_waiting: "Try again once the payout account is usable.",
  balance_negative: "New points must first make up for the points that were taken back.",
  offer_not_available: "The offer is not running at the moment.",
  rate_limited: "Slow your requests down.",
  code_tries_exceeded: "Ask for a new code.",
  internal: "The error is ours; request_id lets us find it.",
  unavailable: "Repeat the request later.",
  aggregator_unavailable: "Repeat the request later; nothing was lost.",
  trade_lost: "The aggregator's answer was lost. Start linking your bank again from the beginning.",
  ledger_unavailable: "Repeat the request later; your points are safe.",
  email_unavailable: "Repeat the request later.",

  retry_after: "{detail} Try again in {wait}.",
  seconds_one: "{count} second",
  seconds_many: "{count} seconds",
  minutes_one: "{count} minute",
  minutes_many: "{count} minutes",
  hours_one: "{count} hour",
  hours_many: "{count} hours",
};
