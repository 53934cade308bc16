// What every route shares: problems, limits on bodies, headers, rate limits, CORS, cursors, and
// surprises that tell nothing.
import { env } from "cloudflare:workers";
import { createRoute, z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { describe, it } from "vitest";
import { auditStatement } from "../../src/audit/ports.ts";
import { guarded } from "../../src/db/database.ts";
import { pageQuery, signedCursors } from "../../src/http/paging.ts";
import { problem, problemTable } from "../../src/http/problem.ts";
import type { ProblemBody, ProblemCode } from "../../src/http/problem.ts";
import { answer, body, createRouter } from "../../src/http/router.ts";
import { parseKeyring } from "../../src/kernel/keyring.ts";
import { binding, db, testApp } from "../support/http-app.ts";

const PLANTED = "jean.dupont@example.com";
const PROBLEM = "application/problem+json";

function router() {
  const routes = createRouter();
  const shape = z.strictObject({
    name: z.string().max(5),
    address: z.strictObject({ zip: z.string().regex(/^\d{5}$/) }).optional(),
    kind: z.enum(["a", "b"]).optional(),
    points: z.number().int().min(1).max(9).optional(),
  });
  routes.openapi(
    createRoute({
      method: "post",
      path: "/v1/things",
      request: { body: body(shape) },
      responses: { 200: answer(shape, "thing") },
    }),
    (c) => c.json(c.req.valid("json"), 200),
  );
  routes.openapi(
    createRoute({
      method: "get",
      path: "/v1/things",
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: answer(z.object({ limit: z.number() }), "things") },
    }),
    (c) => c.json({ limit: c.req.valid("query").limit }, 200),
  );
  routes.get("/v1/problems/:code", (c) => problem(c, c.req.param("code") as ProblemCode));
  routes.get(
    "/v1/public",
    (c) => c.json({}, 200, { "Cache-Control": "public, max-age=60", ETag: '"1"' }),
  );
  routes.get("/v1/private", (c) => c.json({ email: PLANTED }));
  routes.post("/v1/auth/codes", (c) => c.json({}, 202));
  routes.post("/v1/size", async (c) => c.json({ bytes: (await c.req.arrayBuffer()).byteLength }));
  routes.post(
    "/admin/v1/brands/import",
    async (c) => c.json({ bytes: (await c.req.text()).length }),
  );
  routes.post(
    "/webhooks/powens/x",
    async (c) => c.json({ bytes: (await c.req.arrayBuffer()).byteLength }),
  );
  routes.get(
    "/asset",
    () => (env as unknown as { ASSETS: Fetcher }).ASSETS.fetch("http://assets/docs/start.js"),
  );
  routes.get("/v1/throws/error", () => {
    throw new Error(`secret of ${PLANTED}`);
  });
  routes.get("/v1/throws/text", () => {
    throw `secret of ${PLANTED}`;
  });
  routes.get("/v1/throws/named", () => {
    throw Object.assign(new Error("x"), { name: PLANTED });
  });
  routes.get(
    "/v1/database/statement",
    async (c) => c.json(await db.run(sql`SELECT ${PLANTED} FROM missing_table`)),
  );
  routes.get("/v1/database/batch", async (c) => {
    const event = auditStatement(
      db,
      { actorKind: "user", actor: PLANTED, action: "x", target: "x", details: {} },
      Date.now(),
      () => new Uint8Array(16),
    );
    return c.json(await db.batch([event, event]));
  });
  routes.get(
    "/v1/database/raw",
    async (c) =>
      c.json(
        await guarded(() =>
          binding.prepare("SELECT * FROM missing_table WHERE a = ?").bind(PLANTED).all()
        ),
      ),
  );
  return routes;
}

const app = testApp(router());
const json = async (response: Response): Promise<ProblemBody> => response.json();

describe("problems", () => {
  it("answer every code of the table with its status, in both languages (RFC 9457)", async ({ expect }) => {
    expect(problemTable().length).toBeGreaterThan(40);
    for (const { code, status, fr, en } of problemTable()) {
      for (const [language, title] of [["fr", fr], ["en", en]] as const) {
        const response = await app.fetch(`/v1/problems/${code}`, {
          headers: { "Accept-Language": language },
        });
        expect([
          response.status,
          response.headers.get("Content-Type"),
          response.headers.get("Content-Language"),
          response.headers.get("Cache-Control"),
        ]).toEqual([status, PROBLEM, language, "no-store"]);
        expect(await response.json()).toEqual({
          type: expect.stringMatching(new RegExp(`^https://.+/${code}$`)),
          title,
          status,
          code,
          detail: title,
          request_id: response.headers.get("X-Request-Id"),
        });
      }
      expect(fr).not.toBe(en);
    }
  });

  it("are in French unless English weighs more", async ({ expect }) => {
    for (
      const [header, language] of [
        [undefined, "fr"],
        ["", "fr"],
        ["de", "fr"],
        ["en", "en"],
        ["en-GB,en;q=0.9,fr;q=0.8", "en"],
        ["fr-FR,fr;q=0.9,en;q=0.8", "fr"],
        ["fr, en", "fr"],
        ["en, fr", "fr"],
        ["fr;q=0, en;q=0.1", "en"],
        ["en;q=0", "fr"],
        ["en;q=banana", "fr"],
        ["en;q=9, fr", "fr"],
        ["*", "fr"],
        ["enx", "fr"],
        ["EN", "en"],
        ["fr ; q=0.2 , en ; q=0.3", "en"],
        [`${"de,".repeat(5000)}en`, "fr"],
      ] as const
    ) {
      const response = await app.fetch(
        "/v1/nothing",
        header === undefined ? {} : { headers: { "Accept-Language": header } },
      );
      expect(response.headers.get("Content-Language"), header?.slice(0, 40)).toBe(language);
    }
  });

  it("answer a path or a method that is not there", async ({ expect }) => {
    for (
      const [method, path] of [
        ["GET", "/v1/nothing"],
        ["DELETE", "/v1/things"],
        ["PUT", "/v1/private"],
        ["GET", "/"],
        ["GET", "/v1/%ff"],
        ["GET", "/v1/../../etc/passwd"],
      ] as const
    ) {
      const response = await app.fetch(path, { method });
      expect([response.status, response.headers.get("Content-Type")], `${method} ${path}`).toEqual([
        404,
        PROBLEM,
      ]);
      expect((await json(response)).code).toBe("not_found");
    }
  });
});

describe("bodies", () => {
  it("of broken JSON are 400", async ({ expect }) => {
    for (const text of ["{", '{"name":', "nonsense", '{"name":"a"}}', "{'name':'a'}"]) {
      const response = await app.post("/v1/things", text);
      expect([response.status, (await json(response)).code], text).toEqual([400, "malformed_json"]);
    }
  });

  it("with unknown or bad fields are 422 with a pointer to each, and none of the values", async ({ expect }) => {
    const response = await app.post("/v1/things", {
      name: PLANTED,
      address: { zip: PLANTED, street: 1 },
      kind: PLANTED,
      points: 10,
      "odd/na~me": 1,
    });
    const problemBody = await json(response);
    expect([response.status, problemBody.code]).toEqual([422, "validation_failed"]);
    expect(
      (problemBody.errors ?? []).map(({ pointer, code, detail }) => `${pointer} ${code}: ${detail}`)
        .sort(),
    ).toEqual([
      "/address/street unknown_field: Ce champ n'existe pas",
      "/address/zip invalid_format: Ce texte n'a pas la forme voulue",
      "/kind invalid_value: Il faut une de ces valeurs : a, b",
      "/name too_big: Au plus 5 caractères",
      "/odd~1na~0me unknown_field: Ce champ n'existe pas",
      "/points too_big: Au plus 9",
    ]);
    expect(JSON.stringify(problemBody)).not.toContain(PLANTED);
    for (const wrong of [null, [], "text", 1, {}]) {
      expect((await app.post("/v1/things", wrong === "text" ? '"text"' : wrong)).status).toBe(422);
    }
  });

  it("tell in the language asked for what is wrong, a field that is missing too", async ({ expect }) => {
    for (
      const [language, details] of [
        ["fr", [
          "Ce champ est obligatoire",
          "Il faut un texte",
          "Il faut un nombre",
          "Ce champ n'existe pas",
        ]],
        ["en", [
          "This field is required",
          "Must be a text",
          "Must be a number",
          "There is no such field",
        ]],
      ] as const
    ) {
      const response = await app.post("/v1/things", {
        address: { zip: 5 },
        points: PLANTED,
        extra: PLANTED,
      }, { "Accept-Language": language });
      const problemBody = await json(response);
      expect(problemBody.errors?.map(({ pointer, detail }) => [pointer, detail])).toEqual(
        ["/name", "/address/zip", "/points", "/extra"].map((
          pointer,
          index,
        ) => [pointer, details[index]]),
      );
      expect(JSON.stringify(problemBody)).not.toContain(PLANTED);
    }
  });

  it("and queries that are wrong say which parameter", async ({ expect }) => {
    expect(await (await app.fetch("/v1/things")).json()).toEqual({ limit: 20 });
    expect(await (await app.fetch("/v1/things?limit=100")).json()).toEqual({ limit: 100 });
    for (
      const query of [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=1.5",
        "other=1",
        `cursor=${"a".repeat(1025)}`,
      ]
    ) {
      const response = await app.fetch(`/v1/things?${query}`);
      expect([response.status, (await json(response)).errors?.[0]?.pointer], query).toEqual([
        422,
        `#query/${query.split("=")[0]}`,
      ]);
    }
  });

  it("of another media type are 415", async ({ expect }) => {
    for (
      const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "text/csv",
        "",
      ]
    ) {
      const response = await app.fetch("/v1/things", {
        method: "POST",
        body: new TextEncoder().encode('{"name":"a"}'),
        headers: type === "" ? {} : { "Content-Type": type },
      });
      expect([response.status, (await json(response)).code], type).toEqual([
        415,
        "unsupported_media_type",
      ]);
    }
    expect(
      (await app.post("/v1/things", { name: "a" }, {
        "Content-Type": "Application/JSON; charset=utf-8",
      })).status,
    ).toBe(200);
  });

  it("may be CSV or JSON lines for an import only", async ({ expect }) => {
    for (const type of ["text/csv", "application/x-ndjson", "application/json"]) {
      expect(
        (await app.post("/admin/v1/brands/import", "a,b", { "Content-Type": type })).status,
        type,
      ).toBe(200);
    }
    expect(
      (await app.post("/admin/v1/brands/import", "a", { "Content-Type": "text/plain" })).status,
    ).toBe(415);
    expect(
      (await app.post("/admin/v1/brands/import", "x".repeat(4_194_304), {
        "Content-Type": "text/csv",
      })).status,
    ).toBe(200);
    expect(
      (await app.post("/admin/v1/brands/import", "x".repeat(4_194_305), {
        "Content-Type": "text/csv",
      })).status,
    ).toBe(413);
  });

  it("over the limit are 413 by their declared length", async ({ expect }) => {
    expect(await (await app.post("/v1/size", "x".repeat(65_536))).json()).toEqual({
      bytes: 65_536,
    });
    const response = await app.post("/v1/size", "x".repeat(65_537));
    expect([response.status, (await json(response)).code]).toEqual([413, "payload_too_large"]);
  });

  it("over the limit are 413 without a length too, and are not read to their end", async ({ expect }) => {
    let sent = 0;
    let cancelled = false;
    const long = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1;
        controller.enqueue(new Uint8Array(16_384));
        if (sent === 50) controller.close();
      },
      cancel() {
        cancelled = true;
      },
    });
    const response = await app.fetch("/v1/size", {
      method: "POST",
      body: long,
      headers: { "Content-Type": "application/json" },
    });
    expect([response.status, (await json(response)).code]).toEqual([413, "payload_too_large"]);
    expect(sent).toBeLessThan(10);
    expect(cancelled).toBe(true);
  });

  it("within the limit arrive whole when streamed", async ({ expect }) => {
    const chunks = ['{"na', 'me":"', 'é"}'].map((text) => new TextEncoder().encode(text));
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const response = await app.fetch("/v1/things", {
      method: "POST",
      body: stream,
      headers: { "Content-Type": "application/json" },
    });
    expect(await response.json()).toEqual({ name: "é" });
  });

  it("of webhooks keep their own limit", async ({ expect }) => {
    expect(await (await app.post("/webhooks/powens/x", "x".repeat(200_000))).json()).toEqual({
      bytes: 200_000,
    });
  });
});

describe("headers", () => {
  it("number every answer with an id of its own, whatever the client sends", async ({ expect }) => {
    const ids = new Set<string | null>();
    for (const path of ["/v1/private", "/v1/nothing", "/v1/throws/error", "/v1/private"]) {
      ids.add(
        (await app.fetch(path, { headers: { "X-Request-Id": "req_mine" } })).headers.get(
          "X-Request-Id",
        ),
      );
    }
    expect(ids.size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^req_[0-9a-f-]{36}$/);
  });

  it("forbid keeping an answer unless the route says that it is public", async ({ expect }) => {
    expect((await app.fetch("/v1/private")).headers.get("Cache-Control")).toBe("private, no-store");
    const response = await app.fetch("/v1/public");
    expect([response.headers.get("Cache-Control"), response.headers.get("ETag")]).toEqual([
      "public, max-age=60",
      '"1"',
    ]);
  });

  it("harden every answer, refusals and failures too", async ({ expect }) => {
    for (const path of ["/v1/private", "/v1/nothing", "/v1/throws/error", "/openapi.json"]) {
      const { headers } = await app.fetch(path);
      expect(headers.get("Strict-Transport-Security"), path).toMatch(/max-age=\d{8}/);
      expect([
        headers.get("X-Content-Type-Options"),
        headers.get("Referrer-Policy"),
        headers.get("X-Frame-Options"),
        headers.get("Cross-Origin-Resource-Policy"),
      ], path).toEqual(["nosniff", "no-referrer", "SAMEORIGIN", "same-site"]);
      expect(headers.get("X-Powered-By")).toBeNull();
    }
  });

  it("are added to a static file, whose own cannot be changed", async ({ expect }) => {
    const response = await app.fetch("/asset");
    expect([response.status, response.headers.get("X-Content-Type-Options")]).toEqual([
      200,
      "nosniff",
    ]);
    expect(response.headers.get("X-Request-Id")).toMatch(/^req_/);
    expect(await response.text()).toContain("SwaggerUIBundle");
  });
});

describe("CORS", () => {
  const preflight = (origin: string, path = "/v1/things") =>
    app.fetch(path, {
      method: "OPTIONS",
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "idempotency-key",
      },
    });

  it("lets configured origins only read an answer", async ({ expect }) => {
    const allowed = await app.fetch("/v1/private", {
      headers: { Origin: "https://app.example.eu" },
    });
    expect(allowed.headers.get("Access-Control-Allow-Origin")).toBe("https://app.example.eu");
    expect(allowed.headers.get("Access-Control-Expose-Headers")).toContain("Idempotency-Replayed");
    for (
      const origin of [
        "https://evil.example",
        "https://app.example.eu.evil.example",
        "http://app.example.eu",
        "https://app.example.eu:8443",
        "null",
        "",
      ]
    ) {
      const refused = await app.fetch("/v1/private", { headers: { Origin: origin } });
      expect([
        refused.headers.get("Access-Control-Allow-Origin"),
        refused.headers.get("Access-Control-Allow-Credentials"),
      ], origin).toEqual([null, null]);
      expect(refused.headers.get("Vary"), origin).toContain("Origin");
      expect((await preflight(origin)).headers.get("Access-Control-Allow-Origin"), origin)
        .toBeNull();
    }
  });

  it("answers a preflight, and refusals can be read too", async ({ expect }) => {
    const response = await preflight("https://app.example.eu");
    expect([response.status, response.headers.get("Access-Control-Allow-Origin")]).toEqual([
      204,
      "https://app.example.eu",
    ]);
    expect(response.headers.get("Access-Control-Allow-Headers")).toContain("Idempotency-Key");
    const refusal = await app.fetch("/v1/nothing", {
      headers: { Origin: "https://app.example.eu" },
    });
    expect([refusal.status, refusal.headers.get("Access-Control-Allow-Origin")]).toEqual([
      404,
      "https://app.example.eu",
    ]);
  });

  it("opens nothing to operators' and webhooks' paths", async ({ expect }) => {
    for (const path of ["/admin/v1/brands/import", "/audit/v1/events", "/webhooks/powens/x"]) {
      expect(
        (await preflight("https://app.example.eu", path)).headers.get(
          "Access-Control-Allow-Origin",
        ),
        path,
      ).toBeNull();
    }
  });
});

describe("rate limits", () => {
  function counting(limit: number) {
    const seen = new Map<string, number>();
    return {
      seen,
      limiter: {
        name: "auth",
        limit,
        windowS: 60,
        allow: async (key: string) => {
          seen.set(key, (seen.get(key) ?? 0) + 1);
          return (seen.get(key) ?? 0) <= limit;
        },
      },
    };
  }

  it("answer 429 with when to come back", async ({ expect }) => {
    const { limiter } = counting(2);
    const limited = testApp(router(), { authLimiter: limiter });
    for (const status of [202, 202, 429]) {
      expect((await limited.post("/v1/auth/codes", {})).status).toBe(status);
    }
    const response = await limited.post("/v1/auth/codes", {});
    expect((await json(response)).code).toBe("rate_limited");
    expect([
      response.headers.get("Retry-After"),
      response.headers.get("RateLimit-Policy"),
      response.headers.get("RateLimit"),
    ]).toEqual(["60", '"auth";q=2;w=60', '"auth";r=0;t=60']);
    expect((await limited.fetch("/v1/private")).status).toBe(200);
  });

  it("open no new budget for a token that nobody verified", async ({ expect }) => {
    const { limiter } = counting(3);
    const limited = testApp(router(), { authLimiter: limiter });
    const statuses: number[] = [];
    for (let index = 0; index < 6; index++) {
      statuses.push(
        (await limited.post("/v1/auth/codes", {}, {
          Authorization: `Bearer ${index}`,
          "CF-Connecting-IP": "192.0.2.1",
        })).status,
      );
    }
    expect(statuses).toEqual([202, 202, 202, 429, 429, 429]);
    expect((await limited.post("/v1/auth/codes", {}, { "CF-Connecting-IP": "192.0.2.2" })).status)
      .toBe(202);
  });

  it("count a network of IPv6 as one, and pass on no address in clear", async ({ expect }) => {
    const { limiter, seen } = counting(100);
    const limited = testApp(router(), { apiLimiter: limiter });
    const call = (address: string) =>
      limited.fetch("/v1/private", { headers: { "CF-Connecting-IP": address } });
    for (
      const address of ["2001:db8:0:1::1", "2001:0DB8:0000:0001:ffff:1:2:3", "2001:db8:0:1:2::"]
    ) await call(address);
    expect(seen.size).toBe(1);
    for (const address of ["2001:db8:0:2::1", "2001:db8::1", "::1", "192.0.2.1"]) {
      await call(address);
    }
    expect(seen.size).toBe(5);
    for (const key of seen.keys()) expect(key).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("signed cursors", () => {
  const keyring = parseKeyring(JSON.stringify({ active: "a", keys: { a: "A".repeat(43) } }));
  if (keyring === null) throw new Error("keyring");
  const cursors = signedCursors(keyring);
  const cursor = cursors.seal("purchases|usr_1", "2026-11-23|pur_1");

  it("give back the position to the list and the reader they were made for", ({ expect }) => {
    expect(cursors.open("purchases|usr_1", cursor)).toBe("2026-11-23|pur_1");
    expect(cursors.open("purchases|usr_1", cursors.seal("purchases|usr_1", ""))).toBeNull();
  });

  it("refuse another user, another list, and everything forged", ({ expect }) => {
    expect(cursors.open("purchases|usr_2", cursor)).toBeNull();
    expect(cursors.open("entries|usr_1", cursor)).toBeNull();
    const [position = "", kid = "", tag = ""] = cursor.split(".");
    const other = btoa("2026-11-24|pur_1").replaceAll("=", "");
    for (
      const forged of [
        "",
        ".",
        position,
        `${position}.`,
        `${position}.${kid}`,
        `${other}.${kid}.${tag}`,
        `${position}.b.${tag}`,
        `${position}.${kid}.${tag}x`,
        `${position}.${kid}.${tag.slice(0, -1)}`,
        ` ${cursor}`,
        `${position}=.${kid}.${tag}`,
        `_-8.${kid}.${tag}`,
        "é.a.b",
      ]
    ) {
      expect(cursors.open("purchases|usr_1", forged), forged).toBeNull();
    }
    for (let index = 0; index < cursor.length; index++) {
      const changed = cursor.slice(0, index) + (cursor[index] === "A" ? "B" : "A") +
        cursor.slice(index + 1);
      expect(cursors.open("purchases|usr_1", changed), String(index)).toBeNull();
    }
  });

  it("outlive a rotation of the key", ({ expect }) => {
    const rotated = parseKeyring(
      JSON.stringify({ active: "b", keys: { a: "A".repeat(43), b: `${"B".repeat(42)}A` } }),
    );
    expect(rotated === null ? null : signedCursors(rotated).open("purchases|usr_1", cursor)).toBe(
      "2026-11-23|pur_1",
    );
  });
});

describe("surprises", () => {
  it("answer 500 and log the class and the route, nothing of the message", async ({ expect }) => {
    for (
      const [path, errorClass] of [["error", "Error"], ["text", "NotAnError"], [
        "named",
        "[redacted]",
      ]] as const
    ) {
      const { fetch, logged } = testApp(router());
      const response = await fetch(`/v1/throws/${path}`);
      const text = await response.text();
      expect([
        response.status,
        response.headers.get("Content-Type"),
        (JSON.parse(text) as ProblemBody).code,
      ], path).toEqual([500, PROBLEM, "internal"]);
      expect(text + logged.join("")).not.toMatch(/secret|dupont|example\.com|stack|\bat /);
      expect(logged.map((line) => JSON.parse(line) as unknown)).toEqual([{
        level: "alert",
        event: "request_failed",
        request_id: response.headers.get("X-Request-Id"),
        route: `/v1/throws/${path}`,
        error: errorClass,
      }]);
    }
  });

  it("of the database answer 503, from a statement, a batch and the binding itself", async ({ expect }) => {
    for (const kind of ["statement", "batch", "raw"]) {
      const { fetch, logged } = testApp(router());
      const response = await fetch(`/v1/database/${kind}`);
      const text = await response.text();
      expect([
        response.status,
        response.headers.get("Retry-After"),
        (JSON.parse(text) as ProblemBody).code,
      ], kind).toEqual([503, "5", "unavailable"]);
      expect(text + logged.join("")).not.toMatch(/dupont|missing_table|SELECT|UNIQUE|D1_ERROR/i);
      expect(logged[0]).toContain('"event":"request_unavailable"');
    }
  });
});
