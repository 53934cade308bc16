import { env } from "cloudflare:workers";
import { decodeJwt, generateKeyPair, SignJWT } from "jose";
import { describe, it } from "vitest";
import { refreshTokenHash } from "../../src/identity/refresh-token.ts";
import { keyedIndex } from "../../src/kernel/keyring.ts";
import { base64UrlEncode, utf8Encode } from "../../src/kernel/encoding.ts";
import { commonRefusals, refusedTokens } from "../support/common-refusals.ts";
import { AUDIENCE, identityApp, ISSUER, randomKeyring } from "../support/identity-app.ts";
import type { IdentityApp, Tokens } from "../support/identity-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
let serial = 0;
const someone = (): string => `someone${++serial}@sessions.test`;
const DAY_MS = 86_400_000;

async function refresh(
  app: IdentityApp,
  token: string,
): Promise<{ status: number; code: string | undefined; tokens: Tokens }> {
  const response = await app.request("POST", "/v1/auth/refresh", { refresh_token: token });
  const body = await response.json<Tokens & { code?: string }>();
  return { status: response.status, code: body.code, tokens: body };
}

describe("POST /v1/auth/refresh", () => {
  it("rotates, keeps auth_time, amr and session, and answers in the shape of signing in", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    app.clock.ms += 3_600_000;
    const renewed = await refresh(app, session.refresh_token);
    expect(renewed.status).toBe(200);
    expect(renewed.tokens).toMatchObject({
      token_type: "Bearer",
      expires_in: 600,
      refresh_expires_in: 60 * 86_400,
      user: { id: session.user.id, created: false },
    });
    expect(renewed.tokens.refresh_token).not.toBe(session.refresh_token);
    const [before, after] = [
      decodeJwt(session.access_token),
      decodeJwt(renewed.tokens.access_token),
    ];
    expect([after["auth_time"], after["amr"], after["sid"]]).toEqual([
      before["auth_time"],
      before["amr"],
      before["sid"],
    ]);
    expect(after.jti).not.toBe(before.jti);
    expect(after.exp).toBe(Math.floor(app.clock.ms / 1000) + 600);
  });

  it("gives a lost answer the same successor again, within 60 s and as long as it was not used", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const lost = await refresh(app, session.refresh_token);
    const endsAtMs = app.clock.ms + lost.tokens.refresh_expires_in * 1000;
    for (const waitedMs of [0, 60_000, 3 * DAY_MS]) {
      app.clock.ms += waitedMs;
      const again = await refresh(app, session.refresh_token);
      expect([again.status, again.tokens.refresh_token]).toEqual([200, lost.tokens.refresh_token]);
      // Asking again does not prolong the session.
      expect(app.clock.ms + again.tokens.refresh_expires_in * 1000).toBe(endsAtMs);
    }
    expect((await refresh(app, lost.tokens.refresh_token)).status).toBe(200);
  });

  it("keeps two tabs signed in that refresh the same token again and again", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    let [one, two] = [session.refresh_token, session.refresh_token];
    for (let round = 0; round < 5; round++) {
      const both = await Promise.all([refresh(app, one), refresh(app, two)]);
      expect(both.map(({ status }) => status)).toEqual([200, 200]);
      [one = "", two = ""] = both.map(({ tokens }) => tokens.refresh_token);
      expect(one).toBe(two);
      app.clock.ms += round * 600_000;
    }
  });

  it("closes the session when a spent token comes after its successor was used, even within the grace", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const second = await refresh(app, session.refresh_token);
    const third = await refresh(app, second.tokens.refresh_token);
    const reused = await refresh(app, session.refresh_token);
    expect([reused.status, reused.code]).toEqual([401, "refresh_reused"]);
    expect((await refresh(app, third.tokens.refresh_token)).status).toBe(401);
    const changed = await app.request("PATCH", "/v1/me", {}, app.bearer(third.tokens));
    expect(changed.status).toBe(401);
    expect(app.logLines.join()).toContain("refresh_token_reused");
  });

  it("leaves the user's other sessions alone", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const [one, two] = [await app.signIn(email), await app.signIn(email)];
    const next = await refresh(app, one.refresh_token);
    await refresh(app, next.tokens.refresh_token);
    expect((await refresh(app, one.refresh_token)).code).toBe("refresh_reused");
    expect((await refresh(app, two.refresh_token)).status).toBe(200);
  });

  it("answers two simultaneous requests with one successor, in one rotation", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const both = await Promise.all([
      refresh(app, session.refresh_token),
      refresh(app, session.refresh_token),
    ]);
    expect(both.map((answer) => answer.status)).toEqual([200, 200]);
    const row = await DB.prepare("SELECT generation, current_hash FROM sessions WHERE id = ?").bind(
      decodeJwt(session.access_token)["sid"],
    ).first<{ generation: number; current_hash: string }>();
    expect(row?.generation).toBe(2);
    expect(both.map(({ tokens }) => refreshTokenHash(tokens.refresh_token))).toEqual([
      row?.current_hash,
      row?.current_hash,
    ]);
  });

  it("gives the same successor after the index key changed", async ({ expect }) => {
    const { keys: both } = randomKeyring("old", "new");
    const before = await identityApp(DB, { index: { active: "old", keys: both } });
    const session = await before.signIn(someone());
    const lost = await refresh(before, session.refresh_token);
    const after = await identityApp(DB, {
      index: { active: "new", keys: both },
      encryption: before.keyrings.encryption,
      signingKeys: before.signingKeys,
    });
    const again = await refresh(after, session.refresh_token);
    expect([again.status, again.tokens.refresh_token]).toEqual([200, lost.tokens.refresh_token]);
  });

  it("ends a session of before the migration when its previous token comes: nobody knows its successor", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    await refresh(app, session.refresh_token);
    await DB.prepare("UPDATE sessions SET successor_salt = NULL WHERE id = ?").bind(
      decodeJwt(session.access_token)["sid"],
    ).run();
    expect((await refresh(app, session.refresh_token)).code).toBe("refresh_reused");
  });

  it("refuses a forged token without touching the session it names", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const sid = String(decodeJwt(session.access_token)["sid"]);
    const forgedPayload = base64UrlEncode(
      new Uint8Array([...utf8Encode(sid), ...new Uint8Array(32)]),
    );
    const [payload = "", kid = "", tag = ""] = session.refresh_token.split(".");
    const stranger = keyedIndex(randomKeyring("i1"), "refresh_token", forgedPayload);
    const forged = [
      `${forgedPayload}.${stranger}`,
      `${forgedPayload}.${kid}.${tag}`,
      `${payload}.${kid}.${tag.slice(0, -2)}AA`,
      `${payload}.${kid}`,
      `${payload}..`,
      ".",
      "x",
      `${"a".repeat(900)}.b.c`,
    ];
    for (const token of forged) {
      const answer = await refresh(app, token);
      expect([answer.status, answer.code]).toEqual([401, "refresh_invalid"]);
    }
    expect((await refresh(app, session.refresh_token)).status).toBe(200);
  });

  it("slides 60 days and ends after 180 whatever happens", async ({ expect }) => {
    const app = await identityApp(DB);
    const idle = await app.signIn(someone());
    let session = await app.signIn(someone());
    const startMs = app.clock.ms;
    app.clock.ms = startMs + 60 * DAY_MS;
    const late = await refresh(app, idle.refresh_token);
    expect([late.status, late.code]).toEqual([401, "refresh_invalid"]);
    for (const day of [59, 118, 177]) {
      app.clock.ms = startMs + day * DAY_MS;
      const renewed = await refresh(app, session.refresh_token);
      expect(renewed.status).toBe(200);
      session = renewed.tokens;
    }
    expect(session.refresh_expires_in).toBe(3 * 86_400);
    app.clock.ms = startMs + 180 * DAY_MS;
    expect((await refresh(app, session.refresh_token)).code).toBe("refresh_invalid");
  });

  it("refuses bad bodies", async ({ expect }) => {
    const app = await identityApp(DB);
    for (
      const body of [{}, { refresh_token: "" }, { refresh_token: 5 }, {
        refresh_token: "a",
        more: 1,
      }, { refresh_token: "x".repeat(1025) }]
    ) {
      expect((await app.request("POST", "/v1/auth/refresh", body)).status).toBe(422);
    }
  });
});

describe("sessions", () => {
  it("lists live sessions newest first with their names and pages through them", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    for (const device of ["Ancien téléphone", "Tablette"]) {
      await app.signIn(email, { device_name: device });
      app.clock.ms += 1000;
    }
    const current = await app.signIn(email);
    await app.signIn(someone());
    const page = async (
      query: string,
    ): Promise<
      {
        data: { id: string; device_name: string | null; current: boolean }[];
        next_cursor: string | null;
      }
    > =>
      (await app.request("GET", `/v1/auth/sessions${query}`, undefined, app.bearer(current)))
        .json();
    const all = await page("");
    expect(all.data.map((session) => [session.device_name, session.current])).toEqual([
      [null, true],
      ["Tablette", false],
      ["Ancien téléphone", false],
    ]);
    expect(all.next_cursor).toBeNull();
    const first = await page("?limit=2");
    expect(first.data.length).toBe(2);
    const second = await page(`?limit=2&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data]).toEqual(all.data);
    expect(second.next_cursor).toBeNull();
  });

  it("refuses another user's cursor, a broken one and a bad limit", async ({ expect }) => {
    const app = await identityApp(DB);
    const [email, other] = [someone(), await app.signIn(someone())];
    await app.signIn(email);
    app.clock.ms += 1;
    const own = await app.signIn(email);
    const { next_cursor: cursor } =
      await (await app.request("GET", "/v1/auth/sessions?limit=1", undefined, app.bearer(own)))
        .json<{ next_cursor: string }>();
    for (
      const [query, headers, status] of [
        [`cursor=${cursor}`, app.bearer(other), 400],
        ["cursor=abc", app.bearer(own), 400],
        ["limit=0", app.bearer(own), 422],
        ["limit=101", app.bearer(own), 422],
      ] as const
    ) {
      expect((await app.request("GET", `/v1/auth/sessions?${query}`, undefined, headers)).status)
        .toBe(status);
    }
  });

  it("ends a session by id or as current, again without complaint, and never another user's", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const [phone, laptop, stranger] = [
      await app.signIn(email),
      await app.signIn(email),
      await app.signIn(someone()),
    ];
    const sid = String(decodeJwt(phone.access_token)["sid"]);
    expect(
      (await app.request("DELETE", `/v1/auth/sessions/${sid}`, undefined, app.bearer(stranger)))
        .status,
    ).toBe(404);
    expect((await refresh(app, phone.refresh_token)).status).toBe(200);
    for (let round = 0; round < 2; round++) {
      expect(
        (await app.request("DELETE", `/v1/auth/sessions/${sid}`, undefined, app.bearer(laptop)))
          .status,
      ).toBe(204);
    }
    expect((await refresh(app, phone.refresh_token)).code).toBe("refresh_invalid");
    expect(
      (await app.request("DELETE", "/v1/auth/sessions/current", undefined, app.bearer(laptop)))
        .status,
    ).toBe(204);
    expect((await refresh(app, laptop.refresh_token)).code).toBe("refresh_invalid");
    const other = await app.signIn(email);
    expect(
      (await app.request("DELETE", "/v1/auth/sessions/nonsense", undefined, app.bearer(other)))
        .status,
    ).toBe(404);
  });

  it("ends all but the current one at once, never another user's", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const [phone, tablet, laptop, stranger] = [
      await app.signIn(email),
      await app.signIn(email),
      await app.signIn(email),
      await app.signIn(someone()),
    ];
    for (let round = 0; round < 2; round++) {
      const ended = await app.request(
        "DELETE",
        "/v1/auth/sessions",
        undefined,
        app.bearer(laptop),
      );
      expect([ended.status, await ended.text()]).toEqual([204, ""]);
    }
    const changed = async (session: Tokens) =>
      (await app.request("PATCH", "/v1/me", {}, app.bearer(session))).status;
    expect([await changed(phone), await changed(tablet)]).toEqual([401, 401]);
    expect((await refresh(app, phone.refresh_token)).code).toBe("refresh_invalid");
    expect([await changed(laptop), await changed(stranger)]).toEqual([200, 200]);
    expect((await refresh(app, laptop.refresh_token)).status).toBe(200);
    expect((await refresh(app, stranger.refresh_token)).status).toBe(200);
  });

  it("lets an ended session and a user who is being erased change nothing more", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const [lost, kept] = [await app.signIn(email), await app.signIn(email)];
    const changes = [
      ["DELETE", `/v1/auth/sessions/${String(decodeJwt(kept.access_token)["sid"])}`],
      ["PATCH", "/v1/me", { first_name: "Eve" }],
      ["PUT", "/v1/me/consents/terms", { granted: true, text_version: "1" }],
      ["POST", "/v1/auth/codes", { purpose: "step_up" }],
    ] as const;
    const statuses = async (session: Tokens) => {
      const found = [];
      for (const [method, path, body] of changes.slice(session === kept ? 1 : 0)) {
        found.push((await app.request(method, path, body, app.bearer(session))).status);
      }
      return found;
    };
    await app.request("DELETE", "/v1/auth/sessions/current", undefined, app.bearer(lost));
    expect(await statuses(lost)).toEqual([401, 401, 401, 401]);
    expect(await statuses(kept)).toEqual([200, 200, 202]);
    await DB.prepare("UPDATE users SET state = 'erasing' WHERE id = ?").bind(kept.user.id).run();
    expect(await statuses(kept)).toEqual([401, 401, 401]);
  });
});

describe("authenticated identity routes", () => {
  const routes = [
    ["GET", "/v1/auth/sessions"],
    ["DELETE", "/v1/auth/sessions"],
    ["DELETE", "/v1/auth/sessions/current"],
    ["POST", "/v1/auth/passkeys/options"],
    ["POST", "/v1/auth/passkeys", {}],
    ["GET", "/v1/auth/passkeys"],
    ["PATCH", "/v1/auth/passkeys/psk_1", { name: "x" }],
    ["DELETE", "/v1/auth/passkeys/psk_1"],
    ["POST", "/v1/auth/step-up", { code: "123456" }],
    ["GET", "/v1/auth/step-up"],
    ["PUT", "/v1/auth/step-up", { codes: true }],
    ["PUT", "/v1/me/email", { email: "a@b.test", code: "123456" }],
    ["GET", "/v1/me"],
    ["PATCH", "/v1/me", {}],
    ["GET", "/v1/me/consents"],
    ["PUT", "/v1/me/consents/terms", { granted: true, text_version: "1" }],
    ["POST", "/v1/auth/codes", { purpose: "step_up" }],
  ] as const;

  for (const [method, path, body] of routes) {
    it(`${method} ${path} refuses missing, broken, expired and foreign tokens`, async ({ expect }) => {
      const app = await identityApp(DB);
      const session = await app.signIn(someone());
      const sid = String(decodeJwt(session.access_token)["sid"]);
      const [jwk] = app.signingKeys;
      if (jwk === undefined) throw new Error("no key");
      const refused = await refusedTokens({ jwk, issuer: ISSUER, audience: AUDIENCE }, {
        sub: session.user.id,
        sid,
        nowMs: app.clock.ms,
      });
      await commonRefusals(expect, refused, (headers) => app.request(method, path, body, headers));
    });
  }

  it("answer 401 to a genuine token whose user is gone", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    await DB.batch([
      DB.prepare("DELETE FROM known_devices WHERE user_id = ?").bind(session.user.id),
      DB.prepare("DELETE FROM sessions WHERE user_id = ?").bind(session.user.id),
      DB.prepare("DELETE FROM users WHERE id = ?").bind(session.user.id),
    ]);
    for (
      const [method, path, body] of [["GET", "/v1/me"], ["PATCH", "/v1/me", { locale: "en" }], [
        "PUT",
        "/v1/me/consents/terms",
        { granted: true, text_version: "1" },
      ]] as const
    ) {
      const response = await app.request(method, path, body, app.bearer(session));
      expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([
        401,
        "token_invalid",
      ]);
    }
  });

  it("answer 503, not 401, to a token of an outside issuer whose keys cannot be fetched", async ({ expect }) => {
    const pair = await generateKeyPair("ES256");
    const app = await identityApp(DB, {
      trustedIssuers: [{
        issuer: "https://idp.example",
        jwksUri: "https://idp.example/jwks",
        audience: "cagnotte-app",
        subjectClaim: "sub",
      }],
      fetch: () => Promise.resolve(new Response("down", { status: 500 })),
    });
    const token = await new SignJWT({
      iss: "https://idp.example",
      aud: "cagnotte-app",
      sub: "x",
      exp: app.clock.ms / 1000 + 60,
    }).setProtectedHeader({ alg: "ES256", kid: "k" }).sign(pair.privateKey);
    expect(
      (await app.request("GET", "/v1/me", undefined, { Authorization: `Bearer ${token}` })).status,
    ).toBe(503);
  });
});
