// The banks that a user can choose: asked for once an hour, searched in memory.
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { HOUR_MS } from "../../kernel/time.ts";
import { normaliseName } from "../connections/index.ts";
import type { Bank } from "../ports.ts";
import type { BankingDeps } from "../reconcile/index.ts";

const BANKS_KEPT_MS = HOUR_MS;

type Banks = Result<readonly Bank[], { readonly code: "aggregator_unavailable" }>;

/**
 * Makes the search of banks whose name contains a query, whatever its case and accents; by name.
 * One per isolate: it keeps the list.
 */
export function createBankSearch(
  deps: Pick<BankingDeps, "aggregators" | "clock">,
): (query: string) => Promise<Banks> {
  let kept: { readonly atMs: number; readonly list: readonly Bank[] } | null = null;

  async function allBanks(): Promise<Banks> {
    const nowMs = deps.clock.nowMs();
    if (kept !== null && nowMs - kept.atMs < BANKS_KEPT_MS) return ok(kept.list);
    const fresh = (await deps.aggregators[0]?.banks()) ?? err({ code: "aggregator_unavailable" });
    if (fresh.ok) kept = { atMs: nowMs, list: fresh.value };
    // An old list serves better than none.
    return kept === null ? err({ code: "aggregator_unavailable" }) : ok(kept.list);
  }

  return async (query) => {
    const list = await allBanks();
    const wanted = normaliseName(query);
    return list.ok && wanted !== ""
      ? ok(list.value.filter((bank) => normaliseName(bank.name).includes(wanted)))
      : list;
  };
}
