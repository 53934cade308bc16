// Lots: every grant of points with its own confirmation and expiry date. Points are spent and
// expire oldest first. The lots' remaining points always sum to what is available (or to zero while
// a claw-back left a debt), which `verify` checks.
import { assert } from "../../kernel/assert.ts";
import type { PurchaseId } from "../../kernel/ids.ts";
import { DAY_MS } from "../../kernel/time.ts";
import { confirmationsHalted } from "../book/halts.ts";
import { dayOf } from "../book/paris-days.ts";
import type { BookAccount } from "../ports.ts";
import { integerOf } from "../book/sql.ts";
import { postTo } from "../book/call.ts";
import type { Call } from "../book/call.ts";
import { insertLot, lotDueMs, openLots, readLot, saveLot } from "./lot-rows.ts";
import type { Lot } from "./lot-rows.ts";

/** Points that come back from a hold are good for at least this long. */
const RELEASED_EXPIRY_MIN_MS = 30 * DAY_MS;

type Grant = {
  readonly kind: "earn" | "referral" | "goodwill";
  readonly key: string;
  readonly input: unknown;
  readonly points: number;
  readonly effectiveOn: string;
  readonly confirmAtMs: number;
  readonly expiresAtMs: number;
  readonly purchase: { readonly n: number; readonly id: PurchaseId } | null;
  readonly brandId: string | null;
  readonly offerId: string | null;
  readonly cents: number | null;
  /** False: only a webhook said so; the points stay pending until a read shows it. */
  readonly isShown: boolean;
};

const SOURCE_OF = { earn: "purchases", referral: "referral", goodwill: "goodwill" } as const;

/**
 * Posts a grant and opens its lot; what is shown and has matured is confirmed in the same breath.
 * Returns the lot's number.
 */
export function grant(call: Call, wanted: Grant): number {
  const source = SOURCE_OF[wanted.kind];
  const direct = wanted.kind === "goodwill";
  if (call.head.balances.available < 0) call.debtOpen = true;
  const lotNo = call.head.sequence + 1;
  const entryId = postTo(call, {
    kind: wanted.kind,
    key: wanted.key,
    input: wanted.input,
    effectiveOn: wanted.effectiveOn,
    lots: [[lotNo, wanted.points]],
    postings: [[`programme:${source}`, -wanted.points], [
      direct ? "available" : "pending",
      wanted.points,
    ]],
    ...(wanted.purchase === null ? {} : { purchaseId: wanted.purchase.id }),
    ...(wanted.brandId === null ? {} : { brandId: wanted.brandId }),
    ...(wanted.offerId === null ? {} : { offerId: wanted.offerId }),
    ...(wanted.cents === null ? {} : { cents: wanted.cents }),
  });
  const lot: Lot = {
    lotNo,
    source,
    purchaseNo: wanted.purchase?.n ?? null,
    entryId,
    reversalId: null,
    brandId: wanted.brandId,
    offerId: wanted.offerId,
    state: direct ? "available" : "pending",
    granted: wanted.points,
    reversed: 0,
    expired: 0,
    remaining: direct ? wanted.points : 0,
    confirmAtMs: wanted.confirmAtMs,
    expiresAtMs: wanted.expiresAtMs,
    noticed30Ms: null,
    noticed7Ms: null,
    waitsUntilMs: null,
  };
  insertLot(call, lot);
  call.newLots.add(lotNo);
  const halted = call.halts === null || confirmationsHalted(call.halts);
  if (!direct && !halted && wanted.isShown && lot.confirmAtMs <= call.nowMs) {
    confirmLot(call, lot, wanted.purchase?.id ?? null);
  }
  return lotNo;
}

/** pending -> available, effective on the day the lot matured. */
export function confirmLot(call: Call, lot: Lot, purchaseId: PurchaseId | null): void {
  const points = lot.granted - lot.reversed;
  assert(
    lot.state === "pending" && points > 0,
    "lot_not_confirmable",
    "a lot is confirmed that is not pending or has no active points",
  );
  if (call.head.balances.available < 0) call.debtOpen = true;
  postTo(call, {
    kind: "confirm",
    key: `confirm:${lot.lotNo}:${call.head.sequence + 1}`,
    input: { lot: lot.lotNo, points },
    effectiveOn: dayOf(lot.confirmAtMs),
    lots: [[lot.lotNo, points]],
    postings: [["pending", -points], ["available", points]],
    ...aboutLot(lot, purchaseId),
  });
  lot.state = "available";
  lot.remaining = points;
  saveLot(call, lot);
}

/** The lot expires no earlier; a later day needs its own notices. Nothing is posted. */
export function deferExpiry(call: Call, lot: Lot, notBeforeMs: number): void {
  moveExpiry(lot, notBeforeMs);
  saveLot(call, lot);
}

/** available -> programme:expired, for what is left of the lot. */
export function expireLot(call: Call, lot: Lot): void {
  expirePoints(call, lot, lot.remaining, dayOf(lotDueMs(lot) ?? call.nowMs));
}

/** available -> programme:expired, for a part of what is left of the lot. */
function expirePoints(call: Call, lot: Lot, points: number, effectiveOn: string): void {
  postTo(call, {
    kind: "expire",
    key: `expire:${lot.lotNo}:${call.head.sequence + 1}`,
    input: { lot: lot.lotNo, points },
    effectiveOn,
    lots: [[lot.lotNo, points]],
    postings: [["available", -points], ["programme:expired", points]],
    ...aboutLot(lot, null),
  });
  // A payment that came back may have filled a lot that was reversed meanwhile: no more of it
  // expires than it granted.
  lot.expired += Math.min(points, lot.granted - lot.reversed - lot.expired);
  lot.remaining -= points;
  saveLot(call, lot);
}

/**
 * Why points of a lot move. `cents` is the spending that is rewarded more (when points are added)
 * or less (when they are taken); `purchases` is 1 when the whole purchase comes to be rewarded or
 * ceases to be, so that counters over all kinds add up.
 */
export type Movement = {
  readonly key: string;
  readonly purchaseId: PurchaseId | null;
  readonly cents: number;
  readonly purchases: 0 | 1;
};

/**
 * Takes back up to `points` of a lot: `cancel` while pending, `clawback` once confirmed, never more
 * than what has neither expired nor been reversed. Returns what was taken back. The caller releases
 * holds if `available` went below zero.
 */
export function reverseLot(call: Call, lot: Lot, points: number, why: Movement): number {
  const taken = Math.min(points, lot.granted - lot.reversed - lot.expired);
  if (taken <= 0) return 0;
  lot.reversed += taken;
  takePoints(call, lot, taken, why);
  return taken;
}

/** Gives back what was reversed before: a correction that names the reversal it corrects. */
export function restoreLot(call: Call, lot: Lot, points: number, why: Movement): void {
  assert(
    points > 0 && points <= lot.reversed,
    "restored_more_than_reversed",
    "more points are restored to a lot than were reversed",
  );
  lot.reversed -= points;
  addPoints(call, lot, points, why);
}

/**
 * Makes the lot one that granted `points`, when its purchase turns out to be worth more or less
 * than it seemed: only the difference is posted, so that the points keep their dates and holds, and
 * what has expired stays expired.
 */
export function regrantLot(call: Call, lot: Lot, points: number, why: Movement): void {
  const granted = Math.max(points, lot.expired);
  const more = granted - (lot.granted - lot.reversed);
  lot.granted = granted;
  lot.reversed = 0;
  if (more > 0) addPoints(call, lot, more, why);
  else if (more < 0) takePoints(call, lot, -more, why);
  else saveLot(call, lot);
}

function takePoints(
  call: Call,
  lot: Lot,
  points: number,
  { key, purchaseId, cents, purchases }: Movement,
): void {
  const pending = lot.state === "pending";
  const counterpart: BookAccount = `programme:${lot.source}`;
  lot.reversalId = postTo(call, {
    kind: pending ? "cancel" : "clawback",
    key: `${key}:${call.head.sequence + 1}`,
    input: { lot: lot.lotNo, points, reason: key },
    effectiveOn: dayOf(call.nowMs),
    lots: [[lot.lotNo, points]],
    reverses: lot.entryId,
    postings: [[pending ? "pending" : "available", -points], [counterpart, points]],
    ...aboutLot(lot, purchaseId),
    ...(purchaseId === null ? {} : { cents, purchases }),
  });
  if (!pending) {
    lot.remaining -= Math.min(lot.remaining, points);
    call.debtOpen = true;
  }
  saveLot(call, lot);
}

function addPoints(
  call: Call,
  lot: Lot,
  points: number,
  { key, purchaseId, cents, purchases }: Movement,
): void {
  const lots = [[lot.lotNo, points]] as const;
  const about = aboutLot(lot, purchaseId);
  postTo(call, {
    kind: lot.source === "referral" ? "referral" : "earn",
    key: `${key}:${call.head.sequence + 1}`,
    input: { lot: lot.lotNo, points, reason: key },
    effectiveOn: dayOf(call.nowMs),
    lots,
    postings: [[`programme:${lot.source}`, -points], ["pending", points]],
    ...about,
    ...(purchaseId === null ? {} : { cents, purchases }),
    ...(lot.reversalId === null ? {} : { reverses: lot.reversalId }),
  });
  if (lot.state === "available") {
    postTo(call, {
      kind: "confirm",
      key: `${key}:${call.head.sequence + 1}`,
      input: { lot: lot.lotNo, points },
      effectiveOn: dayOf(call.nowMs),
      lots,
      postings: [["pending", -points], ["available", points]],
      ...about,
      ...(purchaseId === null ? {} : { purchases }),
    });
    lot.remaining += points;
    // No notice named these points: they need a day of their own, or time for a new one. A lot that
    // the same call granted keeps its day, in however many steps the call came to its points.
    if (!call.newLots.has(lot.lotNo)) extend(lot, call.nowMs);
    call.debtOpen = true;
  }
  saveLot(call, lot);
}

/**
 * Points that come back are good for at least 30 days; a later day needs its own notices before
 * anything may expire.
 */
function extend(lot: Lot, fromMs: number): void {
  moveExpiry(lot, fromMs + RELEASED_EXPIRY_MIN_MS);
}

function moveExpiry(lot: Lot, notBeforeMs: number): void {
  if (notBeforeMs <= lot.expiresAtMs) return;
  lot.expiresAtMs = notBeforeMs;
  lot.noticed30Ms = null;
  lot.noticed7Ms = null;
}

/** What is left of these lots. */
export function remainingOf(call: Call, lotNos: ReadonlySet<number>): number {
  return openLots(call).reduce(
    (sum, { lotNo, remaining }) => sum + (lotNos.has(lotNo) ? remaining : 0),
    0,
  );
}

/**
 * Takes `points` from the open lots, oldest expiry first, and says from which; none from those of
 * `except`. The caller posts the movement.
 */
export function spendFromLots(
  call: Call,
  points: number,
  except: ReadonlySet<number> = new Set(),
): (readonly [number, number])[] {
  const taken: (readonly [number, number])[] = [];
  let left = points;
  for (const lot of openLots(call)) {
    if (left === 0) break;
    if (except.has(lot.lotNo)) continue;
    const part = Math.min(left, lot.remaining);
    lot.remaining -= part;
    left -= part;
    taken.push([lot.lotNo, part]);
    saveLot(call, lot);
  }
  assert(
    left === 0,
    "lots_below_available",
    "the open lots hold fewer points than the available balance",
  );
  return taken;
}

/**
 * Puts points back where they came from, good for at least 30 days after `fromMs`. The caller has
 * posted the movement.
 */
export function returnToLots(
  call: Call,
  parts: readonly (readonly [number, number])[],
  fromMs: number,
): void {
  for (const [lotNo, points] of parts) {
    const lot = readLot(call, lotNo);
    lot.remaining += points;
    extend(lot, fromMs);
    saveLot(call, lot);
  }
  payDebt(call);
}

/**
 * After a claw-back that went below zero, points that come in pay the debt first: the lots give up,
 * oldest first, what `available` does not cover.
 */
export function payDebt(call: Call): void {
  const open = integerOf(
    call.sql.exec(
      "SELECT COALESCE(SUM(remaining), 0) AS points FROM lots WHERE remaining > 0",
    )[0] ?? {},
    "points",
  );
  const covered = Math.max(call.head.balances.available, 0);
  assert(
    open >= covered,
    "lots_below_available",
    "the open lots hold fewer points than the available balance",
  );
  if (open > covered) spendFromLots(call, open - covered);
  call.debtOpen = false;
}

function aboutLot(
  lot: Lot,
  purchaseId: PurchaseId | null,
): { readonly purchaseId?: PurchaseId; readonly brandId?: string; readonly offerId?: string } {
  return {
    ...(purchaseId === null ? {} : { purchaseId }),
    ...(lot.brandId === null ? {} : { brandId: lot.brandId }),
    ...(lot.offerId === null ? {} : { offerId: lot.offerId }),
  };
}
