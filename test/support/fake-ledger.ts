// The ledger of tests of banking: it keeps rows and counts calls, and gives no verdict.
import type { UserId } from "../../src/kernel/ids.ts";
import { err, ok } from "../../src/kernel/result.ts";
import type {
  BankRow,
  LedgerError,
  LedgerPort,
  PurchaseQuery,
  RecordBatch,
} from "../../src/ledger/ports.ts";

/** A ledger that keeps rows as a ledger must: by account and row id, the newest `last_update`. */
export function fakeLedger(around: <T>(work: () => Promise<T>) => Promise<T>) {
  const state = {
    calls: [] as { userId: UserId; batch: RecordBatch }[],
    rows: new Map<string, BankRow>(),
    synced: new Map<string, number>(),
    activityCalls: 0,
    /** What the ledger answers to each delivery. */
    readByMs: null as number | null,
    unconfirmedSince: null as string | null,
    fail: (_userId: UserId): LedgerError["code"] | null => null,
  };
  const port = {
    record: (userId: UserId, batch: RecordBatch) =>
      around(async () => {
        const failed = state.fail(userId);
        if (failed !== null) return err({ code: failed });
        state.calls.push({ userId, batch });
        for (const row of batch.rows) {
          const key = `${userId}|${row.accountId}|${row.externalId}`;
          if ((state.rows.get(key)?.lastUpdateMs ?? -1) <= row.lastUpdateMs) {
            state.rows.set(key, row);
          }
        }
        if (batch.syncedAtMs !== null) state.synced.set(batch.connectionId, batch.syncedAtMs);
        return ok({
          recorded: batch.rows.length,
          unchanged: 0,
          duplicates: 0,
          earnedPoints: 0,
          sequence: 1,
          readByMs: state.readByMs,
        });
      }),
    purchases: (userId: UserId, { from }: PurchaseQuery) =>
      around(async () => {
        const failed = state.fail(userId);
        if (failed !== null) return err({ code: failed });
        const items = [...state.rows].filter(([key, row]) =>
          key.startsWith(`${userId}|`) && row.purchasedOn >= (from ?? "")
        ).map(([, row]) => row);
        return ok({ items, nextBefore: null });
      }),
    unconfirmedSince: async () => ok(state.unconfirmedSince),
    bankingActivity: async () => {
      state.activityCalls += 1;
      return ok({
        connections: [...state.synced].map(([connectionId, lastSyncedAtMs]) => ({
          connectionId,
          lastSyncedAtMs,
        })),
        accounts: [],
      });
    },
  } as unknown as LedgerPort;
  return { state, port };
}
