// How the platform lets a call down: a crash inside a transaction, after which the object opens
// anew on what its storage kept.
import type { SimUser, World } from "./world.ts";
import { SimulatedCrash } from "./ledger.ts";

/**
 * Runs a writing call of the ledger that may crash before it commits. Null when it did: nothing of
 * it may be there.
 */
export function atRisk<T>(
  world: World,
  user: SimUser,
  probability: number,
  call: () => T,
): { readonly done: T } | null {
  const { rng } = world;
  if (!rng.chance(probability)) return { done: call() };
  user.ledger.crashAfterStatements(rng.int(0, rng.pick([4, 12, 40])));
  try {
    return { done: call() };
  } catch (error) {
    if (!(error instanceof SimulatedCrash)) throw error;
    user.ledger.evict();
    return null;
  } finally {
    user.ledger.disarm();
  }
}

/** How often a call crashes where nothing else is said. */
export const CRASHES = 0.08;
