// npm run deploy:check [-- --secrets FILE]: names all that a first deployment lacks, before
// anything is changed. Ends with 1 when something is missing.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { deploymentFindings } from "./deployment-check.ts";
import { endWithUsage, readOptions } from "./options.ts";
import { readDeployment } from "./wrangler-environment.ts";

const USAGE = "npm run deploy:check [-- --secrets FILE]";
const { values } = readOptions(
  USAGE,
  () => parseArgs({ options: { secrets: { type: "string" } } }),
);

async function readSecrets(path: string): Promise<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
      return parsed as Record<string, unknown>;
    }
  } catch {
    // Answered below: what is wrong with the file is the same sentence either way.
  }
  return endWithUsage(`${USAGE}: cannot read a JSON object of secrets from ${path}`);
}

const findings = deploymentFindings({
  ...await readDeployment(),
  secrets: values.secrets === undefined ? null : await readSecrets(values.secrets),
});
for (const { setting, problem } of findings) console.log(`${setting} ${problem}`);
if (values.secrets === undefined) {
  console.log("The secrets were not checked: name their file with --secrets FILE.");
}
console.log(findings.length === 0 ? "Ready to deploy." : `${findings.length} to mend.`);
process.exitCode = findings.length === 0 ? 0 : 1;
