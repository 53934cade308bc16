// A passkey made on one runtime must sign in on every other: each verifies recorded answers (ES256
// of WebCrypto, made once in Node by test/support/authenticator.ts) and refuses the same faults.
import { verifyAssertion, verifyRegistration } from "../../src/identity/passkey.ts";
import type { AssertionAnswer, PasskeyKey } from "../../src/identity/passkey.ts";
import { base64UrlEncode, utf8Encode } from "../../src/kernel/encoding.ts";
import { softwareAuthenticator } from "../support/authenticator.ts";
import type { ContractTest } from "./ledger.ts";

const PARTY = { rpId: "cagnotte.test", origins: ["https://app.cagnotte.test"] };
const ID = "nSorTsk_G4XQeQzhytDxwgWWoaRRMC1JbQvDVsDuQ3I";
const REGISTRATION = {
  clientDataJSON:
    "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiY21WbmFYTjBjbUYwYVc5dSIsIm9yaWdpbiI6Imh0dHBzOi8vYXBwLmNhZ25vdHRlLnRlc3QiLCJjcm9zc09yaWdpbiI6ZmFsc2V9",
  attestationObject:
    "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YViknLy28uhKqLyASU57pUdluqsCXhrnDIlkuMitvfqnKTZFAAAABAAAAAAAAAAAAAAAAAAAAAAAIJ0qK07JPxuF0HkM4crQ8cIFlqGkUTAtSW0Lw1bA7kNypQECAyYgASFYIIbG6Oakia4FuGxpjDVFEIIv0fjS9lRT7_oidqFU2d6aIlgg8qchDxGYR6YPWB-mQ9n6gBEhE25ir0FOAk5VtG9HMic",
  transports: ["internal", "hybrid"],
};
const ASSERTION = {
  clientDataJSON:
    "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiWVhOelpYSjBhVzl1Iiwib3JpZ2luIjoiaHR0cHM6Ly9hcHAuY2Fnbm90dGUudGVzdCIsImNyb3NzT3JpZ2luIjpmYWxzZX0",
  authenticatorData: "nLy28uhKqLyASU57pUdluqsCXhrnDIlkuMitvfqnKTYFAAAABQ",
  signature:
    "MEYCIQDqg9zPNmNDI0fDgd_qCzFWNIm5Th7a1FrbuatE4MFP5wIhAIONf3cuL0kV6NBZqMAWkkyaC9XoawE9d4Mg-g1_Ba_v",
  userHandle: "dXNyXzE",
};
/** Signed by a certificate that openssl made for this test alone. */
const CERTIFIED = {
  id: "7DrmWGSZ0WdS-p9HVHC7OfVZP85d_7IM9KtVaAVPT1k",
  clientDataJSON:
    "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiWTJWeWRHbG1hV1ZrIiwib3JpZ2luIjoiaHR0cHM6Ly9hcHAuY2Fnbm90dGUudGVzdCIsImNyb3NzT3JpZ2luIjpmYWxzZX0",
  attestationObject:
    "o2NmbXRmcGFja2VkZ2F0dFN0bXSjY2FsZyZjc2lnWEYwRAIgCLCbfES7PZ3NEd9W4kMtv6n3CxRfvI7z6An42eU-4a4CIG95NX4k9KF6duFTHKiqtiHc6m25tl2FiZ4ILXZnN_ABY3g1Y4FZAf8wggH7MIIBoqADAgECAhQCFYz0ZTvSsjngXPb5oI-NF3fCEDAKBggqhkjOPQQDAjBPMQswCQYDVQQGEwJGUjENMAsGA1UECgwEVGVzdDEiMCAGA1UECwwZQXV0aGVudGljYXRvciBBdHRlc3RhdGlvbjENMAsGA1UEAwwEVGVzdDAgFw0yNjExMjcxMzExMDVaGA8yMTI2MTEwMzEzMTEwNVowTzELMAkGA1UEBhMCRlIxDTALBgNVBAoMBFRlc3QxIjAgBgNVBAsMGUF1dGhlbnRpY2F0b3IgQXR0ZXN0YXRpb24xDTALBgNVBAMMBFRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASQq3N1khdZuUzgsAkKl1u2d7ejCec6h-BXrAVjXoxdykh7Pqx_WrCS4VCNed7xf9X6crRUzY0T2cnQ78PpQzjIo1owWDAMBgNVHRMBAf8EAjAAMCkGA1UdHwQiMCAwHqAcoBqGGGh0dHA6Ly8xMjcuMC4wLjE6OS9jLmNybDAdBgNVHQ4EFgQUpBIqpw8HzMsuQ_7xZnDLVHkaxNowCgYIKoZIzj0EAwIDRwAwRAIgQyNK470BqqE1G_wySBEAYQ-5yPNXAPhcKhfzukgREzoCIDfSaKz-g13Rh_zGMGGaEL0tYjz4tdFbS_Kzbpk0CDmSaGF1dGhEYXRhWKScvLby6EqovIBJTnulR2W6qwJeGucMiWS4yK29-qcpNkUAAAAAAAAAAAAAAAAAAAAAAAAAAAAg7DrmWGSZ0WdS-p9HVHC7OfVZP85d_7IM9KtVaAVPT1mlAQIDJiABIVggSBs8-EQX1qZVTsxV4tbyCaBEN0gGj0Q-P5ey2SfWG5EiWCC20hCXhnA9pvbqzK8qZejbVV0bNNa0v-UoMCvLy98zlQ",
};
const challenge = (text: string): string => base64UrlEncode(utf8Encode(text));
const answered = (response: Partial<AssertionAnswer["response"]> = {}): AssertionAnswer => ({
  id: ID,
  rawId: ID,
  response: { ...ASSERTION, ...response },
});

async function recordedKey(party = PARTY): Promise<PasskeyKey | null> {
  return verifyRegistration(
    party,
    { id: ID, rawId: ID, response: REGISTRATION },
    challenge("registration"),
  );
}

/** Registers the contract with the test runner that is there. */
export function passkeyContract(test: ContractTest): void {
  test("a recorded passkey registers and signs in", async ({ expect }) => {
    const key = await recordedKey();
    expect([key?.credentialId, key?.counter, key?.transports]).toEqual([
      ID,
      4,
      ["internal", "hybrid"],
    ]);
    if (key === null) return;
    const owner = { userId: "usr_1", key } as const;
    const verify = (answer: AssertionAnswer, over = {}, text = "assertion") =>
      verifyAssertion({ ...PARTY, ...over }, answer, challenge(text), owner);
    expect(await verify(answered())).toEqual({ counter: 5, wentBack: false });
    const later = { userId: "usr_1", key: { ...key, counter: 5 } } as const;
    expect(await verifyAssertion(PARTY, answered(), challenge("assertion"), later)).toEqual({
      counter: 5,
      wentBack: true,
    });
    expect([
      await verify(answered(), { rpId: "evil.test" }),
      await verify(answered(), { origins: ["https://evil.test"] }),
      await verify(answered(), {}, "another"),
      await verify(answered({ signature: ASSERTION.signature.replace("M", "N") })),
      await verify(answered({ signature: "AAAA" })),
      await verify(answered({ authenticatorData: "AAAA" })),
      await verify(answered({ clientDataJSON: "AAAA" })),
      await verify(answered({ userHandle: challenge("usr_2") })),
    ]).toEqual(Array.from({ length: 8 }, () => null));
    expect([
      await recordedKey({ ...PARTY, rpId: "evil.test" }),
      await recordedKey({ ...PARTY, origins: [] }),
    ]).toEqual([null, null]);
  });

  test("a recorded attestation with a certificate, valid in itself, is refused", async ({ expect }) => {
    const { id, ...response } = CERTIFIED;
    const answer = { id, rawId: id, response: { ...response, transports: [] } };
    expect(await verifyRegistration(PARTY, answer, challenge("certified"))).toEqual(null);
  });

  test("a passkey made here is good here", async ({ expect }) => {
    const page = { origin: "https://app.cagnotte.test", rpId: "cagnotte.test" };
    const authenticator = await softwareAuthenticator(page);
    const made = await authenticator.create({
      challenge: challenge("new"),
      user: { id: challenge("usr_9") },
    });
    const key = await verifyRegistration(PARTY, made, challenge("new"));
    if (key === null) throw new Error("the passkey was not registered");
    const answer = await authenticator.get({ challenge: challenge("in") });
    const owner = { userId: "usr_9", key } as const;
    // It never counts: 0 is normal.
    for (let round = 0; round < 2; round++) {
      expect(await verifyAssertion(PARTY, answer, challenge("in"), owner)).toEqual({
        counter: 0,
        wentBack: false,
      });
    }
  });
}
