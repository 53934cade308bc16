// Seals as a system has them whose rows were all sealed from the first one on.
import { eq } from "drizzle-orm";
import { bankAccounts } from "../../src/db/banking-tables.ts";
import { openDatabase } from "../../src/db/database.ts";
import { rowSeals } from "../../src/db/row-seals.ts";
import type { RowSeals } from "../../src/db/row-seals.ts";
import { SEALED_ACCOUNTS } from "../../src/db/sealed-tables.ts";
import type { Keyring } from "../../src/kernel/keyring.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import type { Log } from "../../src/kernel/log.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";

/** One for all parts of a test's system: what one of them seals the others accept. */
export const KEYRING: Keyring = { active: "t1", keys: new Map([["t1", systemRandomBytes(32)]]) };

export function strictSeals(keyring: Keyring, log: Log = jsonLog(() => {})): RowSeals {
  return rowSeals({ keyring, unsealedBeforeMs: null, log });
}

/** Seals a bank account's row as a test has left it: as if a version of ours had written it so. */
export async function sealAccount(
  binding: D1Database,
  keyring: Keyring,
  id: string,
): Promise<void> {
  const db = openDatabase(binding);
  const isIt = eq(bankAccounts.id, id);
  const [row] = await db.select().from(bankAccounts).where(isIt);
  if (row === undefined) throw new Error("no such account");
  const seal = strictSeals(keyring).of(SEALED_ACCOUNTS, row);
  await db.update(bankAccounts).set({ seal }).where(isIt);
}
