// What must hold after every step, whatever the rules decided: balances, verdicts, caps and budgets
// against the oracle. The book itself is read in book.ts, D1 in projection.ts, what screens show in
// screens.ts.
import { daysBetween } from "../../src/kernel/time.ts";
import type { PurchaseQuery, PurchaseView } from "../../src/ledger/ports.ts";
import { canonical, checkBook, ensure } from "./book.ts";
import { must } from "./ledger.ts";
import { samePeriod } from "./model-earning.ts";
import { keyOf } from "./model-rows.ts";
import type { SimUser, World } from "./world.ts";

/** Caps by the active points, counted by the purchases' dates; a first purchase is one. */
function checkCaps(world: World, user: SimUser): void {
  const views = [...user.ledger.views(world.nowMs).values()].filter((view) =>
    view.verdict.outcome === "earned" ||
    (view.verdict.outcome === "waiting" && view.verdict.reasons.includes("budget_reserving"))
  );
  for (const view of views) {
    const terms = world.catalogue.terms.find((each) =>
      each.offerId === view.verdict.offer?.id && each.version === view.verdict.offer.version
    );
    ensure(terms !== undefined, `${keyOf(view)} names its offer`);
    const inPeriod = samePeriod(terms.period, view.purchasedOn);
    const same = views.filter((other) =>
      other.verdict.offer?.id === terms.offerId && other.verdict.offer.version === terms.version &&
      inPeriod(other.purchasedOn)
    );
    const granted = same.reduce((sum, other) => sum + other.verdict.points, 0);
    ensure(
      view.verdict.points <= (terms.capPointsPerPurchase ?? Infinity),
      `${keyOf(view)} is within the cap per purchase`,
    );
    ensure(
      granted <= (terms.capPointsPerUser ?? Infinity),
      `${terms.offerId} v${terms.version} gave ${granted}, its cap is ${terms.capPointsPerUser}`,
    );
    ensure(
      same.length <= (terms.capPurchasesPerUser ?? Infinity),
      `${terms.offerId} v${terms.version} rewarded ${same.length} purchases of at most ${terms.capPurchasesPerUser}`,
    );
    ensure(
      !terms.firstPurchaseOnly || same.length === 1,
      `${terms.offerId} rewarded ${same.length} first purchases`,
    );
  }
}

const ALL: PurchaseQuery = {
  from: null,
  to: null,
  brandId: null,
  outcome: null,
  limit: 7,
  before: null,
};

function checkVerdicts(world: World, user: SimUser): void {
  const views = user.ledger.views(world.nowMs);
  const { model } = user;
  for (const key of model.resolution.refundedCents.keys()) user.everRefunded.add(key);
  ensure(
    views.size === model.rows.size,
    `${views.size} rows have a verdict, ${model.rows.size} were recorded`,
  );
  for (const [key, view] of views) {
    const { outcomes, points, firstReason } = model.predict(key);
    const { verdict } = view;
    ensure(verdict.reasons.length > 0, `${key} has a reason`);
    ensure(
      verdict.points === points && outcomes.includes(verdict.outcome),
      `${key} is ${verdict.outcome} ${verdict.points} (${verdict.reasons.join()}), expected ${
        outcomes.join("|")
      } ${points} (${firstReason ?? "any"})`,
    );
    ensure(
      firstReason === null || verdict.reasons[0] === firstReason,
      `${key} says ${verdict.reasons.join()}, expected ${firstReason ?? ""}`,
    );
    if (view.kind === "refund" && model.resolution.status.get(key)?.is === "live") {
      checkRefund(user, views, key);
    }
  }
  const listed = user.ledger.listed(world.nowMs, ALL);
  const own = [...views.values()].filter((view) => !view.verdict.reasons.includes("duplicate"));
  ensure(
    listed.map(keyOf).sort().join() === own.map(keyOf).sort().join(),
    `the list shows ${listed.length} purchases, ${own.length} are keepers`,
  );
  ensure(
    listed.every((view, index) =>
      index === 0 || daysBetween(view.purchasedOn, listed[index - 1]?.purchasedOn ?? "") >= 0
    ),
    "the list is newest first",
  );
}

function checkRefund(
  user: SimUser,
  views: ReadonlyMap<string, Pick<PurchaseView, "id" | "refundParts">>,
  key: string,
): void {
  const expected = (user.model.resolution.refundOf.get(key) ?? []).map(({ of, cents }) =>
    `${views.get(of)?.id ?? "nothing"} ${cents}`
  );
  const found = (views.get(key)?.refundParts ?? []).map(({ purchaseId, amountCents }) =>
    `${purchaseId} ${amountCents}`
  );
  ensure(
    expected.join() === found.join(),
    `refund ${key} gives back ${found.join() || "nothing"}, expected ${
      expected.join() || "nothing"
    }`,
  );
}

/** One user's ledger against the oracle and against itself. */
export function checkUser(world: World, user: SimUser): void {
  if (user.leaf !== null) return;
  user.model.advance(world.nowMs);
  const points = user.ledger.points(world.nowMs);
  checkBook(world, user);
  ensure(
    points.sequence === user.verified.sequence && points.head === user.verified.hash,
    "the head is the last entry",
  );
  ensure(
    canonical(points.balances) === canonical(user.verified.sums),
    "the balances are the sum of the entries",
  );
  checkVerdicts(world, user);
  const expected = user.model.book.balances();
  ensure(
    canonical(points.balances) === canonical(expected),
    `balances ${canonical(points.balances)}, expected ${canonical(expected)}`,
  );
  const next = user.model.book.nextExpiry(world.nowMs);
  ensure(
    canonical(points.nextExpiry) === canonical(next),
    `next expiry ${canonical(points.nextExpiry)}, expected ${canonical(next)}`,
  );
  const confirmation = user.model.book.nextConfirmation();
  ensure(
    canonical(points.nextConfirmation) === canonical(confirmation),
    `next confirmation ${canonical(points.nextConfirmation)}, expected ${canonical(confirmation)}`,
  );
  checkCaps(world, user);
  for (const { offerId, used, limit } of world.budgets.offers()) {
    ensure(used <= limit, `the budget of ${offerId} holds ${used} of ${limit}`);
    const active = activePoints(world, offerId);
    ensure(active <= limit, `${offerId} gave ${active}, its budget is ${limit}`);
  }
}

/** Active points of an offer's versions with a budget, over all users. */
function activePoints(world: World, offerId: string): number {
  let points = 0;
  for (const user of world.users) {
    if (user.leaf !== null) continue;
    for (const { verdict } of user.ledger.views(world.nowMs).values()) {
      const terms = world.catalogue.terms.find((each) =>
        each.offerId === verdict.offer?.id && each.version === verdict.offer.version
      );
      if (verdict.offer?.id === offerId && terms !== undefined && terms.budgetPoints !== null) {
        points += verdict.points;
      }
    }
  }
  return points;
}

/** The ledger's own verifier agrees. */
export function checkVerifier(world: World, user: SimUser): void {
  const verification = must(user.ledger.engine.verify(null, world.nowMs));
  ensure(verification.broken.length === 0, `the verifier finds ${verification.broken.join()}`);
  ensure(
    verification.sequence === user.verified.sequence && verification.head === user.verified.hash,
    "the verifier read the whole book",
  );
}

/** What offers' budgets have reserved is their active points, over all users. */
export function checkBudgets(world: World): void {
  for (const { offerId, used } of world.budgets.offers()) {
    const active = activePoints(world, offerId);
    ensure(used === active, `the budget of ${offerId} reserved ${used}, ${active} are active`);
  }
}
