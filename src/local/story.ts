// The whole story once, through HTTP only, on a new demo user: what `npm start` plays and the black
// box checks.
import { atBank, call, consent, expectCall, fillWebview, signIn } from "./api-client.ts";
import type { Addresses } from "./api-client.ts";

type StoryStep = { readonly title: string; readonly result: string };

type Purchase = {
  id: string;
  label: string;
  amount_cents: number;
  brand: { name: string } | null;
  verdict: {
    outcome: string;
    points: number;
    reasons: { code: string; message: string }[];
    confirmation_expected_on: string | null;
  };
};
type Points = {
  available: number;
  pending: number;
  held: number;
  value_cents: number;
  ledger: { sequence: number; head: string };
};

type Show = (step: StoryStep) => void;

async function signUp(at: Addresses, email: string, show: Show): Promise<string> {
  const { edgeUrl, sandboxUrl } = at;
  const user = await signIn(at, email);
  const { token } = user;
  show({
    title: "Sign up by e-mail code",
    result: `${user.userId} created, code read in the mailbox of ${email}`,
  });

  const early = await call("POST", `${edgeUrl}/v1/bank-connections`, {
    redirect_uri: `${sandboxUrl}/done`,
  }, { token });
  show({
    title: "Link a bank without consent",
    result: `${early.status} ${String((early.body as { code?: string }).code)}`,
  });
  await consent(at, token);
  show({ title: "Give consent (terms, bank data), birth date", result: "200" });
  return token;
}

/** Returns the connection's number at the aggregator. */
async function linkBank(at: Addresses, token: string, show: Show): Promise<number> {
  const { edgeUrl, sandboxUrl } = at;
  const started = await expectCall<{ authorization_url: string }>(
    201,
    "POST",
    `${edgeUrl}/v1/bank-connections`,
    { redirect_uri: `${sandboxUrl}/done` },
    { token },
  );
  show({
    title: "Start linking a bank",
    result: `the app opens the aggregator's page ${
      new URL(started.authorization_url).origin
    }/webview/…`,
  });
  const redirect = await fillWebview(started.authorization_url);
  show({
    title: "Type the credentials there, choose two accounts",
    result: `back with connection_id=${String(redirect.searchParams.get("connection_id"))}`,
  });
  const linked = await expectCall<
    {
      data: {
        status: string;
        bank: { name: string };
        accounts: { label: string; kind: string }[];
      }[];
    }
  >(
    200,
    "POST",
    `${edgeUrl}/v1/bank-connections/callback`,
    Object.fromEntries(redirect.searchParams),
    { token },
  );
  const connection = linked.data[0];
  show({
    title: "Return to the app",
    result: `${connection?.bank.name} is ${connection?.status}: ${
      connection?.accounts.map((account) => `${account.label} (${account.kind})`).join(", ")
    }`,
  });
  return Number(redirect.searchParams.get("connection_id"));
}

async function pay(at: Addresses, connectionId: number, show: Show): Promise<void> {
  const paid = await atBank(at, "/purchases", {
    connection_id: connectionId,
    account: "checking",
    amount_cents: 3490,
    merchant: "Monoprix",
  });
  show({
    title: "Pay 34.90 EUR by card at Monoprix",
    result: `the bank writes "${
      paid.rows[0]?.original_wording
    }", the signed webhook arrives: ${paid.status}`,
  });
}

async function seePurchase(at: Addresses, token: string, show: Show): Promise<Points> {
  const { edgeUrl } = at;
  const purchases = await expectCall<{ data: Purchase[] }>(
    200,
    "GET",
    `${edgeUrl}/v1/purchases`,
    undefined,
    { token, headers: { "Accept-Language": "en" } },
  );
  const purchase = purchases.data.find((item) => item.brand?.name === "Monoprix");
  if (purchase === undefined) {
    throw new Error(`no purchase at Monoprix: ${JSON.stringify(purchases)}`);
  }
  show({
    title: "See the purchase and its verdict",
    result: `${purchase.label} -> ${purchase.verdict.outcome}, ${purchase.verdict.points} points: ${
      purchase.verdict.reasons[0]?.message ?? ""
    }`,
  });
  const points = await expectCall<Points>(200, "GET", `${edgeUrl}/v1/points`, undefined, { token });
  if (points.pending !== purchase.verdict.points || points.pending === 0) {
    throw new Error(`the points do not match the verdict: ${JSON.stringify(points)}`);
  }
  show({
    title: "See the points",
    result:
      `${points.pending} pending, ${points.available} available, ledger #${points.ledger.sequence} ${
        points.ledger.head.slice(0, 12)
      }…`,
  });
  return points;
}

/** An address that no story had before. */
export function newStoryEmail(): string {
  return `demo-${Date.now().toString(36)}@example.org`;
}

/** Plays the story and shows each step. Throws at the first step with an unexpected result. */
export async function playStory(
  at: Addresses,
  email: string,
  show: Show,
): Promise<{ readonly token: string; readonly points: Points }> {
  const token = await signUp(at, email, show);
  const connectionId = await linkBank(at, token, show);
  await pay(at, connectionId, show);
  return { token, points: await seePurchase(at, token, show) };
}
