// What a profile may hold. Pure.
import { ageOn, isDate, parisDate } from "../kernel/time.ts";

export type Gender = "female" | "male" | "other";

export type Profile = {
  readonly id: string;
  readonly email: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly gender: Gender | null;
  readonly birthDate: string | null;
  readonly locale: "fr" | "en";
  readonly createdAtMs: number;
};

/** Only what is named changes; null clears. */
export type ProfileChange = {
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  readonly gender?: Gender | null;
  readonly birthDate?: string | null;
  readonly locale?: "fr" | "en";
};

const NAME_CHARS_MAX = 100;
// Older than anybody on record; a birth year typed wrong is caught.
const AGE_MAX = 120;

/**
 * A name as people type it: no control, line or direction characters, which could disguise text
 * where operators read it.
 */
export function isName(text: string): boolean {
  return text.trim() !== "" && text.length <= NAME_CHARS_MAX && !/\p{C}|\p{Zl}|\p{Zp}/u.test(text);
}

/** One spelling of a name, so that the same name is the same text. */
export function normaliseName(text: string): string {
  return text.trim().normalize("NFC");
}

/** A real calendar day in the past (in Paris) of somebody who can be alive. */
export function isBirthDate(text: string, nowMs: number): boolean {
  const today = parisDate(nowMs);
  return isDate(text) && text < today && ageOn(text, today) <= AGE_MAX;
}

/** Whether somebody born then has reached an age. */
export function hasReached(birthDate: string, years: number, nowMs: number): boolean {
  return ageOn(birthDate, parisDate(nowMs)) >= years;
}
