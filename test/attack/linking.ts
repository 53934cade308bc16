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
  // The victim's own app hands over what came back with the attacker's state.
  await mustFail("the victim's app", victim.token, { state, code, connection_id: connectionId });
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
  return { name: "linking", tried, findings };
}
