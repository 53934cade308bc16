// npm run torture -- --kills 100 [--users 12] [--seed 7] [--runtime workerd|deno]: the edge under
// load from many users while it is killed with SIGKILL at random moments and started again on the
// same data: purchases, reserved rows, refunds, corrections, rows taken back, a budget that runs
// out. Then ledgers, D1 and budget must be what an independent model says. Loopback only, bounded,
// ends what it started.
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { endWithUsage, readOptions } from "../../src/cli/options.ts";
import { freePort } from "../../src/local/free-port.ts";
import { buildBundles, startSandbox } from "../../src/local/system.ts";
import { seededRng } from "../simulation/random.ts";
import type { Rng } from "../simulation/random.ts";
import { complain } from "./checks.ts";
import type { Faults } from "./checks.ts";
import { readDeadFiles, tortureEdge } from "./edge.ts";
import { load, redeliver } from "./load.ts";
import type { Row } from "./model.ts";
import { pause } from "./pause.ts";
import {
  checkBudget,
  checkFiles,
  checkLedgers,
  checkProjections,
  probeBudget,
  SETTLE_MS,
  settled,
  signAllIn,
} from "./whole-checks.ts";
import { openWorld } from "./world.ts";
import type { Person, Site, World } from "./world.ts";

const USAGE =
  "npm run torture -- [--kills 20] [--users 12] [--seed NUMBER] [--runtime workerd|deno]";
const text = { type: "string" } as const;
const { values } = readOptions(
  USAGE,
  () => parseArgs({ options: { kills: text, users: text, seed: text, runtime: text } }),
);
const [kills, users, seed] = [
  Number(values.kills ?? 20),
  Number(values.users ?? 12),
  Number(values.seed ?? Date.now() % 1_000_000),
];
const runtime = values.runtime === "deno" ? "deno" : "workerd";
if (
  ![kills, users, seed].every((value) => Number.isSafeInteger(value) && value >= 0) ||
  users === 0 || runtime !== (values.runtime ?? "workerd")
) endWithUsage(USAGE);

/** Used up early in a run of any length; refunds and rows taken back free some of it again. */
const BUDGET_POINTS = 1000 + 200 * kills;
/**
 * The ledgers' alarms that a kill stopped are counted at every such kill, from a copy of the files.
 */
const LOOK_EVERY_KILLS = 5;

const dataDir = await mkdtemp(join(tmpdir(), "cagnotte-torture-"));
const port = await freePort();
const sandboxPort = await freePort();
const site: Site = {
  at: {
    edgeUrl: `http://127.0.0.1:${port}`,
    sandboxUrl: `http://127.0.0.1:${sandboxPort}`,
  },
  dataDir,
  budgetPoints: BUDGET_POINTS,
};
const edge = tortureEdge({ runtime, port, sandboxPort, dataDir });

/** Kills the edge again and again. Returns how many entries D1 lacked at the kills looked at. */
async function killing(rng: Rng, world: World): Promise<number> {
  let unprojected = 0;
  for (let kill = 1; kill <= kills; kill++) {
    await pause(200 + rng.next() * 800);
    await edge.kill();
    if (kill % LOOK_EVERY_KILLS === 0) {
      const files = await readDeadFiles(dataDir);
      unprojected += files.transactions -
        [...files.heads.values()].reduce((sum, { sequence }) => sum + sequence, 0);
    }
    await edge.start();
    if (kill % 10 === 0) {
      console.log(
        `${kill} kills, ${world.people.reduce((sum, { sent }) => sum + sent.length, 0)} webhooks`,
      );
    }
  }
  return unprojected;
}

/** Kills the edge once more, looks at what is on the disk, and starts it again. */
async function lookWhileDead(look: () => Promise<void>): Promise<void> {
  await edge.kill();
  await look();
  await edge.start();
}

function countsOf(people: readonly Person[]): string {
  const rows = people.flatMap(({ bank }) => bank.rows);
  const versions = rows.flatMap((row) => row.versions.slice(1).map(({ state }) => state));
  const count = (fits: (row: Row) => boolean): number => rows.filter(fits).length;
  return [
    `${people.reduce((sum, { sent }) => sum + sent.length, 0)} webhooks`,
    `${count(({ kind }) => kind === "purchase")} purchases`,
    `${count(({ versions: [first] }) => first?.state === "pending")} of them reserved first`,
    `${count(({ kind }) => kind === "refund")} refunds`,
    `${versions.filter((state) => state === "booked").length} changes`,
    `${versions.filter((state) => state === "deleted").length} rows taken back`,
  ].join(", ");
}

async function main(): Promise<boolean> {
  const rng = seededRng(seed);
  console.log(
    `seed ${seed}, ${runtime}, ${kills} kills, ${users} users, a budget of ${BUDGET_POINTS} points`,
  );
  await edge.start();
  const world = await openWorld(site, users, rng.fork(1));
  let done = false;
  const loading = load(world, () => done);
  const unprojected = await Promise.race([killing(rng.fork(2), world), loading.then(() => 0)]);
  done = true;
  await loading;
  const faults: Faults = { lost: 0, doubled: 0, wrong: 0 };
  const signed = await signAllIn(world);
  await checkLedgers(signed, world, false, faults);
  const open = await redeliver(world, rng.fork(3));
  const tookMs = await settled(signed, world);
  if (tookMs === null) {
    complain(faults, "wrong", `D1 or a budget is behind after ${SETTLE_MS / 1000} s`);
  }
  const before = await checkLedgers(signed, world, true, faults);
  const exhausted = before.reduce((sum, seen) => sum + seen.exhausted, 0);
  if (exhausted === 0 && kills >= 10) complain(faults, "wrong", "the budget never ran out");
  await lookWhileDead(() => checkFiles(world, before, faults));
  await checkProjections(signed, world, before, faults);
  await lookWhileDead(() => checkFiles(world, before, faults));
  await probeBudget(signed, world, before, faults);
  await edge.kill();
  checkBudget(await readDeadFiles(dataDir), BUDGET_POINTS, faults);
  console.log(
    `D1 knew ${unprojected} entries less than the ledgers at ${
      Math.floor(kills / LOOK_EVERY_KILLS)
    } kills looked at; it knew all ${
      ((tookMs ?? SETTLE_MS) / 1000).toFixed(1)
    } s after the last webhook`,
  );
  console.log(
    `${runtime}: ${kills} kills with SIGKILL, ${users} users, ${
      countsOf(world.people)
    }, ${open} messages unanswered and sent again out of order, ${exhausted} purchases beyond the budget; ` +
      `lost ${faults.lost}, doubled ${faults.doubled}, wrong ${faults.wrong}; seed ${seed}, ${
        ((Date.now() - startedMs) / 1000).toFixed(0)
      } s`,
  );
  return faults.lost + faults.doubled + faults.wrong === 0;
}

const startedMs = Date.now();
// The edge is a process group of its own, so whatever ends this process must end it too.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"] as const) {
  process.once(signal, () => process.exit(1));
}
process.on("exit", () => {
  edge.killNow();
  rmSync(dataDir, { recursive: true, force: true });
});
await buildBundles();
const sandbox = await startSandbox({ port, sandboxPort, dataDir });
let passed = false;
try {
  passed = await main();
} finally {
  await edge.kill();
  await sandbox.dispose();
}
process.exit(passed ? 0 : 1);
