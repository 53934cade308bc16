// A refusal does not outlive its cause: when a purchase that used up a cap, or that was the first
// of its brand, is taken back, those that it refused or cut are judged again, oldest decision
// first. A budget that comes back serves later purchases; an earlier one only when it is the
// purchase that was taken back, under another id.
import type { BrandId } from "../../kernel/ids.ts";
import type { Call } from "../book/call.ts";
import { readMeta, writeMeta } from "../book/meta.ts";
import type { Terms } from "../earning/types.ts";
import { MAY_BE_LIMITED } from "./findings.ts";
import { PURCHASE_COLUMNS, purchaseFrom, updatePurchase } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { judgeAgain, needOffers, wasDenied } from "./verdicts.ts";

/** Brands whose refusals wait for a call that is handed offers. */
const REFUSALS_DUE = "refusals_due";

/**
 * What one purchase gains may free what another needs, a few times over. Each round only ever adds
 * points; what is left after so many waits for the next delivery.
 */
const ROUNDS_MAX = 8;

const CANDIDATES =
  `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE brand_id = ? AND kind = 'purchase' AND state = 'booked' AND same_as IS NULL
   AND decided_rank IS NOT NULL AND (review IS NULL OR review = 'cleared') AND refunded_cents < amount_cents AND (reversed > 0 OR ${MAY_BE_LIMITED})
   ORDER BY decided_rank, n`;

/**
 * Judges again what was refused at the brands where this call, or one before it that had no offers
 * at hand, freed something. Asks for offers that were not handed over; nothing is decided then.
 */
export function judgeRefusalsAgain(call: Call, terms: Terms): void {
  // Noted for the delivery after the halt.
  if (terms.paused === true) return;
  const stored = readMeta(call.sql, REFUSALS_DUE);
  for (const brandId of brandsFrom(stored)) call.freed.add(brandId);
  for (let round = 0; round < ROUNDS_MAX && call.freed.size > 0; round++) {
    const brands = [...call.freed].sort();
    call.freed.clear();
    const candidates = brands.flatMap((brandId) => candidatesOf(call, brandId));
    // All at once: each further round would be another call.
    for (const purchase of candidates) needOffers(call, purchase, terms);
    if (call.offersNeeded.length > 0) return;
    for (const purchase of candidates) {
      if (judgeAgain(call, purchase, termsFor(call, purchase, terms))) {
        // The whole row: a large reward is held for review, which is stored with the facts.
        updatePurchase(call, purchase);
      }
    }
  }
  if (brandsFrom(stored).length > 0) writeMeta(call.sql, REFUSALS_DUE, "[]");
}

/** Notes what a call freed and could not judge again, having no offers: the next delivery does. */
export function noteRefusalsDue(call: Call): void {
  const due = [...call.freed].filter((brandId) => candidatesOf(call, brandId).length > 0);
  if (due.length === 0) return;
  const stored = brandsFrom(readMeta(call.sql, REFUSALS_DUE));
  writeMeta(call.sql, REFUSALS_DUE, JSON.stringify([...new Set([...stored, ...due])].sort()));
}

function brandsFrom(text: string | null): readonly BrandId[] {
  return text === null ? [] : (JSON.parse(text) as readonly BrandId[]);
}

function candidatesOf(call: Call, brandId: BrandId): PurchaseRow[] {
  return call.sql.exec(CANDIDATES, brandId).map(purchaseFrom);
}

/**
 * Without the versions whose budget had too little for the purchase: what comes back to a budget is
 * for others, unless it comes from the same purchase.
 */
function termsFor(call: Call, purchase: PurchaseRow, terms: Terms): Terms {
  if (!wasDenied(purchase) || repeatsWithdrawn(call, purchase)) return terms;
  const denied = purchase.findings.checks.filter(({ rule }) => rule === "budget_exhausted");
  return {
    ...terms,
    offers: terms.offers.filter((each) =>
      !denied.some(({ offerId, version }) => offerId === each.offerId && version === each.version)
    ),
  };
}

/** Whether the bank took the same purchase back in this call, under the id that it had before. */
function repeatsWithdrawn(call: Call, purchase: PurchaseRow): boolean {
  return call.withdrawn.length > 0 && call.sql.exec(
        `SELECT 1 FROM purchases p JOIN accounts a ON a.account_no = p.account_no
         WHERE p.n IN (SELECT value FROM json_each(?)) AND p.kind = 'purchase' AND p.amount_cents = ? AND p.currency = ? AND p.purchased_on = ?
           AND p.label_tag = ? AND a.fingerprint = (SELECT fingerprint FROM accounts WHERE account_no = ?) LIMIT 1`,
        JSON.stringify(call.withdrawn),
        purchase.amountCents,
        purchase.currency,
        purchase.purchasedOn,
        purchase.labelTag,
        purchase.accountNo,
      ).length > 0;
}
