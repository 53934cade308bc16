// Does the simulation notice? Each breakage of the list is put into a copy of the source, and the
// simulation must fail on it within a bounded number of seeds: first those that are known to notice
// it, then the first ones. The seeds it fails on pass on the source as it is (simulation.test.ts).
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { LedgerModule } from "./ledger.ts";
import type { Mutation } from "./mutation.ts";
import { SeedFailure } from "./run.ts";
import { tokenPattern } from "./token-pattern.ts";

/** Where the known seeds notice no more, since the world changed, one of so many must. */
const SEEDS_MAX = 60;
// Node's own loader: the test runner's would transform every file of every copy.
const load = createRequire(import.meta.url);
const HOME = join(process.cwd(), ".build", "mutants");
const made: string[] = [];

/** A copy of the ledger and what it imports, with that one edit. */
async function mutant(mutation: Mutation): Promise<LedgerModule> {
  await mkdir(HOME, { recursive: true });
  const directory = await mkdtemp(join(HOME, "m-"));
  made.push(directory);
  for (const part of ["kernel", "ledger"]) {
    await cp(join(process.cwd(), "src", part), join(directory, part), { recursive: true });
  }
  const path = join(directory, mutation.file);
  const source = await readFile(path, "utf8");
  const pattern = tokenPattern(mutation.find);
  if (source.match(pattern)?.length !== 1) {
    throw new Error(`${mutation.file} does not hold exactly one: ${mutation.find}`);
  }
  await writeFile(path, source.replace(pattern, () => mutation.replace));
  const engine: Pick<LedgerModule, "createEngine"> = load(join(directory, "ledger/engine.ts"));
  const schema: Pick<LedgerModule, "migrate"> = load(join(directory, "ledger/book/schema.ts"));
  const alarm: Pick<LedgerModule, "runAlarm" | "closeBook"> = load(
    join(directory, "ledger/object/alarm.ts"),
  );
  return {
    createEngine: engine.createEngine,
    migrate: schema.migrate,
    runAlarm: alarm.runAlarm,
    closeBook: alarm.closeBook,
  };
}

/** The first seed that notices the breakage, or null. */
export async function firstFailure(
  mutation: Mutation,
  run: (seed: number, module: LedgerModule) => unknown,
): Promise<SeedFailure | null> {
  const module = await mutant(mutation);
  const known = mutation.seeds ?? [];
  for (const seed of [...known, ...Array.from({ length: SEEDS_MAX }, (_, index) => index + 1)]) {
    try {
      await run(seed, module);
    } catch (error) {
      if (error instanceof SeedFailure) return error;
      throw error;
    }
  }
  return null;
}

/** Removes the copies. */
export async function removeMutants(): Promise<void> {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true });
}
