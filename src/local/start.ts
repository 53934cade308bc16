// npm start, and npm run start:deno (--deno): builds, starts edge and sandbox, seeds the catalogue,
// plays the story once per data folder and stays up until Ctrl-C.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startLocalDeno } from "./deno-edge.ts";
import type { GuardedFolder } from "./guarded-folder.ts";
import { seed } from "./seed.ts";
import { checkStart } from "./start-checks.ts";
import { newStoryEmail, playStory } from "./story.ts";
import type { LocalOptions, LocalSystem } from "./system.ts";

const DENO = process.argv.includes("--deno");
const PARENT_POLL_MS = 500;
const started = Date.now();

const running: { system: LocalSystem | null; folder: GuardedFolder | null } = {
  system: null,
  folder: null,
};
let stopping = false;
// Before anything is started: a signal while the edge comes up must not leave it behind. What hangs
// on this process ends with it.
const SIGNALS: ReadonlySet<string | symbol> = new Set(["SIGINT", "SIGTERM", "SIGHUP"]);
for (const signal of SIGNALS) process.on(signal, () => void stop());
// Miniflare adds listeners that end the process at once, before the stop has come to its end.
process.on("newListener", (event, listener) => {
  if (SIGNALS.has(event)) queueMicrotask(() => process.removeListener(event, listener));
});
// npm passes a signal on, but not the one that kills it.
if (process.env["npm_lifecycle_event"] !== undefined) {
  const npm = process.ppid;
  setInterval(() => {
    if (process.ppid !== npm) void stop();
  }, PARENT_POLL_MS).unref();
}

async function stop(code = 0): Promise<void> {
  if (stopping) return;
  stopping = true;
  console.log("\nstopping");
  await running.system?.stop();
  await running.folder?.release();
  process.exit(code);
}

async function stopWithout(folder: GuardedFolder): Promise<void> {
  await folder.lost;
  if (!stopping) console.error("the guard of the data folder ended");
  await stop(1);
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
running.folder = checked.value.folder;
void stopWithout(running.folder);
try {
  await run(checked.value.options);
} catch (error) {
  if (!stopping) {
    stopping = true;
    await running.system?.stop();
    await running.folder?.release();
    refuse((error instanceof Error ? error.message : "failed").split("\n")[0] ?? "failed");
  }
}
