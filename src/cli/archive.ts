// An archive on disk: one sealed line of JSON after the other, from the header to the end. The
// command line cannot read what is in them; it only sees that none is missing and that the last one
// is whole.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

export type ArchiveLine = {
  readonly archive: string;
  readonly line: number;
  readonly kind: string;
  readonly name: string;
  readonly page: number;
  readonly sealed: string;
  /** Where the export goes on; null at the end. */
  readonly next: string | null;
};
type ArchiveState = {
  readonly archive: string;
  readonly lines: number;
  readonly next: string | null; /** Up to the end of the last whole line. */
  readonly bytes: number;
};

/** The line, or null when it is not one: cut off, or something else. */
function parseLine(text: string): ArchiveLine | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const line = value as Partial<Record<keyof ArchiveLine, unknown>>;
  const texts = [line.archive, line.kind, line.name, line.sealed].every((item) =>
    typeof item === "string"
  );
  const numbers = [line.line, line.page].every((item) => Number.isSafeInteger(item));
  return texts && numbers && (line.next === null || typeof line.next === "string")
    ? (value as ArchiveLine)
    : null;
}

/** The lines of a file, one at a time. */
export async function* readLines(
  path: string,
): AsyncGenerator<{ readonly text: string; readonly line: ArchiveLine | null }> {
  for await (
    const text of createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Infinity })
  ) yield { text, line: parseLine(text) };
}

/**
 * How far the file is. A last line that was cut off is left out; anything else that is not the next
 * line of the same archive throws. Null when there is no whole line.
 */
export async function archiveState(path: string): Promise<ArchiveState | null> {
  let state: ArchiveState | null = null;
  let cut = false;
  for await (const { text, line } of readLines(path)) {
    if (cut) throw new Error("the file is damaged in the middle");
    if (line === null) cut = true;
    else state = following(state, line, Buffer.byteLength(text) + 1);
  }
  return state;
}

function following(state: ArchiveState | null, line: ArchiveLine, bytes: number): ArchiveState {
  const expected = state?.lines ?? 0;
  if (
    line.line !== expected ||
    (state !== null && (line.archive !== state.archive || state.next === null))
  ) throw new Error(`line ${expected} of the archive is missing`);
  return {
    archive: line.archive,
    lines: expected + 1,
    next: line.next,
    bytes: (state?.bytes ?? 0) + bytes,
  };
}
