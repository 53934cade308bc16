// The OfferBudget objects of a world: the real rules (src/ledger/budget.ts) on SQLite, one database
// per offer as on the platform. The oracle's own arithmetic is beside each answer, with the
// limit that the catalogue names and not the one that was asked with.
import type { BudgetAnswer, BudgetRequest } from "../../src/ledger/object/offer-budget.ts";
import {
  budgetReserved,
  migrateBudget,
  reserveBudget,
} from "../../src/ledger/object/offer-budget.ts";
import { openFileSql } from "../../src/platform/deno/sql-storage.ts";
import type { FileSql } from "../../src/platform/deno/sql-storage.ts";
import type { Catalogue } from "./catalogue.ts";

type Offer = { readonly sql: FileSql; readonly held: Map<string, number> };

export class SimBudgets {
  readonly #offers = new Map<string, Offer>();
  readonly #catalogue: Catalogue;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /**
   * Sets what one purchase holds of an offer's budget; repeating it changes nothing, giving back
   * always works. `limit` is the budget of the version under which it earns, or null when that is
   * not known any more: some version of the offer then has it.
   */
  reserve(offerId: string, request: BudgetRequest, limit: number | null): BudgetAnswer {
    const { key, points } = request;
    const offer = this.#open(offerId);
    const limits = limit === null ? this.#limits(offerId) : [limit];
    if (!limits.includes(request.budgetPoints)) {
      throw new Error(
        `${offerId} is said to have a budget of ${request.budgetPoints}, it has ${
          limits.join(" or ")
        }`,
      );
    }
    const mine = offer.held.get(key) ?? 0;
    const granted = points <= mine ||
      this.used(offerId) - mine + points <= (limit ?? request.budgetPoints);
    if (granted) offer.held.set(key, points);
    const expected = { granted, held: offer.held.get(key) ?? 0, reserved: this.used(offerId) };
    const answer = offer.sql.transaction(() => reserveBudget(offer.sql, request));
    if (JSON.stringify(answer) !== JSON.stringify(expected)) {
      throw new Error(
        `budget ${offerId} answered ${JSON.stringify(answer)}, expected ${
          JSON.stringify(expected)
        }`,
      );
    }
    if (budgetReserved(offer.sql) !== expected.reserved) {
      throw new Error(
        `budget ${offerId} says it holds ${budgetReserved(offer.sql)}, not ${expected.reserved}`,
      );
    }
    return answer;
  }

  used(offerId: string): number {
    let sum = 0;
    for (const points of this.#offers.get(offerId)?.held.values() ?? []) sum += points;
    return sum;
  }

  /** `limit`: the largest budget that a version of the offer ever had. */
  offers(): { readonly offerId: string; readonly used: number; readonly limit: number }[] {
    return [...this.#offers.keys()].map((offerId) => ({
      offerId,
      used: this.used(offerId),
      limit: Math.max(...this.#limits(offerId)),
    }));
  }

  close(): void {
    for (const { sql } of this.#offers.values()) sql.close();
  }

  #limits(offerId: string): number[] {
    return this.#catalogue.terms.flatMap((
      terms,
    ) => (terms.offerId === offerId && terms.budgetPoints !== null ? [terms.budgetPoints] : []));
  }

  #open(offerId: string): Offer {
    let offer = this.#offers.get(offerId);
    if (offer === undefined) {
      offer = { sql: openFileSql(":memory:"), held: new Map() };
      migrateBudget(offer.sql);
      this.#offers.set(offerId, offer);
    }
    return offer;
  }
}
