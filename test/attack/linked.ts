// Somebody with a linked bank in the world of this process, what is delivered of it, and the points.
import { createHmac } from "node:crypto";
import type { InProcessWorld } from "./in-process.ts";
import { MERCHANT } from "./catalogue.ts";
import { consentingUser } from "./world.ts";
import type { Got, User } from "./world.ts";

export type Linked = User & { readonly userId: string; readonly remoteId: number };

/** Somebody who linked a bank: there user, connection and account have one number. */
export async function linkedUser(world: InProcessWorld): Promise<Linked> {
  const user = await consentingUser(world);
  const { token } = user;
  const begun = await world.send("POST", "/v1/bank-connections", {
    token,
    body: { redirect_uri: world.redirectUri },
  });
  const brought = await world.throughBank(String(begun.json["authorization_url"]));
  const back = await world.send("POST", "/v1/bank-connections/callback", {
    token,
    body: { state: begun.json["state"], ...brought },
  });
  if (back.status !== 200) throw new Error(`the callback answered ${back.status} ${back.text}`);
  const me = await world.send("GET", "/v1/me", { token });
  return { ...user, userId: String(me.json["id"]), remoteId: Number(brought["connection_id"]) };
}

/** A purchase of so many euros, signed with the aggregator's secret and shown by no read. */
export function deliverForged(
  world: InProcessWorld,
  { remoteId }: Linked,
  euros: number,
): Promise<Got> {
  const path = "/webhooks/powens/connection-synced";
  const day = new Date(world.nowMs()).toISOString();
  const [date, at] = [day.slice(0, 10), `${day.slice(0, 10)} ${day.slice(11, 19)}`];
  const row = {
    id: 500_000 + 20_000 * remoteId + euros,
    id_account: remoteId,
    date,
    rdate: date,
    value: -euros,
    type: "card",
    original_wording: `CARTE ${MERCHANT} PARIS CB*1234`,
    coming: false,
    deleted: null,
    date_scraped: at,
    last_update: at,
  };
  const bank = world.bank.state.users.get(remoteId);
  const raw = JSON.stringify({
    user: { id: remoteId },
    connection: {
      ...bank?.connections.get(remoteId),
      accounts: [{ ...bank?.accounts.get(remoteId), transactions: [row] }],
    },
    id_webhook_data: 1,
    push_type: "partial_history",
  });
  const signed = `${day.slice(0, -1)}000Z`;
  const signature = createHmac("sha256", world.webhookSecret).update(`POST.${path}.${signed}.`)
    .update(raw).digest("base64");
  return world.send("POST", path, {
    raw,
    headers: { "BI-Signature": signature, "BI-Signature-Date": signed },
  });
}

/** A token lives ten minutes: the points are read with a new one when days have passed. */
export async function pointsOf(
  world: InProcessWorld,
  { refresh }: Linked,
): Promise<{ pending: number; available: number }> {
  const renewed = await world.send("POST", "/v1/auth/refresh", {
    body: { refresh_token: refresh },
  });
  const points = await world.send("GET", "/v1/points", {
    token: String(renewed.json["access_token"]),
  });
  if (points.status !== 200) throw new Error(`points answered ${points.status} ${points.text}`);
  return { pending: Number(points.json["pending"]), available: Number(points.json["available"]) };
}
