// npm run snapshot -- DATA_DIR TARGET copies the folder of a Deno server, running or not, and
// checks the copy; npm run snapshot -- --check FOLDER checks a copy alone, for the restore drill.
import { checkSnapshot, takeSnapshot } from "../platform/deno/snapshot.ts";

const [first = "", second = ""] = process.argv.slice(2);
if (first === "" || second === "") {
  console.error(
    "usage: npm run snapshot -- DATA_DIR TARGET, or npm run snapshot -- --check FOLDER",
  );
  process.exit(2);
}
try {
  if (first !== "--check") console.log(`${takeSnapshot(first, second)} files copied to ${second}`);
  const { users, transactions, broken } = checkSnapshot(second);
  for (const line of broken) console.error(line);
  console.log(`${users} ledgers, ${transactions} transactions, ${broken.length} faults`);
  process.exit(broken.length === 0 ? 0 : 1);
} catch (error) {
  console.error(`no snapshot: ${error instanceof Error ? error.message : "failed"}`);
  process.exit(1);
}
