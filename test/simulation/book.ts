// One user's book as an auditor reads it: the chain and the sums over the raw transactions, with
// Node's own hash and a canonical form written for this, and what each entry says of itself (what
// it reverses, when it takes effect, which purchase it is about).
import { createHash } from "node:crypto";
import type { PurchaseId } from "../../src/kernel/ids.ts";
import type { BookAccount, PurchaseView } from "../../src/ledger/ports.ts";
import { addDays, parisDate } from "../../src/kernel/time.ts";
import { must } from "./ledger.ts";
import { keyOf } from "./model-rows.ts";
import type { SimUser, World } from "./world.ts";

export class Broken extends Error {}

export function ensure(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Broken(what);
}

export type RawBody = {
  readonly sequence: number;
  readonly kind: string;
  readonly key: string;
  readonly id: string;
  readonly postings: readonly (readonly [BookAccount, number])[];
  readonly balances: {
    readonly pending: number;
    readonly available: number;
    readonly held: number;
  };
  readonly effective_on: string;
  readonly recorded_at_ms: number;
  readonly lots?: readonly (readonly [number, number])[];
  readonly purchase_id?: string;
  readonly redemption_id?: string;
  readonly reverses?: string;
  readonly brand_id?: string;
  readonly offer_id?: string;
  readonly cents?: number;
  readonly purchases?: 0 | 1;
};
export type RawEntry = { readonly body: RawBody; readonly hash: string };

/** Members sorted by name, no spaces: RFC 8785 for what a book holds (integers and plain ASCII). */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${
    Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) =>
      `${JSON.stringify(name)}:${canonical(member)}`
    ).join(",")
  }}`;
}

/** Where each kind may move points from and to, DESIGN.md section 4. */
const MOVES: Readonly<Record<string, readonly string[]>> = {
  earn: ["programme:purchases>pending"],
  referral: ["programme:referral>pending"],
  goodwill: ["programme:goodwill>available"],
  confirm: ["pending>available"],
  cancel: ["pending>programme:purchases", "pending>programme:referral"],
  clawback: [
    "available>programme:purchases",
    "available>programme:referral",
    "available>programme:goodwill",
  ],
  hold: ["available>held"],
  settle: ["held>programme:redeemed"],
  release: ["held>available"],
  reinstate: ["programme:redeemed>available"],
  expire: ["available>programme:expired"],
  forfeit: [
    "pending>programme:forfeited",
    "available>programme:forfeited",
    "pending+available>programme:forfeited",
  ],
};

/** Reads what was posted since the last time. */
export function checkBook(world: World, user: SimUser): void {
  const { verified } = user;
  const fresh = user.ledger.rawAfter(verified.sequence);
  for (const raw of fresh) {
    const body: RawBody = JSON.parse(raw.body);
    ensure(
      raw.sequence === verified.sequence + 1 && body.sequence === raw.sequence,
      `sequence ${raw.sequence} follows ${verified.sequence}`,
    );
    ensure(raw.body === canonical(body), `entry ${raw.sequence} is canonical`);
    const hash = createHash("sha256").update(Buffer.from(verified.hash, "hex")).update(raw.body)
      .digest("hex");
    ensure(
      hash === raw.hash,
      `entry ${raw.sequence} carries the hash of its body after the one before`,
    );
    ensure(
      body.postings.length >= 2 && body.postings.reduce((sum, [, points]) => sum + points, 0) === 0,
      `postings of ${raw.sequence} sum to zero`,
    );
    const from = body.postings.filter(([, points]) => points < 0).map(([account]) => account).join(
      "+",
    );
    const to = body.postings.filter(([, points]) => points > 0).map(([account]) => account).join(
      "+",
    );
    ensure(
      (MOVES[body.kind] ?? []).includes(`${from}>${to}`),
      `${body.kind} does not move ${from} > ${to}`,
    );
    for (const [account, points] of body.postings) {
      if (account === "pending" || account === "available" || account === "held") {
        verified.sums[account] += points;
      }
    }
    ensure(
      canonical(body.balances) === canonical(verified.sums),
      `balances after ${raw.sequence} are the sum of all entries`,
    );
    ensure(
      verified.sums.pending >= 0 && verified.sums.held >= 0,
      `pending and held are not negative after ${raw.sequence}`,
    );
    const takes = body.postings.some(([account, points]) => account === "available" && points < 0);
    ensure(
      verified.sums.available >= 0 || !takes || body.kind === "clawback",
      `${body.kind} made available negative`,
    );
    verified.entries.push({ body, hash });
    verified.sequence = raw.sequence;
    verified.hash = raw.hash;
  }
  for (const raw of fresh) checkEntry(world, user, raw.sequence);
}

/** What an entry says of itself, right after the step that posted it. */
function checkEntry(world: World, user: SimUser, sequence: number): void {
  const { entries } = user.verified;
  const body = entries[sequence - 1]?.body;
  ensure(body !== undefined, `entry ${sequence} is there`);
  const what = `entry ${sequence} (${body.kind})`;
  const today = parisDate(body.recorded_at_ms);
  ensure(body.recorded_at_ms <= world.nowMs, `${what} is not recorded in the future`);
  ensure(
    new Set(entries.map((each) => each.body.id)).size === entries.length,
    `${what} has an id of its own`,
  );
  if (body.redemption_id !== undefined) {
    const before = entries.slice(0, sequence - 1).findLast((each) =>
      each.body.redemption_id === body.redemption_id
    );
    ensure(
      body.reverses === before?.body.id,
      `${what} reverses the last entry of ${body.redemption_id}`,
    );
    const hold = user.model.book.holds.find((each) => each.id === body.redemption_id);
    const lapsed = body.kind === "release" && hold?.deadlineMs !== null && hold !== undefined &&
      body.effective_on === parisDate(hold.deadlineMs) && hold.deadlineMs <= body.recorded_at_ms;
    ensure(body.effective_on === today || lapsed, `${what} takes effect on ${body.effective_on}`);
    return;
  }
  const grant = entries[(body.lots?.[0]?.[0] ?? 0) - 1]?.body;
  ensure(
    grant !== undefined &&
      (body.kind === "forfeit" ||
        (grant.brand_id === body.brand_id && grant.offer_id === body.offer_id)),
    `${what} is about a lot`,
  );
  if (body.purchase_id !== undefined) checkPurchase(world, user, body, what);
  const reverses = body.reverses === undefined
    ? undefined
    : entries.find((each) => each.body.id === body.reverses)?.body;
  const ofSameLot = reverses !== undefined && reverses.lots?.[0]?.[0] === body.lots?.[0]?.[0] &&
    reverses.sequence < sequence;
  switch (body.kind) {
    case "confirm": {
      const restored = entries[sequence - 2]?.body;
      ensure(
        maturities(world, user, grant).includes(body.effective_on) ||
          (restored?.lots?.[0]?.[0] === grant.sequence && restored !== grant &&
            body.effective_on === today),
        `${what} takes effect on ${body.effective_on}`,
      );
      return;
    }
    case "cancel":
    case "clawback":
      return ensure(
        body.effective_on === today && ofSameLot && reverses.id === grant.id,
        `${what} reverses its grant, today`,
      );
    case "expire":
      return ensure(
        body.effective_on <= today &&
          user.mails.some((mail) =>
            mail.expiresOn === body.effective_on &&
            mail.atMs + 6 * 86_400_000 <= body.recorded_at_ms
          ),
        `${what} on ${body.effective_on} was announced`,
      );
    case "earn":
      if (grant.sequence === sequence) {
        return ensure(body.reverses === undefined, `${what} reverses nothing`);
      }
      // Points that are added to a lot: the purchase turned out to be worth more, or a reversal was
      // wrong.
      return ensure(
        body.effective_on === today &&
          (body.reverses === undefined
            ? body.key.startsWith("regrant:")
            : ofSameLot && (reverses.kind === "cancel" || reverses.kind === "clawback")),
        `${what} gives back what a reversal took`,
      );
    default:
      ensure(body.effective_on === today, `${what} takes effect on ${body.effective_on}`);
  }
}

/** The days on which a grant may mature, by the terms of its offer or of the one who gave it. */
function maturities(world: World, user: SimUser, grant: RawBody): string[] {
  if (grant.kind === "earn") {
    return world.catalogue.terms.filter((terms) => terms.offerId === grant.offer_id).map((terms) =>
      addDays(grant.effective_on, terms.confirmationDays)
    );
  }
  return user.operations.flatMap((
    { key, operation },
  ) => (grant.key === `referral:${key}` && operation.kind === "referral"
    ? [parisDate(operation.confirmAtMs)]
    : [])
  );
}

/**
 * The amount that was rewarded is one that the bank reported; a correction that moves no point
 * leaves no entry.
 */
function wasTold(user: SimUser, view: PurchaseView, cents: number): boolean {
  return view.amountCents === cents ||
    user.model.rows.get(keyOf(view))?.bookedCents.has(cents) === true;
}

function checkPurchase(world: World, user: SimUser, body: RawBody, what: string): void {
  const view = must(user.ledger.engine.purchase(body.purchase_id as PurchaseId, world.nowMs));
  ensure(view !== null, `${what} names ${body.purchase_id}, which nobody knows`);
  if (
    body.kind !== "earn" || body.reverses !== undefined || body.lots?.[0]?.[0] !== body.sequence
  ) return;
  // What came after it in the same step may have moved the purchase on.
  if (user.verified.entries.slice(body.sequence).some((each) => each.body.reverses === body.id)) {
    return;
  }
  ensure(
    view.brand?.id === body.brand_id && view.verdict.offer?.id === body.offer_id &&
      wasTold(user, view, body.cents ?? 0) && view.purchasedOn === body.effective_on,
    `${what} is about ${body.cents} at ${body.brand_id} on ${body.effective_on}, ${body.purchase_id} is ${view.amountCents} at ${view.brand?.id} on ${view.purchasedOn}`,
  );
}
