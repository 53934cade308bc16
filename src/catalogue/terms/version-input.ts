// An offer version on its way in: as a request writes it, and in our form once it has been checked.
import type { OfferTerms } from "../../ledger/ports.ts";

type Optional<T> = T | null | undefined;

/** An offer version as API.md writes it, its JSON types already checked by the route's schema. */
export type OfferVersionInput = {
  readonly kind: string;
  readonly rate_bp?: Optional<number>;
  readonly points?: Optional<number>;
  readonly tiers?: Optional<readonly { readonly from_cents: number; readonly rate_bp: number }[]>;
  readonly min_cents?: Optional<number>;
  readonly max_cents?: Optional<number>;
  readonly cap_points_per_purchase?: Optional<number>;
  readonly cap_points_per_user?: Optional<number>;
  readonly cap_purchases_per_user?: Optional<number>;
  readonly period?: Optional<string>;
  readonly first_purchase_only?: Optional<boolean>;
  readonly activation: string;
  readonly activation_days?: Optional<number>;
  readonly channel: string;
  /**
   * RFC 3339 instant, or a day `YYYY-MM-DD` for the start of that day in Paris; `ends_at` is
   * excluded.
   */
  readonly starts_at: string;
  readonly ends_at?: Optional<string>;
  readonly confirmation_days: number;
  readonly budget_points?: Optional<number>;
  readonly priority: number;
};

/** Terms that hold together, before approval: the window is the one that was asked for. */
export type NormalisedVersion = Omit<
  OfferTerms,
  "offerId" | "version" | "brandId" | "offerCreatedAtMs" | "stoppedAtMs"
>;
