// What a local data folder holds beside the runtimes' own files: the secrets and the movable clock.
// Separate from system.ts, so that a command which needs only these does not load a runtime.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeSecrets } from "./settings.ts";
import type { LocalSecrets } from "./settings.ts";

/**
 * Reads the secrets of a data folder, making them at the first start. Written whole or not at all,
 * readable by its owner only.
 */
export async function localSecrets(dataDir: string): Promise<LocalSecrets> {
  const file = join(dataDir, "secrets.json");
  if (existsSync(file)) return JSON.parse(await readFile(file, "utf8")) as LocalSecrets;
  await mkdir(dataDir, { recursive: true });
  const secrets = await makeSecrets();
  await writeFile(`${file}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return secrets;
}

/**
 * The movable clock: how far the local system runs ahead of the real time, kept in one small file.
 * Edge, sandbox and `npm run token` are processes of their own, so the file is read each time.
 */
export async function openLocalClock(
  dataDir: string,
): Promise<{ readonly nowMs: () => number; readonly advance: (ms: number) => Promise<void> }> {
  // In the edge's own folder: on Deno the edge may read nothing else.
  const file = join(dataDir, "edge", "clock.json");
  await mkdir(dirname(file), { recursive: true });
  // Read each time: the edge may move it in another process (Deno, the crash test).
  const offsetMs =
    (): number => (existsSync(file)
      ? (JSON.parse(readFileSync(file, "utf8")) as { offset_ms: number }).offset_ms
      : 0);
  return {
    nowMs: () => Date.now() + offsetMs(),
    advance: async (ms) => {
      if (!Number.isSafeInteger(ms) || ms < 0) throw new Error("the clock only moves on");
      await writeFile(`${file}.new`, JSON.stringify({ offset_ms: offsetMs() + ms }));
      await rename(`${file}.new`, file);
    },
  };
}
