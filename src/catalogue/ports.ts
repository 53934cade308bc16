// The catalogue as the webhook path and the screens see it: one compiled, immutable snapshot per
// version, cached per isolate.
import type { BrandId } from "../kernel/ids.ts";
import { addDays, parisToMs } from "../kernel/time.ts";
import type { OfferTerms } from "../ledger/ports.ts";
import type { Recogniser } from "../recognition/ports.ts";

export type CatalogueSnapshot = {
  readonly version: number;
  /** Offers are halted: nothing that has no points yet is judged. */
  readonly paused: boolean;
  readonly recogniser: Recogniser;
  readonly brand: (
    id: BrandId,
  ) => { readonly id: BrandId; readonly name: string; readonly logoUrl: string | null } | null;
  /**
   * Every approved version of the brand's offers with its effective window, in any order; empty
   * when there is none.
   */
  readonly termsFor: (id: BrandId) => readonly OfferTerms[];
};

export type CataloguePort = {
  /**
   * The snapshot of at least that version: from the isolate's memory when it is there, else by one
   * D1 batch. The caller knows the current version from its own read, so a hot call costs nothing.
   */
  readonly snapshot: (version: number) => Promise<CatalogueSnapshot>;
};

/** For screens that only name things and may be a little behind. */
export type CatalogueView = {
  /**
   * The snapshot that was current at most that long ago: from memory, or by one read of the version
   * (a batch when cold).
   */
  readonly current: (maxAgeMs: number) => Promise<CatalogueSnapshot>;
};

/** A brand, and days in Paris from one to another, both included. */
type BrandDays = { readonly brandId: BrandId; readonly from: string; readonly to: string };

/**
 * The brand's versions that may be in force on one of the days. When none is, one that is not: by
 * it a verdict distinguishes "no offer" from "an offer, but not on that day".
 */
export function termsAround(
  catalogue: Pick<CatalogueSnapshot, "termsFor">,
  { brandId, from, to }: BrandDays,
): readonly OfferTerms[] {
  const [fromMs, toMs] = [parisToMs(from), parisToMs(addDays(to, 1))];
  const all = catalogue.termsFor(brandId);
  const around = all.filter((terms) =>
    terms.startsAtMs < toMs && (terms.endsAtMs === null || terms.endsAtMs > fromMs)
  );
  return around.length > 0 ? around : all.slice(-1);
}
