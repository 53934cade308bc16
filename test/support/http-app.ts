// A small application over createApp for the tests of what every route shares: real middleware,
// real D1, routers of the test.
import { env } from "cloudflare:workers";
import { createApp } from "../../src/app.ts";
import type { AppServices } from "../../src/app.ts";
import { isDatabaseFailure, openDatabase } from "../../src/db/database.ts";
import type { createRouter } from "../../src/http/router.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { anyOperator, inbound } from "./inbound.ts";

export const binding = (env as unknown as { DB: D1Database }).DB;
export const db = openDatabase(binding);

export type TestApp = {
  /** Lines that the application logged. */
  readonly logged: string[];
  readonly clock: { nowMs: () => number; advance: (ms: number) => void };
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  readonly post: (
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ) => Promise<Response>;
};

export function movableClock(): TestApp["clock"] {
  let offsetMs = 0;
  return { nowMs: () => Date.now() + offsetMs, advance: (ms) => void (offsetMs += ms) };
}

const open = (name: string) => ({ name, limit: 600, windowS: 60, allow: async () => true });

export function testApp(
  router: ReturnType<typeof createRouter>,
  options: Partial<AppServices> & { clock?: TestApp["clock"] } = {},
): TestApp {
  const logged: string[] = [];
  const clock = options.clock ?? movableClock();
  const app = createApp({
    random: systemRandomBytes,
    log: jsonLog((line) => logged.push(line)),
    corsOrigins: ["https://app.example.eu"],
    apiLimiter: open("api"),
    authLimiter: open("auth"),
    ...inbound(clock),
    operatorTokens: anyOperator,
    routers: [{ path: "/", router }],
    isUnavailable: isDatabaseFailure,
    ...options,
    clock,
  });
  const fetch = async (path: string, init?: RequestInit): Promise<Response> =>
    app.fetch(new Request(`http://edge${path}`, init));
  return {
    logged,
    clock,
    fetch,
    post: (path, body, headers = {}) =>
      fetch(path, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "Content-Type": "application/json", ...headers },
      }),
  };
}
