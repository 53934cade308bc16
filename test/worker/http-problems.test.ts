// Problems (RFC 9457), headers of every answer, and unexpected failures that disclose nothing.
import { describe, it } from "vitest";
import { PROBLEM_DETAILS } from "../../src/texts/texts.ts";
import { problemTable } from "../../src/http/problem.ts";
import type { ProblemBody } from "../../src/http/problem.ts";
import { testApp } from "../support/http-app.ts";
import { json, probeRouter, PROBLEM } from "../support/http-probe.ts";

const app = testApp(probeRouter());

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
          detail: PROBLEM_DETAILS.in(language)(code),
          request_id: response.headers.get("X-Request-Id"),
        });
      }
      expect(fr).not.toBe(en);
      const details = PROBLEM_DETAILS.both(code);
      expect(details.fr).not.toBe(details.en);
      expect([details.fr, details.en]).not.toContain(fr);
      expect([details.fr, details.en]).not.toContain(en);
    }
  });

  it("say how long to wait wherever a header does, rounded up", async ({ expect }) => {
    for (
      const [seconds, fr, en] of [
        [1, "1 seconde", "1 second"],
        [119, "119 secondes", "119 seconds"],
        [121, "3 minutes", "3 minutes"],
        [7_199, "120 minutes", "120 minutes"],
        [7_201, "3 heures", "3 hours"],
      ] as const
    ) {
      for (const [language, wait] of [["fr", fr], ["en", en]] as const) {
        const response = await app.fetch(`/v1/waits/${seconds}`, {
          headers: { "Accept-Language": language },
        });
        expect((await json(response)).detail).toBe(
          `${PROBLEM_DETAILS.in(language)("rate_limited")} ${
            language === "fr" ? "Réessayez dans" : "Try again in"
          } ${wait}.`,
        );
      }
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

  it("answer 405 with Allow where the path is known and the method is not", async ({ expect }) => {
    for (
      const [method, path, allow] of [
        ["DELETE", "/v1/things", "GET, HEAD, POST"],
        ["PUT", "/v1/private", "GET, HEAD"],
        ["PATCH", "/v1/problems/anything", "GET, HEAD"],
        ["GET", "/v1/size", "POST"],
      ] as const
    ) {
      const response = await app.fetch(path, { method });
      expect([response.status, response.headers.get("Allow")], `${method} ${path}`).toEqual([
        405,
        allow,
      ]);
      expect((await json(response)).code).toBe("method_not_allowed");
    }
  });

  it("answer a path that is not there", async ({ expect }) => {
    for (
      const [method, path] of [
        ["GET", "/v1/nothing"],
        ["DELETE", "/v1/things/1"],
        ["PUT", "/v1/privates"],
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

describe("unexpected failures", () => {
  it("answer 500 and log the class and the route, nothing of the message", async ({ expect }) => {
    for (
      const [path, errorClass] of [["error", "Error"], ["text", "NotAnError"], [
        "named",
        "Error",
      ]] as const
    ) {
      const { fetch, logged } = testApp(probeRouter());
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
      const { fetch, logged } = testApp(probeRouter());
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
