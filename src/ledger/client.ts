// Placeholder until the engine lands on this branch.
import { err } from "../kernel/result.ts";
import type { LedgerPort } from "./ports.ts";

export function ledgerClient(_deps: unknown): LedgerPort {
  const no = async () => err({ code: "ledger_unavailable" as const });
  return { record: no, points: no, entries: no, purchases: no, purchase: no, activate: no, activations: no, bankingActivity: no, runDue: no };
}
