// npm run deploy: the migrations, then the Worker, both to env.production and nowhere else.
import { deployToCloudflare } from "./cloudflare.ts";
import { operatorTerminal } from "./terminal.ts";

process.exitCode = await deployToCloudflare(operatorTerminal());
