// What must hold after every step, whatever the rules decided. The chain and the sums are checked over the raw transactions with
// Node's own hash, not with the ledger's verifier, which is asked as well.
import { createHash } from "node:crypto";
import type { BookAccount } from "../../src/ledger/ports.ts";
import { daysBetween } from "../../src/kernel/time.ts";
import { must } from "./ledger.ts";
import { samePeriod } from "./model-earning.ts";
import { keyOf } from "./model-rows.ts";
import type { SimUser, World } from "./world.ts";

export class Broken extends Error {}

export function ensure(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Broken(what);
}

type RawBody = {
  readonly sequence: number; readonly kind: string; readonly key: string; readonly id: string;
  readonly postings: readonly (readonly [BookAccount, number])[]; readonly balances: { readonly pending: number; readonly available: number; readonly held: number };
};

/** Members sorted by name, no spaces: RFC 8785 for what a book holds (integers and plain ASCII). */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}

/** Where each kind may move points from and to, DESIGN.md section 4. */
const MOVES: Readonly<Record<string, readonly string[]>> = {
  earn: ["programme:purchases>pending"], referral: ["programme:referral>pending"], goodwill: ["programme:goodwill>available"], confirm: ["pending>available"],
  cancel: ["pending>programme:purchases", "pending>programme:referral"],
  clawback: ["available>programme:purchases", "available>programme:referral", "available>programme:goodwill"],
  hold: ["available>held"], settle: ["held>programme:redeemed"], release: ["held>available"], reinstate: ["programme:redeemed>available"], expire: ["available>programme:expired"],
};

function checkBook(user: SimUser): void {
  const { verified } = user;
  for (const raw of user.ledger.rawAfter(verified.sequence)) {
    const body: RawBody = JSON.parse(raw.body);
    ensure(raw.sequence === verified.sequence + 1 && body.sequence === raw.sequence, `sequence ${raw.sequence} follows ${verified.sequence}`);
    ensure(raw.body === canonical(body), `entry ${raw.sequence} is canonical`);
    const hash = createHash("sha256").update(Buffer.from(verified.hash, "hex")).update(raw.body).digest("hex");
    ensure(hash === raw.hash, `entry ${raw.sequence} carries the hash of its body after the one before`);
    ensure(body.postings.length >= 2 && body.postings.reduce((sum, [, points]) => sum + points, 0) === 0, `postings of ${raw.sequence} sum to zero`);
    const from = body.postings.filter(([, points]) => points < 0).map(([account]) => account).join("+");
    const to = body.postings.filter(([, points]) => points > 0).map(([account]) => account).join("+");
    ensure((MOVES[body.kind] ?? []).includes(`${from}>${to}`), `${body.kind} does not move ${from} > ${to}`);
    for (const [account, points] of body.postings) {
      if (account === "pending" || account === "available" || account === "held") verified.sums[account] += points;
    }
    ensure(canonical(body.balances) === canonical(verified.sums), `balances after ${raw.sequence} are the sum of all entries`);
    ensure(verified.sums.pending >= 0 && verified.sums.held >= 0, `pending and held are not negative after ${raw.sequence}`);
    const takes = body.postings.some(([account, points]) => account === "available" && points < 0);
    ensure(verified.sums.available >= 0 || !takes || body.kind === "clawback", `${body.kind} made available negative`);
    verified.sequence = raw.sequence;
    verified.hash = raw.hash;
  }
}

/** Caps by what stands now, counted by the purchases' dates; a first purchase is one. */
function checkCaps(world: World, user: SimUser): void {
  const views = [...user.ledger.views(world.nowMs).values()].filter((view) => view.verdict.outcome === "earned" || (view.verdict.outcome === "waiting" && view.verdict.reasons.includes("budget_reserving")));
  for (const view of views) {
    const terms = world.catalogue.terms.find((each) => each.offerId === view.verdict.offer?.id && each.version === view.verdict.offer.version);
    ensure(terms !== undefined, `${keyOf(view)} names its offer`);
    const inPeriod = samePeriod(terms.period, view.purchasedOn);
    const same = views.filter((other) => other.verdict.offer?.id === terms.offerId && other.verdict.offer.version === terms.version && inPeriod(other.purchasedOn));
    const standing = same.reduce((sum, other) => sum + other.verdict.points, 0);
    ensure(view.verdict.points <= (terms.capPointsPerPurchase ?? Infinity), `${keyOf(view)} is within the cap per purchase`);
    ensure(standing <= (terms.capPointsPerUser ?? Infinity), `${terms.offerId} v${terms.version} gave ${standing}, its cap is ${terms.capPointsPerUser}`);
    ensure(same.length <= (terms.capPurchasesPerUser ?? Infinity), `${terms.offerId} v${terms.version} rewarded ${same.length} purchases of at most ${terms.capPurchasesPerUser}`);
    ensure(!terms.firstPurchaseOnly || same.length === 1 || user.model.loose.has(terms.brandId), `${terms.offerId} rewarded ${same.length} first purchases`);
  }
}

function checkVerdicts(world: World, user: SimUser): void {
  const views = user.ledger.views(world.nowMs);
  const { model } = user;
  ensure(views.size === model.rows.size, `${views.size} rows have a verdict, ${model.rows.size} were told`);
  for (const [key, view] of views) {
    const { outcomes, points, firstReason } = model.predict(key);
    const { verdict } = view;
    ensure(verdict.reasons.length > 0, `${key} has a reason`);
    ensure(verdict.points === points && outcomes.includes(verdict.outcome), `${key} is ${verdict.outcome} ${verdict.points} (${verdict.reasons.join()}), expected ${outcomes.join("|")} ${points} (${firstReason ?? "any"})`);
    ensure(firstReason === null || verdict.reasons[0] === firstReason, `${key} says ${verdict.reasons.join()}, expected ${firstReason ?? ""}`);
    if (view.kind === "refund" && model.resolution.status.get(key)?.is === "live") checkRefund(user, views, key);
  }
  const listed = user.ledger.listed(world.nowMs, 7);
  const own = [...views.values()].filter((view) => !view.verdict.reasons.includes("duplicate"));
  ensure(listed.map(keyOf).sort().join() === own.map(keyOf).sort().join(), `the list shows ${listed.length} purchases, ${own.length} stand for themselves`);
  ensure(listed.every((view, index) => index === 0 || daysBetween(view.purchasedOn, listed[index - 1]?.purchasedOn ?? "") >= 0), "the list is newest first");
}

function checkRefund(user: SimUser, views: ReadonlyMap<string, { readonly id: string; readonly refundOf: string | null }>, key: string): void {
  const expected = user.model.resolution.refundOf.get(key) ?? null;
  const found = views.get(key)?.refundOf ?? null;
  ensure((expected === null ? null : views.get(expected)?.id ?? null) === found, `refund ${key} was set against ${found ?? "nothing"}, expected ${expected ?? "nothing"}`);
}

/** One user's ledger against the oracle and against itself. */
export function checkUser(world: World, user: SimUser): void {
  user.model.advance(world.nowMs);
  const points = user.ledger.points(world.nowMs);
  checkBook(user);
  ensure(points.sequence === user.verified.sequence && points.head === user.verified.hash, "the head is the last entry");
  ensure(canonical(points.balances) === canonical(user.verified.sums), "the balances are the sum of the entries");
  checkVerdicts(world, user);
  const expected = user.model.book.balances();
  ensure(canonical(points.balances) === canonical(expected), `balances ${canonical(points.balances)}, expected ${canonical(expected)}`);
  const next = user.model.book.nextExpiry(world.nowMs);
  ensure(canonical(points.nextExpiry) === canonical(next), `next expiry ${canonical(points.nextExpiry)}, expected ${canonical(next)}`);
  const confirmation = user.model.book.nextConfirmation();
  ensure(canonical(points.nextConfirmation) === canonical(confirmation), `next confirmation ${canonical(points.nextConfirmation)}, expected ${canonical(confirmation)}`);
  checkCaps(world, user);
  for (const { offerId, used, limit } of world.budgets.offers()) {
    ensure(used <= limit, `the budget of ${offerId} holds ${used} of ${limit}`);
    const standing = standingOf(world, offerId);
    ensure(standing <= limit, `${offerId} gave ${standing}, its budget is ${limit}`);
  }
}

/** Points that stand of an offer's versions with a budget, over all users. */
function standingOf(world: World, offerId: string): number {
  let standing = 0;
  for (const user of world.users) {
    for (const { verdict } of user.ledger.views(world.nowMs).values()) {
      const terms = world.catalogue.terms.find((each) => each.offerId === verdict.offer?.id && each.version === verdict.offer.version);
      if (verdict.offer?.id === offerId && terms !== undefined && terms.budgetPoints !== null) standing += verdict.points;
    }
  }
  return standing;
}

/** When nothing is on its way any more: projections equal ledgers, budgets equal what stands, the ledger's verifier agrees. */
export function checkQuiet(world: World, user: SimUser): void {
  const verification = must(user.ledger.engine.verify(null, world.nowMs));
  ensure(verification.broken.length === 0, `the verifier finds ${verification.broken.join()}`);
  ensure(user.projected.sequence === user.verified.sequence && user.projected.head === user.verified.hash, "the projection has the whole ledger");
  ensure(canonical(user.projected.balances) === canonical(user.verified.sums), "the projected balances are the ledger's");
  const moved = new Map<string, number>();
  const told = new Map<string, number>();
  for (const raw of user.ledger.rawAfter(0)) {
    const body: RawBody = JSON.parse(raw.body);
    moved.set(body.kind, (moved.get(body.kind) ?? 0) + body.postings.reduce((sum, [, points]) => sum + Math.max(0, points), 0));
  }
  for (const [key, counter] of user.projected.counters) told.set(key.split(" ")[3] ?? "", (told.get(key.split(" ")[3] ?? "") ?? 0) + counter.points);
  ensure(canonical(Object.fromEntries(moved)) === canonical(Object.fromEntries(told)), `counters ${canonical(Object.fromEntries(told))} are those of the entries ${canonical(Object.fromEntries(moved))}`);
}

/** What offers' budgets hold is what stands of them, over all users. */
export function checkBudgets(world: World): void {
  for (const { offerId, used } of world.budgets.offers()) {
    const standing = standingOf(world, offerId);
    ensure(used === standing, `the budget of ${offerId} holds ${used}, ${standing} stand`);
  }
}
