import { env } from "cloudflare:workers";
import { decodeJwt, exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import { describe, it } from "vitest";
import type { UserId } from "../../src/kernel/ids.ts";
import type { Keyring } from "../../src/kernel/keyring.ts";
import { signAccessToken } from "../support/common-refusals.ts";
import { countD1 } from "../support/count-d1.ts";
import {
  AUDIENCE,
  identityApp,
  ISSUER,
  randomKeyring,
  signingKey,
} from "../support/identity-app.ts";
import type { Tokens } from "../support/identity-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
let serial = 0;
const someone = (): string => `someone${++serial}@security.test`;

async function everythingInD1(): Promise<string> {
  const { results: tables } = await DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'",
  ).all<{ name: string }>();
  const dumps = await Promise.all(
    tables.map(async ({ name }) =>
      JSON.stringify((await DB.prepare(`SELECT * FROM "${name}"`).all()).results)
    ),
  );
  return dumps.join("\n");
}

function withActive(ring: Keyring, active: string): Keyring {
  return { active, keys: ring.keys };
}

function only(ring: Keyring, kid: string): Keyring {
  return { active: kid, keys: new Map([...ring.keys].filter(([name]) => name === kid)) };
}

describe("what lies in D1 and in the log", () => {
  it("holds no address, name, birth date, device name, code or token in clear", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = "camille.durand@forbidden.test";
    await app.request("POST", "/v1/auth/codes", { email: ` ${email.toUpperCase()}` });
    const wrong = app.codeFor(email) === "999999" ? "999998" : "999999";
    await app.request("POST", "/v1/auth/sessions", { email, code: wrong });
    const session = await (await app.request("POST", "/v1/auth/sessions", {
      email,
      code: app.codeFor(email),
      device_name: "Fairphone de Camille",
    })).json<Tokens>();
    const renewed = await (await app.request("POST", "/v1/auth/refresh", {
      refresh_token: session.refresh_token,
    })).json<Tokens>();
    await app.request("PATCH", "/v1/me", {
      first_name: "Camille",
      last_name: "Durandeau",
      gender: "female",
      birth_date: "1987-06-05",
    }, app.bearer(session));
    await app.request(
      "PUT",
      "/v1/me/consents/terms",
      { granted: true, text_version: "1" },
      app.bearer(session),
    );
    await app.service.linkUser(
      session.user.id as UserId,
      "https://idp.example",
      "camille.durand@forbidden.test",
    );
    const dump = `${await everythingInD1()}\n${app.logLines.join("\n")}`;
    expect(dump).toContain(session.user.id);
    const secrets = [
      email,
      "camille",
      "durand",
      "forbidden.test",
      "durandeau",
      '"female"',
      "1987-06-05",
      "fairphone",
      `"${app.codeFor(email)}"`,
      session.refresh_token,
      renewed.refresh_token,
      session.access_token,
      "idp.example",
    ];
    for (const secret of secrets) {
      expect(dump.toLowerCase().includes(secret.toLowerCase()), secret).toBe(false);
    }
  });

  it("cannot hold a clear value: the schema refuses it", async ({ expect }) => {
    const app = await identityApp(DB);
    const { user } = await app.signIn(someone());
    for (
      const column of [
        "email_cipher",
        "first_name_cipher",
        "last_name_cipher",
        "gender_cipher",
        "birth_date_cipher",
        "data_key",
      ]
    ) {
      const outcome = await DB.prepare(`UPDATE users SET ${column} = 'Camille' WHERE id = ?`).bind(
        user.id,
      ).run().then(() => "stored", () => "refused");
      expect([column, outcome]).toEqual([column, "refused"]);
    }
  });

  it("does not open when moved to another row or column", async ({ expect }) => {
    const app = await identityApp(DB);
    const [one, two] = [await app.signIn(someone()), await app.signIn(someone())];
    await app.request(
      "PATCH",
      "/v1/me",
      { first_name: "Ada", last_name: "Lovelace" },
      app.bearer(one),
    );
    await DB.prepare("UPDATE users SET first_name_cipher = last_name_cipher WHERE id = ?").bind(
      one.user.id,
    ).run();
    expect((await app.request("GET", "/v1/me", undefined, app.bearer(one))).status).toBe(500);
    await DB.prepare(
      "UPDATE users SET first_name_cipher = (SELECT last_name_cipher FROM users WHERE id = ?) WHERE id = ?",
    ).bind(one.user.id, two.user.id).run();
    const response = await app.request("GET", "/v1/me", undefined, app.bearer(two));
    expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([
      500,
      "internal",
    ]);
  });

  it("answers 503 without a word of SQL when the database fails", async ({ expect }) => {
    const broken = {
      prepare: () => ({ bind: () => ({}) }),
      batch: () => Promise.reject(new Error("D1_ERROR: secret@address.test")),
    } as unknown as D1Database;
    const app = await identityApp(broken);
    const response = await app.request("POST", "/v1/auth/codes", { email: "secret@address.test" });
    const body = await response.text();
    expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "5"]);
    expect(`${body}${app.logLines.join()}`).not.toMatch(/secret|D1_ERROR|SELECT|INSERT/);
  });
});

describe("rotation of keys", () => {
  it("finds a user under an older index key, moves them at sign-in, and never makes a second user", async ({ expect }) => {
    const ring = randomKeyring("old", "new");
    const [before, encryption] = [
      await identityApp(DB, { index: only(ring, "old") }),
      randomKeyring("e1"),
    ];
    const old = await identityApp(DB, { index: before.keyrings.index, encryption });
    const during = await identityApp(DB, { index: withActive(ring, "new"), encryption });
    const after = await identityApp(DB, { index: only(ring, "new"), encryption });
    const email = someone();
    const first = await old.signIn(email);
    const second = await during.signIn(email);
    expect(second.user).toEqual({ id: first.user.id, created: false });
    expect((await after.signIn(email)).user).toEqual({ id: first.user.id, created: false });
  });

  it("keeps codes, limits and refresh tokens across the change of the index key", async ({ expect }) => {
    const ring = randomKeyring("old", "new");
    const encryption = randomKeyring("e1");
    const challenges = new Map<string, string>();
    const before = await identityApp(DB, { index: only(ring, "old"), encryption, challenges });
    const during = await identityApp(DB, {
      challenges,
      index: withActive(ring, "new"),
      encryption,
      signingKeys: before.signingKeys,
    });
    const email = someone();
    const session = await before.signIn(email);
    for (let round = 0; round < 4; round++) {
      await before.request("POST", "/v1/auth/codes", { email });
    }
    expect((await during.request("POST", "/v1/auth/codes", { email })).status).toBe(429);
    expect(
      (await during.request("POST", "/v1/auth/sessions", { email, code: before.codeFor(email) }))
        .status,
    ).toBe(201);
    expect(
      (await during.request("POST", "/v1/auth/refresh", { refresh_token: session.refresh_token }))
        .status,
    ).toBe(200);
  });

  it("reindex() moves those who do not sign in, so that the old key can leave", async ({ expect }) => {
    const ring = randomKeyring("oldest", "newest");
    const encryption = randomKeyring("e1");
    await DB.batch(
      ["known_devices", "sessions", "consents", "identity_links", "users"].map((table) =>
        DB.prepare(`DELETE FROM ${table}`)
      ),
    );
    const before = await identityApp(DB, { index: only(ring, "oldest"), encryption });
    const during = await identityApp(DB, { index: withActive(ring, "newest"), encryption });
    const after = await identityApp(DB, { index: only(ring, "newest"), encryption });
    const emails = [someone(), someone(), someone()];
    const ids = [];
    for (const email of emails) ids.push((await before.signIn(email)).user.id);
    expect([
      await during.service.reindex(2),
      await during.service.reindex(2),
      await during.service.reindex(2),
    ]).toEqual([2, 1, 0]);
    const found = [];
    for (const email of emails) found.push((await after.signIn(email)).user);
    expect(found).toEqual(ids.map((id) => ({ id, created: false })));
  });

  it("verifies tokens of every signing key and signs with the first", async ({ expect }) => {
    const [older, newer] = [await signingKey("older"), await signingKey("newer")];
    const rings = { index: randomKeyring("i1"), encryption: randomKeyring("e1") };
    const before = await identityApp(DB, { ...rings, signingKeys: [older] });
    const during = await identityApp(DB, { ...rings, signingKeys: [newer, older] });
    const after = await identityApp(DB, { ...rings, signingKeys: [newer] });
    const session = await before.signIn(someone());
    expect((await during.request("GET", "/v1/me", undefined, during.bearer(session))).status).toBe(
      200,
    );
    expect((await after.request("GET", "/v1/me", undefined, after.bearer(session))).status).toBe(
      401,
    );
    const keys = await during.request("GET", "/.well-known/jwks.json");
    expect(keys.headers.get("Cache-Control")).toBe("public, max-age=300");
    const set = await keys.json<{ keys: Record<string, string>[] }>();
    expect(set.keys.map((key) => key["kid"])).toEqual(["newer", "older"]);
    for (const key of set.keys) {
      expect(Object.keys(key).sort((a, b) => a.localeCompare(b))).toEqual([
        "alg",
        "crv",
        "kid",
        "kty",
        "use",
        "x",
        "y",
      ]);
    }
  });
});

describe("access tokens", () => {
  it("refuse another audience, type, algorithm and claims of another shape", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const [jwk] = app.signingKeys;
    if (jwk === undefined) throw new Error("no key");
    const identity = { jwk, issuer: ISSUER, audience: AUDIENCE };
    const claims = {
      sub: session.user.id,
      sid: String(decodeJwt(session.access_token)["sid"]),
      nowMs: app.clock.ms,
    };
    expect((await app.tokens.verify(await signAccessToken(identity, claims))).ok).toBe(true);
    const header = { alg: "ES256", kid: jwk.kid, typ: "at+jwt" };
    const own = (
      payload: Record<string, unknown>,
      head: Record<string, unknown> = header,
      key?: CryptoKey | Uint8Array,
    ) =>
      importJWK({ ...jwk }, "ES256").then((signer) =>
        new SignJWT({
          iss: ISSUER,
          aud: AUDIENCE,
          sub: claims.sub,
          sid: claims.sid,
          jti: "1",
          auth_time: 1,
          amr: ["otp"],
          iat: app.clock.ms / 1000,
          exp: app.clock.ms / 1000 + 60,
          ...payload,
        })
          .setProtectedHeader({ ...header, ...head }).sign(key ?? signer)
      );
    const unsigned = `${btoa(JSON.stringify({ alg: "none", typ: "at+jwt" })).replaceAll("=", "")}.${
      session.access_token.split(".")[1]
    }.`;
    const refused = [
      unsigned,
      await own({}, { alg: "HS256" }, new TextEncoder().encode(JSON.stringify(jwk))),
      await own({}, { kid: "unknown" }),
      await signAccessToken(identity, claims, { audience: "other" }),
      await signAccessToken(identity, claims, { typ: "JWT" }),
      await own({ sub: "usr_1" }),
      await own({ sid: undefined }),
      await own({ sid: "ses_1" }),
      await own({ auth_time: "now" }),
      await own({ amr: "otp" }),
      await own({ exp: undefined }),
      await own({ jti: undefined }),
      `${session.access_token}x`,
    ];
    for (const token of refused) {
      expect(await app.tokens.verify(token)).toEqual({ ok: false, error: "token_invalid" });
    }
    app.clock.ms += 600_000;
    expect(await app.tokens.verify(session.access_token)).toEqual({
      ok: false,
      error: "token_expired",
    });
  });

  it("of a trusted outside issuer name the linked user, without a session or a time of proof", async ({ expect }) => {
    const pair = await generateKeyPair("RS256");
    const publicJwk = { ...(await exportJWK(pair.publicKey)), kid: "out", alg: "RS256" };
    const fetched: string[] = [];
    const outsideFetch: typeof fetch = async (input) => {
      fetched.push(input instanceof Request ? input.url : input.toString());
      return Response.json({ keys: [publicJwk] });
    };
    const app = await identityApp(DB, {
      trustedIssuers: [{
        issuer: "https://idp.example",
        jwksUri: "https://idp.example/jwks",
        audience: "cagnotte-app",
        subjectClaim: "oid",
      }],
      fetch: outsideFetch,
    });
    const session = await app.signIn(someone());
    const stranger = await app.signIn(someone());
    const token = (
      over: Record<string, unknown> = {},
      typ: { readonly typ?: string } = { typ: "JWT" },
    ): Promise<string> =>
      new SignJWT({
        iss: "https://idp.example",
        aud: "cagnotte-app",
        oid: "subject-7",
        iat: app.clock.ms / 1000,
        exp: app.clock.ms / 1000 + 60,
        auth_time: app.clock.ms / 1000,
        ...over,
      }).setProtectedHeader({ alg: "RS256", kid: "out", ...typ }).sign(pair.privateKey);
    expect(fetched).toEqual([]);
    expect(await app.tokens.verify(await token())).toEqual({ ok: false, error: "token_invalid" });
    expect(
      await app.service.linkUser(session.user.id as UserId, "https://idp.example", "subject-7"),
    ).toBe(true);
    expect(
      await app.service.linkUser(session.user.id as UserId, "https://idp.example", "subject-7"),
    ).toBe(true);
    expect(
      await app.service.linkUser(stranger.user.id as UserId, "https://idp.example", "subject-7"),
    ).toBe(false);
    expect(await app.tokens.verify(await token())).toEqual({
      ok: true,
      value: {
        userId: session.user.id,
        sessionId: null,
        authTimeS: 0,
        amr: [],
        issuedAtS: Math.floor(app.clock.ms / 1000),
        stepUpAtS: null,
      },
    });
    for (
      const over of [{ aud: "cagnotte" }, { oid: "subject-8" }, { oid: undefined }, { oid: 7 }, {
        exp: undefined,
      }, { iat: undefined }]
    ) expect((await app.tokens.verify(await token(over))).ok).toBe(false);
    for (const typ of [{}, { typ: "dpop+jwt" }, { typ: "logout+jwt" }]) {
      expect((await app.tokens.verify(await token({}, typ))).ok).toBe(false);
    }
    expect((await app.tokens.verify(await token({}, { typ: "at+jwt" }))).ok).toBe(true);
    const issuedS = app.clock.ms / 1000 - 86_400;
    expect((await app.tokens.verify(await token({ iat: issuedS }))).ok).toBe(true);
    expect((await app.tokens.verify(await token({ iat: issuedS - 1 }))).ok).toBe(false);
    expect(await app.tokens.verify(await token({ exp: app.clock.ms / 1000 }))).toEqual({
      ok: false,
      error: "token_expired",
    });
    expect(fetched).toEqual(["https://idp.example/jwks"]);
    const headers = { Authorization: `Bearer ${await token()}` };
    expect((await app.request("GET", "/v1/me", undefined, headers)).status).toBe(200);
    expect((await app.request("DELETE", "/v1/auth/sessions/current", undefined, headers)).status)
      .toBe(404);
    const rename = () => app.request("PATCH", "/v1/me", { first_name: "Ada" }, headers);
    expect((await rename()).status).toBe(200);
    await DB.prepare("UPDATE users SET state = 'erasing' WHERE id = ?").bind(session.user.id).run();
    expect((await rename()).status).toBe(401);
    await DB.prepare("UPDATE users SET state = 'active' WHERE id = ?").bind(session.user.id).run();
    // Ending all sessions ends what the issuer issued until now, and nothing of later.
    const endAll = () => app.request("DELETE", "/v1/auth/sessions", undefined, headers);
    expect([(await endAll()).status, (await rename()).status]).toEqual([204, 401]);
    headers.Authorization = `Bearer ${await token({ iat: app.clock.ms / 1000 + 0.9 })}`;
    expect((await rename()).status).toBe(401);
    app.clock.ms += 1000;
    headers.Authorization = `Bearer ${await token()}`;
    expect((await rename()).status).toBe(200);
    for (
      const [path, body, code] of [
        ["codes", { purpose: "step_up" }, "forbidden"],
        ["codes", { purpose: "change_email", email: "a@b.test" }, "forbidden"],
        ["step-up", { code: "123456" }, "forbidden"],
        ["passkeys/assertions/options", undefined, "forbidden"],
        ["passkeys/options", undefined, "step_up_required"],
      ] as const
    ) {
      const refused = await app.request("POST", `/v1/auth/${path}`, body, headers);
      expect([path, refused.status, (await refused.json<{ code: string }>()).code]).toEqual([
        path,
        403,
        code,
      ]);
    }
  });
});

describe("what each call costs in D1", () => {
  it("waits for the database as often as is written here and no more", async ({ expect }) => {
    const counted = countD1(DB);
    const app = await identityApp(counted.db);
    const email = someone();
    const cost = async (call: () => Promise<Response>): Promise<[number, number]> => {
      counted.reset();
      const response = await call();
      return [response.status, counted.count.roundTrips];
    };
    expect(await cost(() => app.request("POST", "/v1/auth/codes", { email }))).toEqual([202, 1]);
    expect(
      await cost(() =>
        app.request("POST", "/v1/auth/sessions", {
          email,
          code: app.codeFor(email) === "000000" ? "000001" : "000000",
        })
      ),
    ).toEqual([401, 2]);
    expect(
      await cost(() =>
        app.request("POST", "/v1/auth/sessions", { email, code: app.codeFor(email) })
      ),
    ).toEqual([201, 2]);
    const session = await app.signIn(email);
    expect(await cost(() => app.request("GET", "/v1/me", undefined, app.bearer(session)))).toEqual([
      200,
      1,
    ]);
    expect(
      await cost(() => app.request("PATCH", "/v1/me", { first_name: "Ada" }, app.bearer(session))),
    ).toEqual([200, 3]);
    expect(await cost(() => app.request("GET", "/v1/me/consents", undefined, app.bearer(session))))
      .toEqual([200, 1]);
    expect(
      await cost(() =>
        app.request(
          "PUT",
          "/v1/me/consents/terms",
          { granted: true, text_version: "1" },
          app.bearer(session),
        )
      ),
    ).toEqual([200, 3]); // its number is part of its seal
    expect(counted.count.rowsWritten).toBeGreaterThan(0);
    expect(
      await cost(() =>
        app.request(
          "PUT",
          "/v1/me/consents/terms",
          { granted: true, text_version: "1" },
          app.bearer(session),
        )
      ),
    ).toEqual([200, 2]);
    expect(counted.count.rowsWritten).toBe(0);
    expect(
      await cost(() => app.request("GET", "/v1/auth/sessions", undefined, app.bearer(session))),
    ).toEqual([200, 1]);
    expect(
      await cost(() =>
        app.request("POST", "/v1/auth/refresh", { refresh_token: session.refresh_token })
      ),
    ).toEqual([200, 1]);
    expect(
      await cost(() => app.request("POST", "/v1/auth/refresh", { refresh_token: "forged.k.t" })),
    ).toEqual([401, 0]);
    expect(
      await cost(() =>
        app.request("DELETE", "/v1/auth/sessions/current", undefined, app.bearer(session))
      ),
    ).toEqual([204, 2]);
    counted.reset();
    await app.service.linkGate(session.user.id as UserId);
    expect(counted.count).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
  });
});
