import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { UserId } from "../../src/kernel/ids.ts";
import { identityApp } from "../support/identity-app.ts";
import type { IdentityApp, Tokens } from "../support/identity-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
let serial = 0;
const someone = (): string => `someone${++serial}@me.test`;
const PURPOSES = ["terms", "bank_data", "recommendations", "statistics", "marketing"];

type Consent = {
  purpose: string;
  granted: boolean;
  text_version: string | null;
  at: string | null;
};

async function decide(
  app: IdentityApp,
  session: Tokens,
  purpose: string,
  granted: boolean,
  version = "1",
): Promise<{ status: number; body: Consent & { code?: string } }> {
  const response = await app.request("PUT", `/v1/me/consents/${purpose}`, {
    granted,
    text_version: version,
  }, app.bearer(session));
  return { status: response.status, body: await response.json() };
}

async function consentRows(session: Tokens): Promise<number> {
  return (await DB.prepare("SELECT count(*) AS n FROM consents WHERE user_id = ?").bind(
    session.user.id,
  ).first<number>("n")) ?? -1;
}

describe("/v1/me", () => {
  it("shows a fresh user in the language they signed up in, incomplete", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    await app.request("POST", "/v1/auth/codes", { email: `  ${email.toUpperCase()} ` });
    const session =
      await (await app.request("POST", "/v1/auth/sessions", { email, code: app.codeFor(email) }, {
        "Accept-Language": "en",
      })).json<Tokens>();
    const response = await app.request("GET", "/v1/me", undefined, app.bearer(session));
    expect(response.headers.get("Cache-Control")).toBe("private, no-store");
    expect(await response.json()).toEqual({
      id: session.user.id,
      email,
      first_name: null,
      last_name: null,
      gender: null,
      birth_date: null,
      locale: "en",
      profile_complete: false,
      created_at: "2026-11-23T09:00:00.000Z",
    });
  });

  it("changes only what is named, in one spelling, and null clears", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const patch = async (body: Record<string, unknown>): Promise<Record<string, unknown>> => {
      const response = await app.request("PATCH", "/v1/me", body, app.bearer(session));
      expect(response.status).toBe(200);
      return response.json();
    };
    const full = await patch({
      first_name: " Zoe\u0301 ",
      last_name: "N'Guyen-Łukasz",
      gender: "female",
      birth_date: "1990-02-28",
      locale: "en",
    });
    expect(full).toMatchObject({
      first_name: "Zoé",
      last_name: "N'Guyen-Łukasz",
      gender: "female",
      birth_date: "1990-02-28",
      locale: "en",
      profile_complete: true,
    });
    expect(await patch({ gender: null })).toEqual({ ...full, gender: null });
    expect(await patch({})).toEqual({ ...full, gender: null });
    expect(await patch({ birth_date: null, first_name: null })).toMatchObject({
      birth_date: null,
      first_name: null,
      profile_complete: false,
      last_name: "N'Guyen-Łukasz",
    });
    expect(await (await app.request("GET", "/v1/me", undefined, app.bearer(session))).json())
      .toMatchObject({ birth_date: null, locale: "en" });
  });

  it("keeps both of two simultaneous changes of different fields", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    await Promise.all(
      [{ first_name: "Ada" }, { birth_date: "1990-01-01" }].map((body) =>
        app.request("PATCH", "/v1/me", body, app.bearer(session))
      ),
    );
    expect(await (await app.request("GET", "/v1/me", undefined, app.bearer(session))).json())
      .toMatchObject({ first_name: "Ada", birth_date: "1990-01-01" });
  });

  it("refuses unknown and bad fields and changes nothing", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const before = await (await app.request("GET", "/v1/me", undefined, app.bearer(session)))
      .json();
    for (
      const [body, pointer] of [
        [{ email: "other@example.org" }, "/email"],
        [{ id: "usr_x" }, "/id"],
        [{ first_name: "" }, "/first_name"],
        [{ first_name: "   " }, "/first_name"],
        [{ first_name: "x".repeat(101) }, "/first_name"],
        [{ last_name: "a\u0000b" }, "/last_name"],
        [{ last_name: "a\u202eb" }, "/last_name"],
        [{ last_name: 5 }, "/last_name"],
        [{ gender: "unknown" }, "/gender"],
        [{ locale: null }, "/locale"],
        [{ locale: "de" }, "/locale"],
        [{ birth_date: "2026-11-23" }, "/birth_date"],
        [{ birth_date: "2026-12-01" }, "/birth_date"],
        [{ birth_date: "2001-02-29" }, "/birth_date"],
        [{ birth_date: "1900-01-01" }, "/birth_date"],
        [{ birth_date: "01/02/1990" }, "/birth_date"],
      ] as const
    ) {
      const response = await app.request("PATCH", "/v1/me", { ...body }, app.bearer(session));
      const problem = await response.json<{ code: string; errors: { pointer: string }[] }>();
      expect([body, response.status, problem.code, problem.errors[0]?.pointer]).toEqual([
        body,
        422,
        "validation_failed",
        pointer,
      ]);
    }
    expect(await (await app.request("GET", "/v1/me", undefined, app.bearer(session))).json())
      .toEqual(before);
  });

  it("never answers one user with another's data", async ({ expect }) => {
    const app = await identityApp(DB);
    const [one, two] = [await app.signIn(someone()), await app.signIn(someone())];
    await app.request("PATCH", "/v1/me", { first_name: "Un" }, app.bearer(one));
    expect(await (await app.request("GET", "/v1/me", undefined, app.bearer(two))).json())
      .toMatchObject({ id: two.user.id, first_name: null });
  });
});

describe("/v1/me/consents", () => {
  it("lists all five purposes, undecided at first, and pages through them", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const page = async (query: string): Promise<{ data: Consent[]; next_cursor: string | null }> =>
      (await app.request("GET", `/v1/me/consents${query}`, undefined, app.bearer(session))).json();
    const all = await page("");
    expect(all).toEqual({
      data: PURPOSES.map((purpose) => ({ purpose, granted: false, text_version: null, at: null })),
      next_cursor: null,
    });
    const first = await page("?limit=3");
    const second = await page(`?limit=3&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data]).toEqual(all.data);
    expect([first.data.length, second.next_cursor]).toEqual([3, null]);
    expect(
      (await app.request("GET", "/v1/me/consents?cursor=x", undefined, app.bearer(session))).status,
    ).toBe(400);
  });

  it("adds a row for each new decision and none for a repetition; the latest is in force", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    // A text of before, which people had agreed to.
    await app.service.decide(session.user.id as UserId, "terms", true, "0");
    app.clock.ms += 1000;
    const first = await decide(app, session, "terms", true);
    expect(first).toEqual({
      status: 200,
      body: { purpose: "terms", granted: true, text_version: "1", at: "2026-11-23T09:00:01.000Z" },
    });
    app.clock.ms += 1000;
    expect(await decide(app, session, "terms", true)).toEqual(first);
    expect(await consentRows(session)).toBe(2);
    expect((await decide(app, session, "terms", false)).body).toMatchObject({
      granted: false,
      at: "2026-11-23T09:00:02.000Z",
    });
    expect((await decide(app, session, "terms", true)).body.granted).toBe(true);
    expect(await consentRows(session)).toBe(4);
    expect((await decide(app, session, "marketing", false)).body.granted).toBe(false);
    expect(await consentRows(session)).toBe(5);
  });

  it("takes the current text only as consent, and any version of it to withdraw, once", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    for (const version of ["2", "0", "2026-11"]) {
      const refused = await app.request(
        "PUT",
        "/v1/me/consents/terms",
        { granted: true, text_version: version },
        { ...app.bearer(session), "Accept-Language": "en" },
      );
      expect([refused.status, await refused.json()]).toMatchObject([422, {
        code: "validation_failed",
        errors: [{
          pointer: "/text_version",
          code: "text_not_current",
          detail: "The current text has version 1: have it read, then send its version",
        }],
      }]);
    }
    expect(await consentRows(session)).toBe(0);
    await decide(app, session, "terms", true);
    for (const version of ["2026-11", "3", "4"]) {
      expect(await decide(app, session, "terms", false, version)).toMatchObject({
        status: 200,
        body: { granted: false, text_version: "2026-11" },
      });
    }
    expect(await consentRows(session)).toBe(2);
  });

  it("are about texts that everybody can read, in their language", async ({ expect }) => {
    const app = await identityApp(DB);
    const read = async (path: string, language: string) => {
      const answer = await app.request("GET", `/v1/legal/texts/${path}`, undefined, {
        "Accept-Language": language,
      });
      return { answer, text: await answer.json<Record<string, string>>() };
    };
    for (const purpose of PURPOSES) {
      const [fr, en] = [await read(purpose, "fr"), await read(`${purpose}?text_version=1`, "en")];
      for (const [{ answer, text }, language] of [[fr, "fr"], [en, "en"]] as const) {
        expect([answer.status, answer.headers.get("Content-Language")]).toEqual([200, language]);
        expect(answer.headers.get("Vary")).toContain("Accept-Language");
        expect(text).toMatchObject({ purpose, text_version: "1", effective_on: "2026-11-01" });
        expect(text["body"]?.length).toBeGreaterThan(400);
      }
      expect(fr.text["body"]).not.toBe(en.text["body"]);
    }
    expect((await read("terms?text_version=2", "fr")).answer.status).toBe(404);
    expect((await read("cookies", "fr")).answer.status).toBe(422);
  });

  it("adds one row for twenty simultaneous repetitions", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => decide(app, session, "statistics", true)),
    );
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    expect(await consentRows(session)).toBe(1);
  });

  it("cannot be rewritten, not even by SQL", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    await decide(app, session, "terms", true);
    const outcome = await DB.prepare("UPDATE consents SET granted = 0 WHERE user_id = ?").bind(
      session.user.id,
    ).run().then(() => "changed", () => "refused");
    expect(outcome).toBe("refused");
  });

  it("notifies banking when bank_data is withdrawn; a failure answers 503, keeps the row, and can be repeated", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    await decide(app, session, "bank_data", true);
    await decide(app, session, "marketing", false);
    expect(app.withdrawn).toEqual([]);
    app.switches.listenerDown = true;
    expect(await decide(app, session, "bank_data", false)).toMatchObject({
      status: 503,
      body: { code: "unavailable" },
    });
    expect(await app.service.linkGate(session.user.id as UserId)).toMatchObject({
      bankDataGrantedAtMs: null,
    });
    app.switches.listenerDown = false;
    expect((await decide(app, session, "bank_data", false)).status).toBe(200);
    expect(app.withdrawn).toEqual([session.user.id]);
    expect(await consentRows(session)).toBe(3);
    expect(app.logLines.join()).toContain("bank_data_withdrawal_unfinished");
  });

  it("refuses unknown purposes and bad bodies", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    for (
      const [purpose, body] of [
        ["cookies", { granted: true, text_version: "1" }],
        ["terms", { granted: "yes", text_version: "1" }],
        ["terms", { granted: true }],
        ["terms", { granted: true, text_version: "" }],
        ["terms", { granted: true, text_version: "a b" }],
        ["terms", { granted: true, text_version: "x".repeat(65) }],
        ["terms", { granted: true, text_version: "1", at: 0 }],
      ] as const
    ) {
      expect(
        (await app.request("PUT", `/v1/me/consents/${purpose}`, { ...body }, app.bearer(session)))
          .status,
      ).toBe(422);
    }
    expect(await consentRows(session)).toBe(0);
  });
});

describe("IdentityPort", () => {
  it("linkGate() returns consents, completeness and age, on the very birthday", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const userId = session.user.id as UserId;
    expect(await app.service.linkGate(userId)).toEqual({
      userId,
      locale: "fr",
      termsGrantedAtMs: null,
      bankDataGrantedAtMs: null,
      profileComplete: false,
      oldEnough: null,
      minimumAge: 18,
    });
    const grantedAtMs = app.clock.ms;
    await decide(app, session, "terms", true);
    await decide(app, session, "bank_data", true);
    await app.request("PATCH", "/v1/me", { birth_date: "2008-11-24" }, app.bearer(session));
    expect(await app.service.linkGate(userId)).toEqual({
      userId,
      locale: "fr",
      termsGrantedAtMs: grantedAtMs,
      bankDataGrantedAtMs: grantedAtMs,
      profileComplete: true,
      oldEnough: false,
      minimumAge: 18,
    });
    // Midnight in Paris, still the day before in UTC.
    app.clock.ms = Date.UTC(2026, 10, 23, 23, 0, 0);
    expect(await app.service.linkGate(userId)).toMatchObject({ oldEnough: true });
  });

  it("linkGate() keeps the start of an uninterrupted consent when the text changes, and restarts it after a withdrawal", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const stranger = await app.signIn(someone());
    const userId = session.user.id as UserId;
    await decide(app, stranger, "bank_data", true);
    app.clock.ms += 1000;
    const startMs = app.clock.ms;
    await app.service.decide(userId, "bank_data", true, "0");
    app.clock.ms += 1000;
    await decide(app, session, "bank_data", true);
    expect(await app.service.linkGate(userId)).toMatchObject({ bankDataGrantedAtMs: startMs });
    await decide(app, session, "bank_data", false);
    app.clock.ms += 1000;
    await decide(app, session, "bank_data", true);
    expect(await app.service.linkGate(userId)).toMatchObject({ bankDataGrantedAtMs: app.clock.ms });
  });

  it("cipherOf() opens the user's own cipher and nothing for a stranger or somebody being erased", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const userId = session.user.id as UserId;
    const cipher = await app.service.cipherOf(userId);
    if (cipher === null || !cipher.ok) throw new Error("no cipher");
    const place = { table: "purchases", column: "label", row: "1" };
    expect(await cipher.value.decrypt(place, await cipher.value.encrypt(place, "CB MONOPRIX")))
      .toEqual({ ok: true, value: "CB MONOPRIX" });
    expect(await app.service.cipherOf("usr_00000000-0000-7000-8000-000000000000")).toBeNull();
    await DB.prepare("UPDATE users SET state = 'erasing' WHERE id = ?").bind(userId).run();
    expect([await app.service.cipherOf(userId), await app.service.linkGate(userId)]).toEqual([
      null,
      null,
    ]);
  });

  it("cipherOf() distinguishes a lost wrapping key from a missing user", async ({ expect }) => {
    const app = await identityApp(DB);
    const session = await app.signIn(someone());
    const elsewhere = await identityApp(DB, { index: app.keyrings.index });
    expect(await elsewhere.service.cipherOf(session.user.id as UserId)).toEqual({
      ok: false,
      error: "cipher_key_unknown",
    });
  });
});
