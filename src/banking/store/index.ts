// Banking's rows in D1. The hot path reads once, by a unique key, and writes only what changed.
// Every write is conditional or has a unique key, so that any of them can be the last thing that
// happened, or happen twice.
import type { Database } from "../../db/database.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { connectionRows } from "./connections.ts";
import { directoryReads } from "./linked-user.ts";
import { linkRows } from "./links.ts";
import { openWork } from "./pending-work.ts";
import { quarantineRows } from "./quarantine.ts";
import { tripRows } from "./link-intents.ts";

export type { QuarantineEntry } from "./quarantine.ts";

export type BankingStore = ReturnType<typeof bankingStore>;

/**
 * Opens banking's rows. Failures throw `DrizzleQueryError` or `DatabaseFailure`: the caller answers
 * 503.
 */
export function bankingStore(db: Database, random: RandomBytes) {
  return {
    ...directoryReads(db),
    ...linkRows(db, random),
    ...tripRows(db, random),
    ...connectionRows(db, random),
    ...openWork(db),
    ...quarantineRows(db, random),
  };
}
