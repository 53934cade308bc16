// The committed OpenAPI document is what clients generate code from: it must be the one that the
// routes give. `--write` renews it.
import { readFile, writeFile } from "node:fs/promises";
import { describeApi } from "../support/openapi.ts";

const FILE = "test/fixtures/openapi.json";
const text = `${JSON.stringify(await describeApi(), null, 1)}\n`;
if (process.argv.includes("--write")) await writeFile(FILE, text);
else if ((await readFile(FILE, "utf8").catch(() => "")) !== text) {
  console.error(`${FILE} is not what the routes give: npm run generate`);
  process.exit(1);
}
console.log(`${FILE} is current`);
