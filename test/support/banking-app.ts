// Banking's routes on a real D1, the real adapter and the real recogniser, against Powens in memory
// and a ledger that counts. Users are rows as identity writes them.
import { createApp } from "../../src/app.ts";
import { createPowens } from "../../src/banking/aggregators/powens/adapter.ts";
import type { Aggregator } from "../../src/banking/ports.ts";
import {
  connectionRoutes,
  quarantineListRoutes,
  quarantineReplayRoutes,
  webhookRoutes,
} from "../../src/banking/routes/index.ts";
import { createBanking } from "../../src/banking/service/index.ts";
import { bankingStore } from "../../src/banking/store/index.ts";
import type { CataloguePort, CatalogueSnapshot } from "../../src/catalogue/ports.ts";
import { auditStatement } from "../../src/audit/ports.ts";
import type { AuditEvent } from "../../src/audit/ports.ts";
import { isDatabaseFailure, openDatabase } from "../../src/db/database.ts";
import { SEALED_CONSENTS } from "../../src/db/sealed-tables.ts";
import { idempotencyStore } from "../../src/http/idempotency-store.ts";
import { signedCursors } from "../../src/http/paging.ts";
import type { IdentityPort, LinkGate } from "../../src/identity/ports.ts";
import { utf8Encode } from "../../src/kernel/encoding.ts";
import { newId } from "../../src/kernel/ids.ts";
import type { UserId } from "../../src/kernel/ids.ts";
import { newWrappedDataKey, openUserCipher } from "../../src/kernel/keyring.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import type { Clock } from "../../src/kernel/time.ts";
import type { LedgerPort } from "../../src/ledger/ports.ts";
import { ledgerRoutes } from "../../src/ledger/routes/routes.ts";
import { haltsStore } from "../../src/operations/halts/store.ts";
import { maskLabel } from "../../src/recognition/mask.ts";
import { compileCatalogue } from "../../src/recognition/recogniser.ts";
import { openLimiter, operatorTokens, userTokens } from "./catalogue-app.ts";
import { countD1 } from "./count-d1.ts";
import { fakeLedger } from "./fake-ledger.ts";
import { fakePowens } from "./fake-powens.ts";
import { faultPoint, faultyD1 } from "./faults.ts";
import { inbound } from "./inbound.ts";
import { KEYRING, strictSeals } from "./seals.ts";

export const KEYS = KEYRING;
export const REDIRECT = "myapp://done";
export const BRAND = newId("brd", Date.UTC(2026, 0), systemRandomBytes);
export const START_MS = Date.parse("2026-11-20T12:00:00Z");
export const LINK_MS = Date.parse("2026-11-10T08:00:00Z");

export type BankingApp = ReturnType<typeof bankingApp>;
type Answer = {
  readonly status: number;
  readonly body: Record<string, unknown> & { data?: Record<string, unknown>[]; code?: string };
  readonly text: string;
  readonly headers: Headers;
};

/** What a test puts in the place of the counting ledger and of the catalogue of one brand. */
type Parts = {
  readonly ledger: (clock: Clock) => LedgerPort;
  readonly termsFor: CatalogueSnapshot["termsFor"];
};

export function bankingApp(binding: D1Database, parts: Partial<Parts> = {}) {
  const faults = faultPoint();
  const counted = countD1(binding);
  const db = openDatabase(faultyD1(counted.db, faults));
  const powens = fakePowens();
  const ledger = fakeLedger(faults.around);
  const clock = { ms: START_MS, nowMs: (): number => clock.ms };
  const ledgerPort = parts.ledger?.(clock) ?? ledger.port;
  const logged: string[] = [];
  const gates = new Map<UserId, Partial<LinkGate>>();
  const recogniser = compileCatalogue([{ id: BRAND, name: "Monoprix", aliases: ["MONOPRIX"] }]);
  const catalogueState = { snapshots: 0 };
  const snapshotOf = (version: number): CatalogueSnapshot => ({
    version,
    paused: false,
    recogniser,
    brand: (id) => (id === BRAND ? { id: BRAND, name: "Monoprix", logoUrl: null } : null),
    termsFor: parts.termsFor ?? (() => []),
  });
  const catalogue: CataloguePort = {
    snapshot: async (version) => {
      catalogueState.snapshots += 1;
      return snapshotOf(version);
    },
  };
  const identity: IdentityPort = {
    linkGate: async (userId) => ({
      userId,
      locale: "fr",
      termsGrantedAtMs: LINK_MS,
      bankDataGrantedAtMs: LINK_MS,
      profileComplete: true,
      oldEnough: true,
      minimumAge: 18,
      ...gates.get(userId),
    }),
    cipherOf: async (userId) => {
      const row = await binding.prepare("SELECT data_key FROM users WHERE id = ?").bind(userId)
        .first<{ data_key: string }>();
      return row === null ? null : openUserCipher(KEYS, userId, row.data_key, systemRandomBytes);
    },
  };
  /** What a test may break. */
  const hooks = {
    maskLabel,
    readWebhook: null as (() => never) | null,
    /** By default nothing takes so long that anybody stops waiting. */
    sleep: (_ms: number): Promise<void> => new Promise(() => {}),
  };
  const powensAdapter = createPowens({
    apiUrl: powens.origin,
    fetch: (url, init) => faults.around(() => powens.fetch(url, init)),
    sleep: async () => {},
    random: systemRandomBytes,
    timeLimit: () => new AbortController().signal,
    webviewUrl: "https://webview.powens.test",
    domain: "acme.biapi.test",
    clientId: "123456",
    clientSecret: "PLANTED-client-secret",
    webhookSecrets: ["secret-one", "secret-two"],
    publicUrl: "https://api.cagnotte.test",
  });
  const adapter: Aggregator = {
    ...powensAdapter,
    readWebhook: (event, bytes) =>
      (hooks.readWebhook ?? (() => powensAdapter.readWebhook(event, bytes)))(),
  };
  const service = createBanking({
    store: bankingStore(
      db,
      systemRandomBytes,
      strictSeals(KEYS, jsonLog((line) => logged.push(line))),
    ),
    aggregators: [adapter],
    identity,
    catalogue,
    ledger: ledgerPort,
    halts: haltsStore(openDatabase(binding), systemRandomBytes, strictSeals(KEYS)),
    maskLabel: (label) => hooks.maskLabel(label),
    keyrings: { encryption: KEYS, index: KEYS },
    programme: { pointsPerEuro: 100, pointsExpireMonths: 24 },
    redirectUris: [REDIRECT],
    clock,
    sleep: (ms) => hooks.sleep(ms),
    random: systemRandomBytes,
    log: jsonLog((line) => logged.push(line)),
  });
  const plain = openDatabase(binding);
  const note = async (event: AuditEvent): Promise<void> =>
    void (await auditStatement(plain, event, clock.ms, systemRandomBytes));
  const { bodies, callers } = inbound(clock);
  const routers = [
    { path: "/", router: webhookRoutes({ service, bodies, callers }) },
    {
      path: "/",
      router: ledgerRoutes({
        ledger: ledgerPort,
        userKeys: { cipherFor: ({ userId }) => identity.cipherOf(userId) },
        brands: { current: async () => snapshotOf(0) },
        userTokens,
        cursors: signedCursors(KEYS),
        pointsPerEuro: 100,
        log: jsonLog((line) => logged.push(line)),
      }),
    },
    {
      path: "/admin/v1",
      router: quarantineListRoutes({ service, operatorTokens, note, cursors: signedCursors(KEYS) }),
    },
    {
      path: "/admin/v1",
      router: quarantineReplayRoutes({
        service,
        operatorTokens,
        note,
        idempotency: { store: idempotencyStore(plain, KEYS, systemRandomBytes), clock },
      }),
    },
    {
      path: "/",
      router: connectionRoutes({
        service,
        tokens: userTokens,
        cursors: signedCursors(KEYS),
        idempotency: { store: idempotencyStore(plain, KEYS, systemRandomBytes), clock },
      }),
    },
  ];
  const app = createApp({
    clock,
    random: systemRandomBytes,
    log: jsonLog((line) => logged.push(line)),
    corsOrigins: [],
    apiLimiter: openLimiter,
    authLimiter: openLimiter,
    bodies,
    callers,
    operatorTokens,
    routers,
    isUnavailable: isDatabaseFailure,
  });

  async function call(
    method: string,
    path: string,
    options: { as?: UserId; operator?: string; body?: unknown; key?: string | null } = {},
  ): Promise<Answer> {
    const headers = new Headers();
    if (options.as !== undefined) headers.set("Authorization", `Bearer user.${options.as}`);
    if (options.operator !== undefined) headers.set("Authorization", `Bearer ${options.operator}`);
    if (options.body !== undefined) headers.set("Content-Type", "application/json");
    if (method === "POST" && options.key !== null) {
      headers.set("Idempotency-Key", options.key ?? crypto.randomUUID());
    }
    const response = await app.fetch(
      new Request(`https://api.cagnotte.test${path}`, {
        method,
        headers,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      }),
    );
    const text = await response.text();
    return {
      status: response.status,
      text,
      headers: response.headers,
      body: (text.startsWith("{") ? JSON.parse(text) : {}) as Answer["body"],
    };
  }
  return {
    app,
    service,
    call,
    hooks,
    faults,
    counted,
    powens,
    ledger: ledger.state,
    ledgerPort,
    catalogueState,
    clock,
    logged,
    gates,
    binding,
  };
}

/** A user as identity writes it, with `bank_data` granted since `LINK_MS` unless said otherwise. */
export async function addUser(
  binding: D1Database,
  consentAtMs: number | null = LINK_MS,
): Promise<UserId> {
  const id = newId("usr", LINK_MS, systemRandomBytes);
  const dataKey = await newWrappedDataKey(KEYS, id, systemRandomBytes);
  await binding.prepare(
    "INSERT INTO users (id, email_index, email_cipher, data_key, locale, state, created_at_ms) VALUES (?, ?, 'f1.a.b', ?, 'fr', 'active', ?)",
  ).bind(id, id, dataKey, LINK_MS).run();
  if (consentAtMs !== null) await setConsent(binding, id, 1, true, consentAtMs);
  return id;
}

export async function setConsent(
  binding: D1Database,
  userId: UserId,
  sequence: number,
  granted: boolean,
  atMs: number,
): Promise<void> {
  const row = {
    id: crypto.randomUUID(),
    userId,
    purpose: "bank_data" as const,
    sequence,
    granted: granted ? 1 : 0,
    textVersion: "1",
    atMs,
  };
  await binding.prepare(
    "INSERT INTO consents (id, user_id, purpose, sequence, granted, text_version, at_ms, seal) VALUES (?, ?, ?, ?, ?, '1', ?, ?)",
  ).bind(
    row.id,
    userId,
    row.purpose,
    sequence,
    row.granted,
    atMs,
    strictSeals(KEYS).of(SEALED_CONSENTS, row),
  ).run();
}

/** Signs a body as the aggregator does and delivers it through the application. */
export async function deliver(
  app: BankingApp,
  event: string,
  body: unknown,
  options: {
    secret?: string;
    path?: string;
    bytes?: Uint8Array<ArrayBuffer>;
    headers?: Record<string, string>;
    signBytes?: Uint8Array<ArrayBuffer>;
  } = {},
): Promise<Response> {
  const bytes = options.bytes ?? utf8Encode(typeof body === "string" ? body : JSON.stringify(body));
  const date = "2026-11-20T11:59:59.123456Z";
  const path = `/webhooks/powens/${event}`;
  const key = await crypto.subtle.importKey(
    "raw",
    utf8Encode(options.secret ?? "secret-one"),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const head = utf8Encode(`POST.${options.path ?? path}.${date}.`);
  const signed = options.signBytes ?? bytes;
  const message = new Uint8Array(head.length + signed.length);
  message.set(head);
  message.set(signed, head.length);
  const signature = btoa(
    String.fromCharCode(...new Uint8Array(await crypto.subtle.sign("HMAC", key, message))),
  );
  return app.app.fetch(
    new Request(`https://attacker.example${path}`, {
      method: "POST",
      body: bytes,
      headers: {
        "Content-Type": "application/json",
        "BI-Signature-Date": date,
        "BI-Signature": signature,
        ...options.headers,
      },
    }),
  );
}

export type Linked = {
  readonly userId: UserId;
  readonly remoteUserId: number;
  readonly remoteConnectionId: number;
  readonly remoteAccountId: number;
};

const EUR = { id: "EUR", name: "Euro", symbol: "€", precision: 2 };
let serial = 100;

/** Puts a connection with one current account at the aggregator for a user who is known there. */
export function openAtBank(
  app: BankingApp,
  remoteUserId: number,
  change: { connection?: Record<string, unknown>; account?: Record<string, unknown> } = {},
): { connection: number; account: number } {
  const user = app.powens.state.users.get(remoteUserId);
  if (user === undefined) throw new Error("no such user at the aggregator");
  const connection = serial++;
  const account = serial++;
  user.connections.set(connection, {
    id: connection,
    id_user: remoteUserId,
    connector_uuid: "338178e6-3d01-564f-9a7b-52ca442459bf",
    connector: { uuid: "338178e6-3d01-564f-9a7b-52ca442459bf", name: "Connecteur de test" },
    state: null,
    last_update: "2026-11-20 10:00:00",
    created: "2026-11-10 09:00:00",
    expire: "2027-05-09 09:00:00",
    ...change.connection,
  });
  user.accounts.set(account, {
    id: account,
    id_connection: connection,
    id_user: remoteUserId,
    type: "checking",
    name: "Compte PLANTED-NAME",
    iban: `EX67${String(account).padStart(23, "0")}`,
    number: "PLANTED-NUMBER",
    balance: 98765.43,
    disabled: null,
    deleted: null,
    currency: EUR,
    id_parent: null,
    ...change.account,
  });
  return { connection, account };
}

/** A card row as the aggregator writes it. */
export function cardRow(id: number, account: number, change: Record<string, unknown> = {}) {
  return {
    id,
    id_account: account,
    date: "2026-11-19",
    rdate: "2026-11-18",
    value: -34.9,
    type: "card",
    original_wording: "CARTE 18/11/26 MONOPRIX PARIS CB*1234",
    wording: "PLANTED-WORDING",
    coming: false,
    deleted: null,
    date_scraped: "2026-11-19 06:00:00",
    last_update: "2026-11-19 06:00:00",
    counterparty: { label: "PLANTED-COUNTERPARTY" },
    ...change,
  };
}

/** The body of CONNECTION_SYNCED for what is at the aggregator now. */
export function syncedBody(
  app: BankingApp,
  remoteUserId: number,
  connectionId: number,
  rows: Record<string, unknown>[],
) {
  const user = app.powens.state.users.get(remoteUserId);
  const connection = user?.connections.get(connectionId) ??
    { id: connectionId, id_user: remoteUserId, state: null, last_update: "2026-11-20 10:00:00" };
  const accounts = [...(user?.accounts.values() ?? [])].filter((account) =>
    account.id_connection === connectionId
  )
    .map((account) => ({
      ...account,
      transactions: rows.filter((row) => row["id_account"] === account.id),
    }));
  return {
    user: { id: remoteUserId, signin: "2026-11-10 09:00:00" },
    connection: { ...connection, id_user: remoteUserId, accounts },
    id_webhook_data: 1,
    push_type: "partial_history",
  };
}

/** Begins to link a bank, through the real route. */
export async function startLink(
  app: BankingApp,
  userId: UserId,
): Promise<{ state: string; url: string }> {
  const started = await app.call("POST", "/v1/bank-connections", {
    as: userId,
    body: { redirect_uri: REDIRECT },
  });
  if (started.status !== 201) throw new Error(`start answered ${started.status} ${started.text}`);
  return {
    state: String(started.body["state"]),
    url: String(started.body["authorization_url"]),
  };
}

export type Trip = { readonly state: string; readonly code: string; readonly remoteUserId: number };

/** A user who has been through the aggregator's page and is about to come back. */
export async function throughPage(app: BankingApp, userId: UserId): Promise<Trip> {
  const { state } = await startLink(app, userId);
  return { state, ...app.powens.visitPage() };
}

/** What the app does with the parameters of the redirect. */
export function comeBack(
  app: BankingApp,
  userId: UserId,
  body: Record<string, unknown>,
): Promise<Answer> {
  return app.call("POST", "/v1/bank-connections/callback", { as: userId, body });
}

/**
 * A user whose code was traded before the aggregator showed any connection: the next look takes in
 * what is there then.
 */
export async function tradedLink(app: BankingApp, userId: UserId): Promise<Trip> {
  const trip = await throughPage(app, userId);
  const back = await comeBack(app, userId, { state: trip.state, code: trip.code });
  if (back.status !== 503) throw new Error(`the callback answered ${back.status} ${back.text}`);
  return trip;
}

/** A user with a connection that is synced, read back and hot: nothing is due. */
export async function hotUser(
  app: BankingApp,
  change: Parameters<typeof openAtBank>[2] = {},
): Promise<Linked> {
  const userId = await addUser(app.binding);
  // Linked on the 10th, so that rows of the 18th count.
  const now = app.clock.ms;
  app.clock.ms = LINK_MS;
  const { state, code, remoteUserId } = await throughPage(app, userId);
  const { connection, account } = openAtBank(app, remoteUserId, change);
  const back = await comeBack(app, userId, { state, code });
  if (back.status !== 200) throw new Error(`the callback answered ${back.status} ${back.text}`);
  app.clock.ms = now;
  app.ledger.calls.length = 0;
  app.powens.state.calls.length = 0;
  app.powens.state.reads.length = 0;
  app.logged.length = 0;
  app.ledger.activityCalls = 0;
  app.counted.reset();
  return { userId, remoteUserId, remoteConnectionId: connection, remoteAccountId: account };
}
