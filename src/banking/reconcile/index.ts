// Access to the aggregator, bringing our side in line with it, and what all acting parts are given.
export { accessFor, cipherFor, tokenPlace, tradedTokenOf } from "./access.ts";
export type { Access } from "./access.ts";
export { aggregatorOf } from "./deps.ts";
export type { BankingDeps } from "./deps.ts";
export { policyOf } from "./policy.ts";
export { reconcile } from "./reconcile.ts";
export type { Reconciled } from "./reconcile.ts";
