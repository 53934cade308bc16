// The chain's own SHA-256 against the library's and against the published examples.
import { sha256 as library } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hexEncode, utf8Encode } from "../../src/kernel/encoding.ts";
import { sha256 } from "../../src/kernel/sha256.ts";

test.each([
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"],
])("the published example %j", (text, hash) => {
  expect(hexEncode(sha256(utf8Encode(text)))).toBe(hash);
});

test("every length around the ends of blocks hashes as the library hashes it", () => {
  for (let length = 0; length <= 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 167 + length) % 256);
    expect(hexEncode(sha256(bytes))).toBe(hexEncode(library(bytes)));
  }
});

test("any bytes hash as the library hashes them, be they a part of a larger buffer", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(70), (bytes, from) => {
    expect(hexEncode(sha256(bytes.subarray(from)))).toBe(hexEncode(library(bytes.subarray(from))));
  }));
});
