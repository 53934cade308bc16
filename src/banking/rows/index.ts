// From rows at the aggregator to ledger calls: minimise, recognise, encrypt, send; and read back.
export { catchUp, PAGES_INLINE, PAGES_SWEEP, readDue, readEarlier, readLast } from "./backfill.ts";
export type { UnfinishedRead } from "./backfill.ts";
export { noteDropped, policyFor } from "./minimise-policy.ts";
export { recordEnd, recordRows } from "./record-rows.ts";
