// `deploy:check` names each thing that a first deployment lacks, and nothing of one that is ready.
import { describe, it } from "vitest";
import { deploymentFindings } from "../../../src/cli/deployment-check.ts";
import type { DeploymentFacts } from "../../../src/cli/deployment-check.ts";
import { makeProductionSecrets } from "../../../src/cli/production-secrets.ts";
import { localSettings, makeSecrets } from "../../../src/local/settings.ts";

const secrets = {
  ...await makeProductionSecrets("2026-11"),
  POWENS_CLIENT_SECRET: "given-by-the-aggregator",
  EMAIL_DELIVERY_TOKEN: "given-by-the-mail-provider",
};

const vars: Record<string, string> = {
  ...localSettings("https://api.cagnotte.fr", "https://sandbox.cagnotte.fr"),
  ENVIRONMENT: "production",
  JURISDICTION: "eu",
  WEBAUTHN_RP_ID: "cagnotte.fr",
  CORS_ORIGINS: "https://app.cagnotte.fr",
  ACCESS_ROLES: JSON.stringify({ "ana@cagnotte.fr": ["owner"] }),
};

const toml = [
  "[[env.production.d1_databases]]",
  'binding = "DB"',
  'database_name = "cagnotte"',
  'database_id = "0b0f2c3e-5d4a-4c6b-8e7f-1a2b3c4d5e6f"',
  'jurisdiction = "eu"',
  "",
].join("\n");

const environment = {
  name: "cagnotte",
  vars,
  requiredSecrets: Object.keys(secrets),
  workersDev: false,
  previewUrls: false,
  tracesEnabled: false,
  routes: ["api.cagnotte.fr"],
};

const ready: DeploymentFacts = {
  toml,
  local: { ...environment, name: "cagnotte-local", vars: { ENVIRONMENT: "local" } },
  production: environment,
  secrets,
};

const withVars = (changed: Record<string, string>): DeploymentFacts => ({
  ...ready,
  production: { ...environment, vars: { ...vars, ...changed } },
});
const withSecrets = (changed: Record<string, string>): DeploymentFacts => ({
  ...ready,
  secrets: { ...secrets, ...changed },
});
const local = await makeSecrets();

const FAULTS: readonly (readonly [string, DeploymentFacts, readonly string[]])[] = [
  ["the local system's name", { ...ready, local: { ...ready.local, name: "cagnotte" } }, ["name"]],
  ["no database", { ...ready, toml: "" }, ["database_id"]],
  [
    "a database elsewhere",
    { ...ready, toml: toml.replace('"eu"', '"fedramp"') },
    ["database_id"],
  ],
  ["another jurisdiction", withVars({ JURISDICTION: "" }), ["JURISDICTION"]],
  [
    "the local environment",
    withVars({ ENVIRONMENT: "local" }),
    ["ENVIRONMENT", "PUBLIC_URL"],
  ],
  ["a placeholder host", withVars({ POWENS_DOMAIN: "example.biapi.pro" }), ["POWENS_DOMAIN"]],
  ["a placeholder id", withVars({ POWENS_CLIENT_ID: "00000000" }), ["POWENS_CLIENT_ID"]],
  ["a placeholder audience", withVars({ ACCESS_AUDIENCE: "set-me" }), ["ACCESS_AUDIENCE"]],
  [
    "a domain with an owner's role",
    withVars({ ACCESS_ROLES: JSON.stringify({ "*@cagnotte.fr": ["owner"] }) }),
    ["ACCESS_ROLES"],
  ],
  [
    "an operator with a tag",
    withVars({ ACCESS_ROLES: JSON.stringify({ "ana+1@cagnotte.fr": ["owner"] }) }),
    ["ACCESS_ROLES"],
  ],
  ["no operator", withVars({ ACCESS_ROLES: "{}" }), ["ACCESS_ROLES"]],
  ["nowhere to come back to", withVars({ REDIRECT_URIS: "" }), ["REDIRECT_URIS"]],
  ["plain http", withVars({ EMAIL_DELIVERY_URL: "http://mail.fr" }), ["EMAIL_DELIVERY_URL"]],
  ["another host's route", withVars({ PUBLIC_URL: "https://b.cagnotte.fr" }), ["routes"]],
  [
    "an address beside Access",
    { ...ready, production: { ...environment, workersDev: true } },
    ["workers_dev"],
  ],
  [
    "preview addresses",
    { ...ready, production: { ...environment, previewUrls: true } },
    ["preview_urls"],
  ],
  [
    "traces",
    { ...ready, production: { ...environment, tracesEnabled: true } },
    ["observability.traces"],
  ],
  ["a secret too few", withSecrets({ EMAIL_DELIVERY_TOKEN: "" }), ["EMAIL_DELIVERY_TOKEN"]],
  ["a misspelt secret", withSecrets({ POWENS_SECRET: "x" }), ["POWENS_SECRET"]],
  [
    "a local keyring",
    withSecrets({ ENCRYPTION_KEYRING: local.ENCRYPTION_KEYRING }),
    ["ENCRYPTION_KEYRING"],
  ],
  [
    "a local signing key",
    withSecrets({ JWT_SIGNING_KEYS: local.JWT_SIGNING_KEYS }),
    ["JWT_SIGNING_KEYS"],
  ],
  [
    "one keyring for two uses",
    withSecrets({ INDEX_KEYRING: secrets.ENCRYPTION_KEYRING }),
    ["ENCRYPTION_KEYRING", "INDEX_KEYRING"],
  ],
  ["a broken keyring", withSecrets({ ARCHIVE_KEYRING: "{}" }), ["ARCHIVE_KEYRING"]],
];

describe("deploymentFindings", () => {
  it("has nothing to say of a deployment that is ready", ({ expect }) => {
    expect(deploymentFindings(ready)).toEqual([]);
    expect(deploymentFindings({ ...ready, secrets: null })).toEqual([]);
  });

  it.for(FAULTS)("names the setting: %s", ([, facts, settings], { expect }) => {
    const found = deploymentFindings(facts);
    expect(found.map(({ setting }) => setting)).toEqual(settings);
    for (const { problem } of found) expect(problem).toMatch(/[a-z]/);
  });

  it("never shows a value", ({ expect }) => {
    const text = JSON.stringify(FAULTS.map(([, facts]) => deploymentFindings(facts)));
    for (const value of Object.values(secrets)) expect(text).not.toContain(value);
  });
});

describe("makeProductionSecrets", () => {
  it("makes what the configuration accepts, anew each time", async ({ expect }) => {
    const again = await makeProductionSecrets("2026-11");
    for (
      const name of ["ENCRYPTION_KEYRING", "JWT_SIGNING_KEYS", "POWENS_WEBHOOK_SECRET"] as const
    ) {
      expect(again[name]).not.toBe(secrets[name]);
    }
    expect(Buffer.from(again.POWENS_WEBHOOK_SECRET, "base64url")).toHaveLength(32);
  });
});
