// One process per data folder: one writer per user is the design, and two processes would be two.
// The lock is the operating system's, held through SQLite: it ends with the process, however that
// ends, so there is no stale lock to clean up.
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";

type FolderLock = { readonly release: () => void };
export type DataFolderError =
  | { readonly code: "data_folder_in_use" }
  /** `reason`: the system's code, or the class of the failure where it has none. */
  | { readonly code: "data_folder_unusable"; readonly reason: string };

/**
 * Takes the folder (made if missing) for the life of this process. Fails when another process has
 * it, or when no file can be written there.
 */
export function lockDataFolder(dataDir: string): Result<FolderLock, DataFolderError> {
  const file = join(dataDir, "lock.sqlite");
  try {
    makeFolder(dataDir);
    // Nobody else on the machine has a business here; an operator's mkdir may have been more
    // generous.
    chmodSync(dataDir, 0o700);
    closeSync(openSync(file, "a"));
  } catch (error) {
    return err({ code: "data_folder_unusable", reason: systemCode(error) });
  }
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch {
    database.close();
    return err({ code: "data_folder_in_use" });
  }
  return ok({ release: () => database.close() });
}

/**
 * Makes a folder and those above it. Not by `recursive`: below `/proc`, where nothing can be made,
 * Node tries again for ever. Looks at a folder above only when it is missing: the process may have
 * no permission to see it.
 */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    mkdirSync(path);
  }
}

function systemCode(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

const WHY_UNUSABLE: ReadonlyMap<string, string> = new Map([
  ["ENOTDIR", "is not a folder"],
  ["EEXIST", "is not a folder"],
  ["ENOENT", "cannot be made there"],
  ["EACCES", "is not writable for this user"],
  ["EPERM", "is not writable for this user"],
  ["EROFS", "is on a read-only file system"],
  ["ENOSPC", "is on a full disk"],
  ["NotCapable", "is not open to this process (--allow-read, --allow-write)"],
]);

/** One sentence for the operator who started the process. */
export function dataFolderSentence(error: DataFolderError, dataDir: string): string {
  if (error.code === "data_folder_in_use") {
    return `another process works on the data folder ${dataDir}; one process per folder, because one writer per user is the design`;
  }
  const why = WHY_UNUSABLE.get(error.reason) ?? `cannot be used (${error.reason})`;
  return `the data folder ${dataDir} ${why}; choose another with DATA_DIR=`;
}
