// A process beside a local start: it holds the lock of the data folder until nothing works on the
// folder any more. The start itself cannot: killed without a word it leaves its runtimes running,
// and a lock that ended with it would let a second system in beside them.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { lockDataFolder } from "../platform/deno/lock.ts";
import type { GuardAnswer, GuardMessage } from "./guarded-folder.ts";

/** The guard of a start that was just killed lets go within this time. */
const FORMER_GUARD_MS = 1_000;
const POLL_MS = 20;
const RUNTIME = /(^|\/)workerd$/;

/** The program of a process; null when there is none. */
function programOf(pid: number): string | null {
  if (!existsSync("/proc/self/cmdline")) {
    const { stdout } = spawnSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" });
    return stdout.trim();
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0] ?? null;
  } catch {
    return null;
  }
}

// A number may belong to another process by now; a stranger's is never ended.
const isRuntime = (pid: number): boolean => RUNTIME.test(programOf(pid) ?? "");

async function endRuntime(pid: number): Promise<void> {
  if (!isRuntime(pid)) return;
  process.kill(pid, "SIGKILL");
  while (isRuntime(pid)) await sleep(POLL_MS);
}

async function answer(folder: string): Promise<GuardAnswer> {
  for (const endsAt = Date.now() + FORMER_GUARD_MS;;) {
    const lock = lockDataFolder(folder);
    if (lock.ok) {
      // Held by the handler: what nothing refers to is collected, and its file closed.
      process.once("exit", () => lock.value.release());
      return { ok: true, value: null };
    }
    if (lock.error.code !== "data_folder_in_use" || Date.now() > endsAt) return lock;
    await sleep(POLL_MS);
  }
}

// A signal to the whole group is for the start; the guard ends after it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
const runtimes = new Set<number>();
process.on("message", ({ pid, runs }: GuardMessage) => {
  if (runs) runtimes.add(pid);
  else runtimes.delete(pid);
});
process.once("disconnect", () => {
  void Promise.all([...runtimes].map(endRuntime)).then(() => process.exit(0));
});
process.send?.(await answer(process.argv[2] ?? ""));
