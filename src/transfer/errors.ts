// Why a page is not given or not taken. Each has one sentence for the operator (texts/transfer);
// none names a value.
import type { InBothLanguages } from "../texts/catalogue.ts";
import { TRANSFER } from "../texts/texts.ts";

export type TransferError =
  | "archive_unknown"
  | "cursor_invalid"
  | "changed"
  | "keys_differ"
  | "versions_differ"
  | "not_empty"
  | "other_import"
  | "line_out_of_order"
  | "line_refused"
  | "mismatch"
  | "incomplete"
  | "unavailable";

/** The operator's sentence for a refusal. */
export const sentenceOf = (code: TransferError): InBothLanguages => TRANSFER.both(code);
