// npm run setup:cloudflare [-- --adopt]: makes the production database in the EU, once, and says
// which secrets to put.
import { parseArgs } from "node:util";
import { unstable_readConfig as readConfig } from "wrangler";
import { setUpCloudflare } from "./cloudflare.ts";
import { readOptions } from "./options.ts";
import { operatorTerminal } from "./terminal.ts";

const { values } = readOptions(
  "npm run setup:cloudflare [-- --adopt]",
  () => parseArgs({ options: { adopt: { type: "boolean", default: false } } }),
);
const secrets =
  readConfig({ config: "wrangler.toml", env: "production" }, { hideWarnings: true }).secrets
    ?.required ?? [];
process.exitCode = await setUpCloudflare(operatorTerminal(), { adopt: values.adopt, secrets });
