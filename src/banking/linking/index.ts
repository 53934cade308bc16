// Linking a bank and ending it, at the aggregator and here.
export {
  consentListener,
  endAll,
  endConnection,
  finishEnding,
  finishRemoval,
} from "./disconnect.ts";
export { returnFromBank } from "./come-back.ts";
export type { CallbackInput } from "./come-back.ts";
export { startConnection, startRenewal } from "./start.ts";
export type { RenewalInput, StartInput } from "./start.ts";
export { finishTrade } from "./trade.ts";
