// Copies a whole running system into one sealed file: npm run -s export-all -- --url https://…
// --token … --out system.archive The token is an owner's; OPERATOR_TOKEN keeps it out of the
// shell's history. Run again after a stop: it goes on.
import { parseArgs } from "node:util";
import { endWithUsage, readOptions } from "./options.ts";
import { exportAll } from "./archive-transfer.ts";
import { operatorCalls } from "./admin-client.ts";

const USAGE =
  "npm run -s export-all -- --url URL --token TOKEN --out FILE (the token of an owner, or OPERATOR_TOKEN)";
const { values } = readOptions(
  USAGE,
  () =>
    parseArgs({
      options: { url: { type: "string" }, token: { type: "string" }, out: { type: "string" } },
    }),
);
const token = values.token ?? process.env["OPERATOR_TOKEN"];
if (values.url === undefined || values.out === undefined || token === undefined || token === "") {
  endWithUsage(USAGE);
}
try {
  const lines = await exportAll(
    operatorCalls(values.url.replace(/\/+$/, ""), "/admin/v1/transfer", token),
    values.out,
    (done) => {
      if (done % 100 === 0) console.log(`${done} lines`);
    },
  );
  console.log(`done: ${lines} lines`);
} catch (error) {
  console.error(error instanceof Error ? error.message : "export-all stopped");
  process.exit(1);
}
