// `earning-transfer`: a holder asks the one who earns with a bank account to let them earn instead.
import { describe, expect, it } from "vitest";
import { hotUser } from "../support/banking-app.ts";
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
type Account = Pick<JointHolder, "userId" | "accountId">;
const ask = (holder: Account) =>
  app.call("POST", `/v1/bank-accounts/${holder.accountId}/earning-transfer`, {
    as: holder.userId,
    key: null,
  });
const say = (holder: Account, accept: boolean) =>
  app.call("POST", `/v1/bank-accounts/${holder.accountId}/earning-transfer/answer`, {
    as: holder.userId,
    body: { accept },
    key: null,
  });
async function three(): Promise<readonly [JointHolder, JointHolder, JointHolder]> {
  const [first, second, third] = await jointHolders(app, 3);
  if (first === undefined || second === undefined || third === undefined) throw new Error("three");
  return [first, second, third];
}

describe("asking", () => {
  it("shows both sides the request and neither who the other is", async () => {
    const [first, second, third] = await three();
    const asked = await ask(second);
    expect([asked.status, asked.body["transfer_asked"]]).toEqual([200, {
      by: "you",
      asked_at: "2026-11-20T15:00:00.000Z",
      expires_at: "2026-12-04T15:00:00.000Z",
    }]);
    expect(await accountOf(app, first)).toMatchObject({
      earning: true,
      transfer_asked: { by: "other", asked_at: "2026-11-20T15:00:00.000Z" },
    });
    expect(await accountOf(app, second)).toMatchObject({ transfer_asked: { by: "you" } });
    expect((await accountOf(app, third)).transfer_asked).toBeNull();
    expect(await noticesOf(app, first)).toEqual(["transfer_asked"]);
    const seen = await app.call("GET", "/v1/bank-connections", { as: first.userId });
    for (const secret of [second.userId, second.accountId]) expect(seen.text).not.toContain(secret);
  });
  it("again is the same request; of several holders one asks at a time", async () => {
    const [first, second, third] = await three();
    const before = await ask(second);
    app.clock.ms += DAY;
    const again = await ask(second);
    expect([again.status, again.body]).toEqual([200, before.body]);
    expect(await noticesOf(app, first)).toEqual(["transfer_asked"]);
    expect((await ask(third)).body.code).toBe("transfer_in_progress");
  });
  it("at the same moment as another holder: one of them asks", async () => {
    const [, second, third] = await three();
    const answers = await Promise.all([ask(second), ask(third)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });
  it("is refused where it means nothing, and hides other people's accounts", async () => {
    const [first, second] = await three();
    const alone = await hotUser(app);
    const [own] = await all<{ id: string }>(
      "SELECT id FROM bank_accounts WHERE user_id = ?",
      alone.userId,
    );
    expect((await ask(first)).body.code).toBe("transfer_not_possible");
    expect((await ask({ userId: alone.userId, accountId: own?.id ?? "" })).body.code).toBe(
      "transfer_not_possible",
    );
    expect((await ask({ userId: alone.userId, accountId: second.accountId })).status).toBe(404);
    expect((await ask({ userId: alone.userId, accountId: "nonsense" })).status).toBe(404);
    expect((await say({ userId: alone.userId, accountId: first.accountId }, true)).status).toBe(
      404,
    );
    expect(
      (await app.call("POST", `/v1/bank-accounts/${second.accountId}/earning-transfer`)).status,
    )
      .toBe(401);
    expect(
      await all(
        "SELECT id FROM earning_transfers WHERE user_id IN (?, ?)",
        first.userId,
        alone.userId,
      ),
    )
      .toEqual([]);
  });
  it("is withdrawn by switching the account off, and switches one that is off back to waiting", async () => {
    const [first, second] = await three();
    const switchOff = () =>
      app.call("PATCH", `/v1/bank-accounts/${second.accountId}`, {
        as: second.userId,
        body: { earning: false },
      });
    await ask(second);
    expect((await switchOff()).body).toMatchObject({ not_earning: "choice", transfer_asked: null });
    expect((await say(first, true)).body.code).toBe("transfer_not_asked");
    expect(await accountOf(app, first)).toMatchObject({ earning: true, transfer_asked: null });
    expect((await ask(second)).body).toMatchObject({ not_earning: "shared" });
    expect(await accountOf(app, first)).toMatchObject({ transfer_asked: { by: "other" } });
  });
});

describe("the answer", () => {
  it("yes: from then on the other earns; what was earned stays, and no row counts twice", async () => {
    const [first, second, third] = await three();
    await shows(app, first, 1, { value: -50 });
    await ask(second);
    const answered = await say(first, true);
    expect([answered.status, answered.body]).toMatchObject([200, {
      earning: false,
      not_earning: "shared",
      transfer_asked: null,
    }]);
    expect(await accountOf(app, second)).toMatchObject({ earning: true, transfer_asked: null });
    expect(await accountOf(app, third)).toMatchObject({ earning: false });
    expect(await noticesOf(app, second)).toEqual(["earning_started"]);
    await shows(app, second, 11, { value: -50 });
    await shows(app, second, 12, { value: -51 });
    await shows(app, first, 2, { value: -51 });
    expect([recordedBy(app, first), recordedBy(app, second)]).toEqual([["1"], ["12"]]);
    expect((await say(first, true)).body).toEqual(answered.body);
    expect((await say(first, false)).body.code).toBe("transfer_not_asked");
    // And back, by asking in turn.
    expect((await ask(first)).status).toBe(200);
    expect((await say(second, true)).body).toMatchObject({ earning: false });
    expect(await accountOf(app, first)).toMatchObject({ earning: true });
  });
  it("no: nothing changes, the other is told, and does not ask again for a while", async () => {
    const [first, second, third] = await three();
    await ask(second);
    for (let times = 0; times < 2; times++) {
      expect((await say(first, false)).body).toMatchObject({ earning: true, transfer_asked: null });
    }
    expect((await say(first, true)).body.code).toBe("transfer_not_asked");
    expect(await noticesOf(app, second)).toEqual(["transfer_refused"]);
    expect((await accountOf(app, second)).transfer_asked).toBeNull();
    expect((await ask(second)).body.code).toBe("transfer_in_progress");
    expect((await ask(third)).status).toBe(200);
    await say(first, false);
    app.clock.ms += 14 * DAY;
    expect((await ask(second)).status).toBe(200);
  });
  it.each([true, false])(
    "none for 14 days changes nothing (the sweep was by: %s)",
    async (swept) => {
      const [first, second] = await three();
      await ask(second);
      app.clock.ms += 14 * DAY - 1;
      expect((await accountOf(app, first)).transfer_asked).not.toBeNull();
      app.clock.ms += 1;
      if (swept) await app.service.sweep(app.clock.ms);
      expect((await accountOf(app, first)).transfer_asked).toBeNull();
      expect((await accountOf(app, second)).transfer_asked).toBeNull();
      expect((await say(first, true)).body.code).toBe("transfer_not_asked");
      expect(await accountOf(app, first)).toMatchObject({ earning: true });
      expect((await ask(second)).status).toBe(200);
    },
  );
  it("yes to somebody who has left in the meantime gives nothing away", async () => {
    const [first, second] = await three();
    await ask(second);
    await app.call("DELETE", `/v1/bank-connections/${second.connectionId}`, { as: second.userId });
    expect((await say(first, true)).body.code).toBe("transfer_not_asked");
    expect(await accountOf(app, first)).toMatchObject({ earning: true });
  });
  it("yes and no at once: one of them", async () => {
    const [first, second] = await three();
    await ask(second);
    const [yes, no] = await Promise.all([say(first, true), say(first, false)]);
    expect([yes.status, no.status].sort()).toEqual([200, 409]);
    await sweepAfter(60_000);
    expect((await accountOf(app, second)).earning).toBe(yes.status === 200);
    expect((await accountOf(app, first)).earning).toBe(no.status === 200);
  });
  it.each(["before", "after"] as const)(
    "yes with a crash %s any await ends with the other earning",
    async (mode) => {
      for (let nth = 1;; nth++) {
        await nothingDue();
        const [first, second] = await jointHolders(app, 2);
        if (first === undefined || second === undefined) throw new Error("two");
        await ask(second);
        app.faults.arm(nth, mode);
        await say(first, true).catch(() => null);
        app.faults.disarm();
        const struck = app.faults.struck();
        expect((await say(first, true)).status).toBe(200);
        await sweepAfter(10 * 60_000);
        expect([(await accountOf(app, first)).earning, (await accountOf(app, second)).earning])
          .toEqual([false, true]);
        expect(await noticesOf(app, second)).toEqual(["earning_started"]);
        if (!struck) {
          expect(nth).toBeGreaterThan(4);
          return;
        }
      }
    },
    CRASHES_MS,
  );
});
