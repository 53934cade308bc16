// What becomes of a user whose corrected birth date says that they are too young: nothing earns
// until a person decides. Of age: it goes on, and what was bought meanwhile is read back. Under
// age, or nobody decided in time: the connections end, since data of a child must not go on being
// read.
import type { AuditEvent } from "../../audit/ports.ts";
import { newId } from "../../kernel/ids.ts";
import type { UserId } from "../../kernel/ids.ts";
import { errorClass } from "../../kernel/log.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { DAY_MS, MINUTE_MS } from "../../kernel/time.ts";
import { hasReached } from "../profile.ts";
import type { AgeReviewPosition, AgeReviewRow, NewAgeReview } from "../store/index.ts";
import type { IdentityDeps } from "./deps.ts";

type AgeDecision = "of_age" | "under_age";

const DECIDE_WITHIN_MS = 30 * DAY_MS;
/** A request that decides is over by then. */
const UNFINISHED_AFTER_MS = 2 * MINUTE_MS;
const ROUND_REVIEWS = 20;

/** The review that a new birth date asks for, or null. */
export function reviewFor(
  deps: IdentityDeps,
  userId: UserId,
  birthDate: string | null | undefined,
): NewAgeReview | null {
  const { clock, random, minimumAge } = deps;
  const nowMs = clock.nowMs();
  if (birthDate === null || birthDate === undefined) return null;
  if (hasReached(birthDate, minimumAge, nowMs)) return null;
  return {
    id: newId("agr", nowMs, random, userId),
    openedAtMs: nowMs,
    decideByMs: nowMs + DECIDE_WITHIN_MS,
    minimumAge,
  };
}

/** A page of reviews, oldest first. */
export async function pageAgeReviews(deps: IdentityDeps, query: {
  readonly state: "open" | "closed" | "all";
  readonly limit: number;
  readonly after: AgeReviewPosition | null;
}): Promise<{ readonly reviews: readonly AgeReviewRow[]; readonly more: boolean }> {
  const rows = await deps.store.pageAgeReviews(query);
  return { reviews: rows.slice(0, query.limit), more: rows.length > query.limit };
}

/** Decides. The same decision again gives the same answer, another one is refused. */
export async function decideAgeReview(
  deps: IdentityDeps,
  id: string,
  decision: AgeDecision,
  event: AuditEvent,
): Promise<Result<AgeReviewRow, { readonly code: "not_found" | "decided" }>> {
  const row = await deps.store.decideAge(
    { id, decision, by: event.actor, nowMs: deps.clock.nowMs() },
    event,
  );
  if (row === null) return err({ code: "not_found" });
  if (row.decision !== decision) return err({ code: "decided" });
  return ok(row.closedAtMs === null ? await carryOut(deps, row) : row);
}

/** Decides what lapsed, and finishes what was decided and not carried out. */
export async function finishAgeReviews(deps: IdentityDeps): Promise<void> {
  const { store, clock } = deps;
  const nowMs = clock.nowMs();
  for (const { id } of await store.lapsedAgeReviews(nowMs, ROUND_REVIEWS)) {
    await store.decideAge({ id, decision: "lapsed", by: "identity", nowMs }, {
      actorKind: "system",
      actor: "identity",
      action: "age_review.lapse",
      target: id,
      details: {},
    });
  }
  const lapsed = await store.unfinishedAgeReviews(nowMs - UNFINISHED_AFTER_MS, ROUND_REVIEWS);
  for (const row of lapsed) {
    try {
      await carryOut(deps, row);
    } catch (error) {
      deps.log.alert("age_review_unfinished", { review: row.id, error: errorClass(error) });
    }
  }
}

async function carryOut(deps: IdentityDeps, row: AgeReviewRow): Promise<AgeReviewRow> {
  const userId = row.userId as UserId;
  if (row.decision === "of_age") await deps.ageListener.earningResumes(userId);
  else await deps.ageListener.connectionsEnd(userId);
  return (await deps.store.closeAgeReview(row.id, deps.clock.nowMs())) ?? row;
}
