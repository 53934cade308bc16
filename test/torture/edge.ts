// The edge of the torture: started as a process group of its own, killed with SIGKILL, and its
// files read while it is dead.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";

export type EdgeOptions = {
  readonly runtime: "workerd" | "deno";
  readonly port: number;
  readonly sandboxPort: number;
  readonly dataDir: string;
};
export type TortureEdge = {
  readonly start: () => Promise<void>;
  readonly kill: () => Promise<void>; /** For the end of this process, which waits for nothing. */
  readonly killNow: () => void;
};

const UP_MS = 30_000;

export function tortureEdge({ runtime, port, sandboxPort, dataDir }: EdgeOptions): TortureEdge {
  let edge: ChildProcess | null = null;
  const running = ():
    | number
    | null => (edge?.pid === undefined || edge.exitCode !== null || edge.signalCode !== null
      ? null
      : edge.pid);
  return {
    killNow() {
      const pid = running();
      if (pid !== null) process.kill(-pid, "SIGKILL");
    },
    async start() {
      const script = runtime === "deno" ? "src/local/serve-deno.ts" : "src/local/serve-edge.ts";
      // A process group of its own: the kill must reach the runtime itself, not only what started
      // it.
      const child = spawn(resolve("node_modules/.bin/node"), [
        script,
        String(port),
        String(sandboxPort),
        dataDir,
      ], { detached: true, stdio: ["ignore", "pipe", "inherit"], env: process.env });
      edge = child;
      // The process says that it is up once its tables are there, which is later than the first
      // answer of /healthz.
      await new Promise<void>((up, fail) => {
        const late = setTimeout(() => fail(new Error("the edge did not come up")), UP_MS);
        child.stdout.once("data", () => {
          clearTimeout(late);
          up();
        });
        child.once("exit", () => fail(new Error("the edge ended by itself")));
      });
    },
    async kill() {
      const pid = running();
      if (pid === null) return;
      const gone = new Promise((done) => edge?.once("exit", done));
      process.kill(-pid, "SIGKILL");
      await gone;
      edge = null;
    },
  };
}

export type Head = {
  readonly sequence: number;
  readonly head: string;
  readonly pending: number;
  readonly available: number;
  readonly held: number;
};
export type DeadFiles = {
  /** What D1 knows of each user's ledger. */
  readonly heads: ReadonlyMap<string, Head>;
  /** Transactions in all ledgers together. */
  readonly transactions: number;
  /** What all budget objects together say is reserved, and what their reservations add up to. */
  readonly reserved: number;
  readonly reservations: number;
};

/**
 * Reads the files of a dead edge from a copy: what a crash left is for the edge to recover, not for
 * us.
 */
export async function readDeadFiles(dataDir: string): Promise<DeadFiles> {
  const copy = await mkdtemp(join(tmpdir(), "cagnotte-torture-dead-"));
  const found = { heads: new Map<string, Head>(), transactions: 0, reserved: 0, reservations: 0 };
  try {
    await cp(join(dataDir, "edge"), copy, { recursive: true });
    for (const name of await readdir(copy, { recursive: true })) {
      if (name.endsWith(".sqlite")) readOne(join(copy, name), found);
    }
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
  return found;
}

function readOne(
  path: string,
  found: { heads: Map<string, Head>; transactions: number; reserved: number; reservations: number },
): void {
  const file = new DatabaseSync(path);
  try {
    const has = (table: string): boolean =>
      file.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table) !==
        undefined;
    const number = (sql: string): number => Number(file.prepare(sql).get()?.["n"] ?? 0);
    if (has("ledger_heads")) {
      for (
        const row of file.prepare(
          "SELECT user_id, last_sequence AS sequence, head, pending, available, held FROM ledger_heads",
        ).all()
      ) {
        const { user_id: userId, ...head } = row as unknown as Head & { user_id: string };
        found.heads.set(userId, head);
      }
    } else if (has("reservations")) {
      found.reserved += number("SELECT points AS n FROM total");
      found.reservations += number("SELECT SUM(points) AS n FROM reservations");
    } else if (has("transactions") && has("purchases")) {
      found.transactions += number("SELECT MAX(sequence) AS n FROM transactions");
    }
  } finally {
    file.close();
  }
}
