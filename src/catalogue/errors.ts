// Why the catalogue refuses something. Expected outcomes, so values; the routes turn them into
// problems.

/**
 * One bad field. `pointer` is a JSON pointer into the body, or `#line/<number>/<field>` in an
 * imported file, whose line is then given.
 */
export type CatalogueFieldError = {
  readonly pointer: string;
  readonly code: string;
  readonly detail: Readonly<Record<"fr" | "en", string>>;
  readonly line?: number;
};

export type CatalogueError =
  | { readonly code: "not_found" }
  /** Nothing is waiting for an approval any more. */
  | { readonly code: "not_waiting" }
  /** The one who made a change may not be the one who approves it. */
  | { readonly code: "second_person_required" }
  /** Others kept changing the catalogue while we tried. */
  | { readonly code: "busy" }
  | { readonly code: "name_taken" }
  | { readonly code: "invalid"; readonly errors: readonly CatalogueFieldError[] };

const DETAILS = {
  name_taken: { fr: "Une marque porte déjà ce nom", en: "A brand has this name already" },
  brand_unknown: { fr: "Cette marque n'existe pas", en: "There is no such brand" },
  brand_missing: {
    fr: "La marque est à nommer par brand_id ou par brand",
    en: "The brand must be named by brand_id or by brand",
  },
  duplicate_in_file: {
    fr: "Cette marque est déjà dans le fichier",
    en: "This brand is already in the file",
  },
  malformed_json: {
    fr: "Cette ligne n'est pas un objet JSON",
    en: "This line is not a JSON object",
  },
  malformed_csv: { fr: "Cette ligne n'est pas du CSV valable", en: "This line is not valid CSV" },
  not_utf8: { fr: "Cette ligne n'est pas en UTF-8", en: "This line is not UTF-8" },
  column_unknown: { fr: "Cette colonne n'existe pas", en: "There is no such column" },
  list_missing: { fr: "Il faut ici la liste à importer", en: "The list to import belongs here" },
  unknown_field: { fr: "Ce champ n'existe pas", en: "There is no such field" },
  too_many_lines: { fr: "Le fichier a trop de lignes", en: "The file has too many lines" },
  file_empty: { fr: "Le fichier est vide", en: "The file is empty" },
  label_not_card: {
    fr: "Ce libellé n'est pas celui d'un paiement par carte",
    en: "This label is not that of a card payment",
  },
  legal_name_repeated: {
    fr: "Cette raison sociale est déjà dans le fichier",
    en: "This legal name is already in the file",
  },
  merchant_missing: {
    fr: "Ce libellé ne nomme aucun commerçant",
    en: "This label names no merchant",
  },
} as const satisfies Record<string, Readonly<Record<"fr" | "en", string>>>;

type CatalogueFieldCode = keyof typeof DETAILS;

/** A field error with one of the catalogue's own codes. */
export function fieldError(pointer: string, code: CatalogueFieldCode): CatalogueFieldError {
  return { pointer, code, detail: DETAILS[code] };
}

/** The error of one line of a file; `path` leads on from the line, e.g. `/name`. */
export function lineError(
  at: { readonly line: number; readonly pointer: string },
  path: string,
  code: CatalogueFieldCode,
): CatalogueFieldError {
  return { ...fieldError(`${at.pointer}${path}`, code), line: at.line };
}

const DUPLICATE_OFFER = {
  fr: "Cette offre (même marque, même titre français) est déjà dans le fichier",
  en: "This offer (same brand, same French title) is already in the file",
} as const;

/** As `duplicate_in_file`, in the words that an offer needs. */
export function duplicateOffer(
  at: { readonly line: number; readonly pointer: string },
): CatalogueFieldError {
  return { ...lineError(at, "/title", "duplicate_in_file"), detail: DUPLICATE_OFFER };
}
