// What the alarm does outside the ledger's transaction: budgets, notices, the projection. Each step can be its last.
import { keyOf } from "./model-rows.ts";
import { must } from "./ledger.ts";
import { drain } from "./projection.ts";
import type { SimUser, World } from "./world.ts";

export function runAlarm(world: World, user: SimUser, reliable: boolean): string {
  const { rng } = world;
  if (!reliable && rng.chance(0.15)) user.ledger.evict();
  must(user.ledger.engine.runDue(null, world.nowMs));
  const said = [`u${user.no} alarm`];
  const fails = (): boolean => !reliable && rng.chance(0.15);
  for (const task of must(user.ledger.engine.budgetTasks(null, world.nowMs))) {
    if (fails()) break;
    const answer = world.budgets.reserve(task.offerId, `${user.no}/${task.key}`, task.points, task.budgetPoints);
    said.push(`${task.offerId} ${task.purchaseId.slice(-6)} ${task.points}/${task.budgetPoints}: ${answer.granted ? "granted" : "denied"}`);
    // The budget object answered and nobody heard it.
    if (fails()) break;
    // The purchase it answers for, found before the answer: it may have turned out to repeat another meanwhile.
    const waiting = [...user.ledger.views(world.nowMs).values()].filter((view) => view.id === task.purchaseId && view.verdict.outcome === "waiting" && view.verdict.reasons.includes("budget_reserving"));
    for (let times = 0; times < (rng.chance(0.1) ? 2 : 1); times++) {
      if (answer.granted) must(user.ledger.engine.budgetGranted(task, world.nowMs));
      else must(user.ledger.engine.budgetDenied({ ...task, held: answer.held }, world.nowMs));
    }
    const seen = user.ledger.views(world.nowMs);
    for (const view of waiting) user.model.budgetAnswered(keyOf(view), answer.granted, task.points, world.nowMs, seen);
    if (waiting.length === 0) user.model.budgetHeard(world.nowMs, seen);
  }
  drain(world, user, reliable);
  return said.join("; ");
}

/** The mail provider took the notices, or some of them. */
export function sendNotices(world: World, user: SimUser): string {
  // The ledger brings its book to the time when it is asked, so what matures now is told of now.
  user.model.advance(world.nowMs);
  const tasks = must(user.ledger.engine.notices(null, world.nowMs));
  let sent = 0;
  for (const task of tasks) {
    if (world.rng.chance(0.3)) continue;
    must(user.ledger.engine.noticeSent(task, world.nowMs));
    user.model.book.noticed(task.expiresOn, task.daysBefore, world.nowMs);
    sent += 1;
  }
  return `u${user.no} is sent ${sent} of ${tasks.length} notices`;
}
