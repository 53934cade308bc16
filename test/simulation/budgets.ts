// The OfferBudget objects of a world: the real rules (src/ledger/budget.ts) on SQLite, one database per offer as on the platform.
// The oracle's own arithmetic stands beside each answer.
import type { BudgetAnswer } from "../../src/ledger/budget.ts";
import { budgetReserved, migrateBudget, reserveBudget } from "../../src/ledger/budget.ts";
import { openFileSql } from "../../src/platform/deno/sql-storage.ts";
import type { FileSql } from "../../src/platform/deno/sql-storage.ts";

type Offer = { readonly sql: FileSql; readonly held: Map<string, number>; limit: number };

export class SimBudgets {
  readonly #offers = new Map<string, Offer>();

  /** Sets what one purchase holds of an offer's budget; repeating it changes nothing. Giving back always works. */
  reserve(offerId: string, purchaseKey: string, points: number, budgetPoints: number): BudgetAnswer {
    const offer = this.#open(offerId);
    offer.limit = Math.max(offer.limit, budgetPoints);
    const mine = offer.held.get(purchaseKey) ?? 0;
    const granted = points <= mine || this.used(offerId) - mine + points <= budgetPoints;
    if (granted) offer.held.set(purchaseKey, points);
    const expected = { granted, held: offer.held.get(purchaseKey) ?? 0, reserved: this.used(offerId) };
    const answer = offer.sql.transaction(() => reserveBudget(offer.sql, { key: purchaseKey, points, budgetPoints }));
    if (JSON.stringify(answer) !== JSON.stringify(expected)) throw new Error(`budget ${offerId} answered ${JSON.stringify(answer)}, expected ${JSON.stringify(expected)}`);
    if (budgetReserved(offer.sql) !== expected.reserved) throw new Error(`budget ${offerId} says it holds ${budgetReserved(offer.sql)}, not ${expected.reserved}`);
    return answer;
  }

  used(offerId: string): number {
    let sum = 0;
    for (const points of this.#offers.get(offerId)?.held.values() ?? []) sum += points;
    return sum;
  }

  offers(): { readonly offerId: string; readonly used: number; readonly limit: number }[] {
    return [...this.#offers].map(([offerId, { limit }]) => ({ offerId, used: this.used(offerId), limit }));
  }

  close(): void {
    for (const { sql } of this.#offers.values()) sql.close();
  }

  #open(offerId: string): Offer {
    let offer = this.#offers.get(offerId);
    if (offer === undefined) {
      offer = { sql: openFileSql(":memory:"), held: new Map(), limit: 0 };
      migrateBudget(offer.sql);
      this.#offers.set(offerId, offer);
    }
    return offer;
  }
}
