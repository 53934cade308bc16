// Keeps the compiled catalogue of an isolate and swaps it when the catalogue's version changes. Spellings that
// were met before are kept by compile.ts, so the request that meets a change of a few brands pays a fraction of the first
// compilation. Holds no personal data: brands and merchants' names only.

import type { BrandEntry, Correction, Recogniser } from "./ports.ts";
import { compileCatalogue } from "./recogniser.ts";

/** What a catalogue's version stands for. */
export type Catalogue = { readonly brands: readonly BrandEntry[]; readonly corrections: readonly Correction[] };

export type RecogniserCache = {
  /**
   * The recogniser of exactly this version. `load` is called only when the version is not there yet, and once for all
   * requests that wait for it; when it fails, every one of them gets its error and the next request tries again.
   */
  readonly at: (version: string | number, load: () => Promise<Catalogue>) => Promise<Recogniser>;
};

export function createRecogniserCache(): RecogniserCache {
  let current: { readonly version: string | number; readonly recogniser: Recogniser } | null = null;
  const pending = new Map<string | number, Promise<Recogniser>>();
  const compile = async (version: string | number, load: () => Promise<Catalogue>): Promise<Recogniser> => {
    try {
      const { brands, corrections } = await load();
      const recogniser = compileCatalogue(brands, { corrections });
      current = { version, recogniser };
      return recogniser;
    } finally {
      pending.delete(version);
    }
  };
  return {
    at: (version, load) => {
      if (current !== null && current.version === version) return Promise.resolve(current.recogniser);
      const waiting = pending.get(version);
      if (waiting !== undefined) return waiting;
      const started = compile(version, load);
      pending.set(version, started);
      return started;
    },
  };
}
