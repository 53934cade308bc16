import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { quarantineListRoutes } from "../../src/banking/routes/index.ts";
import { bankingStore } from "../../src/banking/store/index.ts";
import { isDatabaseFailure, openDatabase } from "../../src/db/database.ts";
import { catalogueStore } from "../../src/catalogue/store.ts";
import { createRouter } from "../../src/http/router.ts";
import { signedCursors } from "../../src/http/paging.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { LANDING } from "../../src/texts/texts.ts";
import { haltsStore } from "../../src/operations/halts/store.ts";
import { onceAnswered } from "../../src/operations/programme.ts";
import { sealsReady } from "../../src/operations/readiness.ts";
import { sealPage } from "../../src/db/seal-sweep.ts";
import { SEALED_TABLES } from "../../src/db/sealed-tables.ts";
import { operationsRouters, sealRoutes } from "../../src/operations/routes.ts";
import { databaseHealth, ensureProgramme } from "../../src/operations/store.ts";
import { ALICE, CLAIRE, KEYRING, openLimiter, operatorTokens } from "../support/catalogue-app.ts";
import { inbound } from "../support/inbound.ts";
import { strictSeals } from "../support/seals.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const NOW = Date.UTC(2026, 10, 20, 9);
const WEEK_MS = 7 * 86_400_000;

function operationsApp(
  over: {
    environment?: "local" | "production";
    region?: string | null;
    database?: boolean;
    ledger?: boolean | "throws";
    pointsPerEuro?: number;
    programme?: "throws";
    aggregator?: boolean | "throws";
    unsealedBeforeMs?: number;
  } = {},
) {
  const db = openDatabase(DB);
  const seals = strictSeals(KEYRING);
  const lines: string[] = [];
  const notes: string[] = [];
  const log = jsonLog((line) => lines.push(line));
  const rest = createRouter();
  rest.get("/behind", (c) => c.text("open"));
  rest.get("/.well-known/kept.json", (c) => c.text("mounted behind the gate"));
  const routers = operationsRouters({
    config: {
      environment: over.environment ?? "local",
      publicUrl: "https://api.cagnotte.test",
      jurisdiction: "eu",
      redirectUris: [
        "https://api.cagnotte.test/linked",
        "myapp://done",
        "https://api.cagnotte.test.evil/linked",
      ],
      apps: {
        apple: ["ABCDE12345.eu.example.app"],
        android: [{ packageName: "eu.example.app", fingerprints: ["14:6D"] }],
      },
      debtor: { name: "Cagnotte SAS", iban: "FR76SECRET", bic: "" },
      email: { url: "https://mail.example/send", token: "mail-secret" },
      powens: {
        apiUrl: "",
        webviewUrl: "",
        domain: "demo.biapi.pro",
        clientId: "1",
        clientSecret: "powens-secret",
        webhookSecrets: ["hook-secret"],
      },
    },
    host: "Cloudflare",
    halts: haltsStore(db, systemRandomBytes, seals),
    checks: {
      database: async () => {
        if (over.database === false) throw new Error("down");
        const health = await databaseHealth(DB);
        return over.region === undefined ? health : { region: over.region };
      },
      ledger: async () => {
        if (over.ledger === "throws") throw new Error("down");
        return over.ledger ?? true;
      },
      programme: onceAnswered(async () => {
        if (over.programme === "throws") throw new Error("no such table: settings");
        return ensureProgramme(db, { pointsPerEuro: over.pointsPerEuro ?? 100 }, NOW);
      }),
      aggregator: async () => {
        if (over.aggregator === "throws") throw new Error("down");
        return over.aggregator ?? true;
      },
      seals: () => sealsReady(over.unsealedBeforeMs ?? null, NOW),
    },
    clock: { nowMs: () => NOW },
    log,
    assets: async (request) =>
      new Response(`asset ${new URL(request.url).pathname}`, {
        headers: { "Content-Type": "text/html" },
      }),
  });
  const quarantine = quarantineListRoutes({
    service: bankingStore(db, systemRandomBytes, seals),
    operatorTokens,
    cursors: signedCursors(KEYRING),
    note: (event) => catalogueStore(db, systemRandomBytes, seals).note(event, NOW),
  });
  const sealing = sealRoutes({
    sealPage: (position) => sealPage(db, seals, position),
    operatorTokens,
    cursors: signedCursors(KEYRING),
    note: async (event) => void notes.push(event.action),
  });
  const app = createApp({
    clock: { nowMs: () => NOW },
    random: systemRandomBytes,
    log,
    corsOrigins: [],
    apiLimiter: openLimiter,
    authLimiter: openLimiter,
    ...inbound({ nowMs: () => NOW }),
    operatorTokens,
    routers: [
      ...routers,
      { path: "/admin/v1", router: quarantine },
      { path: "/admin/v1", router: sealing },
      { path: "/", router: rest },
    ],
    isUnavailable: isDatabaseFailure,
  });
  const read = async (path: string, headers: Record<string, string> = {}) => {
    const response = await app.request(`https://api.cagnotte.test${path}`, { headers });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (text.startsWith("{") ? JSON.parse(text) : {}) as {
        code?: string;
        errors?: { pointer: string; code: string }[];
        data?: { id: string }[];
        next_cursor?: string | null;
      },
    };
  };
  const seal = async (cursor: unknown, as: string) => {
    const response = await app.request("https://api.cagnotte.test/admin/v1/row-seals", {
      method: "POST",
      headers: { "Authorization": `Bearer ${as}`, "Content-Type": "application/json" },
      body: JSON.stringify({ cursor }),
    });
    return { status: response.status, body: await response.json<SealAnswer>() };
  };
  return { read, lines, notes, seal };
}

type SealAnswer = { code?: string; table: string; next_cursor: string | null };

describe("POST /admin/v1/row-seals", () => {
  const OWNER = "operator.olga.owner";

  it("goes through every sealed table, a page at a time", async () => {
    const { seal, notes } = operationsApp();
    const tables: string[] = [];
    let cursor: string | null = null;
    do {
      const { status, body }: { status: number; body: SealAnswer } = await seal(cursor, OWNER);
      expect(status).toBe(200);
      tables.push(body.table);
      cursor = body.next_cursor;
    } while (cursor !== null);
    expect(new Set(tables).size).toBe(SEALED_TABLES.length);
    expect(notes).toHaveLength(tables.length);
  });

  it("is the owner's, and takes no cursor but its own", async () => {
    const { seal } = operationsApp();
    for (const other of [CLAIRE, ALICE]) expect((await seal(null, other)).status).toBe(403);
    const forged = await seal("eyJ0YWJsZSI6InVzZXJzIn0.t1.AAAA", OWNER);
    expect([forged.status, forged.body.code]).toEqual([400, "cursor_invalid"]);
    expect((await seal(7, OWNER)).status).toBe(422);
  });
});

beforeEach(async () => {
  await DB.exec("DELETE FROM settings");
});

describe("GET /healthz and /readyz", () => {
  it("is ready when database and ledgers answer", async () => {
    const { read } = operationsApp();
    expect((await read("/healthz")).body).toEqual({ status: "ok", version: "1.0.0" });
    expect((await read("/readyz")).body).toMatchObject({ status: "ok" });
  });

  it.each([
    [{ database: false }, ["database_unavailable"]],
    [{ ledger: false }, ["ledger_unavailable"]],
    [{ ledger: "throws" as const }, ["ledger_unavailable"]],
    [{ environment: "production" as const, region: "ENAM" }, ["database_outside_eu"]],
    [{ environment: "production" as const, region: null }, ["database_outside_eu"]],
    [{ database: false, ledger: false }, ["database_unavailable", "ledger_unavailable"]],
    [{ aggregator: false }, ["aggregator_unanswered"]],
    [{ database: false, aggregator: "throws" as const }, ["database_unavailable"]],
    [
      { environment: "production" as const, region: "WEUR", unsealedBeforeMs: NOW - WEEK_MS - 1 },
      ["row_seals_not_required"],
    ],
  ])("is not ready with %j, and says which check failed", async (over, codes) => {
    const { read } = operationsApp(over);
    const answer = await read("/readyz");
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
    expect(answer.body.errors?.map((item) => item.code)).toEqual(codes);
    expect((await read("/healthz")).status).toBe(200);
  });

  it.each(["WEUR", "EEUR"])(
    "is ready in production when the database is served from %s",
    async (region) => {
      const over = { environment: "production" as const, region };
      expect((await operationsApp(over).read("/readyz")).status).toBe(200);
      const fresh = { ...over, unsealedBeforeMs: NOW - WEEK_MS };
      expect((await operationsApp(fresh).read("/readyz")).status).toBe(200);
    },
  );

  it("says healthy only when everything is served, and serves its documents before that", async () => {
    const early = operationsApp({ programme: "throws" });
    const health = await early.read("/healthz");
    expect([health.status, health.body.code, health.headers.get("Retry-After")]).toEqual([
      503,
      "unavailable",
      "1",
    ]);
    expect((await early.read("/behind")).status).toBeGreaterThanOrEqual(500);
    for (
      const path of [
        "/",
        "/docs",
        "/landing.css",
        "/openapi.json",
        "/v1/legal",
        "/.well-known/security.txt",
        "/.well-known/assetlinks.json",
        "/.well-known/kept.json",
      ]
    ) {
      expect([path, (await early.read(path)).status]).toEqual([path, 200]);
    }
  });

  it("does not ask where a local database is", async () => {
    expect((await operationsApp({ region: "ENAM" }).read("/readyz")).status).toBe(200);
  });
});

describe("the programme's rate", () => {
  it("is fixed at the first start, and another one closes the application", async () => {
    expect((await operationsApp({ pointsPerEuro: 100 }).read("/behind")).text).toBe("open");
    expect((await operationsApp({ pointsPerEuro: 100 }).read("/behind")).text).toBe("open");
    const changed = operationsApp({ pointsPerEuro: 50 });
    expect((await changed.read("/behind")).status).toBe(503);
    expect((await changed.read("/healthz")).status).toBe(503);
    expect((await changed.read("/readyz")).body.errors).toMatchObject([{
      pointer: "#check/programme",
      code: "programme_rate_changed",
    }]);
    expect(changed.lines.some((line) => line.includes("programme_refused"))).toBe(true);
  });

  it("lets one of two first starts win", async () => {
    const db = openDatabase(DB);
    const both = await Promise.all(
      [100, 50].map((pointsPerEuro) => ensureProgramme(db, { pointsPerEuro }, NOW)),
    );
    expect(both.filter((item) => item.ok)).toHaveLength(1);
  });

  it("asks the database once per isolate, and again after a failure", async () => {
    let calls = 0;
    const check = onceAnswered(async () => {
      calls += 1;
      if (calls === 1) throw new Error("down");
      return { ok: true, value: null };
    });
    await expect(check()).rejects.toThrow();
    await check();
    await check();
    expect(calls).toBe(2);
  });
});

describe("notices", () => {
  it("gives the legal notice in both languages, without a secret", async () => {
    const { read } = operationsApp();
    const french = await read("/v1/legal");
    expect(french.body).toMatchObject({
      account_information: { provider: "Powens" },
      agent: { of: "Powens" },
      hosting: { provider: "Cloudflare", jurisdiction: "eu" },
      operator: { name: "Cagnotte SAS" },
    });
    expect(french.text).toContain("identifiants bancaires");
    expect(french.text).toContain("mail.example");
    expect(french.text).not.toMatch(/secret/i);
    expect((await read("/v1/legal", { "Accept-Language": "en" })).text).toContain(
      "bank credentials",
    );
  });

  it("says in the legal notice what is halted, and not why", async () => {
    const { read } = operationsApp();
    const store = haltsStore(openDatabase(DB), systemRandomBytes, strictSeals(KEYRING));
    const actor = { operator: "olga", listedPerson: true, nowMs: NOW };
    expect((await read("/v1/legal")).text).toContain('"halts":[]');
    await store.begin("payouts", "Jean Dupont left", actor, (id) => ({
      actorKind: "operator",
      actor: "olga",
      action: "halt.begin",
      target: id,
      details: {},
    }));
    const notice = await read("/v1/legal");
    expect(notice.body).toMatchObject({
      halts: [{ what: "payouts", since: "2026-11-20T09:00:00.000Z" }],
    });
    expect(notice.text).not.toContain("Dupont");
    expect(notice.headers.get("Cache-Control")).toBe("public, max-age=60");
  });

  it("serves security.txt with the fields that RFC 9116 requires, not expired and less than a year ahead", async () => {
    const { read } = operationsApp();
    const answer = await read("/.well-known/security.txt");
    expect(answer.headers.get("Content-Type")).toMatch(/^text\/plain/);
    expect(answer.text).toContain("Contact: mailto:security@api.cagnotte.test\n");
    const expires = Date.parse(/^Expires: (.+)$/m.exec(answer.text)?.[1] ?? "");
    expect(expires).toBeGreaterThan(NOW);
    expect(expires).toBeLessThan(NOW + 365 * 86_400_000);
  });

  it("names the apps that belong to it, and opens no address but its own in them", async () => {
    const { read } = operationsApp();
    const apple = await read("/.well-known/apple-app-site-association");
    expect(apple.headers.get("Content-Type")).toMatch(/^application\/json/);
    expect(apple.body).toEqual({
      webcredentials: { apps: ["ABCDE12345.eu.example.app"] },
      applinks: {
        details: [{ appIDs: ["ABCDE12345.eu.example.app"], components: [{ "/": "/linked" }] }],
      },
    });
    expect(JSON.parse((await read("/.well-known/assetlinks.json")).text)).toEqual([{
      relation: [
        "delegate_permission/common.get_login_creds",
        "delegate_permission/common.handle_all_urls",
      ],
      target: {
        namespace: "android_app",
        package_name: "eu.example.app",
        sha256_cert_fingerprints: ["14:6D"],
      },
    }]);
  });

  it("says at the root address what this is, in the reader's language, with links and without anything from elsewhere", async () => {
    const { read } = operationsApp();
    const french = await read("/", { "Accept-Language": "de, fr;q=0.8, en;q=0.5" });
    const english = await read("/", { "Accept-Language": "en-GB" });
    expect((await read("/")).text).toBe(french.text);
    for (const [page, language] of [[french, "fr"], [english, "en"]] as const) {
      expect(page.status).toBe(200);
      expect(page.headers.get("Content-Type")).toMatch(/^text\/html/);
      expect(page.headers.get("Content-Language")).toBe(language);
      expect(page.headers.get("Vary")).toContain("Accept-Language");
      expect(page.headers.get("Content-Security-Policy")).toMatch(
        /^default-src 'none'; style-src 'self'; (?!.*unsafe)/,
      );
      expect(page.text).toContain(`<html lang="${language}">`);
      expect(page.text).toContain(LANDING.in(language)("where").slice(0, 20));
      expect(page.text).not.toMatch(/<script|<style|style=|https?:/);
      const links = [...page.text.matchAll(/href="([^"]+)"/g)].map(([, path = ""]) => path);
      expect(links).toContain("/docs");
      expect(links).toContain("/v1/legal");
      for (const path of links.filter((link) => link !== "/readyz")) {
        expect([path, (await read(path)).status]).toEqual([path, 200]);
      }
    }
  });

  it("serves the documentation from its own files only", async () => {
    const { read } = operationsApp();
    const page = await read("/docs");
    expect([page.status, page.text]).toEqual([200, "asset /docs/"]);
    expect(page.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect((await read("/docs/start.js")).text).toBe("asset /docs/start.js");
  });
});

describe("GET /admin/v1/quarantine", () => {
  it("lists what is open, latest first and in pages, to support only, and leaves an event", async () => {
    for (let index = 0; index < 5; index += 1) {
      await DB.prepare(
        "INSERT INTO quarantine VALUES (?, 'powens', 'CONNECTION_SYNCED', '42', NULL, 'user_unknown', 10, ?, 1, ?, 1, ?)",
      ).bind(`qua_${index}`, `hash${index}`, 1000 + Math.floor(index / 2), index === 0 ? 5 : null)
        .run();
    }
    const { read } = operationsApp();
    const as = { Authorization: `Bearer ${CLAIRE}` };
    expect((await read("/admin/v1/quarantine")).body.code).toBe("token_missing");
    expect((await read("/admin/v1/quarantine", { Authorization: `Bearer ${ALICE}` })).body.code)
      .toBe("forbidden");
    const seen: string[] = [];
    let cursor: string | null | undefined = null;
    do {
      const page: Awaited<ReturnType<typeof read>> = await read(
        `/admin/v1/quarantine?limit=1${
          cursor === null || cursor === undefined ? "" : `&cursor=${cursor}`
        }`,
        as,
      );
      expect(page.status).toBe(200);
      seen.push(...(page.body.data ?? []).map((item) => item.id));
      cursor = page.body.next_cursor;
    } while (cursor !== null && cursor !== undefined);
    expect(seen).toEqual(["qua_4", "qua_3", "qua_2", "qua_1"]);
    expect((await read("/admin/v1/quarantine?state=resolved", as)).body.data).toMatchObject([{
      id: "qua_0",
      reason: "user_unknown",
      resolved_at: "1970-01-01T00:00:00.005Z",
    }]);
    expect((await read("/admin/v1/quarantine?cursor=x.y", as)).body.code).toBe("cursor_invalid");
    const event = await DB.prepare(
      "SELECT actor, target FROM audit_events ORDER BY rowid DESC LIMIT 1",
    ).first();
    expect(event).toEqual({ actor: "claire", target: "/admin/v1/quarantine" });
  });
});
