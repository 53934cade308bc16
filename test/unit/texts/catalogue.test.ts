// The two languages of each catalogue: the same keys and placeholders, and every key used.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { catalogue } from "../../../src/texts/catalogue.ts";
import { FORMATS } from "../../../src/texts/formats.ts";
import * as texts from "../../../src/texts/texts.ts";

type Texts = Readonly<Record<string, string>>;
const CATALOGUES: readonly [name: string, fr: Texts, en: Texts][] = Object.entries({
  ...texts,
  FORMATS,
}).map(([name, { fr, en }]) => [name, fr, en]);

const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name).sort();

/** Keys that one side lacks, and keys whose sides do not have the same placeholders. */
function faults(fr: Texts, en: Texts): string[] {
  const keys = new Set([...Object.keys(fr), ...Object.keys(en)]);
  return [...keys].filter((key) => {
    const [french, english] = [fr[key], en[key]];
    return french === undefined || english === undefined ||
      placeholders(french).join() !== placeholders(english).join();
  });
}

const SOURCES = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && !/\.(fr|en)\.ts$/.test(path))
  .map((path) => readFileSync(join("src", path), "utf8"));

/** Names of keys and the stems that code completes: `"key"`, `key:`, `` `stem_${form}` ``. */
function isUsed(key: string, sources: readonly string[]): boolean {
  const stems = [...key.matchAll(/_/g)].flatMap(({ index }) => [
    `\`${key.slice(0, index + 1)}\${`,
    `}${key.slice(index)}\``,
  ]);
  return sources.some((source) =>
    source.includes(`"${key}"`) || new RegExp(`\\b${key}:`).test(source) ||
    stems.some((stem) => source.includes(stem))
  );
}

describe("each catalogue", () => {
  it.each(CATALOGUES)("%s has the same keys and placeholders in both languages", (_, fr, en) => {
    expect(faults(fr, en)).toEqual([]);
    expect(Object.keys(fr).length).toBeGreaterThan(0);
  });

  it.each(CATALOGUES)("%s has no key that nothing says", (name, fr) => {
    const sources = SOURCES.filter((source) => new RegExp(`\\b${name}\\b`).test(source));
    expect(Object.keys(fr).filter((key) => !isUsed(key, sources))).toEqual([]);
  });

  it.each(CATALOGUES)("%s says 'vous' and never 'tu' in French", (_, fr) => {
    expect(Object.values(fr).filter((text) => /\b(tu|ton|ta|tes|toi)\b/i.test(text))).toEqual([]);
  });
});

describe("the checks of this file", () => {
  it("find a missing key, a lost placeholder and an unused key", () => {
    expect(faults({ a: "x", b: "{n} y" }, { b: "y", c: "z" })).toEqual(["a", "b", "c"]);
    expect(isUsed("sum_plain", ['say("sum_plain")'])).toBe(true);
    expect(isUsed("sum_plain_one", ["say(`sum_plain_${form}`)"])).toBe(true);
    expect(isUsed("sum_plain", ['say("sum_plain_more")'])).toBe(false);
  });
});

describe("catalogue()", () => {
  const GREETING_FR = { hello: "Bonjour {name}", bye: "Au revoir" } as const;
  const greeting = catalogue(GREETING_FR, { hello: "Hello {name}", bye: "Goodbye" });

  it("says a text in a language, and in both", () => {
    expect(greeting.in("fr")("hello", { name: "Léa" })).toBe("Bonjour Léa");
    expect(greeting.both("hello", { name: "Léa" })).toEqual({
      fr: "Bonjour Léa",
      en: "Hello Léa",
    });
    expect(greeting.in("en")("bye")).toBe("Goodbye");
  });

  it("leaves braces inside a value alone", () => {
    expect(greeting.in("en")("hello", { name: "{bye}" })).toBe("Hello {bye}");
  });

  it("refuses a placeholder without a value rather than showing it", () => {
    const broken = catalogue(GREETING_FR, { hello: "Hello {nobody}", bye: "Goodbye" });
    expect(() => broken.in("en")("hello", { name: "Léa" })).toThrow("placeholder");
  });
});
