// Operators' tokens as the sandbox signs them: accepted by jose against the published keys, for
// persons and services, one hour long.
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { accessCertificates, signAccessToken } from "../../../src/local/sandbox/access-token.ts";

const nowMs = Date.parse("2026-11-23T12:00:00Z");

async function privateKey(alg: "ES256" | "RS256") {
  const { privateKey: key } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(key)), kid: `key-${alg}` };
}

describe.each(["ES256", "RS256"] as const)("an operator's token with %s", (alg) => {
  it("verifies against the published keys, for a person and for a service", async () => {
    const jwk = await privateKey(alg);
    const keys = createLocalJWKSet(accessCertificates(jwk));
    const options = {
      issuer: "http://127.0.0.1:8788",
      audience: "aud",
      currentDate: new Date(nowMs + 3_599_000),
      algorithms: [alg],
    };
    const person = await jwtVerify(
      await signAccessToken({
        privateJwk: jwk,
        audience: "aud",
        issuer: options.issuer,
        subject: "alice@example.org",
        nowMs,
      }),
      keys,
      options,
    );
    expect(person.protectedHeader.kid).toBe(`key-${alg}`);
    expect(person.payload).toMatchObject({ email: "alice@example.org", type: "app", aud: ["aud"] });
    expect(person.payload.sub).toMatch(/^[0-9a-f-]{36}$/u);
    const service = await jwtVerify(
      await signAccessToken({
        privateJwk: jwk,
        audience: "aud",
        issuer: options.issuer,
        subject: "batch",
        nowMs,
      }),
      keys,
      options,
    );
    expect(service.payload).toMatchObject({ common_name: "batch", sub: "" });
    expect(service.payload["email"]).toBeUndefined();
  });

  it("ends after an hour", async () => {
    const jwk = await privateKey(alg);
    const token = await signAccessToken({
      privateJwk: jwk,
      audience: "aud",
      issuer: "i",
      subject: "alice",
      nowMs,
    });
    await expect(
      jwtVerify(token, createLocalJWKSet(accessCertificates(jwk)), {
        currentDate: new Date(nowMs + 3_601_000),
      }),
    ).rejects.toThrow(/exp/u);
  });

  it("publishes no private part", async () => {
    const published = JSON.stringify(accessCertificates(await privateKey(alg)).keys[0]);
    for (const name of ["d", "p", "q", "dp", "dq", "qi"]) {
      expect(published).not.toContain(`"${name}":`);
    }
  });
});

it("needs a key id", async () => {
  const { kid: _, ...jwk } = await privateKey("ES256");
  await expect(
    signAccessToken({ privateJwk: jwk, audience: "a", issuer: "i", subject: "s", nowMs }),
  ).rejects.toThrow("kid");
});
