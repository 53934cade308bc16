// Prints an operator's token for the local system, valid an hour on the local clock: npm run -s
// token -- --role catalogue --subject alice
import { parseArgs } from "node:util";
import { endWithUsage, readOptions } from "../cli/options.ts";
import { localSecrets, openLocalClock } from "./data-folder.ts";
import { operatorToken } from "./operator-token.ts";

const ROLES = ["catalogue", "support", "finance", "auditor", "owner"];
const USAGE = `npm run -s token -- --role ${ROLES.join("|")} --subject NAME`;
const { role, subject } = readOptions(
  USAGE,
  () => parseArgs({ options: { role: { type: "string" }, subject: { type: "string" } } }),
).values;
// A role that nobody has would give a token that opens nothing, and look like one that does.
if (
  role === undefined || !ROLES.includes(role) || subject === undefined ||
  !/^[a-z0-9._-]{1,40}$/i.test(subject)
) endWithUsage(USAGE);
const dataDir = process.env["DATA_DIR"] ?? ".data";
const clock = await openLocalClock(dataDir);
const sandboxUrl = `http://127.0.0.1:${process.env["SANDBOX_PORT"] ?? "8788"}`;
const token = await operatorToken({
  secrets: await localSecrets(dataDir),
  issuer: process.env["ACCESS_TEAM_DOMAIN"] ?? sandboxUrl,
  role,
  subject,
  nowMs: clock.nowMs(),
});
console.log(token);
