// Which account a listing shows and which rows it repeats (DESIGN.md section 4, rules (a), (b), (d)
// and (f)): the lives that were reported from outside, and others of their kinds.
import * as fc from "fast-check";
import { describe, test } from "vitest";
import type { AccountId, ConnectionId } from "../../../src/kernel/ids.ts";
import type { AccountGeneration, BankRow } from "../../../src/ledger/ports.ts";
import { account, at, essence, FNAC, row } from "../../contract/ledger-factories.ts";
import { openBook } from "./book.ts";

const card = (id: string, more: Parameters<typeof account>[1] = {}): AccountGeneration =>
  account(id, { strength: "parent", fingerprint: "iban_100", nameTag: "visa", ...more });
const parent = account("acc_100", { fingerprint: "iban_100", nameTag: "current" });
const on = (accountId: string, id: string, more: Partial<BankRow> = {}): BankRow =>
  row(id, { accountId: accountId as AccountId, ...more });
const elsewhere = { connectionId: "con_2" as ConnectionId };

/** Every order of a few deliveries. */
function orders<T>(items: readonly T[]): T[][] {
  return items.length < 2
    ? [[...items]]
    : items.flatMap((item, index) =>
      orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest])
    );
}

/** What is left of the rows, delivered one by one in every order. */
function endings(accounts: readonly AccountGeneration[], rows: readonly BankRow[]): Set<string> {
  return new Set(
    orders(rows).map((order) => {
      const book = openBook();
      for (const each of order) book.record([each], "2026-11-14", { accounts });
      const broken = book.broken();
      return `${book.balances()} of ${book.purchases().length}${broken.join()}`;
    }),
  );
}

describe("accounts that one connection lists at the same time", () => {
  test("are different accounts, though they share parent and name", ({ expect }) => {
    const accounts = [card("acc_101"), card("acc_102")];
    expect(endings(accounts, [on("acc_101", "1"), on("acc_102", "2")])).toEqual(
      new Set(["208 0 0 of 2"]),
    );
    expect(
      endings(accounts, [on("acc_101", "1"), on("acc_102", "2", { purchasedOn: "2026-11-09" })]),
    ).toEqual(new Set(["208 0 0 of 2"]));
  });

  test("are so without any IBAN, and three of them too", ({ expect }) => {
    const accounts = ["acc_1", "acc_2", "acc_3"].map((id) => account(id, { strength: "weak" }));
    expect(endings(accounts, accounts.map(({ accountId }, index) => on(accountId, `${index}`))))
      .toEqual(new Set(["312 0 0 of 3"]));
  });

  test("are each repeated by their own successor after both cards were renewed", ({ expect }) => {
    const accounts = [
      card("acc_101", { goneAtMs: at("2026-11-13") }),
      card("acc_102", { goneAtMs: at("2026-11-13"), nameTag: "gold" }),
      card("acc_103", { createdAtMs: at("2026-11-13"), nameTag: "gold" }),
      card("acc_104", { createdAtMs: at("2026-11-13"), nameTag: "other" }),
    ];
    const rows = ["101", "102", "103", "104"].map((no) => on(`acc_${no}`, no));
    expect(endings(accounts, rows)).toEqual(new Set(["208 0 0 of 2"]));
  });

  test("are one account all the same when they have one IBAN", ({ expect }) => {
    expect(endings([account("acc_1"), account("acc_2")], [on("acc_1", "1"), on("acc_2", "2")]))
      .toEqual(new Set(["104 0 0 of 1"]));
  });
});

describe("a card that is renewed", () => {
  const gone = card("acc_121", { goneAtMs: at("2026-11-13"), nameTag: "visa 1234" });
  const fresh = card("acc_122", { createdAtMs: at("2026-11-13"), nameTag: "visa 5678" });

  test("is paid once for a row that comes again under its new account", ({ expect }) => {
    expect(endings([gone, fresh], [on("acc_121", "1"), on("acc_122", "2")])).toEqual(
      new Set(["104 0 0 of 1"]),
    );
  });

  test("so it is after unlinking and linking again, though the old one was never seen to go", ({ expect }) => {
    const accounts = [{ ...gone, goneAtMs: null }, { ...fresh, ...elsewhere }];
    expect(endings(accounts, [on("acc_121", "1"), on("acc_122", "2")])).toEqual(
      new Set(["104 0 0 of 1"]),
    );
  });

  test("so it is without any IBAN and under another name", ({ expect }) => {
    const accounts = [
      account("acc_1", { strength: "weak", goneAtMs: at("2026-11-13") }),
      account("acc_2", { strength: "weak", createdAtMs: at("2026-11-13"), nameTag: "renamed" }),
    ];
    expect(endings(accounts, [on("acc_1", "1"), on("acc_2", "2")])).toEqual(
      new Set(["104 0 0 of 1"]),
    );
  });

  test("is another purchase at another brand, at another bank or under another parent", ({ expect }) => {
    const fnac = { brand: { id: FNAC, matched: "FNAC" } };
    const rows = [on("acc_121", "1"), on("acc_122", "2")];
    expect(endings([gone, fresh], [on("acc_121", "1"), on("acc_122", "2", fnac)])).toEqual(
      new Set(["104 0 0 of 2"]),
    );
    const apart = { ...fresh, unitIban: "iban_900" };
    expect(endings([gone, apart], rows)).toEqual(new Set(["208 0 0 of 2"]));
    const banks = ["bank_a", "bank_b"].map((fingerprint, index) =>
      account(`acc_${index}`, { strength: "weak", fingerprint, ...(index === 0 ? {} : elsewhere) })
    );
    expect(endings(banks, [on("acc_0", "1"), on("acc_1", "2")])).toEqual(new Set(["208 0 0 of 2"]));
  });
});

describe("one IBAN", () => {
  test("in two living connections, or at two aggregators, is paid once in every order", ({ expect }) => {
    const second = account("acc_2", { ...elsewhere, bankKey: "as the other calls it" });
    for (const linkId of ["lnk_1", "lnk_2"]) {
      const rows = [on("acc_1", "1"), on("acc_2", "2", { purchasedOn: "2026-11-13" })];
      expect(endings([account(), { ...second, linkId }], rows)).toEqual(
        new Set(["104 0 0 of 1"]),
      );
    }
  });

  test("that a bank stops giving, or gives late, leaves one account", ({ expect }) => {
    const before = account("acc_1", { goneAtMs: at("2026-11-13") });
    const after = account("acc_2", {
      strength: "weak",
      fingerprint: "bank",
      createdAtMs: at("2026-11-13"),
    });
    for (const accounts of [[before, after], [{ ...after, createdAtMs: 1, goneAtMs: 2 }, before]]) {
      expect(endings(accounts, [on("acc_1", "1"), on("acc_2", "2")])).toEqual(
        new Set(["104 0 0 of 1"]),
      );
    }
  });
});

describe("a row that moves to another account", () => {
  const accounts = [card("acc_110"), card("acc_111")];
  const moved = [
    on("acc_110", "500"),
    on("acc_111", "500", { lastUpdateMs: 2000, amountCents: 5000 }),
  ];

  test("is the same row, in every order, with the words of its newest version", ({ expect }) => {
    expect(endings(accounts, moved)).toEqual(new Set(["150 0 0 of 1"]));
    const book = openBook();
    for (const each of moved) book.record([each], "2026-11-14", { accounts });
    expect(book.only()).toMatchObject({ accountId: "acc_111", amountCents: 5000 });
    expect(book.record(moved, "2026-11-14", { accounts })).toMatchObject({
      recorded: 0,
      unchanged: 2,
    });
  });

  test("also twice, within one delivery, and to an account of another family", ({ expect }) => {
    const book = openBook();
    const all = [...accounts, account("acc_9", { fingerprint: "iban_9" })];
    const far = on("acc_9", "500", { lastUpdateMs: 3000 });
    book.record([...moved, far], "2026-11-14", { accounts: all });
    expect(book.only()).toMatchObject({ accountId: "acc_9" });
    book.record([on("acc_110", "500", { lastUpdateMs: 4000 })], "2026-11-14", { accounts: all });
    expect(book.only()).toMatchObject({ accountId: "acc_110" });
    expect(book.balances()).toBe("104 0 0");
    expect(book.broken()).toEqual([]);
  });

  test("leaves the row that had repeated it as a purchase of its own", ({ expect }) => {
    const book = openBook();
    const all = [
      account("acc_1"),
      account("acc_2", { createdAtMs: at("2026-11-13") }),
      account("acc_9", { fingerprint: "iban_9" }),
    ];
    book.record([on("acc_1", "1"), on("acc_2", "2")], "2026-11-14", { accounts: all });
    expect(book.balances()).toBe("104 0 0");
    book.record([on("acc_9", "1", { lastUpdateMs: 2000 })], "2026-11-14", { accounts: all });
    expect(book.balances()).toBe("208 0 0");
    expect(book.broken()).toEqual([]);
  });

  test("is not the row of that id at another aggregator", ({ expect }) => {
    const other = account("acc_9", { fingerprint: "iban_9", linkId: "lnk_2", ...elsewhere });
    expect(endings([card("acc_110"), other], [on("acc_110", "500"), on("acc_9", "500")])).toEqual(
      new Set(["208 0 0 of 2"]),
    );
  });
});

describe("a card account and its parent", () => {
  const accounts = [parent, card("acc_101", { parentAccountId: parent.accountId })];

  test("show one purchase twice when cents, day and brand are equal; the card account's counts", ({ expect }) => {
    const rows = [on("acc_100", "p", { labelTag: "as the parent says" }), on("acc_101", "c")];
    expect(endings(accounts, rows)).toEqual(new Set(["104 0 0 of 1"]));
    const book = openBook();
    for (const each of rows) book.record([each], "2026-11-14", { accounts });
    expect(book.only()).toMatchObject({ accountId: "acc_101", externalId: "c" });
  });

  test("do so without a brand only under one label", ({ expect }) => {
    const rows = (labelTag: string) => [
      on("acc_100", "p", { brand: null, labelTag }),
      on("acc_101", "c", { brand: null, labelTag: "cafe" }),
    ];
    expect(endings(accounts, rows("cafe"))).toEqual(new Set(["0 0 0 of 1"]));
    expect(endings(accounts, rows("shoes"))).toEqual(new Set(["0 0 0 of 2"]));
  });

  test("show different purchases on another day, of other cents or at another brand", ({ expect }) => {
    const fnac = { brand: { id: FNAC, matched: "FNAC" } };
    for (const more of [{ purchasedOn: "2026-11-11" }, { amountCents: 3491 }, fnac]) {
      const [ending] = endings(accounts, [on("acc_100", "p", more), on("acc_101", "c")]);
      expect(ending).toMatch(/ of 2$/);
    }
  });

  test("are matched one to one", ({ expect }) => {
    const rows = [on("acc_100", "p1"), on("acc_100", "p2"), on("acc_101", "c")];
    expect(endings(accounts, rows)).toEqual(new Set(["208 0 0 of 2"]));
  });

  test("are known for parent and card by the IBAN too, and by the listing alone", ({ expect }) => {
    const rows = [on("acc_100", "p"), on("acc_101", "c")];
    const byIban = [parent, card("acc_101", elsewhere)];
    const byListing = [
      account("acc_100", { strength: "weak" }),
      account("acc_101", { strength: "weak", parentAccountId: parent.accountId }),
    ];
    for (const each of [byIban, byListing]) {
      expect(endings(each, rows)).toEqual(new Set(["104 0 0 of 1"]));
    }
  });

  test("leave the purchase to the parent's row when the card account's is taken back", ({ expect }) => {
    const rows = [
      on("acc_100", "p"),
      on("acc_101", "c"),
      on("acc_101", "c", { state: "deleted", lastUpdateMs: 2000 }),
    ];
    for (const order of orders(rows)) {
      const book = openBook();
      for (const each of order) book.record([each], "2026-11-14", { accounts });
      expect(book.balances()).toBe("104 0 0");
      expect(book.broken()).toEqual([]);
    }
  });

  test("show one purchase still after both came again in another connection", ({ expect }) => {
    const later = { createdAtMs: at("2026-11-13"), ...elsewhere };
    const all = [
      ...accounts,
      { ...parent, accountId: "acc_200" as AccountId, ...later },
      card(
        "acc_201",
        { parentAccountId: "acc_200", nameTag: "renamed", ...later },
      ),
    ];
    const rows = ["100", "101", "200", "201"].map((no) => on(`acc_${no}`, no));
    expect(endings(all, rows)).toEqual(new Set(["104 0 0 of 1"]));
  });
});

describe("order of arrival", () => {
  const listings = [
    parent,
    card("acc_101", { goneAtMs: at("2026-10-20") }),
    card("acc_102", { nameTag: "gold" }),
    card("acc_103", { createdAtMs: at("2026-10-20"), nameTag: "new" }),
    card("acc_104", { createdAtMs: at("2026-10-21"), ...elsewhere }),
    account("acc_105", { strength: "weak", fingerprint: "bank", ...elsewhere }),
  ];
  const drawn = fc.record({
    account: fc.constantFrom(...listings.map(({ accountId }) => accountId)),
    id: fc.integer({ min: 1, max: 8 }),
    day: fc.integer({ min: 14, max: 24 }),
    cents: fc.constantFrom(1000, 1000, 2550),
    state: fc.constantFrom("booked", "booked", "booked", "pending", "deleted"),
    update: fc.integer({ min: 1, max: 40 }),
    brand: fc.constantFrom(true, true, true, false),
    tag: fc.constantFrom("a", "a", "b"),
  }, { noNullPrototype: true });

  test(
    "decides nothing, whatever the accounts are to each other",
    { timeout: 90_000 },
    ({ expect }) => {
      fc.assert(
        fc.property(
          fc.uniqueArray(drawn, {
            minLength: 1,
            maxLength: 9,
            selector: ({ id, update }) => `${id} ${update}`,
          }),
          fc.infiniteStream(fc.nat()),
          (versions, stream) => {
            const rows = versions.map(({ account: accountId, id, day, cents, state, ...more }) =>
              row(`x${id}`, {
                accountId,
                purchasedOn: `2026-10-${day}`,
                bookedOn: state === "pending" ? null : `2026-10-${day}`,
                amountCents: cents,
                state,
                lastUpdateMs: more.update,
                labelTag: more.tag,
                ...(more.brand ? {} : { brand: null }),
              })
            );
            const shuffled = rows.map((each) => ({ each, key: stream.next().value as number }))
              .sort(
                (a, b) => a.key - b.key,
              ).map(({ each }) => each);
            const [together, apart] = [openBook(), openBook()];
            together.record(rows, "2026-10-29", { accounts: listings });
            for (const each of shuffled) {
              // A delivery names the accounts of its own connection only.
              const { connectionId } = listings.find((one) => one.accountId === each.accountId) ??
                parent;
              apart.record([each], "2026-10-29", {
                accounts: listings.filter((one) => one.connectionId === connectionId),
              });
            }
            for (const one of new Set(listings.map(({ connectionId }) => connectionId))) {
              apart.record([], "2026-10-29", {
                accounts: listings.filter(({ connectionId }) => connectionId === one),
              });
            }
            expect(apart.broken("2026-10-29")).toEqual([]);
            expect(essence(apart.purchases("2026-10-29"))).toEqual(
              essence(together.purchases("2026-10-29")),
            );
            expect(apart.balances("2026-10-29")).toEqual(together.balances("2026-10-29"));
          },
        ),
        { numRuns: Number(process.env["RUNS"] ?? 200) },
      );
    },
  );
});
