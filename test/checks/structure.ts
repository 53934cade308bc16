// The proof of DESIGN.md section 5 over the real tree: no circle between files or folders, no arrow
// from a lower layer up, nothing exported that nobody uses. `npm run check:structure`.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  arrowsIntoLocalOrTest,
  arrowsUp,
  fileCircles,
  folderCircles,
  type Layers,
  readSource,
  type SourceFile,
  unusedExports,
} from "./import-graph.ts";

/** The children of `src` from the lowest layer to the highest. */
const LAYERS: Layers = [
  ["kernel"],
  ["texts"],
  ["config.ts"],
  ["db"],
  ["http"],
  ["audit"],
  [
    "identity",
    "banking",
    "recognition",
    "catalogue",
    "ledger",
    "rewards",
    "referral",
    "claims",
    "reviews",
    "privacy",
    "insights",
    "events",
    "transfer",
    "operations",
  ],
  ["app.ts"],
  ["platform"],
  ["worker.ts", "deno.ts", "cli", "web", "local"],
];

/** What the runtime reads: the entries' handlers, and the object classes that bindings name. */
const KEPT: ReadonlySet<string> = new Set([
  "src/worker.ts default",
  "src/worker.ts OfferBudget",
  "src/worker.ts Steward",
  "src/worker.ts UserLedger",
  "src/deno.ts default",
  "src/local/sandbox/worker.ts default",
  "src/local/sandbox/worker.ts SandboxBank",
]);

/** Everything that the rules say against these files. */
export function structureFindings(files: readonly SourceFile[]): string[] {
  const own = files.filter(({ path }) => path.startsWith("src/"));
  return [
    ...fileCircles(own),
    ...folderCircles(own),
    ...arrowsUp(own, LAYERS),
    ...arrowsIntoLocalOrTest(files),
    ...unusedExports(files, KEPT),
  ];
}

async function readTree(folder: string): Promise<SourceFile[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.map(async (path) => readSource(path, await readFile(path, "utf8"))),
  );
}

if (import.meta.main) {
  const files = [...await readTree("src"), ...await readTree("test")];
  const findings = structureFindings(files);
  for (const finding of findings) console.error(finding);
  console.log(`structure: ${files.length} files, ${findings.length} findings`);
  if (findings.length > 0) process.exit(1);
}
