// The ledger in API.md's words, with every verdict in words too. Pure; it is given the label in
// clear and keeps nothing.
import { pointsToCents } from "../../kernel/money.ts";
import { toInstant } from "../../kernel/time.ts";
import type { EntryView, PointsView, PurchaseView, RuleCheck } from "../ports.ts";
import { checkText } from "../wording/check-sentences.ts";
import { arithmeticText, reasonText } from "../wording/reason-sentences.ts";
import type { Locale } from "../../texts/catalogue.ts";

function presentRule(check: RuleCheck, checks: readonly RuleCheck[], locale: Locale) {
  return {
    rule: check.rule,
    offer: check.offerId === null || check.version === null
      ? null
      : { id: check.offerId, version: check.version },
    passed: check.passed,
    needed: check.needed,
    found: check.found,
    ...(check.measure === undefined ? {} : { measure: check.measure }),
    ...(check.period === undefined ? {} : { period: check.period }),
    text: checkText(check, locale, checks),
  };
}

function presentVerdict({ verdict, kind, state }: PurchaseView, locale: Locale) {
  const { calculation } = verdict;
  return {
    outcome: verdict.outcome,
    points: verdict.points,
    reasons: verdict.reasons.map((code) => ({
      code,
      message: reasonText(code, locale, { ...verdict, kind, state }),
    })),
    rules: verdict.checks.map((check) => presentRule(check, verdict.checks, locale)),
    calculation: calculation === null ? null : {
      base_cents: calculation.baseCents,
      rate_bp: calculation.rateBp,
      points_per_euro: calculation.pointsPerEuro,
      uncapped: calculation.uncapped,
      capped: calculation.capped,
      text: arithmeticText(calculation, locale),
    },
    offer: verdict.offer,
    confirmation_expected_on: verdict.confirmationExpectedOn,
  };
}

/**
 * What only other domains know of a purchase: its label in clear (null when it cannot be read) and
 * its brand's name.
 */
type PurchaseWords = { readonly label: string | null; readonly brandName: string | null };

export function presentPurchase(purchase: PurchaseView, words: PurchaseWords, locale: Locale) {
  return {
    id: purchase.id,
    account_id: purchase.accountId,
    label: words.label,
    purchased_on: purchase.purchasedOn,
    booked_on: purchase.bookedOn,
    amount_cents: purchase.amountCents,
    currency: purchase.currency,
    original: purchase.original === null
      ? null
      : { amount_cents: purchase.original.amountCents, currency: purchase.original.currency },
    kind: purchase.kind,
    state: purchase.state,
    brand: purchase.brand === null ? null : {
      id: purchase.brand.id,
      name: words.brandName ?? purchase.brand.matched,
      matched: purchase.brand.matched,
    },
    refund_of: purchase.refundParts[0]?.purchaseId ?? null,
    refund_of_purchases: purchase.refundParts.map(({ purchaseId, amountCents }) => ({
      id: purchaseId,
      amount_cents: amountCents,
    })),
    verdict: presentVerdict(purchase, locale),
  };
}

export function presentPoints(points: PointsView, pointsPerEuro: number) {
  const { pending, available, held } = points.balances;
  return {
    available,
    pending,
    held,
    value_cents: pointsToCents(available, pointsPerEuro),
    currency: "EUR",
    next_confirmation: points.nextConfirmation,
    next_expiry: points.nextExpiry,
    ledger: { sequence: points.sequence, head: points.head },
  };
}

export function presentEntry(entry: EntryView) {
  return {
    id: entry.id,
    sequence: entry.sequence,
    kind: entry.kind,
    changes: entry.changes,
    balances: entry.balances,
    ...(entry.purchaseId === null ? {} : { purchase_id: entry.purchaseId }),
    ...(entry.redemptionId === null ? {} : { redemption_id: entry.redemptionId }),
    ...(entry.reverses === null ? {} : { reverses: entry.reverses }),
    effective_on: entry.effectiveOn,
    recorded_at: toInstant(entry.recordedAtMs),
    hash: entry.hash,
  };
}
