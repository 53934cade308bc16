// The users of the torture, each with a linked bank, and the offers that they earn by.
import { consent, expectCall, linkBank, signIn } from "../../src/local/api-client.ts";
import type { Addresses } from "../../src/local/api-client.ts";
import { localSecrets, openLocalClock } from "../../src/local/data-folder.ts";
import { operatorToken } from "../../src/local/operator-token.ts";
import { seed as seedCatalogue } from "../../src/local/seed.ts";
import type { LocalSecrets } from "../../src/local/settings.ts";
import type { Rng } from "../simulation/random.ts";
import { openBank } from "./bank.ts";
import type { Bank, Message } from "./bank.ts";
import { readAll } from "./checks.ts";
import { addDays, BRANDS } from "./model.ts";
import type { BrandName } from "./model.ts";

// Days of the past on which rows may be dated: refunds look for the newest purchase, and points of
// the older days are confirmed.
const PAST_DAYS = 5;

export type Person = {
  readonly email: string;
  readonly userId: string;
  readonly remoteUser: number;
  readonly connection: Record<string, unknown>;
  readonly account: Record<string, unknown>;
  readonly bank: Bank;
  readonly sent: Sent[];
};
/** One webhook; `answered` once the edge answered 200. */
export type Sent = { readonly message: Message; readonly body: string; answered: boolean };
/** Where the system under test listens and keeps its files, and how much its budget may grant. */
export type Site = {
  readonly at: Addresses;
  readonly dataDir: string;
  readonly budgetPoints: number;
};
export type World = Site & {
  readonly secrets: LocalSecrets;
  readonly people: readonly Person[];
  readonly offers: Readonly<Record<BrandName, string>>;
  readonly nowMs: () => number;
};

/** The day in Paris at an instant. */
export const parisDay = (ms: number): string =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Paris" }).format(ms);

type Enrolled = {
  readonly email: string;
  readonly userId: string;
  readonly remoteConnectionId: number;
};

async function enrol(at: Addresses, index: number): Promise<Enrolled> {
  const user = await signIn(at, `torture-${index}@example.org`);
  await consent(at, user.token);
  const linked = await linkBank(at, user.token, { history_months: "0", accounts: "checking" });
  return { email: user.email, userId: user.userId, remoteConnectionId: linked.remoteConnectionId };
}

async function personOf(at: Addresses, enrolled: Enrolled, bank: Bank): Promise<Person> {
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
async function openOffers(
  { at, budgetPoints }: Site,
  token: string,
): Promise<Record<BrandName, string>> {
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
      ...(brand.budget ? { budget_points: budgetPoints } : {}),
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

/**
 * Seeds the catalogue, enrols the users, and moves the clock past the days that rows are dated on.
 */
export async function openWorld(site: Site, users: number, rng: Rng): Promise<World> {
  const { at, dataDir } = site;
  const secrets = await localSecrets(dataDir);
  await seedCatalogue({ ...at, secrets, dataDir });
  const { nowMs } = await openLocalClock(dataDir);
  // Before the days that rows may be dated on: an offer never reaches back.
  const offers = await openOffers(
    site,
    await operatorToken({
      secrets,
      issuer: at.sandboxUrl,
      role: "catalogue",
      subject: "alice",
      nowMs: nowMs(),
    }),
  );
  const enrolled: Enrolled[] = [];
  for (let index = 0; index < users; index++) enrolled.push(await enrol(at, index));
  await expectCall(200, "POST", `${at.sandboxUrl}/clock`, { advance: `P${PAST_DAYS}D` });
  const today = parisDay(nowMs());
  const days = Array.from(
    { length: PAST_DAYS },
    (_, index) => addDays(today, index + 1 - PAST_DAYS),
  );
  const people: Person[] = [];
  for (const [index, one] of enrolled.entries()) {
    people.push(await personOf(at, one, openBank(rng.fork(index), index, days)));
  }
  return { ...site, secrets, people, offers, nowMs };
}
