// A whole local system on free ports and a new data folder, for the black-box tests. Bundles are
// built when a source is newer.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalDeno } from "../../src/local/deno-edge.ts";
import { openLocalClock } from "../../src/local/data-folder.ts";
import { buildBundles, startLocal } from "../../src/local/system.ts";
import type { LocalSystem } from "../../src/local/system.ts";
import { operatorToken } from "../../src/local/operator-token.ts";
import { freePort } from "../../src/local/free-port.ts";
import { seed } from "../../src/local/seed.ts";

export type BlackBox = LocalSystem & {
  readonly dataDir: string;
  readonly operator: (role: string, subject: string) => Promise<string>;
  /** Stops everything and starts it again on the same data and ports, after `between`. */
  readonly restart: (between?: () => Promise<void>) => Promise<void>;
  readonly dispose: () => Promise<void>;
};

/** Starts and seeds a system of its own. */
export async function openBlackBox(
  settings: Readonly<Record<string, string>> = {},
): Promise<BlackBox> {
  await buildBundles();
  const dataDir = await mkdtemp(join(tmpdir(), "cagnotte-blackbox-"));
  const options = { port: await freePort(), sandboxPort: await freePort(), dataDir, settings };
  // The same tests run against either runtime (test/vitest.config.ts).
  const start = process.env["EDGE_RUNTIME"] === "deno" ? startLocalDeno : startLocal;
  let system = await start(options);
  await seed({ ...system, dataDir });
  return {
    edgeUrl: system.edgeUrl,
    sandboxUrl: system.sandboxUrl,
    secrets: system.secrets,
    logFile: system.logFile,
    dataDir,
    stop: () => system.stop(),
    operator: async (role, subject) =>
      operatorToken({
        secrets: system.secrets,
        issuer: system.sandboxUrl,
        role,
        subject,
        nowMs: (await openLocalClock(dataDir)).nowMs(),
      }),
    restart: async (between) => {
      await system.stop();
      await between?.();
      system = await start(options);
    },
    dispose: async () => {
      await system.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Every file below a folder with its bytes, leaving out what belongs to the sandbox alone. */
export async function filesOf(dataDir: string): Promise<{ path: string; bytes: Buffer }[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) =>
    join(entry.parentPath, entry.name)
  ).filter((path) => !path.startsWith(join(dataDir, "sandbox")));
  return Promise.all(paths.map(async (path) => ({ path, bytes: await readFile(path) })));
}
