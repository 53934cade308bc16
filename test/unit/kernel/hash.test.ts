import * as fc from "fast-check";
import { createHash, createHmac } from "node:crypto";
import { describe, it } from "vitest";
import { assert, InvariantError, unreachable } from "../../../src/kernel/assert.ts";
import {
  base64Decode,
  base64UrlEncode,
  concatBytes,
  hexEncode,
  utf8Decode,
  utf8Encode,
} from "../../../src/kernel/encoding.ts";
import {
  canonicalJson,
  constantTimeEqual,
  hmacSha256,
  sha256Bytes,
  sha256Hex,
} from "../../../src/kernel/hash.ts";

const bytes = fc.uint8Array({ maxLength: 200 });

describe("canonicalJson", () => {
  it("gives the published texts of RFC 8785", ({ expect }) => {
    // Section 3.2.2 and its result in 3.2.3.
    const sample = JSON.parse(
      String
        .raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    ) as unknown;
    expect(canonicalJson(sample)).toBe(
      String
        .raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
    // Section 3.2.3: names are sorted by UTF-16 code units.
    const names = JSON.parse(
      String
        .raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
    ) as Record<string, string>;
    expect(
      Object.values(
        JSON.parse(
          `[${
            [...canonicalJson(names).matchAll(/:("(?:[^"\\]|\\.)*")/g)].map(([, value]) => value)
              .join(",")
          }]`,
        ) as string[],
      ),
    ).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  it("gives the published number forms of RFC 8785, appendix B", ({ expect }) => {
    const view = new DataView(new ArrayBuffer(8));
    for (
      const [bits, text] of [
        ["0000000000000000", "0"],
        ["8000000000000000", "0"],
        ["0000000000000001", "5e-324"],
        ["8000000000000001", "-5e-324"],
        ["7fefffffffffffff", "1.7976931348623157e+308"],
        ["4340000000000000", "9007199254740992"],
        ["c340000000000000", "-9007199254740992"],
        ["4430000000000000", "295147905179352830000"],
        ["44b52d02c7e14af5", "9.999999999999997e+22"],
        ["44b52d02c7e14af6", "1e+23"],
        ["444b1ae4d6e2ef4e", "999999999999999700000"],
        ["444b1ae4d6e2ef50", "1e+21"],
        ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
        ["3eb0c6f7a0b5ed8d", "0.000001"],
        ["41b3de4355555553", "333333333.3333332"],
        ["41b3de4355555557", "333333333.33333343"],
        ["becbf647612f3696", "-0.0000033333333333333333"],
      ] as const
    ) {
      view.setBigUint64(0, BigInt(`0x${bits}`));
      expect(canonicalJson(view.getFloat64(0)), bits).toBe(text);
    }
  });

  it("depends on the value only, not on the order of its names", ({ expect }) => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value));
      }),
    );
  });

  it("refuses what has no canonical form", ({ expect }) => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    for (
      const value of [
        undefined,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        { a: [Number.NaN] },
        "\uD800",
        () => 1,
        1n,
        circle,
      ]
    ) expect(() => canonicalJson(value)).toThrow();
  });
});

describe("hashes", () => {
  it("agree with Node's", ({ expect }) => {
    fc.assert(fc.property(bytes, bytes, fc.string({ unit: "grapheme" }), (key, message, text) => {
      expect(hexEncode(sha256Bytes(message))).toBe(
        createHash("sha256").update(message).digest("hex"),
      );
      expect(hexEncode(hmacSha256(key, message))).toBe(
        createHmac("sha256", key).update(message).digest("hex"),
      );
      expect(sha256Hex(text)).toBe(createHash("sha256").update(text, "utf8").digest("hex"));
    }));
  });

  it("compare as equal exactly when every byte is", ({ expect }) => {
    fc.assert(fc.property(bytes, bytes, (a, b) => {
      expect(constantTimeEqual(a, b)).toBe(Buffer.compare(a, b) === 0);
      expect(constantTimeEqual(a, Uint8Array.from(a))).toBe(true);
    }));
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        (a, place, bit) => {
          const changed = Uint8Array.from(a);
          changed[place % a.length] = (changed[place % a.length] ?? 0) ^ (1 << bit);
          expect(constantTimeEqual(a, changed)).toBe(false);
          expect(constantTimeEqual(a, a.slice(0, -1))).toBe(false);
        },
      ),
    );
  });
});

describe("encodings", () => {
  it("decode only well-formed UTF-8, and keep a byte order mark apart from none", ({ expect }) => {
    for (
      const malformed of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [
        0xf4,
        0x90,
        0x80,
        0x80,
      ], [0x61, 0x80]]
    ) expect(() => utf8Decode(Uint8Array.from(malformed))).toThrow();
    expect(utf8Decode(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61]))).toBe("\uFEFFa");
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(utf8Decode(utf8Encode(text))).toBe(text);
    }));
  });

  it("read base64 and base64url, padded or not, like Node does", ({ expect }) => {
    fc.assert(fc.property(bytes, (given) => {
      const plain = Buffer.from(given).toString("base64");
      const url = Buffer.from(given).toString("base64url");
      expect(base64UrlEncode(given)).toBe(url);
      for (const text of [plain, url, plain.replace(/=+$/, "")]) {
        expect(base64Decode(text), text).toEqual(given);
      }
    }));
  });

  it("refuse every other text, also a second spelling of the same bytes", ({ expect }) => {
    // "QUE" and "QUF" are both "AA" to a lenient decoder, as are a wrong number of "=" and a mixed
    // alphabet.
    for (
      const text of [
        "A",
        "QQ=",
        "Q===",
        "QUF",
        "QR==",
        "QUJD=",
        "QUJD==",
        "QU JD",
        "QUJD\n",
        "+-AA",
        "é",
        "QQ==QQ==",
        "=",
        "==",
      ]
    ) expect(base64Decode(text), JSON.stringify(text)).toBeNull();
    expect(base64Decode("")).toEqual(new Uint8Array(0));
  });

  it("join bytes and write hexadecimal", ({ expect }) => {
    fc.assert(fc.property(fc.array(bytes, { maxLength: 5 }), (list) => {
      expect(concatBytes(...list)).toEqual(new Uint8Array(Buffer.concat(list)));
      expect(hexEncode(concatBytes(...list))).toBe(Buffer.concat(list).toString("hex"));
    }));
  });
});

describe("assert", () => {
  it("stops with a code and what is wrong, and nothing else", ({ expect }) => {
    expect(() => assert(true, "lot_not_found", "lot not found")).not.toThrow();
    expect(() => assert(false, "lot_not_found", "lot not found")).toThrow(
      expect.objectContaining({ code: "lot_not_found", message: "lot not found" }),
    );
    expect(new InvariantError("x", "y").name).toBe("InvariantError");
  });

  it("names the type of an unreachable value, never the value", ({ expect }) => {
    expect(() => unreachable("jean@example.com" as never)).toThrow(
      new InvariantError("unreachable", "unreachable branch reached by a string"),
    );
  });
});
