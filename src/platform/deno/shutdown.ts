// The orderly end of a server: nothing new comes in, what was accepted is answered, and the files
// are closed.
import { SECOND_MS } from "../../kernel/time.ts";
import type { Gate } from "./gate.ts";

/**
 * How long a stop waits for requests that were accepted. systemd's default is to kill after 90
 * seconds.
 */
const DRAIN_MS_MAX = 30 * SECOND_MS;

type RunningServer = {
  readonly gate: Pick<Gate, "close">;
  /** Null when `deno serve` owns the listener. */
  readonly server: { readonly shutdown: () => Promise<void> } | null;
  readonly stop: () => Promise<void>;
  /** Closes when the process that this one belongs to is gone; null when it belongs to none. */
  readonly parent: ReadableStream<unknown> | null;
};

/**
 * Ends the process once, at the first SIGTERM or SIGINT, or when its parent is gone: a parent that
 * is killed passes no signal on, and would leave a server that nobody knows of.
 */
export function stopOnSignals({ gate, server, stop, parent }: RunningServer): void {
  let stopping = false;
  const finish = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await Promise.all([
      gate.close(DRAIN_MS_MAX),
      Promise.race([server?.shutdown(), new Promise((done) => setTimeout(done, DRAIN_MS_MAX))]),
    ]);
    await stop();
    Deno.exit(0);
  };
  Deno.addSignalListener("SIGTERM", () => void finish());
  Deno.addSignalListener("SIGINT", () => void finish());
  if (parent !== null) void drained(parent).then(finish);
}

async function drained(stream: ReadableStream<unknown>): Promise<void> {
  const reader = stream.getReader();
  try {
    while (!(await reader.read()).done);
  } catch {
    // A pipe that broke says the same as one that closed.
  }
}
