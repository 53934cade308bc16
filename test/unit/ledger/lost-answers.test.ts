// What was projected to D1 and the book does not know that it was: the answer got lost, or the
// erasure stopped half-way. Found by the simulation.
import { expect, test } from "vitest";
import {
  applyProjection,
  closeProjection,
} from "../../../src/ledger/projection/projection-store.ts";
import { at, row } from "../../contract/ledger-factories.ts";
import { openDatabase, readTable } from "../../simulation/d1.ts";
import { openBook, TODAY, value } from "./book.ts";

test("a waiting row that was projected and is gone before the answer came is projected as gone", () => {
  const book = openBook();
  book.record([row("1", { kind: "refund", amountCents: 10 })]);
  expect(value(book.engine.peekReviews(null, at(TODAY)))?.open).toHaveLength(1);
  book.record([
    row("1", { kind: "refund", amountCents: 10, state: "deleted", lastUpdateMs: at(TODAY) + 1 }),
  ]);
  const batch = value(book.engine.peekReviews(null, at(TODAY)));
  expect(batch?.open).toEqual([]);
  value(book.engine.ackReviews(batch?.mark ?? "", at(TODAY)));
  expect(value(book.engine.peekReviews(null, at(TODAY)))).toBeNull();
});

test("a purchase that was projected to the sample and that is gone before the answer came is taken back", () => {
  const book = openBook();
  book.record([row("1")]);
  expect(value(book.engine.peekSample(null, at(TODAY)))?.items).toMatchObject([{
    row: 1,
    purchase: { cents: 3490 },
  }]);
  book.record([row("1", { state: "deleted", lastUpdateMs: at(TODAY) + 1 })]);
  expect(value(book.engine.peekSample(null, at(TODAY)))?.items).toEqual([{
    row: 1,
    purchase: null,
  }]);
});

test("what a book takes in after it was closed is added by the next closing, and by nothing else", async () => {
  const database = await openDatabase();
  const book = openBook();
  const grant = (key: string): unknown =>
    book.engine.operate({
      key,
      operation: {
        kind: "goodwill",
        points: 5,
        reference: key,
        programme: { pointsPerEuro: 100, pointsExpireMonths: 24 },
      },
    }, at(TODAY));
  const close = (): Promise<void> =>
    closeProjection(database, "usr_1", (from) => book.engine.history(from), at(TODAY));
  const points = async (table: "counters" | "closed_counters"): Promise<number> =>
    (await readTable<{ points: number }>(database, table)).reduce(
      (sum, line) => sum + line.points,
      0,
    );
  grant("a");
  await close();
  grant("b");
  const projection = value(book.engine.peekOutbox(null, at(TODAY)));
  if (projection === null) throw new Error("nothing to project");
  value(
    book.engine.ackOutbox(
      await applyProjection(database, "usr_1", projection, at(TODAY)),
      at(TODAY),
    ),
  );
  const rest = value(book.engine.peekOutbox(null, at(TODAY)));
  expect(rest === null ? null : await applyProjection(database, "usr_1", rest, at(TODAY))).toBe(1);
  await close();
  await close();
  expect([await points("counters"), await points("closed_counters")]).toEqual([10, 10]);
  expect(await readTable(database, "ledger_heads")).toMatchObject([{
    last_sequence: 2,
    closed: 1,
  }]);
});
