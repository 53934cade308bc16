// Why the catalogue refuses something. Expected outcomes, so values; the routes turn them into
// problems.
import type { ApprovalRefusal } from "../http/second-person.ts";
import type { InBothLanguages } from "../texts/catalogue.ts";
import { OFFERS } from "../texts/texts.ts";

/**
 * One bad field. `pointer` is a JSON pointer into the body, or `#line/<number>/<field>` in an
 * imported file, whose line is then given.
 */
export type CatalogueFieldError = {
  readonly pointer: string;
  readonly code: string;
  readonly detail: InBothLanguages;
  readonly line?: number;
};

export type CatalogueError =
  | { readonly code: "not_found" }
  /** Offers are halted. */
  | { readonly code: "programme_paused" }
  /** Nothing is waiting for an approval any more. */
  | { readonly code: "not_waiting" }
  | ApprovalRefusal
  /** Others kept changing the catalogue while we tried. */
  | { readonly code: "busy" }
  | { readonly code: "name_taken" }
  /** A stopped offer gets no version and no other end. */
  | { readonly code: "offer_stopped" }
  /** Nothing of the offer is left to be stopped. */
  | { readonly code: "offer_over" }
  /** Money hangs on the brand: an offer of it is in force or to come. */
  | { readonly code: "brand_has_offer" }
  | { readonly code: "invalid"; readonly errors: readonly CatalogueFieldError[] };

const FIELD_CODES = [
  "name_taken",
  "brand_unknown",
  "brand_missing",
  "duplicate_in_file",
  "malformed_json",
  "malformed_csv",
  "not_utf8",
  "column_unknown",
  "list_missing",
  "unknown_field",
  "too_many_lines",
  "file_empty",
  "label_not_card",
  "legal_name_repeated",
  "merchant_missing",
  "brand_archived",
  "reason_missing",
  "offer_is_stopped",
] as const;

export type CatalogueFieldCode = (typeof FIELD_CODES)[number];

/** A field error with one of the catalogue's own codes. */
export function fieldError(pointer: string, code: CatalogueFieldCode): CatalogueFieldError {
  return { pointer, code, detail: OFFERS.both(code) };
}

/** The error of one line of a file; `path` leads on from the line, e.g. `/name`. */
export function lineError(
  at: { readonly line: number; readonly pointer: string },
  path: string,
  code: CatalogueFieldCode,
): CatalogueFieldError {
  return { ...fieldError(`${at.pointer}${path}`, code), line: at.line };
}

/** As `duplicate_in_file`, in the words that an offer needs. */
export function duplicateOffer(
  at: { readonly line: number; readonly pointer: string },
): CatalogueFieldError {
  return {
    ...lineError(at, "/title", "duplicate_in_file"),
    detail: OFFERS.both("duplicate_offer_in_file"),
  };
}
