// What D1 knows of the ledgers against the entries of their books: heads, balances, every counter,
// the rows that wait for a person, the sample. Summed up here from the entries' own fields, without
// the outbox.
import type { PurchaseId } from "../../src/kernel/ids.ts";
import type { PurchaseView, SampleItem } from "../../src/ledger/ports.ts";
import { addDays, parisDate } from "../../src/kernel/time.ts";
import type { RawBody } from "./book.ts";
import { canonical, ensure } from "./book.ts";
import { forgetOpenLedgers, readTable, restore, snapshot } from "./d1.ts";
import type { Snapshot } from "./d1.ts";
import { must } from "./ledger.ts";
import { keyOf } from "./model-rows.ts";
import type { SimUser, World } from "./world.ts";

type Head = {
  readonly user_id: string;
  readonly last_sequence: number;
  readonly head: string;
  readonly pending: number;
  readonly available: number;
  readonly held: number;
};
type Counter = {
  readonly purchases: number;
  readonly cents: number;
  readonly points: number;
  readonly pending: number;
  readonly available: number;
  readonly held: number;
};
type CounterRow = Counter & {
  readonly day: string;
  readonly brand_id: string;
  readonly offer_id: string;
  readonly kind: string;
};

/** By how much an entry moves its counter. */
function counterOf(body: RawBody): Counter {
  const moved = { pending: 0, available: 0, held: 0 };
  let points = 0;
  for (const [account, part] of body.postings) {
    points += Math.max(part, 0);
    if (account === "pending" || account === "available" || account === "held") {
      moved[account] += part;
    }
  }
  return {
    purchases: body.purchases ?? (body.purchase_id === undefined ? 0 : 1),
    cents: body.cents ?? 0,
    points,
    ...moved,
  };
}

/** The day on which it was recorded, brand, offer, kind. */
const placeOf = (body: RawBody): string =>
  [parisDate(body.recorded_at_ms), body.brand_id ?? "", body.offer_id ?? "", body.kind].join(" ");

function addTo(sums: Map<string, Counter>, place: string, counter: Counter): void {
  const before = sums.get(place);
  sums.set(
    place,
    before === undefined ? counter : {
      purchases: before.purchases + counter.purchases,
      cents: before.cents + counter.cents,
      points: before.points + counter.points,
      pending: before.pending + counter.pending,
      available: before.available + counter.available,
      held: before.held + counter.held,
    },
  );
}

const asText = (sums: ReadonlyMap<string, Counter>): string => canonical(Object.fromEntries(sums));

/**
 * D1 has reached some entry of each book, and its counters are exactly those of the entries up to
 * there.
 */
export async function checkProjection(world: World, complete: boolean): Promise<void> {
  const heads = new Map(
    (await readTable<Head>(world.database, "ledger_heads")).map((row) => [row.user_id, row]),
  );
  const expected = new Map<string, Counter>();
  for (const { userId, verified } of world.users) {
    const row = heads.get(userId);
    const sequence = row?.last_sequence ?? 0;
    const entries = verified.entries.slice(0, sequence);
    const last = entries.at(-1);
    ensure(
      last?.body.sequence === (sequence === 0 ? undefined : sequence),
      `D1 has ${sequence} entries of ${userId}, which has ${verified.entries.length}`,
    );
    ensure(
      last === undefined || last.hash === row?.head,
      `D1 has the head of entry ${sequence} of ${userId}`,
    );
    ensure(
      last === undefined ||
        canonical({ pending: row?.pending, available: row?.available, held: row?.held }) ===
          canonical(last.body.balances),
      `D1 has the balances of ${userId} after entry ${sequence}`,
    );
    ensure(
      !complete || sequence === verified.sequence,
      `D1 has ${sequence} of the ${verified.sequence} entries of ${userId}`,
    );
    for (const { body } of entries) addTo(expected, placeOf(body), counterOf(body));
  }
  const found = new Map(
    (await readTable<CounterRow>(world.database, "counters")).map((
      { day, brand_id, offer_id, kind, ...counter },
    ) => [[day, brand_id, offer_id, kind].join(" "), { ...counter }]),
  );
  ensure(
    asText(found) === asText(expected),
    `counters ${asText(found)} are those of the entries ${asText(expected)}`,
  );
}

/**
 * Over all kinds, what the entries say was rewarded is what is active: so many purchases, of so
 * many cents. A refund or a correction that moves no point posts nothing, so the cents of a
 * purchase that ever saw one may be off by it.
 */
export function checkRewarded(world: World, user: SimUser): void {
  // What expired cannot be taken back, so no entry says that its purchase is rewarded no longer.
  if (user.verified.entries.some(({ body }) => body.kind === "expire" || body.kind === "forfeit")) {
    return;
  }
  const summed = new Map<string, { purchases: number; cents: number }>();
  for (const { body } of user.verified.entries) {
    const sign = body.kind === "earn"
      ? 1
      : body.kind === "cancel" || body.kind === "clawback"
      ? -1
      : 0;
    const view = sign === 0 || body.purchase_id === undefined
      ? null
      : must(user.ledger.engine.purchase(body.purchase_id as PurchaseId, world.nowMs));
    if (view === null) continue;
    const sum = summed.get(keyOf(view)) ?? { purchases: 0, cents: 0 };
    summed.set(keyOf(view), {
      purchases: sum.purchases + sign * counterOf(body).purchases,
      cents: sum.cents + sign * counterOf(body).cents,
    });
  }
  for (const [key, view] of user.ledger.views(world.nowMs)) {
    const found = summed.get(key) ?? { purchases: 0, cents: 0 };
    const active = {
      purchases: Number(view.verdict.points > 0),
      cents: view.verdict.points > 0 ? view.amountCents : 0,
    };
    // A correction that moves no point leaves no entry, under whichever row of the purchase it was
    // projected.
    const corrected = [...user.model.rows.values()].some((row) =>
      row.bookedCents.size > 1 && row.bookedCents.has(view.amountCents)
    );
    const moved = user.everRefunded.has(key) || corrected;
    const expected = moved ? { ...active, cents: found.cents } : active;
    ensure(
      canonical(found) === canonical(expected),
      `the entries reward ${key} for ${canonical(found)}, ${canonical(active)} are active`,
    );
  }
}

/** The rows that wait, as D1 lists them for operators. */
export async function checkReviewsProjected(world: World, user: SimUser): Promise<void> {
  const rows = await readTable<
    { readonly purchase_id: string; readonly user_id: string; readonly state: string }
  >(world.database, "reviews");
  const projected = rows.filter((row) => row.user_id === user.userId && row.state === "open").map((
    row,
  ) => row.purchase_id).sort().join();
  const waiting = [...user.ledger.views(world.nowMs).values()]
    .filter(({ verdict }) =>
      verdict.outcome === "waiting" &&
      (verdict.reasons[0] === "held_for_review" || verdict.reasons[0] === "refund_without_purchase")
    ).map((view) => view.id).sort().join();
  ensure(
    projected === waiting,
    `operators see ${projected || "nothing"}, ${waiting || "nothing"} waits`,
  );
}

const isSampled = (view: PurchaseView): boolean =>
  view.state === "booked" && view.kind === "purchase" && view.currency === "EUR" &&
  view.brand !== null &&
  !view.verdict.reasons.includes("duplicate") && view.verdict.reasons[0] !== "held_for_review";
const sampleLine = (day: string, brandId: string, cents: number): string =>
  `${day} ${brandId} ${cents}`;

/**
 * What is offered to the sample must be a recognised purchase of the last 90 days that represents
 * itself.
 */
export function checkSampled(world: World, user: SimUser, items: readonly SampleItem[]): void {
  const own = new Set(
    [...user.ledger.views(world.nowMs).values()].filter(isSampled).map((view) =>
      sampleLine(view.purchasedOn, view.brand?.id ?? "", view.amountCents)
    ),
  );
  for (const { purchase } of items) {
    if (purchase === null) continue;
    const line = sampleLine(purchase.day, purchase.brandId, purchase.cents);
    ensure(
      own.has(line) && purchase.day > addDays(parisDate(world.nowMs), -91),
      `${line} is offered to the sample`,
    );
  }
}

/**
 * The sample's answer to what it is offered: a row is there as it was last projected, or not at
 * all.
 */
export function takeSample(user: SimUser, items: readonly SampleItem[]): void {
  for (const { row, purchase } of items) {
    if (purchase === null) user.sampled.delete(row);
    else user.sampled.set(row, sampleLine(purchase.day, purchase.brandId, purchase.cents));
  }
}

/** Of the last 90 days, the sample has exactly the purchases that count. */
export function checkSample(world: World, user: SimUser): void {
  const [after, until] = [addDays(parisDate(world.nowMs), -90), addDays(parisDate(world.nowMs), 2)];
  const recent = (lines: readonly string[]): string =>
    lines.filter((line) => line.slice(0, 10) > after && line.slice(0, 10) <= until).sort().join(
      "; ",
    );
  const counted = recent(
    [...user.ledger.views(world.nowMs).values()].filter(isSampled).map((view) =>
      sampleLine(view.purchasedOn, view.brand?.id ?? "", view.amountCents)
    ),
  );
  const sampled = recent([...user.sampled.values()]);
  ensure(
    sampled === counted,
    `the sample has ${sampled || "nothing"} of u${user.no}, ${counted || "nothing"} counts`,
  );
}

/**
 * D1 comes back from a backup, then loses everything: projected again, it is what it was. `drain`
 * rings every alarm.
 */
export async function checkRebuild(
  world: World,
  backup: Snapshot | null,
  drain: () => Promise<void>,
): Promise<void> {
  const project = async (): Promise<void> => {
    for (const user of world.users) {
      if (user.leaf === null) must(user.ledger.engine.resetProjection(null, world.nowMs));
    }
    await drain();
    await checkProjection(world, true);
    for (const user of world.users) {
      if (user.leaf === null) await checkReviewsProjected(world, user);
    }
  };
  const before = await snapshot(world.database);
  if (backup !== null && world.users.every((user) => user.leaf === null)) {
    await restore(world.database, backup);
    await project();
  }
  await forgetOpenLedgers(world.database);
  await project();
  const counters = (tables: Snapshot): string =>
    canonical([...(tables.get("counters") ?? [])].map((row) => canonical(row)).sort());
  ensure(
    counters(await snapshot(world.database)) === counters(before),
    "a rebuild ends with the counters that the outbox made",
  );
}
