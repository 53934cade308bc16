// What may pass the minimiser for one connection, and what is noted of the rows that did not.
import type { CatalogueSnapshot } from "../../catalogue/ports.ts";
import { earningAccounts } from "../connections/index.ts";
import type { LinkedConnection, LinkedUser } from "../connections/index.ts";
import type { MinimisedRows, RowPolicy } from "../ports.ts";
import { policyOf } from "../reconcile/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";

/** The minimiser's policy for one connection. */
export function policyFor(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
  catalogue: CatalogueSnapshot,
): RowPolicy {
  return policyOf(deps, catalogue, earningAccounts(linkedUser, connection));
}

/**
 * Rows that could not be read point to a change at the aggregator; the other causes are everyday.
 * Counts only.
 */
export function noteDropped(
  deps: BankingDeps,
  connection: LinkedConnection,
  rows: MinimisedRows,
): void {
  if (rows.dropped.unreadable > 0) {
    deps.log.alert("bank_rows_unreadable", {
      connection_id: connection.id,
      count: rows.dropped.unreadable,
    });
  }
}
