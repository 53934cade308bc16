// What people and other domains ask of a ledger under a request key: redemptions, goodwill,
// referral points, activations.
import type { KeyedOperation } from "../../src/ledger/ports.ts";
import { addDays, DAY_MS, parisDate, parisToMs } from "../../src/kernel/time.ts";
import { atRisk, CRASHES } from "./faults.ts";
import { forfeit } from "./model-forfeit.ts";
import type { SimUser, World } from "./world.ts";

function chooseOperation(world: World, user: SimUser): KeyedOperation {
  const { rng } = world;
  const holds = user.model.book.holds;
  const redemptionId = holds.length === 0 || rng.chance(0.05)
    ? "red_none"
    : rng.pick(holds.slice(-4)).id;
  switch (
    rng.weighted({
      hold: 6,
      commit: 3,
      settle: 3,
      release: 3,
      reinstate: 1,
      goodwill: 2,
      referral: 1,
      reverse: 1,
      forfeit: 0.15,
    })
  ) {
    case "hold": {
      const { available } = user.model.book.balances();
      return {
        kind: "hold",
        redemptionId: `red_${world.serial++}`,
        points: rng.int(1, Math.max(2, rng.chance(0.2) ? available * 2 : available)),
        expiresAtMs: rng.chance(0.5) ? world.nowMs + rng.int(1, 20) * DAY_MS : null,
      };
    }
    case "commit":
      return { kind: "commit", redemptionId };
    case "settle":
      return { kind: "settle", redemptionId };
    case "release":
      return { kind: "release", redemptionId, cause: rng.pick(["cancelled", "rejected"]) };
    case "reinstate":
      return { kind: "reinstate", redemptionId };
    case "goodwill":
      return {
        kind: "goodwill",
        points: rng.int(1, 300),
        reference: `claim_${world.serial++}`,
        programme: world.programme,
      };
    case "referral":
      return {
        kind: "referral",
        points: 300,
        reference: `referral_${world.serial++}`,
        programme: world.programme,
        confirmAtMs: world.nowMs + rng.int(0, 30) * DAY_MS,
      };
    case "forfeit":
      return { kind: "forfeit" };
    case "reverse": {
      const grants = user.model.book.lots.filter((lot) =>
        lot.key.startsWith("goodwill:") || lot.key.startsWith("referral:")
      );
      const [source = "goodwill", reference = "claim_none"] = grants.length === 0
        ? []
        : rng.pick(grants).key.split(":");
      return { kind: "reverse_grant", source: source as "goodwill" | "referral", reference };
    }
  }
}

/** The start of the day after the tenth working day. */
function overdueMs(committedMs: number): number {
  let day = parisDate(committedMs);
  for (let left = 11; left > 0;) {
    day = addDays(day, 1);
    if (![0, 6].includes(new Date(day).getUTCDay())) left -= 1;
  }
  return parisToMs(day);
}

/**
 * What the design says of the operation, done in the model: an error code, or null when it is done.
 */
function expectOperation(world: World, user: SimUser, operation: KeyedOperation): string | null {
  const { book } = user.model;
  const { nowMs } = world;
  const hold = "redemptionId" in operation
    ? book.holds.find((each) => each.id === operation.redemptionId)
    : undefined;
  const to = (from: string, act: (found: NonNullable<typeof hold>) => void): string | null => {
    if (hold === undefined) return "hold_unknown";
    if (hold.state !== from) return "hold_state";
    act(hold);
    return null;
  };
  switch (operation.kind) {
    case "hold": {
      if (book.balances().available < 0) return "balance_negative";
      return book.hold(operation.redemptionId, operation.points, operation.expiresAtMs) === null
        ? "points_insufficient"
        : null;
    }
    case "commit":
      return to("open", (found) => {
        found.state = "committed";
        found.overdueMs = overdueMs(nowMs);
      });
    case "settle":
      return to("committed", (found) => (found.state = "settled"));
    case "release":
      return to(
        operation.cause === "cancelled" ? "open" : "committed",
        (found) => book.release(found, nowMs),
      );
    case "reinstate":
      return to("settled", (found) => book.reinstate(found, nowMs));
    case "goodwill":
      book.grantAvailable(`goodwill:${operation.reference}`, operation.points, nowMs);
      return null;
    case "referral":
      book.grantAt(
        `referral:${operation.reference}`,
        operation.points,
        operation.confirmAtMs,
        nowMs,
      );
      return null;
    case "reverse_grant": {
      const lot = book.lotOf(`${operation.source}:${operation.reference}`);
      if (lot === undefined) return "grant_unknown";
      book.together(nowMs, () => book.setReversed(lot, lot.granted - lot.expired, nowMs));
      return null;
    }
    case "forfeit":
      return forfeit(book, nowMs);
  }
}

/**
 * A new request, or an old one repeated: the first answer again, or a conflict when the input is
 * another.
 */
export function command(world: World, user: SimUser): string {
  const { rng } = world;
  user.model.advance(world.nowMs);
  const old = user.operations.length === 0 || !rng.chance(0.2) ? null : rng.pick(user.operations);
  if (old !== null) {
    const before = user.ledger.fingerprint(world.nowMs);
    const answer = JSON.stringify(user.ledger.operate(old.key, old.operation, world.nowMs));
    if (answer !== old.answer) {
      throw new Error(`request ${old.key} repeated answered ${answer} after ${old.answer}`);
    }
    const other = user.ledger.operate(old.key, {
      kind: "goodwill",
      points: 999,
      reference: "other",
      programme: world.programme,
    }, world.nowMs);
    if (other.ok || other.error.code !== "idempotency_conflict") {
      throw new Error(`key ${old.key} with another input answered ${JSON.stringify(other)}`);
    }
    if (user.ledger.fingerprint(world.nowMs) !== before) {
      throw new Error(`request ${old.key} repeated changed the ledger`);
    }
    return `u${user.no} repeats ${old.key}`;
  }
  const operation = chooseOperation(world, user);
  const key = `req_${world.serial++}`;
  const answered = atRisk(
    world,
    user,
    CRASHES,
    () => user.ledger.operate(key, operation, world.nowMs),
  );
  if (answered === null) return `u${user.no} ${JSON.stringify(operation)}: crash before the commit`;
  const result = answered.done;
  const expected = expectOperation(world, user, operation);
  user.operations.push({ key, operation, answer: JSON.stringify(result) });
  const found = result.ok ? null : result.error.code;
  if (found !== expected) {
    throw new Error(
      `${JSON.stringify(operation)} answered ${found ?? "done"}, expected ${expected ?? "done"}`,
    );
  }
  return `u${user.no} ${JSON.stringify(operation)} ${found ?? "done"}`;
}

/**
 * The same time on the clocks of Paris some days later, worked out without the product's own
 * helper.
 */
function daysLater(ms: number, days: number): number {
  return parisToMs(
    addDays(parisDate(ms), days),
    new Date(ms).toLocaleTimeString("en-GB", { timeZone: "Europe/Paris" }),
  ) + (ms % 1000);
}

export function activate(world: World, user: SimUser): string {
  const inForce = world.catalogue.terms.filter((terms) =>
    terms.activation === "required" && terms.startsAtMs <= world.nowMs &&
    (terms.endsAtMs ?? Infinity) > world.nowMs
  );
  if (inForce.length === 0) return "nothing to activate";
  const terms = world.rng.pick(inForce);
  const activated = atRisk(
    world,
    user,
    CRASHES,
    () =>
      user.ledger.activate({
        offerId: terms.offerId,
        version: terms.version,
        activationDays: terms.activationDays,
        offerEndsAtMs: terms.endsAtMs,
      }, world.nowMs),
  );
  if (activated === null) return `u${user.no} activates ${terms.offerId}: crash before the commit`;
  const answer = activated.done;
  const running = user.model.activations.findLast((each) =>
    each.offerId === terms.offerId && (each.expiresAtMs ?? Infinity) > world.nowMs
  );
  const ends = Math.min(
    terms.activationDays === null ? Infinity : daysLater(world.nowMs, terms.activationDays),
    terms.endsAtMs ?? Infinity,
  );
  const expected = running ??
    {
      offerId: terms.offerId,
      activatedAtMs: world.nowMs,
      expiresAtMs: ends === Infinity ? null : ends,
    };
  if (running === undefined) user.model.activations.push(expected);
  if (
    answer.activatedAtMs !== expected.activatedAtMs || answer.expiresAtMs !== expected.expiresAtMs
  ) throw new Error(`activation of ${terms.offerId} answered ${JSON.stringify(answer)}`);
  return `u${user.no} activates ${terms.offerId}`;
}
