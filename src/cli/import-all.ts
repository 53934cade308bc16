// Loads a file of export-all into an empty system with the same keys: npm run -s import-all --
// --url https://… --token … --in system.archive The token is an owner's; OPERATOR_TOKEN keeps it
// out of the shell's history. Run again after a stop: it goes on.
import { parseArgs } from "node:util";
import { endWithUsage, readOptions } from "./options.ts";
import { importAll } from "./archive-transfer.ts";
import { operatorCalls } from "./admin-client.ts";

const USAGE =
  "npm run -s import-all -- --url URL --token TOKEN --in FILE (the token of an owner, or OPERATOR_TOKEN)";
const { values } = readOptions(
  USAGE,
  () =>
    parseArgs({
      options: { url: { type: "string" }, token: { type: "string" }, in: { type: "string" } },
    }),
);
const token = values.token ?? process.env["OPERATOR_TOKEN"];
if (values.url === undefined || values.in === undefined || token === undefined || token === "") {
  endWithUsage(USAGE);
}
try {
  const lines = await importAll(
    operatorCalls(values.url.replace(/\/+$/, ""), "/admin/v1/transfer", token),
    values.in,
    (done) => {
      if (done % 100 === 0) console.log(`${done} lines`);
    },
  );
  console.log(`done: ${lines} lines`);
} catch (error) {
  console.error(error instanceof Error ? error.message : "import-all stopped");
  process.exit(1);
}
