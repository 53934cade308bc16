// npm start, and npm run start:deno (--deno): builds, starts edge and sandbox, seeds the catalogue,
// plays the story once per data folder and stays up until Ctrl-C.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startLocalDeno } from "./deno-edge.ts";
import type { FolderLock } from "../platform/deno/lock.ts";
import { seed } from "./seed.ts";
import { checkStart } from "./start-checks.ts";
import { newStoryEmail, playStory } from "./story.ts";
import type { LocalOptions, LocalSystem } from "./system.ts";

const DENO = process.argv.includes("--deno");
const started = Date.now();

// The lock is kept here because what nothing refers to is collected, and its file closed.
const running: { system: LocalSystem | null; lock: FolderLock | null } = {
  system: null,
  lock: null,
};
let stopping = false;
// Before anything is started: a signal while the edge comes up must not leave it behind. What hangs
// on this process ends with it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => void stop());
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  console.log("\nstopping");
  await running.system?.stop();
  running.lock?.release();
  process.exit(0);
}

function refuse(why: string): never {
  console.error(`cagnotte does not start: ${why}`);
  process.exit(1);
}

async function tellStory(system: LocalSystem, dataDir: string): Promise<void> {
  const file = join(dataDir, "story.json");
  if (process.env["STORY"] === "0") return;
  if (process.env["STORY"] !== "1" && existsSync(file)) {
    const { email } = JSON.parse(await readFile(file, "utf8")) as { email: string };
    console.log(`the story was played here before, by ${email}; STORY=1 plays it again`);
    return;
  }
  const email = newStoryEmail();
  let number = 0;
  await playStory(system, email, ({ title, result }) => {
    number += 1;
    console.log(`  ${String(number).padStart(2)}. ${title}\n      -> ${result}`);
  });
  await writeFile(file, JSON.stringify({ email }));
}

async function run(options: LocalOptions): Promise<void> {
  // Loads a bundler and a runtime: not before the start is known to be possible.
  const { buildBundles, startLocal } = await import("./system.ts");
  await buildBundles();
  const local = await (DENO ? startLocalDeno : startLocal)(options);
  running.system = local;
  const seeded = await seed({ ...local, dataDir: options.dataDir });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(
    `ready in ${seconds} s: edge ${local.edgeUrl}, sandbox ${local.sandboxUrl} (${seeded})`,
  );
  await tellStory(local, options.dataDir);
  console.log(
    `open ${local.edgeUrl}/docs (API), ${local.sandboxUrl}/ (bank, mailbox, clock); data in ${options.dataDir}; Ctrl-C stops`,
  );
}

const checked = await checkStart(process.env, DENO ? ".data/deno" : ".data");
if (!checked.ok) refuse(checked.error);
running.lock = checked.value.lock;
try {
  await run(checked.value.options);
} catch (error) {
  if (!stopping) {
    await running.system?.stop();
    refuse((error instanceof Error ? error.message : "failed").split("\n")[0] ?? "failed");
  }
}
