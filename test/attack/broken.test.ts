// The campaigns, and the proof that each class can fail: a copy of the sources without one rule.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { BREAKAGES } from "./breakages.ts";
import { IN_PROCESS } from "./classes.ts";
import type { Report } from "./world.ts";

// A process of its own reads the copied sources without transforming them first.
async function report(...words: readonly string[]): Promise<Report> {
  const { stdout } = await promisify(execFile)(process.execPath, ["test/attack/one.ts", ...words]);
  return JSON.parse(stdout) as Report;
}

test.each(Object.keys(IN_PROCESS))("%s finds nothing", async (name) => {
  expect((await report(name)).findings).toEqual([]);
});

describe("a build without the rule is noticed", () => {
  test.each(Object.keys(BREAKAGES))("by %s", async (name) => {
    expect((await report(name, "broken")).findings).not.toEqual([]);
  });
});
