// Keyed operations (holds, grants, forfeiture) and activations.
import type { EntryId, OfferId } from "../../kernel/ids.ts";
import type { Programme } from "./recording.ts";
import type { Balances } from "./views.ts";

/**
 * What other domains ask under a request key: same key and input give the first result again, other
 * input a conflict.
 */
export type HoldState = "open" | "committed" | "settled" | "released" | "reinstated";
export type HoldInput = {
  readonly redemptionId: string;
  readonly points: number; /** Deadline of the open hold, or null. */
  readonly expiresAtMs: number | null;
};
export type HoldView = {
  readonly redemptionId: string;
  readonly state: HoldState;
  readonly points: number;
  readonly balances: Balances;
};
export type HoldError =
  | { readonly code: "points_insufficient"; readonly available: number }
  | { readonly code: "balance_negative"; readonly available: number }
  | { readonly code: "hold_unknown" }
  | { readonly code: "hold_exists" }
  /** A webhook says something of the purchases behind the points; they are read within the hour. */
  | { readonly code: "points_in_question" }
  | { readonly code: "hold_state"; readonly state: HoldState };

type GrantInput = {
  readonly points: number;
  /** Names the cause: a referral, a claim, an adjustment. */
  readonly reference: string;
  readonly programme: Programme;
};
/** Referral points wait until `confirmAtMs`; goodwill is available at once. */
type ReferralInput = GrantInput & { readonly confirmAtMs: number };
export type GrantView = {
  readonly entryId: EntryId;
  readonly points: number;
  readonly balances: Balances;
};
export type GrantError =
  | { readonly code: "grant_unknown" }
  | { readonly code: "hold_committed" }
  | { readonly code: "nothing_to_forfeit" };

export type KeyConflict = { readonly code: "idempotency_conflict" };
export type KeyedOperation =
  | ({ readonly kind: "hold" } & HoldInput)
  | { readonly kind: "commit" | "settle" | "reinstate"; readonly redemptionId: string }
  | {
    readonly kind: "release";
    readonly redemptionId: string;
    readonly cause: "cancelled" | "rejected";
  }
  | ({ readonly kind: "goodwill" } & GrantInput)
  | ({ readonly kind: "referral" } & ReferralInput)
  /** Takes back a referral or goodwill grant, by its reference. */
  | {
    readonly kind: "reverse_grant";
    readonly source: "referral" | "goodwill";
    readonly reference: string;
  }
  /** Gives up everything not committed: before an account is closed. */
  | { readonly kind: "forfeit" };

export type ActivateInput = {
  readonly offerId: OfferId;
  readonly version: number;
  readonly activationDays: number | null;
  readonly offerEndsAtMs: number | null;
};
export type Activated = {
  readonly activatedAtMs: number;
  readonly expiresAtMs: number | null;
  readonly created: boolean;
};
