// Does the simulation notice? Each breakage of the list is put into a copy of the source, and the simulation must fail on it
// within a bounded number of seeds. The seeds it fails on pass on the source as it is (simulation.test.ts).
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { LedgerModule } from "./ledger.ts";
import { MUTATIONS } from "./mutation-list.ts";
import type { Mutation } from "./mutation-list.ts";
import { runSeed, SeedFailure } from "./run.ts";

/** Seeds within which a breakage must be noticed. */
const SEEDS_MAX = 150;
const HOME = join(process.cwd(), ".build", "mutants");
const made: string[] = [];

afterAll(async () => {
  for (const directory of made) await rm(directory, { recursive: true });
});

/** A copy of the ledger and what it stands on, with that one edit. */
async function mutant(mutation: Mutation): Promise<LedgerModule> {
  await mkdir(HOME, { recursive: true });
  const directory = await mkdtemp(join(HOME, "m-"));
  made.push(directory);
  for (const part of ["kernel", "ledger"]) await cp(join(process.cwd(), "src", part), join(directory, part), { recursive: true });
  const path = join(directory, mutation.file);
  const source = await readFile(path, "utf8");
  if (source.split(mutation.find).length !== 2) throw new Error(`${mutation.file} does not hold exactly one: ${mutation.find}`);
  await writeFile(path, source.replace(mutation.find, () => mutation.replace));
  const engine: Pick<LedgerModule, "createEngine"> = await import(/* @vite-ignore */ join(directory, "ledger/engine.ts"));
  const schema: Pick<LedgerModule, "migrate"> = await import(/* @vite-ignore */ join(directory, "ledger/schema.ts"));
  const alarm: Pick<LedgerModule, "runAlarm" | "closeBook"> = await import(/* @vite-ignore */ join(directory, "ledger/alarm.ts"));
  return { createEngine: engine.createEngine, migrate: schema.migrate, runAlarm: alarm.runAlarm, closeBook: alarm.closeBook };
}

/** The first seed that notices, or null. */
async function firstFailure(module: LedgerModule): Promise<SeedFailure | null> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    try {
      await runSeed(seed, module);
    } catch (error) {
      if (error instanceof SeedFailure) return error;
      throw error;
    }
  }
  return null;
}

test.each(MUTATIONS)("$name is noticed ($breaks)", async (mutation) => {
  expect(await firstFailure(await mutant(mutation))).toBeInstanceOf(SeedFailure);
});
