// The guard of a local data folder: what happens to runtimes and lock when a start is killed.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "vitest";
import { lockDataFolder } from "../../../src/platform/deno/lock.ts";

let dir = "";
let start: ChildProcess | null = null;
let pids: Pids | null = null;
type Pids = { readonly runtime: number; readonly guard: number };

const MODULE = new URL("../../../src/local/guarded-folder.ts", import.meta.url).href;
/** A start that takes the folder, runs `workerd` and says whose numbers are which. */
const START = `
  import { subscribe } from "node:diagnostics_channel";
  import { spawn } from "node:child_process";
  import { takeFolder } from ${JSON.stringify(MODULE)};
  let guard;
  subscribe("child_process", ({ process: child }) => { guard ??= child; });
  const [dir] = process.argv.slice(1);
  const folder = await takeFolder(dir + "/data");
  if (!folder.ok) throw new Error(folder.error.code);
  const runtime = spawn(dir + "/workerd", ["60"], { stdio: "ignore" });
  runtime.once("spawn", () =>
    setTimeout(() => console.log(JSON.stringify({ runtime: runtime.pid, guard: guard.pid })), 100));
  process.once("SIGTERM", async () => { await folder.value.release(); process.exit(0); });
`;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cagnotte-guard-"));
});
afterEach(() => {
  start?.kill("SIGKILL");
  if (pids !== null && isRunning(pids.runtime)) process.kill(pids.runtime, "SIGKILL");
  [start, pids] = [null, null];
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

// One that has ended and was not yet collected is a zombie.
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}

async function started(): Promise<{ child: ChildProcess; pids: Pids }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", START, dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  start = child;
  const said = await new Promise<string>((done) =>
    child.stdout.once("data", (text: Buffer) => done(text.toString()))
  );
  pids = JSON.parse(said) as Pids;
  return { child, pids };
}

function ended(child: ChildProcess, signal: "SIGKILL" | "SIGTERM"): Promise<unknown> {
  const gone = new Promise((done) => child.once("exit", done));
  child.kill(signal);
  return gone;
}

function isFree(): boolean {
  const lock = lockDataFolder(join(dir, "data"));
  if (lock.ok) lock.value.release();
  return lock.ok;
}

async function untilFree(): Promise<void> {
  while (!isFree()) await new Promise((done) => setTimeout(done, 10));
}

describe("the guard of a data folder", () => {
  it("keeps the folder of a start that was killed until its runtime has ended", async ({ expect }) => {
    symlinkSync("/bin/sleep", join(dir, "workerd"));
    const { child, pids: { runtime, guard } } = await started();
    process.kill(guard, "SIGSTOP");
    await ended(child, "SIGKILL");
    expect([isRunning(runtime), isFree()]).toEqual([true, false]);
    process.kill(guard, "SIGCONT");
    await untilFree();
    expect(isRunning(runtime)).toBe(false);
  });

  it("frees the folder when the start lets go, with no runtime left", async ({ expect }) => {
    symlinkSync("/bin/sleep", join(dir, "workerd"));
    const { child, pids: { runtime } } = await started();
    expect(await ended(child, "SIGTERM")).toBe(0);
    expect([isRunning(runtime), isFree()]).toEqual([false, true]);
  });

  it("ends no process that is not a runtime, whatever its number was before", async ({ expect }) => {
    writeFileSync(join(dir, "workerd"), '#!/bin/sh\nexec sleep "$1"\n');
    chmodSync(join(dir, "workerd"), 0o755);
    const { child, pids: { runtime } } = await started();
    await ended(child, "SIGKILL");
    await untilFree();
    expect(isRunning(runtime)).toBe(true);
  });

  it("outlives a signal to it", async ({ expect }) => {
    symlinkSync("/bin/sleep", join(dir, "workerd"));
    const { pids: { guard } } = await started();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.kill(guard, signal);
    await new Promise((done) => setTimeout(done, 100));
    expect([isRunning(guard), isFree()]).toEqual([true, false]);
  });
});
