// Which versions of a brand's offers a verdict on a day may need. Pure.
import { addDays, parisToMs } from "../kernel/time.ts";
import type { OfferTerms } from "../ledger/ports.ts";

/**
 * Of all versions of a brand's offers, those that may be in force on a day from `fromDay` to `toDay`,
 * both included. When none is, one that is not: a verdict has to distinguish "the brand has no offer"
 * from "its offer was not in force".
 */
export function termsAround(
  all: readonly OfferTerms[],
  fromDay: string,
  toDay: string,
): readonly OfferTerms[] {
  const [fromMs, toMs] = [parisToMs(fromDay), parisToMs(addDays(toDay, 1))];
  const around = all.filter((terms) =>
    terms.startsAtMs < toMs && (terms.endsAtMs === null || terms.endsAtMs > fromMs)
  );
  return around.length > 0 ? around : all.slice(-1);
}
