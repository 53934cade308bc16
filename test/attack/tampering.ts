// Somebody who can write the database, and holds no key. Which change of which table does what is
// tested row by row in test/worker/sealed-rows.test.ts; here the edition on files is asked whether
// somebody becomes somebody else, or earns, by it.
import { offerFivePercent } from "./catalogue.ts";
import type { InProcessWorld } from "./in-process.ts";
import { deliverForged, linkedUser, pointsOf } from "./linked.ts";
import type { Linked } from "./linked.ts";
import type { Report } from "./world.ts";

const EUROS = 100;

export async function tampering(world: InProcessWorld): Promise<Report> {
  const findings: string[] = [];
  let tried = 0;
  await offerFivePercent(world);
  world.database("DROP TRIGGER consents_no_update");
  const isOpen = (status: number): boolean => status < 400;
  const change = async (
    what: string,
    write: (attacker: Linked, victim: Linked) => unknown,
    isBroken: (attacker: Linked, victim: Linked) => Promise<boolean>,
  ) => {
    tried += 1;
    const [attacker, victim] = [await linkedUser(world), await linkedUser(world)];
    write(attacker, victim);
    if (await isBroken(attacker, victim)) findings.push(what);
  };
  const refreshes = async ({ refresh }: Linked) =>
    isOpen(
      (await world.send("POST", "/v1/auth/refresh", { body: { refresh_token: refresh } })).status,
    );
  const signsIn = ({ email }: Linked) => world.signIn(email).then(() => true, () => false);
  const earns = async (_: Linked, victim: Linked) => {
    await deliverForged(world, victim, EUROS);
    return (await pointsOf(world, victim)).pending > 0;
  };
  await change(
    "a session moved to another user gives a token",
    (attacker, victim) =>
      world.database(
        "UPDATE sessions SET user_id = ?2 WHERE user_id = ?1",
        attacker.userId,
        victim.userId,
      ),
    refreshes,
  );
  await change(
    "a session with a later sign-in lives on",
    ({ userId }) =>
      world.database(
        "UPDATE sessions SET auth_time_s = auth_time_s + 600 WHERE user_id = ?1",
        userId,
      ),
    refreshes,
  );
  await change(
    "an address moved to another user signs in as that user",
    (attacker, victim) => {
      const [row] = world.database("SELECT email_index FROM users WHERE id = ?1", attacker.userId);
      const move = "UPDATE users SET email_index = ?2 WHERE id = ?1";
      world.database(move, attacker.userId, "elsewhere");
      world.database(move, victim.userId, String(row?.["email_index"]));
    },
    signsIn,
  );
  for (
    const [table, set] of [
      ["users", "created_at_ms = created_at_ms + 1"],
      ["users", "seal = NULL"],
    ] as const
  ) {
    await change(
      `a row of ${table} with ${set} signs in`,
      ({ userId }) => world.database(`UPDATE ${table} SET ${set} WHERE id = ?1`, userId),
      signsIn,
    );
  }
  for (
    const [table, set] of [
      ["consents", "at_ms = at_ms + 1"],
      ["consents", "seal = NULL"],
      ["aggregator_links", "created_at_ms = created_at_ms + 1"],
      ["aggregator_links", "seal = NULL"],
      ["bank_connections", "created_at_ms = created_at_ms + 1"],
      ["bank_connections", "seal = NULL"],
      ["bank_accounts", "fingerprint = 'another'"],
      ["bank_accounts", "seal = NULL"],
    ] as const
  ) {
    await change(
      `a row of ${table} with ${set} earns`,
      (_, { userId }) => world.database(`UPDATE ${table} SET ${set} WHERE user_id = ?1`, userId),
      earns,
    );
  }
  // Without tampering it earns and signs in, or the rest would prove nothing.
  const honest = await linkedUser(world);
  if (!await earns(honest, honest)) findings.push("an untouched user earns nothing");
  if (!await signsIn(honest)) findings.push("an untouched user cannot sign in");
  return { name: "tampering with the database", tried, findings };
}
