// The deployable script must stay small: start-up time and the platform's limits depend on it.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { buildBundles } from "../../src/local/system.ts";

const LIMIT_KIB = 700;

await buildBundles();
const script = await readFile(".build/edge/worker.js");
const gzipKib = gzipSync(script, { level: 9 }).length / 1024;
console.log(
  `bundle: ${(script.length / 1024).toFixed(1)} KiB, gzip ${
    gzipKib.toFixed(1)
  } KiB (limit ${LIMIT_KIB})`,
);
if (gzipKib > LIMIT_KIB) process.exit(1);
