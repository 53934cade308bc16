// The banking service: all that routes and the composition need.
export type { BankingDeps } from "../reconcile/index.ts";
export { createBanking } from "./service.ts";
export type { BankingService } from "./service.ts";
