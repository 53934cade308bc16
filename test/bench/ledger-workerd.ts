// The ledger as it runs on the platform: a small worker under miniflare (workerd, its SQLite, its
// RPC) with the real UserLedger. Records and bare inserts take turns inside one object; times are
// wall times of a call, less that of a call that does nothing.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { Miniflare } from "miniflare";

export type WorkerdBench = {
  readonly batch500Ms: number;
  readonly duplicates500Ms: number;
  readonly engineRowsPerSecond: number;
  readonly bareRowsPerSecond: number;
  readonly ratio: number;
};

const ROUNDS = 7;
const BARE_ROWS = 1500;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function start(folder: string): Promise<Miniflare> {
  // A configuration of its own: the project's names objects that this worker does not have.
  const config = join(folder, "wrangler.toml");
  await writeFile(
    config,
    `name = "bench"\nmain = ${
      JSON.stringify(resolve("test/bench/ledger-worker.ts"))
    }\ncompatibility_date = "2026-11-01"\n`,
  );
  await promisify(execFile)(process.execPath, [
    "node_modules/wrangler/bin/wrangler.js",
    "deploy",
    "--config",
    config,
    "--dry-run",
    "--outdir",
    join(folder, "out"),
  ], {
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
  });
  const contents = await readFile(join(folder, "out", "ledger-worker.js"), "utf8");
  return new Miniflare({
    host: "127.0.0.1",
    port: 0,
    resourcePersistencePath: join(folder, "data"),
    workers: [{
      config: {
        name: "bench",
        compatibilityDate: "2026-11-01",
        compatibilityFlags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
        manifest: { mainModule: "worker.js", modules: { "worker.js": { type: "esm", contents } } },
        exports: { BenchLedger: { type: "durable-object", storage: "sqlite" } },
        env: {
          LEDGER: { type: "durable-object", worker: "bench", exportName: "BenchLedger" },
          ENVIRONMENT: { type: "text", value: "local" },
        },
      },
    }],
  });
}

export async function benchLedgerWorkerd(): Promise<WorkerdBench> {
  const folder = await mkdtemp(join(tmpdir(), "ledger-workerd-"));
  const miniflare = await start(folder);
  try {
    const { origin } = await miniflare.ready;
    const timed = async (
      name: string,
      what: Readonly<Record<string, string>>,
    ): Promise<{ readonly ms: number; readonly rows: number }> => {
      const started = performance.now();
      const response = await fetch(`${origin}/?${new URLSearchParams({ name, ...what })}`);
      if (!response.ok) {
        throw new Error(`the bench's worker answered ${response.status}: ${await response.text()}`);
      }
      const { rowsWritten }: { readonly rowsWritten: number } = JSON.parse(await response.text());
      return { ms: performance.now() - started, rows: rowsWritten };
    };
    const [batches, duplicates, perSecond, bare] = [
      [] as number[],
      [] as number[],
      [] as number[],
      [] as number[],
    ];
    for (let round = 0; round <= ROUNDS; round++) {
      const name = `usr_0197d000-0000-7000-8000-0000000000${String(round).padStart(2, "0")}`;
      await timed(name, { what: "record", count: "20", prefix: "warm" });
      await timed(name, { what: "bare", count: "20" });
      const idle = (await timed(name, { what: "bare", count: "0" })).ms;
      const recorded = await timed(name, { what: "record", count: "500", prefix: "b" });
      const inserted = await timed(name, { what: "bare", count: String(BARE_ROWS) });
      const repeated = await timed(name, { what: "record", count: "500", prefix: "n", again: "1" });
      // The first round warms the code up.
      if (round === 0) continue;
      batches.push(recorded.ms);
      duplicates.push(repeated.ms);
      perSecond.push((recorded.rows / Math.max(recorded.ms - idle, 0.1)) * 1000);
      bare.push((BARE_ROWS / Math.max(inserted.ms - idle, 0.1)) * 1000);
    }
    const [engineRowsPerSecond, bareRowsPerSecond] = [median(perSecond), median(bare)];
    return {
      batch500Ms: median(batches),
      duplicates500Ms: median(duplicates),
      engineRowsPerSecond,
      bareRowsPerSecond,
      ratio: engineRowsPerSecond / bareRowsPerSecond,
    };
  } finally {
    await miniflare.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}
