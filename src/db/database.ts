// D1 through drizzle. drizzle's own error messages quote bound parameters (an e-mail, a token), so
// nothing above this folder may print an error's message; `kernel/log.ts` takes the class only.
import { DrizzleQueryError } from "drizzle-orm/errors";
import { drizzle } from "drizzle-orm/d1";
import type { AnyD1Database, DrizzleD1Database } from "drizzle-orm/d1";
import type { SqlDatabase } from "./d1.ts";

export type Database = DrizzleD1Database;

/**
 * Opens the database binding. The logger stays off: it prints parameters. Never use `transaction()`
 * (D1 refuses it): `batch`.
 */
export function openDatabase(binding: SqlDatabase): Database {
  // drizzle names the binding's whole type, which only Cloudflare has; it calls the part that
  // `SqlDatabase` names.
  const db = drizzle(binding as unknown as AnyD1Database, { logger: false });
  // drizzle wraps the failure of a single statement but passes a batch's through as the platform's
  // own error.
  const batch = db.batch.bind(db);
  db.batch = (statements) => guarded(() => batch(statements));
  return db;
}

/**
 * Thrown by statements that do not go through drizzle, without the text and the parameters that the
 * platform's error quotes.
 */
export class DatabaseFailure extends Error {
  override readonly name = "DatabaseFailure";
}

/** Runs a statement on the binding itself and strips what its failure says. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch {
    throw new DatabaseFailure("statement failed");
  }
}

/** True when the database did not do what it was asked: the caller may repeat the request. */
export function isDatabaseFailure(error: unknown): boolean {
  return error instanceof DrizzleQueryError || error instanceof DatabaseFailure;
}
