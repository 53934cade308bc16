// What an offer would have cost: its terms over the sample's purchases, each decided by the rules
// of the ledger, with what the same user's earlier purchases used up. Pure; the pages come from
// outside.
import type { OfferId } from "../kernel/ids.ts";
import { pointsToCents } from "../kernel/money.ts";
import { parisToMs, periodKey } from "../kernel/time.ts";
import type {
  DecideEarning,
  EarningFacts,
  OfferTerms,
  Programme,
  UsageView,
} from "../ledger/ports.ts";
import type { DryRunAssumption, DryRunReport } from "./ports.ts";

export type DryRunPurchase = {
  readonly day: string;
  readonly cents: number;
  readonly pseudonym: string;
};
export type DryRunState = {
  /** Takes purchases in, in the order of their days. */
  readonly take: (purchases: readonly DryRunPurchase[]) => void;
  readonly report: (sample: DryRunReport["sample"]) => DryRunReport;
};

type Tally = { purchases: number; eligible: number; points: number };
type Used = { points: number; purchases: number };

// No purchase of the sample is older: the draft is asked as if it had always been in force.
const ALWAYS_SINCE_MS = parisToMs("2000-01-01");

/** What the draft gave the users of the sample so far, as the earning rules ask for it. */
function usageOfDraft(period: OfferTerms["period"]) {
  const used = new Map<string, Used>();
  const seen = new Set<string>();
  const keyOf = (pseudonym: string, key: string): string => `${pseudonym} ${key}`;
  return {
    viewOf: (pseudonym: string): UsageView => ({
      pointsInPeriod: (_: OfferId, key) => used.get(keyOf(pseudonym, key))?.points ?? 0,
      purchasesInPeriod: (_: OfferId, key) => used.get(keyOf(pseudonym, key))?.purchases ?? 0,
      hasEarlierPurchase: () => seen.has(pseudonym),
      activationOn: () => null,
    }),
    /** A purchase that earned nothing is an earlier one all the same. */
    markSeen: (pseudonym: string): void => void seen.add(pseudonym),
    addGrant: ({ pseudonym, day }: DryRunPurchase, points: number): void => {
      const key = keyOf(pseudonym, periodKey(period, day));
      const before = used.get(key) ?? { points: 0, purchases: 0 };
      used.set(key, { points: before.points + points, purchases: before.purchases + 1 });
    },
  };
}

/**
 * Starts a run of `draft`. Its window, activation and channel are not asked for: the sample knows
 * none of them.
 */
export function startDryRun(
  draft: OfferTerms,
  decide: DecideEarning,
  programme: Programme,
): DryRunState {
  const terms: OfferTerms = {
    ...draft,
    startsAtMs: ALWAYS_SINCE_MS,
    endsAtMs: null,
    channel: "any",
    activation: "automatic",
    activationDays: null,
  };
  const usage = usageOfDraft(terms.period);
  const byReason = new Map<string, number>();
  const byMonth = new Map<string, Tally>();
  let budgetLeft = terms.budgetPoints;

  /** The points granted and the reason that decided. */
  function decided(purchase: DryRunPurchase): { readonly points: number; readonly reason: string } {
    const facts: EarningFacts = {
      baseCents: purchase.cents,
      currency: "EUR",
      purchasedOn: purchase.day,
      brandId: terms.brandId,
      channel: "unknown",
    };
    const decision = decide(facts, [terms], usage.viewOf(purchase.pseudonym), programme);
    usage.markSeen(purchase.pseudonym);
    if (decision.outcome === "not_earned") {
      return { points: 0, reason: decision.reasons[0] ?? "offer_not_in_force" };
    }
    if (budgetLeft !== null && decision.points > budgetLeft) {
      return { points: 0, reason: "budget_exhausted" };
    }
    if (budgetLeft !== null) budgetLeft -= decision.points;
    usage.addGrant(purchase, decision.points);
    return { points: decision.points, reason: "offer_applied" };
  }

  return {
    take(purchases) {
      for (const purchase of purchases) {
        const { points, reason } = decided(purchase);
        byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
        const month = purchase.day.slice(0, 7);
        const tally = byMonth.get(month) ?? { purchases: 0, eligible: 0, points: 0 };
        byMonth.set(month, {
          purchases: tally.purchases + 1,
          eligible: tally.eligible + (points > 0 ? 1 : 0),
          points: tally.points + points,
        });
      }
    },
    report: (sample) => ({
      ...totalsOf(byMonth, programme),
      byReason: Object.fromEntries([...byReason].sort(([a], [b]) => (a < b ? -1 : 1))),
      sample,
      assumptions: assumptionsOf(draft),
    }),
  };
}

function totalsOf(
  byMonth: ReadonlyMap<string, Tally>,
  { pointsPerEuro }: Programme,
): Omit<DryRunReport, "byReason" | "sample" | "assumptions"> {
  const months = [...byMonth].sort(([a], [b]) => (a < b ? -1 : 1)).map(([month, tally]) => ({
    month,
    ...tally,
    costCents: pointsToCents(tally.points, pointsPerEuro),
  }));
  const sum = (of: (tally: Tally) => number): number =>
    months.reduce((total, tally) => total + of(tally), 0);
  const points = sum((tally) => tally.points);
  return {
    purchases: sum((tally) => tally.purchases),
    eligible: sum((tally) => tally.eligible),
    points,
    costCents: pointsToCents(points, pointsPerEuro),
    byMonth: months,
  };
}

function assumptionsOf(draft: OfferTerms): DryRunAssumption[] {
  const counts = draft.firstPurchaseOnly || draft.capPointsPerUser !== null ||
    draft.capPurchasesPerUser !== null;
  return [
    "always_in_force",
    ...(draft.activation === "required" ? ["always_activated" as const] : []),
    ...(draft.channel === "any" ? [] : ["channel_matches" as const]),
    // A pseudonym lasts for a month: the same user counts anew in the next one.
    ...(counts ? ["users_restart_monthly" as const] : []),
  ];
}
