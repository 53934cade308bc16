// Passes the right to earn with a shared account on when its holder leaves, switches it off, loses
// the account or agrees to a request. What is due was noted in the write that freed the right; the
// work may end anywhere and be done again.
import type { UserId } from "../../kernel/ids.ts";
import { backoffMs, nextHolder } from "../connections/index.ts";
import type { Handover } from "../connections/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import { earningStart } from "./former-rows.ts";

/** Hands over what is due. False: later, because an earlier holder's ledger does not answer. */
export async function handOver(deps: BankingDeps, due: Handover): Promise<boolean> {
  const holders = await deps.store.holdersOf(due.fingerprint);
  const next = nextHolder(holders, due.preferredUserId);
  if (next === null) {
    await deps.store.dropHandover(due);
    return true;
  }
  const start = await earningStart(
    deps,
    due.fingerprint,
    holders,
    next.userId,
    due.stoppedAtMs,
  );
  if (!start.ok) {
    await deps.store.postponeHandover(due, deps.clock.nowMs() + backoffMs(due.tries));
    return false;
  }
  await deps.store.handOver(due, next, start.value);
  return true;
}

/** Hands over at once what a user's own act may have freed; what fails is the sweep's. */
export async function handOversOf(deps: BankingDeps, userId: UserId): Promise<void> {
  for (const due of await deps.store.handoversOf(userId)) await handOver(deps, due);
}
