// The Deno platform's files in a folder of a test's own: used in Node and on Deno, so nothing of
// either's test runner is here.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import type { LedgerHelpers } from "../../src/ledger/object/alarm.ts";
import { ledgerClient } from "../../src/ledger/object/client.ts";
import { openAlarms } from "../../src/platform/deno/alarms.ts";
import { openBudgets } from "../../src/platform/deno/budgets.ts";
import { migrateSqliteD1, openSqliteD1 } from "../../src/platform/deno/d1.ts";
import type { LocalDatabase } from "../../src/platform/deno/d1.ts";
import { openLedgers } from "../../src/platform/deno/ledgers.ts";
import type { OpenLedger } from "../contract/ledger.ts";

export type TestFiles = {
  /** A database with the migrations applied and no rows of ours. */
  readonly openD1: () => Promise<LocalDatabase>;
  /** A ledger of a user nobody used, over files, with a clock the test moves. */
  readonly openLedger: OpenLedger;
  /** Closes everything and removes the folder. */
  readonly dispose: () => void;
};

/** Ledgers whose users get no mail and give nothing to statistics. */
export const QUIET_HELPERS: LedgerHelpers = {
  halts: { known: () => [], refresh: async () => {} },
  offersOn: async (covers) => ({
    covers,
    offers: [],
    programme: { pointsPerEuro: 100, pointsExpireMonths: 24 },
  }),
  sendNotice: async () => false,
  offerToSample: async () => {},
};

/** Makes a folder under the system's temporary one. */
export function openTestFiles(): TestFiles {
  const root = mkdtempSync(join(tmpdir(), "cagnotte-files-"));
  const closing: (() => void)[] = [];
  let count = 0;
  const openD1 = async (): Promise<LocalDatabase> => {
    const path = join(root, `d1-${count++}.sqlite`);
    migrateSqliteD1(path, "migrations");
    const database = openSqliteD1(path);
    closing.push(() => database.close());
    return database;
  };
  return {
    openD1,
    openLedger: async () => {
      let nowMs = Date.now();
      const clock = { nowMs: () => nowMs };
      const log = { info: () => {}, alert: () => {} };
      const database = await openD1();
      const alarms = openAlarms(join(root, `alarms-${count++}.sqlite`));
      const budgets = openBudgets(join(root, `budgets-${count++}`));
      const ledgers = openLedgers({
        folder: join(root, `ledgers-${count++}`),
        alarms,
        clock,
        random: systemRandomBytes,
        log,
        database,
        reserve: budgets.reserve,
        helpers: QUIET_HELPERS,
      });
      closing.push(() => {
        ledgers.close();
        budgets.close();
        alarms.close(true);
      });
      return {
        ledger: ledgerClient({ namespace: ledgers.namespace, clock, log }),
        user: newId("usr", Date.now(), systemRandomBytes),
        moveTo: (ms) => void (nowMs = ms),
      };
    },
    dispose: () => {
      for (const close of closing.reverse()) close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
