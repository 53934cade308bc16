// Pure rules of banking: what a state means, which account is which, how rows are cut into calls.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitRows } from "../../../src/banking/rows/batches.ts";
import { gunzip, readAtMost } from "../../../src/kernel/bytes.ts";
import {
  backoffMs,
  connectionStatus,
  consentEnd,
} from "../../../src/banking/connections/status.ts";
import { parseExactJson } from "../../../src/banking/aggregators/powens/exact-json.ts";
import {
  identityAfter,
  identityOf,
  normaliseName,
} from "../../../src/banking/connections/account-identity.ts";
import { validIban } from "../../../src/banking/connections/iban.ts";
import { keyedIndex } from "../../../src/kernel/keyring.ts";
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

describe("an account's identity", () => {
  const IBAN = "FR76 3000 6000 0112 3456 7890 189";
  const account = (change: Partial<RemoteAccount> = {}): RemoteAccount => ({
    remoteId: "1",
    remoteConnectionId: "9",
    kind: "checking",
    state: "enabled",
    currency: "EUR",
    iban: IBAN,
    parentRemoteId: null,
    name: "Compte chèque",
    ...change,
  });
  const of = (
    value: RemoteAccount,
    siblings: RemoteAccount[] = [],
    userId = "usr_1",
    bankId = "bank",
  ) => identityOf(KEYS, userId, bankId, value, siblings);
  it("is its IBAN, whoever holds it, however it is written and named", () => {
    const first = of(account());
    expect([first.strength, first.fingerprint]).toEqual(["iban", first.ownIban]);
    const other = account({ iban: "fr7630006000011234567890189", name: "Other" });
    expect(of(other, [], "usr_2", "other")).toMatchObject({
      ownIban: first.ownIban,
      fingerprint: first.ownIban,
    });
    expect(of(account({ iban: "FR1420041010050500013M02606" })).ownIban).not.toBe(first.ownIban);
  });
  it("of a card is its parent's IBAN under every name, never the parent itself", () => {
    const parent = account({ remoteId: "10" });
    const card = account({ remoteId: "11", kind: "card", iban: null, parentRemoteId: "10" });
    const identity = of(card, [parent, card]);
    expect(identity).toMatchObject({
      ownIban: null,
      strength: "parent",
      fingerprint: of(parent).ownIban,
    });
    const same = { ownIban: null, fingerprint: identity.fingerprint };
    expect(of({ ...card, name: "CARTE GOLD" }, [parent, card])).toMatchObject(same);
    expect(of({ ...card, iban: parent.iban }, [parent, card])).toMatchObject(same);
    // Some banks name no parent.
    const silent = { ...card, iban: parent.iban, parentRemoteId: null };
    expect(of(silent, [parent, silent])).toMatchObject(same);
    expect(of({ ...card, parentRemoteId: "404" }, [parent, card]).strength).toBe("weak");
  });
  it("says nothing of sharing without an IBAN, and knows the name as a hint only", () => {
    const nameless = account({ iban: null });
    const identity = of(nameless);
    expect([identity.strength, identity.ownIban]).toEqual(["weak", null]);
    expect(of(nameless, [], "usr_2").fingerprint).not.toBe(identity.fingerprint);
    expect(of({ ...nameless, name: "Autre" }).nameTag).not.toBe(identity.nameTag);
    expect(of(account()).nameTag).toBe(identity.nameTag);
  });
  it("depends on the key and shows nothing of the IBAN", () => {
    const other: Keyring = { active: "a", keys: new Map([["a", new Uint8Array(32).fill(8)]]) };
    expect(identityOf(other, "usr_1", "bank", account(), []).ownIban).not.toBe(
      of(account()).ownIban,
    );
    expect(JSON.stringify(of(account()))).not.toMatch(/FR76|3000/);
  });
  it("carries the keys by which data from before knew it", () => {
    const parent = account({ remoteId: "10" });
    const card = account({ remoteId: "11", kind: "card", iban: null, parentRemoteId: "10" });
    const hash = (text: string) => keyedIndex(KEYS, "bank_account", text);
    const weak = hash("weak|usr_1|bank|COMPTE CHEQUE");
    expect(of(account()).earlierKeys).toEqual([hash("iban|FR7630006000011234567890189"), weak]);
    expect(of(card, [parent]).earlierKeys).toEqual([
      hash("parent|FR7630006000011234567890189|COMPTE CHEQUE"),
      weak,
    ]);
    expect(of(account({ iban: null })).earlierKeys).toEqual([weak, weak]);
  });
  it("keeps what a bank once gave, but not what was no IBAN", () => {
    const known = of(account());
    const silent = account({ iban: null });
    expect(identityAfter(KEYS, known, silent, of(silent))).toMatchObject({
      ownIban: known.ownIban,
      fingerprint: known.fingerprint,
      strength: "iban",
    });
    const masked = account({ iban: "FR76XXXXXXXXXXXXXXXXXXX4567" });
    const wrong = keyedIndex(KEYS, "bank_account", "iban|FR76XXXXXXXXXXXXXXXXXXX4567");
    const stored = { ...known, ownIban: wrong, fingerprint: wrong };
    expect(identityAfter(KEYS, stored, masked, of(masked))).toMatchObject({
      ownIban: null,
      strength: "weak",
      fingerprint: of(masked).fingerprint,
    });
    // A card's fingerprint of before held its name.
    const old = {
      ...of(silent),
      strength: "parent",
      fingerprint: "of before",
      nameTag: null,
    } as const;
    expect(identityAfter(KEYS, old, silent, of(silent)).strength).toBe("weak");
  });
  it("normalises a name", () => {
    expect(normaliseName("  Compte-Chèque  n°1 ")).toBe("COMPTE CHEQUE N 1");
  });
});

describe("an IBAN", () => {
  it("is valid by form, length and check digits, in any spelling", () => {
    for (
      const iban of [
        "FR7630006000011234567890189",
        "fr14 2004 1010 0505 0001 3m02 606",
        "DE89370400440532013000",
        "BE68-5390-0754-7034",
        "GB29NWBK60161331926819",
        "LU280019400644750000",
        "MT84MALT011000012345MTLCAST001S",
      ]
    ) expect(validIban(iban), iban).toBe(iban.replace(/[\s-]/g, "").toUpperCase());
  });
  it("is none when masked, mistyped, too short or of a country that has none", () => {
    for (
      const text of [
        null,
        "",
        "****1572",
        "FR76XXXXXXXXXXXXXXXXXXX4567",
        "FR76XXXX…4567",
        "FR76************4567",
        "FR7630006000011234567890188",
        "FR763000600001123456789018",
        "DE8937040044053201300",
        "US64SVBKUS6S3300958879",
        "EX67XXXXXXXXXXXXXXXXXXXXXX1",
      ]
    ) expect(validIban(text), String(text)).toBeNull();
  });
  it("is none when only its check digits fit a mask", () => {
    const masks = Array.from(
      { length: 100 },
      (_, index) => `FR76300060000112XXXXXXXX8${String(index).padStart(2, "0")}`,
    );
    expect(masks.map(validIban).filter((iban) => iban !== null)).toEqual([]);
  });
  it("of the test connector is taken as it is", () => {
    expect(validIban("EX37300020053076011380998")).toBe("EX37300020053076011380998");
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
    expect((await readAtMost(gunzip(await pack(100_000)), 100_000))?.length).toBe(100_000);
    expect(await readAtMost(gunzip(await pack(100_001)), 100_000)).toBeNull();
    await expect(readAtMost(gunzip(new Uint8Array([1, 2, 3])), 100)).rejects.toThrow();
    await expect(readAtMost(gunzip((await pack(1000)).slice(0, 12)), 10_000)).rejects.toThrow();
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
