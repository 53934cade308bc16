// Which terms one person may not put in force alone. Pure.
import type { Programme } from "../../ledger/ports.ts";
import type { NormalisedVersion } from "./version-input.ts";

/** Above these a second person must approve (API.md). */
export const SECOND_PERSON_RATE_BP = 1_500;
export const SECOND_PERSON_POINTS = 2_000;

/**
 * True when a second person must approve the version before it is in force: a rate over 1 500 bp in
 * any tier, more than 2 000 points at once, or points per euro worth more than 1 500 bp at the
 * programme's rate.
 */
export function needsSecondPerson(
  version: Pick<NormalisedVersion, "kind" | "rateBp" | "points" | "tiers">,
  programme: Pick<Programme, "pointsPerEuro">,
): boolean {
  const points = version.points ?? 0;
  if (points > SECOND_PERSON_POINTS) return true;
  if ((version.rateBp ?? 0) > SECOND_PERSON_RATE_BP) return true;
  if ((version.tiers ?? []).some((tier) => tier.rateBp > SECOND_PERSON_RATE_BP)) return true;
  // points / pointsPerEuro is the share given back; compared without a division, so without
  // rounding.
  return version.kind === "points_per_euro" &&
    points * 10_000 > SECOND_PERSON_RATE_BP * programme.pointsPerEuro;
}
