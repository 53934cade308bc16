// Whoever holds the webhook secret invents a purchase. A month later it must be worth nothing.
import { offerFivePercent } from "./catalogue.ts";
import type { InProcessWorld } from "./in-process.ts";
import { deliverForged, linkedUser, pointsOf } from "./linked.ts";
import type { Report } from "./world.ts";

/** The large one waits for a person at first; the small one is pending points at once. */
const LARGE_EUROS = 9_999;
const SMALL_EUROS = 20;
const SMALL_POINTS = 100;

export async function mintedRows(world: InProcessWorld): Promise<Report> {
  const findings: string[] = [];
  await offerFivePercent(world);
  const forger = await linkedUser(world);
  for (const euros of [LARGE_EUROS, SMALL_EUROS]) {
    const got = await deliverForged(world, forger, euros);
    if (got.status !== 200) findings.push(`a signed delivery answered ${got.status}`);
  }
  const first = await pointsOf(world, forger);
  // Without points that could be confirmed the month would prove nothing.
  if (first.pending < SMALL_POINTS) findings.push(`only ${first.pending} points pending`);
  if (first.available !== 0) findings.push(`${first.available} points available at once`);
  const moved = await world.send("POST", "/__local/clock", { body: { advance: "P31D" } });
  if (moved.status !== 200) findings.push(`the clock answered ${moved.status}`);
  const { refresh } = await world.signIn(forger.email);
  const last = await pointsOf(world, { ...forger, refresh });
  if (last.available !== 0) findings.push(`${last.available} points available after 31 days`);
  return {
    name: "minted rows over 31 days",
    tried: 2,
    findings,
    notes: { pending_at_first: first.pending, available_after_31_days: last.available },
  };
}
