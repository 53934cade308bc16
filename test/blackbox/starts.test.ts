// `npm start` and `npm run start:deno` as people type them: what goes wrong is one sentence, and
// what ends leaves nothing behind.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, it } from "vitest";
import { freePort } from "../../src/local/free-port.ts";
import { buildBundles } from "../../src/local/system.ts";
import { lockDataFolder } from "../../src/platform/deno/lock.ts";

const NODE = resolve("node_modules/.bin/node");
const UP_MS = 60_000;
/** For a test of several starts, each of which may take its time on a busy machine. */
const STARTS_MS = 3 * UP_MS;
type Environment = Record<string, string>;

let dataDir = "";
let env: Environment = {};
let running: ChildProcess[] = [];
beforeAll(async () => buildBundles());
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "cagnotte-starts-"));
  env = {
    PATH: `${resolve("node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
    HOME: process.env["HOME"] ?? "/",
    DATA_DIR: dataDir,
    PORT: String(await freePort()),
    SANDBOX_PORT: String(await freePort()),
  };
});
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  running = [];
  await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

const edgeUrl = (): string => `http://127.0.0.1:${env["PORT"]}`;

/** Starts and waits for the line that says that all is ready. */
async function startUntil(
  line: string,
  args: readonly string[],
  over: Environment = {},
  command = NODE,
): Promise<{ child: ChildProcess; said: () => string }> {
  const child = spawn(command, args, { env: { ...env, ...over } });
  running.push(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text: Buffer) => void (said += text.toString()));
  }
  for (const endsAt = Date.now() + UP_MS; !said.includes(line);) {
    if (Date.now() > endsAt || child.exitCode !== null) throw new Error(`no "${line}" in: ${said}`);
    await new Promise((done) => setTimeout(done, 50));
  }
  return { child, said: () => said };
}

/** A start that is refused: exit code and everything it said. */
function refusal(
  over: Environment,
  args: readonly string[] = [],
): readonly [number | null, string] {
  const { status, stdout, stderr } = spawnSync(NODE, ["src/local/start.ts", ...args], {
    env: { ...env, ...over },
    encoding: "utf8",
    timeout: UP_MS,
  });
  return [status, stdout + stderr];
}

const sentence = (text: string): readonly [number, string] => [
  1,
  `cagnotte does not start: ${text}\n`,
];

async function untilClosed(url: string): Promise<boolean> {
  for (const endsAt = Date.now() + 20_000; Date.now() < endsAt;) {
    if (await fetch(url).then(() => false, () => true)) return true;
    await new Promise((done) => setTimeout(done, 100));
  }
  return false;
}

describe("a start that cannot work says why in one sentence", () => {
  it("when a port is none, or the two are one", ({ expect }) => {
    for (const port of ["", "0", "80.5", "65536"]) {
      expect(refusal({ PORT: port })).toEqual(
        sentence("PORT is not a port, a whole number from 1 to 65535"),
      );
    }
    expect(refusal({ SANDBOX_PORT: "x" })).toEqual(
      sentence("SANDBOX_PORT is not a port, a whole number from 1 to 65535"),
    );
    expect(refusal({ PORT: "8999", SANDBOX_PORT: "8999" })).toEqual(
      sentence("PORT and SANDBOX_PORT are both 8999; the two need a port each"),
    );
  });

  it("when a port is taken, on both editions", async ({ expect }) => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const address = other.address();
    const taken = String(typeof address === "object" ? address?.port : "");
    for (const args of [[], ["--deno"]]) {
      expect(refusal({ PORT: taken }, args)).toEqual(
        sentence(`port ${taken} is taken; choose another with PORT=`),
      );
    }
    expect(refusal({ SANDBOX_PORT: taken })).toEqual(
      sentence(`port ${taken} is taken; choose another with SANDBOX_PORT=`),
    );
    other.close();
  });

  it("when the data folder is no folder, or nothing can be written there", async ({ expect }) => {
    const file = join(dataDir, "file");
    await writeFile(file, "");
    const why = (folder: string, reason: string) =>
      sentence(`the data folder ${folder} ${reason}; choose another with DATA_DIR=`);
    expect(refusal({ DATA_DIR: file })).toEqual(why(file, "is not a folder"));
    expect(refusal({ DATA_DIR: `${file}/below` })).toEqual(why(`${file}/below`, "is not a folder"));
    expect(refusal({ DATA_DIR: "/proc/cagnotte" }, ["--deno"])).toEqual(
      why("/proc/cagnotte", "cannot be made there"),
    );
    expect(refusal({ DATA_DIR: "/proc/cagnotte" })).toEqual(
      why("/proc/cagnotte", "cannot be made there"),
    );
  });

  it("when another process has the folder", ({ expect }) => {
    const lock = lockDataFolder(join(dataDir, "sandbox"));
    for (const args of [[], ["--deno"]]) {
      const [status, said] = refusal({}, args);
      expect([status, said.split(";")[0], said.trim().split("\n").length]).toEqual([
        1,
        `cagnotte does not start: another process works on the data folder ${dataDir}`,
        1,
      ]);
    }
    expect(lock.ok).toBe(true);
    if (lock.ok) lock.value.release();
  });

  it("when a setting is malformed, unsafe, or still a placeholder", ({ expect }) => {
    expect(refusal({ POWENS_API_URL: "planted", POINTS_PER_EURO: "planted" })).toEqual(
      sentence("missing or malformed settings: POINTS_PER_EURO, POWENS_API_URL"),
    );
    const https = "https://cagnotte.fr";
    const production = {
      ENVIRONMENT: "production",
      JURISDICTION: "eu",
      PUBLIC_URL: https,
      REDIRECT_URIS: https,
      CORS_ORIGINS: https,
      POWENS_API_URL: "https://example.biapi.pro/2.0",
      POWENS_WEBVIEW_URL: "https://webview.powens.com",
      POWENS_DOMAIN: "example.biapi.pro",
      WEBAUTHN_ORIGINS: https,
      ACCESS_TEAM_DOMAIN: https,
      EMAIL_DELIVERY_URL: https,
    };
    for (const args of [[], ["--deno"]]) {
      expect(refusal(production, args)).toEqual(
        sentence("settings that are still placeholders: POWENS_API_URL, POWENS_DOMAIN"),
      );
    }
    const filled = { POWENS_API_URL: "https://acme.biapi.pro", POWENS_DOMAIN: "acme.biapi.pro" };
    expect(refusal({ ...production, ...filled })).toEqual(
      sentence(
        "this is the local system, with a movable clock; ENVIRONMENT=production is for a deployment",
      ),
    );
  });
});

describe.each([["workerd", []], ["Deno", ["--deno"]]] as const)("a start on %s", (_name, args) => {
  const start = ["src/local/start.ts", ...args];
  it(
    "is healthy only when all is served, plays its story once per folder, and is refused twice",
    async ({ expect }) => {
      const seen = new Set<string>();
      const status = (path: string): Promise<number> =>
        fetch(`${edgeUrl()}${path}`).then((answer) => answer.status, () => 0);
      const over = new AbortController();
      const watching = (async () => {
        while (!over.signal.aborted) {
          const health = await status("/healthz");
          const others = await Promise.all(["/openapi.json", "/v1/brands", "/"].map(status));
          if (health === 200) seen.add(others.join());
          else seen.add(others[0] === 503 ? "document unavailable" : "closed");
          await new Promise((done) => setTimeout(done, 20));
        }
      })();
      const first = await startUntil("open http", start);
      over.abort();
      await watching;
      expect([...seen].sort()).toEqual(["200,200,200", "closed"]);
      expect(first.said()).toContain("9. See the points");

      const second = refusal({
        PORT: String(await freePort()),
        SANDBOX_PORT: String(await freePort()),
      }, args);
      expect([second[0], second[1].split(";")[0]]).toEqual([
        1,
        `cagnotte does not start: another process works on the data folder ${dataDir}`,
      ]);

      const page = await fetch(edgeUrl(), { headers: { "Accept-Language": "en" } });
      expect(await page.text()).toContain('<html lang="en">');
      const style = await fetch(`${edgeUrl()}/landing.css`);
      expect([style.status, style.headers.get("Content-Type")?.split(";")[0]]).toEqual([
        200,
        "text/css",
      ]);
      expect((await fetch(`${edgeUrl()}/readyz`)).status).toBe(200);

      const gone = new Promise((done) => first.child.once("exit", done));
      first.child.kill("SIGTERM");
      expect(await gone).toBe(0);
      const again = await startUntil("open http", start);
      expect(again.said()).toMatch(/the story was played here before, by demo-\w+@example\.org/);
      expect(again.said()).not.toContain("See the points");
      expect(again.said().match(/^ready in/gm)).toHaveLength(1);
    },
    STARTS_MS,
  );

  it(
    "leaves nothing behind when npm is killed, when it is ended while it starts, and when it is killed",
    async ({ expect }) => {
      const closed = async (): Promise<boolean> =>
        (await untilClosed(edgeUrl())) &&
        (await untilClosed(`http://127.0.0.1:${env["SANDBOX_PORT"]}`));
      const script = args.length === 0 ? "start" : "start:deno";
      const npm = await startUntil("ready in", ["run", "-s", script], { STORY: "0" }, "npm");
      npm.child.kill("SIGKILL");
      expect(await closed()).toBe(true);

      const child = spawn(NODE, ["src/local/start.ts", ...args], {
        env: { ...env, STORY: "0" },
        stdio: "ignore",
      });
      running.push(child);
      const gone = new Promise((done) => child.once("exit", done));
      // It answers, and the catalogue is still to be entered.
      while (!(await fetch(edgeUrl()).then(() => true, () => false))) {
        await new Promise((done) => setTimeout(done, 20));
      }
      child.kill("SIGTERM");
      expect(await gone).toBe(0);
      expect(await closed()).toBe(true);

      // The folder is free again.
      const up = await startUntil("ready in", start, { STORY: "0" });
      up.child.kill("SIGKILL");
      expect(await closed()).toBe(true);
    },
    STARTS_MS,
  );
});
