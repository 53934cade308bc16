// Runs before each worker test file. The files of one runner share its runtime, so that the product
// is loaded once; each begins with empty storage and fresh tables.
import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { D1Migration } from "@cloudflare/vitest-plugin";

const bindings = env as unknown as { DB: D1Database; TEST_MIGRATIONS: D1Migration[] };
const RESETS_MAX = 20;

async function isEmpty(): Promise<boolean> {
  const row = await bindings.DB
    .prepare("SELECT count(*) AS n FROM sqlite_master WHERE name IN ('users', 'brands')")
    .first<{ n: number }>();
  return row?.n === 0;
}

// Now and then the database outlives a reset, and a file would find the rows of the one before.
for (let resets = 1;; resets++) {
  await reset();
  if (await isEmpty()) break;
  if (resets === RESETS_MAX) throw new Error("the database of the file before was not deleted");
}
await applyD1Migrations(bindings.DB, bindings.TEST_MIGRATIONS);
