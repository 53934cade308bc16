// npm run bench: the measured speeds of NUMBERS.md in one run, side by side with what it is
// compared to. Medians and ratios; nothing here passes or fails, since a time on a shared machine
// proves nothing.
import { benchLedger } from "./ledger.ts";
import { benchLedgerWorkerd } from "./ledger-workerd.ts";
import { benchRecognition, formatRecognition } from "./recognition.ts";
import { benchWebhooks, formatWebhooks } from "./webhook.ts";

const only = process.argv[2];
if (only === undefined || only === "recognition") {
  console.log(`# Recognition\n${formatRecognition(benchRecognition())}`);
}
if (only === undefined || only === "ledger") {
  const ledger = benchLedger();
  console.log([
    "\n# Ledger (node:sqlite, WAL, one file)",
    `500 earned purchases in one call   ${ledger.batch500Ms.toFixed(1)} ms (median)`,
    `the same 500 under new ids         ${ledger.duplicates500Ms.toFixed(1)} ms`,
    `rows a second through the engine   ${Math.round(ledger.engineRowsPerSecond)}`,
    `bare single-row inserts a second   ${Math.round(ledger.bareRowsPerSecond)}`,
    `ratio                              ${ledger.ratio.toFixed(2)}`,
    `balance and first page of entries  ${ledger.screenMs.toFixed(2)} ms`,
  ].join("\n"));
  const workerd = await benchLedgerWorkerd();
  console.log([
    "\n# Ledger (workerd, inside one Durable Object)",
    `500 earned purchases in one call   ${
      workerd.batch500Ms.toFixed(1)
    } ms (median, with the way there and back)`,
    `the same 500 under new ids         ${workerd.duplicates500Ms.toFixed(1)} ms`,
    `rows written a second, engine       ${Math.round(workerd.engineRowsPerSecond)}`,
    `rows written a second, bare inserts ${Math.round(workerd.bareRowsPerSecond)}`,
    `ratio                              ${workerd.ratio.toFixed(2)}`,
  ].join("\n"));
}
if (only === undefined || only === "webhook") {
  console.log(
    `\n# Webhook (HTTP, local files, one machine with its sandbox and its caller)\n${
      formatWebhooks(await benchWebhooks())
    }`,
  );
}
