// The second half of the breakages (mutant.ts), and those of sight: each half has a core of its own.
import { afterAll, expect, test } from "vitest";
import { firstFailure, removeMutants } from "./mutant.ts";
import { MUTATIONS } from "./mutation-list.ts";
import { SIGHT_MUTATIONS } from "./mutations-of-sight.ts";
import { runSeed, SeedFailure } from "./run.ts";
import { runSight } from "./sight.ts";

afterAll(removeMutants);

test.each(MUTATIONS.filter((_, index) => index % 2 === 1))(
  "$name is noticed ($breaks)",
  async (mutation) => {
    expect(await firstFailure(mutation, runSeed)).toBeInstanceOf(SeedFailure);
  },
);

test.each(SIGHT_MUTATIONS)("$name is noticed ($breaks)", async (mutation) => {
  expect(await firstFailure(mutation, runSight)).toBeInstanceOf(SeedFailure);
});
