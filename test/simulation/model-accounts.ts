// The oracle's view of accounts: what two listings are to each other. Written from DESIGN.md
// section 4, rules (b) and (f); it shares no code with the engine.
import type { AccountGeneration } from "../../src/ledger/ports.ts";

/** Whether one is the card account of the other. */
export function isCardOf(card: AccountGeneration, parent: AccountGeneration): boolean {
  if (card.parentAccountId === parent.accountId) return true;
  return card.unitIban !== null && card.ownIban === null && parent.ownIban === card.unitIban;
}

/** One account for certain: an IBAN of its own says so. */
export function haveOneIban(a: AccountGeneration, b: AccountGeneration): boolean {
  return a.ownIban !== null && b.ownIban === a.ownIban;
}

/** Nothing speaks against their being one account, and the family or an IBAN speaks for it. */
export function mayBeOne(a: AccountGeneration, b: AccountGeneration): boolean {
  if (a.accountId === b.accountId) return false;
  if (haveOneIban(a, b)) return true;
  if ((a.ownIban !== null && b.ownIban !== null) || isCardOf(a, b) || isCardOf(b, a)) return false;
  const together = a.connectionId === b.connectionId &&
    Math.max(a.createdAtMs, b.createdAtMs) <
      Math.min(a.goneAtMs ?? Infinity, b.goneAtMs ?? Infinity);
  return !together && ofOneFamily(a, b);
}

function ofOneFamily(a: AccountGeneration, b: AccountGeneration): boolean {
  return a.unitIban === null || b.unitIban === null
    ? a.bankKey === b.bankKey
    : a.unitIban === b.unitIban;
}

/** The accounts among which a refund looks for its purchase: all that hang together. */
export function familyOf(
  account: AccountGeneration,
  all: readonly AccountGeneration[],
): ReadonlySet<string> {
  const family = new Set([account.accountId]);
  for (let before = 0; before < family.size;) {
    before = family.size;
    for (const each of all) {
      const hangsOn = all.some((other) =>
        family.has(other.accountId) &&
        (haveOneIban(each, other) || isCardOf(each, other) || isCardOf(other, each) ||
          ofOneFamily(each, other))
      );
      if (hangsOn) family.add(each.accountId);
    }
  }
  return family;
}
