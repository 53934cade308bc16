// The catalogue's routes on a real D1 and the real recogniser, behind the real middleware. Only the
// edges are replaced: who is calling (a token names its bearer), and the ledger's activations
// (a map).
import { createApp } from "../../src/app.ts";
import { catalogueRouters } from "../../src/catalogue/routes/index.ts";
import { catalogueService } from "../../src/catalogue/service.ts";
import { catalogueCache } from "../../src/catalogue/compiled-catalogue.ts";
import { catalogueStore } from "../../src/catalogue/store.ts";
import type { OperatorRole } from "../../src/config.ts";
import { isDatabaseFailure, openDatabase } from "../../src/db/database.ts";
import { idempotencyStore } from "../../src/http/idempotency-store.ts";
import type { OperatorTokens, UserTokens } from "../../src/http/authentication.ts";
import { signedCursors } from "../../src/http/paging.ts";
import { err, ok } from "../../src/kernel/result.ts";
import type { Result } from "../../src/kernel/result.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import type { UserId } from "../../src/kernel/ids.ts";
import { activationEndsAtMs } from "../../src/ledger/purchases/activations.ts";
import type { LedgerError, LedgerPort } from "../../src/ledger/ports.ts";
import { aliasWarnings } from "../../src/recognition/aliases.ts";
import { effectOf, knownLabels, proposalsOf } from "../../src/recognition/proposals.ts";
import { compileCatalogue } from "../../src/recognition/recogniser.ts";
import { countD1 } from "./count-d1.ts";
import { inbound } from "./inbound.ts";
import { KEYRING, strictSeals } from "./seals.ts";

export { KEYRING };
export const openLimiter = { name: "open", limit: 1e6, windowS: 60, allow: async () => true };

/**
 * A token of the tests: `operator.<subject>.<role>~<role>` or `user.<id>`. A subject that begins
 * with `unlisted` has its role by a domain's wildcard.
 */
export const operatorTokens: OperatorTokens = {
  verify: async (token) => {
    const [kind, subject = "", roles = ""] = token.split(".");
    return kind === "operator"
      ? ok({
        subject,
        roles: roles.split("~") as OperatorRole[],
        listedPerson: !subject.startsWith("unlisted"),
      })
      : err("token_invalid");
  },
};
export const userTokens: UserTokens = {
  mayAct: async () => true,
  verify: async (token) => {
    const [kind, id = ""] = token.split(".");
    if (kind === "expired") return err("token_expired");
    return kind === "user"
      ? ok({
        userId: id as UserId,
        sessionId: null,
        authTimeS: 0,
        amr: [],
        issuedAtS: 0,
        stepUpAtS: null,
      })
      : err("token_invalid");
  },
};

export type Answer<T = Record<string, unknown>> = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
  readonly text: string;
};

/** One isolate of the catalogue over a database. */
export function catalogueApp(binding: D1Database, start = { nowMs: Date.UTC(2026, 10, 20, 9) }) {
  const state = {
    nowMs: start.nowMs,
    ledgerCalls: 0,
    ledgerError: null as LedgerError | null,
    /** What the user has used of an offer, by its id. */
    used: new Map<string, { points: number; purchases: number; bought: boolean }>(),
    activations: new Map<string, { activatedAtMs: number; expiresAtMs: number | null }>(),
  };
  const d1 = countD1(binding);
  const db = openDatabase(d1.db);
  const clock = { nowMs: () => state.nowMs };
  const logged: string[] = [];
  const log = jsonLog((line) => logged.push(line));
  const store = catalogueStore(db, systemRandomBytes, strictSeals(KEYRING, log));
  const cache = catalogueCache({
    store,
    compile: compileCatalogue,
    clock,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const service = catalogueService({ store, cache, clock, random: systemRandomBytes });
  const called = <T>(value: () => T): Result<T, LedgerError> => {
    state.ledgerCalls += 1;
    return state.ledgerError === null ? ok(value()) : err(state.ledgerError);
  };
  const ledger: Pick<LedgerPort, "offerUse" | "activate"> = {
    offerUse: async (userId, { offers }) =>
      called(() => ({
        used: offers.map(({ offerId, period }) => ({
          offerId,
          points: 0,
          purchases: 0,
          bought: false,
          ...state.used.get(offerId),
          resetsOn: period === "offer" ? null : "2026-12-01",
        })),
        activations: [...state.activations].flatMap((
          [key, item],
        ) => (key.startsWith(userId)
          ? [{ offerId: key.slice(userId.length + 1) as never, ...item }]
          : [])
        ),
      })),
    activate: async (userId, { offerId, activationDays, offerEndsAtMs }) =>
      called(() => {
        const key = `${userId}|${offerId}`;
        const activation = state.activations.get(key);
        if (
          activation !== undefined &&
          (activation.expiresAtMs === null || state.nowMs < activation.expiresAtMs)
        ) return { ...activation, created: false };
        const made = {
          activatedAtMs: state.nowMs,
          expiresAtMs: activationEndsAtMs(state.nowMs, { activationDays, offerEndsAtMs }),
        };
        state.activations.set(key, made);
        return { ...made, created: true };
      }),
  };
  const routers = catalogueRouters({
    service,
    cache,
    budgets: store.budgets,
    ledger,
    userTokens,
    operatorTokens,
    clock,
    cursors: signedCursors(KEYRING),
    pointsPerEuro: 100,
    aliasWarnings,
    proposals: { proposalsOf, knownLabels, effectOf },
    idempotency: { store: idempotencyStore(db, KEYRING, systemRandomBytes), clock },
  });
  const app = createApp({
    clock,
    random: systemRandomBytes,
    log,
    corsOrigins: [],
    apiLimiter: openLimiter,
    authLimiter: openLimiter,
    ...inbound(clock),
    operatorTokens,
    routers,
    isUnavailable: isDatabaseFailure,
  });
  async function call<T = Record<string, unknown>>(
    method: string,
    path: string,
    options: {
      as?: string;
      body?: unknown;
      raw?: string;
      type?: string;
      headers?: Record<string, string>;
      key?: string | null;
    } = {},
  ): Promise<Answer<T>> {
    const headers = new Headers(options.headers ?? {});
    if (options.as !== undefined) headers.set("Authorization", `Bearer ${options.as}`);
    const content = options.raw ??
      (options.body === undefined ? undefined : JSON.stringify(options.body));
    if (content !== undefined) headers.set("Content-Type", options.type ?? "application/json");
    if (method === "POST" && options.key !== null) {
      headers.set("Idempotency-Key", options.key ?? crypto.randomUUID());
    }
    const response = await app.fetch(
      new Request(`http://edge${path}`, {
        method,
        headers,
        ...(content === undefined ? {} : { body: content }),
      }),
    );
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (text.startsWith("{") ? JSON.parse(text) : {}) as T,
    };
  }
  return { app, call, state, d1, cache, service, store, logged };
}

export const ALICE = "operator.alice.catalogue";
export const BOB = "operator.bob.catalogue";
/** A member of a domain: may propose, never approve. */
export const UNLISTED = "operator.unlisted.catalogue";
export const CLAIRE = "operator.claire.support";

export const VERSION = {
  kind: "percent",
  rate_bp: 300,
  activation: "automatic",
  channel: "any",
  starts_at: "2026-01-01",
  ends_at: null,
  confirmation_days: 30,
  priority: 100,
};
