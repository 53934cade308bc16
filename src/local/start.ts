// npm start, and npm run start:deno (--deno): builds, starts edge and sandbox, seeds the catalogue,
// plays the story once and stays up until Ctrl-C.
import { startLocalDeno } from "./deno-edge.ts";
import { buildBundles, startLocal } from "./system.ts";
import { settingsFromEnvironment } from "./settings.ts";
import { seed } from "./seed.ts";
import { playStory } from "./story.ts";

const DENO = process.argv.includes("--deno");
const started = Date.now();
const port = Number(process.env["PORT"] ?? "8787");
const sandboxPort = Number(process.env["SANDBOX_PORT"] ?? "8788");
const dataDir = process.env["DATA_DIR"] ?? (DENO ? ".data/deno" : ".data");

await buildBundles();
const start = DENO ? startLocalDeno : startLocal;
const local = await start({
  port,
  sandboxPort,
  dataDir,
  settings: settingsFromEnvironment(process.env),
});
let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  console.log("\nstopping");
  await local.stop();
  process.exit(0);
};
process.on("SIGINT", () => void stop());
process.on("SIGTERM", () => void stop());

try {
  const seeded = await seed({ ...local, dataDir });
  console.log(
    `ready in ${
      ((Date.now() - started) / 1000).toFixed(1)
    } s: edge ${local.edgeUrl}, sandbox ${local.sandboxUrl} (${seeded})`,
  );
  if (process.env["STORY"] !== "0") {
    let number = 0;
    await playStory(local, ({ title, result }) => {
      number += 1;
      console.log(`  ${String(number).padStart(2)}. ${title}\n      -> ${result}`);
    });
  }
  console.log(
    `open ${local.edgeUrl}/docs (API), ${local.sandboxUrl}/ (bank, mailbox, clock); data in ${dataDir}; Ctrl-C stops`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : "failed");
  await local.stop();
  process.exit(1);
}
