// What the users' banks report to the edge: signed webhooks, sent while the edge is killed and
// started again, and once more at the end where they were never answered.
import { DAY_MS } from "../../src/kernel/time.ts";
import { signWebhook } from "../../src/local/sandbox/signature.ts";
import type { Rng } from "../simulation/random.ts";
import { labelOf } from "./bank.ts";
import type { Message } from "./bank.ts";
import { BRANDS } from "./model.ts";
import { pause } from "./pause.ts";
import type { Person, Sent, World } from "./world.ts";

/**
 * Most deliveries are tried until the edge is back; every so many is left open, and comes in the
 * end.
 */
const TRIED_ONCE = 6;
const TRIES_MAX = 50;

/** The body of the webhook that reports a message, numbered within the user. */
export function webhookBody(person: Person, message: Message, number: number): string {
  // A day back: updates come faster than one a second, and a time ahead of the clock counts as the
  // arrival, by which an old message that is sent again would be the newer one.
  const firstMs = Date.parse(`${String(person.account["last_update"]).replace(" ", "T")}Z`) -
    DAY_MS;
  const transactions = message.lines.map(({ row, version }) => {
    const lastUpdate = new Date(firstMs + version.update * 1000).toISOString().slice(0, 19).replace(
      "T",
      " ",
    );
    const booked = version.state === "pending" ? null : row.date;
    return {
      id: row.id,
      id_account: person.account["id"],
      date: booked ?? row.date,
      rdate: row.date,
      application_date: row.date,
      value: ((row.kind === "refund" ? 1 : -1) * version.cents) / 100,
      type: "card",
      coming: version.state === "pending",
      active: true,
      deleted: version.state === "deleted" ? lastUpdate : null,
      original_wording: labelOf(row),
      simplified_wording: BRANDS[row.brand].label,
      wording: BRANDS[row.brand].label,
      last_update: lastUpdate,
      date_scraped: person.account["last_update"],
      original_currency: null,
      original_value: null,
      card: null,
      counterparty: null,
    };
  });
  return JSON.stringify({
    user: { id: person.remoteUser, signin: "2026-01-01 00:00:00", platform: "sharedAccess" },
    connection: { ...person.connection, accounts: [{ ...person.account, transactions }] },
    id_webhook_data: person.remoteUser * 1_000_000 + number,
  });
}

/** Sends a webhook once. True when the edge has answered 200, now or before. */
export async function deliver({ at, secrets }: World, sent: Sent): Promise<boolean> {
  const path = "/webhooks/powens/connection-synced";
  const date = new Date().toISOString();
  const signature = await signWebhook({
    secret: secrets.POWENS_WEBHOOK_SECRET,
    path,
    date,
    payload: sent.body,
  });
  const status = await fetch(at.edgeUrl + path, {
    method: "POST",
    body: sent.body,
    signal: AbortSignal.timeout(20_000),
    headers: {
      "Content-Type": "application/json",
      "BI-Signature": signature,
      "BI-Signature-Date": date,
    },
  }).then(async (response) => {
    await response.body?.cancel();
    return response.status;
  }, () => 0);
  if (status === 200) sent.answered = true;
  else if (status !== 0 && status !== 503) throw new Error(`a webhook was answered ${status}`);
  return sent.answered;
}

function post(person: Person, message: Message): Sent {
  const one: Sent = {
    message,
    body: webhookBody(person, message, person.sent.length),
    answered: false,
  };
  person.sent.push(one);
  return one;
}

/**
 * Each user's messages one after the other, while the edge comes and goes; what is never answered
 * comes late, out of order.
 */
export async function load(world: World, done: () => boolean): Promise<void> {
  await Promise.all(world.people.map(async (person) => {
    while (!done()) {
      const message = person.bank.next();
      const needed = person.sent.filter((one) =>
        !one.answered && one.message.lines.some(({ row }) => message.after.has(row.id))
      );
      for (const earlier of needed) while (!(await deliver(world, earlier))) await pause(100);
      const one = post(person, message);
      const tries = person.sent.length % TRIED_ONCE === 0 ? 1 : TRIES_MAX;
      for (let attempt = 0; attempt < tries && !(await deliver(world, one)); attempt++) {
        await pause(200);
      }
    }
  }));
}

/**
 * Sends what was never answered, late and out of order, to a healthy edge. Returns how many
 * messages that were.
 */
export async function redeliver(world: World, rng: Rng): Promise<number> {
  const open = rng.shuffled(
    world.people.flatMap(({ sent }) => sent.filter((one) => !one.answered)),
  );
  const lanes = Array.from(
    { length: 4 },
    (_, lane) => open.filter((_each, index) => index % 4 === lane),
  );
  await Promise.all(lanes.map(async (lane) => {
    for (const one of lane) {
      if (!(await deliver(world, one))) {
        throw new Error("a redelivery failed on a healthy edge");
      }
    }
  }));
  return open.length;
}
