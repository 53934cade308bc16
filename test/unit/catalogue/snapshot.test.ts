// The cache of the catalogue: what it reads, when it compiles, and what happens when many ask at
// once.
import { describe, expect, it } from "vitest";
import type { CatalogueRows } from "../../../src/catalogue/catalogue.ts";
import { catalogueCache } from "../../../src/catalogue/compiled-catalogue.ts";
import type { BrandId } from "../../../src/kernel/ids.ts";
import type { Recogniser } from "../../../src/recognition/ports.ts";

const BRAND: BrandId = "brd_0192f0c4-0000-7000-8000-000000000001";
const recogniser = (): Recogniser => {
  const recognise: Recogniser["recognise"] = () => ({
    kind: "card",
    brandId: null,
    matched: null,
    confidence: 0,
    merchant: "",
    channel: "unknown",
    evidence: [],
  });
  return { recognise, explain: recognise, kindOf: () => "card" };
};

/** A store whose state the test moves by hand, and that counts what is asked of it. */
function fixture() {
  const state = {
    version: 1,
    brandsVersion: 1,
    name: "Monoprix",
    nowMs: 1_000,
    reads: 0,
    batches: 0,
    compiled: 0,
    gate: Promise.resolve(),
  };
  const cache = catalogueCache({
    store: {
      version: async () => {
        state.reads += 1;
        return state.version;
      },
      load: async (known): Promise<CatalogueRows> => {
        state.batches += 1;
        const fresh = known !== state.brandsVersion;
        const rows: CatalogueRows = {
          version: state.version,
          paused: false,
          brandsVersion: state.brandsVersion,
          offers: [],
          versions: [],
          stops: [],
          aliasChanges: [],
          correctionChanges: [],
          corrections: fresh ? [] : null,
          brands: fresh
            ? [{
              id: BRAND,
              name: state.name,
              nameKey: state.name,
              category: "x",
              aliases: [state.name],
              excluded: [],
              website: null,
              logoUrl: null,
              wikidata: null,
              archivedAtMs: null,
              requestKey: null,
              createdAtMs: 0,
              updatedAtMs: 0,
            }]
            : null,
        };
        await state.gate;
        return rows;
      },
    },
    compile: () => {
      state.compiled += 1;
      return recogniser();
    },
    clock: { nowMs: () => state.nowMs },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms / 100)),
  });
  return { state, cache };
}

describe("snapshot", () => {
  it("reads once for a version and nothing afterwards", async () => {
    const { state, cache } = fixture();
    expect((await cache.snapshot(1)).brand(BRAND)?.name).toBe("Monoprix");
    await cache.snapshot(1);
    expect([state.batches, state.reads, state.compiled]).toEqual([1, 0, 1]);
  });

  it("shares one load among those who ask at the same time", async () => {
    const { state, cache } = fixture();
    const all = await Promise.all(Array.from({ length: 20 }, () => cache.snapshot(1)));
    expect(new Set(all).size).toBe(1);
    expect(state.batches).toBe(1);
  });

  it("does not give a shared load that is older than the version asked for", async () => {
    const { state, cache } = fixture();
    let open = (): void => {};
    state.gate = new Promise((resolve) => (open = resolve));
    const early = cache.snapshot(1);
    await Promise.resolve();
    [state.version, state.brandsVersion, state.name] = [2, 2, "Monop'"];
    const late = cache.snapshot(2);
    open();
    expect((await early).version).toBe(1);
    expect((await late).brand(BRAND)?.name).toBe("Monop'");
    expect((await cache.snapshot(1)).version).toBe(2);
  });

  it("loads for itself when the request that was loading never ends", async () => {
    const { state, cache } = fixture();
    state.gate = new Promise(() => {});
    void cache.snapshot(1);
    await Promise.resolve();
    state.gate = Promise.resolve();
    expect((await cache.snapshot(1)).version).toBe(1);
    expect(state.batches).toBe(2);
  });

  it("compiles again only when brands or corrections changed", async () => {
    const { state, cache } = fixture();
    const first = await cache.snapshot(1);
    state.version = 2;
    const offersOnly = await cache.snapshot(2);
    expect(offersOnly.recogniser).toBe(first.recogniser);
    expect(offersOnly.brand(BRAND)?.name).toBe("Monoprix");
    [state.version, state.brandsVersion] = [3, 3];
    expect((await cache.snapshot(3)).recogniser).not.toBe(first.recogniser);
    expect(state.compiled).toBe(2);
  });

  it("refuses to call a catalogue that is behind the version asked for", async () => {
    const { cache } = fixture();
    await expect(cache.snapshot(7)).rejects.toThrow("behind");
  });
});

describe("current", () => {
  it("asks for the version only when what it holds is too old", async () => {
    const { state, cache } = fixture();
    await cache.current(5_000);
    await cache.current(5_000);
    expect([state.batches, state.reads]).toEqual([1, 0]);
    state.nowMs += 5_000;
    await cache.current(5_000);
    expect([state.batches, state.reads]).toEqual([1, 1]);
    await cache.current(0);
    expect(state.reads).toBe(2);
  });

  it("reads what this isolate wrote at once", async () => {
    const { state, cache } = fixture();
    await cache.current(5_000);
    state.version = 2;
    cache.learn(2);
    expect((await cache.current(5_000)).version).toBe(2);
  });

  it("counts a version that a caller brought as checked", async () => {
    const { state, cache } = fixture();
    await cache.snapshot(1);
    state.nowMs += 60_000;
    await cache.snapshot(1);
    await cache.current(5_000);
    expect(state.reads).toBe(0);
  });
});
