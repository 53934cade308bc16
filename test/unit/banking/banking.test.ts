// Pure rules of banking: what a state means, which account is which, how rows are cut into calls.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitRows } from "../../../src/banking/rows/batches.ts";
import { gunzipAtMost, readAtMost } from "../../../src/kernel/bytes.ts";
import {
  backoffMs,
  connectionStatus,
  consentEnd,
} from "../../../src/banking/connections/status.ts";
import { parseExactJson } from "../../../src/banking/aggregators/powens/exact-json.ts";
import {
  fingerprintOf,
  normaliseIban,
  normaliseName,
} from "../../../src/banking/connections/account-fingerprint.ts";
import type { RemoteAccount } from "../../../src/banking/ports.ts";
import type { Keyring } from "../../../src/kernel/keyring.ts";
import { DAY_MS } from "../../../src/kernel/time.ts";
import type { BankRow, OfferTerms } from "../../../src/ledger/ports.ts";
import { RECORD_BYTES_MAX } from "../../../src/ledger/ports.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const KEYS: Keyring = { active: "a", keys: new Map([["a", new Uint8Array(32).fill(7)]]) };

describe("connection status", () => {
  const active = { status: "active", action: "none" } as const;
  const at = (
    condition: Parameters<typeof connectionStatus>[0]["condition"],
    lastUpdateMs: number | null = NOW,
    previous: Parameters<typeof connectionStatus>[1] = active,
    ends = NOW + 1,
  ) => connectionStatus({ condition, lastUpdateMs }, previous, ends, NOW);
  it("connects until the first update", () => {
    expect(at("ok", null)).toEqual({ status: "connecting", action: "none" });
    expect(at("ok")).toEqual(active);
  });
  it("asks for a renewal, and calls it expired once the consent ended", () => {
    expect(at("renew")).toEqual({ status: "action_required", action: "renew" });
    expect(at("renew", NOW, active, NOW)).toEqual({ status: "expired", action: "renew" });
  });
  it("keeps what was shown while it settles, and for three days of trouble", () => {
    const asked = { status: "action_required", action: "renew" } as const;
    expect(at("settling", NOW, asked)).toEqual(asked);
    expect(at("transient", NOW - 3 * DAY_MS + 1)).toEqual(active);
    expect(at("transient", NOW - 3 * DAY_MS)).toEqual({ status: "unavailable", action: "none" });
    expect(at("transient", null)).toEqual({ status: "unavailable", action: "none" });
  });
  it("a consent ends when the aggregator says, else after 180 days", () => {
    expect(consentEnd({ consentExpiresAtMs: 5 }, 1)).toBe(5);
    expect(consentEnd({ consentExpiresAtMs: null }, NOW)).toBe(NOW + 180 * DAY_MS);
  });
  it("waits longer and longer, six hours at most", () => {
    expect([0, 1, 2, 20, 1000].map(backoffMs)).toEqual([
      60_000,
      120_000,
      240_000,
      21_600_000,
      21_600_000,
    ]);
  });
});

describe("fingerprints", () => {
  const account = (change: Partial<RemoteAccount> = {}): RemoteAccount => ({
    remoteId: "1",
    remoteConnectionId: "9",
    kind: "checking",
    state: "enabled",
    currency: "EUR",
    iban: "FR76 3000 2000 0000 0000 0000 143",
    parentRemoteId: null,
    name: "Compte chèque",
    ...change,
  });
  const of = (
    value: RemoteAccount,
    siblings: RemoteAccount[] = [],
    userId = "usr_1",
    bankId = "bank",
  ) => fingerprintOf(KEYS, userId, bankId, value, siblings);
  it("an IBAN is the account, whoever holds it, however it is written and named", () => {
    const first = of(account());
    expect(first.strength).toBe("iban");
    expect(
      of(
        account({ remoteId: "2", iban: "fr7630002000000000000000143", name: "Other" }),
        [],
        "usr_2",
        "other",
      ),
    ).toMatchObject({ fingerprint: first.fingerprint, strength: "iban" });
    expect(of(account({ iban: "FR7630002000000000000000144" }))).not.toEqual(first);
  });
  it("a card is its parent's IBAN and its own name, never the parent itself", () => {
    const parent = account({ remoteId: "10" });
    const card = account({
      remoteId: "11",
      kind: "card",
      iban: null,
      parentRemoteId: "10",
      name: "CARTE VISA",
    });
    const print = of(card, [parent, card]);
    expect(print.strength).toBe("parent");
    expect(of({ ...card, iban: parent.iban }, [parent])).toEqual(print);
    expect(of({ ...card, name: "Carte  Visa" }, [parent])).toEqual(print);
    expect(of({ ...card, name: "CARTE GOLD" }, [parent])).not.toEqual(print);
    expect(print.fingerprint).not.toBe(of(parent).fingerprint);
  });
  it("without either it is weak: user, bank and name", () => {
    const nameless = account({ iban: null });
    const print = of(nameless);
    expect(print.strength).toBe("weak");
    expect(of(account({ iban: "not an iban" }))).toEqual(print);
    // An account with an IBAN carries the same name's hash: should the bank stop giving the one,
    // the other is left.
    expect([print.weakKey, of(account()).weakKey]).toEqual([print.fingerprint, print.fingerprint]);
    expect(of(account({ name: "Other" })).weakKey).not.toBe(print.weakKey);
    expect(of(nameless, [], "usr_2")).not.toEqual(print);
    expect(of(nameless, [], "usr_1", "other")).not.toEqual(print);
    expect(of(account({ iban: null, parentRemoteId: "404" })).strength).toBe("weak");
  });
  it("depend on the key and show nothing of the IBAN", () => {
    const other: Keyring = { active: "a", keys: new Map([["a", new Uint8Array(32).fill(8)]]) };
    expect(fingerprintOf(other, "usr_1", "bank", account(), [])).not.toEqual(of(account()));
    expect(JSON.stringify(of(account()))).not.toMatch(/FR76|3000/);
  });
  it("normalises", () => {
    expect(normaliseIban("EX6713679564637300290000028")).toBe("EX6713679564637300290000028");
    expect([normaliseIban(null), normaliseIban(""), normaliseIban("****1572")]).toEqual([
      null,
      null,
      null,
    ]);
    expect(normaliseName("  Compte-Chèque  n°1 ")).toBe("COMPTE CHEQUE N 1");
  });
});

describe("batches", () => {
  const row = (index: number, brand: string | null = null, label = "f1.a.b"): BankRow => ({
    accountId: "acc_1",
    externalId: String(index),
    kind: "purchase",
    amountCents: 1,
    currency: "EUR",
    original: null,
    purchasedOn: "2026-11-20",
    bookedOn: null,
    state: "booked",
    lastUpdateMs: 1,
    labelCipher: label,
    labelTag: "t",
    brand: brand === null ? null : { id: `brd_${brand}` as const, matched: brand },
    channel: "unknown",
    review: null,
  });
  const terms = (
    brandId: string,
  ): OfferTerms[] => [{ offerId: "off_1", brandId } as unknown as OfferTerms];
  it("one, also for nothing", () => {
    expect(splitRows([], terms)).toEqual([[]]);
  });
  it("500 rows at most: 1,201 are three", () => {
    expect(
      splitRows(Array.from({ length: 1201 }, (_, index) => row(index, "a")), terms).map((batch) =>
        batch.length
      ),
    ).toEqual([500, 500, 201]);
  });
  it("500 rows at most, in order, nothing lost", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "b", null), { maxLength: 1600, size: "max" }),
        (brands) => {
          const rows = brands.map((brand, index) => row(index, brand));
          const batches = splitRows(rows, terms);
          expect(batches.flat()).toEqual(rows);
          for (const batch of batches) {
            expect(batch.length).toBeLessThanOrEqual(500);
          }
          expect(batches.length).toBe(Math.max(1, Math.ceil(rows.length / 500)));
        },
      ),
      { numRuns: 30 },
    );
  });
  it("1 MiB at most, with the offers of its brands", () => {
    const heavy = (
      brandId: string,
    ): OfferTerms[] => [
      { offerId: "off_1", brandId, name: "n".repeat(100_000) } as unknown as OfferTerms,
    ];
    const rows = Array.from(
      { length: 400 },
      (_, index) => row(index, `b${index % 20}`, "é".repeat(1000)),
    );
    const batches = splitRows(rows, heavy);
    expect(batches.flat()).toEqual(rows);
    for (const batch of batches) {
      const offers = [...new Set(batch.map((each) => each.brand?.id ?? ""))].flatMap(heavy);
      expect(new TextEncoder().encode(JSON.stringify({ batch, offers })).length)
        .toBeLessThanOrEqual(RECORD_BYTES_MAX);
    }
  });
});

describe("bytes from outside", () => {
  const stream = (...sizes: number[]) =>
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const size of sizes) controller.enqueue(new Uint8Array(size));
        controller.close();
      },
    });
  it("are read to the limit and not one further", async () => {
    expect((await readAtMost(stream(5, 5), 10))?.length).toBe(10);
    expect(await readAtMost(stream(5, 6), 10)).toBeNull();
    expect((await readAtMost(null, 10))?.length).toBe(0);
  });
  it("are unfolded to the limit and not one further", async () => {
    const pack = async (size: number) =>
      new Uint8Array(
        await new Response(
          new Blob([new Uint8Array(size)]).stream().pipeThrough(new CompressionStream("gzip")),
        ).arrayBuffer(),
      );
    expect(await gunzipAtMost(await pack(100_000), 100_000)).toMatchObject({
      bytes: { length: 100_000 },
    });
    expect(await gunzipAtMost(await pack(100_001), 100_000)).toBe("too_large");
    expect(await gunzipAtMost(new Uint8Array([1, 2, 3]), 100)).toBe("not_gzip");
    expect(await gunzipAtMost((await pack(1000)).slice(0, 12), 10_000)).toBe("not_gzip");
  });
});

describe("exact JSON", () => {
  it("keeps the text of every number", () => {
    expect(
      parseExactJson('{"a":-837.950,"b":[1e3,9007199254740993],"c":"1","d":null,"e":true}')?.value,
    ).toEqual({ a: "-837.950", b: ["1e3", "9007199254740993"], c: "1", d: null, e: true });
  });
  it.each(["", "{", "nul", "{'a':1}", "01"])("recognises what is no JSON: %s", (text) => {
    expect(parseExactJson(text)).toBeNull();
  });
  it("agrees with JSON.parse on everything but numbers", () => {
    fc.assert(fc.property(fc.json(), (text) => {
      const texts = (value: unknown): unknown =>
        typeof value === "number"
          ? "n"
          : Array.isArray(value)
          ? value.map(texts)
          : value !== null && typeof value === "object"
          ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, texts(item)]))
          : value;
      const exact = parseExactJson(text)?.value;
      const shape = (value: unknown, plain: unknown): unknown =>
        typeof plain === "number"
          ? (typeof value === "string" && Number(value) === plain ? "n" : "wrong")
          : Array.isArray(plain)
          ? plain.map((item, index) => shape((value as unknown[])[index], item))
          : plain !== null && typeof plain === "object"
          ? Object.fromEntries(
            Object.entries(plain).map((
              [key, item],
            ) => [key, shape((value as Record<string, unknown>)[key], item)]),
          )
          : value;
      const plain: unknown = JSON.parse(text);
      expect(shape(exact, plain)).toEqual(texts(plain));
    }));
  });
});
