import { describe, test } from "vitest";
import { parisToMs } from "../../../src/kernel/time.ts";
import { addWorkingDays } from "../../../src/ledger/points/holds.ts";
import type { KeyedOperation } from "../../../src/ledger/ports.ts";
import { at, PROGRAMME, row } from "../../contract/ledger-factories.ts";
import { openBook, value } from "./book.ts";
import type { Book } from "./book.ts";

const hold = (
  points: number,
  more: Partial<Extract<KeyedOperation, { kind: "hold" }>> = {},
): KeyedOperation => ({ kind: "hold", redemptionId: "red_1", points, expiresAtMs: null, ...more });
const on = (kind: "commit" | "settle" | "reinstate", redemptionId = "red_1"): KeyedOperation => ({
  kind,
  redemptionId,
});
const release = (cause: "cancelled" | "rejected"): KeyedOperation => ({
  kind: "release",
  redemptionId: "red_1",
  cause,
});

/** A book with 104 available points, confirmed on 31 October. */
function rich(): Book {
  const book = openBook();
  book.record([row("1", { purchasedOn: "2026-10-01" })]);
  return book;
}

describe("a hold", () => {
  test("sets points aside, is committed and settled", ({ expect }) => {
    const book = rich();
    expect(book.operate("h", hold(100))).toEqual({
      ok: true,
      value: {
        redemptionId: "red_1",
        state: "open",
        points: 100,
        balances: { pending: 0, available: 4, held: 100 },
      },
    });
    expect(book.operate("c", on("commit"))).toMatchObject({
      ok: true,
      value: { state: "committed" },
    });
    expect(book.operate("s", on("settle"))).toMatchObject({
      ok: true,
      value: { state: "settled", balances: { available: 4, held: 0 } },
    });
    expect(book.kinds()).toBe("earn confirm hold settle");
    expect(book.broken()).toEqual([]);
  });

  test("the same key gives the first result again, another input a conflict", ({ expect }) => {
    const book = rich();
    const first = book.operate("h", hold(100));
    expect(book.operate("h", hold(100))).toEqual(first);
    expect(book.operate("h", hold(99))).toEqual({
      ok: false,
      error: { code: "idempotency_conflict" },
    });
    expect(book.balances()).toBe("0 4 100");
  });

  test("a refusal too is the first result again", ({ expect }) => {
    const book = openBook();
    const refused = book.operate("h", hold(100));
    expect(refused).toEqual({ ok: false, error: { code: "points_insufficient", available: 0 } });
    book.record([row("1", { purchasedOn: "2026-10-01" })]);
    expect(book.operate("h", hold(100))).toEqual(refused);
    expect(book.operate("h2", hold(100))).toMatchObject({ ok: true });
  });

  test("moves only as its state allows", ({ expect }) => {
    const refusals: [KeyedOperation[], KeyedOperation, object][] = [
      [[], on("commit"), { code: "hold_unknown" }],
      [[], on("settle"), { code: "hold_unknown" }],
      [[], on("reinstate"), { code: "hold_unknown" }],
      [[], release("cancelled"), { code: "hold_unknown" }],
      [[hold(10)], hold(10), { code: "hold_exists" }],
      [[hold(10)], on("settle"), { code: "hold_state", state: "open" }],
      [[hold(10)], release("rejected"), { code: "hold_state", state: "open" }],
      [[hold(10)], on("reinstate"), { code: "hold_state", state: "open" }],
      [[hold(10), on("commit")], on("commit"), { code: "hold_state", state: "committed" }],
      [[hold(10), on("commit")], release("cancelled"), { code: "hold_state", state: "committed" }],
      [[hold(10), on("commit"), on("settle")], on("settle"), {
        code: "hold_state",
        state: "settled",
      }],
      [[hold(10), release("cancelled")], on("commit"), { code: "hold_state", state: "released" }],
      [[hold(10), on("commit"), on("settle"), on("reinstate")], on("reinstate"), {
        code: "hold_state",
        state: "reinstated",
      }],
      [[], hold(105), { code: "points_insufficient", available: 104 }],
    ];
    for (const [steps, last, error] of refusals) {
      const book = rich();
      for (const [index, step] of steps.entries()) {
        expect(book.operate(`k${index}`, step).ok).toBe(true);
      }
      const before = book.points();
      expect(book.operate("last", last)).toEqual({ ok: false, error });
      expect(book.points()).toEqual(before);
    }
  });

  test("that is released gives the points back, good for at least 30 more days", ({ expect }) => {
    const book = rich();
    book.operate("h", hold(104), "2028-10-20");
    expect(book.points("2028-10-20").nextExpiry).toBeNull();
    book.operate("r", release("cancelled"), "2028-10-25");
    expect(book.points("2028-10-25")).toMatchObject({
      balances: { available: 104, held: 0 },
      nextExpiry: { on: "2028-11-24", points: 104 },
    });
  });

  test("that the bank rejects, or whose payment comes back, gives the points back", ({ expect }) => {
    for (
      const steps of [[on("commit"), release("rejected")], [
        on("commit"),
        on("settle"),
        on("reinstate"),
      ]]
    ) {
      const book = rich();
      book.operate("h", hold(100));
      for (const [index, step] of steps.entries()) book.operate(`k${index}`, step);
      expect(book.balances()).toBe("0 104 0");
      expect(book.broken()).toEqual([]);
    }
  });

  test("lapses at its deadline when read, if it is open, and not if it is committed", ({ expect }) => {
    const [open, committed] = [rich(), rich()];
    for (const book of [open, committed]) {
      book.operate("h", hold(100, { expiresAtMs: at("2026-11-20") }));
    }
    committed.operate("c", on("commit"));
    expect(open.balances("2026-11-19")).toBe("0 4 100");
    expect(open.balances("2026-11-20")).toBe("0 104 0");
    expect(committed.balances("2026-11-20")).toBe("0 4 100");
  });

  test("committed for more than ten working days alerts once", ({ expect }) => {
    const book = rich();
    book.operate("h", hold(100));
    book.operate("c", on("commit"), "2026-11-16");
    const report = (date: string) => value(book.engine.runDue(null, at(date))).overdueHolds;
    expect(report("2026-11-30")).toEqual([]);
    expect(report("2026-12-01")).toEqual(["red_1"]);
    expect(report("2026-12-02")).toEqual([]);
  });

  test("working days leave out weekends", ({ expect }) => {
    expect(addWorkingDays("2026-11-20", 1)).toBe("2026-11-23");
    expect(addWorkingDays("2026-11-14", 1)).toBe("2026-11-16");
  });
});

describe("grants", () => {
  const goodwill: KeyedOperation = {
    kind: "goodwill",
    points: 50,
    reference: "clm_1",
    programme: PROGRAMME,
  };
  const referral: KeyedOperation = {
    kind: "referral",
    points: 300,
    reference: "usr_2",
    programme: PROGRAMME,
    confirmAtMs: at("2026-12-01"),
  };

  test("goodwill is available at once, a referral after its time", ({ expect }) => {
    const book = openBook();
    book.operate("g", goodwill);
    book.operate("r", referral);
    book.operate("r", referral);
    expect(book.balances()).toBe("300 50 0");
    expect(book.balances("2026-12-01")).toBe("0 350 0");
    expect(book.kinds("2026-12-01")).toBe("goodwill referral confirm");
    expect(book.broken("2026-12-01")).toEqual([]);
  });

  test("a grant is taken back by its reference, once", ({ expect }) => {
    const book = openBook();
    book.operate("r", referral);
    const back: KeyedOperation = { kind: "reverse_grant", source: "referral", reference: "usr_2" };
    expect(book.operate("b", back)).toMatchObject({ ok: true, value: { points: 300 } });
    expect(book.operate("b2", back)).toMatchObject({ ok: true, value: { points: 0 } });
    expect(book.balances()).toBe("0 0 0");
    expect(book.operate("b3", { ...back, reference: "usr_3" })).toEqual({
      ok: false,
      error: { code: "grant_unknown" },
    });
    expect(book.balances("2026-12-02")).toBe("0 0 0");
  });

  test("forfeiture takes everything that is not committed", ({ expect }) => {
    const book = rich();
    book.record([row("2")]);
    book.operate("h", hold(100));
    expect(book.operate("f", { kind: "forfeit" })).toMatchObject({
      ok: true,
      value: { points: 208, balances: { pending: 0, available: 0, held: 0 } },
    });
    expect(book.operate("f2", { kind: "forfeit" })).toEqual({
      ok: false,
      error: { code: "nothing_to_forfeit" },
    });
    expect(book.balances("2028-12-31")).toBe("0 0 0");
    expect(book.broken()).toEqual([]);
  });

  test("forfeiture waits for a committed hold to end", ({ expect }) => {
    const book = rich();
    book.operate("h", hold(100));
    book.operate("c", on("commit"));
    expect(book.operate("f", { kind: "forfeit" })).toEqual({
      ok: false,
      error: { code: "hold_committed" },
    });
  });
});

describe("expiry", () => {
  test("never happens without a notice that was sent", ({ expect }) => {
    const book = rich();
    expect(book.points().nextExpiry).toEqual({ on: "2028-10-31", points: 104 });
    expect(book.balances("2030-01-01")).toBe("0 104 0");
  });

  test("is announced 30 and 7 days before, and happens on its day", ({ expect }) => {
    const book = rich();
    const tasks = (date: string) => value(book.engine.notices(null, at(date)));
    expect(tasks("2028-09-30")).toEqual([]);
    expect(tasks("2028-10-01")).toEqual([{
      daysBefore: 30,
      expiresOn: "2028-10-31",
      points: 104,
      lots: [1],
    }]);
    value(
      book.engine.noticeSent(
        { daysBefore: 30, expiresOn: "2030-01-01", lots: [1] },
        at("2028-10-01"),
      ),
    );
    expect(tasks("2028-10-01")).toEqual([]);
    expect(tasks("2028-10-24")).toMatchObject([{ daysBefore: 7 }]);
    value(
      book.engine.noticeSent(
        { daysBefore: 7, expiresOn: "2030-01-01", lots: [1] },
        at("2028-10-24"),
      ),
    );
    expect(book.balances("2028-10-30")).toBe("0 104 0");
    expect(book.balances("2028-10-31")).toBe("0 0 0");
    expect(book.kinds("2028-10-31")).toBe("earn confirm expire");
  });

  test("after a late notice waits a week from it", ({ expect }) => {
    const book = rich();
    value(
      book.engine.noticeSent(
        { daysBefore: 7, expiresOn: "2030-01-01", lots: [1] },
        at("2029-01-10"),
      ),
    );
    expect(book.balances("2029-01-16")).toBe("0 104 0");
    expect(book.balances("2029-01-17")).toBe("0 0 0");
  });

  test("gives points of a hold that lapsed 30 days from its deadline, whenever somebody looks", ({ expect }) => {
    for (const looked of ["2028-10-20", "2028-11-10"]) {
      const book = rich();
      book.operate("h", hold(100, { expiresAtMs: at("2028-10-20") }), "2028-10-01");
      expect(book.points(looked).nextExpiry).toEqual({ on: "2028-11-19", points: 104 });
    }
  });

  test("in the millisecond in which a hold lapses leaves its points alone", ({ expect }) => {
    const book = rich();
    const expiresAtMs = parisToMs("2028-10-31");
    value(
      book.engine.noticeSent(
        { daysBefore: 30, expiresOn: "2030-01-01", lots: [1] },
        at("2028-10-01"),
      ),
    );
    book.operate("h", hold(100, { expiresAtMs }), "2028-10-02");
    expect(book.balances("2028-10-31")).toBe("0 104 0");
    expect(book.points("2028-10-31").nextExpiry).toEqual({ on: "2028-11-30", points: 104 });
  });

  test("is shown for the day that a late notice leaves, or would leave if it were sent now", ({ expect }) => {
    const book = rich();
    expect(book.points("2029-01-03").nextExpiry).toEqual({ on: "2029-01-10", points: 104 });
    value(
      book.engine.noticeSent(
        { daysBefore: 7, expiresOn: "2030-01-01", lots: [1] },
        at("2029-01-10"),
      ),
    );
    expect(book.points("2029-01-12").nextExpiry).toEqual({ on: "2029-01-17", points: 104 });
  });

  test("is not announced by a notice that was on its way while the points came back from a hold", ({ expect }) => {
    const book = rich();
    book.operate("h", hold(50), "2028-10-01");
    const [task] = value(book.engine.notices(null, at("2028-10-05")));
    if (task === undefined) throw new Error("no notice is due");
    book.operate("r", release("cancelled"), "2028-10-05");
    value(book.engine.noticeSent(task, at("2028-10-05")));
    expect(book.balances("2028-12-31")).toBe("0 104 0");
    expect(value(book.engine.notices(null, at("2028-10-10")))).toMatchObject([{ points: 104 }]);
  });

  test("takes no points that came back after the notice was sent", ({ expect }) => {
    const book = rich();
    const refund = row("r", { kind: "refund", amountCents: 1745, purchasedOn: "2026-10-02" });
    book.record([refund]);
    expect(book.balances()).toBe("0 52 0");
    value(
      book.engine.noticeSent(
        { daysBefore: 30, expiresOn: "2030-01-01", lots: [1] },
        at("2028-10-05"),
      ),
    );
    book.record([{ ...refund, state: "deleted", lastUpdateMs: 2000 }], "2028-10-20");
    expect(book.balances("2028-11-10")).toBe("0 104 0");
    expect(book.points("2028-10-20").nextExpiry).toEqual({ on: "2028-11-19", points: 104 });
    expect(value(book.engine.notices(null, at("2028-10-20")))).toMatchObject([{
      daysBefore: 30,
      points: 104,
    }]);
  });

  test("takes the oldest lot first, and so does spending", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { purchasedOn: "2026-09-01" }), row("2", { purchasedOn: "2026-10-01" })]);
    book.operate("h", hold(150));
    value(
      book.engine.noticeSent(
        { daysBefore: 30, expiresOn: "2030-01-01", lots: [1, 3] },
        at("2028-09-05"),
      ),
    );
    expect(book.points("2028-10-02").balances).toEqual({ pending: 0, available: 58, held: 150 });
    expect(book.points("2028-10-31").balances).toEqual({ pending: 0, available: 0, held: 150 });
    expect(book.broken("2028-10-31")).toEqual([]);
  });
});
