// Why a review is not decided. Expected outcomes, so values; the routes turn them into problems.
import type { LedgerError } from "../ledger/ports.ts";

export type ReviewError =
  | { readonly code: "not_found" }
  /** Somebody decided otherwise, or the row is no longer held. */
  | { readonly code: "decided" }
  /** A refund waits for its purchase, which nobody can decide. */
  | { readonly code: "not_decidable" }
  /**
   * The bank gave no readable amount: what is shown was made up, and must earn nothing.
   */
  | { readonly code: "not_countable" }
  /** Its day cannot be true: counting it takes a day. */
  | { readonly code: "day_required" }
  /** The day is not one on which the purchase can have been made. */
  | { readonly code: "day_invalid" }
  /** The row has a day of its own. */
  | { readonly code: "day_not_asked" }
  /** It would earn more now than was proposed, or than one person may grant. */
  | { readonly code: "second_person_required" }
  /** Somebody proposed it, and who agrees must be a person whom the roles name. */
  | { readonly code: "listed_person_required" }
  | LedgerError;
