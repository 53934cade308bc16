// A world of its own for sight before money: one user whose bank shows rows, an aggregator that
// delivers webhooks and answers reads, and somebody who holds the webhook secret and forges. After
// every step no points may be available that rest on a forgery, and in the end, when all is read, the
// book must be the one of a ledger that never saw a webhook.
import { addDays, DAY_MS, HOUR_MS, parisDate, parisToMs } from "../../src/kernel/time.ts";
import type { AccountId, BrandId, ConnectionId } from "../../src/kernel/ids.ts";
import type {
  AccountGeneration,
  BankRow,
  BatchRead,
  OfferTerms,
  PurchaseView,
  RecordBatch,
} from "../../src/ledger/ports.ts";
import { offer } from "../contract/ledger-factories.ts";
import { must, SimLedger } from "./ledger.ts";
import type { LedgerModule } from "./ledger.ts";
import { keyOf } from "./model-rows.ts";
import { SeedFailure } from "./run.ts";
import { seededRng } from "./random.ts";
import type { Rng } from "./random.ts";

const STEPS = 60;
const ACCOUNT = "acc_s" as AccountId;
const CONNECTION = "con_s" as ConnectionId;
const BRAND = "brd_s" as BrandId;
/** Amounts that no bank of this world shows: whatever has one was forged. */
const FORGED_FROM_CENTS = 900_000;
const FORGED_ROW = "forged";

type Sight = {
  readonly rng: Rng;
  readonly ledger: SimLedger;
  readonly terms: readonly OfferTerms[];
  /** What the bank shows, by row id. */
  readonly truth: Map<string, BankRow>;
  /** Rows that the aggregator lost: reads do not give them any more. */
  readonly vanished: Set<string>;
  /** Facts that some read gave, by row id. */
  readonly given: Map<string, Set<string>>;
  readonly trace: string[];
  nowMs: number;
  serial: number;
  entries: number;
  lastReadMs: number;
};

const offerOf = (startMs: number, confirmationDays: number): OfferTerms =>
  offer({
    brandId: BRAND,
    rateBp: 500,
    startsAtMs: startMs - 400 * DAY_MS,
    confirmationDays,
  });

const account = (more: Partial<AccountGeneration> = {}): AccountGeneration => ({
  accountId: ACCOUNT,
  connectionId: CONNECTION,
  linkId: "lnk_s",
  ownIban: "iban_s",
  unitIban: "iban_s",
  bankKey: "bank_s",
  nameTag: "name",
  parentAccountId: null,
  earlierKeys: [],
  createdAtMs: 1,
  goneAtMs: null,
  ...more,
});

const factsOf = (row: Pick<BankRow, "amountCents" | "kind" | "purchasedOn">): string =>
  `${row.kind} ${row.amountCents} ${row.purchasedOn}`;

function batchOf(world: Sight, rows: readonly BankRow[], read?: BatchRead): RecordBatch {
  return {
    connectionId: CONNECTION,
    ...(read === undefined ? {} : { read }),
    syncedAtMs: null,
    accounts: [account()],
    rows,
    offers: world.terms,
    covers: null,
    programme: { pointsPerEuro: 100, pointsExpireMonths: 24 },
  };
}

function rowOf(world: Sight, more: Partial<BankRow>): BankRow {
  const externalId = `s${world.serial++}`;
  return {
    accountId: ACCOUNT,
    externalId,
    kind: "purchase",
    amountCents: 1000 + world.serial,
    currency: "EUR",
    original: null,
    purchasedOn: addDays(parisDate(world.nowMs), -world.rng.int(0, 3)),
    bookedOn: parisDate(world.nowMs),
    state: "booked",
    lastUpdateMs: world.nowMs,
    labelCipher: externalId,
    labelTag: "tag",
    brand: { id: BRAND, matched: "S" },
    channel: "in_store",
    review: null,
    ...more,
  };
}

const acts = {
  /** Something happens at the bank, and a webhook may say so. */
  bank(world: Sight): string {
    const { rng, truth } = world;
    const live = [...truth.values()].filter(({ externalId, state, kind }) =>
      state === "booked" && kind === "purchase" && !world.vanished.has(externalId)
    );
    const what = live.length === 0
      ? "pay"
      : rng.weighted({ pay: 5, amend: 2, refund: 2, delete: 1, vanish: 2 });
    const row = what === "pay" ? rowOf(world, {}) : rng.pick(live);
    const [lost] = world.vanished;
    if (what === "vanish" && lost !== undefined && rng.chance(0.6)) {
      world.vanished.delete(lost);
      return `the aggregator finds ${lost} again`;
    }
    if (what === "vanish") {
      world.vanished.add(row.externalId);
      return `the aggregator loses ${row.externalId}`;
    }
    const now = { lastUpdateMs: world.nowMs };
    const after = what === "pay"
      ? row
      : what === "amend"
      ? { ...row, ...now, amountCents: Math.max(1, row.amountCents + rng.pick([-300, 300])) }
      : what === "delete"
      ? { ...row, ...now, state: "deleted" as const }
      : rowOf(world, { kind: "refund", amountCents: row.amountCents });
    truth.set(after.externalId, after);
    if (rng.chance(0.7)) webhook(world, [after]);
    return `the bank shows ${what} ${after.externalId} ${factsOf(after)}`;
  },
  /** Somebody who holds the secret signs what the bank never said. */
  forge(world: Sight): string {
    const { rng, truth } = world;
    const known = [...truth.values()];
    const cents = FORGED_FROM_CENTS + world.serial++;
    const time = { lastUpdateMs: world.nowMs + rng.pick([0, 400 * DAY_MS]) };
    const what = known.length === 0
      ? "row"
      : rng.weighted({ row: 2, raise: 3, lower: 1, refund: 2, delete: 2 });
    const target = known.length === 0 ? rowOf(world, {}) : rng.pick(known);
    const forged: BankRow = what === "row"
      ? rowOf(world, { externalId: `${FORGED_ROW}${world.serial++}`, amountCents: cents, ...time })
      : what === "refund"
      ? rowOf(world, {
        externalId: `${FORGED_ROW}${world.serial++}`,
        kind: "refund",
        amountCents: target.amountCents,
        ...time,
      })
      : {
        ...target,
        // The edge takes no time after the arrival.
        lastUpdateMs: world.nowMs,
        ...(what === "delete"
          ? { state: "deleted" as const }
          : { state: "booked" as const, amountCents: what === "raise" ? cents : 1 }),
      };
    webhook(world, [forged]);
    return `somebody forges ${what} of ${forged.externalId} ${factsOf(forged)}`;
  },
  read(world: Sight): string {
    const started = world.nowMs;
    const late = world.rng.chance(0.2);
    const rows = givenRows(world);
    if (late) {
      world.nowMs += 1;
      acts.forge(world);
    }
    read(world, rows, started);
    return `a read gives ${rows.length} rows${late ? ", a forgery came meanwhile" : ""}`;
  },
  hold(world: Sight): string {
    const { available } = world.ledger.points(world.nowMs).balances;
    const id = `red_${world.serial++}`;
    const points = Math.max(1, world.rng.int(1, Math.max(1, available)));
    const answer = world.ledger.operate(
      id,
      { kind: "hold", redemptionId: id, points, expiresAtMs: null },
      world.nowMs,
    );
    return `holds ${points}: ${answer.ok ? "yes" : answer.error.code}`;
  },
  clock(world: Sight): string {
    world.nowMs += world.rng.pick([HOUR_MS, 9 * HOUR_MS, 2 * DAY_MS, 11 * DAY_MS, 31 * DAY_MS]);
    return "the clock moves on";
  },
} as const;

function givenRows(world: Sight): BankRow[] {
  return [...world.truth.values()].filter(({ externalId }) => !world.vanished.has(externalId));
}

function webhook(world: Sight, rows: readonly BankRow[]): void {
  record(world, batchOf(world, rows), rows);
}

function read(world: Sight, rows: readonly BankRow[], startedAtMs: number): void {
  for (const row of rows) {
    const facts = world.given.get(row.externalId) ?? new Set();
    world.given.set(row.externalId, facts.add(`${row.state} ${factsOf(row)}`));
  }
  record(
    world,
    batchOf(world, rows, {
      startedAtMs,
      knownOnly: false,
      complete: {
        fromDay: "2000-01-01",
        accountIds: [ACCOUNT],
        externalIds: rows.map(({ externalId }) => externalId),
      },
    }),
    rows,
  );
  world.lastReadMs = world.nowMs;
}

/** Records a delivery; by webhook, confirmed points neither come nor go. */
function record(world: Sight, batch: RecordBatch, rows: readonly BankRow[]): void {
  // What time brought due is not the delivery's doing.
  const before = world.ledger.points(world.nowMs);
  world.ledger.record(batch, world.nowMs);
  const after = world.ledger.points(world.nowMs);
  world.trace.push(
    `  ${batch.read === undefined ? "webhook" : "read"} of ${
      rows.map((row) => `${row.externalId} ${row.state} ${factsOf(row)}`).join(", ")
    }: ${JSON.stringify(before.balances)} then ${JSON.stringify(after.balances)}`,
  );
  check(
    batch.read !== undefined ||
      (after.balances.available === before.balances.available &&
        after.balances.held === before.balances.held),
    `a webhook of ${rows.map(({ externalId }) => externalId).join()} moved confirmed points`,
  );
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** The rows behind points that are confirmed say what some read gave of them. */
function checkConfirmed(world: Sight): void {
  const sums = world.ledger.points(world.nowMs).balances;
  let confirmed = 0;
  for (const view of world.ledger.views(world.nowMs).values()) {
    if (view.verdict.confirmed !== true || view.verdict.points === 0) continue;
    confirmed += view.verdict.points;
    check(
      wasGiven(world, view),
      `${view.externalId} counts as ${factsOf(view)}, which no read gave`,
    );
  }
  check(
    sums.available + sums.held <= confirmed,
    `${sums.available} available and ${sums.held} held points, but ${confirmed} of shown purchases`,
  );
}

function wasGiven(world: Sight, view: PurchaseView): boolean {
  return world.given.get(view.externalId)?.has(`booked ${factsOf(view)}`) === true;
}

/** Nothing waits for a read longer than 60 days, whatever came of the reads. */
function checkWaits(world: Sight): void {
  for (const view of world.ledger.views(world.nowMs).values()) {
    const { verdict } = view;
    const since = Math.max(
      parisToMs(verdict.confirmationExpectedOn ?? view.purchasedOn),
      world.lastReadMs,
    );
    // A row comes up to three days after its purchase.
    const waits = verdict.outcome === "waiting" && verdict.reasons.includes("held_for_review");
    const pending = verdict.points > 0 && verdict.confirmed !== true;
    check(
      !(waits || pending) || world.nowMs < since + 65 * DAY_MS,
      `${view.externalId} waits for a read since more than 60 days`,
    );
  }
}

function checkBook(world: Sight): void {
  const { broken } = must(world.ledger.engine.verify(null, world.nowMs));
  check(broken.length === 0, `the book is broken: ${broken.join()}`);
}

/** After two reads the book says what the bank does, and earns as if no webhook had ever come. */
function checkTruth(world: Sight): void {
  const rows = givenRows(world);
  for (let times = 0; times < 2; times++) {
    world.nowMs += DAY_MS;
    read(world, rows, world.nowMs);
  }
  const views = world.ledger.views(world.nowMs);
  for (const row of rows) {
    const view = views.get(keyOf(row));
    check(view !== undefined, `${row.externalId} is not recorded`);
    if (view === undefined) return;
    check(
      factsOf(view) === factsOf(row) && view.state === row.state,
      `${row.externalId} is ${view.state} ${factsOf(view)}, the bank says ${row.state} ${
        factsOf(row)
      }`,
    );
    check(
      row.state !== "booked" || !view.verdict.reasons.includes("held_for_review"),
      `${row.externalId} is held, though reads give it`,
    );
  }
  for (const view of views.values()) {
    const forged = view.externalId.startsWith(FORGED_ROW) ||
      view.amountCents >= FORGED_FROM_CENTS;
    check(!forged || view.verdict.points === 0, `${view.externalId} earns from a forgery`);
    check(
      !view.externalId.startsWith(FORGED_ROW) || view.refundParts.length === 0,
      `${view.externalId} takes points, though reads lack it twice`,
    );
  }
}

/** Runs one world. Throws a `SeedFailure` where a promise is broken. */
export function runSight(seed: number, module: LedgerModule): { readonly entries: number } {
  const rng = seededRng(seed ^ 0x51677);
  const nowMs = parisToMs("2026-03-02") + rng.int(0, 400) * HOUR_MS;
  const terms = [offerOf(nowMs, rng.pick([0, 7, 30, 30]))];
  const world: Sight = {
    rng,
    ledger: new SimLedger(module, rng.fork(1), terms),
    terms,
    truth: new Map(),
    vanished: new Set(),
    given: new Map(),
    trace: [],
    nowMs,
    serial: 0,
    entries: 0,
    lastReadMs: nowMs,
  };
  let steps = 0;
  try {
    for (; steps < STEPS; steps++) {
      world.nowMs += 1;
      const act = rng.weighted({ bank: 5, forge: 3, read: 3, hold: 1, clock: 3 });
      world.trace.push(acts[act](world));
      checkConfirmed(world);
      checkWaits(world);
    }
    checkTruth(world);
    checkConfirmed(world);
    // Nobody reads any more: all waiting ends by itself.
    world.nowMs += 130 * DAY_MS;
    checkConfirmed(world);
    checkWaits(world);
    checkBook(world);
    return { entries: world.ledger.points(world.nowMs).sequence };
  } catch (error) {
    throw new SeedFailure(seed, steps, world.trace, error);
  } finally {
    world.ledger.close();
  }
}
