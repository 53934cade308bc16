// The user's own switch: on or off for one account.
import type { AccountId, UserId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { LedgerError } from "../../ledger/ports.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import { earningStart } from "./former-rows.ts";
import { handOversOf } from "./handover.ts";

type SwitchError = LedgerError | { readonly code: "shared" | "not_found" };

/**
 * Switches an account on or off. `shared`: another user's account earns for the same bank account,
 * and nothing changed.
 */
export async function switchEarning(
  deps: BankingDeps,
  userId: UserId,
  id: AccountId,
  earning: boolean,
): Promise<Result<null, SwitchError>> {
  if ((await deps.store.switchOf(userId, id)) === null) return err({ code: "not_found" });
  if (!earning) {
    await deps.store.switchOff(userId, id, deps.clock.nowMs());
    await handOversOf(deps, userId);
    return ok(null);
  }
  // What is due comes first: the account may have begun to earn by itself, since an earlier
  // instant.
  await handOversOf(deps, userId);
  const account = await deps.store.switchOf(userId, id);
  if (account === null) return err({ code: "not_found" });
  if (account.earning) return ok(null);
  const { fingerprint } = account;
  const holders = await deps.store.holdersOf(fingerprint);
  const start = await earningStart(deps, fingerprint, holders, userId, deps.clock.nowMs());
  if (!start.ok) return start;
  return (await deps.store.switchOn(userId, id, start.value)) ? ok(null) : err({ code: "shared" });
}
