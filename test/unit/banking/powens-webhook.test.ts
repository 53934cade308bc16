// The signature is the only thing between a stranger and a user's points.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  readWebhook,
  signedDelivery,
  verifySignature,
} from "../../../src/banking/aggregators/powens/webhook.ts";
import { utf8Encode } from "../../../src/kernel/encoding.ts";

const VECTORS = [
  {
    endpoint: "/api/webhooks/powens",
    date: "2022-06-27T11:08:52.577831Z",
    payload: '{"connection":{"id":99}}',
    signature: "LhtwnLjaDrgHrge/7yFvbwHG/AsN4EUpXYeFqHR/Uug=",
  },
  {
    endpoint: "/webhooks/powens/connection-synced",
    date: "2026-01-15T06:30:00.000001Z",
    payload: '{"wording":"CAFÉ – 3,50 €"}',
    signature: "mqx76fkbOcPciIqErjkTzuRDHvrMNFT5CZNxsQcX0DY=",
  },
];

function delivery(date: string, signature: string) {
  return signedDelivery(new Headers({ "BI-Signature-Date": date, "BI-Signature": signature }));
}

async function check(
  vector: (typeof VECTORS)[number],
  change: { secrets?: string[]; path?: string; date?: string; payload?: Uint8Array } = {},
): Promise<boolean> {
  const signed = delivery(change.date ?? vector.date, vector.signature);
  if (signed === null) return false;
  return verifySignature(
    change.secrets ?? ["shh"],
    change.path ?? vector.endpoint,
    signed,
    change.payload ?? utf8Encode(vector.payload),
  );
}

describe("the signature", () => {
  it.each(VECTORS)("holds for the published formula at $endpoint", async (vector) => {
    expect(await check(vector)).toBe(true);
  });
  it.each(VECTORS)(
    "does not hold for another path, date or secret at $endpoint",
    async (vector) => {
      expect(await check(vector, { path: `${vector.endpoint}/` })).toBe(false);
      expect(await check(vector, { date: "2026-01-15T06:30:00.000002Z" })).toBe(false);
      expect(await check(vector, { secrets: ["shH"] })).toBe(false);
      expect(await check(vector, { secrets: [] })).toBe(false);
    },
  );
  it("holds under either of two live secrets", async () => {
    const [vector] = VECTORS;
    if (vector === undefined) throw new Error("vector");
    expect(await check(vector, { secrets: ["shh", "next-one"] })).toBe(true);
    expect(await check(vector, { secrets: ["next-one", "shh"] })).toBe(true);
  });
  it("covers the date as it was written, however old", async () => {
    const [vector] = VECTORS;
    if (vector === undefined) throw new Error("vector");
    expect(await check(vector, { date: "2022-06-27T11:08:52.577831+00:00" })).toBe(false);
    expect(await check(vector)).toBe(true);
  });
  it("refuses a body with any byte flipped", async () => {
    const [, vector] = VECTORS;
    if (vector === undefined) throw new Error("vector");
    const bytes = utf8Encode(vector.payload);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, mask) => {
          const flipped = bytes.slice();
          flipped[at] = (flipped[at] ?? 0) ^ mask;
          expect(await check(vector, { payload: flipped })).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
  it("refuses a body that was parsed and written again", async () => {
    const payload = '{"id": 1, "value": 10.00}';
    const key = await crypto.subtle.importKey(
      "raw",
      utf8Encode("shh"),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const date = "2026-01-15T06:30:00Z";
    const signature = btoa(
      String.fromCharCode(
        ...new Uint8Array(
          await crypto.subtle.sign("HMAC", key, utf8Encode(`POST./x.${date}.${payload}`)),
        ),
      ),
    );
    const vector = { endpoint: "/x", date, payload, signature };
    expect(await check(vector)).toBe(true);
    expect(await check(vector, { payload: utf8Encode(JSON.stringify(JSON.parse(payload))) })).toBe(
      false,
    );
  });
});

describe("the signature headers", () => {
  const good = VECTORS[0]?.signature ?? "";
  it.each([
    ["no date", { "BI-Signature": good }],
    ["no signature", { "BI-Signature-Date": "2022-06-27T11:08:52Z" }],
    ["a date of another form", {
      "BI-Signature-Date": "Mon, 27 Jun 2022 11:08:52 GMT",
      "BI-Signature": good,
    }],
    ["a date with more behind it", {
      "BI-Signature-Date": "2022-06-27T11:08:52Z.x",
      "BI-Signature": good,
    }],
    ["a short signature", { "BI-Signature-Date": "2022-06-27T11:08:52Z", "BI-Signature": "YWJj" }],
    ["hex", { "BI-Signature-Date": "2022-06-27T11:08:52Z", "BI-Signature": "a".repeat(64) }],
    ["base64url", {
      "BI-Signature-Date": "2022-06-27T11:08:52Z",
      "BI-Signature": good.replaceAll("/", "_"),
    }],
  ])("are refused with %s", (_name, headers) => {
    expect(signedDelivery(new Headers(headers as Record<string, string>))).toBeNull();
  });
});

describe("reading a verified body", () => {
  const read = (event: Parameters<typeof readWebhook>[0], text: string) =>
    readWebhook(event, utf8Encode(text));
  it("finds the ids that each event carries", () => {
    expect(read("user-deleted", '{"id":7}')).toMatchObject({
      remoteUserId: "7",
      remoteConnectionId: null,
    });
    expect(read("connection-deleted", '{"id":70,"id_user":7}')).toMatchObject({
      remoteUserId: "7",
      remoteConnectionId: "70",
    });
    expect(
      read(
        "account-disabled",
        '{"id":701,"id_connection":70,"id_user":7,"type":"checking","disabled":"2026-11-20 10:00:00"}',
      ),
    )
      .toMatchObject({
        remoteUserId: "7",
        remoteConnectionId: "70",
        accounts: [{ remoteId: "701", state: "disabled", kind: "checking" }],
      });
  });
  it("keeps ids beyond 2^53 exact", () => {
    expect(read("user-deleted", '{"id":9007199254740993}')?.remoteUserId).toBe("9007199254740993");
  });
  it.each(
    [
      ["connection-synced", '{"user":{"id":7}}'],
      ["connection-synced", '{"user":{"id":7},"connection":{"id":70,"id_user":8}}'],
      ["connection-deleted", '{"id":70}'],
      ["account-disabled", '{"id":701,"id_user":7}'],
      ["user-deleted", '{"id":"x"}'],
      ["user-deleted", "[]"],
      ["user-deleted", "{"],
      ["user-deleted", "null"],
      ["user-deleted", '{"id":-7}'],
    ] as const,
  )("gives up on %s %s", (event, text) => {
    expect(read(event, text)).toBeNull();
  });
  it("gives up on bytes that are not UTF-8", () => {
    expect(readWebhook("user-deleted", new Uint8Array([0x7b, 0xff, 0x7d]))).toBeNull();
  });
});
