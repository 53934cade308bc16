// The deliveries of which sight before money is told: what a webhook says, what a complete read gives.
import { account, at, batch, row } from "../../contract/ledger-factories.ts";
import type { BankRow, RecordBatch, RecordSummary } from "../../../src/ledger/ports.ts";
import { openBook, value } from "./book.ts";
import type { Book } from "./book.ts";

type More = Partial<Omit<RecordBatch, "read">>;

/** A webhook says these rows. */
export function said(
  book: Book,
  rows: readonly BankRow[],
  date = "2026-11-14",
  more: More = {},
): RecordSummary {
  const { read: _, ...delivery } = batch(rows, more);
  return value(book.engine.record(delivery, at(date)));
}

/** A complete read gives these rows, all that there are. */
export function reads(
  book: Book,
  rows: readonly BankRow[],
  date: string,
  more: More & { readonly startedOn?: string; readonly fromDay?: string } = {},
): RecordSummary {
  const { startedOn = date, fromDay = "2026-01-01", ...rest } = more;
  const { accounts = [account()] } = rest;
  return book.record(rows, date, {
    ...rest,
    read: {
      startedAtMs: at(startedOn),
      knownOnly: false,
      complete: {
        fromDay,
        accountIds: accounts.filter((each) => each.isReadable ?? true).map((each) =>
          each.accountId
        ),
        externalIds: rows.map(({ externalId }) => externalId),
      },
    },
  });
}

/** The connection ends without a last read. */
export function ended(book: Book, date: string): void {
  const { read: _, ...delivery } = batch([], { hasEnded: true });
  value(book.engine.record(delivery, at(date)));
}

export const held = (book: Book, date: string) =>
  value(book.engine.reviews(null, at(date))).map(({ why }) => why);
export const alerted = (book: Book, date: string): boolean =>
  value(book.engine.runDue(null, at(date))).arePointsUnshown;
export const hold = (book: Book, points: number, date: string) =>
  book.operate(`h${points}${date}`, {
    kind: "hold",
    redemptionId: `r${points}${date}`,
    points,
    expiresAtMs: null,
  }, date);
export const HOUR = 3_600_000;
export const CONFIRMED = "2026-12-12";

/** A book whose one purchase of 104 points a read has shown and time confirmed. */
export function confirmedBook(): Book {
  const book = openBook();
  said(book, [row("1")]);
  reads(book, [row("1")], "2026-11-20");
  if (book.balances(CONFIRMED) !== "0 104 0") throw new Error("the points are not confirmed");
  return book;
}
