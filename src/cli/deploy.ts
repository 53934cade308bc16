// npm run deploy: the migrations, then the Worker, both to env.production and nowhere else. Refuses
// whatever `deploy:check` finds in wrangler.toml.
import { deployToCloudflare } from "./cloudflare.ts";
import { deploymentFindings } from "./deployment-check.ts";
import { operatorTerminal } from "./terminal.ts";
import { readDeployment } from "./wrangler-environment.ts";

const findings = deploymentFindings({ ...await readDeployment(), secrets: null });
process.exitCode = await deployToCloudflare(operatorTerminal(), findings);
