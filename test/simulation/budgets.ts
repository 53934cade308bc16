// The OfferBudget objects of a world: per offer what each purchase holds. The oracle's own arithmetic stands beside each answer.
export type BudgetAnswer = { readonly granted: boolean };

export class SimBudgets {
  readonly #held = new Map<string, Map<string, number>>();
  readonly #limits = new Map<string, number>();

  /** Sets what one purchase holds of an offer's budget; repeating it changes nothing. Giving back always works. */
  reserve(offerId: string, purchaseKey: string, points: number, budgetPoints: number): BudgetAnswer {
    const held = this.#held.get(offerId) ?? new Map<string, number>();
    this.#held.set(offerId, held);
    this.#limits.set(offerId, Math.max(budgetPoints, this.#limits.get(offerId) ?? 0));
    const mine = held.get(purchaseKey) ?? 0;
    if (points > mine && this.used(offerId) - mine + points > budgetPoints) return { granted: false };
    held.set(purchaseKey, points);
    return { granted: true };
  }

  used(offerId: string): number {
    let sum = 0;
    for (const points of this.#held.get(offerId)?.values() ?? []) sum += points;
    return sum;
  }

  heldBy(offerId: string, purchaseKey: string): number {
    return this.#held.get(offerId)?.get(purchaseKey) ?? 0;
  }

  offers(): { readonly offerId: string; readonly used: number; readonly limit: number }[] {
    return [...this.#held.keys()].map((offerId) => ({ offerId, used: this.used(offerId), limit: this.#limits.get(offerId) ?? 0 }));
  }
}
