// The isolate's compiled catalogue: one load per version however many wait, exact versions, and no lasting failure.

import { expect, test } from "vitest";
import { createRecogniserCache } from "../../src/recognition/cache.ts";
import type { Catalogue } from "../../src/recognition/cache.ts";

const catalogue = (name: string): Catalogue => ({ brands: [{ id: name, name, aliases: [name] }], corrections: [] });

test("loads a version once, for everybody who waits, and swaps at the next", async () => {
  const cache = createRecogniserCache();
  let loads = 0;
  const load = (name: string) => (): Promise<Catalogue> => {
    loads += 1;
    return Promise.resolve(catalogue(name));
  };
  const [a, b] = await Promise.all([cache.at(1, load("zolan")), cache.at(1, load("zolan"))]);
  expect(a).toBe(b);
  expect(await cache.at(1, load("zolan"))).toBe(a);
  expect(loads).toBe(1);
  const next = await cache.at(2, load("kordalie"));
  expect(loads).toBe(2);
  expect(next.recognise("KORDALIE").brandId).toBe("kordalie");
  expect(next.recognise("ZOLAN").brandId).toBeNull();
  expect(a.recognise("ZOLAN").brandId).toBe("zolan");
});

test("a failed load fails its waiters and is tried again", async () => {
  const cache = createRecogniserCache();
  await expect(cache.at(1, () => Promise.reject(new Error("down")))).rejects.toThrow("down");
  expect((await cache.at(1, () => Promise.resolve(catalogue("zolan")))).recognise("ZOLAN").brandId).toBe("zolan");
});
