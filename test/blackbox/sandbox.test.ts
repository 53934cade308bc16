// The sandbox by itself, over real HTTP: tokens, webview, accounts, faults, mailbox, time, restart.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { signAccessToken } from "../../src/local/sandbox/access-token.ts";
import type { Page, Row } from "../support/sandbox-harness.ts";
import {
  accessKey,
  api,
  connect,
  hang,
  newUser,
  post,
  received,
  retryMs,
  startSandbox,
  stopSandbox,
  submit,
  synced,
  testBank,
  transactions,
  useWorld,
  webviewLink,
  world,
} from "../support/sandbox-harness.ts";

useWorld();

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

describe("a temporary user", () => {
  it("that nobody made permanent for 30 minutes is gone, with its code and its events", async () => {
    const visit = async () => {
      const answer = await submit(await webviewLink(null), {
        connector_uuid: testBank,
        login: `late-${Math.random()}`,
        password: "1234",
        accounts: "checking",
      });
      const at = new URL(answer.headers.get("location") ?? "none:").searchParams;
      return { code: at.get("code"), connection: Number(at.get("connection_id")) };
    };
    const trade = (code: string | null) =>
      post<Record<string, unknown>>("/2.0/auth/token/access", {
        client_id: "12345678",
        client_secret: "secret",
        code,
      });
    const [late, traded] = [await visit(), await visit()];
    expect(await trade(traded.code)).toHaveProperty("access_token");
    world.aheadMs += 30 * 60_000 + 1000;
    expect(await trade(late.code)).toMatchObject({ code: "invalidValue" });
    const waiting = await (await fetch(`${world.base}/webhooks?state=waiting`)).json<
      { data: unknown[] }
    >();
    expect(waiting.data).toEqual([]);
    const shown = async (id: number) => (await fetch(`${world.base}/connections/${id}`)).status;
    expect([await shown(traded.connection), await shown(late.connection)]).toEqual([200, 404]);
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
    expect(accountsPage.match(/\schecked\s*>/gu)).toHaveLength(2);
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
