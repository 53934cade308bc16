// What is left of one offer's budget. A reservation says what a purchase should hold, not by how
// much to change it, so it may be repeated after a lost answer; reversals give back by reserving
// less. The sum never exceeds the budget.
import { DurableObject } from "cloudflare:workers";
import { requireJurisdiction } from "./jurisdiction.ts";
import { budgetReserved, migrateBudget, reserveBudget } from "../../ledger/object/offer-budget.ts";
import type { BudgetAnswer, BudgetRequest } from "../../ledger/object/offer-budget.ts";
import type { Result } from "../../kernel/result.ts";
import type { DumpedPage, ExpectedBook, StagedPage, TransferFailure } from "../../ledger/ports.ts";
import { objectSql } from "../../ledger/book/sql.ts";
import type { Sql } from "../../ledger/book/sql.ts";
import { closeLoad, dumpPage, stagePage } from "../../ledger/object/transfer.ts";

type BudgetEnv = { readonly [setting: string]: unknown };

/** The calls as another object sees them. */
export type BudgetObjectRpc = {
  readonly reserve: (request: BudgetRequest) => Promise<BudgetAnswer>;
  readonly reserved: () => Promise<number>;
};

export class OfferBudget extends DurableObject<BudgetEnv> {
  readonly #sql: Sql;

  constructor(ctx: DurableObjectState, env: BudgetEnv) {
    super(ctx, env);
    requireJurisdiction(env, ctx.id);
    this.#sql = objectSql(ctx.storage);
    void ctx.blockConcurrencyWhile(async () => {
      ctx.storage.transactionSync(() => migrateBudget(this.#sql));
    });
  }

  /**
   * Sets what a purchase holds; denied, and nothing changed, when the budget has not that much
   * left.
   */
  reserve(request: BudgetRequest): BudgetAnswer {
    return this.#sql.transaction(() => reserveBudget(this.#sql, request));
  }

  /** Points held by all purchases together. */
  reserved(): number {
    return budgetReserved(this.#sql);
  }

  dumpPage(cursor: string | null): Result<DumpedPage, TransferFailure> {
    return dumpPage(this.#sql, "budget", cursor);
  }
  stagePage(page: StagedPage): Result<null, TransferFailure> {
    return stagePage(this.#sql, page);
  }
  closeLoad(expected: ExpectedBook): Result<null, TransferFailure> {
    return closeLoad(this.#sql, "budget", expected);
  }
}
