// Somebody who can write the database, and holds no key: rows moved to another user, swapped, put
// back or stripped of their seal. On the real routes nobody becomes somebody else by that, and
// nothing earns.
import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { openUserCipher } from "../../src/kernel/keyring.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import type { UserId } from "../../src/kernel/ids.ts";
import { SEALED_USERS } from "../../src/db/sealed-tables.ts";
import { cardRow, deliver, hotUser, REDIRECT, syncedBody } from "../support/banking-app.ts";
import type { Linked } from "../support/banking-app.ts";
import { app as bank, useBankingApp } from "../support/banking-d1.ts";
import { ALICE, BOB, catalogueApp, VERSION } from "../support/catalogue-app.ts";
import { offerCalls } from "../support/catalogue-offers.ts";
import { identityApp } from "../support/identity-app.ts";
import type { IdentityApp, Tokens } from "../support/identity-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const run = (query: string, ...values: unknown[]) => DB.prepare(query).bind(...values).run();
const text = async (query: string, ...values: unknown[]): Promise<string> =>
  String(Object.values((await DB.prepare(query).bind(...values).first()) ?? {})[0]);
/** Exchanges a column of two rows; `spare` is a value that a unique one may have in between. */
async function swap(
  column: string,
  one: string,
  two: string,
  spare: string | null = null,
): Promise<void> {
  const [table = "", name = ""] = column.split(".");
  const read = (id: string) => text(`SELECT ${name} FROM ${table} WHERE id = ?`, id);
  const [first, second] = [await read(one), await read(two)];
  const write = (id: string, value: string) =>
    run(`UPDATE ${table} SET ${name} = ? WHERE id = ?`, value, id);
  if (spare !== null) await write(one, spare);
  await write(two, first);
  await write(one, second);
}
const sealAlerts = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.includes("row_seal_broken")).map((line) =>
    (JSON.parse(line) as { table: string }).table
  );
let serial = 0;
const someone = (): string => `sealed-${(serial += 1)}@example.org`;

type Person = Tokens & { readonly email: string; readonly sessionId: string };
async function person(app: IdentityApp): Promise<Person> {
  const email = someone();
  const tokens = await app.signIn(email);
  const sessionId = await text("SELECT id FROM sessions WHERE user_id = ?", tokens.user.id);
  return { ...tokens, email, sessionId };
}
async function codeOf(answer: Promise<Response>): Promise<[number, string]> {
  const response = await answer;
  return [response.status, (await response.json<{ code: string }>()).code];
}

describe("a session", () => {
  const refresh = (app: IdentityApp, who: Person) =>
    app.request("POST", "/v1/auth/refresh", { refresh_token: who.refresh_token });
  const rename = (app: IdentityApp, who: Person) =>
    app.request("PATCH", "/v1/me", { first_name: "Ada" }, app.bearer(who));

  it("moved to another user gives no token", async () => {
    const app = await identityApp(DB);
    const [attacker, victim] = [await person(app), await person(app)];
    await run("UPDATE sessions SET user_id = ? WHERE id = ?", victim.user.id, attacker.sessionId);
    expect(await codeOf(refresh(app, attacker))).toEqual([401, "refresh_invalid"]);
    expect(sealAlerts(app.logLines)).toEqual(["sessions"]);
  });

  it("swapped between two users gives neither a token", async () => {
    const app = await identityApp(DB);
    const [one, two] = [await person(app), await person(app)];
    await swap("sessions.user_id", one.sessionId, two.sessionId);
    for (const who of [one, two]) expect((await refresh(app, who)).status).toBe(401);
  });

  it.each(["auth_time_s = auth_time_s + 600", `amr = '["otp","webauthn"]'`, "seal = NULL"])(
    "with %s neither lives on nor acts",
    async (change) => {
      const app = await identityApp(DB);
      const who = await person(app);
      await run(`UPDATE sessions SET ${change} WHERE id = ?`, who.sessionId);
      expect(await codeOf(rename(app, who))).toEqual([401, "token_invalid"]);
      expect((await refresh(app, who)).status).toBe(401);
    },
  );
});

describe("a user", () => {
  const signIn = async (app: IdentityApp, email: string): Promise<[number, string]> => {
    await app.request("POST", "/v1/auth/codes", { email });
    return codeOf(app.request("POST", "/v1/auth/sessions", { email, code: app.codeFor(email) }));
  };
  const sessionsOf = (id: string) => text("SELECT count(*) FROM sessions WHERE user_id = ?", id);

  it("whose index was given another address signs nobody in", async () => {
    const app = await identityApp(DB);
    const [attacker, victim] = [await person(app), await person(app)];
    await swap("users.email_index", attacker.user.id, victim.user.id, "on its way");
    expect(await signIn(app, attacker.email)).toEqual([403, "forbidden"]);
    expect(await sessionsOf(victim.user.id)).toBe("1");
    expect(new Set(sealAlerts(app.logLines))).toEqual(new Set(["users"]));
  });

  it("without a seal signs nobody in and shows nothing", async () => {
    const app = await identityApp(DB);
    const who = await person(app);
    await run("UPDATE users SET seal = NULL WHERE id = ?", who.user.id);
    expect(await signIn(app, who.email)).toEqual([403, "forbidden"]);
    expect(await codeOf(app.request("GET", "/v1/me", undefined, app.bearer(who)))).toEqual([
      401,
      "token_invalid",
    ]);
  });

  it("whose address of before was put back is refused", async () => {
    const app = await identityApp(DB);
    const who = await person(app);
    const dataKey = await text("SELECT data_key FROM users WHERE id = ?", who.user.id);
    const userId = who.user.id as UserId;
    const cipher = await openUserCipher(
      app.keyrings.encryption,
      userId,
      dataKey,
      systemRandomBytes,
    );
    if (!cipher.ok) throw new Error("the key does not open");
    const former = await cipher.value.encrypt(
      { table: "users", column: "email", row: userId },
      someone(),
    );
    await run("UPDATE users SET email_cipher = ? WHERE id = ?", former, who.user.id);
    expect(await signIn(app, who.email)).toEqual([403, "forbidden"]);
    expect((await app.request("GET", "/v1/me", undefined, app.bearer(who))).status).toBe(401);
  });

  it("is not signed in by another address than its own, even with a good seal", async () => {
    const app = await identityApp(DB);
    const [attacker, victim] = [await person(app), await person(app)];
    const index = await text("SELECT email_index FROM users WHERE id = ?", attacker.user.id);
    await run("UPDATE users SET email_index = 'elsewhere' WHERE id = ?", attacker.user.id);
    const row = await DB.prepare(
      "SELECT id, email_cipher AS emailCipher, data_key AS dataKey, created_at_ms AS createdAtMs FROM users WHERE id = ?",
    ).bind(victim.user.id).first<
      { id: string; emailCipher: string; dataKey: string; createdAtMs: number }
    >();
    if (row === null) throw new Error("no such user");
    const seal = app.seals.of(SEALED_USERS, { ...row, emailIndex: index });
    await run("UPDATE users SET email_index = ?, seal = ? WHERE id = ?", index, seal, row.id);
    expect(await signIn(app, attacker.email)).toEqual([403, "forbidden"]);
    expect(app.logLines.join()).toContain("email_index_mismatch");
    expect(await sessionsOf(victim.user.id)).toBe("1");
  });
});

describe("a consent", () => {
  const decided = async (app: IdentityApp, who: Person, granted: boolean) => {
    const body = { granted, text_version: "1" };
    await app.request("PUT", "/v1/me/consents/bank_data", body, app.bearer(who));
  };
  const isGranted = async (app: IdentityApp, who: Person): Promise<unknown> => {
    const answer = await app.request("GET", "/v1/me/consents", undefined, app.bearer(who));
    const { data } = await answer.json<{ data: { purpose: string; granted: boolean }[] }>();
    return data.find(({ purpose }) => purpose === "bank_data")?.granted;
  };
  beforeAll(() => run("DROP TRIGGER consents_no_update"));

  it.each([
    ["turned from a withdrawal into a grant", "granted = 1", 2],
    ["moved behind the withdrawal", "sequence = 9", 1],
    ["without a seal", "seal = NULL, granted = 1", 2],
  ])("%s is none", async (_, change, sequence) => {
    const app = await identityApp(DB);
    const who = await person(app);
    await decided(app, who, true);
    expect(await isGranted(app, who)).toBe(true);
    await decided(app, who, false);
    await run(
      `UPDATE consents SET ${change} WHERE user_id = ? AND sequence = ?`,
      who.user.id,
      sequence,
    );
    expect(await isGranted(app, who)).toBe(false);
    expect(new Set(sealAlerts(app.logLines))).toEqual(new Set(["consents"]));
  });

  it("of somebody else is none, and the user can still decide", async () => {
    const app = await identityApp(DB);
    const [one, two] = [await person(app), await person(app)];
    await decided(app, two, true);
    await run("UPDATE consents SET user_id = ? WHERE user_id = ?", one.user.id, two.user.id);
    expect(await isGranted(app, one)).toBe(false);
    await decided(app, one, true);
    expect(await isGranted(app, one)).toBe(true);
  });
});

describe("the subject of an outside issuer", () => {
  it.each(["user_id = ?2", "seal = NULL"])("with %s is nobody's", async (change) => {
    const pair = await generateKeyPair("RS256");
    const issuer = "https://idp.example";
    const key = { ...(await exportJWK(pair.publicKey)), kid: "out", alg: "RS256" };
    const app = await identityApp(DB, {
      trustedIssuers: [{
        issuer,
        jwksUri: `${issuer}/jwks`,
        audience: "app",
        subjectClaim: "sub",
      }],
      fetch: async () => Response.json({ keys: [key] }),
    });
    const [attacker, victim] = [await person(app), await person(app)];
    const subject = crypto.randomUUID();
    await app.service.linkUser(attacker.user.id as UserId, issuer, subject);
    const nowS = app.clock.ms / 1000;
    const token = await new SignJWT({
      iss: issuer,
      aud: "app",
      sub: subject,
      iat: nowS,
      exp: nowS + 60,
    })
      .setProtectedHeader({ alg: "RS256", kid: "out", typ: "JWT" }).sign(pair.privateKey);
    const read = () =>
      app.request("GET", "/v1/me", undefined, { Authorization: `Bearer ${token}` });
    expect((await read()).status).toBe(200);
    const values = change.includes("?2") ? [attacker.user.id, victim.user.id] : [attacker.user.id];
    await run(`UPDATE identity_links SET ${change} WHERE user_id = ?1`, ...values);
    expect(await codeOf(read())).toEqual([401, "token_invalid"]);
  });
});

describe("what a bank link consists of", () => {
  useBankingApp();
  const synced = (user: Linked) =>
    deliver(
      bank,
      "connection-synced",
      syncedBody(bank, user.remoteUserId, user.remoteConnectionId, [
        cardRow(1, user.remoteAccountId),
      ]),
    );
  const reasons = async (user: Linked): Promise<unknown[]> =>
    (await DB.prepare("SELECT reason FROM quarantine WHERE remote_user_id = ?").bind(
      String(user.remoteUserId),
    ).all<{ reason: string }>()).results.map(({ reason }) => reason);
  const idOf = (table: string, user: Linked) =>
    text(`SELECT id FROM ${table} WHERE user_id = ?`, user.userId);
  const listed = async (user: Linked) =>
    (await bank.call("GET", "/v1/bank-connections", { as: user.userId })).body.data ?? [];

  it.each([
    ["aggregator_links", "user_id = ?2"],
    ["aggregator_links", "seal = NULL"],
    ["bank_connections", "user_id = ?2"],
    ["bank_connections", "seal = NULL"],
    ["bank_accounts", "seal = NULL"],
    ["bank_accounts", "fingerprint = 'another'"],
    ["bank_accounts", "own_iban = 'another'"],
    ["bank_accounts", "remote_account_id = '7'"],
  ])("%s with %s earns nothing, and its webhook is set aside", async (table, change) => {
    const [attacker, victim] = [await hotUser(bank), await hotUser(bank)];
    const id = await idOf(table, victim);
    const values = change.includes("?2") ? [id, attacker.userId] : [id];
    await run(`UPDATE ${table} SET ${change} WHERE id = ?1`, ...values);
    expect((await synced(victim)).status).toBe(200);
    expect(bank.ledger.calls).toEqual([]);
    expect(await reasons(victim)).toEqual(["row_seal_broken"]);
    expect(sealAlerts(bank.logged)).toContain(table);
    // Nobody else's queue waits for it.
    expect((await synced(attacker)).status).toBe(200);
    expect(bank.ledger.calls).toHaveLength(1);
  });

  it("is nobody's when the aggregator's users of two links are swapped", async () => {
    const [one, two] = [await hotUser(bank), await hotUser(bank)];
    await swap(
      "aggregator_links.remote_user_id",
      await idOf("aggregator_links", one),
      await idOf("aggregator_links", two),
      "on its way",
    );
    for (const user of [one, two]) await synced(user);
    expect(bank.ledger.calls).toEqual([]);
  });

  it("gives its rows to nobody when an account was moved to another user's connection", async () => {
    const [attacker, victim] = [await hotUser(bank), await hotUser(bank)];
    const connection = await idOf("bank_connections", attacker);
    const account = await idOf("bank_accounts", victim);
    await run(
      "UPDATE bank_accounts SET user_id = ?, connection_id = ? WHERE id = ?",
      attacker.userId,
      connection,
      account,
    );
    await synced(attacker);
    await synced(victim);
    expect(bank.ledger.calls.filter((call) => JSON.stringify(call).includes(account))).toEqual([]);
    expect((await listed(attacker)).map((item) => (item["accounts"] as unknown[]).length)).toEqual([
      1,
    ]);
  });

  it("is neither shown to nor renewed nor ended by whom a connection was moved to", async () => {
    const [attacker, victim] = [await hotUser(bank), await hotUser(bank)];
    const id = await idOf("bank_connections", victim);
    await run("UPDATE bank_connections SET user_id = ? WHERE id = ?", attacker.userId, id);
    expect((await listed(attacker)).map((item) => item["id"])).not.toContain(id);
    const calls = bank.powens.state.calls.length;
    const renewed = await bank.call("POST", `/v1/bank-connections/${id}/renewal`, {
      as: attacker.userId,
      body: { redirect_uri: REDIRECT },
    });
    const ended = await bank.call("DELETE", `/v1/bank-connections/${id}`, { as: attacker.userId });
    const account = await idOf("bank_accounts", victim);
    await run("UPDATE bank_accounts SET user_id = ? WHERE id = ?", attacker.userId, account);
    const off = await bank.call("PATCH", `/v1/bank-accounts/${account}`, {
      as: attacker.userId,
      body: { earning: false },
    });
    expect([renewed.status, ended.status, off.status]).toEqual([404, 404, 404]);
    expect(await text("SELECT earning FROM bank_accounts WHERE id = ?", account)).toBe("1");
    expect(bank.powens.state.calls).toHaveLength(calls);
    expect(await text("SELECT status FROM bank_connections WHERE id = ?", id)).toBe("active");
  });

  it("is not shown to whoever lets a callback of their own point to it", async () => {
    const [attacker, victim] = [await hotUser(bank), await hotUser(bank)];
    const link = await idOf("aggregator_links", victim);
    const started = await bank.call("POST", "/v1/bank-connections", {
      as: attacker.userId,
      body: { redirect_uri: REDIRECT },
    });
    const hash = await text(
      "SELECT code_hash FROM connection_intents WHERE user_id = ?",
      attacker.userId,
    );
    await run(
      "UPDATE connection_intents SET link_id = ?, spent_at_ms = ?, outcome = 'returned', code_hash = ? WHERE user_id = ? AND spent_at_ms IS NULL",
      link,
      bank.clock.ms,
      hash,
      attacker.userId,
    );
    const { code } = bank.powens.visitPage();
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code));
    const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join(
      "",
    );
    await run("UPDATE connection_intents SET code_hash = ? WHERE link_id = ?", hex, link);
    const back = await bank.call("POST", "/v1/bank-connections/callback", {
      as: attacker.userId,
      body: { state: started.body["state"], code },
    });
    expect([back.status, back.body.code]).toEqual([400, "state_invalid"]);
    expect(back.text).not.toContain(await idOf("bank_connections", victim));
  });

  it.each([
    "UPDATE consents SET seal = NULL WHERE user_id = ?",
    "INSERT INTO consents SELECT id || 2, user_id, purpose, 2, 1, '1', at_ms, NULL FROM consents WHERE user_id = ?",
  ])("earns nothing by a consent that the user never gave: %s", async (change) => {
    const user = await hotUser(bank);
    await run(change, user.userId);
    await synced(user);
    expect(bank.ledger.calls).toEqual([]);
    expect(sealAlerts(bank.logged)).toContain("consents");
  });
});

describe("the catalogue", () => {
  const edge = catalogueApp(DB);
  const { makeBrand, offerOf } = offerCalls(edge);
  const explain = "/admin/v1/recognition/explain";
  const fresh = () => catalogueApp(DB);
  const recognised = async (app: ReturnType<typeof fresh>, label: string) =>
    (await app.call<{ brand: { id: string } | null }>("POST", explain, {
      as: ALICE,
      body: { label },
    })).body.brand?.id ?? null;
  beforeAll(async () => {
    for (
      const trigger of [
        "offers_fixed",
        "offer_versions_fixed",
        "alias_changes_fixed",
        "correction_changes_fixed",
      ]
    ) await run(`DROP TRIGGER ${trigger}`);
  });

  it.each([`aliases = '["ZORGLUB"]'`, "seal = NULL"])(
    "has no brand with %s",
    async (change) => {
      const brand = await makeBrand();
      const name = await text("SELECT name FROM brands WHERE id = ?", brand);
      expect(await recognised(fresh(), `CB ${name} 12/11`)).toBe(brand);
      await run(`UPDATE brands SET ${change} WHERE id = ?`, brand);
      const app = fresh();
      expect(await recognised(app, "CB ZORGLUB 12/11")).toBeNull();
      expect(await recognised(app, `CB ${name} 12/11`)).toBeNull();
      expect(sealAlerts(app.logged)).toContain("brands");
    },
  );

  it.each([
    ["offers", "brand_id = ?2"],
    ["offers", "seal = NULL"],
    ["offer_versions", "terms = json_set(terms, '$.rateBp', 9000)"],
    ["offer_versions", "seal = NULL"],
  ])("has no offer whose row in %s has %s", async (table, change) => {
    const [brand, other] = [await makeBrand(), await makeBrand()];
    const { id } = (await offerOf(brand, VERSION)).body;
    expect(await offerCalls(fresh()).offersOf(brand)).toHaveLength(1);
    const key = table === "offers" ? "id" : "offer_id";
    const values = change.includes("?2") ? [id, other] : [id];
    await run(`UPDATE ${table} SET ${change} WHERE ${key} = ?1`, ...values);
    const app = fresh();
    for (const one of [brand, other]) expect(await offerCalls(app).offersOf(one)).toEqual([]);
    expect(sealAlerts(app.logged)).toContain(table);
  });

  it("has no version that nobody approved, nor one whose maker approves it under another name", async () => {
    const brand = await makeBrand();
    const { id } = (await offerOf(brand, { ...VERSION, rate_bp: 9000 })).body;
    await run("UPDATE offer_versions SET created_by = 'carol' WHERE offer_id = ?", id);
    const approval = await fresh().call("POST", `/admin/v1/offers/${id}/versions/1/approval`, {
      as: ALICE,
    });
    expect(approval.status).toBe(404);
    await run(
      "UPDATE offer_versions SET created_by = 'alice', state = 'approved', approved_by = 'bob', approved_at_ms = 1 WHERE offer_id = ?",
      id,
    );
    expect(await offerCalls(fresh()).offersOf(brand)).toEqual([]);
  });

  it("takes an approved version as it was sealed at the approval", async () => {
    const brand = await makeBrand();
    const { id } = (await offerOf(brand, { ...VERSION, rate_bp: 9000 })).body;
    const approval = await edge.call("POST", `/admin/v1/offers/${id}/versions/1/approval`, {
      as: BOB,
    });
    expect(approval.status).toBe(200);
    expect(await offerCalls(fresh()).offersOf(brand)).toHaveLength(1);
  });

  it("approves no change of aliases whose maker was changed", async () => {
    const brand = await makeBrand();
    await offerOf(brand, VERSION);
    const body = { aliases: ["BOULANGERIE ZORGLUB"] };
    const asked = await edge.call("PATCH", `/admin/v1/brands/${brand}`, { as: ALICE, body });
    expect(asked.status).toBe(200);
    const id = await text("SELECT id FROM alias_changes WHERE brand_id = ?", brand);
    await run("UPDATE alias_changes SET created_by = 'carol' WHERE id = ?", id);
    const path = `/admin/v1/brands/${brand}/alias-changes/${id}/approval`;
    const approval = await fresh().call("POST", path, { as: ALICE });
    expect(approval.status).toBe(404);
    expect(await recognised(fresh(), "CB BOULANGERIE ZORGLUB 12/11")).toBeNull();
  });

  it.each([
    ["QUIDAM PATISSERIE", "brand_id = ?2"],
    ["FULANO PATISSERIE", "seal = NULL"],
    ["ZUTANO PATISSERIE", "created_at_ms = 1"],
  ])("takes no correction of %s with %s, until it is made again", async (merchant, change) => {
    const [brand, other] = [await makeBrand(), await makeBrand()];
    const label = `CARTE 12/11/26 ${merchant} CB*1234`;
    const asked = { as: ALICE, body: { label, brand_id: brand } };
    const correct = (app: typeof edge) =>
      app.call("POST", "/admin/v1/recognition/corrections", asked);
    await correct(edge);
    expect(await recognised(fresh(), label)).toBe(brand);
    const values = change.includes("?2") ? [merchant, other] : [merchant];
    await run(`UPDATE recognition_corrections SET ${change} WHERE merchant = ?1`, ...values);
    expect(await recognised(fresh(), label)).toBeNull();
    await correct(fresh());
    expect(await recognised(fresh(), label)).toBe(brand);
  });

  it("approves no correction whose maker was changed", async () => {
    const brand = await makeBrand();
    await offerOf(brand, VERSION);
    const label = "CARTE 12/11/26 EPICERIE MENGANO CB*1234";
    const path = "/admin/v1/recognition/corrections";
    const asked = await edge.call<{ id: string; state: string }>("POST", path, {
      as: ALICE,
      body: { label, brand_id: brand },
    });
    expect(asked.body.state).toBe("waiting");
    await run("UPDATE correction_changes SET created_by = 'carol' WHERE id = ?", asked.body.id);
    const app = fresh();
    const approval = await app.call("POST", `${path}/${asked.body.id}/approval`, { as: ALICE });
    expect(approval.status).toBe(404);
    expect(sealAlerts(app.logged)).toContain("correction_changes");
  });
});
