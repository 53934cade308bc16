import { env } from "cloudflare:workers";
import { decodeJwt } from "jose";
import { describe, it } from "vitest";
import { identityStore } from "../../src/identity/store/index.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { identityApp, PAGE } from "../support/identity-app.ts";
import type { IdentityApp, Tokens } from "../support/identity-app.ts";
import { softwareAuthenticator } from "../support/authenticator.ts";
import type { Authenticator } from "../support/authenticator.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
let serial = 0;
const someone = (): string => `someone${++serial}@passkeys.test`;
const SITE = { origin: PAGE, rpId: "cagnotte.test" };
const MINUTE_MS = 60_000;
type Headers = Record<string, string>;
type Creation = { challenge: string; user: { id: string; name: string } } & Record<string, unknown>;
type Request = { challenge: string; allowCredentials?: { id: string }[] } & Record<string, unknown>;

const outcome = async (response: Response): Promise<[number, string | undefined]> => [
  response.status,
  response.status === 204 ? undefined : (await response.json<{ code?: string }>()).code,
];
const post = (app: IdentityApp, path: string, body: object | undefined, headers: Headers = {}) =>
  app.request("POST", path, body === undefined ? undefined : { ...body }, headers);

const creation = async (app: IdentityApp, headers: Headers): Promise<Creation> =>
  (await post(app, "/v1/auth/passkeys/options", undefined, headers)).json();
const asked = async (app: IdentityApp, headers: Headers = {}): Promise<Request> =>
  (await post(app, "/v1/auth/passkeys/assertions/options", undefined, headers)).json();
const assertions = (app: IdentityApp, body: object) =>
  post(app, "/v1/auth/passkeys/assertions", body);

/** A signed-in user with a registered passkey, and a bearer that a step-up gave. */
async function withPasskey(app: IdentityApp, key: Authenticator, name?: string) {
  const email = someone();
  const session = await app.signIn(email);
  const strong = await app.stepUp(email, session);
  const answer = await key.create(await creation(app, strong));
  const named = name === undefined ? answer : { ...answer, name };
  const registered = await post(app, "/v1/auth/passkeys", named, strong);
  if (registered.status !== 201) throw new Error(`registering answered ${registered.status}`);
  return { email, session, strong, passkey: await registered.json<{ id: string }>() };
}

type Listed = { data: { id: string; name: string | null; last_used_at: string | null }[] };
const passkeys = async (app: IdentityApp, session: Tokens) =>
  (await (await app.request("GET", "/v1/auth/passkeys", undefined, app.bearer(session)))
    .json<Listed>()).data;

describe("step-up", () => {
  it("by code sets step_up_at in this token only, and opens its routes for five minutes", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const session = await app.signIn(email);
    const options = (headers: Headers) =>
      post(app, "/v1/auth/passkeys/options", undefined, headers);
    expect(await outcome(await options(app.bearer(session)))).toEqual([403, "step_up_required"]);
    app.clock.ms += MINUTE_MS;
    const strong = await app.stepUp(email, session);
    const before = decodeJwt(session.access_token);
    const claims = decodeJwt(strong["Authorization"]?.slice(7) ?? "");
    expect(claims).toMatchObject({
      sub: session.user.id,
      sid: before["sid"],
      auth_time: before["auth_time"],
      amr: ["otp"],
      step_up_at: app.clock.ms / 1000,
    });
    expect("step_up_at" in before).toBe(false);
    expect((await options(strong)).status).toBe(200);
    const renewed = await (await post(app, "/v1/auth/refresh", {
      refresh_token: session.refresh_token,
    })).json<Tokens>();
    expect(await outcome(await options(app.bearer(renewed)))).toEqual([403, "step_up_required"]);
    app.clock.ms += 5 * MINUTE_MS;
    expect((await options(strong)).status).toBe(200);
    app.clock.ms += 1000;
    expect(await outcome(await options(strong))).toEqual([403, "step_up_required"]);
  });

  it("by code is bound to its session, good once, and limited", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const [mine, other] = [await app.signIn(email), await app.signIn(email)];
    const attempt = async (session: Tokens, code: string) =>
      outcome(await post(app, "/v1/auth/step-up", { code }, app.bearer(session)));
    await post(app, "/v1/auth/codes", { purpose: "step_up" }, app.bearer(mine));
    const code = app.codeFor(email);
    expect(await attempt(other, code)).toEqual([401, "code_invalid"]);
    const wrong = code === "000000" ? "000001" : "000000";
    for (let round = 0; round < 5; round++) {
      expect(await attempt(mine, wrong)).toEqual([401, "code_invalid"]);
    }
    expect(await attempt(mine, code)).toEqual([429, "code_tries_exceeded"]);
    await post(app, "/v1/auth/codes", { purpose: "step_up" }, app.bearer(mine));
    const next = app.codeFor(email);
    expect((await attempt(mine, next))[0]).toBe(200);
    expect(await attempt(mine, next)).toEqual([401, "code_invalid"]);
    await post(app, "/v1/auth/codes", { purpose: "step_up" }, app.bearer(mine));
    app.clock.ms += 10 * MINUTE_MS;
    const late = await post(app, "/v1/auth/refresh", { refresh_token: mine.refresh_token });
    expect(await attempt(await late.json<Tokens>(), app.codeFor(email))).toEqual([
      401,
      "code_invalid",
    ]);
  });

  it("is of no use once its session has ended", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const session = await app.signIn(email);
    const strong = await app.stepUp(email, session);
    await app.request("DELETE", "/v1/auth/sessions/current", undefined, strong);
    expect(await outcome(await post(app, "/v1/auth/passkeys/options", undefined, strong))).toEqual([
      401,
      "token_invalid",
    ]);
  });

  it("by passkey needs the user's own, and a challenge of this session", async ({ expect }) => {
    const app = await identityApp(DB);
    const [key, foreign] = [await softwareAuthenticator(SITE), await softwareAuthenticator(SITE)];
    const { email, session } = await withPasskey(app, key);
    await withPasskey(app, foreign);
    const attempt = async (body: object, by = session) =>
      post(app, "/v1/auth/step-up", body, app.bearer(by));
    const options = await asked(app, app.bearer(session));
    expect(options.allowCredentials?.map(({ id }) => id)).toEqual([key.id]);
    const refused = [401, "passkey_invalid"];
    expect(await outcome(await attempt(await foreign.get(options)))).toEqual(refused);
    const elsewhere = await app.signIn(email);
    expect(await outcome(await attempt(await key.get(options), elsewhere))).toEqual(refused);
    expect(await outcome(await attempt(await key.get(await asked(app))))).toEqual(refused);
    expect(await outcome(await assertions(app, await key.get(options)))).toEqual(refused);
    const done = await attempt(await key.get(options));
    expect(done.status).toBe(200);
    const { access_token: token } = await done.json<Tokens>();
    expect(decodeJwt(token)).toMatchObject({
      amr: ["otp", "pop", "mfa"],
      step_up_at: app.clock.ms / 1000,
    });
    expect((await creation(app, { Authorization: `Bearer ${token}` })).challenge).toBeDefined();
    expect(await outcome(await attempt(await key.get(options)))).toEqual(refused);
  });
});

describe("registering a passkey", () => {
  it("asks for a key that needs no name, keeps it, and tells the owner", async ({ expect }) => {
    const app = await identityApp(DB);
    const key = await softwareAuthenticator(SITE);
    const { email, session, strong, passkey } = await withPasskey(app, key, "Téléphone");
    expect(passkey).toEqual({
      id: expect.stringMatching(/^psk_/),
      name: "Téléphone",
      created_at: "2026-11-23T09:00:00.000Z",
      last_used_at: null,
    });
    expect(await passkeys(app, session)).toEqual([passkey]);
    const { challenge: _, ...options } = await creation(app, strong);
    expect(options).toMatchObject({
      rp: { name: "Cagnotte", id: "cagnotte.test" },
      user: { name: email },
      attestation: "none",
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      pubKeyCredParams: [-8, -7, -257].map((alg) => ({ alg, type: "public-key" })),
      excludeCredentials: [{ id: key.id, type: "public-key", transports: ["internal", "hybrid"] }],
    });
    await app.sendNotices();
    expect(app.mails.filter(({ to }) => to === email).map(({ subject }) => subject)).toContain(
      "Nouvelle clé d'accès à votre compte Cagnotte",
    );
    const row = await DB.prepare("SELECT * FROM passkeys WHERE id = ?").bind(passkey.id).first();
    expect(JSON.stringify(row)).not.toContain("Téléphone");
  });

  it("refuses every answer that is not good", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const session = await app.signIn(email);
    const strong = await app.stepUp(email, session);
    const key = await softwareAuthenticator(SITE);
    const attempt = async (body: object) =>
      outcome(await post(app, "/v1/auth/passkeys", body, strong));
    const refused = [422, "passkey_not_registered"];
    for (
      const over of [
        { origin: "https://evil.test" },
        { rpId: "evil.test" },
        { userVerified: false },
        { type: "webauthn.get" },
        { algorithm: -48 },
        { format: "packed", certificates: true },
        { format: "android-safetynet" },
      ]
    ) {
      expect(
        await attempt(await key.create(await creation(app, strong), over)),
        JSON.stringify(over),
      )
        .toEqual(refused);
    }
    const foreign = await app.signIn(someone());
    for (
      const challenge of [
        "AAAA",
        "w7_DvA",
        (await asked(app)).challenge,
        (await asked(app, app.bearer(session))).challenge,
        (await asked(app, app.bearer(foreign))).challenge,
      ]
    ) {
      const answer = await key.create({ challenge, user: { id: "dQ" } });
      expect(await attempt(answer)).toEqual(refused);
    }
    const late = await key.create(await creation(app, strong));
    const good = await key.create(await creation(app, strong));
    expect((await attempt(good))[0]).toBe(201);
    // Known already, and its challenge is spent.
    expect(await attempt(good)).toEqual(refused);
    expect(await attempt(await key.create(await creation(app, strong)))).toEqual(refused);
    app.clock.ms += 5 * MINUTE_MS;
    expect(await attempt(late)).toEqual(refused);
    expect((await passkeys(app, session)).length).toBe(1);
  });

  it("refuses bodies of another shape, ignores what browsers add, and stops at twenty", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const session = await app.signIn(email);
    const strong = await app.stepUp(email, session);
    const key = await softwareAuthenticator(SITE);
    const good = await key.create(await creation(app, strong));
    for (
      const body of [
        {},
        { ...good, id: "a b" },
        { ...good, type: "password" },
        { ...good, name: "" },
        { ...good, response: { ...good.response, clientDataJSON: "x".repeat(6000) } },
      ]
    ) expect((await post(app, "/v1/auth/passkeys", body, strong)).status).toBe(422);
    const extended = { ...good, later: 1, response: { ...good.response, publicKey: "AAAA" } };
    expect((await post(app, "/v1/auth/passkeys", extended, strong)).status).toBe(201);
    await DB.prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 19) INSERT INTO passkeys (id, user_id, credential_id, public_key, counter, transports, name_cipher, created_at_ms, last_used_at_ms) SELECT 'psk_' || i, ?, 'c' || i || ?1, 'k', 0, '[]', NULL, 1, NULL FROM n",
    ).bind(session.user.id).run();
    const next = await softwareAuthenticator(SITE);
    const answer = await next.create(await creation(app, strong));
    expect(await outcome(await post(app, "/v1/auth/passkeys", answer, strong))).toEqual([
      409,
      "passkey_limit_reached",
    ]);
  });

  it("gives a lost answer again under its Idempotency-Key", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const strong = await app.stepUp(email, await app.signIn(email));
    const key = await softwareAuthenticator(SITE);
    const answer = await key.create(await creation(app, strong));
    const send = () =>
      post(app, "/v1/auth/passkeys", answer, { ...strong, "Idempotency-Key": "once" });
    const [first, again] = [await send(), await send()];
    expect([first.status, again.status, again.headers.get("Idempotency-Replayed")]).toEqual([
      201,
      201,
      "true",
    ]);
    expect(await again.json()).toEqual(await first.json());
    app.clock.ms += 5 * MINUTE_MS + 1000;
    // The step-up is checked before the replay.
    expect(await outcome(await send())).toEqual([403, "step_up_required"]);
  });
});

describe("signing in with a passkey", () => {
  it("answers as a code does, without a step-up, once for a challenge, and tells the owner", async ({ expect }) => {
    const app = await identityApp(DB);
    const key = await softwareAuthenticator(SITE);
    const { email, session } = await withPasskey(app, key);
    app.clock.ms += MINUTE_MS;
    const options = await asked(app);
    expect(options).toMatchObject({ rpId: "cagnotte.test", userVerification: "required" });
    expect("allowCredentials" in options).toBe(false);
    const answer = { ...await key.get(options), device_name: "Ordinateur" };
    const both = await Promise.all([assertions(app, answer), assertions(app, answer)]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 401]);
    const signedIn = await both.find(({ status }) => status === 201)?.json<Tokens>();
    if (signedIn === undefined) throw new Error("nobody signed in");
    expect(signedIn).toMatchObject({
      token_type: "Bearer",
      expires_in: 600,
      user: { id: session.user.id, created: false },
    });
    const claims = decodeJwt(signedIn.access_token);
    expect([claims["amr"], claims["step_up_at"]]).toEqual([["pop", "mfa"], undefined]);
    expect((await app.request("PATCH", "/v1/me", {}, app.bearer(signedIn))).status).toBe(200);
    const names = await (await app.request(
      "GET",
      "/v1/auth/sessions",
      undefined,
      app.bearer(signedIn),
    )).json<{ data: { device_name: string | null }[] }>();
    expect(names.data.map((row) => row.device_name)).toEqual(["Ordinateur", null]);
    expect((await passkeys(app, session))[0]?.last_used_at).toBe("2026-11-23T09:01:00.000Z");
    const before = app.mails.length;
    await app.sendNotices();
    expect(app.mails.slice(before).filter(({ to }) => to === email).length).toBe(3);
    expect(await outcome(await assertions(app, answer))).toEqual([401, "passkey_invalid"]);
  });

  it("refuses every answer that is not good", async ({ expect }) => {
    const app = await identityApp(DB);
    const key = await softwareAuthenticator(SITE);
    const { session } = await withPasskey(app, key);
    const refused = [401, "passkey_invalid"];
    for (
      const over of [
        { origin: "https://evil.test" },
        { rpId: "evil.test" },
        { userVerified: false },
        { type: "webauthn.create" },
        { badSignature: true },
        { userHandle: "dXNyXzE" },
      ]
    ) {
      expect(
        await outcome(await assertions(app, await key.get(await asked(app), over))),
        JSON.stringify(over),
      ).toEqual(refused);
    }
    const unknown = await softwareAuthenticator(SITE);
    expect(await outcome(await assertions(app, await unknown.get(await asked(app))))).toEqual(
      refused,
    );
    const late = await key.get(await asked(app));
    app.clock.ms += 5 * MINUTE_MS;
    expect(await outcome(await assertions(app, late))).toEqual(refused);
    expect((await assertions(app, { ...late, type: "x" })).status).toBe(422);
    expect((await assertions(app, await key.get(await asked(app), { userHandle: null }))).status)
      .toBe(201);
    await DB.prepare("UPDATE users SET state = 'erasing' WHERE id = ?").bind(session.user.id).run();
    expect(await outcome(await assertions(app, await key.get(await asked(app))))).toEqual(refused);
  });

  it("takes a counter of 0 as often as it comes, and never one that goes back", async ({ expect }) => {
    const app = await identityApp(DB);
    const [still, counting] = [
      await softwareAuthenticator(SITE),
      await softwareAuthenticator(SITE, 7),
    ];
    await withPasskey(app, still);
    const { session } = await withPasskey(app, counting);
    const attempt = async (key: Authenticator, over = {}) =>
      (await assertions(app, await key.get(await asked(app), over))).status;
    expect([await attempt(still), await attempt(still)]).toEqual([201, 201]);
    expect([await attempt(counting), await attempt(counting)]).toEqual([201, 201]);
    const alerts = () =>
      app.logLines.filter((line) => line.includes("passkey_counter_back")).length;
    expect(alerts()).toBe(0);
    for (const counter of [9, 8, 0]) expect(await attempt(counting, { counter })).toBe(401);
    expect(alerts()).toBe(3);
    // Of two copies of a key that answer at once, one is refused.
    const copies = await Promise.all(
      [asked(app), asked(app)].map(async (options) =>
        assertions(app, await counting.get(await options, { counter: 10 }))
      ),
    );
    expect(copies.map(({ status }) => status).sort()).toEqual([201, 401]);
    const [row] = await passkeys(app, session);
    expect(
      await DB.prepare("SELECT counter FROM passkeys WHERE id = ?").bind(row?.id).first("counter"),
    )
      .toBe(10);
  });
});

describe("a user's passkeys", () => {
  it("are listed in pages, renamed and removed by step-up, and never another user's", async ({ expect }) => {
    const app = await identityApp(DB);
    const [one, two] = [await softwareAuthenticator(SITE), await softwareAuthenticator(SITE)];
    const { email, session, strong, passkey } = await withPasskey(app, one, "Un");
    const stranger = await withPasskey(app, await softwareAuthenticator(SITE));
    app.clock.ms += 1000;
    await post(
      app,
      "/v1/auth/passkeys",
      { ...await two.create(await creation(app, strong)), name: "Deux" },
      strong,
    );
    const page = async (query: string) =>
      (await app.request("GET", `/v1/auth/passkeys${query}`, undefined, app.bearer(session))).json<
        { data: { name: string }[]; next_cursor: string | null }
      >();
    const first = await page("?limit=1");
    const second = await page(`?limit=1&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data].map(({ name }) => name)).toEqual(["Un", "Deux"]);
    expect(second.next_cursor).toBeNull();
    const path = `/v1/auth/passkeys/${passkey.id}`;
    const rename = (headers: Headers) => app.request("PATCH", path, { name: "Clé" }, headers);
    const remove = (headers: Headers) => app.request("DELETE", path, undefined, headers);
    for (const change of [rename, remove]) {
      expect(await outcome(await change(app.bearer(session)))).toEqual([403, "step_up_required"]);
      expect(await outcome(await change(stranger.strong))).toEqual([404, "not_found"]);
    }
    expect(await (await rename(strong)).json()).toMatchObject({ id: passkey.id, name: "Clé" });
    expect((await remove(strong)).status).toBe(204);
    expect(await outcome(await remove(strong))).toEqual([404, "not_found"]);
    expect((await passkeys(app, session)).map(({ name }) => name)).toEqual(["Deux"]);
    expect(await outcome(await assertions(app, await one.get(await asked(app))))).toEqual([
      401,
      "passkey_invalid",
    ]);
    await app.sendNotices();
    expect(
      app.mails.filter(({ to, subject }) =>
        to === email && subject === "Une clé d'accès a été retirée de votre compte Cagnotte"
      ).length,
    ).toBe(1);
  });

  it("let codes be switched off, until the last one is removed", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const plain = await app.signIn(email);
    const change = async (codes: boolean, headers: Headers) =>
      app.request("PUT", "/v1/auth/step-up", { codes }, headers);
    expect(await outcome(await change(false, app.bearer(plain)))).toEqual([
      403,
      "step_up_required",
    ]);
    expect(await outcome(await change(false, await app.stepUp(email, plain)))).toEqual([
      409,
      "passkey_missing",
    ]);
    const key = await softwareAuthenticator(SITE);
    const { email: owner, session, strong, passkey } = await withPasskey(app, key);
    expect(await (await change(false, strong)).json()).toEqual({ codes: false, passkeys: 1 });
    const read = async () =>
      (await app.request("GET", "/v1/auth/step-up", undefined, app.bearer(session))).json();
    expect(await read()).toEqual({ codes: false, passkeys: 1 });
    const off = [403, "step_up_codes_off"];
    const bearer = app.bearer(session);
    expect(await outcome(await post(app, "/v1/auth/codes", { purpose: "step_up" }, bearer)))
      .toEqual(
        off,
      );
    expect(await outcome(await post(app, "/v1/auth/step-up", { code: "123456" }, bearer))).toEqual(
      off,
    );
    await app.sendNotices();
    expect(app.mails.some(({ to, subject }) => to === owner && subject.includes("Les codes")))
      .toBe(true);
    const answer = await key.get(await asked(app, bearer));
    const byKey = app.bearer(await (await post(app, "/v1/auth/step-up", answer, bearer)).json());
    await app.request("DELETE", `/v1/auth/passkeys/${passkey.id}`, undefined, byKey);
    expect(await read()).toEqual({ codes: true, passkeys: 0 });
    await app.stepUp(owner, session);
  });
});

describe("a passkey whose row somebody else wrote", () => {
  it.for(["user_id = ?2", "public_key = ?3", "credential_id = ?4", "seal = NULL"])(
    "with %s signs nobody in",
    async (change, { expect }) => {
      const app = await identityApp(DB);
      const [key, own] = [await softwareAuthenticator(SITE), await softwareAuthenticator(SITE)];
      const { passkey } = await withPasskey(app, key);
      const attacker = await withPasskey(app, own);
      const run = (query: string, ...values: unknown[]) =>
        DB.prepare(query).bind(...values).first<string>("public_key");
      const publicKey = await run(
        "UPDATE passkeys SET credential_id = id WHERE id = ? RETURNING public_key",
        attacker.passkey.id,
      );
      const values = [passkey.id, attacker.session.user.id, publicKey, own.id];
      await run(`UPDATE passkeys SET ${change} WHERE id = ?1 AND ?2 || ?3 || ?4 <> ''`, ...values);
      for (const one of [key, own]) {
        expect((await assertions(app, await one.get(await asked(app)))).status).toBe(401);
      }
      expect(app.logLines.join()).toContain("row_seal_broken");
    },
  );
});

describe("answered challenges", () => {
  it("are forgotten once they would be late", async ({ expect }) => {
    const app = await identityApp(DB, { startMs: Date.UTC(2027, 0, 1) });
    const store = identityStore(app.db, systemRandomBytes, app.seals);
    await withPasskey(app, await softwareAuthenticator(SITE));
    for (const [afterMs, left] of [[0, 1], [5 * MINUTE_MS, 1], [5 * MINUTE_MS + 1, 0]] as const) {
      await store.purge(app.clock.ms + afterMs);
      expect(await DB.prepare("SELECT count(*) AS n FROM answered_challenges").first("n")).toBe(
        left,
      );
    }
  });
});
