// The end of a book, as the object's shell does it (ledger-object.ts, `erase`): D1 keeps what it
// had added up to, then the storage is emptied and closed in one write. It may stop between any two
// steps, and is then asked for again.
import { READ } from "./network.ts";
import { canonical, checkBook, ensure } from "./book.ts";
import { overNetwork, readTable } from "./d1.ts";
import { SimulatedCrash } from "./ledger.ts";
import type { SimUser, World } from "./world.ts";

class Interrupted extends Error {}

export async function erase(world: World, user: SimUser): Promise<void> {
  for (let stops = 0; user.leaf === null; stops++) {
    try {
      await eraseOnce(world, user, stops < 3);
    } catch (error) {
      if (!(error instanceof Interrupted || error instanceof SimulatedCrash)) throw error;
      world.trace.push(`u${user.no} is erased, to a point`);
      user.ledger.evict();
      // In the meantime the book lives on: what is due is written down, and points may come in.
      world.nowMs += world.rng.int(0, 20 * 86_400_000);
      user.ledger.operate(`req_${world.serial++}`, {
        kind: "goodwill",
        points: 1,
        reference: `claim_${world.serial++}`,
        programme: world.programme,
      }, world.nowMs);
      user.ledger.points(world.nowMs);
      checkBook(world, user);
    }
  }
  world.trace.push(`u${user.no} is erased`);
  await checkErased(world, user);
}

async function eraseOnce(world: World, user: SimUser, mayStop: boolean): Promise<void> {
  const { rng } = world;
  const pause = async (): Promise<void> => {
    if (mayStop && rng.chance(0.2)) throw new Interrupted();
  };
  const guard = <T>(call: (engine: typeof user.ledger.engine) => T): T => call(user.ledger.engine);
  await world.module.closeBook({
    userId: user.userId,
    database: overNetwork(world.database, pause),
    guard,
  }, world.nowMs);
  await pause();
  const leaf = user.ledger.engine.leaf();
  if (mayStop && rng.chance(0.3)) user.ledger.crashAfterStatements(rng.int(0, 30));
  user.leaf = user.ledger.replaceAll(leaf);
  user.ledger.disarm();
}

async function checkErased(world: World, user: SimUser): Promise<void> {
  const { engine } = user.ledger;
  const { nowMs, programme } = world;
  const expected = { sequence: user.verified.sequence, head: user.verified.hash };
  ensure(
    canonical(user.leaf) === canonical(expected) &&
      canonical(engine.leaf()) === canonical(expected),
    `the leaf of u${user.no} is its last entry`,
  );
  const answers = {
    record: engine.record({
      connectionId: "con_",
      read: READ,
      syncedAtMs: nowMs,
      accounts: [],
      rows: [],
      offers: [],
      covers: null,
      programme,
    }, nowMs),
    points: engine.points(null, nowMs),
    overview: engine.overview({ limit: 1 }, nowMs),
    entries: engine.entries({ limit: 1, before: null }, nowMs),
    purchase: engine.purchase("pur_", nowMs),
    purchases: engine.purchases({
      from: null,
      to: null,
      brandId: null,
      outcome: null,
      limit: 1,
      before: null,
    }, nowMs),
    activate: engine.activate({
      offerId: "off_",
      version: 1,
      activationDays: null,
      offerEndsAtMs: null,
    }, nowMs),
    activations: engine.activations(null, nowMs),
    bankingActivity: engine.bankingActivity(null, nowMs),
    operate: engine.operate({
      key: "late",
      operation: { kind: "goodwill", points: 1, reference: "late", programme },
    }, nowMs),
    runDue: engine.runDue(null, nowMs),
    nextAlarm: engine.nextAlarm(null, nowMs),
    peekOutbox: engine.peekOutbox(null, nowMs),
    ackOutbox: engine.ackOutbox(0, nowMs),
    resetProjection: engine.resetProjection(null, nowMs),
    peekSample: engine.peekSample(null, nowMs),
    peekReviews: engine.peekReviews(null, nowMs),
    budgetTasks: engine.budgetTasks(null, nowMs),
    budgetGranted: engine.budgetGranted({ key: "k", offerId: "off_", points: 1 }, nowMs),
    notices: engine.notices(null, nowMs),
    reviews: engine.reviews(null, nowMs),
    decideReview: engine.decideReview({
      purchaseId: "pur_",
      decision: "count",
      offers: [],
      programme,
    }, nowMs),
    exportPage: engine.exportPage(null, nowMs),
    verify: engine.verify(null, nowMs),
  };
  for (const [method, answer] of Object.entries(answers)) {
    ensure(
      !answer.ok && answer.error.code === "erased",
      `${method} of an erased book answers ${JSON.stringify(answer)}`,
    );
  }
  const again = await world.module.runAlarm({
    userId: user.userId,
    database: world.database,
    guard: (call) => call(engine),
    reserve: () => Promise.reject(new Error("no budget is asked")),
    helpers: {
      halts: { known: () => [], refresh: () => Promise.resolve() },
      offersOn: () => Promise.reject(new Error("no day is due")),
      sendNotice: () => Promise.resolve(false),
      offerToSample: () => Promise.resolve(),
    },
    log: { info: () => undefined, alert: () => undefined },
  }, nowMs);
  ensure(!again.ok && again.error.code === "erased", "the alarm of an erased book does nothing");
  ensure(user.ledger.rowsLeft() === 0, "nothing of the book is left");
  await world.module.closeBook({
    userId: user.userId,
    database: world.database,
    guard: (call) => call(engine),
  }, nowMs);
  ensure(
    canonical(user.ledger.replaceAll(engine.leaf())) === canonical(expected),
    "erased again, it has the same leaf",
  );
  const head = (await readTable<
    {
      readonly user_id: string;
      readonly last_sequence: number;
      readonly head: string;
      readonly closed: number;
    }
  >(world.database, "ledger_heads")).find((row) => row.user_id === user.userId);
  ensure(
    expected.sequence === 0 ||
      (head?.closed === 1 && head.last_sequence === expected.sequence &&
        head.head === expected.head),
    `D1 has closed u${user.no} at ${head?.last_sequence}, its leaf is ${expected.sequence}`,
  );
}
