// What D1 knows of a user's book: moved on by the outbox, guarded by the last sequence, with the failures that two stores
// without a common transaction have.
import type { Balances, Projection } from "../../src/ledger/ports.ts";
import { must } from "./ledger.ts";
import type { SimUser, World } from "./world.ts";

export type Projected = { sequence: number; head: string; balances: Balances; readonly counters: Map<string, { purchases: number; cents: number; points: number }> };

export function emptyProjected(): Projected {
  return { sequence: 0, head: "0".repeat(64), balances: { pending: 0, available: 0, held: 0 }, counters: new Map() };
}

/** The D1 batch: all of it or nothing, and only on top of the sequence that D1 has. */
function apply(projected: Projected, projection: Projection): void {
  if (projected.sequence !== projection.from) return;
  projected.sequence = projection.through;
  projected.head = projection.head;
  projected.balances = projection.balances;
  for (const { day, brandId, offerId, kind, purchases, cents, points } of projection.counters) {
    const key = [day, brandId, offerId, kind].join(" ");
    const counter = projected.counters.get(key) ?? { purchases: 0, cents: 0, points: 0 };
    projected.counters.set(key, { purchases: counter.purchases + purchases, cents: counter.cents + cents, points: counter.points + points });
  }
}

/** One round of the alarm's drain, which may stop at any await. Tells whether all was said. */
export function drain(world: World, user: SimUser, reliable: boolean): boolean {
  const fails = (): boolean => !reliable && world.rng.chance(0.2);
  const projection = must(user.ledger.engine.peekOutbox(null, world.nowMs));
  if (projection === null || fails()) return projection === null;
  apply(user.projected, projection);
  // D1 has it; the ledger may not learn so and will say it again.
  if (fails()) return false;
  must(user.ledger.engine.ackOutbox(user.projected.sequence, world.nowMs));
  return false;
}
