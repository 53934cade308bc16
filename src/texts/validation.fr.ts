// What a schema found wrong with a field, in French: one sentence without a final period and without
// the value that was sent.

export const VALIDATION_FR = {
  field_required: "Ce champ est obligatoire",
  field_unknown: "Ce champ n'existe pas",
  value_invalid: "Cette valeur n'est pas valable",
  form_invalid: "Ce texte n'a pas la forme voulue",
  must_be: "Il faut {what}",
  must_be_one_of: "Il faut une de ces valeurs : {values}",
  type_string: "un texte",
  type_number: "un nombre",
  type_int: "un nombre entier",
  type_boolean: "un booléen",
  type_array: "une liste",
  type_object: "un objet",
  type_null: "null",
  format_email: "une adresse e-mail",
  format_url: "une adresse web",
  format_datetime: "un instant RFC 3339 en UTC",
  format_date: "une date AAAA-MM-JJ",
  format_uuid: "un UUID",
  more_than: "Plus de {amount}",
  at_least: "Au moins {amount}",
  less_than: "Moins de {amount}",
  at_most: "Au plus {amount}",
  // A narrow no-break space: these limits were always written so.
  thousands_separator: "\u202f",
  characters_one: "{count} caractère",
  characters_many: "{count} caractères",
  items_one: "{count} élément",
  items_many: "{count} éléments",
} as const;
