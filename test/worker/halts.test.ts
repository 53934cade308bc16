// The emergency brake through its routes, and the parts of the programme that obey it.
import { describe, expect, it } from "vitest";
import { auditStatement } from "../../src/audit/ports.ts";
import { idempotencyStore } from "../../src/http/idempotency-store.ts";
import { signedCursors } from "../../src/http/paging.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { haltRoutes } from "../../src/operations/halts/routes.ts";
import { haltsStore } from "../../src/operations/halts/store.ts";
import { haltMemory } from "../../src/platform/halt-memory.ts";
import { addUser, comeBack, openAtBank, REDIRECT, throughPage } from "../support/banking-app.ts";
import { all, app as banking, binding, useBankingApp } from "../support/banking-d1.ts";
import { ALICE, catalogueApp, KEYRING, operatorTokens } from "../support/catalogue-app.ts";
import { db, testApp } from "../support/http-app.ts";
import { createRouter } from "../../src/http/router.ts";
import { strictSeals } from "../support/seals.ts";

useBankingApp();
const OLGA = "operator.olga.owner";
const OSCAR = "operator.oscar.owner";
const store = haltsStore(db, systemRandomBytes, strictSeals(KEYRING));
const clock = {
  nowMs: () => banking.clock.ms,
  advance: (ms: number) => void (banking.clock.ms += ms),
};
const owners = testApp(createRouter(), {
  clock,
  operatorTokens,
  routers: [{
    path: "/admin/v1",
    router: haltRoutes({
      store,
      operatorTokens,
      idempotency: { store: idempotencyStore(db, KEYRING, systemRandomBytes), clock },
      cursors: signedCursors(KEYRING),
      note: async (event) =>
        void (await auditStatement(db, event, clock.nowMs(), systemRandomBytes)),
      clock,
    }),
  }],
});

type Halt = { id: string; what: string; state: string; ended_by: string | null };
async function post(as: string, path: string, body?: unknown) {
  const response = await owners.fetch(`/admin/v1${path}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${as}`,
      "Idempotency-Key": crypto.randomUUID(),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json<Halt & { code: string }>() };
}
const begin = (what: string, as = OLGA) => {
  clock.advance(1);
  return post(as, "/halts", { what, reason: "an incident" });
};
const end = (id: string, as: string) => post(as, `/halts/${id}/end`);
async function endByTwo(id: string): Promise<void> {
  expect((await end(id, OLGA)).body.state).toBe("end_waiting");
  expect((await end(id, OSCAR)).body.state).toBe("ended");
}

describe("the routes of halts", () => {
  it("let one owner begin and two listed persons end, and leave each act in the audit trail", async () => {
    const halt = await begin("payouts");
    expect(halt).toMatchObject({ status: 201, body: { what: "payouts", state: "in_force" } });
    expect(await store.isHalted("payouts")).toBe(true);
    expect(await store.isHalted("linking")).toBe(false);
    const { id } = halt.body;
    expect((await end(id, "operator.unlisted.owner")).body.code).toBe("listed_person_required");
    expect((await end(id, OLGA)).body.state).toBe("end_waiting");
    expect((await end(id, OLGA)).body.state).toBe("end_waiting");
    expect((await end(id, "operator.unlisted.owner")).body.code).toBe("listed_person_required");
    expect(await store.isHalted("payouts")).toBe(true);
    expect((await end(id, OSCAR)).body).toMatchObject({ state: "ended", ended_by: "oscar" });
    expect(await store.isHalted("payouts")).toBe(false);
    expect((await end(id, "operator.otto.owner")).status).toBe(409);
    const acts = await all(
      "SELECT actor, action FROM audit_events WHERE target = ? AND action <> 'call.refused' ORDER BY rowid",
      id,
    );
    expect(acts.map((act) => `${String(act["actor"])} ${String(act["action"])}`)).toEqual([
      "olga halt.begin",
      "olga halt.ask_end",
      "olga halt.ask_end",
      "oscar halt.end",
    ]);
  });

  it("refuse every other role, an unknown scope and an unknown halt", async () => {
    for (const role of ["support", "catalogue", "finance", "auditor"]) {
      expect((await begin("payouts", `operator.sam.${role}`)).body.code).toBe("forbidden");
      expect((await end("hlt_1", `operator.sam.${role}`)).body.code).toBe("forbidden");
    }
    expect((await begin("everything")).status).toBe(422);
    expect((await end("hlt_1", OLGA)).status).toBe(404);
    expect((await end("hlt_019b0000-0000-7000-8000-000000000000", OLGA)).status).toBe(404);
  });

  it("keep a halt that is asked for again, and withdraw an end that waits", async () => {
    const { id } = (await begin("confirmations")).body;
    await end(id, OLGA);
    expect((await begin("confirmations", OSCAR)).body).toMatchObject({ id, state: "in_force" });
    // Not the second word of an end that was withdrawn.
    expect((await end(id, OSCAR)).body.state).toBe("end_waiting");
    expect((await end(id, OLGA)).body.state).toBe("ended");
    const list = async (query: string) =>
      (await owners.fetch(`/admin/v1/halts?${query}`, {
        headers: { Authorization: `Bearer ${OLGA}` },
      })).json<{ data: Halt[]; next_cursor: string | null }>();
    const [first, whole] = [await list("limit=1"), await list("limit=100")];
    expect(whole.data.map((each) => each.id)).toContain(id);
    const rest = await list(`limit=100&cursor=${first.next_cursor ?? ""}`);
    expect([...first.data, ...rest.data]).toEqual(whole.data);
  });

  it("cannot be undone by a write to the database alone that goes on as if nothing was", async () => {
    const { id } = (await begin("payouts")).body;
    const write = (text: string) => binding.prepare(text).bind(id).run();
    await expect(write("DELETE FROM halts WHERE id = ?")).rejects.toThrow();
    await expect(write("UPDATE halts SET what = 'linking' WHERE id = ?")).rejects.toThrow();
    await expect(write("UPDATE halts SET ended_at_ms = 9e12 WHERE id = ?")).rejects.toThrow();
    await endByTwo(id);
  });

  it("leave one line of an end that several ask for at once, and let the slower ones look again", async () => {
    const { id } = (await begin("payouts")).body;
    await end(id, OLGA);
    const before = await store.find(id);
    if (before === null) throw new Error("no halt");
    const endedBy = (operator: string) =>
      store.replace(
        before,
        { ...before, endedBy: operator, endedAtMs: clock.nowMs() },
        { actorKind: "operator", actor: operator, action: "halt.end", target: id, details: {} },
        clock.nowMs(),
      );
    // Each of them read the halt before any of them wrote.
    expect([await endedBy("oscar"), await endedBy("otto"), await endedBy("oscar")]).toEqual([
      true,
      false,
      false,
    ]);
    expect((await end(id, OSCAR)).body.state).toBe("ended");
    const ends = "SELECT actor FROM audit_events WHERE target = ? AND action = 'halt.end'";
    expect(await all(ends, id)).toEqual([{ actor: "oscar" }]);
    expect(await store.find(id)).toMatchObject({ endedBy: "oscar" });
  });

  it("obey a halt that somebody ended or changed in the database alone", async () => {
    for (const trigger of ["halts_fixed", "halts_no_delete"]) {
      await binding.prepare(`DROP TRIGGER ${trigger}`).run();
    }
    const rows = await all("SELECT id FROM halts WHERE seal IS NULL");
    expect(rows).toEqual([]);
    const { id } = (await begin("linking")).body;
    const write = (set: string) =>
      binding.prepare(`UPDATE halts SET ${set} WHERE id = ?`).bind(id).run();
    const change = "end_asked_by = 'olga', end_asked_at_ms = begun_at_ms";
    await write(`${change}, ended_by = 'oscar', ended_at_ms = begun_at_ms`);
    expect(await store.isHalted("linking")).toBe(true);
    expect((await store.present()).map((halt) => halt.id)).toContain(id);
    expect((await store.since(Number.MAX_SAFE_INTEGER)).map((halt) => halt.id)).toContain(id);
    // An end that nobody asked for is not half an end.
    await write(`${change}, ended_by = NULL, ended_at_ms = NULL`);
    expect(await store.find(id)).toMatchObject({ endAskedBy: null });
    expect((await end(id, OSCAR)).status).toBe(409);
    expect((await begin("linking", OSCAR)).body).toMatchObject({ id, state: "in_force" });
    expect(await store.isHalted("linking")).toBe(true);
    await write("end_asked_by = NULL, end_asked_at_ms = NULL, begun_by = 'nobody'");
    expect(await store.isHalted("linking")).toBe(true);
    // Two persons end it, whoever made it.
    await endByTwo(id);
    expect(await store.isHalted("linking")).toBe(false);
  });
});

describe("a halt of linking", () => {
  it("answers 503 to start, renewal and callback, and the callback goes on after its end", async () => {
    const userId = await addUser(binding);
    const { state, code, remoteUserId } = await throughPage(banking, userId);
    openAtBank(banking, remoteUserId);
    const { id } = (await begin("linking")).body;
    const start = () =>
      banking.call("POST", "/v1/bank-connections", {
        as: userId,
        body: { redirect_uri: REDIRECT },
      });
    const back = () => comeBack(banking, userId, { state, code });
    for (const refused of [await start(), await back()]) {
      expect(refused).toMatchObject({ status: 503, body: { code: "programme_paused" } });
      expect(refused.headers.get("Retry-After")).toBe("900");
    }
    expect(banking.powens.state.calls).not.toContain("POST auth/token/access");
    await endByTwo(id);
    const linked = await back();
    expect(linked.status).toBe(200);
    const { id: again } = (await begin("linking")).body;
    const renewal = await banking.call(
      "POST",
      `/v1/bank-connections/${String(linked.body.data?.[0]?.["id"])}/renewal`,
      { as: userId, body: { redirect_uri: REDIRECT } },
    );
    expect(renewal.body.code).toBe("programme_paused");
    await endByTwo(again);
    expect((await start()).status).toBe(201);
  });
});

describe("a halt of offers", () => {
  it("lets nothing of the catalogue take effect, also for who decided just before it", async () => {
    const edge = catalogueApp(binding);
    const make = (name: string) =>
      edge.call<{ code: string; id: string }>("POST", "/admin/v1/brands", {
        as: ALICE,
        body: { name, category: "retail", aliases: [name] },
      });
    expect((await make("Avant")).status).toBe(201);
    const before = await edge.store.version();
    const { id } = (await begin("offers")).body;
    expect(await edge.store.version()).toBe(before + 1);
    const event = {
      actorKind: "operator",
      actor: "alice",
      action: "x",
      target: "x",
      details: {},
    } as const;
    expect(await edge.store.commit(before, {}, event, Date.now())).toBe("stale");
    expect(await make("Pendant")).toMatchObject({
      status: 503,
      body: { code: "programme_paused" },
    });
    expect((await edge.cache.current(0)).paused).toBe(true);
    await endByTwo(id);
    expect((await edge.cache.current(0)).paused).toBe(false);
    expect((await make("Pendant")).status).toBe(201);
  });
});

describe("what ledgers know of halts", () => {
  it("is read when asked, kept for five seconds, and names begin and end", async () => {
    let elapsedMs = 0;
    const memory = haltMemory({ store, clock, monotonicMs: () => elapsedMs });
    expect(memory.known()).toBeNull();
    await memory.refresh();
    const past = memory.known()?.length ?? 0;
    const { id } = (await begin("confirmations")).body;
    const fromMs = clock.nowMs();
    const { id: linking } = (await begin("linking")).body;
    expect(memory.known()?.length).toBe(past);
    elapsedMs += 5_000;
    expect(memory.known()).toBeNull();
    await memory.refresh();
    const inForce = () => memory.known()?.filter(({ untilMs }) => untilMs === null);
    expect(inForce()).toEqual([
      { what: "confirmations", fromMs, untilMs: null },
    ]);
    await endByTwo(id);
    await endByTwo(linking);
    await memory.refresh();
    expect(inForce()).toEqual([]);
    expect(memory.known()?.length).toBe(past + 1);
  });
});
