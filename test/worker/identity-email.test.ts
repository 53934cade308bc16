import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { identityStore } from "../../src/identity/store/index.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { softwareAuthenticator } from "../support/authenticator.ts";
import { identityApp, PAGE, randomKeyring } from "../support/identity-app.ts";
import type { IdentityApp, Tokens } from "../support/identity-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const DAY_MS = 86_400_000;
let serial = 0;
const someone = (): string => `someone${++serial}@email.test`;
type Headers = Record<string, string>;

const outcome = async (response: Response): Promise<[number, string | undefined]> => [
  response.status,
  response.status === 204 ? undefined : (await response.json<{ code?: string }>()).code,
];
const ask = (app: IdentityApp, email: string, headers: Headers) =>
  app.send("POST", "/v1/auth/codes", { purpose: "change_email", email }, headers);
const put = (app: IdentityApp, email: string, code: string, headers: Headers) =>
  app.send("PUT", "/v1/me/email", { email, code }, headers);
const undo = async (app: IdentityApp, token: string) =>
  outcome(await app.request("POST", "/v1/auth/undo", { token }));

/** Changes the address as the user of the bearer. */
async function change(app: IdentityApp, email: string, strong: Headers): Promise<void> {
  await ask(app, email, strong);
  const changed = await put(app, email, app.codeFor(email), strong);
  if (changed.status !== 200) throw new Error(`the change answered ${changed.status}`);
}

/** The undo token of the newest mail about a change that went to an address. */
async function linkTo(app: IdentityApp, email: string): Promise<string> {
  await app.sendNotices();
  const mail = app.mails.findLast(({ to, subject }) =>
    to === email && subject === "L'adresse de votre compte Cagnotte a changé"
  );
  const token = /\/undo#(\S+)/.exec(mail?.text ?? "")?.[1];
  if (token === undefined) throw new Error("no mail about a change");
  return token;
}

async function emailOf(app: IdentityApp, session: Tokens): Promise<string> {
  const profile = await app.request("GET", "/v1/me", undefined, app.bearer(session));
  return (await profile.json<{ email: string }>()).email;
}

describe("PUT /v1/me/email", () => {
  it("takes the address that the code has proved, keeps sessions, and tells the former one", async ({ expect }) => {
    const app = await identityApp(DB);
    const [old, next] = [someone(), someone()];
    const session = await app.signIn(old);
    const strong = await app.stepUp(old, session);
    expect(await (await ask(app, ` ${next.toUpperCase()} `, strong)).json()).toEqual({
      expires_in: 600,
    });
    const asked = app.mails.at(-1);
    expect([asked?.to, asked?.subject]).toEqual([
      next,
      "Votre code pour changer d'adresse Cagnotte",
    ]);
    const changed = await put(app, next, app.codeFor(next), strong);
    expect([changed.status, await changed.json()]).toMatchObject([200, {
      id: session.user.id,
      email: next,
    }]);
    expect(await emailOf(app, session)).toBe(next);
    expect((await app.request("PATCH", "/v1/me", {}, app.bearer(session))).status).toBe(200);
    expect((await app.signIn(next)).user).toEqual({ id: session.user.id, created: false });
    await linkTo(app, old);
    expect(
      app.mails.filter(({ to, text }) => to === next && text.includes("celle-ci ne sert plus")),
    )
      .toEqual([]);
    const row = await DB.prepare("SELECT * FROM email_changes WHERE user_id = ?").bind(
      session.user.id,
    ).first();
    expect(JSON.stringify(row)).not.toMatch(/email\.test/);
  });

  it("needs a step-up and the code that this session asked for at this address", async ({ expect }) => {
    const app = await identityApp(DB);
    const [old, next, other] = [someone(), someone(), someone()];
    const session = await app.signIn(old);
    const strong = await app.stepUp(old, session);
    const wrong = [401, "code_invalid"];
    expect(await outcome(await put(app, next, "123456", strong))).toEqual(wrong);
    await ask(app, next, strong);
    const code = app.codeFor(next);
    expect(await outcome(await put(app, next, code, app.bearer(session)))).toEqual([
      403,
      "step_up_required",
    ]);
    expect(await outcome(await put(app, other, code, strong))).toEqual(wrong);
    const second = await app.stepUp(old, await app.signIn(old));
    expect(await outcome(await put(app, next, code, second))).toEqual(wrong);
    await app.request("POST", "/v1/auth/codes", { email: next });
    expect(await outcome(await put(app, next, app.codeFor(next), strong))).toEqual(wrong);
    const miss = code === "000000" ? "000001" : "000000";
    for (let round = 0; round < 4; round++) await put(app, next, miss, strong);
    expect(await outcome(await put(app, next, code, strong))).toEqual([429, "code_tries_exceeded"]);
    expect(await emailOf(app, session)).toBe(old);
    for (
      const body of [{}, { email: next }, { email: "x", code }, { email: next, code, more: 1 }]
    ) expect((await app.send("PUT", "/v1/me/email", body, strong)).status).toBe(422);
    for (
      const [body, status] of [
        [{ purpose: "change_email" }, 422],
        [{ purpose: "change_email", email: next, locale: "en" }, 422],
        [{ purpose: "other", email: next }, 422],
      ] as const
    ) expect((await app.send("POST", "/v1/auth/codes", body, strong)).status).toBe(status);
    expect(await outcome(await ask(app, next, {}))).toEqual([401, "token_missing"]);
    await ask(app, next, strong);
    app.clock.ms += 600_000;
    const again = await app.stepUp(old, await app.signIn(old));
    expect(await outcome(await put(app, next, app.codeFor(next), again))).toEqual(wrong);
  });

  it("refuses an address that has a user, only to whoever reads its mail", async ({ expect }) => {
    const app = await identityApp(DB);
    const [old, taken] = [someone(), someone()];
    await app.signIn(taken);
    const session = await app.signIn(old);
    const strong = await app.stepUp(old, session);
    expect((await ask(app, taken, strong)).status).toBe(202);
    const code = app.codeFor(taken);
    expect(await outcome(await put(app, taken, code === "000000" ? "000001" : "000000", strong)))
      .toEqual([401, "code_invalid"]);
    expect(await outcome(await put(app, taken, code, strong))).toEqual([409, "email_in_use"]);
    expect(await emailOf(app, session)).toBe(old);
  });

  it("changes once, also when it is asked twice at the same time", async ({ expect }) => {
    const app = await identityApp(DB);
    const [old, next] = [someone(), someone()];
    const session = await app.signIn(old);
    const strong = await app.stepUp(old, session);
    await ask(app, next, strong);
    const code = app.codeFor(next);
    const both = await Promise.all([put(app, next, code, strong), put(app, next, code, strong)]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    // So does an answer that was lost.
    expect(await (await put(app, next, code, strong)).json()).toMatchObject({ email: next });
    const changes = await DB.prepare("SELECT count(*) AS n FROM email_changes WHERE user_id = ?")
      .bind(session.user.id).first("n");
    expect(changes).toBe(1);
  });

  it("changes to one of two addresses that two sessions ask for at the same time", async ({ expect }) => {
    const app = await identityApp(DB);
    const old = someone();
    const ready = [];
    for (const next of [someone(), someone()]) {
      const session = await app.signIn(old);
      ready.push({ next, session, strong: await app.stepUp(old, session) });
    }
    for (const { next, strong } of ready) await ask(app, next, strong);
    const both = await Promise.all(
      ready.map(({ next, strong }) => put(app, next, app.codeFor(next), strong)),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
    const [first] = ready;
    if (first === undefined) throw new Error("no session");
    const former = await DB.prepare("SELECT count(*) AS n FROM email_changes WHERE user_id = ?")
      .bind(first.session.user.id).first("n");
    expect(former).toBe(1);
  });

  it("is not overwritten by a move to another index key that began before it", async ({ expect }) => {
    const ring = randomKeyring("old", "new");
    const encryption = randomKeyring("e1");
    const before = await identityApp(DB, { index: ring, encryption });
    const { signingKeys } = before;
    const index = { active: "new", keys: ring.keys };
    const during = await identityApp(DB, { index, encryption, signingKeys });
    const [old, next] = [someone(), someone()];
    const session = await before.signIn(old);
    const store = identityStore(during.db, systemRandomBytes, during.seals);
    const rows = await store.usersIndexedOtherwise("new", 10_000);
    const stale = rows.find(({ id }) => id === session.user.id);
    if (stale === undefined) throw new Error("nobody to move");
    await change(during, next, await during.stepUp(old, session));
    await store.reindexUser(stale, "new.of-the-former-address");
    expect((await during.signIn(next)).user).toEqual({ id: session.user.id, created: false });
  });

  it("makes codes that went to the former address worthless", async ({ expect }) => {
    const app = await identityApp(DB);
    const [old, next] = [someone(), someone()];
    const session = await app.signIn(old);
    const strong = await app.stepUp(old, session);
    await app.request("POST", "/v1/auth/codes", { purpose: "step_up" }, strong);
    const code = app.codeFor(old);
    await change(app, next, strong);
    expect(await outcome(await app.request("POST", "/v1/auth/step-up", { code }, strong))).toEqual([
      401,
      "code_invalid",
    ]);
    await app.stepUp(next, session);
  });
});

describe("the former address", () => {
  it("gets no other user while the change can be undone", async ({ expect }) => {
    const app = await identityApp(DB);
    const [old, next] = [someone(), someone()];
    const session = await app.signIn(old);
    await change(app, next, await app.stepUp(old, session));
    const attempt = async () => {
      await app.request("POST", "/v1/auth/codes", { email: old });
      return app.request("POST", "/v1/auth/sessions", { email: old, code: app.codeFor(old) });
    };
    expect(await outcome(await attempt())).toEqual([409, "email_reserved"]);
    const email = someone();
    const stranger = await app.stepUp(email, await app.signIn(email));
    await ask(app, old, stranger);
    expect(await outcome(await put(app, old, app.codeFor(old), stranger))).toEqual([
      409,
      "email_in_use",
    ]);
    app.clock.ms += 7 * DAY_MS;
    const free = await attempt();
    expect([free.status, (await free.json<Tokens>()).user.created]).toEqual([201, true]);
  });

  it("may be taken back by its own user", async ({ expect }) => {
    const app = await identityApp(DB);
    const [old, next] = [someone(), someone()];
    const session = await app.signIn(old);
    await change(app, next, await app.stepUp(old, session));
    await change(app, old, await app.stepUp(next, session));
    expect(await emailOf(app, session)).toBe(old);
    // Whoever changed it first is not let back by the second link once the first one was used.
    const [first, second] = [await linkTo(app, old), await linkTo(app, next)];
    expect([await undo(app, first), await undo(app, second)]).toEqual([
      [204, undefined],
      [401, "undo_invalid"],
    ]);
    expect((await app.signIn(old)).user.id).toBe(session.user.id);
  });
});

describe("undoing a change of address", () => {
  it("puts the address back and takes everything from whoever made the change", async ({ expect }) => {
    const app = await identityApp(DB);
    const [owner, thief] = [someone(), someone()];
    const site = { origin: PAGE, rpId: "cagnotte.test" };
    const [own, planted] = [await softwareAuthenticator(site), await softwareAuthenticator(site)];
    const session = await app.signIn(owner);
    const register = async (key: typeof own, strong: Headers) => {
      const options = await app.request("POST", "/v1/auth/passkeys/options", undefined, strong);
      return app.request(
        "POST",
        "/v1/auth/passkeys",
        await key.create(await options.json()),
        strong,
      );
    };
    await register(own, await app.stepUp(owner, session));
    // The owner's own, from before the change.
    await DB.prepare(
      "UPDATE known_devices SET device_key = 'of the owner' WHERE user_id = ?",
    ).bind(session.user.id).run();
    app.clock.ms += 1000;
    const strong = await app.stepUp(owner, session);
    await change(app, thief, strong);
    expect((await register(planted, strong)).status).toBe(201);
    const stolen = await app.signIn(thief);
    const token = await linkTo(app, owner);
    app.clock.ms += 7 * DAY_MS - 1000;
    expect(await undo(app, token)).toEqual([204, undefined]);
    expect(await undo(app, token)).toEqual([204, undefined]);
    for (const { refresh_token: refresh } of [session, stolen]) {
      expect(
        await outcome(
          await app.request("POST", "/v1/auth/refresh", { refresh_token: refresh }),
        ),
      ).toEqual([401, "refresh_invalid"]);
    }
    const signIn = async (key: typeof own) => {
      const options = await app.request("POST", "/v1/auth/passkeys/assertions/options");
      const answer = await key.get(await options.json());
      return (await app.request("POST", "/v1/auth/passkeys/assertions", answer)).status;
    };
    expect([await signIn(own), await signIn(planted)]).toEqual([201, 401]);
    expect((await app.signIn(owner)).user).toEqual({ id: session.user.id, created: false });
    expect((await app.signIn(thief)).user.created).toBe(true);
    expect(app.logLines.filter((line) => line.includes("email_change_undone")).length).toBe(1);
    const known = await DB.prepare("SELECT device_key FROM known_devices WHERE user_id = ?")
      .bind(session.user.id).all<{ device_key: string }>();
    // The one of before the change, and the one that signed in after the undo.
    expect(known.results).toHaveLength(2);
    expect(known.results.map((row) => row.device_key)).toContain("of the owner");
  });

  it("switches codes on again when only planted passkeys were left", async ({ expect }) => {
    const app = await identityApp(DB);
    const [owner, thief] = [someone(), someone()];
    const session = await app.signIn(owner);
    const strong = await app.stepUp(owner, session);
    await change(app, thief, strong);
    const key = await softwareAuthenticator({ origin: PAGE, rpId: "cagnotte.test" });
    const options = await app.request("POST", "/v1/auth/passkeys/options", undefined, strong);
    await app.request("POST", "/v1/auth/passkeys", await key.create(await options.json()), strong);
    const off = await app.request("PUT", "/v1/auth/step-up", { codes: false }, strong);
    expect(off.status).toBe(200);
    await undo(app, await linkTo(app, owner));
    await app.stepUp(owner, await app.signIn(owner));
  });

  it("goes back step by step, or to the first address with all that followed", async ({ expect }) => {
    const app = await identityApp(DB);
    const [a, b, c] = [someone(), someone(), someone()];
    let session = await app.signIn(a);
    await change(app, b, await app.stepUp(a, session));
    app.clock.ms += 1000;
    await change(app, c, await app.stepUp(b, session));
    const [first, second] = [await linkTo(app, a), await linkTo(app, b)];
    expect(await undo(app, second)).toEqual([204, undefined]);
    session = await app.signIn(b);
    expect(session.user.created).toBe(false);
    expect(await undo(app, first)).toEqual([204, undefined]);
    expect((await app.signIn(a)).user).toEqual({ id: session.user.id, created: false });
    // The second is undone by its own link already: nothing happens again.
    expect(await undo(app, second)).toEqual([204, undefined]);
    expect((await app.signIn(a)).user).toEqual({ id: session.user.id, created: false });
  });

  it.for(["changed_at_ms = 1", "former_cipher = 'f1.a.b'", "seal = NULL"])(
    "is refused when somebody else set %s",
    async (written, { expect }) => {
      const app = await identityApp(DB);
      const [owner, other] = [someone(), someone()];
      const session = await app.signIn(owner);
      await change(app, other, await app.stepUp(owner, session));
      const token = await linkTo(app, owner);
      await DB.prepare(`UPDATE email_changes SET ${written} WHERE user_id = ?`)
        .bind(session.user.id).run();
      expect(await undo(app, token)).toEqual([401, "undo_invalid"]);
      expect(await emailOf(app, session)).toBe(other);
      expect(app.logLines.join()).toContain("row_seal_broken");
    },
  );

  it("is refused too late, for somebody being erased, and with another kind of id", async ({ expect }) => {
    const app = await identityApp(DB);
    const [late, gone] = [someone(), someone()];
    const tokens: string[] = [];
    for (const email of [late, gone]) {
      const session = await app.signIn(email);
      await change(app, someone(), await app.stepUp(email, session));
      tokens.push(await linkTo(app, email));
      if (email === gone) {
        await DB.prepare("UPDATE users SET state = 'erasing' WHERE id = ?").bind(session.user.id)
          .run();
      }
    }
    const refused = [401, "undo_invalid"];
    expect(await undo(app, tokens[1] ?? "")).toEqual(refused);
    expect(await undo(app, `${tokens[0]}x`)).toEqual(refused);
    app.clock.ms += 7 * DAY_MS;
    expect(await undo(app, tokens[0] ?? "")).toEqual(refused);
  });

  it("is forgotten once it is too late", async ({ expect }) => {
    const app = await identityApp(DB, { startMs: Date.UTC(2027, 0, 1) });
    const store = identityStore(app.db, systemRandomBytes, app.seals);
    const email = someone();
    const session = await app.signIn(email);
    await change(app, someone(), await app.stepUp(email, session));
    const kept = async () =>
      DB.prepare("SELECT count(*) AS n FROM email_changes WHERE user_id = ?").bind(session.user.id)
        .first("n");
    await store.purge(app.clock.ms + 7 * DAY_MS);
    expect(await kept()).toBe(1);
    await store.purge(app.clock.ms + 7 * DAY_MS + 1);
    expect(await kept()).toBe(0);
  });
});
