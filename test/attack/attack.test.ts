// Every class of attacks, shorter than `npm run attack`: nothing is found. On either edition.
import { afterAll, beforeAll, expect, test } from "vitest";
import { OVER_HTTP, SHORT } from "./classes.ts";
import { openOverHttp } from "./over-http.ts";
import type { World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openOverHttp();
});
afterAll(async () => world.dispose());

// What a process takes depends on what else the machine does: `npm run attack` measures it.
const classes = Object.entries(OVER_HTTP).filter(([name]) => name !== "memory");

test.each(classes)("%s finds nothing", async (_name, run) => {
  const { findings, tried } = await run(world, SHORT);
  expect(findings).toEqual([]);
  expect(tried).toBeGreaterThan(5);
});
