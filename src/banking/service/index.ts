// The banking service: all that routes and the composition need.
export { createBanking } from "./service.ts";
export type { BankingService } from "./service.ts";
