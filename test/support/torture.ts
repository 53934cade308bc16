// npm run torture -- --kills 100 [--users 12] [--runtime workerd|deno]: the edge under load from many users while it is killed with
// SIGKILL at random moments and started again on the same data. Then every webhook that was answered 200 must be there exactly once
// and every balance must equal the model. Loopback only, bounded, and it ends what it started.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { signWebhook } from "../sandbox/signature.ts";
import { consent, expectCall, linkBank, signIn } from "./client.ts";
import type { Addresses } from "./client.ts";
import { buildBundles, localSecrets, startSandbox } from "./local.ts";
import { freePort } from "./ports.ts";
import { seed } from "./seed.ts";

const { values } = parseArgs({ options: { kills: { type: "string", default: "20" }, users: { type: "string", default: "12" }, runtime: { type: "string", default: "workerd" } } });
const kills = Number(values.kills);
const users = Number(values.users);
const DENO = values.runtime === "deno";
// Monoprix earns 3 %, and a programme point is a cent.
const pointsOf = (cents: number): number => Math.floor((cents * 300) / 10_000);

type Person = { readonly token: string; readonly email: string; readonly remoteUser: number; readonly connection: Record<string, unknown>; readonly account: Record<string, unknown> };
// Every row has an amount of its own, so that a row lost and another doubled cannot cancel out.
type Sent = { readonly person: Person; readonly amounts: readonly number[]; readonly body: string; answered: boolean };

const dataDir = await mkdtemp(join(tmpdir(), "cagnotte-torture-"));
const port = await freePort();
const sandboxPort = await freePort();
const at: Addresses = { edgeUrl: `http://127.0.0.1:${port}`, sandboxUrl: `http://127.0.0.1:${sandboxPort}` };

let edge: ChildProcess | null = null;

async function startEdgeProcess(): Promise<void> {
  const command: [string, string[]] = DENO
    ? [resolve("node_modules/.bin/node"), ["test/support/serve-deno.ts", String(port), String(sandboxPort), dataDir]]
    : [process.execPath, ["test/support/serve-edge.ts", String(port), String(sandboxPort), dataDir]];
  // A process group of its own: the kill must reach the runtime itself, not only what started it.
  const child = spawn(...command, { detached: true, stdio: ["ignore", "pipe", "inherit"], env: process.env });
  edge = child;
  // The process says that it is up once its tables are there, which is later than the first answer of /healthz.
  await new Promise<void>((up, fail) => {
    const late = setTimeout(() => fail(new Error("the edge did not come up")), 30_000);
    child.stdout.once("data", () => {
      clearTimeout(late);
      up();
    });
    child.once("exit", () => fail(new Error("the edge ended by itself")));
  });
}

async function killEdge(): Promise<void> {
  const child = edge;
  if (child?.pid === undefined) return;
  const gone = new Promise((done) => child.once("exit", done));
  process.kill(-child.pid, "SIGKILL");
  await gone;
  edge = null;
}

const FIRST_ROW = 900_000_000;
let nextRow = FIRST_ROW;
let nextData = 1;

function webhook(person: Person, rows: number): Sent {
  const rowIds = Array.from({ length: rows }, () => nextRow++);
  const amounts = rowIds.map((id) => 1000 + id - FIRST_ROW);
  const today = new Date().toISOString().slice(0, 10);
  const transactions = rowIds.map((id, index) => ({
    id, id_account: person.account["id"], date: today, rdate: today, application_date: today, value: -(amounts[index] ?? 0) / 100, type: "card", coming: false, active: true, deleted: null,
    original_wording: "CB MONOPRIX 75011", simplified_wording: "MONOPRIX", wording: "MONOPRIX", last_update: person.account["last_update"],
    date_scraped: person.account["last_update"], original_currency: null, original_value: null, card: null, counterparty: null,
  }));
  const body = JSON.stringify({
    user: { id: person.remoteUser, signin: "2026-01-01 00:00:00", platform: "sharedAccess" },
    connection: { ...person.connection, accounts: [{ ...person.account, transactions }] },
    id_webhook_data: nextData++,
  });
  return { person, amounts, body, answered: false };
}

async function deliver(sent: Sent, secret: string): Promise<boolean> {
  const path = "/webhooks/powens/connection-synced";
  const date = new Date().toISOString();
  const signature = await signWebhook({ secret, path, date, payload: sent.body });
  const status = await fetch(at.edgeUrl + path, {
    method: "POST", body: sent.body, signal: AbortSignal.timeout(20_000), headers: { "Content-Type": "application/json", "BI-Signature": signature, "BI-Signature-Date": date },
  }).then((response) => response.status, () => 0);
  if (status === 200) sent.answered = true;
  else if (status !== 0 && status !== 503) throw new Error(`a webhook was answered ${status}`);
  return sent.answered;
}

async function enrol(index: number): Promise<Person> {
  const user = await signIn(at, `torture-${index}@example.org`);
  await consent(at, user.token);
  const linked = await linkBank(at, user.token, { history_months: "0", accounts: "checking" });
  const connection = await expectCall<Record<string, unknown>>(200, "GET", `${at.sandboxUrl}/connections/${linked.remoteConnectionId}`);
  const { accounts, all_accounts: allAccounts, ...rest } = connection as { accounts?: Record<string, unknown>[]; all_accounts?: Record<string, unknown>[] } & Record<string, unknown>;
  const account = (accounts ?? allAccounts ?? []).find((item) => item["disabled"] === null && item["type"] === "checking");
  if (account === undefined) throw new Error("no account in the connection");
  return { token: user.token, email: user.email, remoteUser: Number(rest["id_user"]), connection: rest, account };
}

async function load(people: readonly Person[], secret: string, sent: Sent[], until: () => boolean): Promise<void> {
  await Promise.all(people.map(async (person) => {
    while (!until()) {
      const one = webhook(person, 1 + Math.floor(Math.random() * 5));
      sent.push(one);
      // Each delivery is tried a few times while the edge comes and goes; what is never answered stays open for the end.
      for (let attempt = 0; attempt < 3 && !(await deliver(one, secret)); attempt++) await new Promise((done) => setTimeout(done, 100));
    }
  }));
}

async function allPurchases(token: string): Promise<{ id: string; amount_cents: number; label: string }[]> {
  const all: { id: string; amount_cents: number; label: string }[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: { data: typeof all; next_cursor: string | null } = await expectCall(
      200, "GET", `${at.edgeUrl}/v1/purchases?limit=100${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`, undefined, { token });
    all.push(...page.data);
    cursor = page.next_cursor;
  }
  return all;
}

/** Compares what the ledgers hold with what was sent. Returns how many rows are missing and how many stand twice. */
async function check(people: readonly Person[], sent: readonly Sent[], onlyAnswered: boolean): Promise<{ lost: number; doubled: number; wrongBalances: number }> {
  let lost = 0;
  let doubled = 0;
  let wrongBalances = 0;
  for (const person of people) {
    const { token } = await signIn(at, person.email);
    const mine = sent.filter((one) => one.person.email === person.email);
    const found = (await allPurchases(token)).map((purchase) => purchase.amount_cents);
    const distinct = new Set(found);
    lost += mine.filter((one) => one.answered || !onlyAnswered).flatMap((one) => one.amounts).filter((cents) => !distinct.has(cents)).length;
    doubled += found.length - distinct.size;
    const points = await expectCall<{ pending: number; available: number }>(200, "GET", `${at.edgeUrl}/v1/points`, undefined, { token });
    if (points.pending + points.available !== found.reduce((sum, cents) => sum + pointsOf(cents), 0)) wrongBalances += 1;
  }
  return { lost, doubled, wrongBalances };
}

const startedMs = Date.now();
await buildBundles();
const sandbox = await startSandbox({ port, sandboxPort, dataDir });
let failed = true;
try {
  await startEdgeProcess();
  const secrets = await localSecrets(dataDir);
  await seed({ ...at, secrets, dataDir });
  const people: Person[] = [];
  for (let index = 0; index < users; index++) people.push(await enrol(index));
  const sent: Sent[] = [];
  let done = false;
  const loading = load(people, secrets.POWENS_WEBHOOK_SECRET, sent, () => done);
  for (let kill = 1; kill <= kills; kill++) {
    await new Promise((next) => setTimeout(next, 200 + Math.random() * 800));
    await killEdge();
    await startEdgeProcess();
    if (kill % 10 === 0) console.log(`${kill} kills, ${sent.length} webhooks, ${sent.filter((one) => one.answered).length} answered`);
  }
  done = true;
  await loading;
  const afterKills = await check(people, sent, true);
  const open = sent.filter((one) => !one.answered);
  for (const one of open) if (!(await deliver(one, secrets.POWENS_WEBHOOK_SECRET))) throw new Error("a redelivery failed on a healthy edge");
  const atEnd = await check(people, sent, false);
  const rows = sent.flatMap((one) => one.amounts).length;
  console.log(
    `${values.runtime}: ${kills} kills with SIGKILL, ${users} users, ${sent.length} webhooks, ${rows} purchases, ${open.length} unanswered and redelivered; ` +
      `lost ${afterKills.lost + atEnd.lost}, doubled ${afterKills.doubled + atEnd.doubled}, wrong balances ${afterKills.wrongBalances + atEnd.wrongBalances}; ` +
      `${((Date.now() - startedMs) / 1000).toFixed(0)} s`,
  );
  failed = [afterKills, atEnd].some(({ lost, doubled, wrongBalances }) => lost + doubled + wrongBalances > 0);
} finally {
  await killEdge();
  await sandbox.dispose();
  await rm(dataDir, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
