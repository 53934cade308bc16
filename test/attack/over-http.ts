// The real edge, on workerd or on Deno, as a process of its own over HTTP.
import { readFile } from "node:fs/promises";
import { call, fillWebview } from "../../src/local/api-client.ts";
import { openLocalClock } from "../../src/local/data-folder.ts";
import { signAccessToken } from "../../src/local/sandbox/access-token.ts";
import { openBlackBox } from "../support/blackbox.ts";
import { exchange } from "./world.ts";
import type { World } from "./world.ts";

/** Starts a system of its own; the runtime is that of `EDGE_RUNTIME`. */
export async function openOverHttp(): Promise<World> {
  const box = await openBlackBox();
  return {
    name: process.env["EDGE_RUNTIME"] === "deno" ? "Deno" : "workerd",
    send: (method, path, sent = {}) =>
      exchange((request) => fetch(request), box.edgeUrl, method, path, sent),
    codeFor: async (email) => {
      const { body } = await call<{ data: { code: string | null }[] }>(
        "GET",
        `${box.sandboxUrl}/mailbox?to=${encodeURIComponent(email)}`,
      );
      return body.data.find(({ code }) => code !== null)?.code ?? "";
    },
    operator: (role, subject = "alice") => box.operator(role, subject),
    operatorElsewhere: async () =>
      signAccessToken({
        privateJwk: JSON.parse(box.secrets.ACCESS_SIGNING_KEY),
        audience: "another-application",
        issuer: box.sandboxUrl,
        subject: "alice@owner.local",
        nowMs: (await openLocalClock(box.dataDir)).nowMs(),
      }),
    webhookSecret: box.secrets.POWENS_WEBHOOK_SECRET,
    redirectUri: `${box.sandboxUrl}/done`,
    throughBank: async (authorizationUrl) =>
      Object.fromEntries((await fillWebview(authorizationUrl)).searchParams),
    advance: async (ms) => {
      await (await openLocalClock(box.dataDir)).advance(ms);
    },
    alerts: async (code) =>
      (await readFile(box.logFile, "utf8")).split("\n").filter((line) =>
        line.includes('"alert"') && line.includes(`"${code}"`)
      ).length,
    dispose: () => box.dispose(),
  };
}
