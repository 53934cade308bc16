// Which device a code belongs to, what the owner is told of a new session, and what strangers can
// do to an address: nothing.
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { identityApp } from "../support/identity-app.ts";
import type { IdentityApp } from "../support/identity-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
let serial = 0;
const someone = (): string => `someone${++serial}@devices.test`;
const wrongOf = (code: string, offset = 1): string =>
  /^\d{6}$/.test(code)
    ? String((Number(code) + offset) % 1_000_000).padStart(6, "0")
    : `0000000${String(offset).padStart(3, "0")}`;
const codeOf = async (response: Response): Promise<string> =>
  (await response.json<{ code: string }>()).code;

type Asked = { readonly status: number; readonly challenge: string; readonly code: string };

/** A device that keeps its own challenge, somewhere on the network. */
function deviceAt(app: IdentityApp, address: string) {
  const headers = { "CF-Connecting-IP": address };
  return {
    async ask(email: string, challenge?: string): Promise<Asked> {
      const response = await app.send("POST", "/v1/auth/codes", {
        email,
        ...(challenge === undefined ? {} : { challenge }),
      }, headers);
      if (response.status !== 202) return { status: response.status, challenge: "", code: "" };
      const answer = await response.json<{ challenge: string }>();
      return { status: 202, challenge: answer.challenge, code: app.codeFor(email) };
    },
    async attempt(email: string, challenge: string, code: string): Promise<number> {
      return (await app.send("POST", "/v1/auth/sessions", { email, code, challenge }, headers))
        .status;
    },
  };
}

/** A table `n` of the numbers from 1, for rows that differ by theirs. */
const numbered = (count: number): string =>
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

async function forgetTries(): Promise<void> {
  await DB.batch(
    ["one_time_codes", "code_tries"].map((table) => DB.prepare(`DELETE FROM ${table}`)),
  );
}

describe("a code belongs to the device that asked for it", () => {
  it("leaves codes of other devices good until one signs in", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    const ask = async () =>
      (await (await app.send("POST", "/v1/auth/codes", { email })).json<{ challenge: string }>())
        .challenge;
    const attempt = async (challenge: string, code: string) =>
      (await app.send("POST", "/v1/auth/sessions", { email, code, challenge })).status;
    const phone = { challenge: await ask(), code: app.codeFor(email) };
    const laptop = { challenge: await ask(), code: app.codeFor(email) };
    expect(await attempt(laptop.challenge, wrongOf(laptop.code))).toBe(401);
    expect(await attempt(phone.challenge, phone.code)).toBe(201);
    expect(await attempt(laptop.challenge, laptop.code)).toBe(401);
  });

  it("gives the same challenge back, and a new one for another address", async ({ expect }) => {
    const app = await identityApp(DB);
    const [email, other] = [someone(), someone()];
    const asked = async (body: Record<string, string>) =>
      (await (await app.send("POST", "/v1/auth/codes", body)).json<{ challenge: string }>())
        .challenge;
    const challenge = await asked({ email });
    expect(await asked({ email, challenge })).toBe(challenge);
    expect(await asked({ email: other, challenge })).not.toBe(challenge);
    expect(await asked({ email, challenge: "made.up.tag" })).not.toBe("made.up.tag");
  });

  it("tells the owner of each new session, and the mail's link ends it by a button", async ({ expect }) => {
    const app = await identityApp(DB);
    const email = someone();
    await app.signIn(email);
    const session = await app.signIn(email);
    app.clock.ms += 1;
    await app.sendNotices();
    const told = app.mails.filter((mail) => mail.subject.includes("Nouvelle connexion"));
    expect(told.length).toBe(2);
    const links = told.map((mail) => /^https:\S+$/m.exec(mail.text)?.[0] ?? "");
    const tokens = links.map((link) => {
      const url = new URL(link);
      expect([url.origin, url.pathname, url.search]).toEqual([
        "https://api.cagnotte.test",
        "/undo",
        "",
      ]);
      return url.hash.slice(1);
    });
    expect((await app.request("GET", "/undo")).status).toBe(200);
    const live = async () =>
      (await app.request("POST", "/v1/auth/refresh", { refresh_token: session.refresh_token }))
        .status;
    expect(await live()).toBe(200);
    const undo = (token: string) => app.request("POST", "/v1/auth/undo", { token });
    for (const token of [...tokens, ...tokens]) expect((await undo(token)).status).toBe(204);
    expect(await live()).toBe(401);
    expect(
      await DB.prepare("SELECT count(*) AS n FROM known_devices WHERE user_id = ?").bind(
        session.user.id,
      ).first("n"),
    ).toBe(0);
    const forged = await undo(`${tokens[0]}x`);
    expect([forged.status, await codeOf(forged)]).toEqual([401, "undo_invalid"]);
    app.clock.ms += 7 * 86_400_000;
    expect((await undo(tokens[0] ?? "")).status).toBe(401);
  });

  it("serves the undo page in both languages, and its script, under a strict policy", async ({ expect }) => {
    const app = await identityApp(DB);
    for (const [locale, title] of [["fr", "Ce n'était pas vous"], ["en", "Was it not you"]]) {
      const page = await app.request("GET", "/undo", undefined, {
        "Accept-Language": locale ?? "",
      });
      expect(await page.text()).toContain(title);
      expect(page.headers.get("Content-Security-Policy")).toContain("script-src 'self'");
      expect(page.headers.get("Content-Security-Policy")).not.toContain("unsafe");
    }
    const script = await app.request("GET", "/undo.js");
    expect(script.headers.get("Content-Type")).toContain("text/javascript");
    expect(await script.text()).toContain("/v1/auth/undo");
  });
});

describe("a stranger who locks out", () => {
  it("uses up neither the owner's codes nor tries, on known and on new devices", async ({ expect }) => {
    await forgetTries();
    const app = await identityApp(DB);
    const email = someone();
    const phone = deviceAt(app, "198.51.100.7");
    const first = await phone.ask(email);
    expect(await phone.attempt(email, first.challenge, first.code)).toBe(201);
    // The whole café: the phone's own address included.
    const refusals = { codes: 0, tries: 0 };
    for (const address of ["198.51.100.7", "198.51.100.8", "2001:db8::1"]) {
      const stranger = deviceAt(app, address);
      for (let round = 0; round < 8; round++) {
        const { status, challenge, code } = await stranger.ask(email);
        if (status === 429) refusals.codes++;
        if (status !== 202) continue;
        for (let offset = 1; offset <= 6; offset++) {
          const answer = await stranger.attempt(email, challenge, wrongOf(code, offset));
          if (answer === 429) refusals.tries++;
        }
      }
    }
    // Each network has five of its eight; the phone's first code was one of the first network's.
    expect(refusals.codes).toBe(10);
    expect(refusals.tries).toBeGreaterThan(20);
    const again = await phone.ask(email, first.challenge);
    expect([again.status, again.challenge]).toEqual([202, first.challenge]);
    expect(await phone.attempt(email, again.challenge, again.code)).toBe(201);
    const laptop = deviceAt(app, "192.0.2.4");
    const other = await laptop.ask(email);
    expect(await laptop.attempt(email, other.challenge, other.code)).toBe(201);
  });

  it("gets five codes an hour for an address from a network, then 20 wrong tries a day", async ({ expect }) => {
    await forgetTries();
    const app = await identityApp(DB);
    const email = someone();
    const statuses: number[] = [];
    for (let day = 0; day < 2; day++) {
      for (let round = 0; round < 6; round++) {
        const stranger = deviceAt(app, `2001:db8:0:${round.toString(16)}::1`);
        const { status, challenge, code } = await stranger.ask(email);
        statuses.push(status);
        if (status !== 202) continue;
        for (let offset = 1; offset <= 5; offset++) {
          await stranger.attempt(email, challenge, wrongOf(code, offset));
        }
      }
      app.clock.ms += 60 * 60_000;
    }
    // One /56, so one network; the sixth code is refused until the hour is over.
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429, 202, 202, 202, 202, 202, 429]);
    expect(await DB.prepare("SELECT count(*) AS n FROM code_tries").first("n")).toBe(20);
  });
});

describe("budgets of networks", () => {
  it("end for a /24 that asks for everybody, and leave each of its customers a share", async ({ expect }) => {
    await forgetTries();
    const app = await identityApp(DB);
    const attacker = deviceAt(app, "203.0.113.66");
    const statuses: number[] = [];
    for (let round = 0; round < 302; round++) statuses.push((await attacker.ask(someone())).status);
    expect(statuses.filter((status) => status === 202).length).toBe(300);
    expect(statuses.slice(300)).toEqual([429, 429]);
    const email = someone();
    const bystander = deviceAt(app, "203.0.113.9");
    const { status, challenge, code } = await bystander.ask(email);
    expect(status).toBe(202);
    expect(await bystander.attempt(email, challenge, code)).toBe(201);
    const refused = await app.send("POST", "/v1/auth/codes", { email: someone() }, {
      "CF-Connecting-IP": "203.0.113.66",
    });
    expect([refused.status, await codeOf(refused), refused.headers.get("RateLimit-Policy")])
      .toEqual([429, "rate_limited", '"codes-per-network";q=300;w=3600']);
  });
});

describe("spraying all addresses", () => {
  it("hits fewer than 0.001 accounts a day, raises one alert and refuses no bystander", async ({ expect }) => {
    await forgetTries();
    const app = await identityApp(DB);
    // Most of the campaign is written as its rows: its other devices have guessed 440 times, and
    // hold 340 codes of six digits for after.
    const earlier = { tries: 440, codes: 340 };
    await DB.batch([
      DB.prepare(
        `${
          numbered(earlier.tries)
        } INSERT INTO code_tries SELECT NULL, 'cod', 'd' || i, 'a' || i, 'n' || i, 0, 0, ? FROM n`,
      ).bind(app.clock.ms),
      DB.prepare(
        `${
          numbered(earlier.codes)
        } INSERT INTO one_time_codes SELECT NULL, 'cod_' || i, 'sign_in', 'a' || i, 'd' || i, 'n' || i, 'w' || i, 0, 1, 't', ?1, ?1 + 600000, NULL, NULL, 0 FROM n`,
      ).bind(app.clock.ms),
    ]);
    let guesses = earlier.tries + earlier.codes;
    const collected: { email: string; at: ReturnType<typeof deviceAt>; asked: Asked }[] = [];
    for (let round = 0; round < 65; round++) {
      const at = deviceAt(app, `100.64.${round}.1`);
      const email = someone();
      collected.push({ email, at, asked: await at.ask(email) });
    }
    const short = collected.filter(({ asked }) => /^\d{6}$/.test(asked.code));
    expect(short.length).toBe(400 - earlier.codes);
    const alerts = () => app.logLines.filter((line) => line.includes("sign_in_sprayed")).length;
    for (const { email, at, asked } of short) {
      for (let offset = 1, answer = 401; answer === 401 && offset <= 6; offset++) {
        answer = await at.attempt(email, asked.challenge, wrongOf(asked.code, offset));
        if (answer === 401) guesses++;
      }
    }
    for (let round = 0; round < 4; round++) {
      app.clock.ms += 5 * 3_600_000;
      const at = deviceAt(app, `100.65.${round}.1`);
      const email = someone();
      const { code, challenge } = await at.ask(email);
      expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/);
      expect(await at.attempt(email, challenge, wrongOf(code))).toBe(401);
    }
    expect(alerts()).toBe(1);
    expect(guesses).toBeGreaterThan(840);
    expect(guesses / 1_000_000).toBeLessThan(0.001);
    const email = someone();
    const bystander = deviceAt(app, "100.65.1.200");
    const { challenge, code } = await bystander.ask(email);
    expect(await bystander.attempt(email, challenge, ` ${code.toLowerCase()} `)).toBe(201);
    // Its device is known now, so six digits are enough.
    expect((await bystander.ask(email, challenge)).code).toMatch(/^\d{6}$/);
  });

  it("leaves one try to six digits that were on their way, so that their reader gets in", async ({ expect }) => {
    await forgetTries();
    const app = await identityApp(DB);
    const [reader, guesser] = [deviceAt(app, "192.0.2.1"), deviceAt(app, "192.0.2.2")];
    const [mine, aim] = [someone(), someone()];
    const [asked, aimed] = [await reader.ask(mine), await guesser.ask(aim)];
    await DB.prepare(
      `${
        numbered(501)
      } INSERT INTO code_tries SELECT NULL, 'cod', 'dev' || i, 'adr' || i, 'net' || i, 0, 1, ? FROM n`,
    ).bind(app.clock.ms).run();
    expect(await guesser.attempt(aim, aimed.challenge, wrongOf(aimed.code))).toBe(401);
    expect(await guesser.attempt(aim, aimed.challenge, aimed.code)).toBe(429);
    expect(await reader.attempt(mine, asked.challenge, asked.code)).toBe(201);
  });
});

describe("retention", () => {
  it("forgets codes and tries after a day and ended sessions after a month, and nothing that still counts", async ({ expect }) => {
    const { identityStore } = await import("../../src/identity/store/index.ts");
    const app = await identityApp(DB, { startMs: Date.UTC(2027, 0, 1) });
    const store = identityStore(app.db, systemRandomBytes, app.seals);
    await store.purge(app.clock.ms);
    const email = someone();
    const live = await app.signIn(email);
    const ended = await app.signIn(email);
    await app.request("DELETE", "/v1/auth/sessions/current", undefined, app.bearer(ended));
    await app.request("POST", "/v1/auth/codes", { email });
    await app.request("POST", "/v1/auth/sessions", {
      email,
      code: app.codeFor(email) === "000000" ? "000001" : "000000",
    });
    expect(await store.purge(app.clock.ms + 86_400_000)).toBe(0);
    expect(await store.purge(app.clock.ms + 86_400_001)).toBe(4);
    expect(await store.purge(app.clock.ms + 30 * 86_400_000 + 1)).toBe(1);
    expect(
      (await app.request("POST", "/v1/auth/refresh", { refresh_token: live.refresh_token })).status,
    ).toBe(200);
  });
});
