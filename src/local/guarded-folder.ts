// The data folder of a local start, held by a process beside it, see folder-guard.ts.
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import type { DataFolderError } from "../platform/deno/lock.ts";

export type GuardAnswer = Result<null, DataFolderError>;
/** A runtime that this start has started, or that has ended. */
export type GuardMessage = { readonly pid: number; readonly runs: boolean };

export type GuardedFolder = {
  /** Ends the runtimes that still run and frees the folder; resolves when it is free. */
  readonly release: () => Promise<void>;
  /** Resolves when the guard is gone: from then on nothing keeps a second system out. */
  readonly lost: Promise<void>;
};

/**
 * Takes the folder, made if missing, for this process and every workerd that it starts from now on:
 * all of them have ended before another start gets the folder, however this one ends.
 */
export async function takeFolder(folder: string): Promise<Result<GuardedFolder, DataFolderError>> {
  const guard = fork(fileURLToPath(new URL("./folder-guard.ts", import.meta.url)), [folder], {
    execArgv: [],
    // A group of its own: a kill of the whole group of the start must leave it.
    detached: true,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const lost = new Promise<void>((done) => guard.once("exit", () => done()));
  const answer = await Promise.race([
    new Promise<GuardAnswer>((done) => guard.once("message", done)),
    lost.then(() => null),
  ]);
  if (answer === null) throw new Error("the guard of the data folder ended");
  const release = async (): Promise<void> => {
    if (guard.connected) guard.disconnect();
    await lost;
  };
  if (!answer.ok) {
    await release();
    return err(answer.error);
  }
  reportRuntimes(guard);
  return ok({ release, lost });
}

// Miniflare does not say which processes are its own.
function reportRuntimes(guard: ChildProcess): void {
  const report = (message: GuardMessage): void => {
    if (guard.connected) guard.send(message);
  };
  subscribe("child_process", (event) => {
    const { process: child } = event as { readonly process: ChildProcess };
    child.once("spawn", () => {
      const { pid } = child;
      if (pid === undefined || basename(child.spawnfile) !== "workerd") return;
      report({ pid, runs: true });
      child.once("exit", () => report({ pid, runs: false }));
    });
  });
}
