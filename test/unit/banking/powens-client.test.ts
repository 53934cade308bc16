// The client towards Powens: what it repeats and what it must not, whom it gives the token, what it
// makes of odd answers.
import { describe, expect, it } from "vitest";
import { createPowens } from "../../../src/banking/aggregators/powens/adapter.ts";
import { codeOf, errorOf } from "../../../src/banking/aggregators/powens/errors.ts";
import { conditionOf } from "../../../src/banking/aggregators/powens/types.ts";
import type { RowPolicy } from "../../../src/banking/ports.ts";

type Call = {
  url: string;
  method: string;
  token: string | null;
  body: string | null;
  redirect: string | undefined;
};

const POLICY: RowPolicy = {
  nowMs: Date.parse("2026-11-20T12:00:00Z"),
  accounts: new Map(),
  kindOf: () => "card",
  namesBrand: () => false,
  maskLabel: (label) => label,
};

function powens(answers: (Response | Error)[], apiUrl = "https://acme.biapi.test") {
  const calls: Call[] = [];
  const sleeps: number[] = [];
  const aggregator = createPowens({
    apiUrl,
    random: (length) => new Uint8Array(length).fill(255),
    timeLimit: () => new AbortController().signal,
    sleep: async (ms) => void sleeps.push(ms),
    fetch: async (url, init) => {
      calls.push({
        url,
        method: init.method ?? "",
        token: new Headers(init.headers).get("Authorization"),
        body: typeof init.body === "string" ? init.body : null,
        redirect: init.redirect,
      });
      const next = answers.shift() ?? new Error("no more answers");
      if (next instanceof Error) throw next;
      return next;
    },
    webviewUrl: "https://webview.powens.test",
    domain: "acme.biapi.test",
    clientId: "12",
    clientSecret: "s3cret-s3cret",
    webhookSecrets: ["x"],
    publicUrl: "https://api.example.eu/base/",
  });
  return { aggregator, calls, sleeps };
}
const status = (code: number, headers: Record<string, string> = {}) =>
  new Response("<html>CloudFront</html>", { status: code, headers });

describe("repeating", () => {
  it.each([429, 502, 503, 504])(
    "reads after %d, three times at most, with growing pauses",
    async (code) => {
      const { aggregator, calls, sleeps } = powens([
        status(code),
        status(code),
        status(code),
        Response.json({ connections: [] }),
      ]);
      expect(await aggregator.connections("token-aa")).toEqual({
        ok: false,
        error: { code: "aggregator_unavailable" },
      });
      expect(calls).toHaveLength(3);
      expect(sleeps).toEqual([450, 900]);
    },
  );
  it("reads after a broken network", async () => {
    const { aggregator } = powens([new TypeError("network"), Response.json({ connections: [] })]);
    expect(await aggregator.connections("token-aa")).toEqual({ ok: true, value: [] });
  });
  it("honours Retry-After, up to three seconds", async () => {
    const { aggregator, sleeps } = powens([
      status(429, { "Retry-After": "2" }),
      status(429, { "Retry-After": "3600" }),
      Response.json({ connections: [] }),
    ]);
    expect((await aggregator.connections("token-aa")).ok).toBe(true);
    expect(sleeps).toEqual([2000, 3000]);
  });
  it.each([500, 400, 401, 403, 404])("not after %d", async (code) => {
    const { aggregator, calls } = powens([status(code), Response.json({ connections: [] })]);
    expect((await aggregator.connections("token-aa")).ok).toBe(false);
    expect(calls).toHaveLength(1);
  });
  it.each([[status(503)], [status(429)], [new TypeError("network")]])(
    "never the trade of a code",
    async (answer) => {
      const { aggregator, calls, sleeps } = powens([
        answer,
        Response.json({ access_token: "permanent-1", token_type: "Bearer" }),
      ]);
      expect(await aggregator.tradeCode("code-of-page")).toEqual({
        ok: false,
        error: { code: "aggregator_unavailable" },
      });
      expect([calls.length, sleeps.length]).toEqual([1, 0]);
    },
  );
});

describe("answers", () => {
  it("a code is traded for a token, and the token says whose it is", async () => {
    const { aggregator, calls } = powens([
      Response.json({ access_token: "permanent-1", token_type: "Bearer" }),
      Response.json({ id: 5, signin: "2026-11-20 09:00:00" }),
      Response.json({ token_type: "Bearer" }),
      Response.json({ signin: "2026-11-20 09:00:00" }),
    ]);
    expect(await aggregator.tradeCode("code-of-page")).toEqual({ ok: true, value: "permanent-1" });
    expect(calls[0]).toMatchObject({
      url: "https://acme.biapi.test/2.0/auth/token/access",
      method: "POST",
      token: null,
      body:
        '{"grant_type":"authorization_code","code":"code-of-page","client_id":"12","client_secret":"s3cret-s3cret"}',
    });
    expect(await aggregator.remoteUserOf("permanent-1")).toEqual({ ok: true, value: "5" });
    expect(calls[1]).toMatchObject({
      url: "https://acme.biapi.test/2.0/users/me",
      token: "Bearer permanent-1",
    });
    const malformed = { ok: false, error: { code: "aggregator_malformed" } };
    expect(await aggregator.tradeCode("code-of-page")).toEqual(malformed);
    expect(await aggregator.remoteUserOf("permanent-1")).toEqual(malformed);
  });
  it("a token for a user of no link names that user, and is asked for once", async () => {
    const { aggregator, calls } = powens([
      Response.json({ access_token: "permanent-2", token_type: "Bearer" }),
      status(503),
    ]);
    expect(await aggregator.renewToken("5")).toEqual({ ok: true, value: "permanent-2" });
    expect(calls[0]).toMatchObject({
      url: "https://acme.biapi.test/2.0/auth/renew",
      token: null,
      body:
        '{"grant_type":"client_credentials","id_user":"5","client_id":"12","client_secret":"s3cret-s3cret"}',
    });
    expect((await aggregator.renewToken("5")).ok).toBe(false);
    expect(calls).toHaveLength(2);
  });
  it("a page that links is opened without a code, one that renews with ours", () => {
    const { aggregator } = powens([]);
    const page = (flow: "connect" | "reconnect", code: string | null) =>
      new URL(aggregator.webviewUrl({
        flow,
        locale: "fr",
        redirectUri: "myapp://done",
        code,
        state: "s",
        bankId: null,
        remoteConnectionId: flow === "reconnect" ? "9" : null,
      })).searchParams;
    expect(page("connect", null).has("code")).toBe(false);
    expect(page("connect", null).has("max_connections")).toBe(false);
    expect(page("reconnect", "ours").get("code")).toBe("ours");
  });
  it.each([400, 409])("noAccount (%d, in any case) is an empty list", async (code) => {
    const { aggregator } = powens([
      Response.json({ code: "noAccount" }, { status: code }),
      Response.json({ code: "NOACCOUNT" }, { status: code }),
    ]);
    expect(await aggregator.accounts("token-aa")).toEqual({ ok: true, value: [] });
    expect(
      await aggregator.rows("token-aa", { sinceDay: "2026-11-01" }, POLICY),
    ).toMatchObject({ ok: true, value: { rows: [], next: null } });
  });
  it.each([404, 401])("deleting what is gone (%d) is done", async (code) => {
    const { aggregator } = powens([
      Response.json({ code: "notFound" }, { status: code }),
      Response.json({ code: "notFound" }, { status: code }),
    ]);
    expect(await aggregator.deleteConnection("token-aa", "7")).toEqual({ ok: true, value: null });
    expect(await aggregator.deleteUser("token-aa")).toEqual({ ok: true, value: null });
  });
  it.each([[401, false], [404, false], [200, true]])(
    "a user exists by %d: %s",
    async (code, exists) => {
      const { aggregator } = powens([Response.json({}, { status: code })]);
      expect(await aggregator.userExists("token-aa")).toEqual({ ok: true, value: exists });
    },
  );
  it("a user whose existence is not certain is not declared gone", async () => {
    const { aggregator } = powens([status(500)]);
    expect((await aggregator.userExists("token-aa")).ok).toBe(false);
  });
  it.each([["HTML under 200", new Response("<html>")], [
    "a list without its name",
    Response.json({ items: [] }),
  ], [
    "a redirect",
    new Response(null, { status: 302, headers: { Location: "https://evil.example/" } }),
  ]])("%s is malformed", async (_name, answer) => {
    const { aggregator, calls } = powens([answer]);
    expect(await aggregator.connections("token-aa")).toEqual({
      ok: false,
      error: { code: "aggregator_malformed" },
    });
    expect(calls[0]?.redirect).toBe("manual");
  });
  it("an answer beyond 16 MiB is cut off", async () => {
    const { aggregator } = powens([new Response(new Uint8Array(16_777_217))]);
    expect(await aggregator.connections("token-aa")).toEqual({
      ok: false,
      error: { code: "aggregator_malformed" },
    });
  });
  it("codes decide, whatever their case, and nothing else of the body is repeated", () => {
    expect(codeOf({ code: "NoAccount" })).toBe("noaccount");
    expect(codeOf({ code: "Jean Dupont 4974" })).toBe("");
    expect(errorOf(400, { code: "websiteUnavailable" })).toEqual({
      code: "aggregator_unavailable",
    });
    expect(errorOf(400, { code: "NOTFOUND" })).toEqual({ code: "aggregator_not_found" });
    expect(errorOf(400, { code: "invalidValue", description: "secret" })).toEqual({
      code: "aggregator_refused",
      reason: "invalidvalue",
    });
  });
  it.each([
    [null, "ok"],
    ["SCARequired", "renew"],
    ["webauthRequired", "renew"],
    ["decoupled", "renew"],
    ["additionalInformationNeeded", "renew"],
    ["wrongpass", "update_credentials"],
    ["wrongPass", "update_credentials"],
    ["actionNeeded", "act_at_bank"],
    ["passwordExpired", "act_at_bank"],
    ["validating", "settling"],
    ["rateLimiting", "transient"],
    ["websiteUnavailable", "transient"],
    ["bug", "transient"],
    ["notSupported", "lost"],
    ["brandNew", "unknown"],
    ["", "unknown"],
  ])("state %s means %s", (state, condition) => {
    expect(conditionOf(state)).toBe(condition);
  });
});

describe("pages", () => {
  it("are asked for with every compulsory parameter", async () => {
    const { aggregator, calls } = powens([
      Response.json({ transactions: [] }),
      Response.json({ transactions: [] }),
    ]);
    await aggregator.rows("token-aa", {
      sinceDay: "2026-11-05",
    }, POLICY);
    const url = new URL(calls[0]?.url ?? "");
    expect(url.pathname).toBe("/2.0/users/me/transactions");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      limit: "1000",
      all: "true",
      filter: "date",
      min_date: "2026-11-05",
    });
    expect(calls[0]?.token).toBe("Bearer token-aa");
  });
  it("are followed as they are given", async () => {
    const next =
      "https://acme.biapi.test/2.0/users/me/transactions?limit=1000&cursor=W3sib3AiOiAibHQi%2BQ==";
    const { aggregator, calls } = powens([
      Response.json({ transactions: [], _links: { next: { href: next } } }),
      Response.json({ transactions: [] }),
    ]);
    const first = await aggregator.rows("token-aa", {
      sinceDay: "2026-11-05",
    }, POLICY);
    expect(first.ok ? first.value.next : null).toBe(next);
    await aggregator.rows("token-aa", { next }, POLICY);
    expect(calls[1]?.url).toBe(next);
  });
  it.each([
    "https://evil.example/2.0/users/me/transactions",
    "https://acme.biapi.test.evil.example/2.0/users",
    "http://acme.biapi.test/2.0/users",
    "https://acme.biapi.test:8443/2.0/users",
    "//evil.example/2.0/",
    "https://user:pass@acme.biapi.test/2.0/users",
    "https://acme.biapi.test/3.0/users",
    "https://acme.biapi.test/2.0/../admin",
    "javascript:alert(1)",
  ])("at %s are not, so the token stays here", async (next) => {
    const { aggregator, calls } = powens([Response.json({ transactions: [] })]);
    expect(await aggregator.rows("token-aa", { next }, POLICY)).toEqual({
      ok: false,
      error: { code: "aggregator_malformed" },
    });
    expect(calls).toEqual([]);
  });
  it("a connection's id cannot leave its place in the path", async () => {
    const { aggregator, calls } = powens([new Response(null, { status: 204 })]);
    await aggregator.deleteConnection("token-aa", "../../me");
    expect(calls[0]?.url).toBe("https://acme.biapi.test/2.0/users/me/connections/..%2F..%2Fme");
  });
});

describe("the local sandbox", () => {
  it("is an address with a port like any other", async () => {
    const { aggregator, calls } = powens(
      [Response.json({ connections: [] })],
      "http://127.0.0.1:8788",
    );
    await aggregator.connections("token-aa");
    expect(calls[0]?.url).toBe("http://127.0.0.1:8788/2.0/users/me/connections?expand=connector");
  });
});
