import { test } from "vitest";
import { newId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { ledgerClient } from "../../src/ledger/client.ts";
import type { LedgerStub } from "../../src/ledger/client.ts";
import { openLedgerStub } from "../../src/platform/deno/ledger-stub.ts";
import { openFileSql } from "../../src/platform/deno/sql-storage.ts";
import { ledgerContract } from "./ledger.ts";

const log = { info: () => {}, alert: () => {} };

ledgerContract(test, async () => {
  let nowMs = Date.now();
  const stubs = new Map<string, LedgerStub>();
  const getByName = (userId: string): LedgerStub => {
    const stub = stubs.get(userId) ?? openLedgerStub({ sql: openFileSql(":memory:"), userId, random: systemRandomBytes, log, drain: async () => true });
    stubs.set(userId, stub);
    return stub;
  };
  const ledger = ledgerClient({ namespace: { getByName }, clock: { nowMs: () => nowMs }, log });
  return { ledger, user: newId("usr", Date.now(), systemRandomBytes), moveTo: (ms) => void (nowMs = ms) };
});
