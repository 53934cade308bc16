// The catalogue in an isolate's memory: one immutable snapshot, replaced when the version moves on.
// Compiling the recogniser is the dear part and happens only when brands or corrections changed,
// not when an offer did.
import type { BrandId } from "../kernel/ids.ts";
import type { Clock } from "../kernel/time.ts";
import type { BrandEntry, Correction, Recogniser } from "../recognition/ports.ts";
import { arrangeCatalogue } from "./catalogue.ts";
import type { BrandRecord, Catalogue } from "./catalogue.ts";
import type { CatalogueSnapshot } from "./ports.ts";
import type { CatalogueStore } from "./store.ts";

/** Builds a recogniser; injected, since recognition is another domain. */
type CompileCatalogue = (
  brands: readonly BrandEntry[],
  options: { readonly corrections: readonly Correction[] },
) => Recogniser;

/** A snapshot with everything behind it, for the catalogue's own routes. */
export type LoadedCatalogue = CatalogueSnapshot & { readonly catalogue: Catalogue };

/** Satisfies `CataloguePort` and `CatalogueView`. */
export type CatalogueCache = {
  readonly snapshot: (version: number) => Promise<LoadedCatalogue>;
  readonly current: (maxAgeMs: number) => Promise<LoadedCatalogue>;
  /**
   * Gives the cache the version that this isolate just wrote, so that whoever wrote it reads it.
   */
  readonly learn: (version: number) => void;
};

type CatalogueCacheDeps = {
  readonly store: Pick<CatalogueStore, "version" | "load">;
  readonly compile: CompileCatalogue;
  readonly clock: Clock;
  readonly sleep: (ms: number) => Promise<void>;
};

// A load that another request started ends with that request when its client hangs up: after this
// long one loads for oneself.
const SHARED_LOAD_PATIENCE_MS = 2_000;

/** What the recogniser knows of a brand. */
export function toEntry(
  brand: Pick<BrandRecord, "id" | "name" | "category" | "aliases" | "excluded" | "wikidata">,
): BrandEntry {
  return {
    id: brand.id,
    name: brand.name,
    category: brand.category,
    aliases: brand.aliases,
    excluded: brand.excluded,
    ...(brand.wikidata === null ? {} : { wikidata: brand.wikidata }),
  };
}

function makeSnapshot(catalogue: Catalogue, recogniser: Recogniser): LoadedCatalogue {
  return {
    version: catalogue.version,
    paused: catalogue.paused,
    catalogue,
    recogniser,
    brand: (id) => {
      const brand = catalogue.brands.get(id);
      return brand === undefined
        ? null
        : { id: brand.id, name: brand.name, logoUrl: brand.logoUrl };
    },
    termsFor: (id: BrandId) =>
      (catalogue.offersByBrand.get(id) ?? []).flatMap((offer) => offer.terms),
  };
}

/** The cache of one isolate. */
export function catalogueCache(deps: CatalogueCacheDeps): CatalogueCache {
  const { store, compile, clock, sleep } = deps;
  let held: LoadedCatalogue | null = null;
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  let knownVersion = 0;
  let loading: Promise<LoadedCatalogue> | null = null;

  async function loadNow(): Promise<LoadedCatalogue> {
    const previous = held;
    const startedAtMs = clock.nowMs();
    const rows = await store.load(previous?.catalogue.brandsVersion ?? null);
    const catalogue = arrangeCatalogue(rows, previous?.catalogue ?? null);
    const recogniser = rows.brands === null && previous !== null
      ? previous.recogniser
      : compile([...catalogue.brands.values()].map(toEntry), {
        corrections: [...catalogue.corrections.values()].map((item) => ({
          label: item.merchant,
          brandId: item.brandId,
        })),
      });
    const loaded = makeSnapshot(catalogue, recogniser);
    // Two loads may end in the other order than they began.
    if (held === null || held.version <= loaded.version) {
      [held, checkedAtMs] = [loaded, startedAtMs];
    }
    return loaded;
  }

  async function loadShared(atLeast: number): Promise<LoadedCatalogue> {
    if (loading !== null) {
      const shared = await Promise.race([
        loading.catch(() => null),
        sleep(SHARED_LOAD_PATIENCE_MS).then(() => null),
      ]);
      if (shared !== null && shared.version >= atLeast) return shared;
      if (held !== null && held.version >= atLeast) return held;
    }
    const own = loadNow();
    loading = own;
    try {
      const loaded = await own;
      if (loaded.version < atLeast) {
        throw new Error("the catalogue is behind a version that was seen");
      }
      return loaded;
    } finally {
      if (loading === own) loading = null;
    }
  }

  async function snapshot(version: number): Promise<LoadedCatalogue> {
    knownVersion = Math.max(knownVersion, version);
    if (held === null || held.version < version) return loadShared(version);
    // The caller has just read this version, which is as good as having read it here.
    if (held.version === version) checkedAtMs = clock.nowMs();
    return held;
  }

  async function current(maxAgeMs: number): Promise<LoadedCatalogue> {
    const ageMs = clock.nowMs() - checkedAtMs;
    if (held !== null && held.version >= knownVersion && ageMs >= 0 && ageMs < maxAgeMs) {
      return held;
    }
    // A cold isolate needs the whole batch anyway, which brings the version along.
    return held === null ? loadShared(knownVersion) : snapshot(await store.version());
  }

  return {
    snapshot,
    current,
    learn: (version) => void (knownVersion = Math.max(knownVersion, version)),
  };
}
