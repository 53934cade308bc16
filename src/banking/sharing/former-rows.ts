// What an account that begins to earn must leave to its earlier holders. The aggregator may show a
// row to one holder days after it showed it to another, so the time at which it was seen does not
// tell alone: the rows that the others' ledgers have are remembered by keyed hashes.
import { ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { addDays, parisDate, parisToMs, SECOND_MS } from "../../kernel/time.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { LedgerError } from "../../ledger/ports.ts";
import { sharedRowTag } from "../connections/index.ts";
import type { Holder } from "../connections/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { EarningStart } from "../store/index.ts";

/** A row dated longer before the change of holder stays with the earlier ones, seen or not. */
const DAYS_BEFORE = 10;
const PAGE_ROWS = 100;

/**
 * From when on rows count for `userId`, who earns from `sinceMs` on: those first seen by then whose
 * day is not long past, but for those that another holder has recorded.
 */
export async function earningStart(
  deps: BankingDeps,
  fingerprint: string,
  holders: readonly Holder[],
  userId: UserId,
  sinceMs: number,
): Promise<Result<EarningStart, LedgerError>> {
  const others = holders.filter((holder) => holder.userId !== userId);
  const nowMs = deps.clock.nowMs();
  if (others.length === 0) {
    return ok({ seenFromMs: sinceMs, countsFromMs: null, takenRows: [], nowMs });
  }
  const fromDay = addDays(parisDate(sinceMs), -DAYS_BEFORE);
  const tags = new Set<string>();
  for (const other of new Set(others.map((holder) => holder.userId))) {
    const accounts = new Set(
      others.filter((holder) => holder.userId === other).map((holder) => holder.accountId),
    );
    const recorded = await recordedTags(deps, fingerprint, other, accounts, fromDay);
    if (!recorded.ok) return recorded;
    for (const tag of recorded.value) tags.add(tag);
  }
  return ok({
    // The aggregator's times are whole seconds: a row of the same second was not seen before.
    seenFromMs: sinceMs - sinceMs % SECOND_MS,
    countsFromMs: parisToMs(fromDay),
    takenRows: [...tags],
    nowMs,
  });
}

/** Only booked rows: a pending one earns nothing for a holder who left before it was booked. */
async function recordedTags(
  deps: BankingDeps,
  fingerprint: string,
  userId: UserId,
  accounts: ReadonlySet<string>,
  fromDay: string,
): Promise<Result<readonly string[], LedgerError>> {
  const tags: string[] = [];
  let before: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof deps.ledger.purchases>> = await deps.ledger.purchases(
      userId,
      { from: fromDay, to: null, brandId: null, outcome: null, limit: PAGE_ROWS, before },
    );
    // An erased user's rows are gone, and their points with them.
    if (!page.ok) return page.error.code === "erased" ? ok([]) : page;
    for (const row of page.value.items) {
      if (row.state === "booked" && accounts.has(row.accountId)) {
        tags.push(sharedRowTag(deps.keyrings.index, fingerprint, row));
      }
    }
    before = page.value.nextBefore;
  } while (before !== null);
  return ok(tags);
}
