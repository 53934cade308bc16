// The banks of one simulated user: real accounts, the generations under which the aggregator shows
// them, and the lives of their rows (pending, booked, amended, deleted, shown again). It knows what
// truly happened, which the ledger has to find out.
import type { AccountId, BrandId } from "../../src/kernel/ids.ts";
import { addDays, DAY_MS, parisDate } from "../../src/kernel/time.ts";
import type { AccountGeneration, BankRow } from "../../src/ledger/ports.ts";
import { makeBankState } from "./bank-state.ts";
import type { RealAccount, Truth } from "./bank-state.ts";
import type { Rng } from "./random.ts";

export type { Truth } from "./bank-state.ts";

export type Bank = {
  readonly accounts: readonly RealAccount[];
  readonly truths: readonly Truth[];
  readonly act: (nowMs: number) => string;
  /** It becomes known whose account each generation is. */
  readonly identifyAll: () => void;
  /** Rows of that generation changed since `sinceMs`, as the aggregator would answer. */
  readonly changedSince: (account: AccountId, sinceMs: number) => readonly BankRow[];
  /** When that version was really made. */
  readonly changedAtMs: (row: BankRow) => number;
};

export function makeBank(
  userNo: number,
  rng: Rng,
  brands: readonly BrandId[],
  startMs: number,
): Bank {
  const state = makeBankState(userNo, rng, brands, startMs);
  const {
    accounts,
    truths,
    rows,
    stamp,
    put,
    newGeneration,
    replaceGeneration,
    isStranger,
    identify,
    fedRows,
    showOnParent,
    shifted,
    freshCents,
    rowOf,
    happen,
    show,
    amend,
    speaks,
    someBrand,
    booked,
    newExternalId,
  } = state;

  /**
   * The amount of a refund: all, a part, a little more (postage), several purchases at once, or
   * what was paid abroad at another rate.
   */
  const refundOf = (
    purchase: Truth,
    others: readonly Truth[],
  ): { readonly cents: number; readonly facts: Partial<BankRow> } => {
    const { cents } = purchase;
    const original = [...purchase.rows.values()][0]?.original ?? null;
    if (original !== null && rng.chance(0.7)) {
      return { cents: Math.max(1, cents + rng.int(-30, 30)), facts: { original } };
    }
    switch (rng.weighted({ whole: 4, part: 4, more: 2, several: 3 })) {
      case "whole":
        return { cents, facts: {} };
      case "part":
        return { cents: rng.int(1, cents), facts: {} };
      case "more":
        return { cents: cents + rng.pick([1, 590, 1000, 1001, Math.ceil(cents / 6)]), facts: {} };
      case "several": {
        const together = others.filter((truth) => truth.brandId === purchase.brandId).slice(-3);
        const all = together.reduce((sum, truth) => sum + truth.cents, 0);
        return { cents: Math.max(1, all - rng.pick([0, 0, 1, 700])), facts: {} };
      }
    }
  };

  const acts = {
    purchase(nowMs: number): string {
      const real = rng.pick(accounts);
      const late = rng.chance(0.15);
      const truth = happen(
        real,
        "purchase",
        freshCents(),
        addDays(parisDate(nowMs), -(late ? rng.int(5, 75) : rng.int(0, 2))),
        someBrand(),
      );
      const foreign = rng.weighted({ none: 12, shown: 1, counted: 1 });
      show(truth, {
        ...(foreign === "shown"
          ? { original: { amountCents: truth.cents + 7, currency: "USD" } }
          : {}),
        ...(foreign === "counted" ? { currency: "USD" } : {}),
        // A deferred-card row is booked when the month is settled, long after the purchase.
        ...(rng.chance(0.1) ? { bookedOn: addDays(truth.on, 25) } : {}),
      }, nowMs);
      if (rng.chance(0.3)) showOnParent(truth, nowMs);
      return `pays ${truth.cents} at ${
        truth.brandId ?? "no brand"
      } on ${truth.on} (truth ${truth.no})`;
    },
    pending(nowMs: number): string {
      const real = rng.pick(accounts);
      const [generation] = real.live;
      if (generation === undefined || real.live.length > 1) return "nothing";
      const truth = happen(
        real,
        "purchase",
        freshCents(),
        addDays(parisDate(nowMs), -rng.int(0, 1)),
        someBrand(),
      );
      const announcedOn = rng.chance(0.3) ? addDays(truth.on, rng.int(1, 40)) : null;
      show(truth, { state: "pending", bookedOn: null, announcedOn }, nowMs);
      const life = rng.weighted({
        same_id: 3,
        new_id: 3,
        same_id_amended: 2,
        new_id_amended: 2,
        never: 2,
      });
      if (life !== "never") {
        state.plans.push({
          truth,
          account: generation.accountId,
          dueMs: nowMs + rng.int(0, 8) * DAY_MS,
          life,
        });
      }
      return `authorises ${truth.cents} at ${
        truth.brandId ?? "no brand"
      } on ${truth.on}, then ${life} (truth ${truth.no})`;
    },
    ahead(nowMs: number): string {
      const on = addDays(parisDate(nowMs), rng.int(1, 25));
      const truth = happen(rng.pick(accounts), "purchase", freshCents(), on, someBrand());
      show(truth, { bookedOn: on }, nowMs);
      return `is debited ${truth.cents} at ${
        truth.brandId ?? "no brand"
      } ahead, on ${on} (truth ${truth.no})`;
    },
    twin(nowMs: number): string {
      const before = truths.findLast((truth) =>
        truth.kind === "purchase" && !truth.deleted && !truth.corrected &&
        [...truth.rows.values()].every((row) =>
          row.state === "booked" && row.review === null && row.currency === "EUR"
        )
      );
      const real = before === undefined ? undefined : accounts[before.accountNo];
      if (before === undefined || real === undefined || real.live.length > 1) return "nothing";
      const model = [...before.rows.values()][0];
      // The same coffee again: on the same day, or a few days on where no later generation can blur
      // the two.
      const shift = real.generations.length === 1 ? rng.pick([0, 0, 1, 3]) : 0;
      const on = addDays(before.on, shift);
      if (
        model === undefined || on > addDays(parisDate(nowMs), 1) ||
        before.rows.get(real.live[0]?.accountId ?? "acc_") === undefined
      ) return "nothing";
      const truth = happen(real, "purchase", before.cents, on, before.brandId);
      show(truth, { channel: model.channel, purchasedOn: on }, nowMs);
      return `pays ${truth.cents} again on ${on} (truth ${truth.no}, like ${before.no})`;
    },
    delete(nowMs: number): string {
      const candidates = truths.filter((truth) => !truth.deleted && speaks(truth));
      if (candidates.length === 0) return "nothing";
      const refunds = candidates.filter((truth) => truth.kind === "refund");
      const truth = rng.pick(refunds.length > 0 && rng.chance(0.4) ? refunds : candidates);
      state.plans = state.plans.filter((plan) => plan.truth !== truth);
      truth.deleted = true;
      for (const row of fedRows(truth)) {
        const time = rng.chance(0.2) ? state.inRepeatedHour(nowMs) : {};
        truth.rows.set(row.accountId, amend(row, { state: "deleted", ...time }, nowMs));
      }
      return `takes truth ${truth.no} back`;
    },
    /** The same rows come again under new ids, and the old ones are deleted. */
    renew(nowMs: number): string {
      const before = booked().findLast((truth) =>
        !truth.corrected && accounts[truth.accountNo]?.generations.length === 1 &&
        [...truth.rows.values()].every(({ state, review }) => state === "booked" && review === null)
      );
      const [row] = before?.rows.values() ?? [];
      const real = before === undefined ? undefined : accounts[before.accountNo];
      if (before === undefined || row === undefined || real === undefined) return "nothing";
      const truth = happen(real, "purchase", before.cents, before.on, before.brandId);
      const { channel, currency, original, bookedOn } = row;
      show(truth, { channel, currency, original, bookedOn }, nowMs);
      before.deleted = true;
      before.rows.set(row.accountId, amend(row, { state: "deleted" }, nowMs));
      return `shows truth ${before.no} under another id (truth ${truth.no})`;
    },
    correct(nowMs: number): string {
      const candidates = booked().filter((truth) =>
        speaks(truth) && fedRows(truth).some((row) => row.state === "booked") &&
        truths.every((other) => other === truth || other.cents !== truth.cents)
      );
      if (candidates.length === 0) return "nothing";
      const truth = rng.pick(candidates);
      const before = truth.cents;
      truth.cents = freshCents();
      truth.corrected = true;
      for (const row of fedRows(truth)) {
        if (row.state === "booked") {
          truth.rows.set(row.accountId, amend(row, { amountCents: truth.cents }, nowMs));
        }
      }
      return `corrects ${before} to ${truth.cents} (truth ${truth.no})`;
    },
    rewrite(nowMs: number): string {
      const candidates = booked().filter((truth) =>
        speaks(truth) && (accounts[truth.accountNo]?.generations.length ?? 0) === 1 &&
        truths.every((other) => other === truth || other.cents !== truth.cents)
      );
      if (candidates.length === 0) return "nothing";
      const truth = rng.pick(candidates);
      truth.corrected = true;
      const what = rng.pick(["day", "brand", "channel"] as const);
      if (what === "day") truth.on = addDays(truth.on, rng.pick([-3, -1, -1, 1]));
      if (what === "brand") truth.brandId = someBrand();
      const channel = what === "channel"
        ? { channel: rng.pick(["online", "in_store", "unknown"] as const) }
        : {};
      const brand = truth.brandId === null ? null : { id: truth.brandId, matched: "MATCHED" };
      for (const row of truth.rows.values()) {
        if (row.state === "booked") {
          truth.rows.set(
            row.accountId,
            amend(row, { purchasedOn: truth.on, brand, ...channel }, nowMs),
          );
        }
      }
      return `rewrites the ${what} of truth ${truth.no}: ${
        truth.brandId ?? "no brand"
      } on ${truth.on}`;
    },
    identify(nowMs: number): string {
      const strangers = accounts.flatMap((real) =>
        real.generations.filter((each) => isStranger(real, each)).map((
          generation,
        ) => ({ real, generation }))
      );
      if (strangers.length === 0) return "nothing";
      const { real, generation } = rng.pick(strangers);
      identify(real, generation);
      return `says whose account ${generation.accountId} is, at ${nowMs}`;
    },
    refund(nowMs: number): string {
      const of = booked().filter((truth) =>
        truth.brandId !== null && truth.on >= addDays(parisDate(nowMs), -80)
      );
      if (of.length === 0 || rng.chance(0.1)) {
        const truth = happen(
          rng.pick(accounts),
          "refund",
          freshCents(),
          addDays(parisDate(nowMs), -rng.int(0, 3)),
          someBrand(),
        );
        show(truth, {}, nowMs);
        return `gives ${truth.cents} back that nobody paid (truth ${truth.no})`;
      }
      const purchase = rng.pick(of.slice(-6));
      const real = accounts[state.related && rng.chance(0.3) ? 0 : purchase.accountNo] ??
        rng.pick(accounts);
      const { cents, facts } = refundOf(purchase, of);
      const on = [purchase.on, parisDate(nowMs)][rng.int(0, 1)] ?? purchase.on;
      // A second equal refund under a newer generation that does not show the first: nobody can
      // distinguish it from the first shown again.
      if (
        real.generations.length > 1 &&
        truths.some((other) =>
          other.kind === "refund" && other.accountNo === real.no && other.cents === cents
        )
      ) return "nothing";
      // Equal ones of one day on a card and its parent are two views of one.
      if (
        truths.some((other) =>
          other.kind === "refund" && other.accountNo !== real.no && other.cents === cents &&
          other.on === on && other.brandId === purchase.brandId
        )
      ) return "nothing";
      const truth = happen(real, "refund", cents, on, purchase.brandId);
      show(truth, facts, nowMs);
      return `gives ${cents} back on ${on} (truth ${truth.no}, of ${purchase.no})`;
    },
    move(nowMs: number): string {
      const from = rng.pick(accounts);
      const to = rng.pick(accounts);
      const [listing] = to.live;
      const single = from !== to &&
        [from, to].every((real) => real.generations.length === 1 && real.live.length === 1);
      const candidates = booked().filter((truth) =>
        truth.accountNo === from.no && truth.rows.size === 1 &&
        truths.every((other) => other === truth || other.cents !== truth.cents)
      );
      if (!single || listing === undefined || candidates.length === 0) return "nothing";
      const truth = rng.pick(candidates);
      const [row] = truth.rows.values();
      if (row === undefined) return "nothing";
      truth.rows.clear();
      truth.accountNo = to.no;
      truth.rows.set(
        listing.accountId,
        put(listing.accountId, {
          ...row,
          accountId: listing.accountId,
          lastUpdateMs: stamp(nowMs),
        }),
      );
      return `moves truth ${truth.no} from account ${from.no} to ${to.no}`;
    },
    absurd(nowMs: number): string {
      const truth = happen(
        rng.pick(accounts),
        "purchase",
        freshCents(),
        parisDate(nowMs),
        someBrand(),
      );
      const kind = rng.pick(
        ["amount_out_of_bounds", "date_absurd", "amount_precision", "currency_unknown"] as const,
      );
      show(truth, {
        review: kind,
        ...(kind === "amount_out_of_bounds" ? { amountCents: 1_000_000_000 } : {}),
        ...(kind === "date_absurd" ? { purchasedOn: rng.pick(["1970-01-01", "2999-12-31"]) } : {}),
        ...(kind === "currency_unknown" ? { currency: "ZZZ" } : {}),
      }, nowMs);
      return `shows an absurd row, ${kind} (truth ${truth.no})`;
    },
    recreate(nowMs: number): string {
      const real = rng.pick(accounts);
      // With a weak fingerprint nobody can distinguish an authorisation that is booked elsewhere
      // from a new purchase.
      if (
        real.generations.length >= 3 ||
        (real.kind !== "iban" && state.plans.some((plan) => plan.truth.accountNo === real.no))
      ) return "nothing";
      const from = addDays(parisDate(nowMs), -rng.pick([30, 60, 90]));
      const [old] = real.live;
      const parallel = real.kind === "iban" && rng.chance(0.2);
      // In the place of the old one, or after unlinking and linking again.
      const renewed = !parallel && rng.chance(0.6);
      let generation = newGeneration(
        real,
        nowMs,
        renewed ? old?.connectionId : `con_u${userNo}a${real.no}g${real.generations.length}`,
      );
      if (renewed && old !== undefined) {
        replaceGeneration(real, old, { ...old, goneAtMs: generation.createdAtMs });
      }
      // Some come without what says whose account it is, and are taken for one of their own until
      // it is known.
      if (real.kind === "iban" && rng.chance(0.4)) {
        const stranger: AccountGeneration = {
          ...generation,
          ownIban: null,
          unitIban: null,
          bankKey: `bank_of_${generation.accountId}`,
        };
        replaceGeneration(real, generation, stranger);
        generation = stranger;
      }
      const shiftDays = rng.pick([0, 0, 0, 1, 3]);
      for (const truth of truths) {
        const row = old === undefined ? undefined : truth.rows.get(old.accountId);
        if (
          truth.accountNo !== real.no || row === undefined || row.state === "deleted" ||
          truth.on < from
        ) continue;
        const twins = truths.filter((other) =>
          other.accountNo === real.no && other.cents === truth.cents
        ).length > 1;
        const settled = row.state === "booked" || state.plans.some((plan) => plan.truth === truth);
        if (!settled) continue;
        const again = rowOf(generation.accountId, truth, {
          ...row,
          accountId: generation.accountId,
          externalId: newExternalId(),
          state: "booked",
          bookedOn: row.bookedOn ?? addDays(truth.on, 1),
          purchasedOn: row.review !== null || twins
            ? row.purchasedOn
            : shifted(truth.on, shiftDays, nowMs),
          lastUpdateMs: stamp(nowMs),
        }, nowMs);
        truth.rows.set(generation.accountId, put(generation.accountId, again));
      }
      state.plans = state.plans.filter((plan) => plan.truth.accountNo !== real.no);
      real.live = parallel && old !== undefined ? [old, generation] : [generation];
      return `shows account ${real.no} again as ${generation.accountId}, ${real.kind}${
        parallel ? ", beside the old one" : ""
      }`;
    },
  };

  const progress = (nowMs: number): void => {
    const due = state.plans.filter((plan) => plan.dueMs <= nowMs);
    state.plans = state.plans.filter((plan) => plan.dueMs > nowMs);
    for (const { truth, account, life } of due) {
      const row = truth.rows.get(account);
      if (row === undefined) continue;
      if (life === "same_id_amended" || life === "new_id_amended") {
        truth.cents = freshCents();
      }
      const facts = {
        state: "booked" as const,
        bookedOn: parisDate(nowMs),
        amountCents: truth.cents,
      };
      if (life === "same_id" || life === "same_id_amended") {
        const time = rng.chance(0.3) ? state.inRepeatedHour(nowMs) : {};
        truth.rows.set(account, amend(row, { ...facts, ...time }, nowMs));
      } else {
        // The bank drops the authorisation, or forgets to.
        if (rng.chance(0.5)) amend(row, { state: "deleted" }, nowMs);
        // A hotel books the day on which the guest left.
        const on = addDays(truth.on, rng.pick([0, 0, 1, 1, 8]));
        if (on <= parisDate(nowMs) && on > addDays(truth.on, 1)) truth.on = on;
        truth.rows.set(
          account,
          put(
            account,
            rowOf(account, truth, {
              ...facts,
              channel: row.channel,
              purchasedOn: on > addDays(truth.on, 1) ? truth.on : on,
            }, nowMs),
          ),
        );
      }
    }
  };

  return {
    accounts,
    truths,
    identifyAll() {
      for (const real of accounts) {
        for (
          const generation of real.generations.slice()
        ) if (isStranger(real, generation)) identify(real, generation);
      }
    },
    act(nowMs) {
      progress(nowMs);
      const name = rng.weighted({
        purchase: 10,
        pending: 5,
        ahead: 0.7,
        twin: 2,
        delete: 1,
        renew: 2,
        correct: 0.5,
        rewrite: 0.7,
        identify: 0.7,
        refund: 4,
        move: 0.7,
        absurd: 1,
        recreate: 1,
      });
      return acts[name](nowMs);
    },
    changedSince: (account, sinceMs) =>
      [...(rows.get(account) ?? new Map<string, BankRow>()).values()].filter((row) =>
        state.changedAtMs(row) > sinceMs
      ),
    changedAtMs: state.changedAtMs,
  };
}
