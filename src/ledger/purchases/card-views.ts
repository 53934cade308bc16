// Rule (f) of DESIGN.md section 4: some banks show what a card account shows on its parent once
// more. Two such rows are two views of one purchase.
import type { Listings } from "./account-identity.ts";
import { closestFirst, haveOneMerchant } from "./compared-row.ts";
import type { Pair, SameRow, Slot } from "./compared-row.ts";
import { inAgeOrder } from "./generation-matching.ts";

/** Two slots that are one purchase, or one that is by itself. */
type JoinedSlot = { readonly rows: Slot; readonly parts: readonly Slot[] };

/**
 * Joins each slot of a card account with the slot of its parent that shows the same, one to one.
 */
export function joinViews(slots: readonly Slot[], listings: Listings): JoinedSlot[] {
  const joined = closestFirst(pairsOf(slots, listings));
  const taken = new Set(joined.flatMap(({ left, right }) => [left, right]));
  return [
    ...slots.filter((slot) => !taken.has(slot)).map((slot) => ({ rows: slot, parts: [slot] })),
    ...joined.map(({ left, right }) => ({
      rows: inAgeOrder([...left, ...right], listings),
      parts: [left, right],
    })),
  ];
}

/** Whether another row of the slot is of a card account of the account that the row is of. */
export function isParentView(row: SameRow, slot: Slot, { relation }: Listings): boolean {
  return slot.some((other) => relation(row.accountNo, other.accountNo) === "parent_of");
}

function pairsOf(slots: readonly Slot[], listings: Listings): Pair<Slot, Slot>[] {
  const { relation, ordered } = listings;
  const some = ordered.some((a) =>
    ordered.some((b) => relation(a.accountNo, b.accountNo) === "card_of")
  );
  if (!some) return [];
  // A purchase that the newest listing withdrew is gone, whatever its parent shows.
  const live = slots.filter((slot) => slot.every((row) => row.state !== "deleted"));
  const byDay = new Map<string, { readonly row: SameRow; readonly slot: Slot }[]>();
  for (const slot of live) {
    for (const row of slot) {
      const key = `${row.kind} ${row.cents} ${row.date}`;
      byDay.set(key, [...byDay.get(key) ?? [], { row, slot }]);
    }
  }
  return [...byDay.values()].flatMap((each) =>
    each.flatMap((card) =>
      each.flatMap((parent) =>
        card.slot !== parent.slot && haveOneMerchant(card.row, parent.row) &&
          relation(card.row.accountNo, parent.row.accountNo) === "card_of"
          ? [{ left: card.slot, right: parent.slot, rank: rankOf(card.row, parent.row) }]
          : []
      )
    )
  );
}

function rankOf(card: SameRow, parent: SameRow): (number | string)[] {
  return [
    Number(card.labelTag !== parent.labelTag),
    card.date,
    card.externalId,
    parent.externalId,
  ];
}
