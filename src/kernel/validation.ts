// What a schema found wrong, as our own codes and words in French and English. Made from what the
// schema asks for, never from what was sent: zod's own messages are in one language and quote
// values now and then.
import type { z } from "zod";

type Words = Readonly<Record<"fr" | "en", string>>;

/**
 * One bad field: a JSON pointer (RFC 6901) into the value, a code, one sentence without a final
 * period and without a value.
 */
type ValueError = {
  readonly pointer: string;
  readonly code: string;
  readonly detail: Words;
};

type Issue = z.core.$ZodIssue;

const REQUIRED: Words = { fr: "Ce champ est obligatoire", en: "This field is required" };
const UNKNOWN: Words = { fr: "Ce champ n'existe pas", en: "There is no such field" };
const INVALID: Words = { fr: "Cette valeur n'est pas valable", en: "This value is not valid" };

const TYPES: Readonly<Record<string, Words>> = {
  string: { fr: "un texte", en: "a text" },
  number: { fr: "un nombre", en: "a number" },
  int: { fr: "un nombre entier", en: "an integer" },
  boolean: { fr: "un booléen", en: "a boolean" },
  array: { fr: "une liste", en: "a list" },
  object: { fr: "un objet", en: "an object" },
  record: { fr: "un objet", en: "an object" },
  null: { fr: "null", en: "null" },
};

const FORMATS: Readonly<Record<string, Words>> = {
  email: { fr: "une adresse e-mail", en: "an e-mail address" },
  url: { fr: "une adresse web", en: "a web address" },
  datetime: { fr: "un instant RFC 3339 en UTC", en: "an RFC 3339 instant in UTC" },
  date: { fr: "une date AAAA-MM-JJ", en: "a date YYYY-MM-DD" },
  guid: { fr: "un UUID", en: "a UUID" },
  uuid: { fr: "un UUID", en: "a UUID" },
};

// What a size counts, one and many.
const UNITS: Readonly<
  Record<string, { readonly fr: readonly [string, string]; readonly en: readonly [string, string] }>
> = {
  string: { fr: ["caractère", "caractères"], en: ["character", "characters"] },
  array: { fr: ["élément", "éléments"], en: ["item", "items"] },
};

function expected(what: Words | undefined, wrong: Words): Words {
  return what === undefined ? wrong : { fr: `Il faut ${what.fr}`, en: `Must be ${what.en}` };
}

/** "300", "300 caractères": a number as the language writes it, with what it counts. */
function amount(value: number | bigint, origin: string, locale: "fr" | "en"): string {
  const text = String(value).replace(/\B(?=(\d{3})+(?!\d))/g, locale === "fr" ? "\u202f" : ",");
  const unit = UNITS[origin]?.[locale];
  if (unit === undefined) return text;
  const single = locale === "fr" ? Number(value) < 2 : Number(value) === 1;
  return `${text} ${single ? unit[0] : unit[1]}`;
}

function bounded(limit: number | bigint, origin: string, words: Words): Words {
  return {
    fr: `${words.fr} ${amount(limit, origin, "fr")}`,
    en: `${words.en} ${amount(limit, origin, "en")}`,
  };
}

function wordsOf(issue: Issue): Words {
  switch (issue.code) {
    case "invalid_type":
      return expected(TYPES[issue.expected], INVALID);
    case "invalid_format":
      return expected(FORMATS[issue.format], {
        fr: "Ce texte n'a pas la forme voulue",
        en: "This text does not have the required form",
      });
    case "invalid_value": {
      const values = issue.values.map(String).join(", ");
      return issue.values.length === 1
        ? { fr: `Il faut ${values}`, en: `Must be ${values}` }
        : { fr: `Il faut une de ces valeurs : ${values}`, en: `Must be one of: ${values}` };
    }
    case "too_small":
      return bounded(
        issue.minimum,
        issue.origin,
        issue.inclusive === false
          ? { fr: "Plus de", en: "More than" }
          : { fr: "Au moins", en: "At least" },
      );
    case "too_big":
      return bounded(
        issue.maximum,
        issue.origin,
        issue.inclusive === false
          ? { fr: "Moins de", en: "Less than" }
          : { fr: "Au plus", en: "At most" },
      );
    default:
      return INVALID;
  }
}

/** For `refine`: the code and the words of what a rule of ours refuses. */
export function saying(
  code: string,
  fr: string,
  en: string,
): { readonly params: { readonly code: string; readonly words: Words } } {
  return { params: { code, words: { fr, en } } };
}

/** What `saying` gave the rule that made this issue, or null. */
function said(issue: Issue): { readonly code: string; readonly detail: Words } | null {
  const params = issue.code === "custom"
    ? (issue.params as Partial<ReturnType<typeof saying>["params"]> | undefined)
    : undefined;
  return params?.code === undefined || params.words === undefined
    ? null
    : { code: params.code, detail: params.words };
}

function step(part: PropertyKey): string {
  // A name that was sent is told back, but no essay.
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
 * itself. `value` is what was checked; it only tells whether a field is there at all.
 */
export function valueErrors(issues: readonly Issue[], value: unknown): readonly ValueError[] {
  return issues.flatMap((issue): ValueError[] => {
    const pointer = issue.path.map(step).join("");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((name) => ({
        pointer: `${pointer}${step(name)}`,
        code: "unknown_field",
        detail: UNKNOWN,
      }));
    }
    return [{
      pointer,
      ...(said(issue) ??
        { code: issue.code, detail: isAbsent(value, issue.path) ? REQUIRED : wordsOf(issue) }),
    }];
  });
}
