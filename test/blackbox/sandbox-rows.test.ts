// The sandbox by itself, over real HTTP: rows, their webhooks and the retries of these.
import { describe, expect, it } from "vitest";
import type { Control } from "../support/sandbox-harness.ts";
import {
  api,
  connect,
  hang,
  post,
  pushedRows,
  received,
  synced,
  transactions,
  useWorld,
  world,
} from "../support/sandbox-harness.ts";

useWorld();

describe("a purchase", () => {
  it("arrives as a signed webhook with the new row only, after a first one with the whole history", async () => {
    const { connectionId, location } = await connect();
    expect(location.searchParams.get("state")).toBe("s-1");
    expect(received.map(({ path }) => path)).toEqual(
      ["account-enabled", "account-enabled", "connection-synced"].map((event) =>
        `/webhooks/powens/${event}`
      ),
    );
    expect(pushedRows(synced()[0]).length).toBeGreaterThan(20);
    const answer = await post("/purchases", {
      connection_id: connectionId,
      amount_cents: 3490,
      merchant: "Monoprix",
      rdate: "2026-11-12",
    });
    expect(answer).toMatchObject({ delivered: true, status: 200 });
    expect(received.every(({ signed }) => signed)).toBe(true);
    const last = synced().at(-1);
    expect(pushedRows(last)).toMatchObject([{
      id: answer.rows[0]?.id,
      value: -34.9,
      type: "card",
      original_wording: "CB MONOPRIX 75011 12/11",
      coming: false,
      new: true,
    }]);
    expect(last?.id_webhook_data).toBe(answer.webhooks[0]?.id_webhook_data);
    const raw = received.at(-1)?.body ?? "";
    expect(raw).toContain('"value": -34.9, ');
    expect(JSON.stringify(JSON.parse(raw))).not.toBe(raw);
  });

  it("on the deferred card is a deferred_card row, and the month's total a summary_card on the checking account", async () => {
    const { connectionId } = await connect(undefined, undefined, "0");
    const before = await post("/purchases", {
      connection_id: connectionId,
      account: "card",
      amount_cents: 5200,
      merchant: "Sephora",
    });
    expect(before.rows[0]).toMatchObject({ type: "deferred_card", value: -52 });
    const summary = await post("/summaries", { connection_id: connectionId });
    expect(summary.rows[0]).toMatchObject({ type: "summary_card" });
    expect(summary.rows[0]?.value).toBeLessThanOrEqual(-52);
  });

  it("to an account that is not shared stays unknown to the aggregator", async () => {
    const { token, connectionId } = await connect();
    const before = (await transactions(token, "&all")).length;
    const answer = await post<Control & { account_disabled: boolean }>("/purchases", {
      connection_id: connectionId,
      account: "savings",
    });
    expect(answer).toMatchObject({ account_disabled: true, rows: [{ id: null }] });
    expect((await transactions(token, "&all")).length).toBe(before);
    expect(pushedRows(synced().at(-1))).toHaveLength(0);
  });

  it("is refused when a field is unknown or no connection fits", async () => {
    expect(await post("/purchases", { amount: 12 })).toMatchObject({ error: "invalid" });
    expect(await post("/purchases", { connection_id: 1 })).toMatchObject({ error: "not_found" });
    expect(await post("/purchases", { amount_cents: -5 })).toMatchObject({ error: "invalid" });
  });

  it("can be refunded in part, paid abroad, made twice, and sit among rows that are none", async () => {
    const { connectionId } = await connect();
    const bought = await post("/purchases", {
      connection_id: connectionId,
      amount_cents: 5000,
      merchant: "Fnac",
      count: 2,
    });
    expect(new Set(bought.rows.map(({ id }) => id)).size).toBe(2);
    expect((await post("/refunds", { row: bought.rows[0]?.id, amount_cents: 1000 })).rows[0])
      .toMatchObject({
        value: 10,
        type: "card",
        original_wording: expect.stringContaining("AVOIR CB FNAC"),
      });
    await post("/purchases", {
      connection_id: connectionId,
      amount_cents: 2310,
      currency: "USD",
      original_amount: 2500,
    });
    expect(pushedRows(synced().at(-1))).toMatchObject([{
      value: -23.1,
      original_value: -25,
      original_currency: { id: "USD" },
    }]);
    for (
      const [path, type] of [["/transfers", "transfer"], ["/direct-debits", "order"], [
        "/withdrawals",
        "withdrawal",
      ], ["/salaries", "transfer"]] as const
    ) {
      expect((await post(path, { connection_id: connectionId })).rows[0]).toMatchObject({ type });
    }
  });
});

describe("the life of a row", () => {
  it("is booked under the same id or a new one, and changes are seen by reading even when no webhook carries them", async () => {
    const { token, connectionId } = await connect();
    const [same, other] = (await post("/purchases", {
      connection_id: connectionId,
      amount_cents: 8000,
      merchant: "Total",
      pending: true,
      count: 2,
    })).rows;
    await post(`/rows/${same?.id}/book`, { amount_cents: 5417 });
    expect(pushedRows(synced().at(-1))).toHaveLength(0);
    await post(`/rows/${other?.id}/book`, { amount_cents: 6000, new_id: true });
    expect(pushedRows(synced().at(-1))).toMatchObject([{ value: -60, coming: false }]);
    const rows = await transactions(token, "&all");
    expect(rows.find(({ id }) => id === same?.id)).toMatchObject({
      value: -54.17,
      coming: false,
      deleted: null,
    });
    expect(rows.find(({ id }) => id === other?.id)?.deleted).not.toBeNull();
    expect((await transactions(token)).some(({ id }) => id === other?.id)).toBe(false);
    await post(`/rows/${same?.id}/amend`, {
      label: "CB AUTRE",
      resend: true,
      last_update: "2026-01-01 00:00:00",
    });
    expect(pushedRows(synced().at(-1))).toMatchObject([{
      id: same?.id,
      original_wording: "CB AUTRE",
      last_update: "2026-01-01 00:00:00",
    }]);
    await post(`/rows/${same?.id}/delete`, { resend: true });
    expect(pushedRows(synced().at(-1))[0]?.deleted).not.toBeNull();
    expect(await post(`/rows/${same?.id}/book`)).toMatchObject({ error: "gone" });
  });

  it("comes again under new ids after the account was recreated, opted out and in, or connected anew", async () => {
    const first = await connect();
    const bought = await post("/purchases", {
      connection_id: first.connectionId,
      amount_cents: 99_977,
      merchant: "Nicolas",
    });
    const recreated = await post(`/accounts/${bought.account}/recreate`);
    const again = pushedRows(synced().at(-1)).filter(({ value }) => value === -999.77);
    expect(again).toHaveLength(1);
    expect(again[0]?.id).not.toBe(bought.rows[0]?.id);
    expect(again[0]?.id_account).toBe(recreated.account);
    expect((await transactions(first.token)).filter(({ value }) => value === -999.77)).toHaveLength(
      1,
    );

    await post(`/accounts/${recreated.account}/disable`);
    expect((await transactions(first.token)).filter(({ value }) => value === -999.77)).toHaveLength(
      0,
    );
    await post(`/accounts/${recreated.account}/enable`);
    await post(`/connections/${first.connectionId}/sync`);
    expect(pushedRows(synced().at(-1)).filter(({ value }) => value === -999.77)).toHaveLength(1);

    expect(
      (await api(`/users/me/connections/${first.connectionId}`, first.token, { method: "DELETE" }))
        .status,
    ).toBe(204);
    await expect.poll(() => received.at(-1)?.path).toBe("/webhooks/powens/connection-deleted");
    const second = await connect(first.login, first);
    expect(second.connectionId).not.toBe(first.connectionId);
    expect(pushedRows(synced().at(-1)).filter(({ value }) => value === -999.77)).toHaveLength(1);
  });

  it("stays at the bank while the connection fails, and comes when it is healthy", async () => {
    const { connectionId } = await connect();
    expect(await post(`/connections/${connectionId}/state`, { state: "websiteUnavailable" }))
      .toMatchObject({ delivered: true });
    expect(synced().at(-1)?.connection).toMatchObject({
      state: "websiteUnavailable",
      accounts: [],
    });
    const count = received.length;
    expect(await post("/purchases", { connection_id: connectionId, amount_cents: 123 }))
      .toMatchObject({ delivered: false, rows: [{ id: null }] });
    expect(received).toHaveLength(count);
    await post(`/connections/${connectionId}/state`, { state: null });
    expect(pushedRows(synced().at(-1))).toMatchObject([{ value: -1.23 }]);
  });

  it("is found by reading only when its webhook is lost", async () => {
    const { token, connectionId } = await connect();
    const lost = await post("/purchases", { connection_id: connectionId, webhook: false });
    expect(lost.delivered).toBe(false);
    await post(`/connections/${connectionId}/sync`);
    expect(pushedRows(synced().at(-1))).toHaveLength(0);
    expect((await transactions(token)).some(({ id }) => id === lost.rows[0]?.id)).toBe(true);
  });
});

describe("delivery", () => {
  it("tries again after 503 until it is accepted, with the same id, body and date", async () => {
    const { connectionId } = await connect();
    world.refuseWith = 503;
    const refused = await post("/purchases", { connection_id: connectionId, amount_cents: 901 });
    expect(refused).toMatchObject({ delivered: false, status: 503 });
    const id = refused.webhooks[0]?.id_webhook_data;
    const body = await (await fetch(`${world.base}/webhooks/${id}/body`)).text();
    received.length = 0;
    world.refuseWith = 0;
    await expect.poll(() => received.length, { timeout: 15_000 }).toBe(1);
    expect(received[0]).toMatchObject({ body, signed: true });
    const list = await (await fetch(`${world.base}/webhooks?limit=1`)).json<
      { data: { id_webhook_data: number; state: string; attempts: number; signed_date: string }[] }
    >();
    expect(list.data[0]).toMatchObject({
      id_webhook_data: id,
      state: "delivered",
      signed_date: received[0]?.date,
    });
    expect(list.data[0]?.attempts).toBeGreaterThanOrEqual(2);
  });

  it("stops a run after ten failures in a row and keeps the order", async () => {
    const { connectionId } = await connect();
    world.refuseWith = 500;
    const ids: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      ids.push(
        (await post("/purchases", { connection_id: connectionId, amount_cents: 100 + turn }))
          .webhooks[0]?.id_webhook_data ?? 0,
      );
    }
    const run = await post("/webhooks/flush");
    expect(run.webhooks.map(({ id_webhook_data: id }) => id)).toEqual(ids.slice(0, 10));
    received.length = 0;
    // Not in the middle of a run: what that had refused a moment before would come last.
    world.acceptFrom = `"id_webhook_data": ${ids[0]}`;
    await expect.poll(() => received.length, { timeout: 15_000 }).toBe(12);
    expect(synced().map(({ id_webhook_data: id }) => id)).toEqual(ids);
  });

  it("stops a run after two time-outs", async () => {
    const { connectionId } = await connect();
    await post("/settings", { timeout_ms: 150 });
    received.length = 0;
    world.refuseWith = hang;
    for (let turn = 0; turn < 4; turn += 1) {
      expect(await post("/purchases", { connection_id: connectionId })).toMatchObject({
        delivered: false,
        status: null,
      });
    }
    expect((await post("/webhooks/flush")).webhooks).toHaveLength(2);
    await post("/settings", { timeout_ms: 15_000 });
    received.length = 0;
    world.refuseWith = 0;
    await expect.poll(() => received.length, { timeout: 15_000 }).toBe(4);
  });

  it("does not take a redirect for an acceptance", async () => {
    const { connectionId } = await connect();
    world.refuseWith = 302;
    expect(await post("/purchases", { connection_id: connectionId })).toMatchObject({
      delivered: false,
      status: 302,
    });
  });

  it("sends ACCOUNT_SYNCED with the same rows first, when it is wanted", async () => {
    const { connectionId } = await connect();
    await post("/settings", { account_synced: true });
    received.length = 0;
    const bought = await post("/purchases", { connection_id: connectionId });
    await post("/settings", { account_synced: false });
    expect(received.map(({ path }) => path.split("/").at(-1))).toEqual([
      "account-synced",
      "connection-synced",
    ]);
    expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({
      id: bought.account,
      transactions: [{ id: bought.rows[0]?.id }],
    });
    expect(pushedRows(synced()[0])).toMatchObject([{ id: bought.rows[0]?.id }]);
  });

  it("refuses a forced synchronisation right after another, and then sends nothing", async () => {
    const { token, connectionId } = await connect();
    received.length = 0;
    const answer = await api(`/users/me/connections/${connectionId}`, token, {
      method: "PUT",
      body: "{}",
    });
    expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([
      409,
      "tooManySync",
    ]);
    world.aheadMs += 61_000;
    expect(
      (await api(`/users/me/connections/${connectionId}`, token, { method: "PUT", body: "{}" }))
        .status,
    ).toBe(200);
    await expect.poll(() => received.length).toBe(1);
  });

  it("delivers the same event many times at once, and holds and releases in another order", async () => {
    const { connectionId } = await connect();
    const { webhooks } = await post("/purchases", { connection_id: connectionId });
    received.length = 0;
    await post("/webhooks/redeliver", { times: 20 });
    expect(received).toHaveLength(20);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(synced()[0]?.id_webhook_data).toBe(webhooks[0]?.id_webhook_data);
    await post("/webhooks/hold");
    received.length = 0;
    for (const cents of [1, 2, 3]) {
      expect(await post("/purchases", { connection_id: connectionId, amount_cents: cents }))
        .toMatchObject({ delivered: false, reason: "held" });
    }
    expect(received).toHaveLength(0);
    await post("/webhooks/release", { order: "reverse" });
    expect(synced().map((one) => pushedRows(one)[0]?.value)).toEqual([-0.03, -0.02, -0.01]);
  });

  it("keeps the order of a release, and sends nothing twice, while the flusher runs", async () => {
    const { connectionId } = await connect();
    await post("/webhooks/hold");
    const cents = Array.from({ length: 20 }, (_, index) => index + 1);
    for (const amountCents of cents) {
      await post("/purchases", { connection_id: connectionId, amount_cents: amountCents });
    }
    received.length = 0;
    const release = post("/webhooks/release", { order: "reverse" });
    await expect.poll(() => received.length, { interval: 1 }).toBeGreaterThan(0);
    await post("/webhooks/flush");
    await release;
    expect(synced().map((one) => pushedRows(one)[0]?.value)).toEqual(
      cents.map((amountCents) => -amountCents / 100).toReversed(),
    );
  });

  it("reports a deleted user after the answer", async () => {
    const { token, idUser } = await connect();
    received.length = 0;
    expect((await api("/users/me", token, { method: "DELETE" })).status).toBe(204);
    await expect.poll(() => received.length).toBe(1);
    expect(received[0]?.path).toBe("/webhooks/powens/user-deleted");
    expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({ id: idUser });
    expect((await api("/users/me", token)).status).toBe(401);
  });
});
