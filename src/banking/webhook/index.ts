// Deliveries of the aggregator, and operators' replay of those that were set aside.
export { createReceiver } from "./intake.ts";
export { replayQuarantined } from "./replay.ts";
export type { Replayed, ReplayError } from "./replay.ts";
