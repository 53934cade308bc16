// Runs one seed: steps, checks after each, then the quiet end in which everything arrives and every
// order must agree.
import type { PurchaseView } from "../../src/ledger/ports.ts";
import { activate, command } from "./commands.ts";
import { ring } from "./alarm.ts";
import { ensure } from "./book.ts";
import { openDatabase, release, snapshot } from "./d1.ts";
import { checkBudgets, checkUser, checkVerifier } from "./invariants.ts";
import {
  checkProjection,
  checkRebuild,
  checkReviewsProjected,
  checkRewarded,
  checkSample,
} from "./projection.ts";
import type { LedgerModule } from "./ledger.ts";
import { SimLedger } from "./ledger.ts";
import { checkScreens } from "./screens.ts";
import { decide, decideIn } from "./reviews.ts";
import { erase } from "./erasure.ts";
import { accountsBeside, deliver, READ, repeat, sync, withAccountsOf } from "./network.ts";
import { keyOf } from "./model-rows.ts";
import { runOut } from "./quiet.ts";
import { seededRng } from "./random.ts";
import { checkTampering } from "./tamper.ts";
import type { SimUser, World } from "./world.ts";
import { clockJump, makeWorld, offersFor } from "./world.ts";

export type Run = { readonly steps: number; readonly entries: number; readonly rows: number };
export class SeedFailure extends Error {
  readonly seed: number;
  readonly steps: number;
  readonly trace: readonly string[];

  constructor(seed: number, steps: number, trace: readonly string[], cause: unknown) {
    super(
      `seed ${seed} fails after ${steps} steps: ${
        cause instanceof Error ? cause.message : String(cause)
      }`,
      { cause },
    );
    this.seed = seed;
    this.steps = steps;
    this.trace = trace;
  }
}

export const STEPS = 60;

async function step(world: World): Promise<void> {
  const { rng } = world;
  const user = rng.pick(world.users);
  const stamp = new Date(world.nowMs).toISOString().slice(0, 16);
  const say = (what: string): void => void world.trace.push(`${stamp} ${what}`);
  switch (
    rng.weighted({
      bank: 10,
      sync: 6,
      deliver: 8,
      repeat: 1,
      alarm: 4,
      command: 4,
      activate: 1,
      decide: 1,
      clock: 4,
    })
  ) {
    case "bank":
      return say(`u${user.no} ${user.bank.act(world.nowMs)}`);
    case "sync":
      return say(sync(world, user));
    case "deliver":
      say(deliver(world, user));
      break;
    case "repeat":
      say(
        user.recorded.length === 0
          ? "nothing to repeat"
          : repeat(world, user, rng.pick(user.recorded)),
      );
      break;
    case "alarm":
      say(await ring(world, user, "stormy"));
      for (const each of world.users) checkUser(world, each);
      await checkProjection(world, false);
      if (rng.chance(0.1)) world.backup = await snapshot(world.database);
      break;
    case "command":
      say(command(world, user));
      break;
    case "activate":
      say(activate(world, user));
      break;
    case "decide":
      say(decide(world, user));
      break;
    case "clock":
      world.nowMs += clockJump(rng);
      say("the clock moves on");
      break;
  }
  checkUser(world, user);
  if (rng.chance(0.15)) checkScreens(world, user);
}

/**
 * Everything on its way arrives, everything that can be repeated is, and then all that was reported
 * must agree.
 */
async function comeToRest(world: World): Promise<void> {
  for (const user of world.users) {
    user.bank.identifyAll();
    for (const account of user.bank.accounts.flatMap((each) => each.generations)) {
      const rows = user.bank.changedSince(account.accountId, -1);
      user.network.push({
        connectionId: account.connectionId,
        read: READ,
        syncedAtMs: world.nowMs,
        accounts: accountsBeside(user, account),
        rows,
        ...offersFor(world, { rows }),
        programme: world.programme,
      });
    }
    while (user.network.length > 0) {
      world.trace.push(deliver(world, user));
      checkUser(world, user);
    }
    for (const batch of user.recorded) repeat(world, user, batch);
  }
  await ringAll(world);
  await checkProjection(world, true);
  for (const user of world.users) {
    checkUser(world, user);
    checkVerifier(world, user);
    checkTruth(world, user);
    checkAnyOrder(world, user);
    checkSample(world, user);
    checkRewarded(world, user);
    checkScreens(world, user);
    checkTampering(world, user);
    await checkReviewsProjected(world, user);
  }
  checkBudgets(world);
  if (world.rng.chance(0.25)) await erase(world, world.rng.pick(world.users));
  await runOut(world);
  await checkProjection(world, true);
  await checkRebuild(world, world.backup, () => ringAll(world));
}

async function ringAll(world: World): Promise<void> {
  // Twice: what one user gives back of a budget may be what another waits for.
  for (let round = 0; round < 2; round++) {
    for (const user of world.users) {
      world.trace.push(await ring(world, user, "calm"));
      checkUser(world, user);
    }
  }
}

/**
 * What truly happened against what counts: each booked purchase once, whatever the banks called it.
 */
function checkTruth(world: World, user: SimUser): void {
  const views = user.ledger.views(world.nowMs);
  let happened = 0;
  let counted = 0;
  // Where only the family says what is one account, days and labels that differ leave it open.
  const open = new Set(
    user.bank.accounts.filter((each) => each.kind !== "iban" && each.generations.length > 1)
      .map((each) => each.no),
  );
  for (const truth of user.bank.truths) {
    const rows = [...truth.rows.values()];
    const decided = rows.some((row) =>
      (user.model.rows.get(keyOf(row))?.decision ?? null) !== null
    );
    if (open.has(truth.accountNo) || truth.corrected || decided) continue;
    if (!truth.deleted && rows.some((row) => row.state === "booked" && row.review === null)) {
      happened += 1;
    }
    counted += rows.filter((row) => {
      const view = views.get(keyOf(row));
      return view !== undefined && view.state === "booked" &&
        !view.verdict.reasons.includes("duplicate") &&
        !view.verdict.reasons.includes("held_for_review");
    }).length;
  }
  ensure(happened === counted, `${happened} purchases and refunds happened, ${counted} count`);
}

/**
 * The same deliveries in another order end with the same purchases, and the same points where no
 * rule depends on others.
 */
function checkAnyOrder(world: World, user: SimUser): void {
  const ledger = new SimLedger(world.module, seededRng(world.serial), world.catalogue.terms);
  for (const batch of world.rng.shuffled(user.recorded)) {
    ledger.record(withAccountsOf(user, batch), world.nowMs);
  }
  const replayed = ledger.views(world.nowMs);
  for (const { key, decision, lapsed, givenOn } of user.model.rows.values()) {
    const view = replayed.get(key);
    const decided = decision ?? (lapsed ? "count" : null);
    if (view !== undefined && decided !== null && view.verdict.reasons[0] === "held_for_review") {
      decideIn(world, ledger, view, decided, givenOn);
    }
  }
  const summary = (views: ReadonlyMap<string, PurchaseView>): string => {
    const lines: string[] = [];
    for (const truth of user.bank.truths) {
      const mine = [...views.values()].filter((view) =>
        [...truth.rows.values()].some((row) => keyOf(row) === keyOf(view))
      );
      // A row that the bank dropped is listed or not as it was reported before or after what
      // replaced it; it carries no points.
      const own = mine.filter((view) =>
        view.state !== "deleted" && !view.verdict.reasons.includes("duplicate")
      );
      const points = user.model.dependent(truth.brandId) || user.model.anyClosed(truth.brandId)
        ? ""
        : ` ${mine.reduce((sum, view) => sum + view.verdict.points, 0)}`;
      // Twins may change places, so what is compared is the multiset of lines.
      lines.push(
        `${truth.kind} ${truth.cents} ${truth.brandId ?? ""}: ${own.length} ${
          own.map((view) => `${view.state} ${view.purchasedOn}`).sort().join()
        }${points}`,
      );
    }
    return lines.sort().join("\n");
  };
  const here = summary(user.ledger.views(world.nowMs));
  const there = summary(ledger.views(world.nowMs));
  ledger.close();
  const differences = here.split("\n").filter((line) => !there.includes(line)).map((line) =>
    `here ${line}`
  ).concat(there.split("\n").filter((line) => !here.includes(line)).map((line) => `there ${line}`));
  ensure(here === there, `another order of deliveries ends otherwise: ${differences.join("; ")}`);
}

/**
 * Runs a seed to its end. Throws a `SeedFailure` with the trace at the first thing that does not
 * hold.
 */
export async function runSeed(seed: number, module: LedgerModule, steps = STEPS): Promise<Run> {
  const database = await openDatabase();
  const world = makeWorld(seed, module, database);
  let done = 0;
  try {
    for (; done < steps; done++) await step(world);
    await comeToRest(world);
    return {
      steps,
      entries: world.users.reduce((sum, user) => sum + user.verified.sequence, 0),
      rows: world.users.reduce((sum, user) => sum + user.model.rows.size, 0),
    };
  } catch (cause) {
    throw new SeedFailure(seed, Math.min(done + 1, steps), world.trace, cause);
  } finally {
    for (const user of world.users) user.ledger.close();
    world.budgets.close();
    release(database);
  }
}
