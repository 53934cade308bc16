// The attacker sends the address of his own bank page to a victim, who types credentials there.
import { consentingUser } from "./world.ts";
import type { Report, World } from "./world.ts";

const CALLBACK = "/v1/bank-connections/callback";

export async function linkingAttack(world: World): Promise<Report> {
  const findings: string[] = [];
  const [attacker, victim, honest] = [
    await consentingUser(world),
    await consentingUser(world),
    await consentingUser(world),
  ];
  const start = async (token: string) =>
    (await world.send("POST", "/v1/bank-connections", {
      token,
      body: { redirect_uri: world.redirectUri },
    })).json;
  const begun = await start(attacker.token);
  const brought = await world.throughBank(String(begun["authorization_url"]));
  const state = String(begun["state"]);
  const { code = "", connection_id: connectionId = "" } = brought;
  let tried = 0;
  const mustFail = async (who: string, token: string, body: Record<string, string>) => {
    tried += 1;
    const got = await world.send("POST", CALLBACK, { token, body });
    if (got.status < 400) findings.push(`${who} linked with ${Object.keys(body).join(", ")}`);
  };
  // The victim's own app hands over what came back with the attacker's state. First: a guess spends it.
  await mustFail("the victim's app", victim.token, { state, code, connection_id: connectionId });
  // What the attacker can know or guess: not the code, which the victim's browser has.
  for (
    const known of [
      {},
      { connection_id: connectionId },
      { connection_ids: connectionId },
      { connection_id: connectionId, code: "guess" },
      { code: connectionId },
    ] as Record<string, string>[]
  ) await mustFail("the attacker", attacker.token, { state, ...known });
  await mustFail("the victim's app", victim.token, { state: "x", code });
  const own = await start(honest.token);
  await mustFail("another user", honest.token, { state, code });
  for (const { token } of [attacker, victim]) {
    const listed = await world.send("GET", "/v1/bank-connections", { token });
    const data = listed.json["data"] as unknown[];
    if (data.length > 0) findings.push("a connection that nobody brought is listed");
  }
  // Somebody who links their own bank can, or the rest would prove nothing.
  const mine = await world.throughBank(String(own["authorization_url"]));
  const linked = await world.send("POST", CALLBACK, {
    token: honest.token,
    body: { ...mine, state: String(own["state"]) },
  });
  if (linked.status !== 200) {
    findings.push(`an honest link answered ${linked.status} ${linked.text}`);
  }
  await mustFail("another user", victim.token, { ...mine, state: String(own["state"]) });
  const counted = async (): Promise<number> => {
    const listed = await world.send("GET", "/v1/bank-connections", { token: honest.token });
    return (listed.json["data"] as unknown[]).length;
  };
  // The answer was lost and the app repeats: no second connection.
  tried += 1;
  await world.send("POST", CALLBACK, {
    token: honest.token,
    body: { ...mine, state: String(own["state"]) },
  });
  if (await counted() !== 1) findings.push("a repeated callback linked once more");
  if (await renewalCode(world, honest.token, mustFail) === "") {
    findings.push("a renewal's address carries no code");
  }
  if (await counted() !== 1) findings.push("a renewal's code linked a connection");
  return { name: "linking", tried, findings };
}

/**
 * A renewal's address carries a code of ours. Cut out and put into a page that links, it would make
 * whatever bank a victim opens there one of the attacker's.
 */
async function renewalCode(
  world: World,
  token: string,
  mustFail: (who: string, token: string, body: Record<string, string>) => Promise<void>,
): Promise<string> {
  const listed = await world.send("GET", "/v1/bank-connections", { token });
  const [connection] = listed.json["data"] as { id: string }[];
  const body = { redirect_uri: world.redirectUri };
  const path = `/v1/bank-connections/${connection?.id ?? ""}/renewal`;
  const renewal = await world.send("POST", path, { token, body });
  const renewing = new URL(String(renewal.json["authorization_url"]));
  const code = renewing.searchParams.get("code") ?? "";
  const begun = (await world.send("POST", "/v1/bank-connections", { token, body })).json;
  const page = new URL(String(begun["authorization_url"]));
  page.searchParams.set("code", code);
  const brought = await world.throughBank(page.href).catch(() => ({}));
  const state = String(begun["state"]);
  await mustFail("a renewal's code", token, { state, ...brought });
  await mustFail("a renewal's code", token, { state, code });
  return code;
}
