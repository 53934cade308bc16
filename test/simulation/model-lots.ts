// The oracle's points: lots with their own confirmation and expiry, holds, and what time does to
// them. Balances are never kept: they are summed from the lots and holds each time they are asked
// for.
import { addDays, addMonths, DAY_MS, parisDate, parisToMs } from "../../src/kernel/time.ts";
import type { Balances } from "../../src/ledger/ports.ts";

export type ModelLot = {
  readonly key: string;
  readonly order: number;
  readonly confirmAtMs: number;
  expiresAtMs: number;
  confirmed: boolean;
  granted: number;
  reversed: number;
  expired: number;
  /** Of the confirmed points, those neither spent, expired nor taken back. */
  remaining: number;
  firstNoticeMs: number | null;
  /** The notice of the last week left. */
  toldWeek: boolean;
};

export type ModelHold = {
  readonly id: string;
  readonly order: number;
  readonly points: number;
  readonly parts: { readonly lot: ModelLot; readonly points: number }[];
  state: "open" | "committed" | "settled" | "released" | "reinstated";
  /**
   * When a person must ask what became of it, should it still be committed; null while it is not,
   * and once they were sent.
   */
  overdueMs: number | null;
  readonly deadlineMs: number | null;
};

const NOTICE_DAYS_MIN = 7;
const RELEASED_DAYS_MIN = 30;

export class ModelBook {
  readonly lots: ModelLot[] = [];
  readonly holds: ModelHold[] = [];
  readonly #expireMonths: number;
  #order = 0;
  #together = false;
  /**
   * Points that came back from holds into lots of which less was left by then, and expired there:
   * they are no grant's.
   */
  #beyond = 0;

  constructor(expireMonths: number) {
    this.#expireMonths = expireMonths;
  }

  balances(): Balances {
    let pending = 0;
    let available = -this.#beyond;
    let held = 0;
    for (const lot of this.lots) {
      if (lot.confirmed) available += lot.granted - lot.reversed - lot.expired;
      else pending += lot.granted - lot.reversed;
    }
    for (const hold of this.holds) {
      if (hold.state === "open" || hold.state === "committed") held += hold.points;
      if (hold.state === "open" || hold.state === "committed" || hold.state === "settled") {
        available -= hold.points;
      }
    }
    return { pending, available, held };
  }

  /** What the clock has brought due by `nowMs`, oldest first. */
  advance(nowMs: number): void {
    for (;;) {
      let next: { readonly atMs: number; readonly run: () => void } | null = null;
      const consider = (atMs: number, run: () => void): void => {
        if (atMs <= nowMs && (next === null || atMs < next.atMs)) next = { atMs, run };
      };
      for (const lot of this.lots) {
        if (!lot.confirmed && lot.granted > lot.reversed) {
          consider(lot.confirmAtMs, () => this.#confirm(lot));
        }
      }
      for (const hold of this.holds) {
        if (hold.state === "open" && hold.deadlineMs !== null) {
          const { deadlineMs } = hold;
          consider(deadlineMs, () => this.release(hold, deadlineMs));
        }
      }
      for (const lot of this.lots) {
        if (lot.remaining > 0 && lot.firstNoticeMs !== null) {
          consider(
            Math.max(lot.expiresAtMs, lot.firstNoticeMs + NOTICE_DAYS_MIN * DAY_MS),
            () => this.lapse(lot),
          );
        }
      }
      const due = next as { readonly run: () => void } | null;
      if (due === null) return;
      due.run();
    }
  }

  /** Points of a purchase: pending until so many days after it, whole days of Paris. */
  grantPending(
    key: string,
    points: number,
    purchasedOn: string,
    confirmationDays: number,
    nowMs: number,
  ): void {
    const confirmAtMs = parisToMs(addDays(purchasedOn, confirmationDays));
    this.grantAt(key, points, confirmAtMs, nowMs);
  }

  grantAvailable(key: string, points: number, nowMs: number): void {
    this.#add(key, points, nowMs, true);
    this.#payDebt();
  }

  grantAt(key: string, points: number, confirmAtMs: number, nowMs: number): void {
    this.#add(key, points, confirmAtMs, false);
    this.advance(nowMs);
  }

  lotOf(key: string): ModelLot | undefined {
    return this.lots.find((lot) => lot.key === key);
  }

  /**
   * Takes back or gives back until `reversed` of the lot's points are reversed. Holds give way to a
   * debt when all is recorded, not in between.
   */
  setReversed(lot: ModelLot, reversed: number, nowMs: number): void {
    const taken = reversed - lot.reversed;
    if (taken === 0) return;
    lot.reversed = reversed;
    if (lot.confirmed) lot.remaining -= Math.min(lot.remaining, taken);
    if (lot.confirmed && taken < 0) this.#extend(lot, nowMs);
    this.#payDebt();
    this.advance(nowMs);
  }

  /** What is left of a lot is lost. */
  lapse(lot: ModelLot): void {
    const own = Math.min(lot.remaining, lot.granted - lot.reversed - lot.expired);
    this.#beyond += lot.remaining - own;
    lot.expired += own;
    lot.remaining = 0;
  }

  /**
   * The lot turns out to have granted another number of points: what has expired of it stays so.
   */
  regrant(lot: ModelLot, points: number, nowMs: number): void {
    const granted = Math.max(points, lot.expired);
    const more = granted - (lot.granted - lot.reversed);
    lot.granted = granted;
    lot.reversed = 0;
    if (lot.confirmed) lot.remaining += Math.max(more, -lot.remaining);
    if (lot.confirmed && more > 0) this.#extend(lot, nowMs);
    this.#payDebt();
    this.advance(nowMs);
  }

  /** Points that come back are good for 30 days, and no notice named them. */
  #extend(lot: ModelLot, fromMs: number): void {
    const laterMs = fromMs + RELEASED_DAYS_MIN * DAY_MS;
    if (laterMs <= lot.expiresAtMs) return;
    lot.expiresAtMs = laterMs;
    lot.firstNoticeMs = null;
    lot.toldWeek = false;
  }

  releaseWhileNegative(nowMs: number): void {
    for (const hold of [...this.holds].sort((a, b) => b.order - a.order)) {
      if (this.balances().available >= 0) return;
      if (hold.state === "open") this.release(hold, nowMs);
    }
  }

  /** Null when there is not enough. Oldest expiry first. */
  hold(id: string, points: number, deadlineMs: number | null): ModelHold | null {
    if (this.balances().available < points) return null;
    const parts: { lot: ModelLot; points: number }[] = this.#spend(points);
    const hold: ModelHold = {
      id,
      order: this.#order++,
      points,
      parts,
      state: "open",
      overdueMs: null,
      deadlineMs,
    };
    this.holds.push(hold);
    return hold;
  }

  release(hold: ModelHold, nowMs: number): void {
    hold.state = "released";
    this.#comeBack(hold, nowMs);
  }

  reinstate(hold: ModelHold, nowMs: number): void {
    hold.state = "reinstated";
    this.#comeBack(hold, nowMs);
  }

  /** Points left in lots must be exactly what is available, or nothing while there is a debt. */
  remaining(): number {
    return this.lots.reduce((sum, lot) => sum + lot.remaining, 0);
  }

  /** A week after the first notice at the earliest, be it one that would only be sent now. */
  nextExpiry(nowMs: number): { readonly on: string; readonly points: number } | null {
    return nextDay(
      this.lots.filter((lot) => lot.remaining > 0).map((lot) => ({
        atMs: Math.max(lot.expiresAtMs, (lot.firstNoticeMs ?? nowMs) + NOTICE_DAYS_MIN * DAY_MS),
        points: lot.remaining,
      })),
    );
  }

  nextConfirmation(): { readonly on: string; readonly points: number } | null {
    return nextDay(
      this.lots.filter((lot) => !lot.confirmed && lot.granted > lot.reversed).map((lot) => ({
        atMs: lot.confirmAtMs,
        points: lot.granted - lot.reversed,
      })),
    );
  }

  #add(key: string, points: number, confirmAtMs: number, confirmed: boolean): void {
    this.lots.push({
      key,
      order: this.#order++,
      confirmAtMs,
      expiresAtMs: parisToMs(addMonths(parisDate(confirmAtMs), this.#expireMonths)),
      confirmed,
      granted: points,
      reversed: 0,
      expired: 0,
      remaining: confirmed ? points : 0,
      firstNoticeMs: null,
      toldWeek: false,
    });
  }

  #confirm(lot: ModelLot): void {
    lot.confirmed = true;
    lot.remaining = lot.granted - lot.reversed;
    this.#payDebt();
  }

  #spend(points: number): { lot: ModelLot; points: number }[] {
    const parts: { lot: ModelLot; points: number }[] = [];
    let left = points;
    for (
      const lot of [...this.lots].sort((a, b) => a.expiresAtMs - b.expiresAtMs || a.order - b.order)
    ) {
      const part = Math.min(left, lot.remaining);
      if (part === 0) continue;
      lot.remaining -= part;
      left -= part;
      parts.push({ lot, points: part });
    }
    return parts;
  }

  /**
   * Several movements of one call: who pays a debt, and which holds give way to it, is asked once,
   * at its end.
   */
  together(nowMs: number, movements: () => void): void {
    this.#together = true;
    movements();
    this.#together = false;
    this.releaseWhileNegative(nowMs);
    this.#payDebt();
  }

  #payDebt(): void {
    if (this.#together) return;
    const over = this.remaining() - Math.max(0, this.balances().available);
    if (over > 0) this.#spend(over);
  }

  #comeBack(hold: ModelHold, nowMs: number): void {
    for (const { lot, points } of hold.parts) {
      lot.remaining += points;
      this.#extend(lot, nowMs);
    }
    this.#payDebt();
  }
}

/** All points of the first day on which something happens. */
function nextDay(
  dues: readonly { readonly atMs: number; readonly points: number }[],
): { readonly on: string; readonly points: number } | null {
  if (dues.length === 0) return null;
  const on = parisDate(Math.min(...dues.map((due) => due.atMs)));
  return {
    on,
    points: dues.filter((due) => parisDate(due.atMs) === on).reduce(
      (sum, due) => sum + due.points,
      0,
    ),
  };
}
