// npm run attack: every class of attacks against workerd and Deno, and the campaigns in this
// process. Prints what was tried and found; fails when anything was found.
import { buildBundles } from "../../src/local/system.ts";
import { FULL, IN_PROCESS, OVER_HTTP } from "./classes.ts";
import { openInProcess } from "./in-process.ts";
import { openOverHttp } from "./over-http.ts";
import type { Effort } from "./classes.ts";
import type { Report, World } from "./world.ts";

await buildBundles();
let found = 0;

async function attack<W extends World>(
  open: () => Promise<W>,
  classes: Readonly<Record<string, (world: W, effort: Effort) => Promise<Report>>>,
): Promise<void> {
  const world = await open();
  try {
    for (const run of Object.values(classes)) {
      const startedMs = Date.now();
      const { name, tried, findings, notes = {} } = await run(world, FULL);
      found += findings.length;
      const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
      const measured = Object.entries(notes).map(([key, value]) => `${key} ${value}`).join(", ");
      process.stdout.write(
        `${world.name}: ${name}: ${tried} tried, ${findings.length} found, ${seconds} s ${measured}\n`,
      );
      for (const finding of findings) process.stdout.write(`  ${finding}\n`);
    }
  } finally {
    await world.dispose();
  }
}

await attack(openInProcess, IN_PROCESS);
await attack(openOverHttp, OVER_HTTP);
process.env["EDGE_RUNTIME"] = "deno";
await attack(openOverHttp, OVER_HTTP);
process.stdout.write(`${found} findings\n`);
process.exit(found === 0 ? 0 : 1);
