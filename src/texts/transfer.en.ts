// Why a page of an archive is not given or not taken, for the operator, in English.
import type { TranslationOf } from "./catalogue.ts";
import type { TRANSFER_FR } from "./transfer.fr.ts";

export const TRANSFER_EN: TranslationOf<typeof TRANSFER_FR> = {
  archive_unknown: "This archive is not of a known format",
  cursor_invalid: "Cursor not valid",
  changed: "The system changed while it was exported: stop its traffic and start again",
  keys_differ: "The keyrings differ from the archive's",
  versions_differ: "The two systems have not run the same migrations",
  not_empty: "This system is not empty",
  other_import: "Another import was begun or finished here",
  line_out_of_order: "Another line is expected",
  line_refused: "The line was altered, moved or sealed under another key",
  mismatch: "What arrived is not what left",
  incomplete: "Pages are missing",
  unavailable: "The points ledger does not answer",
};
