// npm test: every layer in turn with its time and counts, stopping at the first that fails. The
// last line sums up.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBundles } from "../../src/local/system.ts";

type Counts = { passed: number; failed: number; skipped: number };
type Layer = {
  readonly name: string;
  readonly run: () => Promise<Counts & { readonly code: number }>;
};

function execute(command: string, args: readonly string[]): Promise<number> {
  return new Promise((done) => {
    const child = spawn(command, args, {
      stdio: "inherit",
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    child.on("exit", (code) => done(code ?? 1));
  });
}

function vitest(project: string): Layer {
  return {
    name: project,
    run: async () => {
      const report = join(tmpdir(), `cagnotte-${process.pid}-${project}.json`);
      const code = await execute(process.execPath, [
        "node_modules/vitest/vitest.mjs",
        "run",
        "--root",
        ".",
        "-c",
        "test/vitest.config.ts",
        "--project",
        project,
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${report}`,
      ]);
      const text = await readFile(report, "utf8").catch(() => "{}");
      await rm(report, { force: true });
      const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0 } = JSON.parse(
        text,
      ) as Record<string, number>;
      return { code, passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests };
    },
  };
}

/**
 * The contracts under `deno test`, with the types checked, then the story against a confined Deno
 * process.
 */
function deno(): Layer {
  return {
    name: "deno",
    run: async () => {
      const report = join(tmpdir(), `cagnotte-${process.pid}-deno.xml`);
      const code = await execute("node_modules/.bin/deno", [
        "test",
        "--no-prompt",
        "--node-modules-dir=manual",
        "--allow-read",
        `--allow-write=${tmpdir()}`,
        "--allow-env",
        "--reporter=dot",
        `--junit-path=${report}`,
        "test/deno/",
      ]);
      const text = await readFile(report, "utf8").catch(() => "");
      await rm(report, { force: true });
      const counted = (name: string): number =>
        Number(new RegExp(`<testsuites[^>]* ${name}="(\\d+)"`).exec(text)?.[1] ?? "0");
      const [tests, failed] = [counted("tests"), counted("failures") + counted("errors")];
      const confined = code === 0
        ? await vitest("deno").run()
        : { code, passed: 0, failed: 0, skipped: 0 };
      return {
        code: confined.code,
        passed: tests - failed + confined.passed,
        failed: failed + confined.failed,
        skipped: confined.skipped,
      };
    },
  };
}

const layers: Layer[] = [
  vitest("unit"),
  vitest("contract"),
  vitest("worker"),
  vitest("simulation"),
  vitest("blackbox"),
  vitest("attack"),
  deno(),
];
const hasTests = (folder: string): boolean =>
  existsSync(folder) &&
  readdirSync(folder, { recursive: true }).some((name) => String(name).endsWith(".test.ts"));

await buildBundles();
const totals: Counts = { passed: 0, failed: 0, skipped: 0 };
const lines: string[] = [];
for (const layer of layers) {
  if (!hasTests(join("test", layer.name))) continue;
  const startedMs = Date.now();
  const result = await layer.run();
  totals.passed += result.passed;
  totals.failed += result.failed;
  totals.skipped += result.skipped;
  lines.push(
    `${layer.name.padEnd(11)} ${
      String(result.passed).padStart(5)
    } passed, ${result.failed} failed, ${((Date.now() - startedMs) / 1000).toFixed(1)} s`,
  );
  if (result.code !== 0 || result.failed > 0 || result.passed === 0) {
    console.log(lines.join("\n"));
    console.log(`${totals.passed} passed, ${Math.max(totals.failed, 1)} failed`);
    process.exit(1);
  }
}
console.log(lines.join("\n"));
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
