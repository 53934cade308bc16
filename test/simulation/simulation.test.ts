// The short run of the deterministic simulation. A seed that fails prints itself; `npm run simulate
// -- --seed N` replays it.
import { expect, test } from "vitest";
import { LEDGER } from "./source.ts";
import { runSeed } from "./run.ts";
import { runSight } from "./sight.ts";

const SEEDS = 150;
const SIGHT_SEEDS = 40;

test(`${SEEDS} seeded worlds keep every promise of the ledger`, async () => {
  let entries = 0;
  for (let seed = 1; seed <= SEEDS; seed++) entries += (await runSeed(seed, LEDGER)).entries;
  // A generator that stops generating would pass everything.
  expect(entries).toBeGreaterThan(SEEDS * 5);
});

test(`${SIGHT_SEEDS} seeded worlds of forged webhooks confirm only what reads have shown`, () => {
  let entries = 0;
  for (let seed = 1; seed <= SIGHT_SEEDS; seed++) entries += runSight(seed, LEDGER).entries;
  expect(entries).toBeGreaterThan(SIGHT_SEEDS * 10);
});

test("a seed is a world: run twice, it is the same to the last entry", async () => {
  expect(await runSeed(7, LEDGER)).toEqual(await runSeed(7, LEDGER));
});
