// The purposes a person decides on, and the state when nothing was decided. Pure.
import type { ConsentPurpose } from "./ports.ts";

export const CONSENT_PURPOSES = [
  "terms",
  "bank_data",
  "recommendations",
  "statistics",
  "marketing",
] as const satisfies readonly ConsentPurpose[];

/** The current decision for one purpose. Never decided: not granted, without version and time. */
export type CurrentConsent = {
  readonly purpose: ConsentPurpose;
  readonly granted: boolean;
  readonly textVersion: string | null;
  readonly atMs: number | null;
  /**
   * Since when it has been granted without interruption: agreeing to a newer text does not restart
   * it.
   */
  readonly grantedSinceMs: number | null;
};

/** All purposes in API.md's order, with those never decided filled in. */
export function completeConsents(decided: readonly CurrentConsent[]): CurrentConsent[] {
  return CONSENT_PURPOSES.map((purpose) =>
    decided.find((consent) => consent.purpose === purpose) ??
      { purpose, granted: false, textVersion: null, atMs: null, grantedSinceMs: null }
  );
}

/** Decisions of one user in a day: nobody changes their mind more often, and each is kept. */
export const DECISIONS_A_DAY_MAX = 30;
