// Who may call how often: CORS and rate limits.
import { describe, it } from "vitest";
import { testApp } from "../support/http-app.ts";
import { json, probeRouter } from "../support/http-probe.ts";

const app = testApp(probeRouter());

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
    const limited = testApp(probeRouter(), { authLimiter: limiter });
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
    const limited = testApp(probeRouter(), { authLimiter: limiter });
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
    const limited = testApp(probeRouter(), { apiLimiter: limiter });
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
