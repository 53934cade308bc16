// Rows that no rule may judge, and refunds that found no purchase: shown to operators without their
// label, and decided by them. D1 knows which rows wait; what they are is read from the ledgers.
import type { AuditEvent } from "../audit/ports.ts";
import type { PurchaseId, UserId } from "../kernel/ids.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { OfferTerms } from "../ledger/ports.ts";
import { carryOut, offersFor, pointsOf, readRow } from "./carry-out.ts";
import type { ReviewEntry, ReviewsDeps, SeenRow } from "./carry-out.ts";
import type { ReviewError } from "./errors.ts";
import { MADE_UP, pointsAllowed, WITHOUT_DAY } from "./review-points.ts";
import type { ReviewPosition, ReviewRow, ReviewState } from "./store.ts";

export type Reviews = ReturnType<typeof reviewService>;

type ReviewPage = {
  readonly state: ReviewState;
  readonly limit: number;
  readonly after: ReviewPosition | null;
};

/** What an operator asks for, with the audit event that goes with it. */
type ReviewRequest = {
  readonly purchaseId: PurchaseId;
  readonly decision: "count" | "refuse";
  /** The day on which a row counts whose own cannot be true. */
  readonly purchasedOn: string | null;
  readonly by: string;
  /** Nobody else confirms what another proposed. */
  readonly listedPerson: boolean;
  readonly event: AuditEvent;
  readonly reason: string | null;
};

/** What counting a row would come to, and what may be decided. */
type ReviewFacts = {
  readonly brandName: string | null;
  readonly offers: readonly OfferTerms[];
  /** The most that it would earn. */
  readonly points: number;
  readonly secondPerson: boolean;
  readonly decisions: readonly ("count" | "refuse")[];
};

// Names only; the offers of a decision itself are read anew.
const CATALOGUE_AGE_MS = MINUTE_MS;

// A request that decides is over by then.
const UNFINISHED_AFTER_MS = 2 * MINUTE_MS;
const FINISH_MAX = 20;
/** Two persons who propose at once: the slower one is then the second. */
const ATTEMPTS_MAX = 3;

/**
 * Writes down who would count a row that one person may not, over the proposal that was read; null
 * when somebody was faster and the row has to be looked at again.
 */
async function propose(
  { store, clock }: ReviewsDeps,
  row: ReviewRow,
  { purchase, points }: Pick<SeenRow, "purchase"> & { readonly points: number },
  { by, event }: Pick<ReviewRequest, "by" | "event">,
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
  deps: ReviewsDeps,
  { purchaseId, decision, purchasedOn, by, listedPerson, event, reason }: ReviewRequest,
): Promise<Result<ReviewEntry, ReviewError> | null> {
  const { store, clock } = deps;
  const before = await store.find(purchaseId);
  if (before === null) return err({ code: "not_found" });
  if (before.why === "refund_without_purchase") return err({ code: "not_decidable" });
  if (decision === "count" && MADE_UP.has(before.why)) return err({ code: "not_countable" });
  const needsDay = decision === "count" && WITHOUT_DAY.has(before.why);
  if (
    decision === "count" && !listedPerson && before.proposedBy !== null && before.proposedBy !== by
  ) {
    return err({ code: "listed_person_required" });
  }
  if (needsDay && purchasedOn === null) return err({ code: "day_required" });
  if (!needsDay && purchasedOn !== null) return err({ code: "day_not_asked" });
  let noted = event;
  if (decision === "count" && before.state === "open" && before.decision === null) {
    const seen = await readRow(deps, before, purchasedOn);
    if (!seen.ok) return seen;
    const points = pointsOf(deps, seen.value, purchasedOn);
    noted = { ...event, details: { ...event.details, points } };
    if (points > pointsAllowed(before, by)) {
      return propose(deps, before, { purchase: seen.value.purchase, points }, { by, event: noted });
    }
  }
  const row = await store.intend(
    { purchaseId, decision, purchasedOn, by, nowMs: clock.nowMs(), reason },
    noted,
  );
  // Another person's proposal came in between.
  if (row?.state === "open" && row.decision === null) return null;
  return row === null || row.decision !== decision || row.purchasedOn !== purchasedOn
    ? err({ code: "decided" })
    : carryOut(deps, row, decision);
}

export function reviewService(deps: ReviewsDeps) {
  const { store, ledger, clock } = deps;
  return {
    /** A page of rows, oldest first, each with what its ledger says of it now. */
    async page(
      query: ReviewPage,
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

    /** What a person needs to decide, beside the row itself. */
    async describe({ row, purchase }: ReviewEntry): Promise<ReviewFacts | null> {
      if (purchase === null) return null;
      const offers = await offersFor(deps.catalogue, purchase, row.purchasedOn);
      const points = MADE_UP.has(row.why)
        ? 0
        : pointsOf(deps, { purchase, offers }, row.purchasedOn);
      const brand = purchase.brand === null
        ? null
        : (await deps.catalogue.current(CATALOGUE_AGE_MS)).brand(purchase.brand.id);
      const decidable = row.state === "open" && row.why !== "refund_without_purchase";
      return {
        brandName: brand?.name ?? null,
        offers,
        points,
        secondPerson: points > pointsAllowed(row, null),
        decisions: !decidable ? [] : MADE_UP.has(row.why) ? ["refuse"] : ["count", "refuse"],
      };
    },

    /**
     * Decides a row that is held. The same decision again gives the same answer, another one is
     * refused. Counting one that would earn more than `SECOND_PERSON_POINTS` is first written down
     * as proposed, and done when another person says the same.
     */
    async decide(request: ReviewRequest): Promise<Result<ReviewEntry, ReviewError>> {
      for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        const decided = await decideOnce(deps, request);
        if (decided !== null) return decided;
      }
      return err({ code: "decided" });
    },

    /** Finishes decisions that were written down and that the ledger may not have received. */
    async finish(): Promise<void> {
      for (const row of await store.unfinished(clock.nowMs() - UNFINISHED_AFTER_MS, FINISH_MAX)) {
        if (row.decision !== null) await carryOut(deps, row, row.decision);
      }
    },
  };
}
