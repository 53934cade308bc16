// npm run keys -- new FILE: makes every secret of a new deployment that can be made here, into a
// file that only its owner reads, in the form that `wrangler secret bulk` takes. Nothing secret is
// printed: a terminal's history and a screen are read by more people than the file.
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { endWithUsage, readOptions } from "./options.ts";
import { GIVEN_SECRETS, makeProductionSecrets } from "./production-secrets.ts";

const USAGE = "npm run keys -- new FILE";
const { positionals } = readOptions(USAGE, () => parseArgs({ allowPositionals: true }));
const [command, path, extra] = positionals;
if (command !== "new" || path === undefined || extra !== undefined) endWithUsage(USAGE);

const secrets = await makeProductionSecrets(new Date().toISOString().slice(0, 7));
try {
  // `wx`: keys that exist are never replaced. Whoever overwrites an encryption key loses its data.
  await writeFile(path, `${JSON.stringify(secrets, null, 2)}\n`, { flag: "wx", mode: 0o600 });
  console.log(`Secrets written to ${path}, readable by you alone.`);
  console.log(`Fill in what others give you: ${GIVEN_SECRETS.join(", ")}.`);
  console.log(`Check: npm run deploy:check -- --secrets ${path}`);
  console.log(`Then: npx wrangler secret bulk ${path} --env production`);
  console.log("Copy the file offline, apart from any backup of the database, and delete it here.");
} catch (error) {
  const code = error instanceof Error && "code" in error ? error.code : null;
  console.error(
    code === "EEXIST"
      ? `${path} exists: keys are never replaced by new ones; name another file`
      : `${path} cannot be written`,
  );
  process.exitCode = 1;
}
