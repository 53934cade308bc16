// What people decide about rows that no rule may judge: they count like any other, or earn nothing
// for good.
import type { PurchaseView } from "../../src/ledger/ports.ts";
import { ensure } from "./book.ts";
import { atRisk, CRASHES } from "./faults.ts";
import { must } from "./ledger.ts";
import { keyOf } from "./model-rows.ts";
import type { KnownRow } from "./model-rows.ts";
import { addDays, daysBetween, parisDate } from "../../src/kernel/time.ts";
import type { SimLedger } from "./ledger.ts";
import type { SimUser, World } from "./world.ts";

/** What was reported cannot be true, so no points may be worked out from it. */
const NOT_COUNTABLE = new Set(["amount_out_of_bounds"]);

/** Decides one of the waiting rows, or one that does not wait: that is refused. */
export function decide(world: World, user: SimUser): string {
  const { rng } = world;
  const items = must(user.ledger.engine.reviews(null, world.nowMs));
  const others = [...user.ledger.views(world.nowMs).values()].filter((view) =>
    view.verdict.reasons[0] !== "held_for_review" && !view.verdict.reasons.includes("duplicate")
  );
  if (items.length === 0 && others.length === 0) return "nothing to decide";
  const [purchase, why] = items.length === 0 || rng.chance(0.1)
    ? [rng.pick(others.length === 0 ? items.map((item) => item.purchase) : others), null]
    : pickItem(rng.pick(items));
  const decision = rng.pick(["count", "count", "refuse"] as const);
  const key = keyOf(purchase);
  const known = user.model.rows.get(key);
  const needsDay = decision === "count" && known?.row.review === "date_absurd";
  const purchasedOn = needsDay && known !== undefined
    ? someDay(world, user, known)
    : rng.chance(0.05) && decision === "count"
    ? parisDate(world.nowMs)
    : null;
  const says = `u${user.no} ${decision}s ${key} (${why ?? purchase.verdict.reasons.join()})${
    purchasedOn === null ? "" : ` on ${purchasedOn}`
  }`;
  const result = atRisk(
    world,
    user,
    CRASHES,
    () => decideIn(world, user.ledger, purchase, decision, purchasedOn),
  );
  if (result === null) return `${says}: crash before the commit`;
  const waits = user.model.resolution.status.get(key)?.is === "review" &&
    !user.model.rows.get(key)?.closed;
  const cannot = decision === "count" &&
    NOT_COUNTABLE.has(user.model.rows.get(key)?.row.review ?? "");
  const day = needsDay && known !== undefined
    ? (purchasedOn === null
      ? "review_day_required"
      : isPossibleDay(user, known, purchasedOn)
      ? null
      : "review_day_invalid")
    : purchasedOn === null
    ? null
    : "review_day_invalid";
  const expected = !waits ? "review_unknown" : cannot ? "review_not_countable" : day;
  const found = result.done.ok ? null : result.done.error.code;
  if (user.model.rows.get(key)?.decision !== null) return says;
  ensure(found === expected, `${says} answered ${found ?? "done"}, expected ${expected ?? "done"}`);
  if (found !== null) return `${says}: ${found}`;
  user.model.decided(
    key,
    { decision, purchasedOn },
    world.nowMs,
    user.ledger.views(world.nowMs),
  );
  const again = decideIn(world, user.ledger, purchase, decision, purchasedOn);
  ensure(again.ok && keyOf(again.value) === key, `${says} again answers the same`);
  const other = decideIn(world, user.ledger, purchase, decision === "count" ? "refuse" : "count");
  ensure(!other.ok, `${says}, and otherwise the second time`);
  return says;
}

/** Often a day on which the purchase can have been made. */
function someDay(world: World, user: SimUser, known: KnownRow): string | null {
  const { rng } = world;
  const recordedOn = parisDate(known.recordedAtMs);
  const first = firstDayOf(user, known);
  const within = Math.min(daysBetween(first, recordedOn), 120);
  return rng.weighted({ possible: 8, none: 1, other: 1 }) === "possible"
    ? addDays(recordedOn, -rng.int(0, within))
    : rng.pick([null, addDays(recordedOn, 1), addDays(recordedOn, -121), addDays(first, -1)]);
}

/** The day on which the row's connection was first seen, as far as the ledger knows. */
function firstDayOf(user: SimUser, { generation }: KnownRow): string {
  const same = [...user.model.accounts.values()].filter((account) =>
    account.connectionId === generation.connectionId
  );
  return parisDate(Math.min(...same.map((account) => account.createdAtMs)));
}

function isPossibleDay(user: SimUser, known: KnownRow, day: string): boolean {
  const recordedOn = parisDate(known.recordedAtMs);
  return day <= recordedOn && day >= addDays(recordedOn, -120) && day >= firstDayOf(user, known);
}

const pickItem = (
  item: { readonly purchase: PurchaseView; readonly why: string },
): readonly [PurchaseView, string] => [item.purchase, item.why];

export function decideIn(
  world: World,
  ledger: SimLedger,
  { id: purchaseId }: Pick<PurchaseView, "id">,
  decision: "count" | "refuse",
  purchasedOn: string | null = null,
): ReturnType<SimLedger["engine"]["decideReview"]> {
  return ledger.engine.decideReview({
    purchaseId,
    decision,
    ...(purchasedOn === null ? {} : { purchasedOn }),
    offers: world.catalogue.terms,
    programme: world.programme,
  }, world.nowMs);
}
