// Which tokens open what needs a step-up.
import { OpenAPIHono } from "@hono/zod-openapi";
import { describe, expect, it } from "vitest";
import { requireStepUp } from "../../../src/http/authentication.ts";
import type { AppEnv, UserPrincipal } from "../../../src/http/context.ts";
import { ok } from "../../../src/kernel/result.ts";

const NOW_S = 1_795_000_000;

async function answer(principal: Partial<UserPrincipal>, mayAct = true): Promise<number> {
  const tokens = {
    verify: async () =>
      ok({
        userId: "usr_1" as const,
        sessionId: "ses_1" as const,
        authTimeS: NOW_S,
        amr: ["otp"],
        issuedAtS: NOW_S,
        stepUpAtS: null,
        ...principal,
      }),
    mayAct: async () => mayAct,
  };
  const app = new OpenAPIHono<AppEnv>();
  app.get("/", requireStepUp(tokens, { nowMs: () => NOW_S * 1000 }), (c) => c.text("open"));
  return (await app.request("/", { headers: { Authorization: "Bearer t" } })).status;
}

describe("requireStepUp()", () => {
  it("opens for five minutes after a step-up", async () => {
    expect(await answer({ stepUpAtS: NOW_S })).toBe(200);
    expect(await answer({ stepUpAtS: NOW_S - 300 })).toBe(200);
    expect(await answer({ stepUpAtS: NOW_S - 301 })).toBe(403);
  });

  it("refuses a fresh sign-in and the tokens of outside issuers, which have no step-up", async () => {
    expect(await answer({ authTimeS: NOW_S })).toBe(403);
    expect(await answer({ sessionId: null, authTimeS: NOW_S, amr: ["hwk", "mfa"] })).toBe(403);
  });

  it("reads the session also where nothing is changed", async () => {
    expect(await answer({ stepUpAtS: NOW_S }, false)).toBe(401);
  });
});
