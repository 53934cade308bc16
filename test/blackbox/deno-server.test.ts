// The Deno process as an operator runs it: one per folder, ended by a signal, killed, confined,
// refusing bad settings by name only.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import type { Server } from "node:http";
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
  reachedBy,
  spawnDenoEdge,
  untilUp,
} from "../../src/local/deno-edge.ts";
import type { LocalOptions } from "../../src/local/system.ts";
import { freePort } from "../../src/local/free-port.ts";

let options: LocalOptions;
let running: ChildProcess[] = [];
let aggregator: Server;
beforeEach(async () => {
  options = {
    port: await freePort(),
    sandboxPort: await freePort(),
    dataDir: await mkdtemp(join(tmpdir(), "cagnotte-deno-server-")),
  };
  // Somebody who answers where the settings say that the aggregator is.
  aggregator = createServer((_request, response) => response.end("{}"));
  await new Promise<void>((done) => aggregator.listen(options.sandboxPort, "127.0.0.1", done));
});
afterEach(async () => {
  for (const child of running) await endProcess(child, 1);
  running = [];
  aggregator.close();
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
      TRUSTED_PROXIES: "127.0.0.1",
      JURISDICTION: "eu",
      PUBLIC_URL: https,
      REDIRECT_URIS: https,
      CORS_ORIGINS: https,
      // Nobody speaks TLS there.
      POWENS_API_URL: `https://127.0.0.1:${options.sandboxPort}`,
      POWENS_WEBVIEW_URL: "https://webview.powens.com",
      WEBAUTHN_ORIGINS: https,
      ACCESS_TEAM_DOMAIN: https,
      EMAIL_DELIVERY_URL: https,
    };
    const { url } = await start({ settings });
    expect((await fetch(`${url}/__local/clock`)).status).toBe(404);
    const answer: unknown = await (await fetch(`${url}/readyz`)).json();
    const ready = answer as { errors: { code: string }[] };
    expect(ready.errors.map(({ code }) => code)).toEqual(["aggregator_unanswered"]);
    expect(await log()).toContain(
      `"event":"outgoing_call_failed","host":"127.0.0.1:${options.sandboxPort}","error":"TypeError"`,
    );
    const unfilled = await spawnDenoEdge({
      ...options,
      port: await freePort(),
      settings: { ...settings, POWENS_CLIENT_ID: "00000000", ACCESS_AUDIENCE: "set-me" },
    });
    running.push(unfilled);
    expect(await new Promise((done) => unfilled.once("exit", done))).toBe(1);
    expect(await log()).toContain(
      "cagnotte does not start: settings that are still placeholders: ACCESS_AUDIENCE, POWENS_CLIENT_ID\n",
    );
  });

  it("says in one sentence that its port is taken or its folder unusable, without a stack", async ({ expect }) => {
    const file = join(options.dataDir, "file");
    await writeFile(file, "");
    const env = await denoEnvironment(options);
    const said = (
      over: Readonly<Record<string, string>>,
      dataDir = denoDataDir(options.dataDir),
    ) => {
      const { status, stderr } = spawnSync(DENO, [
        "run",
        ...denoPermissions({ dataDir, net: ["127.0.0.1"] }),
        "src/deno.ts",
      ], { env: { ...env, ...over }, encoding: "utf8" });
      return [status, stderr];
    };
    const sentence = (text: string): string => `cagnotte does not start: ${text}\n`;
    expect(said({ PORT: String(options.sandboxPort) })).toEqual([
      1,
      sentence(
        `port ${options.sandboxPort} of 127.0.0.1 is taken; choose another with PORT=`,
      ),
    ]);
    expect(said({ PORT: "70000" })).toEqual([
      1,
      sentence("the setting PORT is not a port, a whole number from 1 to 65535"),
    ]);
    expect(said({ DATA_DIR: file }, file)).toEqual([
      1,
      sentence(`the data folder ${file} is not a folder; choose another with DATA_DIR=`),
    ]);
    expect(said({ DATA_DIR: join(options.dataDir, "elsewhere") })).toEqual([
      1,
      sentence(
        `the data folder ${
          join(options.dataDir, "elsewhere")
        } is not open to this process (--allow-read, --allow-write); choose another with DATA_DIR=`,
      ),
    ]);
  });

  it("may call the addresses that its settings name, and logs the host of a call that fails", async ({ expect }) => {
    const elsewhere = await freePort();
    const env = {
      ...await denoEnvironment(options),
      POWENS_API_URL: `http://localhost:${elsewhere}/2.0`,
      AUTH_TRUSTED_ISSUERS: JSON.stringify([
        { issuer: "a", jwks_uri: "https://id.example/jwks", audience: "b" },
      ]),
    };
    expect(reachedBy(env)).toEqual([
      `127.0.0.1:${options.port}`,
      `localhost:${elsewhere}`,
      `127.0.0.1:${options.sandboxPort}`,
      "id.example:443",
    ]);
    const { url } = await start({ settings: { POWENS_API_URL: env.POWENS_API_URL } });
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect(await log()).toContain(`"host":"localhost:${elsewhere}","error":"TypeError"`);
    const stranger = createServer((_request, response) => response.end("{}"));
    await new Promise<void>((done) => stranger.listen(elsewhere, "localhost", done));
    await new Promise((done) => setTimeout(done, 1100));
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    stranger.close();
  });

  it("names the class of a call that its permissions forbid", async ({ expect }) => {
    const child = spawn(DENO, [
      "run",
      ...denoPermissions({
        dataDir: denoDataDir(options.dataDir),
        net: [`127.0.0.1:${options.port}`],
      }),
      "src/deno.ts",
    ], { stdio: ["ignore", "pipe", "ignore"], env: await denoEnvironment(options) });
    running.push(child);
    let said = "";
    child.stdout.on("data", (text: Buffer) => void (said += text.toString()));
    const url = `http://127.0.0.1:${options.port}`;
    await untilUp(url, child);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect(said).toContain(`"host":"127.0.0.1:${options.sandboxPort}","error":"NotCapable"`);
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
      net: reachedBy({ ...env, PORT: String(options.port) }),
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
