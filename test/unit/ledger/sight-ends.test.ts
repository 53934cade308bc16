// Sight before money: whatever was said must come to an end. Nothing is asked of the aggregator for
// ever, no points stay out of reach for ever, and what a webhook took alone comes back.
import { describe, test } from "vitest";
import { account, at, CONNECTION, row } from "../../contract/ledger-factories.ts";
import { openBook, value } from "./book.ts";
import type { Book } from "./book.ts";
import { alerted, confirmedBook, ended, hold, HOUR, reads, said } from "./deliveries.ts";

const OFF = { accounts: [account("acc_1", { isReadable: false })] };
const since = (book: Book, date: string) =>
  value(book.engine.unconfirmedSince(CONNECTION, at(date)));

describe("reads", () => {
  const pending = row("p", { state: "pending", bookedOn: null });
  const amended = { ...pending, amountCents: 3600, lastUpdateMs: 5000 };
  const booked = row("b", { amountCents: 3600, lastUpdateMs: 6000 });

  test("are not asked for again because of a pending row that its booking replaced", ({ expect }) => {
    const book = openBook();
    reads(book, [pending], "2026-11-13");
    said(book, [amended]);
    expect(reads(book, [booked], "2026-11-15").readByMs).toBeNull();
  });

  test("are not asked for again because of an account whose rows they do not give", ({ expect }) => {
    const book = openBook();
    const unknown = row("1", { brand: null });
    reads(book, [unknown], "2026-11-13");
    said(book, [{ ...unknown, amountCents: 100, lastUpdateMs: 5000 }]);
    expect(reads(book, [], "2026-11-15", OFF).readByMs).toBeNull();
    expect(since(book, "2026-11-15")).toBeNull();
    const on = { accounts: [account()] };
    expect(reads(book, [], "2026-11-16", on).readByMs).toBe(at("2026-11-16") + 6 * HOUR);
  });

  test("go back to a row that they lacked twice only while a person may decide about it", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    for (const date of ["2026-11-20", "2026-11-21"]) reads(book, [], date);
    expect(since(book, "2027-01-19")).toBe("2026-11-12");
    expect(since(book, "2027-01-20")).toBeNull();
  });

  test("do not go back to a row that only webhooks said and deleted", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    said(book, [row("1", { state: "deleted", lastUpdateMs: 5000 })], "2026-11-15");
    expect(since(book, "2026-11-16")).toBe("2026-11-12");
    for (const date of ["2026-11-20", "2026-11-21"]) reads(book, [], date);
    expect(since(book, "2026-11-22")).toBeNull();
  });

  test("that began before the connection ended do not begin anew when they are recorded after it", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")], "2026-12-02");
    ended(book, "2026-12-05");
    reads(book, [], "2026-12-06", { startedOn: "2026-12-01" });
    expect(book.balances("2026-12-25")).toBe("104 0 0");
    expect(book.balances("2026-12-27")).toBe("0 104 0");
  });
});

describe("confirmed points in question", () => {
  const questions = {
    "a deletion": row("1", { state: "deleted", lastUpdateMs: 5000 }),
    "a refund": row("r", { kind: "refund", purchasedOn: "2026-12-13" }),
  };
  test.for(Object.entries(questions))(
    "by %s can be redeemed 14 days after no read can answer any more",
    ([, question], { expect }) => {
      const book = confirmedBook();
      said(book, [question], "2026-12-13");
      ended(book, "2026-12-14");
      expect(hold(book, 1, "2026-12-27").ok).toBe(false);
      expect(hold(book, 104, "2026-12-29").ok).toBe(true);
      expect(book.broken("2026-12-29")).toEqual([]);
    },
  );
});

test("points that wait alert once, however many deliveries come meanwhile", ({ expect }) => {
  const book = openBook();
  said(book, [row("1")]);
  expect(alerted(book, "2026-12-15")).toBe(true);
  reads(book, [], "2026-12-17");
  expect(alerted(book, "2026-12-17")).toBe(false);
});

test("a deletion that a webhook invents under a newer listing is undone when two reads lack it", ({ expect }) => {
  const book = openBook();
  const gone = account("acc_1", { goneAtMs: at("2026-11-13"), isReadable: false });
  const accounts = [gone, account("acc_2", { createdAtMs: at("2026-11-13") })];
  reads(book, [row("1")], "2026-11-12");
  const forged = row("f", { accountId: "acc_2", state: "deleted" });
  said(book, [forged], "2026-11-16", { accounts });
  expect(book.balances("2026-11-16")).toBe("0 0 0");
  for (const date of ["2026-11-17", "2026-11-18"]) reads(book, [], date, { accounts });
  expect(book.balances("2026-11-18")).toBe("104 0 0");
  expect(book.balances("2026-12-13")).toBe("0 104 0");
  expect(book.broken("2026-12-13")).toEqual([]);
});
