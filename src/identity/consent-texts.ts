// The versions of the texts that people agree to, by purpose, the current one last. Pure.
import type { Locale } from "../texts/catalogue.ts";
import { CONSENTS } from "../texts/texts.ts";
import type { ConsentPurpose } from "./ports.ts";

type TextKey = keyof typeof CONSENTS.fr;
type Version = {
  readonly textVersion: string;
  readonly title: TextKey;
  readonly body: TextKey;
  /** From which day it is the current one. */
  readonly effectiveOn: string;
};

function first(purpose: ConsentPurpose): readonly [Version] {
  return [{
    textVersion: "1",
    title: `${purpose}_1_title`,
    body: `${purpose}_1_body`,
    effectiveOn: "2026-11-01",
  }];
}

const VERSIONS: Readonly<Record<ConsentPurpose, readonly [...Version[], Version]>> = {
  terms: first("terms"),
  bank_data: first("bank_data"),
  recommendations: first("recommendations"),
  statistics: first("statistics"),
  marketing: first("marketing"),
};

type ConsentText = {
  readonly textVersion: string;
  readonly title: string;
  readonly body: string;
  readonly effectiveOn: string;
};

/** The version that a consent must name. */
export function currentVersion(purpose: ConsentPurpose): string {
  return VERSIONS[purpose].at(-1)?.textVersion ?? "";
}

/** A text in one language: the named version or the current one; null for a version that never was. */
export function consentText(
  purpose: ConsentPurpose,
  textVersion: string | null,
  locale: Locale,
): ConsentText | null {
  const wanted = textVersion ?? currentVersion(purpose);
  const found = VERSIONS[purpose].find((version) => version.textVersion === wanted);
  if (found === undefined) return null;
  const say = CONSENTS.in(locale);
  return { ...found, title: say(found.title), body: say(found.body) };
}
