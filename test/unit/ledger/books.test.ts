// The books themselves: the chain, verification, the outbox, export, erasure, and properties over
// random stories.
import * as fc from "fast-check";
import { describe, test } from "vitest";
import { addDays } from "../../../src/kernel/time.ts";
import { createEngine } from "../../../src/ledger/engine.ts";
import type {
  CounterDelta,
  ExportPage,
  KeyedOperation,
  OfferTerms,
  Page,
  PurchaseView,
} from "../../../src/ledger/ports.ts";
import {
  ALL,
  at,
  batch,
  offer,
  PROGRAMME,
  row,
  seededRandom,
} from "../../contract/ledger-factories.ts";
import { openBook, value } from "./book.ts";
import type { Book } from "./book.ts";

const NOW = at("2026-11-14");

describe("verify()", () => {
  const damages: readonly [string, string][] = [
    [
      "UPDATE transactions SET body = replace(body, '104', '105') WHERE sequence = 1",
      "chain_broken",
    ],
    [
      "UPDATE transactions SET body = replace(body, ',', ', ') WHERE sequence = 1",
      "body_not_canonical",
    ],
    [
      "UPDATE transactions SET hash = replace(hash, substr(hash, 1, 8), '00000000') WHERE sequence = 1",
      "chain_broken",
    ],
    ["UPDATE transactions SET hash = 'zz' || substr(hash, 3) WHERE sequence = 1", "chain_broken"],
    ["UPDATE transactions SET pending = pending + 1 WHERE sequence = 2", "balance_not_the_sum"],
    ["DELETE FROM transactions WHERE sequence = 1", "sequence_gap"],
    ["UPDATE lots SET reversed = 1 WHERE lot_no = 2", "pending_lots_differ"],
    ['UPDATE purchases SET verdict = \'{"reasons":[],"checks":[]}\'', "verdict_without_reason"],
  ];
  for (const [damage, fault] of damages) {
    test(`finds ${fault} after ${damage.slice(0, 40)}`, ({ expect }) => {
      const book = openBook();
      book.record([row("1"), row("2")]);
      expect(book.broken()).toEqual([]);
      book.sql.exec(damage);
      expect(book.broken()).toContain(fault);
    });
  }
});

test("a chain whose end was cut off while there was a debt is found by what the lots name", ({ expect }) => {
  const book = openBook();
  const early = { purchasedOn: "2026-09-01" };
  book.record([row("1", early), row("2", early)]);
  for (const [key, kind] of [["h", "hold"], ["c", "commit"], ["s", "settle"]] as const) {
    book.operate(
      key,
      kind === "hold"
        ? { kind, redemptionId: "red_1", points: 208, expiresAtMs: null }
        : { kind, redemptionId: "red_1" },
    );
  }
  book.record([row("r1", { kind: "refund", purchasedOn: "2026-09-02" })]);
  book.record([row("r2", { kind: "refund", purchasedOn: "2026-09-03" })]);
  expect(book.broken()).toEqual([]);
  book.sql.exec(
    "DELETE FROM transactions WHERE sequence = (SELECT MAX(sequence) FROM transactions)",
  );
  expect(book.broken()).toEqual(["entry_missing"]);
});

describe("the outbox", () => {
  test("sums up transactions by day, brand, offer and kind, and is empty once acknowledged", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), row("2"), row("old", { purchasedOn: "2026-10-01" })]);
    const projection = value(book.engine.peekOutbox(null, NOW));
    expect(projection).toMatchObject({
      from: 0,
      through: 4,
      balances: { pending: 208, available: 104, held: 0 },
      head: book.points().head,
      more: false,
    });
    expect(projection?.counters).toEqual([
      {
        day: "2026-11-14",
        brandId: "brd_monoprix",
        offerId: "off_1",
        kind: "earn",
        purchases: 3,
        cents: 10_470,
        points: 312,
        changes: { pending: 312, available: 0, held: 0 },
      },
      {
        day: "2026-11-14",
        brandId: "brd_monoprix",
        offerId: "off_1",
        kind: "confirm",
        purchases: 1,
        cents: 0,
        points: 104,
        changes: { pending: -104, available: 104, held: 0 },
      },
    ]);
    value(book.engine.ackOutbox(4, NOW));
    expect(value(book.engine.peekOutbox(null, NOW))).toBeNull();
    book.record([row("3")]);
    expect(value(book.engine.peekOutbox(null, NOW))).toMatchObject({ from: 4, through: 5 });
  });
});

describe("export", () => {
  test("pages through every row and every entry once", ({ expect }) => {
    const book = openBook();
    book.record(Array.from({ length: 450 }, (_, index) => row(String(index))));
    const [purchases, entries] = [new Set<string>(), new Set<number>()];
    let cursor: string | null = null;
    do {
      const page: ExportPage = value(book.engine.exportPage(cursor, NOW));
      for (const purchase of page.purchases) purchases.add(purchase.id);
      for (const entry of page.entries) entries.add(entry.sequence);
      cursor = page.next;
    } while (cursor !== null);
    expect([purchases.size, entries.size]).toEqual([450, 450]);
  });
});

describe("lists", () => {
  test("page through purchases newest first without gap or repeat, with every filter", ({ expect }) => {
    const book = openBook();
    book.record(
      Array.from(
        { length: 25 },
        (_, index) => row(String(index), { purchasedOn: addDays("2026-11-01", index % 7) }),
      ),
    );
    const seen: string[] = [];
    let before: string | null = null;
    do {
      const page: Page<PurchaseView> = value(
        book.engine.purchases({
          ...ALL,
          from: "2026-11-02",
          to: "2026-11-05",
          outcome: "earned",
          limit: 4,
          before,
        }, NOW),
      );
      seen.push(...page.items.map((item) => `${item.purchasedOn} ${item.id}`));
      before = page.nextBefore;
    } while (before !== null);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.map((text) => text.slice(0, 10))).toEqual(
      seen.map((text) => text.slice(0, 10)).sort().reverse(),
    );
    expect(seen).toHaveLength(
      book.purchases().filter((item) =>
        item.purchasedOn >= "2026-11-02" && item.purchasedOn <= "2026-11-05"
      ).length,
    );
  });

  test("entries of the first page end where the second begins", ({ expect }) => {
    const book = openBook();
    book.record(Array.from({ length: 5 }, (_, index) => row(String(index))));
    const first = value(book.engine.entries({ limit: 3, before: null }, NOW));
    const second = value(book.engine.entries({ limit: 3, before: first.nextBefore }, NOW));
    expect([...first.items, ...second.items].map((entry) => entry.sequence)).toEqual([
      5,
      4,
      3,
      2,
      1,
    ]);
    expect(second.nextBefore).toBeNull();
  });
});

describe("erasure", () => {
  test("closes the book at its last leaf", ({ expect }) => {
    const book = openBook();
    book.record([row("1")]);
    const leaf = book.engine.leaf();
    book.sql.deleteAll();
    book.engine.closeErased(leaf);
    expect(book.engine.leaf()).toEqual(leaf);
    const erased = { ok: false, error: { code: "erased" } };
    expect(book.engine.record(batch([row("2")]), NOW)).toEqual(erased);
    expect(book.engine.nextAlarm(null, NOW)).toEqual(erased);
    expect(book.operate("k", { kind: "forfeit" })).toEqual(erased);
  });
});

describe("activation", () => {
  const input = {
    offerId: "off_1" as OfferTerms["offerId"],
    version: 1,
    activationDays: 7,
    offerEndsAtMs: null,
  };
  test("is needed on the day of the purchase, lasts its window, and is made once", ({ expect }) => {
    const book = openBook();
    const offers = [offer({ activation: "required", activationDays: 7 })];
    const made = value(book.engine.activate(input, at("2026-11-10")));
    expect(made).toEqual({
      activatedAtMs: at("2026-11-10"),
      expiresAtMs: at("2026-11-17"),
      created: true,
    });
    expect(value(book.engine.activate(input, at("2026-11-12")))).toEqual({
      ...made,
      created: false,
    });
    book.record(
      [
        row("early", { purchasedOn: "2026-11-09" }),
        row("first", { purchasedOn: "2026-11-10" }),
        row("last", { purchasedOn: "2026-11-17" }),
        row("late", { purchasedOn: "2026-11-18" }),
      ],
      "2026-11-18",
      { offers },
    );
    expect(
      Object.fromEntries(
        book.purchases("2026-11-18").map((item) => [item.externalId, item.verdict.reasons[0]]),
      ),
    ).toEqual({
      early: "activation_missing",
      first: "offer_applied",
      last: "offer_applied",
      late: "activation_missing",
    });
    expect(value(book.engine.activate(input, at("2026-11-20"))).created).toBe(true);
  });

  test("ends with its offer", ({ expect }) => {
    const book = openBook();
    expect(
      value(book.engine.activate({ ...input, offerEndsAtMs: at("2026-11-15") }, NOW)).expiresAtMs,
    ).toBe(at("2026-11-15"));
    const open = { version: 1, activationDays: null };
    expect(
      value(
        book.engine.activate({ ...open, offerId: "off_2", offerEndsAtMs: at("2026-11-15") }, NOW),
      ).expiresAtMs,
    ).toBe(at("2026-11-15"));
    expect(
      value(book.engine.activate({ ...open, offerId: "off_3", offerEndsAtMs: null }, NOW))
        .expiresAtMs,
    ).toBeNull();
  });

  test("counts days of the Paris calendar, also over a change of the clocks", ({ expect }) => {
    // 28 March 23:30; the night of 29 March has 23 hours, and 24 hours would reach into the 30th.
    const book = openBook();
    const madeAtMs = Date.parse("2026-03-28T22:30:00.000Z");
    const made = value(book.engine.activate({ ...input, activationDays: 1 }, madeAtMs));
    expect(new Date(made.expiresAtMs ?? 0).toISOString()).toBe("2026-03-29T21:30:00.000Z");
    const offers = [offer({ activation: "required", activationDays: 1 })];
    book.record(
      ["27", "28", "29", "30"].map((day) => row(day, { purchasedOn: `2026-03-${day}` })),
      "2026-03-31",
      { offers },
    );
    expect(
      book.purchases("2026-03-31").map((item) => [item.externalId, item.verdict.reasons[0]]).sort(),
    ).toEqual([
      ["27", "activation_missing"],
      ["28", "offer_applied"],
      ["29", "offer_applied"],
      ["30", "activation_missing"],
    ]);
    const autumn = value(
      book.engine.activate({ ...input, activationDays: 1 }, Date.parse("2026-10-24T21:30:00.000Z")),
    );
    expect(new Date(autumn.expiresAtMs ?? 0).toISOString()).toBe("2026-10-25T22:30:00.000Z");
  });
});

// ---- properties over random stories -------------------------------------------------------------

type Step = (book: Book, date: string, index: number) => void;
const id = fc.integer({ min: 1, max: 6 });
const points = fc.integer({ min: 1, max: 120 });
const redemption = fc.constantFrom("red_1", "red_2", "red_3");
const operate = (operation: KeyedOperation, key: number): Step => (book, date) =>
  void book.operate(`k${key}`, operation, date);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(
    id,
    fc.constantFrom("booked", "booked", "deleted", "pending"),
    fc.constantFrom(3490, 1000),
    fc.constantFrom("purchase", "purchase", "refund"),
  ).map(([n, state, amountCents, kind]): Step => (book, date, index) =>
    void book.record([
      row(`${kind}${n}`, {
        state: state as "booked",
        amountCents,
        kind: kind as "purchase",
        purchasedOn: addDays(date, -(n * 9)),
        lastUpdateMs: index + 1,
      }),
    ], date)
  ),
  fc.tuple(redemption, points, id).map(([redemptionId, amount, key]) =>
    operate({ kind: "hold", redemptionId, points: amount, expiresAtMs: null }, key)
  ),
  fc.tuple(
    redemption,
    fc.constantFrom("commit" as const, "settle" as const, "reinstate" as const),
    id,
  ).map(([redemptionId, kind, key]) => operate({ kind, redemptionId }, 10 + key)),
  fc.tuple(redemption, fc.constantFrom("cancelled" as const, "rejected" as const), id).map((
    [redemptionId, cause, key],
  ) => operate({ kind: "release", redemptionId, cause }, 20 + key)),
  fc.tuple(points, id).map(([amount, key]) =>
    operate(
      { kind: "goodwill", points: amount, reference: `g${key}`, programme: PROGRAMME },
      30 + key,
    )
  ),
  id.map((key) =>
    operate({ kind: "reverse_grant", source: "goodwill", reference: `g${key}` }, 40 + key)
  ),
  id.map((key) => operate({ kind: "forfeit" }, 50 + key)),
  id.map((lot): Step => (book, date) => {
    for (const task of value(book.engine.notices(null, at(date)))) {
      value(book.engine.noticeSent({
        ...task,
        lots: task.lots.filter((lotNo) => lotNo % 6 !== lot),
      }, at(date)));
    }
  }),
);
const story = fc.array(fc.tuple(step, fc.constantFrom(0, 0, 1, 20, 400)), {
  minLength: 1,
  maxLength: 25,
});

function play(
  steps: readonly (readonly [Step, number])[],
  after: (book: Book, date: string) => void,
  repeat = 1,
): Book {
  const book = openBook();
  let date = "2026-11-14";
  for (const [index, [run, days]] of steps.entries()) {
    date = addDays(date, days);
    for (let time = 0; time < repeat; time++) run(book, date, index);
    after(book, date);
  }
  return book;
}

describe("after any story", () => {
  test("the book is sound at every step: sums, chain, lots and holds agree", ({ expect }) => {
    fc.assert(
      fc.property(
        story,
        (steps) => void play(steps, (book, date) => expect(book.broken(date)).toEqual([])),
      ),
      { numRuns: Number(process.env["RUNS"] ?? 150) },
    );
  });

  test("available is negative only after a claw-back, with no open hold left", ({ expect }) => {
    fc.assert(
      fc.property(story, (steps) =>
        void play(steps, (book, date) => {
          const { available } = book.points(date).balances;
          if (available >= 0) return;
          expect(book.kinds(date)).toContain("clawback");
          expect(book.sql.exec("SELECT COUNT(*) AS n FROM holds WHERE state = 'open'")).toEqual([{
            n: 0,
          }]);
        })),
      { numRuns: Number(process.env["RUNS"] ?? 150) },
    );
  });

  test("every step done twice ends in the same book", ({ expect }) => {
    fc.assert(
      fc.property(story, (steps) => {
        const once = play(steps, () => {});
        const twice = play(steps, () => {}, 2);
        expect(twice.points("2040-01-01")).toEqual(once.points("2040-01-01"));
      }),
      { numRuns: Number(process.env["RUNS"] ?? 100) },
    );
  });

  test("another instance of the engine on the same storage gives the same answers", ({ expect }) => {
    fc.assert(
      fc.property(story, (steps) => {
        const book = play(steps, () => {});
        const other = createEngine({ sql: book.sql, random: seededRandom(2) });
        expect(other.points(null, at("2040-01-01"))).toEqual(
          book.engine.points(null, at("2040-01-01")),
        );
      }),
      { numRuns: 50 },
    );
  });

  test("the outbox in pieces adds up to the outbox in one", ({ expect }) => {
    const add = (sums: Map<string, number>, counters: readonly CounterDelta[]): void => {
      for (const delta of counters) {
        sums.set(
          `${delta.day} ${delta.kind} ${delta.brandId}`,
          (sums.get(`${delta.day} ${delta.kind} ${delta.brandId}`) ?? 0) + delta.points,
        );
      }
    };
    fc.assert(
      fc.property(story, (steps) => {
        const pieces = new Map<string, number>();
        const book = play(steps, (each, date) => {
          const projection = value(each.engine.peekOutbox(null, at(date)));
          if (projection === null) return;
          add(pieces, projection.counters);
          value(each.engine.ackOutbox(projection.through, at(date)));
        });
        const whole = new Map<string, number>();
        const end = at("2036-01-01");
        value(book.engine.ackOutbox(0, end));
        const sequence = value(book.engine.points(null, end)).sequence;
        const all = value(book.engine.peekOutbox(null, end));
        if (all !== null) add(whole, all.counters.filter((delta) => delta.day !== "2036-01-01"));
        expect(sequence === 0 || all !== null).toBe(true);
        expect([...whole].sort()).toEqual([...pieces].sort());
      }),
      { numRuns: 50 },
    );
  });
});
