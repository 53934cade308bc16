// The ledger as it is, for the worlds to run on.
import { closeBook, runAlarm } from "../../src/ledger/object/alarm.ts";
import { createEngine } from "../../src/ledger/engine.ts";
import { migrate } from "../../src/ledger/book/schema.ts";
import type { LedgerModule } from "./ledger.ts";

export const LEDGER: LedgerModule = { createEngine, migrate, runAlarm, closeBook };
