// Breakages of the rules of days and of the order of a row's versions.
import type { Mutation } from "./mutation.ts";

export const DAY_AND_TIME_MUTATIONS: readonly Mutation[] = [
  {
    name: "a row without a time is fresh",
    breaks: "a row without any time of its own never overwrites a known one",
    file: "ledger/purchases/row-versions.ts",
    find: `if (row.lastUpdateKind === "unstated") return false;`,
    replace: `if (row.lastUpdateKind === "unstated") return true;`,
  },
  {
    name: "the clock decides in the repeated hour",
    breaks: "times of the repeated hour are ordered by state and arrival",
    file: "ledger/purchases/row-versions.ts",
    find: `lastUpdateKind === "repeated_hour" ? lastUpdateMs + HOUR_MS : lastUpdateMs`,
    seeds: [26],
    replace: "lastUpdateMs",
  },
  {
    name: "a day ahead earns at once",
    breaks: "a purchase day in the future waits",
    file: "ledger/purchases/verdicts.ts",
    find: "if (purchase.purchasedOn > dayOf(call.nowMs)) return expectDay(call, purchase);",
    seeds: [2],
    replace: "",
  },
  {
    name: "a day ahead never comes",
    breaks: "it stops waiting when its day comes",
    file: "ledger/object/alarm.ts",
    find: "await judgeDueDays(parts, nowMs);",
    seeds: [2],
    replace: "",
  },
  {
    name: "announced debits close early",
    breaks: "(e) a deferred debit is closed 14 days after its announced day",
    file: "ledger/purchases/verdict-state.ts",
    find: "announcedOn !== null && announcedOn > since ? announcedOn : since",
    seeds: [34],
    replace: "since",
  },
  {
    name: "a given day is lost",
    breaks: "a row whose day nobody can tell counts on the day that a person gives",
    file: "ledger/review-decisions.ts",
    find: "purchase.purchasedOn = purchasedOn;",
    seeds: [317],
    replace: "",
  },
  {
    name: "any day may be given",
    breaks: "a given day is validated",
    file: "ledger/review-decisions.ts",
    find: 'day >= dayOf(integerOf(first ?? {}, "ms"))',
    seeds: [372],
    replace: 'day > ""',
  },
];
