// The second half of a decision: it was written down, now the ledger is to follow it.
import { termsAround } from "../catalogue/ports.ts";
import type { CatalogueView } from "../catalogue/ports.ts";
import { addDays } from "../kernel/time.ts";
import type { PurchaseId, UserId } from "../kernel/ids.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import type { LedgerError, OfferTerms, PurchaseView } from "../ledger/ports.ts";
import type { ReviewError } from "./errors.ts";
import type { ReviewJudgement } from "./ports.ts";
import { pointsAllowed, pointsAtMost } from "./review-points.ts";
import type { ReviewRow, ReviewsStore } from "./store.ts";

export type ReviewsDeps = ReviewJudgement & { readonly store: ReviewsStore };

export type ReviewEntry = {
  readonly row: ReviewRow;
  /** Null while the user's ledger does not answer. */
  readonly purchase: PurchaseView | null;
};

/** A row as its ledger has it now, with the offers that may apply to it. */
export type SeenRow = {
  readonly purchase: PurchaseView | null;
  readonly offers: readonly OfferTerms[];
};

/** On a day that is given, the row may turn out to repeat others that are judged again then. */
const NEIGHBOUR_DAYS = 45;

/** The offers that may apply to the row, as the catalogue has them now. */
export async function offersFor(
  catalogue: CatalogueView,
  { brand, purchasedOn }: PurchaseView,
  givenOn: string | null,
): Promise<readonly OfferTerms[]> {
  if (brand === null) return [];
  return termsAround(await catalogue.current(0), {
    brandId: brand.id,
    from: givenOn === null ? purchasedOn : addDays(givenOn, -NEIGHBOUR_DAYS),
    to: givenOn === null ? purchasedOn : addDays(givenOn, NEIGHBOUR_DAYS),
  });
}

/** Reads the row from its ledger. */
export async function readRow(
  { ledger, catalogue }: ReviewsDeps,
  row: ReviewRow,
  givenOn: string | null,
): Promise<Result<SeenRow, LedgerError>> {
  const found = await ledger.purchase(row.userId as UserId, row.purchaseId as PurchaseId);
  if (!found.ok) return found;
  const purchase = found.value;
  return ok({
    purchase,
    offers: purchase === null ? [] : await offersFor(catalogue, purchase, givenOn),
  });
}

/** The most that the row would earn; 0 for one that its ledger does not know. */
export function pointsOf(
  deps: ReviewsDeps,
  { purchase, offers }: SeenRow,
  givenOn: string | null,
): number {
  if (purchase === null) return 0;
  const purchasedOn = givenOn ?? purchase.purchasedOn;
  return pointsAtMost({ ...purchase, purchasedOn }, offers, deps.decide, deps.programme);
}

/** Has the ledger follow a decision, and closes the row. Repeating it gives the same. */
export async function carryOut(
  deps: ReviewsDeps,
  row: ReviewRow,
  decision: "count" | "refuse",
): Promise<Result<ReviewEntry, ReviewError>> {
  const { store, ledger, clock } = deps;
  const purchaseId = row.purchaseId as PurchaseId;
  const givenOn = decision === "count" ? row.purchasedOn : null;
  const seen = await readRow(deps, row, givenOn);
  if (!seen.ok) {
    if (seen.error.code === "erased") await store.close(purchaseId, clock.nowMs());
    return seen;
  }
  const { purchase, offers } = seen.value;
  // The bank may have amended the row since somebody looked at it.
  if (
    decision === "count" && row.state === "open" &&
    pointsOf(deps, seen.value, givenOn) > pointsAllowed(row, row.decidedBy)
  ) {
    await store.reopen(purchaseId);
    return err({ code: "second_person_required" });
  }
  const decided = await ledger.decideReview(row.userId as UserId, {
    purchaseId,
    decision,
    ...(givenOn === null ? {} : { purchasedOn: givenOn }),
    offers,
    programme: deps.programme,
    paused: (await deps.catalogue.current(0)).paused,
    ...(purchase === null ? {} : { seen: purchase }),
  });
  if (decided.ok) {
    await store.close(purchaseId, clock.nowMs());
    return ok({ row: (await store.find(purchaseId)) ?? row, purchase: decided.value });
  }
  switch (decided.error.code) {
    case "review_unknown":
      await store.reopen(purchaseId);
      return err({ code: "decided" });
    case "review_amended":
      await store.reopen(purchaseId);
      return err({ code: "second_person_required" });
    case "review_not_countable":
      await store.reopen(purchaseId);
      return err({ code: "not_countable" });
    case "review_day_required":
      await store.reopen(purchaseId);
      return err({ code: "day_required" });
    case "review_day_invalid":
      await store.reopen(purchaseId);
      return err({ code: "day_invalid" });
    case "offers_needed":
      return err({ code: "ledger_refused" });
    case "erased":
      await store.close(purchaseId, clock.nowMs());
      return err(decided.error);
    default:
      return err(decided.error);
  }
}
