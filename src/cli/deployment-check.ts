// What `npm run deploy:check` finds missing or wrong before anything is changed. Pure: the texts
// of wrangler.toml as wrangler reads them and, if the operator hands them over, the secrets.
import { accessRoles, configNames, parseConfig } from "../config.ts";
import { operatorEntryProblem } from "../identity/operator-tokens.ts";
import { databaseToDeploy, explainDeploymentError } from "./deployment.ts";

/** The part of an environment of wrangler.toml, as wrangler reads it, that is checked here. */
export type DeployedEnvironment = {
  readonly name: string;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly requiredSecrets: readonly string[];
  readonly workersDev: boolean;
  readonly previewUrls: boolean;
  readonly tracesEnabled: boolean;
  readonly routes: readonly string[];
};

export type DeploymentFinding = {
  /** The setting, secret or binding, in the spelling of API.md or wrangler.toml. */
  readonly setting: string;
  readonly problem: string;
};

export type DeploymentFacts = {
  readonly toml: string;
  readonly local: DeployedEnvironment;
  readonly production: DeployedEnvironment;
  /** Null: not at hand. Then only wrangler.toml is checked, and the answer says so. */
  readonly secrets: Readonly<Record<string, unknown>> | null;
};

// Values that this repository ships so that the file is complete, and that mean nobody's system.
const PLACEHOLDER = /(?:^|[./@-])example(?:[./-]|$)|^set-me$|^set-by-|^0+$|^your-/i;

function placeholders(vars: Readonly<Record<string, unknown>>): DeploymentFinding[] {
  return Object.entries(vars).flatMap(([setting, value]) =>
    typeof value === "string" && value.split(",").some((item) => PLACEHOLDER.test(item.trim()))
      ? [{ setting, problem: "is still the placeholder that the repository ships" }]
      : []
  );
}

const ROLE_PROBLEMS = {
  address_invalid: "has an address that gets no role: it is malformed or has a +tag",
  wildcard_roles: "gives a whole domain more than support and catalogue, which is ignored",
} as const;

/** What entries of `ACCESS_ROLES` say in vain; nothing for what cannot be read. */
function roleProblems(value: unknown): string[] {
  const parsed = accessRoles.safeParse(value);
  if (!parsed.success) return [];
  const codes = Object.entries(parsed.data).map(([name, held]) => operatorEntryProblem(name, held));
  return [...new Set(codes)].flatMap((code) => code === null ? [] : [ROLE_PROBLEMS[code]]);
}

// Settings that the configuration accepts and that still let nobody work or be warned.
function unfinished(vars: Readonly<Record<string, unknown>>): DeploymentFinding[] {
  const findings: DeploymentFinding[] = [];
  if (["", "{}", undefined].includes(vars["ACCESS_ROLES"] as string | undefined)) {
    findings.push({ setting: "ACCESS_ROLES", problem: "names nobody: no operator could sign in" });
  }
  for (const problem of roleProblems(vars["ACCESS_ROLES"])) {
    findings.push({ setting: "ACCESS_ROLES", problem });
  }
  if (vars["REDIRECT_URIS"] === "" || vars["REDIRECT_URIS"] === undefined) {
    findings.push({ setting: "REDIRECT_URIS", problem: "is empty: no bank could be linked" });
  }
  return findings;
}

function names({ local, production }: DeploymentFacts): DeploymentFinding[] {
  const findings: DeploymentFinding[] = [];
  if (local.name === production.name) {
    findings.push({
      setting: "name",
      problem:
        "is the same at the top level and in env.production: a `wrangler deploy` without --env would replace production by the local system",
    });
  }
  if (production.vars["ENVIRONMENT"] !== "production") {
    findings.push({ setting: "ENVIRONMENT", problem: "is not production in env.production" });
  }
  if (production.workersDev || production.previewUrls) {
    findings.push({
      setting: production.workersDev ? "workers_dev" : "preview_urls",
      problem: "is on: such an address bypasses Cloudflare Access",
    });
  }
  if (production.tracesEnabled) {
    findings.push({
      setting: "observability.traces",
      problem: "are on: they carry addresses and SQL out of the EU",
    });
  }
  const host = hostOf(production.vars["PUBLIC_URL"]);
  if (host === null || !production.routes.includes(host)) {
    findings.push({ setting: "routes", problem: "do not contain the host of PUBLIC_URL" });
  }
  return findings;
}

function hostOf(value: unknown): string | null {
  return typeof value === "string" && URL.canParse(value) ? new URL(value).host : null;
}

/** Key ids of what `npm start` makes begin so: such keys lie on somebody's disk, unprotected. */
const LOCAL_KEY = /"(?:active|kid)"\s*:\s*"local-/;

function secretFindings(
  required: readonly string[],
  secrets: Readonly<Record<string, unknown>>,
): DeploymentFinding[] {
  const findings: DeploymentFinding[] = [];
  for (const setting of required) {
    const value = secrets[setting];
    if (typeof value !== "string" || value === "") {
      findings.push({ setting, problem: "is missing" });
    } else if (LOCAL_KEY.test(value)) {
      findings.push({ setting, problem: "is a key of the local system: make new ones" });
    }
  }
  for (const setting of Object.keys(secrets)) {
    if (!configNames().includes(setting)) {
      findings.push({ setting, problem: "is no setting of Cagnotte: a misspelt name?" });
    }
  }
  return findings;
}

function configuration(
  vars: Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, unknown>>,
  named: ReadonlySet<string>,
): DeploymentFinding[] {
  const parsed = parseConfig({ ...vars, ...secrets });
  if (parsed.ok) return [];
  const problem = parsed.error.code === "config_placeholder"
    ? "is still a placeholder"
    : "is missing, malformed or unsafe in production";
  return parsed.error.fields.filter((setting) => !named.has(setting)).map((setting) => ({
    setting,
    problem,
  }));
}

/** All that would keep a deployment from running safely, each setting once; empty when ready. */
export function deploymentFindings(facts: DeploymentFacts): readonly DeploymentFinding[] {
  const { production, secrets, toml } = facts;
  const database = databaseToDeploy(toml);
  const found: DeploymentFinding[] = [
    ...(database.ok
      ? []
      : [{ setting: "database_id", problem: explainDeploymentError(database.error) }]),
    ...names(facts),
    ...placeholders(production.vars),
    ...unfinished(production.vars),
    ...(secrets === null ? [] : secretFindings(production.requiredSecrets, secrets)),
  ];
  const named = new Set(found.map(({ setting }) => setting));
  // Without the secrets their names would all be reported missing.
  const unknown = secrets === null ? new Set([...named, ...production.requiredSecrets]) : named;
  return [...found, ...configuration(production.vars, secrets ?? {}, unknown)];
}
