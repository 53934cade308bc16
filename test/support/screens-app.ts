// The read screens: real routes, real cipher and users table; the ledger is a double that answers
// what a test puts into it.
import { env } from "cloudflare:workers";
import { createApp } from "../../src/app.ts";
import { isDatabaseFailure } from "../../src/db/database.ts";
import { signedCursors } from "../../src/http/paging.ts";
import type { AccountId, BrandId, OfferId, PurchaseId, UserId } from "../../src/kernel/ids.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { err, ok } from "../../src/kernel/result.ts";
import type {
  EntryView,
  LedgerError,
  PointsView,
  PurchaseQuery,
  PurchaseView,
} from "../../src/ledger/ports.ts";
import { ledgerRoutes } from "../../src/ledger/routes/routes.ts";
import { openLimiter } from "./catalogue-app.ts";
import { countD1 } from "./count-d1.ts";
import { identityApp } from "./identity-app.ts";
import { anyOperator, inbound } from "./inbound.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
export const BRAND: BrandId = "brd_0192f0c4-0000-7000-8000-000000000001";
export const OFFER: OfferId = "off_0192f0c4-0000-7000-8000-000000000002";
export const ACCOUNT: AccountId = "acc_0192f0c4-0000-7000-8000-000000000003";
export const PURCHASE: PurchaseId = "pur_0192f0c4-0000-7000-8000-000000000004";
export const LOGO_URL = "https://logos.example/monoprix.svg";
export const LABEL = "CB MONOPRIX 75011 12/11";

export const POINTS: PointsView = {
  balances: { pending: 104, available: -250, held: 0 },
  nextConfirmation: { on: "2026-12-12", points: 104 },
  nextExpiry: null,
  sequence: 3,
  head: "ab".repeat(32),
};
export const ENTRY: EntryView = {
  id: "ent_0192f0c4-0000-7000-8000-000000000005",
  sequence: 3,
  kind: "earn",
  changes: { pending: 104, available: 0, held: 0 },
  balances: POINTS.balances,
  purchaseId: PURCHASE,
  brandId: BRAND,
  redemptionId: null,
  reverses: null,
  effectiveOn: "2026-11-12",
  recordedAtMs: Date.UTC(2026, 10, 13),
  hash: "cd".repeat(32),
};

export function purchase(labelCipher: string, over: Partial<PurchaseView> = {}): PurchaseView {
  return {
    id: PURCHASE,
    accountId: ACCOUNT,
    externalId: "991",
    labelCipher,
    purchasedOn: "2026-11-12",
    bookedOn: "2026-11-13",
    amountCents: 3490,
    currency: "EUR",
    original: null,
    kind: "purchase",
    state: "booked",
    brand: { id: BRAND, matched: "MONOPRIX" },
    refundParts: [],
    verdict: {
      outcome: "earned",
      points: 104,
      reasons: ["offer_applied"],
      checks: [{
        rule: "below_minimum",
        offerId: OFFER,
        version: 3,
        passed: true,
        needed: 1000,
        found: 3490,
        measure: "purchase_cents",
      }],
      calculation: {
        baseCents: 3490,
        rateBp: 300,
        pointsPerEuro: 100,
        uncapped: 104,
        capped: 104,
        kind: "percent",
      },
      offer: { id: OFFER, version: 3 },
      confirmationExpectedOn: "2026-12-12",
    },
    ...over,
  };
}

/** The read screens of one signed-in user. */
export async function screensApp() {
  const d1 = countD1(DB);
  const identity = await identityApp(d1.db);
  const tokens = await identity.signIn("lea@example.fr");
  const userId = tokens.user.id as UserId;
  const cipher = await identity.service.cipherOf(userId);
  if (cipher === null || !cipher.ok) throw new Error("no cipher");
  const sealed = await cipher.value.encrypt({
    table: "purchases",
    column: "label",
    row: `${ACCOUNT}:991`,
  }, LABEL);
  const state = {
    error: null as LedgerError | null,
    calls: 0,
    purchases: [purchase(sealed)],
    queries: [] as PurchaseQuery[],
    nextBefore: null as string | null,
    snapshots: [] as number[],
    brandName: "Monoprix" as string | null,
    befores: [] as (string | null)[],
    limits: [] as number[],
    alerts: [] as string[],
  };
  const called = <T>(value: T) => {
    state.calls += 1;
    return Promise.resolve(state.error === null ? ok(value) : err(state.error));
  };
  const router = ledgerRoutes({
    ledger: {
      points: () => called(POINTS),
      overview: (_user, { limit }) => {
        state.limits.push(limit);
        return called({
          points: POINTS,
          entries: { items: [ENTRY], nextBefore: state.nextBefore },
        });
      },
      entries: (_user, { before }) => {
        state.befores.push(before);
        return called({ items: [ENTRY], nextBefore: state.nextBefore });
      },
      purchases: (_user, query) => {
        state.queries.push(query);
        return called({ items: state.purchases, nextBefore: state.nextBefore });
      },
      purchase: (_user, id) => called(state.purchases.find((item) => item.id === id) ?? null),
    },
    userKeys: identity.service,
    userTokens: identity.tokens,
    cursors: signedCursors(identity.keyrings.index),
    pointsPerEuro: 100,
    log: jsonLog((line) => state.alerts.push(line)),
    brands: {
      current: async (maxAgeMs) => {
        state.snapshots.push(maxAgeMs);
        return {
          brand: (
            id: BrandId,
          ) => (id === BRAND && state.brandName !== null
            ? { id, name: state.brandName, logoUrl: LOGO_URL }
            : null),
        };
      },
    },
  });
  const app = createApp({
    clock: identity.clock,
    random: systemRandomBytes,
    log: jsonLog(() => {}),
    corsOrigins: [],
    apiLimiter: openLimiter,
    authLimiter: openLimiter,
    ...inbound(identity.clock),
    operatorTokens: anyOperator,
    routers: [{ path: "/", router }],
    isUnavailable: isDatabaseFailure,
  });
  const read = async (path: string, headers: Record<string, string> = {}, authorised = true) => {
    const response = await app.request(`http://edge${path}`, {
      headers: { ...(authorised ? identity.bearer(tokens) : {}), ...headers },
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: JSON.parse(text) as Record<string, unknown>,
    };
  };
  const endSession = async (): Promise<void> => {
    const [session] = await identity.service.pageSessions(userId, null, 1);
    if (session === undefined) throw new Error("no session");
    await identity.service.endSession(userId, session.id);
  };
  return { state, d1, identity, read, sealed, userId, endSession };
}

/** Puts the double of the ledger back to one purchase and no calls. */
export function resetScreens(screens: Awaited<ReturnType<typeof screensApp>>): void {
  Object.assign(screens.state, {
    error: null,
    calls: 0,
    purchases: [purchase(screens.sealed)],
    queries: [],
    nextBefore: null,
    snapshots: [],
    brandName: "Monoprix",
    befores: [],
    limits: [],
    alerts: [],
  });
  screens.d1.reset();
}
