// How a verdict is written down: every one reads back as it was, and rows of books from before the
// shorter form still read.
import fc from "fast-check";
import { describe, test } from "vitest";
import { createEngine } from "../../../src/ledger/engine.ts";
import { findingsFrom, findingsText } from "../../../src/ledger/purchases/findings.ts";
import type { Findings } from "../../../src/ledger/purchases/findings.ts";
import type { ReasonCode, RuleCheck, RuleMeasure } from "../../../src/ledger/ports.ts";
import type { OfferId } from "../../../src/kernel/ids.ts";
import type { Sql } from "../../../src/ledger/book/sql.ts";
import { at, batch, offer, row, seededRandom } from "../../contract/ledger-factories.ts";
import { openBook, TODAY, value } from "./book.ts";

const stated = fc.oneof(fc.constant(null), fc.integer(), fc.string());
const check: fc.Arbitrary<RuleCheck> = fc.record({
  rule: fc.constantFrom<ReasonCode>("cap_reached", "wrong_channel", "below_minimum"),
  offerId: fc.constantFrom<OfferId | null>("off_1", "off_2", null),
  version: fc.constantFrom(1, 2, null),
  passed: fc.boolean(),
  needed: stated,
  found: stated,
  measure: fc.constantFrom<RuleMeasure>("purchase_cents", "points_per_period"),
  period: fc.constantFrom("2026-11", "offer"),
}, {
  requiredKeys: ["rule", "offerId", "version", "passed", "needed", "found"],
  noNullPrototype: true,
});
const findings: fc.Arbitrary<Findings> = fc.record({
  reasons: fc.array(fc.constantFrom<ReasonCode>("offer_applied", "refunded")),
  checks: fc.array(check),
  calculation: fc.constant(null),
  confirmAtMs: fc.constantFrom(null, 1_800_000_000_000),
  expiresAtMs: fc.constantFrom(null, 1_900_000_000_000),
}, { noNullPrototype: true });

describe("the stored verdict", () => {
  test("reads back as it was, member by member and in their order", ({ expect }) => {
    fc.assert(fc.property(findings, (each) => {
      expect(JSON.stringify(findingsFrom(findingsText(each)))).toBe(JSON.stringify(each));
    }));
  });

  test("reads in the form of older books", ({ expect }) => {
    fc.assert(fc.property(findings, (each) => {
      expect(findingsFrom(JSON.stringify(each))).toEqual(each);
    }));
  });

  test("of an older book shows the same purchase, and a refund moves it on from there", ({ expect }) => {
    const [now, then] = [openBook(), openBook()];
    for (const book of [now, then]) {
      book.record([row("1")], TODAY, {
        offers: [offer({ capPointsPerUser: 1000, period: "month" })],
      });
    }
    const { checks } = now.only().verdict;
    const [stored] = then.sql.exec("SELECT verdict FROM purchases");
    then.sql.exec(
      "UPDATE purchases SET verdict = ?",
      JSON.stringify(findingsFrom(String(stored?.["verdict"]))),
    );
    expect(then.only().verdict).toEqual(now.only().verdict);
    const refund = row("r", { kind: "refund", amountCents: 1000, purchasedOn: "2026-11-13" });
    for (const book of [now, then]) book.record([refund]);
    const [purchase] = then.purchases().filter(({ kind }) => kind === "purchase");
    expect(purchase?.verdict).toEqual(
      now.purchases().find(({ kind }) => kind === "purchase")?.verdict,
    );
    expect(purchase?.verdict.reasons).toEqual(["offer_applied", "refunded"]);
    expect(purchase?.verdict.checks.filter(({ rule }) => rule !== "refunded")).toEqual(
      checks.filter(({ rule }) => rule !== "refunded"),
    );
    expect(then.broken()).toEqual([]);
  });
});

describe("what a batch asks the storage", () => {
  function statements(rows: number): { readonly reads: number; readonly writes: number } {
    const book = openBook();
    let [reads, writes] = [0, 0];
    const counting: Sql = {
      ...book.sql,
      exec: (query, ...bindings) => {
        if (/^\s*SELECT/i.test(query)) reads += 1;
        else writes += 1;
        return book.sql.exec(query, ...bindings);
      },
    };
    const engine = createEngine({ sql: counting, random: seededRandom() });
    value(
      engine.record(
        batch(Array.from({ length: rows }, (_, index) => row(String(index)))),
        at("2026-11-14"),
      ),
    );
    return { reads, writes };
  }

  test("is as many questions for many rows as for one, and three statements for each purchase", ({ expect }) => {
    const [one, many] = [statements(1), statements(101)];
    expect(many.reads).toBe(one.reads);
    expect(many.writes - one.writes).toBe(300);
  });
});
