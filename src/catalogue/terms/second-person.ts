// Which terms one person may not put in force alone. Pure.
import { AMOUNT_CENTS_MAX, mulDivFloor } from "../../kernel/money.ts";
import type { Programme } from "../../ledger/ports.ts";
import type { NormalisedVersion } from "./version-input.ts";

/** Above these a second person must approve (API.md). */
const SECOND_PERSON_RATE_BP = 1_500;
const SECOND_PERSON_POINTS_A_PURCHASE = 2_000;
const SECOND_PERSON_POINTS_A_MONTH = 5_000;
const SECOND_PERSON_BUDGET_POINTS = 500_000;

/** How often a period's caps start anew within one month, at most. */
const PERIODS_A_MONTH = { day: 31, week: 5, month: 1, offer: 1 } as const;

/** What an effect depends on; `replacedBudget` is the budget of the approved version before. */
type Effect = Pick<Programme, "pointsPerEuro"> & {
  /** Null: that version has none, so it grants without end. Undefined: there is no such version. */
  readonly replacedBudget: number | null | undefined;
};

/** The most that one purchase can earn by fixed points or points per euro. */
function pointsOfAPurchase(version: NormalisedVersion): number {
  const points = version.points ?? 0;
  return Math.min(
    version.kind === "fixed"
      ? points
      : mulDivFloor(version.maxCents ?? AMOUNT_CENTS_MAX, points, 100),
    version.capPointsPerPurchase ?? Infinity,
    version.capPointsPerUser ?? Infinity,
  );
}

/**
 * The most that one user can draw in a month. A minimum bounds nothing, since it says nothing of
 * how often somebody buys; nor does the budget, which everybody shares and a later version may
 * raise.
 */
function pointsOfAMonth(version: NormalisedVersion): number {
  const perPurchase = pointsOfAPurchase(version);
  if (version.firstPurchaseOnly) return perPurchase;
  const perPeriod = Math.min(
    version.capPointsPerUser ?? Infinity,
    (version.capPurchasesPerUser ?? Infinity) * perPurchase,
  );
  return perPeriod * PERIODS_A_MONTH[version.period];
}

/** True when the offer could grant more than before, and more than one person may allow. */
function raisesBudget(budgetPoints: number | null, replaced: Effect["replacedBudget"]): boolean {
  // A first version without a budget raises none: its other terms bound it.
  if (budgetPoints === null) return typeof replaced === "number";
  const before = replaced === undefined ? 0 : replaced ?? Infinity;
  return budgetPoints > SECOND_PERSON_BUDGET_POINTS && budgetPoints > before;
}

/**
 * True when a second person must approve the version before it is in force: a rate over 1 500 bp in
 * any tier, or points per euro worth more than that at the programme's rate; fixed points or points
 * per euro that give more than 2 000 points a purchase or let one user draw more than 5 000 a
 * month; a budget raised above 500 000 points.
 */
export function needsSecondPerson(version: NormalisedVersion, effect: Effect): boolean {
  if (raisesBudget(version.budgetPoints, effect.replacedBudget)) return true;
  const { kind, points, rateBp, tiers } = version;
  if (kind === "percent") return (rateBp ?? 0) > SECOND_PERSON_RATE_BP;
  if (kind === "tiered") {
    return (tiers ?? []).some((tier) => tier.rateBp > SECOND_PERSON_RATE_BP);
  }
  if (pointsOfAPurchase(version) > SECOND_PERSON_POINTS_A_PURCHASE) return true;
  if (pointsOfAMonth(version) > SECOND_PERSON_POINTS_A_MONTH) return true;
  // points / pointsPerEuro is the share given back; compared without a division, so without
  // rounding.
  return kind === "points_per_euro" &&
    (points ?? 0) * 10_000 > SECOND_PERSON_RATE_BP * effect.pointsPerEuro;
}
