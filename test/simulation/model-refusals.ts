// A refusal does not outlive its cause: after every delivery no purchase may be refused or cut by a
// cap, or for not being the first, though what the other purchases have now would let it earn more.
// Asked of the oracle's own earning rules; in which order the ledger judged again is its own
// affair.
import type { Model } from "./model.ts";
import type { OfferTerms, PurchaseView } from "../../src/ledger/ports.ts";
import { ensure } from "./book.ts";
import { expectedGrant, samePeriod } from "./model-earning.ts";

export function checkRefusals(
  model: Model,
  catalogue: readonly OfferTerms[],
  pointsPerEuro: number,
  views: ReadonlyMap<string, PurchaseView>,
): void {
  for (const [key, grant] of model.grants) {
    const known = model.rows.get(key);
    const view = views.get(key);
    if (known === undefined || view === undefined) continue;
    const { row } = known;
    const givenBack = model.resolution.refundedCents.get(key) === row.amountCents;
    // An activation that came later, and a budget that comes back, are for later purchases.
    const open = catalogue.filter((terms) =>
      terms.activation === "automatic" && !grant.denied.has(`${terms.offerId} ${terms.version}`)
    );
    const { points, terms } = expectedGrant(row, open, model.past(key), pointsPerEuro);
    const same = terms?.offerId === grant.terms?.offerId && terms?.version === grant.terms?.version;
    ensure(
      givenBack || points <= grant.points || (grant.points > 0 && !same),
      `${key} has ${grant.points} points (${view.verdict.reasons.join()}) and could have ${points} of ${terms?.offerId}`,
    );
    checkRestored(model, key, view);
  }
}

/** Points that a refund had reversed come back as far as the caps have room. */
function checkRestored(model: Model, key: string, view: PurchaseView): void {
  const grant = model.grants.get(key);
  const terms = grant?.terms ?? null;
  const cents = BigInt(view.amountCents);
  if (grant === undefined || terms === null || grant.state !== "earned" || cents === 0n) return;
  const left = cents - BigInt(model.resolution.refundedCents.get(key) ?? 0);
  const due = Number((BigInt(grant.points) * left) / cents);
  const asksBudget = view.verdict.reasons.some((code) => code.startsWith("budget_"));
  if (grant.active >= due || asksBudget) return;
  const past = model.past(key);
  const inPeriod = samePeriod(terms.period, grant.on);
  const full = (terms.capPointsPerUser !== null &&
    past.points(terms.offerId, inPeriod) + grant.active >= terms.capPointsPerUser) ||
    (terms.capPurchasesPerUser !== null &&
      past.purchases(terms.offerId, inPeriod) >= terms.capPurchasesPerUser) ||
    (terms.firstPurchaseOnly && past.purchases(terms.offerId, () => true) > 0);
  ensure(full, `${key} has ${grant.active} of ${due} points, though the caps have room`);
}
