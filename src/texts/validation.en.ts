// What a schema found wrong with a field, in English: one sentence without a final period and without
// the value that was sent.
import type { TranslationOf } from "./catalogue.ts";
import type { VALIDATION_FR } from "./validation.fr.ts";

export const VALIDATION_EN: TranslationOf<typeof VALIDATION_FR> = {
  field_required: "This field is required",
  field_unknown: "There is no such field",
  value_invalid: "This value is not valid",
  day_required: "The day of purchase is needed: the bank's cannot be true",
  day_invalid: "The purchase cannot have been made on that day",
  day_not_asked: "This row has a day of its own, or is not counted",
  form_invalid: "This text does not have the required form",
  must_be: "Must be {what}",
  must_be_one_of: "Must be one of: {values}",
  type_string: "a text",
  type_number: "a number",
  type_int: "an integer",
  type_boolean: "a boolean",
  type_array: "a list",
  type_object: "an object",
  type_null: "null",
  format_email: "an e-mail address",
  format_url: "a web address",
  format_datetime: "an RFC 3339 instant in UTC",
  format_date: "a date YYYY-MM-DD",
  format_uuid: "a UUID",
  more_than: "More than {amount}",
  at_least: "At least {amount}",
  less_than: "Less than {amount}",
  at_most: "At most {amount}",
  thousands_separator: ",",
  characters_one: "{count} character",
  characters_many: "{count} characters",
  items_one: "{count} item",
  items_many: "{count} items",
};
