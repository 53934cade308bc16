// What a user has used of offers: for the screens that say whether an offer still applies.
import type { OfferId } from "../../kernel/ids.ts";
import { addDays } from "../../kernel/time.ts";
import type { Call } from "../book/call.ts";
import { integerOf, textOf } from "../book/sql.ts";
import type { OfferQuestion, OfferUse } from "../ports.ts";
import { spanOf } from "../purchases/user-history.ts";
import { activationsView } from "./views.ts";

type Sums = { readonly points: number; readonly purchases: number };

/** By the same rows as the caps of the earning rules (purchases/user-history.ts). */
function sumsOf(call: Call, period: string, offerIds: readonly OfferId[]): Map<string, Sums> {
  const span = spanOf(period);
  const rows = call.sql.exec(
    `SELECT offer_id, COUNT(*) AS purchases,
       SUM(CASE WHEN waits_for = 'budget' THEN COALESCE(json_extract(budget, '$[#-1].wanted'), 0) ELSE granted - reversed END) AS points
     FROM purchases WHERE purchased_on BETWEEN ? AND ? AND offer_id IN (SELECT value FROM json_each(?)) AND same_as IS NULL
       AND kind = 'purchase' AND (outcome = 'earned' OR waits_for = 'budget') GROUP BY offer_id`,
    span.from,
    span.to,
    JSON.stringify(offerIds),
  );
  return new Map(rows.map((row) => [
    textOf(row, "offer_id"),
    { points: integerOf(row, "points"), purchases: integerOf(row, "purchases") },
  ]));
}

function brandsBoughtAt(call: Call, offers: readonly OfferQuestion[]): Set<string> {
  const brandIds = [...new Set(offers.map(({ brandId }) => brandId))];
  const rows = call.sql.exec(
    `SELECT DISTINCT brand_id FROM purchases WHERE brand_id IN (SELECT value FROM json_each(?)) AND kind = 'purchase' AND state = 'booked'
       AND same_as IS NULL AND decided_rank IS NOT NULL`,
    JSON.stringify(brandIds),
  );
  return new Set(rows.map((row) => textOf(row, "brand_id")));
}

/** The activations, and what was used of the offers asked about, in one read for each period. */
export function offerUse(
  call: Call,
  { offers }: { readonly offers: readonly OfferQuestion[] },
): OfferUse {
  const bought = brandsBoughtAt(call, offers);
  const sums = new Map(
    [...new Set(offers.map(({ period }) => period))].map((period) => [
      period,
      sumsOf(
        call,
        period,
        offers.filter((offer) => offer.period === period).map(({ offerId }) => offerId),
      ),
    ]),
  );
  return {
    activations: activationsView(call),
    used: offers.map(({ offerId, brandId, period }) => ({
      offerId,
      points: 0,
      purchases: 0,
      ...sums.get(period)?.get(offerId),
      resetsOn: period === "offer" ? null : addDays(spanOf(period).to, 1),
      bought: bought.has(brandId),
    })),
  };
}
