// Rows that no rule may judge, and refunds that found no purchase: shown to operators without their
// label, and decided by them. D1 knows which rows wait; what they are is read from the ledgers.
import { termsAround } from "../catalogue/ports.ts";
import type { CatalogueView } from "../catalogue/ports.ts";
import type { AuditEvent } from "../audit/events.ts";
import type { PurchaseId, UserId } from "../kernel/ids.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Clock } from "../kernel/time.ts";
import type {
  LedgerError,
  LedgerOperations,
  LedgerPort,
  OfferTerms,
  Programme,
  PurchaseView,
} from "../ledger/ports.ts";
import type { Decide } from "../insights/ports.ts";
import { MADE_UP, pointsAllowed, pointsAtMost } from "./review-points.ts";
import type { ReviewPosition, ReviewRow, ReviewsStore, ReviewState } from "./store.ts";

export type ReviewEntry = {
  readonly row: ReviewRow; /** Null while the user's ledger does not answer. */
  readonly purchase: PurchaseView | null;
};
type Worth = { readonly purchase: PurchaseView | null; readonly points: number };
export type ReviewError =
  | { readonly code: "not_found" }
  /** Somebody decided otherwise, or nothing waits any more. */
  | { readonly code: "decided" }
  /** A refund waits for its purchase, which nobody can decide. */
  | { readonly code: "not_decidable" }
  /**
   * The bank did not say the amount or the day: what is shown was made up, and must earn nothing.
   */
  | { readonly code: "not_countable" }
  /** It would earn more now than was proposed, or than one person may grant. */
  | { readonly code: "second_person_required" }
  | LedgerError;

export type ReviewsDeps = {
  readonly store: ReviewsStore;
  readonly ledger: Pick<LedgerOperations, "decideReview"> & Pick<LedgerPort, "purchase">;
  readonly catalogue: CatalogueView;
  readonly decide: Decide;
  readonly programme: Programme;
  readonly clock: Clock;
};

export type Reviews = ReturnType<typeof reviewService>;

// A request that decides is over by then.
const UNFINISHED_AFTER_MS = 2 * MINUTE_MS;
const FINISH_MAX = 20;
/** Two persons who propose at once: the slower one is then the second. */
const ATTEMPTS_MAX = 3;

async function termsOf(
  catalogue: CatalogueView,
  purchase: PurchaseView,
): Promise<readonly OfferTerms[]> {
  if (purchase.brand === null) return [];
  const all = (await catalogue.current(0)).termsFor(purchase.brand.id);
  return termsAround(all, purchase.purchasedOn, purchase.purchasedOn);
}

export function reviewService(deps: ReviewsDeps) {
  const { store, ledger, clock, catalogue } = deps;
  const pointsOf = (purchase: PurchaseView, offers: readonly OfferTerms[]): number =>
    pointsAtMost(purchase, offers, deps.decide, deps.programme);

  /** Tells the ledger what was written down, and closes the row. Repeating it gives the same. */
  async function carryOut(
    row: ReviewRow,
    decision: "count" | "refuse",
  ): Promise<Result<ReviewEntry, ReviewError>> {
    const userId = row.userId as UserId;
    const purchaseId = row.purchaseId as PurchaseId;
    const found = await ledger.purchase(userId, purchaseId);
    if (!found.ok) {
      if (found.error.code === "erased") await store.close(purchaseId, clock.nowMs());
      return found;
    }
    const offers = found.value === null ? [] : await termsOf(catalogue, found.value);
    // The bank may have amended the row since somebody looked at it.
    if (
      decision === "count" && row.state === "open" && found.value !== null &&
      pointsOf(found.value, offers) > pointsAllowed(row, row.decidedBy)
    ) {
      await store.reopen(purchaseId);
      return err({ code: "second_person_required" });
    }
    const decided = await ledger.decideReview(userId, {
      purchaseId,
      decision,
      offers,
      programme: deps.programme,
      ...(found.value === null ? {} : { seen: found.value }),
    });
    if (decided.ok || decided.error.code === "erased") await store.close(purchaseId, clock.nowMs());
    else if (
      decided.error.code === "review_unknown" || decided.error.code === "review_not_countable" ||
      decided.error.code === "review_amended"
    ) await store.reopen(purchaseId);
    if (decided.ok) {
      return ok({ row: (await store.find(purchaseId)) ?? row, purchase: decided.value });
    }
    switch (decided.error.code) {
      case "review_unknown":
        return err({ code: "decided" });
      case "review_amended":
        return err({ code: "second_person_required" });
      case "review_not_countable":
        return err({ code: "not_countable" });
      default:
        return err(decided.error);
    }
  }

  /** The row as it is now, and the most that it would earn. */
  async function worthOf(row: ReviewRow): Promise<Result<Worth, LedgerError>> {
    const found = await ledger.purchase(row.userId as UserId, row.purchaseId as PurchaseId);
    if (!found.ok) return found;
    const purchase = found.value;
    return ok({
      purchase,
      points: purchase === null ? 0 : pointsOf(purchase, await termsOf(catalogue, purchase)),
    });
  }

  /**
   * Writes down who would count a row that one person may not, over the proposal that was read;
   * null when somebody was faster and the row has to be looked at again.
   */
  async function propose(
    row: ReviewRow,
    { purchase, points }: Worth,
    by: string,
    event: AuditEvent,
  ): Promise<Result<ReviewEntry, ReviewError> | null> {
    const after = await store.propose({ over: row, by, points, nowMs: clock.nowMs() }, {
      ...event,
      action: "review.propose",
    });
    if (after === null || after.state !== "open" || after.decision !== null) {
      return err({ code: "decided" });
    }
    return after.proposedBy === by && after.proposedPoints === points
      ? ok({ row: after, purchase })
      : null;
  }

  /** Null when another person's proposal came in between. */
  async function decideOnce(
    purchaseId: PurchaseId,
    decision: "count" | "refuse",
    by: string,
    event: AuditEvent,
  ): Promise<Result<ReviewEntry, ReviewError> | null> {
    const before = await store.find(purchaseId);
    if (before === null) return err({ code: "not_found" });
    if (before.why === "refund_without_purchase") return err({ code: "not_decidable" });
    if (decision === "count" && MADE_UP.has(before.why)) return err({ code: "not_countable" });
    let noted = event;
    if (decision === "count" && before.state === "open" && before.decision === null) {
      const worth = await worthOf(before);
      if (!worth.ok) return worth;
      noted = { ...event, details: { ...event.details, points: worth.value.points } };
      if (worth.value.points > pointsAllowed(before, by)) {
        return propose(before, worth.value, by, noted);
      }
    }
    const row = await store.intend({ purchaseId, decision, by, nowMs: clock.nowMs() }, noted);
    return row === null || row.decision !== decision
      ? err({ code: "decided" })
      : carryOut(row, decision);
  }

  return {
    /** A page of rows, oldest first, each with what its ledger says of it now. */
    async page(
      query: {
        readonly state: ReviewState;
        readonly limit: number;
        readonly after: ReviewPosition | null;
      },
    ): Promise<{ readonly entries: readonly ReviewEntry[]; readonly more: boolean }> {
      const rows = await store.page(query);
      const entries = await Promise.all(
        rows.slice(0, query.limit).map(async (row): Promise<ReviewEntry> => {
          const found = await ledger.purchase(row.userId as UserId, row.purchaseId as PurchaseId);
          return { row, purchase: found.ok ? found.value : null };
        }),
      );
      return { entries, more: rows.length > query.limit };
    },

    /**
     * Decides a row that is held. The same decision again gives the same answer, another one is
     * refused. Counting one that would earn more than `SECOND_PERSON_POINTS` is first written down
     * as proposed, and done when another person says the same.
     */
    async decide(
      purchaseId: PurchaseId,
      decision: "count" | "refuse",
      by: string,
      event: AuditEvent,
    ): Promise<Result<ReviewEntry, ReviewError>> {
      for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        const decided = await decideOnce(purchaseId, decision, by, event);
        if (decided !== null) return decided;
      }
      return err({ code: "decided" });
    },

    /** Finishes decisions between whose writing down and the ledger something failed. */
    async finish(): Promise<void> {
      for (const row of await store.unfinished(clock.nowMs() - UNFINISHED_AFTER_MS, FINISH_MAX)) {
        if (row.decision !== null) await carryOut(row, row.decision);
      }
    },
  };
}
