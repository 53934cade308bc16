// The same bytes from every runtime: a ciphertext written in one must open in the other, or nobody
// could move.
import { accessTokenIssuer, publicKeySet } from "../../src/identity/access-tokens.ts";
import { utf8Decode, utf8Encode } from "../../src/kernel/encoding.ts";
import { canonicalJson, sha256Hex } from "../../src/kernel/hash.ts";
import {
  keyedIndex,
  newWrappedDataKey,
  openUserCipher,
  openWithKeyring,
  sealWithKeyring,
} from "../../src/kernel/keyring.ts";
import type { Keyring } from "../../src/kernel/keyring.ts";
import type { RandomBytes } from "../../src/kernel/random.ts";
import { seededRandom } from "./ledger-factories.ts";
import type { ContractTest } from "./ledger.ts";

export function contractKeyring(): Keyring {
  return {
    active: "two",
    keys: new Map([["one", new Uint8Array(32).fill(1)], ["two", new Uint8Array(32).fill(2)]]),
  };
}

const counting: RandomBytes = (length) => Uint8Array.from({ length }, (_, index) => index);
// AES-256-GCM, key 02 x 32, IV 00..0b, associated data "a|b", plain text "é 1": computed with
// Node's createCipheriv.
const SEALED = "k1.two.AAECAwQFBgcICQoL.iqHCy3-U9Iceidv4NAuORbyKrSA";
// HMAC-SHA-256, key 02 x 32, of "email", a zero byte and "a@b.c": computed with Node's createHmac.
const INDEX = "two.mS2sXuewpi-5jPIDSs9WOkO4OFPUbn4DebyLmjw7YyQ";
// RFC 7515, appendix A.3.
const JWK = {
  kid: "k",
  kty: "EC",
  crv: "P-256",
  x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
  d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
};

/** Registers the contract with the test runner that is there. */
export function cryptoContract(test: ContractTest): void {
  test("a ciphertext is the same bytes and opens at its place only", async ({ expect }) => {
    const ring = contractKeyring();
    expect(await sealWithKeyring(ring, "a|b", utf8Encode("é 1"), counting)).toEqual(SEALED);
    const opened = await openWithKeyring(ring, "a|b", SEALED);
    expect(opened.ok ? utf8Decode(opened.value) : opened.error).toEqual("é 1");
    expect(await openWithKeyring(ring, "a|c", SEALED)).toEqual({
      ok: false,
      error: "cipher_refused",
    });
    expect(
      await openWithKeyring(
        { active: "one", keys: new Map([["one", new Uint8Array(32)]]) },
        "a|b",
        SEALED,
      ),
    ).toEqual({ ok: false, error: "cipher_key_unknown" });
  });

  test("a user's field opens under that user's key only", async ({ expect }) => {
    const ring = contractKeyring();
    const place = { table: "purchases", column: "label", row: "1" };
    const wrapped = await newWrappedDataKey(ring, "usr_1", seededRandom(1));
    const cipher = await openUserCipher(ring, "usr_1", wrapped, seededRandom(2));
    const sealed = cipher.ok ? await cipher.value.encrypt(place, "CB MONOPRIX") : "";
    expect(cipher.ok ? await cipher.value.decrypt(place, sealed) : cipher).toEqual({
      ok: true,
      value: "CB MONOPRIX",
    });
    expect(cipher.ok ? await cipher.value.decrypt({ ...place, row: "2" }, sealed) : cipher).toEqual(
      { ok: false, error: "cipher_refused" },
    );
    expect(await openUserCipher(ring, "usr_2", wrapped, seededRandom(3))).toEqual({
      ok: false,
      error: "cipher_refused",
    });
  });

  test("hashes, keyed indexes and canonical JSON are the same texts", async ({ expect }) => {
    expect(sha256Hex("abc")).toEqual(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(keyedIndex(contractKeyring(), "email", "a@b.c")).toEqual(INDEX);
    expect(canonicalJson({ b: 1, a: ["é", 1e21, -0] })).toEqual('{"a":["é",1e+21,0],"b":1}');
  });

  test("an access token is signed and verifies under the published key", async ({ expect }) => {
    const config = {
      auth: { issuer: "https://i", audience: "a", trustedIssuers: [] },
      jwtSigningKeys: [JWK],
    };
    const token = await accessTokenIssuer(
      config,
      { nowMs: () => 1_795_000_000_000 },
      seededRandom(),
    ).issue({ userId: "usr_1", sessionId: "ses_1", authTimeS: 1, amr: ["otp"] });
    const [header = "", payload = "", signature = ""] = token.split(".");
    const { x, y } = publicKeySet([JWK]).keys[0] ?? { x: "", y: "" };
    const key = await crypto.subtle.importKey(
      "jwk",
      { kty: "EC", crv: "P-256", x, y },
      { name: "ECDSA", namedCurve: "P-256" },
      false,
      ["verify"],
    );
    const bytes = Uint8Array.from(
      atob(signature.replaceAll("-", "+").replaceAll("_", "/")),
      (letter) => letter.charCodeAt(0),
    );
    const verify = (text: string): Promise<boolean> =>
      crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, bytes, utf8Encode(text));
    expect([await verify(`${header}.${payload}`), await verify(`${header}.${payload}x`)]).toEqual([
      true,
      false,
    ]);
  });
}
