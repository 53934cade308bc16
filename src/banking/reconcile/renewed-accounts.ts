// What a page that renews brought. It is opened with a code of ours, and whoever gets its address
// can type other credentials there: then the connection shows somebody else's accounts.
import { addDays, parisDate } from "../../kernel/time.ts";
import { ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { LinkedConnection, LinkedUser, RenewedConnection } from "../connections/index.ts";
import type { ReadError } from "../errors.ts";
import type { AccountWindow, CardRow, RowPosition } from "../ports.ts";
import type { Access } from "./access.ts";
import type { BankingDeps } from "./deps.ts";
import { policyOf } from "./policy.ts";

/** So far back rows are compared. */
const COMPARED_DAYS = 90;
const PAGES_MAX = 3;
const PURCHASES_PAGE = 100;

/** A row by what does not change with the account's id. */
const rowKey = (row: Pick<CardRow, "kind" | "amountCents" | "purchasedOn">): string =>
  `${row.kind}|${row.amountCents}|${row.purchasedOn}`;

/**
 * Of the accounts without an IBAN those, by their ids there, that show at least one row that we
 * have of the connection, with equal cents and day. Stores nothing.
 */
export async function knownByRows(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  access: Access,
  renewed: readonly RenewedConnection[],
): Promise<Result<ReadonlySet<string>, ReadError>> {
  const known = new Set<string>();
  for (const { connection, toCompare } of renewed) {
    if (toCompare.length === 0) continue;
    const fromDay = firstDayCompared(deps, linkedUser, connection);
    const ours = await rowsWeHave(deps, linkedUser, connection, fromDay);
    if (!ours.ok) return ours;
    if (ours.value.size === 0) continue;
    const windows = new Map(
      toCompare.map(({ remoteId, currency }) =>
        [remoteId, { currency, firstDay: fromDay, seenFromMs: null }] as const
      ),
    );
    const shown = await rowsShown(deps, linkedUser, access, windows, fromDay);
    if (!shown.ok) return shown;
    for (const row of shown.value) {
      if (ours.value.has(rowKey(row))) known.add(row.remoteAccountId);
    }
  }
  return ok(known);
}

/** Rows of days before the consent are not ours to see, and we have none of them. */
function firstDayCompared(
  { clock }: BankingDeps,
  { bankDataSinceMs }: LinkedUser,
  { accounts }: LinkedConnection,
): string {
  const linkedAtMs = Math.min(...accounts.map((account) => account.linkedAtMs));
  const windowDay = parisDate(Math.max(bankDataSinceMs ?? 0, linkedAtMs));
  const lastDay = addDays(parisDate(clock.nowMs()), -COMPARED_DAYS);
  return windowDay > lastDay ? windowDay : lastDay;
}

async function rowsWeHave(
  { ledger }: BankingDeps,
  { userId }: LinkedUser,
  { accounts }: LinkedConnection,
  from: string,
): Promise<Result<ReadonlySet<string>, ReadError>> {
  const ids = new Set(accounts.map(({ id }) => id));
  const keys = new Set<string>();
  let before: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof ledger.purchases>> = await ledger.purchases(userId, {
      from,
      to: null,
      brandId: null,
      outcome: null,
      limit: PURCHASES_PAGE,
      before,
    });
    if (!page.ok) return page;
    for (const row of page.value.items) if (ids.has(row.accountId)) keys.add(rowKey(row));
    before = page.value.nextBefore;
  } while (before !== null);
  return ok(keys);
}

async function rowsShown(
  deps: BankingDeps,
  { catalogueVersion }: LinkedUser,
  { aggregator, token }: Access,
  windows: ReadonlyMap<string, AccountWindow>,
  sinceDay: string,
): Promise<Result<readonly CardRow[], ReadError>> {
  const policy = policyOf(deps, await deps.catalogue.snapshot(catalogueVersion), windows);
  const shown: CardRow[] = [];
  let position: RowPosition | null = { sinceDay };
  for (let page = 0; page < PAGES_MAX && position !== null; page++) {
    const answer: Awaited<ReturnType<typeof aggregator.rows>> = await aggregator.rows(
      token,
      position,
      policy,
    );
    if (!answer.ok) return answer;
    shown.push(...answer.value.rows);
    position = answer.value.next === null ? null : { next: answer.value.next };
  }
  return ok(shown);
}

/**
 * Ends the connections that show no account of before: nothing of them is taken in, and their user
 * is told by mail to link anew. The sweep deletes them at the aggregator. True when one ended.
 */
export async function endReplaced(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  renewed: readonly RenewedConnection[],
  byRows: ReadonlySet<string>,
): Promise<boolean> {
  const replaced = renewed.filter(({ isKnown, toCompare }) =>
    !isKnown && !toCompare.some(({ remoteId }) => byRows.has(remoteId))
  );
  for (const { connection } of replaced) {
    await deps.store.endReplaced(linkedUser.userId, connection.id, deps.clock.nowMs());
    deps.log.alert("bank_connection_replaced", {
      link_id: linkedUser.linkId,
      connection_id: connection.id,
    });
  }
  return replaced.length > 0;
}
