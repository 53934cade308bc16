// Moving a whole system by file: out of one server (`exportAll`), into another (`importAll`). Both
// go on where they stopped.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { open, truncate } from "node:fs/promises";
import { archiveState, readLines } from "./archive.ts";
import type { ArchiveLine } from "./archive.ts";
import type { Call } from "./admin-client.ts";

type ImportState = {
  readonly archive: string;
  readonly next: number;
  readonly state: "loading" | "opening" | "done";
};
export type Progress = (lines: number) => void;

/**
 * Writes the archive, readable by its owner only, each line on the disk before the next is asked
 * for. Returns the number of lines.
 */
export async function exportAll(
  call: Call,
  path: string,
  progress: Progress = () => {},
): Promise<number> {
  const found = existsSync(path) ? await archiveState(path) : null;
  if (found !== null && found.next === null) return found.lines;
  if (existsSync(path)) await truncate(path, found?.bytes ?? 0);
  const archive = found?.archive ?? randomUUID();
  const file = await open(path, "a", 0o600);
  let lines = found?.lines ?? 0;
  try {
    for (let cursor = found?.next ?? null, more = true; more;) {
      const line: ArchiveLine | null = await call<ArchiveLine>(
        "GET",
        `/export?archive=${archive}${
          cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`
        }`,
      );
      if (line === null || line.line !== lines) {
        throw new Error("the server answered another line than the one asked for");
      }
      await file.appendFile(`${JSON.stringify(line)}\n`);
      await file.datasync();
      lines += 1;
      cursor = line.next;
      more = cursor !== null;
      progress(lines);
    }
  } finally {
    await file.close();
  }
  return lines;
}

/**
 * Loads a whole archive and opens the system. Refuses a file that does not reach its end before
 * anything is sent.
 */
export async function importAll(
  call: Call,
  path: string,
  progress: Progress = () => {},
): Promise<number> {
  const found = await archiveState(path);
  if (found === null || found.next !== null) {
    throw new Error("the archive is not complete: go on with export-all");
  }
  let state = await call<ImportState>("GET", "/import");
  if (state !== null && state.archive !== found.archive) {
    throw new Error("another import was begun or finished here");
  }
  for await (const { line } of readLines(path)) {
    if (line === null) throw new Error("the file changed while it was read");
    if (line.line < (state?.next ?? 0)) continue;
    const { next: _ofTheExport, ...sealed } = line;
    state = await call<ImportState>("POST", "/import", sealed);
    progress(line.line + 1);
  }
  while (state?.state !== "done") {
    state = await call<ImportState>("POST", "/import/open", {});
    if (state === null) throw new Error("the import is not known any more");
  }
  return found.lines;
}
