// Why a page is not given or not taken. Each has one sentence for the operator; none names a value.

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

const SENTENCES: Readonly<Record<TransferError, { readonly fr: string; readonly en: string }>> = {
  archive_unknown: {
    fr: "Cette archive n'est pas d'un format connu",
    en: "This archive is not of a known format",
  },
  cursor_invalid: { fr: "Curseur non valable", en: "Cursor not valid" },
  changed: {
    fr: "Le système a changé pendant l'export : arrêtez son trafic et recommencez",
    en: "The system changed while it was exported: stop its traffic and start again",
  },
  keys_differ: {
    fr: "Les trousseaux de clés diffèrent de ceux de l'archive",
    en: "The keyrings differ from the archive's",
  },
  versions_differ: {
    fr: "Les deux systèmes n'ont pas les mêmes migrations",
    en: "The two systems have not run the same migrations",
  },
  not_empty: { fr: "Ce système n'est pas vide", en: "This system is not empty" },
  other_import: {
    fr: "Un autre import a été commencé ou terminé ici",
    en: "Another import was begun or finished here",
  },
  line_out_of_order: { fr: "Une autre ligne est attendue", en: "Another line is expected" },
  line_refused: {
    fr: "La ligne a été modifiée, déplacée ou scellée par une autre clé",
    en: "The line was altered, moved or sealed under another key",
  },
  mismatch: {
    fr: "Ce qui est arrivé n'est pas ce qui est parti",
    en: "What arrived is not what left",
  },
  incomplete: { fr: "Des pages manquent", en: "Pages are missing" },
  unavailable: {
    fr: "Le registre des points ne répond pas",
    en: "The points ledger does not answer",
  },
};

export function sentenceOf(code: TransferError): { readonly fr: string; readonly en: string } {
  return SENTENCES[code];
}
