// What other domains and operators may ask of insights.
import type { OfferTerms } from "../ledger/ports.ts";

/**
 * What the sample does not record, and what was assumed instead. Each makes the figures higher than
 * the offer would have cost.
 */
export type DryRunAssumption =
  | "always_in_force"
  | "always_activated"
  | "channel_matches"
  | "users_restart_monthly";

export type DryRunReport = {
  readonly purchases: number;
  readonly eligible: number;
  readonly points: number;
  readonly costCents: number;
  /** The deciding reason of each purchase; the counts add up to `purchases`. */
  readonly byReason: Readonly<Record<string, number>>;
  readonly byMonth: readonly {
    readonly month: string;
    readonly purchases: number;
    readonly eligible: number;
    readonly points: number;
    readonly costCents: number;
  }[];
  readonly sample: {
    readonly from: string | null;
    readonly to: string | null;
    readonly rows: number;
    readonly users: number; /** Of 65 536 users' months, how many are taken. */
    readonly buckets: number;
  };
  readonly assumptions: readonly DryRunAssumption[];
};

export type DryRun = (terms: OfferTerms) => Promise<DryRunReport>;
