// Deliveries out of order or forged, the aggregator failing, a consent that lapses, end to end:
// what the user sees in the end. On the bundles that would be deployed, against the sandbox over
// HTTP.
import { createHmac } from "node:crypto";
import { describe, it } from "vitest";
import { call, expectCall, fillWebview } from "../../src/local/api-client.ts";
import type { Json } from "../../src/local/api-client.ts";
import {
  accountOf,
  bank,
  box,
  connection,
  longAfter,
  passes,
  pays,
  pending,
  person,
  purchases,
  seen,
  useLives,
} from "../support/lives.ts";
import type { Connection } from "../support/lives.ts";

useLives();

describe("deliveries", () => {
  const sign = (
    path: string,
    body: string,
    secret = box.secrets.POWENS_WEBHOOK_SECRET.split(",")[0] ?? "",
  ) => {
    const date = "2026-11-23T12:00:00.000000Z";
    return {
      "BI-Signature-Date": date,
      "BI-Signature": createHmac("sha256", secret).update(`POST.${path}.${date}.${body}`).digest(
        "base64",
      ),
    };
  };
  const send = async (
    body: string,
    headers: Record<string, string>,
    event = "connection-synced",
  ): Promise<number> =>
    (await fetch(`${box.edgeUrl}/webhooks/powens/${event}`, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json", ...headers },
    })).status;
  const PATH = "/webhooks/powens/connection-synced";

  it.for(["first_in_first_out", "reverse"] as const)(
    "held back and released %s end alike",
    async (order, { expect }) => {
      const who = await person();
      await bank("/webhooks/hold");
      const at = { connection_id: who.remoteConnectionId };
      const hold = (path: string, body: Json) => bank(path, { ...at, ...body });
      const reserved =
        (await hold("/purchases", { amount_cents: 8000, merchant: "Monoprix", pending: true }))
          .rows[0]?.id;
      const bought = (await hold("/purchases", { amount_cents: 10_000, merchant: "Monoprix" }))
        .rows[0]?.id;
      await bank(`/rows/${reserved}/book`, { amount_cents: 6000, resend: true });
      await hold("/refunds", { row: bought, amount_cents: 7000 });
      await bank("/webhooks/release", { order });
      await passes("P1D");
      expect((await seen(who)).filter((line) => line.startsWith("purchase"))).toEqual([
        "purchase 10000 booked earned 90",
        "purchase 6000 booked earned 180",
      ]);
      expect(await pending(who)).toBe(270);
    },
  );

  it("that are forged, truncated, re-serialised or swapped get 401 and leave nothing", async ({ expect }) => {
    const [who, other] = [await person(), await person()];
    await pays(who, 10_000);
    const mine = await lastBody();
    await pays(other, 20_000);
    const theirs = await lastBody();
    const before = [await seen(who), await seen(other)];
    const forged = mine.replace("-100.0", "-900.0").replaceAll(
      /"id": (\d{5,})/g,
      (_all, id: string) => `"id": ${Number(id) + 1_000_000}`,
    );
    expect(forged).not.toBe(mine);
    expect(await send(mine, sign(PATH, mine))).toBe(200);
    const answers = [
      await send(forged, sign(PATH, mine)),
      await send(forged, sign(PATH, forged, "guessed")),
      await send(mine.slice(0, -1), sign(PATH, mine)),
      await send(JSON.stringify(JSON.parse(mine)), sign(PATH, mine)),
      await send(theirs, sign(PATH, mine)),
      await send(mine, sign("/webhooks/powens/account-synced", mine)),
      await send(mine, sign(PATH, mine), "account-synced"),
      await send(mine, {}),
      await send(mine, { ...sign(PATH, mine), "BI-Signature-Date": "2026-11-23T12:00:01.000000Z" }),
    ];
    expect(answers).toEqual(answers.map(() => 401));
    expect([await seen(who), await seen(other)]).toEqual(before);
  });

  async function lastBody(): Promise<string> {
    const { data } = await expectCall<{ data: { id_webhook_data: number }[] }>(
      200,
      "GET",
      `${box.sandboxUrl}/webhooks?limit=1`,
    );
    return (await fetch(`${box.sandboxUrl}/webhooks/${data[0]?.id_webhook_data}/body`)).text();
  }

  it("of a user whom nobody knows are taken, set aside, and shown to support", async ({ expect }) => {
    const body = JSON.stringify({
      user: { id: 987_654 },
      connection: {
        id: 1,
        id_user: 987_654,
        state: null,
        last_update: "2026-11-23 10:00:00",
        accounts: [],
      },
    });
    expect(await send(body, sign(PATH, body))).toBe(200);
    const token = await box.operator("support", "claire");
    const { data } = await expectCall<
      { data: { id: string; remote_user_id: string; reason: string }[] }
    >(200, "GET", `${box.edgeUrl}/admin/v1/quarantine`, undefined, { token });
    const item = data.find((candidate) => candidate.remote_user_id === "987654");
    expect(item?.reason).toBe("unknown_user");
    expect(
      (await call("POST", `${box.edgeUrl}/admin/v1/quarantine/${item?.id}/replay`, undefined, {
        token,
      })).status,
    ).toBe(409);
  });
});

describe("the aggregator failing", () => {
  it.for([
    { kind: "html_503" },
    { kind: "rate_limited_429", retry_after: "0" },
    { kind: "malformed_json" },
    { kind: "truncated" },
  ])(
    "with $kind while a lost webhook is looked for: it is found at the next look",
    async (fault, { expect }) => {
      const who = await person();
      await bank("/purchases", {
        connection_id: who.remoteConnectionId,
        amount_cents: 10_000,
        merchant: "Monoprix",
        webhook: false,
      });
      await passes("P6D");
      await bank("/faults", { ...fault, path: "/2.0/users/me/transactions", times: 3 });
      await passes("P1D");
      expect(await seen(who)).toEqual([]);
      await bank("/clock", { advance: "PT6H" });
      await call("DELETE", `${box.sandboxUrl}/faults`);
      await passes("PT12H");
      expect(await seen(who)).toEqual(["purchase 10000 booked earned 300"]);
      expect((await connection(who)).status).toBe("active");
    },
  );

  it("while the user comes back from the bank's page: 503, and the code already traded is gone on with", async ({ expect }) => {
    const who = await person();
    const started = await expectCall<{ authorization_url: string }>(
      201,
      "POST",
      `${box.edgeUrl}/v1/bank-connections`,
      { redirect_uri: `${box.sandboxUrl}/done` },
      { token: who.token },
    );
    const redirect = await fillWebview(started.authorization_url, {
      sync: "manual",
      history_months: "0",
    });
    await bank("/faults", { kind: "html_503", path: "/2.0/users/me", times: 1000 });
    const back = () =>
      call<{ data: Connection[]; code?: string }>(
        "POST",
        `${box.edgeUrl}/v1/bank-connections/callback`,
        Object.fromEntries(redirect.searchParams),
        { token: who.token },
      );
    expect((await back()).body.code).toBe("aggregator_unavailable");
    await call("DELETE", `${box.sandboxUrl}/faults`);
    const again = await back();
    expect([again.status, again.body.data.length]).toEqual([200, 1]);
    await expectCall(
      204,
      "DELETE",
      `${box.edgeUrl}/v1/bank-connections/${again.body.data[0]?.id}`,
      undefined,
      { token: who.token },
    );
  });

  it("during a message about something new: taken, set aside, repaired, resolved", async ({ expect }) => {
    const who = await person();
    const checking = await accountOf(who, "checking");
    await bank("/faults", { kind: "html_503", path: "/2.0/users/me", times: 1000 });
    await bank(`/accounts/${checking}/recreate`);
    expect((await connection(who)).status).toBe("needs_repair");
    await call("DELETE", `${box.sandboxUrl}/faults`);
    const token = await box.operator("support", "claire");
    type Item = { id: string; remote_connection_id: string; reason: string };
    const open = async () =>
      (await expectCall<{ data: Item[] }>(
        200,
        "GET",
        `${box.edgeUrl}/admin/v1/quarantine`,
        undefined,
        { token },
      )).data.filter((item) => item.remote_connection_id === String(who.remoteConnectionId));
    const [item] = await open();
    expect(item?.reason).toBe("aggregator_unavailable");
    const replayed = await expectCall<{ outcome: string }>(
      200,
      "POST",
      `${box.edgeUrl}/admin/v1/quarantine/${item?.id}/replay`,
      undefined,
      { token },
    );
    expect(replayed.outcome).toBe("resolved");
    expect(await open()).toEqual([]);
    expect((await connection(who)).status).toBe("active");
    await pays(who, 10_000);
    expect(await pending(who)).toBe(300);
  });
});

describe("a consent of 180 days", () => {
  it("that lapses leaves a gap, which a renewal reads back", async ({ expect }) => {
    const who = await person();
    await pays(who, 10_000);
    await longAfter(181);
    expect(await connection(who)).toMatchObject({ status: "expired", action: "renew", gaps: [] });
    // Bought while nobody may look.
    await bank("/purchases", {
      connection_id: who.remoteConnectionId,
      amount_cents: 20_000,
      merchant: "Monoprix",
      sync: false,
    });
    await passes("P3D");
    expect(await purchases(who)).toHaveLength(1);
    const trip = await expectCall<{ authorization_url: string }>(
      200,
      "POST",
      `${box.edgeUrl}/v1/bank-connections/${who.connectionId}/renewal`,
      { redirect_uri: `${box.sandboxUrl}/done` },
      { token: who.token },
    );
    const redirect = await fillWebview(trip.authorization_url);
    await expectCall(
      200,
      "POST",
      `${box.edgeUrl}/v1/bank-connections/callback`,
      Object.fromEntries(redirect.searchParams),
      { token: who.token },
    );
    const renewed = await connection(who);
    expect(renewed).toMatchObject({
      status: "active",
      action: "none",
      gaps: [{ recovered: true }],
    });
    expect((renewed.gaps[0]?.from ?? "") < (renewed.gaps[0]?.to ?? "")).toBe(true);
    expect(await seen(who)).toEqual([
      "purchase 10000 booked earned 300",
      "purchase 20000 booked earned 600",
    ]);
  });
});
