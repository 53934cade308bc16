// When each version of an offer is really in force: the windows of its approved versions. Pure.
import type { BrandId, OfferId } from "../../kernel/ids.ts";
import type { OfferTerms } from "../../ledger/ports.ts";
import type { NormalisedVersion } from "./version-input.ts";

/**
 * A stored version: its number within the offer (ascending, unique) and the instant it was
 * approved, if it was.
 */
export type StoredVersion = NormalisedVersion & {
  readonly number: number;
  readonly approvedAtMs: number | null;
};

/** Field by field: a stored row may carry who approved it, which must not reach the ledgers. */
function termsOf(version: StoredVersion): Omit<NormalisedVersion, "startsAtMs" | "endsAtMs"> {
  return {
    kind: version.kind,
    rateBp: version.rateBp,
    points: version.points,
    tiers: version.tiers,
    minCents: version.minCents,
    maxCents: version.maxCents,
    capPointsPerPurchase: version.capPointsPerPurchase,
    capPointsPerUser: version.capPointsPerUser,
    capPurchasesPerUser: version.capPurchasesPerUser,
    period: version.period,
    firstPurchaseOnly: version.firstPurchaseOnly,
    activation: version.activation,
    activationDays: version.activationDays,
    channel: version.channel,
    confirmationDays: version.confirmationDays,
    budgetPoints: version.budgetPoints,
    priority: version.priority,
  };
}

/** An end that was not planned; without an instant while it waits. */
type Stop = {
  readonly kind: "end_of_day" | "immediate";
  readonly stopsAtMs: number | null;
};

type Window = { readonly version: StoredVersion; readonly startsAtMs: number };

/**
 * The approved version 1, unless another one was approved before it. It takes nothing from anybody,
 * so it holds from `starts_at` as given, also in the past: purchases of that time may arrive weeks
 * later. A second person changes nothing of that, for they approve the start with the rest. Any
 * other version may give less than the one that it replaces, and what was promised for a day must
 * still be true of that day's purchases: it never begins before it was made, or approved where that
 * is needed.
 */
function isFirst(version: StoredVersion, approved: readonly StoredVersion[]): boolean {
  return version.number === 1 &&
    approved.every((other) => (other.approvedAtMs ?? 0) >= (version.approvedAtMs ?? 0));
}

/**
 * The versions of one offer with the windows in which they are really in force, by ascending start:
 * the first version from its `starts_at`, a later one from its approval at the earliest (see
 * `isFirst`). Each ends at its `ends_at` or where the one that starts next begins, and does not
 * come back after that; of two that start together the newer one holds. So a short version leaves
 * one that is planned for later in its place. Versions without approval, and those that end before
 * they would start, are left out and replace nothing. A stop at the end of a day cuts them all; one
 * with immediate effect leaves the windows and marks the terms, since purchases that were recorded
 * before it keep the offer.
 */
export function effectiveTerms(
  offer: { readonly id: OfferId; readonly brandId: BrandId; readonly createdAtMs: number },
  versions: readonly StoredVersion[],
  stops: readonly Stop[] = [],
): OfferTerms[] {
  const stopMs = (kind: Stop["kind"]): number =>
    stops.find((stop) => stop.kind === kind)?.stopsAtMs ?? Infinity;
  const dayEndsAtMs = stopMs("end_of_day");
  const stoppedAtMs = stopMs("immediate");
  const approved = versions.filter((version) => version.approvedAtMs !== null);
  const windows = approved
    .map((version): Window => ({
      version,
      startsAtMs: isFirst(version, approved)
        ? version.startsAtMs
        : Math.max(version.startsAtMs, version.approvedAtMs ?? 0),
    }))
    .filter(({ version, startsAtMs }) => version.endsAtMs === null || version.endsAtMs > startsAtMs)
    .sort((a, b) => a.startsAtMs - b.startsAtMs || a.version.number - b.version.number);
  return windows.flatMap(({ version, startsAtMs }, index): OfferTerms[] => {
    const nextAtMs = windows[index + 1]?.startsAtMs ?? Infinity;
    if (nextAtMs === startsAtMs) return [];
    const endsAtMs = Math.min(version.endsAtMs ?? Infinity, nextAtMs, dayEndsAtMs);
    if (endsAtMs <= startsAtMs) return [];
    return [{
      ...termsOf(version),
      offerId: offer.id,
      version: version.number,
      brandId: offer.brandId,
      offerCreatedAtMs: offer.createdAtMs,
      startsAtMs,
      endsAtMs: endsAtMs === Infinity ? null : endsAtMs,
      ...(stoppedAtMs === Infinity ? {} : { stoppedAtMs }),
    }];
  });
}
