// One user's ledger on node:sqlite in the shape of an object's stub, so that the same client talks to it. The Deno edition opens a
// file per user; the contract tests open memory. Drains and budgets are the edition's own: `drain` is handed in.
import { InvariantError } from "../../kernel/assert.ts";
import { errorClass } from "../../kernel/log.ts";
import type { Log } from "../../kernel/log.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { err, ok } from "../../kernel/result.ts";
import type { LedgerStub } from "../../ledger/client.ts";
import { createEngine } from "../../ledger/engine.ts";
import type { Engine } from "../../ledger/engine.ts";
import { migrate } from "../../ledger/schema.ts";
import type { FileSql } from "./sql-storage.ts";

export type LocalLedgerParts = {
  readonly sql: FileSql;
  readonly userId: string;
  readonly random: RandomBytes;
  readonly log: Log;
  /** Tells the database and the budgets what the engine has for them; true when nothing is left. */
  readonly drain: (engine: Engine, nowMs: number) => Promise<boolean>;
};

/** Opens a user's book and answers as the object does: a broken invariant refuses, and never throws. */
export function openLedgerStub(parts: LocalLedgerParts): LedgerStub {
  const { sql } = parts;
  sql.transaction(() => migrate(sql));
  const engine = createEngine({ sql, random: parts.random, userId: parts.userId });
  const guard = <T>(call: () => T): T | { readonly ok: false; readonly error: { readonly code: "ledger_refused" } } => {
    try {
      return call();
    } catch (error) {
      parts.log.alert("ledger_refused", { error: errorClass(error), user_id: parts.userId, invariant: error instanceof InvariantError ? error.message.replaceAll(" ", "_") : null });
      return err({ code: "ledger_refused" });
    }
  };
  const remote = <I, R>(method: (input: I, nowMs: number) => R) => (input: I, nowMs: number) => Promise.resolve(guard(() => method(input, nowMs)));
  const runDue: LedgerStub["runDue"] = async (_, nowMs) => {
    const due = guard(() => engine.runDue(null, nowMs));
    if (!due.ok) return due;
    for (const redemptionId of due.value.overdueHolds) parts.log.alert("hold_overdue", { redemption_id: redemptionId });
    return ok({ more: !(await parts.drain(engine, nowMs)) });
  };
  return {
    record: remote(engine.record), points: remote(engine.points), entries: remote(engine.entries), overview: remote(engine.overview), purchases: remote(engine.purchases), purchase: remote(engine.purchase),
    activate: remote(engine.activate), activations: remote(engine.activations), bankingActivity: remote(engine.bankingActivity), operate: remote(engine.operate), reviews: remote(engine.reviews),
    decideReview: remote(engine.decideReview), exportPage: remote(engine.exportPage), verify: remote(engine.verify), runDue,
    reproject: async (_, nowMs) => {
      const reset = guard(() => engine.ackOutbox(0, nowMs));
      return reset.ok ? await runDue(null, nowMs) : reset;
    },
    leaf: () => Promise.resolve(guard(() => ok(engine.leaf()))),
    erase: () => Promise.resolve(guard(() => {
      const leaf = engine.leaf();
      sql.deleteAll();
      return ok(engine.closeErased(leaf));
    })),
  };
}
