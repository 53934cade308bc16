// Banking's rows in D1. The hot path reads once, by a unique key, and writes only what changed.
// Every write is conditional or has a unique key, so that it may be the last thing before a
// crash, or happen twice.
import type { Database } from "../../db/database.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { connectionRows } from "./connections.ts";
import { earningSwitch } from "./earning-switch.ts";
import { transferRows } from "./earning-transfers.ts";
import { handoverRows } from "./handovers.ts";
import { linkEndings } from "./link-endings.ts";
import { linkIntentRows } from "./link-intents.ts";
import { linkedUserReads } from "./linked-users.ts";
import { linkSchedule, lostTradeReads, tradedTokens, tradeRows } from "./links.ts";
import { pendingWork } from "./pending-work.ts";
import { quarantineOperations, quarantineRows } from "./quarantine.ts";
import { readProgress } from "./read-progress.ts";
import { remoteUserReads } from "./remote-users.ts";
import { renewalItemWork, tokenRenewalRequests, tokenRenewalWork } from "./token-renewals.ts";

export type { EarningStart } from "./handovers.ts";
export { TRIPS_A_DAY_MAX } from "./link-intents.ts";
export type { LinkIntent } from "./link-intents.ts";
export { LOST_TRADE_MS } from "./links.ts";
export type { TradeClaim } from "./links.ts";
export type {
  QuarantinedMessage,
  QuarantineEntry,
  QuarantineItem,
  QuarantineQuery,
} from "./quarantine.ts";

export type { RenewalItem, TokenRenewal } from "./token-renewals.ts";

export type BankingStore = ReturnType<typeof bankingStore>;

/**
 * Opens banking's rows. Failures throw `DrizzleQueryError` or `DatabaseFailure`: the caller answers
 * 503.
 */
export function bankingStore(db: Database, random: RandomBytes, seals: RowSeals) {
  return {
    ...linkedUserReads(db, seals),
    ...tradeRows(db, random, seals),
    ...tradedTokens(db, seals),
    ...lostTradeReads(db),
    ...linkSchedule(db),
    ...linkEndings(db),
    ...linkIntentRows(db, random),
    ...connectionRows(db, random, seals),
    ...earningSwitch(db, seals),
    ...handoverRows(db),
    ...transferRows(db, random),
    ...readProgress(db),
    ...remoteUserReads(db),
    ...pendingWork(db),
    ...quarantineRows(db, random),
    ...quarantineOperations(db, random),
    ...tokenRenewalRequests(db, random),
    ...tokenRenewalWork(db),
    ...renewalItemWork(db),
  };
}
