// Prints an operator's token for the local system, valid an hour on the local clock: npm run -s
// token -- --role catalogue --subject alice
import { parseArgs } from "node:util";
import { endWithUsage, readOptions } from "../cli/options.ts";
import { localSecrets, openLocalClock } from "./data-folder.ts";
import { operatorToken } from "./operator-token.ts";
import { hasLocalRole, LOCAL_PERSONS, LOCAL_ROLES } from "./settings.ts";

const USAGE = [
  `npm run -s token -- --role ${LOCAL_ROLES.join("|")} --subject NAME`,
  `${
    LOCAL_PERSONS.join(", ")
  } have every role; other names have catalogue and support, and never approve`,
].join("\n");
const { role, subject } = readOptions(
  USAGE,
  () => parseArgs({ options: { role: { type: "string" }, subject: { type: "string" } } }),
).values;
// A role that nobody has would give a token that opens nothing, and look like one that does.
if (
  role === undefined || !LOCAL_ROLES.some((known) => known === role) || subject === undefined ||
  !/^[a-z0-9_-]{1,40}$/.test(subject) || !hasLocalRole(subject, role)
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
