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

describe("a webhook after a read began", () => {
  test("keeps confirmed points in question, though the read gives their row", ({ expect }) => {
    const book = confirmedBook();
    said(book, [row("1", { state: "deleted", lastUpdateMs: 5000 })], "2026-12-14");
    reads(book, [row("1")], "2026-12-15", { startedOn: "2026-12-13" });
    expect(hold(book, 1, "2026-12-15").ok).toBe(false);
  });

  test("is not overwritten by the read, nor is its row missed by it", ({ expect }) => {
    const amended = row("1", { amountCents: 1000, lastUpdateMs: 5000 });
    const book = openBook();
    reads(book, [row("1")], "2026-11-15");
    said(book, [amended], "2026-11-17");
    reads(book, [row("1")], "2026-11-18", { startedOn: "2026-11-16" });
    expect(book.only("2026-11-18").amountCents).toBe(1000);
    const other = openBook();
    reads(other, [row("1")], "2026-11-15");
    said(other, [amended], "2026-11-17");
    reads(other, [], "2026-11-18", { startedOn: "2026-11-16" });
    reads(other, [], "2026-11-19");
    expect(other.only("2026-11-19").amountCents).toBe(1000);
    reads(other, [], "2026-11-20");
    expect(other.only("2026-11-20").amountCents).toBe(3490);
  });
});

describe("what reads lacked", () => {
  test("is missed anew once a webhook says something else of it", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    reads(book, [], "2026-11-20");
    said(book, [row("1", { amountCents: 1000, lastUpdateMs: 5000 })], "2026-11-21");
    reads(book, [], "2026-11-22");
    expect(book.balances("2026-11-22")).toBe("30 0 0");
    reads(book, [], "2026-11-23");
    expect(book.balances("2026-11-23")).toBe("0 0 0");
  });

  test("is no purchase that a later row could repeat", ({ expect }) => {
    const accounts = [account(), account("acc_2", { createdAtMs: at("2026-11-13") })];
    const book = openBook();
    said(book, [row("f")], "2026-11-14", { accounts });
    for (const date of ["2026-11-20", "2026-11-21"]) reads(book, [], date, { accounts });
    reads(book, [row("9", { accountId: "acc_2" })], "2026-11-22", { accounts });
    expect(book.balances("2026-11-22")).toBe("104 0 0");
  });
});

test("an amount that only a webhook said makes no other row the same", ({ expect }) => {
  const accounts = [account(), account("acc_2", { createdAtMs: at("2026-11-13") })];
  const book = openBook();
  said(book, [row("1", { amountCents: 5000 })], "2026-11-14", { accounts });
  const second = row("9", { accountId: "acc_2", amountCents: 5000 });
  reads(book, [row("1", { lastUpdateMs: 5000 }), second], "2026-11-20", { accounts });
  expect(book.purchases("2026-11-20")).toHaveLength(2);
  expect(book.balances("2026-11-20")).toBe("254 0 0");
});

test("a webhook's row of an account without an IBAN puts no confirmed points in doubt", ({ expect }) => {
  const weak = { strength: "weak" } as const;
  const accounts = [
    account("acc_1", { ...weak, goneAtMs: at("2026-11-13") }),
    account("acc_2", { ...weak, createdAtMs: at("2026-11-13") }),
  ];
  const mine = row("2", { accountId: "acc_2", purchasedOn: "2026-11-13", labelTag: "other" });
  const book = openBook();
  reads(book, [mine], "2026-11-14", { accounts });
  expect(book.balances("2026-12-14")).toBe("0 104 0");
  said(book, [row("f")], "2026-12-15", { accounts });
  expect(book.balances("2026-12-15")).toBe("104 104 0");
});

test("each year 500 points count that no read could show", ({ expect }) => {
  const book = openBook();
  const of = (id: string, purchasedOn: string) => row(id, { amountCents: 13_000, purchasedOn });
  said(book, [of("1", "2026-11-12")]);
  said(book, [], "2026-12-01", OFF);
  expect(book.balances("2026-12-27")).toBe("0 390 0");
  said(book, [of("2", "2027-01-04")], "2027-01-05");
  said(book, [], "2027-01-06", OFF);
  expect(book.balances("2027-02-18")).toBe("0 780 0");
});
