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
export const AGE_MAX = 120;

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

/**
 * Why a text is not the birth date of somebody who can be alive, or null when it is one. A day
 * counts as past by the calendar of Paris.
 */
export function birthDateProblem(
  text: string,
  nowMs: number,
): "date_invalid" | "date_in_future" | "date_too_old" | null {
  const today = parisDate(nowMs);
  if (!isDate(text)) return "date_invalid";
  if (text >= today) return "date_in_future";
  return ageOn(text, today) <= AGE_MAX ? null : "date_too_old";
}

/** Whether somebody born then has reached an age. */
export function hasReached(birthDate: string, years: number, nowMs: number): boolean {
  return ageOn(birthDate, parisDate(nowMs)) >= years;
}
