// Why the catalogue refuses something. Expected outcomes, so values; the routes turn them into problems.

/** One bad field. `pointer` is a JSON pointer into the body, or `#line/<number>/<field>` in an imported file. */
export type CatalogueFieldError = { readonly pointer: string; readonly code: string; readonly detail: Readonly<Record<"fr" | "en", string>> };

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
  duplicate_in_file: { fr: "Cette marque est déjà dans le fichier", en: "This brand is already in the file" },
  malformed_json: { fr: "Cette ligne n'est pas un objet JSON", en: "This line is not a JSON object" },
  malformed_csv: { fr: "Cette ligne n'est pas du CSV valable", en: "This line is not valid CSV" },
  not_utf8: { fr: "Cette ligne n'est pas en UTF-8", en: "This line is not UTF-8" },
  column_unknown: { fr: "Cette colonne n'existe pas", en: "There is no such column" },
  field_invalid: { fr: "Ce champ est absent ou n'est pas valable", en: "This field is missing or not valid" },
  unknown_field: { fr: "Ce champ n'existe pas", en: "There is no such field" },
  too_many_lines: { fr: "Le fichier a trop de lignes", en: "The file has too many lines" },
  file_empty: { fr: "Le fichier est vide", en: "The file is empty" },
  label_not_card: { fr: "Ce libellé n'est pas celui d'un paiement par carte", en: "This label is not that of a card payment" },
  merchant_missing: { fr: "Ce libellé ne nomme aucun commerçant", en: "This label names no merchant" },
} as const satisfies Record<string, Readonly<Record<"fr" | "en", string>>>;

export type CatalogueFieldCode = keyof typeof DETAILS;

/** A field error with one of the catalogue's own codes. */
export function fieldError(pointer: string, code: CatalogueFieldCode): CatalogueFieldError {
  return { pointer, code, detail: DETAILS[code] };
}
