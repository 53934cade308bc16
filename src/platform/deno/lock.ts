// One process per data folder: one writer per user is the design, and two processes would be two.
// The lock is the operating system's, held through SQLite: it ends with the process, however that
// ends, so there is no stale lock to clean up.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";

type FolderLock = { readonly release: () => void };

/**
 * Takes the folder (made if missing) for the life of this process, or says that another process
 * has it.
 */
export function lockDataFolder(
  dataDir: string,
): Result<FolderLock, { readonly code: "data_folder_in_use" }> {
  mkdirSync(dataDir, { recursive: true });
  // Nobody else on the machine has a business here; an operator's mkdir may have been more
  // generous.
  chmodSync(dataDir, 0o700);
  const database = new DatabaseSync(join(dataDir, "lock.sqlite"));
  try {
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch {
    database.close();
    return err({ code: "data_folder_in_use" });
  }
  return ok({ release: () => database.close() });
}
