// The product as its users, its aggregator and its operators meet it: over HTTP, on the bundles
// that would be deployed.
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, it } from "vitest";
import { filesOf, openBlackBox } from "../support/blackbox.ts";
import type { BlackBox } from "../support/blackbox.ts";
import { atBank, call, consent, expectCall, linkBank, signIn } from "../../src/local/api-client.ts";
import type { Linked, SignedIn } from "../../src/local/api-client.ts";
import { newStoryEmail, playStory } from "../../src/local/story.ts";

let box: BlackBox;
beforeAll(async () => {
  box = await openBlackBox();
});
afterAll(async () => box.dispose());

type Points = {
  pending: number;
  available: number;
  held: number;
  ledger: { sequence: number; head: string };
};
type Purchases = {
  data: {
    id: string;
    label: string;
    amount_cents: number;
    purchased_on: string;
    verdict: { outcome: string; points: number };
  }[];
  next_cursor: string | null;
};

async function newUser(
  name: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<SignedIn & Linked> {
  const user = await signIn(box, `${name}@example.org`);
  await consent(box, user.token);
  return { ...user, ...(await linkBank(box, user.token, fields)) };
}

const points = async (token: string): Promise<Points> =>
  expectCall<Points>(200, "GET", `${box.edgeUrl}/v1/points`, undefined, { token });
const purchases = async (token: string): Promise<Purchases> =>
  expectCall<Purchases>(200, "GET", `${box.edgeUrl}/v1/purchases?limit=100`, undefined, { token });

describe("the local system", () => {
  // First, while nobody else is there: each day that passes is lived by every user.
  it("confirms after the offer's delay, through the moved clock", async ({ expect }) => {
    const user = await newUser("patient");
    await atBank(box, "/purchases", {
      connection_id: user.remoteConnectionId,
      amount_cents: 10_000,
      merchant: "Monoprix",
    });
    expect(await points(user.token)).toMatchObject({ pending: 300, available: 0 });
    await expectCall(200, "POST", `${box.sandboxUrl}/clock`, { advance: "P31D" });
    const fresh = await signIn(box, user.email);
    expect(await points(fresh.token)).toMatchObject({ pending: 0, available: 300 });
    const entries = await expectCall<{ data: { kind: string }[] }>(
      200,
      "GET",
      `${box.edgeUrl}/v1/points/entries`,
      undefined,
      { token: fresh.token },
    );
    expect(entries.data.map((entry) => entry.kind)).toEqual(["confirm", "earn"]);
  });

  it("plays the whole story", async ({ expect }) => {
    const steps: string[] = [];
    const { points: after } = await playStory(
      box,
      newStoryEmail(),
      (step) => steps.push(step.title),
    );
    expect(steps).toHaveLength(9);
    expect(after.pending).toBe(104);
  });

  it("credits a purchase once when its webhook is delivered twenty times at once", async ({ expect }) => {
    const user = await newUser("twenty");
    await atBank(box, "/purchases", {
      connection_id: user.remoteConnectionId,
      amount_cents: 3490,
      merchant: "Monoprix",
    });
    const once = await points(user.token);
    const again = await call<{ delivered: boolean }>(
      "POST",
      `${box.sandboxUrl}/webhooks/redeliver`,
      { times: 20 },
    );
    expect(again.body.delivered).toBe(true);
    expect(await points(user.token)).toEqual(once);
    expect((await purchases(user.token)).data.filter((item) => item.amount_cents === 3490))
      .toHaveLength(1);
  });

  it("counts two identical coffees of one day twice", async ({ expect }) => {
    const user = await newUser("coffee");
    await atBank(box, "/purchases", {
      connection_id: user.remoteConnectionId,
      amount_cents: 1500,
      merchant: "Monoprix",
      count: 2,
    });
    expect((await points(user.token)).pending).toBe(2 * 45);
  });

  it("takes back what was refunded in full", async ({ expect }) => {
    const user = await newUser("refund");
    const paid = await atBank(box, "/purchases", {
      connection_id: user.remoteConnectionId,
      amount_cents: 5000,
      merchant: "Monoprix",
    });
    expect((await points(user.token)).pending).toBe(150);
    await atBank(box, "/refunds", {
      connection_id: user.remoteConnectionId,
      row: paid.rows[0]?.id,
    });
    expect((await points(user.token)).pending).toBe(0);
  });

  it("keeps everything over a restart", async ({ expect }) => {
    const user = await newUser("restart");
    await atBank(box, "/purchases", {
      connection_id: user.remoteConnectionId,
      amount_cents: 3490,
      merchant: "Monoprix",
    });
    const before = await points(user.token);
    await box.restart();
    expect(await points(user.token)).toEqual(before);
  });
});

describe("a broken ledger", () => {
  it("does not stop twenty other users' webhooks, and its own is answered 200 and quarantined", async ({ expect }) => {
    const victim = await newUser("victim");
    await atBank(box, "/purchases", {
      connection_id: victim.remoteConnectionId,
      amount_cents: 1111,
      merchant: "Monoprix",
    });
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, index) => newUser(`other-${index}`, { history_months: "0" })),
    );
    await box.restart(async () => breakLedgerWith(1111));
    const sent = await atBank(box, "/purchases", {
      connection_id: victim.remoteConnectionId,
      amount_cents: 2222,
      merchant: "Monoprix",
    });
    expect(sent.status).toBe(200);
    const bought = await Promise.all(others.map(async (other) => {
      await atBank(box, "/purchases", {
        connection_id: other.remoteConnectionId,
        amount_cents: 10_000,
        merchant: "Monoprix",
      });
      return (await points(other.token)).pending;
    }));
    expect(bought).toEqual(others.map(() => 300));
    expect(
      (await call("GET", `${box.edgeUrl}/v1/points`, undefined, { token: victim.token })).status,
    ).toBe(503);
    const operator = await box.operator("support", "claire");
    const quarantine = await expectCall<{ data: { reason: string }[] }>(
      200,
      "GET",
      `${box.edgeUrl}/admin/v1/quarantine`,
      undefined,
      { token: operator },
    );
    expect(quarantine.data.length).toBeGreaterThan(0);
  });

  // Finds the object's file by an amount that only this user paid and writes a migration that no
  // code knows.
  async function breakLedgerWith(amountCents: number): Promise<void> {
    const folder = join(box.dataDir, "edge");
    let broken = 0;
    for (const entry of await readdir(folder, { recursive: true })) {
      if (!entry.endsWith(".sqlite")) continue;
      const file = new DatabaseSync(join(folder, entry));
      const isLedger =
        file.prepare("SELECT 1 FROM sqlite_master WHERE name = 'purchases'").get() !== undefined;
      if (
        isLedger &&
        file.prepare("SELECT 1 FROM purchases WHERE amount_cents = ?").get(amountCents) !==
          undefined
      ) {
        file.prepare("INSERT INTO object_migrations (id, name) VALUES (999, 'unknown')").run();
        broken += 1;
      }
      file.close();
    }
    if (broken !== 1) throw new Error(`${broken} ledgers broken instead of one`);
  }
});

describe("forbidden values", () => {
  it("appear in no file, no log line and no answer", async ({ expect }) => {
    const login = "login-Zq7PLANTED";
    const user = await signIn(box, "planted.person@example.org");
    await consent(box, user.token);
    await expectCall(200, "PATCH", `${box.edgeUrl}/v1/me`, {
      first_name: "Prenomplanted",
      last_name: "Nomplanted",
    }, { token: user.token });
    const linked = await linkBank(box, user.token, { login, accounts: "checking,card,savings" });
    const at = { connection_id: linked.remoteConnectionId };
    const remote = await expectCall<Record<string, unknown>>(
      200,
      "GET",
      `${box.sandboxUrl}/connections/${linked.remoteConnectionId}`,
    );
    await atBank(box, "/purchases", {
      ...at,
      amount_cents: 4321,
      label: "CB MONOPRIX PLANTEDLABEL 75011 CARTE 4970101234567890",
    });
    await atBank(box, "/transfers", {
      ...at,
      label: "VIR SEPA RECU PLANTEDTRANSFER",
      incoming: true,
      amount_cents: 76543,
    });
    await atBank(box, "/salaries", {
      ...at,
      label: "VIR SALAIRE PLANTEDSALARY",
      amount_cents: 254_321,
    });
    await atBank(box, "/direct-debits", { ...at, label: "PRLV SEPA PLANTEDDEBIT" });
    await atBank(box, "/withdrawals", { ...at, label: "RETRAIT DAB PLANTEDCASH" });

    const text = JSON.stringify(remote);
    const forbidden = [
      login,
      "PLANTEDTRANSFER",
      "PLANTEDSALARY",
      "PLANTEDDEBIT",
      "PLANTEDCASH",
      "PLANTEDLABEL",
      "4970101234567890",
      "planted.person@example.org",
      "Prenomplanted",
      "Nomplanted",
      ...ibans(text),
      ...numbers(text),
    ];
    expect(forbidden.length).toBeGreaterThan(11);
    const found = [];
    for (const file of await filesOf(box.dataDir)) {
      for (const value of forbidden) {
        if (file.bytes.includes(value)) found.push(`${value} in ${file.path}`);
      }
    }
    expect(found).toEqual([]);

    const answers = [];
    for (
      const path of [
        "/v1/purchases?limit=100",
        "/v1/points",
        "/v1/points/entries",
        "/v1/bank-connections",
        "/v1/auth/sessions",
      ]
    ) {
      answers.push(
        JSON.stringify(
          await expectCall(200, "GET", `${box.edgeUrl}${path}`, undefined, { token: user.token }),
        ),
      );
    }
    const shown = answers.join("\n");
    // The user sees the label of his own card purchase, without the card's number; nothing else of
    // the account.
    expect(shown).toContain("PLANTEDLABEL");
    for (const value of forbidden.filter((value) => value !== "PLANTEDLABEL")) {
      expect(shown).not.toContain(value);
    }
  });

  const ibans = (text: string): string[] =>
    [...text.matchAll(/"iban":\s*"([^"]{10,})"/g)].map((match) => match[1] ?? "");
  const numbers = (text: string): string[] =>
    [...text.matchAll(/"number":\s*"([^"]{8,})"/g)].map((match) => match[1] ?? "");
});
