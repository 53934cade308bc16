// Sight before money: what a webhook says may show points as pending, and no more, until a read with
// the user's token has given a row that says the same.
import { describe, test } from "vitest";
import { account, at, batch, offer, row } from "../../contract/ledger-factories.ts";
import { parisToMs } from "../../../src/kernel/time.ts";
import { openBook, value } from "./book.ts";
import {
  alerted,
  CONFIRMED,
  confirmedBook,
  ended,
  held,
  hold,
  HOUR,
  reads,
  said,
} from "./deliveries.ts";

describe("what only a webhook said", () => {
  test("stays pending past its day, alerts after 72 hours, and ends after 60 days", ({ expect }) => {
    const book = openBook();
    expect(said(book, [row("1")]).readByMs).toBe(parisToMs(CONFIRMED) - 12 * HOUR);
    expect(book.balances(CONFIRMED)).toBe("104 0 0");
    expect(alerted(book, "2026-12-14")).toBe(false);
    expect(alerted(book, "2026-12-15")).toBe(true);
    expect(alerted(book, "2026-12-16")).toBe(false);
    expect(book.balances("2027-02-09")).toBe("104 0 0");
    expect(book.balances("2027-02-10")).toBe("0 0 0");
    expect(book.only("2027-02-10").verdict).toMatchObject({
      outcome: "not_earned",
      reasons: ["held_for_review"],
    });
    expect(held(book, "2027-02-10")).toEqual([]);
    expect(book.broken("2027-02-10")).toEqual([]);
  });

  test("is confirmed on its day once a read has given it, and costs that read no row of its own", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    const before = book.sql.rowsWritten();
    reads(book, [row("1")], "2026-11-20");
    expect(book.sql.rowsWritten() - before).toBe(1);
    expect(book.balances("2026-12-11")).toBe("104 0 0");
    expect(book.balances(CONFIRMED)).toBe("0 104 0");
    expect(alerted(book, "2026-12-20")).toBe(false);
  });

  test("is confirmed by a read after its day", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    expect(book.balances("2026-12-20")).toBe("104 0 0");
    reads(book, [row("1")], "2026-12-20");
    expect(book.balances("2026-12-20")).toBe("0 104 0");
    expect(book.broken("2026-12-20")).toEqual([]);
  });

  test("counts at first sight where points need no confirmation", ({ expect }) => {
    const book = openBook();
    const more = { offers: [offer({ confirmationDays: 0 })] };
    expect(said(book, [row("1")], "2026-11-14", more).readByMs).toBe(at("2026-11-14") + 6 * HOUR);
    expect(book.balances("2026-11-15")).toBe("104 0 0");
    reads(book, [row("1")], "2026-11-15", more);
    expect(book.balances("2026-11-15")).toBe("0 104 0");
    reads(book, [row("1"), row("2")], "2026-11-16", more);
    expect(book.balances("2026-11-16")).toBe("0 208 0");
  });

  test("after a read began is not shown by that read", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")], "2026-11-15");
    reads(book, [row("1")], "2026-11-16", { startedOn: "2026-11-15" });
    expect(book.balances(CONFIRMED)).toBe("104 0 0");
    reads(book, [row("1")], "2026-12-13");
    expect(book.balances("2026-12-13")).toBe("0 104 0");
  });

  test("is not shown by a read that did not ask for its day or account", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    reads(book, [], "2026-11-20", { fromDay: "2026-11-13" });
    reads(book, [], "2026-11-21", { accounts: [account("acc_1", { isReadable: false })] });
    reads(book, [], "2026-11-22", { fromDay: "2026-11-13" });
    expect(book.balances("2026-12-13")).toBe("104 0 0");
    expect(held(book, "2026-12-13")).toEqual([]);
  });

  test("is held when two reads lack it, and earns again when a read gives it after all", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    expect(reads(book, [], "2026-11-20").readByMs).toBe(at("2026-11-20") + 6 * HOUR);
    expect(book.balances("2026-11-20")).toBe("104 0 0");
    reads(book, [], "2026-11-21");
    expect(book.balances("2026-11-21")).toBe("0 0 0");
    expect(held(book, "2026-11-21")).toEqual(["not_shown"]);
    reads(book, [], "2026-12-21");
    expect(book.balances("2026-12-21")).toBe("0 0 0");
    reads(book, [row("1")], "2026-12-22");
    expect(book.balances("2026-12-22")).toBe("0 104 0");
    expect(book.broken("2026-12-22")).toEqual([]);
  });

  test("is held for 60 days at most", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    reads(book, [], "2026-11-20");
    reads(book, [], "2026-11-21");
    expect(book.only("2027-01-19").verdict.outcome).toBe("waiting");
    expect(book.only("2027-01-20").verdict).toMatchObject({
      outcome: "not_earned",
      reasons: ["held_for_review"],
    });
    // Nothing wakes it again.
    said(book, [row("2", { amountCents: 100 })], "2027-01-21");
    reads(book, [], "2027-01-22");
    expect(value(book.engine.reviews(null, at("2027-01-22")))).toEqual([]);
  });

  test("counts when a person lets it", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    reads(book, [], "2026-11-20");
    reads(book, [], "2026-11-21");
    const { offers, programme } = batch([]);
    value(book.engine.decideReview({
      purchaseId: book.only("2026-11-22").id,
      decision: "count",
      offers,
      programme,
    }, at("2026-11-22")));
    expect(book.balances("2026-11-22")).toBe("104 0 0");
    reads(book, [], "2026-11-23");
    expect(book.balances(CONFIRMED)).toBe("0 104 0");
  });

  test("leaves its purchase to another listing when it is held", ({ expect }) => {
    const book = openBook();
    const accounts = [account(), account("acc_2", { createdAtMs: at("2026-11-13") })];
    said(book, [row("1")], "2026-11-14", { accounts });
    said(book, [row("9", { accountId: account("acc_2").accountId })], "2026-11-14", { accounts });
    expect(book.balances("2026-11-14")).toBe("104 0 0");
    const apart = [
      account(),
      account("acc_2", { createdAtMs: at("2026-11-13"), isReadable: false }),
    ];
    for (const date of ["2026-11-20", "2026-11-21"]) reads(book, [], date, { accounts: apart });
    expect(held(book, "2026-11-21")).toEqual(["not_shown"]);
    expect(book.balances("2026-11-21")).toBe("104 0 0");
    const second = row("9", { accountId: account("acc_2").accountId });
    reads(book, [second], "2026-11-22", { accounts });
    expect(book.balances(CONFIRMED)).toBe("0 104 0");
    expect(book.broken(CONFIRMED)).toEqual([]);
  });

  test("gives its room under a cap back when it is held", ({ expect }) => {
    const book = openBook();
    const more = { offers: [offer({ capPurchasesPerUser: 1 })] };
    said(book, [row("1")], "2026-11-14", more);
    reads(book, [row("2", { amountCents: 1000 })], "2026-11-20", more);
    expect(book.balances("2026-11-20")).toBe("104 0 0");
    reads(book, [row("2", { amountCents: 1000 })], "2026-11-21", more);
    expect(book.balances("2026-11-21")).toBe("30 0 0");
  });

  test("is confirmed when another listing of the account shows it", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    const second = account("acc_2", { createdAtMs: at("2026-11-25") });
    const gone = account("acc_1", { goneAtMs: at("2026-11-25") });
    reads(book, [row("9", { accountId: "acc_2" })], "2026-11-26", { accounts: [gone, second] });
    expect(book.purchases("2026-11-26")).toHaveLength(1);
    expect(book.balances(CONFIRMED)).toBe("0 104 0");
  });
});

describe("a row that a read has shown", () => {
  test("stays shown when later reads lack it without a word", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    for (const date of ["2026-11-20", "2026-11-27", "2026-12-04"]) {
      reads(book, date === "2026-11-20" ? [row("1")] : [], date);
    }
    expect(book.balances(CONFIRMED)).toBe("0 104 0");
  });

  const raised = row("1", { amountCents: 999_900, lastUpdateMs: at("2027-11-14") });

  test("is not shown at the amount to which a webhook of next year raises it", ({ expect }) => {
    const book = openBook();
    const one = row("1", { amountCents: 100 });
    reads(book, [one], "2026-11-15");
    expect(said(book, [raised], "2026-11-16").readByMs).toBe(at("2026-11-16") + HOUR);
    expect(book.balances("2026-12-20")).toBe("29997 0 0");
    reads(book, [one], "2026-12-21");
    expect(book.balances("2026-12-21")).toBe("0 3 0");
    expect(book.only("2026-12-21").amountCents).toBe(100);
    expect(book.broken("2026-12-21")).toEqual([]);
  });

  test("counts as it was shown when reads lack it after a webhook changed it", ({ expect }) => {
    const book = openBook();
    reads(book, [row("1")], "2026-11-15");
    said(book, [raised], "2026-11-16");
    reads(book, [], "2026-11-17");
    reads(book, [], "2026-11-18");
    expect(book.balances("2026-11-18")).toBe("104 0 0");
    expect(book.balances(CONFIRMED)).toBe("0 104 0");
  });

  test("loses pending points at once when a webhook deletes it; they come back when a read has it", ({ expect }) => {
    const book = openBook();
    reads(book, [row("1")], "2026-11-15");
    said(book, [row("1", { state: "deleted", lastUpdateMs: 5000 })], "2026-11-16");
    expect(book.balances("2026-11-16")).toBe("0 0 0");
    reads(book, [row("1")], "2026-11-17");
    expect(book.balances("2026-11-17")).toBe("104 0 0");
    said(book, [row("1", { state: "deleted", lastUpdateMs: 6000 })], "2026-11-18");
    reads(book, [], "2026-11-19");
    expect(book.balances("2026-11-19")).toBe("0 0 0");
    reads(book, [], "2026-11-20");
    expect(book.balances("2026-11-20")).toBe("104 0 0");
  });

  test("is booked by a read, not by a webhook that takes its pending row over", ({ expect }) => {
    const book = openBook();
    const pending = row("p", { state: "pending", bookedOn: null });
    reads(book, [pending], "2026-11-13");
    said(book, [row("forged", { amountCents: 999_900, lastUpdateMs: 9000 })], "2026-11-14");
    expect(book.balances(CONFIRMED)).toBe("29997 0 0");
    reads(book, [pending], "2026-12-13");
    reads(book, [pending], "2026-12-14");
    expect(book.balances("2026-12-14")).toBe("0 0 0");
  });
});

describe("confirmed points", () => {
  const changes = {
    raises: { amountCents: 999_900 },
    lowers: { amountCents: 100 },
    deletes: { state: "deleted" },
    moves: { purchasedOn: "2026-11-11" },
  } as const;

  for (const [what, change] of Object.entries(changes)) {
    test(`stay as they are when a webhook ${what} their purchase, and cannot be redeemed meanwhile`, ({ expect }) => {
      const book = confirmedBook();
      const changed = row("1", { ...change, lastUpdateMs: at("2026-12-13") });
      const asked = said(book, [changed], "2026-12-13");
      expect(asked.readByMs).toBe(at("2026-12-13") + HOUR);
      expect(book.balances("2026-12-13")).toBe("0 104 0");
      expect(hold(book, 1, "2026-12-13")).toMatchObject({ error: { code: "points_insufficient" } });
      reads(book, [row("1")], "2026-12-14");
      expect(book.balances("2026-12-14")).toBe("0 104 0");
      expect(hold(book, 104, "2026-12-14").ok).toBe(true);
      expect(book.broken("2026-12-14")).toEqual([]);
    });
  }

  test("follow what a read says of their purchase", ({ expect }) => {
    const book = confirmedBook();
    const lower = row("1", { amountCents: 1000, lastUpdateMs: 5000 });
    said(book, [lower], "2026-12-13");
    reads(book, [lower], "2026-12-14");
    expect(book.balances("2026-12-14")).toBe("0 30 0");
  });

  test("are free again when two reads lack the row", ({ expect }) => {
    const book = confirmedBook();
    said(book, [row("1", { state: "deleted", lastUpdateMs: 5000 })], "2026-12-13");
    reads(book, [], "2026-12-14");
    expect(hold(book, 1, "2026-12-14").ok).toBe(false);
    reads(book, [], "2026-12-15");
    expect(hold(book, 1, "2026-12-15").ok).toBe(true);
    expect(book.balances("2026-12-15")).toBe("0 103 1");
  });

  test("keep an open hold, which cannot be committed while they are in question", ({ expect }) => {
    const book = confirmedBook();
    hold(book, 100, CONFIRMED);
    said(book, [row("1", { state: "deleted", lastUpdateMs: 5000 })], "2026-12-13");
    expect(book.balances("2026-12-13")).toBe("0 4 100");
    const commit = { kind: "commit", redemptionId: `r100${CONFIRMED}` } as const;
    expect(book.operate("c1", commit, "2026-12-13")).toMatchObject({
      error: { code: "points_in_question" },
    });
    reads(book, [row("1")], "2026-12-14");
    expect(book.operate("c2", commit, "2026-12-14").ok).toBe(true);
  });

  const refund = row("r", { kind: "refund", purchasedOn: "2026-12-13" });

  test("give way to a refund once a read has shown it", ({ expect }) => {
    const book = confirmedBook();
    expect(said(book, [refund], "2026-12-13").readByMs).toBe(at("2026-12-13") + HOUR);
    expect(book.balances("2026-12-13")).toBe("0 104 0");
    expect(hold(book, 1, "2026-12-13").ok).toBe(false);
    reads(book, [row("1"), refund], "2026-12-14");
    expect(book.balances("2026-12-14")).toBe("0 0 0");
    expect(book.broken("2026-12-14")).toEqual([]);
  });

  test("are not touched by a refund that reads lack", ({ expect }) => {
    const book = confirmedBook();
    said(book, [refund], "2026-12-13");
    reads(book, [row("1")], "2026-12-14");
    reads(book, [row("1")], "2026-12-15");
    expect(book.balances("2026-12-15")).toBe("0 104 0");
    expect(hold(book, 104, "2026-12-15").ok).toBe(true);
  });

  test("do not come back because a webhook takes a refund back", ({ expect }) => {
    const book = confirmedBook();
    reads(book, [row("1"), refund], "2026-12-14");
    said(book, [{ ...refund, state: "deleted", lastUpdateMs: 5000 }], "2026-12-15");
    expect(book.balances("2026-12-15")).toBe("0 0 0");
    reads(book, [row("1"), { ...refund, state: "deleted", lastUpdateMs: 5000 }], "2026-12-16");
    expect(book.balances("2026-12-16")).toBe("0 104 0");
  });

  test("are not handed to a row of an older listing that a webhook invents", ({ expect }) => {
    const book = openBook();
    const first = account("acc_1", { goneAtMs: at("2026-11-10") });
    const second = account("acc_2", { createdAtMs: at("2026-11-10") });
    const accounts = [first, second];
    reads(book, [row("1", { accountId: "acc_2" })], "2026-11-20", { accounts });
    expect(book.balances(CONFIRMED)).toBe("0 104 0");
    said(book, [row("f", { purchasedOn: "2026-11-10" })], "2026-12-13", { accounts });
    expect(book.balances("2026-12-13")).toBe("0 104 0");
    expect(book.kinds("2026-12-13")).toBe("earn confirm");
  });
});

describe("pending points", () => {
  const refund = row("r", { kind: "refund", purchasedOn: "2026-11-16" });

  test("are cancelled at once by a refund, and given back when two reads lack it", ({ expect }) => {
    const book = openBook();
    reads(book, [row("1")], "2026-11-15");
    said(book, [refund], "2026-11-16");
    expect(book.balances("2026-11-16")).toBe("0 0 0");
    reads(book, [row("1")], "2026-11-17");
    expect(book.balances("2026-11-17")).toBe("0 0 0");
    reads(book, [row("1")], "2026-11-18");
    expect(book.balances("2026-11-18")).toBe("104 0 0");
    expect(book.broken("2026-11-18")).toEqual([]);
  });
});

describe("when an account or connection is gone", () => {
  test("what its last read gave is confirmed on its day", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    book.record([row("1"), row("new")], "2026-12-02", {
      hasEnded: true,
      read: {
        startedAtMs: at("2026-12-02"),
        knownOnly: true,
        complete: { fromDay: "2026-01-01", accountIds: ["acc_1"], externalIds: ["1", "new"] },
      },
    });
    expect(book.purchases("2026-12-02")).toHaveLength(1);
    expect(book.balances(CONFIRMED)).toBe("0 104 0");
  });

  test("a read that began before the end and is recorded after it does not begin it anew", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")], "2026-12-02");
    ended(book, "2026-12-03");
    // It covers nothing of the row: only the end says that none will come.
    reads(book, [], "2026-12-04", { startedOn: "2026-12-02", fromDay: "2026-12-01" });
    ended(book, "2026-12-20");
    expect(book.balances("2026-12-25")).toBe("104 0 0");
    expect(book.balances("2026-12-26")).toBe("0 104 0");
  });

  test("what no read could answer counts after 14 days, up to 500 points a year", ({ expect }) => {
    const book = openBook();
    said(book, [row("1"), row("2", { amountCents: 13_000 }), row("3", { amountCents: 2000 })]);
    ended(book, "2026-12-02");
    expect(book.balances("2026-12-25")).toBe("554 0 0");
    expect(book.balances("2026-12-26")).toBe("0 494 0");
    expect(held(book, "2026-12-26")).toEqual(["not_shown"]);
    expect(alerted(book, "2026-12-26")).toBe(false);
    expect(book.purchases("2027-02-10").find(({ externalId }) => externalId === "3")?.verdict)
      .toMatchObject({ outcome: "not_earned", reasons: ["held_for_review"] });
    expect(book.broken("2027-02-10")).toEqual([]);
  });

  test("what an answer lacked waits 14 days for a person, then ends", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    reads(book, [], "2026-12-02");
    ended(book, "2026-12-02");
    expect(held(book, CONFIRMED)).toEqual(["not_shown"]);
    expect(book.only("2026-12-25").verdict.outcome).toBe("waiting");
    expect(book.only("2026-12-26").verdict.outcome).toBe("not_earned");
  });

  test("a disabled account waits like one that is gone, until it is enabled again", ({ expect }) => {
    const book = openBook();
    said(book, [row("1")]);
    said(book, [], "2026-12-01", { accounts: [account("acc_1", { isReadable: false })] });
    said(book, [], "2026-12-20");
    expect(book.balances("2026-12-27")).toBe("104 0 0");
    said(book, [], "2026-12-28", { accounts: [account("acc_1", { isReadable: false })] });
    expect(book.balances("2027-01-10")).toBe("104 0 0");
    expect(book.balances("2027-01-11")).toBe("0 104 0");
  });
});
