// Of several users who hold one bank account one earns; when they stop, the next one does, by
// itself, and no row is lost or paid twice.
import { describe, expect, it } from "vitest";
import { deliver, START_MS, syncedBody } from "../support/banking-app.ts";
import type { BankingApp } from "../support/banking-app.ts";
import { all, app, nothingDue, sweepAfter, useAloneBankingApp } from "../support/banking-d1.ts";
import {
  accountOf,
  HOUR,
  jointHolders,
  noticesOf,
  recordedBy,
  shows,
} from "../support/joint-accounts.ts";
import type { JointHolder } from "../support/joint-accounts.ts";

useAloneBankingApp();

const DAY = 24 * HOUR;
/** A scenario at every await, on a loaded machine. */
const CRASHES_MS = 180_000;
const unlink = (holder: JointHolder) =>
  app.call("DELETE", `/v1/bank-connections/${holder.connectionId}`, { as: holder.userId });
const switchTo = (holder: JointHolder, earning: boolean) =>
  app.call("PATCH", `/v1/bank-accounts/${holder.accountId}`, {
    as: holder.userId,
    body: { earning },
  });
async function two(): Promise<readonly [JointHolder, JointHolder]> {
  const [first, second] = await jointHolders(app, 2);
  if (first === undefined || second === undefined) throw new Error("two holders");
  return [first, second];
}
async function accountStateAtBank(holder: JointHolder, change: Record<string, unknown>) {
  const account = app.powens.state.users.get(holder.remoteUserId)?.accounts.get(
    holder.remoteAccountId,
  );
  if (account === undefined) throw new Error("no such account");
  Object.assign(account, change);
  await deliver(
    app,
    "connection-synced",
    syncedBody(app, holder.remoteUserId, holder.remoteConnectionId, []),
  );
}

const ENDINGS: Record<string, (first: JointHolder, app: BankingApp) => Promise<unknown>> = {
  "unlinks": unlink,
  "switches earning off": (first) => switchTo(first, false),
  "withdraws bank_data": ({ userId }, app) => app.service.consentListener.bankDataWithdrawn(userId),
  "is erased": ({ userId }, app) => app.service.port.endAll(userId),
  "loses the account at the bank": (first) =>
    accountStateAtBank(first, { deleted: "2026-11-20 12:00:00" }),
  "no longer opts the account in": (first) =>
    accountStateAtBank(first, { disabled: "2026-11-20 12:00:00" }),
  "loses the connection at the aggregator": async (first, app) => {
    app.powens.state.users.get(first.remoteUserId)?.connections.clear();
    await deliver(app, "connection-deleted", {
      id: first.remoteConnectionId,
      id_user: first.remoteUserId,
    });
  },
};

describe.each(Object.entries(ENDINGS))("when the first holder %s", (_, ends) => {
  it("the second earns by itself from then on, and is told so without a name", async () => {
    const [first, second] = await two();
    expect(await accountOf(app, second)).toMatchObject({ earning: false, not_earning: "shared" });
    await ends(first, app);
    await sweepAfter(60_000);
    expect(await accountOf(app, second)).toMatchObject({ earning: true, not_earning: null });
    expect(await noticesOf(app, second)).toEqual(["earning_started"]);
    await shows(app, second, 500);
    expect(recordedBy(app, second)).toEqual(["500"]);
    const [notice] = await all<{ details: string }>(
      "SELECT details FROM user_notices WHERE user_id = ?",
      second.userId,
    );
    expect(JSON.parse(notice?.details ?? "")).toEqual({ ordinal: 1, bank: "Connecteur de test" });
  });
});

describe("the rows of a shared account", () => {
  it("that the first holder has are never paid to the second, however late they are shown", async () => {
    const [first, second] = await two();
    const sameRow = { value: -50, rdate: "2026-11-20", date: "2026-11-20" };
    await shows(app, first, 1, sameRow);
    await shows(app, second, 11, { ...sameRow, value: -20 });
    expect(recordedBy(app, first)).toEqual(["1"]);
    app.clock.ms += 60_000;
    await unlink(first);
    app.clock.ms += HOUR;
    // The first holder's purchase, shown to the second only now; another one of the same day.
    await shows(app, second, 12, sameRow);
    await shows(app, second, 13, { ...sameRow, value: -50.01 });
    await sweepAfter(60_000);
    expect(recordedBy(app, second)).toEqual(["13"]);
  });
  it("that were seen before the change stay as they were; older days do not come back with a late read", async () => {
    const [first, second] = await two();
    await shows(app, second, 1);
    app.clock.ms += 30 * DAY;
    await shows(app, first, 2);
    await unlink(first);
    await shows(app, second, 3, { rdate: "2026-12-01", date: "2026-12-01", value: -77 });
    await shows(app, second, 4);
    await sweepAfter(60_000);
    expect(recordedBy(app, second)).toEqual([]);
    await shows(app, second, 5, { value: -12 });
    expect(recordedBy(app, second)).toEqual(["5"]);
  });
  it("that were pending with the first holder are booked with the second", async () => {
    const [first, second] = await two();
    await shows(app, first, 1, { coming: true, value: -50 });
    expect(recordedBy(app, first)).toEqual(["1"]);
    await unlink(first);
    await shows(app, second, 11, { value: -50 });
    expect(recordedBy(app, second)).toEqual(["11"]);
  });
  it("that came while a ledger did not answer are read back later", async () => {
    const [first, second] = await two();
    app.ledger.fail = (userId) => userId === first.userId ? "ledger_unavailable" : null;
    expect((await unlink(first)).status).toBe(204);
    expect(await accountOf(app, second)).toMatchObject({ earning: false });
    app.clock.ms += HOUR;
    await shows(app, second, 7);
    expect(recordedBy(app, second)).toEqual([]);
    await sweepAfter(HOUR);
    expect(await accountOf(app, second)).toMatchObject({ earning: false });
    app.ledger.fail = () => null;
    await sweepAfter(2 * HOUR);
    await sweepAfter(HOUR);
    expect(await accountOf(app, second)).toMatchObject({ earning: true });
    expect(recordedBy(app, second)).toEqual(["7"]);
  });
});

describe("who is next", () => {
  it("goes by first sight, and never by what its user switched off", async () => {
    const [first, second, third] = await jointHolders(app, 3);
    if (first === undefined || second === undefined || third === undefined) {
      throw new Error("three");
    }
    await switchTo(second, false);
    expect(await accountOf(app, second)).toMatchObject({ not_earning: "choice" });
    await unlink(first);
    expect(await accountOf(app, second)).toMatchObject({ earning: false, not_earning: "choice" });
    expect(await accountOf(app, third)).toMatchObject({ earning: true });
    expect(await noticesOf(app, second)).toEqual([]);
    await unlink(third);
    expect(await accountOf(app, second)).toMatchObject({ earning: false, not_earning: "choice" });
    expect((await switchTo(second, true)).body).toMatchObject({ earning: true });
  });
  it("is the earliest of those who wait", async () => {
    const [first, second, third] = await jointHolders(app, 3);
    if (first === undefined || second === undefined || third === undefined) {
      throw new Error("three");
    }
    await unlink(first);
    expect(await accountOf(app, second)).toMatchObject({ earning: true });
    expect(await accountOf(app, third)).toMatchObject({ earning: false, not_earning: "shared" });
  });
  it("is not changed by the first holder's account coming back", async () => {
    const [first, second] = await two();
    await accountStateAtBank(first, { disabled: "2026-11-20 12:00:00" });
    await sweepAfter(60_000);
    await accountStateAtBank(first, { disabled: null });
    await sweepAfter(60_000);
    expect(await accountOf(app, first)).toMatchObject({ earning: false, not_earning: "shared" });
    expect(await accountOf(app, second)).toMatchObject({ earning: true });
    expect((await switchTo(first, true)).body.code).toBe("conflict");
    await unlink(second);
    expect(await accountOf(app, first)).toMatchObject({ earning: true });
  });
  it("is the first holder again when the account was only made anew", async () => {
    const [first, second] = await two();
    const accounts = app.powens.state.users.get(first.remoteUserId)?.accounts;
    const old = accounts?.get(first.remoteAccountId);
    if (accounts === undefined || old === undefined) throw new Error("no account");
    accounts.set(9_000_000 + first.remoteAccountId, {
      ...old,
      id: 9_000_000 + first.remoteAccountId,
    });
    await accountStateAtBank(first, { deleted: "2026-11-20 12:00:00" });
    await sweepAfter(60_000);
    expect(await accountOf(app, first)).toMatchObject({ earning: true });
    expect(await accountOf(app, second)).toMatchObject({ earning: false });
    expect(await noticesOf(app, second)).toEqual([]);
  });
  it("changes with the switch to and fro, and nothing is paid twice", async () => {
    const [first, second] = await two();
    await shows(app, first, 1, { value: -50 });
    await switchTo(first, false);
    await shows(app, second, 11, { value: -60 });
    await switchTo(second, false);
    app.clock.ms += 1000;
    expect((await switchTo(first, true)).status).toBe(200);
    await shows(app, first, 2, { value: -60 });
    await shows(app, first, 3, { value: -70 });
    expect([recordedBy(app, first), recordedBy(app, second)]).toEqual([["1", "3"], ["11"]]);
  });
});

describe("a crash", () => {
  it.each(["before", "after"] as const)(
    "%s any await of the end loses no handover, and pays no row twice",
    async (mode) => {
      for (let nth = 1;; nth++) {
        // Each round on the same day: the rows of its two holders are of one day.
        app.clock.ms = START_MS;
        await nothingDue();
        const [first, second] = await two();
        await shows(app, first, 1, { value: -50 });
        app.faults.arm(nth, mode);
        await unlink(first).catch(() => null);
        app.faults.disarm();
        const struck = app.faults.struck();
        if ((await unlink(first)).status !== 204) throw new Error("the end cannot be repeated");
        for (let round = 0; round < 2; round++) await sweepAfter(10 * 60_000);
        expect(await accountOf(app, second), `await ${nth}`).toMatchObject({ earning: true });
        expect(await noticesOf(app, second)).toEqual(["earning_started"]);
        await shows(app, second, 11, { value: -50 });
        await shows(app, second, 12, { value: -51 });
        expect(recordedBy(app, second)).toEqual(["12"]);
        if (!struck) {
          expect(nth).toBeGreaterThan(8);
          return;
        }
      }
    },
    CRASHES_MS,
  );
  it("of two ends at once leaves one holder who earns", async () => {
    const [first, second, third] = await jointHolders(app, 3);
    if (first === undefined || second === undefined || third === undefined) {
      throw new Error("three");
    }
    await Promise.all([unlink(first), unlink(second), switchTo(third, true)]);
    await sweepAfter(60_000);
    expect(await accountOf(app, third)).toMatchObject({ earning: true });
  });
});
