// The identity routes as a small application over the real D1, with a mailbox in memory and a clock
// that the test moves.
import { createApp } from "../../src/app.ts";
import type { JsonWebKeyWithKid, TrustedIssuer } from "../../src/config.ts";
import { isDatabaseFailure, openDatabase } from "../../src/db/database.ts";
import { idempotencyStore } from "../../src/http/idempotency-store.ts";
import { signedCursors } from "../../src/http/paging.ts";
import { accessTokenIssuer, publicKeySet, userTokens } from "../../src/identity/access-tokens.ts";
import { normaliseEmail } from "../../src/identity/email.ts";
import { isIssuerUnavailable } from "../../src/identity/errors.ts";
import type { Mailer } from "../../src/identity/ports.ts";
import { identityRoutes } from "../../src/identity/routes/index.ts";
import { identityService } from "../../src/identity/service/index.ts";
import type { IdentityService } from "../../src/identity/service/index.ts";
import { contactBook } from "../../src/identity/service/contact.ts";
import { sendNotices } from "../../src/identity/service/notices.ts";
import { identityStore } from "../../src/identity/store/index.ts";
import type { Keyring } from "../../src/kernel/keyring.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { err, ok } from "../../src/kernel/result.ts";
import type { UserId } from "../../src/kernel/ids.ts";
import { anyOperator, inbound } from "./inbound.ts";
import { strictSeals } from "./seals.ts";

export type SentMail = {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
};
type Body = Record<string, unknown>;
export type Tokens = {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  refresh_expires_in: number;
  token_type: string;
  user: { id: string; created: boolean };
};

export type IdentityAppOptions = {
  readonly index?: Keyring;
  readonly encryption?: Keyring;
  readonly signingKeys?: readonly JsonWebKeyWithKid[];
  readonly trustedIssuers?: readonly TrustedIssuer[];
  readonly fetch?: typeof fetch;
  readonly startMs?: number;
  /** By address; shared by what is one device. */
  readonly challenges?: Map<string, string>;
};

export const ISSUER = "https://api.cagnotte.test";
/** The page whose passkeys are ours. */
export const PAGE = "https://app.cagnotte.test";
export const AUDIENCE = "cagnotte";

export function randomKeyring(...kids: readonly [string, ...string[]]): Keyring {
  return { active: kids[0], keys: new Map(kids.map((kid) => [kid, systemRandomBytes(32)])) };
}

export async function signingKey(kid: string): Promise<JsonWebKeyWithKid> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
  return { kid, kty: "EC", crv: "P-256", x: jwk.x, y: jwk.y, d: jwk.d };
}

export type IdentityApp = Awaited<ReturnType<typeof identityApp>>;

export async function identityApp(binding: D1Database, options: IdentityAppOptions = {}) {
  const clock = { ms: options.startMs ?? Date.UTC(2026, 10, 23, 9, 0, 0), nowMs: () => clock.ms };
  const keyrings = {
    index: options.index ?? randomKeyring("i1"),
    encryption: options.encryption ?? randomKeyring(`e${crypto.randomUUID().slice(0, 8)}`),
  };
  const signingKeys = options.signingKeys ?? [await signingKey("j1")];
  const mails: SentMail[] = [];
  const switches = { mailDown: false, listenerDown: false };
  const withdrawn: UserId[] = [];
  const leftStatistics: UserId[] = [];
  const ageDecisions: string[] = [];
  const logLines: string[] = [];
  const log = jsonLog((line) => logLines.push(line));
  const mailer: Mailer = {
    send: async (message) => {
      if (switches.mailDown) return err({ code: "email_unavailable" });
      mails.push(message);
      return ok(null);
    },
  };
  const db = openDatabase(binding);
  const seals = strictSeals(keyrings.index, log);
  const config = {
    auth: { issuer: ISSUER, audience: AUDIENCE, trustedIssuers: options.trustedIssuers ?? [] },
    jwtSigningKeys: signingKeys,
  };
  const service: IdentityService = identityService({
    store: identityStore(db, systemRandomBytes, seals),
    keyrings,
    clock,
    random: systemRandomBytes,
    log,
    mailer,
    relyingParty: { rpId: "cagnotte.test", origins: [PAGE] },
    minimumAge: 18,
    accessTokens: accessTokenIssuer(config, clock, systemRandomBytes),
    consentListener: {
      bankDataEnding: async () => {},
      bankDataWithdrawn: async (userId) => {
        if (switches.listenerDown) throw new Error("aggregator down");
        withdrawn.push(userId);
      },
      statisticsWithdrawn: async (userId) => void leftStatistics.push(userId),
    },
    ageListener: {
      earningResumes: async (userId) => void ageDecisions.push(`resumes ${userId}`),
      connectionsEnd: async (userId) => {
        if (switches.listenerDown) throw new Error("aggregator down");
        ageDecisions.push(`ends ${userId}`);
      },
    },
  });
  const tokens = userTokens({
    config,
    clock,
    fetch: options.fetch ?? (() => Promise.reject(new Error("no network in tests"))),
    linkedUser: service.linkedUser,
    mayAct: service.mayAct,
  });
  const limiter = (name: string) => ({ name, limit: 1000, windowS: 60, allow: async () => true });
  const router = identityRoutes({
    service,
    tokens,
    publicKeys: publicKeySet(signingKeys),
    cursors: signedCursors(keyrings.index),
    clock,
    refreshLimiter: limiter("refresh"),
    idempotency: { store: idempotencyStore(db, keyrings.encryption, systemRandomBytes), clock },
  });
  const app = createApp({
    clock,
    random: systemRandomBytes,
    log,
    corsOrigins: [],
    apiLimiter: limiter("api"),
    authLimiter: limiter("auth"),
    ...inbound(clock),
    operatorTokens: anyOperator,
    routers: [{ path: "/", router }],
    isUnavailable: (error) => isDatabaseFailure(error) || isIssuerUnavailable(error),
  });

  const send = async (
    method: string,
    path: string,
    body?: Body | string,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    app.request(`http://edge${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  const challenges = options.challenges ?? new Map<string, string>();
  /** One device: keeps the challenge of each address and sends it again, as a client does. */
  const request = async (
    method: string,
    path: string,
    body?: Body | string,
    headers: Record<string, string> = {},
  ): Promise<Response> => {
    const email = typeof body === "object" && typeof body["email"] === "string"
      ? normaliseEmail(body["email"])
      : null;
    if (email === null || !/^\/v1\/auth\/(?:codes|sessions)$/.test(path)) {
      return send(method, path, body, headers);
    }
    const challenge = challenges.get(email) ??
      (path.endsWith("/sessions") ? "never.asked.for" : undefined);
    const answer = await send(method, path, {
      ...(challenge === undefined ? {} : { challenge }),
      ...(body as Body),
    }, headers);
    if (path.endsWith("/codes") && answer.status === 202) {
      challenges.set(email, (await answer.clone().json<{ challenge: string }>()).challenge);
    }
    return answer;
  };
  const store = identityStore(db, systemRandomBytes, seals);
  const sendNoticesNow = async (): Promise<void> => {
    const contacts = contactBook({
      store,
      encryption: keyrings.encryption,
      random: systemRandomBytes,
      log,
    });
    const deps = { store, contacts, mailer, clock, log, index: keyrings.index, publicUrl: ISSUER };
    while (await sendNotices(deps));
  };
  const codeFor = (email: string): string => {
    const mail = mails.findLast((sent) => sent.to === email);
    const code = /^(?:\d{6}|[0-9A-Z]{10})$/m.exec(mail?.text ?? "")?.[0];
    if (code === undefined) throw new Error("no code was sent");
    return code;
  };
  const signIn = async (email: string, extra: Body = {}): Promise<Tokens> => {
    await request("POST", "/v1/auth/codes", { email });
    const response = await request("POST", "/v1/auth/sessions", {
      email,
      code: codeFor(email),
      ...extra,
    });
    if (response.status !== 201) throw new Error(`sign-in answered ${response.status}`);
    return response.json<Tokens>();
  };
  const bearer = (session: Pick<Tokens, "access_token">): Record<string, string> => ({
    Authorization: `Bearer ${session.access_token}`,
  });
  /** The bearer of a session that a code has strengthened. */
  const stepUp = async (
    email: string,
    session: Pick<Tokens, "access_token">,
  ): Promise<Record<string, string>> => {
    await request("POST", "/v1/auth/codes", { purpose: "step_up" }, bearer(session));
    const answer = await request(
      "POST",
      "/v1/auth/step-up",
      { code: codeFor(email) },
      bearer(session),
    );
    if (answer.status !== 200) throw new Error(`step-up answered ${answer.status}`);
    return bearer(await answer.json<Tokens>());
  };
  return {
    app,
    request,
    stepUp,
    /** A request of a device that keeps nothing. */
    send,
    clock,
    mails,
    switches,
    withdrawn,
    leftStatistics,
    ageDecisions,
    logLines,
    service,
    tokens,
    keyrings,
    signingKeys,
    config,
    codeFor,
    signIn,
    sendNotices: sendNoticesNow,
    bearer,
    db,
    seals,
    binding,
  };
}
