// The first half of the breakages (mutant.ts): each half has a core of its own.
import { afterAll, expect, test } from "vitest";
import { firstFailure, removeMutants } from "./mutant.ts";
import { MUTATIONS } from "./mutation-list.ts";
import { runSeed, SeedFailure } from "./run.ts";

afterAll(removeMutants);

test.each(MUTATIONS.filter((_, index) => index % 2 === 0))(
  "$name is noticed ($breaks)",
  async (mutation) => {
    expect(await firstFailure(mutation, runSeed)).toBeInstanceOf(SeedFailure);
  },
);
