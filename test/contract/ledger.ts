// What every edition of the ledger must do, through `LedgerPort` alone: run over node:sqlite, in
// workerd and on Deno.
import type { OfferId, PurchaseId, UserId } from "../../src/kernel/ids.ts";
import { LEDGER_METHODS } from "../../src/ledger/object/methods.ts";
import type { LedgerMethod } from "../../src/ledger/object/methods.ts";
import type { LedgerOperations, LedgerPort } from "../../src/ledger/ports.ts";
import { ALL, at, batch, MONOPRIX, row } from "./ledger-factories.ts";

type Expect = (
  actual: unknown,
) => {
  readonly toEqual: (expected: unknown) => void;
  readonly toMatchObject: (expected: object) => void;
};
export type ContractTest = (
  name: string,
  run: (context: { readonly expect: Expect }) => Promise<void>,
) => void;
/** A ledger that holds nobody yet, with a clock the test moves, and a user nobody used. */
export type OpenLedger = () => Promise<
  {
    readonly ledger: LedgerPort & LedgerOperations;
    readonly user: UserId;
    readonly moveTo: (nowMs: number) => void;
  }
>;

const UNKNOWN: PurchaseId = "pur_0197d000-0000-7000-8000-00000000ffaa";

/** Registers the contract with the test runner that is there. */
export function ledgerContract(test: ContractTest, open: OpenLedger): void {
  test("a purchase earns, is shown, matures by reading and cannot be recorded twice", async ({ expect }) => {
    const { ledger, user, moveTo } = await open();
    moveTo(at("2026-11-14"));
    expect(await ledger.record(user, batch([row("1")]))).toMatchObject({
      ok: true,
      value: { recorded: 1, earnedPoints: 104 },
    });
    expect(await ledger.record(user, batch([row("1")]))).toMatchObject({
      ok: true,
      value: { recorded: 0, unchanged: 1 },
    });
    const asked = (period: string) => ({
      offers: [{ offerId: "off_1" as OfferId, brandId: MONOPRIX, period }],
    });
    expect(await ledger.offerUse(user, asked("2026-11"))).toEqual({
      ok: true,
      value: {
        activations: [],
        used: [{
          offerId: "off_1",
          points: 104,
          purchases: 1,
          resetsOn: "2026-12-01",
          bought: true,
        }],
      },
    });
    expect(await ledger.offerUse(user, asked("2026-12"))).toMatchObject({
      ok: true,
      value: { used: [{ points: 0, purchases: 0, bought: true }] },
    });
    expect(await ledger.purchases(user, ALL)).toMatchObject({
      ok: true,
      value: {
        items: [{ externalId: "1", verdict: { outcome: "earned", points: 104 } }],
        nextBefore: null,
      },
    });
    expect(await ledger.points(user)).toMatchObject({
      ok: true,
      value: { balances: { pending: 104, available: 0, held: 0 } },
    });
    moveTo(at("2026-12-12"));
    expect(await ledger.points(user)).toMatchObject({
      ok: true,
      value: { balances: { pending: 0, available: 104, held: 0 } },
    });
    expect(await ledger.entries(user, { limit: 10, before: null })).toMatchObject({
      ok: true,
      value: { items: [{ kind: "confirm" }, { kind: "earn" }] },
    });
    expect(await ledger.verify(user)).toMatchObject({ ok: true, value: { broken: [] } });
  });

  test("a hold repeats by its key, conflicts on other input and refuses what is not there", async ({ expect }) => {
    const { ledger, user, moveTo } = await open();
    moveTo(at("2026-12-12"));
    await ledger.record(user, batch([row("1")]));
    const hold = { kind: "hold", redemptionId: "red_1", points: 100, expiresAtMs: null } as const;
    const first = await ledger.operate(user, { key: "k", operation: hold });
    expect(first).toMatchObject({
      ok: true,
      value: { state: "open", balances: { available: 4, held: 100 } },
    });
    expect(await ledger.operate(user, { key: "k", operation: hold })).toEqual(first);
    expect(await ledger.operate(user, { key: "k", operation: { ...hold, points: 99 } })).toEqual({
      ok: false,
      error: { code: "idempotency_conflict" },
    });
    expect(await ledger.operate(user, { key: "k2", operation: { ...hold, redemptionId: "red_2" } }))
      .toEqual({
        ok: false,
        error: { code: "points_insufficient", available: 4 },
      });
  });

  test("a broken invariant refuses this call and leaves the book as it was", async ({ expect }) => {
    const { ledger, user, moveTo } = await open();
    moveTo(at("2026-11-14"));
    await ledger.record(user, batch([row("1")]));
    const before = await ledger.points(user);
    expect(await ledger.record(user, batch([row("2"), row("3", { amountCents: 0.5 })]))).toEqual({
      ok: false,
      error: { code: "ledger_refused" },
    });
    expect(await ledger.points(user)).toEqual(before);
  });

  test("balances and the newest entries come in one call and agree with the two apart", async ({ expect }) => {
    const { ledger, user, moveTo } = await open();
    moveTo(at("2026-11-14"));
    await ledger.record(user, batch([row("1"), row("2")]));
    const [points, entries] = [
      await ledger.points(user),
      await ledger.entries(user, { limit: 1, before: null }),
    ];
    if (!points.ok || !entries.ok) throw new Error("refused");
    expect(await ledger.overview(user, { limit: 1 })).toEqual({
      ok: true,
      value: { points: points.value, entries: entries.value },
    });
    expect(entries.value.items[0]?.balances).toEqual(points.value.balances);
  });

  test("what is not there is null or empty, not an error", async ({ expect }) => {
    const { ledger, user, moveTo } = await open();
    moveTo(at("2026-11-14"));
    expect(await ledger.purchase(user, UNKNOWN)).toEqual({ ok: true, value: null });
    expect(await ledger.purchases(user, ALL)).toEqual({
      ok: true,
      value: { items: [], nextBefore: null },
    });
    expect(await ledger.activations(user)).toEqual({ ok: true, value: [] });
    expect(await ledger.bankingActivity(user)).toEqual({
      ok: true,
      value: { connections: [], accounts: [] },
    });
    expect(await ledger.reviews(user)).toEqual({ ok: true, value: [] });
  });

  test("every method of the table is served, and answers erased once the ledger is erased", async ({ expect }) => {
    const { ledger, user, moveTo } = await open();
    moveTo(at("2026-11-14"));
    const leaf = await ledger.erase(user);
    for (const name of Object.keys(LEDGER_METHODS) as LedgerMethod[]) {
      const call: (user: UserId, input: never) => Promise<unknown> = ledger[name];
      const expected = name === "leaf" || name === "erase"
        ? leaf
        : { ok: false, error: { code: "erased" } };
      // An erased ledger answers before it reads its input.
      expect([name, await call(user, null as never)]).toEqual([name, expected]);
    }
  });

  test("an erased ledger answers erased and keeps its leaf", async ({ expect }) => {
    const { ledger, user, moveTo } = await open();
    moveTo(at("2026-11-14"));
    await ledger.record(user, batch([row("1")]));
    const leaf = await ledger.leaf(user);
    expect(await ledger.erase(user)).toEqual(leaf);
    const erased = { ok: false, error: { code: "erased" } };
    expect(await ledger.points(user)).toEqual(erased);
    expect(await ledger.record(user, batch([row("2")]))).toEqual(erased);
    expect(await ledger.exportPage(user, null)).toEqual(erased);
    expect(await ledger.leaf(user)).toEqual(leaf);
  });
}
