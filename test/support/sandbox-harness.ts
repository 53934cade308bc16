// Boots the sandbox's bundle in miniflare beside a small receiver that plays the product, and
// drives both over real HTTP. The receiver checks each signature over the raw bytes with Node's own
// crypto. For tests in Node only; the sandbox itself never imports this.
import { createHmac, generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { buildBundles } from "../../src/local/system.ts";
import { freePort } from "../../src/local/free-port.ts";

export interface Received {
  path: string;
  body: string;
  signed: boolean;
  date: string;
}
export interface Row {
  id: number;
  id_account: number;
  value: number;
  type: string;
  original_wording: string;
  coming: boolean;
  deleted: string | null;
  new?: boolean;
}
export interface Control {
  delivered: boolean;
  status: number | null;
  rows: Row[];
  webhooks: { id_webhook_data: number; delivered: boolean }[];
  connection_id: number;
  account: number;
  reason?: string;
}
export interface Page {
  transactions: Row[];
  _links: { next: { href: string } | null };
}
export interface Synced {
  connection: { id: number; state: string | null; accounts: { id: number; transactions: Row[] }[] };
  id_webhook_data: number;
  user: { id: number };
}

/** A user with a connection, as the redirect says. */
export interface Connected {
  token: string;
  idUser: number;
  login: string;
  location: URL;
  connectionId: number;
}

/** As `refuseWith`: take the request and never answer. */
export const hang = -1;
const dayMs = 86_400_000;
/** "Connecteur de test". */
export const testBank = "338178e6-3d01-564f-9a7b-52ca442459bf";
/** The operators' signing key of this run. */
export const accessKey = {
  ...generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }),
  kid: "access-1",
};

/**
 * What a test may read and turn: the sandbox's address, what the receiver answers, the text in a
 * body from which on it accepts again, how far the clock runs ahead, and how many deliveries were
 * tried.
 */
export const world = { base: "", refuseWith: 0, acceptFrom: "", aheadMs: 0, seen: 0 };
/** What the receiver accepted so far, oldest first. */
export const received: Received[] = [];
let folder = "";
let bundle = "";
let receiver: Server;
let edgeUrl = "";
let sandbox: Miniflare;
let port = 0;

function startReceiver(): Promise<void> {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      if (request.url === "/__local/clock") {
        const { advance } = JSON.parse(body.toString()) as { advance: string };
        world.aheadMs += Number(/^P(\d+)D$/u.exec(advance)?.[1]) * dayMs;
        response.end("{}");
        return;
      }
      if (request.method === "GET") {
        response.end("a page that says nothing about the webhook");
        return;
      }
      world.seen += 1;
      if (world.acceptFrom !== "" && body.includes(world.acceptFrom)) {
        Object.assign(world, { refuseWith: 0, acceptFrom: "" });
      }
      const date = String(request.headers["bi-signature-date"]);
      const expected = createHmac("sha256", "first").update(`POST.${request.url}.${date}.`).update(
        body,
      ).digest("base64");
      if (world.refuseWith === 0) {
        received.push({
          path: request.url ?? "",
          body: body.toString(),
          signed: request.headers["bi-signature"] === expected,
          date,
        });
      }
      if (world.refuseWith === hang) return;
      response.statusCode = world.refuseWith === 0 ? 200 : world.refuseWith;
      if (world.refuseWith === 302) response.setHeader("location", "/elsewhere");
      response.end('{"received":true}');
    });
  });
  return new Promise((done) => {
    receiver.listen(0, "127.0.0.1", () => {
      edgeUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
      done();
    });
  });
}

/** Starts the sandbox on the folder of this run. */
export async function startSandbox(): Promise<void> {
  const text = (value: string) => ({ type: "text" as const, value });
  sandbox = new Miniflare({
    host: "127.0.0.1",
    port,
    resourcePersistencePath: join(folder, "data"),
    workers: [{
      config: {
        name: "sandbox",
        compatibilityDate: "2026-11-01",
        compatibilityFlags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
        manifest: {
          mainModule: "worker.js",
          modules: { "worker.js": { type: "esm", contents: bundle } },
        },
        exports: { SandboxBank: { type: "durable-object", storage: "sqlite" } },
        env: {
          BANK: { type: "durable-object", worker: "sandbox", exportName: "SandboxBank" },
          EDGE_URL: text(edgeUrl),
          PUBLIC_URL: text(`http://127.0.0.1:${port}`),
          POWENS_CLIENT_ID: text("12345678"),
          POWENS_CLIENT_SECRET: text("secret"),
          POWENS_WEBHOOK_SECRET: text("first,second"),
          EMAIL_DELIVERY_TOKEN: text("mail-token"),
          ACCESS_SIGNING_KEY: text(JSON.stringify(accessKey)),
          ACCESS_AUDIENCE: text("audience"),
          LOCAL_CLOCK: {
            type: "fetcher",
            handler: () => Response.json({ now_ms: Date.now() + world.aheadMs }) as never,
          },
        },
      },
    }],
  });
  world.base = (await sandbox.ready).origin;
}

/** Calls a control (or the API without a token) and reads its JSON. */
export async function post<T = Control>(path: string, body: object = {}): Promise<T> {
  const response = await fetch(`${world.base}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return await response.json<T>();
}

/** Calls the API with a user token; takes a path under `/2.0` or an absolute link. */
export function api(path: string, token: string, init: RequestInit = {}): Promise<Response> {
  return fetch(path.startsWith("http") ? path : `${world.base}/2.0${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  });
}

/** A permanent user, as the product makes one. */
export async function newUser(): Promise<{ token: string; idUser: number }> {
  const body = await post<{ auth_token: string; id_user: number; expires_in: null }>(
    "/2.0/auth/init",
    { client_id: "12345678", client_secret: "secret" },
  );
  return { token: body.auth_token, idUser: body.id_user };
}

/** The address of a webview flow, with a fresh code unless the token is null. */
export async function webviewLink(
  token: string | null,
  flow = "connect",
  extra: Record<string, string> = {},
): Promise<string> {
  const query = new URLSearchParams({
    domain: "local-sandbox.biapi.pro",
    client_id: "12345678",
    redirect_uri: "myapp://done",
    state: "s-1",
    ...extra,
  });
  if (token !== null) {
    query.set(
      "code",
      (await (await api("/auth/token/code?type=singleAccess", token)).json<{ code: string }>())
        .code,
    );
  }
  return `${world.base}/webview/fr/${flow}?${query.toString()}`;
}

/** Sends a form of the webview without following the redirect. */
export function submit(
  link: string,
  fields: Record<string, string> | string[][],
): Promise<Response> {
  return fetch(link, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
}

/** Connects a bank in one request; the login is new unless given. */
export async function connect(
  login = `user-${Math.random().toString(36).slice(2)}`,
  user?: { token: string; idUser: number },
  months = "1",
): Promise<Connected> {
  const owner = user ?? (await newUser());
  const answer = await submit(await webviewLink(owner.token), [
    ["connector_uuid", testBank],
    ["login", login],
    ["password", "1234"],
    ["accounts", "checking"],
    ["accounts", "card"],
    ["history_months", months],
  ]);
  const location = new URL(answer.headers.get("location") ?? "none:");
  return {
    ...owner,
    login,
    location,
    connectionId: Number(location.searchParams.get("connection_id")),
  };
}

/** Every transaction of a user, all pages. */
export async function transactions(token: string, query = ""): Promise<Row[]> {
  const rows: Row[] = [];
  for (let next: string | null = `/users/me/transactions?limit=1000${query}`; next !== null;) {
    const page: Page = await (await api(next, token)).json<Page>();
    rows.push(...page.transactions);
    next = page._links.next?.href ?? null;
  }
  return rows;
}

/** The CONNECTION_SYNCED bodies received so far. */
export const synced = (): Synced[] =>
  received.filter(({ path }) => path.endsWith("/connection-synced")).map(({ body }) =>
    JSON.parse(body) as Synced
  );
/** The rows that one of them carries. */
export const pushedRows = (one: Synced | undefined): Row[] =>
  one?.connection.accounts.flatMap((account) => account.transactions) ?? [];

/** How long the sandbox of a test waits before it tries a failed webhook again. */
export const retryMs = 300;

/**
 * Starts everything on free ports and a fresh folder, from the bundle that the local system runs
 * too.
 */
export async function startWorld(): Promise<void> {
  await buildBundles();
  folder = await mkdtemp(join(tmpdir(), "cagnotte-sandbox-"));
  bundle = await readFile(resolve(import.meta.dirname, "../../.build/sandbox/worker.js"), "utf8");
  port = await freePort();
  await startReceiver();
  await startSandbox();
  await post("/settings", { retry_ms: retryMs });
}

/** Ends the sandbox's process; its folder stays. */
export function stopSandbox(): Promise<void> {
  return sandbox.dispose();
}

/** Ends everything and removes the folder. */
export async function stopWorld(): Promise<void> {
  await sandbox.dispose();
  receiver.closeAllConnections();
  await new Promise((done) => receiver.close(done));
  await rm(folder, { recursive: true, force: true });
}

/** Starts one sandbox for all tests of a file; no test sees another's faults or deliveries. */
export function useWorld(): void {
  beforeAll(startWorld);
  afterAll(stopWorld);
  beforeEach(async () => {
    world.refuseWith = 0;
    await fetch(`${world.base}/faults`, { method: "DELETE" });
    await post("/webhooks/release");
    await post("/webhooks/flush");
    received.length = 0;
  });
}
