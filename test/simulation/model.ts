// The oracle: what a user's ledger must show after everything it recorded, worked out again from
// the whole history of rows. Only what the design lets depend on the order of arrival (caps, first
// purchase, activation, budgets) is remembered.
import type {
  AccountGeneration,
  BankRow,
  OfferTerms,
  Programme,
  PurchaseView,
  RecordBatch,
} from "../../src/ledger/ports.ts";
import { addDays, DAY_MS, parisDate, parisToMs } from "../../src/kernel/time.ts";
import { dependsOnPast } from "./catalogue.ts";
import { believed, factsOf, isGain, lastDayOf, versionOf } from "./model-grants.ts";
import type { Grant, Prediction } from "./model-grants.ts";
import type { Activation, Expected, Past } from "./model-earning.ts";
import { expectedGrant } from "./model-earning.ts";
import { ModelBook } from "./model-lots.ts";
import { ModelNotices } from "./model-notices.ts";
import type { KnownRow, Resolution } from "./model-rows.ts";
import { keyOf, overwrites, resolveRows } from "./model-rows.ts";
import { predictionOf } from "./model-predictions.ts";

const PENDING_CLOSES_DAYS = 14;
const REFUND_WAITS_MS = 90 * DAY_MS;
const DOUBT_WAITS_MS = 30 * DAY_MS;

export class Model {
  readonly rows = new Map<string, KnownRow>();
  readonly accounts = new Map<string, AccountGeneration>();
  readonly grants = new Map<string, Grant>();
  readonly activations: Activation[] = [];
  readonly book: ModelBook;
  readonly notices: ModelNotices;
  /**
   * Brands whose caps saw a decision taken back: from then on the order of arrival decides, and
   * only bounds are checked.
   */
  readonly loose = new Set<string>();
  readonly #catalogue: readonly OfferTerms[];
  readonly #programme: Programme;
  #serial = 0;
  resolution: Resolution = { status: new Map(), refundOf: new Map(), refundedCents: new Map() };

  /** What the ledger shows at that time, believed only where the design leaves the order open. */
  readonly #views: (nowMs: number) => ReadonlyMap<string, PurchaseView>;

  constructor(
    catalogue: readonly OfferTerms[],
    programme: Programme,
    views: (nowMs: number) => ReadonlyMap<string, PurchaseView>,
  ) {
    this.#views = views;
    this.#catalogue = catalogue;
    this.#programme = programme;
    this.book = new ModelBook(programme.pointsExpireMonths);
    this.notices = new ModelNotices(this.book);
  }

  dependent(brandId: string | null): boolean {
    return this.#catalogue.some((terms) => terms.brandId === brandId && dependsOnPast(terms));
  }

  /**
   * Takes in a recorded batch. `seen` is the ledger's answer, believed only where the design leaves
   * the order open.
   */
  record(batch: RecordBatch, nowMs: number, seen: ReadonlyMap<string, PurchaseView>): void {
    this.advance(nowMs);
    for (const account of batch.accounts) {
      this.accounts.set(account.accountId, account);
      for (const known of this.rows.values()) {
        if (known.row.accountId === account.accountId) known.generation = account;
      }
    }
    const touched = new Set<string>();
    for (const row of batch.rows) this.#take(row, touched, nowMs);
    this.book.together(nowMs, () => this.#recompute(nowMs, touched, seen));
  }

  /** A person decided about a row that waited for it, and on which day it counts. */
  decided(
    key: string,
    { decision, purchasedOn = null }: {
      readonly decision: "count" | "refuse";
      readonly purchasedOn?: string | null;
    },
    nowMs: number,
    seen: ReadonlyMap<string, PurchaseView>,
  ): void {
    this.advance(nowMs);
    const known = this.rows.get(key);
    if (known !== undefined) {
      known.decision = decision;
      if (purchasedOn !== null) {
        known.givenOn = purchasedOn;
        known.row = { ...known.row, purchasedOn, review: null };
      }
    }
    const only = purchasedOn === null ? key : null;
    this.book.together(nowMs, () => this.#recompute(nowMs, new Set([key]), seen, only));
  }

  /** The day has come for which purchases were booked, and the ledger judges them. */
  dayCame(nowMs: number, seen: ReadonlyMap<string, PurchaseView>): void {
    this.advance(nowMs);
    this.book.together(nowMs, () => this.#recompute(nowMs, new Set(), seen));
  }

  /** A purchase's day has come and nobody has judged it yet. */
  waitsForAlarm(nowMs: number): boolean {
    return [...this.rows.values()].some(({ awaitsDay, row }) =>
      awaitsDay && row.purchasedOn <= parisDate(nowMs)
    );
  }

  /** Brings the book to that time, and closes what waited too long. */
  advance(nowMs: number): void {
    this.#lapse(nowMs);
    this.book.advance(nowMs);
    for (const known of this.rows.values()) {
      const { row } = known;
      // Only what nothing took over: a row that is part of a booked purchase stays so.
      if (
        row.state === "pending" && this.resolution.status.get(known.key)?.is === "pending" &&
        parisToMs(addDays(lastDayOf(row), PENDING_CLOSES_DAYS + 1)) <= nowMs
      ) known.closed = true;
      if (
        row.kind === "refund" && row.state === "booked" &&
        this.resolution.refundOf.get(known.key)?.length === 0 &&
        this.#waitsSince(known) + REFUND_WAITS_MS <= nowMs
      ) known.closed = true;
    }
  }

  /** What nobody decided about in 30 days counts from then on. */
  #lapse(nowMs: number): void {
    const due = (known: KnownRow): number => (known.heldSinceMs ?? Infinity) + DOUBT_WAITS_MS;
    const lapsing = [...this.rows.values()].filter((known) => due(known) <= nowMs);
    for (const known of lapsing.sort((a, b) => due(a) - due(b) || a.recorded - b.recorded)) {
      this.book.advance(due(known));
      known.lapsed = true;
      known.heldSinceMs = null;
      this.book.together(
        nowMs,
        () => this.#recompute(nowMs, new Set([known.key]), this.#views(nowMs), known.key),
      );
    }
  }

  /** A refund waits from its first row on. */
  #waitsSince(refund: KnownRow): number {
    const same = [...this.rows.values()].filter((known) => {
      const status = this.resolution.status.get(known.key);
      return status?.is === "duplicate" && status.of === refund.key;
    });
    return Math.min(refund.recordedAtMs, ...same.map((known) => known.recordedAtMs));
  }

  /** The budget answered for a purchase that waited. */
  budgetAnswered(
    key: string,
    granted: boolean,
    points: number,
    nowMs: number,
    seen: ReadonlyMap<string, PurchaseView>,
  ): void {
    this.advance(nowMs);
    const grant = this.grants.get(key);
    const known = this.rows.get(key);
    if (
      grant === undefined || known === undefined || grant.state !== "waiting" ||
      (granted && points !== grant.points)
    ) return;
    this.book.together(nowMs, () => {
      if (granted) {
        grant.state = "earned";
        this.#post(grant, nowMs);
      } else {
        // The room that it had asked for is free for others.
        this.loose.add(known.row.brand?.id ?? "");
        this.#decide(
          known,
          nowMs,
          seen.get(key),
          new Set([...grant.denied, grant.terms === null ? "" : versionOf(grant.terms)]),
        );
      }
      this.#applyRefunds(nowMs, seen);
    });
  }

  /** A budget answered for points that a refund taken back should make active again. */
  budgetHeard(nowMs: number, seen: ReadonlyMap<string, PurchaseView>): void {
    this.advance(nowMs);
    this.book.together(nowMs, () => this.#applyRefunds(nowMs, seen));
  }

  /**
   * True when time itself closed a row at that brand: then the moment of arrival counts, by design.
   */
  anyClosed(brandId: string | null): boolean {
    return [...this.rows.values()].some((known) =>
      known.closed && (known.row.brand?.id ?? null) === brandId
    );
  }

  predict(key: string): Prediction {
    return predictionOf(this, key);
  }

  #take(told: BankRow, touched: Set<string>, nowMs: number): void {
    const key = keyOf(told);
    const known = this.rows.get(key);
    const givenOn = known?.givenOn ?? null;
    const row = givenOn !== null && told.review === "date_absurd" &&
        told.amountCents === known?.row.amountCents
      ? { ...told, purchasedOn: givenOn, review: null }
      : told;
    const generation = this.accounts.get(row.accountId);
    if (row.state === "booked") known?.bookedCents.add(row.amountCents);
    if (generation === undefined) throw new Error("a row comes with its account");
    if (known === undefined) {
      this.rows.set(key, {
        key,
        row,
        generation,
        decision: null,
        recorded: this.rows.size,
        everPending: row.state === "pending",
        bookedCents: new Set(row.state === "booked" ? [row.amountCents] : []),
        recordedAtMs: nowMs,
        closed: false,
        awaitsDay: false,
        givenOn: null,
        heldSinceMs: null,
        lapsed: false,
      });
      touched.add(key);
    } else if (overwrites(row, known.row)) {
      known.row = row;
      known.generation = generation;
      if (row.purchasedOn !== givenOn) known.givenOn = null;
      if (row.review !== null) known.decision = null;
      known.everPending ||= row.state === "pending";
      known.closed &&= row.kind === "refund";
      touched.add(key);
    } else if (row.state === "pending") known.everPending = true;
  }

  /** What the user's other purchases used up. */
  past(except: string): Past {
    const others = (): Grant[] =>
      [...this.grants.entries()].filter(([key, grant]) =>
        key !== except && grant.state !== "not_earned"
      ).map(([, grant]) => grant);
    const own = this.grants.get(except);
    const ownRank =
      own !== undefined && own.brandId === (this.rows.get(except)?.row.brand?.id ?? null)
        ? own.rank
        : Infinity;
    const activeOf = (
      grant: Grant,
    ): number => (grant.state === "waiting" ? grant.points : grant.active);
    return {
      points: (offerId, inPeriod) =>
        others().filter((grant) => grant.terms?.offerId === offerId && inPeriod(grant.on)).reduce(
          (sum, grant) => sum + activeOf(grant),
          0,
        ),
      purchases: (offerId, inPeriod) =>
        others().filter((grant) =>
          grant.terms?.offerId === offerId && inPeriod(grant.on) && !grant.reversed
        ).length,
      earlierAtBrand: (brandId) =>
        [...this.grants].some(([key, { rank }]) =>
          key !== except && rank < ownRank && this.rows.get(key)?.row.brand?.id === brandId &&
          !this.#givenBack(key)
        ),
      activations: this.activations,
    };
  }

  /** All of it was refunded. */
  #givenBack(key: string): boolean {
    const cents = this.rows.get(key)?.row.amountCents ?? 0;
    return cents > 0 && this.resolution.refundedCents.get(key) === cents;
  }

  #recompute(
    nowMs: number,
    touched: ReadonlySet<string>,
    seen: ReadonlyMap<string, PurchaseView>,
    only: string | null = null,
  ): void {
    const shown = new Set(
      [...seen].filter(([, view]) => !view.verdict.reasons.includes("duplicate")).map(([key]) =>
        key
      ),
    );
    this.resolution = resolveRows([...this.rows.values()], [...this.accounts.values()], shown);
    for (const known of this.rows.values()) {
      const status = this.resolution.status.get(known.key);
      known.heldSinceMs = status?.is === "review" && status.lapses
        ? known.heldSinceMs ?? nowMs
        : null;
    }
    const isLive = (key: string): boolean =>
      this.resolution.status.get(key)?.is === "live" && this.rows.get(key)?.row.kind === "purchase";
    for (const [key, grant] of Array.from(this.grants)) {
      const known = this.rows.get(key);
      const status = this.resolution.status.get(key);
      const keeper = status?.is === "duplicate" ? this.rows.get(status.of) : undefined;
      // Another row came to carry the same purchase: what was decided for it stays, if it says the
      // same.
      if (keeper !== undefined && isLive(keeper.key) && !this.grants.has(keeper.key)) {
        this.grants.delete(key);
        this.grants.set(keeper.key, grant);
        continue;
      }
      if (known !== undefined && isLive(key)) continue;
      this.loose.add(known?.row.brand?.id ?? "");
      this.grants.delete(key);
      this.#takeBack(grant, nowMs);
    }
    this.#loosen(touched);
    for (const known of this.rows.values()) {
      const grant = this.grants.get(known.key);
      if (grant !== undefined && grant.facts !== factsOf(known.row)) {
        this.loose.add(known.row.brand?.id ?? "");
      }
    }
    // One after the other, in recording order: which lots a debt falls on depends on it.
    for (const known of this.rows.values()) {
      const grant = this.grants.get(known.key);
      if (!isLive(known.key)) known.awaitsDay = false;
      if (!isLive(known.key) || grant?.facts === factsOf(known.row)) continue;
      // A decision of a person concerns that row alone.
      if (known.awaitsDay && only !== null && only !== known.key) continue;
      known.awaitsDay = known.row.purchasedOn > parisDate(nowMs);
      if (!known.awaitsDay) this.#decide(known, nowMs, seen.get(known.key));
      else if (grant !== undefined) {
        this.grants.delete(known.key);
        this.#takeBack(grant, nowMs);
      }
    }
    this.#applyRefunds(nowMs, seen);
    this.#judgeAgain(nowMs, seen);
  }

  /**
   * What was refused may earn once its cause is gone. Which of several gains is the ledger's
   * choice; that it gains, and that none could gain more, is not (model-refusals.ts).
   */
  #judgeAgain(nowMs: number, seen: ReadonlyMap<string, PurchaseView>): void {
    let gained = false;
    for (const [key, grant] of this.grants) {
      const known = this.rows.get(key);
      const view = seen.get(key);
      const brandId = known?.row.brand?.id ?? null;
      if (known === undefined || view === undefined || !this.loose.has(brandId ?? "")) continue;
      if (!this.dependent(brandId) || !isGain(grant, view)) continue;
      const again = view.verdict.offer;
      const denied = new Set(
        [...grant.denied].filter((each) => each !== `${again?.id} ${again?.version}`),
      );
      this.#decide(known, nowMs, view, denied);
      gained = true;
    }
    if (gained) this.#applyRefunds(nowMs, seen);
  }

  #takeBack(grant: Grant, nowMs: number): void {
    const lot = this.book.lotOf(grant.lotKey);
    if (lot !== undefined) {
      this.book.setReversed(lot, Math.max(lot.reversed, lot.granted - lot.expired), nowMs);
    }
  }

  /**
   * One batch that both takes back and decides at a brand: in which order it does so is the
   * ledger's own affair.
   */
  #loosen(touched: ReadonlySet<string>): void {
    const rows = [...touched].map((key) => this.rows.get(key)).filter((known) =>
      known !== undefined
    );
    for (const known of rows) {
      const plain = known.row.state === "booked" && known.row.kind === "purchase" &&
        this.resolution.status.get(known.key)?.is === "live";
      if (!plain && known.row.brand !== null) this.loose.add(known.row.brand.id);
    }
    const rewarded = rows.filter((known) =>
      known.row.state === "booked" && known.row.brand !== null
    );
    for (const known of rewarded) {
      if (rewarded.filter((other) => other.row.brand?.id === known.row.brand?.id).length > 1) {
        this.loose.add(known.row.brand?.id ?? "");
      }
    }
  }

  #decide(
    known: KnownRow,
    nowMs: number,
    seen: PurchaseView | undefined,
    denied: ReadonlySet<string> = new Set(),
  ): void {
    const { row, key } = known;
    const before = this.grants.get(key);
    let expected: Expected = expectedGrant(
      row,
      this.#catalogue.filter((terms) => !denied.has(versionOf(terms))),
      this.past(key),
      this.#programme.pointsPerEuro,
    );
    if (
      this.dependent(row.brand?.id ?? null) && this.loose.has(row.brand?.id ?? "") &&
      seen !== undefined
    ) expected = believed(row, seen, this.#catalogue, this.#programme);
    const waiting = expected.terms !== null && expected.terms.budgetPoints !== null;
    const lot = before === undefined ? undefined : this.book.lotOf(before.lotKey);
    // The same offer on the same days: the points keep their lot, and what a budget does not hold
    // yet waits.
    const kept = before !== undefined && lot !== undefined && before.state === "earned" &&
      expected.points > 0 && before.on === row.purchasedOn &&
      before.terms?.offerId === expected.terms?.offerId &&
      before.terms?.confirmationDays === expected.terms?.confirmationDays &&
      (!waiting || before.active > 0);
    const active = kept
      ? (waiting ? Math.min(expected.points, before.active) : expected.points)
      : 0;
    if (before !== undefined && !kept) this.#takeBack(before, nowMs);
    const grant: Grant = {
      facts: factsOf(row),
      points: expected.points,
      terms: expected.terms,
      on: row.purchasedOn,
      active,
      reversed: false,
      lotKey: kept ? before.lotKey : `${key}#${this.#serial++}`,
      denied,
      reason: denied.size > 0 ? "budget_exhausted" : expected.reason,
      brandId: row.brand?.id ?? null,
      rank: before !== undefined && before.brandId === (row.brand?.id ?? null)
        ? before.rank
        : this.#serial,
      state: expected.points === 0 ? "not_earned" : waiting && !kept ? "waiting" : "earned",
    };
    this.grants.set(key, grant);
    if (kept) {
      this.book.regrant(lot, expected.points, nowMs);
      this.book.setReversed(
        lot,
        Math.min(expected.points - active, lot.granted - lot.expired),
        nowMs,
      );
    } else if (grant.state === "earned") this.#post(grant, nowMs);
  }

  #post(grant: Grant, nowMs: number): void {
    if (grant.terms === null) return;
    this.book.grantPending(
      grant.lotKey,
      grant.points,
      grant.on,
      grant.terms.confirmationDays,
      nowMs,
    );
    grant.active = grant.points;
  }

  /** keep = floor(points x cents left / cents); reverse the active points above it. */
  #applyRefunds(nowMs: number, seen: ReadonlyMap<string, PurchaseView> = new Map()): void {
    for (const [key, grant] of this.grants) {
      const lot = this.book.lotOf(grant.lotKey);
      const known = this.rows.get(key);
      if (lot === undefined || known === undefined || grant.state !== "earned") continue;
      const cents = BigInt(known.row.amountCents);
      const left = cents - BigInt(this.resolution.refundedCents.get(key) ?? 0);
      const due = cents === 0n ? grant.points : Number((BigInt(grant.points) * left) / cents);
      // What a refund taken back returns is bounded by the room that other purchases left: at least
      // what was active, at most the formula.
      const shown = seen.get(key)?.verdict.points;
      const bounded = due > grant.active && shown !== undefined &&
        this.dependent(known.row.brand?.id ?? null);
      const keep = bounded ? Math.min(due, Math.max(grant.active, shown)) : due;
      // What is given back is free for others.
      if (keep < grant.active || left === 0n) this.loose.add(known.row.brand?.id ?? "");
      grant.active = keep;
      grant.reversed = (left === 0n && cents > 0n) || due === 0;
      this.book.setReversed(lot, Math.min(grant.points - keep, lot.granted - lot.expired), nowMs);
    }
  }
}
