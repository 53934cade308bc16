// The edge on Deno, as a process of its own with the narrowest permissions: its port, the addresses
// that its settings name, its data folder, its settings.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { calledAddresses, configNames, parseConfig } from "../config.ts";
import { localSecrets } from "./data-folder.ts";
import type { LocalOptions, LocalSystem } from "./system.ts";
import { localSettings } from "./settings.ts";

const HOST = "127.0.0.1";
export const DENO = resolve("node_modules/.bin/deno");

/**
 * What a Deno process of ours may do, given what its settings name. `net`: host and port of
 * everything it listens on or calls.
 */
export function denoPermissions(
  options: { readonly dataDir: string; readonly net: readonly string[] },
): string[] {
  const names = [
    ...configNames(),
    "PORT",
    "HOST",
    "DATA_DIR",
    "ASSETS_DIR",
    "TRUSTED_PROXIES",
    "RATE_API",
    "RATE_AUTH",
  ];
  return [
    "--no-prompt",
    "--node-modules-dir=manual",
    "--cached-only",
    `--allow-net=${options.net.join(",")}`,
    `--allow-read=${[options.dataDir, resolve("migrations"), resolve(".build/assets")].join(",")}`,
    `--allow-write=${options.dataDir}`,
    `--allow-env=${names.join(",")}`,
  ];
}

/**
 * The settings of a local edge at these ports, as the environment of its process; nothing of ours
 * is inherited.
 */
export async function denoEnvironment(options: LocalOptions): Promise<Record<string, string>> {
  const { ACCESS_SIGNING_KEY: _theSandboxes, ...secrets } = await localSecrets(options.dataDir);
  return {
    ...localSettings(`http://${HOST}:${options.port}`, `http://${HOST}:${options.sandboxPort}`),
    ...secrets,
    ...options.settings,
    PORT: String(options.port),
    HOST,
    DATA_DIR: denoDataDir(options.dataDir),
    // The whole local system calls from one address; production's limits would stop a test, not an
    // attack.
    RATE_API: "1000000",
    RATE_AUTH: "100000",
    NO_COLOR: "1",
    DENO_NO_UPDATE_CHECK: "1",
    HOME: process.env["HOME"] ?? "/",
    DENO_DIR: resolve(".build/deno"),
  };
}

/**
 * What the edge may reach: its own port, and host and port of every address that it calls. Settings
 * that it will refuse name nothing.
 */
export function reachedBy(environment: Readonly<Record<string, string>>): string[] {
  const config = parseConfig(environment);
  const called = config.ok ? calledAddresses(config.value) : [];
  const hosts = called.map((address) => {
    const { hostname, port, protocol } = new URL(address);
    return `${hostname}:${port === "" ? (protocol === "https:" ? "443" : "80") : port}`;
  });
  return [...new Set([`${HOST}:${environment["PORT"]}`, ...hosts])];
}

/** Where the edge keeps its files: beside the sandbox's and the secrets, which it may not read. */
export function denoDataDir(dataDir: string): string {
  return resolve(dataDir, "edge");
}

/**
 * Starts the edge; its lines go to `edge.log` of the data folder. It is up when `/healthz` answers,
 * and it ends with this process, whatever ends this process.
 */
export async function spawnDenoEdge(
  options: LocalOptions,
  detached = false,
): Promise<ChildProcess> {
  await mkdir(denoDataDir(options.dataDir), { recursive: true });
  const log = openSync(join(options.dataDir, "edge.log"), "a", 0o600);
  const env = await denoEnvironment(options);
  return spawn(DENO, [
    "run",
    ...denoPermissions({ dataDir: denoDataDir(options.dataDir), net: reachedBy(env) }),
    "src/deno.ts",
    "--stop-with-stdin",
  ], { detached, stdio: ["pipe", log, log], env });
}

/** What the edge said last about why it does not start. */
async function refusalIn(logFile: string): Promise<string | null> {
  const prefix = "cagnotte does not start: ";
  const lines = (await readFile(logFile, "utf8")).split("\n");
  return lines.findLast((line) => line.startsWith(prefix))?.slice(prefix.length) ?? null;
}

/** Waits until the edge answers; fails when its process has ended or after `seconds`. */
export async function untilUp(edgeUrl: string, child: ChildProcess, seconds = 20): Promise<void> {
  for (const endsAt = Date.now() + seconds * 1000; Date.now() < endsAt;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the Deno edge ended with ${child.exitCode ?? child.signalCode}`);
    }
    if (await fetch(`${edgeUrl}/healthz`).then((response) => response.ok, () => false)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("the Deno edge did not come up");
}

/**
 * Ends the process in an orderly way, or after `seconds` in any way. Resolves with how it ended.
 */
export async function endProcess(child: ChildProcess, seconds = 15): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
    await gone;
    clearTimeout(timer);
  }
  return child.exitCode ?? child.signalCode ?? "gone";
}

/**
 * Starts the edge on Deno and the sandbox, and returns when both answer. `buildBundles` must have
 * run.
 */
export async function startLocalDeno(options: LocalOptions): Promise<LocalSystem> {
  // Miniflare runs the sandbox only: a process that starts the edge alone need not load it.
  const { startSandbox } = await import("./system.ts");
  const secrets = await localSecrets(options.dataDir);
  const edge = await spawnDenoEdge(options);
  const edgeUrl = `http://${HOST}:${options.port}`;
  try {
    const [sandbox] = await Promise.all([startSandbox(options), untilUp(edgeUrl, edge)]);
    const stop = async (): Promise<void> => {
      await Promise.all([endProcess(edge), sandbox.dispose()]);
    };
    return {
      edgeUrl,
      sandboxUrl: `http://${HOST}:${options.sandboxPort}`,
      secrets,
      logFile: join(options.dataDir, "edge.log"),
      stop,
    };
  } catch (error) {
    const refused = edge.exitCode === null
      ? null
      : await refusalIn(join(options.dataDir, "edge.log"));
    await endProcess(edge);
    throw refused === null ? error : new Error(refused, { cause: error });
  }
}
