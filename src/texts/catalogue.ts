// How a sentence is found and filled in. A catalogue is two files side by side, `<area>.fr.ts` and
// `<area>.en.ts`: the French one sets the keys and the placeholders, and a key that the English one
// lacks does not compile. Pure; imports nothing, so every layer above the kernel may use it.

export type Locale = "fr" | "en";
export type InBothLanguages = Readonly<Record<Locale, string>>;

/** The names between braces in a text: `"{points} of {granted}"` has `points` and `granted`. */
type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

type ValuesFor<Text extends string> = [Placeholders<Text>] extends [never] ? []
  : [values: Readonly<Record<Placeholders<Text>, string>>];

type Texts = Readonly<Record<string, string>>;

/** The English side of a catalogue: the same keys, no more and no fewer. */
export type TranslationOf<French extends Texts> = { readonly [Key in keyof French]: string };

/** Says one text of a catalogue in one language. */
export type Say<French extends Texts> = <Key extends keyof French & string>(
  key: Key,
  ...values: ValuesFor<French[Key]>
) => string;

export type Catalogue<French extends Texts> = {
  readonly fr: French;
  readonly en: TranslationOf<French>;
  readonly in: (locale: Locale) => Say<French>;
  readonly both: <Key extends keyof French & string>(
    key: Key,
    ...values: ValuesFor<French[Key]>
  ) => InBothLanguages;
};

function fill(text: string, values: Texts): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error("text_placeholder_without_value");
    return value;
  });
}

/** Ties the two languages of an area together. */
export function catalogue<const French extends Texts>(
  fr: French,
  en: TranslationOf<French>,
): Catalogue<French> {
  const say = (locale: Locale): Say<French> => (key, ...[values = {}]) =>
    fill((locale === "fr" ? fr : en)[key], values);
  const french = say("fr");
  const english = say("en");
  return {
    fr,
    en,
    in: (locale) => locale === "fr" ? french : english,
    both: (key, ...values) => ({ fr: french(key, ...values), en: english(key, ...values) }),
  };
}
