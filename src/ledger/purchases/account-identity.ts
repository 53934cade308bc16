// Which account of a bank a listing shows: the rules of DESIGN.md section 4, (b) and (f), as far as
// they look at accounts and not at rows. Pure, and symmetric: no answer depends on which listing
// was recorded first.
import type { AccountId } from "../../kernel/ids.ts";

/** One account id of an aggregator, as the book knows it. */
export type Account = {
  readonly accountNo: number;
  readonly accountId: AccountId;
  readonly connectionId: string;
  /** Null, like the bank key and the name, of an account that was not seen since books keep it. */
  readonly linkId: string | null;
  readonly ownIban: string | null;
  readonly unitIban: string | null;
  readonly bankKey: string | null;
  readonly nameTag: string | null;
  readonly parentAccountId: AccountId | null;
  readonly earlierKeys: readonly string[];
  readonly createdAtMs: number;
  readonly goneAtMs: number | null;
};

/**
 * `same`: one account by its IBAN. `family`: they may be one account, seen in turn or through two
 * connections. `card_of`, `parent_of`: the first is the card account of the second, or its parent.
 */
type Relation = "same" | "family" | "card_of" | "parent_of" | "different";

/** How two listings are related. */
export function relationOf(a: Account, b: Account): Relation {
  if (a.ownIban !== null && a.ownIban === b.ownIban) return "same";
  if (isCardOf(a, b)) return "card_of";
  if (isCardOf(b, a)) return "parent_of";
  if (a.ownIban !== null && b.ownIban !== null) return "different";
  return !isListedBeside(a, b) && haveOneFamily(a, b) ? "family" : "different";
}

/**
 * Listings in families: accounts with their cards, and whatever may be one of them. Rows of two
 * families are never compared.
 */
export function familiesOf(accounts: readonly Account[]): Account[][] {
  let families: Account[][] = [];
  for (const account of accounts) {
    const joined = families.filter((family) =>
      family.some((each) => belongTogether(each, account))
    );
    families = [
      ...families.filter((family) => !joined.includes(family)),
      [...joined.flat(), account],
    ];
  }
  return families;
}

function belongTogether(a: Account, b: Account): boolean {
  return relationOf(a, b) !== "different" || haveOneFamily(a, b);
}

function isCardOf(card: Account, parent: Account): boolean {
  return card.parentAccountId === parent.accountId ||
    (card.unitIban !== null && card.unitIban !== card.ownIban && card.unitIban === parent.ownIban);
}

/** What one connection lists at the same time are different accounts. */
function isListedBeside(a: Account, b: Account): boolean {
  return a.connectionId === b.connectionId && a.createdAtMs < (b.goneAtMs ?? Infinity) &&
    b.createdAtMs < (a.goneAtMs ?? Infinity);
}

function haveOneFamily(a: Account, b: Account): boolean {
  if (a.unitIban !== null && b.unitIban !== null) return a.unitIban === b.unitIban;
  if (a.bankKey !== null && b.bankKey !== null) return a.bankKey === b.bankKey;
  return a.earlierKeys.some((key) => b.earlierKeys.includes(key));
}

/** In the order of first sight; the id breaks ties, since it is the same in every book. */
function inOrderOfSight(accounts: readonly Account[]): Account[] {
  return [...accounts].sort((a, b) =>
    a.createdAtMs - b.createdAtMs || (a.accountId < b.accountId ? -1 : 1)
  );
}

/** Listings of one family and what the matching of their rows asks about them. */
export type Listings = {
  readonly ordered: readonly Account[];
  /** Place in the order of first sight. */
  readonly ageOf: (accountNo: number) => number;
  readonly relation: (a: number, b: number) => Relation;
};

/** Works the relations of a family out once: its rows ask for them again and again. */
export function listingsOf(family: readonly Account[]): Listings {
  const ordered = inOrderOfSight(family);
  const ages = new Map(ordered.map(({ accountNo }, age) => [accountNo, age]));
  const relations = new Map(
    ordered.map((a) => [
      a.accountNo,
      new Map(ordered.map((b) => [b.accountNo, relationOf(a, b)])),
    ]),
  );
  return {
    ordered,
    ageOf: (accountNo) => ages.get(accountNo) ?? -1,
    relation: (a, b) => relations.get(a)?.get(b) ?? "different",
  };
}
