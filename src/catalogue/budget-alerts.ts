// Alerts operators when an offer's budget is used to 80 % and when it is spent. Part of the
// periodic work: what the budgets answered is in D1 by then.
import type { Log } from "../kernel/log.ts";
import type { Clock } from "../kernel/time.ts";
import { inForce } from "./catalogue.ts";
import type { CatalogueCache } from "./compiled-catalogue.ts";
import { isBudgetSpent } from "./offers/eligibility.ts";
import type { CatalogueStore } from "./store.ts";

type BudgetAlertParts = {
  readonly store: Pick<CatalogueStore, "budgets" | "noteBudgetAlert">;
  readonly cache: Pick<CatalogueCache, "current">;
  readonly clock: Clock;
  readonly log: Log;
};

const WARNING_PERCENT = 80;

/**
 * One round. The alert comes before its note: a crash in between repeats it and never loses it. A
 * budget that was raised is alerted anew.
 */
export async function alertBudgets({ store, cache, clock, log }: BudgetAlertParts): Promise<void> {
  const [{ catalogue }, budgets] = [await cache.current(0), await store.budgets(null)];
  for (const budget of budgets) {
    const offer = catalogue.offers.get(budget.offerId);
    const terms = offer === undefined ? null : inForce(offer, clock.nowMs());
    if (terms === null || terms.budgetPoints === null) continue;
    const { budgetPoints } = terms;
    const percent = isBudgetSpent(terms, budget.reservedPoints)
      ? 100
      : budget.reservedPoints * 100 >= budgetPoints * WARNING_PERCENT
      ? WARNING_PERCENT
      : 0;
    const known = budget.alertedBudgetPoints === budgetPoints ? budget.alertedPercent : 0;
    if (percent <= known) continue;
    log.alert("offer_budget_used", {
      offer: budget.offerId,
      percent,
      reserved_points: budget.reservedPoints,
      budget_points: budgetPoints,
    });
    await store.noteBudgetAlert(budget.offerId, percent, budgetPoints);
  }
}
