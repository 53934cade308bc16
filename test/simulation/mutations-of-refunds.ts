// Deliberate breakages of what refunds give back and of refusals that end with their cause, each
// one edit of the source; part of mutation-list.ts.
import type { Mutation } from "./mutation.ts";

export const REFUND_MUTATIONS: readonly Mutation[] = [
  {
    name: "oldest purchase is refunded",
    breaks: "newest within 90 days first",
    file: "ledger/purchases/refund-allocation.ts",
    find: "compareTexts(b.date, a.date) || compareKeys(a, b);",
    seeds: [14],
    replace: "compareTexts(a.date, b.date) || compareKeys(a, b);",
  },
  {
    name: "a refund has no exact purchase",
    breaks: "(1) a purchase whose rest equals the refund",
    file: "ledger/purchases/refund-allocation.ts",
    find: "candidates.find((each) => each.left === refund.cents) ??",
    seeds: [4],
    replace: "candidates.find((each) => each.left < 0) ??",
  },
  {
    name: "foreign refunds by their euros",
    breaks: "(1) or that has the same foreign amount",
    file: "ledger/purchases/refund-allocation.ts",
    find: "candidates.find(({ row }) => hasSameOriginal(row, refund));",
    seeds: [32],
    replace: "candidates.find(({ row }) => row.n < 0);",
  },
  {
    name: "a refund has one purchase",
    breaks: "(3) newest first over several",
    file: "ledger/purchases/refund-allocation.ts",
    find: "if (missing === 0) break;",
    replace: "if (missing < refund.cents) break;",
  },
  {
    name: "no postage",
    breaks: "(3) short by at most 15 % or 10.00 euros",
    file: "ledger/purchases/refund-allocation.ts",
    find: "if (together === 0 || refund.cents - together > excessMax) return null;",
    seeds: [26],
    replace: "if (together === 0 || refund.cents > together) return null;",
  },
  {
    name: "any refund is postage",
    breaks: "(4) otherwise it is of a purchase that we do not know",
    file: "ledger/purchases/refund-allocation.ts",
    find: "if (together === 0 || refund.cents - together > excessMax) return null;",
    replace: "if (together === 0 || excessMax < 0) return null;",
  },
  {
    name: "a refund stays on its account",
    breaks: "purchases in the account's family",
    file: "ledger/purchases/refund-rematching.ts",
    find: "reassignRefunds(call, family, brandId);",
    replace:
      "reassignRefunds(call, family.filter((each) => each.accountNo === accountNo), brandId);",
  },
  {
    name: "the family's newest first",
    breaks: "its own account before the others",
    file: "ledger/purchases/refund-allocation.ts",
    find: "Number(a.account !== refund.account) - Number(b.account !== refund.account) ||",
    replace: "",
  },
  {
    name: "refusals outlive their cause",
    breaks: "what was refused or cut is judged again",
    file: "ledger/purchases/record-batch.ts",
    find: "  judgeRefusalsAgain(call, terms);\n",
    seeds: [49],
    replace: "",
  },
];
