// The webhook path over real HTTP, on workerd and on Deno side by side: signature, one read,
// recognition, one ledger call, answer.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signWebhook } from "../../src/local/sandbox/signature.ts";
import { consent, expectCall, linkBank, signIn } from "../../src/local/api-client.ts";
import { startLocalDeno } from "../../src/local/deno-edge.ts";
import { buildBundles, startLocal } from "../../src/local/system.ts";
import type { LocalSystem } from "../../src/local/system.ts";
import { freePort } from "../../src/local/free-port.ts";
import { seed } from "../../src/local/seed.ts";

export type WebhookBench = {
  readonly runtime: string;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly perSecond: number;
};

const USERS = 8;
const WARM_UP = 20;
const ALONE = 100;
const TOGETHER = 40;
const ROWS = 5;

type Person = {
  readonly remoteUser: unknown;
  readonly connection: Record<string, unknown>;
  readonly account: Record<string, unknown>;
};

async function enrol(at: LocalSystem, index: number): Promise<Person> {
  const user = await signIn(at, `bench-${index}@example.org`);
  await consent(at, user.token);
  const linked = await linkBank(at, user.token, { history_months: "0", accounts: "checking" });
  const { accounts, all_accounts: all, ...connection } = await expectCall<
    Record<string, unknown> & {
      accounts?: Record<string, unknown>[];
      all_accounts?: Record<string, unknown>[];
    }
  >(
    200,
    "GET",
    `${at.sandboxUrl}/connections/${linked.remoteConnectionId}`,
  );
  const account = (accounts ?? all ?? []).find((item) =>
    item["disabled"] === null && item["type"] === "checking"
  );
  if (account === undefined) throw new Error("no account in the connection");
  return { remoteUser: connection["id_user"], connection, account };
}

let nextRow = 700_000_000;

function bodyOf({ remoteUser, connection, account }: Person): string {
  const today = new Date().toISOString().slice(0, 10);
  const transactions = Array.from({ length: ROWS }, () => ({
    id: nextRow++,
    id_account: account["id"],
    date: today,
    rdate: today,
    application_date: today,
    value: -(1000 + (nextRow % 5000)) / 100,
    type: "card",
    coming: false,
    active: true,
    deleted: null,
    original_wording: "CB MONOPRIX 75011",
    simplified_wording: "MONOPRIX",
    wording: "MONOPRIX",
    last_update: account["last_update"],
    date_scraped: account["last_update"],
    original_currency: null,
    original_value: null,
    card: null,
    counterparty: null,
  }));
  return JSON.stringify({
    user: { id: remoteUser, signin: "2026-01-01 00:00:00", platform: "sharedAccess" },
    connection: { ...connection, accounts: [{ ...account, transactions }] },
    id_webhook_data: nextRow,
  });
}

/** Delivers one webhook of new rows and returns how long its answer took. */
async function deliver(at: LocalSystem, person: Person): Promise<number> {
  const path = "/webhooks/powens/connection-synced";
  const date = new Date().toISOString();
  const payload = bodyOf(person);
  const signature = await signWebhook({
    secret: at.secrets.POWENS_WEBHOOK_SECRET,
    path,
    date,
    payload,
  });
  const startedMs = performance.now();
  const answer = await fetch(at.edgeUrl + path, {
    method: "POST",
    body: payload,
    headers: {
      "Content-Type": "application/json",
      "BI-Signature": signature,
      "BI-Signature-Date": date,
    },
  });
  if (answer.status !== 200) throw new Error(`a webhook was answered ${answer.status}`);
  return performance.now() - startedMs;
}

async function measure(runtime: string, start: typeof startLocal): Promise<WebhookBench> {
  const dataDir = await mkdtemp(join(tmpdir(), "cagnotte-bench-"));
  const at = await start({ port: await freePort(), sandboxPort: await freePort(), dataDir });
  try {
    await seed({ ...at, dataDir });
    const people: Person[] = [];
    for (let index = 0; index < USERS; index++) people.push(await enrol(at, index));
    const [first] = people;
    if (first === undefined) throw new Error("nobody");
    for (let count = 0; count < WARM_UP; count++) await deliver(at, first);
    const times: number[] = [];
    for (let count = 0; count < ALONE; count++) times.push(await deliver(at, first));
    times.sort((a, b) => a - b);
    const startedMs = performance.now();
    await Promise.all(people.map(async (person) => {
      for (let count = 0; count < TOGETHER; count++) await deliver(at, person);
    }));
    const perSecond = (USERS * TOGETHER * 1000) / (performance.now() - startedMs);
    return {
      runtime,
      medianMs: times[Math.floor(times.length / 2)] ?? 0,
      p95Ms: times[Math.floor(times.length * 0.95)] ?? 0,
      perSecond,
    };
  } finally {
    await at.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Runs both editions, one after the other. */
export async function benchWebhooks(): Promise<readonly WebhookBench[]> {
  await buildBundles();
  return [await measure("workerd", startLocal), await measure("Deno", startLocalDeno)];
}

export function formatWebhooks(results: readonly WebhookBench[]): string {
  return results.map(({ runtime, medianMs, p95Ms, perSecond }) =>
    `${runtime.padEnd(8)} ${medianMs.toFixed(1)} ms (median), ${p95Ms.toFixed(1)} ms (95 %), ${
      Math.round(perSecond)
    } webhooks a second from ${USERS} users at once, ${ROWS} new purchases each`
  ).join("\n");
}
