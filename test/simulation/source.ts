// The ledger as it is, for the worlds to run on.
import { closeBook, runAlarm } from "../../src/ledger/alarm.ts";
import { createEngine } from "../../src/ledger/engine.ts";
import { migrate } from "../../src/ledger/schema.ts";
import type { LedgerModule } from "./ledger.ts";

export const LEDGER: LedgerModule = { createEngine, migrate, runAlarm, closeBook };
