// Breakages of what tells accounts and their rows apart, see mutation-list.ts.
import type { Mutation } from "./mutation.ts";

export const ACCOUNT_MUTATIONS: readonly Mutation[] = [
  {
    name: "rows stay on their account",
    breaks: "(a) also when it moves to another account",
    file: "ledger/purchases/batch-plan.ts",
    find: "return linkId ?? String(accountNo);",
    seeds: [32],
    replace: 'return `${linkId ?? ""} ${accountNo}`;',
  },
  {
    name: "an IBAN is needed",
    breaks: "(b) without one the family says which accounts may be one",
    file: "ledger/purchases/account-identity.ts",
    find: `haveOneFamily(a, b) ? "family" : "different"`,
    seeds: [28],
    replace: `haveOneFamily(a, b) ? "different" : "different"`,
  },
  {
    name: "any day will do in a family",
    breaks: "(c) there only equal days and labels repeat",
    file: "ledger/purchases/generation-matching.ts",
    find: "if (!certain && !exact) return [];",
    seeds: [28],
    replace: "",
  },
  {
    name: "doubtful rows count at once",
    breaks: "(c) another day or label is held for review",
    file: "ledger/purchases/row-matching.ts",
    find: "parts.every((part) => inDoubt.has(part))",
    seeds: [28],
    replace: "parts.every((part) => inDoubt.has(part) && part.length > 99)",
  },
  {
    name: "nobody decides for ever",
    breaks: "(c) after 30 days without a person it counts",
    file: "ledger/purchases/verdict-state.ts",
    find: "DOUBT_WAIT_MS = 30 * DAY_MS",
    seeds: [95],
    replace: "DOUBT_WAIT_MS = 3000 * DAY_MS",
  },
  {
    name: "two views are two purchases",
    breaks: "(f) a card account's row and its parent's are one purchase",
    file: "ledger/purchases/card-views.ts",
    find: "const joined = closestFirst(pairsOf(slots, listings));",
    seeds: [17],
    replace: "const joined = closestFirst(pairsOf(slots, listings)).slice(0, 0);",
  },
  {
    name: "the parent's view stands",
    breaks: "(f) the card account's stands",
    file: "ledger/purchases/row-matching.ts",
    find: "Number(isParentView(row, slot, listings)),",
    seeds: [17],
    replace: "Number(!isParentView(row, slot, listings)),",
  },
];
