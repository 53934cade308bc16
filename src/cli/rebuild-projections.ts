// Rebuilds the projections of a running system, step by step until it is done: npm run -s
// rebuild-projections -- --url https://… The operator's token (role owner) comes from
// OPERATOR_TOKEN. A step that fails is tried again; `--cursor` goes on after a stop.
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { readOptions } from "./options.ts";

type Step = {
  readonly done: boolean;
  readonly total: { readonly rebuilt: number; readonly failed: number };
  readonly next_cursor: string | null;
};

const TRIES_MAX = 5;
const PAUSE_MS = 2_000;

async function step(url: string, token: string, cursor: string | null): Promise<Step> {
  // One key for all tries of a step: one that was done and whose answer was lost is not done again.
  const key = randomUUID();
  for (let attempt = 1;; attempt++) {
    const response = await fetch(`${url}/admin/v1/projections/rebuild`, {
      method: "POST",
      redirect: "manual",
      body: JSON.stringify({ cursor }),
      headers: {
        Authorization: `Bearer ${token}`,
        "Content-Type": "application/json",
        "Idempotency-Key": key,
      },
    }).catch(() => null);
    if (response?.ok === true) return (await response.json()) as Step;
    const retryable = response === null || response.status >= 500 || response.status === 409;
    await response?.body?.cancel();
    if (!retryable || attempt === TRIES_MAX) {
      throw new Error(
        `the rebuild stopped: ${response === null ? "no answer" : `status ${response.status}`}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

const USAGE =
  "OPERATOR_TOKEN=TOKEN npm run -s rebuild-projections -- [--url URL] [--cursor CURSOR]";
const { values } = readOptions(
  USAGE,
  () => parseArgs({ options: { url: { type: "string" }, cursor: { type: "string" } } }),
);
const token = process.env["OPERATOR_TOKEN"];
const url = (values.url ?? `http://127.0.0.1:${process.env["PORT"] ?? "8787"}`).replace(/\/+$/, "");
if (token === undefined || token === "") {
  console.error(
    "OPERATOR_TOKEN is missing. Locally: OPERATOR_TOKEN=$(npm run -s token -- --role owner --subject alice) npm run -s rebuild-projections",
  );
  process.exit(2);
}
let cursor: string | null = values.cursor ?? null;
try {
  for (;;) {
    const done = await step(url, token, cursor);
    console.log(
      `${done.total.rebuilt} ledgers projected again, ${done.total.failed} failed${
        done.done ? ", done" : ""
      }`,
    );
    if (done.done) process.exit(done.total.failed === 0 ? 0 : 1);
    cursor = done.next_cursor;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : "the rebuild stopped");
  if (cursor !== null) console.error(`go on with: --cursor ${cursor}`);
  process.exit(1);
}
