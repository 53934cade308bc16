// The steps of `setup:cloudflare` and `deploy`. Files, wrangler and the terminal are passed in, so
// that the tests call nothing.
import {
  createDatabaseCommand,
  databaseIdFromList,
  databaseToCreate,
  databaseToDeploy,
  deployCommands,
  explainDeploymentError,
  withDatabaseId,
} from "./deployment.ts";
import type { DeploymentFinding } from "./deployment-check.ts";
import type { DeploymentError } from "./deployment.ts";

export type OperatorTerminal = {
  readonly readConfig: () => Promise<string>;
  readonly writeConfig: (toml: string) => Promise<void>;
  /** Runs wrangler and returns its exit code and what it printed. */
  readonly wrangler: (
    args: readonly string[],
  ) => Promise<{ readonly code: number; readonly output: string }>;
  readonly print: (line: string) => void;
};

function refuse(terminal: OperatorTerminal, error: DeploymentError): number {
  terminal.print(`refused: ${explainDeploymentError(error)}`);
  return 1;
}

/**
 * Makes the production database in jurisdiction eu and writes its id into wrangler.toml. A database
 * of that name that is already there is used only when `adopt` says so. Returns the exit code; safe
 * to run again after any failure.
 */
export async function setUpCloudflare(
  terminal: OperatorTerminal,
  options: { readonly adopt: boolean; readonly secrets: readonly string[] },
): Promise<number> {
  const toml = await terminal.readConfig();
  const wanted = databaseToCreate(toml);
  if (!wanted.ok) return refuse(terminal, wanted.error);
  if (!options.adopt) {
    const created = await terminal.wrangler(createDatabaseCommand(wanted.value.name));
    if (created.code !== 0) {
      terminal.print(
        `wrangler made no database. If "${wanted.value.name}" is there already and is yours, run again with --adopt.`,
      );
      return 1;
    }
  }
  const listed = await terminal.wrangler(["d1", "list", "--json"]);
  const id = listed.code === 0
    ? databaseIdFromList(listed.output, wanted.value.name)
    : { ok: false as const, error: "database_answer_not_understood" as const };
  if (!id.ok) return refuse(terminal, id.error);
  const changed = withDatabaseId(toml, id.value);
  if (!changed.ok) return refuse(terminal, changed.error);
  await terminal.writeConfig(changed.value);
  terminal.print(`wrangler.toml now names database ${id.value} in jurisdiction eu. Commit it.`);
  terminal.print("Make the secrets (SECURITY.md says who may hold them): npm run keys -- new FILE");
  terminal.print(`They are ${options.secrets.join(", ")}.`);
  terminal.print("Put them: npx wrangler secret bulk FILE --env production");
  terminal.print("Then: npm run deploy:check -- --secrets FILE, and npm run deploy");
  return 0;
}

/**
 * Applies the migrations and deploys, or refuses before anything is called: without the database's
 * id, and with any of `findings`. Stops at the first command that fails.
 */
export async function deployToCloudflare(
  terminal: OperatorTerminal,
  findings: readonly DeploymentFinding[],
): Promise<number> {
  const database = databaseToDeploy(await terminal.readConfig());
  if (!database.ok) return refuse(terminal, database.error);
  for (const { setting, problem } of findings) terminal.print(`refused: ${setting} ${problem}`);
  if (findings.length > 0) return 1;
  for (const command of deployCommands()) {
    const { code } = await terminal.wrangler(command);
    if (code !== 0) {
      terminal.print(`stopped: wrangler ${command.join(" ")} failed`);
      return code;
    }
  }
  return 0;
}
