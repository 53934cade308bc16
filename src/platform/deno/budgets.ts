// What is left of each offer's budget, one file per offer: what the OfferBudget object is on
// Cloudflare.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../kernel/assert.ts";
import { isId } from "../../kernel/ids.ts";
import type { OfferId } from "../../kernel/ids.ts";
import { budgetReserved, migrateBudget, reserveBudget } from "../../ledger/object/offer-budget.ts";
import type { BudgetAnswer, BudgetRequest } from "../../ledger/object/offer-budget.ts";
import type { TransferStub } from "../../ledger/object/transfer-client.ts";
import { closeLoad, dumpPage, stagePage } from "../../ledger/object/transfer.ts";
import { openFiles } from "./open-files.ts";
import { openFileSql } from "./sql-storage.ts";
import type { FileSql } from "./sql-storage.ts";

const OPEN_BUDGETS_MAX = 20;

export type Budgets = {
  readonly reserve: (offerId: OfferId, request: BudgetRequest) => Promise<BudgetAnswer>;
  readonly reserved: (offerId: OfferId) => Promise<number>;
  /** An offer's budget as raw rows, to move it. */
  readonly transferOf: (offerId: string) => TransferStub;
  readonly close: () => void;
};

/** Opens the folder of budgets. */
export function openBudgets(folder: string): Budgets {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = openFiles<FileSql>({
    max: OPEN_BUDGETS_MAX,
    open: (offerId) => {
      assert(
        isId("off", offerId),
        "budget_id_invalid",
        "the id of the budget to open is not an offer's id",
      );
      const sql = openFileSql(join(folder, `${offerId}.sqlite`));
      sql.transaction(() => migrateBudget(sql));
      return sql;
    },
    close: (sql) => sql.close(),
  });
  return {
    reserve: async (offerId, request) =>
      files.use(offerId, (sql) => sql.transaction(() => reserveBudget(sql, request))),
    reserved: async (offerId) => files.use(offerId, budgetReserved),
    transferOf: (offerId) => ({
      dumpPage: async (cursor) => files.use(offerId, (sql) => dumpPage(sql, "budget", cursor)),
      stagePage: async (page) => files.use(offerId, (sql) => stagePage(sql, page)),
      closeLoad: async (expected) =>
        files.use(offerId, (sql) => closeLoad(sql, "budget", expected)),
    }),
    close: files.closeAll,
  };
}
