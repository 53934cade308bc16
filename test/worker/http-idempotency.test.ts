// Idempotency-Key end to end on real D1: a repeat changes nothing, whatever happened to the first
// attempt.
import { describe, it } from "vitest";
import { sql } from "drizzle-orm";
import { idempotencyStore, purgeIdempotencyKeys } from "../../src/http/idempotency-store.ts";
import type { OperatorPrincipal, UserPrincipal } from "../../src/http/context.ts";
import { IDEMPOTENCY_LOCK_MS, IDEMPOTENCY_TTL_MS, idempotent } from "../../src/http/idempotency.ts";
import type { IdempotencyStore } from "../../src/http/idempotency.ts";
import { problem, problemTable } from "../../src/http/problem.ts";
import type { ProblemCode } from "../../src/http/problem.ts";
import { createRouter } from "../../src/http/router.ts";
import { sha256Hex } from "../../src/kernel/hash.ts";
import { newId } from "../../src/kernel/ids.ts";
import type { UserId } from "../../src/kernel/ids.ts";
import { parseKeyring } from "../../src/kernel/keyring.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { DAY_MS } from "../../src/kernel/time.ts";
import { db, movableClock, testApp } from "../support/http-app.ts";

const keyring = parseKeyring(JSON.stringify({ active: "a", keys: { a: "A".repeat(43) } }));
if (keyring === null) throw new Error("keyring");

const user = (): UserId => newId("usr", Date.now(), systemRandomBytes);

/** An application whose work is counted, can be held back, and answers what the test says. */
function counted(
  options: {
    readonly required?: boolean;
    readonly store?: (real: IdempotencyStore) => IdempotencyStore;
  } = {},
) {
  const clock = movableClock();
  const real = idempotencyStore(db, keyring as NonNullable<typeof keyring>, systemRandomBytes);
  const state = { runs: 0, work: async (_run: number): Promise<Response | null> => null };
  const routes = createRouter();
  routes.use("/v1/*", async (c, next) => {
    const userId = c.req.header("Test-User");
    const operator = c.req.header("Test-Operator");
    if (userId !== undefined) {
      c.set("user", { userId, sessionId: null, authTimeS: 0, amr: [] } as unknown as UserPrincipal);
    }
    if (operator !== undefined) {
      c.set(
        "operator",
        { subject: operator, roles: [], listedPerson: true } satisfies OperatorPrincipal,
      );
    }
    await next();
  });
  routes.use(
    "/v1/*",
    idempotent({ store: options.store?.(real) ?? real, clock }, {
      required: options.required ?? true,
    }),
  );
  routes.post("/v1/problem/:code", (c) => {
    state.runs += 1;
    return problem(c, c.req.param("code") as ProblemCode);
  });
  routes.post("/v1/empty", (c) => {
    state.runs += 1;
    return c.body(null, 204);
  });
  routes.post("/v1/throws", () => {
    state.runs += 1;
    throw new Error("x");
  });
  routes.post("/v1/large", (c) => {
    state.runs += 1;
    return c.json({ text: "x".repeat(300_000) });
  });
  routes.post("/v1/*", async (c) => {
    state.runs += 1;
    const run = state.runs;
    const body: unknown = await c.req.json();
    return (await state.work(run)) ?? c.json({ run, body }, 201, { Location: "/v1/things/1" });
  });
  const app = testApp(routes, { clock });
  return { ...app, state, real };
}

const headers = (userId: string, key: string) => ({ "Test-User": userId, "Idempotency-Key": key });
const codeOf = async (response: Response): Promise<string> =>
  (await response.json<{ code: string }>()).code;

describe("a repeat", () => {
  it("gets the first answer again, marked, and the work runs once", async ({ expect }) => {
    const app = counted();
    const who = headers(user(), "key-1");
    const first = await app.post("/v1/things", { a: 1, b: [2] }, who);
    const text = await first.text();
    expect([first.status, first.headers.get("Idempotency-Replayed")]).toEqual([201, null]);
    for (const body of ['{"a":1,"b":[2]}', '{ "b" : [2.0], "a" : 1 }']) {
      const again = await app.post("/v1/things", body, who);
      expect([
        again.status,
        again.headers.get("Idempotency-Replayed"),
        again.headers.get("Content-Type"),
        again.headers.get("Cache-Control"),
        await again.text(),
      ]).toEqual([201, "true", "application/json", "private, no-store", text]);
      expect(again.headers.get("X-Request-Id")).not.toBe(first.headers.get("X-Request-Id"));
    }
    expect(app.state.runs).toBe(1);
  });

  it("with another body is a conflict and runs nothing", async ({ expect }) => {
    const app = counted();
    const who = headers(user(), "key-1");
    await app.post("/v1/things", { a: 1 }, who);
    for (const body of [{ a: 2 }, { a: 1, b: 1 }, [], "not json at all"]) {
      const again = await app.post("/v1/things", body, who);
      expect([again.status, await codeOf(again)]).toEqual([409, "idempotency_conflict"]);
    }
    expect(app.state.runs).toBe(1);
  });

  it("of another user, path, key or operator is another request", async ({ expect }) => {
    const app = counted();
    const [a, b] = [user(), user()];
    await app.post("/v1/things", { n: 1 }, headers(a, "k"));
    const others = [
      await app.post("/v1/things", { n: 1 }, headers(b, "k")),
      await app.post("/v1/other", { n: 1 }, headers(a, "k")),
      await app.post("/v1/things", { n: 1 }, headers(a, "K")),
      await app.post("/v1/things", { n: 1 }, { "Test-Operator": a, "Idempotency-Key": "k" }),
    ];
    for (const response of others) {
      expect([response.status, response.headers.get("Idempotency-Replayed")]).toEqual([201, null]);
    }
    expect(app.state.runs).toBe(5);
  });

  it("gets an answer without a body again", async ({ expect }) => {
    const app = counted();
    const who = headers(user(), "k");
    await app.post("/v1/empty", {}, who);
    const again = await app.post("/v1/empty", {}, who);
    expect([
      again.status,
      again.headers.get("Idempotency-Replayed"),
      again.headers.get("Content-Type"),
      await again.text(),
    ]).toEqual([204, "true", null, ""]);
    expect(app.state.runs).toBe(1);
  });
});

describe("what is kept", () => {
  it("is a refusal of the ledger for a day, and no other refusal", async ({ expect }) => {
    const app = counted();
    const kept = new Set<string>();
    for (const { code, status } of problemTable()) {
      const who = headers(user(), "k");
      await app.post(`/v1/problem/${code}`, {}, who);
      const before = app.state.runs;
      const again = await app.post(`/v1/problem/${code}`, {}, who);
      if (app.state.runs === before) kept.add(code);
      expect([again.status, again.headers.get("Idempotency-Replayed")]).toEqual([
        status,
        app.state.runs === before ? "true" : null,
      ]);
    }
    expect([...kept].sort()).toEqual([
      "balance_negative",
      "below_threshold",
      "offer_not_available",
      "points_insufficient",
      "points_not_redeemable",
    ]);
  });

  it("of refusals runs again after a day, and leaves no row otherwise", async ({ expect }) => {
    const app = counted();
    const who = headers(user(), "k");
    const rows = async () =>
      (await db.all<{ n: number }>(sql`SELECT count(*) AS n FROM idempotency_keys`))[0]?.n ?? 0;
    const before = await rows();
    await app.post("/v1/problem/validation_failed", {}, who);
    expect(await rows()).toBe(before);
    const again = async () =>
      (await app.post("/v1/problem/points_insufficient", {}, who)).headers.get(
        "Idempotency-Replayed",
      );
    expect([await again(), await again()]).toEqual([null, "true"]);
    app.clock.advance(DAY_MS);
    expect(await again()).toBeNull();
  });

  it("is no answer of work that threw: the next attempt runs", async ({ expect }) => {
    const app = counted();
    const who = headers(user(), "k");
    expect((await app.post("/v1/throws", {}, who)).status).toBe(500);
    expect((await app.post("/v1/throws", {}, who)).status).toBe(500);
    expect(app.state.runs).toBe(2);
  });

  it("is no answer beyond the size that is worth keeping", async ({ expect }) => {
    const app = counted();
    const who = headers(user(), "k");
    await app.post("/v1/large", {}, who);
    expect((await app.post("/v1/large", {}, who)).headers.get("Idempotency-Replayed")).toBeNull();
    expect(app.state.runs).toBe(2);
  });

  it("lasts 30 days and not longer", async ({ expect }) => {
    const app = counted();
    const who = headers(user(), "k");
    await app.post("/v1/things", {}, who);
    app.clock.advance(30 * DAY_MS - 60_000);
    expect((await app.post("/v1/things", {}, who)).headers.get("Idempotency-Replayed")).toBe(
      "true",
    );
    app.clock.advance(60_000);
    expect(
      (await app.post("/v1/things", { now: "another" }, who)).headers.get("Idempotency-Replayed"),
    ).toBeNull();
    expect(app.state.runs).toBe(2);
    expect(IDEMPOTENCY_TTL_MS).toBe(30 * DAY_MS);
  });

  it("is purged when its time is over, and only then", async ({ expect }) => {
    const app = counted();
    const who = headers(user(), "k");
    await app.post("/v1/things", {}, who);
    await purgeIdempotencyKeys(db, app.clock.nowMs());
    expect((await app.post("/v1/things", {}, who)).headers.get("Idempotency-Replayed")).toBe(
      "true",
    );
    expect(await purgeIdempotencyKeys(db, app.clock.nowMs() + 31 * DAY_MS)).toBeGreaterThan(0);
    expect((await app.post("/v1/things", {}, who)).headers.get("Idempotency-Replayed")).toBeNull();
  });

  it("lies in the table without anything that can be read or guessed", async ({ expect }) => {
    const app = counted();
    const who = user();
    const key = "client-chosen-key-7f3a9";
    await app.post("/v1/things", {
      email: "jean.dupont@example.com",
      iban: "FR7630006000011234567890189",
    }, headers(who, key));
    const dump = JSON.stringify(await db.all(sql`SELECT * FROM idempotency_keys`));
    expect(dump).toContain("k1.a.");
    expect(dump).not.toMatch(/dupont|example\.com|FR76|things|client-chosen/);
    expect(dump).not.toContain(who);
    // Whoever has the table may try likely bodies: their plain hash must not be there.
    expect(dump).not.toContain(
      sha256Hex('{"email":"jean.dupont@example.com","iban":"FR7630006000011234567890189"}'),
    );
  });

  it("cannot be moved to another request in the table", async ({ expect }) => {
    const app = counted();
    const [a, b] = [user(), user()];
    await app.post("/v1/things", { of: "a" }, headers(a, "k"));
    await app.post("/v1/things", { of: "a" }, headers(b, "k"));
    const scope = (who: string) => sha256Hex(JSON.stringify([who, "POST", "/v1/things", "k"]));
    await db.run(
      sql`UPDATE idempotency_keys SET answer_cipher = (SELECT answer_cipher FROM idempotency_keys WHERE scope = ${
        scope(a)
      }) WHERE scope = ${scope(b)}`,
    );
    expect((await app.post("/v1/things", { of: "a" }, headers(b, "k"))).status).toBe(500);
    expect((await app.post("/v1/things", { of: "a" }, headers(a, "k"))).status).toBe(201);
  });
});

describe("a request that is still running", () => {
  it("answers its repeat 409, and of two at once exactly one runs", async ({ expect }) => {
    const app = counted();
    const who = headers(user(), "k");
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    app.state.work = async () => {
      await held;
      return null;
    };
    const racing = Array.from({ length: 4 }, () => app.post("/v1/things", { a: 1 }, who));
    // Only the three that lost can have an answer yet.
    let refusals = 0;
    await new Promise<void>((resolve) => {
      const count = async (request: Promise<Response>): Promise<void> => {
        if ((await request).status === 409) refusals += 1;
        if (refusals === 3) resolve();
      };
      for (const request of racing) void count(request);
    });
    const other = await app.post("/v1/things", { a: 2 }, who);
    expect(await codeOf(other)).toBe("idempotency_conflict");
    release?.();
    const answers = await Promise.all(racing);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409, 409]);
    for (const refused of answers.filter(({ status }) => status === 409)) {
      expect([refused.headers.get("Retry-After"), await codeOf(refused)]).toEqual([
        "2",
        "idempotency_in_progress",
      ]);
    }
    expect(app.state.runs).toBe(1);
    expect((await app.post("/v1/things", { a: 1 }, who)).headers.get("Idempotency-Replayed")).toBe(
      "true",
    );
  });

  it("loses its lock after two minutes, to the same request only", async ({ expect }) => {
    // The first attempt dies: nothing is remembered and nothing given back.
    const app = counted({
      store: (real) => ({ ...real, complete: async () => {}, abandon: async () => {} }),
    });
    const who = headers(user(), "k");
    await app.post("/v1/things", { a: 1 }, who);
    app.clock.advance(IDEMPOTENCY_LOCK_MS - 10_000);
    expect(await codeOf(await app.post("/v1/things", { a: 1 }, who))).toBe(
      "idempotency_in_progress",
    );
    app.clock.advance(10_000);
    expect(await codeOf(await app.post("/v1/things", { a: 2 }, who))).toBe("idempotency_conflict");
    expect((await app.post("/v1/things", { a: 1 }, who)).status).toBe(201);
    expect(app.state.runs).toBe(2);
    expect(await codeOf(await app.post("/v1/things", { a: 1 }, who))).toBe(
      "idempotency_in_progress",
    );
    expect(IDEMPOTENCY_LOCK_MS).toBe(120_000);
  });

  it("and outlived its lock neither frees nor answers for the one that took over", async ({ expect }) => {
    const { real } = counted();
    const scope = { principal: user(), method: "POST", path: "/v1/things", key: "k" };
    const startedAtMs = Date.now();
    const takenOverAtMs = startedAtMs + IDEMPOTENCY_LOCK_MS;
    expect(await real.begin(scope, "hash", startedAtMs)).toEqual({ state: "started", startedAtMs });
    expect(await real.begin(scope, "hash", takenOverAtMs)).toEqual({
      state: "started",
      startedAtMs: takenOverAtMs,
    });
    await real.abandon(scope, startedAtMs);
    await real.complete(scope, startedAtMs, {
      status: 201,
      contentType: "application/json",
      body: '"late"',
    }, takenOverAtMs + DAY_MS);
    expect(await real.begin(scope, "hash", takenOverAtMs + 1)).toEqual({ state: "in_progress" });
    const answer = { status: 201, contentType: "application/json", body: '"mine"' };
    await real.complete(scope, takenOverAtMs, answer, takenOverAtMs + DAY_MS);
    expect(await real.begin(scope, "hash", takenOverAtMs + 3)).toEqual({ state: "done", answer });
    await real.abandon(scope, takenOverAtMs);
    expect((await real.begin(scope, "hash", takenOverAtMs + 4)).state).toBe("done");
  });
});

describe("the key", () => {
  it("is required where the contract says so, and visible ASCII of 1 to 255 characters", async ({ expect }) => {
    const app = counted();
    const who = { "Test-User": user() };
    for (const key of [undefined, "", "a b", "é", "a".repeat(256), "a\tb"]) {
      const response = await app.post(
        "/v1/things",
        {},
        key === undefined ? who : { ...who, "Idempotency-Key": key },
      );
      expect([response.status, await codeOf(response)], key).toEqual([
        400,
        "idempotency_key_required",
      ]);
    }
    expect(app.state.runs).toBe(0);
    for (const key of ["!", "~".repeat(255), '"quoted"']) {
      expect((await app.post("/v1/things", {}, { ...who, "Idempotency-Key": key })).status).toBe(
        201,
      );
    }
  });

  it("may be left out elsewhere, and then each request runs", async ({ expect }) => {
    const app = counted({ required: false });
    const who = { "Test-User": user() };
    for (const runs of [1, 2]) {
      expect((await app.post("/v1/things", {}, who)).status).toBe(201);
      expect(app.state.runs).toBe(runs);
    }
    expect((await app.post("/v1/things", {}, { ...who, "Idempotency-Key": "a b" })).status).toBe(
      400,
    );
  });

  it("is refused loudly on a route that forgot authentication", async ({ expect }) => {
    const app = counted();
    expect((await app.post("/v1/things", {}, { "Idempotency-Key": "k" })).status).toBe(500);
    expect(app.state.runs).toBe(0);
  });
});
