// From minimised rows to ledger calls, against a ledger that asks for offers the rows themselves do
// not name.
import { describe, test } from "vitest";
import type { BankingDeps } from "../../../src/banking/reconcile/deps.ts";
import type { LinkedConnection, LinkedUser } from "../../../src/banking/connections/linked-user.ts";
import type { CardRow } from "../../../src/banking/ports.ts";
import { recordRows } from "../../../src/banking/rows/record-rows.ts";
import type { CatalogueSnapshot } from "../../../src/catalogue/ports.ts";
import type { UserCipher } from "../../../src/kernel/keyring.ts";
import { err, ok } from "../../../src/kernel/result.ts";
import type { OfferCover, OfferTerms, RecordBatch } from "../../../src/ledger/ports.ts";
import { at, FNAC, MONOPRIX, offer } from "../../contract/ledger-factories.ts";

const OLD = offer({ version: 1, startsAtMs: at("2026-01-01"), endsAtMs: at("2026-06-01") });
const NEW = offer({ version: 2, startsAtMs: at("2026-06-01") });
const AT_FNAC = offer({ offerId: "off_fnac", brandId: FNAC });
const TERMS: Readonly<Record<string, readonly OfferTerms[]>> = {
  [MONOPRIX]: [OLD, NEW],
  [FNAC]: [AT_FNAC],
};

const connection = {
  id: "con_1",
  accounts: [{
    id: "acc_1",
    remoteId: "1",
    fingerprint: "fp",
    takenRows: [],
    strength: "iban",
    createdAtMs: 0,
    older: [],
  }],
} as unknown as LinkedConnection;
const row = (purchasedOn: string): CardRow => ({
  remoteAccountId: "1",
  externalId: purchasedOn,
  label: "CB MONOPRIX",
  hint: null,
  kind: "purchase",
  amountCents: 1000,
  currency: "EUR",
  original: null,
  purchasedOn,
  bookedOn: purchasedOn,
  state: "booked",
  updatedAt: { ms: 1, isAmbiguous: false },
  firstSeenAt: null,
  review: null,
} as unknown as CardRow);

/** Records those rows; the ledger asks for `needed` until it has it. Returns the calls it saw. */
async function record(
  rows: readonly CardRow[],
  needed: readonly OfferCover[],
  patience = 1,
): Promise<{ readonly calls: readonly RecordBatch[]; readonly answer: unknown }> {
  const calls: RecordBatch[] = [];
  const deps = {
    ledger: {
      record: async (_: string, batch: RecordBatch) => {
        calls.push(batch);
        return calls.length <= patience && needed.length > 0
          ? err({ code: "offers_needed", needed })
          : ok({});
      },
    },
    keyrings: { index: { active: "k", keys: new Map([["k", new Uint8Array(32)]]) } },
    programme: { pointsPerEuro: 100, pointsExpireMonths: 24 },
  } as unknown as BankingDeps;
  const catalogue = {
    recogniser: {
      recognise: () => ({ brandId: MONOPRIX, matched: "MONOPRIX", channel: "in_store" }),
    },
    brand: (id: string) => ({ id, name: id }),
    termsFor: (id: string) => TERMS[id] ?? [],
  } as unknown as CatalogueSnapshot;
  const cipher = { userId: "usr_1", encrypt: async () => "cipher" } as unknown as UserCipher;
  const answer = await recordRows(
    deps,
    { userId: "usr_1", linkId: "lnk_1", connections: [] } as unknown as LinkedUser,
    connection,
    cipher,
    catalogue,
    { rows, arrival: { by: "webhook", atMs: Date.now() }, syncedAtMs: null },
  );
  return { calls, answer };
}

const versions = (batch: RecordBatch | undefined): string[] =>
  (batch?.offers ?? []).map(({ offerId, version }) => `${offerId} ${version}`).sort();

describe("offers that go with rows", () => {
  test("are those around their days, and say so", async ({ expect }) => {
    const { calls } = await record([row("2026-07-01"), row("2026-07-03")], []);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.covers).toEqual([{ brandId: MONOPRIX, from: "2026-07-01", to: "2026-07-03" }]);
    expect(versions(calls[0])).toEqual(["off_1 2"]);
  });

  test("are handed over with the rows once more when the ledger has to judge others", async ({ expect }) => {
    const needed = [{ brandId: MONOPRIX, from: "2026-05-20", to: "2026-05-20" }, {
      brandId: FNAC,
      from: "2026-05-20",
      to: "2026-05-20",
    }];
    const { calls, answer } = await record([row("2026-07-01")], needed);
    expect(answer).toMatchObject({ ok: true });
    expect(calls).toHaveLength(2);
    expect(calls[1]?.rows).toEqual(calls[0]?.rows);
    expect(calls[1]?.covers).toEqual([
      { brandId: MONOPRIX, from: "2026-05-20", to: "2026-07-01" },
      needed[1],
    ]);
    expect(versions(calls[1])).toEqual(["off_1 1", "off_1 2", "off_fnac 1"]);
  });

  test("are not asked for without end", async ({ expect }) => {
    const { calls, answer } = await record([row("2026-07-01")], [{
      brandId: FNAC,
      from: "2026-05-20",
      to: "2026-05-20",
    }], 100);
    expect(answer).toEqual(err({ code: "ledger_refused" }));
    expect(calls.length).toBeLessThan(10);
  });
});
