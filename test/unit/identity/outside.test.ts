// What identity says to and believes of the outside: the mail provider and Cloudflare Access.
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import type { OperatorRole } from "../../../src/config.ts";
import { isIssuerUnavailable } from "../../../src/identity/errors.ts";
import { httpMailer } from "../../../src/identity/mailer.ts";
import { operatorEntryProblem, operatorTokens } from "../../../src/identity/operator-tokens.ts";
import { jsonLog } from "../../../src/kernel/log.ts";

const MESSAGE = { to: "camille@forbidden.test", subject: "S", text: "T 123456", html: "<p>H</p>" };
type Sent = { url: string; init: RequestInit };

function mailerWith(respond: () => Promise<Response>) {
  const lines: string[] = [];
  const sent: Sent[] = [];
  const send = ((url: string, init: RequestInit) => {
    sent.push({ url, init });
    return respond();
  }) as typeof fetch;
  return {
    mailer: httpMailer({
      url: "https://mail.example/send",
      token: "mail-token-1",
      fetch: send,
      log: jsonLog((line) => lines.push(line)),
    }),
    lines,
    sent,
  };
}

describe("httpMailer()", () => {
  it("posts the message with the token, with a time-out and without following redirects", async () => {
    const { mailer, sent, lines } = mailerWith(async () => new Response("queued", { status: 202 }));
    expect(await mailer.send(MESSAGE)).toEqual({ ok: true, value: null });
    expect(sent.length).toBe(1);
    const [{ url, init } = { url: "", init: {} }] = sent;
    expect([url, init.method, init.headers, init.redirect]).toEqual([
      "https://mail.example/send",
      "POST",
      { Authorization: "Bearer mail-token-1", "Content-Type": "application/json" },
      "manual",
    ]);
    expect(JSON.parse(init.body as string)).toEqual(MESSAGE);
    expect(init.signal).toBeInstanceOf(AbortSignal);
    expect(lines).toEqual([]);
  });

  it("answers email_unavailable to refusals, redirects and failures, and logs neither address nor token", async () => {
    for (
      const respond of [
        async () => new Response("no such camille@forbidden.test", { status: 400 }),
        async () =>
          new Response(null, { status: 302, headers: { Location: "https://evil.example" } }),
        async () => new Response("down", { status: 503 }),
        () => Promise.reject(new TypeError("cannot reach camille@forbidden.test")),
        () => Promise.reject(new DOMException("timed out", "TimeoutError")),
      ]
    ) {
      const { mailer, lines } = mailerWith(respond);
      expect(await mailer.send(MESSAGE)).toEqual({
        ok: false,
        error: { code: "email_unavailable" },
      });
      expect(lines.length).toBe(1);
      expect(lines.join()).not.toMatch(/camille|mail-token|123456/);
    }
  });
});

const TEAM = "https://team.cloudflareaccess.test";
const nowMs = Date.UTC(2026, 10, 23, 9);

async function access(algorithm: "RS256" | "ES256" | "PS256" = "RS256") {
  const pair = await generateKeyPair(algorithm);
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: "acc" };
  const fetched: string[] = [];
  const certificates = (async (url: string) => {
    fetched.push(url);
    return Response.json({ keys: [jwk], public_certs: [] });
  }) as typeof fetch;
  const roles = new Map<string, readonly OperatorRole[]>([
    ["Alice@Example.org", ["catalogue"]],
    ["mallory+listed@example.org", ["owner"]],
    ["*@example.org", ["catalogue", "support", "finance", "auditor", "owner"]],
    ["*@other.example", ["auditor"]],
    ["ci-service", ["auditor"]],
    ["helene", ["owner"]],
    ["helene@example.org", ["owner"]],
  ]);
  const tokens = operatorTokens({ access: { teamDomain: TEAM, audience: "aud-1", roles } }, {
    nowMs: () => nowMs,
  }, certificates);
  const sign = (
    claims: Record<string, unknown>,
    header: Record<string, unknown> = {},
  ): Promise<string> =>
    new SignJWT({ iss: TEAM, aud: ["aud-1"], iat: nowMs / 1000, exp: nowMs / 1000 + 60, ...claims })
      .setProtectedHeader({ alg: algorithm, kid: "acc", ...header }).sign(pair.privateKey);
  return { tokens, sign, fetched };
}

describe("operatorTokens()", () => {
  it("takes the role from the configuration, whatever the token says, and one spelling of the subject", async () => {
    const { tokens, sign, fetched } = await access();
    expect(
      await tokens.verify(
        await sign({ email: "ALICE@example.org", roles: ["owner"], groups: ["owner"] }),
      ),
    ).toEqual({
      ok: true,
      value: { subject: "alice@example.org", roles: ["catalogue"], listedPerson: true },
    });
    expect(await tokens.verify(await sign({ email: "mallory@unknown.example" }))).toEqual({
      ok: true,
      value: { subject: "mallory@unknown.example", roles: [], listedPerson: false },
    });
    expect(fetched).toEqual([`${TEAM}/cdn-cgi/access/certs`]);
  });

  it("gives a domain support and catalogue at most, and makes nobody of it a listed person", async () => {
    const { tokens, sign } = await access();
    expect(await tokens.verify(await sign({ email: "mallory@example.org" }))).toEqual({
      ok: true,
      value: {
        subject: "mallory@example.org",
        roles: ["catalogue", "support"],
        listedPerson: false,
      },
    });
    expect(await tokens.verify(await sign({ email: "eve@other.example" }))).toMatchObject({
      value: { roles: [], listedPerson: false },
    });
  });

  it.each([
    "mallory+1@example.org",
    "mallory+listed@example.org",
    "alice+x@example.org",
    "eve@example.org@evil.com",
    "eve@evil.com@example.org",
    "@example.org",
    "*@example.org",
    "helene",
    "ci-service",
  ])("gives %s no role: it is no person's address", async (email) => {
    const { tokens, sign } = await access();
    expect(await tokens.verify(await sign({ email }))).toEqual({
      ok: true,
      value: { subject: email, roles: [], listedPerson: false },
    });
  });

  it("keeps service tokens apart from persons, whatever they are called", async () => {
    const { tokens, sign } = await access();
    const service = async (name: string) =>
      tokens.verify(await sign({ sub: "", common_name: name }));
    expect(await service("ci-service")).toEqual({
      ok: true,
      value: { subject: "service:ci-service", roles: ["auditor"], listedPerson: false },
    });
    expect(await service("helene@example.org")).toEqual({
      ok: true,
      value: { subject: "service:helene@example.org", roles: [], listedPerson: false },
    });
    expect(await service("*@example.org")).toMatchObject({ value: { roles: [] } });
    expect(await service("helene")).toMatchObject({
      value: { subject: "service:helene", listedPerson: false },
    });
  });

  it("is told which entries of ACCESS_ROLES are in vain", () => {
    const problems = [
      ["alice@example.org", ["owner"]],
      ["ci-service", ["owner"]],
      ["*@example.org", ["support", "catalogue"]],
      ["*@example.org", ["support", "finance"]],
      ["alice+1@example.org", ["support"]],
      ["a@b@example.org", ["support"]],
      ["*@", ["support"]],
    ] as const;
    expect(problems.map(([name, held]) => operatorEntryProblem(name, held))).toEqual([
      null,
      null,
      null,
      "wildcard_roles",
      "address_invalid",
      "address_invalid",
      "address_invalid",
    ]);
  });

  it("accepts ES256 as well and no other algorithm", async () => {
    const [es, ps] = [await access("ES256"), await access("PS256")];
    expect((await es.tokens.verify(await es.sign({ email: "alice@example.org" }))).ok).toBe(true);
    expect(await ps.tokens.verify(await ps.sign({ email: "alice@example.org" }))).toEqual({
      ok: false,
      error: "token_invalid",
    });
  });

  it("refuses another issuer, audience, key, or a token without a name, a start or an end", async () => {
    const { tokens, sign } = await access();
    const stranger = await access();
    const email = "alice@example.org";
    for (
      const token of [
        await sign({ email, iss: "https://other.cloudflareaccess.test" }),
        await sign({ email, aud: ["aud-2"] }),
        await sign({ email, exp: undefined }),
        await sign({ email, iat: undefined }),
        await sign({ email, nbf: nowMs / 1000 + 1 }),
        await sign({}),
        await sign({ email: "" }),
        await sign({ email: 5 }),
        await stranger.sign({ email }),
        await sign({ email }, { kid: "other" }),
        "a.b.c",
        "",
      ]
    ) expect(await tokens.verify(token)).toEqual({ ok: false, error: "token_invalid" });
    expect(await tokens.verify(await sign({ email, exp: nowMs / 1000 }))).toEqual({
      ok: false,
      error: "token_expired",
    });
  });

  it("throws what answers 503 when the certificates cannot be had", async () => {
    const { sign } = await access();
    const token = await sign({ email: "alice@example.org" });
    const answers: (() => Promise<Response>)[] = [
      async () => new Response("x", { status: 500 }),
      async () => new Response("<html>", { status: 200 }),
      () => Promise.reject(new TypeError("down")),
    ];
    for (const respond of answers) {
      const tokens = operatorTokens(
        { access: { teamDomain: TEAM, audience: "aud-1", roles: new Map() } },
        { nowMs: () => nowMs },
        respond,
      );
      const failure: unknown = await tokens.verify(token).then(
        () => null,
        (error: unknown) => error,
      );
      expect(isIssuerUnavailable(failure)).toBe(true);
    }
  });
});
