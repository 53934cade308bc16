// wrangler.toml as wrangler itself reads it, for the commands that check before they deploy.
import { readFile } from "node:fs/promises";
import { unstable_readConfig as readConfig } from "wrangler";
import type { DeployedEnvironment, DeploymentFacts } from "./deployment-check.ts";

const CONFIG = "wrangler.toml";

// The part of wrangler's normalised configuration that matters here; its own type resolves to any
// outside its repository.
type WranglerConfig = {
  name?: string;
  vars: Record<string, unknown>;
  secrets?: { required?: string[] };
  workers_dev?: boolean;
  preview_urls?: boolean;
  observability?: { traces?: { enabled?: boolean } };
  routes?: (string | { pattern: string })[];
};

function environment(env: string): DeployedEnvironment {
  const read = readConfig({ config: CONFIG, env }, { hideWarnings: true }) as WranglerConfig;
  return {
    name: read.name ?? "",
    vars: read.vars,
    requiredSecrets: read.secrets?.required ?? [],
    workersDev: read.workers_dev ?? true,
    previewUrls: read.preview_urls ?? false,
    tracesEnabled: read.observability?.traces?.enabled ?? false,
    routes: (read.routes ?? []).map((route) => typeof route === "string" ? route : route.pattern),
  };
}

/** Both environments of wrangler.toml in the present folder, and its text. */
export async function readDeployment(): Promise<Omit<DeploymentFacts, "secrets">> {
  return {
    toml: await readFile(CONFIG, "utf8"),
    local: environment(""),
    production: environment("production"),
  };
}
