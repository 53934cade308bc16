// The local system: the edge and the sandbox as two workerd processes under miniflare, from the
// bundles that would be deployed. Everything lives under one data folder and survives a SIGKILL and
// a restart. Used by npm start, the black box and torture.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, Response } from "miniflare";
import type { Request } from "miniflare";
import { localSecrets, openLocalClock } from "./data-folder.ts";
import { localSettings } from "./settings.ts";
import type { LocalSecrets } from "./settings.ts";

const run = promisify(execFile);
const COMPATIBILITY = {
  compatibilityDate: "2026-11-01",
  compatibilityFlags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
};
const HOST = "127.0.0.1";

export type LocalOptions = {
  readonly port: number;
  readonly sandboxPort: number;
  readonly dataDir: string;
  /** Settings that win over the local defaults. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type LocalSystem = {
  readonly edgeUrl: string;
  readonly sandboxUrl: string;
  readonly secrets: LocalSecrets;
  readonly logFile: string;
  readonly stop: () => Promise<void>;
};

/** What goes into the bundles or says how they are made. Below src, see `isBundled`. */
const BUNDLE_INPUTS = ["src", "wrangler.toml", "package-lock.json"];

// Pages, commands, the Deno edition and the rest of src/local run from their sources: an edit there
// needs no bundle.
function isBundled(path: string): boolean {
  if (path.endsWith(".md") || path.includes("/.wrangler/")) return false;
  if (path.startsWith("src/local/")) return path.startsWith("src/local/sandbox/");
  return !["src/cli/", "src/platform/deno/", "src/deno.ts"].some((unused) =>
    path.startsWith(unused)
  );
}

async function newestMs(paths: readonly string[]): Promise<number> {
  const files = await Promise.all(paths.map(async (path) => {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) =>
      join(entry.parentPath, entry.name)
    );
  }));
  const times = await Promise.all(
    files.flat().filter(isBundled).map(async (path) => (await stat(path)).mtimeMs),
  );
  return Math.max(...times);
}

async function isBuilt(): Promise<boolean> {
  const outputs = [
    ".build/edge/worker.js",
    ".build/sandbox/worker.js",
    ".build/assets/docs/index.html",
    ".build/assets/landing.css",
  ];
  if (!outputs.every((path) => existsSync(path))) return false;
  const oldestMs = Math.min(
    ...(await Promise.all(outputs.map(async (path) => (await stat(path)).mtimeMs))),
  );
  return oldestMs > (await newestMs(BUNDLE_INPUTS));
}

/**
 * Bundles both Workers the way a deployment would, into `.build/`, unless what is there is newer
 * than every source.
 */
export async function buildBundles(): Promise<void> {
  if (await isBuilt()) return;
  const wrangler = (args: readonly string[]) =>
    run(process.execPath, [
      "node_modules/wrangler/bin/wrangler.js",
      "deploy",
      "--dry-run",
      "--env",
      "",
      ...args,
    ], { env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" } });
  await Promise.all([
    wrangler(["--outdir", ".build/edge"]),
    wrangler([
      "--config",
      "src/local/sandbox/wrangler.toml",
      "--outdir",
      resolve(".build/sandbox"),
    ]),
  ]);
}

type LocalClock = Awaited<ReturnType<typeof openLocalClock>>;

function clockService(clock: LocalClock) {
  return async (request: Request): Promise<Response> => {
    if (request.method === "POST") {
      await clock.advance(((await request.json()) as { ms: number }).ms);
    }
    return Response.json({ now_ms: clock.nowMs() });
  };
}

// The same table as `wrangler d1 migrations apply` keeps, so that either tool can go on where the
// other stopped.
async function migrate(edgeDir: string): Promise<void> {
  const names = (await readdir("migrations")).filter((name) => name.endsWith(".sql"));
  const known = await appliedMigrations(edgeDir);
  if (names.every((name) => known.has(name))) return;
  // A runtime of its own on whatever port is free: were the edge's own port open meanwhile, it
  // would answer before it has its tables.
  const closed = new Miniflare(convertV4MiniflareOptions({
    host: HOST,
    port: 0,
    cf: false,
    log: new Log(LogLevel.WARN),
    resourcePersistencePath: edgeDir,
    workers: [{
      name: "cagnotte",
      ...COMPATIBILITY,
      modules: true,
      script: "export default { fetch: () => new Response(null) }",
      d1Databases: { DB: "cagnotte" },
    }],
  }));
  try {
    await applyMigrations(closed);
  } finally {
    await closed.dispose();
  }
}

/** The migrations that the edge's database has, read from its file; none when there is no file. */
async function appliedMigrations(edgeDir: string): Promise<ReadonlySet<string>> {
  const folder = join(edgeDir, "d1");
  if (!existsSync(folder)) return new Set();
  const files = (await readdir(folder, { recursive: true })).filter((name) =>
    name.endsWith(".sqlite")
  );
  return new Set(files.flatMap((name) => {
    const file = new DatabaseSync(join(folder, name), { readOnly: true });
    try {
      const table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'd1_migrations'";
      return file.prepare(table).get() === undefined
        ? []
        : file.prepare("SELECT name FROM d1_migrations").all().map((row) => String(row["name"]));
    } finally {
      file.close();
    }
  }));
}

async function applyMigrations(miniflare: Miniflare): Promise<void> {
  const db = await miniflare.getD1Database("DB");
  await db.prepare(
    "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)",
  ).run();
  const applied = new Set(
    (await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>()).results.map((
      row,
    ) => row.name),
  );
  // The reader comes with the test runner, which takes as long to load as all the rest: not again
  // at each start on the same folder.
  const { readD1Migrations } = await import("@cloudflare/vitest-plugin");
  for (const { name, queries } of await readD1Migrations("migrations")) {
    if (applied.has(name)) continue;
    await db.batch([
      ...queries.map((query) => db.prepare(query)),
      db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
    ]);
  }
}

async function prepare(options: LocalOptions) {
  const dataDir = resolve(options.dataDir);
  await mkdir(join(dataDir, "sandbox"), { recursive: true });
  const secrets = await localSecrets(dataDir);
  const clock = await openLocalClock(dataDir);
  const edgeUrl = `http://${HOST}:${options.port}`;
  const sandboxUrl = `http://${HOST}:${options.sandboxPort}`;
  const { ACCESS_SIGNING_KEY: accessKey, ...edgeSecrets } = secrets;
  const settings: Record<string, string> = {
    ...localSettings(edgeUrl, sandboxUrl),
    ...edgeSecrets,
    ...options.settings,
  };
  return {
    dataDir,
    secrets,
    clock,
    edgeUrl,
    sandboxUrl,
    accessKey,
    settings,
    logFile: join(dataDir, "edge.log"),
  };
}

/** Starts the edge alone: what the crash test kills and starts again. */
export async function startEdge(options: LocalOptions): Promise<Miniflare> {
  const { dataDir, settings, clock, logFile } = await prepare(options);
  await migrate(join(dataDir, "edge"));
  const edge = new Miniflare(edgeOptions(options, dataDir, settings, clock, logFile));
  await edge.ready;
  return edge;
}

/** Starts the sandbox alone. */
export async function startSandbox(options: LocalOptions): Promise<Miniflare> {
  const { dataDir, settings, clock, accessKey, edgeUrl } = await prepare(options);
  const sandbox = new Miniflare(
    sandboxOptions(options, dataDir, settings, clock, accessKey, edgeUrl),
  );
  await sandbox.ready;
  return sandbox;
}

/** Starts edge and sandbox and returns when both answer. `buildBundles` must have run. */
export async function startLocal(options: LocalOptions): Promise<LocalSystem> {
  const { secrets, edgeUrl, sandboxUrl, logFile } = await prepare(options);
  const started = await Promise.allSettled([startEdge(options), startSandbox(options)]);
  const running = started.flatMap((
    result,
  ) => (result.status === "fulfilled" ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((miniflare) => miniflare.dispose()));
  };
  const failed = started.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return { edgeUrl, sandboxUrl, secrets, logFile, stop };
}

function shared(port: number, persist: string, logFile: string) {
  return {
    host: HOST,
    port,
    cf: false as const,
    log: new Log(LogLevel.WARN),
    resourcePersistencePath: persist,
    handleStructuredLogs: (line: { message: string }) =>
      void appendFile(logFile, `${line.message}\n`),
  };
}

function edgeOptions(
  options: LocalOptions,
  dataDir: string,
  settings: Record<string, string>,
  clock: LocalClock,
  logFile: string,
) {
  const object = (className: string) => ({ className, useSQLite: true });
  return convertV4MiniflareOptions({
    ...shared(options.port, join(dataDir, "edge"), logFile),
    workers: [{
      name: "cagnotte",
      ...COMPATIBILITY,
      modules: true,
      scriptPath: ".build/edge/worker.js",
      bindings: settings,
      d1Databases: { DB: "cagnotte" },
      durableObjects: {
        LEDGER: object("UserLedger"),
        OFFER_BUDGET: object("OfferBudget"),
        STEWARD: object("Steward"),
      },
      ratelimits: {
        // The whole local system calls from one address; production's limits would stop a test, not
        // an attack.
        RATE_AUTH: { namespace_id: "1001", simple: { limit: 100_000, period: 60 } },
        RATE_API: { namespace_id: "1002", simple: { limit: 1_000_000, period: 60 } },
      },
      assets: {
        directory: resolve(".build/assets"),
        binding: "ASSETS",
        run_worker_first: true,
        routerConfig: { has_user_worker: true },
      },
      serviceBindings: { LOCAL_CLOCK: clockService(clock) },
    }],
  });
}

function sandboxOptions(
  options: LocalOptions,
  dataDir: string,
  settings: Record<string, string>,
  clock: LocalClock,
  accessKey: string,
  edgeUrl: string,
) {
  const names = [
    "POWENS_CLIENT_ID",
    "POWENS_CLIENT_SECRET",
    "POWENS_WEBHOOK_SECRET",
    "EMAIL_DELIVERY_TOKEN",
    "ACCESS_AUDIENCE",
  ];
  const bindings = Object.fromEntries(names.map((name) => [name, settings[name] ?? ""]));
  return convertV4MiniflareOptions({
    ...shared(
      options.sandboxPort,
      join(dataDir, "sandbox"),
      join(dataDir, "sandbox", "sandbox.log"),
    ),
    workers: [{
      name: "cagnotte-sandbox",
      ...COMPATIBILITY,
      modules: true,
      scriptPath: ".build/sandbox/worker.js",
      bindings: {
        ...bindings,
        EDGE_URL: edgeUrl,
        PUBLIC_URL: `http://${HOST}:${options.sandboxPort}`,
        ACCESS_SIGNING_KEY: accessKey,
      },
      durableObjects: { BANK: { className: "SandboxBank", useSQLite: true } },
      serviceBindings: { LOCAL_CLOCK: clockService(clock) },
    }],
  });
}
