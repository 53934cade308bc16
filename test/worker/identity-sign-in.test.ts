import { env } from "cloudflare:workers";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, it } from "vitest";
import { identityApp } from "../support/identity-app.ts";
import type { Tokens } from "../support/identity-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
let serial = 0;
const someone = (): string => `someone${++serial}@sign-in.test`;
const wrongOf = (code: string, offset = 1): string =>
  String((Number(code) + offset) % 1_000_000).padStart(6, "0");
const codeOf = async (response: Response): Promise<string> =>
  (await response.json<{ code: string }>()).code;

describe("POST /v1/auth/codes", () => {
  it("sends six digits alone on a line, without a link, in the language asked for", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const response = await app.request("POST", "/v1/auth/codes", { email, locale: "en" });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      expires_in: 600,
      challenge: expect.stringMatching(/^[\w-]{22}\.i1\.[\w-]{43}$/),
    });
    const [mail] = app.mails;
    expect(mail?.to).toBe(email);
    expect(mail?.text).toMatch(/^\d{6}$/m);
    expect(mail?.subject).toBe("Your Cagnotte sign-in code");
    expect(`${mail?.text}${mail?.html}`).not.toMatch(/https?:|href/);
    expect(mail?.subject).not.toMatch(/\d{6}/);
  });

  it("answers and works the same for a known and an unknown address", async ({ expect }) => {
    const app = await identityApp(DB);
    const known = someone();
    await app.signIn(known);
    const before = app.mails.length;
    const [first, second] = [
      await app.request("POST", "/v1/auth/codes", { email: known }),
      await app.request("POST", "/v1/auth/codes", { email: someone() }),
    ];
    const shape = async (response: Response) => {
      const { challenge, ...rest } = await response.json<{ challenge: string }>();
      return [response.status, rest, challenge.length];
    };
    expect(await shape(first)).toEqual(await shape(second));
    expect(app.mails.length - before).toBe(2);
  });

  it("refuses bad input with a pointer to each field", async ({ expect }) => {
    const app = await identityApp(DB);
    for (
      const [body, pointer] of [
        [{}, "/email"],
        [{ email: "nonsense" }, "/email"],
        [{ email: 5 }, "/email"],
        [{ email: `${"x".repeat(260)}@a.fr` }, "/email"],
        [{ email: "a@b.fr", locale: "de" }, "/locale"],
        [{ email: "a@b.fr", admin: true }, "/admin"],
        [{ email: "a@b.fr", purpose: "step_up" }, "/email"],
        [{ email: "a@b.fr", challenge: "" }, "/challenge"],
        [{ email: "a@b.fr", challenge: "x".repeat(257) }, "/challenge"],
        [{ email: "a@b.fr\r\nBcc: c@d.fr" }, "/email"],
      ] as const
    ) {
      const response = await app.request("POST", "/v1/auth/codes", body);
      const problem = await response.json<{ code: string; errors: { pointer: string }[] }>();
      expect([response.status, problem.code, problem.errors[0]?.pointer]).toEqual([
        422,
        "validation_failed",
        pointer,
      ]);
    }
    const broken = await app.request("POST", "/v1/auth/codes", "{");
    expect([broken.status, await codeOf(broken)]).toEqual([400, "malformed_json"]);
    expect(app.mails).toEqual([]);
  });

  it("takes Unicode domains, and a code with the spaces that people type", async ({ expect }) => {
    const app = await identityApp(DB);
    const stored = `zoe${++serial}@xn--exmple-cua.xn--p1ai`;
    const typed = stored.replace("xn--exmple-cua.xn--p1ai", "exämple.рф");
    expect((await app.request("POST", "/v1/auth/codes", { email: typed })).status).toBe(202);
    expect(app.mails[0]?.to).toBe(stored);
    const code = app.codeFor(stored);
    const grouped = ` ${code.slice(0, 3)} \u00a0${code.slice(3)}\t`;
    const opened = await app.request("POST", "/v1/auth/sessions", { email: typed, code: grouped });
    expect(opened.status).toBe(201);
    const { user } = await opened.json<Tokens>();
    expect((await app.signIn(stored)).user).toEqual({ id: user.id, created: false });
    for (const wrong of [`${code.slice(0, 3)}-${code.slice(3)}`, code.slice(1), " "]) {
      const refused = await app.request("POST", "/v1/auth/sessions", { email: typed, code: wrong });
      expect([refused.status, await codeOf(refused)]).toEqual([422, "validation_failed"]);
    }
  });

  it("gives five codes an hour, whatever the spelling, then says when to come back", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    for (const spelling of [email, email.toUpperCase(), ` ${email} `, email, email]) {
      expect((await app.request("POST", "/v1/auth/codes", { email: spelling })).status).toBe(202);
    }
    app.clock.ms += 10 * 60_000;
    const sixth = await app.request("POST", "/v1/auth/codes", { email });
    expect([sixth.status, await codeOf(sixth)]).toEqual([429, "rate_limited"]);
    expect(sixth.headers.get("Retry-After")).toBe("3000");
    expect(sixth.headers.get("RateLimit-Policy")).toBe('"codes-per-device";q=5;w=3600');
    expect(app.mails.length).toBe(5);
    app.clock.ms += 50 * 60_000;
    expect((await app.request("POST", "/v1/auth/codes", { email })).status).toBe(202);
  });

  it("gives five codes to twenty simultaneous requests", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const statuses = await Promise.all(
      Array.from(
        { length: 20 },
        async () => (await app.request("POST", "/v1/auth/codes", { email })).status,
      ),
    );
    expect(statuses.filter((status) => status === 202).length).toBe(5);
    expect(statuses.filter((status) => status === 429).length).toBe(15);
  });

  it("answers 503 when mail fails, does not count that code and leaves the earlier one good", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    await app.request("POST", "/v1/auth/codes", { email });
    app.switches.mailDown = true;
    for (let round = 0; round < 6; round++) {
      const response = await app.request("POST", "/v1/auth/codes", { email });
      expect([response.status, await codeOf(response)]).toEqual([503, "email_unavailable"]);
    }
    app.switches.mailDown = false;
    expect(
      (await app.request("POST", "/v1/auth/sessions", { email, code: app.codeFor(email) })).status,
    ).toBe(201);
    expect((await app.request("POST", "/v1/auth/codes", { email })).status).toBe(202);
  });

  it("sends a step-up code to the user's own address, bound to the session, and not for signing in", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const session = await app.signIn(email);
    const anonymous = await app.request("POST", "/v1/auth/codes", { purpose: "step_up" });
    expect([anonymous.status, await codeOf(anonymous)]).toEqual([401, "token_missing"]);
    const response = await app.request("POST", "/v1/auth/codes", { purpose: "step_up" }, {
      ...app.bearer(session),
      "Idempotency-Key": "k1",
    });
    expect([response.status, await response.json()]).toEqual([202, { expires_in: 600 }]);
    const again = await app.request("POST", "/v1/auth/codes", { purpose: "step_up" }, {
      ...app.bearer(session),
      "Idempotency-Key": "k1",
    });
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect(app.mails.filter((mail) => mail.subject.includes("confirmation")).length).toBe(1);
    const signIn = await app.request("POST", "/v1/auth/sessions", {
      email,
      code: app.codeFor(email),
    });
    expect([signIn.status, await codeOf(signIn)]).toEqual([401, "code_invalid"]);
    await app.request("DELETE", "/v1/auth/sessions/current", undefined, app.bearer(session));
    const ended = await app.request(
      "POST",
      "/v1/auth/codes",
      { purpose: "step_up" },
      app.bearer(session),
    );
    expect([ended.status, await codeOf(ended)]).toEqual([401, "token_invalid"]);
  });
});

describe("POST /v1/auth/sessions", () => {
  it("opens a session, makes the user the first time only, and keeps the referral code of that time", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    await app.request("POST", "/v1/auth/codes", { email });
    const response = await app.request("POST", "/v1/auth/sessions", {
      email,
      code: app.codeFor(email),
      device_name: "Pixel de Camille",
      referral_code: "abcdef",
    });
    expect(response.status).toBe(201);
    expect(response.headers.get("Cache-Control")).toContain("no-store");
    const first = await response.json<Tokens>();
    expect(first).toMatchObject({
      token_type: "Bearer",
      expires_in: 600,
      refresh_expires_in: 60 * 86_400,
      user: { created: true },
    });
    const second = await app.signIn(email.toUpperCase().toLowerCase(), { referral_code: "zzzzzz" });
    expect(second.user).toEqual({ id: first.user.id, created: false });
    const row = await DB.prepare("SELECT referral_code_given FROM users WHERE id = ?").bind(
      first.user.id,
    ).first();
    expect(row).toEqual({ referral_code_given: "abcdef" });
  });

  it("issues an at+jwt under the first key with sub, sid, jti, auth_time and amr", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const nowS = Math.floor(app.clock.ms / 1000);
    expect(decodeProtectedHeader(session.access_token)).toEqual({
      alg: "ES256",
      kid: "j1",
      typ: "at+jwt",
    });
    const claims = decodeJwt(session.access_token);
    expect(claims).toMatchObject({
      iss: "https://api.cagnotte.test",
      aud: "cagnotte",
      sub: session.user.id,
      auth_time: nowS,
      amr: ["otp"],
      iat: nowS,
      exp: nowS + 600,
    });
    expect(claims["sid"]).toMatch(/^ses_/);
    expect(claims.jti).toMatch(/^[\w-]{22}$/);
  });

  it("opens exactly one session for twenty simultaneous requests with one code", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    await app.request("POST", "/v1/auth/codes", { email });
    const code = app.codeFor(email);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => app.request("POST", "/v1/auth/sessions", { email, code })),
    );
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([
      201,
      ...Array.from({ length: 19 }, () => 401),
    ]);
    const [opened] = await Promise.all(
      answers.filter((answer) => answer.status === 201).map((answer) => answer.json<Tokens>()),
    );
    expect(
      await DB.prepare("SELECT count(*) AS n FROM sessions WHERE user_id = ?").bind(
        opened?.user.id ?? "",
      ).first(),
    ).toEqual({ n: 1 });
  });

  it("refuses a code that is wrong, late, replaced, spent or another person's", async ({ expect }) => {
    const app = await identityApp(DB);
    const [email, other] = [someone(), someone()];
    const attempt = async (address: string, code: string): Promise<[number, string]> => {
      const response = await app.request("POST", "/v1/auth/sessions", { email: address, code });
      return [response.status, response.status === 201 ? "opened" : await codeOf(response)];
    };
    expect(await attempt(email, "123456")).toEqual([401, "code_invalid"]);
    await app.request("POST", "/v1/auth/codes", { email });
    const replaced = app.codeFor(email);
    await app.request("POST", "/v1/auth/codes", { email });
    const code = app.codeFor(email);
    await app.request("POST", "/v1/auth/codes", { email: other });
    if (replaced !== code) expect(await attempt(email, replaced)).toEqual([401, "code_invalid"]);
    expect(await attempt(email, wrongOf(code))).toEqual([401, "code_invalid"]);
    if (app.codeFor(other) !== code) {
      expect(await attempt(other, code)).toEqual([401, "code_invalid"]);
    }
    expect(await attempt(email, code)).toEqual([201, "opened"]);
    expect(await attempt(email, code)).toEqual([401, "code_invalid"]);
    await app.request("POST", "/v1/auth/codes", { email });
    app.clock.ms += 600_000;
    expect(await attempt(email, app.codeFor(email))).toEqual([401, "code_invalid"]);
  });

  it("accepts a code one millisecond before its end", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    await app.request("POST", "/v1/auth/codes", { email });
    app.clock.ms += 599_999;
    expect(
      (await app.request("POST", "/v1/auth/sessions", { email, code: app.codeFor(email) })).status,
    ).toBe(201);
  });

  it("closes a code after five wrong tries, even to the right one, until the next code", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    await app.request("POST", "/v1/auth/codes", { email });
    const code = app.codeFor(email);
    for (let round = 1; round <= 5; round++) {
      expect(
        (await app.request("POST", "/v1/auth/sessions", { email, code: wrongOf(code, round) }))
          .status,
      ).toBe(401);
    }
    for (const tried of [wrongOf(code), code]) {
      const response = await app.request("POST", "/v1/auth/sessions", { email, code: tried });
      expect([response.status, await codeOf(response)]).toEqual([429, "code_tries_exceeded"]);
      expect(response.headers.get("Retry-After")).toBe("600");
      expect(response.headers.get("RateLimit")).toBe('"tries-per-code";r=0;t=600');
    }
    await app.request("POST", "/v1/auth/codes", { email });
    expect(
      (await app.request("POST", "/v1/auth/sessions", { email, code: app.codeFor(email) })).status,
    ).toBe(201);
  });

  it("counts exactly five of thirty simultaneous wrong tries", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    await app.request("POST", "/v1/auth/codes", { email });
    const code = app.codeFor(email);
    const answers = await Promise.all(
      Array.from(
        { length: 30 },
        (_, index) =>
          app.request("POST", "/v1/auth/sessions", { email, code: wrongOf(code, index + 1) }),
      ),
    );
    expect(answers.filter((answer) => answer.status === 401).length).toBe(5);
    expect(answers.filter((answer) => answer.status === 429).length).toBe(25);
  });

  it("gives a device twenty wrong tries a day, sliding, and refuses the right code until then", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const startMs = app.clock.ms;
    for (let round = 0; round < 4; round++) {
      await app.request("POST", "/v1/auth/codes", { email });
      const code = app.codeFor(email);
      const answers = await Promise.all(
        Array.from(
          { length: 5 },
          (_, index) =>
            app.request("POST", "/v1/auth/sessions", { email, code: wrongOf(code, index + 1) }),
        ),
      );
      expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401, 401, 401]);
      app.clock.ms += 60_000;
    }
    await app.request("POST", "/v1/auth/codes", { email });
    const refused = await app.request("POST", "/v1/auth/sessions", {
      email,
      code: app.codeFor(email),
    });
    expect([refused.status, await codeOf(refused)]).toEqual([429, "rate_limited"]);
    expect(refused.headers.get("Retry-After")).toBe(String(86_400 - 4 * 60));
    expect(refused.headers.get("RateLimit-Policy")).toBe('"tries-per-device";q=20;w=86400');
    app.clock.ms = startMs + 86_400_000 - 1;
    await app.request("POST", "/v1/auth/codes", { email });
    expect(
      (await app.request("POST", "/v1/auth/sessions", { email, code: app.codeFor(email) })).status,
    ).toBe(429);
    app.clock.ms = startMs + 86_400_000;
    expect(
      (await app.request("POST", "/v1/auth/sessions", { email, code: app.codeFor(email) })).status,
    ).toBe(201);
  });

  it("refuses and does not count guesses without the challenge of the code", async ({ expect }) => {
    const app = await identityApp(DB);
    const [email, other] = [someone(), someone()];
    await app.request("POST", "/v1/auth/codes", { email });
    const code = app.codeFor(email);
    const asked = async (address: string) =>
      (await (await app.send("POST", "/v1/auth/codes", { email: address }))
        .json<{ challenge: string }>()).challenge;
    const challenges = ["forged.i1.tag", await asked(other), await asked(email)];
    for (let round = 0; round < 25; round++) {
      for (const challenge of round === 0 ? challenges : challenges.slice(0, 2)) {
        const response = await app.send("POST", "/v1/auth/sessions", { email, code, challenge });
        expect([response.status, await codeOf(response)]).toEqual([401, "code_invalid"]);
      }
    }
    expect((await app.request("POST", "/v1/auth/sessions", { email, code })).status).toBe(201);
  });

  it("refuses a referral code of another shape and keeps the code good", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    await app.request("POST", "/v1/auth/codes", { email });
    for (const referral of ["ABCDEF", "abcde", "abcdefg", "abc123", ""]) {
      const response = await app.request("POST", "/v1/auth/sessions", {
        email,
        code: app.codeFor(email),
        referral_code: referral,
      });
      expect([response.status, await codeOf(response)]).toEqual([422, "referral_code_invalid"]);
    }
    expect(
      (await app.request("POST", "/v1/auth/sessions", { email, code: app.codeFor(email) })).status,
    ).toBe(201);
  });

  it("refuses fields of another shape", async ({ expect }) => {
    const app = await identityApp(DB);
    for (
      const [body, pointer] of [
        [{ email: "a@b.fr" }, "/code"],
        [{ email: "a@b.fr", code: "12345" }, "/code"],
        [{ email: "a@b.fr", code: "123456", challenge: undefined }, "/challenge"],
        [{ email: "a@b.fr", code: 123456 }, "/code"],
        [{ email: "a@b.fr", code: "123456", device_name: "a\nb" }, "/device_name"],
        [{ email: "a@b.fr", code: "123456", device_name: "x".repeat(101) }, "/device_name"],
        [{ email: "a@b.fr", code: "123456", extra: 1 }, "/extra"],
      ] as const
    ) {
      const response = await app.request("POST", "/v1/auth/sessions", body);
      const problem = await response.json<{ code: string; errors: { pointer: string }[] }>();
      expect([response.status, problem.code, problem.errors[0]?.pointer]).toEqual([
        422,
        "validation_failed",
        pointer,
      ]);
    }
  });

  it("does not let a user who is being erased come back", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const { user } = await app.signIn(email);
    await DB.prepare("UPDATE users SET state = 'erasing' WHERE id = ?").bind(user.id).run();
    await app.request("POST", "/v1/auth/codes", { email });
    const response = await app.request("POST", "/v1/auth/sessions", {
      email,
      code: app.codeFor(email),
    });
    expect([response.status, await codeOf(response)]).toEqual([403, "forbidden"]);
  });
});
