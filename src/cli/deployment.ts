// What `setup:cloudflare` and `deploy` decide before anything is called: the text of wrangler.toml
// and when to refuse. Pure. The production database is made once, by hand and in jurisdiction eu: a
// deploy must never provision one by itself.
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";

/** The value in wrangler.toml until `npm run setup:cloudflare` has run. */
export const DATABASE_ID_PLACEHOLDER = "set-by-setup-cloudflare";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_NONE = "00000000-0000-0000-0000-000000000000";

export type DeploymentError =
  | "production_database_missing"
  | "database_id_already_set"
  | "database_id_not_set"
  | "database_id_malformed"
  | "jurisdiction_not_eu"
  | "database_answer_not_understood";

/** Each refusal in words for the operator. */
export function explainDeploymentError(error: DeploymentError): string {
  switch (error) {
    case "production_database_missing":
      return "wrangler.toml needs exactly one [[env.production.d1_databases]] with binding DB, a database_name and a database_id";
    case "database_id_already_set":
      return "env.production already names a database; remove its database_id by hand if you really mean another one";
    case "database_id_not_set":
      return "env.production names no database yet: run npm run setup:cloudflare first";
    case "database_id_malformed":
      return "env.production's database_id is not the id of a D1 database";
    case "jurisdiction_not_eu":
      return "the database of env.production must be in jurisdiction eu; a database cannot be moved, delete it and make a new one";
    case "database_answer_not_understood":
      return "wrangler's answer about the database was not understood; nothing was written";
  }
}

type ProductionDatabase = {
  readonly name: string;
  readonly id: string;
  readonly jurisdiction: string | null;
};

type Block = { readonly start: number; readonly end: number; readonly text: string };

// A table runs from its header to the next one. Headers inside strings do not occur in this file,
// which is ours.
function productionDatabaseBlocks(toml: string): Block[] {
  return [...toml.matchAll(/^\[\[env\.production\.d1_databases\]\][ \t]*(?:#.*)?$/gm)].map(
    (match) => {
      const body = match.index + match[0].length;
      const next = /^\[/m.exec(toml.slice(body));
      const end = next === null ? toml.length : body + next.index;
      return { start: match.index, end, text: toml.slice(match.index, end) };
    },
  );
}

function valueOf(block: string, key: string): string | null {
  return new RegExp(`^${key}[ \\t]*=[ \\t]*"([^"\\n]*)"[ \\t]*(?:#.*)?$`, "m").exec(block)?.[1] ??
    null;
}

function soleProductionDatabase(
  toml: string,
): Result<{ readonly block: Block; readonly database: ProductionDatabase }, DeploymentError> {
  const [block, second] = productionDatabaseBlocks(toml);
  if (block === undefined || second !== undefined) return err("production_database_missing");
  const name = valueOf(block.text, "database_name");
  const id = valueOf(block.text, "database_id");
  if (valueOf(block.text, "binding") !== "DB" || name === null || name === "" || id === null) {
    return err("production_database_missing");
  }
  return ok({ block, database: { name, id, jurisdiction: valueOf(block.text, "jurisdiction") } });
}

/**
 * The production database that a wrangler.toml names and that `setup:cloudflare` may still create.
 */
export function databaseToCreate(toml: string): Result<ProductionDatabase, DeploymentError> {
  const found = soleProductionDatabase(toml);
  if (!found.ok) return found;
  if (found.value.database.jurisdiction !== "eu") return err("jurisdiction_not_eu");
  return found.value.database.id === DATABASE_ID_PLACEHOLDER
    ? ok(found.value.database)
    : err("database_id_already_set");
}

/**
 * The text of wrangler.toml with the id in place of the placeholder, and not a character changed
 * elsewhere.
 */
export function withDatabaseId(toml: string, id: string): Result<string, DeploymentError> {
  const allowed = databaseToCreate(toml);
  if (!allowed.ok) return allowed;
  if (!UUID.test(id) || id === UUID_NONE) return err("database_id_malformed");
  const found = soleProductionDatabase(toml);
  if (!found.ok) return found;
  const { start, end, text } = found.value.block;
  const changed = text.replace(`"${DATABASE_ID_PLACEHOLDER}"`, `"${id}"`);
  return ok(toml.slice(0, start) + changed + toml.slice(end));
}

/**
 * The database that a deploy may use. Refuses the placeholder, anything that is not an id, and
 * another jurisdiction.
 */
export function databaseToDeploy(toml: string): Result<ProductionDatabase, DeploymentError> {
  const found = soleProductionDatabase(toml);
  if (!found.ok) return found;
  const { database } = found.value;
  if (database.id === DATABASE_ID_PLACEHOLDER) return err("database_id_not_set");
  if (!UUID.test(database.id) || database.id === UUID_NONE) return err("database_id_malformed");
  return database.jurisdiction === "eu" ? ok(database) : err("jurisdiction_not_eu");
}

/**
 * The id in the answer of `wrangler d1 list --json`, when exactly one database has that name and
 * says that it is in the EU.
 */
export function databaseIdFromList(answer: string, name: string): Result<string, DeploymentError> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    return err("database_answer_not_understood");
  }
  if (!Array.isArray(parsed)) return err("database_answer_not_understood");
  const named = parsed.filter((item: unknown): item is { uuid: unknown; jurisdiction?: unknown } =>
    typeof item === "object" && item !== null && "uuid" in item && "name" in item &&
    item.name === name
  );
  const [database, second] = named;
  if (
    database === undefined || second !== undefined || typeof database.uuid !== "string" ||
    !UUID.test(database.uuid)
  ) return err("database_answer_not_understood");
  return database.jurisdiction === "eu" ? ok(database.uuid) : err("jurisdiction_not_eu");
}

/**
 * The commands of a deployment, in order: the tables first, so that no code meets a database older
 * than itself.
 */
export function deployCommands(): readonly (readonly string[])[] {
  return [
    ["d1", "migrations", "apply", "DB", "--remote", "--env", "production"],
    ["deploy", "--env", "production"],
  ];
}

/**
 * The command that makes the database. It must not touch wrangler.toml: `withDatabaseId` does, and
 * checks.
 */
export function createDatabaseCommand(name: string): readonly string[] {
  return ["d1", "create", name, "--jurisdiction", "eu", "--update-config=false"];
}
