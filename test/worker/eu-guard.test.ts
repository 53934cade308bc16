// The whole Worker under production's settings: without the EU it answers one fixed body, opens no
// object and says only names.
import { createScheduledController, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { compositionFor } from "../../src/platform/cloudflare/composition.ts";
import type { Environment } from "../../src/platform/cloudflare/environment.ts";
import { Steward } from "../../src/platform/cloudflare/steward-object.ts";
import worker from "../../src/worker.ts";

const local = env as unknown as Environment;

// Takes the place of Cloudflare's namespaces, which know jurisdictions; workerd's do not.
function namespaces() {
  const opened: string[] = [];
  const namespace = (name: string, jurisdiction: string): unknown => ({
    jurisdiction: (wanted: string) => namespace(name, wanted),
    getByName: (object: string) => {
      opened.push(`${name} ${jurisdiction} ${object}`);
      return { ping: async () => "pong", sweep: async () => {} };
    },
  });
  return {
    opened,
    bindings: {
      LEDGER: namespace("LEDGER", "none"),
      OFFER_BUDGET: namespace("OFFER_BUDGET", "none"),
      STEWARD: namespace("STEWARD", "none"),
    },
  };
}

function production(
  changes: Record<string, unknown> = {},
): { environment: Environment; opened: string[] } {
  const { opened, bindings } = namespaces();
  const settings = {
    ...local,
    ...bindings,
    ENVIRONMENT: "production",
    JURISDICTION: "eu",
    PUBLIC_URL: "https://api.example.eu",
    REDIRECT_URIS: "https://app.example.eu/bank",
    CORS_ORIGINS: "https://app.example.eu",
    POWENS_API_URL: "https://cagnotte.biapi.pro",
    POWENS_WEBVIEW_URL: "https://webview.powens.com",
    WEBAUTHN_ORIGINS: "https://app.example.eu",
    ACCESS_TEAM_DOMAIN: "https://acme.cloudflareaccess.com",
    EMAIL_DELIVERY_URL: "https://mail.example.eu/send",
  };
  return { environment: { ...settings, ...changes } as unknown as Environment, opened };
}

const request = (): Request<unknown, IncomingRequestCfProperties> =>
  new Request("https://api.example.eu/v1/nothing") as Request<unknown, IncomingRequestCfProperties>;
const handle = async (environment: Environment): Promise<Response> =>
  worker.fetch(request(), environment);
const wake = async (environment: Environment): Promise<void> =>
  worker.scheduled(createScheduledController(), environment);
const FIXED = {
  type: "about:blank",
  title: "Internal error",
  status: 500,
  code: "internal",
  detail: "Internal error",
  request_id: "",
};

const lines: string[] = [];
beforeEach(() => {
  lines.length = 0;
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("production", () => {
  it("runs with its EU settings, opening objects in the EU only", async ({ expect }) => {
    const { environment, opened } = production();
    expect((await handle(environment)).status).toBe(404);
    await wake(environment);
    expect(opened).toEqual(["STEWARD eu steward"]);
  });

  it("answers one fixed body and opens no object without the EU jurisdiction", async ({ expect }) => {
    for (
      const changes of [
        { JURISDICTION: "" },
        { JURISDICTION: undefined },
        { JURISDICTION: "us" },
        { ENVIRONMENT: undefined },
        { ENVIRONMENT: "staging" },
        { LOCAL_CLOCK: { fetch: async () => Response.json({ now_ms: 0 }) } },
        { PUBLIC_URL: "http://api.example.eu" },
        { ENCRYPTION_KEYRING: undefined },
      ]
    ) {
      const { environment, opened } = production(changes);
      const response = await handle(environment);
      expect([
        response.status,
        response.headers.get("Content-Type"),
        response.headers.get("Cache-Control"),
        await response.json(),
      ], JSON.stringify(changes)).toEqual([500, "application/problem+json", "no-store", FIXED]);
      await wake(environment);
      expect(opened, JSON.stringify(changes)).toEqual([]);
    }
  });

  it("refuses the movable clock: whoever moved it could mature points", async ({ expect }) => {
    const asked = vi.fn(async () => Response.json({ now_ms: 0 }));
    const { environment } = production({ LOCAL_CLOCK: { fetch: asked } });
    expect(await compositionFor(environment)).toEqual({
      ok: false,
      error: { code: "config_invalid", fields: ["LOCAL_CLOCK"] },
    });
    expect(asked).not.toHaveBeenCalled();
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{
      level: "alert",
      event: "config_invalid",
      field: "LOCAL_CLOCK",
    }]);
  });

  it("logs each wrong setting by its name, once per isolate, and no value", async ({ expect }) => {
    const { environment } = production({
      JURISDICTION: "",
      INDEX_KEYRING: "planted-7f3a9",
      EMAIL_DELIVERY_TOKEN: "7f3a9",
      POWENS_CLIENT_ID: "planted-7f3a9",
      MINIMUM_AGE: "7f3a9",
    });
    await handle(environment);
    await handle(environment);
    expect(lines.map((line) => (JSON.parse(line) as { field: string }).field)).toEqual([
      "EMAIL_DELIVERY_TOKEN",
      "INDEX_KEYRING",
      "MINIMUM_AGE",
      "POWENS_CLIENT_ID",
    ]);
    expect(lines.join("")).not.toContain("7f3a9");
  });

  it("does not move the clock over HTTP", async ({ expect }) => {
    const { environment } = production();
    const response = await worker.fetch(
      new Request("https://api.example.eu/__local/clock", {
        method: "POST",
        body: '{"advance":"P30D"}',
        headers: { "Content-Type": "application/json" },
      }) as ReturnType<typeof request>,
      environment,
    );
    expect(response.status).toBe(404);
  });
});

describe("the local system", () => {
  it("moves its clock in steps of a day, and refuses what is no bounded duration", async ({ expect }) => {
    let offsetMs = 0;
    const steps: number[] = [];
    const clock = {
      fetch: async (_url: string, init?: { method: string; body: string }) => {
        if (init?.method === "POST") {
          const { ms } = JSON.parse(init.body) as { ms: number };
          steps.push(ms);
          offsetMs += ms;
        }
        return Response.json({ now_ms: Date.now() + offsetMs });
      },
    };
    const environment = { ...local, LOCAL_CLOCK: clock } as unknown as Environment;
    const move = (advance: unknown): Promise<Response> =>
      Promise.resolve(
        worker.fetch(
          new Request("http://edge/__local/clock", {
            method: "POST",
            body: JSON.stringify({ advance }),
            headers: { "Content-Type": "application/json" },
          }) as ReturnType<typeof request>,
          environment,
        ),
      );
    const before = Date.now();
    const moved = await (await move("P2DT12H")).json<{ now: string }>();
    expect(steps).toEqual([86_400_000, 86_400_000, 43_200_000]);
    expect(Math.abs(Date.parse(moved.now) - before - 216_000_000)).toBeLessThan(60_000);
    for (const wrong of ["P1M", "-P1D", "", "P3661D", 5, "P1W".repeat(20)]) {
      expect((await move(wrong)).status, String(wrong)).toBe(422);
    }
    expect(steps).toHaveLength(3);
  });
});

describe("an object", () => {
  it("does not start in production outside the EU", async ({ expect }) => {
    const stub = local.STEWARD.getByName("guarded");
    await runInDurableObject(stub, (_instance, state) => {
      expect(() => new Steward(state, production().environment)).toThrow(
        "not in the configured jurisdiction",
      );
      expect(() => new Steward(state, production({ JURISDICTION: "" }).environment)).toThrow(
        "must be eu",
      );
      expect(() => new Steward(state, local)).not.toThrow();
    });
  });
});

describe("a failure of the periodic work", () => {
  const failing = (): never => {
    throw new Error("planted: SELECT * FROM users WHERE email = 'jean.dupont@example.com'");
  };

  it("leaves `scheduled` with its class only: the platform would print its message", async ({ expect }) => {
    const { environment } = production();
    const broken = {
      ...environment,
      STEWARD: { jurisdiction: () => ({ getByName: () => ({ sweep: async () => failing() }) }) },
    } as unknown as Environment;
    await wake(broken);
    expect(lines).toEqual(['{"level":"alert","event":"sweep_failed","error":"Error"}']);
  });

  it("ends in the caretaker in the same way", async ({ expect }) => {
    const stub = local.STEWARD.getByName("steward-of-a-broken-database");
    await runInDurableObject(stub, async (steward: Steward) => {
      const broken = { ...local, DB: { prepare: failing, batch: failing } };
      Object.defineProperty(steward, "env", { value: broken });
      await steward.sweep();
    });
    expect(lines.filter((line) => line.includes("sweep_failed"))).toHaveLength(1);
    expect(lines.join()).not.toContain("planted");
  });
});
