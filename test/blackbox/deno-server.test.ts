// The Deno process as an operator runs it: one per folder, ended by a signal, killed, confined,
// refusing bad settings by name only.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, it } from "vitest";
import {
  DENO,
  denoDataDir,
  denoEnvironment,
  denoPermissions,
  endProcess,
  spawnDenoEdge,
  untilUp,
} from "../../src/local/deno-edge.ts";
import type { LocalOptions } from "../../src/local/system.ts";
import { freePort } from "../../src/local/free-port.ts";

let options: LocalOptions;
let running: ChildProcess[] = [];
beforeEach(async () => {
  options = {
    port: await freePort(),
    sandboxPort: await freePort(),
    dataDir: await mkdtemp(join(tmpdir(), "cagnotte-deno-server-")),
  };
});
afterEach(async () => {
  for (const child of running) await endProcess(child, 1);
  running = [];
  await rm(options.dataDir, { recursive: true, force: true });
});

async function start(
  more: Partial<LocalOptions> = {},
): Promise<{ child: ChildProcess; url: string }> {
  const child = await spawnDenoEdge({ ...options, ...more });
  running.push(child);
  const url = `http://127.0.0.1:${more.port ?? options.port}`;
  await untilUp(url, child);
  return { child, url };
}

const log = (): Promise<string> => readFile(join(options.dataDir, "edge.log"), "utf8");

describe("the Deno server", () => {
  it("is refused a folder that another process has, with a message that says so, and gets it after a SIGKILL", async ({ expect }) => {
    const first = await start();
    const second = await spawnDenoEdge({ ...options, port: await freePort() });
    running.push(second);
    expect(await new Promise((done) => second.once("exit", done))).toBe(1);
    expect(await log()).toContain(
      `another process works on the data folder ${denoDataDir(options.dataDir)}`,
    );
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    const gone = new Promise((done) => first.child.once("exit", done));
    first.child.kill("SIGKILL");
    await gone;
    expect((await fetch(`${(await start()).url}/readyz`)).status).toBe(200);
  });

  it("ends by SIGTERM with everything written into its files, and by itself", async ({ expect }) => {
    const { child } = await start();
    expect(await endProcess(child)).toBe(0);
    const left =
      spawnSync("find", [denoDataDir(options.dataDir), "-name", "*-wal"], { encoding: "utf8" })
        .stdout;
    expect(left).toBe("");
  });

  it("serves the API's description and its pages", async ({ expect }) => {
    const { url } = await start();
    expect((await fetch(`${url}/docs`)).headers.get("Content-Type")).toContain("text/html");
    expect(await (await fetch(`${url}/openapi.json`)).json()).toMatchObject({ openapi: "3.1.0" });
  });

  it("names wrong settings and never their values", async ({ expect }) => {
    const child = await spawnDenoEdge({
      ...options,
      settings: { ENCRYPTION_KEYRING: "planted-secret", POWENS_API_URL: "planted-address" },
    });
    running.push(child);
    expect(await new Promise((done) => child.once("exit", done))).toBe(1);
    const text = await log();
    expect(text).toContain("ENCRYPTION_KEYRING, POWENS_API_URL");
    expect(text).not.toContain("planted");
  });

  it("in production has no movable clock, whatever lies in the folder", async ({ expect }) => {
    await mkdir(denoDataDir(options.dataDir));
    await writeFile(
      join(denoDataDir(options.dataDir), "clock.json"),
      JSON.stringify({ offset_ms: 86_400_000 * 400 }),
    );
    const https = "https://example.eu";
    const settings = {
      ENVIRONMENT: "production",
      JURISDICTION: "eu",
      PUBLIC_URL: https,
      REDIRECT_URIS: https,
      CORS_ORIGINS: https,
      POWENS_API_URL: https,
      POWENS_WEBVIEW_URL: https,
      WEBAUTHN_ORIGINS: https,
      ACCESS_TEAM_DOMAIN: https,
      EMAIL_DELIVERY_URL: https,
    };
    const { url } = await start({ settings });
    expect((await fetch(`${url}/__local/clock`)).status).toBe(404);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
      status: "ok",
      database_region: "eu-declared",
    });
  });

  it("limits by the connection's address and believes no header of the client's", async ({ expect }) => {
    const env = { ...(await denoEnvironment(options)), RATE_AUTH: "2" };
    const child = spawn(DENO, [
      "run",
      ...denoPermissions({
        dataDir: denoDataDir(options.dataDir),
        net: [`127.0.0.1:${options.port}`],
      }),
      "src/deno.ts",
    ], { stdio: "ignore", env });
    running.push(child);
    const url = `http://127.0.0.1:${options.port}`;
    await untilUp(url, child);
    const statuses = [];
    for (let index = 0; index < 3; index++) {
      const headers = {
        "CF-Connecting-IP": `198.51.100.${index}`,
        "X-Forwarded-For": `198.51.100.${index}`,
        "Content-Type": "application/json",
      };
      statuses.push(
        (await fetch(`${url}/v1/auth/sessions`, { method: "POST", headers, body: "{}" })).status,
      );
    }
    expect(statuses).toEqual([422, 422, 429]);
  });

  it("runs under deno serve as well", async ({ expect }) => {
    const { PORT: _theirs, ...env } = await denoEnvironment(options);
    const permissions = denoPermissions({
      dataDir: denoDataDir(options.dataDir),
      net: [`127.0.0.1:${options.port}`],
    });
    const child = spawn(DENO, [
      "serve",
      ...permissions,
      "--host",
      "127.0.0.1",
      "--port",
      String(options.port),
      "src/deno.ts",
    ], { stdio: "ignore", env, cwd: resolve(".") });
    running.push(child);
    const url = `http://127.0.0.1:${options.port}`;
    await untilUp(url, child);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await endProcess(child)).toBe(0);
  });
});
