// A holder asks the one who earns to let them earn instead. Neither learns who the other is.
import type { AccountId, UserId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import { handOversOf } from "./handover.ts";

type TransferError = {
  readonly code:
    | "not_found"
    /** The account earns already, or no other holder earns with it. */
    | "transfer_not_possible"
    /** A request is open, or the last one was refused less than 14 days after it was made. */
    | "transfer_in_progress"
    /** There is no request to answer (any more). */
    | "transfer_not_asked";
};

/** Asks. The same request again changes nothing. */
export async function askTransfer(
  deps: BankingDeps,
  userId: UserId,
  id: AccountId,
): Promise<Result<null, TransferError>> {
  await deps.store.askTransfer(userId, id, deps.clock.nowMs());
  const after = await deps.store.transferPosition(userId, id, deps.clock.nowMs());
  if (after === null) return err({ code: "not_found" });
  if (after.asked) return ok(null);
  return err({
    code: after.earning || !after.anotherEarns ? "transfer_not_possible" : "transfer_in_progress",
  });
}

/** Answers the open request for an account of this user. The same answer again changes nothing. */
export async function answerTransfer(
  deps: BankingDeps,
  userId: UserId,
  id: AccountId,
  accept: boolean,
): Promise<Result<null, TransferError>> {
  const nowMs = deps.clock.nowMs();
  await deps.store.answerTransfer({ userId, accountId: id, nowMs }, accept);
  if (accept) await handOversOf(deps, userId);
  const after = await deps.store.transferPosition(userId, id, nowMs);
  if (after === null) return err({ code: "not_found" });
  // Whoever earns has not given the right away: an acceptance of that account is an older one.
  const done = accept
    ? after.answered === "accepted" && !after.earning
    : after.answered === "refused";
  return done ? ok(null) : err({ code: "transfer_not_asked" });
}
