// What screens, operators and auditors are shown, against what the book and the oracle hold: pages
// of entries, lists and their filters, a purchase under every id it ever had, the overview, the
// waiting rows, the sums behind a verdict.
import type { PurchaseId } from "../../src/kernel/ids.ts";
import { addDays } from "../../src/kernel/time.ts";
import type {
  EntryView,
  Outcome,
  Page,
  PurchaseQuery,
  PurchaseView,
} from "../../src/ledger/ports.ts";
import { canonical, ensure } from "./book.ts";
import type { RawEntry } from "./book.ts";
import { must } from "./ledger.ts";
import { keyOf } from "./model-rows.ts";
import { checkCalculation } from "./sums.ts";
import type { SimUser, World } from "./world.ts";

/** Everything that can be read of one book, at rest between two steps. */
export function checkScreens(world: World, user: SimUser): void {
  if (user.leaf !== null) return;
  const views = user.ledger.views(world.nowMs);
  checkEntries(world, user);
  checkLists(
    world,
    user,
    [...views.values()].filter((view) => !view.verdict.reasons.includes("duplicate")),
  );
  checkIds(world, user, views);
  checkReviews(world, user, views);
  checkActivity(world, user);
  for (const view of views.values()) checkRow(world, user, view);
}

function entryOf({ body, hash }: RawEntry): EntryView {
  const changes = { pending: 0, available: 0, held: 0 };
  for (const [account, points] of body.postings) {
    if (account === "pending" || account === "available" || account === "held") {
      changes[account] += points;
    }
  }
  return {
    id: body.id,
    sequence: body.sequence,
    kind: body.kind,
    changes,
    balances: body.balances,
    purchaseId: body.purchase_id ?? null,
    redemptionId: body.redemption_id ?? null,
    reverses: body.reverses ?? null,
    effectiveOn: body.effective_on,
    recordedAtMs: body.recorded_at_ms,
    hash,
  } as EntryView;
}

function checkEntries(world: World, user: SimUser): void {
  const { engine } = user.ledger;
  const expected = user.verified.entries.map(entryOf).reverse();
  const shown: EntryView[] = [];
  const limit = world.rng.int(1, 20);
  for (let before: string | null = null;;) {
    const page: Page<EntryView> = must(engine.entries({ limit, before }, world.nowMs));
    ensure(page.items.length <= limit, `a page has ${page.items.length} of ${limit} entries`);
    shown.push(...page.items);
    if (page.nextBefore === null) break;
    before = page.nextBefore;
  }
  ensure(
    canonical(shown) === canonical(expected),
    "the pages show the entries of the book, newest first",
  );
  const overview = must(engine.overview({ limit }, world.nowMs));
  ensure(
    canonical(overview.points) === canonical(user.ledger.points(world.nowMs)) &&
      canonical(overview.entries.items) === canonical(expected.slice(0, limit)),
    "the overview shows balances and the newest entries",
  );
}

function checkLists(world: World, user: SimUser, own: readonly PurchaseView[]): void {
  const { rng } = world;
  const days = own.map((view) => view.purchasedOn).sort();
  const someDay = (): string =>
    addDays(days.length === 0 ? "2026-06-01" : rng.pick(days), rng.int(-1, 1));
  const query: PurchaseQuery = {
    from: rng.chance(0.4) ? someDay() : null,
    to: rng.chance(0.4) ? someDay() : null,
    brandId: rng.chance(0.4) ? rng.pick(world.catalogue.brands) : null,
    outcome: rng.chance(0.5)
      ? rng.pick<Outcome>(["earned", "not_earned", "reversed", "waiting"])
      : null,
    limit: rng.int(1, 9),
    before: null,
  };
  const expected = own.filter(({ purchasedOn, brand, verdict }) =>
    (query.from === null || purchasedOn >= query.from) &&
    (query.to === null || purchasedOn <= query.to) &&
    (query.brandId === null || brand?.id === query.brandId) &&
    (query.outcome === null || verdict.outcome === query.outcome)
  );
  const shown = user.ledger.listed(world.nowMs, query);
  ensure(
    shown.map(keyOf).sort().join() === expected.map(keyOf).sort().join(),
    `the list ${JSON.stringify(query)} shows ${shown.map(keyOf).join()}, expected ${
      expected.map(keyOf).join()
    }`,
  );
}

/**
 * A purchase is found by the id it has and by each id it had; what it is shown as does not depend
 * on the way it was found.
 */
function checkIds(world: World, user: SimUser, views: ReadonlyMap<string, PurchaseView>): void {
  for (const [key, view] of views) {
    if (view.verdict.reasons.includes("duplicate")) continue;
    user.shownIds.set(view.id, (user.shownIds.get(view.id) ?? new Set()).add(key));
    ensure(
      canonical(must(user.ledger.engine.purchase(view.id, world.nowMs))) === canonical(view),
      `${view.id} leads to ${key}`,
    );
  }
  for (const [id, keys] of user.shownIds) {
    const found = must(user.ledger.engine.purchase(id as PurchaseId, world.nowMs));
    ensure(
      found !== null && canonical(views.get(keyOf(found))) === canonical(found) &&
        !found.verdict.reasons.includes("duplicate"),
      `${id}, shown once, leads to a purchase`,
    );
    const roots = [...keys].map((key) => rootOf(user, key));
    // A row that is gone leads to itself or to what had taken it over: an authorisation that the
    // bank dropped once it was booked.
    const gone = roots.some((key) => user.model.resolution.status.get(key)?.is === "deleted");
    ensure(
      gone || found.id === id || roots.includes(keyOf(found)),
      `${id} was ${[...keys].join()} and leads to ${keyOf(found)}, expected ${roots.join(" or ")}`,
    );
  }
}

/** The row that represents the purchase of that row now. */
function rootOf(user: SimUser, key: string): string {
  const status = user.model.resolution.status.get(key);
  if (status?.is === "duplicate") return rootOf(user, status.of);
  return status?.is === "taken_over" ? rootOf(user, status.by) : key;
}

function checkReviews(world: World, user: SimUser, views: ReadonlyMap<string, PurchaseView>): void {
  const items = must(user.ledger.engine.reviews(null, world.nowMs));
  const expected = [...views].filter(([key, view]) => {
    const status = user.model.resolution.status.get(key)?.is;
    return status === "review" ||
      (status === "live" && view.kind === "refund" && view.refundParts.length === 0);
  });
  for (const { purchase } of items) {
    ensure(
      canonical(views.get(keyOf(purchase))) === canonical(purchase),
      `${keyOf(purchase)} is shown to operators as it is`,
    );
  }
  const found = items.map(({ purchase }) => keyOf(purchase)).sort().join();
  ensure(
    found === expected.map(([key]) => key).sort().join(),
    `operators see ${found || "nothing"}, expected ${
      expected.map(([key]) => key).join() || "nothing"
    }`,
  );
}

function checkActivity(world: World, user: SimUser): void {
  const { connections, accounts } = must(user.ledger.engine.bankingActivity(null, world.nowMs));
  for (const { connectionId, lastSyncedAtMs } of connections) {
    const syncs = user.recorded.flatMap((
      batch,
    ) => (batch.connectionId === connectionId && batch.syncedAtMs !== null
      ? [batch.syncedAtMs]
      : [])
    );
    ensure(
      lastSyncedAtMs === Math.max(...syncs),
      `${connectionId} was synced at ${lastSyncedAtMs}`,
    );
  }
  ensure(
    accounts.map((account) => account.accountId).sort().join() ===
      [...user.model.accounts.keys()].sort().join(),
    "every account that was recorded is there",
  );
}

/** What is shown of a row beside its verdict is what the bank said last. */
function checkRow(world: World, user: SimUser, view: PurchaseView): void {
  const known = user.model.rows.get(keyOf(view));
  ensure(known !== undefined, `${keyOf(view)} was recorded`);
  const { row } = known;
  const reported = {
    kind: row.kind,
    amountCents: row.amountCents,
    currency: row.currency,
    original: row.original,
    purchasedOn: row.purchasedOn,
    bookedOn: row.bookedOn,
    brand: row.brand,
    labelCipher: row.labelCipher,
  };
  const shown = {
    kind: view.kind,
    amountCents: view.amountCents,
    currency: view.currency,
    original: view.original,
    purchasedOn: view.purchasedOn,
    bookedOn: view.bookedOn,
    brand: view.brand,
    labelCipher: view.labelCipher,
  };
  ensure(
    canonical(shown) === canonical(reported),
    `${keyOf(view)} is shown as ${canonical(shown)}, the bank said ${canonical(reported)}`,
  );
  checkCalculation(world, user, view);
}
