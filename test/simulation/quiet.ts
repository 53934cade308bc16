// The quiet end: nobody does anything any more but the clock and the alarms that the ledgers set
// themselves. Everything that is due must happen at its alarm, nothing before it, and in the end
// nothing may be left that time alone would still change.
import { addDays, DAY_MS, parisDate } from "../../src/kernel/time.ts";
import { ring } from "./alarm.ts";
import { ensure } from "./book.ts";
import { checkUser } from "./invariants.ts";
import { must } from "./ledger.ts";
import type { SimUser, World } from "./world.ts";

/** Each lot matures, is announced twice and expires; a mailbox may refuse some times. */
const ROUNDS_MAX = 600;

/** Moves the clock from alarm to alarm until none is set. */
export async function runOut(world: World): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const alarms = world.users.filter((user) => user.leaf === null).flatMap((user) => {
      const atMs = must(user.ledger.engine.nextAlarm(null, world.nowMs));
      return atMs === null ? [] : [{ user, atMs }];
    });
    const next = alarms.sort((a, b) => a.atMs - b.atMs)[0];
    if (next === undefined) return atRest(world);
    if (next.atMs > world.nowMs) {
      for (const { user } of alarms) {
        if (world.rng.chance(0.4)) {
          ensure(
            nothingChanges(user, world.nowMs, next.atMs - 1),
            `u${user.no} is due before its alarm at ${new Date(next.atMs).toISOString()}`,
          );
        }
      }
      world.nowMs = next.atMs;
    }
    world.trace.push(
      `${new Date(world.nowMs).toISOString().slice(0, 16)} ${await ring(world, next.user, "calm")}`,
    );
    if (world.rng.chance(0.1)) checkUser(world, next.user);
  }
  ensure(false, `${ROUNDS_MAX} alarms do not bring the ledgers to rest`);
}

function nothingChanges(user: SimUser, fromMs: number, toMs: number): boolean {
  // But for the day on which points that nobody has announced yet may expire at the earliest: a
  // week from any day.
  const lasting = (atMs: number): string =>
    user.ledger.fingerprint(atMs).replace(/"nextExpiry":(?:null|\{[^}]*\})/, "");
  const before = lasting(fromMs);
  return lasting(toMs) === before;
}

function atRest(world: World): void {
  for (const user of world.users) {
    if (user.leaf !== null) continue;
    checkUser(world, user);
    ensure(
      nothingChanges(user, world.nowMs, world.nowMs + 4000 * DAY_MS),
      `u${user.no} without an alarm still waits for time`,
    );
    const { pending, available } = user.ledger.points(world.nowMs).balances;
    ensure(
      pending === 0 && available <= 0,
      `u${user.no} keeps ${pending} pending and ${available} available for ever`,
    );
    for (const { verdict, state, purchasedOn, id } of user.ledger.views(world.nowMs).values()) {
      const waitsForPerson = verdict.reasons[0] === "held_for_review" &&
        (state === "booked" || purchasedOn > addDays(parisDate(world.nowMs), -15));
      ensure(
        verdict.outcome !== "waiting" || waitsForPerson,
        `${id} waits for ever: ${verdict.reasons.join()}`,
      );
    }
  }
}
