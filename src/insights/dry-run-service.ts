// Runs a draft over the sample in D1, page by page.
import { assert } from "../kernel/assert.ts";
import type { DecideEarning, Programme } from "../ledger/ports.ts";
import { startDryRun } from "./dry-run.ts";
import type { DryRun } from "./ports.ts";
import type { SamplePosition, SampleStore } from "./sample-store.ts";
import { SAMPLE_ROWS_MAX } from "./sample.ts";

export const DRY_RUN_PAGE = 5_000;

export type DryRunDeps = {
  readonly sample: Pick<SampleStore, "page" | "shape">;
  readonly decide: DecideEarning;
  readonly programme: Programme;
};

/**
 * The same draft over the same sample gives the same report: purchases are taken by day, then by
 * their keyed hash.
 */
export function dryRunner(deps: DryRunDeps): DryRun {
  return async (terms) => {
    const run = startDryRun(terms, deps.decide, deps.programme);
    let after: SamplePosition | null = null;
    // The table holds no more rows than that; a run that finds more is reading something else.
    for (let taken = 0; taken <= SAMPLE_ROWS_MAX; taken += DRY_RUN_PAGE) {
      const page = await deps.sample.page(terms.brandId, after, DRY_RUN_PAGE);
      run.take(page);
      const last = page.at(-1);
      if (last === undefined || page.length < DRY_RUN_PAGE) {
        const { threshold, ...shape } = await deps.sample.shape();
        return run.report({ ...shape, buckets: threshold });
      }
      after = { day: last.day, id: last.id };
    }
    assert(
      false,
      "sample_unbounded",
      "reading the sample did not end after its highest number of pages",
    );
  };
}
