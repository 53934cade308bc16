// Prints an operator's token for the local system, valid an hour on the local clock: npm run -s token -- --role catalogue --subject alice
import { parseArgs } from "node:util";
import { localSecrets, openLocalClock } from "./local.ts";
import { operatorToken } from "./operator.ts";

const { values } = parseArgs({ options: { role: { type: "string" }, subject: { type: "string" } } });
const role = values.role;
const subject = values.subject;
if (role === undefined || subject === undefined || !/^[a-z0-9._-]{1,40}$/i.test(subject)) {
  console.error("usage: npm run -s token -- --role catalogue|support|finance|auditor|owner --subject NAME");
  process.exit(2);
}
const dataDir = process.env["DATA_DIR"] ?? ".data";
const clock = await openLocalClock(dataDir);
const sandboxUrl = `http://127.0.0.1:${process.env["SANDBOX_PORT"] ?? "8788"}`;
const token = await operatorToken({ secrets: await localSecrets(dataDir), issuer: process.env["ACCESS_TEAM_DOMAIN"] ?? sandboxUrl, role, subject, nowMs: clock.nowMs() });
console.log(token);
