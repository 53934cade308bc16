// Linking a bank and ending it, at the aggregator and here.
export {
  consentListener,
  endAll,
  endConnection,
  finishEnding,
  finishRemoval,
} from "./disconnect.ts";
export { returnFromBank, startConnection, startRenewal } from "./link-flow.ts";
export type { CallbackInput, RenewalInput, StartInput } from "./link-flow.ts";
