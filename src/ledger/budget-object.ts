// What is left of one offer's budget. A reservation says what a purchase should hold, not by how much to change it, so it may be
// repeated after a lost answer; reversals give back by reserving less. The sum never exceeds the budget.
import { DurableObject } from "cloudflare:workers";
import { reserveBudget, budgetReserved, migrateBudget } from "./budget.ts";
import type { BudgetAnswer, BudgetRequest } from "./budget.ts";
import { assertJurisdiction } from "./jurisdiction.ts";
import type { JurisdictionEnv } from "./jurisdiction.ts";
import { objectSql } from "./sql.ts";
import type { Sql } from "./sql.ts";

/** The calls as another object sees them. */
export type BudgetObjectRpc = {
  readonly reserve: (request: BudgetRequest) => Promise<BudgetAnswer>;
  readonly reserved: () => Promise<number>;
};

export class OfferBudget extends DurableObject<JurisdictionEnv> {
  readonly #sql: Sql;

  constructor(ctx: DurableObjectState, env: JurisdictionEnv) {
    super(ctx, env);
    assertJurisdiction(env, ctx.id.jurisdiction);
    this.#sql = objectSql(ctx.storage);
    void ctx.blockConcurrencyWhile(async () => {
      ctx.storage.transactionSync(() => migrateBudget(this.#sql));
    });
  }

  /** Sets what a purchase holds; denied, and nothing changed, when the budget has not that much left. */
  reserve(request: BudgetRequest): BudgetAnswer {
    return this.#sql.transaction(() => reserveBudget(this.#sql, request));
  }

  /** Points held by all purchases together. */
  reserved(): number {
    return budgetReserved(this.#sql);
  }
}
