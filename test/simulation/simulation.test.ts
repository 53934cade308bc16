// The short run of the deterministic simulation. A seed that fails prints itself; `npm run simulate -- --seed N` replays it.
import { expect, test } from "vitest";
import { createEngine } from "../../src/ledger/engine.ts";
import { migrate } from "../../src/ledger/schema.ts";
import { runSeed } from "./run.ts";

const SEEDS = 300;

test(`${SEEDS} seeded worlds keep every promise of the ledger`, () => {
  let entries = 0;
  for (let seed = 1; seed <= SEEDS; seed++) entries += runSeed(seed, { createEngine, migrate }).entries;
  // A generator that stops generating would pass everything.
  expect(entries).toBeGreaterThan(SEEDS * 5);
});

test("a seed is a world: run twice, it is the same to the last entry", () => {
  expect(runSeed(7, { createEngine, migrate })).toEqual(runSeed(7, { createEngine, migrate }));
});
