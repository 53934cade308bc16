// What a schema found wrong, as our own codes and texts in French and English. Made from what the
// schema asks for, never from what was sent: zod's own messages are in one language and quote
// values now and then.
import type { z } from "zod";
import type { InBothLanguages } from "../texts/catalogue.ts";
import { VALIDATION } from "../texts/texts.ts";
import { pluralForm } from "../texts/formats.ts";

/**
 * One bad field: a JSON pointer (RFC 6901) into the value, a code, one sentence without a final
 * period and without a value.
 */
type ValueError = {
  readonly pointer: string;
  readonly code: string;
  readonly detail: InBothLanguages;
};

type Issue = z.core.$ZodIssue;

const INVALID = VALIDATION.both("value_invalid");

const TYPES = {
  string: "type_string",
  number: "type_number",
  int: "type_int",
  boolean: "type_boolean",
  array: "type_array",
  object: "type_object",
  record: "type_object",
  null: "type_null",
} as const;

const FORMATS = {
  email: "format_email",
  url: "format_url",
  datetime: "format_datetime",
  date: "format_date",
  guid: "format_uuid",
  uuid: "format_uuid",
} as const;

/**
 * The code that leaves us for each kind of finding. A closed list of our own: what the schema
 * library calls a rule of ours says nothing to a client, and may change with its next version.
 */
const FIELD_CODES = {
  invalid_type: "invalid_type",
  invalid_format: "invalid_format",
  invalid_value: "invalid_value",
  too_small: "too_small",
  too_big: "too_big",
  unrecognized_keys: "unknown_field",
  not_multiple_of: "invalid_value",
  invalid_union: "invalid_value",
  invalid_key: "invalid_value",
  invalid_element: "invalid_value",
  custom: "invalid_value",
} as const satisfies Record<Issue["code"], string>;

// What a size counts.
const UNITS = {
  string: { one: "characters_one", many: "characters_many" },
  array: { one: "items_one", many: "items_many" },
} as const;

function hasKey<Known extends object>(known: Known, key: string): key is keyof Known & string {
  return Object.hasOwn(known, key);
}

function mustBe(what: InBothLanguages): InBothLanguages {
  return {
    fr: VALIDATION.in("fr")("must_be", { what: what.fr }),
    en: VALIDATION.in("en")("must_be", { what: what.en }),
  };
}

/** "300", "300 caractères": a number as the language writes it, with what it counts. */
function amount(value: number | bigint, origin: string, locale: "fr" | "en"): string {
  const say = VALIDATION.in(locale);
  const count = String(value).replace(/\B(?=(\d{3})+(?!\d))/g, say("thousands_separator"));
  if (!hasKey(UNITS, origin)) return count;
  return say(UNITS[origin][pluralForm(Number(value), locale)], { count });
}

function bounded(
  key: "more_than" | "at_least" | "less_than" | "at_most",
  limit: number | bigint,
  origin: string,
): InBothLanguages {
  return {
    fr: VALIDATION.in("fr")(key, { amount: amount(limit, origin, "fr") }),
    en: VALIDATION.in("en")(key, { amount: amount(limit, origin, "en") }),
  };
}

function detailOf(issue: Issue): InBothLanguages {
  switch (issue.code) {
    case "invalid_type":
      return hasKey(TYPES, issue.expected)
        ? mustBe(VALIDATION.both(TYPES[issue.expected]))
        : INVALID;
    case "invalid_format":
      return hasKey(FORMATS, issue.format)
        ? mustBe(VALIDATION.both(FORMATS[issue.format]))
        : VALIDATION.both("form_invalid");
    case "invalid_value": {
      const values = issue.values.map(String).join(", ");
      return issue.values.length === 1
        ? VALIDATION.both("must_be", { what: values })
        : VALIDATION.both("must_be_one_of", { values });
    }
    case "too_small":
      return bounded(
        issue.inclusive === false ? "more_than" : "at_least",
        issue.minimum,
        issue.origin,
      );
    case "too_big":
      return bounded(
        issue.inclusive === false ? "less_than" : "at_most",
        issue.maximum,
        issue.origin,
      );
    default:
      return INVALID;
  }
}

/** For `refine`: the code and the words of what a rule of ours refuses. */
export function saying(
  code: string,
  words: InBothLanguages,
): { readonly params: { readonly code: string; readonly words: InBothLanguages } } {
  return { params: { code, words } };
}

/** What `saying` gave the rule that made this issue, or null. */
function said(issue: Issue): { readonly code: string; readonly detail: InBothLanguages } | null {
  const params = issue.code === "custom"
    ? (issue.params as Partial<ReturnType<typeof saying>["params"]> | undefined)
    : undefined;
  return params?.code === undefined || params.words === undefined
    ? null
    : { code: params.code, detail: params.words };
}

function step(part: PropertyKey): string {
  // A name that was sent is repeated in the answer, but no essay.
  return `/${String(part).slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function isAbsent(value: unknown, path: readonly PropertyKey[]): boolean {
  let at = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return true;
    at = (at as Record<PropertyKey, unknown>)[part];
  }
  return at === undefined;
}

/**
 * The bad fields of `value`, in the order in which the schema found them, each unknown field by
 * itself. `value` is what was checked; it only shows whether a field is there at all.
 */
export function valueErrors(issues: readonly Issue[], value: unknown): readonly ValueError[] {
  return issues.flatMap((issue): ValueError[] => {
    const pointer = issue.path.map(step).join("");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((name) => ({
        pointer: `${pointer}${step(name)}`,
        code: FIELD_CODES.unrecognized_keys,
        detail: VALIDATION.both("field_unknown"),
      }));
    }
    return [{
      pointer,
      ...(said(issue) ??
        {
          code: FIELD_CODES[issue.code],
          detail: isAbsent(value, issue.path) ? VALIDATION.both("field_required") : detailOf(issue),
        }),
    }];
  });
}
