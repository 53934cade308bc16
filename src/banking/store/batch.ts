// Statements that take effect together.
import type { BatchItem } from "drizzle-orm/batch";
import type { Database } from "../../db/database.ts";

/** All of the statements or none; nothing for none. */
export async function inBatch(
  db: Database,
  statements: readonly BatchItem<"sqlite">[],
): Promise<void> {
  const [first, ...rest] = statements;
  if (first !== undefined) await db.batch([first, ...rest]);
}
