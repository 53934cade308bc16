// `npm run simulate -- [--seeds 20000] [--seed N] [--steps M]`: a long run, or the replay of one
// seed with its trace.
import { runSeed, SeedFailure, STEPS } from "./run.ts";
import { LEDGER } from "./source.ts";

function numberOption(name: string): number | null {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return null;
  const value = Number(process.argv[at + 1]);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TypeError(`--${name} takes a whole number`);
  }
  return value;
}

/** The fewest steps after which the seed still fails: the shortest story to read. */
async function shrink(failure: SeedFailure): Promise<SeedFailure> {
  let best = failure;
  for (let steps = 0; steps < best.steps; steps++) {
    try {
      await runSeed(failure.seed, LEDGER, steps);
    } catch (error) {
      if (!(error instanceof SeedFailure)) throw error;
      best = error;
      return best.steps > steps ? new SeedFailure(best.seed, steps, best.trace, best.cause) : best;
    }
  }
  return best;
}

async function report(found: SeedFailure): Promise<void> {
  const failure = await shrink(found);
  console.error(failure.trace.map((line) => `  ${line}`).join("\n"));
  console.error(failure.message);
  if (failure.cause instanceof Error && failure.cause.constructor === Error) {
    console.error(failure.cause.stack);
  }
  console.error(`replay: npm run simulate -- --seed ${failure.seed} --steps ${failure.steps}`);
}

async function main(): Promise<void> {
  const only = numberOption("seed");
  const steps = numberOption("steps") ?? STEPS;
  const seeds = only === null ? numberOption("seeds") ?? 300 : 1;
  const from = only ?? numberOption("from") ?? 1;
  const startMs = performance.now();
  let entries = 0;
  let rows = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      const run = await runSeed(seed, LEDGER, steps);
      entries += run.entries;
      rows += run.rows;
    } catch (error) {
      if (!(error instanceof SeedFailure)) throw error;
      await report(error);
      process.exitCode = 1;
      return;
    }
    if ((seed - from + 1) % 500 === 0) {
      console.log(
        `${seed - from + 1} seeds, ${((performance.now() - startMs) / 1000).toFixed(0)} s`,
      );
    }
  }
  console.log(
    `${seeds} seeds, ${seeds * steps} steps, ${rows} bank rows, ${entries} entries, ${
      ((performance.now() - startMs) / 1000).toFixed(1)
    } s: everything held`,
  );
}

await main();
