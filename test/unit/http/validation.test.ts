// What a schema refuses, in words: both languages, made from the schema alone. No value that was
// sent may come back.
import * as fc from "fast-check";
import { describe, it } from "vitest";
import { z } from "zod";
import { saying, valueErrors } from "../../../src/http/validation.ts";

function errorsOf(schema: z.ZodType, value: unknown) {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : valueErrors(parsed.error.issues, value);
}

const PLANTED = "jean.dupont";
const shape = z.strictObject({
  text: z.string().max(5),
  count: z.number().int().min(1000).max(9_000),
  list: z.array(z.string()).min(1).max(2),
  kind: z.enum(["a", "b"]),
  one: z.literal("x"),
  yes: z.boolean(),
  more: z.number().gt(0),
  less: z.number().lt(2),
  mail: z.email(),
  address: z.url(),
  day: z.iso.date(),
  instant: z.iso.datetime(),
  id: z.guid(),
  digits: z.string().regex(/^\d+$/),
  either: z.union([z.number(), z.boolean()]),
  ours: z.string().refine(() => false, saying("not_ours", "Pas à nous", "Not ours")),
  bare: z.string().refine(() => false),
  map: z.record(z.string(), z.number()),
  inner: z.strictObject({ deep: z.string().min(2) }),
  nothing: z.null(),
}).partial();

const CASES: readonly [
  name: string,
  value: Record<string, unknown>,
  pointer: string,
  code: string,
  fr: string,
  en: string,
][] = [
  [
    "a text of another type",
    { text: 5 },
    "/text",
    "invalid_type",
    "Il faut un texte",
    "Must be a text",
  ],
  [
    "a number of another type",
    { count: PLANTED },
    "/count",
    "invalid_type",
    "Il faut un nombre",
    "Must be a number",
  ],
  [
    "null for a number",
    { count: null },
    "/count",
    "invalid_type",
    "Il faut un nombre",
    "Must be a number",
  ],
  [
    "a fraction",
    { count: 1500.5 },
    "/count",
    "invalid_type",
    "Il faut un nombre entier",
    "Must be an integer",
  ],
  [
    "a list of another type",
    { list: {} },
    "/list",
    "invalid_type",
    "Il faut une liste",
    "Must be a list",
  ],
  [
    "an object of another type",
    { inner: [] },
    "/inner",
    "invalid_type",
    "Il faut un objet",
    "Must be an object",
  ],
  [
    "a record of another type",
    { map: 1 },
    "/map",
    "invalid_type",
    "Il faut un objet",
    "Must be an object",
  ],
  [
    "a boolean of another type",
    { yes: "yes" },
    "/yes",
    "invalid_type",
    "Il faut un booléen",
    "Must be a boolean",
  ],
  [
    "something for nothing",
    { nothing: 1 },
    "/nothing",
    "invalid_type",
    "Il faut null",
    "Must be null",
  ],
  [
    "a text too long",
    { text: PLANTED },
    "/text",
    "too_big",
    "Au plus 5 caractères",
    "At most 5 characters",
  ],
  [
    "a text too short",
    { inner: { deep: "" } },
    "/inner/deep",
    "too_small",
    "Au moins 2 caractères",
    "At least 2 characters",
  ],
  ["a list too short", { list: [] }, "/list", "too_small", "Au moins 1 élément", "At least 1 item"],
  [
    "a list too long",
    { list: ["a", "b", "c"] },
    "/list",
    "too_big",
    "Au plus 2 éléments",
    "At most 2 items",
  ],
  [
    "a number too small",
    { count: 999 },
    "/count",
    "too_small",
    "Au moins 1\u202f000",
    "At least 1,000",
  ],
  [
    "a number too big",
    { count: 9_001 },
    "/count",
    "too_big",
    "Au plus 9\u202f000",
    "At most 9,000",
  ],
  ["a number at an open lower end", { more: 0 }, "/more", "too_small", "Plus de 0", "More than 0"],
  ["a number at an open upper end", { less: 2 }, "/less", "too_big", "Moins de 2", "Less than 2"],
  [
    "a value that is none of several",
    { kind: PLANTED },
    "/kind",
    "invalid_value",
    "Il faut une de ces valeurs : a, b",
    "Must be one of: a, b",
  ],
  [
    "a value that is not the one",
    { one: PLANTED },
    "/one",
    "invalid_value",
    "Il faut x",
    "Must be x",
  ],
  [
    "an e-mail address",
    { mail: PLANTED },
    "/mail",
    "invalid_format",
    "Il faut une adresse e-mail",
    "Must be an e-mail address",
  ],
  [
    "a web address",
    { address: PLANTED },
    "/address",
    "invalid_format",
    "Il faut une adresse web",
    "Must be a web address",
  ],
  [
    "a day",
    { day: "2026-13-01" },
    "/day",
    "invalid_format",
    "Il faut une date AAAA-MM-JJ",
    "Must be a date YYYY-MM-DD",
  ],
  [
    "an instant",
    { instant: "2026-11-12" },
    "/instant",
    "invalid_format",
    "Il faut un instant RFC 3339 en UTC",
    "Must be an RFC 3339 instant in UTC",
  ],
  ["an id", { id: PLANTED }, "/id", "invalid_format", "Il faut un UUID", "Must be a UUID"],
  [
    "a pattern",
    { digits: PLANTED },
    "/digits",
    "invalid_format",
    "Ce texte n'a pas la forme voulue",
    "This text does not have the required form",
  ],
  [
    "neither of two",
    { either: PLANTED },
    "/either",
    "invalid_union",
    "Cette valeur n'est pas valable",
    "This value is not valid",
  ],
  ["a rule of ours", { ours: PLANTED }, "/ours", "not_ours", "Pas à nous", "Not ours"],
  [
    "a rule of ours without words",
    { bare: PLANTED },
    "/bare",
    "custom",
    "Cette valeur n'est pas valable",
    "This value is not valid",
  ],
  [
    "an unknown field",
    { other: PLANTED },
    "/other",
    "unknown_field",
    "Ce champ n'existe pas",
    "There is no such field",
  ],
  [
    "an unknown field inside",
    { inner: { deep: "ok", "a/b~c": 1 } },
    "/inner/a~1b~0c",
    "unknown_field",
    "Ce champ n'existe pas",
    "There is no such field",
  ],
];

describe("valueErrors()", () => {
  for (const [name, value, pointer, code, fr, en] of CASES) {
    it(`says of ${name} what is needed, in both languages`, ({ expect }) => {
      expect(errorsOf(shape, value)).toEqual([{ pointer, code, detail: { fr, en } }]);
    });
  }

  it("distinguishes a field that is missing from one that is wrong, at any depth and for any type", ({ expect }) => {
    const schema = z.object({
      a: z.string(),
      b: z.enum(["x", "y"]),
      c: z.object({ d: z.number() }),
      e: z.array(z.object({ f: z.boolean() })),
      g: z.union([z.string(), z.number()]),
    });
    const missing = { fr: "Ce champ est obligatoire", en: "This field is required" };
    expect(
      errorsOf(schema, { c: {}, e: [{ f: true }, {}] }).map((
        { pointer, detail },
      ) => [pointer, detail]),
    ).toEqual(["/a", "/b", "/c/d", "/e/1/f", "/g"].map((pointer) => [pointer, missing]));
    expect(errorsOf(schema, PLANTED)).toEqual([{
      pointer: "",
      code: "invalid_type",
      detail: { fr: "Il faut un objet", en: "Must be an object" },
    }]);
  });

  it("gives each unknown field its own error, and no more of its name than a name has", ({ expect }) => {
    expect(
      errorsOf(z.strictObject({}), { a: 1, ["b".repeat(500)]: 2 }).map(({ pointer }) => pointer),
    ).toEqual(["/a", `/${"b".repeat(64)}`]);
  });

  it("never gives back a value, whatever was sent", ({ expect }) => {
    const marked = fc.oneof(
      fc.constantFrom("", "zq", "zq@zq", "zq".repeat(40)).map((text) => `${text}zq`),
      fc.constant(["zqzq"]),
      fc.constant({ deep: "zq", x: "zqzq" }),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(shape.shape), "other"), marked),
        (value) => {
          const errors = errorsOf(shape, value);
          expect(JSON.stringify(errors)).not.toContain("zq");
          for (const { detail } of errors) {
            expect([detail.fr, detail.en].every((text) => text !== "" && !text.endsWith("."))).toBe(
              true,
            );
          }
        },
      ),
    );
  });
});
