// Tokens that nobody issued: unsigned, signed by others, altered, for something else, of another kind.
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { newUser } from "./world.ts";
import type { Report, World } from "./world.ts";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;

/** Variations of a good token that must all be refused, by name. */
async function forgeries(good: string, publicKeys: unknown): Promise<Map<string, string>> {
  const [head = "", body = "", signature = ""] = good.split(".");
  const [header, claims] = [decode(head), decode(body)];
  const forged = new Map<string, string>();
  const withHead = (change: object) => `${encode({ ...header, ...change })}.${body}.${signature}`;
  const withBody = (change: object) => `${head}.${encode({ ...claims, ...change })}.${signature}`;
  for (const alg of ["none", "None", "nOnE", "HS256", "RS256", "ES384", "EdDSA", ""]) {
    forged.set(`alg ${alg}`, withHead({ alg }));
    forged.set(`alg ${alg}, unsigned`, `${encode({ ...header, alg })}.${body}.`);
  }
  for (const kid of ["", "unknown", "../../etc/passwd", "' OR 1=1"]) {
    forged.set(`kid ${kid}`, withHead({ kid }));
  }
  forged.set("jwk in the header", withHead({ jwk: publicKeys }));
  forged.set("jku in the header", withHead({ jku: "http://outside.attack/keys" }));
  const later = Number(claims["exp"]) + 86_400;
  for (
    const change of [
      { sub: "usr_0197d000-0000-7000-8000-0000000000aa" },
      { exp: later },
      { iss: "https://evil.example" },
      { aud: "other" },
      { sid: null },
      { step_up_at: later },
      { amr: ["otp", "hwk"] },
      { email: "bob@owner.local" },
    ]
  ) forged.set(`claims ${JSON.stringify(change)}`, withBody(change));
  const flipped = Buffer.from(signature, "base64url");
  for (const at of [0, 15, 31, 32, 63]) {
    const copy = Buffer.from(flipped);
    copy[at] = (copy[at] ?? 0) ^ 1;
    forged.set(`signature bit ${at}`, `${head}.${body}.${copy.toString("base64url")}`);
  }
  forged.set("zero signature", `${head}.${body}.${Buffer.alloc(64).toString("base64url")}`);
  forged.set("truncated", good.slice(0, -8));
  forged.set("two parts", `${head}.${body}`);
  forged.set("four parts", `${good}.${signature}`);
  const pair = await generateKeyPair("ES256", { extractable: true });
  const own = (payload: object, kid: string) =>
    new SignJWT({ ...payload }).setProtectedHeader({ alg: "ES256", kid, typ: "JWT" }).sign(
      pair.privateKey,
    );
  forged.set("another's key, same kid", await own(claims, String(header["kid"])));
  forged.set("another's key", await own(claims, "attacker"));
  const jwk = await exportJWK(pair.publicKey);
  forged.set(
    "another's key in the header",
    await new SignJWT({ ...claims }).setProtectedHeader({ alg: "ES256", jwk }).sign(
      pair.privateKey,
    ),
  );
  const secret = new TextEncoder().encode(JSON.stringify(publicKeys).padEnd(32, " "));
  forged.set(
    "our public key as a secret",
    await new SignJWT({ ...claims }).setProtectedHeader({ alg: "HS256" }).sign(secret),
  );
  return forged;
}

/** Forged tokens of users and of operators, in each header that could carry them. */
export async function forgedTokens(world: World): Promise<Report> {
  const findings: string[] = [];
  let tried = 0;
  const { token, refresh } = await newUser(world);
  const operator = await world.operator("owner");
  const keys = (await world.send("GET", "/.well-known/jwks.json")).json;
  const tryOn = async (name: string, path: string, headers: Record<string, string>) => {
    tried += 1;
    const got = await world.send("GET", path, { headers });
    if (got.status !== 401) findings.push(`${name} on ${path} answered ${got.status}`);
  };
  for (const [name, forged] of await forgeries(token, keys)) {
    await tryOn(`user token, ${name},`, "/v1/me", { Authorization: `Bearer ${forged}` });
  }
  for (const [name, forged] of await forgeries(operator, keys)) {
    await tryOn(`operator token, ${name},`, "/admin/v1/halts", {
      Authorization: `Bearer ${forged}`,
    });
    await tryOn(`operator assertion, ${name},`, "/admin/v1/halts", {
      "Cf-Access-Jwt-Assertion": forged,
    });
  }
  for (const other of [refresh, operator, world.webhookSecret, "null", "undefined"]) {
    await tryOn("another secret", "/v1/me", { Authorization: `Bearer ${other}` });
  }
  for (const other of [refresh, token, await world.operatorElsewhere()]) {
    await tryOn("another secret", "/admin/v1/halts", { Authorization: `Bearer ${other}` });
    await tryOn("another secret", "/admin/v1/halts", { "Cf-Access-Jwt-Assertion": other });
  }
  for (
    const value of [
      `bearer`,
      `Basic ${token}`,
      token,
      `Bearer  ${token} x`,
      `Bearer ${token},${token}`,
    ]
  ) {
    await tryOn("a malformed header", "/v1/me", { Authorization: value });
  }
  // Without these two the rest would prove nothing.
  const controls = [
    await world.send("GET", "/v1/me", { token }),
    await world.send("GET", "/admin/v1/halts", { token: operator }),
  ];
  for (const got of controls) {
    if (got.status !== 200) findings.push(`a good token answered ${got.status}`);
  }
  return { name: "forged tokens", tried, findings };
}
