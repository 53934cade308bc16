// npm run torture -- --kills 100 [--users 12] [--seed 7] [--runtime workerd|deno]: the edge under
// load from many users while it is killed with SIGKILL at random moments and started again on the
// same data: purchases, reserved rows, refunds, corrections, rows taken back, a budget that runs
// out. Then ledgers, D1 and budget must be what an independent model says. Loopback only, bounded,
// ends what it started.
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { endWithUsage, readOptions } from "../../src/cli/options.ts";
import { signWebhook } from "../../src/local/sandbox/signature.ts";
import { seededRng } from "../simulation/random.ts";
import type { Rng } from "../simulation/random.ts";
import { consent, expectCall, linkBank, signIn } from "../../src/local/api-client.ts";
import type { Addresses } from "../../src/local/api-client.ts";
import { localSecrets, openLocalClock } from "../../src/local/data-folder.ts";
import { buildBundles, startSandbox } from "../../src/local/system.ts";
import { operatorToken } from "../../src/local/operator-token.ts";
import { freePort } from "../../src/local/free-port.ts";
import type { LocalSecrets } from "../../src/local/settings.ts";
import { seed as seedCatalogue } from "../../src/local/seed.ts";
import { labelOf, openBank } from "./bank.ts";
import type { Bank, Message } from "./bank.ts";
import {
  checkFigures,
  checkLedger,
  complain,
  liabilityEquals,
  readAll,
  readFigures,
} from "./checks.ts";
import type { Entry, Faults, Figures, Liability, Points, Seen, Shown } from "./checks.ts";
import { readDeadFiles, tortureEdge } from "./edge.ts";
import type { DeadFiles } from "./edge.ts";
import { addDays, BRANDS, grantOf } from "./model.ts";
import type { BrandName, Row } from "./model.ts";

const USAGE =
  "npm run torture -- [--kills 20] [--users 12] [--seed NUMBER] [--runtime workerd|deno]";
const text = { type: "string" } as const;
const { values } = readOptions(
  USAGE,
  () => parseArgs({ options: { kills: text, users: text, seed: text, runtime: text } }),
);
const [kills, users, seed] = [
  Number(values.kills ?? 20),
  Number(values.users ?? 12),
  Number(values.seed ?? Date.now() % 1_000_000),
];
const runtime = values.runtime === "deno" ? "deno" : "workerd";
if (
  ![kills, users, seed].every((value) => Number.isSafeInteger(value) && value >= 0) ||
  users === 0 || runtime !== (values.runtime ?? "workerd")
) endWithUsage(USAGE);

// Days of the past on which rows may be dated: refunds look for the newest purchase, and points of
// the older days are confirmed.
const PAST_DAYS = 5;
/** Used up early in a run of any length; refunds and rows taken back free some of it again. */
const BUDGET_POINTS = 1000 + 200 * kills;
/** An alarm that failed comes back within a minute; nothing else may keep D1 waiting. */
const SETTLE_MS = 150_000;
/**
 * Most deliveries are tried until the edge is back; every so many is left open, and comes in the
 * end.
 */
const TRIED_ONCE = 6;
const TRIES_MAX = 50;
/**
 * The ledgers' alarms that a kill stopped are counted at every such kill, from a copy of the files.
 */
const LOOK_EVERY_KILLS = 5;

type Person = {
  readonly email: string;
  readonly userId: string;
  readonly remoteUser: number;
  readonly connection: Record<string, unknown>;
  readonly account: Record<string, unknown>;
  readonly bank: Bank;
  readonly sent: Sent[];
};
type Sent = { readonly message: Message; readonly body: string; answered: boolean };
type World = {
  readonly secrets: LocalSecrets;
  readonly people: readonly Person[];
  readonly offers: Readonly<Record<BrandName, string>>;
  readonly nowMs: () => number;
};

const dataDir = await mkdtemp(join(tmpdir(), "cagnotte-torture-"));
const port = await freePort();
const sandboxPort = await freePort();
const at: Addresses = {
  edgeUrl: `http://127.0.0.1:${port}`,
  sandboxUrl: `http://127.0.0.1:${sandboxPort}`,
};
const edge = tortureEdge({ runtime, port, sandboxPort, dataDir });
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const parisDay = (ms: number): string =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Paris" }).format(ms);

function webhook(person: Person, message: Message, number: number): string {
  const firstMs = Date.parse(`${String(person.account["last_update"]).replace(" ", "T")}Z`);
  const transactions = message.lines.map(({ row, version }) => {
    const lastUpdate = new Date(firstMs + version.update * 1000).toISOString().slice(0, 19).replace(
      "T",
      " ",
    );
    const booked = version.state === "pending" ? null : row.date;
    return {
      id: row.id,
      id_account: person.account["id"],
      date: booked ?? row.date,
      rdate: row.date,
      application_date: row.date,
      value: ((row.kind === "refund" ? 1 : -1) * version.cents) / 100,
      type: "card",
      coming: version.state === "pending",
      active: true,
      deleted: version.state === "deleted" ? lastUpdate : null,
      original_wording: labelOf(row),
      simplified_wording: BRANDS[row.brand].label,
      wording: BRANDS[row.brand].label,
      last_update: lastUpdate,
      date_scraped: person.account["last_update"],
      original_currency: null,
      original_value: null,
      card: null,
      counterparty: null,
    };
  });
  return JSON.stringify({
    user: { id: person.remoteUser, signin: "2026-01-01 00:00:00", platform: "sharedAccess" },
    connection: { ...person.connection, accounts: [{ ...person.account, transactions }] },
    id_webhook_data: person.remoteUser * 1_000_000 + number,
  });
}

async function deliver(sent: Sent, secret: string): Promise<boolean> {
  const path = "/webhooks/powens/connection-synced";
  const date = new Date().toISOString();
  const signature = await signWebhook({ secret, path, date, payload: sent.body });
  const status = await fetch(at.edgeUrl + path, {
    method: "POST",
    body: sent.body,
    signal: AbortSignal.timeout(20_000),
    headers: {
      "Content-Type": "application/json",
      "BI-Signature": signature,
      "BI-Signature-Date": date,
    },
  }).then(async (response) => {
    await response.body?.cancel();
    return response.status;
  }, () => 0);
  if (status === 200) sent.answered = true;
  else if (status !== 0 && status !== 503) throw new Error(`a webhook was answered ${status}`);
  return sent.answered;
}

type Enrolled = {
  readonly email: string;
  readonly userId: string;
  readonly remoteConnectionId: number;
};

async function enrol(index: number): Promise<Enrolled> {
  const user = await signIn(at, `torture-${index}@example.org`);
  await consent(at, user.token);
  const linked = await linkBank(at, user.token, { history_months: "0", accounts: "checking" });
  return { email: user.email, userId: user.userId, remoteConnectionId: linked.remoteConnectionId };
}

async function personOf(enrolled: Enrolled, bank: Bank): Promise<Person> {
  const connection = await expectCall<Record<string, unknown>>(
    200,
    "GET",
    `${at.sandboxUrl}/connections/${enrolled.remoteConnectionId}`,
  );
  const { accounts, all_accounts: allAccounts, ...rest } = connection as {
    accounts?: Record<string, unknown>[];
    all_accounts?: Record<string, unknown>[];
  } & Record<string, unknown>;
  const account = (accounts ?? allAccounts ?? []).find((item) =>
    item["disabled"] === null && item["type"] === "checking"
  );
  if (account === undefined) throw new Error("no account in the connection");
  return {
    ...enrolled,
    remoteUser: Number(rest["id_user"]),
    connection: rest,
    account,
    bank,
    sent: [],
  };
}

/** The offer of each brand: one is the demo's, the others are made here. */
async function openOffers(token: string): Promise<Record<BrandName, string>> {
  type Brand = { id: string; name: string };
  const brands = await readAll<Brand>(`${at.edgeUrl}/admin/v1/brands`, token);
  const offers: Partial<Record<BrandName, string>> = {};
  for (const [key, brand] of Object.entries(BRANDS) as [BrandName, (typeof BRANDS)[BrandName]][]) {
    const brandId = brands.find(({ name }) => name === brand.name)?.id ?? "";
    const [known] = await readAll<{ id: string }>(
      `${at.edgeUrl}/admin/v1/offers?brand_id=${brandId}`,
      token,
    );
    const version = {
      kind: "percent",
      rate_bp: brand.rateBp,
      activation: "automatic",
      channel: "any",
      starts_at: "2026-01-01",
      ends_at: null,
      confirmation_days: brand.confirmationDays,
      priority: 100,
      ...(brand.budget ? { budget_points: BUDGET_POINTS } : {}),
    };
    const title = { fr: `Torture chez ${brand.name}`, en: `Torture at ${brand.name}` };
    offers[key] = known?.id ??
      (await expectCall<{ id: string }>(201, "POST", `${at.edgeUrl}/admin/v1/offers`, {
        brand_id: brandId,
        title,
        version,
      }, { token })).id;
  }
  return offers as Record<BrandName, string>;
}

async function openWorld(rng: Rng): Promise<World> {
  const secrets = await localSecrets(dataDir);
  await seedCatalogue({ ...at, secrets, dataDir });
  const { nowMs } = await openLocalClock(dataDir);
  // Before the days that rows may be dated on: an offer never reaches back.
  const offers = await openOffers(
    await operatorToken({
      secrets,
      issuer: at.sandboxUrl,
      role: "catalogue",
      subject: "alice",
      nowMs: nowMs(),
    }),
  );
  const enrolled: Enrolled[] = [];
  for (let index = 0; index < users; index++) enrolled.push(await enrol(index));
  await expectCall(200, "POST", `${at.sandboxUrl}/clock`, { advance: `P${PAST_DAYS}D` });
  const today = parisDay(nowMs());
  const days = Array.from(
    { length: PAST_DAYS },
    (_, index) => addDays(today, index + 1 - PAST_DAYS),
  );
  const people: Person[] = [];
  for (const [index, one] of enrolled.entries()) {
    people.push(await personOf(one, openBank(rng.fork(index), index, days)));
  }
  return { secrets, people, offers, nowMs };
}

function post(person: Person, message: Message): Sent {
  const one: Sent = {
    message,
    body: webhook(person, message, person.sent.length),
    answered: false,
  };
  person.sent.push(one);
  return one;
}

/**
 * Each user's messages one after the other, while the edge comes and goes; what is never answered
 * comes late, out of order.
 */
async function load({ people, secrets }: World, done: () => boolean): Promise<void> {
  const secret = secrets.POWENS_WEBHOOK_SECRET;
  await Promise.all(people.map(async (person) => {
    while (!done()) {
      const message = person.bank.next();
      const needed = person.sent.filter((one) =>
        !one.answered && one.message.lines.some(({ row }) => message.after.has(row.id))
      );
      for (const earlier of needed) while (!(await deliver(earlier, secret))) await pause(100);
      const one = post(person, message);
      const tries = person.sent.length % TRIED_ONCE === 0 ? 1 : TRIES_MAX;
      for (let attempt = 0; attempt < tries && !(await deliver(one, secret)); attempt++) {
        await pause(200);
      }
    }
  }));
}

async function killing(rng: Rng, world: World): Promise<number> {
  let untold = 0;
  for (let kill = 1; kill <= kills; kill++) {
    await pause(200 + rng.next() * 800);
    await edge.kill();
    if (kill % LOOK_EVERY_KILLS === 0) {
      const files = await readDeadFiles(dataDir);
      untold += files.transactions -
        [...files.heads.values()].reduce((sum, { sequence }) => sum + sequence, 0);
    }
    await edge.start();
    if (kill % 10 === 0) {
      console.log(
        `${kill} kills, ${world.people.reduce((sum, { sent }) => sum + sent.length, 0)} webhooks`,
      );
    }
  }
  return untold;
}

type Signed = { readonly person: Person; readonly token: string };

async function signAllIn(people: readonly Person[]): Promise<Signed[]> {
  const signed: Signed[] = [];
  for (const person of people) {
    signed.push({ person, token: (await signIn(at, person.email)).token });
  }
  return signed;
}

async function checkLedgers(
  signed: readonly Signed[],
  world: World,
  atRest: boolean,
  faults: Faults,
): Promise<Seen[]> {
  const seen = await Promise.all(signed.map(async ({ person, token }) => {
    const answered = new Set(
      person.sent.filter((one) => one.answered).flatMap((one) =>
        one.message.lines.map(({ row }) => row.id)
      ),
    );
    const ledger = {
      userId: person.userId,
      token,
      rows: person.bank.rows,
      answered,
      atRest,
      complete: person.sent.every((one) => one.answered),
    };
    return checkLedger(at.edgeUrl, ledger, parisDay(world.nowMs()), faults);
  }));
  const standing = seen.reduce((sum, { byBrand }) => sum + byBrand.leclerc, 0);
  if (standing > BUDGET_POINTS) {
    complain(faults, "wrong", `${standing} points stand under a budget of ${BUDGET_POINTS}`);
  }
  return seen;
}

const operator = (world: World, role: string): Promise<string> =>
  operatorToken({
    secrets: world.secrets,
    issuer: at.sandboxUrl,
    role,
    subject: "torture",
    nowMs: world.nowMs(),
  });

/**
 * Waits until the alarms have done what they are for, by themselves: budgets asked, D1 told.
 * Returns how long it took, or null.
 */
async function settled(signed: readonly Signed[], world: World): Promise<number | null> {
  const token = await operator(world, "auditor");
  const startedMs = Date.now();
  for (; Date.now() - startedMs < SETTLE_MS; await pause(500)) {
    const balances = await Promise.all(
      signed.map((one) =>
        expectCall<Points>(200, "GET", `${at.edgeUrl}/v1/points`, undefined, { token: one.token })
      ),
    );
    if (
      !liabilityEquals(
        await expectCall<Liability>(200, "GET", `${at.edgeUrl}/admin/v1/liability`, undefined, {
          token,
        }),
        balances,
      )
    ) continue;
    const waiting = await Promise.all(
      signed.map((one) => readAll<Shown>(`${at.edgeUrl}/v1/purchases?outcome=waiting`, one.token)),
    );
    if (
      !waiting.flat().some(({ verdict }) =>
        verdict.reasons.some(({ code }) => code === "budget_reserving")
      )
    ) return Date.now() - startedMs;
  }
  return null;
}

/** What is left of the budget, no more and no less, can still be earned. */
async function probeBudget(
  signed: readonly Signed[],
  world: World,
  seen: readonly Seen[],
  faults: Faults,
): Promise<void> {
  const [first] = signed;
  const left = BUDGET_POINTS - seen.reduce((sum, { byBrand }) => sum + byBrand.leclerc, 0);
  if (first === undefined) return;
  const { person, token } = first;
  const today = parisDay(world.nowMs());
  for (const points of [left + 1, left]) {
    if (points === 0) continue;
    const cents = points * (10_000 / BRANDS.leclerc.rateBp);
    const row: Row = {
      id: 990_000_000 + points,
      brand: "leclerc",
      kind: "purchase",
      date: today,
      versions: [{ cents, state: "booked", update: 1_000_000 }],
    };
    const body = webhook(person, {
      lines: [{ row, version: { cents, state: "booked", update: 1_000_000 } }],
      after: new Set(),
    }, 900_000 + points);
    await deliver(
      { message: { lines: [], after: new Set() }, body, answered: false },
      world.secrets.POWENS_WEBHOOK_SECRET,
    );
    if ((await settled(signed, world)) === null) {
      complain(faults, "wrong", "the budget did not answer");
    }
    const found = (await readAll<Shown>(`${at.edgeUrl}/v1/purchases?from=${today}`, token)).find((
      { label },
    ) => label === labelOf(row));
    const wanted = points > left ? 0 : grantOf("leclerc", cents);
    if (found?.verdict.points !== wanted) {
      complain(
        faults,
        "wrong",
        `with ${left} points left in the budget a purchase of ${points} earned ${found?.verdict.points}`,
      );
    }
  }
}

function rebuild(token: string): Promise<number> {
  return new Promise((done) => {
    execFile(process.execPath, ["src/cli/rebuild-projections.ts", "--url", at.edgeUrl], {
      env: { ...process.env, OPERATOR_TOKEN: token },
    }, (error, _stdout, stderr) => {
      if (error !== null) console.error(stderr);
      done(error === null ? 0 : 1);
    });
  });
}

/** D1 against the ledgers: as the outbox made it, then as a rebuild makes it. */
async function checkProjections(
  signed: readonly Signed[],
  world: World,
  seen: readonly Seen[],
  faults: Faults,
): Promise<void> {
  const entries = (await Promise.all(
    signed.map((one) => readAll<Entry>(`${at.edgeUrl}/v1/points/entries`, one.token)),
  )).flat();
  const auditor = await operator(world, "auditor");
  const told: Figures = await readFigures(at.edgeUrl, auditor);
  checkFigures(told, seen, entries, world.offers, faults);
  if ((await rebuild(await operator(world, "owner"))) !== 0) {
    complain(faults, "wrong", "the rebuild failed");
  }
  const rebuilt = await readFigures(at.edgeUrl, auditor);
  if (JSON.stringify(rebuilt) !== JSON.stringify(told)) {
    complain(faults, "wrong", "the rebuilt projections differ from what the outbox produced");
  }
}

/**
 * The files of the dead edge: D1's heads against the ledgers' own, the budget object against what
 * stands.
 */
async function checkFiles(world: World, seen: readonly Seen[], faults: Faults): Promise<void> {
  const files = await readDeadFiles(dataDir);
  for (const [index, person] of world.people.entries()) {
    const points = seen[index]?.points;
    const head = files.heads.get(person.userId);
    const wanted = {
      sequence: points?.ledger.sequence,
      head: points?.ledger.head,
      pending: points?.pending,
      available: points?.available,
      held: points?.held,
    };
    if (JSON.stringify(head) !== JSON.stringify(wanted)) {
      complain(
        faults,
        "wrong",
        `D1's head of ${person.userId} is ${JSON.stringify(head)} instead of ${
          JSON.stringify(wanted)
        }`,
      );
    }
  }
  const standing = seen.reduce((sum, { byBrand }) => sum + byBrand.leclerc, 0);
  checkBudget(files, standing, faults);
}

function checkBudget(
  { reserved, reservations }: DeadFiles,
  standing: number,
  faults: Faults,
): void {
  if (reserved !== standing || reservations !== standing) {
    complain(
      faults,
      "wrong",
      `the budget holds ${reserved} (${reservations}) for ${standing} points that stand`,
    );
  }
}

/** Kills the edge once more, looks at what is on the disk, and starts it again. */
async function lookWhileDead(look: () => Promise<void>): Promise<void> {
  await edge.kill();
  await look();
  await edge.start();
}

/**
 * Sends what was never answered, late and out of order, to a healthy edge. Returns how many
 * messages that were.
 */
async function redeliver({ people, secrets }: World, rng: Rng): Promise<number> {
  const open = rng.shuffled(people.flatMap(({ sent }) => sent.filter((one) => !one.answered)));
  const lanes = Array.from(
    { length: 4 },
    (_, lane) => open.filter((_each, index) => index % 4 === lane),
  );
  await Promise.all(lanes.map(async (lane) => {
    for (const one of lane) {
      if (!(await deliver(one, secrets.POWENS_WEBHOOK_SECRET))) {
        throw new Error("a redelivery failed on a healthy edge");
      }
    }
  }));
  return open.length;
}

function countsOf(people: readonly Person[]): string {
  const rows = people.flatMap(({ bank }) => bank.rows);
  const versions = rows.flatMap((row) => row.versions.slice(1).map(({ state }) => state));
  const count = (fits: (row: Row) => boolean): number => rows.filter(fits).length;
  return [
    `${people.reduce((sum, { sent }) => sum + sent.length, 0)} webhooks`,
    `${count(({ kind }) => kind === "purchase")} purchases`,
    `${count(({ versions: [first] }) => first?.state === "pending")} of them reserved first`,
    `${count(({ kind }) => kind === "refund")} refunds`,
    `${versions.filter((state) => state === "booked").length} changes`,
    `${versions.filter((state) => state === "deleted").length} rows taken back`,
  ].join(", ");
}

async function main(): Promise<boolean> {
  const rng = seededRng(seed);
  console.log(
    `seed ${seed}, ${runtime}, ${kills} kills, ${users} users, a budget of ${BUDGET_POINTS} points`,
  );
  await edge.start();
  const world = await openWorld(rng.fork(1));
  let done = false;
  const loading = load(world, () => done);
  const untold = await Promise.race([killing(rng.fork(2), world), loading.then(() => 0)]);
  done = true;
  await loading;
  const faults: Faults = { lost: 0, doubled: 0, wrong: 0 };
  const signed = await signAllIn(world.people);
  await checkLedgers(signed, world, false, faults);
  const open = await redeliver(world, rng.fork(3));
  const tookMs = await settled(signed, world);
  if (tookMs === null) {
    complain(faults, "wrong", `D1 or a budget is behind after ${SETTLE_MS / 1000} s`);
  }
  const before = await checkLedgers(signed, world, true, faults);
  const exhausted = before.reduce((sum, seen) => sum + seen.exhausted, 0);
  if (exhausted === 0 && kills >= 10) complain(faults, "wrong", "the budget never ran out");
  await lookWhileDead(() => checkFiles(world, before, faults));
  await checkProjections(signed, world, before, faults);
  await lookWhileDead(() => checkFiles(world, before, faults));
  await probeBudget(signed, world, before, faults);
  await edge.kill();
  checkBudget(await readDeadFiles(dataDir), BUDGET_POINTS, faults);
  console.log(
    `D1 knew ${untold} entries less than the ledgers at ${
      Math.floor(kills / LOOK_EVERY_KILLS)
    } kills looked at; it knew all ${
      ((tookMs ?? SETTLE_MS) / 1000).toFixed(1)
    } s after the last webhook`,
  );
  console.log(
    `${runtime}: ${kills} kills with SIGKILL, ${users} users, ${
      countsOf(world.people)
    }, ${open} messages unanswered and sent again out of order, ${exhausted} purchases beyond the budget; ` +
      `lost ${faults.lost}, doubled ${faults.doubled}, wrong ${faults.wrong}; seed ${seed}, ${
        ((Date.now() - startedMs) / 1000).toFixed(0)
      } s`,
  );
  return faults.lost + faults.doubled + faults.wrong === 0;
}

const startedMs = Date.now();
// The edge is a process group of its own, so whatever ends this process must end it too.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"] as const) {
  process.once(signal, () => process.exit(1));
}
process.on("exit", () => {
  edge.killNow();
  rmSync(dataDir, { recursive: true, force: true });
});
await buildBundles();
const sandbox = await startSandbox({ port, sandboxPort, dataDir });
let passed = false;
try {
  passed = await main();
} finally {
  await edge.kill();
  await sandbox.dispose();
}
process.exit(passed ? 0 : 1);
