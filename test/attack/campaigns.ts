// Sign-in under attack: codes guessed over many addresses, and strangers who try to lock an owner
// out. Run where calls can come from any address.
import { newUser } from "./world.ts";
import type { Report, World } from "./world.ts";

const HOUR_MS = 3_600_000;
const TRIES_A_CODE = 5;
/** Six digits; a longer code is not guessed. */
const CHANCE_OF_A_TRY = 1e-6;

type Counts = {
  codes: number;
  refusedCodes: number;
  tries: number;
  refusedTries: number;
  expectedHits: number;
};

/** Asks a code for each address, from as many networks as the attacker likes, then guesses. */
async function sprayOnce(
  world: World,
  first: number,
  addresses: number,
  counts: Counts,
): Promise<void> {
  for (let i = first; i < first + addresses; i++) {
    const email = `sprayed-${i}@example.org`;
    const from = `203.${i % 250}.${Math.floor(i / 250) % 250}.7`;
    const asked = await world.send("POST", "/v1/auth/codes", { body: { email }, from });
    if (asked.status !== 202) {
      counts.refusedCodes += 1;
      continue;
    }
    counts.codes += 1;
    const right = await world.codeFor(email);
    const isShort = /^\d{6}$/.test(right);
    const wrong = right === "000000" ? "000001" : "000000";
    for (let attempt = 0; attempt < TRIES_A_CODE; attempt++) {
      const got = await world.send("POST", "/v1/auth/sessions", {
        body: { email, code: wrong, challenge: asked.json["challenge"] },
        from,
      });
      if (got.status !== 401) counts.refusedTries += 1;
      else {
        counts.tries += 1;
        counts.expectedHits += isShort ? CHANCE_OF_A_TRY : 0;
      }
    }
  }
}

/** A day of guessing at so many addresses, while an owner and a bystander sign in. */
export async function spraying(world: World, addresses: number): Promise<Report> {
  const counts: Counts = { codes: 0, refusedCodes: 0, tries: 0, refusedTries: 0, expectedHits: 0 };
  const findings: string[] = [];
  const rounds = 4;
  for (let round = 0; round < rounds; round++) {
    const share = Math.ceil(addresses / rounds);
    await sprayOnce(world, round * share, share, counts);
    await world.advance(5 * HOUR_MS);
    for (const from of ["192.0.2.9", "203.1.0.8"]) {
      await newUser(world, from).catch((error: unknown) =>
        findings.push(`a bystander at ${from} cannot sign in: ${String(error)}`)
      );
    }
  }
  const alerts = await world.alerts("sign_in_sprayed");
  if (counts.expectedHits >= 0.001) findings.push(`expected hits ${counts.expectedHits}`);
  if (counts.tries > 500 && alerts !== 1) findings.push(`${alerts} alerts of one campaign`);
  return {
    name: "spraying",
    tried: counts.tries + counts.refusedTries,
    findings,
    notes: { ...counts, alerts },
  };
}

/** Strangers ask codes for an owner's address and guess until they are refused. */
export async function lockOut(world: World): Promise<Report> {
  const findings: string[] = [];
  const owner = await newUser(world, "192.0.2.1");
  const { email } = owner;
  let tried = 0;
  for (let stranger = 0; stranger < 12; stranger++) {
    const from = `198.51.100.${stranger}`;
    for (let code = 0; code < 6; code++) {
      const asked = await world.send("POST", "/v1/auth/codes", { body: { email }, from });
      for (let attempt = 0; attempt < 6; attempt++) {
        tried += 1;
        await world.send("POST", "/v1/auth/sessions", {
          body: { email, code: "000000", challenge: asked.json["challenge"] ?? "none" },
          from,
        });
      }
    }
  }
  // The owner at home, on the move, and as the attacker's neighbour; then a step-up.
  for (const from of ["192.0.2.1", "203.0.113.77", "198.51.100.200"]) {
    const asked = await world.send("POST", "/v1/auth/codes", { body: { email }, from });
    const signed = await world.send("POST", "/v1/auth/sessions", {
      body: { email, code: await world.codeFor(email), challenge: asked.json["challenge"] },
      from,
    });
    if (signed.status !== 201) {
      findings.push(`the owner at ${from} is locked out: ${signed.status}`);
    }
  }
  const stepUp = await world.send("POST", "/v1/auth/codes", {
    token: owner.token,
    body: { purpose: "step_up" },
    from: "192.0.2.1",
  });
  const strengthened = await world.send("POST", "/v1/auth/step-up", {
    token: owner.token,
    body: { code: await world.codeFor(email) },
    from: "192.0.2.1",
  });
  for (const { status } of [stepUp, strengthened]) {
    if (status >= 300) findings.push(`a step-up answered ${status}`);
  }
  return { name: "lock-out", tried, findings };
}
