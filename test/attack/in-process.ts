// The Deno edition in this process, from the sources or from a copy that was broken on purpose. What
// it calls (mail, operators' certificates, the aggregator) is answered here.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { operatorToken } from "../../src/local/operator-token.ts";
import { accessCertificates, signAccessToken } from "../../src/local/sandbox/access-token.ts";
import { localSettings, makeSecrets } from "../../src/local/settings.ts";
import type { openPlatform } from "../../src/platform/deno/platform.ts";
import { fakePowens, TEST_BANK } from "../support/fake-powens.ts";
import { exchange, signIn } from "./world.ts";
import type { User, World } from "./world.ts";

const EDGE = "http://127.0.0.1:1";
const OUTSIDE = "http://127.0.0.1:2";

/** Replacements in files of the sources: together the rule that an attack must miss. */
export type Breakage = readonly {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}[];

/** What can be done beside the edge because it is in this process. */
export type InProcessWorld = World & {
  readonly bank: ReturnType<typeof fakePowens>;
  readonly nowMs: () => number;
  /** Somebody with that address signs in once more; throws when refused. */
  readonly signIn: (email: string) => Promise<User>;
  /** Reads and writes the database past the application, as whoever holds its file can. */
  readonly database: (query: string, ...values: readonly string[]) => Record<string, unknown>[];
};

/** Copies the sources with the rule taken out. Beside them, so that packages are found. */
async function brokenSources(breakage: Breakage): Promise<string> {
  await mkdir(".build", { recursive: true });
  const folder = await mkdtemp(resolve(".build", "attack-"));
  await cp("src", join(folder, "src"), { recursive: true });
  for (const { file, from, to } of breakage) {
    const path = join(folder, file);
    const text = await readFile(path, "utf8");
    if (text.split(from).length !== 2) throw new Error(`not found once in ${file}: ${from}`);
    await writeFile(path, text.replace(from, () => to));
  }
  return folder;
}

/** Opens a system of its own under the system's temporary folder. */
export async function openInProcess(breakage: Breakage | null = null): Promise<InProcessWorld> {
  const broken = breakage === null ? null : await brokenSources(breakage);
  const module = pathToFileURL(join(broken ?? resolve("."), "src/platform/deno/platform.ts"));
  const loaded = await import(/* @vite-ignore */ module.href) as {
    openPlatform: typeof openPlatform;
  };
  const dataDir = await mkdtemp(join(tmpdir(), "cagnotte-attack-"));
  const secrets = await makeSecrets();
  const powens = fakePowens(OUTSIDE);
  const mails = new Map<string, string>();
  const lines: string[] = [];
  const original = globalThis.fetch;
  globalThis.fetch = outside(secrets.ACCESS_SIGNING_KEY, powens, mails);
  const log = {
    info: () => {},
    alert: (code: string) => void lines.push(code),
  };
  const { ACCESS_SIGNING_KEY: _notOurs, ...env } = secrets;
  const opened = loaded.openPlatform({
    dataDir,
    migrationsDir: "migrations",
    assetsDir: ".build/assets",
    // As a deployment after its rows of before were sealed: none may be without.
    env: { ...localSettings(EDGE, OUTSIDE), ...env, ROW_SEALS: "required" },
    limits: { api: 1e9, auth: 1e9 },
    log,
  });
  if (!opened.ok) throw new Error(`the system does not open: ${JSON.stringify(opened.error)}`);
  const { handle, platform, stop } = opened.value;
  const world: World = {
    name: "in process",
    send: (method, path, sent = {}) => exchange(handle, EDGE, method, path, sent),
    codeFor: async (email) => mails.get(email) ?? "",
    operator: (role, subject = "alice") =>
      operatorToken({ secrets, issuer: OUTSIDE, role, subject, nowMs: platform.clock.nowMs() }),
    operatorElsewhere: () =>
      signAccessToken({
        privateJwk: JSON.parse(secrets.ACCESS_SIGNING_KEY),
        audience: "another-application",
        issuer: OUTSIDE,
        subject: "alice@owner.local",
        nowMs: platform.clock.nowMs(),
      }),
    webhookSecret: secrets.POWENS_WEBHOOK_SECRET,
    redirectUri: "myapp://done",
    throughBank: (url) => visit(powens, url),
    advance: async (ms) => void (await platform.localClock?.advance(ms)),
    alerts: async (code) => lines.filter((line) => line === code).length,
    dispose: async () => {
      await stop();
      globalThis.fetch = original;
      await rm(dataDir, { recursive: true, force: true });
      if (broken !== null) await rm(broken, { recursive: true, force: true });
    },
  };
  return {
    ...world,
    bank: powens,
    nowMs: () => platform.clock.nowMs(),
    signIn: (email) => signIn(world, email),
    database: (query, ...values) => {
      const file = new DatabaseSync(join(dataDir, "cagnotte.sqlite"));
      try {
        return file.prepare(query).all(...values);
      } finally {
        file.close();
      }
    },
  };
}

/**
 * Somebody types credentials on the page. With a code in its address the connection is one more of
 * that code's user, and no code comes back; else a user is made, of whom everything has one number.
 */
async function visit(
  powens: ReturnType<typeof fakePowens>,
  authorizationUrl: string,
): Promise<Record<string, string>> {
  const given = new URL(authorizationUrl).searchParams.get("code");
  const known = given === null ? undefined : powens.state.codes.get(given);
  if (given !== null && known === undefined) return { error: "access_denied" };
  const { remoteUserId, code } = known === undefined
    ? powens.visitPage()
    : { remoteUserId: known, code: null };
  const user = powens.state.users.get(remoteUserId);
  const id = code === null ? remoteUserId + 100_000 : remoteUserId;
  user?.connections.set(id, {
    id,
    id_user: remoteUserId,
    connector_uuid: TEST_BANK,
    connector: { uuid: TEST_BANK, name: "Banque" },
    state: null,
    last_update: null,
    created: null,
    expire: null,
  });
  user?.accounts.set(id, {
    id,
    id_connection: id,
    id_user: remoteUserId,
    type: "checking",
    name: "Compte courant",
    iban: `EX67${String(id).padStart(23, "0")}`,
    balance: 0,
    disabled: null,
    deleted: null,
    currency: { id: "EUR", name: "Euro", symbol: "€", precision: 2 },
    id_parent: null,
  });
  return code === null ? { connection_id: String(id) } : { code, connection_id: String(id) };
}

function outside(
  signingKey: string,
  powens: ReturnType<typeof fakePowens>,
  mails: Map<string, string>,
): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    if (pathname === "/cdn-cgi/access/certs") {
      return Response.json(accessCertificates(JSON.parse(signingKey)));
    }
    if (pathname === "/mailbox") {
      const mail = await request.json<{ to: string; text: string }>();
      const code = /\b(\d{6}|[A-Z0-9]{5}-?[A-Z0-9]{5})\b/.exec(mail.text)?.[1];
      if (code !== undefined) mails.set(mail.to, code);
      return new Response(null, { status: 202 });
    }
    return powens.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.body === null ? {} : { body: await request.text() }),
    });
  };
}
