// One class of attacks in a process of its own: `node test/attack/one.ts <class> [broken]`. With the
// second word against a copy of the sources without the rule of `breakages.ts`. Prints the report.
import { BREAKAGES } from "./breakages.ts";
import { IN_PROCESS, OVER_HTTP, SHORT } from "./classes.ts";
import { openInProcess } from "./in-process.ts";

const [, , name = "", broken] = process.argv;
const classes = { ...OVER_HTTP, ...IN_PROCESS };
const run = classes[name];
const breakage = Object.entries(BREAKAGES).find(([each]) => each === name)?.[1] ?? null;
if (run === undefined || (broken !== undefined && breakage === null)) {
  throw new Error(`no class, or no breakage of it, is called ${name}`);
}
const world = await openInProcess(broken === undefined ? null : breakage);
try {
  process.stdout.write(JSON.stringify(await run(world, { ...SHORT, fuzzRequests: 400 })));
} finally {
  await world.dispose();
}
process.exit(0);
