// The sandbox by itself, over real HTTP: tokens, webview, accounts, rows, webhooks and their
// retries, faults, mailbox, time, restart.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { signAccessToken } from "../../src/local/sandbox/access-token.ts";
import type { Control, Page, Row } from "../support/sandbox-harness.ts";
import {
  accessKey,
  api,
  connect,
  hang,
  newUser,
  post,
  pushedRows,
  received,
  retryMs,
  startSandbox,
  startWorld,
  stopSandbox,
  stopWorld,
  submit,
  synced,
  testBank,
  transactions,
  webviewLink,
  world,
} from "../support/sandbox-harness.ts";

beforeAll(startWorld);
afterAll(stopWorld);
beforeEach(async () => {
  world.refuseWith = 0;
  await fetch(`${world.base}/faults`, { method: "DELETE" });
  await post("/webhooks/release");
  await post("/webhooks/flush");
  received.length = 0;
});

describe("tokens", () => {
  it("opens the API with a permanent token only, and revokes and renews it", async () => {
    const { token, idUser } = await newUser();
    expect((await api("/users/me", token)).status).toBe(200);
    expect((await api(`/users/${idUser}`, token)).status).toBe(200);
    expect((await api(`/users/${idUser + 1}`, token)).status).toBe(404);
    expect((await api("/users/me", "nonsense")).status).toBe(401);
    expect((await fetch(`${world.base}/2.0/users/me`)).status).toBe(401);
    expect((await api("/auth/token", token, { method: "DELETE" })).status).toBe(204);
    expect((await api("/users/me", token)).status).toBe(401);
    const renewed = await post<{ access_token: string }>("/2.0/auth/renew", {
      grant_type: "client_credentials",
      client_id: "12345678",
      client_secret: "secret",
      id_user: idUser,
    });
    expect(await (await api("/users/me", renewed.access_token)).json()).toMatchObject({
      id: idUser,
      platform: "sharedAccess",
    });
  });

  it("refuses a wrong client secret", async () => {
    expect(await post("/2.0/auth/init", { client_id: "12345678", client_secret: "wrong" }))
      .toMatchObject({ code: "unauthorized" });
  });

  it("holds a temporary user's events until the webview's code is traded", async () => {
    const answer = await submit(await webviewLink(null), {
      connector_uuid: testBank,
      login: "visitor",
      password: "1234",
      accounts: "checking",
    });
    const location = new URL(answer.headers.get("location") ?? "none:");
    const code = location.searchParams.get("code") ?? "";
    expect(code).not.toBe("");
    expect(received).toHaveLength(0);
    const traded = await post<{ access_token: string }>("/2.0/auth/token/access", {
      client_id: "12345678",
      client_secret: "secret",
      code,
    });
    await expect.poll(() => synced().length).toBe(1);
    expect((await transactions(traded.access_token)).length).toBeGreaterThan(10);
    expect(
      await post("/2.0/auth/token/access", {
        client_id: "12345678",
        client_secret: "secret",
        code,
      }),
    ).toMatchObject({ code: "invalidValue" });
  });
});

describe("the webview", () => {
  it("leads through both pages without script, keeps the code usable until a form is sent, then spends it", async () => {
    const { token } = await newUser();
    const link = await webviewLink(token);
    for (let visit = 0; visit < 2; visit += 1) {
      expect(await (await fetch(link)).text()).toContain("Connecteur de test");
    }
    const wrong = await submit(link, { connector_uuid: testBank, login: "eve", password: "0000" });
    expect(wrong.status).toBe(422);
    const session = /name="session" value="([^"]+)"/u.exec(await wrong.text())?.[1] ?? "";
    const accountsPage = await (await submit(link, {
      session,
      connector_uuid: testBank,
      login: "eve",
      password: "1234",
    })).text();
    expect(accountsPage.match(/type="checkbox"/gu)).toHaveLength(3);
    expect(accountsPage.match(/ checked>/gu)).toHaveLength(2);
    expect((await submit(link, { session, step: "accounts" })).status).toBe(422);
    const done = await submit(link, { session, step: "accounts", accounts: "checking" });
    expect(done.status).toBe(302);
    expect(done.headers.get("location")).toMatch(/^myapp:\/\/done\?connection_id=\d+&state=s-1$/u);
    expect(
      (await submit(link, { connector_uuid: testBank, login: "eve", password: "1234" })).status,
    ).toBe(400);
  });

  it("comes back with access_denied when the user cancels, and refuses broken links", async () => {
    const { token } = await newUser();
    const cancelled = await submit(await webviewLink(token), { action: "cancel" });
    expect(new URL(cancelled.headers.get("location") ?? "none:").searchParams.get("error")).toBe(
      "access_denied",
    );
    for (
      const extra of [{ client_id: "1" }, { redirect_uri: "javascript:alert(1)" }, { domain: "" }]
    ) {
      expect((await fetch(await webviewLink(token, "connect", extra))).status).toBe(400);
    }
    expect((await fetch(`${await webviewLink(token)}x`)).status).toBe(400);
  });

  it.each([["SCARequired", {}], ["SCARequiredAndOTP", { otp: "123456" }]])(
    "asks for a second factor in scenario %s",
    async (openapiwebsite, factor) => {
      const { token } = await newUser();
      const link = await webviewLink(token);
      const asked = await submit(link, {
        connector_uuid: testBank,
        login: "zoe",
        password: "1234",
        openapiwebsite,
      });
      expect(asked.status).toBe(200);
      const session = /name="session" value="([^"]+)"/u.exec(await asked.text())?.[1] ?? "";
      const common = {
        session,
        step: "confirm",
        connector_uuid: testBank,
        login: "zoe",
        openapiwebsite,
        accounts: "checking",
      };
      if ("otp" in factor) {
        expect((await submit(link, { ...common, otp: "000000" })).status).toBe(
          422,
        );
      }
      expect((await submit(link, { ...common, ...factor })).status).toBe(302);
    },
  );

  it.each(["wrongpass", "actionNeeded", "passwordExpired", "websiteUnavailable", "bug"])(
    "stays on the page in scenario %s",
    async (openapiwebsite) => {
      const { token } = await newUser();
      const answer = await submit(await webviewLink(token), {
        connector_uuid: testBank,
        login: "max",
        password: "1234",
        openapiwebsite,
      });
      expect(answer.status).toBe(422);
      expect(await answer.text()).toContain('role="alert"');
    },
  );

  it("renews a lapsed connection and opts accounts in and out", async () => {
    const { token, connectionId } = await connect();
    await post(`/connections/${connectionId}/state`, { state: "SCARequired" });
    const renewed = await submit(
      await webviewLink(token, "reconnect", { connection_id: String(connectionId) }),
      { password: "1234" },
    );
    expect(renewed.headers.get("location")).toBe("myapp://done?state=s-1");
    expect(await (await api(`/users/me/connections/${connectionId}`, token)).json()).toMatchObject({
      state: null,
    });
    received.length = 0;
    const managed = await submit(
      await webviewLink(token, "manage", { connection_id: String(connectionId) }),
      { action: "save", accounts: "savings" },
    );
    expect(managed.status).toBe(302);
    expect(received.map(({ path }) => path.split("/").at(-1))).toEqual([
      "account-disabled",
      "account-disabled",
      "account-enabled",
      "connection-synced",
    ]);
  });
});

describe("accounts and transactions", () => {
  it("shows accounts only when they are opted in, few fields before", async () => {
    const { token } = await connect();
    const shown = (await (await api("/users/me/accounts", token)).json<
      { accounts: { type: string; id: number; id_parent: number | null; bookmarked: number }[] }
    >()).accounts;
    expect(shown.map(({ type }) => type)).toEqual(["checking", "card"]);
    expect(shown[1]?.id_parent).toBe(shown[0]?.id);
    expect(shown[0]?.bookmarked).toBe(0);
    const all = (await (await api("/users/me/accounts?all", token)).json<
      { accounts: Record<string, unknown>[] }
    >()).accounts;
    expect(all).toHaveLength(3);
    expect(all[2]).toMatchObject({ type: "livret_a" });
    expect(all[2]).not.toHaveProperty("iban");
    expect(all[2]).not.toHaveProperty("balance");
    expect((await api(`/users/me/accounts/${String(all[2]?.["id"])}`, token)).status).toBe(404);
    expect(
      await (await api(`/users/me/accounts/${String(all[2]?.["id"])}?all`, token, {
        method: "PUT",
        body: '{"disabled":false}',
      })).json(),
    ).toMatchObject({ disabled: null });
  });

  it("pages through everything once, without gap or repetition, and demands a limit", async () => {
    const { token, connectionId } = await connect(undefined, undefined, "6");
    await post("/purchases", { connection_id: connectionId, count: 30 });
    const whole = await transactions(token);
    const paged: Row[] = [];
    let pages = 0;
    for (let next: string | null = "/users/me/transactions?limit=17"; next !== null; pages += 1) {
      const page: Page = await (await api(next, token)).json<Page>();
      paged.push(...page.transactions);
      next = page._links.next?.href ?? null;
    }
    expect(paged.map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
    expect(new Set(paged.map(({ id }) => id)).size).toBe(whole.length);
    expect(pages).toBe(Math.ceil(whole.length / 17));
    expect(await (await api("/users/me/transactions", token)).json()).toMatchObject({
      code: "missingParameter",
    });
    expect(await (await api("/users/me/transactions?limit=1001", token)).json()).toMatchObject({
      code: "invalidValue",
    });
    expect((await transactions(token, "&min_date=2999")).length).toBe(0);
  });

  it("answers noAccount to a user without accounts", async () => {
    const { token } = await newUser();
    const answer = await api("/users/me/transactions?limit=10", token);
    expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([
      400,
      "noAccount",
    ]);
  });
});

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

  it("tells of a deleted user after the answer", async () => {
    const { token, idUser } = await connect();
    received.length = 0;
    expect((await api("/users/me", token, { method: "DELETE" })).status).toBe(204);
    await expect.poll(() => received.length).toBe(1);
    expect(received[0]?.path).toBe("/webhooks/powens/user-deleted");
    expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({ id: idUser });
    expect((await api("/users/me", token)).status).toBe(401);
  });
});

describe("faults", () => {
  it("hit the next calls on a path, then end", async () => {
    const { token } = await connect();
    await post("/faults", { kind: "html_503", path: "/2.0/users/me/transactions", times: 2 });
    for (let call = 0; call < 2; call += 1) {
      const answer = await api("/users/me/transactions?limit=1", token);
      expect([
        answer.status,
        answer.headers.get("content-type"),
        answer.headers.has("x-request-id"),
      ]).toEqual([503, "text/html", true]);
    }
    expect((await api("/users/me/transactions?limit=1", token)).status).toBe(200);
    await post("/faults", { kind: "rate_limited_429", retry_after: "2" });
    const limited = await api("/users/me", token);
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "2"]);
    await post("/faults", { kind: "malformed_json" });
    await expect((await api("/users/me", token)).json()).rejects.toThrow();
    await post("/faults", { kind: "truncated", path: "/2.0/users/me/transactions" });
    await expect((await api("/users/me/transactions?limit=1", token)).json()).rejects.toThrow();
    await post("/faults", { kind: "conflict_409", method: "PUT" });
    expect((await api("/users/me", token)).status).toBe(200);
    expect((await api("/users/me/connections/1", token, { method: "PUT" })).status).toBe(409);
  });

  it("can lose an answer after the work was done, and pass calls first", async () => {
    const { token, connectionId } = await connect();
    await post("/faults", {
      kind: "lost_answer",
      path: "/2.0/users/me/connections",
      method: "DELETE",
    });
    expect((await api(`/users/me/connections/${connectionId}`, token, { method: "DELETE" })).status)
      .toBe(504);
    expect((await api(`/users/me/connections/${connectionId}`, token)).status).toBe(404);
    await post("/faults", { kind: "error", status: 500, code: "bug", skip: 1 });
    expect((await api("/users/me", token)).status).toBe(200);
    expect(await (await api("/users/me", token)).json()).toMatchObject({ code: "bug" });
  });
});

describe("mailbox and operators", () => {
  it("keeps e-mail for whoever knows the token, newest first, with the code", async () => {
    const send = (token: string, text: string) =>
      fetch(`${world.base}/mailbox`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ to: "Alice@Example.org", subject: "Code", text, html: "<p>x</p>" }),
      });
    expect((await send("wrong", "000000")).status).toBe(401);
    expect((await send("mail-token", "Votre code : 111111")).status).toBe(202);
    expect((await send("mail-token", "Votre code : 222222")).status).toBe(202);
    const { data } = await (await fetch(`${world.base}/mailbox?to=alice@example.org`)).json<
      { data: { code: string; to: string; sent_at: string }[] }
    >();
    expect(data.map(({ code }) => code)).toEqual(["222222", "111111"]);
    expect(data[0]).toMatchObject({ to: "alice@example.org" });
    await post("/faults", { kind: "unavailable_503", path: "/mailbox" });
    expect((await send("mail-token", "333333")).status).toBe(503);
    expect((await fetch(`${world.base}/mailbox?to=alice@example.org`)).status).toBe(200);
  });

  it("publishes the operators' keys where Cloudflare Access does", async () => {
    const token = await signAccessToken({
      privateJwk: accessKey,
      audience: "audience",
      issuer: world.base,
      subject: "alice@example.org",
      nowMs: Date.now(),
    });
    const verified = await jwtVerify(
      token,
      createRemoteJWKSet(new URL(`${world.base}/cdn-cgi/access/certs`)),
      { issuer: world.base, audience: "audience" },
    );
    expect(verified.payload["email"]).toBe("alice@example.org");
  });
});

describe("time", () => {
  it("moves with the product's clock: pending rows are booked, months debited, consents lapse after 180 days", async () => {
    const { token, connectionId } = await connect(undefined, undefined, "0");
    const pending = (await post("/purchases", {
      connection_id: connectionId,
      amount_cents: 4200,
      pending: true,
      books_in_days: 2,
    })).rows[0];
    await post("/purchases", { connection_id: connectionId, account: "card", amount_cents: 1500 });
    expect((await transactions(token)).find(({ id }) => id === pending?.id)?.coming).toBe(true);
    received.length = 0;
    const first = await post<{ due: { booked: number; summaries: number; lapsed: number } }>(
      "/clock",
      { advance: "P31D" },
    );
    expect(first.due.booked).toBe(1);
    expect(first.due.summaries).toBeGreaterThanOrEqual(1);
    const rows = await transactions(token);
    expect(rows.find(({ id }) => id === pending?.id)?.coming).toBe(false);
    expect(rows.filter(({ type }) => type === "summary_card")).toHaveLength(1);
    expect(synced().find((one) => one.connection.id === connectionId)?.connection.state).toBeNull();
    const later = await post<{ due: { lapsed: number } }>("/clock", { advance: "P150D" });
    expect(later.due.lapsed).toBeGreaterThanOrEqual(1);
    expect(synced().findLast((one) => one.connection.id === connectionId)?.connection)
      .toMatchObject({ state: "SCARequired", accounts: [] });
    expect(await post("/clock", { advance: "tomorrow" })).toMatchObject({ error: "invalid" });
  });
});

describe("a restart on the same folder", () => {
  it("finds users, rows, mail and undelivered webhooks as they were", async () => {
    const { token, connectionId } = await connect();
    world.refuseWith = 503;
    const refused = await post("/purchases", { connection_id: connectionId, amount_cents: 4321 });
    const before = await transactions(token);
    await stopSandbox();
    world.refuseWith = 0;
    received.length = 0;
    await startSandbox();
    expect(await transactions(token)).toEqual(before);
    await expect.poll(() => synced().map(({ id_webhook_data: id }) => id), { timeout: 15_000 })
      .toContain(refused.webhooks[0]?.id_webhook_data);
    expect(received.every(({ signed }) => signed)).toBe(true);
    expect(await (await fetch(`${world.base}/`)).text()).toContain("Dernières opérations");
  });

  it("delivers what was being delivered when the process ended, though no alarm was set for it", async () => {
    const { connectionId } = await connect();
    await post("/webhooks/hold");
    const held = await post("/purchases", { connection_id: connectionId });
    // Let the alarm of the connection's own events ring first, so that it cannot help.
    await new Promise((done) => setTimeout(done, 3 * retryMs));
    world.refuseWith = hang;
    const before = world.seen;
    const release = post("/webhooks/release").catch(() => null);
    await expect.poll(() => world.seen).toBeGreaterThan(before);
    await stopSandbox();
    await release;
    world.refuseWith = 0;
    received.length = 0;
    await startSandbox();
    await fetch(`${world.base}/state`);
    await expect.poll(() => synced().map(({ id_webhook_data: id }) => id), { timeout: 15_000 })
      .toContain(held.webhooks[0]?.id_webhook_data);
  });
});
