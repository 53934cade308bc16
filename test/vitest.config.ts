import { availableParallelism } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { localSettings, makeSecrets } from "../src/local/settings.ts";

// Pure code and everything that needs Node's own SQLite runs in Node; what needs D1, objects or
// routes runs in workerd.
const node = (
  name: string,
  include: string[],
  timeoutMs: number,
  env: Record<string, string> = {},
) => ({
  test: {
    name,
    include,
    environment: "node" as const,
    isolate: false,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    env,
  },
});

export default defineConfig({
  test: {
    // Vitest leaves one core free, which on a machine of two is half of it: files mostly wait for
    // disks and other processes.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      node("unit", ["test/unit/**/*.test.ts"], 20_000),
      node("contract", ["test/contract/**/*.node.test.ts"], 20_000),
      node("simulation", ["test/simulation/**/*.test.ts"], 120_000),
      node("attack", ["test/attack/**/*.test.ts"], 120_000),
      node("blackbox", ["test/blackbox/**/*.test.ts"], 120_000),
      // The same story and lives against the edge on Deno; what is about the sandbox alone is not
      // run twice.
      node(
        "deno",
        [
          "test/blackbox/story.test.ts",
          "test/blackbox/lives-*.test.ts",
          "test/attack/attack.test.ts",
        ],
        120_000,
        { EDGE_RUNTIME: "deno" },
      ),
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                ...localSettings("http://127.0.0.1:8787", "http://127.0.0.1:8788"),
                ...(await makeSecrets()),
                TEST_MIGRATIONS: await readD1Migrations("migrations"),
              },
            },
          })),
        ],
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts", "test/contract/**/*.worker.test.ts"],
          setupFiles: ["test/support/worker-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // The files of a runner share one runtime (worker-setup.ts empties its storage): loading
          // the product anew took longer than most files.
          isolate: false,
        },
      },
    ],
  },
});
