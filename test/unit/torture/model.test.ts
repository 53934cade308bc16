// The torture's model and its bank against the real engine, without any runtime: if the two did not
// agree where nothing is killed, a difference after a kill would say nothing. And the model by
// hand, where DESIGN.md gives the numbers.
import { describe, it } from "vitest";
import type { BrandId } from "../../../src/kernel/ids.ts";
import type { BankRow } from "../../../src/ledger/ports.ts";
import { at, offer, row as bankRow } from "../../contract/ledger-factories.ts";
import { seededRng } from "../../simulation/random.ts";
import type { Rng } from "../../simulation/random.ts";
import { labelOf, openBank, rowOfLabel } from "../../torture/bank.ts";
import type { Line, Message } from "../../torture/bank.ts";
import { addDays, BRANDS, expectedOf } from "../../torture/model.ts";
import type { BrandName, Row, Version } from "../../torture/model.ts";
import { openBook, TODAY, value } from "../ledger/book.ts";
import type { Book } from "../ledger/book.ts";

const DAYS = Array.from({ length: 5 }, (_, index) => addDays(TODAY, index - 4));
const brandOf = (name: BrandName): BrandId => `brd_${name}` as BrandId;
const OFFERS = (Object.keys(BRANDS) as BrandName[]).map((name) =>
  offer({
    offerId: `off_${name}` as ReturnType<typeof offer>["offerId"],
    brandId: brandOf(name),
    rateBp: BRANDS[name].rateBp,
    confirmationDays: BRANDS[name].confirmationDays,
    budgetPoints: BRANDS[name].budget ? 1_000_000 : null,
  })
);

function toBankRow({ row, version }: Line): BankRow {
  return bankRow(String(row.id), {
    kind: row.kind,
    amountCents: version.cents,
    purchasedOn: row.date,
    bookedOn: version.state === "pending" ? null : row.date,
    state: version.state,
    lastUpdateMs: version.update * 1000,
    labelCipher: labelOf(row),
    labelTag: labelOf(row),
    brand: { id: brandOf(row.brand), matched: BRANDS[row.brand].label },
  });
}

/** A budget that grants everything. */
function reserveAll(book: Book): void {
  for (
    let tasks = value(book.engine.budgetTasks(null, at(TODAY)));
    tasks.length > 0;
    tasks = value(book.engine.budgetTasks(null, at(TODAY)))
  ) {
    for (const task of tasks) value(book.engine.budgetGranted(task, at(TODAY)));
  }
}

/**
 * Some messages late, some twice, none lost: what a bank's queue does while the edge comes and
 * goes.
 */
function disturbed(messages: readonly Message[], rng: Rng): Message[] {
  const late = messages.filter(() => rng.chance(0.2));
  return [
    ...messages.filter((message) => !late.includes(message) || rng.chance(0.3)),
    ...rng.shuffled(late),
  ];
}

describe("the torture's model", () => {
  it.for([1, 2, 3, 4, 5, 6])(
    "agrees with the engine on what the bank of seed %i sends, late and twice",
    (seed, { expect }) => {
      const rng = seededRng(seed);
      const bank = openBank(rng.fork(1), seed, DAYS);
      const messages = Array.from({ length: 80 }, () => bank.next());
      const book = openBook(undefined, seed);
      for (const { lines } of disturbed(messages, rng.fork(2))) {
        book.record(lines.map(toBankRow), TODAY, { offers: OFFERS });
        if (rng.chance(0.3)) reserveAll(book);
      }
      reserveAll(book);
      const shown = book.purchases().filter(({ state }) => state !== "deleted").map((
        { labelCipher, state, amountCents, verdict },
      ) => `${labelCipher} ${state} ${amountCents} ${verdict.points}`);
      const expected = [...expectedOf(bank.rows).values()].filter((want) => want.shown).map((
        { row, last, points },
      ) => `${labelOf(row)} ${last.state} ${last.cents} ${points}`);
      expect(shown.sort()).toEqual(expected.sort());
      expect(expected.length).toBeGreaterThan(50);
      expect(book.broken()).toEqual([]);
    },
  );

  it("sends the same rows again for the same seed", ({ expect }) => {
    const texts = [7, 7, 8].map((seed) => {
      const bank = openBank(seededRng(seed), 1, DAYS);
      return JSON.stringify(Array.from({ length: 40 }, () => bank.next().lines));
    });
    expect(texts[0]).toBe(texts[1]);
    expect(texts[0]).not.toBe(texts[2]);
  });

  it("knows a row again by its label", ({ expect }) => {
    for (const id of [900_000_000, 900_000_019, 900_000_020, 911_999_999, 990_004_321]) {
      expect(
        rowOfLabel(labelOf({ id, brand: "auchan", kind: "purchase", date: TODAY, versions: [] })),
      ).toBe(id);
    }
    expect(rowOfLabel("CB MONOPRIX 75011 12/11")).toBeNull();
  });

  const made = (
    id: number,
    kind: Row["kind"],
    date: string,
    ...versions: readonly (readonly [number, Version["state"]])[]
  ): Row => ({
    id,
    kind,
    date,
    brand: "monoprix",
    versions: versions.map(([cents, state], index) => ({ cents, state, update: id * 10 + index })),
  });
  const shownOf = (...rows: readonly Row[]) =>
    [...expectedOf(rows).values()].map(({ shown, points, refundOf }) => [shown, points, refundOf]);

  it("keeps floor(points x cents left / cents) after a refund, and nothing after a whole one", ({ expect }) => {
    expect(
      shownOf(
        made(1, "purchase", TODAY, [9999, "booked"]),
        made(2, "refund", TODAY, [3333, "booked"]),
      ),
    ).toEqual([[true, 199, null], [true, 0, 1]]);
    expect(
      shownOf(
        made(1, "purchase", TODAY, [9999, "booked"]),
        made(2, "refund", TODAY, [9999, "booked"]),
      ),
    ).toEqual([[true, 0, null], [true, 0, 1]]);
    expect(
      shownOf(
        made(1, "purchase", TODAY, [9999, "booked"]),
        made(2, "refund", TODAY, [11_000, "booked"]),
      ),
    ).toEqual([[true, 0, null], [true, 0, 1]]);
    expect(
      shownOf(
        made(1, "purchase", TODAY, [5000, "booked"]),
        made(2, "refund", TODAY, [6001, "booked"]),
      ),
    ).toEqual([[true, 150, null], [true, 0, null]]);
    expect(
      shownOf(
        made(1, "purchase", TODAY, [7000, "booked"]),
        made(2, "purchase", TODAY, [5000, "booked"]),
        made(3, "refund", TODAY, [12_000, "booked"]),
      ),
    ).toEqual([[true, 0, null], [true, 0, null], [true, 0, 1]]);
  });

  it("gives a refund the purchase of its amount, else the newest day that has more, there the closest fit", ({ expect }) => {
    const old = made(1, "purchase", DAYS[0] ?? "", [5000, "booked"]);
    const [large, close] = [
      made(2, "purchase", TODAY, [9000, "booked"]),
      made(3, "purchase", TODAY, [6000, "booked"]),
    ];
    expect(shownOf(old, large, close, made(4, "refund", TODAY, [5000, "booked"])).at(-1)).toEqual([
      true,
      0,
      1,
    ]);
    expect(shownOf(old, large, close, made(4, "refund", TODAY, [4999, "booked"])).at(-1)).toEqual([
      true,
      0,
      3,
    ]);
    expect(shownOf(old, large, close, made(4, "refund", DAYS[1] ?? "", [5000, "booked"])).at(-1))
      .toEqual([true, 0, 1]);
  });

  it("takes the newest version, hides a reserved row that another took over, and lets a deleted row earn nothing", ({ expect }) => {
    expect(shownOf(made(1, "purchase", TODAY, [8000, "pending"], [5417, "booked"]))).toEqual([[
      true,
      162,
      null,
    ]]);
    expect(
      shownOf(
        made(1, "purchase", TODAY, [8000, "pending"]),
        made(2, "purchase", TODAY, [5417, "booked"]),
      ),
    ).toEqual([[false, 0, null], [true, 162, null]]);
    expect(shownOf(made(1, "purchase", TODAY, [8000, "booked"], [8000, "deleted"]))).toEqual([[
      false,
      0,
      null,
    ]]);
  });
});
