import { describe, test } from "vitest";
import type { SqlDatabase } from "../../../src/db/d1.ts";
import { ENGINE_METHODS } from "../../../src/ledger/object/methods.ts";
import type { EngineMethod } from "../../../src/ledger/object/methods.ts";
import { createShell, createTurns } from "../../../src/ledger/object/shell-core.ts";
import type { ShellHost } from "../../../src/ledger/object/shell-core.ts";
import { at, batch, row, USER } from "../../contract/ledger-factories.ts";
import { openBook, TODAY, value } from "./book.ts";
import type { Halt, PointsView } from "../../../src/ledger/ports.ts";

type Answer = { readonly ok: true; readonly value: PointsView };
const NOW = at(TODAY);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const REFUSED = { ok: false, error: { code: "ledger_refused" } };
const DOWN: SqlDatabase = {
  prepare: () => {
    throw new Error("down");
  },
  batch: () => Promise.reject(new Error("down")),
};

/** A shell over a book in memory; D1 does not answer. Lists what the shell asks of its host. */
function openShell(more: Partial<ShellHost> = {}) {
  const book = openBook();
  const alarms: (number | null | "removed")[] = [];
  const alerts: string[] = [];
  const inTurn = createTurns();
  const shell = createShell({
    userId: USER,
    database: DOWN,
    reserve: () => Promise.reject(new Error("no budget is asked")),
    helpers: {
      halts: { known: () => [], refresh: async () => {} },
      offersOn: () => Promise.reject(new Error("no day is due")),
      sendNotice: async () => false,
      offerToSample: async () => {},
    },
    log: { info: () => {}, alert: (event) => alerts.push(event) },
    use: (work) => work(book),
    isFit: () => true,
    requireStorage: () => {},
    inTurn: (round) => inTurn(USER, round),
    setAlarm: (dueMs) => void alarms.push(dueMs),
    removeAlarm: () => void alarms.push("removed"),
    replaceBook: (close) => ({
      leaf: book.sql.replaceAll(() => close(book.engine)),
      emptied: Promise.resolve(),
    }),
    ...more,
  });
  return { shell, book, alarms, alerts };
}

describe("createShell()", () => {
  test("sets the alarm after each write that took effect, and after no read", async ({ expect }) => {
    // The book's own answers are other tests' matter: here each call succeeds.
    const { book } = openShell();
    const engine = {
      ...book.engine,
      ...Object.fromEntries(
        Object.keys(ENGINE_METHODS).map((name) => [name, () => ({ ok: true, value: null })]),
      ),
    };
    for (const name of Object.keys(ENGINE_METHODS) as EngineMethod[]) {
      const { shell, alarms } = openShell({ use: (work) => work({ sql: book.sql, engine }) });
      const call: (input: never, nowMs: number) => Promise<unknown> = shell[name];
      await call(null as never, NOW);
      const written = ["record", "operate", "decideReview"].includes(name);
      expect([name, alarms.length]).toEqual([name, written ? 1 : 0]);
    }
  });

  test("reads the halts once something is due, and lets it wait while D1 does not answer", async ({ expect }) => {
    let known: readonly Halt[] | null = null;
    let reads = 0;
    let down = true;
    const refresh = async (): Promise<void> => {
      reads += 1;
      if (down) throw new Error("down");
      known = [];
    };
    const book = openBook(undefined, 1, () => known);
    const { shell, alerts } = openShell({
      use: (work) => work(book),
      helpers: {
        halts: { known: () => known, refresh },
        offersOn: () => Promise.reject(new Error("no day is due")),
        sendNotice: async () => false,
        offerToSample: async () => {},
      },
    });
    await shell.record(batch([row("1")]), NOW);
    const due = at("2026-12-13");
    const pending = async () => value(await shell.points(null, due) as never as Answer).balances;
    await shell.points(null, NOW);
    expect(reads).toBe(0);
    expect(await pending()).toMatchObject({ pending: 104, available: 0 });
    expect([reads, alerts]).toEqual([1, ["ledger_halts_unread"]]);
    down = false;
    expect(await pending()).toMatchObject({ pending: 0, available: 104 });
    expect(reads).toBe(2);
    await pending();
    expect(reads).toBe(2);
  });

  test("sets no alarm after a write that was refused, and alerts without the message", async ({ expect }) => {
    const { shell, alarms, alerts } = openShell();
    expect(await shell.record(batch([row("1", { amountCents: 0.5 })]), NOW)).toEqual(REFUSED);
    expect([alarms, alerts]).toEqual([[], ["ledger_refused"]]);
  });

  test("rings again a minute after a round that D1 failed", async ({ expect }) => {
    const { shell, alarms, book } = openShell();
    book.record([row("1")]);
    expect(await shell.runDue(null, NOW)).toEqual({ ok: true, value: { more: true } });
    expect(alarms).toEqual([NOW + MINUTE_MS]);
  });

  test("rings again an hour after a round that the book refused", async ({ expect }) => {
    const { shell, alarms } = openShell({
      use: () => {
        throw new Error("the file is damaged");
      },
    });
    expect(await shell.runDue(null, NOW)).toEqual(REFUSED);
    expect(alarms).toEqual([NOW + HOUR_MS]);
    await shell.arm(null, NOW);
    expect(alarms).toEqual([NOW + HOUR_MS, NOW + HOUR_MS]);
  });

  test("refuses for an unfit book without another alert, and rings again in an hour", async ({ expect }) => {
    const { shell, alarms, alerts } = openShell({ isFit: () => false });
    expect(await shell.points(null, NOW)).toEqual(REFUSED);
    expect(await shell.runDue(null, NOW)).toEqual(REFUSED);
    expect([alarms, alerts]).toEqual([[NOW + HOUR_MS], []]);
  });

  test("throws when the storage fails every user, so that the call is no single user's refusal", async ({ expect }) => {
    const { shell, alerts } = openShell({
      use: () => {
        throw new Error("disk full");
      },
      requireStorage: () => {
        throw new Error("no writes");
      },
    });
    await expect(shell.points(null, NOW)).rejects.toThrow("no writes");
    expect(alerts).toEqual([]);
  });

  test("empties no book while D1 does not answer", async ({ expect }) => {
    const { shell, alarms, alerts, book } = openShell();
    book.record([row("1")]);
    expect(await shell.erase(null, NOW)).toEqual(REFUSED);
    expect([alarms, alerts]).toEqual([[], ["ledger_close_failed"]]);
    expect(book.balances()).toBe("104 0 0");
  });

  test("removes the alarm of an erased book and sets none at a later round", async ({ expect }) => {
    // Without a name there is nobody whose sums D1 would keep.
    const { shell, alarms, book } = openShell({ userId: undefined });
    book.record([row("1")]);
    const leaf = await shell.leaf(null, NOW);
    expect(await shell.erase(null, NOW)).toEqual(leaf);
    expect(alarms).toEqual(["removed"]);
    expect(await shell.runDue(null, NOW)).toEqual({ ok: false, error: { code: "erased" } });
    expect(alarms).toEqual(["removed", null]);
  });
});

describe("createTurns()", () => {
  test("runs work of one key one after the other, also after a failure, and other keys beside it", async ({ expect }) => {
    const inTurn = createTurns();
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = inTurn("a", async () => {
      seen.push("first begins");
      await gate.promise;
      seen.push("first ends");
      throw new Error("failed");
    });
    const second = inTurn("a", async () => void seen.push("second"));
    await inTurn("b", async () => void seen.push("other key"));
    expect(seen).toEqual(["first begins", "other key"]);
    gate.resolve();
    await expect(first).rejects.toThrow("failed");
    await second;
    expect(seen).toEqual(["first begins", "other key", "first ends", "second"]);
  });
});
